"""What administrators send over HTTP and are answered: bans, revocations, the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel, Field

from shared.domain.audit import AuditPosition, AuditRow
from shared.domain.bans import FOREVER, Ban
from shared.operations.audit import AuditPage
from shared.operations.bans import MAX_REASON_CHARACTERS
from shared.wire.common import decode_cursor, encode_cursor, invalid_cursor
from shared.wire.rest.common import Milliseconds, config

if TYPE_CHECKING:
    from shared.wire.shapes import admin as shapes

_AUDIT: Final = "audit"


class NewBan(BaseModel):
    """Until when (ms), null for a ban without an end, and why: for administrators to read."""

    model_config = config({"until": 1795517600123, "reason": "spam"}, {"until": None})

    until: Milliseconds | None = None
    reason: Annotated[str, Field(max_length=MAX_REASON_CHARACTERS)] = ""


class Revocation(BaseModel):
    """The moment (ms) whose earlier tokens are refused: now, mostly."""

    model_config = config({"issued_before": 1795431200123})

    issued_before: Milliseconds


def ban_body(user_id: str, ban: Ban) -> shapes.Ban:
    until = None if ban.until == FOREVER else ban.until
    return {"user_id": user_id, "until": until, "reason": ban.reason, "at": ban.at, "by": ban.by}


def given_body(user_id: str, ban: Ban, closed: int) -> shapes.BanGiven:
    return {**ban_body(user_id, ban), "closed": closed}


def revoked_body(issued_before: int, closed: int) -> shapes.Revoked:
    return {"issued_before": issued_before, "closed": closed}


def audit_body(page: AuditPage, user_id: str) -> shapes.Audit:
    """A page, with the cursor of the next one for this user."""
    after = page.next
    cursor = None if after is None else encode_cursor(user_id, _AUDIT, [after.at, after.nonce])
    return {"rows": [_row(row) for row in page.rows], "next_cursor": cursor}


def _row(row: AuditRow) -> shapes.AuditRow:
    return {
        "at": row.at,
        "by": row.by,
        "acting_as": row.acting_as,
        "method": row.method,
        "route": row.route,
        "arguments": dict(row.arguments),
        "request_id": row.request_id,
    }


def decode_audit_cursor(user_id: str, cursor: str) -> AuditPosition:
    """The position, if the cursor is one of this user's audit. Raises BadRequest for any other."""
    match decode_cursor(user_id, _AUDIT, cursor):
        case [int(at), str(nonce)] if at >= 0 and nonce.isascii():
            return AuditPosition(at, nonce)
    raise invalid_cursor()
