"""The message function on fakes: Alice with two devices, Bob with one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from functions.message.guard import COSTLY, Guard
from functions.message.handler import respond
from functions.message.routes import Ports
from shared.chat.changes import OWNER, Added
from shared.chat.delivery import Delivered
from shared.chat.models import change_entry
from shared.chat.rules import PROTOCOL, Bounds
from shared.connection.models import Identity
from shared.errors import Unauthenticated
from shared.limits.buckets import Limit, RateLimiter
from shared.limits.frames import AbuseWatch, FrameLimiter
from tests.fakes import (
    FakeBlocks,
    FakeBuckets,
    FakeClock,
    FakeGateway,
    FakeLog,
    FakeNonces,
    FakeRelations,
    FakeSessions,
    FakeWatches,
    in_turn,
)
from tests.functions.events import NOW, frame_event

GROUP = "group:0123456789abcdef"


@dataclass
class House:
    log: FakeLog = field(default_factory=FakeLog)
    sessions: FakeSessions = field(default_factory=FakeSessions)
    gateway: FakeGateway = field(default_factory=FakeGateway)
    watches: FakeWatches = field(default_factory=FakeWatches)
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    reports: list[Delivered] = field(default_factory=list)
    nonces: FakeNonces = field(default_factory=FakeNonces)
    tokens: dict[str, Identity] = field(default_factory=dict)
    page_limit: int = 100
    bounds: Bounds = PROTOCOL
    guard: Guard = field(init=False)

    def __post_init__(self) -> None:
        for user_id, connection_id in (("alice", "a1="), ("alice", "a2="), ("bob", "b1=")):
            self.sessions.connect(user_id, connection_id, at=NOW)
        self.guard = self.new_guard()

    def new_guard(
        self, limit: Limit | None = None, frames: int = 500, abuse: int = 100, frame_limit: int = 32_768
    ) -> Guard:
        """Another instance of the function, or one with other limits."""
        return Guard(
            messages=RateLimiter(limit or Limit(20, 200), FakeBuckets(), self.clock),
            frames=FrameLimiter(50, frames, self.clock),
            costly={kind: FrameLimiter(*rate, self.clock) for kind, rate in COSTLY.items()},
            frame_limit=frame_limit,
            abuse=AbuseWatch(abuse, self.clock),
            sessions=self.sessions,
            gateway=self.gateway,
        )

    @property
    def ports(self) -> Ports:
        return Ports(
            log=self.log,
            memberships=self.log.memberships,
            files=self.log.files,
            blocks=FakeBlocks(self.log.memberships),
            relations=FakeRelations(self.log.memberships),
            sessions=self.sessions,
            watches=self.watches,
            gateway=self.gateway,
            spread=in_turn,
            now=self.clock,
            pause=lambda _: None,
            new_nonce=self.nonces,
            report=self.reports.append,
            verify=self.verify,
            connection_limit=3,
            edit_window_s=86_400,
            inline_limit=200,
            receipts_limit=100,
            page_limit=self.page_limit,
            bounds=self.bounds,
        )

    def verify(self, token: str) -> Identity:
        if token not in self.tokens:
            raise Unauthenticated
        return self.tokens[token]

    def make_group(self, owner: str, *others: str) -> str:
        """A group with its first entry written."""
        users = (owner, *others)
        entry = change_entry(
            Added(users, size=len(users), roles={owner: OWNER}, name="the group"),
            base=None,
            conversation_id=GROUP,
            sender_id=owner,
            created_at=NOW,
            nonce="group",
            fan_out=False,
        )
        assert self.log.put(entry) is None
        return GROUP

    def answer(self, event: dict[str, Any]) -> dict[str, Any]:
        response = respond(event, self.ports, self.guard)
        assert response["statusCode"] == 200
        reply: dict[str, Any] = json.loads(response["body"])
        return reply

    def say(self, frame: Any, **event: Any) -> dict[str, Any]:
        return self.answer(frame_event(frame, **event))

    def as_user(self, user_id: str, frame: Any) -> dict[str, Any]:
        return self.say(frame, user_id=user_id, connection_id=f"{user_id}-device=")

    def events(self, connection_id: str) -> list[dict[str, Any]]:
        return [json.loads(data) for data in self.gateway.received(connection_id)]
