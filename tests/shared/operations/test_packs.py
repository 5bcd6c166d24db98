"""Packs: what is written in a channel reaches every connection of its members, together and not too often."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from functions.offline_push.wiring import shard_body, shard_from
from shared.adapters.aws.push_queues import look_body, look_from
from shared.domain.changes import OPEN
from shared.domain.connections import Identity, PostOutcome, opened
from shared.domain.devices import FCM, PushTarget
from shared.domain.entries import Entry, Pack
from shared.domain.fan_out import Shard, StoredEntry
from shared.domain.notifications import AboutMessage, DeliveryCheck
from shared.domain.packs import MAX_PACK_BYTES, DuePack, Portion, event_of, sync_within_ms, window_ms
from shared.errors import Unavailable
from shared.operations.channels import NewChannel, create_channel, join, remove_from_channel
from shared.operations.messages import SendMessage, send_message
from shared.operations.packs import make_pack
from shared.operations.portions import deliver_portion
from shared.operations.push.enqueueing import enqueue_stored
from shared.operations.resends import Appended
from shared.operations.sessions import open_connection
from shared.wire.events import encode_plainly
from tests.shared.operations.push.harness import PushHarness

CHANNEL = "channel:0123456789abcdef"
HOUR_MS = 3_600_000


@dataclass
class ChannelHarness(PushHarness):
    """Alice writes. `rate` is a channel's, `shard_rate` that of one portion."""

    rate: int = 2_000
    shard_rate: int = 500
    sync_rate: int = 500

    @property
    def context(self) -> Any:
        context = super().context
        limits = replace(context.limits, channel_rate=self.rate, fan_out_rate=self.shard_rate)
        limits = replace(limits, sync_rate=self.sync_rate)
        return replace(context, limits=limits, new_secret=lambda: "0123456789abcdef")

    def join(self, *users: str) -> None:
        for user in users:
            join(CHANNEL, user, by=user, stores=self.stores, context=self.context)

    def open(self, user: str, name: str) -> None:
        at = self.clock()
        connection = opened(name, Identity(user, at + HOUR_MS), device_id="", connected_at=at)
        open_connection(connection, limit=20, stores=self.stores, services=self.push_services, now=at)

    def write(self, content: str = "hi", **more: Any) -> Entry:
        command = SendMessage("alice", content, conversation_id=CHANNEL, **more)
        sent = send_message(command, **self.whole)
        assert isinstance(sent, Appended)
        return sent.entry

    def stored(self, *entries: Entry) -> None:
        """What the stream brings of them, in one batch."""
        found = [
            StoredEntry(
                CHANNEL, one.seq, one.sender_id, is_message=one.is_message, fan_out=one.fan_out, mentions=one.mentions
            )
            for one in entries
        ]
        assert enqueue_stored(found, **self.whole) == {}

    def due(self) -> Iterator[tuple[DuePack, int]]:
        """Packs from the queue, each as it comes back from there, with how long it waits (s)."""
        while self.delivery_checks.packs:
            pack, delay_s = self.delivery_checks.packs.pop(0)
            assert look_from(json.loads(json.dumps(look_body(pack)))) == pack
            yield pack, delay_s

    def make(self) -> list[int]:
        """Every pack that waits, once its time has come. Returns how long each had to wait (s)."""
        waited = []
        for pack, delay_s in self.due():
            self.clock.ms += 1_000 * delay_s
            waited.append(delay_s)
            make_pack(pack, **self.whole)
        return waited

    def post(self) -> None:
        """Every portion that waits, and what they queue."""
        while self.shards.portions:
            portion = self.shards.portions.pop(0)
            assert shard_from(json.loads(json.dumps(shard_body(portion)))) == portion
            deliver_portion(portion, **self.whole)

    def told(self) -> dict[str, list[Any]]:
        """By connection, the events that came since the last look."""
        found: dict[str, list[Any]] = {}
        for name, data in self.gateway.posts:
            found.setdefault(name, []).append(json.loads(data))
        self.gateway.posts.clear()
        return found


@pytest.fixture
def harness() -> ChannelHarness:
    made = ChannelHarness()
    create_channel(NewChannel("alice", "News", OPEN), **made.whole)
    made.open("alice", "a1=")
    return made


def seqs(event: dict[str, Any]) -> list[int]:
    return [one["seq"] for one in event["events"]] if event["type"] == "messages" else [event["seq"]]


def tell(harness: ChannelHarness, *contents: str) -> list[Entry]:
    """Write these, and bring them all the way."""
    entries = [harness.write(content) for content in contents]
    harness.stored(*entries)
    harness.make()
    harness.post()
    return entries


def test_a_lone_message_goes_out_at_once_as_the_event_that_it_is(harness: ChannelHarness) -> None:
    harness.join("bob")
    harness.open("bob", "b1=")
    tell(harness, "first")
    harness.told()
    harness.clock.ms += HOUR_MS // 2
    entry = harness.write("second")
    harness.stored(entry)
    assert harness.make() == [0]
    harness.post()
    told = harness.told()
    assert told.keys() == {"a1=", "b1="}
    assert told["b1="] == [json.loads(encode_plainly(entry))]


def test_what_comes_within_a_window_is_one_event(harness: ChannelHarness) -> None:
    tell(harness, "first")
    harness.told()
    for number in range(5):
        harness.stored(harness.write(f"more {number}"))
    assert harness.make() == [1]
    harness.post()
    (event,) = harness.told()["a1="]
    assert (event["type"], event["conversation_id"], seqs(event)) == ("messages", CHANNEL, [3, 4, 5, 6, 7])
    assert event["events"][0] == json.loads(encode_plainly(harness.stores.entries(CHANNEL)[2]))
    assert event["sync_within_ms"] == 1_000


def test_of_more_than_a_pack_holds_the_latest_are_told(harness: ChannelHarness) -> None:
    tell(harness, *["x" * 1_000] * 9)
    ((name, data),) = harness.gateway.posts
    assert name == "a1="
    assert len(data) <= MAX_PACK_BYTES
    assert seqs(json.loads(data)) == [8, 9, 10]


def test_what_is_heavier_than_a_pack_goes_alone(harness: ChannelHarness) -> None:
    tell(harness, "first")
    harness.told()
    (heavy,) = tell(harness, "x" * 4_990)
    assert harness.told()["a1="] == [json.loads(encode_plainly(heavy))]
    tell(harness, "small", "x" * 4_990)
    (event,) = harness.told()["a1="]
    assert (event["type"], seqs(event)) == ("messages", [5])  # which says that something came before it


def entry(seq: int, content: str = "") -> Entry:
    return Entry(CHANNEL, seq, "alice", 1, number=seq, content=content, authors={}, nonce="n")


def size(event: Entry | Pack) -> int:
    return len(encode_plainly(event))


@pytest.mark.parametrize(("posted", "expected"), [(4, [5]), (3, [4, 5]), (0, [1, 2, 3, 4, 5]), (9, [5])])
def test_a_pack_goes_back_to_what_was_posted(posted: int, expected: list[int]) -> None:
    entries = [entry(seq) for seq in range(5, 0, -1)]
    event = event_of(entries, posted=posted, sync_within_ms=7, size=size)
    found = event.entries if isinstance(event, Pack) else (event,)
    assert [one.seq for one in found] == expected


def test_a_pack_is_as_full_as_it_can_be() -> None:
    """One byte more, and the last but one has no room."""

    def packed(characters: int) -> list[int]:
        event = event_of([entry(2, "x"), entry(1, "y" * characters)], posted=0, sync_within_ms=7, size=size)
        assert size(event) <= MAX_PACK_BYTES
        return [one.seq for one in event.entries] if isinstance(event, Pack) else [event.seq]

    spare = MAX_PACK_BYTES - size(Pack(CHANNEL, (entry(1), entry(2, "x")), 7))
    assert packed(spare) == [1, 2]
    assert packed(spare + 1) == [2]


def test_the_window_is_as_long_as_posting_takes() -> None:
    assert window_ms(0, rate=2_000) == window_ms(2_000, rate=2_000) == 1_000
    assert window_ms(100_000, rate=2_000) == 50_000
    assert window_ms(2_001, rate=2_000) == 1_001


def test_all_who_are_there_sync_by_half_of_the_throttle() -> None:
    assert sync_within_ms(100_000, window=50_000, rate=500) == 400_000
    assert sync_within_ms(100_000, window=50_000, rate=5_000) == 50_000
    assert sync_within_ms(251, window=1_000, rate=500) == 1_004
    assert sync_within_ms(1, window=1, rate=3_000) == 1
    assert sync_within_ms(10, window=1_000, rate=3) == 6_667
    assert sync_within_ms(0, window=1_000, rate=1) == 1_000


def crowd(harness: ChannelHarness, rate: int) -> None:
    """Nine connections with Alice's."""
    harness.rate = rate
    for number in range(8):
        harness.join(f"u{number}")
        harness.open(f"u{number}", f"c{number}=")


def test_the_next_pack_waits_for_as_long_as_the_last_one_takes(harness: ChannelHarness) -> None:
    crowd(harness, 2)
    tell(harness, "hi")
    harness.stored(harness.write())
    assert harness.make() == [5]
    within = {event["sync_within_ms"] for told in harness.told().values() for event in told if "events" in event}
    assert within == {4_500}


def test_where_few_syncs_are_let_in_they_are_further_apart_than_packs(harness: ChannelHarness) -> None:
    harness.sync_rate = 3
    crowd(harness, 2)
    tell(harness, "hi")
    for _ in range(2):
        harness.stored(harness.write())
    ((pack, delay_s),) = harness.due()
    assert delay_s == 5
    harness.clock.ms += 1_000 * delay_s
    make_pack(pack, **harness.whole)
    harness.post()
    within = {event["sync_within_ms"] for told in harness.told().values() for event in told if "events" in event}
    assert within == {6_000}


def test_a_claim_made_while_a_pack_is_made_waits_its_window_all_the_same(harness: ChannelHarness) -> None:
    """It has heard of the least one only: its message comes too early, and waits on."""
    harness.stored(harness.write())
    ((pack, _),) = harness.due()
    assert harness.stores.packs.take(CHANNEL, pack.seq, now=harness.clock(), next_at=harness.clock() + 1_000)
    harness.stored(harness.write())
    ((second, delay_s),) = harness.due()
    assert delay_s == 1
    harness.clock.ms += 1_000
    harness.stores.packs.note_posted(CHANNEL, 2, next_at=harness.clock() + 8_000)
    make_pack(second, **harness.whole)
    assert harness.shards.portions == []
    assert harness.make() == [8]
    assert harness.shards.portions


def test_entries_after_the_log_was_read_have_a_pack_of_their_own(harness: ChannelHarness) -> None:
    """Whenever they are stored: before the pack is taken they are in it, and afterwards they claim the next."""
    harness.stored(harness.write("one"))
    ((first, _),) = harness.due()
    harness.stored(harness.write("two"))
    assert not harness.delivery_checks.packs
    make_pack(first, **harness.whole)
    harness.stored(harness.write("three"))
    assert [pack for pack, _ in harness.delivery_checks.packs] == [DuePack(CHANNEL, 4)]
    harness.post()
    harness.make()
    harness.post()
    assert [seqs(event) for event in harness.told()["a1="]] == [[1, 2, 3], [4]]


def test_a_function_that_dies_before_it_queues_its_claim_queues_it_when_it_is_run_again(
    harness: ChannelHarness,
) -> None:
    entries = [harness.write(), harness.write()]
    harness.stored(*entries)
    harness.delivery_checks.packs.clear()  # it died here
    harness.stored(entries[0])  # the batch comes again in halves
    assert not harness.delivery_checks.packs
    harness.stored(entries[1])
    assert [pack for pack, _ in harness.delivery_checks.packs] == [DuePack(CHANNEL, 3)]


def test_a_claim_that_was_lost_for_good_silences_nothing(harness: ChannelHarness) -> None:
    harness.stored(harness.write())
    harness.delivery_checks.packs.clear()
    harness.clock.ms += 30_000
    harness.stored(harness.write())
    assert not harness.delivery_checks.packs
    harness.clock.ms += 31_000
    tell(harness, "again")
    assert [seqs(event) for event in harness.told()["a1="]] == [[1, 2, 3, 4]]


def test_a_pack_that_died_half_way_is_made_again(harness: ChannelHarness) -> None:
    harness.stored(harness.write())
    ((pack, _),) = harness.due()
    harness.shards.refuses = True
    with pytest.raises(Unavailable):
        make_pack(pack, **harness.whole)
    harness.shards.refuses = False
    make_pack(pack, **harness.whole)  # too early: it waits for a second
    harness.make()
    harness.post()
    assert [seqs(event) for event in harness.told()["a1="]] == [[1, 2]]


def test_a_pack_that_comes_twice_is_posted_once(harness: ChannelHarness) -> None:
    harness.stored(harness.write())
    ((pack, _),) = harness.due()
    make_pack(pack, **harness.whole)
    harness.post()
    harness.told()
    harness.clock.ms += 2_000
    make_pack(pack, **harness.whole)
    assert harness.shards.portions == []


def test_who_is_no_member_any_more_gets_nothing_whatever_rows_are_left(harness: ChannelHarness) -> None:
    harness.join("bob", "carol")
    harness.open("bob", "b1=")
    harness.open("carol", "c1=")
    harness.stored(harness.write())
    harness.make()
    with harness.stores.calls.quietly():
        harness.stores.readers.leave(CHANNEL, "bob")  # and the function that removed him died
    remove_from_channel(CHANNEL, "carol", by="alice", **harness.whole)
    harness.post()
    assert harness.told().keys() == {"a1="}


def test_a_member_whom_no_copy_has_yet_is_looked_up(harness: ChannelHarness) -> None:
    harness.join("bob")
    harness.open("bob", "b1=")
    behind = replace(harness.stores, memberships=behind_in(harness.stores.memberships))
    harness.stored(harness.write())
    harness.make()
    for portion in harness.shards.portions:
        deliver_portion(portion, **{**harness.whole, "stores": behind})
    assert harness.told().keys() == {"a1=", "b1="}


def behind_in(memberships: Any) -> Any:
    return _Behind(memberships)


class _Behind:
    """Memberships whose copies have nothing yet."""

    def __init__(self, memberships: Any) -> None:
        self._memberships = memberships

    def among(self, conversation_id: str, users: Any, *, consistent: bool = True) -> Any:
        return self._memberships.among(conversation_id, users) if consistent else {}


def test_a_part_of_many_connections_goes_out_a_second_at_a_time_and_reaches_each_once(
    harness: ChannelHarness,
) -> None:
    harness.shard_rate = 3
    for number in range(60):
        harness.join(f"u{number}")
        harness.open(f"u{number}", f"{chr(48 + number)}c{number}=")
    harness.stored(harness.write())
    harness.make()
    assert {portion.start for portion in harness.shards.portions} != {""}
    harness.post()
    told = harness.told()
    assert len(told) == 61
    assert {len(events) for events in told.values()} == {1}


def test_a_portion_is_passed_over_for_a_later_pack_and_never_for_an_earlier_one(harness: ChannelHarness) -> None:
    portions = []
    for content in ("one", "two"):
        harness.stored(harness.write(content))
        harness.make()
        portions.append(harness.shards.portions.pop())
    harness.clock.ms += 10_000
    deliver_portion(portions[0], **harness.whole)
    assert harness.told() == {}
    assert harness.observer.counted["PortionsSuperseded"] == 1
    deliver_portion(portions[1], **harness.whole)
    assert [seqs(event) for event in harness.told()["a1="]] == [[3]]


def test_a_connection_that_is_gone_is_none_any_more(harness: ChannelHarness) -> None:
    harness.clock.ms += 10_000
    harness.gateway.outcomes["a1="] = PostOutcome.GONE
    tell(harness, "hi")
    assert [row for row in harness.stores.rows("members") if row["pk"].startswith("live#")] == []


def test_only_who_is_mentioned_is_woken(harness: ChannelHarness) -> None:
    harness.join("bob", "carol", "dave")
    harness.open("carol", "c1=")
    for user in ("bob", "carol", "dave"):
        harness.device(PushTarget(FCM, f"token of {user}"), user=user)
    harness.stored(harness.write())
    assert harness.pushes.jobs == []
    first, second = harness.write(mentions=("bob", "carol")), harness.write(mentions=("carol",))
    harness.stored(first, second)
    assert [job.user_id for job in harness.pushes.jobs] == ["bob"]
    assert harness.delivery_checks.looks == [
        DeliveryCheck(AboutMessage(CHANNEL, one.seq), ("carol",), quiet=True, until=one.seq) for one in (first, second)
    ]


def test_an_older_version_drops_what_it_does_not_know() -> None:
    """A due pack is a check of no users to it, and a portion a shard without members and attendees."""
    body = json.loads(json.dumps(look_body(DuePack(CHANNEL, 7))))
    assert body["users"] == []
    known = {name: value for name, value in body.items() if name != "pack"}
    assert look_from(known) == DeliveryCheck(AboutMessage(CHANNEL, 7), ())
    shard = json.loads(json.dumps(shard_body(Portion(CHANNEL, 3, 7, 1, 1_000, 5))))
    known = {name: value for name, value in shard.items() if name != "portion"}
    assert shard_from(known) == Shard(CHANNEL, 7, (), 5, (), quiet=True)
