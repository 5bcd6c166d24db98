"""Who sees whom: presence is shown and told to those who may see it, typing to those who are meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from parley_client.events import Presence

from shared.aws.tables import session_from
from shared.chat.identifiers import is_group_id, private_conversation_id, private_members
from tests.simulation.functions import BASE_MS
from tests.simulation.judge.case import Case
from tests.simulation.judge.live import LIVE_MS
from tests.simulation.judge.past import Moment

_OFFLINE: Final = "offline"


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


def answers_are_right(case: Case) -> Iterator[str]:
    """Whoever may not be seen looks offline; who may is shown as they are."""
    if case.skew or case.world.plan.limits.token_s < 60:  # when a connection ends is not certain then
        return
    for one in case.operations("presence"):
        if one.outcome != "ok":
            continue
        case.looked_at(one)
        for user, shown in zip(one.detail["users"], one.value["users"], strict=True):
            seen = [(may_see(now, one.user, user), is_online(now, user)) for now in case.during(one)]
            possible = {"online" if visible and online else _OFFLINE for visible, online in seen}
            if len(set(seen)) <= 2 and shown["status"] not in possible:  # with more, parts may be mixed
                yield f"{one} shows {user} as {shown['status']}, who was {possible}"
            if not any(visible for visible, _ in seen) and shown["last_seen"] is not None:
                yield f"{one} shows when {user} was last seen"


def nobody_is_told_who_may_not_see(case: Case) -> Iterator[str]:
    """That somebody is online; that they are not (any more) may be said to whoever could see them."""
    for post in case.world.deployment.gateway.posts:
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
    for post in case.world.deployment.gateway.posts:
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


def watchers_know(case: Case) -> Iterator[str]:
    """At the end everybody who watches somebody was told how it is with them now. A new process watches nobody yet."""
    end = case.past.at(case.world.hub.now)
    for client in case.world.clients:
        if client.core.connection != "online" or case.world.plan.limits.token_s < 60:  # a history's length
            continue
        for user, status in _believed(client).items():
            if _has_changed(case, client.user, user):
                continue
            living = is_online(end, user) and may_see(end, client.user, user)
            if status != ("online" if living else _OFFLINE) and may_see(end, client.user, user):
                yield f"{client.name} believes that {user} is {status}, who is online: {living}"


def _believed(client: Any) -> dict[str, str]:
    latest: dict[str, str] = {}
    for at, event in client.seen.events:
        if isinstance(event, Presence) and at >= client.process_began:
            latest[event.user_id] = event.status
    return latest


def _has_changed(case: Case, watcher: str, user: str) -> bool:
    """Whether who sees whom was not the same all the time."""
    rows = {f"block#{watcher}", f"block#{user}", f"contact#{watcher}", "profile"}
    private = private_conversation_id(watcher, user)
    for _, (table, pk, sk), old, new in case.past.changes:
        if (table, pk) == ("log", private) and old is None:
            return True
        is_theirs = table == "members" and pk in {f"user#{watcher}", f"user#{user}"}
        is_group = str(sk).startswith("conversation#group") and (old is None or new is None)
        is_new = sk in rows and (old is None or new is None or "contact" in sk or sk == "profile")
        if is_theirs and (is_group or is_new):
            return True
    return False


def typing_and_receipts_come_at_once(case: Case) -> Iterator[str]:
    """Whoever was there, and is meant, is told."""
    posts = case.world.deployment.gateway.posts
    for one in case.operations("typing"):
        if one.outcome != "ok":
            continue
        case.looked_at(one)
        where, end = one.detail["conversation_id"], one.ended or one.began
        moments = [case.past.at(when) for when in case.past.moments(one.began, end)]
        if is_group_id(where) and any(len(now.roles(where)) > case.world.plan.limits.receipts for now in moments):
            continue
        for client in case.world.clients:
            if client.user == one.user:
                continue
            is_there = any(begins <= one.began and end + LIVE_MS <= ends for begins, ends in client.online)
            is_meant = all(may_be_typed_at(now, client.user, one.user, where) for now in moments)
            if not (is_there and is_meant) or client.line is None:
                continue
            if case.world.plan.limits.token_s > 60 and not any(  # a history's length
                post.line.user_id == client.user
                and post.event["type"] == "typing"
                and post.event["user_id"] == one.user
                and one.began <= post.at <= end + LIVE_MS
                for post in posts
            ):
                yield f"{client.name} was not told of {one}"


RULES = (answers_are_right, nobody_is_told_who_may_not_see, typing_is_for_those_who_are_meant)
AT_ONCE = (watchers_know, typing_and_receipts_come_at_once)
