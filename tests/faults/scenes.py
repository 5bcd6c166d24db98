"""What single operations of the table need: where they start, what they do, and how it must stand in the end."""

from __future__ import annotations

from typing import Any

from shared.domain.pushes import Busy
from tests.faults.house import House
from tests.faults.operations import (
    Act,
    frame,
    members,
    message,
    of_queue,
    of_stream,
    registered,
)
from tests.faults.services import Message
from tests.faults.world import (
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


def no_free_messages(house: House) -> None:
    """The next message takes tokens from the shared bucket."""
    for _ in range(3):
        house.guard.messages.take("alice")


def unregistered(house: House) -> None:
    """Alice's session has forgotten a connection that is alive."""
    house.stores.sessions.remove("alice", ALICE, now=house.clock())


def at_the_limit(house: House) -> None:
    """Alice has as many connections as she may."""
    house.clock.advance(1_000)
    let_in(house.dial("alice11111"))
    house.clock.advance(60_000)


def long_away(house: House) -> None:
    """Alice has been away for five minutes, and those who watch her know."""
    for connection_id in (ALICE, ALICES_TABLET):
        let_in(house.hang_up(connection_id))
    house.settle()
    house.clock.advance(300_000)
    house.gateway.posts.clear()


def last_one(house: House) -> None:
    let_in(house.hang_up(ALICES_TABLET))


def streamed(house: House) -> None:
    """The stream has been looked at, so that what that has queued can be."""
    of_stream(house)


def looked(house: House) -> None:
    """The second look is over: bob has not acknowledged, and is going to be pushed to."""
    streamed(house)
    of_queue("look")(house)


def due(house: House) -> None:
    house.clock.advance(1_800_000)
    body = f'{{"kind": "reminder", "user_id": "bob", "reminder_id": "{template().reminder}"}}'
    house.sqs.queues["look"].append(Message(body, 0))


def busy(house: House) -> None:
    house.provider.answers.append(Busy("QUOTA_EXCEEDED", 1_000))


def bad_bytes(house: House) -> None:
    house.notes["bad"] = upload(house, "alice", b"bad bytes")


def bobs_line_is_dead(house: House) -> None:
    """Bob is gone, and nobody has said so."""
    house.gateway.open.pop(BOB)


# --- what some of them do


def dial(house: House) -> None:
    let_in(house.dial(THIRD))


def dial_again(house: House) -> None:
    """Whoever was not let in comes with another connection."""
    if THIRD not in house.gateway.open:
        let_in(house.dial(FOURTH))


def get_ticket(house: House) -> None:
    house.notes["ticket"] = ok(house.call("alice", "POST", "/tickets"))["ticket"]


def dial_with_ticket(house: House) -> None:
    let_in(house.dial(THIRD, ticket=house.notes["ticket"]))


def dial_with_another(house: House) -> None:
    """The ticket may be used up."""
    if THIRD not in house.gateway.open:
        get_ticket(house)
        let_in(house.dial(FOURTH, ticket=house.notes["ticket"]))


def hang_up(connection_id: str) -> Act:
    def act(house: House) -> None:
        let_in(house.hang_up(connection_id))

    return act


def arrive(house: House) -> None:
    house.arrived(template().waiting)


def arrive_bad(house: House) -> None:
    house.arrived(house.notes["bad"])


def announce(house: House) -> None:
    house.notes["file"] = upload(house, "alice")


def half_an_hour_later(house: House) -> None:
    house.clock.advance(1_800_000)


def renew(house: House) -> Any:
    house.notes["until"] = house.clock() // 1_000 * 1_000 + 3_600_000
    return frame(ALICE, "auth", token=house.token("alice"))(house)


# --- how some of them must stand


def came_in(house: House) -> None:
    """The connection that alice has opened in the end is registered."""
    opened = {THIRD, FOURTH} & house.gateway.open.keys()
    assert opened
    assert opened <= connections(house, "alice")


def one_was_ended(house: House) -> None:
    """There is room for three: alice's first connection is out of her session."""
    came_in(house)
    assert len(connections(house, "alice")) == 3
    assert ALICE not in connections(house, "alice")


def said_goodbye(house: House) -> None:
    assert heard(house, ALICE, "disconnect")
    assert ALICE not in house.gateway.open


def image_is_kept(house: House) -> None:
    file_id = template().waiting
    assert row(house, f"file#{file_id}", "file")["status"] == "ready"  # type: ignore[index]
    assert file_id in house.objects.kept
    assert file_id not in house.objects.uploads


def bad_is_gone(house: House) -> None:
    file_id = house.notes["bad"]
    assert row(house, f"file#{file_id}", "file")["status"] == "rejected"  # type: ignore[index]
    assert file_id not in {**house.objects.kept, **house.objects.uploads, **house.objects.thumbnails}


def image_is_gone(house: House) -> None:
    assert row(house, f"file#{template().ready}", "file")["status"] == "deleted"  # type: ignore[index]
    assert template().ready not in {**house.objects.kept, **house.objects.thumbnails}


def announced_once(house: House) -> None:
    assert row(house, f"file#{house.notes['file']}", "file")["status"] == "pending"  # type: ignore[index]


def big_is_whole(house: House) -> None:
    """One group of that name, with everybody."""
    (place,) = {one["conversation_id"] for one in house.store.items("log") if one.get("name") == "big"}
    members(place, "alice", *MANY)(house)
    assert sorted(user for one in entries(house, place) for user in one["users"]) == sorted(["alice", *MANY])


def scheduled(house: House) -> None:
    (added,) = [one for one in house.scheduler.scheduled.values() if one.seq == 2]
    assert row(house, "user#bob", f"reminder#{added.reminder_id}")


def unscheduled(house: House) -> None:
    assert house.scheduler.scheduled == {}
    assert row(house, "user#bob", f"reminder#{template().reminder}") is None


def noticed(house: House) -> None:
    rows = [one for one in house.store.items("members") if one["sk"] == "notice#maintenance"]
    assert {one["pk"] for one in rows} == {"user#bob", "user#carol"}
    assert "maintenance" in notified(house, BOB)


def reminded(house: House) -> None:
    assert template().reminder in notified(house, BOB)


def notified(house: House, connection_id: str) -> set[str]:
    return {event["notification"]["id"] for event in heard(house, connection_id, "notification")}


def extended(house: House) -> None:
    (session,) = [one for one in house.store.items("sessions") if one["user_id"] == "alice"]
    kept = session["connections"][ALICE]
    assert kept["authenticated_until"] == house.notes["until"]


def tablet_is_forgotten(house: House) -> None:
    registered("alice", ALICE)(house)


def bob_is_offline(house: House) -> None:
    """His dead connection was found out: it is forgotten, and he has been looked at."""
    registered("bob")(house)
    (session,) = [one for one in house.store.items("sessions") if one["user_id"] == "bob"]
    assert session["shown"] == "offline"
