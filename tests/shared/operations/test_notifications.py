from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.domain.connections import NOBODY, PostOutcome
from shared.domain.notifications import SYSTEM, AboutNotification, DeliveryCheck, Notification
from shared.errors import BadRequest, ParleyError, TooLarge, Unavailable
from shared.operations.notifications import (
    KEPT_MS,
    NotificationRequest,
    notifications_of,
    send_notification,
    tell,
)
from tests.fakes import FakeDeliveryCheckQueue
from tests.harness import Harness
from tests.stores import MEMBERS


@dataclass
class NotificationsHarness(Harness):
    nonces: Any = field(default_factory=lambda: lambda: "fresh")

    def send(self, users: Sequence[str], title: str = "Hello", **more: Any) -> tuple[str, int]:
        return send_notification(NotificationRequest(users, title, **more), **self.whole)

    def kept(self, *users: str) -> list[Notification]:
        return [one for user in users for one in self.stores.notifications.of(user, now=self.clock())]

    def received(self, user: str) -> list[dict[str, Any]]:
        return self.events(f"{user}1")


@pytest.fixture
def harness() -> NotificationsHarness:
    return NotificationsHarness()


def test_a_notification_is_kept_for_each_for_thirty_days(harness: NotificationsHarness) -> None:
    assert harness.send(["alice", "bob", "alice"], body="You", data={"k": "v"})[1] == 2
    expected = Notification(
        "fresh", "alice", SYSTEM, harness.clock(), harness.clock() + 30 * 86_400_000, "Hello", "You", {"k": "v"}
    )
    assert harness.kept("alice")[0] == expected
    assert [one.user_id for one in harness.kept("alice", "bob")] == ["alice", "bob"]
    assert list(notifications_of("alice", stores=harness.stores, now=harness.clock())) == [expected]
    assert list(notifications_of("alice", stores=harness.stores, now=harness.clock() + KEPT_MS)) == []


def test_who_is_connected_hears_of_it_at_once(harness: NotificationsHarness) -> None:
    harness.connect("alice")
    harness.send(["alice", "bob"], body="You", data={"k": "v"})
    (event,) = harness.received("alice")
    assert event == {
        "type": "notification",
        "notification": {
            "id": "fresh",
            "kind": "system",
            "title": "Hello",
            "body": "You",
            "data": {"k": "v"},
            "created_at": harness.clock(),
        },
    }


def test_who_is_absent_is_looked_at_right_away_and_who_is_connected_soon(harness: NotificationsHarness) -> None:
    harness.connect("alice", "carol")
    harness.stores.connect("dave", "stale", at=1, expires_at=2)
    harness.send(["alice", "bob", "carol", "dave"])
    about = AboutNotification("fresh")
    assert harness.delivery_checks.puts == [
        (DeliveryCheck(about, ("bob", "dave")), 0),
        (DeliveryCheck(about, ("alice", "carol")), 5),
    ]


def test_nobody_absent_and_nobody_connected_are_not_looked_at(harness: NotificationsHarness) -> None:
    harness.connect("alice")
    harness.send(["alice"])
    harness.send(["bob"])
    assert [(look.users, delay_s) for look, delay_s in harness.delivery_checks.puts] == [(("alice",), 5), (("bob",), 0)]


def test_a_dead_connection_is_forgotten_and_its_user_looked_at_again(harness: NotificationsHarness) -> None:
    harness.connect("alice")
    harness.clock.advance(60_000)
    harness.gateway.outcomes["alice1"] = PostOutcome.GONE
    harness.send(["alice"])
    assert [gone.user_id for gone in harness.checks.scheduled] == ["alice"]
    assert [delay_s for _, delay_s in harness.delivery_checks.puts] == [5]


def test_nothing_is_told_of_what_may_not_be_stored() -> None:
    def busy(*_: object) -> None:
        raise Unavailable

    harness = NotificationsHarness()
    harness.connect("alice")
    harness.stores.calls.before = busy
    with pytest.raises(Unavailable):
        harness.send(["alice", "bob"])
    assert (harness.gateway.posts, harness.delivery_checks.puts) == ([], [])


def test_what_could_not_be_queued_is_stored_and_completed_by_a_repetition() -> None:
    def busy(_: object) -> None:
        raise Unavailable

    harness = NotificationsHarness(delivery_checks=FakeDeliveryCheckQueue(before_put=busy))
    harness.connect("alice")
    with pytest.raises(Unavailable):
        harness.send(["alice", "bob"], notification_id="n1")
    assert harness.gateway.posts == []
    harness.delivery_checks.before_put = lambda _: None
    harness.clock.advance(1_000)
    assert harness.send(["alice", "bob"], notification_id="n1")[0] == "n1"
    assert [event["notification"]["created_at"] for event in harness.received("alice")] == [harness.clock() - 1_000]
    assert [look.users for look in harness.delivery_checks.looks] == [("bob",), ("alice",)]


def test_a_repetition_tells_what_is_stored_and_nothing_to_who_has_acknowledged(harness: NotificationsHarness) -> None:
    harness.connect("alice", "bob")
    harness.send(["alice", "bob"], notification_id="n1")
    harness.stores.notifications.acknowledge("bob", "n1")
    harness.send(["alice", "bob"], "Other words", notification_id="n1")
    assert [event["notification"]["title"] for event in harness.received("alice")] == ["Hello", "Hello"]
    assert len(harness.received("bob")) == 1
    assert harness.delivery_checks.looks[-1].users == ("alice",)


def test_whoever_a_repetition_adds_gets_their_own(harness: NotificationsHarness) -> None:
    harness.connect("alice", "bob")
    harness.send(["alice"], notification_id="n1")
    harness.send(["alice", "bob"], "Newer", notification_id="n1")
    assert harness.received("bob")[0]["notification"]["title"] == "Newer"
    assert [event["notification"]["title"] for event in harness.received("alice")] == ["Hello", "Hello"]


def test_a_repetition_that_everybody_has_acknowledged_does_nothing(harness: NotificationsHarness) -> None:
    harness.send(["alice"], notification_id="n1")
    harness.stores.notifications.acknowledge("alice", "n1")
    sent = harness.send(["alice"], notification_id="n1")
    assert sent[1] == 1
    assert len(harness.delivery_checks.puts) == 1


@pytest.mark.parametrize(
    "asked",
    [
        NotificationRequest(["u"], "t" * 100),
        NotificationRequest([f"u{number}" for number in range(100)], "t", "b" * 1_000),
        NotificationRequest(["u"], "t", data={"k": "v" * (2_048 - 8)}),
        NotificationRequest(["u"], "t", notification_id="a" * 64),
        NotificationRequest(["u"], "t", notification_id="A-z_0.9"),
    ],
    ids=["title", "users and body", "data", "longest id", "id"],
)
def test_what_just_fits_is_taken(harness: NotificationsHarness, asked: NotificationRequest) -> None:
    assert harness.send(**{name: getattr(asked, name) for name in asked.__slots__})[1] == len(asked.users)


@pytest.mark.parametrize(
    ("asked", "error", "field"),
    [
        (NotificationRequest([], "t"), BadRequest, "users"),
        (NotificationRequest([f"u{number}" for number in range(101)], "t"), BadRequest, "users"),
        (NotificationRequest(["a:b"], "t"), BadRequest, "user id"),
        (NotificationRequest(["u"], ""), BadRequest, "title"),
        (NotificationRequest(["u"], " \n"), BadRequest, "title"),
        (NotificationRequest(["u"], "t" * 101), TooLarge, "title"),
        (NotificationRequest(["u"], "t", "b" * 1_001), TooLarge, "body"),
        (NotificationRequest(["u"], "t", data={"k": "v" * (2_048 - 7)}), TooLarge, "data"),
        (NotificationRequest(["u"], "t", data={"k": "é" * 1_024}), TooLarge, "data"),
        (NotificationRequest(["u"], "t", notification_id=""), BadRequest, "notification_id"),
        (NotificationRequest(["u"], "t", notification_id="a" * 65), BadRequest, "notification_id"),
        (NotificationRequest(["u"], "t", notification_id="a#b"), BadRequest, "notification_id"),
        (NotificationRequest(["u"], "t", notification_id="a\n"), BadRequest, "notification_id"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_stored(
    harness: NotificationsHarness, asked: NotificationRequest, error: type[ParleyError], field: str
) -> None:
    with pytest.raises(error, match=field):
        harness.send(**{name: getattr(asked, name) for name in asked.__slots__})
    assert harness.stores.rows(MEMBERS) == []


def test_at_most_a_hundred_are_listed_the_oldest_first(harness: NotificationsHarness) -> None:
    for number in range(101):
        harness.send(["alice"], notification_id=f"n{number}")
        harness.clock.advance(1)
    listed = [one.notification_id for one in notifications_of("alice", stores=harness.stores, now=harness.clock())]
    assert listed == [f"n{number}" for number in range(100)]


def test_telling_nobody_needs_nothing(harness: NotificationsHarness) -> None:
    assert tell([], **harness.whole) == NOBODY
    assert harness.stores.calls.made == []
