"""The whole HTTP API over simulated tables, and a few people's conversations in it that most tests start from."""

from __future__ import annotations

import itertools
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import jwt

from functions.rest.api import make_api, respond
from functions.rest.wiring import Wiring as Wired
from shared.adapters.dynamodb.screening import DynamoDbVerdicts
from shared.auth.tokens import SecretKey, TokenVerifier
from shared.domain.changes import ADMIN, MEMBER, OWNER, Role
from shared.domain.files import SizeLimits
from shared.domain.rules import PROTOCOL, Bounds
from shared.domain.text import private_conversation_id
from shared.errors import RateLimited
from shared.operations.screening import Asking, Screen, shadows_of, words_of
from shared.ports.screening import Hook
from tests.fakes import FakeNonces
from tests.functions.events import http_event
from tests.functions.rest.document import check_documented
from tests.harness import Harness
from tests.stores import MEMBERS
from tests.wiring import Wiring

SECRET = "s" * 64
DM = private_conversation_id("alice", "bob")
# Dave blocks alice, and has a conversation with her from before.
BLOCKED_DM = private_conversation_id("alice", "dave")
GROUP = "group:aaaaaaaaaaaaaaaa"
GROUP_LIMIT = 6
IMAGE_LIMIT, FILE_LIMIT = 10_000, 100_000
ROLES: dict[str, Role] = {"alice": OWNER, "bob": ADMIN, "carol": MEMBER}


def now() -> int:
    return time.time_ns() // 1_000_000


def token(user_id: str = "alice", **claims: Any) -> str:
    seconds = now() // 1_000
    return jwt.encode({"sub": user_id, "iat": seconds, "exp": seconds + 60, **claims}, SECRET, algorithm="HS256")


@dataclass(frozen=True)
class Answered:
    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> str | None:
        return self.body.get("code") if isinstance(self.body, dict) else None


@dataclass
class RestHarness(Harness):
    secrets: Any = field(default_factory=lambda: (f"s{number:042}" for number in itertools.count()))
    unexpected: list[Exception] = field(default_factory=list)
    page_limit: int = 100
    bounds: Bounds = PROTOCOL
    wired: Wired = field(init=False)
    api: Any = field(init=False)

    def __post_init__(self) -> None:
        self.wired = Wiring(self.stores, self.gateway, now, FakeNonces(), checks=self.checks).rest(
            verifier=TokenVerifier(SecretKey(lambda: SECRET), now=now),
            objects=self.objects,
            scheduler=self.scheduler,
            delivery_checks=self.delivery_checks,
            job_queue=self.jobs,
            archive=self.archive,
            broadcast_queue=self.broadcasts,
            new_secret=lambda: next(self.secrets),
            edit_window_s=86_400,
            group_limit=GROUP_LIMIT,
            page_limit=self.page_limit,
            sizes=SizeLimits(image=IMAGE_LIMIT, file=FILE_LIMIT),
            bounds=self.bounds,
        )
        self.api = make_api(self.wired, unexpected=self.unexpected.append)

    def rewire(self, **parts: Any) -> None:
        """The same API with other parts."""
        self.wired = replace(self.wired, **parts)
        self.api = make_api(self.wired, unexpected=self.unexpected.append)

    def request(self, event: dict[str, Any]) -> Answered:
        """One request as it comes from the gateway; its answer has to be what the document says."""
        raw = respond(event, self.api)
        body = json.loads(raw["body"]) if raw["body"] else None
        method, path = event["requestContext"]["http"]["method"], event["rawPath"]
        check_documented(method, path, raw["statusCode"], raw["headers"], body)
        return Answered(raw["statusCode"], body, raw["headers"])

    def call(self, method: str, path: str, *, user: str = "alice", scope: str = "", **event: Any) -> Answered:
        bearer = token(user, scope=scope) if scope else token(user)
        return self.request(http_event(method, path, token=bearer, **event))

    def flood(self, user_id: str) -> None:
        """Send until nothing more is let through."""
        for take in (self.wired.limiter.take, self.wired.reports.take_one):
            with suppress(RateLimited):
                while True:
                    take(user_id)

    def group(self, *users: str, conversation_id: str = GROUP, name: str = "Team") -> None:
        """A group as a user has made it."""
        roles = {user: ROLES.get(user, MEMBER) for user in users}
        self.stores.found(conversation_id, *users, roles=roles, name=name, at=now())


def online(harness: RestHarness, *users: str) -> None:
    for user in users:
        harness.stores.connect(user, f"{user}-1", at=now())


def with_a_screen(harness: RestHarness, hook: Hook | None = None, *, fails_open: bool = True) -> None:
    """Messages go through the lists of words from now on, and are shown to the hook."""
    context, stores = harness.wired.context, harness.stores
    verdicts = DynamoDbVerdicts(stores.tables, members_table=MEMBERS)
    screen = Screen(
        held=stores.held,
        now=context.now,
        wait_ms=context.wait_ms,
        new_nonce=context.new_nonce,
        observer=harness.wired.services.observer,
        bounds=context.limits.bounds,
        words=words_of(stores.word_lists, context.now),
        shadows=shadows_of(stores.shadow_bans, context.now),
        asking=None if hook is None else Asking(hook, 1_000, fails_open, verdicts),
    )
    object.__setattr__(context, "screen", screen)
    object.__setattr__(harness.wired, "has_shadow_bans", True)


def settled() -> RestHarness:
    """Alice and bob have talked; so did alice and dave, before dave blocked her. GROUP is alice's, erin was in it.

    In DM: 1 is alice's, 2 bob's. In BLOCKED_DM: 1 is alice's. In GROUP: 1 made it, 2 is alice's message, 3 is bob's,
    4 removed erin.
    """
    harness = RestHarness()
    harness.stores.write("alice", "one", at=now())
    harness.stores.write("bob", "two", at=now())
    harness.stores.write("alice", "three", conversation_id=BLOCKED_DM, at=now())
    harness.stores.blocks.put("dave", "alice", now=now())
    harness.group("alice", "bob", "carol", "erin")
    harness.stores.write("alice", "four", conversation_id=GROUP, at=now())
    harness.stores.write("bob", "five", conversation_id=GROUP, at=now())
    assert harness.call("DELETE", f"/v1/conversations/{GROUP}/members/erin").status == 204
    return harness
