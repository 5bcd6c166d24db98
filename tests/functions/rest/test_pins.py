"""Pinned messages: who pins, what is told, listed and counted, and what a deletion takes along."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shared.domain.entries import message_bytes
from tests.functions.rest.harness import DM, GROUP, RestHarness, online
from tests.stores import MEMBERS

V1 = "/v1/conversations"


def pins(harness: RestHarness, place: str = GROUP, user: str = "carol") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = harness.call("GET", f"{V1}/{place}/pins", user=user).body["pins"]
    return found


def test_a_pin_is_told_and_listed_with_the_message_as_it_is_now(harness: RestHarness) -> None:
    online(harness, "carol")
    answer = harness.call("PUT", f"{V1}/{GROUP}/pins/2", user="bob").body
    assert (answer["seq"], answer["entry_seq"], answer["removed"]) == (2, 5, False)
    (event,) = harness.events("carol-1")
    assert (event["seq"], event["user_id"], event["changes"]) == (5, "bob", {"pinned": 2})
    harness.call("PATCH", f"{V1}/{GROUP}/messages/2", body={"content": "better"})
    (one,) = pins(harness)
    assert (one["seq"], one["pinned_by"], one["pinned_at"]) == (2, "bob", answer["timestamp"])
    assert one["message"] == harness.call("GET", f"{V1}/{GROUP}/messages/2", user="carol").body
    assert (one["message"]["content"], one["message"]["pinned_at"]) == ("better", answer["timestamp"])


def test_what_is_so_already_is_no_entry(harness: RestHarness) -> None:
    path = f"{V1}/{DM}/pins/1"
    entries = [harness.call(verb, path).body["entry_seq"] for verb in ("DELETE", "PUT", "PUT", "DELETE", "DELETE")]
    assert [seq is not None for seq in entries] == [False, True, False, True, False]
    assert pins(harness, DM, "bob") == []
    assert "pinned_at" not in harness.call("GET", f"{V1}/{DM}/messages/1").body


def test_the_latest_pin_comes_first_whatever_the_messages(harness: RestHarness) -> None:
    for seq in (2, 1):
        harness.call("PUT", f"{V1}/{DM}/pins/{seq}", user="bob")
    assert [one["seq"] for one in pins(harness, DM, "alice")] in ([1, 2], [2, 1])  # within one millisecond, by place
    assert {one["pinned_by"] for one in pins(harness, DM, "alice")} == {"bob"}


def test_a_deleted_message_leaves_the_pins_and_nothing_of_them_stays(harness: RestHarness) -> None:
    harness.call("PUT", f"{V1}/{GROUP}/pins/2")
    harness.call("DELETE", f"{V1}/{GROUP}/messages/2")
    assert pins(harness) == []
    assert harness.stores.rows(MEMBERS, pk=f"pins#{GROUP}") == []
    shown = harness.call("GET", f"{V1}/{GROUP}/messages/2", user="carol").body
    assert "pinned_at" not in shown
    assert harness.call("PUT", f"{V1}/{GROUP}/pins/2").code == "not_found"


def test_what_a_version_without_pins_has_deleted_is_not_listed(harness: RestHarness) -> None:
    harness.call("PUT", f"{V1}/{GROUP}/pins/2")
    message = harness.stores.entries(GROUP)[1]
    harness.stores.overwrite(replace(message, content=None, deleted_at=5))
    assert pins(harness) == []


def test_a_message_that_has_no_room_for_the_mark_is_not_pinned(harness: RestHarness) -> None:
    (entry,) = harness.stores.write("alice", "x", conversation_id=DM)
    room = 24_576 - message_bytes(entry)
    heavy = replace(entry, content="x" + "\x01" * (room // 6))
    harness.stores.overwrite(heavy)
    assert message_bytes(heavy) <= 24_576
    assert harness.call("PUT", f"{V1}/{DM}/pins/{entry.seq}").code == "conflict"
