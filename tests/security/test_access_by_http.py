"""Every operation of the HTTP API, from everybody who may not: what each is told, and that nothing comes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.functions.events import http_event
from tests.functions.rest.document import operations
from tests.functions.rest.harness import BLOCKED_DM, DM, GROUP, Answered, RestHarness, token
from tests.security.conftest import Tried
from tests.security.http_rows import ROWS, Inside, Own, Public, Row, Scoped
from tests.security.scenario import SECRETS, UNKNOWN, http_scenario, revealed, snapshot, without
from tests.stores import MEMBERS

# Of alice's messages: the one in each conversation.
MESSAGE = {GROUP: "2", DM: "1", BLOCKED_DM: "1"}
EVERY_SCOPE = "admin broadcasts:send notifications:send chat openid * root"
INSIDE = [row for row in ROWS if isinstance(row, Inside)]
OWN = [row for row in ROWS if isinstance(row, Own)]
SCOPED = [row for row in ROWS if isinstance(row, Scoped)]
PUBLIC = [row for row in ROWS if isinstance(row, Public)]


def each(rows: list[Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "row", rows, ids=lambda row: f"{row.operation}-{'-'.join(row.body or row.query or ())}"
    )


def ask(harness: RestHarness, row: Row, user: str | None, conversation_id: str = GROUP, scope: str = "") -> Answered:
    path = row.path.format(c=conversation_id, m=MESSAGE.get(conversation_id, "2"))
    bearer = None if user is None else token(user, scope=scope) if scope else token(user)
    return harness.request(http_event(row.method, path, token=bearer, body=row.body, query=row.query))


def verdict(answered: Answered) -> tuple[int, str | None]:
    return answered.status, answered.code


def told(answered: Answered) -> str:
    return json.dumps([answered.body, answered.headers])


@pytest.fixture
def harness() -> RestHarness:
    return http_scenario()


def test_every_operation_has_a_row() -> None:
    assert {row.operation for row in ROWS} == operations().keys()
    for row in ROWS:
        method, path, _ = operations()[row.operation]
        assert (row.method, row.path.count("/")) == (method, path.count("/"))
        is_inside = "{conversation_id}" in path and not path.endswith("/hold")  # holds are for administrators alone
        assert isinstance(row, Inside) == is_inside, f"{row.operation} is about a conversation"


@each([row for row in ROWS if not isinstance(row, Public)])
def test_without_a_token_nothing_is_answered_stored_or_posted(row: Row, tried: Tried) -> None:
    harness = http_scenario()
    before = snapshot(harness)
    answered = ask(harness, row, None)
    assert verdict(answered) == (401, "unauthenticated")
    assert snapshot(harness) == before
    assert revealed(told(answered)) == set()
    tried()


@each(PUBLIC)
def test_what_is_public_says_nothing_of_anybody(row: Public, tried: Tried) -> None:
    harness = http_scenario()
    before = snapshot(harness)
    for user in (None, "mallory"):
        answered = ask(harness, row, user)
        assert answered.status == row.allowed
        assert revealed(told(answered)) == set()
        tried()
    assert snapshot(harness) == before


@pytest.mark.parametrize(
    ("path", "secret"),
    [
        (f"/v1/conversations/{GROUP}/messages", "text"),
        (f"/v1/conversations/{GROUP}", "name"),
        ("/v1/files/cage", "file"),
        ("/v1/contacts", "alias"),
        ("/v1/notifications", "notice"),
    ],
)
def test_a_secret_that_were_told_would_be_heard(path: str, secret: str) -> None:
    assert secret in revealed(told(http_scenario().call("GET", path)))


# -- conversations


@each(INSIDE)
def test_a_member_may(row: Inside, tried: Tried) -> None:
    answered = ask(http_scenario(), row, row.owner)
    assert answered.status == row.allowed, answered.body
    tried()


@each(INSIDE)
@pytest.mark.parametrize("scope", ["", EVERY_SCOPE], ids=["no scope", "every scope"])
@pytest.mark.parametrize(
    ("user", "conversation_id"), [("mallory", GROUP), ("mallory", DM), ("erin", GROUP), ("carol", DM)]
)
def test_outsiders_and_former_members_learn_and_change_nothing(
    row: Inside, user: str, conversation_id: str, scope: str, tried: Tried
) -> None:
    """Whatever the scopes of their tokens; and they are told the same as of a conversation that there never was."""
    harness = http_scenario()
    before = snapshot(harness)
    answered = ask(harness, row, user, conversation_id, scope)
    assert verdict(answered) == (404, "not_a_member")
    assert snapshot(harness) == before
    assert revealed(told(answered)) == set()
    assert answered == ask(harness, row, user, UNKNOWN, scope) == ask(harness, row, user, "dm:frank:zoe", scope)
    assert snapshot(harness) == before
    tried(3)


@each(INSIDE)
def test_a_member_without_a_role_leaves_the_group_and_others_messages_alone(row: Inside, tried: Tried) -> None:
    harness = http_scenario()
    before = snapshot(harness)
    answered = ask(harness, row, "carol")
    assert verdict(answered) == row.plain
    if row.plain[1]:
        assert snapshot(harness) == before
    tried()


@each(INSIDE)
def test_whom_the_other_side_blocks_writes_nothing_there(row: Inside, tried: Tried) -> None:
    harness = http_scenario()
    before = snapshot(harness)
    answered = ask(harness, row, "alice", BLOCKED_DM)
    assert verdict(answered) == row.blocked
    if row.blocked[1]:
        assert snapshot(harness) == before
    # Taking back is not addressing: her own message may go, and her cursors move.
    assert {event["type"] for event in harness.events("dave-1")} <= {"message_deleted", "read", "delivered"}
    tried()


@pytest.mark.parametrize(("seq", "conversation_id"), [("2", DM), ("3", GROUP)])
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_what_others_wrote_is_theirs(
    harness: RestHarness, method: str, conversation_id: str, seq: str, tried: Tried
) -> None:
    """A moderator may delete it in a group; no user may put words into another's mouth."""
    before = snapshot(harness)
    user = "alice" if conversation_id == DM else "carol"
    path = f"/v1/conversations/{conversation_id}/messages/{seq}"
    answered = harness.call(method, path, user=user, body={"content": "mine"} if method == "PATCH" else None)
    assert verdict(answered) == (403, "forbidden")
    assert snapshot(harness) == before
    tried()


@pytest.mark.parametrize(
    "body",
    [
        {"forward_of": {"conversation_id": GROUP, "seq": 2}},
        {"forward_of": {"conversation_id": DM, "seq": 2}},
        {"message_type": "image", "file_id": "cage"},
        {"message_type": "image", "file_id": "draft"},
    ],
    ids=["a group's message", "a private message", "a file in a conversation", "a file of alice's"],
)
def test_nobody_takes_what_they_cannot_see_into_a_conversation_of_their_own(
    harness: RestHarness, body: dict[str, Any], tried: Tried
) -> None:
    made = harness.call("POST", "/v1/conversations", user="mallory", body={"type": "private", "with": "zoe"})
    before = snapshot(harness)
    path = f"/v1/conversations/{made.body['id']}/messages"
    answered = harness.call("POST", path, user="mallory", body=body)
    unheard = json.loads(
        json.dumps(body).replace(GROUP, UNKNOWN).replace(DM, UNKNOWN).replace("cage", "x").replace("draft", "x")
    )
    assert answered == harness.call("POST", path, user="mallory", body=unheard)
    assert answered.status == 404
    assert snapshot(harness) == before
    tried(2)


# -- one's own


@each(OWN)
def test_everybody_may_with_what_is_their_own(row: Own, tried: Tried) -> None:
    answered = ask(http_scenario(), row, "alice")
    assert answered.status == row.allowed, answered.body
    tried()


@each(OWN)
@pytest.mark.parametrize("scope", ["", EVERY_SCOPE], ids=["no scope", "every scope"])
def test_who_asks_the_same_as_another_reaches_nothing_of_theirs(row: Own, scope: str, tried: Tried) -> None:
    """What is written is mallory's, no connection is told of what was alice's, and nothing of it is in the answer."""
    harness = http_scenario()
    before = snapshot(harness)
    answered = ask(harness, row, "mallory", scope=scope)
    assert verdict(answered) == row.stranger
    own = {row["pk"].removeprefix("file#") for row in harness.stores.rows(MEMBERS, sk="file", owner_id="mallory")}
    own |= {row["report_id"] for row in harness.stores.rows(MEMBERS, sk="report", reporter="mallory")}
    common = ["'pk': 'exports'"]  # how many may still be begun, by anybody
    assert without(snapshot(harness), "mallory", *own, *common) == without(before, "mallory")
    assert revealed(told(answered)) <= ({"push token"} if row.operation == "get_devices" else set())
    assert f"{SECRETS['push token']}-of-alice" not in told(answered)
    tried()


def test_strangers_and_blocked_ones_look_offline(tried: Tried) -> None:
    for user, asked in (("mallory", "alice"), ("alice", "dave"), ("dave", "alice")):
        answered = http_scenario().call("GET", "/v1/presence", user=user, query={"users": f"{asked},never-was"})
        there, never = answered.body["users"]
        assert {**there, "user_id": ""} == {**never, "user_id": ""}
        assert there["status"] == "offline"
        tried()


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("POST", "/v1/conversations", {"type": "private", "with": "dave"}, (200, None)),
        ("POST", "/v1/conversations", {"type": "group", "name": "x", "members": ["dave"]}, (201, None)),
        ("POST", f"/v1/conversations/{GROUP}/members", {"users": ["dave"]}, (200, None)),
        ("POST", "/v1/contacts", {"user_id": "dave"}, (201, None)),
    ],
)
def test_who_blocks_somebody_hears_nothing_of_them(
    harness: RestHarness, method: str, path: str, body: dict[str, Any], expected: tuple[int, str | None], tried: Tried
) -> None:
    assert verdict(harness.call(method, path, body=body)) == expected
    assert harness.events("dave-1") == []
    assert harness.call("GET", "/v1/contacts", user="dave").body["contacts"] == []
    assert GROUP not in json.dumps(harness.call("GET", "/v1/conversations", user="dave").body)
    tried()


# -- scopes

NEARLY: dict[str, list[Any]] = {
    "admin": ["", "Admin", "ADMIN", "administrator", "admin:read", "admin.*", "*", "notifications:send", "user admin2"],
    "moderation": ["", "Moderation", "moderator", "moderation:read", "moderation.*", "*", "notifications:send"],
    "notifications:send": [
        "",
        "notifications",
        "notifications:*",
        "notifications:sender",
        "Notifications:Send",
        "admin",
    ],
    "broadcasts:send": ["", "broadcasts", "broadcasts:*", "broadcasts:sender", "Broadcasts:Send", "notifications:send"],
}
SIDEWAYS: list[dict[str, Any]] = [
    *(
        {"scope": ["admin"]},
        {"scope": {"admin": True}},
        {"scopes": "admin"},
        {"scopes": {"admin": 1}},
        {"scopes": [["admin"]]},
    ),
    *({"role": "admin"}, {"roles": ["admin"]}, {"admin": True}, {"permissions": ["admin"]}, {"scp": "admin"}),
    *({"Scope": "admin"}, {"groups": ["admin"]}, {"scope": "admin,notifications:send"}, {"scope": "admin\u200b"}),
]


@each(SCOPED)
def test_with_the_scope_it_is_done(row: Scoped, tried: Tried) -> None:
    for scope in (row.scope, f"chat {row.scope} other"):
        answered = ask(http_scenario(), row, "mallory", scope=scope)
        assert answered.status == row.allowed, answered.body
        tried()


@each(SCOPED)
@pytest.mark.parametrize("user", ["alice", "mallory"])
def test_without_the_scope_nothing_is_done_however_near_one_comes(row: Scoped, user: str, tried: Tried) -> None:
    claims = [
        *({"scope": scope} for scope in NEARLY[row.scope]),
        *json.loads(json.dumps(SIDEWAYS).replace("admin", row.scope)),
    ]
    for extra in claims:
        harness = http_scenario()
        before = snapshot(harness)
        event = http_event(row.method, row.path, token=token(user, **extra), body=row.body)
        answered = harness.request(event)
        assert verdict(answered) == (403, "forbidden"), extra
        assert snapshot(harness) == before
        tried()


@pytest.mark.parametrize("header", ["X-User-Id", "X-Forwarded-User", "X-Amzn-Oidc-Identity", "X-Scope", "Cookie"])
def test_no_header_but_authorization_says_who_somebody_is(harness: RestHarness, header: str, tried: Tried) -> None:
    event = http_event("GET", "/v1/me", token=token("mallory"))
    event["headers"][header] = event["headers"][header.lower()] = "alice"
    event["requestContext"]["authorizer"] = {"jwt": {"claims": {"sub": "alice"}}, "lambda": {"user_id": "alice"}}
    assert harness.request(event).body["user_id"] == "mallory"
    del event["headers"]["authorization"]
    assert harness.request(event).status == 401
    tried(2)


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH"])
def test_a_method_is_the_requests_own_and_no_header_changes_it(harness: RestHarness, method: str, tried: Tried) -> None:
    before = snapshot(harness)
    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        event = http_event("GET", f"/v1/conversations/{GROUP}", token=token("alice"), query={"_method": method})
        event["headers"][header.lower()] = method
        assert harness.request(event).status == 200
        tried()
    assert snapshot(harness) == before
