"""How requests are read: paths, parameters, bodies, and what is no request at all."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest

import functions.rest.handler as rest
from functions.rest.api import respond
from shared.operations.tickets import redeem_ticket
from shared.version import VERSION
from tests.functions.events import http_event, logged
from tests.functions.rest.document import operations
from tests.functions.rest.harness import DM, RestHarness, now, settled, token

THUMB = "%F0%9F%91%8D"


def test_health_tells_the_time_and_the_version() -> None:
    body = RestHarness().request(http_event("GET", "/v1/health")).body
    assert (body["status"], body["version"]) == ("ok", VERSION)
    assert abs(body["time"] - now()) < 60_000


def test_a_ticket_is_good_for_its_user() -> None:
    harness = RestHarness()
    body = harness.call("POST", "/v1/tickets").body
    assert body["expires_in"] == 30
    assert redeem_ticket(body["ticket"], tickets=harness.stores.tickets, now=now()).user_id == "alice"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/v1/nothing"), ("DELETE", "/v1/tickets"), ("OPTIONS", "/v1/health")]
)
def test_unknown_paths_and_methods_are_404_in_the_apis_own_format(method: str, path: str) -> None:
    answered = RestHarness().call(method, path)
    assert (answered.status, answered.code, answered.body["retryable"]) == (404, "not_found", False)


def test_an_unexpected_error_is_a_clean_500_and_logged_without_its_text(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def explode(*_: object) -> None:
        raise RuntimeError("the canary text")

    monkeypatch.setattr(rest._API, "resolve", explode)
    answer = rest.handler(http_event("GET", "/v1/health"))
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (500, "internal")
    assert "RuntimeError" in logged(caplog)
    assert "canary" not in logged(caplog)


def test_an_unexpected_error_in_a_route_is_logged_without_its_text(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def explode(*_: object, **__: object) -> None:
        raise RuntimeError("the canary text")

    monkeypatch.setattr("functions.rest.api.issue_ticket", explode)
    monkeypatch.setattr("functions.rest.wiring.Wiring.caller", lambda *_: None)
    answer = rest.handler(http_event("POST", "/v1/tickets", token="x"))
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (500, "internal")
    assert "RuntimeError" in logged(caplog)
    assert "canary" not in logged(caplog)


@pytest.mark.parametrize("path", [DM, "dm%3Aalice%3Abob", "dm%3aalice%3Abob"])
def test_ids_in_paths_are_decoded_once(path: str) -> None:
    assert settled().call("GET", f"/v1/conversations/{path}").body["id"] == DM


def test_an_id_that_is_encoded_twice_names_something_else() -> None:
    assert settled().call("GET", "/v1/conversations/dm%253Aalice%253Abob").code == "not_a_member"


@pytest.mark.parametrize("emoji", [THUMB, "👍", "%F0%9F%91%8D%F0%9F%8F%BD", "%3A%2B1%3A"])
def test_an_emoji_is_found_encoded_and_as_a_gateway_might_have_decoded_it(harness: RestHarness, emoji: str) -> None:
    body = harness.call("PUT", f"/v1/conversations/{DM}/messages/2/reactions/{emoji}").body
    assert body["emoji"] in {"👍", "👍🏽", ":+1:"}
    message = harness.call("GET", f"/v1/conversations/{DM}/messages/2").body
    assert message["reactions"] == {body["emoji"]: ["alice"]}


@pytest.mark.parametrize("seq", ["1.0", "+1", "%201", "1_0", "0x1", "9" * 5_000, "%F0%9F%91%8D", "%D9%A1"])
def test_a_seq_is_digits_and_nothing_else(seq: str) -> None:
    answered = settled().call("GET", f"/v1/conversations/{DM}/messages/{seq}")
    assert (answered.status, answered.code) == (400, "bad_request")


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"limit": ""},
        {"limit": " "},
        {"limit": "1.0"},
        {"limit": "1,2"},
        {"before": "-1"},
        {"after": "x"},
        {"after": ""},
    ],
    ids=str,
)
def test_bad_bounds_are_a_bad_request(query: dict[str, str]) -> None:
    answered = settled().call("GET", f"/v1/conversations/{DM}/messages", query=query)
    assert (answered.status, answered.code) == (400, "bad_request")


@pytest.mark.parametrize(
    ("method", "path", "body", "told"),
    [
        ("POST", "/v1/conversations", {"with": "bob"}, "body.type: should be one of 'private', 'group', 'channel'"),
        (
            "POST",
            "/v1/conversations",
            {"type": "x", "with": "bob"},
            "body: should be one of 'private', 'group', 'channel'",
        ),
        ("PUT", "/v1/devices/phone", {"token": "t"}, "body.platform: should be one of 'fcm', 'apns'"),
        ("GET", f"/v1/conversations/{DM}/messages/x", None, "path.seq: a whole number is needed"),
        ("PATCH", "/v1/contacts/bob", {}, "body: name at least one of status, alias"),
    ],
    ids=str,
)
def test_a_bad_request_says_in_plain_words_what_is_needed(method: str, path: str, body: Any, told: str) -> None:
    answered = settled().call(method, path, body=body)
    assert (answered.code, answered.body["error"]) == ("bad_request", told)


def test_a_parameter_given_twice_is_a_bad_request() -> None:
    event = http_event("GET", "/v1/conversations", token=token())
    event |= {"rawQueryString": "limit=1&limit=2", "queryStringParameters": {"limit": "1,2"}}
    assert settled().request(event).code == "bad_request"


def test_users_named_in_two_parameters_are_a_bad_request() -> None:
    event = http_event("GET", "/v1/presence", token=token())
    event |= {"rawQueryString": "users=bob&users=carol", "queryStringParameters": {"users": "bob,carol"}}
    assert settled().request(event).code == "bad_request"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_is_json_whatever_it_calls_itself(harness: RestHarness, content_type: str | None) -> None:
    event = http_event("POST", "/v1/contacts", token=token(), body={"user_id": "bob"})
    del event["headers"]["content-type"]
    event["headers"] |= {} if content_type is None else {"Content-Type": content_type}
    assert harness.request(event).status == 201
    assert harness.request({**event, "body": "user_id=bob"}).code == "bad_request"


def test_a_body_in_base64_is_decoded() -> None:
    event = http_event("POST", f"/v1/conversations/{DM}/messages", token=token())
    body = base64.b64encode('{"content": "ö👍"}'.encode()).decode()
    harness = settled()
    assert harness.request({**event, "body": body, "isBase64Encoded": True}).status == 201
    assert harness.stores.entries(DM)[-1].content == "ö👍"


def test_bytes_that_are_no_utf_8_are_a_bad_request() -> None:
    event = http_event("POST", f"/v1/conversations/{DM}/messages", token=token())
    body = base64.b64encode(b'{"content": "\xff"}').decode()
    assert settled().request({**event, "body": body, "isBase64Encoded": True}).code == "bad_request"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/conversations", {"type": "canary" * 1_000, "with": "bob"}),
        ("/v1/conversations", {"type": "private", "with": "canary " * 1_000}),
        (f"/v1/conversations/{DM}/messages", {"content": "x", "message_type": "canary"}),
        (f"/v1/conversations/{DM}/messages", {"content": ["canary"]}),
        (f"/v1/conversations/{DM}/read", {"seq": "canary"}),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_wrong_is_explained_without_quoting_it(path: str, body: dict[str, Any]) -> None:
    answered = settled().call("POST", path, body=body)
    assert answered.code == "bad_request"
    assert answered.body["error"].startswith("body")
    assert "canary" not in answered.body["error"]


@pytest.mark.parametrize(
    "sent",
    [b'{"content":"\xff"}', b'{"content":"\xc0\xaf"}', b'{"content":"\xed\xa0\x80"}', b'{"content":"\xe2\x82 x \xff"}'],
)
def test_what_the_gateway_has_put_for_bytes_that_are_no_utf_8_is_told_by_the_length(sent: bytes) -> None:
    event = http_event("POST", f"/v1/conversations/{DM}/messages", token=token())
    event["headers"] |= {"content-type": "application/json", "content-length": str(len(sent))}
    harness = settled()
    assert harness.request({**event, "body": sent.decode(errors="replace")}).code == "bad_request"
    honest = '{"content":"\ufffd"}'
    event["headers"] |= {"content-length": str(len(honest.encode()))}
    assert harness.request({**event, "body": honest}).status == 201
    del event["headers"]["content-length"]
    assert harness.request({**event, "body": honest}).status == 201


@pytest.mark.parametrize(
    "text", ['{"content":"\\ud83d"}', '{"content":"x","client_message_id":"\\udc00"}', '{"\\ud800":1}']
)
def test_half_a_surrogate_pair_is_a_bad_request_also_as_an_escape(text: str) -> None:
    event = http_event("POST", f"/v1/conversations/{DM}/messages", token=token())
    assert settled().request({**event, "body": text}).code == "bad_request"


GETS = sorted(path for method, path, _ in operations().values() if method == "GET")


@pytest.mark.parametrize("path", GETS)
def test_head_is_answered_as_get_without_a_body(path: str) -> None:
    target = re.sub(
        r"\{(\w+)\}", lambda found: {"conversation_id": DM, "seq": "2", "user_id": "bob"}.get(found[1], "f"), path
    )
    query = {"users": "bob"} if path.endswith("presence") else None
    harness = settled()
    asked, heard = (
        respond(http_event(method, target, token=token(), query=query), harness.api) for method in ("GET", "HEAD")
    )
    assert (heard["statusCode"], heard["body"]) == (asked["statusCode"], "")
    length = {"Content-Length": heard["headers"].pop("Content-Length")}
    assert heard["headers"] == asked["headers"]
    if path != "/v1/health":  # which says the time
        assert length["Content-Length"] == str(len(asked["body"].encode()))


def test_head_of_what_can_t_be_got_is_not_found() -> None:
    answered = respond(http_event("HEAD", "/v1/tickets", token=token()), settled().api)
    assert (answered["statusCode"], answered["body"]) == (404, "")
