"""What becomes of a mail that the local SES has taken, told as SES tells it: an event on the stack's default bus.

On AWS nobody may send events of `aws.ses`; the laptop's stack has rules for `local.ses` in their place.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from local.providers.record import Received

SOURCE: Final = "local.ses"
_PATIENCE_S: Final = 10.0
_BOUNCE: Final = {"bounceType": "Permanent", "bounceSubType": "General"}
_COMPLAINT: Final = {"complaintFeedbackType": "abuse"}
# By what people call it: the event's name, where it stands in it, and what is said there beside the address.
OUTCOMES: Final[Mapping[str, tuple[str, str, Mapping[str, str]]]] = {
    "bounce": ("Email Bounced", "bounce", _BOUNCE),
    "soft_bounce": ("Email Bounced", "bounce", {"bounceType": "Transient", "bounceSubType": "MailboxFull"}),
    "complaint": ("Email Complaint Received", "complaint", _COMPLAINT),
    "not_spam": ("Email Complaint Received", "complaint", {"complaintFeedbackType": "not-spam"}),
}
_RECIPIENTS: Final = {"bounce": "bouncedRecipients", "complaint": "complainedRecipients"}


def entry_of(mail: Received, outcome: str) -> dict[str, Any]:
    """The entry of PutEvents that tells it. `outcome` is one of OUTCOMES."""
    name, kind, said = OUTCOMES[outcome]
    sent = mail.payload
    addresses = sent["Destination"]["ToAddresses"]
    at = dt.datetime.fromtimestamp(mail.received_at / 1000, dt.UTC).isoformat(timespec="milliseconds")
    tags = {one["Name"]: [one["Value"]] for one in sent.get("EmailTags") or []}
    recipients = {_RECIPIENTS[kind]: [{"emailAddress": one} for one in addresses]}
    detail = {
        "eventType": kind.title(),
        kind: {**said, **recipients, "timestamp": at, "feedbackId": secrets.token_hex(16)},
        "mail": {
            "timestamp": at,
            "source": sent["FromEmailAddress"],
            "messageId": secrets.token_hex(16),
            "destination": addresses,
            "tags": tags,
        },
    }
    return {"Source": SOURCE, "DetailType": name, "Detail": json.dumps(detail)}


def tell(stack_file: Path, entry: Mapping[str, Any]) -> bool:
    """Put the event on the bus of the stack that this file says; False where there is none that takes it."""
    try:
        stack = json.loads(stack_file.read_text(encoding="utf-8"))
        scope = f"test/20270101/{stack['region']}/events/aws4_request"
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": "AWSEvents.PutEvents",
            "authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        }
        body = json.dumps({"Entries": [entry]}).encode()
        request = urllib.request.Request(stack["endpoint_url"], body, headers)
        with urllib.request.urlopen(request, timeout=_PATIENCE_S) as answer:
            return bool(json.load(answer)["FailedEntryCount"] == 0)
    except (OSError, ValueError, KeyError, urllib.error.URLError):
        return False
