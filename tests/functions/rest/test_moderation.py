"""Reports: who may make and see them, what is kept, and that each is decided once."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.reports import MAX_REPORTS
from tests.functions.rest.harness import DM, GROUP, RestHarness, now, online

OF_TWO = {"conversation_id": DM, "seq": 2, "reason": "spam", "comment": "Every day"}


def report(harness: RestHarness, body: dict[str, Any] = OF_TWO, user: str = "alice") -> Any:
    return harness.call("POST", "/v1/reports", user=user, body=body)


def listed(harness: RestHarness, **query: str) -> Any:
    answered = harness.call("GET", "/v1/reports", user="mod", scope="moderation", query=query or None)
    assert answered.status == 200
    return answered.body


def decide(harness: RestHarness, name: str, decision: str, **more: Any) -> Any:
    path = f"/v1/reports/{name}/decision"
    return harness.call("POST", path, user="mod", scope="moderation", body={"decision": decision, **more})


def test_a_report_keeps_the_message_as_it_stood(harness: RestHarness) -> None:
    made = report(harness)
    assert made.status == 201
    assert (made.body["user_id"], made.body["seq"]) == ("bob", 2)
    harness.call("PATCH", f"/v1/conversations/{DM}/messages/2", user="bob", body={"content": "harmless"})
    (kept,) = listed(harness)["reports"]
    assert (kept["message"]["content"], kept["reporter"], kept["status"]) == ("two", "alice", "open")


def test_a_repetition_is_the_same_report_whatever_its_words_and_another_users_is_another(harness: RestHarness) -> None:
    first, again = report(harness), report(harness, {**OF_TWO, "comment": "and again"})
    assert (again.status, again.body) == (200, first.body)
    of_bob = {"user_id": "bob", "reason": "x"}
    assert report(harness, of_bob, "carol").body["id"] != report(harness, of_bob, "alice").body["id"]
    assert len(listed(harness)["reports"]) == 3


def test_nobody_reports_what_they_can_not_read_or_what_is_their_own(harness: RestHarness) -> None:
    assert report(harness, user="carol").code == "not_a_member"
    assert report(harness, {**OF_TWO, "seq": 1}).code == "bad_request"
    harness.call("DELETE", f"/v1/conversations/{DM}/messages/2", user="bob")
    assert report(harness).code == "not_found"
    assert listed(harness)["reports"] == []


def test_what_its_maker_is_told_says_nothing_of_decisions_and_the_reported_are_told_nothing(
    harness: RestHarness,
) -> None:
    online(harness, "bob")
    made = report(harness)
    decide(harness, made.body["id"], "dismiss")
    assert report(harness).body == made.body
    assert harness.gateway.posts == []


def test_deleting_takes_the_message_away_for_all_and_a_repetition_adds_nothing(harness: RestHarness) -> None:
    online(harness, "alice", "bob")
    name = report(harness).body["id"]
    assert decide(harness, name, "delete").body["status"] == "decided"
    again = decide(harness, name, "delete")
    assert (again.status, again.body["decision"]["by"]) == (200, "mod")
    assert decide(harness, name, "dismiss").code == "conflict"
    entries = harness.stores.entries(DM)
    assert (entries[1].content, entries[1].is_readable, len(entries)) == (None, False, 3)
    assert (entries[2].kind, entries[2].sender_id) == ("message_deleted", "mod")
    assert {connection for connection, _ in harness.gateway.posts} == {"alice-1", "bob-1"}
    assert [one["status"] for one in listed(harness, status="decided")["reports"]] == ["decided"]
    assert listed(harness)["reports"] == []


def test_a_moderator_deletes_in_a_group_that_they_are_not_in(harness: RestHarness) -> None:
    name = report(harness, {**OF_TWO, "conversation_id": GROUP, "seq": 3}).body["id"]
    assert decide(harness, name, "delete").status == 200
    assert not harness.stores.entries(GROUP)[2].is_readable


def test_a_ban_keeps_out_whoever_is_reported_until_it_ends(harness: RestHarness) -> None:
    name = report(harness).body["id"]
    until = now() + 3_600_000
    assert decide(harness, name, "ban", until=1).code == "bad_request"
    assert decide(harness, name, "dismiss", until=until).code == "bad_request"
    assert decide(harness, name, "ban", until=until).body["decision"]["until"] == until
    assert harness.call("GET", "/v1/me", user="bob").code == "banned"
    assert decide(harness, name, "ban").code == "conflict"
    assert decide(harness, name, "ban", until=until).status == 200


def test_a_decision_leaves_a_row_of_the_audit(harness: RestHarness) -> None:
    name = report(harness).body["id"]
    decide(harness, name, "dismiss")
    (row,) = harness.call("GET", "/v1/audit", scope="admin").body["rows"]
    assert (row["by"], row["route"], row["arguments"]) == (
        "mod",
        "/v1/reports/{report_id}/decision",
        {"report_id": name},
    )


def test_a_user_is_reported_anew_once_the_report_before_is_decided(harness: RestHarness) -> None:
    of_bob = {"user_id": "bob", "reason": "spam"}
    first = report(harness, of_bob)
    assert report(harness, of_bob).status == 200
    decide(harness, first.body["id"], "dismiss")
    second = report(harness, of_bob)
    assert (second.status, second.body["id"] != first.body["id"]) == (201, True)


def test_pages_go_from_the_newest_to_the_oldest_and_can_be_of_one_user(harness: RestHarness) -> None:
    for number in range(5):
        report(harness, {"user_id": "bob", "reason": "spam"}, f"u{number}")
    report(harness, {"user_id": "carol", "reason": "spam"})
    page = listed(harness, user="bob", limit="2")
    seen = [one["reporter"] for one in page["reports"]]
    while page["next_cursor"]:
        page = listed(harness, user="bob", limit="2", cursor=page["next_cursor"])
        seen += [one["reporter"] for one in page["reports"]]
    assert sorted(seen) == ["u0", "u1", "u2", "u3", "u4"]
    assert len(listed(harness, limit="100")["reports"]) == 6
    cursor = listed(harness, limit="2")["next_cursor"]
    assert harness.call("GET", "/v1/reports", user="root", scope="admin", query={"cursor": cursor}).code == (
        "bad_request"
    )


def test_a_user_makes_so_many_reports_and_no_more(harness: RestHarness) -> None:
    for number in range(MAX_REPORTS):
        assert report(harness, {"user_id": f"u{number}", "reason": "spam"}).status == 201
    refused = report(harness, {"user_id": "bob", "reason": "spam"})
    assert (refused.code, refused.body["retry_after_ms"] > 0) == ("rate_limited", True)
    assert report(harness, {"user_id": "u0", "reason": "spam"}).status == 200


@pytest.mark.parametrize("scope", ["", "moderator", "notifications:send"])
def test_without_the_scope_nothing_is_shown(harness: RestHarness, scope: str) -> None:
    name = report(harness).body["id"]
    for method, path, body in (
        ("GET", "/v1/reports", None),
        ("GET", f"/v1/reports/{name}", None),
        ("POST", f"/v1/reports/{name}/decision", {"decision": "dismiss"}),
    ):
        assert harness.call(method, path, user="bob", scope=scope, body=body).code == "forbidden"
