"""What a log says, told from its changes alone: to be compared with what is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.domain.changes import MEMBER, Added, Deleted, Edited, Reacted, Removed, Renamed, Role, RolesChanged, Updated
from shared.domain.entries import Entry, Reaction
from shared.domain.files import DELETED
from tests.shared.operations.conversation_harness import GROUP, ChatHarness
from tests.stores import MEMBERS


@dataclass
class Told:
    """A group as its log tells it. `before[n]` and `after[n]` are the members around entry n."""

    roles: dict[str, Role] = field(default_factory=dict)
    joined: dict[str, int] = field(default_factory=dict)
    name: str = ""
    contents: dict[int, str | None] = field(default_factory=dict)
    reactions: dict[int, set[Reaction]] = field(default_factory=dict)
    files: dict[int, str | None] = field(default_factory=dict)
    before: dict[int, set[str]] = field(default_factory=dict)
    after: dict[int, set[str]] = field(default_factory=dict)


def replay(entries: Sequence[Entry], said: Mapping[int, str | None]) -> Told:
    """`said` is what each message's sender wrote at first: the log itself keeps the latest only."""
    told = Told()
    for entry in entries:
        told.before[entry.seq] = set(told.roles)
        _apply(entry, told, said)
        told.after[entry.seq] = set(told.roles)
    return told


def _apply(entry: Entry, told: Told, said: Mapping[int, str | None]) -> None:  # one for each kind
    match entry.change:
        case None:
            told.contents[entry.seq] = said.get(entry.seq, entry.content)
            told.reactions[entry.seq] = set()
            told.files[entry.seq] = entry.file_id
        case Edited(target=target, content=content):
            told.contents[target] = content
        case Deleted(target=target):
            told.contents[target] = None
            told.reactions[target] = set()
            told.files[target] = None
        case Reacted(target=target, emoji=emoji, removed=False):
            told.reactions[target].add((emoji, entry.sender_id))
        case Reacted(target=target, emoji=emoji, owner_id=owner_id):
            told.reactions[target].discard((emoji, owner_id or entry.sender_id))
        case Added(users=users, roles=given, name=name):
            told.roles.update({user: given.get(user, MEMBER) for user in users})
            told.joined.update(dict.fromkeys(users, entry.seq))
            told.name = name or told.name
        case Removed(users=users):
            told.roles = {user: role for user, role in told.roles.items() if user not in users}
        case Renamed(name=name) | Updated(name=name):
            told.name = name or told.name
        case RolesChanged(roles=roles):
            told.roles.update(roles)


def check_log(harness: ChatHarness, said: Mapping[int, str | None] | None = None, *, place: str = GROUP) -> Told:
    """The log has no gap, what is stored is what it says, and no outsider wrote or got anything."""
    entries = harness.entries(place)
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    told = replay(entries, said or {})
    _check_members(harness, told, place)
    _check_messages(entries, told)
    _check_files(harness, told, place)
    for entry in entries:
        assert entry.seq == 1 or entry.sender_id in told.before[entry.seq], f"{entry.sender_id} wrote {entry}"
    for connection_id, data in harness.gateway.posts:
        event = json.loads(data)
        if event["conversation_id"] == place and event["type"] not in {"read", "delivered"}:
            # Who came later may get it, too: with a resend, and it is history that they can read.
            since = told.before[event["seq"]].union(*(told.after[n] for n in range(event["seq"], len(entries) + 1)))
            assert connection_id.rstrip("1") in since, f"{connection_id} got {event}"
    return told


def _check_members(harness: ChatHarness, told: Told, place: str) -> None:
    assert harness.roles(place) == told.roles
    rows = harness.stores.rows(MEMBERS, sk=f"conversation#{place}")
    assert {row["user_id"]: row["joined_seq"] for row in rows} == {user: told.joined[user] for user in told.roles}
    group = harness.stores.group(place)
    assert (group.size, group.name) == (len(told.roles), told.name)
    assert not told.roles or "owner" in told.roles.values()


def _check_files(harness: ChatHarness, told: Told, place: str) -> None:
    """Every message that has a file counts, and no other."""
    assert {entry.seq: entry.file_id for entry in harness.entries(place) if entry.is_message} == told.files
    files = [row["pk"].removeprefix("file#") for row in harness.stores.rows(MEMBERS, sk="file")]
    places = {file_id: harness.stores.file_places(file_id) for file_id in files}
    counted = {seq: one for one in files for at, seq in places[one] if at == place}
    assert counted == {seq: one for seq, one in told.files.items() if one is not None}
    for file in map(harness.stores.file, files):
        assert file.references == len(places[file.file_id])
        assert file.status != DELETED or not file.references


def _check_messages(entries: Sequence[Entry], told: Told) -> None:
    messages = [entry for entry in entries if entry.is_message]
    assert {entry.seq: entry.content for entry in messages} == told.contents
    assert {entry.seq: set(entry.reactions) for entry in messages} == told.reactions
    kept = [entry.change.target for entry in entries if isinstance(entry.change, Edited) and entry.change.content]
    assert len(kept) == len(set(kept)), "a content stands in one edit entry at most"
    for number, entry in enumerate(messages, 1):
        assert entry.number == number
    for entry in entries:
        below = [message for message in messages if message.seq <= entry.seq]
        assert (entry.number, entry.message_seq) == (len(below), below[-1].seq if below else 0)
