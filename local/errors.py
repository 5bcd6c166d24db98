"""What goes wrong for a person at the keyboard: one line, and what to do about it."""


class CommandError(Exception):
    """Ends a command with `message` and, below it, `hint`: neither is a stack trace."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
