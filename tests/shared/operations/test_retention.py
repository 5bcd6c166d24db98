"""Where messages are kept for some days: what has ended is as if it were not there, whether its row is still or not."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from shared.clock import DAY_MS, SECOND_MS
from shared.domain.changes import Edited
from shared.domain.retention import Retention, Trimming
from shared.errors import BadRequest, NotAMember, NotFound, SyncRequired
from shared.operations.conversations import inbox, summary_of
from shared.operations.files import file_for, sweep
from shared.operations.history import History, Span, history, read_message
from shared.operations.sync import Catching, Synced, is_behind, sync
from shared.operations.trimming import settle_end_before
from tests.fakes import DM, FakeClock
from tests.shared.operations.conversation_harness import GROUP, ChatHarness, found_group
from tests.stores import LOG, MEMBERS, simulated

DAYS = 30
KEPT = DAYS * DAY_MS


class Trimmed(ChatHarness):
    """A deployment that keeps what is written for thirty days, and what befalls its tables."""

    def pass_days(self, days: float) -> None:
        self.clock.ms += round(days * DAY_MS)

    def settle(self, place: str = DM) -> None:
        """The stream's reader has seen all there is."""
        for entry in self.stores.entries(place):
            own = entry.keep_seq is not None
            settle_end_before((place, entry.seq), has_own_rule=own, stores=self.stores, now=self.clock.ms)

    def reap(self, only: Collection[int] | None = None, place: str = DM) -> None:
        """DynamoDB has deleted what has expired: all of it, or only some."""
        for row in self.stores.rows(LOG, conversation_id=place):
            if row.get("ttl", self.clock.ms) * SECOND_MS <= self.clock.ms and (only is None or row["seq"] in only):
                self.stores.drop(LOG, {"conversation_id": place, "seq": row["seq"]})

    def written(self, *days: int, place: str = DM) -> None:
        """A message after so many days each, each seen by the stream's reader."""
        for number, wait in enumerate(days):
            self.pass_days(wait)
            self.send(f"text {number}", conversation_id=place) if place != DM else self.send(f"text {number}")
            self.settle(place)

    def page(self, user_id: str = "bob", place: str = DM, **bounds: Any) -> History:
        return history(place, Span(**{"limit": 50, **bounds}), user_id=user_id, stores=self.stores)

    def seqs(self, **bounds: Any) -> list[int]:
        return [entry.seq for entry in self.page(**bounds).messages]

    def synced(self, held: int, user_id: str = "bob", page: int = 100) -> Synced:
        asked = Catching(user_id, {DM: held}, page=page)
        found = sync(asked, size=lambda _: 20, stores=self.stores, services=self.services)
        (one,) = found.conversations
        return one


def trimmed(**days: int) -> Trimmed:
    clock = FakeClock()
    retention = Retention(**{"private_days": DAYS, "group_days": DAYS, "channel_days": DAYS, **days})
    return Trimmed(stores=simulated(trimming=Trimming(retention, lambda: clock.ms)), clock=clock)


@pytest.fixture(params=["rows are there", "rows are gone", "some rows are gone"])
def harness(request: pytest.FixtureRequest) -> Trimmed:
    """Messages 1 to 5 of days 0 to 4 have ended, and 6 to 10 of days 35 to 39 have not."""
    made = trimmed()
    made.written(0, 1, 1, 1, 1, 31, 1, 1, 1, 1)
    if request.param != "rows are there":
        made.reap(only=None if request.param == "rows are gone" else {2, 5})
    return made


def test_the_first_row_stays_and_so_does_the_last() -> None:
    made = trimmed()
    made.written(0, 1, 1)
    made.pass_days(100)
    made.reap()
    assert [row["seq"] for row in made.stores.rows(LOG, conversation_id=DM)] == [1, 3]


def test_history_ends_where_what_is_kept_begins(harness: Trimmed) -> None:
    page = harness.page()
    assert ([entry.seq for entry in page.messages], page.has_more, page.trimmed_below) == ([10, 9, 8, 7, 6], False, 6)
    page = harness.page(limit=2)
    assert ([entry.seq for entry in page.messages], page.has_more, page.trimmed_below) == ([10, 9], True, 0)
    page = harness.page(before=6)
    assert ([entry.seq for entry in page.messages], page.has_more, page.trimmed_below) == ([], False, 6)
    for before in (2, 4, 5):
        page = harness.page(before=before)
        assert ([entry.seq for entry in page.messages], page.has_more, page.trimmed_below) == ([], False, 6)


@pytest.mark.parametrize("after", [0, 1, 2, 4])
def test_history_upwards_begins_where_what_is_kept_does(harness: Trimmed, after: int) -> None:
    page = harness.page(after=after, limit=2)
    assert ([entry.seq for entry in page.messages], page.has_more, page.trimmed_below) == ([6, 7], True, 6)
    assert harness.page(after=6).trimmed_below == 0


@pytest.mark.parametrize("page", [1, 3, 100])
@pytest.mark.parametrize("held", [0, 1, 3, 4])
def test_a_client_that_is_behind_goes_on_where_what_is_kept_begins(harness: Trimmed, held: int, page: int) -> None:
    one = harness.synced(held, page=page)
    assert [entry.seq for entry in one.entries] == list(range(6, 11))[:page]
    assert (one.trimmed_below, one.joined_seq, one.head, one.has_more) == (6, 6, 10, page < 5)


@pytest.mark.parametrize("held", [5, 6, 9])
def test_a_client_that_misses_nothing_hears_nothing_of_it(harness: Trimmed, held: int) -> None:
    one = harness.synced(held)
    assert [entry.seq for entry in one.entries] == list(range(held + 1, 11))
    assert (one.trimmed_below, one.joined_seq) == (0, 0)


def test_of_an_entry_that_has_ended_nothing_is_read_and_nothing_is_done_to_it(harness: Trimmed) -> None:
    acts: list[Callable[[], object]] = [
        lambda: read_message(DM, 3, user_id="bob", stores=harness.stores),
        lambda: harness.edit(3, "new"),
        lambda: harness.delete(3),
        lambda: harness.react(3, "👍"),
        lambda: harness.send("yes", reply_to=3),
        lambda: harness.send("", forward_of=(DM, 3)),
    ]
    for act in acts:
        with pytest.raises(NotFound):
            act()
    assert harness.seqs() == [10, 9, 8, 7, 6]


def test_what_ends_is_gone_from_that_moment_on() -> None:
    made = trimmed()
    made.send("one")
    made.clock.ms += 1
    made.send("two")
    made.clock.ms += KEPT - 2
    assert made.seqs() == [2, 1]
    made.clock.ms += 1
    assert made.seqs() == [2]
    made.clock.ms += 1
    assert (made.seqs(), made.page().trimmed_below) == ([], 2)


def test_a_conversation_in_which_all_has_ended_goes_on_behind_its_last_place() -> None:
    made = trimmed()
    made.written(0, 1, 1)
    made.pass_days(100)
    made.reap()
    one = made.synced(1)
    assert ([entry.seq for entry in one.entries], one.head, one.has_more, one.unread) == ([3], 3, False, 0)
    assert (one.entries[0].is_trimmed, one.trimmed_below) == (True, 3)
    assert (made.synced(3).entries, made.synced(3).head) == ([], 3)
    summary = summary_of(DM, user_id="bob", stores=made.stores)
    assert (summary.last_message, summary.unread, summary.trimmed_below) == (None, 0, 3)
    (listed,) = inbox("bob", limit=5, stores=made.stores, services=made.services, now=made.clock.ms).conversations
    assert (listed.last_message, listed.unread) == (None, 0)
    assert made.send("again").entry.seq == 4
    assert made.seqs() == [4]


def test_unread_counts_what_was_written_since_as_ever() -> None:
    made = trimmed()
    made.written(0, 1, 1)
    made.pass_days(100)
    made.reap()
    made.send("again")
    assert summary_of(DM, user_id="bob", stores=made.stores).unread >= 1


@pytest.mark.parametrize("after", [1, 2, 3, 4])
def test_no_message_lands_where_others_were(harness: Trimmed, after: int) -> None:
    with pytest.raises(SyncRequired):
        harness.send("late", after=after, client_message_id="late")
    with pytest.raises(SyncRequired):
        harness.send("late", after=0, client_message_id="late") if not _is_whole(harness) else _raise()
    assert harness.seqs() == [10, 9, 8, 7, 6]


@pytest.mark.parametrize("after", [1, 3])
def test_who_has_left_is_told_so_and_not_to_sync(after: int) -> None:
    made = trimmed()
    made.group("alice", "bob", "carol")
    made.written(0, 1, 1, place=GROUP)
    made.remove("carol")
    made.settle(GROUP)
    made.send("again", conversation_id=GROUP)
    made.settle(GROUP)
    made.pass_days(2 * DAYS)
    made.reap(place=GROUP)
    with pytest.raises(NotAMember):
        made.send("late", sender_id="carol", conversation_id=GROUP, after=after, client_message_id="late")
    with pytest.raises(SyncRequired):
        made.send("late", sender_id="bob", conversation_id=GROUP, after=after, client_message_id="late")


def test_no_message_lands_where_others_were_though_what_was_held_is_read_from_before_its_row_went() -> None:
    made = trimmed()
    made.written(0, 1, 1, 1)
    made.pass_days(100)
    log = made.stores.log
    held = log.lookup(DM, seqs=[2])
    made.reap()
    with patch.object(type(log), "lookup", lambda *_, **__: held), pytest.raises(SyncRequired):
        made.send("late", after=2, client_message_id="late")


def _is_whole(harness: Trimmed) -> bool:
    return len(harness.stores.rows(LOG, conversation_id=DM)) == 10


def _raise() -> None:
    raise SyncRequired


def test_one_who_holds_the_last_entry_may_write_though_it_has_ended() -> None:
    made = trimmed()
    made.written(0, 1)
    made.pass_days(100)
    assert made.send("again", after=2, client_message_id="again").entry.seq == 3
    assert made.send("again", after=2, client_message_id="again").duplicate


def test_an_entry_that_there_never_was_is_none_still(harness: Trimmed) -> None:
    with pytest.raises(BadRequest):
        harness.send("late", after=11, client_message_id="late")


def test_a_resend_is_told_as_long_as_its_note_is(harness: Trimmed) -> None:
    made = trimmed(private_days=7)
    first = made.send("one", client_message_id="m")
    made.send("two")
    made.settle()
    made.send("three")
    made.settle()
    made.pass_days(20)
    made.reap()
    again = made.send("one", client_message_id="m")
    assert (again.duplicate, again.entry.seq) == (True, first.entry.seq)
    second = made.send("x", client_message_id="n")
    made.send("y")
    made.settle()
    made.pass_days(20)
    made.reap()
    again = made.send("x", client_message_id="n")
    assert (again.duplicate, again.entry.seq, again.entry.created_at // SECOND_MS) == (
        True,
        second.entry.seq,
        second.entry.created_at // SECOND_MS,
    )


def test_an_edit_shows_nothing_of_a_message_that_ended_before_it() -> None:
    made = trimmed()
    made.send("one")
    made.pass_days(0.5)
    made.edit(1, "secret")
    made.pass_days(DAYS - 0.5)
    (edit,) = [entry for entry in made.synced(1).entries if isinstance(entry.change, Edited)]
    assert not edit.is_trimmed
    assert isinstance(edit.change, Edited)
    assert (edit.change.target, edit.change.content, edit.change.data) == (1, None, None)


def test_what_is_known_to_end_does_so_though_more_days_are_configured_since() -> None:
    made = trimmed()
    made.written(0, 1, 1)
    longer = Trimming(Retention(private_days=10 * DAYS), lambda: made.clock.ms)
    made.stores = replace(made.stores, log=simulated(made.stores, trimming=longer).log)
    made.pass_days(DAYS + 1.5)
    assert made.seqs() == [3]
    assert made.page().trimmed_below == 3


def test_fewer_days_count_for_all_that_there_is() -> None:
    made = trimmed(private_days=0)
    made.written(0, 1, 1)
    assert made.seqs() == [3, 2, 1]
    shorter = Trimming(Retention(private_days=1), lambda: made.clock.ms)
    made.stores = replace(made.stores, log=simulated(made.stores, trimming=shorter).log)
    assert made.seqs() == [3]


def test_each_kind_has_days_of_its_own() -> None:
    made = trimmed(private_days=0, group_days=1)
    found_group(made.stores, "alice", "bob")
    made.send("private")
    made.send("in the group", to=None, conversation_id=GROUP)
    made.pass_days(2)
    assert made.seqs() == [1]
    assert made.seqs(place=GROUP) == []
    assert made.send("again", to=None, conversation_id=GROUP).entry.seq == 3  # members and roles are as they were


def test_where_nothing_ends_no_row_is_touched() -> None:
    made = trimmed(private_days=0)
    made.written(0, 1, 1)
    assert not [row for row in made.stores.rows(LOG) if {"ttl", "ends", "kept_from"} & row.keys()]


def test_clocks_that_differ_end_nothing_out_of_order() -> None:
    made = trimmed()
    made.send("one")
    made.clock.ms -= 3_600_000
    made.send("two")
    made.clock.ms += 3_600_000 + KEPT - 1
    assert made.seqs() == [2, 1]
    made.clock.ms += 1
    assert made.seqs() == []


@pytest.mark.parametrize("held", [1, 3, 5, 9, 10])
def test_a_client_far_behind_hears_that_it_is(harness: Trimmed, held: int) -> None:
    assert is_behind(DM, held, user_id="bob", stores=harness.stores) == (held < 10)


def test_heads_of_many_conversations_are_found_whatever_is_gone() -> None:
    made = trimmed()
    others = [f"user{number:02}" for number in range(12)]
    for number, other in enumerate(others):
        place = ":".join(["dm", *sorted(["alice", other])])
        for _ in range(4):
            made.send("hi", sender_id="alice", to=other)
        made.settle(place)
        made.move("read", 1 + number % 4, other, place=place)
        made.move("read", 1 + number % 4, "alice", place=place)
    made.pass_days(40)
    for number, other in enumerate(others):
        place = ":".join(["dm", *sorted(["alice", other])])
        made.reap({2, 3} if number % 3 else None, place)
        if number % 2:
            made.send("new", sender_id="alice", to=other)
    found = inbox("alice", limit=50, stores=made.stores, services=made.services, now=made.clock.ms).conversations
    heads = {summary.conversation_id: summary.head.seq for summary in found if summary.head}
    places = [":".join(["dm", *sorted(["alice", other])]) for other in others]
    expected = {place: 5 if number % 2 else 4 for number, place in enumerate(places)}
    assert heads == expected
    held = {place: 1 + number % 4 for number, place in enumerate(expected)}
    caught = sync(Catching("alice", held), size=lambda _: 20, stores=made.stores, services=made.services)
    assert {one.conversation_id: one.head for one in caught.conversations} == expected


def test_files_of_what_has_ended_are_let_go() -> None:

    made = trimmed()
    made.stores.ready_file("f1", "alice")
    made.send("", file_id="f1", message_type="image")
    made.send("next")
    made.settle()
    assert file_for("bob", "f1", stores=made.stores).file_id == "f1"
    made.pass_days(DAYS)
    with pytest.raises(NotFound):
        file_for("bob", "f1", stores=made.stores)
    made.pass_days(2)
    due = made.stores.files.due(made.clock.ms, limit=10)
    assert len(due) == 1
    assert all(sweep(one, files=made.stores.files, objects=made.objects, now=made.clock.ms) for one in due)
    assert [row["sk"] for row in made.stores.rows(MEMBERS, pk="file#f1")] == ["file"]
