"""A small deployment that bad input is sent into: every function on the real adapters, over the store in memory.

In DM (alice and bob) 1 and 3 are alice's messages, 2 is bob's. In GROUP (alice, its owner, bob and carol) 1 made it,
2 is alice's message. Dave blocks alice; in BLOCKED_DM 1 is alice's, from before. FOREIGN_GROUP and FOREIGN_DM have a
message each and nothing to do with alice.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from functions.connect.handler import connect
from functions.message.handler import Guard, respond
from functions.message.wiring import Wiring as MessageWiring
from functions.rest.api import make_api
from functions.rest.api import respond as respond_http
from shared.auth.tokens import SecretKey, TokenVerifier
from shared.domain.files import IMAGE, READY, File
from shared.domain.limits import Limit
from tests.bad_input.names import CONNECTIONS, FILE, FOREIGN_FILE, FOREIGN_GROUP, GROUP, SECRET
from tests.changes import founding
from tests.dynamodb import Store
from tests.fakes import FakeClock
from tests.functions.events import HOUR, NOW, authorizer_of, frame_event, websocket_event
from tests.harness import Harness
from tests.stores import simulated


@dataclass
class InputHarness(Harness):
    """The state of everything is in `store`, and in what the fakes were handed."""

    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    unexpected: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.verifier = TokenVerifier(SecretKey(lambda: SECRET), now=self.clock)
        self.guard = self.new_guard()
        self._settle()

    @property
    def store(self) -> Store:
        return self.stores.tables

    @property
    def state(self) -> tuple[object, ...]:
        """Equal to what it was before: nothing was written, posted, queued, scheduled, uploaded or hung up on.

        But for the record of what administrators do, which has what is refused to them, too.
        """
        queued = (*self.checks.scheduled, *self.delivery_checks.puts, *self.pushes.puts, *self.shards.shards)
        scheduled = tuple(sorted(self.scheduler.scheduled))
        kept = tuple(sorted(self.objects.kept)), tuple(sorted(self.objects.uploads))
        told = tuple(self.gateway.posts), tuple(self.gateway.closed)
        stored = {
            table: {place: item for place, item in items.items() if not str(place[0]).startswith("audit#")}
            for table, items in self.store.snapshot().items()
        }
        return stored, told, queued, scheduled, kept

    def head(self, conversation_id: str) -> int:
        return len(self.entries(conversation_id))

    def entries(self, conversation_id: str) -> list[Mapping[str, Any]]:
        """The log's items, in order."""
        return [item for item in self.store.items("log") if item["conversation_id"] == conversation_id]

    def new_guard(self) -> Guard:
        """Another instance of the function. Messages are counted beside the store, so that it stays as it was."""
        messages = self.wiring.limiter(Limit(20, 10_000), simulated().buckets)
        return self.wiring.guard(messages, frames=1_000_000, costly={})

    @property
    def message(self) -> MessageWiring:
        return self.wiring.message(verify=self.verifier.verify, edit_window_s=86_400)

    @cached_property
    def api(self) -> Any:
        secrets = (f"s{number:042}" for number in itertools.count())
        wired = self.wiring.rest(
            verifier=self.verifier,
            objects=self.objects,
            scheduler=self.scheduler,
            delivery_checks=self.delivery_checks,
            new_secret=lambda: next(secrets),
            limiter=self.wiring.limiter(Limit(20, 10_000), simulated().buckets),
            edit_window_s=86_400,
            group_limit=6,
        )
        return make_api(wired, unexpected=self.unexpected.append)

    def say(self, frame: Any, *, user_id: str = "alice", **changes: Any) -> dict[str, Any]:
        """The reply to a frame on the first connection of a user. A string goes through as it is.

        `changes` are what else the gateway says.
        """
        connection_id = dict(reversed(CONNECTIONS))[user_id]
        event = frame_event(frame, user_id=user_id, connection_id=connection_id)
        answer = respond({**event, **changes}, self.message, self.guard)
        assert answer["statusCode"] == 200
        reply: dict[str, Any] = json.loads(answer["body"])
        return reply

    def ask(self, event: Mapping[str, Any]) -> tuple[int, Any, Mapping[str, str]]:
        """Status, body and headers of the answer to an HTTP request. `unexpected` keeps what was answered with 500."""
        answer = respond_http(event, self.api)
        return answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None, answer["headers"]

    def _settle(self) -> None:
        for user_id, connection_id in CONNECTIONS:
            context = authorizer_of(user_id)
            event = websocket_event("CONNECT", "$connect", connection_id=connection_id, authorizer=context)
            assert connect(event, self.wiring.connect, now=lambda: NOW)["statusCode"] == 200
        self._make_group(GROUP, ("alice", "bob", "carol"))
        self._make_group(FOREIGN_GROUP, ("carol", "mallory"))
        self._write("alice", {"to": "bob"}, "one")
        self._write("bob", {"to": "alice"}, "two")
        self._write("alice", {"to": "bob"}, "three")
        self._write("alice", {"to": "dave"}, "before the block")
        self._write("bob", {"to": "carol"}, "not for alice")
        self._write("alice", {"conversation_id": GROUP}, "to all")
        self._write("carol", {"conversation_id": FOREIGN_GROUP}, "not for alice, either")
        self.stores.blocks.put("dave", "alice", now=NOW)
        for file_id, owner in ((FILE, "alice"), (FOREIGN_FILE, "bob")):
            self.stores.files.create(
                File(file_id, owner, IMAGE, "cat.png", "image/png", 3, NOW, NOW + HOUR, status=READY)
            )
        for user_id, _ in CONNECTIONS:
            assert self.say({"type": "ping"}, user_id=user_id)["success"]
        self.gateway.posts.clear()
        self.observer.counted.clear()
        self.checks.scheduled.clear()

    def _make_group(self, conversation_id: str, users: Sequence[str]) -> None:
        assert self.stores.log.put(founding(*users, place=conversation_id, at=NOW)) is None

    def _write(self, user_id: str, where: Mapping[str, str], content: str) -> None:
        assert self.say({"type": "message", **where, "content": content}, user_id=user_id)["success"]
