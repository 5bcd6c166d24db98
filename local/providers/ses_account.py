"""What SES's API v2 says of an account: may it send, who is verified, and which addresses it keeps on its list.

Here the account is in production and everybody is verified. The list is kept as SES keeps it, by what became of mails;
unlike at SES, mails to who is on it are shown all the same.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from local.providers.behaviours import Behaviour
from local.providers.exchange import Reply, Request, Verdict, json_reply
from local.providers.record import Provider
from local.providers.ses import is_signed, refusal, told_to_refuse

BASE: Final = "/v2/email/"
_ACCOUNT: Final = f"{BASE}account"
_IDENTITIES: Final = f"{BASE}identities/"
_SUPPRESSED: Final = f"{BASE}suppression/addresses/"
_DESCRIBED: Final[Mapping[str, Any]] = {
    "DedicatedIpAutoWarmupEnabled": False,
    "EnforcementStatus": "HEALTHY",
    "ProductionAccessEnabled": True,
    "SendingEnabled": True,
    "SuppressionAttributes": {"SuppressedReasons": ["BOUNCE", "COMPLAINT"]},
}
_QUOTA: Final = {"Max24HourSend": 50_000.0, "MaxSendRate": 14.0}


class Suppressed:
    """The addresses from which mails came back for good, or whose readers called one spam. Of any thread."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, float]] = {}

    def note(self, entry: Mapping[str, Any]) -> None:
        """What the stack was told of a mail; only what ends mails is kept. Newer things replace older ones."""
        told = json.loads(entry["Detail"])
        lost = told.get("bounce", {}).get("bounceType") == "Permanent"
        spam = told.get("complaint", {}).get("complaintFeedbackType") == "abuse"
        if lost or spam:
            at = dt.datetime.now(dt.UTC).timestamp()
            self._kept |= dict.fromkeys(told["mail"]["destination"], ("BOUNCE" if lost else "COMPLAINT", at))

    def of(self, address: str) -> tuple[str, float] | None:
        """Why and since when (s); None where it is not on the list."""
        return self._kept.get(address)

    def drop(self, address: str) -> bool:
        """Take it off; whether it was on it."""
        return self._kept.pop(address, None) is not None

    def clear(self) -> None:
        self._kept.clear()


class SesAccount:
    """GetAccount, GetEmailIdentity, GetSuppressedDestination and DeleteSuppressedDestination."""

    provider: Provider = "ses"
    environment = None

    def __init__(self, suppressed: Suppressed) -> None:
        self._suppressed = suppressed

    def token_of(self, _request: Request) -> None:
        """Nobody: what is told of an address is of mails to it."""

    def judge(self, request: Request) -> Verdict:
        if not is_signed(request):
            return refusal(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
        path = request.path.partition("?")[0]
        address = unquote(path.rpartition("/")[2])
        if (request.method, path) == ("GET", _ACCOUNT):
            return _said({**_DESCRIBED, "SendQuota": {**_QUOTA, "SentLast24Hours": 0.0}})
        if request.method == "GET" and path.startswith(_IDENTITIES) and address:
            return _said(_identity(address))
        if path.startswith(_SUPPRESSED) and address and request.method in {"GET", "DELETE"}:
            return self._listed(request.method, address)
        return refusal(404, "UnknownOperationException", "The local server knows no such call.")

    def refuse(self, _request: Request, behaviour: Behaviour) -> Verdict:
        return told_to_refuse(behaviour)

    def _listed(self, method: str, address: str) -> Verdict:
        kept = self._suppressed.of(address)
        if kept is None:
            return refusal(404, "NotFoundException", "Email address does not exist on your suppression list.")
        if method == "DELETE":
            self._suppressed.drop(address)
            return _said({})
        reason, at = kept
        return _said({"SuppressedDestination": {"EmailAddress": address, "Reason": reason, "LastUpdateTime": at}})


def _identity(name: str) -> dict[str, Any]:
    return {
        "IdentityType": "EMAIL_ADDRESS" if "@" in name else "DOMAIN",
        "FeedbackForwardingStatus": True,
        "VerifiedForSendingStatus": True,
        "VerificationStatus": "SUCCESS",
        "DkimAttributes": {"SigningEnabled": True, "Status": "SUCCESS"},
    }


def _said(value: Mapping[str, Any]) -> Verdict:
    reply: Reply = json_reply(200, value)
    return Verdict(reply)
