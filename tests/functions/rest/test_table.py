"""Every row of the HTTP API: its success, each error that it documents, and what is the same for all."""

from __future__ import annotations

from typing import Any

import pytest

import functions.rest.openapi
from functions.rest.documentation import OPERATIONS
from shared.domain.bans import Ban
from shared.errors import Forbidden, Unavailable
from tests.functions.events import http_event
from tests.functions.rest.document import codes, operation_of, operations
from tests.functions.rest.harness import RestHarness, now, settled, token
from tests.functions.rest.table import CASES, Case, success_of
from tests.stores import LOG, MEMBERS


def takes_input(operation: dict[str, Any]) -> bool:
    """Whether anything can be wrong with a request beside its headers."""
    parameters = operation.get("parameters", ())
    return "requestBody" in operation or any(parameter["in"] != "header" for parameter in parameters)


# These follow from a token, a body, or bad luck, for every operation alike: they have tests of their own below.
COMMON = {"banned", "unauthenticated", "token_expired", "too_large", "rate_limited", "unavailable", "internal"}
PUBLIC = {"get_health", "get_openapi"}
# What the header `Parley-As` may be answered, where nothing else is: tests of their own, too.
OF_THE_HEADER = {
    *((name, "forbidden") for name, one in OPERATIONS.items() if Forbidden not in one.errors),
    *((name, "bad_request") for name, (_, _, one) in operations().items() if not takes_input(one)),
}
NEEDS_TOKEN = sorted(operations().keys() - PUBLIC)


def documented(status: int) -> list[str]:
    return sorted(name for name, (_, _, operation) in operations().items() if str(status) in operation["responses"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.operation}-{case.status}-{case.code or 'ok'}")
def test_a_row_answers_as_the_contract_has_it(harness: RestHarness, case: Case) -> None:
    answered = case.ask(harness)
    assert (answered.status, answered.code if case.code else None) == (case.status, case.code)
    assert harness.unexpected == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.operation}-{case.status}")
def test_a_case_is_about_the_operation_that_it_names(case: Case) -> None:
    method, _, path = case.request.partition(" ")
    assert operation_of(method, path) == case.operation


def test_the_table_has_every_answer_that_the_document_has() -> None:
    listed = {
        (name, int(status), code)
        for name, (_, _, operation) in operations().items()
        for status in operation["responses"]
        for code in (codes(name, int(status)) if int(status) >= 400 else [None])
        if code not in COMMON and (name, code) not in OF_THE_HEADER
    }
    assert {(case.operation, case.status, case.code) for case in CASES if case.code not in COMMON} == listed


def ask(name: str, harness: RestHarness, **event: Any) -> Any:
    """The operation as it would succeed, but for what is changed here."""
    case = success_of(name)
    method, _, path = case.request.partition(" ")
    asked = {"token": token(case.user, scope=case.scope), "body": case.body, "query": case.query, **event}
    return harness.request(http_event(method, path, **asked))


@pytest.mark.parametrize("name", NEEDS_TOKEN)
@pytest.mark.parametrize(
    ("bearer", "code"),
    [(None, "unauthenticated"), ("not.a.token", "unauthenticated"), (token(exp=1), "token_expired")],
    ids=["none", "nonsense", "expired"],
)
def test_without_a_good_token_nothing_is_done(harness: RestHarness, name: str, bearer: str | None, code: str) -> None:
    before = (harness.stores.rows(LOG), harness.stores.rows(MEMBERS))
    answered = ask(name, harness, token=bearer)
    assert (answered.status, answered.code) == (401, code)
    assert (harness.stores.rows(LOG), harness.stores.rows(MEMBERS)) == before


@pytest.mark.parametrize("name", NEEDS_TOKEN)
@pytest.mark.parametrize(
    ("scope", "acting_as", "answer"),
    [
        ("", "bob", (403, "forbidden")),
        ("notifications:send administrator", "bob", (403, "forbidden")),
        ("", "b:b", (403, "forbidden")),
        ("admin notifications:send", "b:b", (400, "bad_request")),
        ("admin notifications:send", "", (400, "bad_request")),
        ("admin notifications:send", "bob,carol", (400, "bad_request")),
    ],
)
def test_who_may_not_act_as_somebody_or_names_nobody_does_nothing(
    harness: RestHarness, name: str, scope: str, acting_as: str, answer: tuple[int, str]
) -> None:
    before = (harness.stores.rows(LOG), harness.stores.rows(MEMBERS))
    bearer = token(success_of(name).user, scope=scope)
    answered = ask(name, harness, token=bearer, headers={"parley-as": acting_as})
    assert (answered.status, answered.code) == answer
    assert (harness.stores.rows(LOG), harness.stores.rows(MEMBERS)) == before


@pytest.mark.parametrize("name", NEEDS_TOKEN)
def test_whatever_is_done_as_somebody_else_is_answered_as_to_them_and_leaves_one_row(
    harness: RestHarness, name: str
) -> None:
    case = success_of(name)
    case.given(harness)
    bearer = token("root", scope=f"{case.scope} admin")
    answered = ask(name, harness, token=bearer, headers={"Parley-As": case.user})
    assert answered.status == case.status
    (row,) = [row for row in harness.stores.rows(MEMBERS) if row["pk"].startswith("audit#")]
    assert (row["by"], row["acting_as"], row["method"]) == ("root", case.user, case.request.split()[0])
    assert row["route"] == operations()[name][1]


@pytest.mark.parametrize("name", NEEDS_TOKEN)
def test_who_is_kept_out_does_nothing(harness: RestHarness, name: str) -> None:
    user, sessions = success_of(name).user, harness.stores.sessions
    before = (harness.stores.rows(LOG), harness.stores.rows(MEMBERS))
    sessions.revoke(user, now() + 60_000)  # after any token of this test, whose seconds are whole
    assert ask(name, harness).code == "unauthenticated"
    sessions.ban(user, Ban(now() + 60_000, "spam", 1, "root"))
    answered = ask(name, harness)
    assert (answered.status, answered.code) == (403, "banned")
    assert now() < answered.body["until"] <= now() + 60_000
    assert (harness.stores.rows(LOG), harness.stores.rows(MEMBERS)) == before


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_what_is_public_needs_no_token(name: str) -> None:
    assert ask(name, RestHarness(), token=None).status == 200


@pytest.mark.parametrize("name", documented(413))
def test_a_body_over_64_kb_is_too_large(harness: RestHarness, name: str) -> None:
    entries = harness.stores.rows(LOG)
    answered = ask(name, harness, body='{"x": "' + "x" * 65_536 + '"}')
    assert (answered.status, answered.code) == (413, "too_large")
    assert harness.stores.rows(LOG) == entries


def test_every_operation_with_a_body_documents_how_large_it_may_be() -> None:
    assert documented(413) == sorted(name for name, (_, _, one) in operations().items() if "requestBody" in one)


@pytest.mark.parametrize("name", documented(413))
@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "{",
        "[]",
        "null",
        "5",
        '"text"',
        "[" * 30_000,
        '{"x": ' + "[" * 30_000 + "]" * 30_000 + "}",
        '{"x": ' + "[" * 64 + "]" * 64 + "}",
        '{"x": NaN}',
        '{"x": -Infinity}',
        '{"x": ' + "9" * 5_000 + "}",
        '{"x": "\\ud800"}',
        '{"\\udfff": 1}',
        '{"x": "\ud800"}',
        '{"x": 1} {"x": 1}',
    ],
    ids=lambda body: repr(body)[:14],
)
def test_a_body_that_is_no_json_object_is_a_bad_request(harness: RestHarness, name: str, body: str | None) -> None:
    answered = ask(name, harness, body=body)
    assert (answered.status, answered.code, answered.body["retryable"]) == (400, "bad_request", False)
    assert len(answered.body["error"]) < 200
    assert harness.unexpected == []


# One a day, whatever else one does.
DAILY = {"post_own_export"}


@pytest.mark.parametrize("name", sorted({*documented(429)} - DAILY))
def test_who_floods_is_told_how_long_to_wait_and_nothing_is_written(harness: RestHarness, name: str) -> None:
    harness.flood(success_of(name).user)
    entries = harness.stores.rows(LOG)
    answered = ask(name, harness)
    assert (answered.status, answered.code, answered.body["retryable"]) == (429, "rate_limited", True)
    assert answered.body["retry_after_ms"] > 0
    assert int(answered.headers["Retry-After"]) >= 1
    assert harness.stores.rows(LOG) == entries


def test_what_others_get_to_see_is_limited() -> None:
    limited = {"post_message", "patch_message", "delete_message", "put_reaction", "delete_reaction"}
    limited |= {"post_conversation", "patch_conversation", "delete_conversation", "post_contact", "patch_contact"}
    limited |= {"patch_request", "delete_request", "post_invite", "delete_invite", "post_invite_use", "post_report"}
    limited |= {"put_pin", "delete_pin", "post_members", "patch_member", "put_member", "delete_member", "post_file"}
    # What one's own other devices get to see counts as well.
    limited |= {"put_me", "patch_settings", "put_block", "delete_block", "delete_contact"}
    assert set(documented(429)) == limited | DAILY


class Broken:
    """A verifier that fails, in the place where every operation begins."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def verify(self, _: str) -> Any:
        raise self.error


@pytest.mark.parametrize("name", NEEDS_TOKEN)
@pytest.mark.parametrize("error", [Unavailable(retry_after_ms=1_500), RuntimeError("the canary text")], ids=type)
def test_a_fault_of_ours_is_a_clean_answer(name: str, error: Exception) -> None:
    harness = RestHarness()
    object.__setattr__(harness.wired, "verifier", Broken(error))
    answered = ask(name, harness)
    is_foreseen = isinstance(error, Unavailable)
    assert (answered.status, answered.code) == ((503, "unavailable") if is_foreseen else (500, "internal"))
    assert "canary" not in str(answered.body)
    assert harness.unexpected == ([] if is_foreseen else [error])
    assert answered.headers.get("Retry-After") == ("2" if is_foreseen else None)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_a_fault_of_ours_is_a_clean_answer_where_no_token_is_needed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_: object) -> Any:
        raise RuntimeError("the canary text")

    harness = RestHarness()
    object.__setattr__(harness.wired.context, "now", explode)
    monkeypatch.setattr(functions.rest.openapi, "openapi_json", explode)
    answered = ask(name, harness)
    assert (answered.status, answered.code) == (500, "internal")


IN_CONVERSATIONS = [
    name
    for name in documented(404)
    if "/v1/conversations/" in success_of(name).request and "conversation_hold" not in name
]


@pytest.mark.parametrize("name", IN_CONVERSATIONS)
@pytest.mark.parametrize("where", ["own", "unknown", "unmade", "nonsense"])
def test_outsiders_and_former_members_get_the_same_answer_wherever_they_knock(name: str, where: str) -> None:
    harness, case = settled(), success_of(name)
    entries = harness.stores.rows(LOG)
    method, _, path = case.request.partition(" ")
    parts = path.split("/")
    elsewhere = {"own": parts[3], "unknown": "group:zzzzzzzzzzzzzzzz", "unmade": "dm:erin:zoe", "nonsense": "x"}
    parts[3] = elsewhere[where]
    answered = harness.call(method, "/".join(parts), user="erin", body=case.body, query=case.query)
    assert answered.status == 404
    assert answered.body == {
        "error": "You are not a member of this conversation",
        "code": "not_a_member",
        "retryable": False,
        "request_id": "JKJaXmPLvHcESHA=",
    }
    assert harness.stores.rows(LOG) == entries
