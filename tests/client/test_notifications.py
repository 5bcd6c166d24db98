"""Notifications once each, however often they are told; devices and reminders."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from parley_client import Device, Notification, Notified, ParleyClient, ParleyError, Reminder, UnknownEvent
from parley_client.effects import AskNotifications
from parley_client.parsing import as_event, as_notifications

from tests.client.bench import Bench, block, entry
from tests.client.fake_server import FakeServer
from tests.client.model import Frame
from tests.client.test_client import client_of


def notice(number: int, **more: object) -> Frame:
    return {"id": f"n{number}", "kind": "system", "title": f"title {number}", "body": "", "data": {}, **more}


def told(*numbers: int) -> list[Frame]:
    return [{"type": "notification", "notification": notice(number)} for number in numbers]


class Asked(Bench):
    """A bench with an HTTP API behind its core."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(over_http=True, **settings)

    def questions(self) -> list[int]:
        """Those that were asked since the last time."""
        found = [effect.number for effect in self.collect() if isinstance(effect, AskNotifications)]
        self.effects = [effect for effect in self.effects if not isinstance(effect, AskNotifications)]
        return found

    def up(self) -> Asked:
        """Connected, and the first sync is answered; nothing is forgotten."""
        self.core.start()
        self.core.connected(self.now)
        self.reply(self.sent("sync")[-1], conversations=[])
        return self

    def answer(self, question: int, *numbers: int) -> None:
        self.core.notified(question, {"notifications": [notice(number) for number in numbers]}, self.now)

    def titles(self) -> list[str]:
        return [event.title for event in self.events() if isinstance(event, Notification)]


# --- the core


def test_a_notification_that_is_told_twice_is_seen_once() -> None:
    bench = Bench().online(block(3))
    bench.receive(*told(1, 2, 1), entry(4), *told(2))
    assert [event.id for event in bench.events() if isinstance(event, Notification)] == ["n1", "n2"]


def test_what_is_not_acknowledged_is_asked_for_once_after_the_sync_of_each_connection() -> None:
    bench = Asked()
    bench.core.start()
    bench.core.connected(bench.now)
    assert bench.questions() == []
    bench.reply(bench.sent("sync")[-1], conversations=[])
    (first,) = bench.questions()
    bench.answer(first, 1, 2)
    bench.wait(1_000)
    assert bench.questions() == []
    bench.cut()
    bench.reconnect()
    (second,) = bench.questions()
    bench.answer(second, 1, 2, 3)
    assert bench.titles() == ["title 1", "title 2", "title 3"]


def test_a_list_and_a_live_post_of_the_same_are_one() -> None:
    bench = Asked().up()
    bench.receive(*told(2))
    bench.answer(bench.questions()[0], 1, 2)
    bench.receive(*told(1))
    assert bench.titles() == ["title 2", "title 1"]


def test_nothing_is_asked_without_an_api_or_by_who_only_sends() -> None:
    for bench in (Bench(), Bench(over_http=True, receive=False)):
        bench.core.start()
        bench.core.connected(bench.now)
        bench.reply(bench.sent("sync")[-1], conversations=[])
        bench.wait(1_000)
        assert not any(isinstance(effect, AskNotifications) for effect in bench.collect())


def test_a_list_that_fails_for_the_moment_is_asked_for_again_and_one_that_fails_for_good_is_not() -> None:
    bench = Asked().up()
    (first,) = bench.questions()
    bench.core.not_notified(first, ParleyError("unavailable", "no", retryable=True, retry_after_ms=5_000), bench.now)
    bench.wait(4)
    assert bench.questions() == []
    bench.wait(3)
    (second,) = bench.questions()
    bench.core.not_notified(second, ParleyError("forbidden", "no"), bench.now)
    bench.wait(100)
    assert bench.questions() == []


def test_an_answer_of_an_earlier_connection_counts_and_does_not_spare_the_question() -> None:
    bench = Asked().up()
    (old,) = bench.questions()
    bench.cut()
    bench.reconnect()
    (new,) = bench.questions()
    bench.answer(old, 1)
    bench.core.not_notified(old, ParleyError("unavailable", "no", retryable=True), bench.now)
    bench.answer(new, 1, 2)
    assert bench.titles() == ["title 1", "title 2"]


def test_what_found_no_room_is_asked_for_once_there_is_some() -> None:
    bench = Asked(max_events=4).up()
    bench.answer(bench.questions()[0])
    bench.events()
    bench.receive(*told(1, 2, 3, 4, 5, 6))
    assert bench.questions() == []
    assert bench.titles() == ["title 1", "title 2", "title 3", "title 4"]
    (again,) = bench.questions()
    bench.answer(again, 1, 2, 3, 4, 5, 6)
    assert bench.titles() == ["title 5", "title 6"]
    bench.wait(1_000)
    assert bench.questions() == []


def test_when_a_full_list_is_acknowledged_the_rest_is_asked_for() -> None:
    bench = Asked().up()
    bench.answer(bench.questions()[0], *range(100))
    for number in range(99):
        bench.core.acknowledged(f"n{number}", bench.now)
    assert bench.questions() == []
    bench.core.acknowledged("n99", bench.now)
    (more,) = bench.questions()
    bench.answer(more, 100)
    bench.core.acknowledged("n100", bench.now)
    assert bench.questions() == []
    assert len(bench.titles()) == 101


def test_an_acknowledged_notification_is_not_seen_again() -> None:
    bench = Bench().online(block(3))
    bench.core.acknowledged("n1", bench.now)
    bench.receive(*told(1))
    assert bench.events() == []


def test_a_message_that_is_posted_again_is_seen_once_and_was_acknowledged_long_before() -> None:
    bench = Bench(auto_delivered=True).online(block(3))
    bench.receive(entry(4))
    assert bench.seqs() == [4]
    bench.wait(2)
    (delivered,) = bench.sent("delivered")
    assert delivered["seq"] == 4
    bench.reply(delivered)
    bench.wait(3)
    bench.receive(entry(4))
    bench.wait(100)
    assert bench.seqs() == []
    assert len(bench.sent("delivered")) == 1


def test_messages_without_a_pause_do_not_put_off_that_they_were_delivered() -> None:
    bench = Bench(auto_delivered=True).online(block(3))
    for seq in range(4, 14):
        bench.receive(entry(seq))
        bench.events()
        bench.wait(0.4)
    assert bench.sent("delivered")[0]["seq"] <= 7


# --- what comes


def test_a_reminder_is_about_a_message() -> None:
    wire = notice(1, kind="reminder", created_at=5, conversation_id="dm:alice:bob", seq=4, data={"a": "b"})
    event = as_event({"type": "notification", "notification": wire})
    assert event == Notification("n1", "reminder", "title 1", "", {"a": "b"}, 5, "dm:alice:bob", 4)


@pytest.mark.parametrize("body", [None, [], {}, {"title": "x"}, "text"])
def test_what_is_no_notification_is_handed_on_as_it_came(body: object) -> None:
    assert isinstance(as_event({"type": "notification", "notification": body}), UnknownEvent)
    assert as_notifications({"notifications": [body]}) == ()
    assert as_notifications({"notifications": body}) == ()


# --- over sockets


async def notifications_of(client: ParleyClient, count: int) -> list[str]:
    found: list[str] = []
    async with aclosing(client.events()) as events:
        async for event in events:
            if isinstance(event, Notification):
                found.append(event.id)
                if len(found) == count:
                    break
    return found


async def test_notifications_come_live_and_after_each_connect_and_once() -> None:
    async with FakeServer() as server, client_of(server) as alice:
        server.http.notices.tell("alice", "before")
        assert await notifications_of(alice, 1) == ["before"]
        await server.tell("alice", server.http.notices.tell("alice", "live"))
        await server.tell("alice", server.http.notices.tell("alice", "live"))
        assert await notifications_of(alice, 1) == ["live"]
        await server.cut()
        server.http.notices.tell("alice", "while away")
        assert await notifications_of(alice, 1) == ["while away"]
        assert [each.id for each in await alice.notifications()] == ["before", "live", "while away"]
        await alice.acknowledge("live")
        assert [each.id for each in await alice.notifications()] == ["before", "while away"]

    assert server.http.notices.acknowledged == [("alice", "live")]


async def test_a_list_that_can_not_be_had_is_asked_for_again() -> None:
    async with FakeServer() as server:
        server.http.notices.tell("alice", "before")
        server.http_refusals = [("/v1/notifications", 503, "unavailable")]
        async with client_of(server) as alice:
            assert await notifications_of(alice, 1) == ["before"]


async def test_a_server_notifies_users() -> None:
    async with FakeServer() as server, client_of(server, "shop") as shop, client_of(server, "bob") as bob:
        await bob.sync()
        with pytest.raises(ParleyError) as refused:
            await shop.notify(["bob"], "no")
        server.http.notices.senders.add("shop")
        sent = await shop.notify(["bob"], "Sent", "today", data={"order": "1"}, notification_id="order-1")
        async with aclosing(bob.events()) as events:
            event = await anext(event async for event in events if isinstance(event, Notification))

    assert (refused.value.code, refused.value.status) == ("forbidden", 403)
    assert sent == Notified("order-1", 1)
    assert (event.id, event.title, event.body, event.data) == ("order-1", "Sent", "today", {"order": "1"})


async def test_devices_are_registered_listed_and_forgotten() -> None:
    async with FakeServer() as server, client_of(server) as alice:
        phone = await alice.register_device("phone", platform="fcm", installation_id="c-1")
        tablet = await alice.register_device(
            "tablet", platform="apns", token="c0ffee" * 8, app_id="org.example.app", environment="sandbox"
        )
        listed = await alice.devices()
        await alice.forget_device("phone")
        await alice.forget_device("phone")
        left = await alice.devices()

    assert phone == Device("phone", "fcm", installation_id="c-1", registered_at=1)
    assert (tablet.token, tablet.environment, tablet.app_id) == ("c0ffee" * 8, "sandbox", "org.example.app")
    assert (listed, left) == ((tablet, phone), (tablet,))
    assert "c0ffee" not in repr(tablet)
    assert "c-1" not in repr(phone)


async def test_reminders_are_made_once_listed_and_cancelled() -> None:
    async with FakeServer() as server, client_of(server) as alice:
        ack = await alice.send("hi", to="bob")
        later, again, sooner = await asyncio.gather(
            *(alice.remind(ack.conversation_id, ack.seq, at) for at in (2_000, 2_000, 1_000))
        )
        listed = await alice.reminders()
        await alice.cancel_reminder(later.id)
        left = await alice.reminders()

    assert later == again == Reminder(later.id, ack.conversation_id, 1, 2_000)
    assert (listed, left) == ((sooner, later), (sooner,))
