"""All that is stored, in one object: an operation takes it whole.

Stores come in five sizes, each with all of the one before it: a function loads what it needs, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a port costs nothing where it is not used
    from shared.ports import people
    from shared.ports.audit import Audit
    from shared.ports.broadcasts import Broadcasts
    from shared.ports.connections import Attendance, Sessions, Tickets, Transitions, Watches
    from shared.ports.conversations import ConversationLog, Memberships, Packs, Readers
    from shared.ports.files import Files
    from shared.ports.jobs import Holds, Jobs, Walks
    from shared.ports.joining import Joins
    from shared.ports.keeping import Keeping
    from shared.ports.mails import Mails
    from shared.ports.reports import Reports
    from shared.ports.screening import HeldMessages, ShadowBans, WordLists

# Neither compared nor printed: each method that a dataclass writes is compiled at every cold start.


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SessionStores:
    """What a handshake's end touches."""

    sessions: Sessions


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PresenceStores(SessionStores):
    """What decides who may see whose presence, and who wants to."""

    memberships: Memberships
    relations: people.Relations
    watches: Watches
    attendance: Attendance
    transitions: Transitions | None
    """None where the team's backend is not told of them."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ChatStores(PresenceStores):
    """What the frames of a connection touch."""

    log: ConversationLog
    files: Files
    blocks: people.Blocks


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Stores(ChatStores):
    """What the HTTP API touches."""

    tickets: Tickets
    readers: Readers
    contacts: people.Contacts
    profiles: people.Profiles
    users: people.Users
    devices: people.Devices
    mails: Mails
    notifications: people.Notifications
    reminders: people.Reminders
    audit: Audit
    joins: Joins
    reports: Reports
    jobs: Jobs
    broadcasts: Broadcasts
    holds: Holds
    keeping: Keeping
    held: HeldMessages
    word_lists: WordLists
    shadow_bans: ShadowBans


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PushStores(Stores):
    """All of them."""

    packs: Packs
    push_contexts: people.PushContexts
    claims: people.Claims
    shown: people.Shown
    standings: people.Standings
    walks: Walks


def contents(stores: SessionStores) -> dict[str, Any]:
    """The stores by name, to make a larger size of."""
    return {name: getattr(stores, name) for name in stores.__match_args__}
