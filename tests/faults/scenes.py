"""What single operations of the table need: where they start, what they do, and how it must stand in the end."""

from __future__ import annotations

from typing import Any

from shared.domain.pushes import Busy
from tests.faults.beginning import (
    ALICE,
    ALICES_TABLET,
    BOB,
    DM,
    connections,
    entries,
    heard,
    let_in,
    ok,
    row,
    template,
    upload,
)
from tests.faults.harness import FaultHarness
from tests.faults.operations import Act, frame, members, message, of_queue, of_stream, registered
from tests.faults.services import Message
from tests.functions.events import NOW

THIRD, FOURTH = "alice111", "alice1111"
BOBS, CAROLS_PHONE, DAVES = "bob-token", "carol-token", "dave-token"
IMAGE = {"conversation_id": DM, "seq": 3}
IN_DAYS = NOW + 3 * 86_400_000
MANY = [f"user-{number:02}" for number in range(60)]
BIG = {"type": "group", "name": "big", "members": MANY, "client_conversation_id": "big"}
MAINTENANCE = {"users": ["bob", "carol"], "title": "Maintenance", "notification_id": "maintenance"}
SENDER = "notifications:send"

TO_BOB = message(ALICE, "hello", after=3, to="bob")
TO_CAROL = message(ALICE, "are you there?", after=1, to="carol")
TO_CREW = message(ALICE, "crew!", after=3, conversation_id="{t.crew}")
TO_HALL = message(ALICE, "all of you", after=1, conversation_id="{t.hall}")
DELETE_IMAGE = frame(ALICE, "delete", conversation_id=DM, seq=3)

# --- where some of them start


def no_free_messages(harness: FaultHarness) -> None:
    """The next message takes tokens from the shared bucket."""
    for _ in range(3):
        harness.guard.limiters.messages.take("alice")


def unregistered(harness: FaultHarness) -> None:
    """Alice's session has forgotten a connection that is alive."""
    harness.stores.sessions.remove("alice", ALICE, now=harness.clock())


def at_the_limit(harness: FaultHarness) -> None:
    """Alice has as many connections as she may."""
    harness.clock.advance(1_000)
    let_in(harness.dial("alice11111"))
    harness.clock.advance(60_000)


def long_away(harness: FaultHarness) -> None:
    """Alice has been away for five minutes, and those who watch her know."""
    for connection_id in (ALICE, ALICES_TABLET):
        let_in(harness.hang_up(connection_id))
    harness.settle()
    harness.clock.advance(300_000)
    harness.gateway.posts.clear()


def last_one(harness: FaultHarness) -> None:
    let_in(harness.hang_up(ALICES_TABLET))


def streamed(harness: FaultHarness) -> None:
    """The stream has been looked at, so that what that has queued can be."""
    of_stream(harness)


def looked(harness: FaultHarness) -> None:
    """The second look is over: bob has not acknowledged, and is going to be pushed to."""
    streamed(harness)
    of_queue("look")(harness)


def due(harness: FaultHarness) -> None:
    harness.clock.advance(1_800_000)
    body = f'{{"kind": "reminder", "user_id": "bob", "reminder_id": "{template().reminder}"}}'
    harness.sqs.queues["look"].append(Message(body, 0))


def busy(harness: FaultHarness) -> None:
    harness.provider.answers.append(Busy("QUOTA_EXCEEDED", 1_000))


def bad_bytes(harness: FaultHarness) -> None:
    harness.notes["bad"] = upload(harness, "alice", b"bad bytes")


def bobs_line_is_dead(harness: FaultHarness) -> None:
    """Bob is gone, and the gateway has not said so."""
    harness.gateway.open.pop(BOB)


# --- what some of them do


def dial(harness: FaultHarness) -> None:
    let_in(harness.dial(THIRD))


def dial_again(harness: FaultHarness) -> None:
    """A user who was not let in comes with another connection."""
    if THIRD not in harness.gateway.open:
        let_in(harness.dial(FOURTH))


def get_ticket(harness: FaultHarness) -> None:
    harness.notes["ticket"] = ok(harness.call("alice", "POST", "/tickets"))["ticket"]


def dial_with_ticket(harness: FaultHarness) -> None:
    let_in(harness.dial(THIRD, ticket=harness.notes["ticket"]))


def dial_with_another(harness: FaultHarness) -> None:
    """The ticket may be used up."""
    if THIRD not in harness.gateway.open:
        get_ticket(harness)
        let_in(harness.dial(FOURTH, ticket=harness.notes["ticket"]))


def hang_up(connection_id: str) -> Act:
    def act(harness: FaultHarness) -> None:
        let_in(harness.hang_up(connection_id))

    return act


def arrive(harness: FaultHarness) -> None:
    harness.arrived(template().waiting)


def arrive_bad(harness: FaultHarness) -> None:
    harness.arrived(harness.notes["bad"])


def announce(harness: FaultHarness) -> None:
    harness.notes["file"] = upload(harness, "alice")


def half_an_hour_later(harness: FaultHarness) -> None:
    harness.clock.advance(1_800_000)


def renew(harness: FaultHarness) -> Any:
    harness.notes["until"] = harness.clock() // 1_000 * 1_000 + 3_600_000
    return frame(ALICE, "auth", token=harness.token("alice"))(harness)


# --- how some of them must stand


def came_in(harness: FaultHarness) -> None:
    """The connection that alice has opened in the end is registered."""
    opened = {THIRD, FOURTH} & harness.gateway.open.keys()
    assert opened
    assert opened <= connections(harness, "alice")


def one_was_ended(harness: FaultHarness) -> None:
    """There is room for three: alice's first connection is out of her session."""
    came_in(harness)
    assert len(connections(harness, "alice")) == 3
    assert ALICE not in connections(harness, "alice")


def said_goodbye(harness: FaultHarness) -> None:
    assert heard(harness, ALICE, "disconnect")
    assert ALICE not in harness.gateway.open


def image_is_kept(harness: FaultHarness) -> None:
    file_id = template().waiting
    assert row(harness, f"file#{file_id}", "file")["status"] == "ready"  # type: ignore[index]
    assert file_id in harness.objects.kept
    assert file_id not in harness.objects.uploads


def bad_is_gone(harness: FaultHarness) -> None:
    file_id = harness.notes["bad"]
    assert row(harness, f"file#{file_id}", "file")["status"] == "rejected"  # type: ignore[index]
    assert file_id not in {**harness.objects.kept, **harness.objects.uploads, **harness.objects.thumbnails}


def image_is_gone(harness: FaultHarness) -> None:
    assert row(harness, f"file#{template().ready}", "file")["status"] == "deleted"  # type: ignore[index]
    assert template().ready not in {**harness.objects.kept, **harness.objects.thumbnails}


def announced_once(harness: FaultHarness) -> None:
    assert row(harness, f"file#{harness.notes['file']}", "file")["status"] == "pending"  # type: ignore[index]


def big_is_whole(harness: FaultHarness) -> None:
    """One group of that name, with everybody."""
    (place,) = {one["conversation_id"] for one in harness.store.items("log") if one.get("name") == "big"}
    members(place, "alice", *MANY)(harness)
    assert sorted(user for one in entries(harness, place) for user in one["users"]) == sorted(["alice", *MANY])


def scheduled(harness: FaultHarness) -> None:
    (added,) = [one for one in harness.scheduler.scheduled.values() if one.seq == 2]
    assert row(harness, "user#bob", f"reminder#{added.reminder_id}")


def unscheduled(harness: FaultHarness) -> None:
    assert harness.scheduler.scheduled == {}
    assert row(harness, "user#bob", f"reminder#{template().reminder}") is None


def noticed(harness: FaultHarness) -> None:
    rows = [one for one in harness.store.items("members") if one["sk"] == "notice#maintenance"]
    assert {one["pk"] for one in rows} == {"user#bob", "user#carol"}
    assert "maintenance" in notified(harness, BOB)


def reminded(harness: FaultHarness) -> None:
    assert template().reminder in notified(harness, BOB)


def notified(harness: FaultHarness, connection_id: str) -> set[str]:
    return {event["notification"]["id"] for event in heard(harness, connection_id, "notification")}


def extended(harness: FaultHarness) -> None:
    (session,) = [one for one in harness.store.items("sessions") if one["user_id"] == "alice"]
    kept = session["connections"][ALICE]
    assert kept["authenticated_until"] == harness.notes["until"]


def tablet_is_forgotten(harness: FaultHarness) -> None:
    registered("alice", ALICE)(harness)


def bob_is_offline(harness: FaultHarness) -> None:
    """His dead connection was found out: it is forgotten, and he has been looked at."""
    registered("bob")(harness)
    (session,) = [one for one in harness.store.items("sessions") if one["user_id"] == "bob"]
    assert session["shown"] == "offline"
