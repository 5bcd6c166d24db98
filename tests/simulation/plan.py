"""What one history is about: who takes part, what they do and when, and which faults there are. All from one number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from random import Random
from typing import Any, Final

from shared.domain.limits import Limit
from tests.simulation import broadcasting
from tests.simulation.faults import Fault, draw
from tests.simulation.limits import FRAMES, Limits, draw_limits
from tests.simulation.moderated import SHARE, draw_moderation
from tests.simulation.operations import WEIGHTS

ENDS_MS: Final = 4_000.0
_EARLY: Final = 0.3
# This many histories are long. In those a fault strikes less often: it has more time to.
_LONG: Final = 0.02
_CALMER: Final = 0.1

# In this many, many write into one conversation at once, drawn by numbers of their own: no other history is another.
_CROWDED: Final = 0.02
_CROWDS: Final = (2, 4, 4, 8, 8, 16, 16, 32, 64)
_WITHIN_MS: Final = (0.0, 5.0, 30.0, 300.0, 2_000.0)
# In this many an administrator keeps users out meanwhile. These numbers are their own, too.
_BARRED: Final = 0.05
_KEEPING_OUT: Final = ("ban", "ban", "ban", "unban", "revoke_tokens", "revoke_tokens")
# In this many messages are kept for some days, which are short; by numbers of their own, again.
_ENDING: Final = 0.02
_KEPT_DAYS: Final = (1, 2, 4)
# In most of them a kind has so many days; and some conversations get others.
_BY_KIND: Final = 0.75
_TIMES_RULED: Final = (0, 1, 2, 3, 5)
_TIMES_HELD: Final = (0, 0, 1, 2)
_UNTIL_MS: Final = (20_000.0, 28_000.0)
_REAPED_FROM_MS: Final = 15_000.0
_WHERE_MESSAGES_END: Final[Mapping[str, int]] = {
    "send_private": 10,
    "send_to_group": 8,
    "post": 3,
    "send_again": 4,
    "repeat": 4,
    "forward": 2,
    "edit": 4,
    "delete": 2,
    "react": 3,
    "read": 3,
    "look": 6,
    "page": 10,
    "message": 6,
    "inbox": 2,
    "summary": 2,
    "leave": 8,
    "come_back": 8,
    "restart": 2,
    "cut": 2,
}
_SECONDS: Final = (("bob-2", "bob"), ("alice-3", "alice"), ("bob-3", "bob"))

# Alice owns the group of Bob and Carol; Dave may be added; Mallory is in nothing.
_DEVICES: Final = (("alice-1", "alice"), ("alice-2", "alice"), ("bob-1", "bob"), ("carol-1", "carol"))
_OTHERS: Final = (("dave-1", "dave"), ("mallory-1", "mallory"))


@dataclass(frozen=True, slots=True)
class Theme:
    """What a history is mostly about: these actions count so many times as much, and there are these faults, too.

    Without themes races would be as rare as in life. `watching`: from the start everybody watches everybody.
    """

    weights: Mapping[str, int] = field(default_factory=dict)
    faults: Mapping[Fault, float] = field(default_factory=dict)
    everybody: bool = False
    watching: bool = False


_THEMES: Final[Sequence[Theme]] = (
    Theme(),
    Theme({"send_to_group": 4, "send_private": 4, "send_again": 6}),
    Theme({"repeat": 40, "repeat_otherwise": 30, "upload": 3, "post": 2}),
    Theme({"heavy": 20, "react": 4, "page": 4, "inbox": 2, "look": 2, "forward": 2, "edit": 2}),
    Theme({"repeat": 60, "quit": 4, "remove": 4, "add": 2}, {Fault.REPLY_LOST: 0.3}),
    Theme({"send_to_group": 3, "post": 10, "remove": 6, "add": 3, "quit": 12}),
    Theme({"send_private": 5, "block": 16}, {Fault.REPLY_LOST: 0.5}),
    Theme({"send_to_group": 5, "remove": 8, "quit": 16}, {Fault.REPLY_LOST: 0.5}),
    Theme({"watch": 12, "leave": 8, "come_back": 8}, everybody=True),
    Theme({"leave": 20, "come_back": 4, "revoke": 4, "presence": 4}, everybody=True, watching=True),
    Theme({"befriend": 30, "block": 20, "profile": 20, "quit": 6, "remove": 6, "leave": 10}, watching=True),
    Theme({"send_private": 3, "send_to_group": 3, "leave": 5, "come_back": 10}),
    Theme({"edit": 12, "delete": 12, "react": 12, "role": 20, "rename": 20, "remove": 6}),
    Theme({"send_private": 6, "send_to_group": 6}, {Fault.THROTTLED: 0.8}),
    Theme({"read": 8, "read_over_http": 60, "send_private": 2}),
    # What is read over HTTP, beside what changes it.
    Theme({"inbox": 12, "summary": 8, "page": 8, "message": 8, "members": 8}),
    Theme({"inbox": 12, "hide": 8, "prefer": 4, "post_with_id": 4}),
    Theme({"make_group": 20, "make_private": 8, "add": 6, "inbox": 6, "send_first": 6, "role": 6}),
    Theme({"request_contact": 20, "update_contact": 20, "end_contact": 8, "list": 6, "block": 4, "presence": 8}),
    Theme({"profile": 20, "presence": 6, "watch": 6, "leave": 3, "type": 6, "list": 2}, everybody=True),
    Theme({"register": 20, "sign_out": 10, "list": 6, "send_private": 2, "prefer": 4, "hide": 2}),
    Theme({"notify": 20, "acknowledge": 16, "remind": 20, "cancel_reminder": 6, "list": 6, "delete": 3}),
    Theme({"upload": 30, "send_file": 30, "forward": 12, "delete": 10, "get_file": 12}),
    Theme({"post_named": 30, "send_to_group": 3, "quit": 4, "remove": 2}, {Fault.REPLY_LOST: 0.3}),
    Theme({"upload": 12, "send_file": 20, "send_otherwise": 30}),
    Theme(
        {
            "send_otherwise": 20,
            "send_by_anothers_id": 10,
            "send_again": 6,
            "send_to_group": 3,
            "forward": 4,
            "nonsense": 4,
            "nobody": 6,
        }
    ),
    Theme({"react": 20, "moderate": 20, "send_to_group": 2, "role": 2}),
    Theme({"befriend": 80, "be_told": 40, "hand_on": 80, "be_reminded": 60}),
    Theme({"stranger": 60, "send_private": 2}),
    Theme({"revoke": 30, "watch": 8, "send_private": 3}, everybody=True),
    Theme({"changed_twice": 40, "forwarded_though_gone": 20}),
    Theme({"file_comes_and_goes": 80}),
    Theme({"reminder_taken_back": 40, "opened_again": 40}),
    Theme({"admin_goes_too_far": 40, "in_spite_of_a_block": 40}),
)
_OF_MANY: Final = Limit(20, 200)
# Either frames are few that are let through, or those that write.
_FOR_FLOODS: Final[Sequence[Mapping[str, Any]]] = (
    {"frames": (2, 8), "abuse": 4},
    {"frames": FRAMES, "rate": Limit(1, 12)},
)
_MISHAPS: Final = {Fault.CUT: "cut", Fault.HALF_OPEN: "half_open", Fault.RESTARTED: "restart"}


@dataclass(frozen=True, slots=True)
class Action:
    """One client does something at a time (ms). `number` decides whatever there is to decide in it."""

    at: float
    client: int
    name: str
    number: int


@dataclass(frozen=True, slots=True)
class Plan:
    """`schedule` is the number that everything else is decided by: latencies, faults, which of two goes first.

    Devices are connected from the start, with all that there is, but those `asleep`, which are away, and the `fresh`
    ones, which know nothing yet and have to connect first. The `browsers` connect by tickets. `latency` (ms) is the
    longest of the network, `ends` (ms) when the last action is over and everything heals.
    """

    seed: int
    schedule: int
    devices: tuple[tuple[str, str], ...]
    asleep: frozenset[int]
    fresh: frozenset[int]
    browsers: frozenset[int]
    actions: tuple[Action, ...]
    odds: Mapping[Fault, float] = field(default_factory=dict)
    limits: Limits = Limits()  # noqa: RUF009  # frozen
    ends: float = ENDS_MS
    latency: float = 30.0


def plan_of(seed: int) -> Plan:
    kind = kind_of(seed)
    if not kind:
        return _quiet_plan(seed, Random(seed))
    random = Random(f"{kind} {seed}")
    random.random()  # by which it is of this kind
    _, plan = _KINDS[kind]
    return plan(seed, random)


def kind_of(seed: int) -> str:
    """What a history is about beside what all are: `CROWD`, `ENDING`, `MODERATED`, `TOLD`, `BARRED`, or "".

    Each is decided by numbers of its own, so that no other history is another one for them.
    """
    return next((kind for kind, (share, _) in _KINDS.items() if Random(f"{kind} {seed}").random() < share), "")


def seeds_of(kind: str) -> Iterator[int]:
    """The seeds of all histories of this kind, from 0 on, without an end."""
    return (seed for seed in count() if kind_of(seed) == kind)


def _quiet_plan(seed: int, random: Random) -> Plan:
    if random.random() < _LONG:
        return _long_plan(seed, random)
    theme = random.choice(_THEMES)
    devices = _DEVICES if theme.everybody else _devices(random)
    odds = {**draw(random), **theme.faults}
    limits = draw_limits(random)
    if "stranger" in theme.weights:
        limits = replace(limits, **random.choice(_FOR_FLOODS))
    return Plan(
        seed=seed,
        schedule=seed,
        devices=devices,
        asleep=_some(devices, 0.15, random),
        fresh=_some(devices, 0.25, random),
        browsers=_some(devices, 0.25, random),
        actions=_actions(theme, len(devices), odds, random),
        odds=odds,
        limits=limits,
        ends=2 * ENDS_MS if theme.watching else ENDS_MS,  # who goes is away for a while
        latency=random.choice((3.0, 30.0)),
    )


def _barred_plan(seed: int, random: Random) -> Plan:
    """The quiet one, with some users kept out at some time of it; in the end they are let in again."""
    plan = _quiet_plan(seed, Random(seed))
    moments = [one.at for one in plan.actions] or [0.0]
    more = [
        Action(
            max(0.0, random.choice(moments) + random.uniform(-300.0, 600.0)),
            random.randrange(len(plan.devices)),
            random.choice(_KEEPING_OUT),
            random.randrange(1_000),
        )
        for _ in range(random.choice((1, 1, 2, 3)))
    ]
    return replace(plan, actions=tuple(sorted([*plan.actions, *more], key=lambda action: action.at)))


def _calm(random: Random) -> dict[Fault, float]:
    """Where much is done, few of the faults strike as often as in a short history."""
    return {fault: odds * _CALMER for fault, odds in draw(random).items()}


def _half_calm(random: Random) -> dict[Fault, float]:
    """Half of these histories have no faults."""
    return _calm(random) if random.random() < 0.5 else {}


def _long_plan(seed: int, random: Random) -> Plan:
    """Everybody, for a while: hundreds of actions, so that pages, limits and whatever grows come to their ends."""
    odds = _calm(random)
    ends = random.choice((8_000.0, 16_000.0, 30_000.0))
    how_many = int(ends // 100)
    devices = _DEVICES + _OTHERS[:1]
    chosen = random.choices(list(WEIGHTS), list(WEIGHTS.values()), k=how_many)
    limits = replace(draw_limits(random), frames=FRAMES)  # in all that time anybody would come to them
    chosen += [name for fault, name in _MISHAPS.items() if fault in odds for _ in range(random.randint(1, 2))]
    actions = [
        Action(random.random() * ends, random.randrange(len(devices)), name, random.randrange(1_000)) for name in chosen
    ]
    return Plan(
        seed=seed,
        schedule=seed,
        devices=devices,
        asleep=_some(devices, 0.15, random),
        fresh=_some(devices, 0.25, random),
        browsers=_some(devices, 0.25, random),
        actions=tuple(sorted(actions, key=lambda action: action.at)),
        odds=odds,
        limits=limits,
        latency=random.choice((3.0, 30.0)),
        ends=ends,
    )


def _crowded_plan(seed: int, random: Random) -> Plan:
    """Up to 64 messages within a moment, of two users with several devices each, or of a group's members."""
    users = random.choice((("alice", "bob"), ("alice", "bob", "carol")))
    devices = tuple(one for one in (*_DEVICES, *_SECONDS) if one[1] in users)
    number, within = random.randrange(1_000), random.choice(_WITHIN_MS)
    actions = [
        Action(500 + random.random() * within, random.randrange(len(devices)), "crowd_in", number ^ random.randrange(2))
        for _ in range(random.choice(_CROWDS))
    ]
    odds = _half_calm(random)
    return Plan(
        seed=seed,
        schedule=seed,
        devices=devices,
        asleep=frozenset(),
        fresh=frozenset(),
        browsers=frozenset(),
        actions=tuple(sorted(actions, key=lambda action: action.at)),
        odds=odds,
        limits=replace(draw_limits(random), frames=FRAMES, rate=_OF_MANY),
        latency=random.choice((3.0, 30.0)),
    )


def _ending_plan(seed: int, random: Random) -> Plan:
    """Everybody for a while, and away for a while, until first messages have ended and their rows are gone."""
    ends = random.choice(_UNTIL_MS)
    names, weights = list(_WHERE_MESSAGES_END), list(_WHERE_MESSAGES_END.values())
    chosen = random.choices(names, weights, k=random.choice((12, 25, 50)))
    moments = [(random.random() * ends, name) for name in chosen]
    moments += [(_REAPED_FROM_MS + random.random() * (ends - _REAPED_FROM_MS), "reap") for _ in range(4)]
    moments += [(random.random() * ends, "keep_for") for _ in range(random.choice(_TIMES_RULED))]
    moments += [
        (random.random() * ends, name) for name in ("hold", "release") for _ in range(random.choice(_TIMES_HELD))
    ]
    odds = _half_calm(random)
    actions = [Action(at, random.randrange(len(_DEVICES)), name, random.randrange(1_000)) for at, name in moments]
    limits = replace(draw_limits(random), frames=FRAMES, rate=_OF_MANY, token_s=3_600.0, edit_window_s=86_400)
    days = random.choice(_KEPT_DAYS) if random.random() < _BY_KIND else 0
    return Plan(
        seed=seed,
        schedule=seed,
        devices=_DEVICES,
        asleep=_some(_DEVICES, 0.15, random),
        fresh=_some(_DEVICES, 0.25, random),
        browsers=frozenset(),
        actions=tuple(sorted(actions, key=lambda action: action.at)),
        odds=odds,
        limits=replace(limits, kept_days=days, own_rules=True),
        ends=ends,
        latency=random.choice((3.0, 30.0)),
    )


def _moderated_plan(seed: int, random: Random) -> Plan:
    theme, done = draw_moderation(random)
    devices = (*_DEVICES, _SECONDS[0], *_OTHERS[: random.choice((0, 0, 1))])
    actions = [Action(at, random.randrange(len(devices)), name, random.randrange(1_000)) for at, name in done]
    odds = _half_calm(random)
    actions += [
        Action(random.random() * theme.ends, random.randrange(len(devices)), name, 0)
        for fault, name in _MISHAPS.items()
        if fault in odds
    ]
    is_hooked = random.random() < theme.hooked
    limits = replace(draw_limits(random), frames=FRAMES, rate=_OF_MANY, token_s=3_600.0)
    return Plan(
        seed=seed,
        schedule=seed,
        devices=devices,
        asleep=_some(devices, 0.15, random),
        fresh=_some(devices, 0.15, random),
        browsers=frozenset(),
        actions=tuple(sorted(actions, key=lambda action: action.at)),
        odds=odds,
        limits=replace(limits, moderated=True, hooked=is_hooked),
        ends=theme.ends,
        latency=random.choice((3.0, 30.0)),
    )


def _broadcasting_plan(seed: int, random: Random) -> Plan:
    striking, done = broadcasting.draw_broadcasting(random)
    devices = (*_DEVICES, *_SECONDS[: random.choice((0, 1, 3))], *_OTHERS[: random.choice((0, 1, 2))])
    limits = replace(draw_limits(random), frames=FRAMES, rate=_OF_MANY, token_s=3_600.0, broadcasting=True)
    return Plan(
        seed=seed,
        schedule=seed,
        devices=devices,
        asleep=_some(devices, 0.2, random),
        fresh=_some(devices, 0.15, random),
        browsers=frozenset(),
        actions=tuple(Action(at, random.randrange(len(devices)), name, random.randrange(1_000)) for at, name in done),
        odds={**_half_calm(random), **striking},
        limits=limits,
        ends=broadcasting.ENDS_MS,
        latency=random.choice((3.0, 30.0)),
    )


def _actions(theme: Theme, clients: int, odds: Mapping[Fault, float], random: Random) -> tuple[Action, ...]:
    is_race = random.random() < 0.5  # everything at once, or over the whole time
    slots = [random.random() * ENDS_MS for _ in range(1 if is_race else random.randint(1, 3))]
    parallel_map = random.choice((3.0, 8.0) if is_race else (15.0, 40.0, 300.0))
    how_many = random.choice((3, 4, 4, 5) if is_race else (1, 2, 3, 3, 4, 5, 7))
    weights = [(weight or name in theme.weights) * theme.weights.get(name, 1) for name, weight in WEIGHTS.items()]
    chosen = random.choices(list(WEIGHTS), weights, k=how_many)
    chosen += [name for fault, name in _MISHAPS.items() if fault in odds for _ in range(random.randint(1, 2))]
    everybody = range(clients)
    actors = random.choice((everybody, everybody, [random.choice(everybody)]))  # many at once, or one in a hurry
    actions = []
    for name in chosen:
        at = random.choice(slots) + random.random() * parallel_map
        early = at * _EARLY if name == "watch" else at  # what there is to see comes later
        actions.append(Action(early, random.choice(actors), name, random.randrange(1_000)))
    if theme.watching:
        actions = [replace(one, at=one.at * _EARLY) if one.name == "leave" else one for one in actions]
        actions += [Action(0.0, number, "watch_all", 0) for number in everybody]
    return tuple(sorted(actions, key=lambda action: action.at))


def _some(devices: Sequence[object], share: float, random: Random) -> frozenset[int]:
    return frozenset(number for number in range(len(devices)) if random.random() < share)


def _devices(random: Random) -> tuple[tuple[str, str], ...]:
    """Two to four devices, in most cases of members."""
    chosen = random.sample(_DEVICES, k=random.choice((2, 2, 2, 3, 4)))
    if random.random() < 0.2:
        chosen.append(random.choice(_OTHERS))
    return tuple(chosen)


CROWD: Final = "crowd"
ENDING: Final = "messages end"
MODERATED: Final = "somebody moderates"
TOLD: Final = "somebody tells everybody"
BARRED: Final = "keep out"
_KINDS: Final[Mapping[str, tuple[float, Callable[[int, Random], Plan]]]] = {
    CROWD: (_CROWDED, _crowded_plan),
    ENDING: (_ENDING, _ending_plan),
    MODERATED: (SHARE, _moderated_plan),
    TOLD: (broadcasting.SHARE, _broadcasting_plan),
    BARRED: (_BARRED, _barred_plan),
}
