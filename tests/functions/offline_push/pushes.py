"""What the tests of the providers' adapters push, and with which patience."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from functions.offline_push.providers import Timeouts
from shared.domain.devices import APNS, FCM, PushTarget
from shared.domain.pushes import Push, PushResult, Wording
from shared.errors import Unavailable
from shared.ports.services import PushGateway

FCM_TOKEN = "registration:CANARY-token_0123456789"
APNS_TOKEN = "ca7a9e" * 10 + "cafe"
TEXT = "a canary that sings"
CANARIES = (FCM_TOKEN, APNS_TOKEN, TEXT, "canary", "BEGIN", "ya29.", "eyJ")
HOUR = 3_600_000
PATIENT = Timeouts(connect_s=5, read_s=10)
BRIEF = Timeouts(connect_s=1, read_s=0.5)


def a_push(target: PushTarget, **changes: Any) -> Push:
    push = Push(
        target=target,
        push_id=str(uuid.uuid4()),
        collapse_id="c" * 64,
        thread_id="thread-1",
        badge=7,
        unread=3,
        wording=Wording("message_title", ("Alice",), body=TEXT),
        data={"conversation_id": "dm:alice:bob", "seq": "12"},
        expires_at=now_ms() + HOUR,
    )
    return replace(push, **changes)


def fcm_push(token: str = FCM_TOKEN, *, is_installation: bool = False, **changes: Any) -> Push:
    return a_push(PushTarget(FCM, token, is_installation=is_installation), **changes)


def apns_push(token: str = APNS_TOKEN, *, app_id: str | None = "com.example.chat", **changes: Any) -> Push:
    return a_push(PushTarget(APNS, token, app_id=app_id), **changes)


def now_ms() -> int:
    """The servers go by the machine's clock, and so must what is signed for them."""
    return time.time_ns() // 1_000_000


@dataclass
class Secret:
    """A secret that can be rotated, and out of reach."""

    text: str
    within_reach: bool = True
    reads: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> str:
        with self.lock:
            self.reads += 1
        if not self.within_reach:
            raise Unavailable
        return self.text


def all_at_once(gateway: PushGateway, pushes: Sequence[Push]) -> list[PushResult]:
    """Push from one thread for each."""
    start = threading.Barrier(len(pushes))

    def push(one: Push) -> PushResult:
        start.wait()
        return gateway.push(one)

    with ThreadPoolExecutor(len(pushes)) as threads:
        return list(threads.map(push, pushes))


@contextmanager
def everything_logged() -> Iterator[Callable[[], str]]:
    """What any logger that does not say otherwise logs, down to DEBUG, with all that the records carry."""
    records: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    root, keep = logging.getLogger(), Keep()
    level = root.level
    root.addHandler(keep)
    root.setLevel(logging.DEBUG)
    try:
        yield lambda: "\n".join(f"{record.getMessage()} {vars(record)}" for record in records)
    finally:
        root.removeHandler(keep)
        root.setLevel(level)
