"""How users come and go, for the team's backend: a log for each user. Loaded where a deployment has events of presence.

What counts is what those who watch were last told (`shown` in the session): a reconnect within the grace period is no
transition, and who hides is away. The log's tail is the lock (ADR 0007): what stands there is the last word.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from shared.adapters.dynamodb.client import Calls
from shared.adapters.dynamodb.conversation_log import DynamoDbConversationLog
from shared.adapters.dynamodb.schema import PASSING_MS, Tables
from shared.clock import DAY_MS
from shared.domain.changes import Happened, as_json
from shared.domain.connections import OFFLINE, ONLINE, Gone, Session
from shared.domain.entries import Entry, change_entry
from shared.domain.text import transitions_id
from shared.errors import Unavailable
from shared.ports.connections import Sessions
from shared.ports.services import PresenceChecks

_MAX_ATTEMPTS: Final = 10
# DynamoDB deletes what has ended in no order, so a tail that ends soon may go before what it stands behind.
_TRUSTED_MS: Final = PASSING_MS - DAY_MS
_new_nonce = partial(secrets.token_urlsafe, 8)


class DynamoDbTransitions:
    """Transitions on the log table."""

    def __init__(
        self,
        calls: Calls,
        tables: Tables,
        *,
        sessions: Sessions,
        checks: PresenceChecks | None = None,
        new_nonce: Callable[[], str] = _new_nonce,
    ) -> None:
        """`checks`: where it is tried again what could not be noted; None: whoever asks does that."""
        self._log = DynamoDbConversationLog(calls, log_table=tables.log, members_table=tables.members)
        self._sessions = sessions
        self._checks = checks
        self._new_nonce = new_nonce

    def note(self, user_id: str, *, now: int) -> None:
        try:
            self._note(user_id, now)
        except Exception:
            if self._checks is None:
                raise
            self._checks.schedule(Gone(user_id, now))

    def _note(self, user_id: str, now: int) -> None:
        """Looked at again behind a put: who has found the same as the last word meanwhile has noted nothing."""
        for _ in range(_MAX_ATTEMPTS):
            latest = next(iter(self._log.read_back(transitions_id(user_id), limit=1)), None)
            session = self._sessions.whole([user_id]).get(user_id, Session())
            before = None if latest is None else _status(latest.change)
            is_online = session.shown == ONLINE and not session.hidden
            if before == (ONLINE if is_online else OFFLINE) or (before is None and session.shown is None):
                return
            told = _told(user_id, session, is_online=is_online)
            self._log.put(_entry(told, latest, user_id, now=now, nonce=self._new_nonce()))
        raise Unavailable


def _told(user_id: str, session: Session, *, is_online: bool) -> Happened:
    """When they were last there is told as those who watch are told it: not of who hides."""
    last_seen = None if is_online or session.hidden else session.last_seen or None
    said = {"user_id": user_id, "status": ONLINE if is_online else OFFLINE, "last_seen": last_seen}
    return Happened("presence", "presence", as_json(said))


def _status(change: object) -> str | None:
    return json.loads(change.value)["status"] if isinstance(change, Happened) else None


def _entry(told: Happened, latest: Entry | None, user_id: str, *, now: int, nonce: str) -> Entry:
    """Behind the last one. A log that begins does so at the time (ms), so that no place is ever there twice."""
    base = latest if latest is not None and now - latest.created_at < _TRUSTED_MS else None
    entry = change_entry(
        told,
        base=base,
        conversation_id=transitions_id(user_id),
        sender_id=user_id,
        created_at=now,
        nonce=nonce,
        fan_out=False,
    )
    return replace(entry, seq=now) if base is None else entry
