"""A small world that bad input is sent into: every function on the real adapters, over the store in memory.

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

from functions.connect.handler import Ports as ConnectPorts
from functions.connect.handler import connect
from functions.message.guard import Guard
from functions.message.handler import respond
from functions.message.routes import Ports as MessagePorts
from functions.rest.api import make_api
from functions.rest.api import respond as respond_http
from functions.rest.ports import Ports as RestPorts
from shared.auth.tokens import SecretKey, TokenVerifier
from shared.aws.contact_table import DynamoDbBlocks, DynamoDbContacts, DynamoDbProfiles, DynamoDbRelations
from shared.aws.device_table import DynamoDbDevices
from shared.aws.file_table import DynamoDbFiles
from shared.aws.log_table import DynamoDbConversationLog
from shared.aws.member_table import DynamoDbMemberships
from shared.aws.notice_table import DynamoDbNotices
from shared.aws.reminder_table import DynamoDbReminders
from shared.aws.session_table import DynamoDbSessions
from shared.aws.ticket_table import DynamoDbTickets
from shared.aws.watch_table import DynamoDbWatches
from shared.chat.changes import MEMBER, OWNER, Added, Role
from shared.chat.delivery import Delivered
from shared.chat.models import change_entry
from shared.chat.rules import PROTOCOL
from shared.connection.presence import Sight, Telling
from shared.files.kinds import SizeLimits
from shared.files.models import IMAGE, READY, File
from shared.limits.buckets import Limit, RateLimiter
from shared.limits.frames import AbuseWatch, FrameLimiter
from shared.wire.events import encode_plainly
from tests.bad_input.names import CONNECTIONS, FILE, FOREIGN_FILE, FOREIGN_GROUP, GROUP, SECRET
from tests.fakes import (
    FakeBuckets,
    FakeClock,
    FakeGateway,
    FakeLookQueue,
    FakeNonces,
    FakeObjects,
    FakePresenceChecks,
    FakePushQueue,
    FakeReminderClock,
    in_turn,
)
from tests.functions.events import HOUR, NOW, authorizer_of, frame_event, websocket_event
from tests.simulation.store import Store


@dataclass
class World:
    """The state of everything is in `store`, and in what the fakes were handed."""

    store: Store = field(default_factory=Store)
    gateway: FakeGateway = field(default_factory=FakeGateway)
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    nonces: FakeNonces = field(default_factory=FakeNonces)
    objects: FakeObjects = field(default_factory=FakeObjects)
    checks: FakePresenceChecks = field(default_factory=FakePresenceChecks)
    looks: FakeLookQueue = field(default_factory=FakeLookQueue)
    pushes: FakePushQueue = field(default_factory=FakePushQueue)
    shards: list[Any] = field(default_factory=list)
    reminding: FakeReminderClock = field(default_factory=FakeReminderClock)
    reports: list[Delivered] = field(default_factory=list)
    unexpected: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.log = DynamoDbConversationLog(self.store, log_table="log", members_table="members")
        self.memberships = DynamoDbMemberships(self.store, members_table="members")
        self.files = DynamoDbFiles(self.store, members_table="members")
        self.blocks = DynamoDbBlocks(self.store, members_table="members")
        self.relations = DynamoDbRelations(self.store, members_table="members")
        self.sessions = DynamoDbSessions(self.store, sessions_table="sessions")
        self.watches = DynamoDbWatches(self.store, members_table="members")
        self.tickets = DynamoDbTickets(self.store, tickets_table="tickets")
        self.devices = DynamoDbDevices(self.store, members_table="members")
        self.notices = DynamoDbNotices(self.store, members_table="members", spread=in_turn)
        self.reminders = DynamoDbReminders(self.store, members_table="members")
        self.verifier = TokenVerifier(SecretKey(lambda: SECRET), now=self.clock)
        self.guard = self.new_guard()
        self._settle()

    @property
    def state(self) -> tuple[object, ...]:
        """Equal to what it was before: nothing was written, posted, queued, scheduled, uploaded or hung up on."""
        queued = (*self.checks.scheduled, *self.looks.puts, *self.pushes.puts, *self.shards)
        scheduled = tuple(sorted(self.reminding.scheduled))
        kept = tuple(sorted(self.objects.kept)), tuple(sorted(self.objects.uploads))
        told = tuple(self.gateway.posts), tuple(self.gateway.closed)
        return self.store.snapshot(), told, queued, scheduled, kept

    def head(self, conversation_id: str) -> int:
        return len(self.entries(conversation_id))

    def entries(self, conversation_id: str) -> list[Mapping[str, Any]]:
        """The log's items, in order."""
        return [item for item in self.store.items("log") if item["conversation_id"] == conversation_id]

    @property
    def sight(self) -> Sight:
        return Sight(self.relations, self.memberships, self.sessions, in_turn)

    @property
    def telling(self) -> Telling:
        return Telling(self.sight, self.watches, self.gateway, encode_plainly)

    def new_guard(self) -> Guard:
        """Another instance of the function. Messages are counted beside the store, so that it stays as it was."""
        return Guard(
            messages=RateLimiter(Limit(20, 10_000), FakeBuckets(), self.clock),
            frames=FrameLimiter(50, 1_000_000, self.clock),
            costly={},
            frame_limit=32_768,
            abuse=AbuseWatch(100, self.clock),
            sessions=self.sessions,
            gateway=self.gateway,
        )

    @property
    def message(self) -> MessagePorts:
        return MessagePorts(
            log=self.log,
            memberships=self.memberships,
            files=self.files,
            blocks=self.blocks,
            relations=self.relations,
            sessions=self.sessions,
            watches=self.watches,
            gateway=self.gateway,
            spread=in_turn,
            now=self.clock,
            pause=lambda _: None,
            new_nonce=self.nonces,
            report=self.reports.append,
            verify=self.verifier.verify,
            connection_limit=3,
            edit_window_s=86_400,
            inline_limit=200,
            receipts_limit=100,
            page_limit=100,
            bounds=PROTOCOL,
        )

    @cached_property
    def api(self) -> Any:
        return make_api(self._rest(), unexpected=self.unexpected.append)

    @property
    def connecting(self) -> ConnectPorts:
        return ConnectPorts(self.sight, self.watches, self.gateway, connection_limit=3)

    def _rest(self) -> RestPorts:
        secrets = (f"s{number:042}" for number in itertools.count())
        return RestPorts(
            verifier=self.verifier,
            tickets=self.tickets,
            log=self.log,
            memberships=self.memberships,
            files=self.files,
            objects=self.objects,
            blocks=self.blocks,
            contacts=DynamoDbContacts(self.store, members_table="members"),
            relations=self.relations,
            profiles=DynamoDbProfiles(self.store, members_table="members"),
            sessions=self.sessions,
            watches=self.watches,
            devices=self.devices,
            notices=self.notices,
            reminders=self.reminders,
            clock=self.reminding,
            looks=self.looks,
            gateway=self.gateway,
            spread=in_turn,
            limiter=RateLimiter(Limit(20, 10_000), FakeBuckets(), self.clock),
            now=self.clock,
            pause=lambda _: None,
            new_nonce=self.nonces,
            new_secret=lambda: next(secrets),
            report=self.reports.append,
            edit_window_s=86_400,
            group_limit=6,
            inline_limit=200,
            receipts_limit=100,
            page_limit=100,
            device_limit=2,
            reminder_limit=2,
            second_look_s=5,
            sizes=SizeLimits(image=10_000, file=100_000),
            bounds=PROTOCOL,
        )

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
            assert connect(event, self.connecting, now=NOW)["statusCode"] == 200
        self._make_group(GROUP, ("alice", "bob", "carol"))
        self._make_group(FOREIGN_GROUP, ("carol", "mallory"))
        self._write("alice", {"to": "bob"}, "one")
        self._write("bob", {"to": "alice"}, "two")
        self._write("alice", {"to": "bob"}, "three")
        self._write("alice", {"to": "dave"}, "before the block")
        self._write("bob", {"to": "carol"}, "not for alice")
        self._write("alice", {"conversation_id": GROUP}, "to all")
        self._write("carol", {"conversation_id": FOREIGN_GROUP}, "not for alice, either")
        self.blocks.put("dave", "alice", now=NOW)
        for file_id, owner in ((FILE, "alice"), (FOREIGN_FILE, "bob")):
            expires_at = NOW + HOUR
            self.files.create(File(file_id, owner, IMAGE, "cat.png", "image/png", 3, NOW, expires_at, status=READY))
        for user_id, _ in CONNECTIONS:
            assert self.say({"type": "ping"}, user_id=user_id)["success"]
        self.gateway.posts.clear()
        self.reports.clear()

    def _make_group(self, conversation_id: str, users: Sequence[str]) -> None:
        roles: dict[str, Role] = {user: OWNER if user == users[0] else MEMBER for user in users}
        added = Added(tuple(users), size=len(users), roles=roles, name="the group")
        entry = change_entry(
            added,
            base=None,
            conversation_id=conversation_id,
            sender_id=users[0],
            created_at=NOW,
            nonce=conversation_id,
            fan_out=False,
        )
        assert self.log.put(entry) is None

    def _write(self, user_id: str, where: Mapping[str, str], content: str) -> None:
        assert self.say({"type": "message", **where, "content": content}, user_id=user_id)["success"]
