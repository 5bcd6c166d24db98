"""The APNs adapter against a server that speaks Apple's protocol: payloads, every reason, and what goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest

from functions.offline_push.apns.gateway import OUR_CREDENTIALS, REASONS, ApnsGateway, result_of
from functions.offline_push.apns.http2 import Answer
from functions.offline_push.apns.provider_token import PERIOD_S
from local.providers.apns import STATUSES
from local.providers.serving import Providers
from shared.domain.devices import SANDBOX
from shared.domain.pushes import BadTarget, Busy, Misconfigured, PushResult, Refused, Sent, Unregistered, Wording
from tests.fakes import FakeClock
from tests.functions.offline_push.gateway_harness import GatewayHarness
from tests.functions.offline_push.pushes import (
    APNS_TOKEN,
    BRIEF,
    CANARIES,
    HOUR,
    PATIENT,
    TEXT,
    Secret,
    all_at_once,
    apns_push,
    everything_logged,
    now_ms,
)

MINUTE = 60_000
OTHER_TOKEN = "0123456789abcdef" * 4


def half_hour() -> int:
    """When the current one began (ms)."""
    return now_ms() - now_ms() % (PERIOD_S * 1_000)


def provider_tokens(harness: GatewayHarness[ApnsGateway]) -> list[str]:
    return [request.headers["authorization"] for request in harness.asked()]


@pytest.fixture
def harness(providers: Providers) -> Iterator[GatewayHarness[ApnsGateway]]:
    harness = GatewayHarness(ApnsGateway, providers)
    yield harness
    for gateway in harness.made:
        gateway.close()


@pytest.mark.parametrize(("badge", "push_type"), [(0, "alert"), (7, "alert"), (None, "background")])
def test_what_is_taken_off_shows_nothing_and_corrects_the_icon(
    harness: GatewayHarness[ApnsGateway], badge: int | None, push_type: str
) -> None:
    push = apns_push(withdraws=True, badge=badge, wording=Wording(None))
    assert harness.gateway().push(push) == Sent()
    (received,) = harness.providers.pushes()
    assert received.headers["apns-push-type"] == push_type
    assert (received.headers["apns-priority"], received.headers["apns-collapse-id"]) == ("5", "c" * 64)
    icon = {} if badge is None else {"badge": badge}
    assert received.payload["aps"] == {"content-available": 1, **icon}
    assert received.payload["parley"] == {"conversation_id": "dm:alice:bob", "seq": "12"}


def test_apple_gets_the_push_with_its_headers(harness: GatewayHarness[ApnsGateway]) -> None:
    push = apns_push()
    assert harness.gateway().push(push) == Sent()
    (received,) = harness.providers.pushes()
    assert (received.environment, received.token) == ("production", APNS_TOKEN)
    assert received.headers == {
        "apns-id": push.push_id,
        "apns-collapse-id": "c" * 64,
        "apns-topic": "com.example.chat",
        "apns-push-type": "alert",
        "apns-priority": "10",
        "apns-expiration": str(push.expires_at // 1_000),
    }
    assert received.payload == {
        "aps": {
            "alert": {"title-loc-key": "message_title", "title-loc-args": ["Alice"], "body": TEXT},
            "badge": 7,
            "thread-id": "thread-1",
            "sound": "default",
            "mutable-content": 1,
        },
        "parley": {"conversation_id": "dm:alice:bob", "seq": "12"},
    }


def test_texts_go_as_they_are_and_keys_as_keys(harness: GatewayHarness[ApnsGateway]) -> None:
    harness.gateway().push(apns_push(wording=Wording(None, ("unused",), title="Team", body_key="message_body")))
    alert = harness.providers.pushes()[0].payload["aps"]["alert"]
    assert alert == {"title": "Team", "loc-key": "message_body"}


@pytest.mark.parametrize(("badge", "shown"), [(None, None), (0, 0)])
def test_an_unknown_badge_is_left_out_and_none_left_is_zero(
    harness: GatewayHarness[ApnsGateway], badge: int | None, shown: int | None
) -> None:
    harness.gateway().push(apns_push(badge=badge))
    assert harness.providers.pushes()[0].payload["aps"].get("badge") == shown


def test_the_sandbox_is_another_place(harness: GatewayHarness[ApnsGateway]) -> None:
    push = apns_push()
    push = replace(push, target=replace(push.target, environment=SANDBOX))
    assert harness.gateway().push(push) == Sent()
    assert harness.providers.pushes()[0].environment == "sandbox"


def test_what_has_expired_is_not_stored(harness: GatewayHarness[ApnsGateway]) -> None:
    assert harness.gateway().push(apns_push(expires_at=-1)) == Sent()
    assert harness.providers.pushes()[0].headers["apns-expiration"] == "0"


EXPECTED: dict[str, PushResult] = {
    "BadCollapseId": Refused("BadCollapseId"),
    "BadDeviceToken": BadTarget("BadDeviceToken"),
    "BadExpirationDate": Refused("BadExpirationDate"),
    "BadMessageId": Refused("BadMessageId"),
    "BadPriority": Refused("BadPriority"),
    "BadTopic": Misconfigured("BadTopic"),
    "DeviceTokenNotForTopic": Misconfigured("DeviceTokenNotForTopic"),
    "DuplicateHeaders": Refused("DuplicateHeaders"),
    "IdleTimeout": Busy("IdleTimeout", whole_provider=False),
    "InvalidPushType": Refused("InvalidPushType"),
    "MissingDeviceToken": Refused("MissingDeviceToken"),
    "MissingTopic": Misconfigured("MissingTopic"),
    "PayloadEmpty": Refused("PayloadEmpty"),
    "TopicDisallowed": Misconfigured("TopicDisallowed"),
    "BadCertificate": Misconfigured("BadCertificate"),
    "BadCertificateEnvironment": Misconfigured("BadCertificateEnvironment"),
    "BadEnvironmentKeyIdInToken": Misconfigured("BadEnvironmentKeyIdInToken"),
    "ExpiredProviderToken": Misconfigured("ExpiredProviderToken"),
    "Forbidden": Misconfigured("Forbidden"),
    "InvalidProviderToken": Misconfigured("InvalidProviderToken"),
    "MissingProviderToken": Misconfigured("MissingProviderToken"),
    "UnrelatedKeyIdInToken": Misconfigured("UnrelatedKeyIdInToken"),
    "BadPath": Refused("BadPath"),
    "MethodNotAllowed": Refused("MethodNotAllowed"),
    "ExpiredToken": Unregistered("ExpiredToken", 1_700_000_000_123),
    "Unregistered": Unregistered("Unregistered", 1_700_000_000_123),
    "PayloadTooLarge": Refused("PayloadTooLarge"),
    "TooManyProviderTokenUpdates": Busy("TooManyProviderTokenUpdates"),
    "TooManyRequests": Busy("TooManyRequests", whole_provider=False),
    "InternalServerError": Busy("InternalServerError"),
    "ServiceUnavailable": Busy("ServiceUnavailable"),
    "Shutdown": Busy("Shutdown"),
}


@pytest.mark.parametrize(("reason", "expected"), EXPECTED.items(), ids=EXPECTED)
def test_each_reason_is_what_apple_says_it_means(
    harness: GatewayHarness[ApnsGateway], reason: str, expected: PushResult
) -> None:
    timestamp = 1_700_000_000_123 if isinstance(expected, Unregistered) else None
    harness.providers.behave("apns", reason=reason, timestamp=timestamp)
    assert harness.gateway().push(apns_push()) == expected
    assert len(harness.asked()) == (2 if reason == "ExpiredProviderToken" else 1)


def test_every_reason_of_the_table_is_tested() -> None:
    assert set(REASONS) == set(EXPECTED)
    assert set(STATUSES) <= set(REASONS)  # all that the server knows
    assert set(REASONS) >= OUR_CREDENTIALS


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, Refused("BrandNew")),
        (403, Misconfigured("BrandNew")),
        (404, Refused("BrandNew")),
        (410, Unregistered("BrandNew")),
        (429, Busy("BrandNew", whole_provider=False)),
        (500, Busy("BrandNew")),
        (599, Busy("BrandNew")),
    ],
)
def test_an_unknown_reason_is_what_the_status_says(
    harness: GatewayHarness[ApnsGateway], status: int, expected: PushResult
) -> None:
    harness.providers.behave("apns", status=status, reason="BrandNew")
    assert harness.gateway().push(apns_push()) == expected


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'"text"', b'{"reason": 7}', b'{"reason": "a sentence with a token"}', b"\xff"]
)
def test_a_body_without_a_reason_leaves_the_status(body: bytes) -> None:
    assert result_of(Answer(503, {}, body), now=0) == Busy("status_503")
    assert result_of(Answer(410, {}, body), now=0) == Unregistered("status_410")
    assert result_of(Answer(400, {}, body), now=0) == Refused("status_400")
    assert result_of(Answer(302, {}, body), now=0) == Busy("status_302")


@pytest.mark.parametrize("timestamp", ['"soon"', "true", "null", "1.5"])
def test_a_time_that_is_none_is_left_out(timestamp: str) -> None:
    body = f'{{"reason": "Unregistered", "timestamp": {timestamp}}}'.encode()
    assert result_of(Answer(410, {}, body), now=0) == Unregistered("Unregistered")


@pytest.mark.parametrize("reason", ["TooManyRequests", "ServiceUnavailable"])
def test_the_provider_says_how_long_to_wait(harness: GatewayHarness[ApnsGateway], reason: str) -> None:
    harness.providers.behave("apns", reason=reason, headers={"retry-after": "7000"})
    result = harness.gateway().push(apns_push())
    assert isinstance(result, Busy)
    assert result.retry_after_ms == 7_000_000


def test_it_may_say_until_when() -> None:
    now = 1_795_431_200_000
    answer = Answer(503, {"retry-after": formatdate(now / 1_000 + 90, usegmt=True)}, b'{"reason": "Shutdown"}')
    assert result_of(answer, now=now) == Busy("Shutdown", 90_000)


def test_a_token_of_the_other_environment_is_a_bad_target(harness: GatewayHarness[ApnsGateway]) -> None:
    harness.providers.put_token(APNS_TOKEN, environment="sandbox")
    assert harness.gateway().push(apns_push()) == BadTarget("BadDeviceToken")


def test_a_token_of_another_app_is_kept_and_somebody_has_to_look(harness: GatewayHarness[ApnsGateway]) -> None:
    harness.providers.put_token(APNS_TOKEN, topic="com.example.other")
    assert harness.gateway().push(apns_push()) == Misconfigured("DeviceTokenNotForTopic")


def test_a_device_without_an_app_is_misconfigured(harness: GatewayHarness[ApnsGateway]) -> None:
    assert harness.gateway().push(apns_push(app_id=None)) == Misconfigured("MissingTopic")


# -- what goes wrong on the way ---------------------------------------------------------------------------------------


def test_after_a_stall_the_connection_is_not_trusted_any_more(harness: GatewayHarness[ApnsGateway]) -> None:
    gateway, before = harness.ready(BRIEF), harness.providers.connections("apns")
    harness.providers.behave("apns", do="stall", times=1)
    assert gateway.push(apns_push()) == Busy("Timeout")
    assert gateway.push(apns_push()) == Sent()
    assert harness.providers.connections("apns") - before == 1


def test_one_that_stalls_holds_up_nobody_else(harness: GatewayHarness[ApnsGateway]) -> None:
    gateway = harness.ready(PATIENT)
    harness.providers.behave("apns", do="stall", token=OTHER_TOKEN, times=1)
    with ThreadPoolExecutor(1) as threads:
        stalled = threads.submit(gateway.push, apns_push(OTHER_TOKEN))
        assert {gateway.push(apns_push()) for _ in range(5)} == {Sent()}
        assert not stalled.done()
        harness.providers.hang_up("apns")
        assert stalled.result() == Sent()


def test_what_is_read_for_others_meanwhile_does_not_prolong_a_stall(harness: GatewayHarness[ApnsGateway]) -> None:
    gateway, before = harness.ready(BRIEF), harness.providers.connections("apns")
    harness.providers.behave("apns", do="stall", token=OTHER_TOKEN)
    others: list[PushResult] = []
    with ThreadPoolExecutor(1) as threads:
        stalled = threads.submit(gateway.push, apns_push(OTHER_TOKEN))
        while not stalled.done():
            others.append(gateway.push(apns_push()))
        assert stalled.result() == Busy("Timeout")
    assert others.count(Sent()) > 1
    assert gateway.push(apns_push()) == Sent()
    assert harness.providers.connections("apns") - before == 1  # nor is the old one trusted any more


def test_a_lost_connection_is_replaced_once_and_the_same_push_sent_again(harness: GatewayHarness[ApnsGateway]) -> None:
    gateway, push = harness.ready(PATIENT), apns_push()
    harness.providers.behave("apns", do="drop", times=1)
    assert gateway.push(push) == Sent()
    assert [request.status for request in harness.asked()] == [None, 200]
    assert {request.headers["apns-id"] for request in harness.asked()} == {push.push_id}


def test_many_at_once_survive_the_loss_of_their_connection(harness: GatewayHarness[ApnsGateway]) -> None:
    gateway = harness.ready(PATIENT)
    harness.providers.behave("apns", do="drop", times=1)
    assert set(all_at_once(gateway, [apns_push() for _ in range(8)])) == {Sent()}


def test_many_pushes_share_a_connection(harness: GatewayHarness[ApnsGateway]) -> None:
    gateway, before = harness.gateway(), harness.providers.connections("apns")
    assert {gateway.push(apns_push()) for _ in range(20)} == {Sent()}
    assert harness.providers.connections("apns") - before == 1


def test_pushes_from_many_threads_share_a_connection(harness: GatewayHarness[ApnsGateway]) -> None:
    gateway, before = harness.gateway(), harness.providers.connections("apns")
    pushes = [apns_push(f"{number:064x}") for number in range(24)]
    for batch in (pushes[:8], pushes[8:16], pushes[16:]):
        assert set(all_at_once(gateway, batch)) == {Sent()}
    assert harness.providers.connections("apns") - before == 1
    assert {push.token: push.headers["apns-id"] for push in harness.providers.pushes()} == {
        push.target.token: push.push_id for push in pushes
    }


def test_a_server_that_speaks_no_http2_is_busy(harness: GatewayHarness[ApnsGateway]) -> None:
    fcm = harness.providers.fcm_endpoint  # which speaks HTTP/1.1 only
    answer = harness.gateway(endpoint=f"{fcm},{fcm}").push(apns_push())
    assert answer in {Busy("TlsError"), Busy("NoConnection")}  # by whether the server says why before it hangs up


# -- the provider token and the key -----------------------------------------------------------------------------------


def test_all_lambdas_bring_the_very_same_token(harness: GatewayHarness[ApnsGateway]) -> None:
    for second in (0, 1, PERIOD_S - 1):
        assert harness.gateway(now=FakeClock(half_hour() + second * 1_000)).push(apns_push()) == Sent()
    assert len(provider_tokens(harness)) == 3
    assert len(set(provider_tokens(harness))) == 1


def test_a_token_that_apple_finds_too_old_is_replaced_once(harness: GatewayHarness[ApnsGateway]) -> None:
    push = apns_push()
    harness.providers.behave("apns", reason="ExpiredProviderToken", times=1)
    gateway = harness.gateway(now=FakeClock(half_hour() - 20 * MINUTE))
    assert gateway.push(push) == Sent()
    old, new = provider_tokens(harness)
    assert old != new
    assert {request.headers["apns-id"] for request in harness.asked()} == {push.push_id}
    assert gateway.push(push) == Sent()
    assert provider_tokens(harness)[-1] == new


def test_a_clock_that_is_wrong_does_not_make_a_new_token_with_each_push(harness: GatewayHarness[ApnsGateway]) -> None:
    gateway = harness.gateway(now=FakeClock(half_hour() - 2 * HOUR + MINUTE))
    for _ in range(3):
        assert gateway.push(apns_push()) == Misconfigured("ExpiredProviderToken")
    assert len(set(provider_tokens(harness))) == 2


def test_a_rotated_key_is_picked_up_and_looked_for_once_a_minute_at_most(harness: GatewayHarness[ApnsGateway]) -> None:
    good = harness.providers.apns_secret
    secret, clock = Secret(json.dumps(json.loads(good) | {"key_id": "OLDKEY0001"})), FakeClock(now_ms())
    gateway = harness.gateway(secret=secret, now=clock)
    for _ in range(5):
        assert gateway.push(apns_push()) == Misconfigured("InvalidProviderToken")
    assert secret.reads == 1
    secret.text = good
    clock.advance(MINUTE - 1)
    assert gateway.push(apns_push()) == Misconfigured("InvalidProviderToken")
    clock.advance(1)
    assert gateway.push(apns_push()) == Sent()
    assert secret.reads == 2


def test_without_an_endpoint_it_is_apples_own() -> None:
    gateway = ApnsGateway(str, endpoint="", ca_file="")
    assert gateway._origins == {
        "production": "https://api.push.apple.com",
        "sandbox": "https://api.sandbox.push.apple.com",
    }


# -- sizes and secrets ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["\U0001f600" * 5_000, 'ä"\n' * 100_000], ids=["emoji", "huge"])
def test_a_long_body_is_shortened_to_what_apple_takes(harness: GatewayHarness[ApnsGateway], body: str) -> None:
    assert harness.gateway().push(apns_push(wording=Wording("k", ("Alice",), body=body))) == Sent()
    (received,) = harness.providers.pushes()
    shown = received.payload["aps"]["alert"]["body"]
    assert shown.endswith("…")
    assert body.startswith(shown.removesuffix("…"))
    assert 4_085 < len(json.dumps(received.payload, ensure_ascii=False, separators=(",", ":")).encode()) <= 4_096


def test_what_is_no_text_is_refused(harness: GatewayHarness[ApnsGateway]) -> None:
    assert harness.gateway().push(apns_push(wording=Wording(None, title="\ud800"))) == Refused("InvalidMessage")


@pytest.mark.parametrize(
    "told",
    [{}, {"reason": "BadDeviceToken"}, {"reason": "InvalidProviderToken"}, {"do": "drop"}, {"do": "stall"}],
    ids=str,
)
def test_no_token_no_text_and_no_secret_in_logs_and_results(
    harness: GatewayHarness[ApnsGateway], told: dict[str, Any]
) -> None:
    with everything_logged() as logged:
        gateway = harness.gateway(timeouts=replace(PATIENT, connect_s=0.5, read_s=0.5))
        if told:
            harness.providers.behave("apns", **told)
        result = gateway.push(apns_push())
        text = f"{result!r} {gateway!r} {logged()}"
    assert not [canary for canary in CANARIES if canary.lower() in text.lower()]
