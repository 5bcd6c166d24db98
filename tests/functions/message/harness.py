"""The message function over simulated tables: Alice with two devices, Bob with one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from functions.message.handler import Guard, respond
from functions.message.wiring import Wiring as Wired
from shared.domain.connections import Identity
from shared.domain.limits import Limit
from shared.domain.rules import PROTOCOL, Bounds
from shared.errors import Unauthenticated
from tests.functions.events import NOW, frame_event
from tests.harness import Harness

GROUP = "group:0123456789abcdef"


@dataclass
class MessageHarness(Harness):
    tokens: dict[str, Identity] = field(default_factory=dict)
    page_limit: int = 100
    bounds: Bounds = PROTOCOL
    guard: Guard = field(init=False)

    def __post_init__(self) -> None:
        for user_id, connection_id in (("alice", "a1="), ("alice", "a2="), ("bob", "b1=")):
            self.stores.connect(user_id, connection_id, at=NOW)
        self.guard = self.new_guard()

    def new_guard(
        self, limit: Limit | None = None, frames: int = 500, abuse: int = 100, frame_limit: int = 32_768
    ) -> Guard:
        """Another instance of the function, or one with other limits."""
        messages = None if limit is None else self.wiring.limiter(limit)
        return self.wiring.guard(messages, frames=frames, abuse=abuse, frame_limit=frame_limit)

    @property
    def wired(self) -> Wired:
        return self.wiring.message(
            verify=self.verify, edit_window_s=86_400, page_limit=self.page_limit, bounds=self.bounds
        )

    def verify(self, token: str) -> Identity:
        if token not in self.tokens:
            raise Unauthenticated
        return self.tokens[token]

    def make_group(self, owner: str, *others: str) -> str:
        """A group with its first entry written."""
        self.stores.found(GROUP, owner, *others, at=NOW)
        return GROUP

    def answer(self, event: dict[str, Any]) -> dict[str, Any]:
        response = respond(event, self.wired, self.guard)
        assert response["statusCode"] == 200
        reply: dict[str, Any] = json.loads(response["body"])
        return reply

    def say(self, frame: Any, **event: Any) -> dict[str, Any]:
        return self.answer(frame_event(frame, **event))

    def as_user(self, user_id: str, frame: Any) -> dict[str, Any]:
        return self.say(frame, user_id=user_id, connection_id=f"{user_id}-device=")
