"""What is imported has its own times, authors and order, doubles by no repetition, and is told to nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.changes import Renamed
from shared.domain.entries import Draft, Entry
from shared.domain.members import unread
from shared.domain.text import named_group_id, private_conversation_id
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


def test_no_user_can_make_the_group_of_an_import() -> None:
    users = ("import", "import/", "team", "a")
    made = {named_group_id(user, name) for user in users for name in ("team", "/team", "import/team")}
    assert imported_group_id("team") not in made


def old(number: int, by: str = "alice", place: str = DM) -> Line:
    return MessageLine(f"d{number}", by, 1_000 + number, f"old {number}", conversation_id=place)


def unread_of(harness: Harness, user: str, place: str = DM) -> int:
    return unread(harness.stores.member(user, place), harness.stores.entries(place)[-1])


def test_after_an_error_in_the_middle_and_its_repetition_nothing_is_unread() -> None:
    harness = Harness()
    lines = [old(number) for number in range(4)]
    harness.stores.before_put(lambda entry: (_ for _ in ()).throw(Unavailable()) if entry.content == "old 2" else None)
    with pytest.raises(Unavailable):
        take(harness, *lines)
    assert unread_of(harness, "bob") == 0
    harness.stores.before_put(None)
    take(harness, *lines)
    assert unread_of(harness, "bob") == 0


def test_what_died_before_it_noted_that_is_read_once_it_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    harness = Harness()
    lines = [old(number) for number in range(3)]
    with monkeypatch.context() as dying:
        dying.setattr(type(harness.stores.memberships), "move_read", lambda *_: (_ for _ in ()).throw(Unavailable()))
        with pytest.raises(Unavailable):
            take(harness, *lines)
    assert unread_of(harness, "bob") == 3
    assert outcomes(take(harness, *lines)) == ["duplicate"] * 3
    assert unread_of(harness, "bob") == 0


def test_what_is_written_among_it_stays_unread() -> None:
    harness = Harness()
    raced: list[object] = []

    def race(entry: Entry) -> None:
        if entry.content == "old 1" and not raced:
            raced.append(harness.stores.write("alice", "live"))

    harness.stores.before_put(race)
    take(harness, *(old(number) for number in range(3)))
    harness.stores.before_put(None)
    assert [entry.content for entry in harness.stores.entries()] == ["old 0", "live", "old 1", "old 2"]
    assert harness.stores.member("bob").read_seq == 1


def test_who_wrote_last_and_noted_nothing_as_read_has_read_it() -> None:
    harness = Harness()
    harness.stores.write("alice", "before")
    harness.stores.write("bob", "last")
    take(harness, old(0), old(1))
    assert unread_of(harness, "bob") == 0
    assert unread_of(harness, "alice") == 0  # she wrote it


def test_behind_a_message_that_was_read_notices_are_seen() -> None:
    harness = Harness()
    take(harness, TEAM, MessageLine("m1", "bob", 2_000, "one", group="team"))
    harness.stores.change(Renamed("Other"), place=PLACE, by="alice")
    take(harness, MessageLine("m2", "bob", 3_000, "two", group="team"))
    assert [unread_of(harness, user, PLACE) for user in ("alice", "carol")] == [0, 0]


def test_what_was_sent_under_the_same_id_is_news_still() -> None:
    harness = Harness()
    draft = Draft(DM, "alice", "old 0", nonce="n", client_message_id="d0")
    harness.stores.log.put(draft.following(None, 5), new_members=("alice", "bob"), once=True)
    assert outcomes(take(harness, old(0))) == ["duplicate"]
    assert unread_of(harness, "bob") == 1


def test_a_line_that_is_too_heavy_or_names_others_is_found_before_anything_is_written() -> None:
    harness = Harness()
    heavy = MessageLine("x", "alice", 1, "x" + "\x01" * 3_999, conversation_id=DM, data=f'{{"x": "{"y" * 4_000}"}}')
    wrong: list[Line] = [
        heavy,
        MessageLine("x", "alice", 1, "hi", conversation_id=DM, mentions=("carol",)),
        MessageLine("x", "alice", 1, "hi", conversation_id=DM, mentions=("@all",)),
        MessageLine("x", "b", 1, "hi", conversation_id="dm:.:b"),
    ]
    results = take(harness, old(0), *wrong)
    assert outcomes(results) == ["skipped", *["refused"] * len(wrong)]
    assert [one.error.code for one in results if one.error] == ["too_large", *["bad_request"] * 3]
    assert harness.stores.entries() == []


def test_mentions_in_a_private_conversation_are_of_its_members() -> None:
    harness = Harness()
    line = MessageLine("x", "alice", 1, "hi", conversation_id=DM, mentions=("bob",))
    assert outcomes(take(harness, line)) == ["imported"]
