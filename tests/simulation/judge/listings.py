"""Every list shows what is stored: what was there all the time, and nothing that never was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from shared.adapters.dynamodb.devices import devices_from
from shared.domain.changes import MEMBER
from shared.domain.text import private_members
from tests.simulation.functions import BASE_MS
from tests.simulation.history import Operation
from tests.simulation.judge.case import Case
from tests.simulation.judge.past import Moment

Rows = Mapping[str, Any]
"""What is shown of each, by its name."""


def _contacts(one: Operation, now: Moment) -> Rows:
    rows = now.rows(f"user#{one.user}", "contact#")
    return {name: (row["status"], row.get("alias"), row["since"]) for name, row in rows.items()}


def _blocks(one: Operation, now: Moment) -> Rows:
    return dict.fromkeys(now.rows(f"user#{one.user}", "block#"), True)


def _devices(one: Operation, now: Moment) -> Rows:
    found = devices_from(now.row(f"user#{one.user}", "devices") or {})
    return {device.device_id: (device.target.platform, device.target.token) for device in found}


def _notices(one: Operation, now: Moment) -> Rows:
    rows = now.rows(f"user#{one.user}", "notice#")
    current = {name: row for name, row in rows.items() if row["expires_at"] > BASE_MS + now.when}
    return {name: (row["kind"], row.get("title")) for name, row in current.items() if "acknowledged" not in row}


def _reminders(one: Operation, now: Moment) -> Rows:
    rows = now.rows(f"user#{one.user}", "reminder#")
    return {name: (row["conversation_id"], row["seq"], row["at"]) for name, row in rows.items()}


def _members(one: Operation, now: Moment) -> Rows:
    where = one.detail["conversation_id"]
    found = {user: (role, now.member(user, where)) for user, role in now.roles(where).items()}
    shown = {user: (role, member.read_seq, member.has_got) for user, (role, member) in found.items() if member}
    if private := private_members(where):  # who was not written to yet has no row of their own
        return {user: shown.get(user, (MEMBER, 0, 0)) for user in private} if one.user in shown else {}
    return shown


_STORED: Final[Mapping[str, Callable[[Operation, Moment], Rows]]] = {
    "get_contacts": _contacts,
    "get_blocks": _blocks,
    "get_devices": _devices,
    "get_notifications": _notices,
    "get_reminders": _reminders,
    "members": _members,
}
_SHOWN: Final[Mapping[str, Callable[[Any], Rows]]] = {
    "get_contacts": lambda body: {
        one["user_id"]: (one["status"], one["alias"], one["since"]) for one in body["contacts"]
    },
    "get_blocks": lambda body: dict.fromkeys(body["blocks"], True),
    "get_devices": lambda body: {one["device_id"]: (one["platform"], one["token"]) for one in body["devices"]},
    "get_notifications": lambda body: {one["id"]: (one["kind"], one["title"]) for one in body["notifications"]},
    "get_reminders": lambda body: {
        one["reminder_id"]: (one["conversation_id"], one["seq"], one["at"]) for one in body["reminders"]
    },
    "members": lambda body: {
        one["user_id"]: (one["role"], one["read_seq"], one["delivered_seq"]) for one in body["members"]
    },
}


def lists_show_what_is_stored(case: Case) -> Iterator[str]:
    for one in case.operations(*_STORED):
        if one.outcome != "ok":
            continue
        case.looked_at(one)
        shown = _SHOWN[one.kind](one.value)
        stored = [_STORED[one.kind](one, moment) for moment in case.during(one)]
        for name in sorted({*shown, *(name for rows in stored for name in rows)}):
            possible = [rows.get(name) for rows in stored]
            if shown.get(name) not in possible and not _is_mixed(shown.get(name), possible):
                yield f"{one} shows {name} as {shown.get(name)}, and it was {possible}"


def _is_mixed(shown: Any, possible: list[Any]) -> bool:
    """Where what is shown comes from several reads, each part was so at a moment of its own."""
    if not isinstance(shown, tuple):
        return False
    known = [one for one in possible if one is not None]
    return bool(known) and all(part in {one[number] for one in known} for number, part in enumerate(shown))


_ORDERED: Final[Mapping[str, Callable[[Any], list[Any]]]] = {
    "get_reminders": lambda body: [reminder["at"] for reminder in body["reminders"]],
    "get_notifications": lambda body: [notice["created_at"] for notice in body["notifications"]],
    "get_blocks": lambda body: body["blocks"],
}


def lists_are_in_order(case: Case) -> Iterator[str]:
    for one in case.operations(*_ORDERED):
        keys = _ORDERED[one.kind](one.value) if one.outcome == "ok" else []
        if keys != sorted(keys):
            yield f"{one} is not in order"


def profiles_show_what_is_stored(case: Case) -> Iterator[str]:
    for one in case.operations("get_me"):
        if one.outcome != "ok":
            continue
        case.looked_at(one)
        rows = [moment.row(f"user#{one.user}", "profile") or {} for moment in case.during(one)]
        for field in ("display_name", "avatar_url"):
            if one.value[field] not in [row.get(field) for row in rows]:
                yield f"{one} shows {field} as {one.value[field]!r}, of {rows}"


RULES = (lists_show_what_is_stored, lists_are_in_order, profiles_show_what_is_stored)
