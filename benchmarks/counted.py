"""What AWS is asked for, counted: the same on every machine, and held by the gate (tests/test_benchmarks.py).

    .venv/bin/python -m benchmarks.counted

Parley's is counted at the real adapters over the simulated tables, in calls and in units by DynamoDB's own rules.
Beside it stands what others do for the same: AWS's sample `websocket-chat-application`, whose message is a put, a scan
of the whole connections table and a post to everybody who is connected; the usual ways to number messages; and a query
for each conversation.
"""

from __future__ import annotations

from collections import Counter
from math import ceil
from typing import Final

from benchmarks.rows import OURS, Row, counted_rows, table
from tests.budgets.conftest import BudgetHarness, message, talking
from tests.dynamodb import Store
from tests.fakes import DM
from tests.metering import item_bytes, read_units, write_units

SUITE: Final = "Counted"
CONNECTED: Final = (10, 1_000, 10_000)
GROWN: Final = (10, 1_000)
CONVERSATIONS: Final = (100, 1_000)
NEWS_IN: Final = 50
"""One conversation of so many has news."""

NAMES: Final = 500
"""In a frame, at most (docs/protocol.md)."""

_SAMPLE: Final = "AWS's sample"
_SCAN_BYTES: Final = 1_000_000
_SAMPLES_CONNECTION: Final = {"connectionId": {"S": "L0SM9cOFvHcCIh0="}, "userId": {"S": "alice"}}
_SAMPLES_MESSAGE: Final = {
    name: {"S": value}
    for name, value in {
        "messageId": "0d9f2c34-6f0e-4f6e-9d0c-0f5a6f2c9a11",
        "channelId": "general",
        "sender": "alice",
        "text": "hello bob",
        "sentAt": "2026-01-01T00:00:00.000Z",
        "type": "Message",
    }.items()
}


def _message(harness: BudgetHarness, after: int) -> dict[str, float]:
    calls = _said(harness, message(after, f"counted {after}"))
    meter = harness.meter
    return {
        "DynamoDB calls": sum(calls.values()),
        "read units": meter.reads,
        "write units": meter.writes,
        "posts": len(harness.gateway.posts),
    }


def _samples_message(connected: int) -> dict[str, float]:
    scanned = connected * item_bytes(_SAMPLES_CONNECTION)
    return {
        "DynamoDB calls": 1 + ceil(scanned / _SCAN_BYTES),
        "read units": read_units(scanned, consistent=False),
        "write units": write_units(_SAMPLES_MESSAGE),
        "posts": connected,
    }


def _messages() -> list[Row]:
    """To one user, however many others are connected."""
    rows: list[Row] = []
    ours = _message(talking(Store()), 3)
    for connected in CONNECTED:
        sample = _samples_message(connected)
        what = f"a private message, {connected:,} connected"
        for unit, value in ours.items():
            rows += counted_rows(SUITE, what, unit, {OURS: value, _SAMPLE: sample[unit]})
    return rows


def _places() -> list[Row]:
    """A message's place in a log, however long that is."""
    rows: list[Row] = []
    harness, after = talking(Store()), 3
    for length in GROWN:
        for seq in range(after, length):
            _said(harness, message(seq, f"growing {seq}"))
        ours, after = _message(harness, length), length + 1
        found = {OURS: ours["write units"], "a counter and a put": 2.0, "a transaction of three": 6.0}
        rows += counted_rows(SUITE, f"a message after {length:,} others", "write units", found)
    return rows


def _syncs() -> list[Row]:
    """Of a client that holds all but the last message of one conversation in fifty; and of a new one."""
    rows: list[Row] = []
    for conversations in CONVERSATIONS:
        harness = talking(Store())
        held = {DM: 3}
        for number in range(conversations - 1):
            name = f"user{number:04}"
            _said(harness, {**message(0, f"to {name}"), "to": name})
            held[f"dm:alice:{name}"] = 1
        for where in list(held)[1::NEWS_IN]:
            _said(harness, {"type": "message", "conversation_id": where, "content": "news", "after": held[where]})
        each = {OURS: _calls_of_sync(harness, held), "a query for each": 1.0 + conversations}
        rows += counted_rows(SUITE, f"a sync of {conversations:,} conversations", "DynamoDB calls", each)
        anew = {OURS: _calls_of_sync(harness, {}), "a query for each": 1.0 + conversations}
        rows += counted_rows(SUITE, f"a new device's sync, {conversations:,} conversations", "DynamoDB calls", anew)
    return rows


def _calls_of_sync(harness: BudgetHarness, held: dict[str, int]) -> float:
    """All of docs/protocol.md's: some by name, then the heads of the others, and of those by name what is behind."""
    named = dict(list(held.items())[:NAMES])
    frame: dict[str, object] = {"type": "sync", "conversations": named}
    calls = 0
    behind: dict[str, int] = {}
    while True:
        calls += sum(_said(harness, frame).values())
        data = harness.answered
        others = (one for one in data["conversations"] if one["id"] in held and one["id"] not in named)
        behind |= {one["id"]: held[one["id"]] for one in others if one["head"] > held[one["id"]]}
        if "next_cursor" not in data:
            break
        frame = {"type": "sync", "conversations": {}, "cursor": data["next_cursor"]}
    return calls + (sum(_said(harness, {"type": "sync", "conversations": behind}).values()) if behind else 0)


def _said(harness: BudgetHarness, frame: dict[str, object]) -> Counter[str]:
    """The calls of a frame, a tenth of a second after the last: slow enough for the limits."""
    harness.clock.advance(100)
    return harness.measured(frame)


def rows() -> list[Row]:
    return [*_messages(), *_places(), *_syncs()]


def main() -> None:
    print("\n".join(table(rows())))


if __name__ == "__main__":
    main()
