"""A small scenario in both harnesses: who is in what, what is secret in it, and whether anything of it has changed.

Alice, bob and carol are in GROUP, erin was; alice and bob talk in DM; dave blocks alice. Mallory knows every id and is
in nothing. Everybody is online, so that whatever is posted to anybody is seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import cache
from typing import Any, Final

from shared.adapters.dynamodb.schema import file_key, file_reference_key
from shared.clock import DAY_MS
from shared.domain.bans import FOREVER, Ban
from shared.domain.changes import ADMIN, MEMBER, OWNER, Removed, Role
from shared.domain.devices import FCM, PushTarget
from shared.domain.entries import Draft
from shared.domain.holds import Hold
from shared.domain.jobs import DONE, KINDS, Job
from shared.domain.limits import Limit
from shared.domain.reports import report_id
from shared.domain.screening import held_message, named
from shared.domain.shadows import ShadowBan
from shared.domain.text import private_conversation_id
from shared.domain.words import WordList
from shared.limits.limiters import RateLimiter
from shared.operations.rosters import Rosters
from tests.functions.events import NOW
from tests.functions.message.harness import MessageHarness
from tests.functions.rest.harness import BLOCKED_DM, DM, GROUP, RestHarness, now
from tests.stores import LOG, MEMBERS, SESSIONS, TICKETS, Simulated, simulated

PEOPLE: Final = ("alice", "bob", "carol", "dave", "erin", "mallory")
UNKNOWN: Final = "group:zzzzzzzzzzzzzzzz"
REMINDER: Final = "5f0c1b7a9d3e4f62a8b1c0d9e7f61234"
NOTIFICATION: Final = "order-4711"
HELD: Final = named(private_conversation_id("alice", "bob"), "alice", "held")
REPORT: Final = report_id("carol", "@victor", 0)
BROADCAST: Final = "maintenance-7"
# What only those whom it is for may ever get to see.
SECRETS: Final = {
    "text": "the canary sings at noon",
    "name": "The Canary Club",
    "file": "canary-cage.png",
    "push token": "canary-push-token",
    "notice": "the canary is ill",
    "alias": "Canary Bob",
    "report": "canaries all day",
    "held": "the canary waits",
}


def _furnish(stores: Simulated, *, at: int) -> None:
    """GROUP: 1 made it, 2 is alice's, 3 bob's, 4 removed erin, 5 is alice's with a file. DM: 1 alice's, 2 bob's."""
    roles: dict[str, Role] = {"alice": OWNER, "bob": ADMIN, "carol": MEMBER, "erin": MEMBER}
    stores.found(GROUP, *roles, roles=roles, name=SECRETS["name"], at=at)
    stores.write("alice", SECRETS["text"], conversation_id=GROUP, at=at)
    stores.write("bob", SECRETS["text"], conversation_id=GROUP, at=at)
    stores.change(Removed(("erin",), size=3), place=GROUP, at=at)
    stores.write("alice", SECRETS["text"], conversation_id=DM, at=at)
    stores.write("bob", SECRETS["text"], conversation_id=DM, at=at)
    stores.write("alice", SECRETS["text"], conversation_id=BLOCKED_DM, at=at)
    stores.ready_file("cage", name=SECRETS["file"])
    stores.edit(MEMBERS, file_reference_key("cage", DM, 2), conversation_id=DM)
    stores.edit(MEMBERS, file_key("cage"), references=1)
    stores.ready_file("draft", name=SECRETS["file"])
    stores.blocks.put("dave", "alice", now=at)


def http_scenario() -> RestHarness:
    """The scenario as it was built, whatever a test before has done to it: routes take long to make."""
    harness, built, kept = _built()
    harness.stores.tables.copy_of(built.tables)
    for name, part in _parts(harness).items():
        for key, value in kept[name].items():
            setattr(part, key, _copied(value))
    if isinstance(harness.wired.limiter, RateLimiter):
        object.__setattr__(harness.wired, "limiter", RateLimiter(Limit(20, 200), simulated().buckets, now))
    # What an instance remembers of another scenario is not of this one.
    object.__setattr__(harness.wired.context, "rosters", Rosters())
    harness.unexpected.clear()
    return harness


@cache
def _built() -> tuple[RestHarness, Simulated, dict[str, dict[str, Any]]]:
    harness = _build()
    return harness, simulated(harness.stores), {name: dict(_state(part)) for name, part in _parts(harness).items()}


def _build() -> RestHarness:
    harness, at = RestHarness(), now()
    _furnish(harness.stores, at=at)
    for user in PEOPLE:
        harness.stores.connect(user, f"{user}-1", at=at)
        harness.stores.device(user, "phone", PushTarget(FCM, f"{SECRETS['push token']}-of-{user}"))
    harness.call("POST", "/v1/contacts", body={"user_id": "bob"})
    harness.call("PATCH", "/v1/contacts/alice", user="bob", body={"status": "accepted"})
    harness.call("PATCH", "/v1/contacts/bob", body={"alias": SECRETS["alias"]})
    harness.call("PUT", "/v1/blocks/victor")
    for kind in KINDS:
        began = at - DAY_MS  # so one's own may be begun again
        assert harness.stores.jobs.begin(Job(kind, "alice", "j1", "root", began, at, status=DONE))
    harness.stores.holds.put(Hold("held", "a trial", at, "root"))
    harness.stores.holds.put(Hold(DM, "a trial", at, "root"))
    harness.stores.sessions.ban("banned", Ban(FOREVER, "spam", at, "root"))
    harness.call("POST", "/v1/reports", user="carol", body={"user_id": "victor", "reason": SECRETS["report"]})
    object.__setattr__(harness.wired, "has_shadow_bans", True)
    harness.stores.shadow_bans.put(ShadowBan("shadow", at, "root", SECRETS["report"]))
    draft = Draft(DM, "alice", SECRETS["held"], "n", client_message_id="held")
    harness.stores.held.put(held_message(draft, at=at, base_seq=2))
    harness.stores.word_lists.put(WordList("canaries", "mask", ("canary",), at))
    hook = {"url": "https://crm.example.com/in"}
    harness.call("PUT", "/v1/webhooks/crm", scope="admin", body=hook)
    notification = {"users": ["alice"], "title": SECRETS["notice"], "notification_id": NOTIFICATION}
    harness.call("POST", "/v1/notifications", scope="notifications:send", body=notification)
    broadcast = {"title": "Maintenance", "broadcast_id": BROADCAST}
    harness.call("POST", "/v1/broadcasts", user="shop", scope="broadcasts:send", body=broadcast)
    made = harness.call("POST", f"/v1/conversations/{DM}/messages/2/reminders", body={"at": at + 3_600_000})
    _rename(harness, made.body["reminder_id"])
    harness.gateway.posts.clear()
    return harness


def _rename(harness: RestHarness, reminder_id: str) -> None:
    """Under an id that the table can name."""
    reminders = harness.stores.reminders
    reminder = reminders.get("alice", reminder_id)
    assert reminder is not None
    reminders.remove("alice", reminder_id)
    reminders.put(replace(reminder, reminder_id=REMINDER))
    harness.scheduler.scheduled = {REMINDER: replace(reminder, reminder_id=REMINDER)}


@cache
def _framed() -> Simulated:
    stores = simulated()
    _furnish(stores, at=NOW)
    for user in PEOPLE:
        stores.connect(user, f"{user}-device=", at=NOW)
    return stores


def frame_scenario() -> MessageHarness:
    return MessageHarness(stores=simulated(_framed()))


def _parts(harness: RestHarness | MessageHarness) -> dict[str, Any]:
    """Everything that keeps something beside the tables."""
    if isinstance(harness, RestHarness):
        return {
            "gateway": harness.gateway,
            "checks": harness.checks,
            "schedules": harness.scheduler,
            "looks": harness.delivery_checks,
            "jobs": harness.broadcasts,
        }
    return {"gateway": harness.gateway}


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


def snapshot(harness: RestHarness | MessageHarness) -> Counter[str]:
    """Everything that is stored, waits or was posted: one line each."""
    lines = Counter(line for name, part in _parts(harness).items() for line in _lines(name, part))
    for table in (LOG, MEMBERS, SESSIONS, TICKETS):
        lines.update(f"{table} {row}" for row in harness.stores.rows(table) if row.get("sk") not in {"rate", "invites"})
    return lines


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
