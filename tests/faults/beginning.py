"""What every operation starts from, made once by the functions themselves and then copied."""

from __future__ import annotations

import copy
import itertools
import pickle
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.dynamodb import FaultModel, NoFaults
from tests.faults.harness import FaultHarness

ALICE, ALICES_TABLET, BOB, DAVE = "alice1", "alice11", "bob1", "dave1"
DM = "dm:alice:bob"
CAROLS = "dm:alice:carol"
FRANKS = "dm:bob:frank"
IMAGE = {"name": "cat.png", "content_type": "image/png", "size": 4}


@dataclass(frozen=True)
class Template:
    """`crew` and `hall` are groups, `ready` and `waiting` files, `reminder` one of bob's."""

    tables: bytes
    gateway: Any
    objects: Any
    scheduler: Any
    clock: Any
    crew: str
    hall: str
    ready: str
    waiting: str
    reminder: str


def let_in(status: int) -> None:
    """What the gateway makes of a handshake's verdict, or of a goodbye's."""
    assert status == 200, f"answered {status}"


def ok(reply: tuple[int, Any]) -> Any:
    """The body of a request that went through."""
    status, body = reply
    assert status < 300, (status, body)
    return body


def done(reply: dict[str, Any]) -> Any:
    """The data of a frame that was served."""
    assert reply["success"], reply
    return reply["data"]


def said(content: str, *, after: int | None = None, **fields: Any) -> dict[str, Any]:
    """A message whose text is its id, too."""
    return {"type": "message", "content": content, "client_message_id": content, "after": after, **fields}


def upload(harness: FaultHarness, user_id: str, content: bytes = b"meow") -> str:
    """A file that was announced and uploaded, and not looked at yet."""
    begun = ok(harness.call(user_id, "POST", "/files", {**IMAGE, "size": len(content)}))
    harness.objects.uploads[begun["file_id"]] = content
    file_id: str = begun["file_id"]
    return file_id


@cache
def template() -> Template:
    """Alice has two devices, bob and dave one, all connected. Carol is away, and has a phone, like bob and dave.

    Alice and bob have talked, and so have alice and carol. Crew is alice's, with bob and carol; hall is of five, which
    is more than are posted to directly. Bob and frank have an empty conversation. Dave has asked alice for a contact.
    """
    harness = FaultHarness()
    for connection_id in (ALICE, ALICES_TABLET, BOB, DAVE):
        assert harness.dial(connection_id) == 200
    harness.clock.advance(60_000)  # no connection is still connecting
    for user in ("bob", "carol", "dave"):
        ok(harness.call(user, "PUT", f"/devices/{user}s-phone", {"platform": "fcm", "token": f"{user}-token"}))
    done(harness.say(ALICE, said("one", after=0, to="bob")))
    done(harness.say(BOB, said("two", after=1, to="alice")))
    done(harness.say(ALICE, said("hi carol", after=0, to="carol")))
    crew = _group(harness, "crew", "bob", "carol")
    ok(harness.call("alice", "PATCH", f"/conversations/{crew}/members/bob", {"role": "admin"}))
    done(harness.say(ALICE, said("welcome", after=2, conversation_id=crew)))
    hall = _group(harness, "hall", "bob", "carol", "dave", "erin")
    ok(harness.call("bob", "POST", "/conversations", {"type": "private", "with": "frank"}))
    ok(harness.call("dave", "POST", "/contacts", {"user_id": "alice"}))
    done(harness.say(BOB, {"type": "presence", "users": ["alice", "dave"]}))
    ready = upload(harness, "alice")
    harness.arrived(ready)
    done(harness.say(ALICE, said("look", after=2, to="bob", message_type="image", file_id=ready)))
    waiting = upload(harness, "alice")
    at = harness.clock() + 1_800_000
    reminder = ok(harness.call("bob", "POST", f"/conversations/{DM}/messages/1/reminders", {"at": at}))["reminder_id"]
    harness.settle()
    tables = pickle.dumps(harness.store._tables)
    return Template(
        tables, harness.gateway, harness.objects, harness.scheduler, harness.clock, crew, hall, ready, waiting, reminder
    )


def _group(harness: FaultHarness, name: str, *members: str) -> str:
    body = {"type": "group", "name": name, "members": list(members), "client_conversation_id": name}
    conversation_id: str = ok(harness.call("alice", "POST", "/conversations", body))["id"]
    return conversation_id


def new_harness(fault_model: FaultModel | None = None) -> FaultHarness:
    """What every operation starts from, as new. What has been told in it is forgotten."""
    made = template()
    harness = FaultHarness(
        tables=made.tables,
        fault_model=fault_model or NoFaults(),
        clock=copy.copy(made.clock),
        objects=copy.deepcopy(made.objects),
    )
    harness.numbers = harness.nonces.numbers = itertools.count(1_000)
    harness.gateway.open = dict(made.gateway.open)
    harness.scheduler.scheduled = dict(made.scheduler.scheduled)
    harness.lasting = set(harness.gateway.open)
    return harness


def entries(harness: FaultHarness, conversation_id: str) -> list[dict[str, Any]]:
    return [item for item in harness.store.items("log") if item["conversation_id"] == conversation_id]


def row(harness: FaultHarness, pk: str, sk: str) -> dict[str, Any] | None:
    """One item of the members table."""
    return next((item for item in harness.store.items("members") if (item["pk"], item["sk"]) == (pk, sk)), None)


def connections(harness: FaultHarness, user_id: str) -> set[str]:
    """Those that are registered."""
    return {
        connection_id
        for item in harness.store.items("sessions")
        if item["user_id"] == user_id
        for connection_id in item.get("connections", {})
    }


def heard(harness: FaultHarness, connection_id: str, kind: str, **fields: Any) -> list[dict[str, Any]]:
    """The events of this kind that a connection got, with these fields."""
    events = [event for event in harness.gateway.events(connection_id) if event["type"] == kind]
    return [event for event in events if fields.items() <= event.items()]
