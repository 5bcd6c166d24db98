"""Why a message wakes nobody: the reasons that are given are those by which the push function decides."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ops.push_doctor import _about_messages, unwanted
from shared.domain.contacts import QuietHours
from shared.domain.notifications import AboutMessage
from shared.domain.pushes import Pushed
from shared.operations.push.sending import Resting, push_all
from tests.fakes import DM
from tests.shared.operations.push.harness import GROUP, PushHarness

HOUR = 3_600_000
ALL_DAY = QuietHours("00:00", "23:59", "UTC")

Change = Callable[[PushHarness], object]
CASES: dict[str, tuple[Change, str]] = {
    "nothing is against it": (lambda one: one.prefer(notify="all"), ""),
    "read": (lambda one: one.stores.memberships.move_read(one.stores.member("bob").with_read(1, 1)), "read already"),
    "answered": (lambda one: one.say("yes", sender="bob"), "answered"),
    "deleted": (lambda one: one.stores.delete(1), "deleted"),
    "muted": (lambda one: one.prefer(muted_until=one.clock() + HOUR), "muted"),
    "muted, and over": (lambda one: one.prefer(muted_until=one.clock() - HOUR), ""),
    "silent": (lambda one: one.prefer(notify="none"), "notify: none"),
    "mentions only": (lambda one: one.prefer(notify="mentions"), "notify: mentions"),
    "blocked": (lambda one: one.stores.blocks.put("bob", "alice", now=1), "alice is blocked"),
    "quiet": (lambda one: one.profile(quiet_hours=ALL_DAY), "quiet hours"),
}


@pytest.mark.parametrize("name", list(CASES))
def test_a_reason_is_given_exactly_where_no_push_is_made(name: str) -> None:
    change, words = CASES[name]
    harness = PushHarness()
    harness.device()
    entry = harness.say("the canary text")
    harness.clock.advance(HOUR // 2)
    change(harness)
    stores = harness.stores
    standing, tail = stores.standings.of("bob", now=harness.clock()), stores.log.read_back(DM, limit=10)
    now_there = next(one for one in tail if one.seq == entry.seq)
    said = unwanted(now_there, stores.member("bob"), tail[0], standing, harness.clock())
    assert words in said
    assert "canary" not in said
    job = harness.job(entry)
    push_all([job], resting=Resting(), **harness.whole)
    assert (len(harness.provider.pushes) == 1) is (said == "")


@pytest.mark.parametrize(
    ("digest_limit", "mentions", "minutes", "said"),
    [
        (1, (), 10, "waits for the digest"),
        (1, ("bob",), 10, "not pushed"),
        (1, (), 20, "not pushed"),
        (2, (), 10, "not pushed"),
        (0, (), 10, "not pushed"),
    ],
)
def test_in_a_large_group_a_message_may_be_waiting_for_the_digest(
    digest_limit: int, mentions: tuple[str, ...], minutes: int, said: str
) -> None:
    harness = PushHarness()
    harness.found("alice", "bob")
    harness.device()
    entry = harness.say(conversation_id=GROUP, mentions=mentions)
    harness.clock.advance(minutes * 60_000)
    place = SimpleNamespace(stores=harness.stores, settings=SimpleNamespace(digest_limit=digest_limit, digest_s=900))
    standing = harness.stores.standings.of("bob", now=harness.clock())
    (reason,) = _about_messages(cast("Any", place), standing, harness.clock())
    assert said in reason.said
    assert str(entry.seq) in reason.said
    assert reason.is_well is (said != "not pushed")


def test_what_was_withdrawn_is_told_with_its_device_and_why() -> None:
    harness = PushHarness()
    harness.device()
    entry = harness.say()
    push_all([harness.job(entry)], resting=Resting(), **harness.whole)
    stores, now = harness.stores, harness.clock()
    place = cast("Any", SimpleNamespace(stores=stores, settings=SimpleNamespace(digest_limit=0, digest_s=900)))

    def said() -> list[str]:
        return [one.said for one in _about_messages(place, stores.standings.of("bob", now=now), now)]

    assert not any("taken off" in one for one in said())
    (device,) = stores.devices.of({"bob"})["bob"]
    (shown,) = stores.shown.of([Pushed("bob", device.device_id, AboutMessage(DM, 0), 0)])
    stores.memberships.move_read(stores.member("bob").with_read(1, 1))
    assert stores.shown.take(shown, tries=0, now=now)
    (told,) = [one for one in said() if "taken off" in one]
    assert device.device_id in told
    assert told.endswith("the number on its icon corrected (has been read already)")
