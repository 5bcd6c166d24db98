"""What administrators send over HTTP and are answered: the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared.domain.audit import AuditPosition, AuditRow
from shared.operations.audit import AuditPage
from shared.wire.common import decode_cursor, encode_cursor, invalid_cursor

if TYPE_CHECKING:
    from shared.wire.shapes import admin as shapes

_AUDIT: Final = "audit"


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
