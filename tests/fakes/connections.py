"""The gateway, and the looks after the grace period, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.domain.connections import Gone, Posted, PostOutcome


@dataclass
class FakePresenceChecks:
    scheduled: list[Gone] = field(default_factory=list)

    def schedule(self, gone: Gone) -> None:
        self.scheduled.append(gone)


@dataclass
class FakeGateway:
    """Keeps what was posted. `outcomes` names the connections that don't take posts."""

    posts: list[tuple[str, bytes]] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    outcomes: dict[str, PostOutcome] = field(default_factory=dict)

    def post(self, connection_ids: Sequence[str], data: bytes) -> Sequence[Posted]:
        posted = [Posted(one, self.outcomes.get(one, PostOutcome.SENT)) for one in connection_ids]
        self.posts += [(one.connection_id, data) for one in posted if one.outcome is PostOutcome.SENT]
        return posted

    def close(self, connection_id: str) -> None:
        self.closed.append(connection_id)

    def received(self, connection_id: str) -> list[bytes]:
        return [data for target, data in self.posts if target == connection_id]
