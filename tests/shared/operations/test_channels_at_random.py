"""A channel in which everything happens in any order, and whatever can die does: what holds all the same.

Members come and go, connections open and close, owners write, the stream brings each record once or again, packs and
portions wait, come twice, and die at any of their calls. At the end everything that was queued is carried out. Then
each client that is there holds the log without a gap once it has synced, and has been told of the last entry, or has
opened its connection since; and nobody was told who was no member when the portion began.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import pytest

from shared.domain.changes import OPEN
from shared.domain.connections import Identity, opened
from shared.domain.entries import Entry
from shared.domain.fan_out import StoredEntry
from shared.errors import ParleyError, Unavailable
from shared.operations.channels import NewChannel, create_channel, join, remove_from_channel, set_writer
from shared.operations.groups import SetRole
from shared.operations.messages import SendMessage, send_message
from shared.operations.packs import make_pack
from shared.operations.portions import deliver_portion
from shared.operations.push.enqueueing import enqueue_stored
from shared.operations.sessions import open_connection
from tests.shared.operations.push.harness import PushHarness

CHANNEL = "channel:0123456789abcdef"
HOUR_MS = 3_600_000
USERS = ("alice", "bob", "carol", "dave", "erin")


class Died(Unavailable):
    """The function was killed at this call."""


def _nothing(_operation: str, _request: object) -> None:
    """Nobody dies."""


@dataclass
class World(PushHarness):
    """One history. `owners` are of all connections, `there` those that were let in.

    `told` has the seqs that each was posted, `strays` who was posted to as no member.
    """

    random: Random = field(default_factory=Random)
    unread: list[Entry] = field(default_factory=list)
    seen: int = 0
    owners: dict[str, str] = field(default_factory=dict)
    there: dict[str, str] = field(default_factory=dict)
    told: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    strays: list[str] = field(default_factory=list)

    @property
    def context(self) -> Any:
        context = super().context
        limits = replace(context.limits, channel_rate=3, fan_out_rate=2, channel_members=1_000)
        jitter = self.random.randrange
        return replace(context, limits=limits, jitter=lambda ms: jitter(ms + 1), new_secret=lambda: "0123456789abcdef")

    def mortal(self, task: Callable[[], object]) -> bool:
        """Carry this out; now and then it dies at one of its calls. False where it has to come again."""
        left = self.random.choice((None, None, self.random.randrange(12)))

        def before(_operation: str, _request: object) -> None:
            nonlocal left
            if left is not None:
                left -= 1
                if left < 0:
                    raise Died

        self.stores.calls.before = before
        self.delivery_checks.before_put = lambda _: before("", None)
        self.shards.refuses = left is not None and self.random.random() < 0.3
        try:
            task()
        except Unavailable:
            return False
        finally:
            self.stores.calls.before = _nothing
            self.delivery_checks.before_put = lambda _: None
            self.shards.refuses = False
        return True

    # --- what happens

    def someone_joins(self) -> None:
        user = self.random.choice(USERS)
        self._try(lambda: join(CHANNEL, user, by=user, stores=self.stores, context=self.context))

    def someone_leaves(self) -> None:
        user = self.random.choice(USERS[1:])
        by = self.random.choice((user, "alice"))
        self._try(lambda: remove_from_channel(CHANNEL, user, by=by, **self.whole))

    def someone_is_appointed(self) -> None:
        user, role = self.random.choice(USERS[1:]), self.random.choice(("admin", "member"))
        self._try(lambda: set_writer(SetRole(CHANNEL, user, role, "alice"), **self.whole))  # type: ignore[arg-type]

    def someone_writes(self) -> None:
        user, size = self.random.choice(USERS), self.random.choice((3, 3, 900, 4_990))
        command = SendMessage(user, "x" * size, conversation_id=CHANNEL)
        self._try(lambda: send_message(command, **self.whole))

    def someone_connects(self) -> None:
        user, name = self.random.choice(USERS), f"{self.random.randrange(1 << 30)}="
        self.owners[name], at = user, self.clock()
        connection = opened(name, Identity(user, at + HOUR_MS), device_id="", connected_at=at)
        services = self.push_services
        if self._try(lambda: open_connection(connection, limit=20, stores=self.stores, services=services, now=at)):
            self.there[name] = user
            self.sync(name)

    def the_stream_brings_some(self) -> None:
        log = self.stores.entries(CHANNEL)
        self.unread += log[self.seen :]
        self.seen = len(log)
        batch = self.unread[: self.random.randrange(1, 4)]
        stored = [
            StoredEntry(CHANNEL, one.seq, one.sender_id, is_message=one.is_message, fan_out=one.fan_out)
            for one in batch
        ]

        def look() -> None:
            for error in enqueue_stored(stored, **self.whole).values():
                raise error

        if self.mortal(look) and self.random.random() < 0.8:  # now and then the same comes again
            del self.unread[: len(batch)]

    def a_pack_is_due(self) -> None:
        if self.delivery_checks.packs:
            pack, delay_s = self.delivery_checks.packs.pop(self.random.randrange(len(self.delivery_checks.packs)))
            self.clock.ms += 1_000 * delay_s
            if not self.mortal(lambda: make_pack(pack, **self.whole)) or self.random.random() < 0.1:
                self.delivery_checks.packs.append((pack, 0))

    def a_portion_comes(self) -> None:
        if self.shards.portions:
            portion = self.shards.portions.pop(self.random.randrange(len(self.shards.portions)))
            members = self.members()
            if not self.mortal(lambda: deliver_portion(portion, **self.whole)) or self.random.random() < 0.1:
                self.shards.portions.append(portion)
            for name, data in self.gateway.posts:
                event = json.loads(data)
                found = [one["seq"] for one in event.get("events", [event]) if one["conversation_id"] == CHANNEL]
                self.told[name] |= set(found)
                assert found == list(range(found[0], found[-1] + 1))
                if event["type"] != "member_removed" and self.owners[name] not in members:
                    self.strays.append(name)
            self.gateway.posts.clear()

    def time_passes(self) -> None:
        self.clock.ms += self.random.choice((1, 500, 5_000, 20_000))

    # --- what is looked at

    def members(self) -> set[str]:
        with self.stores.calls.quietly():
            return set(self.stores.memberships.among(CHANNEL, USERS))

    def sync(self, name: str) -> None:
        """The client reads what it lacks, as a member may."""
        if self.there[name] in self.members():
            self.told[name] |= {entry.seq for entry in self.stores.entries(CHANNEL)}

    def _try(self, task: Callable[[], object]) -> bool:
        """What is refused is refused, and what dies is not done again."""
        self.gateway.posts.clear()
        try:
            return self.mortal(task)
        except ParleyError:
            return False
        finally:
            self.gateway.posts.clear()


def settle(world: World) -> None:
    """Nothing dies any more, and all that waits is carried out. Who is in it has told the channel that they are."""
    world.mortal = lambda task: (task(), True)[1]  # type: ignore[method-assign]
    for user in world.members():
        join(CHANNEL, user, by=user, stores=world.stores, context=world.context)
    world.clock.ms += 120_000
    world.random.random = lambda: 0.5  # type: ignore[method-assign]
    send_message(SendMessage("alice", "the end", conversation_id=CHANNEL), **world.whole)
    for _ in range(1_000):
        world.the_stream_brings_some()
        world.a_pack_is_due()
        world.a_portion_comes()
        if not (world.unread or world.delivery_checks.packs or world.shards.portions):
            return
    raise AssertionError("it never ends")


@pytest.mark.parametrize("seed", range(60))
def test_whatever_happens_the_last_entry_comes_and_only_to_members(seed: int) -> None:
    world = World(random=Random(seed))  # no secret
    create_channel(NewChannel("alice", "News", OPEN), **world.whole)
    happenings = (
        world.someone_joins,
        world.someone_joins,
        world.someone_leaves,
        world.someone_is_appointed,
        *(world.someone_writes,) * 4,
        world.someone_connects,
        world.someone_connects,
        *(world.the_stream_brings_some,) * 4,
        *(world.a_pack_is_due,) * 3,
        *(world.a_portion_comes,) * 6,
        world.time_passes,
    )
    for _ in range(150):
        world.random.choice(happenings)()
    settle(world)
    log = world.stores.entries(CHANNEL)
    assert [entry.seq for entry in log] == list(range(1, len(log) + 1))
    assert world.strays == []
    members = world.members()
    roster = world.stores.memberships.roster(CHANNEL)
    assert roster is not None
    assert roster.seats.keys() <= members  # who writes is a member
    for name, user in world.there.items():
        if user in members:
            assert log[-1].seq in world.told[name], f"{user} was not told of the end"
