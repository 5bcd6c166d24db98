"""Alice, Bob and a group, with everything that pushes depend on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shared.domain.devices import APNS, FCM, Device, Platform, PushTarget
from shared.domain.entries import Entry
from shared.domain.notifications import AboutMessage
from shared.domain.pushes import PushJob
from shared.operations.push.sending import GIVEN_UP, Resting
from tests.fakes import DM
from tests.harness import Harness

GROUP = "group:0123456789abcdef"
BOBS_ANDROID = PushTarget(FCM, "fcm-token-of-bob")
BOBS_PHONE = PushTarget(APNS, "0a" * 32, app_id="com.example.chat")
DELIVERY_CHECK_S = 5

# What came of a push and has an alarm, as two of the provider's answers.
MISCONFIGURED, REFUSED = "PushMisconfigured", "PushRefused"


@dataclass
class PushHarness(Harness):
    resting: Resting = field(default_factory=Resting)

    @property
    def whole(self) -> dict[str, Any]:
        return {**super().whole, "services": self.push_services}

    @property
    def counted(self) -> list[str]:
        """What has an alarm."""
        return [name for name in self.observer.counted.elements() if name in (MISCONFIGURED, REFUSED, GIVEN_UP)]

    def say(self, content: str = "the canary text", *, sender: str = "alice", **fields: Any) -> Entry:
        """Store a message; the first of a private conversation makes its members."""
        (entry,) = self.stores.write(sender, content, at=self.clock(), **fields)
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
