"""Everything that the HTTP API reaches the world through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shared.auth.tokens import TokenVerifier
from shared.domain.changes import Added, Removed
from shared.domain.entries import Entry
from shared.domain.files import SizeLimits
from shared.domain.members import Audience
from shared.domain.rules import Bounds
from shared.limits.buckets import RateLimiter
from shared.limits.invites import InviteLimiter
from shared.operations.changes import Changed, announce
from shared.operations.context import Writing
from shared.operations.delivery import Delivered, Posting
from shared.operations.presence import Sight, Telling
from shared.operations.rosters import Rosters
from shared.operations.visibility import tell_joined, tell_withdrawn
from shared.ports.connections import Sessions, Tickets, Watches
from shared.ports.conversations import ConversationLog, Memberships
from shared.ports.files import Files
from shared.ports.notifications import Devices, Notifications, Reminders
from shared.ports.people import Blocks, Contacts, Profiles, Relations
from shared.ports.services import DeliveryCheckQueue, Gateway, Objects, ParallelMap, ReminderScheduler
from shared.reporting import try_to_tell
from shared.wire.websocket.events import encode_plainly


@dataclass(frozen=True, slots=True)
class Ports:
    """`now` is milliseconds; `begin` starts the time that a request may take, `pause` waits between attempts.

    `report` is told of every broadcast's outcome.
    """

    verifier: TokenVerifier
    tickets: Tickets
    log: ConversationLog
    memberships: Memberships
    files: Files
    objects: Objects
    blocks: Blocks
    contacts: Contacts
    relations: Relations
    profiles: Profiles
    sessions: Sessions
    watches: Watches
    devices: Devices
    notifications: Notifications
    reminders: Reminders
    clock: ReminderScheduler
    looks: DeliveryCheckQueue
    gateway: Gateway
    parallel_map: ParallelMap
    limiter: RateLimiter
    invites: InviteLimiter
    now: Callable[[], int]
    pause: Callable[[int], None]
    begin: Callable[[], None]
    new_nonce: Callable[[], str]
    new_secret: Callable[[], str]
    report: Callable[[Delivered], None]
    edit_window_s: int
    group_limit: int
    inline_limit: int
    receipts_limit: int
    page_limit: int
    device_limit: int
    reminder_limit: int
    second_look_s: int
    sizes: SizeLimits
    bounds: Bounds
    rosters: Rosters
    endpoint_url: str = ""
    """The emulator's address on a laptop, empty on AWS."""

    @property
    def writing(self) -> Writing:
        return Writing(
            log=self.log,
            memberships=self.memberships,
            files=self.files,
            now=self.now,
            pause=self.pause,
            new_nonce=self.new_nonce,
            inline_limit=self.inline_limit,
            bounds=self.bounds,
            rosters=self.rosters,
        )

    @property
    def posting(self) -> Posting:
        return Posting(self.sessions, self.gateway, encode_plainly)

    @property
    def sight(self) -> Sight:
        return Sight(self.relations, self.memberships, self.sessions, self.parallel_map)

    @property
    def telling(self) -> Telling:
        return Telling(self.sight, self.watches, self.gateway, encode_plainly)

    def announce(self, changed: Changed) -> None:
        """Tell everyone in the conversation of a change, if there was one."""
        delivered = announce(changed, posting=self.posting, now=self.now())
        if delivered is not None:
            self.report(delivered)
        if changed.entry is not None:
            self._tell_fellows(changed.entry, changed.audience)

    def _tell_fellows(self, entry: Entry, audience: Audience) -> None:
        """Tell who came into a group, or went, and its members, whom of each other they may see now, or no more."""
        match entry.change:
            case Added(users=users):
                self.tell(tell_joined, entry.conversation_id, users, audience.members)
            case Removed(users=users):
                for user in users:
                    self.tell(tell_withdrawn, user, audience.members)

    def tell(self, tell: Callable[..., int], *about: object) -> None:
        """Tell of a change of who may see whom (`shared/operations/visibility.py`). The change stands in any case."""
        try_to_tell("rest", lambda: tell(*about, telling=self.telling, now=self.now))
