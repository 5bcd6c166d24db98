"""An answer with status 200 that is none of the server's, as a proxy's page is, is the client's own error."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any, cast

import pytest
from parley_client.answers import listed, understood
from parley_client.dial import Dialer
from parley_client.errors import ParleyError
from parley_client.files import FileOperations
from parley_client.notifying import NotificationOperations
from parley_client.operations import HttpOperations
from parley_client.resources import as_contact


class Odd(HttpOperations, FileOperations, NotificationOperations):
    """Operations whose server always answers the same."""

    def __init__(self, answer: dict[str, Any]) -> None:
        async def call(*_: object) -> dict[str, Any]:
            return answer

        self._dialer = cast("Dialer", SimpleNamespace(call=call, rest=None))


DM = "dm:alice:bob"
CALLS: dict[str, Callable[[Odd], Coroutine[Any, Any, Any]]] = {
    "me": lambda client: client.me(),
    "inbox": lambda client: client.inbox(),
    "create_private": lambda client: client.create_private("bob"),
    "create_group": lambda client: client.create_group("Team"),
    "conversation": lambda client: client.conversation(DM),
    "rename": lambda client: client.rename(DM, "Team"),
    "members": lambda client: client.members(DM),
    "add_members": lambda client: client.add_members(DM, ["bob"]),
    "history": lambda client: client.history(DM),
    "contacts": lambda client: client.contacts(),
    "request_contact": lambda client: client.request_contact("bob"),
    "blocks": lambda client: client.blocks(),
    "upload": lambda client: client.upload(b"x", name="x.txt"),
    "file": lambda client: client.file("f"),
    "register_device": lambda client: client.register_device("phone", platform="fcm", token="t"),
    "devices": lambda client: client.devices(),
    "notify": lambda client: client.notify(["bob"], "title"),
    "remind": lambda client: client.remind(DM, 1, 1),
    "reminders": lambda client: client.reminders(),
}
# Nothing, as a page that is no JSON is read; and the right names with the wrong things.
ANSWERS: list[dict[str, Any]] = [
    {},
    dict.fromkeys(("messages", "conversations", "members", "contacts", "blocks", "devices", "reminders", "added"), 1),
    {"user_id": "alice", "push": [1], "file_id": "f", "status": "ready", "upload": {"url": "http://x", "fields": []}},
    {"conversation_id": DM, "reminder_id": "r", "seq": float("inf"), "at": 1, "messages": [1], "conversations": [[]]},
]


@pytest.mark.parametrize("answer", ANSWERS, ids=["nothing", "numbers", "wrong parts", "wrong elements"])
@pytest.mark.parametrize("name", CALLS)
def test_an_answer_that_is_not_the_servers_is_one_of_the_clients_own_errors(name: str, answer: dict[str, Any]) -> None:
    try:
        asyncio.run(CALLS[name](Odd(answer)))
    except ParleyError as error:
        assert (error.code, error.retryable) == ("unreachable", True)  # noqa: PT017  # or it is understood after all
    else:
        assert answer, "nothing is no answer to anything"


def test_what_is_understood_is_what_was_made_of_it() -> None:
    assert understood(lambda body: body["x"])({"x": 1}) == 1
    (contact,) = listed("contacts", as_contact, {"contacts": [{"user_id": "bob", "status": "accepted"}]})
    assert contact.user_id == "bob"
