"""What a load run shares: the stack, what was done and how long it took, and what is wrong."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3
from websockets.exceptions import ConnectionClosed

from local.stack import Stack
from tests.e2e.raw_client import RawClient

_PERCENTILES = (50, 90, 99)
_LAST_S = 1.0
_ATTEMPTS = 5


@dataclass
class LoadRun:
    """`took` are milliseconds by kind of frame, for information; `findings` is empty when all is well."""

    stack: Stack
    done: Counter[str] = field(default_factory=Counter)
    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    findings: list[str] = field(default_factory=list)

    def check(self, holds: object, finding: str) -> None:
        if not holds:
            self.findings.append(finding)

    async def call(self, client: RawClient, type_: str, **fields: Any) -> dict[str, Any]:
        """A frame's reply, timed and counted. Raises Ended where the connection is closed instead."""
        began = time.perf_counter()
        reply = await _answered(client, client.call(type_, **fields))
        self.took[type_].append((time.perf_counter() - began) * 1_000)
        self.done[type_ if reply["success"] else f"{type_} refused: {reply['code']}"] += 1
        return reply

    async def ask(self, client: RawClient, type_: str, **fields: Any) -> dict[str, Any]:
        """The data of a reply that has no reason to be a refusal; one that is, is a finding.

        `unavailable` is a machine that is too slow for this. Clients ask again then, and so does this; that there was
        a first attempt may show in the reply, as `duplicate`.
        """
        for _ in range(_ATTEMPTS):
            reply = await self.call(client, type_, **fields)
            if reply["success"]:
                data: dict[str, Any] = reply["data"]
                return data
            if reply["code"] != "unavailable":
                break
        self.findings.append(f"{type_} was refused: {reply['code']}")
        raise WronglyRefused(reply["code"])

    def check_new(self, ack: Mapping[str, Any]) -> None:
        """A message that was sent once is no duplicate."""
        was_repeated = self.done["message refused: unavailable"]
        self.check(was_repeated or not ack["duplicate"], f"{ack['message_id']} is called a duplicate")

    def sessions(self, users: Sequence[str]) -> dict[str, set[str]]:
        """The connections that are stored for each user."""
        resource = boto3.resource(
            "dynamodb",
            endpoint_url=self.stack.endpoint_url,
            region_name=self.stack.region,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        table = resource.Table(self.stack.tables.sessions)
        found = {user: table.get_item(Key={"user_id": user}, ConsistentRead=True).get("Item", {}) for user in users}
        resource.meta.client.close()
        return {user: set(item.get("connections", {})) for user, item in found.items()}


async def _answered(client: RawClient, call: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    waiting = asyncio.create_task(call)
    try:
        await asyncio.wait({waiting, client._reader}, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            await asyncio.wait({waiting}, timeout=_LAST_S)  # the last frame before the end may have been its reply
        return waiting.result()
    except (asyncio.InvalidStateError, ConnectionClosed) as end:
        raise Ended from end
    finally:
        waiting.cancel()


class Ended(Exception):
    """The connection was closed before a reply came."""


class WronglyRefused(Exception):
    """A frame was refused that should not have been; it is among the findings already."""


def percentiles(took: Sequence[float]) -> str:
    ordered = sorted(took)
    shown = (f"p{each} {ordered[min(len(ordered) * each // 100, len(ordered) - 1)]:,.0f}" for each in _PERCENTILES)
    return f"{', '.join(shown)}, longest {ordered[-1]:,.0f} ms"
