"""Refusals on their way to the application, which hears of each, if only in its next process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from parley_client.effects import Effect, Failed
from parley_client.errors import ParleyError
from parley_client.events import Event, SendFailed
from parley_client.outbox import Pending
from parley_client.revision import Revision

_KEPT: Final = 1_000


@dataclass(slots=True, eq=False)
class _Verdict:
    """`call`: who waits for it, else it goes into the stream. `told`: the application has it."""

    failed: SendFailed
    call: int | None = None
    in_stream: bool = False
    told: bool = False


@dataclass(slots=True)
class Verdicts:
    """A refused message has left the outbox when its refusal is told. Until then, the refusal is part of the state.

    So a process that dies in between neither sends the message again nor loses it without a word; at worst, the next
    one says once more what was said. `offer` passes an event on, and says whether there was room.
    """

    do: Callable[[Effect], None]
    offer: Callable[[Event], bool]
    revision: Revision = field(default_factory=Revision)
    _items: list[_Verdict] = field(default_factory=list)

    def refused(self, item: Pending, error: ParleyError) -> None:
        failed = SendFailed(
            client_message_id=item.client_message_id,
            conversation_id=item.conversation_id,
            to=item.to,
            code=error.code,
            reason=error.message,
            retryable=error.retryable,
            content=item.body.get("content"),
        )
        self._keep(_Verdict(failed, item.call))
        if item.call is not None:
            self.do(Failed(item.call, error))

    def restore(self, saved: Mapping[str, Any]) -> None:
        """A refusal that the application of an earlier process may not have heard of."""
        self._keep(_Verdict(SendFailed(**saved)))

    def pass_on(self) -> None:
        """Put into the stream what no call waits for, as far as there is room."""
        for verdict in self._items:
            if verdict.call is None and not verdict.in_stream:
                verdict.in_stream = self.offer(verdict.failed)

    def taken(self, event: SendFailed) -> None:
        """The application takes the event from the stream."""
        for verdict in self._items:
            verdict.told = verdict.told or verdict.failed is event

    def handed_out(self, call: int) -> None:
        """The caller that waits for this is told now."""
        for verdict in self._items:
            verdict.told = verdict.told or verdict.call == call

    def forget(self) -> None:
        """Let go of what was told before: to be called once the application had the time to show it."""
        if self._items and any(verdict.told for verdict in self._items):
            self._items = [verdict for verdict in self._items if not verdict.told]
            self.revision.changed()

    def saved(self) -> list[dict[str, Any]]:
        return [asdict(verdict.failed) for verdict in self._items]

    def _keep(self, verdict: _Verdict) -> None:
        self._items = [*self._items[1 - _KEPT :], verdict]
        self.revision.changed()
        self.pass_on()
