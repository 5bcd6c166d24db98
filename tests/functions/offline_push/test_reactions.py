"""Every row of both providers' error tables, from the job to what is stored afterwards, through the real adapters.

The tables stand in docs/push.md: the device stays or goes, it is tried again or not, and an alarm is counted or not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from functions.offline_push.apns.gateway import ApnsGateway
from functions.offline_push.fcm.gateway import FcmGateway
from local.providers.serving import Providers
from shared.domain.devices import APNS, FCM, SANDBOX, Platform, PushTarget
from shared.operations.push.sending import Resting, push_all
from shared.ports.services import PushGateway
from tests.fakes import FakeClock
from tests.shared.operations.push.harness import MISCONFIGURED, REFUSED, PushHarness

FCM_TARGET = PushTarget(FCM, "registration-token")
APNS_TARGET = PushTarget(APNS, "ab" * 32, app_id="com.example.chat")


@dataclass(frozen=True)
class State:
    """What there is to see afterwards."""

    device: PushTarget | None
    is_tried_again: bool = False
    counted: tuple[str, ...] = ()


@pytest.fixture
def gateways(providers: Providers) -> Iterator[Callable[[Platform], PushGateway]]:
    ca_file = str(providers.ca_file)

    def now() -> int:
        return time.time_ns() // 1_000_000

    fcm = FcmGateway(lambda: providers.fcm_secret, endpoint=providers.fcm_endpoint, ca_file=ca_file)
    apns = ApnsGateway(lambda: providers.apns_secret, endpoint=providers.apns_endpoint, ca_file=ca_file, now=now)
    made: dict[Platform, PushGateway] = {FCM: fcm, APNS: apns}
    yield made.__getitem__
    fcm.close()
    apns.close()


def pushed(target: PushTarget, gateways: Callable[[Platform], PushGateway]) -> State:
    """Push a message to a phone with this target, and look."""
    harness = PushHarness(clock=FakeClock(time.time_ns() // 1_000_000))
    entry = harness.say()
    harness.device(target)
    job = harness.job(entry, platform=target.platform)
    services = replace(harness.push_services, providers=gateways)
    push_all([job], resting=Resting(), stores=harness.stores, services=services, context=harness.context)
    found = harness.stores.devices.of(["bob"]).get("bob", ())
    return State(
        device=found[0].target if found else None,
        is_tried_again=bool(harness.pushes.jobs),
        counted=tuple(harness.counted),
    )


def kept(target: PushTarget, *counted: str, again: bool = False) -> State:
    return State(target, again, counted)


GONE = State(None)
BUSY = {"again": True}

FCM_ROWS: list[tuple[dict[str, Any], State]] = [
    ({"status": 404, "reason": "UNREGISTERED"}, GONE),
    ({"status": 400, "reason": "INVALID_ARGUMENT", "field": "message.token"}, GONE),
    ({"status": 400, "reason": "INVALID_ARGUMENT", "field": "message.data"}, kept(FCM_TARGET, REFUSED)),
    ({"status": 400, "reason": "INVALID_ARGUMENT"}, kept(FCM_TARGET, REFUSED)),
    ({"status": 403, "reason": "SENDER_ID_MISMATCH"}, kept(FCM_TARGET, MISCONFIGURED)),
    ({"status": 401, "reason": "THIRD_PARTY_AUTH_ERROR"}, kept(FCM_TARGET, MISCONFIGURED)),
    ({"status": 401, "reason": "UNAUTHENTICATED"}, kept(FCM_TARGET, MISCONFIGURED)),
    ({"status": 403, "reason": "PERMISSION_DENIED"}, kept(FCM_TARGET, MISCONFIGURED)),
    ({"status": 404, "reason": "NOT_FOUND"}, kept(FCM_TARGET, MISCONFIGURED)),
    ({"status": 429, "reason": "QUOTA_EXCEEDED"}, kept(FCM_TARGET, **BUSY)),
    ({"status": 429, "reason": "QUOTA_EXCEEDED", "headers": {"retry-after": "120"}}, kept(FCM_TARGET, **BUSY)),
    ({"status": 500, "reason": "INTERNAL"}, kept(FCM_TARGET, **BUSY)),
    ({"status": 503, "reason": "UNAVAILABLE"}, kept(FCM_TARGET, **BUSY)),
    ({"status": 500, "reason": "UNSPECIFIED_ERROR"}, kept(FCM_TARGET, **BUSY)),
]
MALFORMED = [
    *((400, reason) for reason in ("BadCollapseId", "BadExpirationDate", "BadMessageId", "BadPriority")),
    *((400, reason) for reason in ("DuplicateHeaders", "InvalidPushType", "MissingDeviceToken", "PayloadEmpty")),
    *((404, "BadPath"), (405, "MethodNotAllowed"), (413, "PayloadTooLarge")),
]
NOT_OURS = [
    *((400, reason) for reason in ("BadTopic", "DeviceTokenNotForTopic", "MissingTopic", "TopicDisallowed")),
    *((403, reason) for reason in ("BadCertificate", "BadCertificateEnvironment", "BadEnvironmentKeyIdInToken")),
    *((403, reason) for reason in ("ExpiredProviderToken", "Forbidden", "InvalidProviderToken")),
    *((403, reason) for reason in ("MissingProviderToken", "UnrelatedKeyIdInToken")),
]
NOT_NOW = [
    *((400, "IdleTimeout"), (429, "TooManyRequests"), (429, "TooManyProviderTokenUpdates")),
    *((500, "InternalServerError"), (503, "ServiceUnavailable"), (503, "Shutdown")),
]
APNS_ROWS: list[tuple[dict[str, Any], State]] = [
    *(({"status": status, "reason": reason}, kept(APNS_TARGET, REFUSED)) for status, reason in MALFORMED),
    *(({"status": status, "reason": reason}, kept(APNS_TARGET, MISCONFIGURED)) for status, reason in NOT_OURS),
    *(({"status": status, "reason": reason}, kept(APNS_TARGET, **BUSY)) for status, reason in NOT_NOW),
    ({"status": 400, "reason": "BadDeviceToken"}, GONE),
    ({"status": 410, "reason": "Unregistered", "timestamp": 1_000}, kept(APNS_TARGET)),
    ({"status": 410, "reason": "Unregistered", "timestamp": 4_000_000_000_000}, GONE),
    ({"status": 410, "reason": "ExpiredToken", "timestamp": 4_000_000_000_000}, GONE),
]


def name_of(value: object) -> str | None:
    return "-".join(str(one) for one in value.values()) if isinstance(value, dict) else ""


@pytest.mark.parametrize(("told", "expected"), FCM_ROWS, ids=name_of)
def test_what_an_answer_of_fcm_leads_to(
    told: dict[str, Any], expected: State, providers: Providers, gateways: Callable[[Platform], PushGateway]
) -> None:
    providers.behave("fcm", **told)
    assert pushed(FCM_TARGET, gateways) == expected


@pytest.mark.parametrize(("told", "expected"), APNS_ROWS, ids=name_of)
def test_what_an_answer_of_apns_leads_to(
    told: dict[str, Any], expected: State, providers: Providers, gateways: Callable[[Platform], PushGateway]
) -> None:
    providers.behave("apns", **told)
    assert pushed(APNS_TARGET, gateways) == expected


@pytest.mark.parametrize("target", [FCM_TARGET, APNS_TARGET], ids=lambda target: str(target.platform))
def test_what_is_taken_changes_nothing(
    target: PushTarget, providers: Providers, gateways: Callable[[Platform], PushGateway]
) -> None:
    assert pushed(target, gateways) == kept(target)
    assert [push.token for push in providers.pushes()] == [target.token]


def test_a_token_of_the_other_environment_is_corrected(
    providers: Providers, gateways: Callable[[Platform], PushGateway]
) -> None:
    providers.put_token(APNS_TARGET.token, environment="sandbox")
    assert pushed(APNS_TARGET, gateways) == kept(replace(APNS_TARGET, environment=SANDBOX))
    assert [push.environment for push in providers.pushes()] == ["sandbox"]


def test_an_expired_provider_token_costs_a_new_one_and_the_push_goes_through(
    providers: Providers, gateways: Callable[[Platform], PushGateway]
) -> None:
    providers.behave("apns", status=403, reason="ExpiredProviderToken", times=1)
    assert pushed(APNS_TARGET, gateways) == kept(APNS_TARGET)
    assert len(providers.pushes()) == 1


@pytest.mark.parametrize("target", [FCM_TARGET, APNS_TARGET], ids=lambda target: str(target.platform))
def test_a_connection_that_is_lost_once_is_made_good_at_once_and_one_lost_twice_later(
    target: PushTarget, providers: Providers, gateways: Callable[[Platform], PushGateway]
) -> None:
    providers.behave(target.platform, do="drop", times=1)
    assert pushed(target, gateways) == kept(target)
    providers.behave(target.platform, do="drop")
    assert pushed(target, gateways) == kept(target, again=True)
