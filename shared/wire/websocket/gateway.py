"""The gateway's WebSocket events: who is calling, over which connection, and the answer it takes back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from shared.domain.connections import GUEST, Connection, Identity, opened
from shared.errors import Unauthenticated, UnknownType
from shared.wire.common import error_fields

Event = Mapping[str, Any]
MAX_ID_CHARACTERS: Final = 64
# Of all scopes of the handshake's token frames ask for this one alone.
_OF_A_GUEST: Final = frozenset({GUEST})
_NONE: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Caller:
    """The identity that the authorizer verified at the handshake, and the connection. Never from the body."""

    identity: Identity
    connection: Connection

    def until(self, expires_at: int) -> Caller:
        """The same caller after an `auth` with a token that ends then."""
        identity = replace(self.identity, expires_at=max(expires_at, self.identity.expires_at))
        return Caller(identity, self.connection.extended(expires_at))

    @property
    def user_id(self) -> str:
        return self.identity.user_id

    @property
    def connection_id(self) -> str:
        return self.connection.connection_id


def authorizer_context(identity: Identity, *, device_id: str, connected_at: int) -> dict[str, str]:
    """What the authorizer hands to every later event of the connection. The gateway carries strings."""
    guest = {GUEST: "true"} if identity.is_guest else {}
    return {
        "user_id": identity.user_id,
        "expires_at": str(identity.expires_at),
        "issued_at": str(identity.issued_at),
        "device_id": device_id,
        "connected_at": str(connected_at),
        **guest,
    }


def caller_of(event: Event) -> Caller:
    """Who sent this event. Raises Unauthenticated where the authorizer's context is missing or not ours."""
    request_context = event["requestContext"]
    context = request_context.get("authorizer") or {}
    try:
        user_id, expires_at = context["user_id"], int(context["expires_at"])
        # Connections from before an upgrade have no `issued_at`.
        scopes = _OF_A_GUEST if GUEST in context else _NONE
        identity = Identity(user_id, expires_at, scopes, int(context.get("issued_at", 0)))
        connection = opened(
            request_context["connectionId"],
            identity,
            device_id=context["device_id"],
            connected_at=int(context["connected_at"]),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise Unauthenticated from exc
    return Caller(identity, connection)


def answer(body: str = "", status: int = 200) -> dict[str, Any]:
    """The route response: a reply to a frame, or the verdict on a handshake."""
    return {"statusCode": status, "body": body}


def answer_misrouted(event: Event) -> dict[str, Any]:
    """The reply to a frame whose `type` names a route of the gateway's own, such as "$connect": no such type."""
    frame_id = salvaged_id(event.get("body") or "")
    echo = {} if frame_id is None else {"id": frame_id}
    return answer(json.dumps({"success": False, **echo, **error_fields(UnknownType())}))


def usable_id(frame_id: Any) -> str | None:
    """The id of a frame, if it is one that can be echoed."""
    return frame_id if isinstance(frame_id, str) and len(frame_id) <= MAX_ID_CHARACTERS else None


def salvaged_id(body: str | bytes) -> str | None:
    """The id of a frame that is not decoded, or could not be: as far as it can be read, its sender waits for it."""
    try:
        head = json.loads(body)
        frame_id = usable_id(head.get("id")) if isinstance(head, dict) else None
        (frame_id or "").encode()  # an id that holds half a surrogate pair can't be echoed
    except (ValueError, RecursionError):
        return None
    return frame_id
