"""What both providers' gateways do alike when something goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from functions.offline_push.apns.gateway import ApnsGateway
from functions.offline_push.fcm.gateway import FcmGateway
from local.ports import free_port
from local.providers.serving import Providers
from shared.domain.pushes import Busy, Misconfigured, Refused, Sent
from tests.fakes import FakeClock
from tests.functions.offline_push.gateway_harness import GatewayHarness
from tests.functions.offline_push.pushes import BRIEF, PATIENT, Secret, now_ms

Harness = GatewayHarness[Any]
MINUTE = 60_000


@pytest.fixture(params=[ApnsGateway, FcmGateway])
def harness(request: pytest.FixtureRequest, providers: Providers) -> Iterator[Harness]:
    harness = Harness(request.param, providers)
    yield harness
    for gateway in harness.made:
        gateway.close()


def test_a_stall_is_cut_short_and_not_repeated(harness: Harness) -> None:
    gateway = harness.ready(BRIEF)
    harness.behave(do="stall")
    assert gateway.push(harness.push()) == Busy("Timeout")
    assert len(harness.asked()) == 1


def test_a_connection_that_is_lost_twice_is_the_queues_matter(harness: Harness) -> None:
    gateway = harness.ready(PATIENT)
    harness.behave(do="drop", times=2)
    assert gateway.push(harness.push()) == Busy("NoConnection")
    assert len(harness.asked()) == 2


def test_connections_that_were_closed_while_the_lambda_was_frozen_are_replaced(harness: Harness) -> None:
    gateway = harness.ready(PATIENT)
    harness.providers.hang_up(harness.provider)
    assert gateway.push(harness.push()) == Sent()


def test_no_server_at_the_endpoint_is_busy(harness: Harness) -> None:
    endpoint = ",".join(f"https://localhost:{free_port()}" for _ in harness.endpoint.split(","))
    assert harness.gateway(endpoint=endpoint).push(harness.push()) == Busy("ConnectionRefused")


def test_a_name_that_leads_nowhere_is_busy_and_named(harness: Harness) -> None:
    endpoint = ",".join("https://nowhere.invalid" for _ in harness.endpoint.split(","))
    assert harness.gateway(endpoint=endpoint).push(harness.push()) == Busy("DnsError")


def test_a_server_without_a_trusted_certificate_gets_nothing(harness: Harness) -> None:
    reason = {"apns": "TlsError", "fcm": "AccessTokenTlsError"}[harness.provider]
    assert harness.gateway(ca_file="").push(harness.push()) == Busy(reason)
    assert harness.providers.requests() == []


def test_a_missing_certificate_is_no_crash(harness: Harness, tmp_path: Path) -> None:
    reason = {"apns": "UnexpectedFileNotFoundError", "fcm": "AccessTokenUnavailable"}[harness.provider]
    assert harness.gateway(ca_file=str(tmp_path / "ca.pem")).push(harness.push()) == Busy(reason)


def test_a_secret_out_of_reach_is_busy(harness: Harness) -> None:
    secret = Secret(harness.secret, within_reach=False)
    assert harness.gateway(secret=secret).push(harness.push()) == Busy("SecretUnavailable")


def test_a_key_that_is_not_refused_is_not_read_again(harness: Harness) -> None:
    secret, clock = Secret(harness.secret), FakeClock(now_ms())
    gateway = harness.gateway(secret=secret, now=clock)
    reasons = {"apns": ["TopicDisallowed"], "fcm": ["SENDER_ID_MISMATCH", "THIRD_PARTY_AUTH_ERROR"]}
    for reason in reasons[harness.provider]:
        harness.behave(reason=reason)
        assert gateway.push(harness.push()) == Misconfigured(reason)
        harness.providers.behave_well()
        clock.advance(MINUTE)
    assert gateway.push(harness.push()) == Sent()
    assert secret.reads == 1


@pytest.mark.parametrize(
    "secret",
    [
        *("", "{", "[]", "null", '"text"', "{}", '{"type": "service_account"}'),
        '{"key_id": "a", "team_id": "b", "private_key": "c"}',
    ],
)
def test_a_secret_that_holds_no_key_is_misconfigured(harness: Harness, secret: str) -> None:
    assert harness.gateway(secret=lambda: secret).push(harness.push()) == Misconfigured("BadCredentials")


def test_what_does_not_fit_even_without_a_body_is_refused(harness: Harness) -> None:
    assert harness.gateway().push(harness.push(data={"k": "v" * 4_096})) == Refused("PayloadTooLarge")
    assert harness.providers.pushes() == []
