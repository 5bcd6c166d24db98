"""Offline push: who is woken for which message."""

from __future__ import annotations

from shared.errors import Unavailable
from shared.notification.models import Push, StoredMessage
from shared.notification.offline import Pushed, push_to_absent
from tests.fakes import DM, FakeClock, FakePushGateway, FakeSessions

NOW = FakeClock()()


def messages(*senders: str) -> list[StoredMessage]:
    return [StoredMessage(DM, seq, sender) for seq, sender in enumerate(senders, 1)]


def woken(gateway: FakePushGateway) -> list[tuple[str, int]]:
    return [(push.user_id, push.message.seq) for push in gateway.pushes]


def test_who_has_no_live_connection_is_pushed_and_the_sender_never_is() -> None:
    gateway = FakePushGateway()
    pushed = push_to_absent(messages("alice", "bob"), sessions=FakeSessions(), push_gateway=gateway, now=NOW)
    assert woken(gateway) == [("bob", 1), ("alice", 2)]
    assert pushed == Pushed(2, None)


def test_who_is_connected_is_left_alone() -> None:
    sessions, gateway = FakeSessions(), FakePushGateway()
    sessions.connect("bob", "b1", at=NOW)
    push_to_absent(messages("alice"), sessions=sessions, push_gateway=gateway, now=NOW)
    assert gateway.pushes == []


def test_a_stale_connection_is_no_connection() -> None:
    sessions, gateway = FakeSessions(), FakePushGateway()
    sessions.connect("bob", "b1", at=NOW - 10, expires_at=NOW)
    push_to_absent(messages("alice"), sessions=sessions, push_gateway=gateway, now=NOW)
    assert woken(gateway) == [("bob", 1)]


def test_a_batch_is_one_read_and_no_write() -> None:
    sessions = FakeSessions()
    push_to_absent(messages("alice", "bob", "alice"), sessions=sessions, push_gateway=FakePushGateway(), now=NOW)
    assert (sessions.reads, sessions.writes) == (1, 0)


def test_nothing_to_look_at_reads_nothing() -> None:
    sessions = FakeSessions()
    assert push_to_absent([], sessions=sessions, push_gateway=FakePushGateway(), now=NOW) == Pushed(0, None)
    assert sessions.reads == 0


def test_a_push_that_fails_for_the_moment_stops_there_so_that_a_retry_pushes_nothing_twice() -> None:
    def refuse(push: Push) -> None:
        if push.message.seq == 2:
            raise Unavailable

    gateway = FakePushGateway(refuse=refuse)
    pushed = push_to_absent(messages("alice", "alice", "alice"), sessions=FakeSessions(), push_gateway=gateway, now=NOW)
    assert pushed == Pushed(1, 1)
    assert woken(gateway) == [("bob", 1)]
