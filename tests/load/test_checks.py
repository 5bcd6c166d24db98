"""What a load run finds wrong, when something is."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from local.settings import Settings
from local.stack import Stack, Tables
from tests.e2e.raw_client import RawClient
from tests.load.containers import containers
from tests.load.flood import Pair, check_heard
from tests.load.load_run import Ended, LoadRun, percentiles
from tests.load.steady import Writer, check_acked
from tests.load.storm import check_evicted, check_transitions
from tests.load.workers import Worker, table, workers

EVICTED = {"type": "disconnect", "code": "connection_limit", "reconnect": False}


def load_run() -> LoadRun:
    nowhere = "http://127.0.0.1:9"
    return LoadRun(Stack("ws://127.0.0.1:9", nowhere, "us-east-1", nowhere, Tables("l", "m", "s", "t"), "files"))


def a_client(*events: dict[str, Any]) -> RawClient:
    """A client that these have come to."""

    def of_type(kind: str) -> list[dict[str, Any]]:
        return [event for event in events if event["type"] == kind]

    return cast("RawClient", SimpleNamespace(events=list(events), of_type=of_type))


def entry(seq: int, content: str) -> dict[str, Any]:
    return {"type": "new_message", "seq": seq, "message": {"content": content, "sender_id": "alice"}}


def of_acked(log: list[dict[str, Any]], acked: list[tuple[int, str]]) -> list[str]:
    found = load_run()
    writer = Writer("alice", a_client(), ["bob"], [], {"dm": acked})
    check_acked(found, [writer], {"dm": log})
    return found.findings


def test_a_log_as_it_was_acknowledged_is_well() -> None:
    assert of_acked([entry(1, "a"), entry(2, "b")], [(1, "a"), (2, "b")]) == []


@pytest.mark.parametrize(
    ("log", "acked", "finding"),
    [
        ([entry(1, "a")], [(1, "a"), (2, "b")], "dm is not as it was acknowledged"),
        ([entry(1, "a"), entry(2, "a")], [(1, "a")], "dm holds ['a'] more than once"),
        ([entry(1, "a"), entry(3, "b")], [(1, "a"), (3, "b")], "dm has a gap"),
        ([entry(1, "b"), entry(2, "a")], [(2, "a"), (1, "b")], "dm has an order of its own"),
        ([entry(1, "a"), entry(2, "x")], [(1, "a"), (2, "b")], "dm is not as it was acknowledged"),
    ],
    ids=["lost", "doubled", "gap", "reordered", "exchanged"],
)
def test_what_is_lost_doubled_or_reordered_is_found(
    log: list[dict[str, Any]], acked: list[tuple[int, str]], finding: str
) -> None:
    assert finding in of_acked(log, acked)


def of_presence(*statuses: str) -> list[str]:
    found = load_run()
    said = ({"type": "presence", "user_id": "bob", "status": each, "timestamp": at} for at, each in enumerate(statuses))
    check_transitions(found, [a_client(*said)], ["bob"])
    return found.findings


@pytest.mark.parametrize(
    "statuses", [["online", "offline"], ["online", "offline", "online", "offline"], ["online", "offline", "offline"]]
)
def test_comings_and_goings_by_turns_are_well(statuses: list[str]) -> None:
    assert of_presence(*statuses) == []


@pytest.mark.parametrize(
    ("statuses", "finding"),
    [
        ([], "1 of 1 did not come, or go, as far as was said"),
        (["online"], "1 of 1 did not come, or go, as far as was said"),
        (["offline"], "1 of 1 did not come, or go, as far as was said"),
        (["online", "online", "offline"], "bob was said to be ['online', 'online', 'offline']"),
        (["online", "online"], "bob was said to be ['online', 'online']"),
    ],
)
def test_what_is_said_twice_or_not_at_all_is_found(statuses: list[str], finding: str) -> None:
    assert finding in of_presence(*statuses)


def test_who_is_closed_without_a_word_or_told_without_being_closed_is_found() -> None:
    found = load_run()
    check_evicted(found, ended=[a_client()], stayed=[a_client(EVICTED)], beyond=2)
    assert found.findings == [
        "1 connections were closed, not 2",
        "the closed one was told []",
        "1 connections were told to go, and live on",
    ]


def test_a_turn_that_was_heard_out_of_order_is_found() -> None:
    found = load_run()
    pair = Pair(("alice", "bob"), (a_client(entry(2, "b")), a_client(entry(3, "c"), entry(1, "a"))), turns=3)
    check_heard(found, pair)
    assert found.findings == ["[3, 1] was heard of 3 turns"]


class Script:
    """A client whose connection ends, or that is refused."""

    def __init__(self, reply: dict[str, Any] | None) -> None:
        self._reply = reply
        self._reader = asyncio.get_running_loop().create_future()
        if reply is None:
            self._reader.set_result(None)

    async def call(self, _type: str, **_: Any) -> dict[str, Any]:
        return self._reply if self._reply is not None else await asyncio.get_running_loop().create_future()


def test_a_refusal_is_a_finding_where_none_is_expected() -> None:
    async def ask() -> list[str]:
        found = load_run()
        with pytest.raises(Exception, match="not_a_member"):
            await found.ask(cast("RawClient", Script({"success": False, "code": "not_a_member"})), "ping")
        return found.findings

    assert asyncio.run(ask()) == ["ping was refused: not_a_member"]


async def test_a_connection_that_ends_ends_the_waiting_for_its_reply() -> None:
    with pytest.raises(Ended):
        await load_run().call(cast("RawClient", Script(None)), "ping")


def test_percentiles_and_workers_are_shown() -> None:
    assert percentiles([float(each) for each in range(1, 101)]) == "p50 51, p90 91, p99 100, longest 100 ms"
    looks = [{1: Worker("Message", 2**20, 5), 2: Worker("Rest", 2**20, 5)}, {1: Worker("Message", 2**21, 6)}]
    assert table(looks) == ["Message          1 workers, 1.0 → 2.0 MB each, at most 5 → 6 open files"]


def test_there_are_no_workers_where_no_stack_runs(tmp_path: Path) -> None:
    assert workers(Settings(tmp_path, 4_000)) == {}


def test_containers_are_found_wherever_a_module_leads_to_them() -> None:
    import tests.functions.environment  # noqa: F401
    from functions.message import handler, wiring

    found = containers()
    name = handler.__name__
    assert found[f"{name}._LIMITERS.frames._buckets"] == len(handler._LIMITERS.frames._buckets)
    assert f"{wiring.__name__}._verifier" in found
    assert any(path.endswith("._pool._idle") for path in found)
