"""A private message's way through the code, by the real adapters over HTTP: the files that docs/one-message.md has."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest

import tests.functions.environment  # noqa: F401  # read by the handler when it is imported
from functions.message import handler as function
from functions.message.wiring import wire
from shared.adapters.aws import transport
from shared.adapters.aws.dialling import Connection
from shared.adapters.aws.transport import Pool
from shared.clock import now_ms
from shared.config import AwsEnvironment, MessageSettings
from shared.domain.entries import Entry
from tests.fakes import DM
from tests.functions.events import HOUR, frame_event
from tests.load.network import Network
from tests.shared.adapters.aws.servers import Received, Reply, ScriptedServer, reply

ROOT: Final = Path(__file__).parents[3]
MOST: Final = 18
_LISTED: Final = re.compile(r"^\d+\. `([^`]+)`", re.MULTILINE)


def listed() -> list[str]:
    page = (ROOT / "docs/one-message.md").read_text()
    return _LISTED.findall(page.partition("\n## The way through the code\n")[2].partition("\n## ")[0])


@dataclass
class Entered:
    """The project's files in the order in which functions of them are first called. Warm threads are watched, too."""

    files: dict[str, None] = field(default_factory=dict)
    is_on: bool = False

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        name = frame.f_code.co_filename
        if self.is_on and event == "call" and name.startswith((f"{ROOT}/shared/", f"{ROOT}/functions/")):
            self.files.setdefault(name.removeprefix(f"{ROOT}/"))

    def by(self, run: Callable[[], object]) -> list[str]:
        before = sys.getprofile()
        self.files, self.is_on = {}, True
        sys.setprofile(self)
        try:
            run()
        finally:
            sys.setprofile(before)
            self.is_on = False
        return list(self.files)


@dataclass
class Talk:
    """Alice with two devices and Bob with one, both warm: they have talked before. `posted` are connections."""

    entered: Entered
    posted: list[str]
    after: int = 0

    def say(self, user_id: str, connection_id: str, **frame: Any) -> dict[str, Any]:
        now = time.time_ns() // 1_000_000
        event = frame_event(
            frame, user_id=user_id, connection_id=connection_id, expires_at=now + HOUR, connected_at=now
        )
        answer: dict[str, Any] = json.loads(function.handler(event)["body"])
        assert answer["success"], answer
        data: dict[str, Any] = answer["data"]
        return data

    def write(self, user_id: str, connection_id: str, **place: str) -> None:
        self.after += 1
        message = {**place, "content": "hi", "client_message_id": str(self.after), "after": self.after - 1}
        self.say(user_id, connection_id, type="message", **message)


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Talk]:
    network, talk, lock = Network(now_ms), Talk(Entered(), []), threading.Lock()
    connect, connections = Pool._connect, []

    def kept(pool: Pool) -> Connection:
        connections.append(connect(pool))
        return connections[-1]

    monkeypatch.setattr(Pool, "_connect", kept)
    monkeypatch.setattr(transport, "KEPT_TIMEOUT_S", transport.READ_TIMEOUT_S)  # a busy machine is no silent peer

    def answer(request: Received) -> Reply:
        with lock:
            if "connections/" in request.path:
                talk.posted.append(request.path.rpartition("/")[2])
            made = network.request("", request.method, request.path, request.headers, request.body)
        return reply(made.status, made.body)

    threading.setprofile(talk.entered)
    try:
        with ScriptedServer(answer) as server:
            settings = MessageSettings(**{**vars(function._SETTINGS), "connections_endpoint": f"{server.url}/prod"})
            environment = replace(AwsEnvironment.load(), endpoint_url=server.url, access_key="key", secret_key="secret")
            wiring, limiters = wire(settings, environment, function._LOGGER)
            monkeypatch.setattr(function, "_WIRING", wiring)
            monkeypatch.setattr(function, "_GUARD", function.Guard(limiters, wiring.stores, wiring.services))
            for user_id, connection_id in (("alice", "a1="), ("alice", "a2="), ("bob", "b1=")):
                talk.say(user_id, connection_id, type="sync")
            talk.write("alice", "a1=", to="bob")
            talk.write("bob", "b1=", to="alice")
            talk.write("alice", "a1=", to="bob")
            talk.posted.clear()
            yield talk
            for connection in connections:
                connection.close()
    finally:
        threading.setprofile(None)


@pytest.mark.parametrize("place", [{"to": "bob"}, {"conversation_id": DM}], ids=["to", "conversation_id"])
def test_it_enters_the_files_that_the_page_lists_in_their_order(talk: Talk, place: dict[str, str]) -> None:
    assert talk.entered.by(lambda: talk.write("alice", "a1=", **place)) == listed()
    assert sorted(talk.posted) == ["a2%3D", "b1%3D"]
    assert len(listed()) <= MOST


def test_a_detour_is_seen(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Entry, "stands_alone", False)
    way = talk.entered.by(lambda: talk.write("alice", "a1=", to="bob"))
    assert set(way) - set(listed()) == {"shared/adapters/dynamodb/effects.py"}


def test_a_conversations_first_message_goes_further(talk: Talk) -> None:
    first = {"to": "carol", "content": "hi", "client_message_id": "1", "after": 0}
    way = talk.entered.by(lambda: talk.say("alice", "a1=", type="message", **first))
    assert set(way) - set(listed()) == {"shared/adapters/dynamodb/memberships.py"}
