"""SES, where a deployment mails: what keeps mails from being sent or from arriving is named, with what to do."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from local.providers.serving import Providers
from ops.__main__ import _address
from ops.doctor import mailing
from ops.doctor.patient import Options
from ops.doctor.trouble import Doubt, Skip, Trouble
from tests.local.conftest import quiet_server, running
from tests.local.provider_clients import trusting
from tests.ops.doctor.test_operating import patient, refusal
from tests.ops.doctor.test_outward import whose

__all__ = ["quiet_server", "running"]

VERIFIED = {"VerifiedForSendingStatus": True, "DkimAttributes": {"SigningEnabled": True, "Status": "SUCCESS"}}
UNSIGNED = VERIFIED | {"DkimAttributes": {"SigningEnabled": False, "Status": "NOT_STARTED"}}
PENDING = {"VerifiedForSendingStatus": False, "VerificationStatus": "PENDING"}
ACCOUNT = {
    "EnforcementStatus": "HEALTHY",
    "ProductionAccessEnabled": True,
    "SendingEnabled": True,
    "SendQuota": {"Max24HourSend": 50_000.0, "MaxSendRate": 14.0, "SentLast24Hours": 12.0},
}
SANDBOX = ACCOUNT | {"ProductionAccessEnabled": False}
ADDRESS = "bob@users.example"


def quota(sent: float, most: float) -> dict[str, Any]:
    return ACCOUNT | {"SendQuota": {"Max24HourSend": most, "MaxSendRate": 1.0, "SentLast24Hours": sent}}


def looked(
    account: dict[str, Any] = ACCOUNT,
    *,
    verified: dict[str, Any] | None = None,
    suppressed: dict[str, Any] | None = None,
    configuration_set: dict[str, Any] | None = None,
    address: str = "",
) -> str:
    identities = {"example.com": VERIFIED} if verified is None else verified

    def found(value: Any) -> Any:
        if value is None:
            raise refusal("NotFoundException")
        return value

    calls = {
        "get_account": account,
        "get_email_identity": lambda **asked: found(identities.get(asked["EmailIdentity"])),
        "get_suppressed_destination": lambda **_: found(suppressed),
        "get_configuration_set": lambda **_: found(configuration_set),
    }
    environment = {"MAIL_FROM": "chat@example.com"}
    environment |= {} if configuration_set is None else {"MAIL_CONFIGURATION_SET": "parley-prod"}
    one = whose(environment=environment, sesv2=calls)
    one.options = Options(address=address)
    said: str = asyncio.run(mailing.ses(one))
    assert address == "" or address in one.secrets
    return said


def test_a_sound_account_is_well_and_its_quota_is_said() -> None:
    said = looked(configuration_set={"SendingOptions": {"SendingEnabled": True}}, address=ADDRESS)
    assert said == (
        "example.com is verified, and signs (DKIM); in production; "
        "12 of 50,000 sent in 24 hours, 14 a second at most; nothing is held against the address"
    )
    assert "without a limit" in looked(quota(9e6, -1))
    assert looked(verified={"chat@example.com": VERIFIED}).startswith("chat@example.com is verified")


def test_where_nothing_is_mailed_it_is_skipped() -> None:
    with pytest.raises(Skip, match="mail_from"):
        asyncio.run(mailing.ses(patient()))


@pytest.mark.parametrize(
    ("told", "said", "cause", "remedy"),
    [
        ({"verified": {}}, "SES knows neither", "refuses each mail", "create-email-identity"),
        ({"verified": {"example.com": PENDING}}, "example.com: PENDING", "refuses each mail", "its DNS"),
        ({"account": ACCOUNT | {"SendingEnabled": False, "EnforcementStatus": "SHUTDOWN"}}, "SHUTDOWN", "paused", "re"),
        ({"account": quota(200, 200)}, "200 of 200 sent", "used up", "Service Quotas"),
        ({"configuration_set": {"SendingOptions": {"SendingEnabled": False}}}, "does not send", "paused", "put-conf"),
        (
            {
                "suppressed": {
                    "SuppressedDestination": {
                        "Reason": "BOUNCE",
                        "LastUpdateTime": datetime(2026, 11, 1, tzinfo=UTC),
                    }
                },
                "address": ADDRESS,
            },
            "BOUNCE at 2026-11-01",
            "drops them",
            "delete-suppressed-destination",
        ),
        ({"account": SANDBOX, "address": ADDRESS}, "in the sandbox; .*address is not verified", "no others", "Verify"),
    ],
)
def test_what_keeps_mails_back_fails_with_its_cause_and_remedy(
    told: dict[str, Any], said: str, cause: str, remedy: str
) -> None:
    with pytest.raises(Trouble, match=said) as found:
        looked(**told)
    assert not isinstance(found.value, Doubt)
    assert cause in found.value.cause
    assert remedy in found.value.remedy


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"account": SANDBOX}, "in the sandbox"),
        ({"account": SANDBOX, "address": ADDRESS, "verified": {"example.com": VERIFIED, ADDRESS: VERIFIED}}, "sandbox"),
        ({"account": ACCOUNT | {"EnforcementStatus": "PROBATION"}}, "PROBATION"),
        ({"account": quota(160, 200)}, "160 of 200"),
        ({"verified": {"example.com": UNSIGNED}}, "NOT_STARTED"),
    ],
)
def test_what_may_become_trouble_is_warned_of(told: dict[str, Any], said: str) -> None:
    with pytest.raises(Doubt, match=said) as found:
        looked(**told)
    assert found.value.cause
    assert found.value.remedy


def test_a_configuration_set_that_is_gone_is_named() -> None:
    gone = {
        "get_account": ACCOUNT,
        "get_email_identity": VERIFIED,
        "get_configuration_set": refusal("NotFoundException"),
    }
    environment = {"MAIL_FROM": "chat@example.com", "MAIL_CONFIGURATION_SET": "parley-prod"}
    with pytest.raises(Trouble, match="no configuration set parley-prod"):
        asyncio.run(mailing.ses(whose(environment=environment, sesv2=gone)))


def test_who_may_not_look_is_told_so_and_is_in_no_trouble() -> None:
    denied = {"get_account": refusal("AccessDeniedException", "GetAccount")}
    with pytest.raises(Doubt, match="GetAccount"):
        asyncio.run(mailing.ses(whose(environment={"MAIL_FROM": "chat@example.com"}, sesv2=denied)))


@pytest.fixture
def laptop(server: Providers) -> dict[str, str]:
    return {
        "MAIL_FROM": "chat@example.com",
        "MAIL_ENDPOINT": server.fcm_endpoint,
        "PUSH_CA_FILE": str(server.ca_file),
    }


def test_on_a_laptop_the_local_ses_is_asked(server: Providers, laptop: dict[str, str]) -> None:
    one = whose(environment=laptop)
    one.options = Options(address=ADDRESS)
    assert asyncio.run(mailing.ses(one)) == (
        "chat@example.com is verified, and signs (DKIM); in production; "
        "0 of 50,000 sent in 24 hours, 14 a second at most; nothing is held against the address"
    )
    server.behave("ses", reason="AccessDeniedException")
    with pytest.raises(Doubt, match="GetAccount"):
        asyncio.run(mailing.ses(one))


def test_an_address_that_is_none_is_told() -> None:
    assert (_address(None), _address("a@example.com")) == ("", "a@example.com")
    for wrong in ("bob", "@example.com", "bob@", ""):
        with pytest.raises(Exception, match="is no address"):
            _address(wrong)


def test_the_local_ses_knows_what_it_is_asked_for_alone(server: Providers) -> None:
    signed = {"authorization": "AWS4-HMAC-SHA256 Credential=k/20270101/us-east-1/ses/aws4_request, Signature=0"}
    with httpx2.Client(base_url=server.fcm_endpoint, verify=trusting(server), timeout=10) as client:
        assert client.get("/v2/email/account").status_code == 403
        for path, code in (
            ("/v2/email/suppression/addresses/bob%40example.com", "NotFoundException"),
            ("/v2/email/dedicated-ips", "UnknownOperationException"),
        ):
            answer = client.get(path, headers=signed)
            assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (404, code)
