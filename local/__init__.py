"""The laptop stack: it starts the emulator, deploys the real CDK app to it, and keeps it at hand."""
