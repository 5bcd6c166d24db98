"""The same bad and odd input over real sockets, among users of its own.

What stands in between is part of it: the gateway reads a frame before any function does, to find its route by
`$request.body.type`. A frame that it can't read goes to `$default`, and so to the message function, on AWS as on the
laptop. Both close the connection (1009) on a single frame above 32 KB, so that a larger one is sent in several. Where
they differ, a case is `only_here` or says so: AWS takes 10 KB for the line and the headers of an HTTP request, and
10 MB for its body.
"""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from local.stack import Stack
from local.tokens import mint
from tests.bad_input.frames import Fine, FrameCase
from tests.bad_input.names import BLOCKED_DM, DM, FOREIGN_DM, FOREIGN_GROUP, GROUP
from tests.bad_input.requests import HttpCase
from tests.e2e.raw_client import RawClient, connected
from tests.e2e.raw_client import http as ask

PATIENCE_S: Final = 60
_NAMES: Final = ("alice", "bob", "carol", "dave", "mallory")


@dataclass(frozen=True, slots=True)
class Place:
    """The harness of `harness.py` on a stack. `names` are what stands for what in the cases."""

    stack: Stack
    names: Mapping[str, str]

    def real(self, text: str) -> str:
        """A case's text with the names of this place."""
        for name, real in self.names.items():
            text = text.replace(name, real)
        return text

    def history(self, conversation_id: str, user: str = "alice") -> list[tuple[int, str | None]]:
        """What a conversation says, oldest first."""
        found: list[tuple[int, str | None]] = []
        while True:
            after = found[-1][0] if found else 0
            path = f"/v1/conversations/{self.real(conversation_id)}/messages?limit=100&after={after}"
            status, page = ask(self.stack, "GET", path, user_id=self.names[user])
            assert status == 200, page
            found += [(message["seq"], message["content"]) for message in page["messages"]]
            if not page["has_more"]:
                return found

    @property
    def everything(self) -> list[list[tuple[int, str | None]]]:
        """All that was there before, for those who can read it."""
        known = ((DM, "alice"), (GROUP, "alice"), (BLOCKED_DM, "alice"))
        foreign = ((FOREIGN_DM, "bob"), (FOREIGN_GROUP, "carol"))
        return [self.history(*one) for one in (*known, *foreign)]


def settle(stack: Stack, run: str) -> Place:
    """Users of this run alone, and what they have said to each other."""
    names = {name: f"{name}-{run}" for name in _NAMES}
    place = Place(stack, names)
    for group, owner, other in ((GROUP, "alice", ("bob", "carol")), (FOREIGN_GROUP, "carol", ("mallory",))):
        body = {"type": "group", "name": "the group", "members": [names[one] for one in other]}
        status, made = ask(stack, "POST", "/v1/conversations", user_id=names[owner], body=body)
        assert status == 201, made
        names[group] = made["id"]
    asyncio.run(_talk(place))
    assert ask(stack, "PUT", f"/v1/blocks/{names['alice']}", user_id=names["dave"])[0] == 204
    return place


async def _talk(place: Place) -> None:
    said = (
        ("alice", "bob", "one"),
        ("bob", "alice", "two"),
        ("alice", "bob", "three"),
        ("alice", "dave", "before the block"),
        ("bob", "carol", "not for alice"),
        ("alice", GROUP, "to all"),
        ("carol", FOREIGN_GROUP, "not for alice, either"),
    )
    for sender, to, content in said:
        async with connected(place.stack, place.names[sender]) as client:
            where = "conversation_id" if to.startswith("group:") else "to"
            await client.ask("message", **{where: place.names[to]}, content=content)


async def say_all(place: Place, cases: Iterable[FrameCase]) -> str:
    """Send every frame over one connection of alice's. What was not answered as expected."""
    wrong: list[str] = []
    async with connected(place.stack, place.names["alice"]) as client:
        for case in cases:
            sent = place.real(case.body) if case.wire is None else case.wire
            problem = _problem(case, await _said(client, sent))
            wrong += [f"{case}: {problem}"] if problem else []
        assert (await client.ask("ping"))["type"] == "pong"
    return "\n".join(wrong)


async def _said(client: RawClient, sent: str | bytes) -> dict[str, Any]:
    before = len(client.stray)
    await client.transmit(sent)
    await client.until(lambda: len(client.stray) > before)
    return client.stray[before]


def _problem(case: FrameCase, reply: Mapping[str, Any]) -> str | None:
    expected = (True, None) if isinstance(case.expected, Fine) else (False, case.expected)
    echo = case.expected.echo if isinstance(case.expected, Fine) else case.echo
    found = reply["success"], reply.get("code")
    return None if (*found, reply.get("id")) == (*expected, echo) else f"{found}, and not {expected}"


def ask_all(place: Place, cases: Sequence[HttpCase]) -> str:
    """Make every request as it stands. What was not answered as expected."""
    return "\n".join(f"{case}: {problem}" for case in cases if (problem := _asked(place, case)))


def _asked(place: Place, case: HttpCase) -> str | None:
    url = urlsplit(place.stack.http_url)
    connection = http.client.HTTPConnection(url.netloc, timeout=PATIENCE_S)
    try:
        body = place.real(case.body).encode() if isinstance(case.body, str) else case.body
        connection.putrequest(case.method, url.path + place.real(case.target), skip_accept_encoding=True)
        for name, value in _headers(place, case).items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return _judged(case, answer.status, answer.read())
    finally:
        connection.close()


def _headers(place: Place, case: HttpCase) -> dict[str, str]:
    authorization = case.authorization
    if authorization == "alice":
        authorization = f"Bearer {mint(place.stack, place.names['alice'])}"
    own = {} if authorization is None else {"authorization": authorization}
    return {"content-type": "application/json", **own, **case.headers}


def _judged(case: HttpCase, status: int, body: bytes) -> str | None:
    expected, code = case.expected
    if case.as_it_came:
        return None if status < 500 else f"{status}"
    answer = json.loads(body) if body and case.method != "HEAD" else {}
    if status != expected:
        return f"{status} {answer.get('code')}, and not {expected}"
    told = answer.get("code") if case.is_refused and case.method != "HEAD" else code
    return None if told == code or (status == 404 and case.is_refused) else f"{told}, and not {code}"
