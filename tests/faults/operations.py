"""What operations are made of: what one function does, what comes after it died, and how it must stand in the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.dynamodb import FaultModel
from tests.faults.beginning import connections, done, entries, heard, new_harness, ok, row, said, template
from tests.faults.harness import FaultHarness
from tests.faults.steps import Step

Act = Callable[[FaultHarness], Any]


def nothing(_: FaultHarness) -> None:
    return


@dataclass(frozen=True)
class Operation:
    """`act` is watched, after `first`. `again` is what the client or the event source does where it died, or failed.

    `holds` in the end, when everything that was queued is carried out; `unharmed` holds, too, where nothing has died.
    `ends` are connections that the operation may end.
    """

    name: str
    act: Act
    holds: Act
    first: Act = nothing
    again: Act | None = None
    unharmed: Act = nothing
    ends: tuple[str, ...] = ()

    def repeat(self, harness: FaultHarness) -> Any:
        harness.notes["again"] = True
        return (self.again or self.act)(harness)


def started(operation: Operation, fault_model: FaultModel | None = None) -> FaultHarness:
    """Everything as it is right before the operation."""
    harness = new_harness(fault_model)
    harness.lasting -= set(operation.ends)
    operation.first(harness)
    harness.steps.begin()
    return harness


@cache
def calm(operation: Operation) -> tuple[Any, Sequence[Step]]:
    """What it gives, and its steps, when nothing goes wrong."""
    harness = started(operation)
    return operation.act(harness), tuple(harness.steps.taken)


def fails_cleanly(operation: Operation, harness: FaultHarness) -> None:
    """It says that it may be tried again, or has nothing to say; nothing unforeseen comes out of it."""
    try:
        operation.act(harness)
    except AssertionError as error:
        refused = str(error)
    else:
        return
    assert any(text in refused for text in ("'unavailable'", "comes again", "answered 50")), refused


def then(*acts: Act) -> Act:
    """One after the other; what the last gives."""

    def act(harness: FaultHarness) -> Any:
        return [one(harness) for one in acts][-1]

    return act


def filled(value: Any) -> Any:
    """`{t.crew}` stands for the group's id, and so on."""
    if isinstance(value, str):
        return value.format(t=template()) if "{t." in value else value
    if isinstance(value, Mapping):
        return {key: filled(one) for key, one in value.items()}
    return value


# --- what is done


def frame(connection_id: str, kind: str, **fields: Any) -> Act:
    return lambda harness: done(harness.say(connection_id, {"type": kind, **filled(fields)}))


def message(connection_id: str, content: str, **fields: Any) -> Act:
    return lambda harness: done(harness.say(connection_id, filled(said(content, **fields))))


def request(user: str, method: str, path: str, body: Any = None, *, scope: str = "", fine: tuple[int, ...] = ()) -> Act:
    """A request to the HTTP API. `fine` are statuses that a repetition may get: it is so already."""

    def act(harness: FaultHarness) -> Any:
        status, answer = harness.call(user, method, filled(path), filled(body), scope=scope)
        return None if status in fine and "again" in harness.notes else ok((status, answer))

    return act


def kept(harness: FaultHarness, name: str, take: Callable[[], Any]) -> Any:
    """What was taken the first time."""
    if name not in harness.notes:
        harness.notes[name] = take()
    return harness.notes[name]


def of_stream(harness: FaultHarness) -> None:
    """The stream's records to the function for pushes. They come again where it dies."""
    records = kept(harness, "records", harness.hand_over)
    assert harness.push(records)["batchItemFailures"] == [], "comes again"


def of_files_stream(harness: FaultHarness) -> None:
    records = kept(harness, "records", harness.hand_over)
    assert harness.release(records)["batchItemFailures"] == [], "comes again"


def of_queue(name: str) -> Act:
    """A queue's messages to its function. They come again where it dies."""

    def act(harness: FaultHarness) -> None:
        messages = kept(harness, name, lambda: harness.take(name))
        assert messages, f"nothing waits in {name}"
        assert harness.carry_out(name, messages) == [], "comes again"

    return act


# --- how it must stand


def stored(conversation_id: str, content: str, *listeners: str, pushed: tuple[str, ...] = ()) -> Act:
    """One message says this. Connected members have heard of it; these have had one push each, and no others any."""

    def holds(harness: FaultHarness) -> None:
        place = filled(conversation_id)
        (found,) = (entry for entry in entries(harness, place) if entry.get("client_message_id") == content)
        for listener in listeners:
            assert heard(harness, listener, "new_message", conversation_id=place, seq=found["seq"]), listener
        about = {"conversation_id": place, "seq": str(found["seq"])}
        pushes = [push.target.token for push in harness.provider.taken if about.items() <= push.data.items()]
        assert Counter(pushes) == Counter(pushed)

    return holds


def last(conversation_id: str, kind: str, times: int = 1, **fields: Any) -> Act:
    """So many entries of this kind have these attributes."""

    def holds(harness: FaultHarness) -> None:
        log = [one for one in entries(harness, filled(conversation_id)) if one["kind"] == kind]
        assert len([one for one in log if filled(fields).items() <= one.items()]) == times, log

    return holds


def item(pk: str, sk: str, **attributes: Any) -> Act:
    """A row of the members table has these attributes; None stands for one that is not there."""

    def holds(harness: FaultHarness) -> None:
        found = row(harness, filled(pk), filled(sk))
        assert found is not None
        assert {name: found.get(name) for name in attributes} == attributes

    return holds


def no_item(pk: str, sk: str) -> Act:
    def holds(harness: FaultHarness) -> None:
        assert row(harness, filled(pk), filled(sk)) is None

    return holds


def members(conversation_id: str, *users: str) -> Act:
    def holds(harness: FaultHarness) -> None:
        pk = f"conversation#{filled(conversation_id)}"
        rows = [one for one in harness.store.items("members") if one["pk"] == pk and "user_id" in one]
        assert {one["user_id"] for one in rows} == set(users)

    return holds


def registered(user: str, *expected: str) -> Act:
    def holds(harness: FaultHarness) -> None:
        assert connections(harness, user) == set(expected)

    return holds


def told(connection_id: str, kind: str, **fields: Any) -> Act:
    """A connection has got such an event."""

    def holds(harness: FaultHarness) -> None:
        assert heard(harness, connection_id, kind, **filled(fields)), harness.gateway.events(connection_id)

    return holds


def pushed(token: str, times: int = 1) -> Act:
    def holds(harness: FaultHarness) -> None:
        assert [push.target.token for push in harness.provider.taken].count(token) == times

    return holds
