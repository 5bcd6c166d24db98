"""What must hold inside of the deployment, beyond what clients can see (`checker.py`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from parley_client.events import Entry as SeenEntry
from parley_client.events import Presence

from shared.aws.dynamodb import Item, from_item
from shared.aws.tables import connections_from
from shared.chat.identifiers import private_members
from shared.chat.models import Entry
from tests.shared.chat.replay import Told, replay
from tests.simulation.clients import Client
from tests.simulation.faults import Fault
from tests.simulation.functions import BASE_MS
from tests.simulation.places import DM, GROUP
from tests.simulation.world import World

# A live event takes some dozen steps and a way through a queue. Half a heartbeat is far more, and still shows that it
# was no heartbeat that brought it.
LIVE_MS: Final = 8_000.0
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
_DELAYING: Final = frozenset(
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


def inspect(world: World) -> list[str]:
    """Everything that is wrong inside."""
    logs = world.logs()
    found = [*_members(world, logs), *_messages(world, logs), *_cursors(world), *_pushed_once(world, logs)]
    struck = set(world.weather.struck)
    if struck <= HARMLESS | _DELAYING and not world.deployment.set_aside:
        found += _woken(world, logs)
    if struck <= HARMLESS:
        found += [*_live(world), *_presence(world), *_connections(world)]
        found += [f"{what} was set aside" for what in world.deployment.set_aside]
    if not world.deployment.is_idle:
        found.append("the stream or a queue was not read to its end")
    return found


def _told(world: World, log: Sequence[Entry]) -> Told:
    said = {
        one.detail["client_message_id"]: one.detail["content"]
        for one in world.operations
        if "client_message_id" in one.detail
    }
    first = {entry.seq: said[entry.client_message_id] for entry in log if entry.client_message_id in said}
    return replay(log, first)


def _members(world: World, logs: Mapping[str, Sequence[Entry]]) -> Iterator[str]:
    """The rows of members are what the log says, on both sides."""
    rows = world.store.items("members")
    for name, log in logs.items():
        told = _told(world, log)
        private = private_members(name)
        expected = set(private or told.roles)
        of_conversation = {
            row["user_id"]: row for row in rows if row["pk"] == f"conversation#{name}" and "user_id" in row
        }
        of_users = {row["user_id"]: row for row in rows if row["sk"] == f"conversation#{name}"}
        if set(of_conversation) != expected or set(of_users) != expected:
            yield f"{name} has {sorted(expected)}, stored are {sorted(of_conversation)} and {sorted(of_users)}"
        elif private is None:
            roles = {user: row["role"] for user, row in of_conversation.items()}
            joined = {user: row["joined_seq"] for user, row in of_users.items()}
            (group,) = (row for row in rows if row["pk"] == f"conversation#{name}" and row["sk"] == "group")
            if roles != told.roles or joined != {user: told.joined[user] for user in told.roles}:
                yield f"{name} has {told.roles} since {told.joined}, stored are {roles} since {joined}"
            if (group["size"], group["name"]) != (len(expected), told.name):
                yield f"{name} is {told.name!r} of {len(expected)}, stored is {group}"
            if expected and "owner" not in roles.values():
                yield f"{name} has no owner"


def _messages(world: World, logs: Mapping[str, Sequence[Entry]]) -> Iterator[str]:
    """Each message is what the changes behind it have made of it; the running numbers are right."""
    for name, log in logs.items():
        told = _told(world, log)
        messages = [entry for entry in log if entry.is_message]
        contents = {entry.seq: entry.content for entry in messages}
        if contents != told.contents:
            yield f"{name} says {contents}, its changes say {told.contents}"
        reactions = {entry.seq: set(entry.reactions) for entry in messages}
        if reactions != told.reactions:
            yield f"{name} has the reactions {reactions}, its changes say {told.reactions}"
        number = latest = 0
        for entry in log:
            number, latest = (number + 1, entry.seq) if entry.is_message else (number, latest)
            if (entry.number, entry.message_seq) != (number, latest):
                yield f"{name}/{entry.seq} is counted as {entry.number}, behind message {entry.message_seq}"


def _cursors(world: World) -> Iterator[str]:
    """Read and delivered only grow while somebody is a member, and an acked one is there from then on."""
    reads: dict[tuple[str, str], list[tuple[float, int]]] = {}
    for at, old, new in _membership_changes(world):
        if new is None:
            continue
        if new.get("read_seq", 0) != (old or {}).get("read_seq", 0):
            reads.setdefault((new["user_id"], new["conversation_id"]), []).append((at, new["read_seq"]))
        if old is None or old.get("joined_seq", 0) != new.get("joined_seq", 0):
            continue
        for name in ("read_seq", "delivered_seq"):
            if new.get(name, 0) < old.get(name, 0):
                yield f"{name} of {new['user_id']} in {new['conversation_id']} went from {old[name]} to {new.get(name)}"
    yield from _unstored_reads(world, reads)


def _membership_changes(world: World) -> Iterator[tuple[float, Item | None, Item | None]]:
    """When a user's side of a membership was made, changed or removed, and how it was and became."""
    for at, written in world.observed.writes:
        if written.table == "members" and written.key["sk"]["S"].startswith("conversation#"):
            old, new = (from_item(item) if item else None for item in (written.old, written.new))
            yield at, old, new


def _unstored_reads(world: World, reads: Mapping[tuple[str, str], Sequence[tuple[float, int]]]) -> Iterator[str]:
    """Who was removed meanwhile has no cursor any more."""
    left = {
        (old["user_id"], old["conversation_id"]): at
        for at, old, new in _membership_changes(world)
        if old and new is None
    }
    for one in world.operations:
        if one.kind != "read" or one.outcome != "ok":
            continue
        where, seq, ended = one.detail["conversation_id"], one.detail["seq"], one.ended or 0.0
        before = [value for at, value in reads.get((one.user, where), ()) if at <= ended]
        stored = max(before, default=_READ_AT_FIRST.get((one.user, where), 0))
        if seq > stored and left.get((one.user, where), ended + 1) > ended:
            yield f"{one} is not stored"


# Who makes or joins a group has read what was there before.
_READ_AT_FIRST: Final = {(user, GROUP): 1 for user in ("alice", "bob", "carol")}


def _pushed_once(world: World, logs: Mapping[str, Sequence[Entry]]) -> Iterator[str]:
    """No device shows a message twice, unless the provider took it and said that it did not; and none a stranger's."""
    pushes = world.deployment.provider.accepted
    counted = Counter((push.token, push.data["conversation_id"], push.data["seq"]) for push in pushes)
    doubled = sum(times - 1 for times in counted.values())
    if doubled > world.weather.struck[Fault.PROVIDER_UNKNOWN]:
        yield f"pushed twice: {[key for key, times in counted.items() if times > 1]}"
    for token, name, seq in counted:
        entry, user = logs[name][int(seq) - 1], token.removeprefix("token-of-")
        told = _told(world, logs[name])
        inside = private_members(name) or set().union(*told.before.values(), *told.after.values())
        if entry.sender_id == user or user not in inside:
            yield f"{name}/{seq} of {entry.sender_id} was pushed to {user}"


def _live(world: World) -> Iterator[str]:
    """Who was connected and caught up before an entry was written gets it live, or else at once by the sync it asks."""
    for at, written in world.observed.writes:
        if written.table != "log" or written.old is not None or written.new is None:
            continue
        item = from_item(written.new)
        name, seq = item["conversation_id"], item["seq"]
        for client in world.clients:
            if _was_online(client, at, at + LIVE_MS) and _is_member(world, client.user, name, seq):
                got = [when for when, event in client.seen.events if _place(event) == (name, seq)]
                if not got or got[0] > at + LIVE_MS:
                    yield f"{client.name} got {name}/{seq} of {at:.0f} at {got[0] if got else 'no time'}, and not live"


def _place(event: Any) -> tuple[str, int] | None:
    return (event.conversation_id, event.seq) if isinstance(event, SeenEntry) else None


def _is_member(world: World, user: str, name: str, seq: int) -> bool:
    """Right before the entry, and to this day: who is removed meanwhile hears of that, and no more."""
    private = private_members(name)
    if private is not None:
        return user in private
    told = _told(world, world.logs()[name])
    return user in told.before[seq] and all(user in inside for place, inside in told.after.items() if place >= seq)


def _was_online(client: Client, start: float, end: float) -> bool:
    return any(begins <= start and end <= ends for begins, ends in client.online)


def _woken(world: World, logs: Mapping[str, Sequence[Entry]]) -> Iterator[str]:
    """The phone of somebody who was away all the time shows the last message that others have written to them.

    It may not show those before: a push that comes later than that of a later message is left out.
    """
    for user in {"bob", "carol"} - {client.user for client in world.clients}:
        for name, log in logs.items():
            told = _told(world, log)
            if user not in (private_members(name) or told.roles) or told.joined.get(user, 0) > 1:
                continue
            new = [entry for entry in log if entry.seq > _KNOWN.get(name, 0) and entry.sender_id != user]
            last = max((entry.seq for entry in new if entry.is_readable), default=0)
            shown = max(_shown_on_phone(world, user, name), default=0)
            if shown < last:
                yield f"{user} was away, and {name}/{last} was not pushed, the last was {shown}"


# What is there before a history begins.
_KNOWN: Final = {DM: 2, GROUP: 2}


def _shown_on_phone(world: World, user: str, name: str) -> list[int]:
    pushes = [push for push in world.deployment.provider.accepted if push.token == f"token-of-{user}"]
    return [int(push.data["seq"]) for push in pushes if push.data["conversation_id"] == name]


def _presence(world: World) -> Iterator[str]:
    """At the end everybody who watches somebody was told how it is with them now. A new process watches nobody yet."""
    sessions = {item["user_id"]: item for item in world.store.items("sessions")}
    now = BASE_MS + int(world.hub.now)
    for client in world.clients:
        if client.core.connection != "online":
            continue
        latest: dict[str, str] = {}
        for at, event in client.seen.events:
            if isinstance(event, Presence) and at >= client.process_began:
                latest[event.user_id] = event.status
        for user, status in latest.items():
            living = [one for one in connections_from(sessions.get(user), user).values() if one.is_live(now)]
            if status != ("online" if living else "offline") and _may_see(world, client.user, user):
                yield f"{client.name} believes that {user} is {status}, who has {len(living)} connections"


def _may_see(world: World, watcher: str, user: str) -> bool:
    """Those who have a private conversation; blocks take that away."""
    blocked = any(one.kind == "block" for one in world.operations)
    return not blocked and {watcher, user} == {"alice", "bob"}


def _connections(world: World) -> Iterator[str]:
    """Nobody's connection is forgotten but its own: who is online is registered."""
    sessions = {item["user_id"]: item for item in world.store.items("sessions")}
    for client in world.clients:
        if client.core.connection == "online" and client.line is not None:
            known = connections_from(sessions.get(client.user), client.user)
            if client.line.connection_id not in known:
                yield f"{client.name} is online, and {client.line.connection_id} is not registered"
    for at, connection_id in world.removed_while_open():
        yield f"{connection_id} was forgotten at {at:.0f} while it was open, and nobody had closed it"
