"""Ids and the arithmetic of unread."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.entries import AUTHORS_KEPT, Draft, Entry
from shared.domain.members import Member, unread
from shared.domain.text import is_user_id, private_conversation_id, private_members
from tests.fakes import DM

USER_IDS = st.from_regex(r"[A-Za-z0-9_.@-]{1,128}", fullmatch=True).filter(is_user_id)


@given(USER_IDS, USER_IDS)
def test_a_private_id_is_the_same_from_both_sides_and_names_its_members(one: str, other: str) -> None:
    if one == other:
        return
    conversation_id = private_conversation_id(one, other)
    assert conversation_id == private_conversation_id(other, one)
    assert private_members(conversation_id) == tuple(sorted((one, other)))


@pytest.mark.parametrize(
    "text", ["", "dm", "dm:a", "dm:a:b:c", "dm:b:a", "dm:a:a", "DM:a:b", "dm:a b:c", "dm::b", "x:a:b"]
)
def test_other_texts_are_no_private_conversation(text: str) -> None:
    assert private_members(text) is None


@pytest.mark.parametrize("text", ["", "a b", "a:b", "a#b", "a/b", "ä", "a\n", "x" * 129])
def test_these_are_no_user_ids(text: str) -> None:
    assert not is_user_id(text)


@given(st.lists(st.sampled_from("abc"), max_size=40), st.integers(0, 40))
def test_unread_counts_what_others_wrote_since_reading_or_writing(writers: list[str], read: int) -> None:
    log: list[Entry] = []
    for writer in writers:
        log.append(Draft(DM, writer, "x", nonce="n").following(log[-1] if log else None, 1))
    read = min(read, len(log))
    member = Member(DM, "a", 0, read_seq=read, read_number=log[read - 1].number if read else 0)
    last_own = max((entry.seq for entry in log if entry.sender_id == "a"), default=0)
    assert unread(member, log[-1] if log else None) == len(log) - max(read, last_own)


def test_an_entry_remembers_a_bounded_number_of_writers() -> None:
    entry = None
    for number in range(AUTHORS_KEPT * 2):
        entry = Draft(DM, f"u{number}", "x", nonce="n").following(entry, 1)
    assert entry is not None
    assert set(entry.authors) == {f"u{number}" for number in range(AUTHORS_KEPT, AUTHORS_KEPT * 2)}
