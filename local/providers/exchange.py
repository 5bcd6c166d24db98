"""One request to a provider: what it is told to do goes first, then its own rules; all of it is recorded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Protocol

from local.providers.behaviours import Behaviour, Behaviours
from local.providers.record import Asked, Environment, Provider, Received, Record, now_ms


@dataclass(frozen=True, slots=True)
class Request:
    """A request that has been read to its end. Header names are lower-case, and may come repeatedly."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The first header of this name."""
        return next((value for key, value in self.headers if key == name), None)

    @property
    def bearer(self) -> str | None:
        """The token that the request identifies itself with."""
        scheme, _, token = (self.header("authorization") or "").partition(" ")
        return token.strip() or None if scheme.lower() == "bearer" else None


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Silence(Enum):
    """What can happen instead of an answer: nothing at all, or the end of the connection."""

    STALL = auto()
    DROP = auto()


Handler = Callable[[Request], Awaitable[Reply | Silence]]


def json_reply(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Reply:
    body = json.dumps(value, ensure_ascii=False).encode()
    return Reply(status, body, {"content-type": "application/json; charset=UTF-8", **(headers or {})})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a provider makes of a request: its answer, why it refuses, or the push that it accepts."""

    reply: Reply
    reason: str | None = None
    push: Received | None = None


class Rules(Protocol):
    """A provider's rules, without any I/O."""

    @property
    def provider(self) -> Provider: ...

    @property
    def environment(self) -> Environment | None: ...

    def token_of(self, request: Request) -> str | None:
        """Whom the request is for, as far as it can be told."""
        ...

    def judge(self, request: Request) -> Verdict: ...

    def refuse(self, request: Request, behaviour: Behaviour) -> Verdict:
        """The refusal that the provider was told to give, in its own form."""
        ...


class Exchange:
    """Answers requests by a provider's rules and by what it was told."""

    def __init__(self, behaviours: Behaviours, record: Record) -> None:
        self._behaviours = behaviours
        self._record = record

    async def handle(self, rules: Rules, request: Request) -> Reply | Silence:
        behaviour = self._behaviours.take(rules.provider, rules.token_of(request))
        deed = behaviour.do if behaviour else None
        if behaviour and deed == "slow":
            await asyncio.sleep(behaviour.seconds)
        if behaviour and deed == "answer":
            return self._answered(rules, request, rules.refuse(request, behaviour))
        if deed == "stall":
            return self._unanswered(rules, request, Silence.STALL)
        if behaviour and deed == "drop":
            push = rules.judge(request).push if behaviour.after else None
            return self._unanswered(rules, request, Silence.DROP, push)
        return self._answered(rules, request, rules.judge(request))

    def _answered(self, rules: Rules, request: Request, verdict: Verdict) -> Reply:
        self._record.add(_asked(rules, request, verdict.reply.status, verdict.reason), verdict.push)
        return verdict.reply

    def _unanswered(self, rules: Rules, request: Request, silence: Silence, push: Received | None = None) -> Silence:
        self._record.add(_asked(rules, request, None, silence.name.lower()), push)
        return silence


def _asked(rules: Rules, request: Request, status: int | None, reason: str | None) -> Asked:
    return Asked(
        provider=rules.provider,
        environment=rules.environment,
        method=request.method,
        path=request.path,
        token=rules.token_of(request),
        headers=dict(request.headers),
        # An assertion is as good as a password for an hour, and no JSON anyway.
        payload=None if rules.provider == "oauth" else parsed(request.body),
        status=status,
        reason=reason,
        received_at=now_ms(),
    )


def parsed(body: bytes) -> Any:
    """The body's JSON; None where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
