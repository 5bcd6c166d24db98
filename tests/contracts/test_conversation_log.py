"""ConversationLog: what every implementation promises."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from shared.domain.entries import Draft, Entry
from shared.ports.conversations import CLAIM_MS
from tests.fakes import DM
from tests.stores import Stores


def entry(seq: int, *, text: str = "hi", nonce: str = "n", base: Entry | None = None) -> Entry:
    draft = Draft(DM, "alice", text, nonce=nonce, client_message_id=f"c{seq}", reply_to=None, mentions=("bob",))
    written = draft.following(base, 1_000 + seq)
    assert base is None or written.seq == seq
    return written


def fill(stores: Stores, count: int) -> list[Entry]:
    written: list[Entry] = []
    for seq in range(1, count + 1):
        one = entry(seq, text=f"text {seq}", nonce=f"n{seq}", base=written[-1] if written else None)
        assert stores.log.put(one, new_members=("alice", "bob") if seq == 1 else ()) is None
        written.append(one)
    return written


def test_an_entry_comes_back_as_it_was_put(stores: Stores) -> None:
    (one,) = fill(stores, 1)
    assert stores.log.lookup(DM, seqs=[1], consistent=True).entries == {1: one}


def test_a_taken_place_keeps_its_entry_and_says_which(stores: Stores) -> None:
    first, second = fill(stores, 2)
    assert stores.log.put(entry(2, text="other", nonce="late", base=first)) == second
    assert stores.log.read(DM, start=1, limit=10) == [first, second]


def test_a_taken_first_place_keeps_entry_and_memberships(stores: Stores) -> None:
    (first,) = fill(stores, 1)
    assert stores.log.put(entry(1, text="other", nonce="late"), new_members=("alice", "bob")) == first
    member = stores.memberships.get(DM, "alice")
    assert member is not None
    assert member.joined_at == first.created_at


def test_the_first_entry_makes_its_members(stores: Stores) -> None:
    fill(stores, 1)
    assert [one.conversation_id for one in stores.memberships.of_user("alice")] == [DM]
    assert [one.conversation_id for one in stores.memberships.of_user("bob")] == [DM]


def test_the_first_entry_leaves_existing_members_as_they_are(stores: Stores) -> None:
    assert stores.memberships.create(DM, ("alice", "bob"), joined_at=7)
    fill(stores, 1)
    member = stores.memberships.get(DM, "bob")
    assert member is not None
    assert member.joined_at == 7


def test_of_racing_puts_to_one_place_one_wins_and_the_others_learn_who(stores: Stores) -> None:
    (first,) = fill(stores, 1)
    rivals = [entry(2, text=f"rival {i}", nonce=f"r{i}", base=first) for i in range(8)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(stores.log.put, rivals))
    winners = [rival for rival, answer in zip(rivals, answers, strict=True) if answer is None]
    assert len(winners) == 1
    assert [answer for answer in answers if answer is not None] == winners * 7


def test_what_is_put_once_is_stored_once_wherever_it_is_put_again(stores: Stores) -> None:
    first, second = fill(stores, 2)
    noted = entry(3, nonce="noted", base=second)
    assert stores.log.noted(DM, "alice", "c3") is None
    assert stores.log.put(noted, once=True) is None
    rival = Draft(DM, "bob", "x", nonce="r", client_message_id="c3").following(noted, 2_000)
    assert stores.log.put(rival, once=True) is None  # another sender's id is another id
    again = replace(entry(3, nonce="again", base=second), seq=5, number=5)
    assert stores.log.put(again, once=True) == noted
    assert stores.log.put(entry(3, nonce="same place", base=second), once=True) == noted
    elsewhen = replace(noted, created_at=noted.created_at + 1)  # as when two do the same at once
    assert stores.log.put(elsewhen, once=True) == noted
    assert stores.log.noted(DM, "alice", "c3") == noted
    assert stores.log.read(DM, start=1, limit=10) == [first, second, noted, rival]


def test_a_note_is_stored_with_its_message_or_not_at_all(stores: Stores) -> None:
    first, second = fill(stores, 2)
    assert stores.log.put(entry(2, text="other", nonce="late", base=first), once=True) == second
    assert stores.log.noted(DM, "alice", "c2") is None


def test_the_first_entry_is_put_once_with_its_members(stores: Stores) -> None:
    assert stores.log.put(entry(1), new_members=("alice", "bob"), once=True) is None
    assert stores.log.put(entry(1, nonce="late"), new_members=("alice", "bob"), once=True) == entry(1)
    assert [one.conversation_id for one in stores.memberships.of_user("bob")] == [DM]


def test_of_racing_puts_of_one_message_one_is_stored(stores: Stores) -> None:
    (first,) = fill(stores, 1)
    tries = [replace(entry(2, nonce=f"r{i}", base=first), seq=2 + i % 2) for i in range(8)]

    def attempt(one: Entry) -> Entry | None:
        return stores.log.put(one, once=True) if one.seq == 2 else stores.log.noted(DM, "alice", "c2")

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(attempt, tries))
    stored = stores.log.read(DM, start=2, limit=10)
    assert len(stored) == 1
    assert [answer for answer in answers[::2] if answer is not None] == stored * 3


def test_a_lookup_finds_entries_and_the_member_at_once(stores: Stores) -> None:
    written = fill(stores, 3)
    found = stores.log.lookup(DM, seqs=[1, 3, 99, 3], member_id="bob", consistent=True)
    assert dict(found.entries) == {1: written[0], 3: written[2]}
    assert found.member is not None
    assert found.member.user_id == "bob"


def test_a_glance_finds_entries_and_members_of_any_conversations(stores: Stores) -> None:
    written = fill(stores, 3)
    seats = [(DM, "bob"), (DM, "nobody"), ("dm:x:y", "bob"), (DM, "bob")]
    found = stores.log.glance([(DM, 1), (DM, 3), (DM, 99), ("dm:x:y", 1)], seats)
    assert dict(found.entries) == {(DM, 1): written[0], (DM, 3): written[2]}
    assert dict(found.members) == {(DM, "bob"): stores.memberships.get(DM, "bob")}
    nothing = stores.log.glance([], [])
    assert (dict(nothing.entries), dict(nothing.members)) == ({}, {})


def test_a_lookup_of_what_is_not_there_is_empty(stores: Stores) -> None:
    found = stores.log.lookup("dm:x:y", seqs=[1], member_id="x", consistent=True)
    assert (dict(found.entries), found.member) == ({}, None)


def test_reading_forward_starts_at_the_place_and_stops_at_the_limit(stores: Stores) -> None:
    written = fill(stores, 5)
    assert stores.log.read(DM, start=2, limit=3) == written[1:4]
    assert stores.log.read(DM, start=4, limit=10) == written[3:]
    assert stores.log.read(DM, start=6, limit=10) == []


def test_reading_back_goes_from_the_head_or_from_below_a_place(stores: Stores) -> None:
    written = fill(stores, 5)
    assert stores.log.read_back(DM, limit=2) == [written[4], written[3]]
    assert stores.log.read_back(DM, before=3, limit=10) == [written[1], written[0]]
    assert stores.log.read_back(DM, before=1, limit=10) == []
    assert stores.log.read_back("dm:x:y", limit=10) == []


def test_a_lookup_says_whether_a_block_is_there_and_which_way(stores: Stores) -> None:
    (one,) = fill(stores, 1)
    stores.blocks.put("bob", "alice", now=1)
    found = stores.log.lookup(DM, seqs=[1], member_id="bob", block=("bob", "alice"), consistent=True)
    assert (found.blocked, found.entries, found.member is not None) == (True, {1: one}, True)
    other_way = stores.log.lookup(DM, seqs=[], block=("alice", "bob"), consistent=True)
    assert (other_way.blocked, other_way.member) == (False, None)


def test_entries_of_many_conversations_are_fetched_at_once(stores: Stores) -> None:
    written = fill(stores, 2)
    places = [(DM, 1), (DM, 2), (DM, 9), ("dm:x:y", 1)]
    assert dict(stores.log.fetch(places)) == {(DM, 1): written[0], (DM, 2): written[1]}
    assert stores.log.fetch([]) == {}
    assert stores.log.fetch(places, consistent=False).keys() <= {(DM, 1), (DM, 2)}


def test_the_right_of_way_to_a_place_is_one_claimants_for_a_while(stores: Stores) -> None:
    assert stores.log.claim(DM, 5, now=1_000)
    assert not stores.log.claim(DM, 5, now=1_000)
    assert not stores.log.claim(DM, 5, now=1_000 + CLAIM_MS - 1)
    assert not stores.log.claim(DM, 4, now=1_000)
    assert stores.log.claim("dm:carol:dave", 5, now=1_000)
    assert stores.log.claim(DM, 6, now=1_001)  # the next place is another matter
    assert stores.log.claim(DM, 6, now=1_001 + CLAIM_MS)


def test_a_claim_is_in_no_roster_and_holds_no_put_up(stores: Stores) -> None:
    (first,) = fill(stores, 1)
    assert stores.log.claim(DM, 2, now=1_000)
    assert stores.log.put(entry(2, base=first)) is None
    assert stores.memberships.roster(DM) is None
