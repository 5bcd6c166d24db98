"""What pushes say, in which order they come, and to whose phones they have to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from functions.offline_push.providers import ELLIPSIS
from shared.adapters.dynamodb.devices import devices_from
from shared.domain.entries import Entry
from shared.domain.text import is_group_id
from tests.simulation.faults import Fault
from tests.simulation.functions import BASE_MS, DIGEST_S, SECOND_LOOK_S
from tests.simulation.judge.case import HARMLESS, Case
from tests.simulation.judge.past import Moment, inserted
from tests.simulation.judge.pushes import owners, unwanted, with_other_phones
from tests.simulation.providers import Accepted

# Between claiming a push and handing it over lies one call.
_ON_THE_WAY_MS: Final = 1_000
# What is too long is cut, but never so much.
_SHOWN: Final = 20
_SETTLED_MS: Final = 2_000
# Bytes of JSON that there is always room for, of the 4,096 of a push.
_ROOM: Final = 2_048
# Where these struck a connection may be dead without a word, and whatever has to come comes all the same.
_SILENT: Final = HARMLESS | {Fault.HALF_OPEN, Fault.DISCONNECT_LOST}
_LATE: Final = frozenset({Fault.LOST_AFTER, Fault.SLOW, Fault.LOST_BEFORE})


def pushes_say_what_may_be_shown(case: Case) -> Iterator[str]:
    """Content where its reader wants to see it, and whose message in which group it is."""
    for push in case.scenario.deployment.provider.accepted:
        found = owners(case, push)
        if push.data["type"] != "message" or len(found) != 1:
            continue
        (user,), name, seq = found, push.data["conversation_id"], int(push.data["seq"])
        moments = [case.past.at(when) for when in case.past.moments(push.began, push.at)]
        entries = [entry for now in moments if (entry := now.entry(name, seq)) is not None]
        wants = {(now.row(f"user#{user}", "profile") or {}).get("previews", True) for now in moments}
        contents = {entry.content[:_SHOWN] for entry in entries if entry.content}
        if wants == {False} and any(content in push.text for content in contents):
            yield f"{user} wants no previews, and was pushed {push.text!r}"
        if wants == {True} and contents and not any(_says(push.text, content) for content in contents):
            yield f"{user} was pushed {push.text!r} of {contents}"
        yield from _named(push, user, moments, entries)


def _says(text: str, content: str) -> bool:
    """All of it, or of what no push has room for the beginning: JSON escapes some characters to six bytes."""
    is_heavy = len(json.dumps(content)) > _ROOM
    return content in text or (is_heavy and text.endswith(ELLIPSIS) and content.startswith(text.removesuffix(ELLIPSIS)))


def _named(push: Accepted, user: str, moments: list[Moment], entries: list[Entry]) -> Iterator[str]:
    """By its sender's name, and by the group's."""
    senders = {entry.sender_id for entry in entries}
    profiles = [(sender, now.row(f"user#{sender}", "profile") or {}) for now in moments for sender in senders]
    names = {profile.get("display_name") or sender for sender, profile in profiles}
    if push.arguments and push.arguments[0] not in names:
        yield f"{user} was pushed a message of {push.arguments[0]!r}, which is {names}"
    where = push.data["conversation_id"]
    if is_group_id(where):
        groups = {(now.row(f"conversation#{where}", "group") or {}).get("name") for now in moments}
        if push.arguments[1:] and push.arguments[1] not in groups:
            yield f"{user} was pushed a message in {push.arguments[1]!r}, which is {groups}"


def pushes_come_in_order(case: Case) -> Iterator[str]:
    """To one device the messages of a conversation: none after a later one, but for what was on its way."""
    if case.struck & _LATE:
        return
    latest: dict[tuple[str, str], tuple[int, float]] = {}
    for push in case.scenario.deployment.provider.accepted:
        if push.data["type"] != "message":
            continue
        key, seq = (push.token, push.data["conversation_id"]), int(push.data["seq"])
        last, at = latest.get(key, (0, 0.0))
        if seq < last and push.at > at + _ON_THE_WAY_MS and len(owners(case, push)) == 1:
            yield f"{key} was shown {seq} at {push.at:.0f}, after {last}"
        if seq >= last:
            latest[key] = seq, push.at


def the_unregistered_are_forgotten(case: Case) -> Iterator[str]:
    """A device that its provider does not know, but for one that was registered again since."""
    if not case.struck <= HARMLESS | {Fault.PROVIDER_FORGOT} or case.skew:
        return
    for forgot in case.scenario.deployment.provider.forgot:
        if forgot.at + _SETTLED_MS > case.scenario.hub.now:
            continue
        for when in case.past.moments(forgot.at + _SETTLED_MS, case.scenario.hub.now)[:1]:
            for table, pk, sk in case.past.places():
                row = case.past.at(when).row(pk, sk) if (table, sk) == ("members", "devices") else None
                for device in devices_from(row or {}):
                    if device.target.token == forgot.token and device.registered_at < BASE_MS + forgot.began:
                        yield f"{pk} still has {device.device_id}, which its provider forgot at {forgot.at:.0f}"


def the_registered_again_are_kept(case: Case) -> Iterator[str]:
    """A device that was registered after all that its provider has said about it."""
    for one in case.operations("register"):
        if one.outcome != "ok" or case.skew or one.ended is None:
            continue
        token = one.detail["target"]["token"]
        others = [
            other for other in case.operations("register", "sign_out") if other is not one and _touches(other, one)
        ]
        is_asked_late = any(
            forgot.at > one.began for forgot in case.scenario.deployment.provider.forgot if forgot.token == token
        )
        is_kept_out = one.user in case.kept_out
        if (
            others or is_asked_late or is_kept_out or case.scenario.plan.limits.devices < 3
        ):  # others of theirs may push it out
            continue
        known = devices_from(case.past.at(case.scenario.hub.now).row(f"user#{one.user}", "devices") or {})
        mine = [other for other in case.operations("register") if other.user == one.user]
        if len(mine) <= 1 and all(device.target.token != token for device in known):
            yield f"{one} is forgotten"


def _touches(other: object, one: object) -> bool:
    return getattr(other, "user", None) == getattr(one, "user", None) or (
        getattr(other, "detail", {}).get("target", {}).get("token") == getattr(one, "detail", {})["target"]["token"]
    )


def who_does_not_answer_is_woken(case: Case) -> Iterator[str]:
    """Whose connections get nothing any more, be it noticed or not: their phone shows the message some seconds later.

    In a group that is told by digests, who is no member any more when its digest is due needs none.
    """
    if not case.struck <= _SILENT or case.skew:
        return
    moved = with_other_phones(case)
    for at, entry in inserted(case.past):
        digests_s = DIGEST_S if case.scenario.plan.limits.digest and is_group_id(entry.conversation_id) else 0
        end = at + (2 * SECOND_LOOK_S + digests_s) * 1_000 + _SETTLED_MS  # a burst's end has a check after its own
        if not entry.is_message or end > case.scenario.hub.now:
            continue
        for user in sorted({"bob", "carol", "dave"} - moved - {entry.sender_id}):
            if _was_reached(case, user, at, end):
                continue
            moments = [case.past.at(when) for when in case.past.moments(at, end)]
            name, seq = entry.conversation_id, entry.seq
            if any(unwanted(case, now, user, name, seq) or _has_written(now, user, name, seq) for now in moments):
                continue
            if not any(_shows(push, user, entry) for push in case.scenario.deployment.provider.accepted):
                yield f"{user} was not there from {at:.0f} on, and {entry.message_id} was not pushed"


def _was_reached(case: Case, user: str, start: float, end: float) -> bool:
    """Whether a device of theirs was online in between; and then it has to say that it got it."""
    mine = [client for client in case.scenario.clients if client.user == user]
    return any(begins <= end and start <= ends for client in mine for begins, ends in client.online)


def _has_written(now: Moment, user: str, name: str, seq: int) -> bool:
    return any(entry.sender_id == user and entry.is_message and entry.seq > seq for entry in now.log(name))


def _shows(push: Accepted, user: str, entry: Entry) -> bool:
    is_theirs = push.token == f"token-of-{user}" and push.data.get("conversation_id") == entry.conversation_id
    return is_theirs and int(push.data["seq"]) >= entry.seq


RULES = (
    pushes_say_what_may_be_shown,
    pushes_come_in_order,
    the_unregistered_are_forgotten,
    the_registered_again_are_kept,
    who_does_not_answer_is_woken,
)
