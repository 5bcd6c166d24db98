"""Edits, reactions, forwarding, presence and tokens, case by case."""

from __future__ import annotations

from typing import Any

import pytest
from parley_client.effects import Connect, Disconnect, Done, Failed, Renew, Transmit
from parley_client.errors import ParleyError
from parley_client.events import Changed, Message, MessageDeleted, MessageEdited, Presence, Reaction

from tests.client.bench import DM, Bench, block, entry
from tests.client.model import Frame


def edit(bench: Bench, content: str = "better", seq: int = 2) -> int:
    return bench.core.change("edit", DM, seq, {"content": content}, bench.now)


def confirm(bench: Bench, frame: Frame, entry_seq: int | None, **more: Any) -> None:
    data = {"type": frame["type"], "conversation_id": DM, "seq": frame["seq"], "entry_seq": entry_seq}
    bench.reply(frame, **data, timestamp=5_000, **more)


# --- changes


def test_an_edit_ends_with_what_it_changed_and_takes_its_place_in_the_stream() -> None:
    bench = Bench().online(block(3))
    call = edit(bench)
    [frame] = bench.sent("edit")
    assert (frame["conversation_id"], frame["seq"], frame["content"]) == (DM, 2, "better")
    confirm(bench, frame, 4)
    assert bench.results() == [Done(call, Changed(DM, 2, 4, 5_000))]
    assert bench.events() == [MessageEdited(DM, 4, 2, "alice", "better", 5_000)]


def test_deletions_and_reactions_take_their_places_too() -> None:
    bench = Bench().online(block(3))
    bench.core.change("react", DM, 3, {"emoji": "👍", "remove": True}, bench.now)
    bench.core.change("delete", DM, 2, {}, bench.now)
    confirm(bench, bench.sent("react")[0], 4, emoji="👍", removed=True)
    confirm(bench, bench.sent("delete")[0], 5)
    assert bench.events() == [Reaction(DM, 4, 3, "alice", "👍", True, 5_000), MessageDeleted(DM, 5, 2, "alice", 5_000)]


def test_another_users_reaction_that_was_taken_off_takes_its_place_as_theirs() -> None:
    bench = Bench().online(block(3))
    bench.core.change("react", DM, 3, {"emoji": "👍", "remove": True, "user_id": "bob"}, bench.now)
    [frame] = bench.sent("react")
    assert (frame["user_id"], frame["remove"]) == ("bob", True)
    confirm(bench, frame, 4, emoji="👍", removed=True, user_id="bob")
    assert bench.events() == [Reaction(DM, 4, 3, "bob", "👍", True, 5_000, "alice")]


def test_a_change_is_made_again_after_a_cut_until_it_is_confirmed() -> None:
    bench = Bench().online(block(3))
    call = edit(bench)
    bench.cut()
    bench.reconnect(block(4, [_edited(4)]))
    first, again = bench.sent("edit")
    assert {**first, "id": again["id"]} == again
    confirm(bench, again, None)
    assert bench.results() == [Done(call, Changed(DM, 2, None, 5_000))]
    assert bench.seqs() == [4]


def _edited(seq: int) -> Frame:
    where = {"conversation_id": DM, "seq": seq, "message_seq": 2, "message_id": f"{DM}/2"}
    return {"type": "message_edited", **where, "user_id": "alice", "timestamp": 5_000, "content": "better"}


def test_an_entry_that_an_unanswered_attempt_wrote_is_looked_for() -> None:
    bench = Bench(request_timeout=5).online(block(3))
    edit(bench)
    bench.wait(6)
    bench.reply(bench.sent("ping")[0], type="pong", timestamp=1, behind=False)
    bench.wait(3)
    confirm(bench, bench.sent("edit")[1], None)
    assert bench.sent("sync")[-1]["conversations"] == {DM: 3}


def test_a_refusal_that_may_pass_is_waited_out_and_the_last_one_is_told() -> None:
    bench = Bench(max_attempts=2).online(block(3))
    edit(bench)
    bench.refuse(bench.sent("edit")[0], "rate_limited", retryable=True, retry_after_ms=2_000)
    bench.wait(1.9)
    assert len(bench.sent("edit")) == 1
    bench.wait(1)
    bench.refuse(bench.sent("edit")[1], "rate_limited", retryable=True, retry_after_ms=2_000)
    bench.wait(60)
    assert bench.errors() == ["rate_limited"]
    assert len(bench.sent("edit")) == 2


def test_a_refusal_for_good_is_told_at_once_and_lets_the_next_change_pass() -> None:
    bench = Bench().online(block(3))
    edit(bench, "one")
    edit(bench, "two")
    bench.refuse(bench.sent("edit")[0], "forbidden")
    assert bench.errors() == ["forbidden"]
    assert [frame["content"] for frame in bench.sent("edit")] == ["one", "two"]


def test_changes_of_one_message_go_out_in_order_others_meanwhile() -> None:
    bench = Bench().online(block(3))
    edit(bench, "one")
    edit(bench, "two")
    edit(bench, "elsewhere", seq=3)
    assert [frame["content"] for frame in bench.sent("edit")] == ["one", "elsewhere"]
    confirm(bench, bench.sent("edit")[0], 4)
    assert [frame["content"] for frame in bench.sent("edit")] == ["one", "elsewhere", "two"]


def test_a_change_that_nobody_awaits_goes_on_silently() -> None:
    bench = Bench().online(block(3))
    bench.core.abandon(edit(bench))
    confirm(bench, bench.sent("edit")[0], 4)
    assert bench.results() == []
    assert bench.seqs() == [4]


def test_stopping_fails_what_waits() -> None:
    bench = Bench().online(block(3))
    edit(bench)
    bench.core.watch(["bob"], bench.now)
    bench.core.stop()
    assert bench.errors() == ["closed", "closed"]


def test_a_change_that_no_frame_can_hold_is_refused_at_once() -> None:
    with pytest.raises(ParleyError, match="too_large"):
        edit(Bench().online(block(3)), "x" * 40_000)


# --- forwarding


def test_a_forwarded_message_is_fetched_because_only_the_server_knows_what_it_says() -> None:
    bench = Bench().online(block(3))
    bench.send(None, forward_of=("dm:alice:carol", 7))
    [frame] = bench.sent("message")
    assert frame["forward_of"] == {"conversation_id": "dm:alice:carol", "seq": 7}
    assert "content" not in frame
    bench.ack(frame, 4)
    stored = entry(4, "alice", content="from carol", forwarded=True, client_message_id="id-0")
    bench.reply(bench.sent("sync")[0], conversations=[block(4, [stored])])
    [message] = bench.events()
    assert isinstance(message, Message)
    assert (message.content, message.forwarded) == ("from carol", True)


def test_a_forwarded_message_that_the_sync_after_a_cut_finds_is_not_sent_again() -> None:
    bench = Bench().online(block(3))
    bench.send(None, forward_of=("dm:alice:carol", 7))
    bench.cut()
    stored = entry(4, "alice", content="from carol", forwarded=True, client_message_id="id-0")
    bench.reconnect(block(4, [stored]))
    assert len(bench.sent("message")) == 1
    assert bench.core.unacked == ()


@pytest.mark.parametrize(
    ("content", "more"), [(None, {}), ("hi", {"forward_of": (DM, 1)}), (None, {"forward_of": (DM, 1), "file_id": "f"})]
)
def test_a_message_says_something_or_forwards_something(content: str | None, more: Frame) -> None:
    with pytest.raises(ParleyError, match="forward_of"):
        Bench().online(block(3)).send(content, **more)


# --- presence


def here(status: str = "online") -> Frame:
    return {"users": [{"user_id": "bob", "status": status, "last_seen": None}]}


def test_watching_answers_and_is_renewed_after_a_reconnect_with_events() -> None:
    bench = Bench().online(block(3))
    call = bench.core.watch(["bob"], bench.now)
    bench.reply(bench.sent("presence")[0], **here())
    assert bench.results() == [Done(call, (Presence("bob", "online"),))]
    bench.forget()
    bench.cut()
    bench.reconnect(block(3))
    bench.events()
    [again] = bench.sent("presence")
    assert again["users"] == ["bob"]
    bench.reply(again, **here("offline"))
    assert bench.events() == [Presence("bob", "offline")]


def test_watching_nobody_ends_it() -> None:
    bench = Bench().online(block(3))
    for users in (["bob"], []):
        bench.core.watch(users, bench.now)
        bench.reply(bench.sent("presence")[-1], users=[])
    bench.cut()
    bench.reconnect(block(3))
    assert [frame["users"] for frame in bench.sent("presence")] == [["bob"], []]


def test_a_later_watch_replaces_one_that_waits() -> None:
    bench = Bench().online(block(3))
    bench.core.watch(["bob"], bench.now)
    later = bench.core.watch(["carol"], bench.now)
    bench.reply(bench.sent("presence")[0], **here())
    assert bench.errors() == ["replaced"]
    bench.reply(bench.sent("presence")[1], users=[{"user_id": "carol", "status": "offline", "last_seen": 7}])
    assert bench.results()[-1] == Done(later, (Presence("carol", "offline", 7),))


def test_a_refused_watch_is_told_and_tried_again_where_that_may_help() -> None:
    bench = Bench().online(block(3))
    bench.core.watch(["bob"], bench.now)
    bench.refuse(bench.sent("presence")[0], "unavailable", retryable=True)
    bench.wait(2)
    bench.refuse(bench.sent("presence")[1], "bad_request")
    assert bench.errors() == ["bad_request"]


def test_a_presence_event_has_its_time() -> None:
    bench = Bench().online(block(3))
    bench.receive({"type": "presence", "user_id": "bob", "status": "offline", "last_seen": 5, "timestamp": 6})
    assert bench.events() == [Presence("bob", "offline", 5, 6)]


def came_or_went(status: str, at: int) -> Frame:
    return {"type": "presence", "user_id": "bob", "status": status, "last_seen": None, "timestamp": at}


def test_of_two_presence_events_the_later_one_counts_in_whichever_order_they_come() -> None:
    bench = Bench().online(block(3))
    for status, at in (("online", 8), ("offline", 7), ("offline", 8), ("online", 9)):
        bench.receive(came_or_went(status, at))
    assert [(one.status, one.timestamp) for one in bench.events() if isinstance(one, Presence)] == [
        ("online", 8),
        ("offline", 8),
        ("online", 9),
    ]
    bench.receive({**came_or_went("offline", 1), "user_id": "carol"})
    assert bench.events() == [Presence("carol", "offline", None, 1)]


def test_what_comes_after_the_question_stands_in_the_answer_and_what_came_before_does_not() -> None:
    bench = Bench().online(block(3))
    call = bench.core.watch(["bob"], bench.now)
    bench.receive(came_or_went("offline", 5))
    bench.cut()  # and the answer is lost
    bench.reconnect(block(3))
    bench.reply(bench.sent("presence")[-1], **here())
    assert bench.results()[-1] == Done(call, (Presence("bob", "online"),))
    later = bench.core.watch(["bob"], bench.now)
    bench.receive(came_or_went("offline", 6))
    bench.reply(bench.sent("presence")[-1], **here())
    assert bench.results()[-1] == Done(later, (Presence("bob", "offline"),))


def test_what_comes_while_a_watch_is_renewed_is_newer_than_its_answer() -> None:
    bench = Bench().online(block(3))
    bench.core.watch(["bob", "carol"], bench.now)
    bench.reply(bench.sent("presence")[0], **here())
    bench.cut()
    bench.forget()
    bench.reconnect(block(3))
    bench.events()
    bench.receive(came_or_went("offline", 5))
    carol = {"user_id": "carol", "status": "online", "last_seen": None}
    bench.reply(bench.sent("presence")[0], users=[*here()["users"], carol])
    assert bench.events() == [Presence("bob", "offline", None, 5), Presence("carol", "online")]


# --- tokens


def connected_with(left: float | None) -> Bench:
    bench = Bench(heartbeat=10_000)
    bench.core.start()
    bench.core.connected(bench.now, token_left=left)
    bench.reply(bench.sent("sync")[0], conversations=[])
    bench.forget()
    return bench


def renewals(bench: Bench) -> int:
    return sum(isinstance(effect, Renew) for effect in bench.collect())


def test_a_minute_before_its_token_expires_the_connection_asks_for_another() -> None:
    bench = connected_with(600)
    bench.wait(539)
    assert renewals(bench) == 0
    bench.wait(2)
    assert renewals(bench) == 1
    bench.core.renew("fresh", 600, bench.now)
    [frame] = bench.sent("auth")
    assert frame["token"] == "fresh"
    bench.reply(frame, type="auth", user_id="alice", expires_at=1)
    bench.wait(541)
    assert renewals(bench) == 2
    assert bench.core.connection == "online"


def test_a_token_that_lives_for_less_is_renewed_at_half_its_time() -> None:
    bench = connected_with(30)
    bench.wait(16)
    assert renewals(bench) == 1


@pytest.mark.parametrize("left", [None, 0, -5])
def test_without_a_time_to_go_by_nothing_is_renewed(left: float | None) -> None:
    bench = connected_with(left)
    bench.wait(1_000)
    assert renewals(bench) == 0


@pytest.mark.parametrize("code", ["unauthenticated", "unavailable"])
def test_a_renewal_that_fails_leaves_the_connection_as_it_was_until_its_token_ends(code: str) -> None:
    bench = connected_with(600)
    bench.wait(541)
    bench.core.renew("fresh", 600, bench.now)
    bench.refuse(bench.sent("auth")[0], code)
    bench.wait(58)
    assert (renewals(bench), bench.core.connection) == (1, "online")
    bench.wait(2)
    assert (renewals(bench), bench.core.connection) == (2, "online")


# --- tokens that have ended


def refused_late(left: float = 600) -> tuple[Bench, int]:
    """A message is refused since the token has ended, by the server's clock; another token is asked for."""
    bench = connected_with(left)
    call = bench.send("hi")
    bench.core.watch(["bob"], bench.now)
    bench.reply(bench.sent("presence")[0], **here())
    bench.refuse(bench.sent("message")[0], "token_expired")
    return bench, call


def goes_on(bench: Bench) -> None:
    """The server takes the fresh token, and answers as after a connect: the comparison first."""
    [auth] = bench.sent("auth")
    bench.forget()
    bench.reply(auth, type="auth", user_id="alice", expires_at=1)
    [sync] = bench.sent("sync")
    bench.reply(sync, conversations=[])


def test_a_connection_outlives_its_token_and_what_was_refused_goes_out_again() -> None:
    bench, call = refused_late()
    assert (renewals(bench), bench.core.connection) == (1, "online")
    bench.core.renew("fresh", 600, bench.now)
    goes_on(bench)
    [again] = bench.sent("presence")
    assert again["users"] == ["bob"]
    bench.ack(bench.sent("message")[-1], 1)
    assert [done.call for done in bench.results() if isinstance(done, Done)] == [call]
    assert not any(isinstance(effect, Disconnect | Connect) for effect in bench.collect())


def test_until_the_fresh_token_is_taken_nothing_else_is_sent_and_nobody_is_in_a_hurry() -> None:
    bench, _ = refused_late()
    bench.forget()
    bench.send("more")
    bench.core.ping(bench.now)
    bench.core.request("typing", {"conversation_id": DM}, bench.now)
    bench.wait(3_600)
    assert not any(isinstance(effect, Transmit) for effect in bench.collect())
    assert bench.errors() == ["connection_lost"] * 2
    assert bench.core.deadline() is None
    bench.core.renew("fresh", 600, bench.now)
    goes_on(bench)
    assert [frame["content"] for frame in bench.sent("message")] == ["hi"]


def test_at_the_end_of_a_token_that_could_not_be_renewed_another_is_asked_for_and_everything_is_compared() -> None:
    bench = connected_with(600)
    bench.wait(541)
    bench.core.not_renewed(bench.now)
    bench.forget()
    bench.wait(60)
    assert (renewals(bench), bench.core.connection) == (1, "online")
    bench.core.renew("fresh", 600, bench.now)
    goes_on(bench)
    bench.wait(541)
    assert renewals(bench) == 1


def test_a_token_that_was_asked_for_in_time_and_comes_late_is_asked_for_once() -> None:
    bench = connected_with(600)
    bench.wait(700)
    assert renewals(bench) == 1
    bench.core.renew("fresh", 600, bench.now)
    goes_on(bench)
    assert bench.core.connection == "online"


@pytest.mark.parametrize("end", ["none", "token_expired", "silence"])
def test_without_a_fresh_token_the_connection_ends(end: str) -> None:
    bench, _ = refused_late()
    if end == "none":
        bench.core.not_renewed(bench.now)
    else:
        bench.core.renew("fresh", 600, bench.now)
    if end == "token_expired":
        bench.refuse(bench.sent("auth")[0], "token_expired")
    if end == "silence":
        bench.wait(16)
    assert any(isinstance(effect, Disconnect) for effect in bench.collect())
    assert bench.core.connection in {"waiting", "connecting"}


def test_a_fresh_token_that_is_of_no_use_either_ends_the_connection_and_is_not_asked_for_for_ever() -> None:
    bench, _ = refused_late()
    bench.core.renew("fresh", 600, bench.now)
    [auth] = bench.sent("auth")
    bench.forget()
    bench.reply(auth, type="auth", user_id="alice", expires_at=1)
    bench.refuse(bench.sent("sync")[0], "token_expired")
    assert (renewals(bench), bench.core.connection) == (0, "waiting")


def test_a_token_given_by_hand_answers_and_its_refusal_is_told() -> None:
    bench = Bench().online(block(3))
    good = bench.core.authenticate("good", None, bench.now)
    bad = bench.core.authenticate("bad", None, bench.now)
    bench.reply(bench.sent("auth")[0], type="auth", user_id="alice", expires_at=9)
    bench.refuse(bench.sent("auth")[1], "token_expired")
    first, second = bench.results()
    assert first == Done(good, {"type": "auth", "user_id": "alice", "expires_at": 9})
    assert isinstance(second, Failed)
    assert second.call == bad
    assert bench.core.connection == "online"
