"""Commands for a deployed stack, on the laptop or in AWS. They use `local/`, which knows nothing of them."""
