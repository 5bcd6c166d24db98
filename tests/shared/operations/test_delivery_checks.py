"""The second look: who has it by then is left alone, the others get it again and are woken."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.adapters.dynamodb.schema import membership_key
from shared.domain.connections import PostOutcome
from shared.domain.devices import FCM, PushTarget
from shared.domain.notifications import SYSTEM, About, AboutMessage, AboutNotification, DeliveryCheck, Notification
from shared.domain.pushes import PushJob
from shared.operations.push.enqueueing import check_deliveries
from tests.fakes import DM
from tests.shared.operations.push.harness import GROUP, PushHarness
from tests.stores import MEMBERS

MESSAGE = AboutMessage(DM, 1)


NOTHING = (0, 0)


def look(harness: PushHarness, about: About = MESSAGE, users: tuple[str, ...] = ("bob",)) -> tuple[int, int]:
    """How many pushes were queued, and how many connections got something."""
    jobs, posts = len(harness.pushes.jobs), len(harness.gateway.posts)
    assert check_deliveries([DeliveryCheck(about, users)], **harness.whole) == {}
    return len(harness.pushes.jobs) - jobs, len(harness.gateway.posts) - posts


def half_open() -> PushHarness:
    """Bob's connection is there, and he has acknowledged nothing."""
    harness = PushHarness()
    harness.say()
    harness.device()
    harness.stores.connect("bob", "b1", at=harness.clock())
    return harness


def acknowledge(harness: PushHarness, **cursors: Any) -> None:
    harness.stores.edit(MEMBERS, membership_key(DM, "bob"), **cursors)


@pytest.fixture
def harness() -> PushHarness:
    return half_open()


def test_who_has_not_acknowledged_gets_it_again_and_is_woken(harness: PushHarness) -> None:
    assert look(harness) == (1, 1)
    assert harness.pushes.jobs == [PushJob(FCM, "bob", MESSAGE, since=harness.clock())]
    (event,) = map(json.loads, harness.gateway.received("b1"))
    assert (event["type"], event["seq"]) == ("new_message", 1)


def test_who_has_acknowledged_or_read_costs_one_read() -> None:
    for cursor in ("delivered_seq", "read_seq"):
        harness = half_open()
        acknowledge(harness, **{cursor: 1})
        before = len(harness.stores.calls.made)
        assert look(harness) == NOTHING
        assert harness.stores.calls.made[before:] == ["BatchGetItem log members"]
        assert harness.pushes.jobs == []


def test_who_acknowledged_something_later_has_it_too_and_something_earlier_does_not_count(harness: PushHarness) -> None:
    harness.say()
    acknowledge(harness, delivered_seq=1)
    assert look(harness) == NOTHING
    assert look(harness, AboutMessage(DM, 2))[0] == 1


def test_who_has_answered_gets_neither_the_event_again_nor_a_push(harness: PushHarness) -> None:
    harness.say(sender="bob")
    assert (look(harness), harness.pushes.jobs) == (NOTHING, [])
    harness.say()
    assert look(harness) == NOTHING
    looked = look(harness, AboutMessage(DM, 3))
    assert looked == (1, 1)


def test_of_several_who_have_not_acknowledged_only_those_are_told_who_have_not_written_since() -> None:
    harness = PushHarness()
    harness.found("alice", "bob", "carol")
    for user in ("bob", "carol"):
        harness.device(user=user, target=PushTarget(FCM, f"{user}'s"))
        harness.stores.connect(user, f"{user}-1", at=harness.clock())
    harness.say(conversation_id=GROUP)
    harness.say(sender="carol", conversation_id=GROUP)
    looked = look(harness, AboutMessage(GROUP, 2), ("bob", "carol"))
    assert looked == (1, 1)
    assert [job.user_id for job in harness.pushes.jobs] == ["bob"]


def test_who_is_no_member_any_more_gets_nothing(harness: PushHarness) -> None:
    harness.stores.leave(DM, "bob")
    assert look(harness) == NOTHING


def test_a_message_that_was_deleted_meanwhile_is_not_told_of(harness: PushHarness) -> None:
    harness.stores.overwrite(replace(harness.stores.entries()[0], content=None, deleted_at=harness.clock()))
    assert look(harness) == NOTHING


def test_a_dead_connection_is_forgotten_and_its_user_woken(harness: PushHarness) -> None:
    harness.clock.advance(60_000)
    harness.gateway.outcomes["b1"] = PostOutcome.GONE
    looked = look(harness)
    assert (looked[0], harness.stores.connections("bob")) == (1, {})


def test_a_look_at_who_has_no_device_posts_again_and_wakes_nobody(harness: PushHarness) -> None:
    harness.stores.devices.forget("bob", "phone")
    looked = look(harness)
    assert looked == (0, 1)


def notification(harness: PushHarness, user: str = "bob") -> Notification:
    return Notification(
        "n1", user, SYSTEM, harness.clock(), harness.clock() + 1_000, title="Down at noon", body="for an hour"
    )


def test_a_notification_that_was_not_acknowledged_is_told_again_and_pushed(harness: PushHarness) -> None:
    harness.stores.notifications.put([notification(harness), notification(harness, "carol")])
    harness.stores.notifications.acknowledge("carol", "n1")
    looked = look(harness, AboutNotification("n1"), ("bob", "carol"))
    assert looked == (1, 1)
    (event,) = map(json.loads, harness.gateway.received("b1"))
    assert event["notification"]["id"] == "n1"
    assert json.dumps(event).count("Down at noon") == 1


def test_a_notification_that_all_users_acknowledged_or_that_expired_is_left_alone(harness: PushHarness) -> None:
    harness.stores.notifications.put([notification(harness)])
    harness.clock.advance(1_000)
    assert look(harness, AboutNotification("n1")) == NOTHING


def test_a_stale_connection_is_not_posted_to(harness: PushHarness) -> None:
    harness.stores.connect("bob", "b1", at=harness.clock() - 10, expires_at=harness.clock())
    looked = look(harness)
    assert (looked[0], harness.gateway.posts) == (1, [])
