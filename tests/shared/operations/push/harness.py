"""Alice, Bob and a group, with everything that pushes depend on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shared.domain.devices import APNS, FCM, Device, Platform, PushTarget
from shared.domain.entries import Draft, Entry, MessageType
from shared.domain.notifications import AboutMessage
from shared.domain.pushes import PushJob
from shared.operations.context import Context
from shared.operations.push.sending import Resting
from shared.ports.services import PushServices
from shared.wire.websocket.events import encode_plainly
from tests.fakes import (
    DM,
    FakeDeliveryCheckQueue,
    FakePushGateway,
    FakePushQueue,
    FakeShardQueue,
    in_turn,
)
from tests.harness import Harness
from tests.wiring import make_context

GROUP = "group:0123456789abcdef"
BOBS_ANDROID = PushTarget(FCM, "fcm-token-of-bob")
BOBS_PHONE = PushTarget(APNS, "0a" * 32, app_id="com.example.chat")
SECOND_LOOK_S = 5


@dataclass
class PushHarness(Harness):
    pushes: FakePushQueue = field(default_factory=FakePushQueue)
    looks: FakeDeliveryCheckQueue = field(default_factory=FakeDeliveryCheckQueue)
    provider: FakePushGateway = field(default_factory=FakePushGateway)
    resting: Resting = field(default_factory=Resting)
    shards: FakeShardQueue = field(default_factory=FakeShardQueue)

    @property
    def services(self) -> PushServices:
        return PushServices(
            gateway=self.gateway,
            parallel_map=in_turn,
            encode=encode_plainly,
            observer=self.observer,
            presence_checks=self.checks,
            delivery_checks=self.looks,
            push_queue=self.pushes,
            shard_queue=self.shards,
            providers=lambda _: self.provider,
        )

    @property
    def context(self) -> Context:
        return make_context(self.clock, self.nonces, delivery_check_s=SECOND_LOOK_S)

    @property
    def whole(self) -> dict[str, Any]:
        """What operations take."""
        return {"stores": self.stores, "services": self.services, "context": self.context}

    @property
    def counted(self) -> list[str]:
        return list(self.observer.counted.elements())

    def say(
        self,
        content: str = "the canary text",
        *,
        sender: str = "alice",
        conversation_id: str = DM,
        mentions: tuple[str, ...] = (),
        reply_to: int | None = None,
        message_type: MessageType = "text",
    ) -> Entry:
        """Store a message; the first of a private conversation makes its members."""
        log = self.stores.entries(conversation_id)
        draft = Draft(
            conversation_id,
            sender,
            content,
            f"n{len(log)}",
            message_type=message_type,
            mentions=mentions,
            reply_to=reply_to,
        )
        entry = draft.following(log[-1] if log else None, self.clock())
        with self.stores.calls.quietly():
            self.stores.log.put(entry, new_members=("alice", "bob") if conversation_id == DM and not log else ())
        return entry

    def found(self, *users: str, name: str = "Crew") -> None:
        """A group of these users; the first owns it."""
        self.stores.found(GROUP, *users, name=name, at=self.clock())

    def device(self, target: PushTarget = BOBS_ANDROID, *, user: str = "bob", device_id: str = "phone") -> Device:
        return self.stores.device(user, device_id, target, at=self.clock())

    def job(self, entry: Entry, *, user: str = "bob", platform: Platform = FCM, tries: int = 0) -> PushJob:
        about = AboutMessage(entry.conversation_id, entry.seq)
        return PushJob(platform, user, about, since=self.clock(), tries=tries)

    def prefer(self, conversation_id: str = DM, user: str = "bob", **changes: object) -> None:
        self.stores.memberships.set_preferences(conversation_id, user, changes)

    def profile(self, user: str = "bob", **changes: object) -> None:
        self.stores.profiles.update(user, changes)
