"""Requests and their replies, on one connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from parley_client.effects import Effect, Failed, Transmit
from parley_client.errors import ParleyError
from parley_client.events import Frame
from parley_client.parsing import is_object

OnDone = Callable[[Frame, float], None]
OnFailed = Callable[[ParleyError, float], None]

TOKEN_EXPIRED: Final = "token_expired"  # noqa: S105  # a code
# The connection is of no use without a fresh token, with which the request is made again, there or on the next one.
_TOKEN_CODES: Final = frozenset({TOKEN_EXPIRED, "unauthenticated"})


@dataclass(slots=True)
class _Request:
    at: float
    done: OnDone
    failed: OnFailed
    call: int | None
    about_token: bool
    is_ping: bool
    is_silent: bool


@dataclass(slots=True)
class Exchange:
    """Matches replies to requests by `id`.

    One that wants no reply is silent: it is answered where it is refused. It counts as done once a request that was
    made `patience` seconds after it is answered: the connection has lived, and a refusal would have been heard.
    Of each request exactly one of `done` and `failed` is called, or neither where the connection ends first; then a
    request with a `call` fails as `connection_lost`.
    """

    do: Callable[[Effect], None]
    patience: float
    _open: dict[str, _Request] = field(default_factory=dict)
    _silent: dict[str, _Request] = field(default_factory=dict)
    _numbers: int = 0

    def transmit(
        self,
        frame: dict[str, Any],
        now: float,
        done: OnDone,
        failed: OnFailed,
        *,
        call: int | None = None,
        about_token: bool = False,
    ) -> str:
        """`about_token`: the frame brings a token; that this one is refused says nothing about the connection's."""
        self._numbers += 1
        request_id = str(self._numbers)
        is_silent = frame.get("reply") is False
        request = _Request(now, done, failed, call, about_token, frame["type"] == "ping", is_silent)
        (self._silent if is_silent else self._open)[request_id] = request
        self.do(Transmit({**frame, "id": request_id}))
        return request_id

    def replied(self, frame: Frame, now: float) -> bool:
        """Hand a reply to its request. False where the token is no longer good, and the connection with it."""
        request_id = str(frame.get("id"))
        request = self._open.get(request_id) or self._silent.get(request_id)
        if request is None:  # answered late, or twice
            return True
        if not request.is_silent:
            self._settle_silent(request.at - self.patience, now)
        data = frame.get("data")
        if frame.get("success") is True:
            self.forget(request_id)
            request.done(data if is_object(data) else {}, now)
            return True
        error = ParleyError.from_wire(frame)
        if error.code in _TOKEN_CODES and not request.about_token:
            return False
        self.forget(request_id)
        request.failed(error, now)
        return True

    def _settle_silent(self, until: float, now: float) -> None:
        for request_id, request in list(self._silent.items()):
            if request.at > until:
                break
            self.forget(request_id)
            request.done({}, now)

    def fail_silent(self, now: float) -> None:
        """The gateway could not serve some frame, and does not say which: none of the silent ones counts as served."""
        lost, self._silent = list(self._silent.values()), {}
        for request in lost:
            request.failed(ParleyError("unavailable", "A frame was not served", retryable=True), now)

    def forget(self, request_id: str) -> None:
        self._open.pop(request_id, None)
        self._silent.pop(request_id, None)

    def expire(self, now: float, timeout: float) -> bool:
        """Fail what has waited for `timeout`. Returns whether there was any that leaves the connection in doubt.

        A ping does not: it was sent to find that out, and another one for each would keep a slow server slow for good.
        """
        if not self._open:
            return False
        late = [self._open.pop(key) for key, request in list(self._open.items()) if now >= request.at + timeout]
        for request in late:
            request.failed(ParleyError("timeout", "There was no answer in time", retryable=True), now)
        return any(not request.is_ping for request in late)

    def next_due(self, timeout: float) -> float | None:
        for oldest in self._open.values():
            return oldest.at + timeout
        return None

    def connection_lost(self) -> None:
        lost, self._open, self._silent = list(self._open.values()), {}, {}
        for request in lost:
            if request.call is not None:
                self.do(Failed(request.call, not_connected()))


def not_connected() -> ParleyError:
    return ParleyError("connection_lost", "There is no connection to answer this", retryable=True)
