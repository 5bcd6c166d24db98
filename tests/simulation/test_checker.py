"""The checker finds what is wrong: each kind of mistake, put into a history that is right without it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from parley_client.events import Entry, MembersAdded, MembershipLost, MembersRemoved, Message, Reaction, ReadReceipt

from tests.simulation.checker import check
from tests.simulation.history import History, Operation, Seen, Sent

DM, GROUP = "dm:alice:bob", "group:g"


def message(seq: int, sender: str, *, where: str = DM, content: str | None = None) -> Message:
    said = content or f"text {seq}"
    return Message(where, seq, sender, said, id=f"{where}/{seq}", client_message_id=f"{sender}-{seq}")


def send(seq: int, sender: str, *, outcome: str = "ok", where: str = DM, **more: Any) -> Operation:
    detail = {"conversation_id": where, "content": f"text {seq}", "client_message_id": f"{sender}-{seq}"}
    return Operation(f"{sender}-1", sender, "send", detail, seq * 10.0, seq * 10.0 + 5, outcome, seq, **more)  # type: ignore[arg-type]  # one of the three


def group_log() -> list[Entry]:
    return [
        MembersAdded(GROUP, 1, "alice", ("alice", "bob", "carol"), "team"),
        message(2, "alice", where=GROUP),
        MembersRemoved(GROUP, 3, "alice", ("carol",)),
        message(4, "bob", where=GROUP),
    ]


def right() -> History:
    """Alice and Bob have talked, Carol was removed from their group, and everybody got what was theirs."""
    dm: list[Entry] = [message(1, "alice"), message(2, "bob"), Reaction(DM, 3, 2, "alice", "x")]
    group = group_log()
    look = Operation(
        "bob-1", "bob", "look", {"conversation_id": DM}, 100.0, 105.0, "ok", [(1, "alice-1"), (2, "bob-2")]
    )
    react = Operation("alice-1", "alice", "react", {"conversation_id": DM, "seq": 2}, 30.0, 35.0, "ok", 3)
    return History(
        operations=[send(1, "alice"), send(2, "bob"), react, send(4, "bob", where=GROUP), look],
        seen={
            "alice-1": seen("alice", [*dm, *group]),
            "bob-1": seen("bob", [*dm, *group]),
            "carol-1": seen("carol", [*group[:3], MembershipLost(GROUP)]),
        },
        logs={DM: dm, GROUP: group},
        sent=[
            Sent("bob", {"type": "new_message", "conversation_id": DM, "seq": 1, "message": {"sender_id": "alice"}}, 11)
        ],
    )


def seen(user: str, events: Sequence[Any]) -> Seen:
    return Seen(user, [(1.0, event) for event in events])


def test_nothing_is_wrong_with_a_history_that_is_right() -> None:
    assert check(right()) == []


@pytest.mark.parametrize(("began", "outcome"), [(0.0, "unknown"), (12.0, "ok"), (20.0, "ok")])
def test_a_message_may_be_refused_on_one_device_and_stored_from_another(began: float, outcome: str) -> None:
    """Beside it or later: whoever was no member then may be one again."""
    history = right()
    first = history.operations[0]
    first.began, first.ended, first.outcome = 10.0, 15.0, "fail"
    again = replace(first, client="alice-2", began=began, ended=began + 5, outcome=outcome)  # type: ignore[arg-type]  # one of the three
    history.operations = [*history.operations, again]
    assert check(history) == []


@pytest.mark.parametrize(("after", "findings"), [(2, 0), (5, 1)])
def test_a_message_may_be_refused_and_stored_by_an_attempt_that_finds_its_sender_let_in(
    after: int, findings: int
) -> None:
    history = right()
    group = [*group_log(), MembersAdded(GROUP, 5, "alice", ("carol",)), message(6, "carol", where=GROUP)]
    refused = send(6, "carol", where=GROUP, outcome="fail")
    refused.detail["after"] = after
    history = replace(history, operations=[refused], logs={GROUP: group}, seen={}, sent=[])
    assert len(check(history)) == findings


@pytest.mark.parametrize(("ended", "findings"), [(None, 0), (11.0, 0), (9.0, 1)])
def test_a_message_may_be_refused_and_stored_by_an_attempt_from_before_the_block(
    ended: float | None, findings: int
) -> None:
    history = right()
    history.operations[0].refuse("blocked", 15.0)
    block = Operation("bob-1", "bob", "block", {"on": True}, 8.0, ended, "ok" if ended else "unknown")
    history.operations = [*history.operations, block]
    assert len(check(history)) == findings


def _log(history: History, where: str = DM) -> list[Any]:
    return history.logs[where]  # type: ignore[return-value]  # a list here


def doubled(history: History) -> None:
    _log(history).append(replace(message(1, "alice"), seq=4))


def lost_ack(history: History) -> None:
    _log(history)[0] = replace(message(1, "alice"), client_message_id="another")


def acked_elsewhere(history: History) -> None:
    history.operations[0].value = 2


def refused_and_stored(history: History) -> None:
    history.operations[0].outcome = "fail"


def refused_after_it_was_acked(history: History) -> None:
    again = replace(history.operations[0], client="alice-2", began=90.0, ended=95.0, outcome="fail")
    history.operations = [*history.operations, again]


def refused_by_its_group_and_stored(history: History) -> None:
    refused = send(2, "alice", where=GROUP, outcome="fail")
    refused.detail["after"] = 0
    history.operations = [refused]


def gap(history: History) -> None:
    del _log(history)[1]


def other_words(history: History) -> None:
    _log(history)[0] = replace(message(1, "alice"), content="something else")


def change_without_an_entry(history: History) -> None:
    history.operations[2].value = 2


def stale_look(history: History) -> None:
    history.operations[4].value = [(1, "alice-1")]


def look_at_what_never_was(history: History) -> None:
    history.operations[4].value = [(1, "alice-1"), (2, "mallory-2")]


def seen_out_of_order(history: History) -> None:
    events = history.seen["bob-1"].events
    events[0], events[1] = events[1], events[0]


def seen_twice(history: History) -> None:
    events = history.seen["bob-1"].events
    events.insert(1, events[0])


def seen_what_is_not_there(history: History) -> None:
    history.seen["bob-1"].events[0] = (1.0, replace(message(1, "alice"), sender_id="mallory"))


def not_seen(history: History) -> None:
    del history.seen["bob-1"].events[2]


def still_pending(history: History) -> None:
    history.seen["bob-1"].pending = 1


def heard_after_the_end(history: History) -> None:
    history.seen["carol-1"].events.append((2.0, message(4, "bob", where=GROUP)))


def told_twice_of_the_end(history: History) -> None:
    history.seen["carol-1"].events.append((2.0, MembershipLost(GROUP)))


def written_by_an_outsider(history: History) -> None:
    _log(history, GROUP)[3] = message(4, "carol", where=GROUP)


def sent_to_an_outsider(history: History) -> None:
    event = {"type": "new_message", "conversation_id": GROUP, "seq": 4, "message": {"sender_id": "bob"}}
    history.sent = [Sent("carol", event, 50.0)]


def ephemeral_to_an_outsider(history: History) -> None:
    history.sent = [Sent("mallory", {"type": "read", "conversation_id": GROUP, "seq": 4, "user_id": "bob"}, 50.0)]


def sent_what_is_not_there(history: History) -> None:
    event = {"type": "new_message", "conversation_id": DM, "seq": 9, "message": {"sender_id": "alice"}}
    history.sent = [Sent("bob", event, 50.0)]


def receipt_beyond_the_head(history: History) -> None:
    history.seen["alice-1"].events.append((2.0, ReadReceipt(DM, "bob", 9)))


MISTAKES: Sequence[Callable[[History], None]] = (
    doubled,
    lost_ack,
    acked_elsewhere,
    refused_and_stored,
    refused_after_it_was_acked,
    refused_by_its_group_and_stored,
    gap,
    other_words,
    change_without_an_entry,
    stale_look,
    look_at_what_never_was,
    seen_out_of_order,
    seen_twice,
    seen_what_is_not_there,
    not_seen,
    still_pending,
    heard_after_the_end,
    told_twice_of_the_end,
    written_by_an_outsider,
    sent_to_an_outsider,
    ephemeral_to_an_outsider,
    sent_what_is_not_there,
    receipt_beyond_the_head,
)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__)
def test_each_mistake_is_found(mistake: Callable[[History], None]) -> None:
    history = right()
    mistake(history)
    assert check(history)
