"""Pushes: to whom they are meant, once, with the right number on the icon, and to all who need one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from shared.adapters.dynamodb.devices import devices_from
from shared.domain.devices import Device
from shared.domain.entries import Entry
from shared.domain.text import private_members
from tests.simulation.faults import Fault
from tests.simulation.functions import BASE_MS
from tests.simulation.judge.case import Case
from tests.simulation.judge.counts import badges_between
from tests.simulation.judge.past import Moment
from tests.simulation.places import DM, GROUP
from tests.simulation.providers import Accepted


def owners(case: Case, push: Accepted) -> set[str]:
    """Whose device it was pushed to, by what is stored between the push's begin and its end."""
    found = set()
    for when in case.past.moments(push.began, push.at):
        for user in _people(case):
            known = devices_from(case.past.at(when).row(f"user#{user}", "devices") or {})
            if any(device.target.token == push.token for device in known):
                found.add(user)
    return found


def _people(case: Case) -> list[str]:
    return sorted({pk.removeprefix("user#") for _, pk, sk in case.past.places() if sk == "devices"})


def pushed_once(case: Case) -> Iterator[str]:
    """No device shows a message twice, unless the provider took it and said that it did not."""
    pushes = [push for push in case.scenario.deployment.provider.accepted if "seq" in push.data]
    counted = Counter(push.push_id for push in pushes)
    doubled = sum(times - 1 for times in counted.values())
    if doubled > case.scenario.fault_model.struck[Fault.PROVIDER_UNKNOWN]:
        yield f"pushed twice: {[key for key, times in counted.items() if times > 1]}"


def pushed_to_who_wants_it(case: Case) -> Iterator[str]:
    """To members who have not read it, are not its author, have not muted it, and hear of others' words at all."""
    for push in case.scenario.deployment.provider.accepted:
        found = owners(case, push)
        if not found:
            yield f"pushed to {push.token}, which is nobody's"
        if push.data["type"] != "message" or len(found) != 1:
            continue
        (user,), name, seq = found, push.data["conversation_id"], int(push.data["seq"])
        moments = [case.past.at(when) for when in case.past.moments(push.began, push.at)]
        reasons = [unwanted(case, now, user, name, seq) for now in moments]
        if all(reasons):
            yield f"{name}/{seq} was pushed to {user}: {reasons[0]}"


def unwanted(case: Case, now: Moment, user: str, name: str, seq: int) -> str:  # noqa: PLR0911  # one for each reason
    entry, member = now.entry(name, seq), now.member(user, name)
    if entry is None or not entry.is_readable:
        return "it is not to be read"
    if entry.sender_id == user:
        return "it is their own"
    if member is None or member.joined_seq >= seq:
        return "they were not in it"
    if member.has_got >= seq:
        return "they have it"
    if now.blocks(user, entry.sender_id):
        return "they block its author"
    at = BASE_MS + int(now.when)
    if member.preferences.muted_until is not None and member.preferences.muted_until > at + case.skew:
        return "they have muted it"
    profile = now.row(f"user#{user}", "profile") or {}
    if profile.get("quiet_hours"):  # which are all day here
        return "it is quiet"
    return "" if _is_meant(now, entry, user, member.preferences.notify) else "they want to hear of mentions only"


def _is_meant(now: Moment, entry: Entry, user: str, notify: str) -> bool:
    if notify == "all":
        return True
    original = now.entry(entry.conversation_id, entry.reply_to) if entry.reply_to else None
    is_mentioned = user in entry.mentions or (original is not None and original.sender_id == user)
    return notify == "mentions" and is_mentioned


def badges_are_right(case: Case) -> Iterator[str]:
    """The icon's number is what is unread, over all conversations that are not muted."""
    for push in case.scenario.deployment.provider.accepted:
        found = owners(case, push)
        if len(found) != 1 or push.badge is None:
            continue
        (user,) = found
        possible = badges_between(case, user, push.began, push.at, BASE_MS + int(push.at))
        if push.badge not in possible and not case.skew:
            yield f"{user} was shown {push.badge} at {push.at:.0f}, and has {sorted(possible)} unread"


def withdrawn_only_what_is_over(case: Case) -> Iterator[str]:
    """Nothing is taken off that is news to its user, nothing that was not pushed there, and nothing twice."""
    provider = case.scenario.deployment.provider
    for one in provider.withdrawn:
        name, seq = one.data.get("conversation_id", ""), int(one.data.get("seq", 0))
        if not name or "notification_id" in one.data:
            continue
        users = {user for user in _people(case) for when in case.past.moments(one.began, one.at)
                 if any(device.target.token == one.token for device in _devices_at(case, when, user))}  # fmt: skip
        states = [(case.past.at(when), user) for when in case.past.moments(one.began, one.at) for user in users]
        if states and all(_is_news(now, user, name, seq, case) for now, user in states):
            yield f"{name}/{seq} was taken off {one.token}, and is news to {users}"
    counted = Counter(one.push_id for one in provider.withdrawn)
    doubled = sum(times - 1 for times in counted.values())
    if doubled > case.scenario.fault_model.struck[Fault.PROVIDER_UNKNOWN]:
        yield f"taken off twice: {[key for key, times in counted.items() if times > 1]}"


def _devices_at(case: Case, when: float, user: str) -> Sequence[Device]:
    return devices_from(case.past.at(when).row(f"user#{user}", "devices") or {})


def _is_news(now: Moment, user: str, name: str, seq: int, case: Case) -> bool:
    member, entry = now.member(user, name), now.entry(name, seq)
    if member is None or entry is None or not entry.is_readable:
        return False
    return not (member.is_silent(BASE_MS + int(now.when) - case.skew) or member.seen_through >= seq)


def what_is_read_is_taken_off(case: Case) -> Iterator[str]:
    """In the end no phone shows what its user has read, where no call was lost that would have taken it off."""
    provider = case.scenario.deployment.provider
    shown: dict[tuple[str, str], Accepted] = {}
    for push in provider.accepted:
        if push.data["type"] == "message":
            shown[push.token, push.data["conversation_id"]] = push
    taken = {(one.token, one.data.get("conversation_id"), one.data.get("seq")) for one in provider.withdrawn}
    end = case.past.at(case.scenario.hub.now)
    for (token, name), push in shown.items():
        for user in _people(case):
            member = end.member(user, name)
            known = any(one.target.token == token for one in _devices_at(case, case.scenario.hub.now, user))
            if member is None or not known or user in with_other_phones(case):
                continue
            if member.read_seq >= int(push.data["seq"]) and (token, name, push.data["seq"]) not in taken:
                yield f"{user} has read {name}/{push.data['seq']}, and {token} shows it still"


def the_absent_are_woken(case: Case) -> Iterator[str]:
    """The phone of somebody who was away all the time shows the last message that others have written to them.

    It may not show those before: a push that comes later than that of a later message is left out.
    """
    for user in sorted({"bob", "carol"} - {client.user for client in case.scenario.clients} - with_other_phones(case)):
        for name, log in case.logs.items():
            told = case.told(name)
            if user not in (private_members(name) or told.roles) or told.joined.get(user, 0) > 1:
                continue
            new = [entry for entry in log if entry.seq > _KNOWN.get(name, 0) and entry.sender_id != user]
            new = [entry for entry in new if not _is_ever_blocked(case, user, entry.sender_id)]
            last = max((entry.seq for entry in new if entry.is_readable), default=0)
            shown = max(_shown_on_phone(case, user, name), default=0)
            if shown < last:
                yield f"{user} was away, and {name}/{last} was not pushed, the last was {shown}"


def with_other_phones(case: Case) -> set[str]:
    """Whose phone may be another one than at first, or none."""
    return {one.user for one in case.operations("register", "sign_out")} | case.kept_out


def _is_ever_blocked(case: Case, user: str, author: str) -> bool:
    """A push that comes after the block is left out, be the message from before it."""
    return any((pk, sk) == (f"user#{user}", f"block#{author}") for _, pk, sk in case.past.places())


# What is there before a history begins.
_KNOWN: Final = {DM: 2, GROUP: 2}


def _shown_on_phone(case: Case, user: str, name: str) -> list[int]:
    pushes = [push for push in case.scenario.deployment.provider.accepted if push.token == f"token-of-{user}"]
    return [int(push.data["seq"]) for push in pushes if push.data.get("conversation_id") == name]


RULES = (pushed_once, pushed_to_who_wants_it, badges_are_right, withdrawn_only_what_is_over)
IN_THE_END = (the_absent_are_woken, what_is_read_is_taken_off)
