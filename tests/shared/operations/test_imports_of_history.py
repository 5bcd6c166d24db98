"""What is imported has its own times, authors and order, doubles by no repetition, and is told to nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.members import unread
from shared.domain.text import private_conversation_id
from shared.errors import BadRequest, ParleyError, Unavailable
from shared.operations.imports import GroupLine, Line, LineResult, MessageLine, import_lines, imported_group_id
from shared.operations.messages import SendMessage, send_message
from tests.fakes import DM
from tests.harness import Harness

TEAM = GroupLine("team", "Team", "alice", 1_000, ("bob", "carol"))
PLACE = imported_group_id("team")
HISTORY: list[Line] = [
    TEAM,
    MessageLine("m1", "bob", 2_000, "one", group="team", mentions=("carol",), data='{"x": 1}'),
    MessageLine("m2", "erin", 3_000, "who left", group="team"),
    MessageLine("d1", "alice", 1_500, "hi", conversation_id=DM),
    MessageLine("d2", "bob", 1_600, "hello", conversation_id=DM),
]


def take(harness: Harness, *lines: Line | ParleyError) -> list[LineResult]:
    return list(import_lines(lines, stores=harness.stores, context=harness.context))


def outcomes(results: list[LineResult]) -> list[str]:
    return [one.outcome for one in results]


def test_times_authors_and_order_are_the_original_ones() -> None:
    harness = Harness()
    assert outcomes(take(harness, *HISTORY)) == ["imported"] * 5
    told = [(entry.seq, entry.sender_id, entry.created_at, entry.content) for entry in harness.stores.entries(PLACE)]
    assert told == [(1, "alice", 1_000, None), (2, "bob", 2_000, "one"), (3, "erin", 3_000, "who left")]
    assert [entry.created_at for entry in harness.stores.entries(DM)] == [1_500, 1_600]
    assert harness.stores.group(PLACE).name == "Team"


def test_repeated_it_doubles_nothing_however_it_died() -> None:
    harness = Harness()
    harness.stores.before_put(lambda entry: (_ for _ in ()).throw(Unavailable()) if entry.content == "hello" else None)
    with pytest.raises(Unavailable):
        take(harness, *HISTORY)
    harness.stores.before_put(None)
    assert outcomes(take(harness, *HISTORY)) == ["duplicate"] * 4 + ["imported"]
    before = harness.stores.tables.snapshot()
    assert outcomes(take(harness, *HISTORY)) == ["duplicate"] * 5
    assert harness.stores.tables.snapshot() == before


def test_years_later_it_is_still_known() -> None:
    harness = Harness()
    take(harness, *HISTORY)
    notes = [row for row in harness.stores.rows("members") if row["pk"].startswith("sent#")]
    assert len(notes) == 4
    assert all("ttl" not in row for row in notes)


def test_nothing_is_posted_and_nothing_is_unread() -> None:
    harness = Harness()
    harness.connect("alice", "bob", "carol")
    take(harness, *HISTORY)
    assert [harness.events(f"{user}1") for user in ("alice", "bob", "carol")] == [[], [], []]
    for place, users in ((PLACE, ("alice", "bob", "carol")), (DM, ("alice", "bob"))):
        head = harness.stores.entries(place)[-1]
        assert [unread(harness.stores.member(user, place), head) for user in users] == [0] * len(users)


def test_who_had_something_unread_has_it_still() -> None:
    harness = Harness()
    harness.stores.write("alice", "unread")
    take(harness, replace(HISTORY[3], created_at=9_000))
    assert unread(harness.stores.member("bob"), harness.stores.entries(DM)[-1]) == 2


def test_a_conversation_goes_on_behind_what_was_imported() -> None:
    harness = Harness()
    take(harness, *HISTORY)
    send_message(SendMessage("carol", "now", conversation_id=PLACE, client_message_id="c", after=3), **harness.whole)
    assert [entry.seq for entry in harness.stores.entries(PLACE)] == [1, 2, 3, 4]


def test_where_one_line_is_wrong_nothing_is_written_and_every_wrong_one_is_named() -> None:
    harness = Harness()
    wrong: list[Line | ParleyError] = [
        BadRequest("of another shape"),
        replace(TEAM, name=" "),
        MessageLine("x", "mallory", 1, "hi", conversation_id=DM),
        MessageLine("x", "alice", 1, " ", conversation_id=DM),
        MessageLine("x", "alice", harness.clock() + 120_000, "hi", conversation_id=DM),
        MessageLine("x", "alice", 1, "hi", conversation_id=DM, group="team"),
        MessageLine("x", "alice", 1, "hi", conversation_id="channel:aaaaaaaaaaaaaaaa"),
        replace(TEAM, members=tuple(f"u{number}" for number in range(48))),
    ]
    results = take(harness, *HISTORY, *wrong)
    assert outcomes(results) == ["skipped"] * 5 + ["refused"] * len(wrong)
    assert {one.error.code for one in results if one.error} == {"bad_request"}
    assert harness.stores.rows("members") == harness.stores.rows("log") == []


def test_what_only_shows_as_it_is_written_is_refused_by_itself() -> None:
    harness = Harness()
    take(harness, *HISTORY)
    other = MessageLine("d1", "alice", 1_500, "not what was said", conversation_id=DM)
    nowhere = MessageLine("n1", "alice", 1, "hi", group="no such team")
    fine = MessageLine("d3", "alice", 1_700, "more", conversation_id=DM)
    results = take(harness, other, nowhere, fine)
    assert [(one.outcome, one.error.code if one.error else None) for one in results] == [
        ("refused", "conflict"),
        ("refused", "not_found"),
        ("imported", None),
    ]


def test_a_group_of_many_writers_counts_what_each_has_written() -> None:
    harness = Harness()
    users = [f"u{number:02}" for number in range(20)]
    take(harness, GroupLine("big", "Big", "u00", 1, tuple(users)))
    take(harness, *(MessageLine(f"m{user}", user, 2, "hi", group="big") for user in users))
    assert harness.stores.member("u00", imported_group_id("big")).wrote_number == 1


def test_a_place_that_another_was_quicker_at_is_followed() -> None:
    harness = Harness()
    place = private_conversation_id("alice", "bob")
    harness.stores.write("alice", "first")
    raced: list[object] = []

    def race(_entry: object) -> None:
        if not raced:
            raced.append(harness.stores.write("bob", "quicker"))

    harness.stores.before_put(race)
    assert [one.seq for one in take(harness, HISTORY[3])] == [3]
    harness.stores.before_put(None)
    assert [entry.content for entry in harness.stores.entries(place)] == ["first", "quicker", "hi"]
