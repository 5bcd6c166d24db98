"""A small town in both houses: who is in what, what is secret in it, and whether anything of it has changed.

Alice, bob and carol are in GROUP, erin was; alice and bob talk in DM; dave blocks alice. Mallory knows every id and is
in nothing. Everybody is online, so that whatever is posted to anybody is seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any, Final

from shared.domain.changes import ADMIN, MEMBER, OWNER, Added, Removed, Role
from shared.domain.devices import FCM, PushTarget
from shared.domain.entries import change_entry
from shared.domain.limits import Limit
from shared.limits.buckets import RateLimiter
from shared.operations.rosters import Rosters
from tests.fakes import FakeBlocks, FakeBuckets, FakeLog
from tests.functions.events import NOW
from tests.functions.message.house import House as FrameHouse
from tests.functions.rest.house import BLOCKED_DM, DM, GROUP, now
from tests.functions.rest.house import House as HttpHouse

PEOPLE: Final = ("alice", "bob", "carol", "dave", "erin", "mallory")
UNKNOWN: Final = "group:zzzzzzzzzzzzzzzz"
REMINDER: Final = "5f0c1b7a9d3e4f62a8b1c0d9e7f61234"
NOTICE: Final = "order-4711"
# What only those whom it is for may ever get to see.
SECRETS: Final = {
    "text": "the canary sings at noon",
    "name": "The Canary Club",
    "file": "canary-cage.png",
    "push token": "canary-push-token",
    "notice": "the canary is ill",
    "alias": "Canary Bob",
}


def _furnish(log: FakeLog, *, at: int) -> None:
    """GROUP: 1 made it, 2 is alice's, 3 bob's, 4 removed erin, 5 is alice's with a file. DM: 1 alice's, 2 bob's."""
    roles: dict[str, Role] = {"alice": OWNER, "bob": ADMIN, "carol": MEMBER, "erin": MEMBER}
    users = tuple(roles)
    _change(log, Added(users, size=4, roles=roles, name=SECRETS["name"]), at)
    log.write("alice", SECRETS["text"], conversation_id=GROUP, at=at)
    log.write("bob", SECRETS["text"], conversation_id=GROUP, at=at)
    _change(log, Removed(("erin",), size=3), at)
    log.write("alice", SECRETS["text"], conversation_id=DM, at=at)
    log.write("bob", SECRETS["text"], conversation_id=DM, at=at)
    log.write("alice", SECRETS["text"], conversation_id=BLOCKED_DM, at=at)
    log.files.ready("cage", name=SECRETS["file"])
    log.files.take("cage", DM, 2)
    log.files.ready("draft", name=SECRETS["file"])
    FakeBlocks(log.memberships).put("dave", "alice", now=at)


def _change(log: FakeLog, change: Added | Removed, at: int) -> None:
    entries = log.entries.get(GROUP, [])
    log.put(
        change_entry(
            change,
            base=entries[-1] if entries else None,
            conversation_id=GROUP,
            sender_id="alice",
            created_at=at,
            nonce=f"e{len(entries)}",
            fan_out=False,
        )
    )


def http_town() -> HttpHouse:
    """The town as it was built, whatever a test before has done to it: routes take long to make."""
    house, built = _built()
    for name, part in _parts(house).items():
        for key, value in built[name].items():
            setattr(part, key, _copied(value))
    if isinstance(house.ports.limiter, RateLimiter):
        object.__setattr__(house.ports, "limiter", RateLimiter(Limit(20, 200), FakeBuckets(), now))
    object.__setattr__(
        house.ports, "rosters", Rosters()
    )  # what an instance remembers of another town is not of this one
    house.unexpected.clear()
    return house


@cache
def _built() -> tuple[HttpHouse, dict[str, dict[str, Any]]]:
    house = _build()
    return house, {name: dict(_state(part)) for name, part in _parts(house).items()}


def _build() -> HttpHouse:
    house, at = HttpHouse(), now()
    _furnish(house.log, at=at)
    for user in PEOPLE:
        house.sessions.connect(user, f"{user}-1", at=at)
        house.devices.put(user, "phone", PushTarget(FCM, f"{SECRETS['push token']}-of-{user}"))
    house.call("POST", "/v1/contacts", body={"user_id": "bob"})
    house.call("PATCH", "/v1/contacts/alice", user="bob", body={"status": "accepted"})
    house.call("PATCH", "/v1/contacts/bob", body={"alias": SECRETS["alias"]})
    house.call("PUT", "/v1/blocks/victor")
    notification = {"users": ["alice"], "title": SECRETS["notice"], "notification_id": NOTICE}
    house.call("POST", "/v1/notifications", scope="notifications:send", body=notification)
    made = house.call("POST", f"/v1/conversations/{DM}/messages/2/reminders", body={"at": at + 3_600_000})
    reminder = house.reminders.reminders.pop(("alice", made.body["reminder_id"]))
    _rename(house, reminder)
    house.gateway.posts.clear()
    return house


def _rename(house: HttpHouse, reminder: Any) -> None:
    """Under an id that the table can name."""
    house.reminders.reminders["alice", REMINDER] = reminder
    house.clock.scheduled = {REMINDER: reminder}


def frame_town() -> FrameHouse:
    house = FrameHouse()
    _furnish(house.log, at=NOW)
    for user in PEOPLE:
        house.sessions.connect(user, f"{user}-device=", at=NOW)
    return house


def _parts(house: HttpHouse | FrameHouse) -> dict[str, Any]:
    """Everything that keeps something."""
    log = house.log
    parts = {"log": log, "table": log.memberships, "files": log.files}
    parts |= {name: getattr(house, name) for name in ("sessions", "watches", "gateway")}
    if isinstance(house, HttpHouse):
        parts |= {name: getattr(house, name) for name in ("tickets", "profiles", "checks", "devices", "notifications")}
        parts |= {"reminders": house.reminders, "schedules": house.clock, "looks": house.looks}
    return parts


def _state(part: Any) -> Iterator[tuple[str, Any]]:
    """What a fake keeps: not its counters, nor what it is wired to."""
    for one in fields(part):
        value = getattr(part, one.name)
        if isinstance(value, dict | list | set):
            yield one.name, _copied(value)


def _copied(value: Any) -> Any:
    """Containers are copied; what is in them never changes."""
    match value:
        case dict():
            return {key: _copied(item) for key, item in value.items()}
        case list():
            return [_copied(item) for item in value]
        case set():
            return set(value)
    return value


def snapshot(house: HttpHouse | FrameHouse) -> Counter[str]:
    """Everything that is stored, waits or was posted: one line each."""
    return Counter(line for name, part in _parts(house).items() for line in _lines(name, part))


def _lines(name: str, part: Any) -> Iterator[str]:
    for field, value in _state(part):
        if isinstance(value, dict):
            yield from (f"{name}.{field} {key}: {item}" for key, item in value.items() if item)
        else:
            yield from (f"{name}.{field} {item}" for item in value)


def without(lines: Counter[str], *parts: str) -> Counter[str]:
    """All but the lines with one of these in them."""
    return Counter({line: count for line, count in lines.items() if not any(part in line for part in parts)})


def revealed(answer: str) -> set[str]:
    """What of the secrets an answer tells."""
    return {what for what, secret in SECRETS.items() if secret.lower() in answer.lower()}
