"""Messages over HTTP do what the frames do."""

from __future__ import annotations

from shared.domain.connections import PostOutcome
from tests.functions.rest.harness import DM, GROUP, RestHarness, now, online, settled

THUMB = "%F0%9F%91%8D"


def test_a_message_reaches_every_device_its_sender_s_too(harness: RestHarness) -> None:
    online(harness, "alice", "bob")
    sent = harness.call("POST", f"/v1/conversations/{DM}/messages", body={"content": "hi", "client_message_id": "k"})
    assert {**sent.body, "timestamp": 0} == {
        "type": "message",
        "conversation_id": DM,
        "seq": 3,
        "message_id": f"{DM}/3",
        "client_message_id": "k",
        "timestamp": 0,
        "duplicate": False,
    }
    assert harness.events("alice-1") == harness.events("bob-1")
    assert harness.events("bob-1")[0]["message"]["content"] == "hi"


def test_a_message_keeps_whom_it_mentions_and_what_it_answers(harness: RestHarness) -> None:
    body = {"content": "hi", "mentions": ["bob"], "reply_to": 2}
    sent = harness.call("POST", f"/v1/conversations/{GROUP}/messages", body=body).body
    message = harness.call("GET", f"/v1/conversations/{GROUP}/messages/{sent['seq']}").body
    assert (message["mentions"], message["reply_to"]) == (["bob"], 2)


def test_a_resend_is_the_first_reply_again(harness: RestHarness) -> None:
    body = {"content": "hi", "client_message_id": "k"}
    first, again = (harness.call("POST", f"/v1/conversations/{DM}/messages", body=body) for _ in range(2))
    assert (first.status, again.status) == (201, 200)
    assert again.body == {**first.body, "duplicate": True}


def test_a_forwarded_message_says_what_the_original_says(harness: RestHarness) -> None:
    body = {"forward_of": {"conversation_id": DM, "seq": 2}}
    sent = harness.call("POST", f"/v1/conversations/{GROUP}/messages", body=body).body
    message = harness.call("GET", f"/v1/conversations/{GROUP}/messages/{sent['seq']}").body
    assert (message["content"], message["forwarded"]) == ("two", True)


def test_nobody_forwards_what_they_can_not_read() -> None:
    body = {"forward_of": {"conversation_id": DM, "seq": 2}}
    answered = settled().call("POST", f"/v1/conversations/{GROUP}/messages", user="carol", body=body)
    assert answered.code == "not_a_member"


def test_history_comes_page_by_page_in_both_directions(harness: RestHarness) -> None:
    path = f"/v1/conversations/{GROUP}/messages"
    newest = harness.call("GET", path, query={"limit": "1"}).body
    assert ([one["seq"] for one in newest["messages"]], newest["has_more"]) == ([3], True)
    oldest = harness.call("GET", path, query={"after": "0"}).body
    assert ([one["seq"] for one in oldest["messages"]], oldest["has_more"]) == ([2, 3], False)


def test_history_tells_how_far_one_s_own_private_messages_have_come(harness: RestHarness) -> None:
    harness.call("POST", f"/v1/conversations/{DM}/read", user="bob", body={"seq": 1})
    harness.call("POST", f"/v1/conversations/{DM}/messages", body={"content": "three"})
    messages = harness.call("GET", f"/v1/conversations/{DM}/messages").body["messages"]
    assert [one.get("status") for one in messages] == ["sent", None, "read"]


def test_a_group_message_of_one_s_own_tells_how_many_have_read_it(harness: RestHarness) -> None:
    path = f"/v1/conversations/{GROUP}/messages/2"
    harness.call("POST", f"/v1/conversations/{GROUP}/read", user="bob", body={"seq": 3})
    body = harness.call("GET", path).body
    assert (body["status"], body["receipts"]) == ("sent", {"members": 2, "delivered": 1, "read": 1})
    harness.call("POST", f"/v1/conversations/{GROUP}/read", user="carol", body={"seq": 2})
    assert harness.call("GET", path).body["status"] == "read"
    assert "status" not in harness.call("GET", path, user="bob").body


def test_an_edit_is_told_and_shown_and_the_same_again_changes_nothing(harness: RestHarness) -> None:
    online(harness, "bob")
    path = f"/v1/conversations/{DM}/messages/1"
    body = harness.call("PATCH", path, body={"content": "uno"}).body
    assert (body["type"], body["seq"], body["entry_seq"]) == ("edit", 1, 3)
    assert harness.call("PATCH", path, body={"content": "uno"}).body["entry_seq"] is None
    assert [event["content"] for event in harness.events("bob-1")] == ["uno"]
    assert harness.call("GET", path, user="bob").body["content"] == "uno"


def test_a_deleted_message_has_no_content_and_an_admin_may_delete_others(harness: RestHarness) -> None:
    path = f"/v1/conversations/{GROUP}/messages/2"
    body = harness.call("DELETE", path, user="bob").body
    assert (body["type"], body["seq"], body["entry_seq"]) == ("delete", 2, 5)
    message = harness.call("GET", path).body
    assert (message["content"], message["deleted_at"]) == (None, body["timestamp"])
    assert harness.call("PATCH", path, body={"content": "back"}).code == "not_found"


def test_a_reaction_comes_and_goes(harness: RestHarness) -> None:
    online(harness, "bob")
    path = f"/v1/conversations/{DM}/messages/2/reactions/{THUMB}"
    first, again = harness.call("PUT", path).body, harness.call("PUT", path).body
    assert (first["emoji"], first["removed"], first["entry_seq"]) == ("👍", False, 3)
    assert again["entry_seq"] is None
    gone = harness.call("DELETE", path).body
    assert (gone["removed"], gone["entry_seq"]) == (True, 4)
    assert [event["removed"] for event in harness.events("bob-1")] == [False, True]


def test_reading_is_told_to_the_others_once(harness: RestHarness) -> None:
    online(harness, "bob")
    path = f"/v1/conversations/{DM}/read"
    assert harness.call("POST", path, body={"seq": 2}).body == {"type": "read", "conversation_id": DM, "seq": 2}
    assert harness.call("POST", path, body={"seq": 1}).body["seq"] == 2
    assert [event["type"] for event in harness.events("bob-1")] == ["read"]


def test_a_last_connection_that_turns_out_to_be_dead_is_looked_at_again(harness: RestHarness) -> None:
    harness.stores.connect("bob", "bob-1", at=now() - 60_000)
    harness.gateway.outcomes["bob-1"] = PostOutcome.GONE
    harness.call("POST", f"/v1/conversations/{DM}/messages", body={"content": "hi"})
    assert [gone.user_id for gone in harness.checks.scheduled] == ["bob"]
