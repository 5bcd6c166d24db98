"""What has come in, for tests and for people to look at."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

Provider = Literal["fcm", "apns", "web", "ses", "oauth"]
Environment = Literal["production", "sandbox"]
ENVIRONMENTS: Final[tuple[Environment, ...]] = ("production", "sandbox")

KEPT = 10_000
WAIT_SECONDS = 10.0
# A reader of the record need not get what opens the door.
SECRET_HEADERS = frozenset({"authorization"})


@dataclass(frozen=True, slots=True)
class Received:
    """A push or a mail that was accepted, at `received_at` (ms).

    `token` is what it is addressed to: an APNs device token, an FCM registration token, a Firebase installation id, a
    browser's endpoint, or a mail's first address. `headers` are APNs' own (`apns-…`), or a browser's; `payload` is the
    whole JSON for APNs, `message` for FCM, what a browser has decrypted, and the request of SendEmail.
    """

    provider: Provider
    environment: Environment | None
    token: str
    headers: Mapping[str, str]
    payload: Mapping[str, Any]
    received_at: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request and what became of it: `status` is None where it was not answered. `payload` is None if not JSON."""

    provider: Provider
    environment: Environment | None
    method: str
    path: str
    token: str | None
    headers: Mapping[str, str]
    payload: Any
    status: int | None
    reason: str | None
    received_at: int

    def as_json(self) -> dict[str, Any]:
        shown = {name: value for name, value in self.headers.items() if name not in SECRET_HEADERS}
        return asdict(self) | {"headers": shown}


class Record:
    """The last pushes and requests, oldest first. Safe to use from several threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pushes: deque[Received] = deque(maxlen=KEPT)
        self._requests: deque[Asked] = deque(maxlen=KEPT)

    def add(self, request: Asked, push: Received | None = None) -> None:
        with self._changed:
            self._requests.append(request)
            if push is not None:
                self._pushes.append(push)
            self._changed.notify_all()

    def pushes(self) -> list[Received]:
        with self._changed:
            return list(self._pushes)

    def requests(self) -> list[Asked]:
        with self._changed:
            return list(self._requests)

    def clear(self) -> None:
        with self._changed:
            self._pushes.clear()
            self._requests.clear()

    def wait_for(self, count: int) -> list[Received]:
        """Return once there are so many pushes; raises TimeoutError where they don't come."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._pushes) >= count, WAIT_SECONDS):
                statuses = [f"{asked.provider} {asked.status} {asked.reason}" for asked in self._requests]
                raise TimeoutError(f"{len(self._pushes)} pushes instead of {count}; requests: {statuses}")
            return list(self._pushes)


def now_ms() -> int:
    return time.time_ns() // 1_000_000
