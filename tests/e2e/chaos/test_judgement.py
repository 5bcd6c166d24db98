"""What real clients have lived through is written down and judged: right as it was, wrong with any mistake in it."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from typing import Any, cast

import pytest
from parley_client.events import Message
from parley_client.settings import Options

from local.stack import Stack, Tables
from tests.chaos.proxy import proxy_before
from tests.chaos.recorder import RecordedClient, Recorder
from tests.client.fake_server import FakeServer
from tests.simulation.checker import check
from tests.simulation.history import History, Operation, Sent

DM = "dm:alice:bob"
QUICK = Options(backoff_first=0.01, backoff_limit=0.05, gap_delay=0.01, history="all")
Logs = dict[str, list[dict[str, Any]]]


def lived() -> tuple[Recorder, Logs]:
    """Alice and Bob have talked, over a connection that was cut; one has looked, one has read."""

    async def chat() -> tuple[Recorder, Logs]:
        recorder = Recorder()
        async with FakeServer() as server:
            stack = Stack(server.url, server.http_url, "", "", Tables("", "", "", ""), "")
            async with proxy_before(stack, tap=recorder.tap) as proxy:
                options: dict[str, Any] = {"recorder": recorder, "http_url": server.http_url, **QUICK}
                alice = RecordedClient(proxy.url, name="a", user_id="alice", token=server.admit("alice"), **options)
                bob = RecordedClient(proxy.url, name="b", user_id="bob", token=server.admit("bob"), **options)
                async with asyncio.timeout(30), alice, bob:
                    readers = [asyncio.create_task(_take(each)) for each in (alice, bob)]
                    await alice.send("one", to="bob")
                    proxy.cut()
                    await bob.send("two", to="alice")
                    await alice.send("three", to="bob")
                    await alice.edit(DM, 1, "once")
                    await bob.mark_read(DM, 3)
                    await alice.look(DM)
                    for each in (alice, bob):
                        await each.sync()
                await asyncio.gather(*readers)
            reply, _ = server.model.handle("alice", {"type": "sync", "conversations": {DM: 0}})
        return recorder, {DM: reply["data"]["conversations"][0]["entries"]}

    return asyncio.run(chat())


async def _take(client: RecordedClient) -> None:
    async for _ in client.events():
        pass


@pytest.fixture(scope="module")
def whole() -> tuple[Recorder, Logs]:
    return lived()


def judged(whole: tuple[Recorder, Logs], plant: Callable[[History], None]) -> list[str]:
    recorder, logs = whole
    history = copy.deepcopy(recorder.history(logs))
    plant(history)
    return check(history)


def log(history: History) -> list[Any]:
    return cast("list[Any]", history.logs[DM])


def operation(history: History, kind: str) -> Operation:
    return next(each for each in history.operations if each.kind == kind)


def test_what_was_lived_through_is_written_down_and_right(whole: tuple[Recorder, Logs]) -> None:
    recorder, logs = whole
    assert check(recorder.history(logs)) == []
    assert [(each.kind, each.outcome, each.value) for each in recorder.operations] == [
        ("send", "ok", 1),
        ("send", "ok", 2),
        ("send", "ok", 3),
        ("edit", "ok", 4),
        ("read", "ok", 3),
        ("look", "ok", [(3, "a-3"), (2, "b-2"), (1, "a-1")]),
    ]
    assert [each.seq for each in recorder.seen["b"].entries(DM)] == [1, 2, 3, 4]
    assert {(one.user, one.event["type"]) for one in recorder.sent} >= {("bob", "new_message"), ("alice", "read")}


def test_an_answer_that_never_came_leaves_an_operation_unknown() -> None:
    async def go() -> Recorder:
        recorder = Recorder()
        async with FakeServer() as server:
            server.on_frame = lambda _, frame: "lost" if frame["type"] == "message" else None
            client = RecordedClient(
                server.url, recorder=recorder, name="a", user_id="alice", token=server.admit("alice"), **QUICK
            )
            async with client:
                sending = asyncio.create_task(client.send("lost", to="bob"))
                await client.connected()
            with pytest.raises(Exception, match="closed"):
                await sending
        return recorder

    (found,) = asyncio.run(go()).operations
    assert (found.outcome, found.code, found.detail["conversation_id"]) == ("unknown", "closed", DM)


# --- mistakes


def doubled(history: History) -> None:
    log(history).append(_copied(log(history)[2], seq=5))


def lost(history: History) -> None:
    operation(history, "send").value = 99


def gap(history: History) -> None:
    del log(history)[1]


def reordered(history: History) -> None:
    entries = log(history)
    entries[1], entries[2] = _copied(entries[2], seq=2), _copied(entries[1], seq=3)


def to_an_outsider(history: History) -> None:
    event = {"type": "new_message", "conversation_id": DM, "seq": 1, "message": {"sender_id": "alice"}}
    cast("list[Sent]", history.sent).append(Sent("mallory", event, 1.0))


def by_an_outsider(history: History) -> None:
    log(history).append(Message(DM, 5, "mallory", "let me in", client_message_id="m-1"))


def seen_twice(history: History) -> None:
    events = history.seen["b"].events
    events.insert(-1, next(each for each in events if isinstance(each[1], Message)))


def not_seen(history: History) -> None:
    events = history.seen["b"].events
    events.remove(next(each for each in reversed(events) if getattr(each[1], "seq", None) == 4))


def forged(history: History) -> None:
    log(history)[1] = _copied(log(history)[1], content="not what Bob wrote")


def stale_look(history: History) -> None:
    operation(history, "look").value = [(1, "a-1")]


def lost_change(history: History) -> None:
    operation(history, "edit").value = 3


def pending(history: History) -> None:
    history.seen["a"].pending = 1


def _copied(message: Message, **changes: Any) -> Message:
    fields = {name: getattr(message, name) for name in message.__dataclass_fields__}
    return Message(**{**fields, **changes})


@pytest.mark.parametrize(
    "mistake",
    [
        doubled,
        lost,
        gap,
        reordered,
        to_an_outsider,
        by_an_outsider,
        seen_twice,
        not_seen,
        forged,
        stale_look,
        lost_change,
        pending,
    ],
)
def test_a_planted_mistake_is_found(whole: tuple[Recorder, Logs], mistake: Callable[[History], None]) -> None:
    assert judged(whole, mistake), mistake.__name__
