"""The local FCM, asked by clients."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import google.auth.transport.requests
import pytest
import requests
from google.auth.exceptions import RefreshError
from google.oauth2 import service_account

from local.providers.serving import Providers
from tests.local.provider_clients import Google
from tests.local.provider_clients import google as google_client

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
MESSAGING = "https://www.googleapis.com/auth/firebase.messaging"


@pytest.fixture
def fcm(server: Providers) -> Iterator[Google]:
    """A client with an access token."""
    with google_client(server) as client:
        client.sign_in()
        yield client


def fcm_code(error: dict[str, Any]) -> str | None:
    return next((detail["errorCode"] for detail in error.get("details", ()) if detail["@type"] == FCM_ERROR), None)


def violated(error: dict[str, Any]) -> str | None:
    kind = "type.googleapis.com/google.rpc.BadRequest"
    for detail in error.get("details", ()):
        if detail["@type"] == kind:
            field: str | None = detail["fieldViolations"][0].get("field")
            return field
    return None


def session_of(server: Providers, **changes: str) -> Any:
    account = json.loads(server.fcm_secret) | changes
    # Google's library has no types.
    credentials_of: Any = service_account.Credentials.from_service_account_info
    authorized: Any = google.auth.transport.requests.AuthorizedSession
    signing_in = requests.Session()
    signing_in.verify, signing_in.trust_env = str(server.ca_file), False
    session = authorized(
        credentials_of(account, scopes=[MESSAGING]), auth_request=google.auth.transport.requests.Request(signing_in)
    )
    session.verify, session.trust_env = str(server.ca_file), False
    return session


def test_googles_own_library_signs_in_and_sends(server: Providers) -> None:
    with session_of(server) as session:
        url = f"{server.fcm_endpoint}/v1/projects/parley-local/messages:send"
        answer = session.post(url, json={"message": {"token": "phone", "data": {"a": "b"}}}, timeout=10)
    assert answer.json()["name"].startswith("projects/parley-local/messages/")
    [push] = server.pushes()
    assert (push.provider, push.environment, push.token) == ("fcm", None, "phone")
    assert push.payload == {"token": "phone", "data": {"a": "b"}}
    assert abs(push.received_at - time.time() * 1000) < 60_000


def test_another_accounts_key_gets_no_access_token(server: Providers, tmp_path: Path) -> None:
    with Providers(tmp_path) as stranger:
        foreign = json.loads(stranger.fcm_secret)["private_key"]
    with session_of(server, private_key=foreign) as session, pytest.raises(RefreshError, match="invalid_grant"):
        session.post(f"{server.fcm_endpoint}/v1/projects/parley-local/messages:send", json={}, timeout=10)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"aud": "https://elsewhere.example/token"}, "invalid_grant"),
        ({"iss": "somebody@else.example"}, "invalid_grant"),
        ({"iat": int(time.time()) - 7200, "exp": int(time.time()) - 3600}, "invalid_grant"),
        ({"exp": int(time.time()) + 90_000}, "invalid_grant"),
        ({"scope": "https://www.googleapis.com/auth/drive"}, "invalid_scope"),
    ],
)
def test_an_assertion_that_says_the_wrong_thing_is_refused(fcm: Google, changes: dict[str, Any], error: str) -> None:
    answer = fcm.grant(fcm.assertion(**changes))
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_an_assertion_without_a_signature_is_refused(fcm: Google) -> None:
    header, claims, _ = fcm.assertion().split(".")
    assert fcm.grant(f"{header}.{claims}.").json()["error"] == "invalid_grant"


def test_other_grants_are_refused(fcm: Google) -> None:
    assert fcm.grant("", grant_type="password").json()["error"] == "unsupported_grant_type"


def test_googles_own_audience_is_taken_as_its_library_names_it(fcm: Google) -> None:
    answer = fcm.grant(fcm.assertion(aud="https://oauth2.googleapis.com/token"))
    assert (answer.status_code, answer.json()["expires_in"]) == (200, 3600)


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer made-up", "Basic made-up"])
def test_without_a_known_access_token_nothing_is_sent(fcm: Google, authorization: str) -> None:
    fcm.http.headers["authorization"] = authorization
    answer = fcm.send(token="phone")
    assert (answer.status_code, answer.json()["error"]["status"]) == (401, "UNAUTHENTICATED")
    assert fcm.providers.pushes() == []


def test_another_project_is_denied(fcm: Google) -> None:
    answer = fcm.send("/v1/projects/other/messages:send", token="phone")
    assert (answer.status_code, answer.json()["error"]["status"]) == (403, "PERMISSION_DENIED")


def test_another_path_is_not_found(fcm: Google) -> None:
    assert fcm.send("/v1/projects/parley-local/messages", token="phone").status_code == 404


def test_an_installation_is_a_target_too(fcm: Google) -> None:
    assert fcm.send(fid="installation").status_code == 200
    assert fcm.providers.pushes()[0].token == "installation"


@pytest.mark.parametrize("targets", [{}, {"token": "phone", "fid": "installation"}, {"topic": "news"}])
def test_a_message_has_exactly_one_device(fcm: Google, targets: dict[str, str]) -> None:
    error = fcm.send(**targets).json()["error"]
    assert (error["code"], error["status"], fcm_code(error)) == (400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")
    assert fcm.providers.pushes() == []


@pytest.mark.parametrize("token", ["", "two words", "x" * 4097, 7])
def test_a_token_that_is_none_is_named_as_the_wrong_field(fcm: Google, token: Any) -> None:
    error = fcm.send(token=token).json()["error"]
    assert (fcm_code(error), violated(error)) == ("INVALID_ARGUMENT", "message.token")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"message": {"token": "phone"}, "urgent": True}, None),
        ({"message": {"token": "phone", "badge": 1}}, "message"),
        ({"message": {"token": "phone", "android": {"notification": {"badge": 1}}}}, "message.android.notification"),
        ({"message": {"token": "phone", "notification": {"loc_key": "A"}}}, "message.notification"),
        ({"message": {"token": "phone", "android": {"priority": "urgent"}}}, "message.android.priority"),
        ({"message": {"token": "phone", "android": {"ttl": 60}}}, "message.android.ttl"),
        ({"message": {"token": "phone", "data": {"unread": 3}}}, "message.data[unread]"),
        ({"message": {"token": "phone", "android": "high"}}, "message.android"),
        ({"message": "hello"}, "message"),
    ],
)
def test_what_google_does_not_know_is_a_bad_request_and_not_the_tokens_fault(
    fcm: Google, body: dict[str, Any], field: str | None
) -> None:
    answer = fcm.request(body)
    error = answer.json()["error"]
    assert (answer.status_code, error["status"], fcm_code(error)) == (400, "INVALID_ARGUMENT", None)
    assert violated(error) == field


@pytest.mark.parametrize("key", ["from", "message_type", "google.x", "gcm.notification.x"])
def test_reserved_words_are_no_keys_of_data(fcm: Google, key: str) -> None:
    error = fcm.send(token="phone", data={key: "x"}).json()["error"]
    assert (fcm_code(error), violated(error)) == ("INVALID_ARGUMENT", "message.data")


def test_both_spellings_of_a_field_are_known(fcm: Google) -> None:
    assert fcm.send(token="phone", android={"collapseKey": "a", "ttl": "60.5s"}).status_code == 200
    assert fcm.send(token="phone", android={"collapse_key": "a", "priority": "high"}).status_code == 200


def test_4096_bytes_of_payload_are_taken_and_one_more_is_not(fcm: Google) -> None:
    room = 4096 - len('{"data":{"a":""}}')
    assert fcm.send(token="phone", data={"a": "x" * room}).status_code == 200
    error = fcm.send(token="phone", data={"a": "x" * (room + 1)}).json()["error"]
    assert (error["code"], fcm_code(error), error["message"]) == (400, "INVALID_ARGUMENT", "Android message is too big")


def test_a_body_that_is_no_json_is_refused(fcm: Google) -> None:
    url = f"{fcm.providers.fcm_endpoint}/v1/projects/parley-local/messages:send"
    assert fcm.http.post(url, content=b"{").json()["error"]["status"] == "INVALID_ARGUMENT"


def test_a_message_to_validate_is_not_sent(fcm: Google) -> None:
    assert fcm.request({"message": {"token": "phone"}, "validate_only": True}).status_code == 200
    assert fcm.providers.pushes() == []


@pytest.mark.parametrize(
    ("code", "status", "name"),
    [
        ("UNREGISTERED", 404, "NOT_FOUND"),
        ("SENDER_ID_MISMATCH", 403, "PERMISSION_DENIED"),
        ("QUOTA_EXCEEDED", 429, "RESOURCE_EXHAUSTED"),
        ("THIRD_PARTY_AUTH_ERROR", 401, "UNAUTHENTICATED"),
        ("UNAVAILABLE", 503, "UNAVAILABLE"),
        ("INTERNAL", 500, "INTERNAL"),
    ],
)
def test_a_code_comes_with_its_status(fcm: Google, code: str, status: int, name: str) -> None:
    fcm.providers.behave("fcm", reason=code, headers={"retry-after": "30"})
    answer = fcm.send(token="phone")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["status"], fcm_code(error)) == (status, status, name, code)
    assert answer.headers["retry-after"] == "30"


def test_a_bare_status_has_no_code_of_fcm(fcm: Google) -> None:
    fcm.providers.behave("fcm", status=503)
    error = fcm.send(token="phone").json()["error"]
    assert (error["status"], fcm_code(error)) == ("UNAVAILABLE", None)


def test_the_field_that_is_to_blame_can_be_told(fcm: Google) -> None:
    fcm.providers.behave("fcm", reason="INVALID_ARGUMENT", field="message.token")
    error = fcm.send(token="phone").json()["error"]
    assert (fcm_code(error), violated(error)) == ("INVALID_ARGUMENT", "message.token")


def test_the_token_endpoint_can_be_told_on_its_own(fcm: Google) -> None:
    fcm.providers.behave("oauth", status=503)
    assert fcm.grant(fcm.assertion()).json()["error"] == "internal_failure"
    assert fcm.send(token="phone").status_code == 200


def test_connections_are_kept(fcm: Google) -> None:
    before = fcm.providers.connections("fcm")
    for _ in range(5):
        fcm.send(token="phone")
    assert fcm.providers.connections("fcm") == before


def test_every_request_is_recorded_with_its_answer(fcm: Google) -> None:
    fcm.providers.clear()
    fcm.send(token="phone")
    fcm.send(token="phone", badge=1)
    fcm.grant("nonsense")
    asked = [(asked.provider, asked.token, asked.status, asked.reason) for asked in fcm.providers.requests()]
    assert asked == [
        ("fcm", "phone", 200, None),
        ("fcm", "phone", 400, "INVALID_ARGUMENT"),
        ("oauth", None, 400, "invalid_grant"),
    ]
