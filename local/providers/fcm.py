"""FCM's HTTP v1 API: `POST /v1/projects/{project}/messages:send`, with Google's rules and Google's errors."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from typing import Any, Final

from local.providers.behaviours import Behaviour
from local.providers.exchange import Reply, Request, Verdict, json_reply, parsed
from local.providers.fcm_fields import REQUEST_FIELDS, TARGETS, Invalid, message_problem, snake, unknown_field
from local.providers.keys import PROJECT
from local.providers.oauth import OAuth
from local.providers.record import Provider, Received, now_ms

PAYLOAD_LIMIT: Final = 4096
_PATH = re.compile(r"/v1/projects/([^/]+)/messages:send")

# FCM's own error codes, and the HTTP status that each comes with.
CODES: Final[Mapping[str, int]] = {
    "INVALID_ARGUMENT": 400,
    "THIRD_PARTY_AUTH_ERROR": 401,
    "SENDER_ID_MISMATCH": 403,
    "UNREGISTERED": 404,
    "QUOTA_EXCEEDED": 429,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
}
# What Google's APIs call these HTTP statuses.
STATUSES: Final[Mapping[int, str]] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class Fcm:
    """Sends to whatever token it is given: no registration token is unknown, unless it was told so."""

    provider: Provider = "fcm"
    environment = None

    def __init__(self, oauth: OAuth) -> None:
        self._oauth = oauth

    def token_of(self, request: Request) -> str | None:
        body = parsed(request.body)
        message = body.get("message") if isinstance(body, dict) else None
        if not isinstance(message, dict):
            return None
        return next((message[name] for name in ("token", "fid") if isinstance(message.get(name), str)), None)

    def judge(self, request: Request) -> Verdict:
        matched = _PATH.fullmatch(request.path)
        if matched is None or request.method != "POST":
            return _error(404, "NOT_FOUND", "Requested entity was not found.")
        if not self._oauth.knows(request.bearer):
            return _error(401, "UNAUTHENTICATED", _UNAUTHENTICATED)
        if matched[1] != PROJECT:
            return _error(403, "PERMISSION_DENIED", _DENIED.format(matched[1]))
        body = parsed(request.body)
        if not isinstance(body, dict):
            return _invalid(Invalid("", "Invalid JSON payload received. Unexpected token."))
        return self._send(request, {snake(name): value for name, value in body.items()})

    def _send(self, request: Request, body: Mapping[str, Any]) -> Verdict:
        message = body.get("message")
        if problem := unknown_field(body, REQUEST_FIELDS, ""):
            return _invalid(problem)
        if not isinstance(message, dict):
            return _invalid(Invalid("message", "Request contains no message."))
        if problem := message_problem(message):
            return _invalid(problem)
        if _size(message) > PAYLOAD_LIMIT:
            return _invalid(Invalid("message", "Android message is too big", is_fcm=True))
        reply = json_reply(200, {"name": f"projects/{PROJECT}/messages/0:{secrets.token_hex(16)}"})
        if body.get("validate_only") is True:
            return Verdict(reply)
        token = self.token_of(request) or ""
        return Verdict(reply, push=Received("fcm", None, token, {}, message, now_ms()))

    def refuse(self, _request: Request, behaviour: Behaviour) -> Verdict:
        status = behaviour.status or CODES.get(behaviour.reason or "", 500)
        reason = behaviour.reason or STATUSES.get(status, "UNKNOWN")
        name = reason if reason in STATUSES.values() else STATUSES.get(status, "UNKNOWN")
        details = [_fcm_error(reason)] if reason in CODES and behaviour.reason else []
        text = "The local server was told to answer so."
        if behaviour.field is not None:
            details.append(_violation(behaviour.field, text))
        told = _error(status, name, text, details)
        return Verdict(Reply(status, told.reply.body, {**told.reply.headers, **behaviour.headers}), reason)


_UNAUTHENTICATED = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
    "authentication credential."
)
_DENIED = (
    "Permission 'cloudmessaging.messages.create' denied on resource "
    "'//cloudresourcemanager.googleapis.com/projects/{}' (or it may not exist)."
)


def _size(message: Mapping[str, Any]) -> int:
    """The bytes of all but the target: stricter than Google, who counts only what reaches the device."""
    rest = {name: value for name, value in message.items() if snake(name) not in TARGETS}
    return len(json.dumps(rest, ensure_ascii=False, separators=(",", ":")).encode())


def _invalid(problem: Invalid) -> Verdict:
    details = [_fcm_error("INVALID_ARGUMENT")] if problem.is_fcm else []
    if problem.field is not None:
        details.append(_violation(problem.field, problem.text))
    return _error(400, "INVALID_ARGUMENT", problem.text, details)


def _fcm_error(code: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}


def _violation(field: str, text: str) -> dict[str, Any]:
    violation = {"description": text} | ({"field": field} if field else {})
    return {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}


def _error(status: int, name: str, text: str, details: list[dict[str, Any]] | None = None) -> Verdict:
    error: dict[str, Any] = {"code": status, "message": text, "status": name}
    return Verdict(json_reply(status, {"error": error | ({"details": details} if details else {})}), name)
