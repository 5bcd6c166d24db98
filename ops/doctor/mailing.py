"""The step that looks at SES, where a deployment mails: may it send, as whom, how much, and to one address."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from ops.doctor.operating import operator
from ops.doctor.trouble import Doubt, Skip, Trouble

if TYPE_CHECKING:
    from ops.doctor.patient import Patient

# Of the quota of 24 hours: who has used so much of it should have it raised.
_NEARLY: Final = 0.8
_NO_LIMIT: Final = -1
Found = Iterator[str | Trouble]


@operator
def ses(patient: Patient) -> str:
    """SES sends for us: the account may, our address is verified, and nothing drops what we send."""
    sender = patient.setting("OfflinePush", "MAIL_FROM")
    if not sender:
        raise Skip("nothing is mailed (`mail_from`)")
    client = _client(patient)
    account = client.get_account()
    found = [
        *_identity(client, sender),
        *_account(account),
        *_quota(account.get("SendQuota", {})),
        *_configuration_set(client, patient.setting("OfflinePush", "MAIL_CONFIGURATION_SET")),
        *_address(client, patient, is_sandbox=not account.get("ProductionAccessEnabled")),
    ]
    said = "; ".join(one if isinstance(one, str) else one.said for one in found)
    wrong = [one for one in found if isinstance(one, Trouble)]
    if not wrong:
        return said
    kind = Doubt if all(isinstance(one, Doubt) for one in wrong) else Trouble
    raise kind(said, "; ".join(one.cause for one in wrong), "; ".join(one.remedy for one in wrong))


def _client(patient: Patient) -> Any:
    """AWS's, or the laptop's SES, which listens beside the push servers and has a certificate of its own."""
    endpoint = patient.setting("OfflinePush", "MAIL_ENDPOINT")
    if not endpoint:
        return patient.client("sesv2")
    import boto3
    from botocore.config import Config

    quick = Config(connect_timeout=10, read_timeout=20, retries={"total_max_attempts": 2})
    return boto3.client(
        "sesv2",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106  # the local SES takes any
        verify=patient.setting("OfflinePush", "PUSH_CA_FILE") or None,
        config=quick,
    )


def _there(call: Callable[..., Mapping[str, Any]], **asked: str) -> Mapping[str, Any] | None:
    """What SES has of it; None where it has nothing of that name."""
    from botocore.exceptions import ClientError

    try:
        return call(**asked)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NotFoundException":
            return None
        raise


def _identity(client: Any, sender: str) -> Found:
    """An address is verified by itself, or by its domain."""
    domain = sender.partition("@")[2]
    known = {name: _there(client.get_email_identity, EmailIdentity=name) for name in (sender, domain)}
    verified = {name: one for name, one in known.items() if one and one.get("VerifiedForSendingStatus")}
    if not verified:
        states = [f"{name}: {one.get('VerificationStatus', 'not verified')}" for name, one in known.items() if one]
        yield Trouble(
            f"neither {sender} nor {domain} is verified ({', '.join(states) or 'SES knows neither'})",
            "SES refuses each mail (MailMisconfigured)",
            f"Verify one in this region: aws sesv2 create-email-identity --email-identity {domain}, and set its DNS",
        )
        return
    name, one = next(iter(verified.items()))
    dkim = one.get("DkimAttributes", {})
    if dkim.get("SigningEnabled") and dkim.get("Status") == "SUCCESS":
        yield f"{name} is verified, and signs (DKIM)"
    else:
        yield Doubt(
            f"{name} is verified, and does not sign (DKIM: {dkim.get('Status', 'off')})",
            "Large mailbox providers refuse unsigned mails, or take them for spam",
            "Verify the domain with Easy DKIM: three CNAME records, which SES's console shows",
        )


def _account(account: Mapping[str, Any]) -> Found:
    state = account.get("EnforcementStatus", "HEALTHY")
    if not account.get("SendingEnabled"):
        yield Trouble(
            f"the account's sending is switched off ({state})",
            "Somebody paused it, or AWS did for mails that came back or were called spam",
            "See AWS's mails and the reputation page of SES; then aws sesv2 put-account-sending-attributes "
            "--sending-enabled",
        )
    elif state != "HEALTHY":
        yield Doubt(
            f"AWS has the account under review ({state})",
            "Too many mails come back, or are called spam",
            "Alarms MailBounceRate and MailComplaintRate; docs/mail.md, When mails come back",
        )
    if account.get("ProductionAccessEnabled"):
        yield "in production"
    else:
        yield Doubt(
            "in the sandbox",
            "SES mails verified addresses alone, and refuses all others (MailMisconfigured)",
            "Ask for production access in SES's console, or: aws sesv2 put-account-details",
        )


def _quota(quota: Mapping[str, float]) -> Found:
    sent, most = quota.get("SentLast24Hours", 0), quota.get("Max24HourSend", 0)
    limit = "without a limit" if most == _NO_LIMIT else f"of {most:,.0f}"
    said = f"{sent:,.0f} {limit} sent in 24 hours, {quota.get('MaxSendRate', 0):,.0f} a second at most"
    remedy = "Have it raised: Service Quotas, Amazon SES, Sending quota"
    if most != _NO_LIMIT and sent >= most:
        yield Trouble(said, "The quota is used up: mails wait, and after a day are given up", remedy)
    elif most != _NO_LIMIT and sent >= _NEARLY * most:
        yield Doubt(said, "The quota is nearly used up", remedy)
    else:
        yield said


def _configuration_set(client: Any, name: str) -> Found:
    """By it SES tells of mails that come back; a laptop has none."""
    if not name:
        return
    one = _there(client.get_configuration_set, ConfigurationSetName=name)
    if one is None:
        yield Trouble(f"there is no configuration set {name}", "SES refuses each mail that names it", "make deploy")
    elif not one.get("SendingOptions", {}).get("SendingEnabled", True):
        yield Trouble(
            f"the configuration set {name} does not send",
            "Its sending was paused by hand",
            "aws sesv2 put-configuration-set-sending-options --sending-enabled --configuration-set-name " + name,
        )


def _address(client: Any, patient: Patient, *, is_sandbox: bool) -> Found:
    """Of whom the operator asks whether mails reach them. The report calls them by no name."""
    address = patient.options.address
    if not address:
        return
    patient.secrets.add(address)
    kept = _there(client.get_suppressed_destination, EmailAddress=address)
    if kept:
        told = kept["SuppressedDestination"]
        yield Trouble(
            f"the address is on the suppression list: {told['Reason']} at {told['LastUpdateTime']:%Y-%m-%d}",
            "A mail to it came back for good, or was called spam: SES takes mails to it, and drops them",
            "Where it is good again: aws sesv2 delete-suppressed-destination, and set the user's `email` anew",
        )
    elif is_sandbox and not _is_verified(client, address):
        yield Trouble("the address is not verified", "The sandbox mails no others", "Verify it, or leave the sandbox")
    else:
        yield "nothing is held against the address"


def _is_verified(client: Any, address: str) -> bool:
    names = (address, address.partition("@")[2])
    found = (_there(client.get_email_identity, EmailIdentity=name) for name in names)
    return any(one and one.get("VerifiedForSendingStatus") for one in found)
