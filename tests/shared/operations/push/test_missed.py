"""The look at who missed a push while the push function was down: by cursors and claims, bounded, and never twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from shared.domain.contacts import QuietHours
from shared.domain.devices import FCM, PushTarget
from shared.domain.notifications import SYSTEM, AboutMessage, AboutNotification, Notification
from shared.domain.pushes import SweepPart
from shared.errors import Unavailable
from shared.operations.push import missed
from shared.operations.push.missed import MISSED, find_missed, scheduled_sweep, sweep_missed
from shared.operations.push.sending import MAX_AGE_MS, push_all
from tests.fakes import DM
from tests.shared.operations.push.harness import BOBS_ANDROID, BOBS_PHONE, GROUP, PushHarness

HOUR = 60 * 60 * 1_000
DAY = 24 * HOUR


def sweep(harness: PushHarness, part: SweepPart | None = None) -> list[tuple[str, object]]:
    """All parts, one after the other; who was queued a push, about what."""
    before = len(harness.pushes.jobs)
    todo = [part or scheduled_sweep(harness.clock())]
    while todo:
        sweep_missed(todo.pop(), **harness.whole)
        todo, harness.sweeps.parts = harness.sweeps.parts, []
    return [(job.user_id, job.about) for job in harness.pushes.jobs[before:]]


def carry_out(harness: PushHarness) -> int:
    """How many pushes the provider takes of all that is queued."""
    jobs, before = harness.pushes.jobs, len(harness.provider.pushes)
    harness.pushes.puts.clear()
    push_all(jobs, resting=harness.resting, **harness.whole)
    return len(harness.provider.pushes) - before


@pytest.fixture
def down(harness: PushHarness) -> PushHarness:
    """Bob has a phone; alice wrote twice while the push function was down; a day went by."""
    harness.device()
    harness.say("one")
    harness.say("two")
    harness.clock.advance(DAY)
    return harness


def test_the_latest_message_that_was_missed_is_pushed_once_whatever_comes_again(down: PushHarness) -> None:
    assert sweep(down) == [("bob", AboutMessage(DM, 2))]
    assert down.observer.counted[MISSED] == 1
    assert carry_out(down) == 1
    assert sweep(down) == []
    down.pushes.put([down.job(down.stores.entries()[1]), down.job(down.stores.entries()[0])])  # the replayed records
    assert carry_out(down) == 0


def test_two_sweeps_at_once_are_one_push(down: PushHarness) -> None:
    assert sweep(down) == sweep(down) == [("bob", AboutMessage(DM, 2))]
    assert carry_out(down) == 1


def read(harness: PushHarness) -> None:
    harness.stores.memberships.move_read(harness.stores.member("bob").with_read(2, 2))


def delivered(harness: PushHarness) -> None:
    harness.stores.memberships.move_delivered(replace(harness.stores.member("bob"), delivered_seq=2))


def answered(harness: PushHarness) -> None:
    harness.say("an answer", sender="bob")


def deleted(harness: PushHarness) -> None:
    harness.stores.delete(1)
    harness.stores.delete(2)


def muted(harness: PushHarness) -> None:
    harness.prefer(muted_until=harness.clock() + HOUR)


def muted_when_it_came(harness: PushHarness) -> None:
    harness.prefer(muted_until=harness.clock() - HOUR)


def nothing_at_all(harness: PushHarness) -> None:
    harness.prefer(notify="none")


def mentions_only(harness: PushHarness) -> None:
    harness.prefer(notify="mentions")


def blocked(harness: PushHarness) -> None:
    harness.stores.blocks.put("bob", "alice", now=harness.clock())


def left(harness: PushHarness) -> None:
    harness.stores.leave(DM, "bob")


def quiet(harness: PushHarness) -> None:
    harness.profile(quiet_hours=QuietHours("00:00", "23:59", "UTC"))


def without_a_phone(harness: PushHarness) -> None:
    harness.stores.devices.forget("bob", "phone")


@pytest.mark.parametrize(
    "case",
    [
        read,
        delivered,
        answered,
        deleted,
        muted,
        muted_when_it_came,
        nothing_at_all,
        mentions_only,
        blocked,
        left,
        quiet,
        without_a_phone,
    ],
)
def test_who_would_not_have_been_woken_or_has_it_by_now_is_left_alone(
    down: PushHarness, case: Callable[[PushHarness], None]
) -> None:
    case(down)
    assert sweep(down) == []
    assert (down.pushes.puts, down.delivery_checks.puts) == ([], [])


def test_of_several_messages_the_latest_that_is_wanted_counts(harness: PushHarness) -> None:
    harness.device()
    harness.say("for bob", mentions=("bob",))
    harness.say("for nobody")
    harness.prefer(notify="mentions")
    harness.clock.advance(DAY)
    assert sweep(harness) == [("bob", AboutMessage(DM, 1))]


def test_what_was_pushed_on_one_phone_is_pushed_on_the_other_alone(down: PushHarness) -> None:
    down.stores.claims.claim("bob", "phone", AboutMessage(DM, 2), tries=0, now=down.clock())
    assert sweep(down) == []
    down.device(BOBS_PHONE, device_id="iphone")
    sweep(down)
    assert carry_out(down) == 1
    assert [push.target for push in down.provider.pushes] == [BOBS_PHONE]


def test_what_came_after_the_last_push_counts_whatever_its_tries(down: PushHarness) -> None:
    for tries in range(3):
        down.stores.claims.claim("bob", "phone", AboutMessage(DM, 1), tries=tries, now=down.clock())
    assert sweep(down) == [("bob", AboutMessage(DM, 2))]


def test_who_is_connected_gets_the_event_again_before_a_push(down: PushHarness) -> None:
    down.stores.connect("bob", "b1", at=down.clock())
    assert sweep(down) == []
    assert [look.about for look in down.delivery_checks.looks] == [AboutMessage(DM, 2)]


def test_what_is_young_is_left_to_its_own_push_and_what_is_old_to_the_app(harness: PushHarness) -> None:
    harness.device()
    harness.say()
    harness.clock.advance(MAX_AGE_MS - 1)
    assert sweep(harness) == []
    harness.clock.advance(1)
    assert len(sweep(harness)) == 1
    harness.clock.advance(missed.WINDOW_MS - MAX_AGE_MS)
    assert len(sweep(harness)) == 1
    harness.clock.advance(1)
    assert sweep(harness) == []


def test_a_wish_for_more_than_two_weeks_is_cut_to_that_for_claims_are_not_kept_for_ever(down: PushHarness) -> None:
    down.clock.advance(missed.MAX_WINDOW_MS - DAY)
    assert len(sweep(down, SweepPart(0, down.clock()))) == 1
    down.clock.advance(1)
    assert sweep(down, SweepPart(0, down.clock())) == []


def test_a_groups_members_are_woken_but_for_who_wrote(harness: PushHarness) -> None:
    harness.found("alice", "bob", "carol")
    harness.say(conversation_id=GROUP)
    for user in ("alice", "bob", "carol"):
        harness.device(PushTarget(FCM, f"of {user}"), user=user)
    harness.clock.advance(DAY)
    assert sorted(user for user, _ in sweep(harness)) == ["bob", "carol"]
    assert carry_out(harness) == 2


def test_a_notification_that_nobody_was_told_of_is_told_once(harness: PushHarness) -> None:
    harness.device()
    now = harness.clock()
    harness.stores.notifications.put([Notification("n", "bob", SYSTEM, now, now + 10 * DAY, "News", "Much of it")])
    harness.clock.advance(DAY)
    assert sweep(harness) == [("bob", AboutNotification("n"))]
    assert carry_out(harness) == 1
    assert sweep(harness) == []


@pytest.mark.parametrize("what", ["acknowledged", "expired", "quiet"])
def test_a_notification_that_needs_no_telling(harness: PushHarness, what: str) -> None:
    harness.device()
    now = harness.clock()
    expires_at = now + (HOUR if what == "expired" else 10 * DAY)
    harness.stores.notifications.put([Notification("n", "bob", SYSTEM, now, expires_at, "News")])
    if what == "acknowledged":
        harness.stores.notifications.acknowledge("bob", "n")
    if what == "quiet":
        quiet(harness)
    harness.clock.advance(DAY)
    assert sweep(harness) == []


def test_it_is_looked_at_in_parts_and_nobody_is_passed_over(
    harness: PushHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(missed, "_ROWS", 3)
    monkeypatch.setattr(missed, "_PAGES", 2)
    people = [f"user{number:02}" for number in range(9)]
    for user in people:
        place = f"dm:alice:{user}"
        harness.say(conversation_id=place)
        harness.device(replace(BOBS_ANDROID, token=user), user=user)
    harness.clock.advance(DAY)
    assert sorted(user for user, _ in sweep(harness)) == people
    part: SweepPart | None = scheduled_sweep(harness.clock())
    sizes = []
    while part is not None:
        harness.stores.calls.made.clear()
        found = find_missed(part, stores=harness.stores, services=harness.push_services, now=harness.clock())
        assert harness.stores.calls.made.count("Scan members") <= 2
        sizes.append(found.users)
        part = found.next
    assert sum(sizes) == len(people)
    assert len(sizes) > 3


def test_what_fails_comes_again_as_a_whole(down: PushHarness) -> None:
    down.stores.calls.fail("user#bob")
    with pytest.raises(Unavailable):
        sweep(down)
    down.stores.calls.let_through()
    assert len(sweep(down)) == 1


def test_where_nobody_has_a_device_it_is_one_call(harness: PushHarness) -> None:
    harness.say()
    harness.clock.advance(DAY)
    harness.stores.calls.made.clear()
    assert sweep(harness) == []
    assert harness.stores.calls.made == ["Scan members"]
