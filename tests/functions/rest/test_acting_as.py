"""Administrators who act as somebody else, and the list of what they did."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shared.domain.audit import AuditPosition
from tests.functions.events import http_event
from tests.functions.rest.harness import DM, Answered, RestHarness, now, settled, token
from tests.stores import MEMBERS

DAY = 86_400_000


def by_root(harness: RestHarness, method: str, path: str, as_user: str | None = "bob", **event: Any) -> Answered:
    headers = {} if as_user is None else {"Parley-As": as_user}
    return harness.request(http_event(method, path, token=token("root", scope="admin"), headers=headers, **event))


def audit(harness: RestHarness, **query: str) -> Any:
    answered = by_root(harness, "GET", "/v1/audit", None, query=query)
    assert answered.status == 200
    return answered.body


def test_a_message_sent_as_bob_is_bobs_and_the_audit_says_who_sent_it() -> None:
    harness = settled()
    made = by_root(harness, "POST", f"/v1/conversations/{DM}/messages", body={"content": "a secret"})
    assert (made.status, harness.stores.entries(DM)[-1].sender_id) == (201, "bob")
    (row,) = audit(harness)["rows"]
    assert {name: row[name] for name in ("by", "acting_as", "method", "route", "arguments")} == {
        "by": "root",
        "acting_as": "bob",
        "method": "POST",
        "route": "/v1/conversations/{conversation_id}/messages",
        "arguments": {"conversation_id": DM},
    }
    assert "secret" not in str(harness.stores.rows(MEMBERS, by="root"))


def test_who_is_acted_for_has_their_own_access_and_limits() -> None:
    harness = settled()
    outside = by_root(harness, "GET", f"/v1/conversations/{DM}/messages", "mallory")
    assert (outside.status, outside.code) == (404, "not_a_member")
    harness.flood("bob")
    assert by_root(harness, "POST", f"/v1/conversations/{DM}/messages", body={"content": "x"}).code == "rate_limited"


def test_somebody_whom_nobody_has_heard_of_can_be_acted_for() -> None:
    harness = RestHarness()
    assert by_root(harness, "GET", "/v1/me", "nobody-yet").body["user_id"] == "nobody-yet"


def test_a_ticket_is_for_whom_is_acted_for() -> None:
    harness = RestHarness()
    by_root(harness, "POST", "/v1/tickets")
    assert [row["user_id"] for row in harness.stores.rows("tickets")] == ["bob"]


def test_where_no_row_can_be_written_nothing_is_done() -> None:
    harness = settled()
    before = harness.stores.entries(DM)
    harness.stores.calls.fail("audit#")
    assert by_root(harness, "POST", f"/v1/conversations/{DM}/messages", body={"content": "x"}).status == 503
    harness.stores.calls.let_through()
    assert harness.stores.entries(DM) == before


def test_what_changes_is_on_record_for_administrators_themselves_and_what_only_looks_is_not() -> None:
    harness = settled()
    by_root(harness, "GET", "/v1/users/bob/connections", None)
    by_root(harness, "DELETE", "/v1/users/bob/connections", None)
    (row,) = audit(harness)["rows"]
    assert (row["by"], row["acting_as"], row["method"], row["arguments"]) == (
        "root",
        None,
        "DELETE",
        {"user_id": "bob"},
    )


def test_a_row_goes_after_the_configured_days() -> None:
    harness = RestHarness()
    by_root(harness, "GET", "/v1/me")
    (row,) = harness.stores.rows(MEMBERS, by="root")
    assert row["ttl"] == row["at"] // 1_000 + 400 * 24 * 3_600


def test_pages_come_newest_first_and_each_row_once() -> None:
    harness = RestHarness()
    users = [f"u{number}" for number in range(7)]
    for user in users:
        by_root(harness, "GET", "/v1/me", user)
    found, cursor = [], None
    while cursor != "":
        page = audit(harness, limit="3", **({"cursor": cursor} if cursor else {}))
        found += page["rows"]
        cursor = page["next_cursor"] or ""
    assert sorted(row["acting_as"] for row in found) == users
    assert [row["at"] for row in found] == sorted((row["at"] for row in found), reverse=True)


def test_rows_can_be_asked_for_by_user_and_by_time() -> None:
    harness = RestHarness()
    start = now()
    by_root(harness, "GET", "/v1/me", "bob")
    by_root(harness, "GET", "/v1/me", "carol")
    by_root(harness, "DELETE", "/v1/users/carol/connections", None)
    assert len(audit(harness, user="root")["rows"]) == 3
    assert [row["method"] for row in audit(harness, user="carol")["rows"]] == ["DELETE", "GET"]
    assert audit(harness, user="dave") == {"rows": [], "next_cursor": None}
    assert audit(harness, to=str(start))["rows"] == []
    assert len(audit(harness, **{"from": str(start)})["rows"]) == 3
    assert audit(harness, **{"from": str(now() + DAY)})["rows"] == []
    assert len(audit(harness, to="9007199254740991")["rows"]) == 3


def test_rows_of_other_months_are_found_too() -> None:
    harness = RestHarness()
    store, at = harness.stores.audit, now() - 45 * DAY
    by_root(harness, "GET", "/v1/me", "bob")
    (row,) = store.of(since=0, before=AuditPosition(now() + DAY), limit=9)
    store.put(replace(row, at=at), days=400)
    assert [one["at"] for one in audit(harness)["rows"]] == [row.at, at]
    assert [one["at"] for one in audit(harness, to=str(row.at))["rows"]] == [at]
