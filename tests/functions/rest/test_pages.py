"""Web pages of other origins: who may read answers, and what a browser is told before it asks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.rest.answers import preflight, readable
from functions.rest.handler import handler
from tests.functions.events import http_event

ALLOWED = "https://app.example.com,http://localhost:*,capacitor://localhost,null"
MAY = ["https://app.example.com", "http://localhost:5173", "http://localhost", "capacitor://localhost", "null"]
MAY_NOT = [
    "https://evil.example",
    "https://app.example.com.evil.example",
    "capacitor://evil",
    "",
    "*",
    "http://localhost:x",
]


def question(origin: str | None, **more: str) -> dict[str, Any]:
    event = http_event("OPTIONS", "/v1/conversations")
    event["headers"] |= {
        "access-control-request-method": "GET",
        **({} if origin is None else {"origin": origin}),
        **more,
    }
    return event


@pytest.mark.parametrize("origin", MAY)
def test_a_page_on_the_list_is_told_that_it_may_ask_and_may_read(origin: str) -> None:
    told = preflight(question(origin), ALLOWED)
    assert told is not None
    assert (told["statusCode"], told["body"]) == (204, "")
    headers = told["headers"]
    assert (headers["Access-Control-Allow-Origin"], headers["Vary"]) == (origin, "Origin")
    assert set(headers["Access-Control-Allow-Headers"].split(",")) == {"authorization", "content-type"}
    assert set(headers["Access-Control-Allow-Methods"].split(",")) == {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
    assert "Access-Control-Allow-Credentials" not in headers
    answered = readable({"statusCode": 200, "headers": {"X": "y"}}, question(origin), ALLOWED)
    assert answered["headers"] == {
        "X": "y",
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": "Retry-After",
        "Vary": "Origin",
    }


@pytest.mark.parametrize("origin", [*MAY_NOT, None])
def test_any_other_is_told_nothing(origin: str | None) -> None:
    told = preflight(question(origin), ALLOWED)
    assert told == {"statusCode": 204, "headers": {"Vary": "Origin"}, "body": ""}
    assert readable({"headers": {}}, question(origin), ALLOWED) == {"headers": {"Vary": "Origin"}}


def test_where_no_page_may_nothing_is_different() -> None:
    assert preflight(question("https://app.example.com"), "") is None
    assert readable({"headers": {"X": "y"}}, question("https://app.example.com"), "") == {"headers": {"X": "y"}}


def test_an_options_request_that_no_page_sends_is_one_like_any_other() -> None:
    event = http_event("OPTIONS", "/v1/conversations")
    assert preflight(event, ALLOWED) is None
    assert (answered := handler(event))["statusCode"] == 404
    assert json.loads(answered["body"])["code"] == "not_found"


def test_the_function_answers_pages_by_its_configuration() -> None:
    event = http_event("GET", "/v1/health")
    for origin, allowed in (("http://localhost:3000", "http://localhost:3000"), ("https://evil.example", None)):
        event["headers"] |= {"origin": origin}
        assert handler(event)["headers"].get("Access-Control-Allow-Origin") == allowed
    assert handler(question("https://app.example.com"))["statusCode"] == 204
