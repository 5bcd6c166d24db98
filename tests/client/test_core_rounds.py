"""Comparing all conversations over several replies: the cursor is followed, and nothing of it goes on for ever."""

from __future__ import annotations

from parley_client.events import MembershipLost

from tests.client.bench import DM, Bench, block, entry

OTHER = "dm:alice:carol"
STATE = {"version": 1, "user_id": "alice", "synced": True, "left": [], "outbox": [], "cursors": []}


def started(held: dict[str, int]) -> Bench:
    bench = Bench(state={**STATE, "conversations": held})
    bench.core.start()
    bench.core.connected(bench.now)
    return bench


def test_the_first_frame_names_what_is_held_and_the_next_go_on_by_the_cursor() -> None:
    bench = started({DM: 3})
    [first] = bench.sent("sync")
    assert (first["conversations"], "cursor" in first) == ({DM: 3}, False)
    bench.reply(first, conversations=[block(3)], has_more=True, next_cursor="one")
    second = bench.sent("sync")[1]
    assert (second["conversations"], second["cursor"]) == ({}, "one")
    bench.reply(second, conversations=[block(9, where=OTHER)], has_more=True, next_cursor="two")
    third = bench.sent("sync")[2]
    assert (third["conversations"], third["cursor"]) == ({OTHER: 0}, "two")
    bench.reply(third, conversations=[block(9, [entry(n, where=OTHER) for n in range(1, 10)], where=OTHER)])
    assert len(bench.sent("sync")) == 3
    assert bench.seqs() == list(range(1, 10))


def test_what_no_reply_has_spoken_of_is_named_at_the_end_for_it_may_be_over() -> None:
    many = {f"dm:alice:u{number:03}": 1 for number in range(600)}
    bench = started(many)
    [first] = bench.sent("sync")
    named = set(first["conversations"])
    rest = sorted(many.keys() - named)
    assert (len(named), len(rest)) == (500, 100)
    bench.reply(
        first, conversations=[block(1, where=one) for one in sorted(named)[:300]], has_more=True, next_cursor="x"
    )
    bench.reply(bench.sent("sync")[1], conversations=[block(1, where=one) for one in rest[:99]])
    last = bench.sent("sync")[2]
    assert last["conversations"].keys() == {rest[99], *sorted(named)[300:]}
    bench.reply(last, conversations=[], refused=[rest[99]])
    assert [event for event in bench.events() if isinstance(event, MembershipLost)] == [MembershipLost(rest[99])]
    assert len(bench.sent("sync")) == 3


def test_a_cursor_that_leads_nowhere_is_not_followed_for_ever() -> None:
    bench = started({DM: 3})
    for number in range(3):
        if len(bench.sent("sync")) > number:
            bench.reply(bench.sent("sync")[number], conversations=[block(3)], has_more=True, next_cursor="x")
    assert len(bench.sent("sync")) == 2


def test_a_cursor_that_the_server_refuses_starts_the_round_again() -> None:
    bench = started({DM: 3})
    bench.reply(bench.sent("sync")[0], conversations=[block(3)], has_more=True, next_cursor="x")
    bench.refuse(bench.sent("sync")[1], "bad_request")
    bench.wait(60.0)
    again = bench.sent("sync")[2]
    assert (again["conversations"], "cursor" in again) == ({DM: 3}, False)


def test_a_refusal_that_may_pass_goes_on_where_the_round_was() -> None:
    bench = started({DM: 3})
    bench.reply(bench.sent("sync")[0], conversations=[block(3)], has_more=True, next_cursor="x")
    bench.refuse(bench.sent("sync")[1], "rate_limited", retryable=True, retry_after_ms=1_000)
    bench.wait(9.0)
    assert bench.sent("sync")[2]["cursor"] == "x"


def test_a_new_connection_starts_the_round_again() -> None:
    bench = started({DM: 3})
    bench.reply(bench.sent("sync")[0], conversations=[block(3)], has_more=True, next_cursor="x")
    bench.cut()
    bench.reconnect(block(3))
    assert [frame.get("cursor") for frame in bench.sent("sync")] == [None, "x", None]
