"""Whatever frame is sent, there is one reply: a success, or a refusal that changes nothing. Never a fault of ours."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import given

from shared import errors
from shared.errors import Internal, ParleyError, Unavailable
from tests.bad_input.fuzzing import json_texts, tried
from tests.bad_input.harness import InputHarness
from tests.bad_input.names import DM, FILE, FOREIGN_DM, FOREIGN_GROUP, GROUP, token

VALID: Final[tuple[dict[str, Any], ...]] = (
    {"type": "message", "id": "1", "to": "bob", "content": "hi", "client_message_id": "c", "after": 3},
    {"type": "message", "conversation_id": GROUP, "content": "hi @bob", "mentions": ["bob"], "reply_to": 2},
    {"type": "message", "to": "bob", "message_type": "image", "file_id": FILE, "content": ""},
    {"type": "message", "to": "bob", "data": {"a": [1, {}]}, "attachments": [{"type": "x", "file_id": FILE}]},
    {"type": "edit", "conversation_id": "dm:alice:bob", "seq": 1, "content": "y", "data": {"a": None}},
    {"type": "message", "to": "bob", "forward_of": {"conversation_id": GROUP, "seq": 2}},
    {"type": "edit", "id": "2", "conversation_id": DM, "seq": 1, "content": "edited"},
    {"type": "delete", "id": "3", "conversation_id": DM, "seq": 3},
    {"type": "react", "id": "4", "conversation_id": DM, "seq": 2, "emoji": "\U0001f44d", "remove": False},
    {"type": "read", "id": "5", "conversation_id": DM, "seq": 2},
    {"type": "delivered", "id": "6", "conversation_id": GROUP, "seq": 2},
    {"type": "receipts", "id": "6", "read": {DM: 2, GROUP: 1}, "delivered": {DM: 3, FOREIGN_GROUP: 1}},
    {"type": "typing", "id": "7", "conversation_id": DM, "active": True},
    {"type": "presence", "id": "8", "users": ["bob", "carol"]},
    {"type": "sync", "id": "9", "conversations": {DM: 1, GROUP: 0, FOREIGN_GROUP: 1}},
    {"type": "ping", "id": "10", "conversation_id": DM, "seq": 3},
    {"type": "auth", "id": "11", "token": token()},
)
CODES: Final = {one.code for one in vars(errors).values() if isinstance(one, type) and issubclass(one, ParleyError)}
FAULTS: Final = {Internal.code, Unavailable.code}
_ENOUGH: Final = 40


class InputHarnesss:
    """A harness until it has been written into so often that a look at it takes long."""

    def __init__(self) -> None:
        self._harness = InputHarness()

    def current(self) -> InputHarness:
        if self._harness.head(DM) > _ENOUGH or self._harness.head(GROUP) > _ENOUGH:
            self._harness = InputHarness()
        return self._harness


HARNESSES: Final = InputHarnesss()


def foreign(harness: InputHarness) -> list[Any]:
    """What nothing of alice's can change: the logs that are not hers, and what others have of their own."""
    items = [*harness.store.items("log"), *harness.store.items("members")]
    return [
        one
        for one in items
        if one.get("conversation_id") in {FOREIGN_DM, FOREIGN_GROUP} or one.get("pk") == "user#dave"
    ]


@tried(250)
@given(json_texts(VALID))
def test_any_frame_has_a_reply_and_what_is_refused_changes_nothing(body: str) -> None:
    harness = HARNESSES.current()
    before, others, log = harness.state, foreign(harness), harness.store.items("log")
    reply = harness.say(body)
    if reply["success"]:
        new = [one for one in harness.store.items("log") if (one["conversation_id"], one["seq"]) not in _places(log)]
        assert len(new) <= 1
        assert all(one["sender_id"] == "alice" for one in new)
        assert foreign(harness) == others
    else:
        assert reply["code"] in CODES - FAULTS, reply
        assert reply["retryable"] is False
        assert harness.state == before
    assert harness.say({"type": "ping", "id": "ok"})["id"] == "ok"


def _places(log: list[Any]) -> set[tuple[str, int]]:
    return {(one["conversation_id"], one["seq"]) for one in log}
