"""The page that ends a user's mails: for people, and for mail programs that press its button themselves."""

from __future__ import annotations

from typing import Any

import pytest

from functions.rest.mail import page
from shared.domain.mails import UNSUBSCRIBE, MailState
from shared.operations.users import put_user
from tests.functions.rest.harness import RestHarness

TOKEN = "Ym9i.s3cret"


@pytest.fixture
def harness() -> RestHarness:
    """Bob has been mailed."""
    made = RestHarness()
    put_user("bob", {"email": "bob@example.com"}, **made.wired.parts)
    assert made.stores.mails.claim("bob", MailState(), secret="s3cret", now=1)
    return made


def ask(
    harness: RestHarness, method: str, token: str | None = TOKEN, *, path: str = UNSUBSCRIBE
) -> dict[str, Any] | None:
    event: dict[str, Any] = {
        "rawPath": path,
        "requestContext": {"http": {"method": method}},
        "body": "List-Unsubscribe=One-Click",
        "headers": {"content-type": "application/x-www-form-urlencoded"},
    }
    if token is not None:
        event["queryStringParameters"] = {"token": token}
    return page(event, harness.wired.parts)


def choice(harness: RestHarness) -> str:
    return harness.stores.profiles.get("bob").mail


def test_looking_changes_nothing_and_pressing_ends_them(harness: RestHarness) -> None:
    for method in ("GET", "HEAD"):
        assert (ask(harness, method) or {})["statusCode"] == 200
    assert choice(harness) == "all"
    for _ in range(2):
        answered = ask(harness, "POST") or {}
        assert (answered["statusCode"], choice(harness)) == (200, "off")
    assert answered["headers"]["Content-Type"].startswith("text/html")
    assert harness.call("GET", "/v1/me", user="bob").body["mail"] == "off"


@pytest.mark.parametrize(
    "token", [None, "", "Ym9i.", "Ym9i.other", "Ym9i.s3cret.x", "YWxpY2U.s3cret", "é.é", "=" * 9_000]
)
def test_another_link_is_no_link(harness: RestHarness, token: str | None) -> None:
    assert (ask(harness, "POST", token) or {})["statusCode"] == 404
    assert choice(harness) == "all"


def test_it_can_be_tried_again_where_a_table_does_not_answer(harness: RestHarness) -> None:
    harness.stores.calls.fail("user#bob")
    assert (ask(harness, "POST") or {})["statusCode"] == 503


def test_all_else_is_the_apis(harness: RestHarness) -> None:
    assert ask(harness, "PUT") is None
    assert ask(harness, "POST", path="/v1/mail/other") is None


def test_the_record_that_goes_takes_its_address_and_the_link_stays_good(harness: RestHarness) -> None:
    harness.call("DELETE", "/v1/users/bob", scope="admin")
    assert (ask(harness, "POST") or {})["statusCode"] == 200
