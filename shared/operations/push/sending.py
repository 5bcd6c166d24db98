"""Carrying out pushes: claim, hand over, and do what the provider's answer asks for.

A push is claimed before it is sent, so one try is made at a time. A try that dies between the two is lost, and the next
message, or opening the app, makes up for it (docs/adr/0014-pushes.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Final

from shared.clock import whole_seconds
from shared.domain.devices import APNS, PRODUCTION, SANDBOX, Platform
from shared.domain.pushes import BadTarget, Busy, Pushed, PushJob, PushResult, Sent, Unregistered
from shared.errors import Unavailable
from shared.operations.context import Context
from shared.operations.push.planning import Planned, plan
from shared.operations.push.withdrawing import plan_withdrawals
from shared.ports.people import BeingWithdrawn
from shared.ports.services import PushServices
from shared.ports.stores import PushStores

# An hour late, a push tells nothing of use.
MAX_AGE_MS: Final = 60 * 60 * 1_000
# 5, 10, 20 … seconds, at most 15 minutes, which is what a queue can hold back: the hour ends before the tries do.
MAX_TRIES: Final = 12
_BASE_DELAY_MS: Final = 5_000
_MAX_DELAY_MS: Final = 15 * 60 * 1_000

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
class _Batch:
    stores: PushStores
    services: PushServices
    context: Context
    resting: Resting


def push_all(
    jobs: Sequence[PushJob], *, resting: Resting, stores: PushStores, services: PushServices, context: Context
) -> None:
    """Carry out jobs of one platform or several, devices side by side.

    What has to wait goes back to the queue. Raises Unavailable where that, or a read, fails: all may come again.
    """
    batch, now = _Batch(stores, services, context, resting), context.now()
    in_time = [job for job in jobs if now - job.since <= MAX_AGE_MS]
    for _ in range(len(jobs) - len(in_time)):
        batch.services.observer.count(GIVEN_UP)
    early = {job: start for job in in_time if (start := max(job.not_before, resting.ends(job.platform))) > now}
    for job, start in early.items():
        _put_back(replace(job, not_before=start), batch, now)
    due = list(dict.fromkeys(job for job in in_time if job not in early))
    telling = [job for job in due if not job.withdraws]
    planned = plan(telling, stores=stores, services=services, now=now) if telling else []
    withdrawing = [job for job in due if job.withdraws]
    planned += plan_withdrawals(withdrawing, stores=stores, services=services, now=now)
    # One device's pushes go one after the other, in their conversation's order; devices do not wait for each other.
    by_device = [list(group) for _, group in groupby(sorted(planned, key=_order), key=_whose)]
    list(services.parallel_map(lambda of_device: _carry_out(of_device, batch), by_device))


def _whose(planned: Planned) -> tuple[str, str]:
    return planned.job.user_id, planned.device.device_id


def _order(planned: Planned) -> tuple[str, str, str, int]:
    seq = planned.push.data.get("seq")
    return *_whose(planned), planned.push.thread_id, int(seq or 0)


def _carry_out(of_device: Sequence[Planned], batch: _Batch) -> None:
    for one in of_device:
        if one.withdrawn is not None:
            _take_off(one, one.withdrawn, batch)
        elif _is_claimed(one, batch):
            _settle(one, _handed_over(one, batch.services), batch)


def _is_claimed(planned: Planned, batch: _Batch) -> bool:
    """Whether this try is ours, and still wanted.

    The claim is first: whoever sees the note sees by the claims what there is to take off.
    """
    job, now = planned.job, batch.context.now()
    claims, shown, device_id = batch.stores.claims, batch.stores.shown, planned.device.device_id
    try:
        is_ours = claims.claim(job.user_id, device_id, job.about, tries=job.tries, now=now)
    except BeingWithdrawn:
        _put_back(replace(job, device_id=device_id, not_before=now + _BASE_DELAY_MS), batch, now)
        return False
    if not is_ours or job.platform not in batch.context.limits.withdrawals:
        return is_ours
    try:
        return shown.note(job.user_id, job.about)
    except Unavailable:  # this try's claim is taken: the next one goes on from it
        _try_later(planned, Busy("not noted", whole_provider=False), batch)
        return False


def _take_off(planned: Planned, pushed: Pushed, batch: _Batch) -> None:
    shown = batch.stores.shown
    if shown.take(pushed, tries=planned.job.tries, now=batch.context.now()):
        _settle(planned, _handed_over(planned, batch.services), batch)
        shown.release(pushed)


def _handed_over(planned: Planned, services: PushServices) -> PushResult:
    """Hand it over, and count what came of it: `PushSent`, `PushBusy` and so on, two of which have alarms.

    What is taken off counts as `PushWithdrawn` where it was `PushSent` otherwise.

    Where it is not taken, notes whose, about what, and the provider's reason. No token, no text.
    """
    push, job = planned.push, planned.job
    result = services.providers(job.platform).push(push)
    taken = "Withdrawn" if push.withdraws and isinstance(result, Sent) else type(result).__name__
    services.observer.count(f"Push{taken}")
    if not isinstance(result, Sent):
        services.observer.noted(
            "push not taken",
            platform=job.platform,
            user_id=job.user_id,
            device_id=planned.device.device_id,
            push_id=push.push_id,
            outcome=type(result).__name__,
            reason=result.reason,
            tries=job.tries,
        )
    return result


def _settle(planned: Planned, result: PushResult, batch: _Batch) -> None:
    device = planned.device
    match result:
        case Unregistered(since=since):
            if since is None or device.registered_at <= since:
                batch.stores.devices.forget_unchanged(planned.job.user_id, device)
        case BadTarget():
            _try_other_environment(planned, batch)
        case Busy():
            _try_later(planned, result, batch)


def _try_other_environment(planned: Planned, batch: _Batch) -> None:
    """Apple has two of them and apps are often built for the wrong one. A token that neither knows is none."""
    user_id, device = planned.job.user_id, planned.device
    if device.target.platform != APNS:
        batch.stores.devices.forget_unchanged(user_id, device)
        return
    other = replace(device.target, environment=SANDBOX if device.target.environment == PRODUCTION else PRODUCTION)
    result = _handed_over(replace(planned, push=replace(planned.push, target=other)), batch.services)
    match result:
        case Sent():
            batch.stores.devices.change_environment(user_id, device, other)
        case BadTarget():
            batch.stores.devices.forget_unchanged(user_id, device)
        case _:
            _settle(planned, result, batch)


def _try_later(planned: Planned, busy: Busy, batch: _Batch) -> None:
    """Never by waiting here: others are behind this one."""
    job, now = planned.job, batch.context.now()
    delay = min(_BASE_DELAY_MS << job.tries, _MAX_DELAY_MS)
    not_before = now + max(busy.retry_after_ms or 0, delay // 2 + batch.context.jitter(delay // 2))
    if busy.whole_provider:
        batch.resting.rest(job.platform, now + (busy.retry_after_ms or 0))
    if job.tries + 1 >= MAX_TRIES or not_before - job.since > MAX_AGE_MS:
        batch.services.observer.count(GIVEN_UP)
        return
    again = replace(job, tries=job.tries + 1, device_id=planned.device.device_id, not_before=not_before)
    try:
        _put_back(again, batch, now)
    except Unavailable:
        batch.services.observer.count(GIVEN_UP)  # its claim is taken: there is no other try


def _put_back(job: PushJob, batch: _Batch, now: int) -> None:
    wait_ms = min(max(job.not_before - now, 0), _MAX_DELAY_MS)
    batch.services.push_queue.put([job], delay_s=whole_seconds(wait_ms))
