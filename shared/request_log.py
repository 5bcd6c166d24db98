"""One line for each frame and request: function, route, outcome, milliseconds and ids. Never text, tokens or tickets.

What a client chose is written only where it has the form of an id: text that was put into the wrong field stays out.
Written past the logger, at half its cost, and only where `request_log` is on (docs/configuration.md).
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from shared.domain.text import has_roles, is_user_id, private_members

MESSAGE: Final = "request"
# A longer body is not taken apart for its ids: a page of a sync has them in the frame that asked for it.
_MAX_READ: Final = 4_096
_FRAME_ID: Final = re.compile("[A-Za-z0-9_-]{1,64}")
# Base64 of '{"': a short token would pass for a user id.
_LIKE_A_TOKEN: Final = "eyJ"  # noqa: S105  # it is none
_SUCCESS: Final = '{"success":true'

Answer = dict[str, Any]


class RequestLog:
    """Writes the lines of one function. `clock` is in seconds; `write` takes a line with its end."""

    def __init__(
        self,
        function: str,
        *,
        clock: Callable[[], float] = time.perf_counter,
        write: Callable[[str], object] | None = None,
    ) -> None:
        self._service = f"parley-{function}"
        self._clock = clock
        self._write = write

    def websocket(self, event: Mapping[str, Any], respond: Callable[[], Answer]) -> Answer:
        """Answer a frame or a `$connect` or `$disconnect`, and write its line; also of one that raises."""
        context = event.get("requestContext") or {}
        facts = {"route": context.get("routeKey"), **_connection(context)}

        def outcome(answer: Answer) -> Mapping[str, Any]:
            reply, frame = _object(answer.get("body")), _object(event.get("body"))
            data = reply.get("data") if isinstance(reply.get("data"), dict) else {}
            return {"code": _code(answer, reply), "frame_id": _frame_id(frame), **_place({**frame, **(data or {})})}

        return self._logged(facts, respond, outcome)

    def handshake(self, event: Mapping[str, Any], decide: Callable[[], Answer]) -> Answer:
        """Decide on a handshake, and write its line."""
        context = event.get("requestContext") or {}

        def outcome(policy: Answer) -> Mapping[str, Any]:
            allowed = policy["policyDocument"]["Statement"][0]["Effect"] == "Allow"
            who = {"user_id": policy["principalId"]} if allowed else {}
            return {"code": "allowed" if allowed else "refused", **who}

        return self._logged({"route": "handshake", **_connection(context)}, decide, outcome)

    def http(
        self, event: Mapping[str, Any], respond: Callable[[], Answer], notes: Callable[[], Mapping[str, Any]]
    ) -> Answer:
        """Answer an HTTP request, and write its line. `notes` are the route, its arguments and the verified user."""
        context = event.get("requestContext") or {}
        method = (context.get("http") or {}).get("method")

        def outcome(answer: Answer) -> Mapping[str, Any]:
            noted, body = notes(), _object(answer.get("body"))
            arguments = noted.get("arguments") or {}
            place = _place({**body, **arguments, "seq": _number(arguments.get("seq"), body.get("seq"))})
            error = {"code": body["code"]} if answer["statusCode"] >= 400 and "code" in body else {}  # noqa: PLR2004
            user = {"user_id": noted["user_id"]} if noted.get("user_id") else {}
            return {"route": f"{method} {noted.get('route') or '(no such path)'}", **error, **user, **place}

        return self._logged({"request_id": context.get("requestId")}, respond, outcome, http=True)

    def _logged(
        self,
        facts: Mapping[str, Any],
        respond: Callable[[], Answer],
        outcome: Callable[[Answer], Mapping[str, Any]],
        *,
        http: bool = False,
    ) -> Answer:
        started = self._clock()
        try:
            answer = respond()
        except BaseException:
            self._line(started, {**facts, "code": "raised"})
            raise
        status = {"status": answer["statusCode"]} if http else {}
        self._line(started, {**facts, **status, **outcome(answer)})
        return answer

    def _line(self, started: float, facts: Mapping[str, Any]) -> None:
        line = {
            "level": "INFO",
            "message": MESSAGE,
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "service": self._service,
            "ms": round((self._clock() - started) * 1_000, 1),
            **{name: value for name, value in facts.items() if value is not None},
        }
        (self._write or sys.stdout.write)(json.dumps(line, separators=(",", ":")) + "\n")


def _connection(context: Mapping[str, Any]) -> dict[str, Any]:
    """What the gateway and the authorizer say, which is nothing that a client could choose."""
    return {
        "request_id": context.get("requestId"),
        "connection_id": context.get("connectionId"),
        "user_id": (context.get("authorizer") or {}).get("user_id"),
    }


def _object(body: Any) -> Mapping[str, Any]:
    """A body as a JSON object, if it is a short one."""
    if not isinstance(body, str):
        return {}
    if len(body) > _MAX_READ:
        return {"success": body.startswith(_SUCCESS)}
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _code(answer: Answer, reply: Mapping[str, Any]) -> Any:
    """The code of a refusal, "ok", or the status of an answer without a body."""
    if "success" in reply:
        return "ok" if reply["success"] else reply.get("code", "refused")
    return answer.get("statusCode")


def _frame_id(frame: Mapping[str, Any]) -> str | None:
    frame_id = frame.get("id")
    return frame_id if isinstance(frame_id, str) and _FRAME_ID.fullmatch(frame_id) else None


def _place(found: Mapping[str, Any]) -> dict[str, Any]:
    """The conversation and the entry that it is about, or the user."""
    place: dict[str, Any] = {}
    conversation_id, to, seq = found.get("conversation_id"), found.get("to"), found.get("seq")
    if isinstance(conversation_id, str) and (private_members(conversation_id) or has_roles(conversation_id)):
        place["conversation_id"] = conversation_id
    elif isinstance(to, str) and is_user_id(to) and not to.startswith(_LIKE_A_TOKEN):
        place["to"] = to
    if type(seq) is int:
        place["seq"] = seq
    return place


def _number(text: Any, other: Any) -> Any:
    """The `seq` of a path, also before it was read as a number, or else that of a body."""
    if type(text) is int:
        return text
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 16 else other  # noqa: PLR2004
