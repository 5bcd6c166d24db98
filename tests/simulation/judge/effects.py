"""Acked means done: for each operation that was let through there was a moment at which it was so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from tests.simulation.history import Operation
from tests.simulation.judge.case import Case
from tests.simulation.judge.past import Moment

Effect = Callable[[Operation, Moment], bool]


def _added(one: Operation, now: Moment) -> bool:
    """All but those who don't want that: they are left out without a word."""
    inside = now.roles(one.detail["conversation_id"])
    return all(user in inside or not now.may_be_added(user, one.user) for user in one.detail["users"])


def _removed(one: Operation, now: Moment) -> bool:
    where, user = one.detail["conversation_id"], one.detail["member"]
    return user not in now.roles(where) and now.member(user, where) is None


def _renamed(one: Operation, now: Moment) -> bool:
    item = now.row(f"conversation#{one.detail['conversation_id']}", "group")
    return item is not None and bool(item["name"] == one.detail["name"])


def _role(one: Operation, now: Moment) -> bool:
    role: str = one.detail["role"]
    return now.roles(one.detail["conversation_id"]).get(one.detail["member"]) == role


def _group_made(one: Operation, now: Moment) -> bool:
    """A repetition is answered with the group of the first, whatever it says."""
    return one.status != 201 or now.row(f"conversation#{one.value['id']}", "group") is not None  # created


def _private_made(one: Operation, now: Moment) -> bool:
    """And shown again, where it was hidden."""
    member = now.member(one.user, one.value["id"])
    return member is not None and member.hidden_seq is None


def _hidden(one: Operation, now: Moment) -> bool:
    member = now.member(one.user, one.detail["conversation_id"])
    return member is not None and member.hidden_seq is not None


def _preferred(one: Operation, now: Moment) -> bool:
    member = now.member(one.user, one.detail["conversation_id"])
    if member is None:
        return False
    return all(getattr(member.preferences, name) == value for name, value in one.detail["changes"].items())


def _blocked(one: Operation, now: Moment) -> bool:
    return now.blocks(one.user, one.detail["other"]) is one.detail["on"]


def _requested(one: Operation, now: Moment) -> bool:
    """As its answer says, on one's own side."""
    mine = now.row(f"user#{one.user}", f"contact#{one.detail['other']}")
    return mine is not None and mine["status"] == one.value["status"]


def _updated(one: Operation, now: Moment) -> bool:
    mine = now.row(f"user#{one.user}", f"contact#{one.detail['other']}")
    changes = one.detail["changes"]
    if mine is None:
        return False
    is_accepted = "status" not in changes or mine["status"] == "accepted"
    return is_accepted and ("alias" not in changes or mine.get("alias") == changes["alias"])


def _ended(one: Operation, now: Moment) -> bool:
    mine, theirs = one.user, one.detail["other"]
    return now.row(f"user#{mine}", f"contact#{theirs}") is None and now.row(f"user#{theirs}", f"contact#{mine}") is None


def _registered(one: Operation, now: Moment) -> bool:
    found = now.row(f"user#{one.user}", "devices") or {}
    known = found.get("devices", {}).get(one.detail["device"], {})
    return bool(known.get("token") == one.detail["target"]["token"])


def _signed_out(one: Operation, now: Moment) -> bool:
    found = now.row(f"user#{one.user}", "devices") or {}
    return one.detail["device"] not in found.get("devices", {})


def _notified(one: Operation, now: Moment) -> bool:
    """Each user has it, acknowledged or not."""
    name = one.value["notification_id"]
    return all(now.row(f"user#{user}", f"notice#{name}") is not None for user in one.detail["users"])


def _acknowledged(one: Operation, now: Moment) -> bool:
    item = now.row(f"user#{one.user}", f"notice#{one.detail['notification_id']}")
    return item is None or item.get("acknowledged") is True


def _reminded(one: Operation, now: Moment) -> bool:
    item = now.row(f"user#{one.user}", f"reminder#{one.value['reminder_id']}")
    return item is not None and (item["at"], item["seq"]) == (one.detail["at"], one.detail["seq"])


def _cancelled(one: Operation, now: Moment) -> bool:
    return now.row(f"user#{one.user}", f"reminder#{one.detail['reminder_id']}") is None


def _announced(one: Operation, now: Moment) -> bool:
    item = now.row(f"file#{one.value['file_id']}", "file")
    return item is not None and item["owner_id"] == one.user


def _revoked(one: Operation, now: Moment) -> bool:
    return not (now.session(one.detail["member"]) or {}).get("connections")


EFFECTS: Final[Mapping[str, Effect]] = {
    "add": _added,
    "remove": _removed,
    "quit": _removed,
    "rename": _renamed,
    "role": _role,
    "make_group": _group_made,
    "make_private": _private_made,
    "hide": _hidden,
    "prefer": _preferred,
    "block": _blocked,
    "request_contact": _requested,
    "update_contact": _updated,
    "end_contact": _ended,
    "register": _registered,
    "sign_out": _signed_out,
    "notify": _notified,
    "acknowledge": _acknowledged,
    "remind": _reminded,
    "cancel_reminder": _cancelled,
    "upload": _announced,
}


def acked_means_done(case: Case) -> Iterator[str]:
    for one in case.operations(*EFFECTS):
        if one.outcome != "ok":
            continue
        case.looked_at(one)
        if not any(EFFECTS[one.kind](one, now) for now in case.during(one)):
            yield f"{one} was acked, and was never so"


def profiles_keep_every_change(case: Case) -> Iterator[str]:
    """Of changes that did not overlap the last one stands."""
    changes = [one for one in case.operations("change_profile") if one.outcome != "fail"]
    for one in changes:
        if one.outcome != "ok":
            continue
        case.looked_at(one)
        for field, value in _flat(one.detail["changes"]).items():
            later = [other for other in changes if other is not one and other.user == one.user]
            later = [other for other in later if field in _flat(other.detail["changes"])]
            if any(other.ended is None or other.ended > one.began for other in later):
                continue  # who was last can't be told, or it was another one
            now = case.past.at(case.scenario.hub.now)
            row = now.session(one.user) if field == "hide_presence" else now.row(f"user#{one.user}", "profile")
            stored = (row or {}).get(_STORED_AS.get(field, field), _UNSAID.get(field))
            if stored != value and (stored or value):
                yield f"{one} is not there any more: {field} is {stored!r}"


_STORED_AS: Final = {"hide_presence": "hidden"}  # of the session, and nowhere else
_UNSAID: Final = {"previews": True, "hide_presence": False, "groups_from": "everyone", "mail": "all"}


def _flat(changes: Mapping[str, object]) -> dict[str, object]:
    push = changes.get("push")
    inner = push if isinstance(push, Mapping) else {}
    return {**{name: value for name, value in changes.items() if name != "push"}, **inner}


RULES = (acked_means_done, profiles_keep_every_change)
