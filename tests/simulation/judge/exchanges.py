"""Frames and their replies: each has one, none is served after its token's end, and none that is too much."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from functions.message.wiring import COSTLY
from tests.simulation.functions import BASE_MS
from tests.simulation.gateway import Exchange, Line
from tests.simulation.judge.case import Case
from tests.simulation.judge.refusals import OUT
from tests.simulation.tokens import Claim, read

# Refusals that come before the token is looked at, and those that are no verdicts.
_BEFORE: Final = frozenset({"rate_limited", "bad_request", "too_large", "unknown_type", "unavailable", "internal"})
_COUNTED: Final = frozenset({"message", "edit", "delete", "react"})
# What one instance gives each user beside the bucket (docs/limits.md): so many at once, and one in so many seconds.
_FREE: Final = 3
_FREE_EVERY_S: Final = 5
_BLOCK: Final = 10
_MINUTE_MS: Final = 60_000


def _by_line(case: Case) -> Mapping[Line, list[Exchange]]:
    found: dict[Line, list[Exchange]] = defaultdict(list)
    for one in case.scenario.deployment.gateway.exchanges:
        found[one.line].append(one)
    return found


def replies_name_their_frame(case: Case) -> Iterator[str]:
    for one in case.scenario.deployment.gateway.exchanges:
        if one.reply is not None and one.reply.get("id") != one.frame.get("id"):
            yield f"{one.frame} was answered by {one.reply}"


def served_while_a_token_is_good(case: Case) -> Iterator[str]:
    """Of the tokens that were shown over a connection, at the handshake and since, the latest end counts."""
    for line, exchanges in _by_line(case).items():
        auths = [(one, claim) for one in exchanges if (claim := _fresh(one)) is not None]
        if not auths and int(line.context["expires_at"]) > exchanges[-1].clock:
            continue
        for one in exchanges:
            if one.reply is not None and one.instance is not None:
                yield from _served(case, one, int(line.context["expires_at"]), auths)


def _fresh(one: Exchange) -> Claim | None:
    """The good token that an `auth` shows."""
    if one.frame["type"] != "auth" or one.frame["token"].count(".") != 2:
        return None
    claim = read(one.frame["token"])
    return claim if claim.is_genuine and claim.user_id == one.line.context["user_id"] else None


def _is_kept(case: Case, one: Exchange) -> bool:
    """Whether the connection was registered all the time: with it goes what is known of its tokens."""
    moments = [case.past.at(when) for when in case.past.moments(one.at, one.ended)]
    user_id, connection_id = one.line.user_id, one.line.connection_id
    return all(connection_id in (now.session(user_id) or {}).get("connections", {}) for now in moments)


def _served(case: Case, one: Exchange, first: int, auths: list[tuple[Exchange, Claim]]) -> Iterator[str]:
    shown = [claim.ends for other, claim in auths if other.at <= one.ended]
    known = [claim.ends for other, claim in auths if other.ended < one.at and other.is_done]
    latest, surely = max([first, *shown]), max([first, *known])
    if one.frame["type"] == "auth":
        yield from _renewed(one, {first, *shown}, is_out=one.line.user_id in case.kept_out)
    elif latest <= one.clock and one.code not in _BEFORE | {"token_expired"}:
        yield f"{one.frame} of {one.line.user_id} was served at {one.at:.0f}, its token ended at {latest - BASE_MS}"
    elif one.code == "token_expired" and surely > one.clock + (one.ended - one.at) and _is_kept(case, one):
        yield f"{one.frame} of {one.line.user_id} was refused at {one.at:.0f}, its token ends at {surely - BASE_MS}"


def _renewed(one: Exchange, ends: set[int], *, is_out: bool) -> Iterator[str]:
    """`auth` takes a good token of the same user, and says how long the connection lives with it."""
    text = one.frame["token"]
    claim = read(text) if text.count(".") == 2 else None
    duration = one.ended - one.at
    if claim is None or not claim.is_genuine:
        possible = {"unauthenticated", "bad_request"}
    elif claim.user_id != one.line.context["user_id"]:
        possible = {"forbidden"}
    elif claim.ends <= one.clock:
        possible = {"token_expired"}
    else:
        possible = {""} if claim.ends > one.clock + duration else {"", "token_expired"}
    said = _BEFORE | possible | (OUT if is_out else set())
    if one.code not in said or (one.is_done and "" not in possible):
        yield f"auth by {claim} over {one.line.user_id}'s connection was answered by {one.reply}"
    if one.is_done and (one.reply or {})["data"]["expires_at"] not in {
        end for end in ends if claim and end >= claim.ends
    }:
        yield f"auth by {claim} is good until {(one.reply or {})['data']['expires_at']}, of {ends}"


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: int

    def takes(self, rate: int, burst: int, now: int) -> bool:
        """Whether one more is let through."""
        self.tokens = min(burst, self.tokens + max(0, now - self.at) * rate / 1_000)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


def _too_much(case: Case) -> Mapping[int, float]:
    """The frames that their instance has to refuse, by identity, and how long it takes to hold one more (ms)."""
    rate, burst = case.scenario.plan.limits.frames
    buckets: dict[tuple[int, str, str], _Bucket] = {}
    found: dict[int, float] = {}
    for one in case.scenario.deployment.gateway.exchanges:
        if one.instance is None:
            continue
        kind = one.frame["type"]
        for name, limit in (("", (rate, burst)), *([(kind, COSTLY[kind])] if kind in COSTLY else [])):
            key = id(one.instance), one.line.connection_id, name
            bucket = buckets.setdefault(key, _Bucket(limit[1], one.clock))
            if not bucket.takes(*limit, one.clock):
                found[id(one)] = (1 - bucket.tokens) * 1_000 / limit[0]
                break
    return found


def floods_are_held_up(case: Case) -> Iterator[str]:
    """By each instance as its own memory of the connection says, and never anybody else."""
    too_much = _too_much(case)
    refused: dict[tuple[int, str], deque[int]] = defaultdict(lambda: deque(maxlen=case.scenario.plan.limits.abuse))
    abusive: dict[Line, float] = {}
    for one in case.scenario.deployment.gateway.exchanges:
        if one.instance is None:
            continue
        if (
            one.reply is not None
            and (id(one) in too_much) != (one.code == "rate_limited")
            and not _is_counted(case, one)
        ):
            yield f"{one.frame} of {one.line.user_id} at {one.at:.0f}: {one.reply}, too much: {id(one) in too_much}"
        if one.code == "rate_limited" and id(one) in too_much:
            wait = (one.reply or {})["retry_after_ms"]
            if abs(wait - too_much[id(one)]) > 1:
                yield f"{one.frame} of {one.line.user_id} is to wait {wait} ms, and need {too_much[id(one)]:.0f}"
        if one.code == "rate_limited":
            times = refused[id(one.instance), one.line.connection_id]
            times.append(one.clock)
            if len(times) == times.maxlen and one.clock - times[0] <= _MINUTE_MS:
                abusive.setdefault(one.line, one.ended)
    yield from _sent_away(case, abusive)


def _sent_away(case: Case, abusive: Mapping[Line, float]) -> Iterator[str]:
    """Connections that went on after being told to slow down, and no others."""
    told = {
        post.line: post.at
        for post in case.scenario.deployment.gateway.posts
        if post.event["type"] == "disconnect" and post.event["code"] == "rate_limited"
    }
    for line in told.keys() - abusive.keys():
        if not case.killed:  # by one that has died since, who has counted what was not answered
            yield f"{line.connection_id} of {line.user_id} was sent away, and had not flooded"
    if case.went_well:
        for line, at in abusive.items():
            if line.ended > at:
                yield f"{line.connection_id} of {line.user_id} has flooded by {at:.0f}, and was not closed"


def _is_counted(case: Case, one: Exchange) -> bool:
    return one.frame["type"] in _COUNTED


def nobody_writes_more_than_allowed(case: Case) -> Iterator[str]:
    """Of each user's frames that write: what the bucket holds, and what each instance gives beside it."""
    limit = case.scenario.plan.limits.rate
    by_user: dict[str, list[Exchange]] = defaultdict(list)
    for one in case.scenario.deployment.gateway.exchanges:
        if _is_counted(case, one) and one.reply is not None:
            by_user[one.line.context["user_id"]].append(one)
    is_refused = any(one.code == "rate_limited" for found in by_user.values() for one in found)
    too_much = _too_much(case) if is_refused else {}
    for user, found in by_user.items():
        let_in = [one for one in found if one.code != "rate_limited" and id(one) not in too_much]
        if len(let_in) > limit.burst:
            seconds = (let_in[-1].at - let_in[0].at + 2 * case.skew) / 1_000
            instances = len({id(one.instance) for one in let_in})
            most = limit.burst + limit.rate * seconds + instances * (_FREE + seconds / _FREE_EVERY_S) + 1
            if len(let_in) > most:
                yield f"{len(let_in)} frames of {user} were let through in {seconds} s, of {most:.0f}"
        for one in found:
            if one.code == "rate_limited" and id(one) not in too_much:
                yield from _justified(case, user, one, found)


def _justified(case: Case, user: str, refused: Exchange, found: list[Exchange]) -> Iterator[str]:
    """Who is told to slow down has tried so much that the bucket may be empty: instances take from it in blocks."""
    asked = sum(one.user == user and one.began <= refused.ended for one in case.operations())
    tried = [one for one in found if one.at <= refused.ended]
    instances = len({id(one.instance) for one in tried}) + asked
    if len(tried) + asked + instances * _BLOCK + _BLOCK < case.scenario.plan.limits.rate.burst:
        yield f"{refused.frame} of {user} was refused at {refused.at:.0f}, after {len(tried)} others"


RULES = (
    replies_name_their_frame,
    served_while_a_token_is_good,
    floods_are_held_up,
    nobody_writes_more_than_allowed,
)
