"""Malformed records of the stream and the queues are named, hold up nothing beside them, and change nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from functions.offline_push.handler import look_at, work
from functions.presence.handler import look
from shared.domain.notifications import AboutMessage
from tests.bad_input.harness import InputHarness
from tests.bad_input.names import DM
from tests.bad_input.pushing import push_wiring, with_phones
from tests.bad_input.records import POINTLESS_WORK, UNREADABLE_CHECKS, UNREADABLE_ENTRIES, UNREADABLE_WORK
from tests.fakes import FakePushGateway
from tests.functions.events import NOW, stream_record


def in_the_middle(bad: str, good: str) -> list[dict[str, Any]]:
    """A batch of a queue: the bad one between two good ones."""
    return [{"messageId": str(number), "body": body} for number, body in enumerate((good, bad, good))]


def failures(answer: dict[str, Any]) -> list[str]:
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


@pytest.fixture(autouse=True)
def no_secrets(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever is wrong with a record, what it holds is not logged."""
    with caplog.at_level(logging.DEBUG):
        yield
    logged = "\n".join(str(record.__dict__) for record in caplog.records)
    assert "canary" not in logged
    assert "token-of" not in logged


@pytest.mark.parametrize("name", UNREADABLE_ENTRIES)
def test_an_unreadable_entry_is_where_the_stream_starts_again_and_the_others_are_looked_at(name: str) -> None:
    harness = with_phones(InputHarness())
    before, bad = harness.store.snapshot(), UNREADABLE_ENTRIES[name]
    bad["dynamodb"]["SequenceNumber"] = "the bad one"
    answer = look_at([stream_record(1), bad, stream_record(3)], push_wiring(harness, FakePushGateway()))
    assert failures(answer) == ["the bad one"]
    assert {(job.user_id, job.about) for job in harness.pushes.jobs} == {
        ("bob", AboutMessage(DM, 1)),
        ("bob", AboutMessage(DM, 3)),
    }
    assert harness.store.snapshot() == before


@pytest.mark.parametrize("event_name", ["MODIFY", "REMOVE", "insert", "", None, 1, ["INSERT"]])
def test_what_is_no_new_entry_is_passed_over(event_name: Any) -> None:
    harness = with_phones(InputHarness())
    before = harness.state
    record = {**UNREADABLE_ENTRIES["an empty image"], "eventName": event_name}
    assert look_at([record], push_wiring(harness, FakePushGateway())) == {"batchItemFailures": []}
    assert harness.state == before


@pytest.mark.parametrize("name", UNREADABLE_WORK)
def test_unreadable_work_comes_again_by_itself(name: str) -> None:
    harness, provider = with_phones(InputHarness()), FakePushGateway()
    good = POINTLESS_WORK["a push to an outsider"].replace("mallory", "bob")
    first = work([{"messageId": "first", "body": good}], push_wiring(harness, provider))
    assert (first, len(provider.pushes)) == ({"batchItemFailures": []}, 1)
    before = harness.state
    assert failures(work(in_the_middle(UNREADABLE_WORK[name], good), push_wiring(harness, provider))) == ["1"]
    assert harness.state == before
    assert len(provider.pushes) == 1, "once claimed, the good ones are not pushed again"


@pytest.mark.parametrize("name", POINTLESS_WORK)
def test_work_about_nothing_is_done_with_and_nobody_is_told(name: str) -> None:
    harness, provider = with_phones(InputHarness()), FakePushGateway()
    before = harness.state
    answer = work([{"messageId": "1", "body": POINTLESS_WORK[name]}], push_wiring(harness, provider))
    assert (answer, provider.pushes) == ({"batchItemFailures": []}, [])
    assert harness.state == before


@pytest.mark.parametrize("name", UNREADABLE_CHECKS)
def test_an_unreadable_look_at_somebodys_presence_comes_again_by_itself(harness: InputHarness, name: str) -> None:
    before = harness.state
    good = f'{{"user_id": "bob", "at": {NOW}}}'
    answer = look(in_the_middle(UNREADABLE_CHECKS[name], good), harness.wiring.presence, now=lambda: NOW)
    assert failures(answer) == ["1"]
    assert harness.state == before
