"""What ends a release: said in a line, with what to do about it."""

from __future__ import annotations


class ReleaseError(Exception):
    """`hint` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
