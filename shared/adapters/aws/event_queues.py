"""The queue of errands for webhooks, and what stands in its messages: ids and places, never what was written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from shared.adapters.aws.sqs import SqsQueue
from shared.clock import whole_seconds
from shared.domain.webhooks import Errand, News, Single, Sweep, Trial

_NEWS: Final = "news"
_SINGLE: Final = "single"
_TRIAL: Final = "trial"
_SWEEP: Final = "sweep"
_KINDS: Final[Mapping[type[Errand], str]] = {News: _NEWS, Single: _SINGLE, Trial: _TRIAL, Sweep: _SWEEP}


class SqsErrands:
    """Errands on an SQS queue, fair between endpoints: one that is slow waits behind itself."""

    def __init__(self, queue: SqsQueue) -> None:
        self._queue = queue

    def put(self, errands: Sequence[Errand], *, delay_ms: int = 0) -> None:
        delay_s = whole_seconds(delay_ms)
        self._queue.send_all(map(errand_body, errands), delay_s=delay_s, fair_by="webhook_id")


class SqsGivenUp:
    """GivenUp on the failure queue of errands, from where a replay puts them back."""

    def __init__(self, queue: SqsQueue) -> None:
        self._queue = queue

    def put(self, single: Single) -> None:
        self._queue.send(errand_body(single))


def errand_body(errand: Errand) -> dict[str, Any]:
    return {"kind": _KINDS[type(errand)], **asdict(errand)}


def errand_from(body: Mapping[str, Any]) -> Errand:
    """Raises for one that can't be read."""
    return _READERS[body["kind"]](body)


def _sweep_from(body: Mapping[str, Any]) -> Sweep:
    since, forget = body["since"], body["forget"]
    return Sweep(
        str(body["webhook_id"]),
        None if since is None else int(since),
        None if forget is None else int(forget),
        int(body["part"]),
        str(body["after"]),
    )


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Errand]]] = {
    _NEWS: lambda body: News(
        str(body["webhook_id"]), str(body["conversation_id"]), int(body["seq"]), int(body["retry_at"])
    ),
    _SINGLE: lambda body: Single(str(body["webhook_id"]), str(body["conversation_id"]), int(body["seq"])),
    _TRIAL: lambda body: Trial(str(body["webhook_id"]), str(body["nonce"])),
    _SWEEP: _sweep_from,
}
