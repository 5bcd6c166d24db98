"""One history before its judges: what happened, what was stored when, and what was looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from shared.adapters.dynamodb.broadcasts import _broadcast_from
from shared.domain.broadcasts import Broadcast
from shared.domain.connections import MAX_LIFETIME_MS
from shared.domain.entries import Entry
from tests.shared.operations.replay import Told, replay
from tests.simulation.faults import Fault
from tests.simulation.history import Operation
from tests.simulation.judge.ends import Ends
from tests.simulation.judge.past import BEGINNING, Moment, Past, inserted

if TYPE_CHECKING:
    from tests.simulation.gateway import Line
    from tests.simulation.scenario import Scenario

# With these a live event still has to come, a push still has to go out, and presence has to be right.
HARMLESS: Final = frozenset(
    {
        Fault.SHORT_PAGE,
        Fault.STALE,
        Fault.COLD,
        Fault.SKEWED,
        Fault.BACKWARDS,
        Fault.DISCONNECT_LATE,
        Fault.DISCONNECT_TWICE,
        Fault.RECORD_TWICE,
        Fault.BATCH_AGAIN,
        Fault.QUEUE_TWICE,
        Fault.CUT,
        Fault.RESTARTED,
    }
)
# With these a push may be late, and still has to come: whatever failed is done again.
DELAYING: Final = frozenset(
    {
        Fault.THROTTLED,
        Fault.SERVER_ERROR,
        Fault.UNPROCESSED,
        Fault.LOST_BEFORE,
        Fault.SLOW,
        Fault.CONTENDED,
        Fault.QUEUE_LATE,
    }
)
# These fail a call that is made again at once: what comes of it says whether it was too often.
RETRIED: Final = frozenset(
    {
        Fault.THROTTLED,
        Fault.SERVER_ERROR,
        Fault.UNPROCESSED,
        Fault.CONTENDED,
        Fault.PROVIDER_BUSY,
        Fault.PROVIDER_FORGOT,
        Fault.PROVIDER_UNKNOWN,
        Fault.QUEUE_REFUSED,
        Fault.REPLY_LOST,
    }
)
# What functions count and log where they could not do what they had to.
FAILURES: Final = frozenset(
    {
        "PostsFailed",
        "PresenceChecksFailed",
        "PresenceNotAnnounced",
        "ReceiptsNotStored",
        "presence not announced",
        "presence not looked at",
        "own change not told",
        "connection not forgotten",
        "FramesRefused",
    }
)
_SKEWED: Final = frozenset({Fault.SKEWED, Fault.BACKWARDS})


def ends_at(stored: Mapping[str, int]) -> int:
    """What a ping has stored may lie beyond the end of the connection's token, or of the gateway's two hours."""
    return min(stored["expires_at"], stored["connected_at"] + MAX_LIFETIME_MS, stored["authenticated_until"])


@dataclass
class Case:
    """`judged` are the operations whose answer some rule has looked at."""

    scenario: Scenario
    first: Mapping[str, Sequence[dict[str, object]]]
    judged: set[int] = field(default_factory=set)

    @cached_property
    def past(self) -> Past:
        return Past(self.first, self.scenario.observed.writes)

    @cached_property
    def ends(self) -> Ends:
        return Ends(self.past, self.scenario.plan.limits.kept_days)

    @cached_property
    def logs(self) -> Mapping[str, Sequence[Entry]]:
        return self.scenario.logs()

    @cached_property
    def first_said(self) -> Mapping[tuple[str, int], str | None]:
        """What each message of this history said when it was stored."""
        return {
            (entry.conversation_id, entry.seq): entry.content for _, entry in inserted(self.past) if entry.is_message
        }

    @cached_property
    def first_log(self) -> Sequence[Sequence[Entry]]:
        """The conversations as they were before."""
        return [self.past.at(BEGINNING).log(name) for name in self.logs]

    @cached_property
    def has_hidden(self) -> bool:
        """Whether there may be anything that some may see, and others not."""
        return any(True for _ in self.operations("shadow_ban", "govern"))

    @cached_property
    def broadcasts(self) -> Mapping[str, Sequence[tuple[float, Broadcast]]]:
        """What each was, from when on."""
        found: dict[str, list[tuple[float, Broadcast]]] = {}
        for at, (table, _, sk), _, new in self.past.changes:
            if (table, sk) == ("members", "broadcast") and new is not None:
                found.setdefault(new["broadcast_id"], []).append((at, _broadcast_from(new)))
        return found

    def broadcast_at(self, name: str, when: float) -> Broadcast | None:
        states = [one for at, one in self.broadcasts.get(name, ()) if at <= when]
        return states[-1] if states else None

    def told(self, name: str) -> Told:
        """What a log tells."""
        if name not in self._told:
            said = {seq: content for (where, seq), content in self.first_said.items() if where == name}
            self._told[name] = replay(self.logs[name], said)
        return self._told[name]

    @cached_property
    def _told(self) -> dict[str, Told]:
        return {}

    @cached_property
    def close_events(self) -> Mapping[Line, Sequence[tuple[float, str]]]:
        """When each connection was told that it is going to be closed, and why."""
        found: dict[Line, list[tuple[float, str]]] = {}
        for post in self.scenario.deployment.gateway.posts:
            if post.event["type"] == "disconnect":
                found.setdefault(post.line, []).append((post.at, post.event["code"]))
        return found

    @cached_property
    def began(self) -> Mapping[tuple[str, int], float]:
        """When the invocation began that stored an entry, as far as that was one of a frame's or a request's."""
        gateway, requests = self.scenario.deployment.gateway, self.scenario.deployment.requests
        known = [one.process for one in gateway.exchanges if one.process is not None]
        known += [one.process for one in requests]
        return {
            (written.new["conversation_id"]["S"], int(written.new["seq"]["N"])): process.began
            for process in known
            for _, written in process.wrote
            if written.table == "log" and written.old is None and written.new is not None
        }

    @cached_property
    def kept_out(self) -> frozenset[str]:
        """Users whom an administrator keeps out at some time: their devices are forgotten."""
        return frozenset(one.detail["member"] for one in self.operations("ban", "revoke_tokens"))

    @cached_property
    def struck(self) -> frozenset[Fault]:
        return frozenset(fault for fault, times in self.scenario.fault_model.struck.items() if times)

    @property
    def killed(self) -> bool:
        return Fault.KILLED in self.struck

    @cached_property
    def went_well(self) -> bool:
        """Whatever struck has failed no invocation, and has held up none for long: all that was to be done is done."""
        runtime = self.scenario.deployment.runtime
        is_done = runtime.started == runtime.ended and not self.scenario.deployment.set_aside
        return self.struck <= HARMLESS | RETRIED and is_done and not FAILURES & self.scenario.log.counted.keys()

    @property
    def skew(self) -> int:
        """By how many ms a function's clock may be off, either way."""
        return 4_000 if self.struck & _SKEWED else 0

    def operations(self, *kinds: str) -> Iterator[Operation]:
        """Those of these kinds; of all of them without any."""
        for operation in self.scenario.operations:
            if not kinds or operation.kind in kinds:
                yield operation

    def looked_at(self, operation: Operation) -> None:
        self.judged.add(id(operation))

    def during(self, operation: Operation, *, stale: bool = False) -> Iterator[Moment]:
        """The moments between an operation's begin and its end.

        `stale`: and all before, where an eventually consistent read could answer from there.
        """
        is_behind = stale and Fault.STALE in self.struck
        start = BEGINNING if is_behind else operation.began
        end = operation.ended if operation.ended is not None else self.scenario.hub.now
        return (self.past.at(when) for when in self.past.moments(start, end))
