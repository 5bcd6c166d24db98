"""The look at what was stored: who is woken at once, who is looked at again, and what is left to the shards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shared.domain.devices import APNS, FCM
from shared.domain.fan_out import Shard, StoredEntry
from shared.domain.notifications import AboutMessage, DeliveryCheck
from shared.domain.pushes import PushJob
from shared.errors import Unavailable
from shared.operations.push.enqueueing import enqueue_stored
from tests.fakes import DM
from tests.shared.operations.push.harness import BOBS_ANDROID, BOBS_PHONE, DELIVERY_CHECK_S, GROUP, PushHarness
from tests.stores import MEMBERS


def messages(*senders: str) -> list[StoredEntry]:
    return [StoredEntry(DM, seq, sender) for seq, sender in enumerate(senders, 1)]


def look(harness: PushHarness, entries: Sequence[StoredEntry]) -> tuple[int, int, int]:
    """How many pushes, delivery checks and shards were queued."""
    assert enqueue_stored(entries, **harness.whole) == {}
    return len(harness.pushes.jobs), len(harness.delivery_checks.looks), len(harness.shards.shards)


def woken(harness: PushHarness) -> list[tuple[str, str, object]]:
    return [(job.user_id, job.platform, job.about) for job in harness.pushes.jobs]


def test_who_has_no_live_connection_is_woken_on_each_platform_that_they_have_and_the_sender_never_is(
    harness: PushHarness,
) -> None:
    harness.device()
    harness.device(BOBS_PHONE, device_id="iphone")
    harness.device(replace(BOBS_PHONE, token="0b" * 32), user="alice")
    assert look(harness, messages("alice")) == (2, 0, 0)
    assert woken(harness) == [("bob", APNS, AboutMessage(DM, 1)), ("bob", FCM, AboutMessage(DM, 1))]


def test_two_devices_of_one_platform_are_one_job(harness: PushHarness) -> None:
    harness.device()
    harness.device(device_id="tablet")
    look(harness, messages("alice"))
    assert harness.pushes.puts == [(PushJob(FCM, "bob", AboutMessage(DM, 1), since=harness.clock()), 0)]


def test_who_is_connected_is_looked_at_again_some_seconds_later_and_not_woken(harness: PushHarness) -> None:
    harness.device()
    harness.stores.connect("bob", "b1", at=harness.clock())
    assert look(harness, messages("alice")) == (0, 1, 0)
    assert harness.delivery_checks.puts == [(DeliveryCheck(AboutMessage(DM, 1), ("bob",)), DELIVERY_CHECK_S)]
    assert harness.pushes.jobs == []


def test_a_stale_connection_is_no_connection(harness: PushHarness) -> None:
    harness.device()
    harness.stores.connect("bob", "b1", at=harness.clock() - 10, expires_at=harness.clock())
    assert look(harness, messages("alice")) == (1, 0, 0)


def test_who_has_no_device_costs_one_read_and_no_message_in_any_queue(harness: PushHarness) -> None:
    assert look(harness, messages("alice")) == (0, 0, 0)
    assert (harness.stores.calls.reads(MEMBERS), harness.pushes.jobs, harness.delivery_checks.looks) == (1, [], [])


def test_a_batch_is_one_read_of_sessions_one_of_devices_and_no_write(harness: PushHarness) -> None:
    harness.device()
    look(harness, messages("alice", "bob", "alice"))
    assert harness.stores.calls.made == ["BatchGetItem sessions", "BatchGetItem members"]


def test_nothing_to_look_at_reads_nothing(harness: PushHarness) -> None:
    assert look(harness, []) == (0, 0, 0)
    assert harness.stores.calls.made == []


def test_a_change_wakes_nobody(harness: PushHarness) -> None:
    harness.device()
    assert look(harness, [StoredEntry(DM, 1, "alice", is_message=False)]) == (0, 0, 0)


def test_a_groups_members_are_woken_or_looked_at_each_as_they_stand(harness: PushHarness) -> None:
    harness.found("alice", "bob", "carol", "dave")
    harness.device()
    harness.stores.connect("carol", "c1", at=harness.clock())
    assert look(harness, [StoredEntry(GROUP, 2, "alice")]) == (1, 1, 0)
    assert woken(harness) == [("bob", FCM, AboutMessage(GROUP, 2))]
    assert harness.delivery_checks.looks == [DeliveryCheck(AboutMessage(GROUP, 2), ("carol",))]


def test_of_a_large_groups_members_nobodys_session_is_read_here(harness: PushHarness) -> None:
    harness.device()
    assert look(harness, [StoredEntry(DM, 1, "alice", fan_out=True)]) == (0, 0, 1)
    assert harness.stores.calls.made == []
    assert harness.shards.shards == [Shard(DM, 1, ("alice", "bob"), harness.clock())]


def test_a_group_that_is_gone_and_an_id_that_is_none_wake_nobody(harness: PushHarness) -> None:
    harness.device()
    assert look(harness, [StoredEntry("group:fedcba9876543210", 1, "alice"), StoredEntry("?", 1, "alice")]) == (0, 0, 0)


def test_a_queue_that_fails_is_told_so_that_all_of_it_comes_again() -> None:
    def refuse(_: Sequence[PushJob]) -> None:
        raise Unavailable

    harness = PushHarness()
    harness.device(BOBS_ANDROID)
    harness.pushes.before_put = refuse
    failed = enqueue_stored(messages("alice"), **harness.whole)
    assert {one: type(error) for one, error in failed.items()} == {DM: Unavailable}
