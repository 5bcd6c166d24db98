"""Connections: nobody's is forgotten but its own, and none is told anything once its token has ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf
from typing import Final

from shared.adapters.dynamodb.sessions import connections_from
from tests.simulation.faults import Fault
from tests.simulation.functions import BASE_MS
from tests.simulation.history import Operation
from tests.simulation.judge.case import HARMLESS, Case, ends_at
from tests.simulation.judge.close_events import evicted

# Between reading who is there and the post's arrival lie some calls.
_ON_THE_WAY_MS: Final = 1_000
_HANDSHAKE_MS: Final = 30_000
# So long after a handshake has begun a 410 proves nothing (docs/one-message.md).
_PROVES_NOTHING_MS: Final = 5_000
# Who makes way was decided that long before at most: one that comes back meanwhile was not looked at.
_DECIDED_MS: Final = 5_000.0
_AT_ONCE_MS: Final = 500  # before any second look


def who_is_online_is_registered(case: Case) -> Iterator[str]:
    """But for connections whose token had ended: they make way for others first, and an `auth` brings them back."""
    lines, now = case.scenario.deployment.gateway.lines, case.scenario.hub.now
    sessions = {item["user_id"]: item for item in case.scenario.store.items("sessions")}
    for client in case.scenario.clients:
        if client.core.connection == "online" and client.line is not None:
            known = connections_from(sessions.get(client.user), client.user)
            if client.line.connection_id not in known and not _has_ended(client.line.token_ends, now, case):
                yield f"{client.name} is online, and {client.line.connection_id} is not registered"
    for at, connection_id in case.scenario.removed_while_open():
        if _has_ended(lines[connection_id].token_ends, at, case):
            continue
        yield f"{connection_id} was forgotten at {at:.0f} while it was open, and nobody had closed it"


def _has_ended(token_ends: float, at: float, case: Case) -> bool:
    return token_ends <= BASE_MS + at + case.skew


def not_forgotten_while_connecting(case: Case) -> Iterator[str]:
    """A post finds none that is just being made: that proves nothing about one that is open a moment later."""
    if any(True for _ in case.operations("revoke", "ban", "revoke_tokens")):
        return
    lines = case.scenario.deployment.gateway.lines
    # Whoever takes a place, and gets no answer, takes it again: from one that is back by then.
    made_way = {name for _, name in evicted(case)}
    for at, (table, user, _), old, new in case.past.changes:
        if table != "sessions" or at <= 0:
            continue
        before, after = (old or {}).get("connections", {}), (new or {}).get("connections", {})
        if after.keys() - before.keys():
            continue  # another one took its place
        for name in before.keys() - after.keys() - made_way:
            line = lines[name]
            is_young = BASE_MS + at + case.skew - int(line.context["connected_at"]) < _PROVES_NOTHING_MS
            if is_young and at < line.opened < line.ended:
                yield f"{name} of {user} was forgotten at {at:.0f}, while it was being made"


def tokens_end(case: Case) -> Iterator[str]:
    """Nothing is posted to a connection whose tokens have all ended."""
    for post in case.scenario.deployment.gateway.posts:
        ended = post.at + BASE_MS - post.line.token_ends
        if ended > _ON_THE_WAY_MS + case.skew and post.event.get("type") != "disconnect":
            yield f"{post.line.user_id} was sent {post.event['type']} {ended:.0f} ms after the token's end"


def no_more_than_allowed(case: Case) -> Iterator[str]:
    """A user has at most so many connections, once one more has been registered."""
    limit = case.scenario.plan.limits.connections
    for at, (table, user, _), old, new in case.past.changes:
        if table != "sessions" or at <= 0 or new is None:
            continue
        before = set((old or {}).get("connections", {}))
        after = new.get("connections", {})
        added = set(after) - before
        if not added:
            continue
        if len(after) > limit:
            yield f"{user} has {len(after)} connections at {at:.0f}, of {limit}"
        by = BASE_MS + at + case.skew
        lately = [case.past.at(when) for when in case.past.moments(max(0.0, at - _DECIDED_MS), at - 0.001)]
        known = [set((now.session(user) or {}).get("connections", {})) for now in lately]
        stayed = set(after).intersection(*known) - added
        yield from _oldest_first(user, before - set(after), stayed, (old or {}).get("connections", {}), by)


def _oldest_first(
    user: str, gone: set[str], stayed: set[str], old: Mapping[str, Mapping[str, int]], by: float
) -> Iterator[str]:
    """Those that had to make way were opened before those that stayed, or had ended `by` then."""
    oldest = min((float(old[name]["connected_at"]) for name in stayed), default=inf)
    for name in gone:
        if old[name]["connected_at"] > oldest and ends_at(old[name]) > by:
            yield f"{name} of {user} had to make way, and was not the oldest"


_FORGETFUL: Final = HARMLESS | {Fault.DISCONNECT_LOST, Fault.HALF_OPEN}


def the_dead_are_forgotten(case: Case) -> Iterator[str]:
    """Once a post has found out that a connection is gone, which is not just being made.

    One of presence ends the subscription alone (docs/reliability.md).
    """
    if not case.struck <= _FORGETFUL:
        return
    for at, line, event in case.scenario.deployment.gateway.gone:
        if event == "presence":
            continue
        began = int(line.context["connected_at"])
        end = case.past.at(case.scenario.hub.now).session(line.user_id) or {}
        is_old = BASE_MS + at - began > _HANDSHAKE_MS + case.skew
        if is_old and line.connection_id in end.get("connections", {}) and at < case.scenario.hub.now - _ON_THE_WAY_MS:
            yield f"{line.connection_id} of {line.user_id} was gone at {at:.0f}, and is still registered"


def nobody_gets_their_own(case: Case) -> Iterator[str]:
    """A connection gets no event for what it did itself, but in groups that another function posts to."""
    for client in case.scenario.clients:
        lines = [line for line in case.scenario.deployment.gateway.lines.values() if line.terminal is client]
        mine = {
            (one.detail["conversation_id"], one.value): one
            for one in case.operations("send")
            if one.client == client.name and one.outcome == "ok" and not one.status
        }
        if len(lines) != 1:
            continue
        for post in case.scenario.deployment.gateway.posts:
            place = post.event.get("conversation_id"), post.event.get("seq")
            one = mine.get(place) if post.event["type"] == "new_message" and post.line is lines[0] else None
            if one is None or _is_sent_twice(case, one):
                continue
            entry = case.logs[str(place[0])][int(place[1] or 1) - 1]
            if not entry.fan_out and post.at < (one.ended or 0.0) + _AT_ONCE_MS:
                yield f"{client.name} was sent its own {place}"


def _is_sent_twice(case: Case, one: Operation) -> bool:
    name = one.detail["client_message_id"]
    same = [other for other in case.operations() if other.detail.get("client_message_id") == name]
    return len(same) > 1


RULES = (not_forgotten_while_connecting, the_dead_are_forgotten, nobody_gets_their_own, no_more_than_allowed)
AT_ONCE = (who_is_online_is_registered, tokens_end)
