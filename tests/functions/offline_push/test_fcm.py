"""The FCM adapter against a server that speaks FCM's protocol: payloads, every error, and what goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest

from functions.offline_push.fcm.gateway import CODES, FcmGateway, message_for
from functions.offline_push.providers import Timeouts
from local.providers.serving import Providers
from shared.domain.pushes import Busy, Misconfigured, PushResult, Refused, Sent, Unregistered, Wording
from tests.fakes import FakeClock
from tests.functions.offline_push.gateway_harness import GatewayHarness
from tests.functions.offline_push.pushes import (
    CANARIES,
    FCM_TOKEN,
    HOUR,
    PATIENT,
    TEXT,
    Secret,
    all_at_once,
    everything_logged,
    fcm_push,
    now_ms,
)

MINUTE = 60_000


@pytest.fixture
def harness(providers: Providers) -> Iterator[GatewayHarness[FcmGateway]]:
    harness = GatewayHarness(FcmGateway, providers)
    yield harness
    for gateway in harness.made:
        gateway.close()


@pytest.mark.parametrize(("badge", "push_type"), [(0, "alert"), (None, "background")])
def test_what_is_taken_off_is_data_alone_and_corrects_the_icon_of_ios(
    harness: GatewayHarness[FcmGateway], badge: int | None, push_type: str
) -> None:
    expires_at = now_ms() + HOUR
    push = fcm_push(expires_at=expires_at, withdraws=True, badge=badge, wording=Wording(None))
    assert harness.gateway(now=lambda: expires_at - HOUR).push(push) == Sent()
    (received,) = harness.providers.pushes()
    icon = {} if badge is None else {"badge": badge}
    assert received.payload == {
        "token": FCM_TOKEN,
        "data": {"conversation_id": "dm:alice:bob", "seq": "12"},
        "android": {"collapse_key": "c" * 64, "priority": "normal", "ttl": "3600s"},
        "apns": {
            "headers": {
                "apns-collapse-id": "c" * 64,
                "apns-expiration": str(expires_at // 1_000),
                "apns-push-type": push_type,
                "apns-priority": "5",
            },
            "payload": {"aps": {"content-available": 1, **icon}},
        },
    }


def test_fcm_gets_the_push_for_android_and_for_ios(harness: GatewayHarness[FcmGateway]) -> None:
    expires_at = now_ms() + HOUR
    assert harness.gateway(now=lambda: expires_at - HOUR).push(fcm_push(expires_at=expires_at)) == Sent()
    assert [received.payload for received in harness.providers.pushes()] == [
        {
            "token": FCM_TOKEN,
            "data": {"conversation_id": "dm:alice:bob", "seq": "12"},
            "android": {
                "collapse_key": "c" * 64,
                "priority": "high",
                "ttl": "3600s",
                "notification": {
                    "title_loc_key": "message_title",
                    "title_loc_args": ["Alice"],
                    "body": TEXT,
                    "tag": "c" * 64,
                    "notification_count": 3,
                },
            },
            "apns": {
                "headers": {"apns-collapse-id": "c" * 64, "apns-expiration": str(expires_at // 1_000)},
                "payload": {
                    "aps": {
                        "alert": {"title-loc-key": "message_title", "title-loc-args": ["Alice"], "body": TEXT},
                        "badge": 7,
                        "sound": "default",
                        "thread-id": "thread-1",
                        "mutable-content": 1,
                    }
                },
            },
        }
    ]


def test_an_installation_is_addressed_as_one(harness: GatewayHarness[FcmGateway]) -> None:
    assert harness.gateway().push(fcm_push("cXyZ-installation", is_installation=True)) == Sent()
    (received,) = harness.providers.pushes()
    assert received.payload["fid"] == "cXyZ-installation"
    assert "token" not in received.payload


def test_texts_go_as_they_are_and_keys_as_keys(harness: GatewayHarness[FcmGateway]) -> None:
    gateway = harness.gateway()
    gateway.push(fcm_push(wording=Wording(None, ("unused",), title="Team", body_key="message_body")))
    (received,) = harness.providers.pushes()
    notification = received.payload["android"]["notification"]
    assert (notification["title"], notification["body_loc_key"]) == ("Team", "message_body")
    assert not {"title_loc_args", "title_loc_key", "body"} & set(notification)
    assert received.payload["apns"]["payload"]["aps"]["alert"] == {"title": "Team", "loc-key": "message_body"}


def test_an_unknown_badge_is_left_out_and_something_is_always_unread(harness: GatewayHarness[FcmGateway]) -> None:
    harness.gateway().push(fcm_push(badge=None, unread=0))
    (received,) = harness.providers.pushes()
    assert "badge" not in received.payload["apns"]["payload"]["aps"]
    assert received.payload["android"]["notification"]["notification_count"] == 1


@pytest.mark.parametrize(
    ("expires_in", "ttl"), [(-HOUR, "0s"), (1_999, "1s"), (30 * 24 * HOUR, "2419200s")], ids=["past", "soon", "month"]
)
def test_fcm_keeps_it_until_it_expires_and_four_weeks_at_most(
    harness: GatewayHarness[FcmGateway], expires_in: int, ttl: str
) -> None:
    now = now_ms()
    assert harness.gateway(now=lambda: now).push(fcm_push(expires_at=now + expires_in)) == Sent()
    assert harness.providers.pushes()[0].payload["android"]["ttl"] == ttl


ERRORS: list[tuple[dict[str, Any], PushResult]] = [
    ({"reason": "UNREGISTERED"}, Unregistered("UNREGISTERED")),
    ({"reason": "INVALID_ARGUMENT", "field": "message.token"}, Unregistered("INVALID_ARGUMENT")),
    ({"reason": "INVALID_ARGUMENT", "field": "message.fid"}, Unregistered("INVALID_ARGUMENT")),
    ({"reason": "INVALID_ARGUMENT", "field": "message.android.ttl"}, Refused("INVALID_ARGUMENT")),
    ({"reason": "INVALID_ARGUMENT"}, Refused("INVALID_ARGUMENT")),
    ({"reason": "SENDER_ID_MISMATCH"}, Misconfigured("SENDER_ID_MISMATCH")),
    ({"reason": "THIRD_PARTY_AUTH_ERROR"}, Misconfigured("THIRD_PARTY_AUTH_ERROR")),
    ({"reason": "UNAUTHENTICATED", "status": 401}, Misconfigured("UNAUTHENTICATED")),
    ({"reason": "PERMISSION_DENIED", "status": 403}, Misconfigured("PERMISSION_DENIED")),
    ({"reason": "NOT_FOUND", "status": 404}, Misconfigured("NOT_FOUND")),
    ({"reason": "QUOTA_EXCEEDED"}, Busy("QUOTA_EXCEEDED")),
    ({"reason": "RESOURCE_EXHAUSTED", "status": 429}, Busy("RESOURCE_EXHAUSTED")),
    ({"reason": "UNAVAILABLE"}, Busy("UNAVAILABLE")),
    ({"reason": "INTERNAL"}, Busy("INTERNAL", whole_provider=False)),
    ({"reason": "DEADLINE_EXCEEDED", "status": 504}, Busy("DEADLINE_EXCEEDED", whole_provider=False)),
    # Statuses that Google's servers give without a code that is known here.
    ({"status": 400, "reason": "FAILED_PRECONDITION"}, Refused("INVALID_ARGUMENT")),
    ({"status": 409}, Refused("UNKNOWN")),
    ({"status": 502}, Busy("UNKNOWN", whole_provider=False)),
]


@pytest.mark.parametrize(("told", "expected"), ERRORS, ids=str)
def test_each_error_is_what_its_code_says(
    harness: GatewayHarness[FcmGateway], told: dict[str, Any], expected: PushResult
) -> None:
    harness.providers.behave("fcm", **told)
    assert harness.gateway().push(fcm_push()) == expected
    assert len(harness.asked()) == (2 if harness.asked()[0].status == 401 else 1)


def test_every_code_of_the_table_is_tested() -> None:
    # The one that is left has no request that it would be the answer to: test_fcm_answers has it.
    assert set(CODES) - {told.get("reason") for told, _ in ERRORS} == {"UNSPECIFIED_ERROR"}


@pytest.mark.parametrize("reason", ["QUOTA_EXCEEDED", "UNAVAILABLE", "INTERNAL"])
def test_the_provider_says_how_long_to_wait_and_nobody_sleeps(harness: GatewayHarness[FcmGateway], reason: str) -> None:
    harness.providers.behave("fcm", reason=reason, headers={"Retry-After": "7000"})
    result = harness.gateway().push(fcm_push())
    assert isinstance(result, Busy)
    assert result.retry_after_ms == 7_000_000
    assert len(harness.asked()) == 1


def test_it_may_say_until_when(harness: GatewayHarness[FcmGateway]) -> None:
    now = 1_795_431_200_000
    at = formatdate(now / 1_000 + 90, usegmt=True)
    harness.providers.behave("fcm", reason="UNAVAILABLE", headers={"Retry-After": at})
    assert harness.gateway(now=lambda: now).push(fcm_push()) == Busy("UNAVAILABLE", 90_000)


def test_a_malformed_token_is_found_out_by_the_providers_own_rules(harness: GatewayHarness[FcmGateway]) -> None:
    assert harness.gateway().push(fcm_push("two words")) == Unregistered("INVALID_ARGUMENT")


def test_another_project_is_not_ours(harness: GatewayHarness[FcmGateway]) -> None:
    secret = json.dumps(json.loads(harness.providers.fcm_secret) | {"project_id": "somebody-elses"})
    assert harness.gateway(secret=lambda: secret).push(fcm_push()) == Misconfigured("PERMISSION_DENIED")


def test_what_the_library_finds_malformed_is_refused_and_never_sent(harness: GatewayHarness[FcmGateway]) -> None:
    push = fcm_push(data={"seq": 12})  # not a string
    assert harness.gateway().push(push) == Refused("InvalidMessage")
    assert harness.gateway().push(fcm_push(wording=Wording(None, title="\ud800"))) == Refused("InvalidMessage")
    assert harness.gateway().push(fcm_push("")) == Refused("InvalidMessage")
    assert harness.asked() == []


# -- what goes wrong on the way ---------------------------------------------------------------------------------------


def test_a_lost_connection_is_replaced_once(harness: GatewayHarness[FcmGateway]) -> None:
    gateway = harness.ready(PATIENT)
    harness.providers.behave("fcm", do="drop", times=1)
    assert gateway.push(fcm_push()) == Sent()
    assert [request.status for request in harness.asked()] == [None, 200]


def test_many_pushes_share_a_connection_and_an_access_token(harness: GatewayHarness[FcmGateway]) -> None:
    gateway, before = harness.gateway(), harness.providers.connections("fcm")
    assert {gateway.push(fcm_push()) for _ in range(20)} == {Sent()}
    assert harness.providers.connections("fcm") - before == 2  # one for messages, one for the access token
    assert len(harness.asked("oauth")) == 1


def test_pushes_from_many_threads_wait_for_one_access_token(harness: GatewayHarness[FcmGateway]) -> None:
    gateway, before = harness.gateway(), harness.providers.connections("fcm")
    for _ in range(3):
        assert set(all_at_once(gateway, [fcm_push(f"token{n}") for n in range(8)])) == {Sent()}
    assert len(harness.asked("oauth")) == 1
    assert harness.providers.connections("fcm") - before <= 9
    assert len(harness.providers.pushes()) == 24


# -- access tokens and the key ----------------------------------------------------------------------------------------


def test_a_revoked_access_token_is_replaced_once(harness: GatewayHarness[FcmGateway]) -> None:
    gateway = harness.ready(PATIENT)
    harness.providers.behave("fcm", status=401, reason="UNAUTHENTICATED", times=1)
    assert gateway.push(fcm_push()) == Sent()
    assert len(harness.asked("oauth")) == 1


def test_a_refused_key_is_misconfigured(harness: GatewayHarness[FcmGateway]) -> None:
    harness.providers.behave("oauth", reason="invalid_grant")
    assert harness.gateway().push(fcm_push()) == Misconfigured("AccessTokenRefused")
    assert len(harness.asked("oauth")) == 1


@pytest.mark.parametrize("told", [{"status": 503}, {"status": 500}, {"status": 429}, {"reason": "server_error"}])
def test_a_token_endpoint_in_trouble_is_busy_and_not_asked_again(
    harness: GatewayHarness[FcmGateway], told: dict[str, Any]
) -> None:
    harness.providers.behave("oauth", **told, headers={"Retry-After": "30"})
    assert harness.gateway().push(fcm_push()) == Busy("AccessTokenUnavailable", 30_000)
    assert len(harness.asked("oauth")) == 1
    assert harness.asked() == []


def test_a_token_endpoint_that_stalls_is_given_up_by_all_who_wait_for_it(harness: GatewayHarness[FcmGateway]) -> None:
    gateway = harness.gateway(timeouts=Timeouts(connect_s=1, read_s=1))
    harness.providers.behave("oauth", do="stall")
    assert set(all_at_once(gateway, [fcm_push() for _ in range(4)])) == {Busy("AccessTokenUnavailable")}
    assert len(harness.asked("oauth")) == 1


def test_a_lost_connection_to_the_token_endpoint_is_replaced_once(harness: GatewayHarness[FcmGateway]) -> None:
    harness.providers.behave("oauth", do="drop", times=1)
    assert harness.gateway().push(fcm_push()) == Sent()
    harness.providers.behave("oauth", do="drop", times=2)
    assert harness.gateway().push(fcm_push()) == Busy("AccessTokenUnavailable")


def test_a_token_that_is_not_to_be_had_again_is_busy(harness: GatewayHarness[FcmGateway]) -> None:
    gateway = harness.ready(PATIENT)
    harness.providers.behave("fcm", status=401, reason="UNAUTHENTICATED")
    harness.providers.behave("oauth", status=503)
    assert gateway.push(fcm_push()) == Busy("AccessTokenUnavailable")


def test_a_rotated_key_is_picked_up_and_looked_for_once_a_minute_at_most(harness: GatewayHarness[FcmGateway]) -> None:
    secret, clock = Secret(harness.providers.fcm_secret), FakeClock(now_ms())
    gateway = harness.gateway(secret=secret, now=clock)
    harness.providers.behave("oauth", reason="invalid_grant")
    for _ in range(5):
        assert gateway.push(fcm_push()) == Misconfigured("AccessTokenRefused")
    assert secret.reads == 1
    harness.providers.behave_well()
    secret.text = json.dumps(json.loads(secret.text) | {"private_key_id": "another"})
    clock.advance(MINUTE)
    assert gateway.push(fcm_push()) == Sent()
    assert secret.reads == 2


@pytest.mark.parametrize("missing", ["private_key", "client_email", "token_uri", "project_id"])
def test_so_is_a_key_without_one_of_its_parts(harness: GatewayHarness[FcmGateway], missing: str) -> None:
    account = json.loads(harness.providers.fcm_secret)
    del account[missing]
    assert harness.gateway(secret=lambda: json.dumps(account)).push(fcm_push()) == Misconfigured("BadCredentials")


# -- sizes and secrets ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["\U0001f600" * 5_000, 'ä"\n' * 100_000], ids=["emoji", "huge"])
def test_a_long_body_is_shortened_to_what_fcm_takes(harness: GatewayHarness[FcmGateway], body: str) -> None:
    assert harness.gateway().push(fcm_push(wording=Wording("k", ("Alice",), body=body))) == Sent()
    (received,) = harness.providers.pushes()
    shown = received.payload["android"]["notification"]["body"]
    assert shown.endswith("…")
    assert body.startswith(shown.removesuffix("…"))
    rest = {name: value for name, value in received.payload.items() if name != "token"}
    assert 4_080 < len(json.dumps(rest, ensure_ascii=False, separators=(",", ":")).encode()) <= 4_096


def test_the_target_does_not_count(harness: GatewayHarness[FcmGateway]) -> None:
    assert harness.gateway().push(fcm_push("t" * 4_000)) == Sent()
    assert harness.providers.pushes()[0].payload["android"]["notification"]["body"] == TEXT


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"reason": "INVALID_ARGUMENT", "field": "message.token"},
        {"status": 401, "reason": "UNAUTHENTICATED"},
        {"reason": "UNAVAILABLE"},
        {"do": "drop"},
        {"do": "stall"},
    ],
    ids=str,
)
def test_no_token_no_text_and_no_secret_in_logs_and_results(
    harness: GatewayHarness[FcmGateway], told: dict[str, Any]
) -> None:
    with everything_logged() as logged:
        gateway = harness.gateway(timeouts=replace(PATIENT, read_s=0.5))
        if told:
            harness.providers.behave("fcm", **told)
        result = gateway.push(fcm_push())
        text = f"{result!r} {gateway!r} {logged()}"
    assert not [canary for canary in CANARIES if canary.lower() in text.lower()]


def test_a_message_is_addressed_by_token_without_the_librarys_warning() -> None:
    # Warnings are errors here: the message is made at all.
    assert message_for(fcm_push(), now=now_ms()).token == FCM_TOKEN
