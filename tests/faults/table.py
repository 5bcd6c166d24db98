"""Every operation of every function, in the small world."""

from __future__ import annotations

from typing import Any

from shared.notification.models import Busy
from tests.faults.house import House
from tests.faults.operations import (
    Act,
    Operation,
    frame,
    item,
    last,
    members,
    message,
    no_item,
    of_files_stream,
    of_queue,
    of_stream,
    pushed,
    registered,
    request,
    stored,
    then,
    told,
)
from tests.faults.services import Message
from tests.faults.world import (
    ALICE,
    ALICES_TABLET,
    BOB,
    CAROLS,
    DM,
    FRANKS,
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


OPERATIONS = [
    # --- frames
    Operation("private message", TO_BOB, stored(DM, "hello", BOB, ALICES_TABLET, pushed=(BOBS,))),
    Operation(
        "first message",
        message(ALICE, "hi erin", after=0, to="erin"),
        then(stored("dm:alice:erin", "hi erin", ALICES_TABLET), members("dm:alice:erin", "alice", "erin")),
    ),
    Operation("resend", TO_BOB, stored(DM, "hello", BOB, ALICES_TABLET, pushed=(BOBS,)), first=TO_BOB),
    Operation(
        "message without after",
        message(ALICE, "hello", to="bob"),
        stored(DM, "hello", BOB, ALICES_TABLET, pushed=(BOBS,)),
    ),
    Operation(
        "message that others were quicker than",
        message(ALICE, "late", after=1, to="bob"),
        stored(DM, "late", BOB, ALICES_TABLET, pushed=(BOBS,)),
    ),
    Operation("message that takes tokens", TO_BOB, stored(DM, "hello", BOB, pushed=(BOBS,)), first=no_free_messages),
    Operation(
        "message of a forgotten connection",
        TO_BOB,
        then(stored(DM, "hello", BOB, pushed=(BOBS,)), registered("alice", ALICE, ALICES_TABLET)),
        first=unregistered,
        ends=(ALICE,),
    ),
    Operation(
        "message to a dead connection",
        TO_BOB,
        then(stored(DM, "hello", ALICES_TABLET, pushed=(BOBS,)), registered("bob")),
        first=bobs_line_is_dead,
        unharmed=bob_is_offline,
    ),
    Operation("group message", TO_CREW, stored("{t.crew}", "crew!", BOB, ALICES_TABLET, pushed=(BOBS, CAROLS_PHONE))),
    Operation(
        "large group's message",
        TO_HALL,
        stored("{t.hall}", "all of you", BOB, "dave1", pushed=(BOBS, CAROLS_PHONE, DAVES)),
    ),
    Operation(
        "file message",
        message(ALICE, "cat", after=3, to="bob", message_type="image", file_id="{t.ready}"),
        then(stored(DM, "cat", BOB, pushed=(BOBS,)), item("file#{t.ready}", "file", references=2)),
    ),
    Operation(
        "forward",
        frame(BOB, "message", client_message_id="forward", after=3, conversation_id="{t.crew}", forward_of=IMAGE),
        then(
            stored("{t.crew}", "forward", ALICE, pushed=(CAROLS_PHONE,)), item("file#{t.ready}", "file", references=2)
        ),
    ),
    Operation(
        "edit",
        frame(ALICE, "edit", conversation_id=DM, seq=1, content="one, that is"),
        then(last(DM, "message_edited", target=1), last(DM, "message", content="one, that is")),
    ),
    Operation(
        "second edit",
        frame(ALICE, "edit", conversation_id=DM, seq=1, content="uno"),
        then(last(DM, "message_edited", 2), last(DM, "message_edited", content="uno")),
        first=frame(ALICE, "edit", conversation_id=DM, seq=1, content="eins"),
    ),
    Operation(
        "delete",
        frame(ALICE, "delete", conversation_id=DM, seq=1),
        then(last(DM, "message_deleted", target=1), last(DM, "message", 0, content="one")),
    ),
    Operation("delete of a file", DELETE_IMAGE, then(last(DM, "message_deleted", target=3), image_is_gone)),
    Operation("reaction", frame(BOB, "react", conversation_id=DM, seq=1, emoji="👍"), last(DM, "reaction", target=1)),
    Operation(
        "reaction taken back",
        frame(BOB, "react", conversation_id=DM, seq=1, emoji="👍", remove=True),
        then(last(DM, "reaction", 2, target=1), last(DM, "reaction", removed=True)),
        first=frame(BOB, "react", conversation_id=DM, seq=1, emoji="👍"),
    ),
    Operation(
        "read", frame(BOB, "read", conversation_id=DM, seq=3), item("user#bob", f"conversation#{DM}", read_seq=3)
    ),
    Operation(
        "delivered",
        frame(BOB, "delivered", conversation_id="{t.crew}", seq=3),
        item("user#bob", "conversation#{t.crew}", delivered_seq=3),
    ),
    Operation("typing", frame(ALICE, "typing", conversation_id=DM), told(BOB, "typing", user_id="alice")),
    Operation(
        "presence",
        frame(BOB, "presence", users=["alice", "carol"]),
        then(item("watch#carol", BOB, watcher="bob"), no_item("watch#dave", BOB)),
    ),
    Operation("sync", frame(ALICE, "sync", conversations={DM: 1}), registered("alice", ALICE, ALICES_TABLET)),
    Operation(
        "sync of a forgotten connection",
        frame(ALICE, "sync", conversations={DM: 1}),
        registered("alice", ALICE, ALICES_TABLET),
        first=unregistered,
        ends=(ALICE,),
    ),
    Operation("ping", frame(ALICE, "ping", conversation_id=DM, seq=3), registered("alice", ALICE, ALICES_TABLET)),
    Operation(
        "ping of a forgotten connection",
        frame(ALICE, "ping", conversation_id=DM, seq=3),
        registered("alice", ALICE, ALICES_TABLET),
        first=unregistered,
        ends=(ALICE,),
    ),
    Operation("auth", renew, extended, first=half_an_hour_later),
    # --- the HTTP API
    Operation("create a group", request("alice", "POST", "/conversations", BIG), big_is_whole),
    Operation(
        "create a private conversation",
        request("alice", "POST", "/conversations", {"type": "private", "with": "zoe"}),
        members("dm:alice:zoe", "alice", "zoe"),
    ),
    Operation(
        "add",
        request("alice", "POST", "/conversations/{t.crew}/members", {"users": MANY}),
        members("{t.crew}", "alice", "bob", "carol", *MANY),
    ),
    Operation(
        "remove",
        request("alice", "DELETE", "/conversations/{t.crew}/members/bob", fine=(404,)),
        then(members("{t.crew}", "alice", "carol"), last("{t.crew}", "member_removed")),
    ),
    Operation(
        "leave",
        request("bob", "DELETE", "/conversations/{t.crew}", fine=(404,)),
        then(members("{t.crew}", "alice", "carol"), last("{t.crew}", "member_removed")),
    ),
    Operation(
        "rename",
        request("bob", "PATCH", "/conversations/{t.crew}", {"name": "team"}),
        item("conversation#{t.crew}", "group", name="team"),
    ),
    Operation(
        "role",
        request("alice", "PATCH", "/conversations/{t.crew}/members/carol", {"role": "owner"}),
        item("conversation#{t.crew}", "user#carol", role="owner"),
    ),
    Operation(
        "settings",
        request("bob", "PATCH", "/conversations/{t.crew}/settings", {"pinned": True}),
        item("user#bob", "conversation#{t.crew}", pinned=True),
    ),
    Operation(
        "hide",
        request("bob", "DELETE", f"/conversations/{FRANKS}"),
        item("user#bob", f"conversation#{FRANKS}", hidden_seq=0),
    ),
    Operation("block", request("bob", "PUT", "/blocks/alice"), item("user#bob", "block#alice")),
    Operation(
        "unblock",
        request("bob", "DELETE", "/blocks/alice"),
        no_item("user#bob", "block#alice"),
        first=request("bob", "PUT", "/blocks/alice"),
    ),
    Operation(
        "ask for a contact",
        request("alice", "POST", "/contacts", {"user_id": "bob"}),
        then(
            item("user#alice", "contact#bob", status="requested"), item("user#bob", "contact#alice", status="incoming")
        ),
    ),
    Operation(
        "accept a contact",
        request("alice", "PATCH", "/contacts/dave", {"status": "accepted", "alias": "D"}),
        then(
            item("user#alice", "contact#dave", status="accepted", alias="D"),
            item("user#dave", "contact#alice", status="accepted", alias=None),
        ),
    ),
    Operation(
        "remove a contact",
        request("alice", "DELETE", "/contacts/dave", fine=(404,)),
        then(no_item("user#alice", "contact#dave"), no_item("user#dave", "contact#alice")),
    ),
    Operation(
        "register a device",
        request("alice", "PUT", "/devices/laptop", {"platform": "fcm", "token": "alice-token"}),
        item("user#alice", "devices"),
    ),
    Operation(
        "take over a device",
        request("alice", "PUT", "/devices/laptop", {"platform": "fcm", "token": CAROLS_PHONE}),
        item("user#carol", "devices", devices={}),
    ),
    Operation(
        "forget a device", request("bob", "DELETE", "/devices/bobs-phone"), item("user#bob", "devices", devices={})
    ),
    Operation(
        "notification",
        request("admin", "POST", "/notifications", MAINTENANCE, scope=SENDER),
        then(noticed, pushed(BOBS), pushed(CAROLS_PHONE)),
    ),
    Operation(
        "acknowledge a notification",
        request("carol", "DELETE", "/notifications/maintenance"),
        item("user#carol", "notice#maintenance", acknowledged=True, title=None),
        first=request("admin", "POST", "/notifications", MAINTENANCE, scope=SENDER),
    ),
    Operation(
        "ask for a reminder",
        request("bob", "POST", f"/conversations/{DM}/messages/2/reminders", {"at": IN_DAYS}),
        scheduled,
    ),
    Operation("cancel a reminder", request("bob", "DELETE", "/reminders/{t.reminder}"), unscheduled),
    Operation(
        "profile",
        request("bob", "PUT", "/me", {"display_name": "Bob"}),
        item("user#bob", "profile", display_name="Bob"),
    ),
    Operation(
        "hide presence",
        request("alice", "PUT", "/me", {"hide_presence": True}),
        told(BOB, "presence", user_id="alice", status="offline"),
    ),
    Operation("announce a file", announce, announced_once),
    Operation(
        "end a user's connections",
        request("admin", "DELETE", "/users/alice/connections", scope="admin"),
        then(registered("alice"), told(BOB, "presence", user_id="alice", status="offline")),
        ends=(ALICE, ALICES_TABLET),
    ),
    # --- the gateway's own events
    Operation("connect", dial, came_in, again=dial_again),
    Operation(
        "connect after a while",
        dial,
        came_in,
        first=long_away,
        again=dial_again,
        unharmed=told(BOB, "presence", user_id="alice", status="online"),
        ends=(ALICE, ALICES_TABLET),
    ),
    Operation(
        "connect at the limit",
        dial,
        one_was_ended,
        first=at_the_limit,
        again=dial_again,
        unharmed=said_goodbye,
        ends=(ALICE, ALICES_TABLET),
    ),
    Operation("connect with a ticket", dial_with_ticket, came_in, first=get_ticket, again=dial_with_another),
    Operation("disconnect", hang_up(ALICES_TABLET), tablet_is_forgotten, ends=(ALICES_TABLET,)),
    Operation(
        "disconnect of the last",
        hang_up(ALICE),
        registered("alice"),
        first=last_one,
        unharmed=told(BOB, "presence", user_id="alice", status="offline"),
        ends=(ALICE, ALICES_TABLET),
    ),
    # --- from the stream and from queues
    Operation("stream, private", of_stream, stored(CAROLS, "are you there?", pushed=(CAROLS_PHONE,)), first=TO_CAROL),
    Operation("stream, present", of_stream, stored(DM, "hello", BOB, pushed=(BOBS,)), first=TO_BOB),
    Operation(
        "stream, large group",
        of_stream,
        stored("{t.hall}", "all of you", BOB, "dave1", pushed=(BOBS, CAROLS_PHONE, DAVES)),
        first=TO_HALL,
    ),
    Operation(
        "shard",
        of_queue("fan-out"),
        stored("{t.hall}", "all of you", BOB, "dave1", pushed=(BOBS, CAROLS_PHONE, DAVES)),
        first=then(TO_HALL, streamed),
    ),
    Operation("second look", of_queue("look"), stored(DM, "hello", BOB, pushed=(BOBS,)), first=then(TO_BOB, streamed)),
    Operation(
        "push",
        of_queue("push"),
        last(CAROLS, "message", content="are you there?"),
        first=then(TO_CAROL, streamed),
        unharmed=pushed(CAROLS_PHONE),
    ),
    Operation(
        "push to a busy provider",
        of_queue("push"),
        last(CAROLS, "message", content="are you there?"),
        first=then(TO_CAROL, streamed, busy),
        unharmed=pushed(CAROLS_PHONE),
    ),
    Operation(
        "reminder that is due",
        of_queue("look"),
        then(reminded, no_item("user#bob", "reminder#{t.reminder}"), pushed(BOBS)),
        first=due,
    ),
    Operation(
        "presence look",
        of_queue("presence"),
        told(BOB, "presence", user_id="alice", status="offline"),
        first=then(last_one, hang_up(ALICE)),
        ends=(ALICE, ALICES_TABLET),
    ),
    Operation("check of an upload", arrive, image_is_kept),
    Operation("check of a bad upload", arrive_bad, bad_is_gone, first=bad_bytes),
    Operation("release of a file", of_files_stream, image_is_gone, first=DELETE_IMAGE),
]
