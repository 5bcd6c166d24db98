"""Shadow bans: what its sender sees of a message, what all others don't, and that every log is gapless for everyone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.domain.shadows import ShadowBan
from shared.operations.sync import Catching, sync
from shared.wire.events import entry_event
from tests.functions.rest.harness import DM, GROUP, RestHarness, now, online, with_a_screen

TEXT = "buy canaries"


@pytest.fixture
def banned(harness: RestHarness) -> RestHarness:
    """Bob is."""
    harness.stores.shadow_bans.put(ShadowBan("bob", now(), "root", "spam"))
    with_a_screen(harness)
    return harness


def send(harness: RestHarness, content: str = TEXT, user: str = "bob", place: str = DM, **body: Any) -> Any:
    answered = harness.call("POST", f"/v1/conversations/{place}/messages", user=user, body={"content": content, **body})
    assert answered.status in {200, 201}, answered.body
    return answered.body


def read(harness: RestHarness, path: str, user: str) -> Any:
    return harness.call("GET", path, user=user).body


def events(harness: RestHarness, user: str, place: str = DM, after: int = 0) -> list[dict[str, Any]]:
    """What a sync brings, entry by entry."""
    asked = Catching(user, {place: after})
    services = harness.wired.services
    found = sync(asked, size=lambda _: 9, stores=harness.stores, services=services)
    return [entry_event(entry) for one in found.conversations for entry in one.entries]


def sees(harness: RestHarness, user: str, place: str = DM) -> bool:
    """Whether anything that this user can ask for says a word of it."""
    answers = [
        read(harness, f"/v1/conversations/{place}/messages", user),
        read(harness, f"/v1/conversations/{place}/messages/{last(harness, place)}", user),
        read(harness, f"/v1/conversations/{place}", user),
        read(harness, "/v1/conversations", user),
        events(harness, user, place),
    ]
    seen = ["canaries" in json.dumps(one) for one in answers]
    assert len(set(seen)) == 1, seen
    return seen[0]


def last(harness: RestHarness, place: str = DM) -> int:
    return len(harness.stores.entries(place))


@pytest.mark.parametrize("place", [DM, GROUP])
def test_the_sender_sees_it_and_nobody_else_and_no_log_has_a_gap(banned: RestHarness, place: str) -> None:
    before = read(banned, f"/v1/conversations/{place}", "alice")
    sent = send(banned, place=place, client_message_id="m", data={"canaries": 1}, mentions=["alice"])
    assert (sent["seq"], sent["duplicate"]) == (last(banned, place), False)
    assert (sees(banned, "bob", place), sees(banned, "alice", place)) == (True, False)
    for user in ("alice", "bob"):
        assert [one["seq"] for one in events(banned, user, place)] == list(range(1, last(banned, place) + 1))
    withheld = events(banned, "alice", place)[-1]
    assert withheld == {
        "type": "withheld",
        "conversation_id": place,
        "seq": sent["seq"],
        "timestamp": withheld["timestamp"],
    }
    after = read(banned, f"/v1/conversations/{place}", "alice")
    assert after["unread"] == before["unread"]
    assert after["last_message"] == before["last_message"]
    own = read(banned, f"/v1/conversations/{place}/messages/{sent['seq']}", "bob")
    assert (own["content"], own["data"], own["mentions"]) == (TEXT, {"canaries": 1}, ["alice"])


def test_a_resend_is_known_and_another_text_is_a_conflict(banned: RestHarness) -> None:
    first = send(banned, client_message_id="m", after=2)
    assert send(banned, client_message_id="m", after=2) == {**first, "duplicate": True}
    path = f"/v1/conversations/{DM}/messages"
    body = {"content": "other", "client_message_id": "m", "after": 2}
    assert banned.call("POST", path, user="bob", body=body).code == "conflict"


def test_live_its_senders_devices_get_it_and_all_others_an_empty_place(banned: RestHarness) -> None:
    online(banned, "alice", "bob")
    send(banned)
    told = {connection: json.loads(data) for connection, data in banned.gateway.posts}
    assert told.keys() == {"alice-1", "bob-1"}
    assert (told["bob-1"]["type"], told["bob-1"]["message"]["content"]) == ("new_message", TEXT)
    assert (told["alice-1"]["type"], "canaries" in str(told["alice-1"])) == ("withheld", False)
    assert told["alice-1"]["seq"] == told["bob-1"]["seq"]


def test_nothing_can_be_done_with_it_by_others(banned: RestHarness) -> None:
    seq = send(banned)["seq"]
    place = f"/v1/conversations/{DM}/messages"
    here = {"conversation_id": DM, "seq": seq}
    for method, path, body in (
        ("GET", f"{place}/{seq}", None),
        ("POST", place, {"content": "what?", "reply_to": seq}),
        ("POST", place, {"forward_of": here}),
        ("PUT", f"{place}/{seq}/reactions/x", None),
        ("POST", f"{place}/{seq}/reminders", {"at": now() + 3_600_000}),
        ("POST", "/v1/reports", {**here, "reason": "spam"}),
    ):
        assert banned.call(method, path, body=body).code == "not_found", (method, path)
    assert read(banned, "/v1/conversations", "alice")["conversations"][0]["unread"] >= 0
    assert last(banned) == seq


def test_reading_up_to_it_is_reading_and_what_follows_counts(banned: RestHarness) -> None:
    before = read(banned, f"/v1/conversations/{DM}", "alice")["unread"]
    seq = send(banned)["seq"]
    assert banned.call("POST", f"/v1/conversations/{DM}/read", body={"seq": seq}).body["seq"] == seq
    assert read(banned, f"/v1/conversations/{DM}/messages/{seq}", "bob")["status"] == "read"
    banned.stores.shadow_bans.remove("bob")
    with_a_screen(banned)
    send(banned, "hello again")
    shown = read(banned, f"/v1/conversations/{DM}", "alice")
    assert (shown["unread"], shown["last_message"]["content"]) == (1, "hello again")
    assert before >= 0
    assert not sees_text(banned, "alice")


def sees_text(harness: RestHarness, user: str) -> bool:
    return "canaries" in json.dumps(read(harness, f"/v1/conversations/{DM}/messages", user))


def test_edits_and_reactions_are_answered_and_seen_by_nobody(banned: RestHarness) -> None:
    place = f"/v1/conversations/{DM}/messages"
    entries = banned.stores.entries(DM)
    edited = banned.call("PATCH", f"{place}/2", user="bob", body={"content": TEXT})
    reacted = banned.call("PUT", f"{place}/1/reactions/x", user="bob")
    assert (edited.status, reacted.status) == (200, 200)
    assert banned.stores.entries(DM) == entries
    seq = send(banned)["seq"]
    assert banned.call("DELETE", f"{place}/{seq}", user="bob").status == 200
    assert banned.call("DELETE", f"{place}/2", user="bob").status == 200  # what was seen can be taken away
    assert not banned.stores.entries(DM)[1].is_readable


def test_a_first_message_makes_no_conversation_for_the_other_side(banned: RestHarness) -> None:
    place = "dm:bob:carol"
    made = banned.call("POST", "/v1/conversations", user="bob", body={"type": "private", "with": "carol"})
    assert made.body["id"] == place
    send(banned, place=place)
    assert read(banned, "/v1/conversations", "bob")["conversations"][0]["id"] == place
    assert place not in str(read(banned, "/v1/conversations", "carol"))
    assert banned.call("GET", f"/v1/conversations/{place}", user="carol").code == "not_a_member"
    banned.call("POST", "/v1/conversations", user="carol", body={"type": "private", "with": "bob"})
    answer = send(banned, "hi bob", "carol", place)
    assert answer["seq"] == 2
    assert [one["type"] for one in events(banned, "carol", place)] == ["withheld", "new_message"]
    assert read(banned, f"/v1/conversations/{place}", "bob")["unread"] == 1
    assert read(banned, f"/v1/conversations/{place}", "carol")["last_message"]["content"] == "hi bob"


def test_it_is_stored_as_what_shows_least_to_a_version_that_knows_nothing_of_it(banned: RestHarness) -> None:
    seq = send(banned)["seq"]
    entry = banned.stores.entries(DM)[seq - 1]
    assert (entry.content, entry.is_readable, entry.deleted_at is not None) == (None, False, True)
    assert entry.number == banned.stores.entries(DM)[seq - 2].number


def test_the_ban_is_given_shown_and_lifted(banned: RestHarness) -> None:
    path = "/v1/users/carol/shadow-ban"
    given = banned.call("PUT", path, user="root", scope="admin", body={"reason": "ads"}).body
    assert (given["reason"], given["by"]) == ("ads", "root")
    assert banned.call("GET", path, scope="admin").body == given
    assert banned.call("DELETE", path, scope="admin").status == 204
    assert banned.call("DELETE", path, scope="admin").status == 204
    assert banned.call("GET", path, scope="admin").code == "not_found"


@pytest.mark.parametrize("until", ["now", "then"])
def test_what_was_held_of_theirs_is_seen_by_nobody_else_once_it_is_approved(banned: RestHarness, until: str) -> None:
    listed = {"action": "hold", "words": ["canaries"]}
    assert banned.call("PUT", "/v1/word-lists/birds", scope="admin", body=listed).status == 201
    if until == "now":  # banned since
        banned.stores.shadow_bans.remove("bob")
    with_a_screen(banned)
    path = f"/v1/conversations/{DM}/messages"
    held_id = banned.call("POST", path, user="bob", body={"content": TEXT}).body["held_id"]
    if until == "now":
        banned.stores.shadow_bans.put(ShadowBan("bob", now(), "root", "spam"))
    else:  # lifted since
        banned.stores.shadow_bans.remove("bob")
    with_a_screen(banned)
    online(banned, "alice", "bob")
    decision = f"/v1/held/{held_id}/decision"
    assert banned.call("POST", decision, user="mod", scope="moderation", body={"decision": "approve"}).status == 200
    assert (sees(banned, "bob"), sees(banned, "alice")) == (True, False)
    assert TEXT in str([data for connection, data in banned.gateway.posts if connection == "bob-1"])
    assert TEXT not in str([data for connection, data in banned.gateway.posts if connection == "alice-1"])


@pytest.mark.parametrize("is_banned", [True, False])
def test_what_is_refused_of_anybody_is_refused_of_them(harness: RestHarness, is_banned: bool) -> None:
    if is_banned:
        harness.stores.shadow_bans.put(ShadowBan("bob", now(), "root", "spam"))
    with_a_screen(harness)
    place = f"/v1/conversations/{DM}/messages"

    def codes() -> list[str | None]:
        return [
            harness.call(method, f"{place}/{rest}", user="bob", body=body).code
            for method, rest, body in (
                ("PATCH", "99", {"content": TEXT}),
                ("PATCH", "1", {"content": TEXT}),
                ("PATCH", "2", {"content": " "}),
                ("PUT", "99/reactions/x", None),
                ("PATCH", "2", {"content": TEXT}),
                ("PUT", "1/reactions/x", None),
            )
        ]

    assert codes() == ["not_found", "forbidden", "bad_request", "not_found", None, None]
    harness.stores.blocks.put("alice", "bob", now=now())
    assert codes() == ["blocked"] * 6


def test_their_own_hidden_message_is_edited_as_far_as_they_see(banned: RestHarness) -> None:
    seq = send(banned)["seq"]
    path = f"/v1/conversations/{DM}/messages/{seq}"
    for _ in ("banned", "lifted"):
        entries = banned.stores.entries(DM)
        assert banned.call("PATCH", path, user="bob", body={"content": "more canaries"}).status == 200
        assert banned.call("PUT", f"{path}/reactions/x", user="bob").status == 200
        assert banned.stores.entries(DM) == entries
        banned.stores.shadow_bans.remove("bob")
        with_a_screen(banned)


def test_their_own_hidden_message_is_deleted_for_themselves(banned: RestHarness) -> None:
    seq = send(banned, client_message_id="m", after=2)["seq"]
    path = f"/v1/conversations/{DM}/messages/{seq}"
    assert banned.call("DELETE", path, user="alice").code == "not_found"
    assert sees(banned, "bob")
    for _ in range(2):
        assert banned.call("DELETE", path, user="bob").status == 200
    assert "canaries" not in str(banned.stores.entries(DM))
    assert len(banned.stores.entries(DM)) == seq
    messages = read(banned, f"/v1/conversations/{DM}/messages", "bob")["messages"]
    (shown,) = [one for one in messages if one["seq"] == seq]
    assert (shown["content"], shown["deleted_at"] is not None) == (None, True)
    assert banned.call("PATCH", path, user="bob", body={"content": TEXT}).code == "not_found"
    assert [one["type"] for one in events(banned, "alice")][-1] == "withheld"
    body = {"content": TEXT, "client_message_id": "m", "after": 2}
    assert banned.call("POST", f"/v1/conversations/{DM}/messages", user="bob", body=body).body["seq"] == seq


def test_its_sender_is_told_its_own_time(banned: RestHarness) -> None:
    """The others' place for it has the time of the entry before it, which would tell."""
    sent = send(banned, client_message_id="m")
    (own, *_) = read(banned, f"/v1/conversations/{DM}/messages", "bob")["messages"]
    assert sent["timestamp"] == own["created_at"] > events(banned, "alice")[-1]["timestamp"]
    assert send(banned, client_message_id="m")["timestamp"] == sent["timestamp"]
