"""What must be stored, and must have been told, after whatever went wrong: while things are broken, and in the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from shared.adapters.dynamodb.client import from_item
from shared.adapters.dynamodb.devices import devices_from, target_hash
from shared.adapters.dynamodb.schema import entry_from
from shared.domain.contacts import ACCEPTED
from shared.domain.entries import Entry
from shared.domain.text import private_members
from tests.faults.harness import FaultHarness
from tests.shared.operations.replay import Told, replay
from tests.stores import LOG, MEMBERS, SESSIONS

Rows = Sequence[Mapping[str, Any]]
Logs = Mapping[str, Sequence[Entry]]
CURSORS = ("read_seq", "delivered_seq", "joined_seq")
LASTING = ("conversation_id", "seq", "kind", "sender_id", "created_at", "number", "nonce", "client_message_id")


def logs(harness: FaultHarness) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for item in harness.store.items(LOG):
        found.setdefault(item["conversation_id"], []).append(entry_from(item))
    return found


def check(harness: FaultHarness) -> None:
    """Everything, at any moment: right after a death, too."""
    wrong = list(faults(harness))
    assert not wrong, "\n".join(wrong)
    assert not harness.unexpected, harness.unexpected


def check_to_the_end(harness: FaultHarness) -> None:
    """Now, and when all that follows by itself has happened."""
    check(harness)
    harness.settle()
    check(harness)


@contextmanager
def during(what: str) -> Iterator[None]:
    """Says what was going on where something does not hold."""
    try:
        yield
    except AssertionError as error:
        raise AssertionError(what) from error


def faults(harness: FaultHarness) -> Iterator[str]:
    rows, stored = harness.store.items(MEMBERS), logs(harness)
    known = {name: log for name, log in stored.items() if not name.startswith("user:")}
    for name, log in stored.items():
        if name not in known and [entry.seq for entry in log] != list(range(1, len(log) + 1)):
            yield f"{name}, a user's own log, has a gap: {[entry.seq for entry in log]}"
    told = {name: replay(log, {}) for name, log in known.items()}
    for name, log in known.items():
        yield from _entries(name, log, told[name])
        yield from _members(name, told[name], rows)
    yield from _without_log(known, rows)
    yield from _contacts(rows)
    yield from _devices(rows)
    yield from _files(harness, known, rows)
    yield from _written(harness)
    yield from _sessions(harness)
    yield from _posts(harness, told)
    yield from _pushes(harness)


def _entries(name: str, log: Sequence[Entry], told: Told) -> Iterator[str]:
    if [entry.seq for entry in log] != list(range(1, len(log) + 1)):
        yield f"{name} has a gap: {[entry.seq for entry in log]}"
    number = latest = 0
    for entry in log:
        number, latest = (number + 1, entry.seq) if entry.is_message else (number, latest)
        if (entry.number, entry.message_seq) != (number, latest):
            yield f"{name}/{entry.seq} is counted as {entry.number}, behind message {entry.message_seq}"
        if private_members(name) is None and entry.seq > 1 and entry.sender_id not in told.before[entry.seq]:
            yield f"{name}/{entry.seq} is of {entry.sender_id}, who was not in it"
    messages = {entry.seq: entry for entry in log if entry.is_message}
    if {seq: entry.content for seq, entry in messages.items()} != told.contents:
        yield f"{name} does not say what its changes say"
    if {seq: set(entry.reactions) for seq, entry in messages.items()} != told.reactions:
        yield f"{name} does not have the reactions that its changes say"
    ids = Counter((entry.sender_id, entry.client_message_id) for entry in messages.values() if entry.client_message_id)
    yield from (f"{name} has {key} {times} times" for key, times in ids.items() if times > 1)


def _members(name: str, told: Told, rows: Rows) -> Iterator[str]:
    """The rows on both sides are what the log says."""
    private = private_members(name)
    expected = set(private or told.roles)
    seats = {row["user_id"]: row for row in rows if row["pk"] == f"conversation#{name}" and "user_id" in row}
    mine = {row["user_id"]: row for row in rows if row["sk"] == f"conversation#{name}"}
    if not set(seats) == set(mine) == expected:
        yield f"{name} has {sorted(expected)}, stored are {sorted(seats)} and {sorted(mine)}"
        return
    if private is not None:
        return
    stored = {user: (row["role"], mine[user]["joined_seq"]) for user, row in seats.items()}
    if stored != {user: (role, told.joined[user]) for user, role in told.roles.items()}:
        yield f"{name} has {told.roles} since {told.joined}, stored are {stored}"
    groups = [row for row in rows if row["pk"] == f"conversation#{name}" and row["sk"] == "group"]
    if [(group["size"], group["name"]) for group in groups] != [(len(expected), told.name)]:
        yield f"{name} is {told.name!r} of {len(expected)}, stored are {groups}"


def _without_log(known: Logs, rows: Rows) -> Iterator[str]:
    """A conversation in which nothing was said is a private one: its maker's alone, or with both rows on both sides."""
    mine = Counter(row["sk"].removeprefix("conversation#") for row in rows if row["sk"].startswith("conversation#"))
    seats = Counter(row["pk"].removeprefix("conversation#") for row in rows if row["pk"].startswith("conversation#"))
    for name in {*mine, *seats} - known.keys():
        if private_members(name) is None or not mine[name] == seats[name] in {1, 2}:
            yield f"{name} has no log, and {mine[name]} and {seats[name]} rows"


def _contacts(rows: Rows) -> Iterator[str]:
    contacts = [row for row in rows if row["sk"].startswith("contact#")]
    status = {(row["pk"].removeprefix("user#"), row["other"]): row["status"] for row in contacts}
    for (user, other), mine in status.items():
        if (mine == ACCEPTED) != (status.get((other, user)) == ACCEPTED):
            yield f"{user} and {other} are contacts on one side only"


def _devices(rows: Rows) -> Iterator[str]:
    """A target's row names the device that has it, and no target has two."""
    owners = {row["pk"]: (row["user_id"], row["device_id"]) for row in rows if row["sk"] == "target"}
    have = [
        (f"target#{target_hash(device.target)}", (row["pk"].removeprefix("user#"), device.device_id))
        for row in rows
        if row["sk"] == "devices"
        for device in devices_from(dict(row))
    ]
    if dict(have) != owners or len(have) != len(owners):
        yield f"devices are {have}, targets are owned by {owners}"


def _files(harness: FaultHarness, known: Logs, rows: Rows) -> Iterator[str]:
    """Every message that has a file counts, and no other; what is ready has its bytes."""
    wanted = Counter(entry.file_id for log in known.values() for entry in log if entry.is_message)
    references = Counter(row["pk"] for row in rows if row["sk"].startswith("message#"))
    for row in rows:
        if row["sk"] != "file":
            continue
        file_id = row["pk"].removeprefix("file#")
        if not row["references"] == references[row["pk"]] == wanted[file_id]:
            yield f"{file_id} is counted {row['references']} times, has {references[row['pk']]} rows, {wanted[file_id]}"
        if row["status"] == "ready" and file_id not in harness.objects.kept:
            yield f"{file_id} is ready, and its bytes are not there"
        if row["status"] == "deleted" and wanted[file_id]:
            yield f"{file_id} is deleted, and a message has it"


def _written(harness: FaultHarness) -> Iterator[str]:
    """Write by write: entries follow their predecessors and stay what they are, cursors never go back."""
    heads: Counter[str] = Counter()
    for written in harness.written:
        old = from_item(written.old) if written.old else None
        new = from_item(written.new) if written.new else None
        if written.table == LOG:
            if new is None:
                yield f"{old} was taken out of its log"
            elif old is None:
                place = new["conversation_id"]
                if place in heads and new["seq"] != heads[place] + 1:
                    yield f"{place}/{new['seq']} follows {heads[place]}"
                heads[place] = new["seq"]
            elif any(old.get(name) != new.get(name) for name in LASTING):
                yield f"{old} became {new}"
        elif written.table == MEMBERS and old and new and new["sk"].startswith("conversation#"):
            yield from (
                f"{name} of {new['user_id']} went back in {new['conversation_id']}"
                for name in CURSORS
                if new.get(name, 0) < old.get(name, 0)
            )


def _sessions(harness: FaultHarness) -> Iterator[str]:
    """What an operation does to one connection is not done to others: who is there stays registered."""
    stored = {item["user_id"]: item.get("connections", {}) for item in harness.store.items(SESSIONS)}
    for connection_id in harness.lasting & harness.gateway.open.keys():
        user = harness.gateway.open[connection_id]
        if connection_id not in stored.get(user, {}):
            yield f"{connection_id} is open, and not registered any more"


def _posts(harness: FaultHarness, told: Mapping[str, Told]) -> Iterator[str]:
    """No user gets an entry of a conversation that they are not in."""
    for connection_id in {connection_id for connection_id, _ in harness.gateway.posts}:
        user = connection_id.rstrip("1")
        for event in harness.gateway.events(connection_id):
            if "conversation_id" not in event or "seq" not in event or event["type"] in {"read", "delivered"}:
                continue
            name, seq = event["conversation_id"], event["seq"]
            private = private_members(name)
            inside = private or told[name].before.get(seq, set()).union(
                *(members for place, members in told[name].after.items() if place >= seq)
            )
            if user not in inside:
                yield f"{connection_id} got {event}"


def _pushes(harness: FaultHarness) -> Iterator[str]:
    taken = Counter(push.push_id for push in harness.provider.taken)
    yield from (f"{push_id} was pushed {times} times" for push_id, times in taken.items() if times > 1)
