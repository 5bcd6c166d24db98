"""A stranger tries what no client does: bad tokens, used tickets, floods. The gateway notes what comes of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, Final

from tests.simulation.gateway import Line
from tests.simulation.history import Operation
from tests.simulation.tokens import ends, forged, token

if TYPE_CHECKING:
    from tests.simulation.clients import Client
    from tests.simulation.scenario import Scenario

USER: Final = "mallory"
ALLOWED_ORIGIN: Final = "https://app.example.com"
_MS: Final = 1_000
_PATIENCE_MS: Final = 1_500.0
_LONG_MS: Final = 600_000
_FLOOD: Final = 14

Step = float | tuple[Line, Mapping[str, Any]] | Line
"""How long to wait (ms); a frame that is sent over a connection; or a connection whose handshake is waited for."""
Script = Generator[Step, Any, None]


class Stranger:
    """One script after the other. Connections are of a user who is in no conversation."""

    def __init__(self, scenario: Scenario, client: Client) -> None:
        self._scenario, self._client, self._hub = scenario, client, scenario.hub
        self._script: Script | None = None
        self._asked: Line | str | None = None
        self._frames = 0

    def run(self, number: int) -> None:
        scripts = _SCRIPTS[number % len(_SCRIPTS)]
        self._script = scripts(self, number // len(_SCRIPTS))
        self._go_on(None)

    def _go_on(self, answer: Any) -> None:
        """To the script's next step."""
        assert self._script is not None
        self._asked = None
        try:
            step = self._script.send(answer)
        except StopIteration:
            return
        if isinstance(step, float):
            self._hub.after(step, lambda: self._go_on(None))
            return
        if isinstance(step, Line):
            self._asked = step
        else:
            line, frame = step
            self._frames += 1
            self._asked = f"{line.connection_id.rstrip('=')}-{self._frames}"
            self._scenario.deployment.gateway.send(line, {"id": self._asked, **frame})
        asked = self._asked
        self._hub.after(_PATIENCE_MS, lambda: self._go_on(None) if self._asked == asked else None)

    # --- what scripts are made of

    def token(self, life: int, *, user: str = USER) -> str:
        """One that lives so many ms from now, or has ended as many ago."""
        now = self._client.now_ms
        return token(user, (now - _MS) // _MS * _MS, ends(now + life))

    def forged(self, user: str = USER) -> str:
        now = self._client.now_ms
        return forged(user, now // _MS * _MS, ends(now + _LONG_MS))

    def dial(self, **shown: str) -> Line:
        return self._scenario.deployment.gateway.dial(USER, self, ends=0, **shown)

    def ticket(self, bearer: str) -> Operation:
        return self._client.http("ticket", "POST", "tickets", by=USER, bearer=bearer, bearer_said=bearer)

    def ask(self, bearer: str) -> Operation:
        """A request that anybody may make who has a token."""
        return self._client.http("get_me", "GET", "me", by=USER, bearer=bearer, bearer_said=bearer)

    # --- the gateway's calls

    def opened(self, line: Line) -> None:
        if self._asked is line:
            self._go_on(True)

    def refused(self, line: Line) -> None:
        if self._asked is line:
            self._go_on(False)

    def received(self, _: Line, data: bytes) -> None:
        frame = json.loads(data)
        if self._asked is not None and frame.get("id") == self._asked:
            self._go_on(frame)

    def ended(self, _: Line) -> None:
        """Whatever is asked next is answered by nobody."""


def _bad_tokens(one: Stranger, number: int) -> Script:
    shown: tuple[dict[str, str], ...] = (
        {"token": one.token(-1)},
        {"token": one.token(-600_000)},
        {"token": one.forged()},
        {"token": one.forged("alice")},
        {},
        {"ticket": "made up"},
    )
    yield one.dial(**shown[number % len(shown)])


def _bad_requests(one: Stranger, number: int) -> Script:
    bearers = (one.token(-1), one.forged(), one.forged("alice"), "", one.token(60_000))
    one.ask(bearers[number % len(bearers)])
    one.ticket(bearers[number // 2 % len(bearers)])
    yield 1.0


def _ticket_twice(one: Stranger, number: int) -> Script:
    asked = one.ticket(one.token(_LONG_MS))
    yield 400.0
    if asked.outcome != "ok":
        return
    first = one.dial(ticket=asked.value["ticket"])
    if number % 2:
        yield first
    yield one.dial(ticket=asked.value["ticket"])


def _late_ticket(one: Stranger, number: int) -> Script:
    asked = one.ticket(one.token(_LONG_MS))
    yield (500.0, 1_200.0, 2_000.0)[number % 3]
    if asked.outcome == "ok":
        yield one.dial(ticket=asked.value["ticket"])


def _ticket_of_an_ending_token(one: Stranger, _: int) -> Script:
    asked = one.ticket(one.token(1_200))
    yield 400.0
    if asked.outcome != "ok":
        return
    line = one.dial(ticket=asked.value["ticket"])
    if (yield line):
        yield line, {"type": "ping"}
        yield 1_000.0
        yield line, {"type": "ping"}


def _origins(one: Stranger, number: int) -> Script:
    origin = ("https://elsewhere.example.com", ALLOWED_ORIGIN, "null", "https://elsewhere.example.com")[number % 4]
    if number % 4 == 3:
        yield one.dial(token=one.token(_LONG_MS), origin=origin)
        return
    asked = one.ticket(one.token(_LONG_MS))
    yield 400.0
    if asked.outcome == "ok":
        yield one.dial(ticket=asked.value["ticket"], origin=origin)


def _others_tokens(one: Stranger, number: int) -> Script:
    line = one.dial(token=one.token(_LONG_MS))
    if not (yield line):
        return
    yield line, {"type": "auth", "token": one.token(_LONG_MS, user="alice")}
    tokens = (one.token(-1_000), one.forged(), one.forged("alice"), "no token")
    yield line, {"type": "auth", "token": tokens[number % len(tokens)]}
    yield line, {"type": "ping"}


def _ending(one: Stranger, number: int) -> Script:
    """Frames before and after the end of a token, and of the fresh one that was shown in between, or after."""
    line = one.dial(token=one.token(900))
    if not (yield line):
        return
    asks: tuple[Mapping[str, Any], ...] = ({"type": "ping"}, {"type": "sync"}, {"type": "presence", "users": ["alice"]})
    yield line, asks[number % 3]
    if number % 2:
        yield line, {"type": "auth", "token": one.token(1_300)}
    yield 1_000.0
    yield line, asks[number // 2 % 3]
    if number % 4 > 1:
        yield line, {"type": "auth", "token": one.token(700)}
        yield line, asks[number // 3 % 3]
    yield 1_000.0
    yield line, asks[number % 3]
    yield line, {"type": "ping"}


def _flood(one: Stranger, number: int) -> Script:
    """One frame after the other, of one kind."""
    line = one.dial(token=one.token(_LONG_MS))
    if not (yield line):
        return
    fresh = one.token(_LONG_MS)
    frames: tuple[Mapping[str, Any], ...] = (
        {"type": "ping"},
        {"type": "react", "conversation_id": "dm:alice:bob", "seq": 1, "emoji": "👍"},
        {"type": "auth", "token": fresh},
        {"type": "dance"},
        {"type": "edit", "conversation_id": "dm:alice:bob", "seq": 1, "content": "mine"},
        {"type": "ping"},
        {"type": "delete", "conversation_id": "dm:alice:bob", "seq": 1},
        {"type": "message", "conversation_id": "dm:alice:bob", "content": "hi", "client_message_id": "m", "after": 1},
    )
    for _ in range(_FLOOD + (number % 2) * 10):
        if number % 3 == 0:  # side by side, so that several instances have them
            one._scenario.deployment.gateway.send(line, {"id": "beside", **frames[number % len(frames)]})
        yield line, frames[number % len(frames)]


def _many(one: Stranger, _: int) -> Script:
    """More connections than a user may have."""
    most = one._scenario.plan.limits.connections
    for _ in range(most + 1):
        line = one.dial(token=one.token(_LONG_MS))
        yield line
        yield line, {"type": "ping"}


def _come_and_go(one: Stranger, number: int) -> Script:
    """A connection that is closed, and says so twice or late as it happens; and another one."""
    line = one.dial(token=one.token(_LONG_MS))
    if not (yield line):
        return
    other = one.dial(token=one.token(_LONG_MS))
    yield other
    one._scenario.deployment.gateway.hang_up(line)
    yield other, {"type": "ping"}
    if number % 2:
        one._scenario.deployment.gateway.hang_up(other)


_SCRIPTS: Final[tuple[Callable[[Stranger, int], Script], ...]] = (
    _bad_tokens,
    _bad_requests,
    _ticket_twice,
    _late_ticket,
    _ticket_of_an_ending_token,
    _origins,
    _others_tokens,
    _ending,
    _flood,
    _ending,
    _flood,
    _many,
    _come_and_go,
)
