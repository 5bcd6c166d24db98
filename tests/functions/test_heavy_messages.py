"""What the first edition could store, and no rule lets through today: every answer goes on, and stays within its bound.

Messages and rows are written around the rules, then asked for through the real handlers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.message.handler import respond as respond_to_frame
from functions.rest.api import respond
from shared.adapters.dynamodb.schema import contact_key
from shared.domain.changes import Edited, Updated, as_json
from shared.domain.contacts import ACCEPTED, QuietHours
from shared.domain.devices import FCM, PushTarget
from shared.domain.entries import MAX_MESSAGE_BYTES
from shared.domain.notifications import SYSTEM, Notification, Reminder
from shared.operations.conversations import MAX_DESCRIBED
from shared.operations.groups import MAX_DATA_LISTED
from shared.operations.sync import _HEADER_BYTES, Catching, Sync, Synced, sync
from shared.wire.websocket.frames import event_size, success, sync_reply
from tests.fakes import DM
from tests.functions.events import frame_event, http_event
from tests.functions.message.harness import MessageHarness as Frames
from tests.functions.rest.harness import GROUP, now, token
from tests.functions.rest.harness import RestHarness as Rest
from tests.stores import MEMBERS, Simulated, simulated
from tests.wiring import rest_services

REPLY_BYTES = 31_000
HTTP_BYTES = 5_000_000
CONTENT = "x" + "\x01" * 4_999
JUNK = [f"{number:03}".replace("0", '"') + '"\\' * 30 + str(number % 10) for number in range(500)]
LONG = "u" * 120
QUOTES = '"' * 4_090


def heavy(stores: Simulated, conversation_id: str, messages: int, *, content: str = CONTENT) -> None:
    """Messages of 100 KB of JSON and more."""
    reactions = frozenset((emoji, "bob") for emoji in JUNK)
    for entry in stores.write("bob", *[content] * messages, conversation_id=conversation_id):
        stores.overwrite(replace(entry, reactions=reactions))


def frame(harness: Frames, body: Mapping[str, Any]) -> dict[str, Any]:
    answer = respond_to_frame(frame_event(dict(body)), harness.wired, harness.guard)
    assert len(answer["body"].encode()) <= REPLY_BYTES
    reply: dict[str, Any] = json.loads(answer["body"])
    assert reply["success"], reply
    data: dict[str, Any] = reply["data"]
    return data


def get(harness: Rest, path: str, **query: str) -> dict[str, Any]:
    """The answer as the function returns it stays within what Lambda hands on: escapes of escapes included."""
    answer = respond(http_event("GET", path, token=token(), query=query or None), harness.api)
    assert answer["statusCode"] == 200, answer
    assert len(json.dumps(answer, ensure_ascii=False).encode()) <= HTTP_BYTES
    body: dict[str, Any] = json.loads(answer["body"])
    return body


def synced(harness: Frames, held: dict[str, int]) -> Iterator[dict[str, Any]]:
    """All conversations of all replies, until nothing is left: each reply gets farther."""
    while True:
        data = frame(harness, {"type": "sync", "conversations": held})
        assert data["conversations"]
        yield from data["conversations"]
        before = dict(held)
        for one in data.get("refused", ()):
            del held[one]
        for one in data["conversations"]:
            held[one["id"]] = max([held.get(one["id"], 0), *(entry["seq"] for entry in one["entries"])])
        if not data["has_more"] and not any(one["has_more"] for one in data["conversations"]):
            return
        assert held != before


def test_the_message_that_made_a_conversation_unreadable() -> None:
    assert len({*JUNK}) == 500
    assert {len(emoji.encode()) for emoji in JUNK} == {64}
    frames = Frames()
    heavy(frames.stores, DM, 1)
    frames.stores.write("bob", "and later")
    entries = [entry for one in synced(frames, {DM: 0}) for entry in one["entries"]]
    assert [entry["seq"] for entry in entries] == [1, 2]
    message = entries[0]["message"]
    assert (message["content_cut"], message["reactions_cut"], message["reaction_total"]) == (True, True, 500)
    assert "reactions" not in message
    assert CONTENT.startswith(message["content"])
    assert set(message["reaction_counts"].values()) == {1}
    rest = Rest(stores=frames.stores)
    (later, shown) = get(rest, f"/v1/conversations/{DM}/messages")["messages"]
    assert (later["content"], shown) == ("and later", message)
    whole = get(rest, f"/v1/conversations/{DM}/messages/1")
    assert (whole["content"], len(whole["reactions"])) == (CONTENT, 500)
    assert "content_cut" not in whole


def test_such_a_message_is_refused_today_by_both_doors() -> None:
    frames = Frames()
    reply = frames.say({"type": "message", "to": "bob", "content": CONTENT})
    assert reply["code"] == "too_large"
    rest = Rest(stores=frames.stores)
    frames.stores.write("alice", "short", at=now())
    sent = rest.call("POST", f"/v1/conversations/{DM}/messages", body={"content": CONTENT})
    edited = rest.call("PATCH", f"/v1/conversations/{DM}/messages/1", body={"content": CONTENT})
    assert [(one.status, one.code) for one in (sent, edited)] == [(413, "too_large")] * 2


def test_mentions_of_long_ids_count_too() -> None:
    frames = Frames()
    users = [f"{number:0128}" for number in range(50)]
    place = frames.make_group("alice", *users)
    message = {"type": "message", "conversation_id": place, "mentions": users}
    assert frames.say({**message, "content": "x" + "\x01" * 3_000})["code"] == "too_large"
    assert frames.say({**message, "content": "x" + "\x01" * 2_500})["success"]


def test_the_resend_of_what_was_stored_before_the_bound_gets_its_reply_and_its_event_fits() -> None:
    frames = Frames()
    frames.stores.write("alice", CONTENT)
    entry = frames.stores.entries(DM)[0]
    heavy_entry = replace(entry, reactions=frozenset((emoji, "bob") for emoji in JUNK), digest="")
    frames.stores.overwrite(heavy_entry)
    again = {"type": "message", "to": "bob", "content": CONTENT, "client_message_id": entry.client_message_id}
    assert frames.say({**again, "after": 0})["data"]["duplicate"] is True


def test_every_page_of_a_history_of_such_messages_is_within_its_bound_and_all_are_there() -> None:
    rest = Rest()
    heavy(rest.stores, DM, 250)
    for direction in ("before", "after"):
        seen: list[int] = []
        at: dict[str, str] = {} if direction == "before" else {"after": "0"}
        while True:
            page = get(rest, f"/v1/conversations/{DM}/messages", limit="100", **at)
            seen += [message["seq"] for message in page["messages"]]
            if not page["has_more"]:
                break
            at = {direction: str(seen[-1])}
        assert sorted(seen) == list(range(1, 251))


def test_an_inbox_of_such_messages_is_within_its_bound() -> None:
    rest = Rest()
    for number in range(100):
        heavy(rest.stores, f"dm:alice:{LONG}{number:03}", 1)
    assert len(get(rest, "/v1/conversations", limit="100")["conversations"]) == 100


def test_an_edit_that_was_stored_before_the_bound_comes_cut_in_its_entry() -> None:
    frames = Frames()
    frames.stores.write("bob", "x")
    frames.stores.change(Edited(1, CONTENT), by="bob")
    message, entry = (entry for one in synced(frames, {DM: 0}) for entry in one["entries"])
    assert (message["message"]["content_cut"], entry["content_cut"], entry["type"]) == (True, True, "message_edited")


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_whatever_is_stored_a_client_gets_to_the_end_of_everything(data: st.DataObject) -> None:
    """Conversations of any number of entries, light and too heavy ones: nothing is missing, nothing comes twice."""
    frames = Frames()
    expected: dict[str, int] = {}
    for number in range(data.draw(st.integers(1, 5))):
        place = f"dm:alice:{LONG}{number:03}"
        for _ in range(data.draw(st.integers(1, 4))):
            if data.draw(st.booleans()):
                heavy(frames.stores, place, 1, content=data.draw(st.sampled_from([CONTENT, "x", "\\" * 5_000])))
            else:
                frames.stores.write("bob", *["y" * 900] * data.draw(st.integers(1, 60)), conversation_id=place)
        expected[place] = len(frames.stores.entries(place))
    seen: dict[str, list[int]] = {place: [] for place in expected}
    bogus = {f"dm:alice:{LONG}{number}x": 1 for number in range(data.draw(st.integers(0, 100)))}
    for one in synced(frames, {**dict.fromkeys(expected, 0), **bogus}):
        seen[one["id"]] += [entry["seq"] for entry in one["entries"]]
    assert seen == {place: list(range(1, length + 1)) for place, length in expected.items()}


LISTS = {
    "/v1/contacts": 1_000,
    "/v1/blocks": 1_000,
    "/v1/devices": 20,
    "/v1/notifications": 100,
    "/v1/reminders": 1_000,
    f"/v1/conversations/{GROUP}/members": 1_000,
}


KINDS = {
    "/v1/contacts": "a contact",
    "/v1/blocks": "a block",
    "/v1/devices": "a device",
    "/v1/notifications": "a notification",
    "/v1/reminders": "a reminder",
    f"/v1/conversations/{GROUP}/members": "a member",
}


@settings(max_examples=20, deadline=None)
@given(data=st.data(), room=st.integers(31_000, 34_000))
def test_replies_of_one_frame_go_on_as_well_with_the_longest_ids_and_what_is_refused(
    data: st.DataObject, room: int
) -> None:
    """31 KB is what a gateway may take without cutting a reply into frames."""
    stores, me = simulated(), "a" * 128
    places = [f"dm:{me}:{'b' * 125}{number:03}" for number in range(data.draw(st.integers(1, 6)))]
    for place in places:
        heavy(
            stores, place, data.draw(st.integers(1, 3)), content=data.draw(st.sampled_from([CONTENT, "x", '"' * 5_000]))
        )
    held = dict.fromkeys(places, 0)
    for number in range(300):
        held[f"dm:{me}:{'c' * 125}{number:03}"] = 1
    asked = {**held, "\x01" * 300: 1}
    while True:
        found = sync(Catching(me, asked, room=room), size=event_size, stores=stores, services=rest_services())
        assert len(success("\x01" * 64, sync_reply(found, me)).encode()) <= room
        assert found.refused or found.conversations
        asked = {place: seq for place, seq in asked.items() if place not in found.refused}
        for one in found.conversations:
            asked[one.conversation_id] += len(one.entries)
        if not found.has_more and not any(one.has_more for one in found.conversations):
            break
    assert asked == {place: len(stores.entries(place)) for place in places}


def test_what_a_reply_has_of_a_conversation_takes_what_is_counted_for_it() -> None:
    place, most = f"dm:{'a' * 128}:{'b' * 128}", 2**53
    one = Synced(place, most, [], has_more=False, read_seq=most, unread=most, joined_seq=most)
    two, single = (len(success(None, sync_reply(Sync([one] * many, [], has_more=True), "a"))) for many in (2, 1))
    assert two - single <= _HEADER_BYTES + len(place)


@cache
def full_lists() -> Simulated:
    """As much as there can be in every list without pages, each as heavy as it can be."""
    stores = simulated()
    at, letter = 2**53, "\x01"
    for number in range(1_000):
        other = f"{number:0128}"
        stores.edit(MEMBERS, contact_key("alice", other), other=other, status=ACCEPTED, since=at, alias=letter * 100)
        stores.blocks.put("alice", other, now=at)
    for number in range(20):
        device_id = f"{letter * 62}{number:02}"
        stores.device("alice", device_id, PushTarget(FCM, QUOTES + str(number), app_id="a" * 255), at=at)
    stores.notifications.put(
        [
            Notification(f"{number:064}", "alice", SYSTEM, at, 2**60, letter * 100, letter * 1_000, {"k": letter * 340})
            for number in range(100)
        ]
    )
    place = f"dm:{'a' * 128}:{'b' * 128}"
    for number in range(1_000):
        stores.reminders.put(Reminder(f"{number:032}", "alice", place, at, at, at))
    stores.found(GROUP, "alice", *(f"{number:0128}" for number in range(999)), name=letter * 100)
    return stores


@pytest.mark.parametrize("path", LISTS)
def test_lists_without_pages_are_within_the_bound_of_one_answer(path: str) -> None:
    rest = Rest(stores=simulated(full_lists()))
    (listed,) = get(rest, path).values()
    assert len(listed) == LISTS[path]
    assert max(len(compact(one)) for one in listed) + 1 <= documented(KINDS[path])


def compact(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def documented(what: str) -> int:
    """The bytes that the table of bounds has for a thing."""
    limits = (Path(__file__).parents[2] / "docs/limits.md").read_text(encoding="utf-8")
    table = limits.partition("## Bytes of JSON\n")[2].partition("\n## ")[0]
    (row,) = [line for line in table.splitlines() if line.startswith(f"| {what} |")]
    return int(row.split("|")[2].split()[0].replace(",", ""))


def test_a_profile_and_a_conversation_of_the_inbox_are_as_heavy_as_the_table_says() -> None:
    rest = Rest()
    hours = QuietHours("22:00", "07:00", "America/Argentina/ComodRivadavia")
    url = "https://" + "\x01" * 992
    changes = {"display_name": "\x01" * 100, "avatar_url": url, "quiet_hours": hours}
    rest.stores.profiles.update("alice", changes)
    assert len(compact(get(rest, "/v1/me"))) <= documented("a profile")
    rest.group("alice", *(f"{number:0128}" for number in range(999)), name="\x01" * 100)
    heavy(rest.stores, f"dm:alice:{LONG}", 1)
    for one in get(rest, "/v1/conversations")["conversations"]:
        assert len(compact({**one, "last_message": None})) <= 1_500


def test_a_message_is_bounded_by_what_an_answer_can_have() -> None:
    """A hundred messages with what the inbox says about each conversation, all of it escaped once more."""
    assert (100 * (MAX_MESSAGE_BYTES + 1_500) + MAX_DESCRIBED) * 2 < 6 * 1_024 * 1_024
    assert (1_000 * 270 + MAX_DATA_LISTED) * 2 < 6 * 1_024 * 1_024


def test_conversations_and_members_that_carry_much_come_in_more_pages_and_all_of_them() -> None:
    rest = Rest()
    data = {"a": "\u00e9" * 2_040}
    said = Updated(as_json({"topic": "\U0001f600" * 500, "data": data, "avatar": "\x01" * 1_000}))
    for number in range(60):
        place = f"group:{number:016}"
        rest.group("alice", "bob", conversation_id=place)
        rest.stores.change(said, by="alice", place=place)
    pages = paged(rest, "/v1/conversations", "conversations", {"limit": "100"})
    assert [len(page) for page in pages] == [41, 19]
    assert len({one["id"] for page in pages for one in page}) == 60
    users = [f"u{number:03}" for number in range(600)]
    rest.group("alice", *users)
    for user in users:
        rest.stores.change(Updated(as_json({"members": {user: {"data": data}}})), by="alice", place=GROUP)
    listed = paged(rest, f"/v1/conversations/{GROUP}/members", "members", {})
    assert [one["user_id"] for page in listed for one in page] == ["alice", *users]
    assert len(listed) == 2


def paged(rest: Rest, path: str, name: str, query: dict[str, str]) -> list[list[dict[str, Any]]]:
    pages: list[list[dict[str, Any]]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = get(rest, path, **query, **cursor)
        pages.append(answer[name])
        if not answer.get("next_cursor"):
            return pages
        cursor = {"cursor": answer["next_cursor"]}
