"""The protocol pages agree with the code: frames, replies, events, messages, errors, and the places of the HTTP API."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import msgspec
import pytest
import yaml  # type: ignore[import-untyped]  # comes with cfn-lint, without types

from shared import errors
from shared.domain.changes import (
    KINDS,
    ROLES,
    Added,
    Change,
    Deleted,
    Edited,
    Happened,
    OwnChanged,
    Reacted,
    Removed,
    Renamed,
    RolesChanged,
    Updated,
)
from shared.domain.connections import ABUSED, BANNED, EVICTED, OFFLINE, REVOKED, News, Presence, PresenceChange
from shared.domain.entries import Draft, Pack, ReadAlong, Receipt, Typing, shadowed
from shared.domain.members import Preferences
from shared.domain.notifications import REMINDER, SYSTEM, Notification
from shared.domain.permissions import CHANNEL, GROUP, KEPT_BY_OWNERS, PRIVATE, Grants, matrix_of
from shared.domain.rules import Audience
from shared.domain.screening import Held
from shared.domain.text import USER_ID_PATTERN
from shared.domain.users import User
from shared.errors import ParleyError
from shared.operations.changes import Changed
from shared.operations.editing import React
from shared.operations.own_log import OwnSynced
from shared.operations.receipts import DELIVERED, READ, Moved
from shared.operations.sync import Sync, Synced
from shared.operations.versions import USER_UPDATED
from shared.ports.services import Event
from shared.wire import events as acks
from shared.wire.events import event_body, message_body
from shared.wire.websocket import frames
from tests.changes import changed
from tests.test_docs import ROOT, page


def test_the_table_of_roles_and_permissions_is_the_default() -> None:
    protocol = page("docs/protocol.md")
    section = protocol.partition("#### Roles and permissions\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)`(\*?) \| .+ \| (.*) \| (.*) \|$", section, re.MULTILINE)
    shown = [(name, bool(kept), group, channel) for name, kept, group, channel in rows]
    names = [*GROUP, *(name for name in CHANNEL if name not in GROUP)]
    by_code = [(one, one in KEPT_BY_OWNERS, who_may(GROUP, one), who_may(CHANNEL, one)) for one in names]
    assert shown == by_code
    assert [one for one in PRIVATE if f"`{one}`" in section.rpartition("have no roles")[2]] == list(PRIVATE)


def who_may(grants: Grants, permission: str) -> str:
    return ", ".join(role for role in ROLES if role in grants.get(permission, ()))


def test_the_example_of_other_permissions_can_be_used() -> None:
    (example,) = re.findall("^PARLEY_PERMISSIONS='(.+)'$", page("docs/configuration.md"), re.MULTILINE)
    matrix = matrix_of(example)
    assert sorted(name for name in GROUP if matrix.group[name] != GROUP[name]) == [
        *("create_invites", "mention_all", "pin", "send")
    ]


def error_types(root: type[ParleyError] = ParleyError) -> Iterator[type[ParleyError]]:
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from error_types(child)


def documented_errors() -> dict[str, tuple[int, bool]]:
    rows = re.findall(r"^\| `(\w+)` \| (\d{3}) \| (yes|no) \|", page("docs/protocol.md"), flags=re.MULTILINE)
    return {code: (int(status), retryable == "yes") for code, status, retryable in rows}


def test_every_error_code_is_documented_with_its_status_and_whether_it_is_retryable() -> None:
    assert documented_errors() == {error.code: (error.status, error.retryable) for error in error_types()}


def examples() -> list[dict[str, Any]]:
    return [
        json.loads(text)
        for text in re.findall(r"^```json\n(.*?)^```", page("docs/protocol.md"), re.MULTILINE | re.DOTALL)
    ]


def test_every_frame_type_has_a_section_and_an_example_that_the_server_takes() -> None:
    headings = re.findall(r"^### (.+)$", page("docs/protocol.md"), flags=re.MULTILINE)
    assert {name for heading in headings for name in heading.split(", ")} == frames.TYPES
    sent = [example for example in examples() if example.get("type") in frames.TYPES and "user_id" not in example]
    assert {frames.decode(json.dumps(example))[0] for example in sent} == frames.TYPES


PLAIN = Draft("dm:alice:bob", "alice", "hi", "n", client_message_id="c", reply_to=1, mentions=("bob",)).following(
    None, 1
)
HIDDEN = shadowed(PLAIN, None)
FULL = replace(PLAIN, forwarded=True, edited_at=2, reactions=frozenset({("👍", "bob")}), file_id="f")
FULL = replace(FULL, data='{"order": 4711}', attachments='[{"type": "link"}]', media='{"duration_ms": 1}')
FULL = replace(FULL, pinned_at=3)
HEAVY = replace(FULL, content="\x01" * 5_000)
OWN = changed(OwnChanged("block", '{"user_id": "dave", "blocked": true}'), PLAIN)
REMOVED = replace(PLAIN, content=None, reply_to=None, mentions=(), deleted_at=2)
SAID = '{"topic": "x", "avatar": "x", "data": {"project": 7}, "join": "open", "history": "all"}'
CHANGES: tuple[Change, ...] = (
    Edited(1, "hi, Bob"),
    Edited(1, "\x01" * 5_000),
    Edited(1, "hi, Bob", data='{"order": 4711}'),
    Deleted(1),
    Reacted(1, "👍", removed=False),
    Reacted(1, "👍", removed=True, owner_id="bob"),
    Added(("bob",), 2, name="Team"),
    Added(
        ("bob",),
        2,
        name="Team",
        said='{"topic": "x", "avatar": "x", "data": {"project": 7}, "join": "open", "history": "all"}',
    ),
    Added(("bob",), 2),
    Removed(("bob",), 1),
    Renamed("Team A"),
    Updated('{"topic": "x", "avatar": "x", "data": {"project": 7}}'),
    Updated('{"members": {"bob": {"data": {"shift": "late"}}}}'),
    Updated.of_pin(42, removed=False),
    Updated.of_pin(42, removed=True),
    RolesChanged({"bob": "admin"}),
    OwnChanged(
        "settings", json.dumps({"conversation_id": "dm:alice:bob", "settings": asdict(Preferences(pinned=True))})
    ),
)


MADE: tuple[Event, ...] = (
    PLAIN,
    HIDDEN,
    ReadAlong(PLAIN, 1),
    Pack(PLAIN.conversation_id, (PLAIN,), 1_000),
    *(changed(change, PLAIN, by="bob", at=2, nonce="m") for change in CHANGES),
    *(Receipt(kind, PLAIN.conversation_id, "bob", 1, 1) for kind in (READ, DELIVERED)),
    Typing(PLAIN.conversation_id, "bob", active=True),
    PresenceChange(Presence("bob", OFFLINE, 1), 1),
    News("join_request", {"conversation_id": "g", "user_id": "d", "status": "requested", "by": "d", "timestamp": 1}),
    News(USER_UPDATED, {"user_id": "b", "version": 1, "user": User("b", data='{"team": 7}').shown(), "timestamp": 1}),
    EVICTED,
    Notification("n1", "bob", SYSTEM, 1, 2, "Title", data={"order": "4711"}),
    Notification("r1", "bob", REMINDER, 1, 2, "Reminder", conversation_id=PLAIN.conversation_id, seq=1),
)
CLOSINGS = (EVICTED, ABUSED, REVOKED, BANNED)


def code_events() -> list[dict[str, Any]]:
    """Every event that the code can make, in each shape that it can have."""
    # What is told of a user goes to the team's backend alone (ADR 0060): docs/events.md has its events.
    assert {type(change) for change in CHANGES} == set(KINDS) - {Happened}
    assert {type(event).__name__ for event in MADE} == set(str(Event).split(" | "))
    return [*map(event_body, MADE)]


def shapes(shown: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(event["type"], json.dumps(keys_of(event), sort_keys=True)) for event in shown}


def test_every_event_has_an_example_with_the_fields_that_the_server_sends() -> None:
    shown = [example for example in examples() if "type" in example and not {"id", "success"} & example.keys()]
    assert shapes(shown) == shapes(code_events())


def test_every_reason_for_a_disconnect_is_named() -> None:
    named = page("docs/protocol.md").partition("- `disconnect` comes before")[2].partition("## ")[0]
    assert all(f"`{closing.code}`" in named for closing in CLOSINGS)


def test_the_message_object_is_shown_as_it_is_and_as_it_is_once_deleted() -> None:
    shown = [example.keys() for example in examples() if "sender_id" in example]
    assert shown == [
        message_body(FULL).keys() - {"file_id", "data", "attachments", "media", "pinned_at"},
        message_body(REMOVED).keys(),
    ]
    fields = message_body(FULL).keys() | message_body(HEAVY).keys() | message_body(REMOVED).keys()
    section = page("docs/protocol.md").partition("## Messages\n")[2].partition("## Events")[0]
    assert fields <= set(re.findall(r"`(\w+)`", section))


def code_replies() -> list[Mapping[str, Any]]:
    """The data of every reply."""
    done, nothing = (Changed(entry, Audience({})) for entry in (changed(CHANGES[0]), None))
    synced = Synced(PLAIN.conversation_id, 1, [PLAIN], has_more=False, read_seq=0, unread=1)
    return [
        acks.held_ack(Held("6f1e", PLAIN.conversation_id, "alice", 1, "{}", "", client_message_id="x")),
        {**acks.message_ack(PLAIN, duplicate=False), "read": 1},
        acks.message_ack(PLAIN, duplicate=False),
        acks.edit_ack(PLAIN.conversation_id, 1, done, now=1),
        acks.delete_ack(PLAIN.conversation_id, 1, nothing, now=1),
        acks.react_ack(React("carol", PLAIN.conversation_id, 1, "👍", remove=True, owner_id="bob"), done, now=1),
        acks.react_ack(React("bob", PLAIN.conversation_id, 1, "👍"), done, now=1),
        frames.cursor_ack(READ, PLAIN.conversation_id, 1),
        frames.cursor_ack(DELIVERED, PLAIN.conversation_id, 1),
        frames.receipts_ack(
            [Moved(READ, PLAIN.conversation_id, 1), Moved(DELIVERED, "dm:alice:dave", 3, errors.NotAMember())]
        ),
        frames.typing_ack(PLAIN.conversation_id, active=True),
        frames.presence_ack([Presence("bob", OFFLINE)]),
        frames.sync_reply(
            Sync([synced], ["dm:carol:dave"], has_more=True, next_after="group:0123456789abcdef"),
            "alice",
        ),
        frames.sync_reply(Sync([], [], has_more=False), "alice", OwnSynced(18, [OWN])),
        frames.pong(1, behind=False),
        frames.auth_ack("alice", 1),
    ]


def test_every_reply_has_an_example_with_the_fields_that_the_server_sends() -> None:
    shown = {example["data"]["type"]: example["data"] for example in examples() if example.get("success")}
    made = {data["type"]: data for data in code_replies()}
    assert made.keys() - shown.keys() == {DELIVERED}  # shares its example with `read`
    assert {kind: data.keys() for kind, data in shown.items()} == {kind: made[kind].keys() for kind in shown}
    for each in shown["sync"]["conversations"]:
        assert each.keys() == made["sync"]["conversations"][0].keys()


def places(text: str, pattern: str) -> set[tuple[str, str]]:
    """Methods and paths, whatever their parameters are called."""
    return {(verb.upper(), re.sub(r"[<{]\w+[>}]", "{}", path)) for verb, path in re.findall(pattern, text)}


def test_every_place_of_the_http_api_is_documented_and_no_other() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "functions/rest").glob("*.py")))
    served = places(code, r'\.(get|post|put|patch|delete)\(\s*"(/v1/[^"]+)"')
    assert places(page("docs/protocol.md"), r"\n\| `([A-Z]+) (/v1/[^`]+)` \|") == served


def keys_of(value: Any) -> Any:
    return {key: keys_of(inner) for key, inner in value.items()} if isinstance(value, dict) else None


# -- AsyncAPI ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def asyncapi() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(page("docs/asyncapi.yaml"))
    return document


def resolve(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def payloads(document: dict[str, Any], action: str) -> dict[str, dict[str, Any]]:
    """The payload schemas of the messages that the server receives or sends, by the `type` they carry."""
    operations = [each for each in document["operations"].values() if each["action"] == action]
    messages = [resolve(document, message) for each in operations for message in each["messages"]]
    schemas = [resolve(document, message["payload"]) for message in messages]
    return {schema["properties"]["type"]["const"]: schema for schema in schemas}


def test_asyncapi_has_every_frame_with_the_fields_of_its_struct(asyncapi: dict[str, Any]) -> None:
    received = payloads(asyncapi, "receive")
    assert received.keys() == frames.TYPES
    structs: dict[str, type[msgspec.Struct]] = {
        "message": frames.MessageFrame,
        "edit": frames.EditFrame,
        "delete": frames.DeleteFrame,
        "react": frames.ReactFrame,
        "read": frames.CursorFrame,
        "delivered": frames.CursorFrame,
        "receipts": frames.ReceiptsFrame,
        "typing": frames.TypingFrame,
        "presence": frames.PresenceFrame,
        "sync": frames.SyncFrame,
        "ping": frames.PingFrame,
        "auth": frames.AuthFrame,
    }
    assert structs.keys() == frames.TYPES
    for name, struct in structs.items():
        fields = msgspec.structs.fields(struct)
        assert received[name]["properties"].keys() == {"type", *(field.name for field in fields)}
        assert set(received[name]["required"]) == {"type", *(field.name for field in fields if field.required)}


def union(made: Sequence[Mapping[str, Any]]) -> dict[str, set[str]]:
    """The fields of each type, over all shapes that it can have."""
    fields: dict[str, set[str]] = {}
    for each in made:
        fields.setdefault(each["type"], set()).update(each)
    return fields


def test_asyncapi_has_every_event_with_its_fields(asyncapi: dict[str, Any]) -> None:
    sent = payloads(asyncapi, "send")
    assert {name: set(schema["properties"]) for name, schema in sent.items()} == union(code_events())
    message = asyncapi["components"]["schemas"]["Message"]["properties"].keys()
    assert message == message_body(FULL).keys() | message_body(HEAVY).keys() | message_body(REMOVED).keys()
    notification = asyncapi["components"]["schemas"]["Notification"]
    assert notification["properties"].keys() == event_body(MADE[-1])["notification"].keys()
    assert set(notification["required"]) == event_body(MADE[-2])["notification"].keys()


def test_asyncapi_has_every_reply_with_its_fields(asyncapi: dict[str, Any]) -> None:
    shown: dict[str, set[str]] = {}
    for message in asyncapi["components"]["messages"].values():
        for part in message["payload"].get("allOf", []):
            if "properties" in part:
                data = part["properties"]["data"]["properties"]
                for kind in data["type"].get("enum", [data["type"].get("const")]):
                    shown[kind] = shown.get(kind, set()) | set(data)
    assert shown == union(code_replies())


def test_every_payload_in_asyncapi_has_a_title_of_its_own(asyncapi: dict[str, Any]) -> None:
    """Which is what generators call its type."""
    messages = asyncapi["components"]["messages"].values()
    titles = [resolve(asyncapi, message["payload"])["title"] for message in messages]
    titles += [one["title"] for one in asyncapi["components"]["schemas"].values() if one.get("type") == "object"]
    unique = {resolve(asyncapi, message["payload"])["title"] for message in messages}
    assert all(re.fullmatch("[A-Z][A-Za-z]+", title) for title in titles)
    assert len(unique) == len(messages)
    assert len({title.lower() for title in titles}) == len(set(titles))


def test_asyncapi_has_the_pattern_of_user_ids(asyncapi: dict[str, Any]) -> None:
    assert asyncapi["components"]["schemas"]["UserId"]["pattern"] == f"^{USER_ID_PATTERN}$"


def test_asyncapi_has_every_error_code(asyncapi: dict[str, Any]) -> None:
    assert set(asyncapi["components"]["schemas"]["ErrorCode"]["enum"]) == {error.code for error in error_types()}


def test_every_reference_in_asyncapi_leads_somewhere(asyncapi: dict[str, Any]) -> None:
    for reference in re.findall(r'\$ref: "([^"]+)"', page("docs/asyncapi.yaml")):
        assert resolve(asyncapi, {"$ref": reference})


def test_the_examples_in_asyncapi_are_frames_that_the_server_takes(asyncapi: dict[str, Any]) -> None:
    shown = [
        example["payload"]
        for each in asyncapi["components"]["messages"].values()
        for example in each.get("examples", [])
    ]
    assert {frames.decode(json.dumps(payload))[0] for payload in shown} == frames.TYPES
