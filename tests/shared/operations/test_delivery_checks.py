"""The second look: who has it by then is left alone, the others get it again and are woken."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from shared.adapters.dynamodb.schema import member_of_user_key
from shared.domain.connections import PostOutcome
from shared.domain.devices import FCM, PushTarget
from shared.domain.notifications import SYSTEM, About, AboutMessage, AboutNotification, DeliveryCheck, Notification
from shared.domain.pushes import PushJob
from shared.operations.delivery_checks import check_delivery
from tests.fakes import DM
from tests.shared.operations.push.harness import GROUP, House
from tests.stores import MEMBERS

MESSAGE = AboutMessage(DM, 1)


NOTHING = (0, 0)


def look(house: House, about: About = MESSAGE, users: tuple[str, ...] = ("bob",)) -> tuple[int, int]:
    """How many pushes were queued, and how many connections got something."""
    jobs, posts = len(house.pushes.jobs), len(house.gateway.posts)
    check_delivery(DeliveryCheck(about, users), **house.whole)
    return len(house.pushes.jobs) - jobs, len(house.gateway.posts) - posts


def half_open() -> House:
    """Bob's connection is there, and he has acknowledged nothing."""
    house = House()
    house.say()
    house.device()
    house.stores.connect("bob", "b1", at=house.clock())
    return house


def acknowledge(house: House, **cursors: Any) -> None:
    house.stores.edit(MEMBERS, member_of_user_key(DM, "bob"), **cursors)


def test_who_has_not_acknowledged_gets_it_again_and_is_woken() -> None:
    house = half_open()
    assert look(house) == (1, 1)
    assert house.pushes.jobs == [PushJob(FCM, "bob", MESSAGE, since=house.clock())]
    (event,) = map(json.loads, house.gateway.received("b1"))
    assert (event["type"], event["seq"]) == ("new_message", 1)


def test_who_has_acknowledged_or_read_costs_one_read() -> None:
    for cursor in ("delivered_seq", "read_seq"):
        house = half_open()
        acknowledge(house, **{cursor: 1})
        before = len(house.stores.calls.made)
        assert look(house) == NOTHING
        assert house.stores.calls.made[before:] == ["BatchGetItem members"]
        assert house.pushes.jobs == []


def test_who_acknowledged_something_later_has_it_too_and_something_earlier_does_not_count() -> None:
    house = half_open()
    house.say()
    acknowledge(house, delivered_seq=1)
    assert look(house) == NOTHING
    assert look(house, AboutMessage(DM, 2))[0] == 1


def test_who_has_answered_gets_neither_the_event_again_nor_a_push() -> None:
    house = half_open()
    house.say(sender="bob")
    assert (look(house), house.pushes.jobs) == (NOTHING, [])
    house.say()
    assert look(house) == NOTHING
    looked = look(house, AboutMessage(DM, 3))
    assert looked == (1, 1)


def test_of_several_who_have_not_acknowledged_only_those_are_told_who_have_not_written_since() -> None:
    house = House()
    house.found("alice", "bob", "carol")
    for user in ("bob", "carol"):
        house.device(user=user, target=PushTarget(FCM, f"{user}'s"))
        house.stores.connect(user, f"{user}-1", at=house.clock())
    house.say(conversation_id=GROUP)
    house.say(sender="carol", conversation_id=GROUP)
    looked = look(house, AboutMessage(GROUP, 2), ("bob", "carol"))
    assert looked == (1, 1)
    assert [job.user_id for job in house.pushes.jobs] == ["bob"]


def test_who_is_no_member_any_more_gets_nothing() -> None:
    house = half_open()
    house.stores.leave(DM, "bob")
    assert look(house) == NOTHING


def test_a_message_that_was_deleted_meanwhile_is_not_told_of() -> None:
    house = half_open()
    house.stores.overwrite(replace(house.stores.entries()[0], content=None, deleted_at=house.clock()))
    assert look(house) == NOTHING


def test_a_dead_connection_is_forgotten_and_its_user_woken() -> None:
    house = half_open()
    house.clock.advance(60_000)
    house.gateway.outcomes["b1"] = PostOutcome.GONE
    looked = look(house)
    assert (looked[0], house.stores.connections("bob")) == (1, {})


def test_a_look_at_who_has_no_device_posts_again_and_wakes_nobody() -> None:
    house = half_open()
    house.stores.devices.forget("bob", "phone")
    looked = look(house)
    assert looked == (0, 1)


def notification(house: House, user: str = "bob") -> Notification:
    return Notification(
        "n1", user, SYSTEM, house.clock(), house.clock() + 1_000, title="Down at noon", body="for an hour"
    )


def test_a_notice_that_was_not_acknowledged_is_told_again_and_pushed() -> None:
    house = half_open()
    house.stores.notifications.put([notification(house), notification(house, "carol")])
    house.stores.notifications.acknowledge("carol", "n1")
    looked = look(house, AboutNotification("n1"), ("bob", "carol"))
    assert looked == (1, 1)
    (event,) = map(json.loads, house.gateway.received("b1"))
    assert event["notification"]["id"] == "n1"
    assert json.dumps(event).count("Down at noon") == 1


def test_a_notice_that_everybody_acknowledged_or_that_expired_is_left_alone() -> None:
    house = half_open()
    house.stores.notifications.put([notification(house)])
    house.clock.advance(1_000)
    assert look(house, AboutNotification("n1")) == NOTHING


def test_a_stale_connection_is_not_posted_to() -> None:
    house = half_open()
    house.stores.connect("bob", "b1", at=house.clock() - 10, expires_at=house.clock())
    looked = look(house)
    assert (looked[0], house.gateway.posts) == (1, [])
