"""Notifications: what users are told outside of conversations. Stored first, told second, kept until acknowledged."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from shared.clock import DAY_MS
from shared.domain.connections import NOBODY, Delivered, live
from shared.domain.notifications import SYSTEM, AboutNotification, DeliveryCheck, Notification
from shared.domain.text import check_user_id, id_pattern, is_label
from shared.errors import BadRequest, TooLarge
from shared.operations.context import Context
from shared.operations.delivery import post, report
from shared.ports.services import NotifyingServices
from shared.ports.stores import SessionStores, Stores

MAX_USERS: Final = 100
MAX_TITLE: Final = 100
MAX_BODY: Final = 1_000
MAX_DATA_BYTES: Final = 2_048
MAX_LISTED: Final = 100
NOTIFICATION_ID_PATTERN: Final = id_pattern("A-Za-z0-9_-", 64)
NOTIFICATION_ID_RULE: Final = "1 to 64 of A-Z a-z 0-9 _ . -, and neither . nor .."
KEPT_MS: Final = 30 * DAY_MS
_NOTIFICATION_ID: Final = re.compile(NOTIFICATION_ID_PATTERN)


@dataclass(frozen=True, slots=True)
class NotificationRequest:
    """What these users are to be told. With an id the request can be repeated: who has it is told nothing else."""

    users: Sequence[str]
    title: str
    body: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    notification_id: str | None = None


def send_notification(
    asked: NotificationRequest, *, stores: Stores, services: NotifyingServices, context: Context
) -> tuple[str, int]:
    """Tell users something, and keep it for 30 days or until they acknowledge it. Returns its id, and for how many.

    A repetition tells those who have not acknowledged again, of what is stored. Raises BadRequest and TooLarge, and
    Unavailable where it is not known to be stored for all.
    """
    check_notification(asked)
    now = context.now()
    notification_id = context.new_nonce() if asked.notification_id is None else asked.notification_id
    users = list(dict.fromkeys(asked.users))
    mine = [
        Notification(notification_id, user, SYSTEM, now, now + KEPT_MS, asked.title, asked.body, dict(asked.data))
        for user in users
    ]
    stores.notifications.put(mine)
    if asked.notification_id is not None:
        mine = list(stores.notifications.among([(user, notification_id) for user in users], now=now).values())
    for one in [tell(alike, stores=stores, services=services, context=context) for alike in _alike(mine)]:
        report(one, services=services)
    return notification_id, len(users)


def tell(
    alike: Sequence[Notification], *, stores: SessionStores, services: NotifyingServices, context: Context
) -> Delivered:
    """Tell users of a stored notification that says the same to each. Raises Unavailable, before anything is posted.

    Users without a live connection are pushed to right away; the others' delivery is checked some seconds later.
    """
    if not alike:
        return NOBODY
    about, users = AboutNotification(alike[0].notification_id), [notification.user_id for notification in alike]
    now = context.now()
    known = stores.sessions.of(users)
    connections = [connection for found in known.values() for connection in live(found, now)]
    present = {connection.user_id for connection in connections}
    for waiting, delay_s in (
        ([user for user in users if user not in present], 0),
        ([user for user in users if user in present], context.limits.delivery_check_s),
    ):
        if waiting:
            services.delivery_checks.put([DeliveryCheck(about, tuple(waiting))], delay_s=delay_s)
    return post(alike[0], connections, known=known, stores=stores, services=services, now=now)


def notifications_of(user_id: str, *, stores: Stores, now: int) -> Sequence[Notification]:
    """What a user has not acknowledged: the oldest 100, oldest first."""
    return stores.notifications.of(user_id, now=now)[:MAX_LISTED]


def check_notification(asked: NotificationRequest) -> None:
    """Raises BadRequest or TooLarge, naming the field."""
    if not 1 <= len(asked.users) <= MAX_USERS:
        raise BadRequest(f"`users` are 1 to {MAX_USERS}")
    for user_id in asked.users:
        check_user_id(user_id)
    if asked.notification_id is not None and not is_notification_id(asked.notification_id):
        raise BadRequest(f"`notification_id` is {NOTIFICATION_ID_RULE}")
    check_text(asked.title, asked.body, asked.data)


def is_notification_id(text: str) -> bool:
    return _NOTIFICATION_ID.fullmatch(text) is not None


def check_text(title: str, body: str, data: Mapping[str, str]) -> None:
    """Raises BadRequest or TooLarge, naming the field."""
    if len(title) > MAX_TITLE:
        raise TooLarge(f"`title` has at most {MAX_TITLE} characters")
    if not is_label(title):
        raise BadRequest("`title` is blank, or holds a control character")
    if len(body) > MAX_BODY:
        raise TooLarge(f"`body` has at most {MAX_BODY:,} characters")
    if len(_encoded(data)) > MAX_DATA_BYTES:
        raise TooLarge(f"`data` has at most {MAX_DATA_BYTES:,} bytes")


def _encoded(data: Mapping[str, str]) -> bytes:
    return json.dumps(dict(data), ensure_ascii=False, separators=(",", ":")).encode()


def _alike(notifications: Sequence[Notification]) -> list[list[Notification]]:
    """Notifications of one id by what they say: some users may have got theirs from an earlier request."""
    groups: dict[object, list[Notification]] = {}
    for notification in notifications:
        said = notification.created_at, notification.title, notification.body, tuple(sorted(notification.data.items()))
        groups.setdefault(said, []).append(notification)
    return list(groups.values())
