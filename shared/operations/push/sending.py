"""Carrying out pushes: claim, hand over, and do what the provider's answer asks for.

Of each push to each device one try is made at a time, whatever comes twice: it is claimed before it is sent. So a try
that dies between the two is lost, and the next message, or opening the app, makes up for it (docs/adr/0014-pushes.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Final

from shared.clock import SECOND_MS
from shared.domain.devices import APNS, PRODUCTION, SANDBOX, Platform, PushTarget
from shared.domain.pushes import BadTarget, Busy, Misconfigured, PushJob, PushResult, Refused, Sent, Unregistered
from shared.errors import Unavailable
from shared.operations.push.planning import Planned, Reading, plan
from shared.ports.notifications import Claims, Devices
from shared.ports.services import ParallelMap, PushGateway, PushQueue

# An hour late, a push tells nobody anything.
MAX_AGE_MS: Final = 60 * 60 * 1_000
# 5, 10, 20 … seconds, at most 15 minutes, which is what a queue can hold back: the hour ends before the tries do.
MAX_TRIES: Final = 12
_BASE_DELAY_MS: Final = 5_000
_MAX_DELAY_MS: Final = 15 * 60 * 1_000

MISCONFIGURED: Final = "PushMisconfigured"
REFUSED: Final = "PushRefused"
GIVEN_UP: Final = "PushGivenUp"


@dataclass
class Resting:
    """Until when (ms) each provider asked to be left alone, as far as this instance knows."""

    until: dict[Platform, int] = field(default_factory=dict)

    def rest(self, platform: Platform, until: int) -> None:
        self.until[platform] = max(until, self.until.get(platform, 0))

    def ends(self, platform: Platform) -> int:
        return self.until.get(platform, 0)


@dataclass(frozen=True, slots=True)
class Pushing:
    """What carrying out pushes needs. `gateway` gives a platform's; `jitter(ms)` is a random part of it.

    `count` counts what is worth an alarm; `report` is told of every answer of a provider.
    """

    reading: Reading
    devices: Devices
    claims: Claims
    gateway: Callable[[Platform], PushGateway]
    queue: PushQueue
    parallel_map: ParallelMap
    resting: Resting
    now: Callable[[], int]
    jitter: Callable[[int], int]
    count: Callable[[str], None]
    report: Callable[[Planned, PushResult], None]


def push_all(jobs: Sequence[PushJob], *, pushing: Pushing) -> int:
    """Carry out jobs of one platform or several, devices side by side. Returns how many pushes were taken.

    What has to wait goes back to the queue, with a delay. Raises Unavailable where that, or a read, fails for the
    moment: the jobs may all come again.
    """
    now = pushing.now()
    in_time = [job for job in jobs if now - job.since <= MAX_AGE_MS]
    for _ in range(len(jobs) - len(in_time)):
        pushing.count(GIVEN_UP)
    early = {job: start for job in in_time if (start := _start(job, pushing.resting)) > now}
    for job, start in early.items():
        _put_back(replace(job, not_before=start), pushing, now)
    due = list(dict.fromkeys(job for job in in_time if job not in early))
    planned = plan(due, reading=pushing.reading, now=now) if due else []
    # One device's pushes go one after the other, in their conversation's order; devices do not wait for each other.
    by_device = [list(group) for _, group in groupby(sorted(planned, key=_order), key=_whose)]
    taken = pushing.parallel_map(lambda of_device: sum(_carry_out(one, pushing) for one in of_device), by_device)
    return sum(taken)


def _start(job: PushJob, resting: Resting) -> int:
    return max(job.not_before, resting.ends(job.platform))


def _whose(planned: Planned) -> tuple[str, str]:
    return planned.job.user_id, planned.device.device_id


def _order(planned: Planned) -> tuple[str, str, str, int]:
    seq = planned.push.data.get("seq")
    return *_whose(planned), planned.push.thread_id, int(seq or 0)


def _carry_out(planned: Planned, pushing: Pushing) -> bool:
    """Whether the provider has taken it."""
    job, device = planned.job, planned.device
    if not pushing.claims.claim(job.user_id, device.device_id, job.about, tries=job.tries, now=pushing.now()):
        return False
    result = pushing.gateway(job.platform).push(planned.push)
    pushing.report(planned, result)
    return _settle(planned, result, pushing)


def _settle(planned: Planned, result: PushResult, pushing: Pushing) -> bool:
    user_id, device = planned.job.user_id, planned.device
    match result:
        case Sent():
            return True
        case Unregistered(since=since):
            if since is None or device.registered_at <= since:
                pushing.devices.forget_unchanged(user_id, device)
        case BadTarget():
            return _try_other_environment(planned, pushing)
        case Busy():
            _try_later(planned, result, pushing)
        case Misconfigured():
            pushing.count(MISCONFIGURED)
        case Refused():
            pushing.count(REFUSED)
    return False


def _try_other_environment(planned: Planned, pushing: Pushing) -> bool:
    """Apple has two of them and apps are often built for the wrong one. A token that neither knows is none."""
    user_id, device = planned.job.user_id, planned.device
    other = _elsewhere(device.target)
    if other is None:
        pushing.devices.forget_unchanged(user_id, device)
        return False
    moved = replace(planned, push=replace(planned.push, target=other))
    result = pushing.gateway(planned.job.platform).push(moved.push)
    pushing.report(moved, result)
    match result:
        case Sent():
            pushing.devices.change_environment(user_id, device, other)
            return True
        case BadTarget():
            pushing.devices.forget_unchanged(user_id, device)
            return False
    return _settle(planned, result, pushing)


def _elsewhere(target: PushTarget) -> PushTarget | None:
    if target.platform != APNS:
        return None
    return replace(target, environment=SANDBOX if target.environment == PRODUCTION else PRODUCTION)


def _try_later(planned: Planned, busy: Busy, pushing: Pushing) -> None:
    """Never by waiting here: others are behind this one."""
    job, now = planned.job, pushing.now()
    delay = min(_BASE_DELAY_MS << job.tries, _MAX_DELAY_MS)
    not_before = now + max(busy.retry_after_ms or 0, delay // 2 + pushing.jitter(delay // 2))
    if busy.whole_provider:
        pushing.resting.rest(job.platform, now + (busy.retry_after_ms or 0))
    if job.tries + 1 >= MAX_TRIES or not_before - job.since > MAX_AGE_MS:
        pushing.count(GIVEN_UP)
        return
    again = replace(job, tries=job.tries + 1, device_id=planned.device.device_id, not_before=not_before)
    try:
        _put_back(again, pushing, now)
    except Unavailable:
        pushing.count(GIVEN_UP)  # its claim is taken, so that nobody else can try either


def _put_back(job: PushJob, pushing: Pushing, now: int) -> None:
    wait_ms = min(max(job.not_before - now, 0), _MAX_DELAY_MS)
    pushing.queue.put([job], delay_s=-(-wait_ms // SECOND_MS))
