"""Offline push: who is woken for which message, and what is left to the shards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.chat.fan_out import Shard
from shared.errors import Unavailable
from shared.notification.models import Push, StoredEntry
from shared.notification.offline import Looked, look_at_stored
from tests.fakes import DM, FakeClock, FakeMemberships, FakePushGateway, FakeSessions

NOW = FakeClock()()


def messages(*senders: str) -> list[StoredEntry]:
    return [StoredEntry(DM, seq, sender) for seq, sender in enumerate(senders, 1)]


@dataclass
class Queue:
    shards: list[Shard] = field(default_factory=list)

    def put(self, shards: Sequence[Shard]) -> None:
        self.shards += shards


def look(
    entries: Sequence[StoredEntry],
    *,
    sessions: FakeSessions | None = None,
    gateway: FakePushGateway | None = None,
    memberships: FakeMemberships | None = None,
) -> Looked:
    return look_at_stored(
        entries,
        memberships=memberships or FakeMemberships(),
        sessions=sessions or FakeSessions(),
        push_gateway=gateway or FakePushGateway(),
        shard_queue=Queue(),
        now=NOW,
    )


def woken(gateway: FakePushGateway) -> list[tuple[str, int]]:
    return [(push.user_id, push.message.seq) for push in gateway.pushes]


def test_who_has_no_live_connection_is_pushed_and_the_sender_never_is() -> None:
    gateway = FakePushGateway()
    assert look(messages("alice", "bob"), gateway=gateway) == Looked(2, 0, None)
    assert woken(gateway) == [("bob", 1), ("alice", 2)]


def test_who_is_connected_is_left_alone() -> None:
    sessions, gateway = FakeSessions(), FakePushGateway()
    sessions.connect("bob", "b1", at=NOW)
    look(messages("alice"), sessions=sessions, gateway=gateway)
    assert gateway.pushes == []


def test_a_stale_connection_is_no_connection() -> None:
    sessions, gateway = FakeSessions(), FakePushGateway()
    sessions.connect("bob", "b1", at=NOW - 10, expires_at=NOW)
    look(messages("alice"), sessions=sessions, gateway=gateway)
    assert woken(gateway) == [("bob", 1)]


def test_a_batch_is_one_read_and_no_write() -> None:
    sessions = FakeSessions()
    look(messages("alice", "bob", "alice"), sessions=sessions)
    assert (sessions.reads, sessions.writes) == (1, 0)


def test_nothing_to_look_at_reads_nothing() -> None:
    sessions = FakeSessions()
    assert look([], sessions=sessions) == Looked(0, 0, None)
    assert sessions.reads == 0


def test_a_change_wakes_nobody() -> None:
    gateway = FakePushGateway()
    look([StoredEntry(DM, 1, "alice", is_message=False)], gateway=gateway)
    assert gateway.pushes == []


def test_of_a_large_groups_members_nobodys_session_is_read_here() -> None:
    sessions = FakeSessions()
    memberships = FakeMemberships()
    large = StoredEntry("dm:alice:bob", 1, "alice", fan_out=True)
    assert look([large], sessions=sessions, memberships=memberships) == Looked(0, 1, None)
    assert sessions.reads == 0


def test_a_group_that_is_gone_and_an_id_that_is_none_wake_nobody() -> None:
    gateway = FakePushGateway()
    entries = [StoredEntry("group:0123456789abcdef", 1, "alice"), StoredEntry("?", 1, "alice")]
    assert look(entries, gateway=gateway) == Looked(0, 0, None)


def test_a_push_that_fails_for_the_moment_stops_there_so_that_a_retry_pushes_nothing_twice() -> None:
    def refuse(push: Push) -> None:
        if push.message.seq == 2:
            raise Unavailable

    gateway = FakePushGateway(refuse=refuse)
    assert look(messages("alice", "alice", "alice"), gateway=gateway) == Looked(1, 0, 1)
    assert woken(gateway) == [("bob", 1)]
