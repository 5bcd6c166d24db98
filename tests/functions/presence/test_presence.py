"""The delayed look: who is still away is announced, once, and one look that fails holds up no other."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from functions.presence.handler import look
from shared.domain.text import private_conversation_id
from tests.functions.events import HOUR, NOW
from tests.harness import Harness


def record(user_id: str, number: int = 1, *, at: int = NOW, received: int = 1) -> dict[str, Any]:
    body, attributes = json.dumps({"user_id": user_id, "at": at}), {"ApproximateReceiveCount": str(received)}
    return {"messageId": f"m{number}", "body": body, "attributes": attributes, "eventSource": "aws:sqs"}


@dataclass
class PresenceHarness(Harness):
    """Bob watches Alice and Carol, with each of whom he has a private conversation. Both have just gone."""

    def __post_init__(self) -> None:
        for user_id in ("alice", "carol"):
            for sender in (user_id, "bob"):
                self.stores.write(sender, "hi", conversation_id=private_conversation_id(user_id, "bob"))
            self.stores.connect(user_id, f"{user_id}1=", at=NOW - HOUR)
            self.stores.sessions.remove(user_id, f"{user_id}1=", now=NOW)
        self.stores.connect("bob", "b1=", at=NOW)
        self.stores.watches.replace("bob", "b1=", ["alice", "carol"], expires_at=NOW + HOUR)

    def look(self, *records: dict[str, Any]) -> dict[str, Any]:
        return look(records, self.wiring.presence, now=lambda: NOW + 10_000)

    def told(self) -> list[tuple[str, str, int | None]]:
        return [(event["user_id"], event["status"], event["last_seen"]) for event in self.events("b1=")]


@pytest.fixture
def harness() -> PresenceHarness:
    return PresenceHarness()


def test_who_is_still_away_is_announced_once_however_often_the_look_comes(harness: PresenceHarness) -> None:
    for _ in range(2):
        assert harness.look(record("alice")) == {"batchItemFailures": []}
    assert harness.told() == [("alice", "offline", NOW)]


@pytest.mark.parametrize("later", [{"received": 2}, {"at": NOW - HOUR}], ids=["repeated", "replayed"])
def test_what_comes_again_tells_of_who_was_noted_as_away_and_perhaps_not_told_of(
    harness: PresenceHarness, later: dict[str, int]
) -> None:
    harness.stores.sessions.show_offline("alice", harness.stores.session("alice"))
    harness.look(record("alice"))
    assert harness.told() == []
    harness.look(record("alice", **later))
    assert harness.told() == [("alice", "offline", NOW)]


def test_a_reconnect_in_time_leaves_no_trace(harness: PresenceHarness) -> None:
    harness.stores.connect("alice", "again", at=NOW + 5_000)
    harness.look(record("alice"))
    assert harness.told() == []


def test_a_look_that_cannot_be_read_comes_again_and_holds_up_no_other(harness: PresenceHarness) -> None:
    poison = {"messageId": "bad", "body": "{"}
    assert harness.look(poison, record("carol", 2)) == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert harness.told() == [("carol", "offline", NOW)]
