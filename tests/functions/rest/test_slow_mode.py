"""Slow mode and freezing of groups: who waits, who may not write, and that both are exact."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functions.rest.harness import DM, GROUP, RestHarness, online

PLACE = f"/v1/conversations/{GROUP}"


def change(harness: RestHarness, user: str = "alice", **changes: Any) -> Any:
    return harness.call("PATCH", PLACE, user=user, body=changes)


def send(harness: RestHarness, user: str = "carol", **body: Any) -> Any:
    return harness.call("POST", f"{PLACE}/messages", user=user, body={"content": "hi", **body})


def test_a_plain_member_waits_and_those_who_run_the_group_do_not(harness: RestHarness) -> None:
    online(harness, "bob")
    changed = change(harness, slow_mode=30)
    assert (changed.body["slow_mode"], changed.body["frozen"]) == (30, False)
    assert b'"changes":{"slow_mode":30}' in harness.gateway.posts[-1][1]
    assert send(harness).status == 201
    refused = send(harness)
    assert (refused.status, refused.code, refused.body["retryable"]) == (429, "rate_limited", True)
    assert 0 < refused.body["retry_after_ms"] <= 30_000
    assert send(harness, "bob").status == 201
    assert [send(harness, "alice").status for _ in range(3)] == [201, 201, 201]
    assert change(harness, slow_mode=0).body["slow_mode"] == 0
    assert send(harness).status == 201


def test_a_resend_is_answered_and_one_that_was_let_through_may_come_again(harness: RestHarness) -> None:
    change(harness, slow_mode=30)
    after = len(harness.stores.entries(GROUP))
    first = send(harness, client_message_id="m", after=after)
    again = send(harness, client_message_id="m", after=after)
    assert (again.status, again.body["seq"], again.body["duplicate"]) == (200, first.body["seq"], True)
    assert send(harness, client_message_id="n", after=after).code == "rate_limited"
    taken = {"until": 10_000, "now": 1}
    memberships = harness.stores.memberships
    assert memberships.take_turn(GROUP, "dave", message="lost", **taken) == 0
    assert memberships.take_turn(GROUP, "dave", message="lost", **taken) == 0
    assert memberships.take_turn(GROUP, "dave", message="other", **taken) == 9_999
    assert memberships.take_turn(GROUP, "dave", message="other", until=20_000, now=10_000) == 0


def test_in_a_frozen_group_only_those_who_run_it_write(harness: RestHarness) -> None:
    assert send(harness).status == 201
    seq = len(harness.stores.entries(GROUP))
    assert change(harness, frozen=True).body["frozen"] is True
    entries = len(harness.stores.entries(GROUP))
    for method, path, body in (
        ("POST", f"{PLACE}/messages", {"content": "x"}),
        ("PATCH", f"{PLACE}/messages/{seq}", {"content": "x"}),
        ("PUT", f"{PLACE}/messages/{seq}/reactions/x", None),
    ):
        refused = harness.call(method, path, user="carol", body=body)
        assert (refused.status, refused.code) == (403, "forbidden"), path
    assert len(harness.stores.entries(GROUP)) == entries
    assert send(harness, "alice").status == 201
    assert harness.call("DELETE", f"{PLACE}/messages/{seq}", user="carol").status == 200
    assert change(harness, frozen=None).body["frozen"] is False
    assert send(harness).status == 201


def test_a_message_that_meets_the_freezing_on_its_way_is_refused(harness: RestHarness) -> None:
    """Its roster was read before."""
    after = len(harness.stores.entries(GROUP))
    assert send(harness, "carol", client_message_id="a", after=after).status == 201
    assert change(harness, frozen=True).status == 200
    late = send(harness, "carol", client_message_id="b", after=after)
    assert late.code == "forbidden"
    assert send(harness, "carol", client_message_id="a", after=after).body["duplicate"]


@pytest.mark.parametrize("changes", [{"slow_mode": 10}, {"frozen": True}])
def test_only_those_who_run_a_group_change_it_and_only_of_groups(harness: RestHarness, changes: dict[str, Any]) -> None:
    assert change(harness, "carol", **changes).code == "forbidden"
    assert harness.call("PATCH", f"/v1/conversations/{DM}", body=changes).code == "bad_request"
    assert change(harness, **changes).status == 200
    entries = len(harness.stores.entries(GROUP))
    assert change(harness, **changes).status == 200
    assert len(harness.stores.entries(GROUP)) == entries


@pytest.mark.parametrize("wrong", [-1, 21_601, "10", 1.5, True])
def test_a_wrong_wait_is_refused(harness: RestHarness, wrong: Any) -> None:
    assert change(harness, slow_mode=wrong).code == "bad_request"
    assert change(harness, frozen="yes").code == "bad_request"
