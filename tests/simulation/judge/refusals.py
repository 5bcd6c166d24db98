"""Who may do what: a refusal was right at some moment of its operation, and so was letting it through.

For each kind of operation a table says what may stand in its way, and with which code it is refused then.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from shared.domain.broadcasts import CANCELLED, DONE
from shared.domain.text import is_group_id, private_members
from tests.simulation.faults import Fault
from tests.simulation.functions import BASE_MS
from tests.simulation.history import Operation
from tests.simulation.judge.case import Case
from tests.simulation.judge.past import Moment, other_of
from tests.simulation.judge.weights import too_heavy, too_heavy_with_one_more

Obstacle = tuple[str, Callable[[Case, Operation, Moment], bool]]
"""A code, and whether it is right at a moment."""

# Not verdicts on what was asked for: whether they are right is another rule's affair, or nobody's.
_OF_THE_MOMENT: Final = frozenset({"unavailable", "rate_limited", "token_expired", "sync_required"})
# What is said to users who are kept out: `kept_out.py` looks at it.
OUT: Final = frozenset({"banned", "unauthenticated"})
_OWNER, _ADMIN, _MEMBER = "owner", "admin", "member"


def _where(operation: Operation) -> str:
    return str(operation.detail["conversation_id"])


def _outside(_: Case, one: Operation, now: Moment) -> bool:
    return now.member(one.user, _where(one)) is None


def _outside_or_of_the_source(case: Case, one: Operation, now: Moment) -> bool:
    """A private conversation that is named by its other side is made where it isn't there."""
    source = one.detail.get("forward_of")
    is_outside = _outside(case, one, now) or one.user not in now.roles(_where(one))
    return is_outside or (source is not None and now.member(one.user, source[0]) is None)


def _blocked(_: Case, one: Operation, now: Moment) -> bool:
    other = one.detail.get("other") or other_of(_where(one), one.user)
    return other is not None and now.blocks(other, one.user)


def _not_readable(_: Case, one: Operation, now: Moment) -> bool:
    entry = now.entry(_where(one), one.detail["seq"])
    return entry is None or not entry.is_readable


def _no_message(_: Case, one: Operation, now: Moment) -> bool:
    entry = now.entry(_where(one), one.detail["seq"])
    return entry is None or not entry.is_message


def _anothers_or_old(case: Case, one: Operation, now: Moment) -> bool:
    entry = now.entry(_where(one), one.detail["seq"])
    if entry is None or entry.sender_id != one.user or entry.seen_by(one.user).forwarded:
        return True
    window = case.scenario.plan.limits.edit_window_s * 1_000
    return bool(window) and BASE_MS + (one.ended or now.when) + case.skew - entry.created_at > window


def _anothers_surely(case: Case, one: Operation, now: Moment) -> bool:
    """As above, where it is certain."""
    entry = now.entry(_where(one), one.detail["seq"])
    if entry is None or entry.sender_id != one.user or entry.seen_by(one.user).forwarded:
        return True
    window = case.scenario.plan.limits.edit_window_s * 1_000
    return bool(window) and BASE_MS + one.began - case.skew - entry.created_at > window


def _not_deletable(_: Case, one: Operation, now: Moment) -> bool:
    entry = now.entry(_where(one), one.detail["seq"])
    if entry is not None and entry.sender_id == one.user:
        return False
    return not (is_group_id(_where(one)) and now.roles(_where(one)).get(one.user) in (_OWNER, _ADMIN))


def _no_moderator(_: Case, one: Operation, now: Moment) -> bool:
    return now.roles(_where(one)).get(one.user) not in (_OWNER, _ADMIN)


def _no_room(case: Case, one: Operation, now: Moment) -> bool:
    inside = now.roles(_where(one))
    return len(set(inside) | set(one.detail["users"])) > case.scenario.plan.limits.group


def _not_removable(_: Case, one: Operation, now: Moment) -> bool:
    roles = now.roles(_where(one))
    mine, theirs = roles.get(one.user), roles.get(one.detail["member"])
    if one.user != one.detail["member"] and mine != _OWNER and not (mine == _ADMIN and theirs == _MEMBER):
        return True
    left = [role for user, role in roles.items() if user != one.detail["member"]]
    return bool(left) and _OWNER not in left


def _no_such_member(_: Case, one: Operation, now: Moment) -> bool:
    return one.detail["member"] not in now.roles(_where(one))


def _no_owner(_: Case, one: Operation, now: Moment) -> bool:
    """Not an owner, or it would leave none."""
    roles = now.roles(_where(one))
    after = {**roles, one.detail["member"]: one.detail["role"]}
    return roles.get(one.user) != _OWNER or _OWNER not in after.values()


def _too_many(case: Case, one: Operation, _: Moment) -> bool:
    return len({one.user, *one.detail["members"]}) > case.scenario.plan.limits.group


def _beyond(_: Case, one: Operation, now: Moment) -> bool:
    return now.entry(_where(one), one.detail["seq"]) is None


def _odd_message(_: Case, one: Operation, now: Moment) -> bool:
    """It mentions somebody who is not there, or follows what is not there."""
    inside = private_members(_where(one)) or now.roles(_where(one))
    is_known = all(user in inside for user in one.detail.get("mentions") or ())
    after = one.detail.get("after") or 0
    return not is_known or (after > 0 and now.entry(_where(one), after) is None)


def _nothing_there(_: Case, one: Operation, now: Moment) -> bool:
    """What it replies to, forwards or shows; one of these is enough."""
    reply, source, file_id = (one.detail.get(name) for name in ("reply_to", "forward_of", "file_id"))
    if reply:
        entry = now.entry(_where(one), reply)
        if entry is None or not entry.is_message:
            return True
    if source is not None:
        entry = now.entry(*source)
        if entry is None or not entry.is_readable:
            return True
    if file_id is not None:
        item = now.row(f"file#{file_id}", "file")
        shown = item and (item.get("status"), item.get("owner_id"), item.get("kind"))
        return shown != ("ready", one.user, one.detail.get("message_type"))
    return False


def _reactions_full(case: Case, one: Operation, now: Moment) -> bool:
    """It has as many of this user's as it may, or is as heavy as it may be, and this is not one of them."""
    entry = now.entry(_where(one), one.detail["seq"])
    if entry is None or one.detail.get("remove"):
        return False
    mine = {emoji for emoji, user in entry.reactions if user == one.user}
    if one.detail["emoji"] in mine:
        return False
    return len(mine) >= case.scenario.plan.limits.reactions or too_heavy_with_one_more(one, entry)


def _anothers_reaction(case: Case, one: Operation, now: Moment) -> bool:
    """Which owners and admins of a group may take off."""
    is_own = one.detail.get("owner", one.user) == one.user
    return not is_own and (not is_group_id(_where(one)) or _no_moderator(case, one, now))


def _said_otherwise(case: Case, one: Operation, now: Moment) -> bool:
    """Another message stands under this id; or it is reacted to as often as it can be."""
    name = one.detail.get("client_message_id")
    said = said_of(one)
    for other in case.operations("send", "otherwise", "claim"):
        if other.user == one.user and other.detail.get("client_message_id") == name and said_of(other) != said:
            return True
    return False


def said_of(one: Operation) -> tuple[Any, ...]:
    mentions = tuple(dict.fromkeys(one.detail.get("mentions") or ()))
    more = (one.detail.get(name) for name in ("content", "reply_to", "file_id", "forward_of"))
    hung = json.dumps([one.detail.get("data"), one.detail.get("attachments")])
    return (*more, mentions, hung)


def _no_contact(_: Case, one: Operation, now: Moment) -> bool:
    return now.row(f"user#{one.user}", f"contact#{one.detail['other']}") is None


def _waits_for_them(_: Case, one: Operation, now: Moment) -> bool:
    mine = now.row(f"user#{one.user}", f"contact#{one.detail['other']}")
    return "status" in one.detail["changes"] and mine is not None and mine["status"] == "requested"


def _not_ahead(case: Case, one: Operation, _: Moment) -> bool:
    at: int = one.detail["at"]
    return at <= BASE_MS + (one.ended or 0.0) + case.skew + 1


def _past_surely(case: Case, one: Operation, _: Moment) -> bool:
    at: int = one.detail["at"]
    return at <= BASE_MS + one.began - case.skew - 1


def _reminders_full(case: Case, one: Operation, now: Moment) -> bool:
    return len(now.rows(f"user#{one.user}", "reminder#")) >= case.scenario.plan.limits.reminders


def _over_quota(case: Case, one: Operation, now: Moment) -> bool:
    used = (now.row(f"user#{one.user}", "files") or {}).get("bytes", 0)
    return bool(used + one.detail["size"] > case.scenario.plan.limits.quota)


def _no_server(_: Case, one: Operation, __: Moment) -> bool:
    return one.user != "server"


def _no_broadcast(case: Case, one: Operation, now: Moment) -> bool:
    return case.broadcast_at(one.detail["broadcast_id"], now.when) is None


def _another_or_too_many(case: Case, one: Operation, now: Moment) -> bool:
    """Its id is another's; or it is none of those that are at work, and there are as many as may be."""
    found = case.broadcast_at(one.detail["broadcast_id"], now.when)
    if found is not None:
        return (found.title, found.is_stored) != (one.detail["title"], one.detail["store"])
    states = [case.broadcast_at(name, now.when) for name in case.broadcasts]
    working = sum(1 for state in states if state is not None and state.state not in {DONE, CANCELLED})
    return working >= case.scenario.plan.limits.broadcasts_at_once


def _is_at_its_end(case: Case, one: Operation, now: Moment) -> bool:
    found = case.broadcast_at(one.detail["broadcast_id"], now.when)
    ends = {DONE} if one.kind == "cancel_broadcast" else {DONE, CANCELLED}
    return found is not None and found.state in ends


def _ends_before(case: Case, one: Operation, _: Moment) -> bool:
    until = one.detail["until"]
    return until is not None and until <= BASE_MS + (one.ended or 0.0) + case.skew


def _ends_before_surely(case: Case, one: Operation, _: Moment) -> bool:
    until = one.detail["until"]
    return until is not None and until <= BASE_MS + one.began - case.skew


def _no_file_of_theirs(_: Case, one: Operation, now: Moment) -> bool:
    name = f"file#{one.detail['file_id']}"
    item = now.row(name, "file")
    if item is None or item["status"] == "deleted":
        return True
    if item["owner_id"] == one.user:
        return False
    places = {reference.rpartition("/")[0] for reference in now.rows(name, "message#")}
    return item["status"] != "ready" or not any(now.member(one.user, where) for where in places)


_INSIDE: Final[Obstacle] = ("not_a_member", _outside)
_HOLDING: Final[Sequence[Obstacle]] = (
    ("forbidden", _no_server),
    ("not_found", _no_broadcast),
    ("conflict", _is_at_its_end),
)
_MESSAGE: Final[Sequence[Obstacle]] = (
    ("not_a_member", _outside_or_of_the_source),
    ("blocked", _blocked),
    ("bad_request", _odd_message),
    ("not_found", _nothing_there),
    ("conflict", _said_otherwise),
    ("too_large", too_heavy),
)
OBSTACLES: Final[Mapping[str, Sequence[Obstacle]]] = {
    "send": _MESSAGE,
    "otherwise": _MESSAGE,
    "claim": _MESSAGE,
    "post": (_INSIDE, ("blocked", _blocked)),
    "edit": (_INSIDE, ("blocked", _blocked), ("not_found", _not_readable), ("forbidden", _anothers_or_old)),
    "delete": (_INSIDE, ("not_found", _no_message), ("forbidden", _not_deletable)),
    "react": (_INSIDE, ("blocked", _blocked), ("not_found", _not_readable), ("conflict", _reactions_full)),
    "take_off": (
        _INSIDE,
        ("blocked", _blocked),
        ("not_found", _not_readable),
        ("forbidden", _anothers_reaction),
    ),
    "read": (_INSIDE, ("bad_request", _beyond)),
    "typing": (_INSIDE,),
    "ping": (_INSIDE,),
    "look": (_INSIDE,),
    "page": (_INSIDE,),
    "summary": (_INSIDE,),
    "members": (_INSIDE,),
    "message": (_INSIDE, ("not_found", _no_message)),
    "add": (_INSIDE, ("forbidden", _no_moderator), ("conflict", _no_room)),
    "remove": (_INSIDE, ("not_found", _no_such_member), ("forbidden", _not_removable)),
    "quit": (_INSIDE, ("forbidden", _not_removable)),
    "rename": (_INSIDE, ("forbidden", _no_moderator)),
    "role": (_INSIDE, ("not_found", _no_such_member), ("forbidden", _no_owner)),
    "make_group": (("conflict", _too_many),),
    "make_private": (),
    "hide": (_INSIDE,),
    "prefer": (_INSIDE,),
    "request_contact": (),
    "update_contact": (("not_found", _no_contact), ("conflict", _waits_for_them)),
    "end_contact": (("not_found", _no_contact),),
    "block": (),
    "change_profile": (),
    "watch": (),
    "register": (),
    "sign_out": (),
    "revoke": (("forbidden", _no_server),),
    "ban": (("forbidden", _no_server), ("bad_request", _ends_before)),
    "unban": (),
    "revoke_tokens": (),
    "notify": (("forbidden", _no_server),),
    "acknowledge": (),
    "broadcast": (("forbidden", _no_server), ("conflict", _another_or_too_many)),
    **{f"{how}_broadcast": _HOLDING for how in ("pause", "resume", "cancel")},
    "look_at_broadcast": (("forbidden", _no_server), ("not_found", _no_broadcast)),
    "list_broadcasts": (("forbidden", _no_server),),
    "remind": (
        _INSIDE,
        ("not_found", _not_readable),
        ("bad_request", _not_ahead),
        ("conflict", _reminders_full),
    ),
    "cancel_reminder": (),
    "upload": (("conflict", _over_quota),),
    "get_file": (("not_found", _no_file_of_theirs),),
    **{f"get_{name}": () for name in ("contacts", "blocks", "devices", "notifications", "reminders", "me")},
    "inbox": (),
    "presence": (),
    "health": (),
    "openapi": (),
    "ticket": (),
}
# What an operation that was let through says of these: they are only sure from a stricter point of view, or are what
# resends are answered in spite of.
_SURELY: Final[Mapping[Any, Any]] = {
    _anothers_or_old: _anothers_surely,
    _not_ahead: _past_surely,
    _ends_before: _ends_before_surely,
    _said_otherwise: lambda *_: False,
    _reminders_full: lambda case, one, now: one.status == HTTPStatus.CREATED and _reminders_full(case, one, now),
}
# A resend is answered as its first attempt was; changes of what is so already are let through.
_AGAIN: Final = frozenset({"send", "otherwise", "claim"})
_STALE: Final = frozenset({"blocked", "not_a_member"})


def refusals_are_justified(case: Case) -> Iterator[str]:
    """For each refusal there was a moment at which it was right."""
    for one in case.operations():
        if one.kind == "nonsense":
            case.looked_at(one)
            out = OUT if one.user in case.kept_out else ()
            if one.outcome == "ok" or one.code not in {*_OF_THE_MOMENT, one.detail["wrong"], "", "not_a_member", *out}:
                yield f"{one} should have been refused with {one.detail['wrong']}"
        if one.outcome != "fail" or one.kind not in OBSTACLES:
            continue
        case.looked_at(one)
        possible = [stands for code, stands in OBSTACLES[one.kind] if code == one.code]
        is_stale = one.code in _STALE
        if not any(stands(case, one, now) for stands in possible for now in case.during(one, stale=is_stale)):
            yield f"{one} was refused without a reason"


def nothing_stood_in_the_way(case: Case) -> Iterator[str]:
    """For each operation that was let through, and each obstacle, there was a moment without it."""
    for one in case.operations():
        if one.outcome != "ok" or one.kind not in OBSTACLES or one.kind in _AGAIN:
            continue
        case.looked_at(one)
        for code, stands in OBSTACLES[one.kind]:
            surely = _SURELY.get(stands, stands)
            if _changed_nothing(one) or one.began == one.ended:  # which its client knew by itself
                continue
            if code == "blocked" and Fault.STALE in case.struck:
                continue  # blocks are read eventually consistently: one that is new may not be seen yet
            if all(surely(case, one, now) for now in case.during(one)):
                yield f"{one} was let through, and is {code}"


def _changed_nothing(one: Operation) -> bool:
    """What is so already needs no permission beyond being there."""
    return one.kind in {"edit", "delete", "react", "take_off"} and one.value is None


def limits_are_reached(case: Case) -> Iterator[str]:
    """Who is told to slow down has done much, in a deployment that takes little; tokens end where they live shortly."""
    limits = case.scenario.plan.limits
    for one in case.operations():
        if "bearer_said" in one.detail:
            continue  # another rule's affair
        if one.code == "rate_limited" and one.kind in {"add", "make_group"} and _may_have_invited_all(case, one):
            continue
        if one.code == "rate_limited" and limits.rate.burst > 100 and len(case.scenario.operations) < 50:
            yield f"{one}: nothing was too much"
        if one.code == "token_expired" and limits.token_s > 60:  # a history's length
            yield f"{one}: its token was good"
        if one.code in {"internal", "unknown_type"}:
            yield f"{one} was no fault of the client's"


def _may_have_invited_all(case: Case, refused: Operation) -> bool:
    """Whether somebody may have asked for as many users by then as the bucket holds.

    Each lost answer may count a call once more. Of two calls at once the one that read its clock first may be counted
    last: the bucket then lacks a few milliseconds of its last one, as of that call's time.
    """
    by = refused.ended if refused.ended is not None else case.scenario.hub.now
    tried = [one for one in case.operations("add", "make_group") if one.user == refused.user and one.began <= by]
    asked = sum(len(one.detail.get("users", one.detail.get("members", ()))) for one in tried)
    times = 1 + case.scenario.fault_model.struck[Fault.LOST_AFTER]
    return asked * times + (len(tried) > 1) > case.scenario.plan.limits.invites.burst


def nobody_puts_more_into_groups(case: Case) -> Iterator[str]:
    """All that are asked for count, and what is more than the bucket ever holds takes a full one."""
    limit = case.scenario.plan.limits.invites
    users = {one.user for one in case.operations("add", "make_group")}
    for user in sorted(users):
        made = [one for one in case.operations("add", "make_group") if one.user == user and one.outcome == "ok"]
        costs = [min(len(_put_into_groups(one)), limit.burst) for one in made]
        seconds = (made[-1].ended or 0.0) / 1_000 + 2 * case.skew / 1_000 if made else 0.0
        if sum(costs) > limit.burst + limit.rate * seconds / limit.per_s + 1:
            yield f"{user} put {sum(costs)} users into groups in {seconds:.1f} s, of {limit.burst}"


def _put_into_groups(one: Operation) -> list[str]:
    if one.kind == "add":
        return list(one.value["added"])
    is_new = one.status == HTTPStatus.CREATED
    return [member for member in one.value["members"] if _name(member) != one.user] if is_new else []


def _name(member: Any) -> str:
    return member if isinstance(member, str) else str(member["user_id"])


RULES = (nobody_puts_more_into_groups, refusals_are_justified, nothing_stood_in_the_way, limits_are_reached)
