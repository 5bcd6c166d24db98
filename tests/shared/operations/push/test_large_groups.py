"""Large groups: who is listed is posted to by the rows of the attendees, and everybody else by their session."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.changes import Added, Removed
from shared.domain.connections import (
    CONNECTING_MS,
    MAX_LARGE_GROUPS,
    MAX_LIFETIME_MS,
    Connection,
    Identity,
    PostOutcome,
    opened,
)
from shared.domain.devices import FCM, PushTarget
from shared.domain.entries import Entry
from shared.domain.fan_out import Shard, StoredEntry
from shared.domain.notifications import AboutMessage, DeliveryCheck, Digest
from shared.operations.connections import keep_alive, renew
from shared.operations.fan_out import LaterEntries, deliver_shard
from shared.operations.push.enqueueing import check_deliveries, enqueue_stored, send_digest
from shared.operations.sessions import open_connection
from tests.changes import changed
from tests.shared.operations.push.harness import GROUP, PushHarness

PEOPLE = ("alice", "bob", "carol", "dave")
HOUR_MS = 60 * 60 * 1_000


@pytest.fixture
def harness() -> PushHarness:
    """Bob and Carol are there, Dave is not, and Alice writes."""
    made = PushHarness()
    made.found(*PEOPLE)
    for user in ("bob", "carol"):
        connect(made, user, f"{user}1")
    for user in PEOPLE:
        made.device(target(user), user=user)
    return made


def target(user: str) -> PushTarget:
    return PushTarget(FCM, f"token of {user}")


def connect(harness: PushHarness, user: str, name: str, *, until: int = 10 * MAX_LIFETIME_MS) -> Connection:
    at = harness.clock()
    connection = opened(name, Identity(user, at + until), device_id="phone", connected_at=at)
    open_connection(connection, limit=20, stores=harness.stores, services=harness.push_services, now=at)
    return connection


def say(harness: PushHarness, *, mentions: tuple[str, ...] = (), **limits: Any) -> Entry:
    """A message of Alice's, and all that the stream side makes of it."""
    entry = harness.say(conversation_id=GROUP, fan_out=True, mentions=mentions)
    look(harness, entry, **limits)
    return entry


def look(harness: PushHarness, entry: Entry, **limits: Any) -> None:
    harness.gateway.posts.clear()
    harness.shards.shards.clear()
    stored = StoredEntry(
        GROUP, entry.seq, entry.sender_id, is_message=entry.is_message, fan_out=True, mentions=entry.mentions
    )
    whole = with_limits(harness, **limits)
    assert enqueue_stored([stored], **whole) == {}
    for shard in harness.shards.shards:
        deliver_shard(shard, later=LaterEntries(), **whole)


def with_limits(harness: PushHarness, **limits: Any) -> dict[str, Any]:
    whole = harness.whole
    context = whole["context"]
    return {**whole, "context": replace(context, limits=replace(context.limits, **limits))}


def posted(harness: PushHarness) -> list[str]:
    return sorted(connection for connection, _ in harness.gateway.posts)


def rows(harness: PushHarness) -> list[str]:
    return sorted(one.connection_id for one in harness.stores.attendance.of(GROUP))


def sessions_read(harness: PushHarness) -> int:
    return harness.stores.calls.made.count("BatchGetItem sessions")


def test_the_first_entry_is_posted_by_the_sessions_and_lists_everybody(harness: PushHarness) -> None:
    say(harness)
    assert [shard.users for shard in harness.shards.shards] == [tuple(sorted(PEOPLE))]
    assert (posted(harness), rows(harness)) == (["bob1", "carol1"], ["bob1", "carol1"])
    roster = harness.stores.memberships.roster(GROUP)
    assert roster is not None
    assert all(seat.listed for seat in roster.seats.values())


def test_the_next_reads_no_session_and_is_posted_to_the_attendees(harness: PushHarness) -> None:
    say(harness)
    harness.stores.calls.made.clear()
    entry = say(harness)
    assert posted(harness) == ["bob1", "carol1"]
    (shard,) = harness.shards.shards
    at = harness.clock()
    assert shard == Shard(GROUP, entry.seq, ("bob", "carol"), at, (("bob1", "bob", at), ("carol1", "carol", at)))
    assert sessions_read(harness) == 0


def test_who_connects_later_is_an_attendee_before_the_client_can_sync(harness: PushHarness) -> None:
    say(harness)
    connect(harness, "dave", "dave1")
    say(harness)
    assert posted(harness) == ["bob1", "carol1", "dave1"]


def test_who_connects_for_the_first_time_ever_is_one_as_well(harness: PushHarness) -> None:
    """Listed before there was any session of theirs."""
    say(harness)
    assert harness.stores.sessions.whole(["dave"])["dave"].connections == []
    connect(harness, "dave", "dave1")
    assert rows(harness) == ["bob1", "carol1", "dave1"]


def test_who_joins_is_found_by_the_session_and_then_listed(harness: PushHarness) -> None:
    say(harness)
    connect(harness, "erin", "erin1")
    (tail,) = harness.stores.log.read_back(GROUP, limit=1)
    joined = changed(Added(("erin",), size=5), tail, fan_out=True)
    assert harness.stores.log.put(joined) is None
    look(harness, joined)
    assert posted(harness) == ["bob1", "carol1", "erin1"]
    assert sorted(shard.users for shard in harness.shards.shards) == [("bob", "carol"), ("erin",)]
    say(harness)
    assert posted(harness) == ["bob1", "carol1", "erin1"]
    assert len(harness.shards.shards) == 1


def test_who_is_removed_is_posted_to_no_more_though_the_row_is_there(harness: PushHarness) -> None:
    say(harness)
    (tail,) = harness.stores.log.read_back(GROUP, limit=1)
    assert harness.stores.log.put(changed(Removed(("bob",), size=3), tail, fan_out=True)) is None
    say(harness)
    assert (posted(harness), rows(harness)) == (["carol1"], ["bob1", "carol1"])


def test_who_comes_back_is_listed_anew(harness: PushHarness) -> None:
    say(harness)
    for change in (Removed(("bob",), size=3), Added(("bob",), size=4)):
        (tail,) = harness.stores.log.read_back(GROUP, limit=1)
        assert harness.stores.log.put(changed(change, tail, fan_out=True)) is None
    say(harness)
    assert posted(harness) == ["bob1", "carol1"]
    assert ("bob",) in [shard.users for shard in harness.shards.shards]


def test_a_connection_that_is_gone_is_no_attendee_any_more(harness: PushHarness) -> None:
    say(harness)
    harness.gateway.outcomes["bob1"] = PostOutcome.GONE
    harness.clock.ms += CONNECTING_MS
    say(harness)
    assert rows(harness) == ["carol1"]
    assert harness.stores.connections("bob") == {}


def test_one_that_may_still_be_connecting_stays(harness: PushHarness) -> None:
    say(harness)
    harness.gateway.outcomes["bob1"] = PostOutcome.GONE
    say(harness)
    assert rows(harness) == ["bob1", "carol1"]


def test_one_whose_token_has_ended_is_posted_nothing(harness: PushHarness) -> None:
    connect(harness, "dave", "dave1", until=1_000)
    say(harness)
    assert "dave1" in posted(harness)
    harness.clock.ms += 1_001
    say(harness)
    assert posted(harness) == ["bob1", "carol1"]


def test_a_fresh_token_keeps_it_there(harness: PushHarness) -> None:
    connection = connect(harness, "dave", "dave1", until=1_000)
    say(harness)
    fresh = Identity("dave", harness.clock() + HOUR_MS)
    harness.gateway.posts.clear()
    renew(connection, fresh, **harness.whole)
    assert harness.gateway.posts == []
    harness.clock.ms += 1_001
    say(harness)
    assert posted(harness) == ["bob1", "carol1", "dave1"]


def test_a_ping_makes_good_a_row_that_is_missing_and_shows_what_was_missed(harness: PushHarness) -> None:
    """As after a version that knows of no attendees has registered the connection."""
    say(harness)
    connection = connect(harness, "dave", "dave1")
    harness.stores.attendance.leave("dave1", GROUP)
    entry = say(harness)
    harness.gateway.posts.clear()
    keep_alive(connection, **harness.whole)
    assert harness.gateway.posts == [("dave1", harness.push_services.encode(entry))]
    assert rows(harness) == ["bob1", "carol1", "dave1"]
    keep_alive(connection, **harness.whole)
    assert posted(harness) == ["dave1"]


def test_a_ping_tells_who_was_removed_nothing(harness: PushHarness) -> None:
    say(harness)
    connection = connect(harness, "dave", "dave1")
    harness.stores.attendance.leave("dave1", GROUP)
    (tail,) = harness.stores.log.read_back(GROUP, limit=1)
    assert harness.stores.log.put(changed(Removed(("dave",), size=3), tail, fan_out=True)) is None
    harness.gateway.posts.clear()
    keep_alive(connection, **harness.whole)
    assert harness.gateway.posts == []


def test_a_ping_of_who_is_in_no_large_group_costs_one_write(harness: PushHarness) -> None:
    connection = connect(harness, "dave", "dave1")
    harness.stores.calls.made.clear()
    keep_alive(connection, **harness.whole)
    assert harness.stores.calls.made == ["UpdateItem sessions"]


def test_of_too_many_large_groups_one_is_looked_up_in_the_session(harness: PushHarness) -> None:
    for number in range(MAX_LARGE_GROUPS):
        assert harness.stores.sessions.list_in("bob", f"group:{number:016}", now=harness.clock()) is not None
    for _ in range(2):
        say(harness)
        assert posted(harness) == ["bob1", "carol1"]
        assert "bob" in [user for shard in harness.shards.shards if shard.attendees is None for user in shard.users]
    assert rows(harness) == ["carol1"]


def test_room_is_made_for_it_where_the_user_has_left_another_one_long_ago(harness: PushHarness) -> None:
    for number in range(MAX_LARGE_GROUPS):
        harness.stores.sessions.list_in("bob", f"group:{number:016}", now=harness.clock())
    harness.clock.ms += HOUR_MS + 1
    for _ in range(65):
        say(harness)
    assert rows(harness) == ["bob1", "carol1"]


def test_what_fails_while_members_are_listed_posts_nothing_again(harness: PushHarness) -> None:
    harness.stores.calls.fail("listed")
    say(harness)
    assert posted(harness) == ["bob1", "carol1"]
    assert [what for what, _ in harness.observer.failures] == ["members not listed"]


# -- pushes ------------------------------------------------------------------------------------------------------------


def woken(harness: PushHarness) -> list[str]:
    users = sorted(job.user_id for job in harness.pushes.jobs)
    harness.pushes.puts.clear()
    return users


def digests(harness: PushHarness) -> list[tuple[Digest, int]]:
    return harness.delivery_checks.digests


@pytest.mark.parametrize("digest_limit", [0, 4])
def test_up_to_the_limit_who_is_away_is_pushed_to_for_each_message(harness: PushHarness, digest_limit: int) -> None:
    for _ in range(2):
        say(harness, digest_limit=digest_limit)
        assert woken(harness) == ["dave"]
    assert digests(harness) == []


def test_beyond_it_who_is_mentioned_is_pushed_to_at_once_and_the_others_by_a_digest(harness: PushHarness) -> None:
    first = say(harness, digest_limit=3)
    assert woken(harness) == []
    say(harness, digest_limit=3, mentions=("dave",))
    assert woken(harness) == ["dave"]
    assert digests(harness) == [(Digest(AboutMessage(GROUP, first.seq)), 900)]


def test_of_who_is_listed_no_session_and_of_who_is_not_mentioned_no_device_is_read(harness: PushHarness) -> None:
    say(harness, digest_limit=3)
    harness.stores.calls.made.clear()
    say(harness, digest_limit=3)
    reads = [call for call in harness.stores.calls.made if call.startswith(("BatchGetItem", "Query"))]
    assert reads == ["Query members", "Query members", "BatchGetItem log"]


def test_a_digest_pushes_the_latest_message_to_who_is_away_and_to_who_has_not_got_it(harness: PushHarness) -> None:
    first = say(harness, digest_limit=3)
    last = say(harness, digest_limit=3)
    harness.stores.memberships.move_delivered(
        replace(harness.stores.memberships.among(GROUP, ["carol"])["carol"], delivered_seq=last.seq)
    )
    send_digest(Digest(AboutMessage(GROUP, first.seq)), **harness.whole)
    assert {job.about for job in harness.pushes.jobs} == {AboutMessage(GROUP, last.seq)}
    assert woken(harness) == ["bob", "dave"]


def test_a_digest_of_what_was_deleted_pushes_nothing(harness: PushHarness) -> None:
    send_digest(Digest(AboutMessage(GROUP, 99)), **harness.whole)
    assert woken(harness) == []


def test_the_next_digest_begins_when_one_is_over(harness: PushHarness) -> None:
    say(harness, digest_limit=3, digest_s=60)
    harness.clock.ms += 49_999
    say(harness, digest_limit=3, digest_s=60)
    assert len(digests(harness)) == 1
    harness.clock.ms += 1
    say(harness, digest_limit=3, digest_s=60)
    assert [delay for _, delay in digests(harness)] == [60, 60]


def test_a_message_that_is_looked_at_again_has_its_digest_queued_again(harness: PushHarness) -> None:
    entry = say(harness, digest_limit=3)
    look(harness, entry, digest_limit=3)
    assert len(digests(harness)) == 2


def test_a_change_makes_no_digest(harness: PushHarness) -> None:
    (tail,) = harness.stores.log.read_back(GROUP, limit=1)
    joined = changed(Added(("erin",), size=5), tail, fan_out=True)
    assert harness.stores.log.put(joined) is None
    look(harness, joined, digest_limit=3)
    assert (digests(harness), woken(harness)) == ([], [])


def test_the_delivery_check_posts_again_and_wakes_only_who_is_mentioned(harness: PushHarness) -> None:
    entry = say(harness, digest_limit=3, mentions=("carol",))
    (check,) = harness.delivery_checks.looks
    assert check == DeliveryCheck(AboutMessage(GROUP, entry.seq), ("bob", "carol"), quiet=True, until=entry.seq)
    harness.gateway.posts.clear()
    assert check_deliveries([check], **harness.whole) == {}
    assert (posted(harness), woken(harness)) == (["bob1", "carol1"], ["carol"])


def test_a_smaller_group_may_be_quiet_as_well(harness: PushHarness) -> None:
    """One whose messages are posted by who stored them."""
    entry = harness.say(conversation_id=GROUP)
    stored = StoredEntry(GROUP, entry.seq, "alice", mentions=())
    assert enqueue_stored([stored], **with_limits(harness, digest_limit=3)) == {}
    assert (woken(harness), len(digests(harness)), harness.shards.shards) == ([], 1, [])
