"""An HTTP proxy before the emulator whose DynamoDB throttles, fails, hangs and loses answers; it passes on the rest."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from enum import Enum
from http import HTTPStatus
from typing import Any, Final

import h11

from tests.chaos.deck import Deck
from tests.chaos.exchange import Answer, Incoming, Onward, Request
from tests.chaos.listener import Listener

_PREFIX: Final = "DynamoDB_20120810."
_SINGLE_WRITES: Final = frozenset({"PutItem", "UpdateItem", "DeleteItem"})
_TRANSACTION: Final = frozenset({"TransactWriteItems"})
_BATCHES: Final = {"BatchGetItem": "UnprocessedKeys", "BatchWriteItem": "UnprocessedItems"}


class Fault(Enum):
    """One way to fail: how a report calls it, and the operations that fail so; None for any."""

    THROUGHPUT = ("throughput exceeded", None)
    THROTTLING = ("throttling", None)
    CONFLICT = ("transaction conflict", _SINGLE_WRITES)
    CANCELLED = ("transaction cancelled by a conflict", _TRANSACTION)
    IN_PROGRESS = ("transaction in progress", _TRANSACTION)
    ERROR = ("error 500 before the call took effect", None)
    ERROR_AFTER = ("error 500 after it took effect", None)
    UNAVAILABLE = ("error 503", None)
    HANGS = ("hung before it took effect", None)
    HANGS_AFTER = ("hung after it took effect", None)
    CLOSED = ("closed before it took effect", None)
    CLOSED_AFTER = ("closed after it took effect", None)
    CUT = ("cut in the middle of the answer", None)
    UNPROCESSED = ("left a part of a batch", frozenset(_BATCHES))
    SHORT_PAGE = ("ended a page early", frozenset({"Query"}))

    @property
    def label(self) -> str:
        return str(self.value[0])

    def fits(self, operation: str) -> bool:
        return self.value[1] is None or operation in self.value[1]


# One call that hangs costs as much time as a hundred that fail at once.
_HANGS: Final = (Fault.HANGS, Fault.HANGS_AFTER)
_MORE: Final = 4
# The code, where one of the API's own says it all.
_REFUSALS: Final = {
    Fault.THROUGHPUT: "ProvisionedThroughputExceededException",
    Fault.THROTTLING: "ThrottlingException",
    Fault.CONFLICT: "TransactionConflictException",
    Fault.CANCELLED: "TransactionCanceledException",
    Fault.IN_PROGRESS: "TransactionInProgressException",
}


class HangUp(Exception):
    """The connection ends, after these bytes."""

    def __init__(self, last: bytes = b"") -> None:
        super().__init__()
        self.last = last


class FaultyDynamoDb:
    """`odds` is how likely a call is to fail; which way it does is dealt from all that fit. `struck` counts them.

    A fault is for one attempt: the next attempt is as likely as any to be served.
    """

    def __init__(self, port: int, rng: random.Random) -> None:
        self.odds = 0.0
        self.calls = 0
        self.struck: Counter[Fault] = Counter()
        self._port = port
        self._rng = rng
        self._deck = Deck([fault for fault in Fault for _ in range(1 if fault in _HANGS else _MORE)], rng)
        self._healed = asyncio.Event()
        self._listener = Listener(self._serve)

    @property
    def url(self) -> str:
        return f"http://localhost:{self._listener.port}"

    async def start(self) -> None:
        await self._listener.start()

    async def stop(self) -> None:
        await self._listener.stop()

    def only(self, *faults: Fault) -> None:
        """Fail in these ways, instead of in all."""
        self._deck = Deck(faults, self._rng)

    def begin(self, odds: float) -> None:
        """From here on this share of all calls fails."""
        self.odds = odds
        self._healed.clear()

    def heal(self) -> None:
        """From here on all is well, and a request that hangs is hung up on."""
        self.odds = 0.0
        self._healed.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        incoming, onward = Incoming(reader), Onward(self._port)
        try:
            while (request := await incoming.next()) is not None:
                answer = await self._answer(request, onward)
                writer.write(answer.raw)
                await writer.drain()
        except HangUp as end:
            writer.write(end.last)
        except (OSError, h11.RemoteProtocolError):
            pass  # one of the two sides has gone
        finally:
            onward.close()

    async def _answer(self, request: Request, onward: Onward) -> Answer:
        """Raises HangUp."""
        target = request.header(b"x-amz-target")
        if not target.startswith(_PREFIX):
            return await onward.exchange(request)
        self.calls += 1
        operation = target.removeprefix(_PREFIX)
        fault = self._deck.deal(lambda one: one.fits(operation)) if self._rng.random() < self.odds else None
        if fault is None:
            return await onward.exchange(request)
        self.struck[fault] += 1
        if fault is Fault.UNPROCESSED:
            return await _unprocessed(request, onward, _BATCHES[operation], self._rng)
        if fault is Fault.SHORT_PAGE:
            return await _short_page(request, onward, self._rng)
        return await self._fail(fault, request, onward)

    async def _fail(self, fault: Fault, request: Request, onward: Onward) -> Answer:
        match fault:
            case Fault.ERROR:
                return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "InternalServerError")
            case Fault.UNAVAILABLE:
                return refusal(HTTPStatus.SERVICE_UNAVAILABLE, "ServiceUnavailable")
            case Fault.CLOSED:
                raise HangUp
            case Fault.HANGS:
                await self._healed.wait()
                raise HangUp
            case Fault.CANCELLED:
                reasons = [{"Code": "TransactionConflict"} for _ in json.loads(request.body)["TransactItems"]]
                return refusal(HTTPStatus.BAD_REQUEST, _REFUSALS[fault], CancellationReasons=reasons)
            case _ if fault in _REFUSALS:
                return refusal(HTTPStatus.BAD_REQUEST, _REFUSALS[fault])
        answer = await onward.exchange(request)
        match fault:
            case Fault.ERROR_AFTER:
                return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "InternalServerError")
            case Fault.HANGS_AFTER:
                await self._healed.wait()
            case Fault.CUT:
                raise HangUp(answer.raw[: len(answer.raw) - 1 - len(answer.body) // 2])
        raise HangUp


def refusal(status: HTTPStatus, code: str, **more: Any) -> Answer:
    """An error as DynamoDB words it."""
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "as planned", **more}
    return Answer(status, ((b"content-type", b"application/x-amz-json-1.0"),), json.dumps(body).encode())


async def _unprocessed(request: Request, onward: Onward, name: str, rng: random.Random) -> Answer:
    """A part of the batch, maybe nothing; the rest comes back as it was asked for."""
    asked: dict[str, Any] = json.loads(request.body)["RequestItems"]
    taken: dict[str, Any] = {}
    left: dict[str, Any] = {}
    for table, wanted in asked.items():
        keys = wanted["Keys"] if isinstance(wanted, dict) else wanted
        count = rng.randint(0, len(keys) - 1)
        for part, some in ((taken, keys[:count]), (left, keys[count:])):
            if some:
                part[table] = {**wanted, "Keys": some} if isinstance(wanted, dict) else some
    if not taken:
        return _json({"Responses": {}, name: left} if name == "UnprocessedKeys" else {name: left})
    answer = await onward.exchange(request.with_body(json.dumps({"RequestItems": taken}).encode()))
    return _changed(answer, lambda body: {**body, name: {**(body.get(name) or {}), **left}})


async def _short_page(request: Request, onward: Onward, rng: random.Random) -> Answer:
    """A page of one to three items, with the key to go on from, as if 1 MB ended there."""
    body = json.loads(request.body)
    limit = min(rng.randint(1, 3), body.get("Limit", 3))
    return await onward.exchange(request.with_body(json.dumps({**body, "Limit": limit}).encode()))


def _json(body: Any) -> Answer:
    return Answer(HTTPStatus.OK, ((b"content-type", b"application/x-amz-json-1.0"),), json.dumps(body).encode())


def _changed(answer: Answer, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Answer:
    """Another body, without the checksum of the first."""
    return _json(change(json.loads(answer.body))) if answer.status == HTTPStatus.OK else answer


@contextlib.asynccontextmanager
async def faulty_dynamodb(port: int, rng: random.Random) -> AsyncIterator[FaultyDynamoDb]:
    proxy = FaultyDynamoDb(port, rng)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
