"""Users of the soak run who expect trouble, whose processes die, and whose clients are recorded."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from parley_client.settings import Options

from local.tokens import mint
from tests.chaos.recorder import RecordedClient, Recorder
from tests.soak.user import CUT, EXPECTED, SoakRun, User

# The server's faults, as a client is told of them.
TROUBLE: Final = frozenset({"unavailable", "internal", "unreachable", "sync_required"})
_TRIES: Final = 1_000


@dataclass(kw_only=True)
class Chaos(SoakRun):
    """What all users share. `patience`: the settings that say how soon a client gives something up."""

    http_url: str
    patience: Options
    recorder: Recorder = field(default_factory=Recorder)


class Unlucky(User):
    """One user with one device whose process dies now and then, without having said so."""

    weights: ClassVar[Mapping[str, int]] = {**User.weights, "burst": 5, "look": 8, "die": 2, "die_while_writing": 3}
    expected: ClassVar[frozenset[str]] = EXPECTED | CUT | TROUBLE
    soak: Chaos
    client: RecordedClient

    def _new_client(self, state: dict[str, object] | None) -> RecordedClient:
        soak = self.soak
        options: dict[str, Any] = {"backoff_first": 0.05, "backoff_limit": 0.5, "max_attempts": _TRIES, **soak.patience}
        return RecordedClient(
            soak.url,
            recorder=soak.recorder,
            name=self.name,
            token=lambda: mint(soak.stack, self.name),
            http_url=soak.http_url,
            user_id=self.name,
            history="all",
            state=state,
            **options,
        )

    async def burst(self) -> None:
        place = self._group() or self._place()
        if place is not None:
            await asyncio.gather(*(self._send(conversation_id=place) for _ in range(5)))

    async def look(self) -> None:
        place = self._place()
        if place is not None:
            await self.client.look(place)

    async def die(self) -> None:
        """Another process goes on from what this one has written down, with what it had seen by then, and no more."""
        state = json.loads(json.dumps(self.client.state()))
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        await self.client.close()
        self.client = self._new_client(state)
        await self.start()

    async def die_while_writing(self) -> None:
        """The next process sends what this one has not seen acknowledged."""
        place = self._group() or self._place()
        if place is None:
            return
        sends = [asyncio.create_task(self._send(conversation_id=place)) for _ in range(3)]
        await asyncio.sleep(self.soak.rng.random() * 0.2)
        await self.die()
        await asyncio.gather(*sends, return_exceptions=True)


class Chatting(Unlucky):
    """Writes mostly, in conversations whose members stay: whatever is refused there is wrong."""

    weights: ClassVar[Mapping[str, int]] = {
        "write_to_someone": 20,
        "write_somewhere": 20,
        "burst": 10,
        "look": 8,
        "read": 6,
        "edit": 4,
        "delete": 2,
        "react": 4,
        "come_again": 2,
        "die": 2,
        "die_while_writing": 3,
    }
    # A message may have been deleted meanwhile, and not everybody may delete each.
    expected: ClassVar[frozenset[str]] = CUT | TROUBLE | {"not_found", "forbidden"}
