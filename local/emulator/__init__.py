"""What runs in the emulator's own environment: MiniStack, made durable. It imports only the standard library."""
