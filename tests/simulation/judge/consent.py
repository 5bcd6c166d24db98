"""Contacts are of two who both want it; what is kept of a notification, a device and a cursor changes by rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any, Final

from shared.adapters.dynamodb.client import Item
from shared.adapters.dynamodb.devices import devices_from, target_hash
from shared.domain.devices import Device
from tests.simulation.faults import Fault
from tests.simulation.functions import BASE_MS
from tests.simulation.history import Operation
from tests.simulation.judge.case import Case

_CONTACT: Final = "contact#"
_NOTICE: Final = "notice#"


def _rows(case: Case, prefix: str) -> Iterator[tuple[float, str, str, Item | None, Item | None]]:
    """Changes of users' rows whose key begins so: when, whose, of what, before and after."""
    for at, (table, pk, sk), old, new in case.past.changes:
        if table == "members" and str(sk).startswith(prefix) and pk.startswith("user#"):
            yield at, pk.removeprefix("user#"), sk.removeprefix(prefix), old, new


def _wants(one: Operation, user: str, other: str) -> bool:
    """Whether it says that `user` wants `other` as a contact."""
    is_theirs = one.user == user and one.detail.get("other") == other
    is_yes = one.kind == "request_contact" or (
        one.kind == "update_contact" and one.detail["changes"].get("status") == "accepted"
    )
    return is_theirs and is_yes


def contacts_are_wanted_by_both(case: Case) -> Iterator[str]:
    """Asked for by one, and accepted by the other; and who blocks a user hears of no request of theirs."""
    for at, user, other, old, new in _rows(case, _CONTACT):
        if new is None:
            continue
        before = [one for one in case.operations("request_contact", "update_contact") if one.began <= at]
        mine = [one for one in before if _wants(one, user, other)]
        theirs = [one for one in before if _wants(one, other, user)]
        was, is_now = (old or {}).get("status"), new["status"]
        if is_now == "accepted" and was != "accepted" and not (mine and theirs):
            yield f"{user} and {other} became contacts at {at:.0f}, which only one of them wants"
        if is_now == "requested" and was != "requested" and not mine:
            yield f"{user} has asked {other} at {at:.0f}, and did not"
        asked = [one for one in theirs if one.kind == "request_contact"]
        if is_now == "incoming" and was != "incoming" and not any(_reaches(case, one, user, at) for one in asked):
            yield f"{user} was asked by {other} at {at:.0f}, who could not"
        if old is None and not any(one.kind == "request_contact" for one in (*mine, *theirs) if _is_open(one, at)):
            yield f"{user} has the contact {other} at {at:.0f}, and nobody was asking"


def _reaches(case: Case, one: Operation, user: str, at: float) -> bool:
    moments = [case.past.at(when) for when in case.past.moments(one.began, at)]
    return any(not now.blocks(user, one.user) for now in moments)


def _is_open(one: Operation, at: float) -> bool:
    return one.began <= at and (one.outcome != "ok" or one.ended is None or one.ended >= at)


def aliases_are_ones_own(case: Case) -> Iterator[str]:
    """A name changes by its owner's request, to what that says; the other side's changes leave it alone."""
    for at, user, other, old, new in _rows(case, _CONTACT):
        alias = (new or {}).get("alias")
        if old is None or new is None or alias == old.get("alias"):
            continue
        renamed = [one for one in case.operations("update_contact") if (one.user, one.detail["other"]) == (user, other)]
        said = {
            one.detail["changes"].get("alias")
            for one in renamed
            if _is_open(one, at) and "alias" in one.detail["changes"]
        }
        if alias not in said:
            yield f"{user} calls {other} {alias!r} at {at:.0f}, and said {said}"


def notices_stay_as_they_were(case: Case) -> Iterator[str]:
    """Until they are acknowledged, which is for good: but for an expired one, which is as good as gone."""
    for at, user, name, old, new in _rows(case, _NOTICE):
        if old is None or new is None or old["expires_at"] <= BASE_MS + at + case.skew:
            continue
        if old.get("acknowledged") and not new.get("acknowledged"):
            yield f"{user}'s notification {name} was acknowledged, and is back at {at:.0f}"
        elif not new.get("acknowledged") and old != new:
            yield f"{user}'s notification {name} became {new} at {at:.0f}, of {old}"


def notices_say_what_was_asked(case: Case) -> Iterator[str]:
    for at, user, name, old, new in _rows(case, _NOTICE):
        if old is not None or new is None or new["kind"] != "system" or name.startswith("held-"):
            continue  # `reviews` looks at those
        if name in case.broadcasts:
            continue  # and `broadcasts` at these
        asked = [one for one in case.operations("notify") if user in one.detail["users"] and one.began <= at]
        asked = [one for one in asked if one.detail.get("notification_id", name) == name]
        if not any(one.detail["title"] == new["title"] for one in asked):
            yield f"{user} has {new} at {at:.0f}, of {len(asked)} requests"


def acknowledged_is_not_told(case: Case) -> Iterator[str]:
    """What was acknowledged before a function began is posted and pushed by it no more.

    But for a broadcast, whose pages are told again where a job was repeated.
    """
    deployment = case.scenario.deployment
    told = [
        (p.line.user_id, p.event["notification"]["id"], p.began, p.at)
        for p in deployment.gateway.posts
        if p.event["type"] == "notification" and p.event["notification"]["id"] not in case.broadcasts
    ]
    for user, name, began, at in told:
        rows = [
            case.past.at(when).row(f"user#{user}", f"{_NOTICE}{name}") or {} for when in case.past.moments(began, at)
        ]
        if all(row.get("acknowledged") for row in rows):
            yield f"{user} was told {name} at {at:.0f}, and had acknowledged it"


@dataclass(frozen=True, slots=True)
class Changed:
    """A user's devices by id, before and after, and those that are new or other ones."""

    before: Mapping[str, Device]
    after: Mapping[str, Device]
    added: set[str]


def devices_change_by_rule(case: Case) -> Iterator[str]:
    """As many as there may be, the oldest goes first; each target is of one device of one user."""
    limit = case.scenario.plan.limits.devices
    owners = _owners_at_first(case)
    for at, (table, pk, sk), old, new in case.past.changes:
        if table != "members" or sk != "devices":
            continue
        user = pk.removeprefix("user#")
        before, after = _by_id(old), _by_id(new)
        added = {name for name, one in after.items() if name not in before or before[name] != one}
        gone = {name: one for name, one in before.items() if name not in after}
        if added and len(after) > max(limit, len(before)):
            yield f"{user} has {len(after)} devices at {at:.0f}, of {limit}"
        for name, one in gone.items():
            if not _may_go(case, at, user, one, Changed(before, after, added)):
                yield f"{user}'s device {name} is gone at {at:.0f}, which nobody asked for"
        owners[user] = {target_hash(one.target) for one in after.values()}
    if shared := _shared(owners):
        yield f"{shared} is more than one user's device"


def _shared(owners: Mapping[str, set[str]]) -> set[str]:
    users = list(owners)
    return {
        one
        for number, user in enumerate(users)
        for other in users[number + 1 :]
        for one in owners[user] & owners[other]
    }


def _owners_at_first(case: Case) -> dict[str, set[str]]:
    found = {}
    for table, pk, sk in case.past.places():
        if table == "members" and sk == "devices":
            found[pk.removeprefix("user#")] = {
                target_hash(one.target) for one in _by_id(case.past.at(-1.0).row(pk, sk)).values()
            }
    return found


def _by_id(item: Item | None) -> dict[str, Device]:
    return {one.device_id: one for one in devices_from(item or {})}


def _is_kept_out(case: Case, at: float, user: str, device: Device) -> bool:
    """Whether an administrator may have had the user's device forgotten by then."""
    return any(
        device.registered_at < (inf if one.kind == "ban" else one.detail["moment"])
        for one in case.operations("ban", "revoke_tokens")
        if one.detail["member"] == user and one.began <= at and one.outcome != "fail"
    )


def _may_go(case: Case, at: float, user: str, gone: Device, changed: Changed) -> bool:
    """By its user, who has its target now, or an administrator; as the oldest of too many; its provider forgot it."""
    target, before, after = target_hash(gone.target), changed.before, changed.after
    if case.scenario.fault_model.struck[Fault.PROVIDER_FORGOT]:
        return True
    for one in case.operations("sign_out", "register"):
        is_signed_out = one.kind == "sign_out" and (one.user, one.detail["device"]) == (user, gone.device_id)
        is_elsewhere = one.kind == "register" and one.detail["target"]["token"] == gone.target.token
        if one.began <= at and (is_signed_out or is_elsewhere):
            return True
    if _is_kept_out(case, at, user, gone):
        return True
    if any(target_hash(after[other].target) == target for other in changed.added):
        return True
    kept = [one.registered_at for other, one in before.items() if other in after and other not in changed.added]
    is_full = bool(changed.added) and len(after) >= case.scenario.plan.limits.devices
    return is_full and all(gone.registered_at <= other + case.skew for other in kept)


RULES: Final[tuple[Any, ...]] = (
    contacts_are_wanted_by_both,
    aliases_are_ones_own,
    notices_stay_as_they_were,
    notices_say_what_was_asked,
    acknowledged_is_not_told,
    devices_change_by_rule,
)
