"""Who sees whom: presence is shown and told to those who may see it, typing to those who are meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import Any, Final

from parley_client.events import Presence

from shared.adapters.dynamodb.sessions import session_from
from shared.domain.text import is_group_id, private_conversation_id, private_members
from tests.simulation.clients import Client
from tests.simulation.functions import BASE_MS, GRACE_S
from tests.simulation.gateway import Exchange, Line
from tests.simulation.history import Operation
from tests.simulation.judge.case import Case
from tests.simulation.judge.live import LIVE_MS
from tests.simulation.judge.past import Moment

_OFFLINE: Final = "offline"
# Some calls of a function; and the grace period, with the ways through a queue and back to the client.
_WAYS_MS: Final = 1_000
_GRACE_MS: Final = 15 * 60 * 1_000
SETTLED_MS: Final = GRACE_S * 1_000 + 1_500.0


def may_see(now: Moment, watcher: str, user: str) -> bool:
    """Those who are near, if the user does not hide."""
    return not is_hiding(now, user) and (watcher == user or are_near(now, watcher, user))


def are_near(now: Moment, one: str, other: str) -> bool:
    """Accepted contacts, fellow members, and two who have both written to each other, without a block between them."""
    if now.blocks(one, other) or now.blocks(other, one):
        return False
    contact = now.row(f"user#{other}", f"contact#{one}")
    if contact is not None and contact["status"] == "accepted":
        return True
    log = now.log(private_conversation_id(one, other))
    writers = {entry.sender_id for entry in log if entry.is_message}
    return {one, other} <= writers or bool(_groups(now, one) & _groups(now, other))


def is_hiding(now: Moment, user: str) -> bool:
    return session_from(now.session(user), user).hidden


def _groups(now: Moment, user: str) -> set[str]:
    return {one.conversation_id for one in now.conversations(user) if is_group_id(one.conversation_id)}


def is_online(now: Moment, user: str) -> bool:
    return session_from(now.session(user), user).is_online(BASE_MS + int(now.when))


def _looks_online(now: Moment, user: str) -> bool:
    """Also in the grace period, in which a return is announced to none."""
    session = session_from(now.session(user), user)
    is_awaited = (
        session.shown == "online" and not session.connections and BASE_MS + now.when - session.last_seen < _GRACE_MS
    )
    return is_awaited or is_online(now, user)


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody was told how it is with these users, over HTTP or a connection."""

    user: str
    users: Sequence[str]
    shown: Sequence[Mapping[str, Any]]
    began: float
    ended: float


def _asked(case: Case) -> Iterator[Asked]:
    for one in case.operations("presence"):
        if one.outcome == "ok":
            case.looked_at(one)
            yield Asked(one.user, one.detail["users"], one.value["users"], one.began, one.ended or one.began)
    for frame in case.scenario.deployment.gateway.exchanges:
        if frame.frame["type"] == "presence" and frame.is_done and frame.reply is not None:
            shown = frame.reply["data"]["users"]
            yield Asked(frame.line.context["user_id"], frame.frame["users"], shown, frame.at, frame.ended)


def answers_are_right(case: Case) -> Iterator[str]:
    """Whoever may not be seen looks offline; who may is shown as they are, and as they were last seen."""
    if case.skew or case.scenario.plan.limits.token_s < 60:  # when a connection ends is not certain then
        return
    for one in _asked(case):
        for user, shown in zip(one.users, one.shown, strict=True):
            moments = [case.past.at(when) for when in case.past.moments(one.began, one.ended)]
            seen = [(may_see(now, one.user, user), _looks_online(now, user)) for now in moments]
            possible = {"online" if visible and online else _OFFLINE for visible, online in seen}
            if len(set(seen)) <= 2 and shown["status"] not in possible:  # with more, parts may be mixed
                yield f"{one} shows {user} as {shown['status']}, who was {possible}"
            if not any(visible for visible, _ in seen) and shown["last_seen"] is not None:
                yield f"{one} shows when {user} was last seen"
            known = {(now.session(user) or {}).get("last_seen") for now in moments} | {None}
            if shown["last_seen"] not in known or (shown["status"] == "online" and shown["last_seen"] is not None):
                yield f"{one} shows that {user} was last seen at {shown['last_seen']}, of {known}"
            is_away = all(visible and not online for visible, online in seen)
            if is_away and shown["last_seen"] is None and None not in known - {None}:
                yield from _forgotten(one, user, known - {None}, len(moments))


def _forgotten(one: Asked, user: str, known: set[int | None], moments: int) -> Iterator[str]:
    if known and moments == 1:
        yield f"{one} does not show when {user} was last seen, which was {known}"


def last_seen_is_the_end(case: Case) -> Iterator[str]:
    """Who loses their last connection was seen then. Whose connections had ended before may have been seen earlier."""
    for at, (table, user, _), old, new in case.past.changes:
        if table != "sessions" or at <= 0 or not (old or {}).get("connections") or (new or {}).get("connections"):
            continue
        last = (new or {}).get("last_seen")
        if last is None or last > BASE_MS + at + case.skew + 1:
            yield f"{user} was last seen at {last}, and went at {at:.0f}"
        elif BASE_MS + at - last > _WAYS_MS + case.skew and case.went_well:
            yield f"{user} was last seen {BASE_MS + at - last:.0f} ms before they went"


def nobody_is_told_who_may_not_see(case: Case) -> Iterator[str]:
    """That somebody is online; that they are not (any more) may be said to whoever could see them."""
    for post in case.scenario.deployment.gateway.posts:
        if post.event["type"] != "presence" or post.event["status"] == _OFFLINE:
            continue
        user, watcher = post.event["user_id"], post.line.user_id
        moments = [case.past.at(when) for when in case.past.moments(post.began, post.at)]
        shows = _comes_out(case, user, post.at) or any(not is_hiding(now, user) for now in moments)
        if not (shows and any(watcher == user or are_near(now, watcher, user) for now in moments)):
            yield f"{watcher} was told that {user} is online at {post.at:.0f}"


def _comes_out(case: Case, user: str, at: float) -> bool:
    """Who shows themselves again is told of first, and noted second."""
    return any(
        one.user == user and one.detail["changes"].get("hide_presence") is False and one.began <= at
        for one in case.operations("change_profile")
        if one.ended is None or one.ended >= at
    )


def typing_is_for_those_who_are_meant(case: Case) -> Iterator[str]:
    for post in case.scenario.deployment.gateway.posts:
        if post.event["type"] != "typing":
            continue
        reader, writer, where = post.line.user_id, post.event["user_id"], post.event["conversation_id"]
        moments = [case.past.at(when) for when in case.past.moments(post.began, post.at)]
        if not any(may_be_typed_at(now, reader, writer, where) for now in moments):
            yield f"{reader} was told that {writer} types in {where}"


def may_be_typed_at(now: Moment, reader: str, writer: str, where: str) -> bool:
    if not is_group_id(where):
        return {reader, writer} == set(private_members(where) or ()) and are_near(now, reader, writer)
    return reader in now.roles(where) and writer in now.roles(where) and not now.blocks(reader, writer)


def who_is_there_is_not_told_to_be_away(case: Case) -> Iterator[str]:
    """To those who may see them; a moment later a change of that is told, which may be stored by then."""
    if case.skew or case.scenario.plan.limits.token_s < 60:
        return
    for post in case.scenario.deployment.gateway.posts:
        if post.event["type"] != "presence" or post.event["status"] != _OFFLINE:
            continue
        user, watcher = post.event["user_id"], post.line.user_id
        moments = [case.past.at(when) for when in case.past.moments(post.began - _WAYS_MS, post.at + _WAYS_MS)]
        if all(is_online(now, user) and may_see(now, watcher, user) for now in moments):
            yield f"{watcher} was told at {post.at:.0f} that {user} is offline, who was there"


def only_what_is_watched_is_told(case: Case) -> Iterator[str]:
    """Over a connection: the users of the last `presence` that it was answered."""
    frames: dict[Line, list[Exchange]] = {}
    for one in case.scenario.deployment.gateway.exchanges:
        if one.frame["type"] == "presence":
            frames.setdefault(one.line, []).append(one)
    for post in case.scenario.deployment.gateway.posts:
        if post.event["type"] != "presence":
            continue
        before = [one for one in frames.get(post.line, ()) if one.at <= post.at]
        if any(one.ended >= post.began or not one.is_done for one in before):
            continue  # one that may have taken effect meanwhile, or half of it
        overlap = any(one.ended > other.at for one, other in pairwise(before))
        if not overlap and (not before or post.event["user_id"] not in before[-1].frame["users"]):
            yield f"{post.line.user_id} was told of {post.event['user_id']}, and watches {before and before[-1].frame}"


def watchers_know(case: Case) -> Iterator[str]:
    """Once it was so for a while, all that watch a user believe what they may see. A new process watches nobody yet."""
    if case.skew or case.scenario.plan.limits.token_s < 60:  # a history's length
        return
    for client in case.scenario.clients:
        watched = [
            one for one in case.operations("watch") if one.client == client.name and one.began >= client.process_began
        ]
        for one, following in zip_longest(watched, watched[1:]):
            until = following.began if following else case.scenario.hub.now
            if one.outcome != "ok" or one.ended is None:
                continue
            for user in one.detail["users"]:
                yield from _believes(case, client, user, one, until)


def _believes(case: Case, client: Client, user: str, watching: Operation, end: float) -> Iterator[str]:
    """What the application was told last, against what was so, wherever that had not changed for some time.

    Who shows themselves again is told of a moment before that is stored.
    """
    start = watching.ended or watching.began
    truth = _stretches(case, client.user, user, start, end)
    answer = next((presence.status for presence in watching.value if presence.user_id == user), _OFFLINE)
    told = [
        (at, event.status)
        for at, event in client.seen.events
        if isinstance(event, Presence) and event.user_id == user and at >= start
    ]
    for begins, ends, status in truth:
        by = begins + SETTLED_MS
        if by > ends or not any(since <= begins and by <= until for since, until in client.online):
            continue
        at = min(ends, *(until for since, until in client.online if since <= begins and by <= until))
        changing = at - _WAYS_MS if ends < end and status == _OFFLINE else at
        heard = {when: next((said for came, said in reversed(told) if came <= when), answer) for when in (changing, at)}
        if status not in heard.values():
            yield f"{client.name} believes at {at:.0f} that {user} is {heard[at]}, who is {status} since {begins:.0f}"


def _stretches(case: Case, watcher: str, user: str, start: float, end: float) -> list[tuple[float, float, str]]:
    """From when to when a user was so to somebody who watches, as it is stored."""
    found: list[tuple[float, float, str]] = []
    for when in [start, *_when_it_may_change(case, watcher, user, start, end)]:
        now = case.past.at(when)
        status = "online" if is_online(now, user) and may_see(now, watcher, user) else _OFFLINE
        if found and found[-1][2] == status:
            continue
        if found:
            found[-1] = (found[-1][0], when, found[-1][2])
        found.append((when, end, status))
    return found


def _when_it_may_change(case: Case, watcher: str, user: str, start: float, end: float) -> list[float]:
    private = private_conversation_id(watcher, user)
    partitions = {f"user#{watcher}", f"user#{user}", user, private}
    return [at for at, (_, first, __), ___, ____ in case.past.changes if first in partitions and start < at <= end]


def typing_and_receipts_come_at_once(case: Case) -> Iterator[str]:
    """Whoever was there, and is meant, is told."""
    posts = case.scenario.deployment.gateway.posts
    for one in case.operations("typing"):
        if one.outcome != "ok":
            continue
        case.looked_at(one)
        where, end = one.detail["conversation_id"], one.ended or one.began
        moments = [case.past.at(when) for when in case.past.moments(one.began, end)]
        if is_group_id(where) and any(len(now.roles(where)) > case.scenario.plan.limits.receipts for now in moments):
            continue
        for client in case.scenario.clients:
            if client.user == one.user:
                continue
            is_there = any(begins <= one.began and end + LIVE_MS <= ends for begins, ends in client.online)
            is_meant = all(may_be_typed_at(now, client.user, one.user, where) for now in moments)
            if not (is_there and is_meant) or client.line is None:
                continue
            if case.scenario.plan.limits.token_s > 60 and not any(  # a history's length
                post.line.user_id == client.user
                and post.event["type"] == "typing"
                and post.event["user_id"] == one.user
                and one.began <= post.at <= end + LIVE_MS
                for post in posts
            ):
                yield f"{client.name} was not told of {one}"


RULES = (
    answers_are_right,
    nobody_is_told_who_may_not_see,
    who_is_there_is_not_told_to_be_away,
    only_what_is_watched_is_told,
    last_seen_is_the_end,
    typing_is_for_those_who_are_meant,
)
AT_ONCE = (typing_and_receipts_come_at_once,)
WELL = (watchers_know,)
