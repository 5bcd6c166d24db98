"""What a secret holds, made ready to use once, and read again when a provider has refused it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from shared.errors import Unavailable

T = TypeVar("T")

# A rotated key takes effect without a deployment; a wrong one does not cost a read with each push.
READ_AGAIN_MS: Final = 60_000
# Secrets Manager is asked again soon, but not by each of the pushes that wait for it in turn.
RETRY_MS: Final = 1_000


class BadCredentials(Exception):
    """The secret does not hold what it should."""


class Credentials(Generic[T]):
    """One provider's credentials, in whichever form its adapter needs. Safe to use from several threads."""

    def __init__(self, secret: Callable[[], str], prepare: Callable[[str], T], *, now: Callable[[], int]) -> None:
        """Nothing is read before the first use. `prepare` raises ValueError for a secret that it can't use."""
        self._secret = secret
        self._prepare = prepare
        self._now = now
        self._lock = threading.Lock()
        self._text: str | None = None
        self._value: T | None = None
        self._doubted = True
        self._not_before = 0

    def get(self) -> T:
        """The current ones.

        Raises BadCredentials, and Unavailable while the secret can't be read and never could.
        """
        with self._lock:
            if self._doubted and self._now() >= self._not_before:
                self._read()
            if self._value is not None:
                return self._value
            if self._text is None:
                raise Unavailable("The provider's credentials can't be read right now")
            raise BadCredentials

    def doubt(self, refused: T) -> None:
        """The provider refuses these: read the secret again, unless they have been replaced already."""
        with self._lock:
            self._doubted = self._doubted or refused is self._value

    def _read(self) -> None:
        try:
            text = self._secret()
        except Unavailable:
            self._not_before = self._now() + RETRY_MS
            return
        self._not_before = self._now() + READ_AGAIN_MS
        if text == self._text:
            self._doubted = self._value is None
            return
        self._text, self._value = text, None
        try:
            self._value = self._prepare(text)
        except ValueError:
            return
        self._doubted = False
