"""SES's API v2: `POST /v2/email/outbound-emails`, with what SES checks of a simple mail, and its errors."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any, Final

from local.providers.behaviours import Behaviour
from local.providers.exchange import Reply, Request, Verdict, json_reply, parsed
from local.providers.record import Provider, Received, now_ms

PATH: Final = "/v2/email/outbound-emails"
MOST_RECIPIENTS: Final = 50

# SendEmail's errors, and the HTTP status that each comes with.
CODES: Final[Mapping[str, int]] = {
    "AccountSuspendedException": 400,
    "BadRequestException": 400,
    "LimitExceededException": 400,
    "MailFromDomainNotVerifiedException": 400,
    "MessageRejected": 400,
    "SendingPausedException": 400,
    "AccessDeniedException": 403,
    "NotFoundException": 404,
    "TooManyRequestsException": 429,
    "InternalServiceErrorException": 500,
}
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_TAG = re.compile(r"[A-Za-z0-9_.@-]{1,256}")


class Ses:
    """Takes mails from and to any address: here everybody is verified, unless it was told otherwise."""

    provider: Provider = "ses"
    environment = None

    def token_of(self, request: Request) -> str | None:
        """The first address."""
        body = parsed(request.body)
        addresses = _addresses(body) if isinstance(body, dict) else None
        return addresses[0] if addresses else None

    def judge(self, request: Request) -> Verdict:
        if request.method != "POST":
            return refusal(405, "UnsupportedOperationException", "Only POST is allowed.")
        if not is_signed(request):
            return refusal(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
        body = parsed(request.body)
        if not isinstance(body, dict):
            return _invalid("The body is no JSON object.")
        if problem := _problem(body):
            return _invalid(problem)
        to = (_addresses(body) or [""])[0]
        push = Received("ses", None, to, {}, body, now_ms())
        return Verdict(json_reply(200, {"MessageId": secrets.token_hex(16)}), push=push)

    def refuse(self, _request: Request, behaviour: Behaviour) -> Verdict:
        return told_to_refuse(behaviour)


def is_signed(request: Request) -> bool:
    """Whether it says that it is signed for SES: by whom and how is not looked at."""
    scheme, _, signed = (request.header("authorization") or "").partition(" ")
    return scheme == "AWS4-HMAC-SHA256" and "/ses/aws4_request" in signed


def told_to_refuse(behaviour: Behaviour) -> Verdict:
    """The refusal that the server was told to give."""
    status = behaviour.status or CODES.get(behaviour.reason or "", 500)
    usual = next((code for code, its in CODES.items() if its == status), "InternalServiceErrorException")
    told = refusal(status, behaviour.reason or usual, "The local server was told to answer so.")
    return Verdict(Reply(status, told.reply.body, {**told.reply.headers, **behaviour.headers}), told.reason)


def mail_of(received: Received) -> dict[str, Any]:
    """A mail as its reader has it. `unsubscribe` is where a mail program posts to, for its button; null for none."""
    sent = received.payload
    simple = sent["Content"]["Simple"]
    headers = {one["Name"].lower(): one["Value"] for one in _listed(simple, "Headers")}
    return {
        "received_at": received.received_at,
        "from": sent["FromEmailAddress"],
        "to": sent["Destination"]["ToAddresses"],
        "subject": simple["Subject"]["Data"],
        "text": str(_part(simple["Body"], "Text").get("Data") or ""),
        "html": str(_part(simple["Body"], "Html").get("Data") or ""),
        "unsubscribe": headers.get("list-unsubscribe", "").strip("<>") or None,
    }


def _problem(body: Mapping[str, Any]) -> str | None:
    """The first thing that is wrong with a mail, in words."""
    return _envelope_problem(body) or _content_problem(_part(_part(body, "Content"), "Simple")) or _tag_problem(body)


def _envelope_problem(body: Mapping[str, Any]) -> str | None:
    sender, addresses = body.get("FromEmailAddress"), _addresses(body)
    if not isinstance(sender, str) or not _ADDRESS.fullmatch(sender):
        return "FromEmailAddress is no address."
    if not addresses or len(addresses) > MOST_RECIPIENTS:
        return f"Destination has from 1 to {MOST_RECIPIENTS} addresses."
    return None if all(_ADDRESS.fullmatch(one) for one in addresses) else "Invalid To address."


def _content_problem(simple: Mapping[str, Any]) -> str | None:
    if not _says(simple, "Subject"):
        return "Content has no subject."
    if not any(_says(_part(simple, "Body"), form) for form in ("Text", "Html")):
        return "Content has neither a text nor HTML."
    headers = _listed(simple, "Headers")
    return None if all(_is_line(one) for one in headers) else "A header is a name with a value of one line."


def _tag_problem(body: Mapping[str, Any]) -> str | None:
    tags = _listed(body, "EmailTags")
    return None if all(_is_tag(one) for one in tags) else "A tag has letters, digits, underscores and dashes alone."


def _listed(value: Mapping[str, Any], name: str) -> list[Any]:
    """What is there; a list of nothing good where it is no list."""
    found = value.get(name) or []
    return found if isinstance(found, list) else [None]


def _addresses(body: Mapping[str, Any]) -> list[str] | None:
    found = _part(body, "Destination").get("ToAddresses")
    return found if isinstance(found, list) and all(isinstance(one, str) for one in found) else None


def _part(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = value.get(name)
    return part if isinstance(part, dict) else {}


def _says(value: Mapping[str, Any], name: str) -> bool:
    text = _part(value, name).get("Data")
    return isinstance(text, str) and bool(text)


def _is_line(header: Any) -> bool:
    values = [header.get(name) for name in ("Name", "Value")] if isinstance(header, dict) else [None]
    return all(isinstance(one, str) and one and one.isascii() and "\n" not in one and "\r" not in one for one in values)


def _is_tag(tag: Any) -> bool:
    values = [tag.get(name) for name in ("Name", "Value")] if isinstance(tag, dict) else [None]
    return all(isinstance(one, str) and _TAG.fullmatch(one) for one in values)


def _invalid(text: str) -> Verdict:
    return refusal(400, "BadRequestException", text)


def refusal(status: int, code: str, text: str) -> Verdict:
    """An error in the form of SES's."""
    return Verdict(json_reply(status, {"message": text}, {"x-amzn-errortype": code}), code)
