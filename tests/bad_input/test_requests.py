"""Each bad HTTP request gets its status and code and changes nothing; each odd one that is valid is taken as it is."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.bad_input.harness import InputHarness
from tests.bad_input.names import DM, token
from tests.bad_input.requests import HttpCase
from tests.bad_input.requests_bodies import REQUEST_BODIES
from tests.bad_input.requests_lines import LINES
from tests.functions.events import NOW, http_event
from tests.functions.rest.document import check_documented

REQUESTS = (*LINES, *REQUEST_BODIES)
REFUSED = [case for case in REQUESTS if case.is_refused]
TAKEN = [case for case in REQUESTS if not case.is_refused]
# An id of a conversation that holds a slash is another path where the gateway has decoded it.
_CODES_OF_404 = {"not_found", "not_a_member"}


def check_answer(case: HttpCase, status: int, body: Any, *, decoded: bool) -> None:
    expected, code = case.expected
    assert status == expected, body
    if case.method == "HEAD":
        assert not body
        return
    if code is None:
        return
    assert body.keys() == {"error", "code", "retryable", "request_id"}
    assert body["retryable"] is False
    assert body["code"] in (_CODES_OF_404 if decoded and status == 404 else {code})
    assert 0 < len(body["error"]) < 600, "an error names the place, and repeats nothing that was sent"


def still_works(harness: InputHarness) -> None:
    """A good request, which finds everything in its place."""
    status, body, _ = harness.ask(http_event("GET", f"/v1/conversations/{DM}/messages", token=token()))
    assert (status, [one["seq"] for one in body["messages"]]) == (200, list(range(harness.head(DM), 0, -1)))


@pytest.fixture(scope="module")
def untouched() -> InputHarness:
    """One harness for all that is refused: what changes nothing needs no new one."""
    return InputHarness()


def test_the_tables_name_no_case_twice() -> None:
    assert [name for name, times in Counter(map(str, REQUESTS)).items() if times > 1] == []


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_a_bad_request_is_refused_and_changes_nothing(case: HttpCase, untouched: InputHarness) -> None:
    harness, before = untouched, untouched.state
    for decoded in (False,) if case.as_it_came else (False, True):
        event = case.event(decoded=decoded)
        status, body, headers = harness.ask(event)
        check_answer(case, status, body, decoded=decoded)
        check_documented(case.method, event["rawPath"], status, dict(headers), body)
        assert harness.state == before
    assert harness.unexpected == []
    assert not harness.observer.counted
    still_works(harness)


@pytest.mark.parametrize("case", TAKEN, ids=str)
def test_an_odd_request_that_is_valid_is_taken_as_it_stands(harness: InputHarness, case: HttpCase) -> None:
    head, others = harness.head(DM), [one for one in harness.store.items("log") if one["conversation_id"] != DM]
    status, body, _ = harness.ask(case.event())
    check_answer(case, status, body, decoded=False)
    assert [one for one in harness.store.items("log") if one["conversation_id"] != DM] == others
    assert harness.head(DM) == head + (case.stored is not None)
    if case.stored is not None:
        entry = harness.entries(DM)[-1]
        said_by_the_server = {"kind": "message", "sender_id": "alice", "created_at": NOW, "number": head + 1}
        assert entry.items() >= {**said_by_the_server, **case.stored, "type": "text"}.items()
        assert not entry.keys() & {"forwarded", "fan_out", "edited_at", "deleted_at", "last_edit", "reactions", "pk"}
    assert harness.unexpected == []
    still_works(harness)
