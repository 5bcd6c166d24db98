"""The functions' ports, wired over whatever a test has for stores and services.

Each function is imported where it is wired: its tests run with its own dependencies alone. The limits are small where a
test wants to reach them and generous elsewhere; `settings` are what a test has otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shared.auth.tokens import TokenVerifier
from shared.domain.connections import Identity
from shared.domain.files import SizeLimits
from shared.domain.limits import Limit
from shared.domain.rules import PROTOCOL
from shared.limits.buckets import RateLimiter
from shared.limits.frames import AbuseWatch, FrameLimiter
from shared.limits.invites import HOUR_S, InviteLimiter
from shared.operations.delivery import Delivered
from shared.operations.presence import Sight, Telling
from shared.operations.rosters import Rosters
from shared.ports.limits import Buckets
from shared.ports.services import (
    DeliveryCheckQueue,
    Gateway,
    Objects,
    ParallelMap,
    PresenceChecks,
    PushGateway,
    PushQueue,
    ReminderScheduler,
    ShardQueue,
)
from shared.wire.websocket.events import encode_plainly
from tests.fakes import FakePresenceChecks, in_turn
from tests.stores import Stores

if TYPE_CHECKING:
    import functions.connect.handler as connect_module
    import functions.message.routes as message_module
    import functions.offline_push.ports as push_module
    import functions.rest.ports as rest_module
    from functions.message.guard import Guard

CONNECTION_LIMIT = 3
SECOND_LOOK_S = 5


def at_once() -> None:
    """An invocation begins, and time does not pass."""


def nobody(_: object) -> None:
    """Is told, and does nothing about it."""


@dataclass(frozen=True)
class Wiring:
    """What the functions of one deployment have in common. `now` is milliseconds."""

    stores: Stores
    gateway: Gateway
    now: Callable[[], int]
    new_nonce: Callable[[], str]
    parallel_map: ParallelMap = in_turn
    pause: Callable[[int], None] = nobody
    begin: Callable[[], None] = at_once
    connection_limit: int = CONNECTION_LIMIT
    checks: PresenceChecks = field(default_factory=FakePresenceChecks)

    @cached_property
    def sight(self) -> Sight:
        return Sight(self.stores.relations, self.stores.memberships, self.stores.sessions, self.parallel_map)

    @property
    def telling(self) -> Telling:
        return Telling(self.sight, self.stores.watches, self.gateway, encode_plainly)

    @property
    def connect(self) -> connect_module.Ports:
        import functions.connect.handler as connect_module

        return connect_module.Ports(self.sight, self.stores.watches, self.gateway, self.checks, self.connection_limit)

    def limiter(self, limit: Limit = Limit(20, 200), buckets: Buckets | None = None) -> RateLimiter:  # noqa: B008  # frozen
        return RateLimiter(limit, buckets or self.stores.buckets, self.now)

    def guard(
        self,
        messages: RateLimiter | None = None,
        *,
        rate: int = 50,
        frames: int = 500,
        costly: Mapping[str, tuple[int, int]] | None = None,
        abuse: int = 100,
        frame_limit: int = 32_768,
    ) -> Guard:
        """What one instance of the message function remembers. `costly` is the function's own where it is not given."""
        from functions.message.guard import COSTLY, Guard

        rates = COSTLY if costly is None else costly
        return Guard(
            messages=messages or self.limiter(),
            frames=FrameLimiter(rate, frames, self.now),
            costly={kind: FrameLimiter(*rate, self.now) for kind, rate in rates.items()},
            frame_limit=frame_limit,
            abuse=AbuseWatch(abuse, self.now),
            sessions=self.stores.sessions,
            gateway=self.gateway,
        )

    def message(
        self,
        *,
        verify: Callable[[str], Identity],
        report: Callable[[Delivered], None] = nobody,
        **settings: Any,
    ) -> message_module.Ports:
        import functions.message.routes as message_module

        ports = message_module.Ports(
            log=self.stores.log,
            memberships=self.stores.memberships,
            files=self.stores.files,
            blocks=self.stores.blocks,
            relations=self.stores.relations,
            sessions=self.stores.sessions,
            watches=self.stores.watches,
            gateway=self.gateway,
            parallel_map=self.parallel_map,
            now=self.now,
            pause=self.pause,
            begin=self.begin,
            new_nonce=self.new_nonce,
            report=report,
            verify=verify,
            connection_limit=self.connection_limit,
            edit_window_s=0,
            inline_limit=200,
            receipts_limit=100,
            page_limit=100,
            bounds=PROTOCOL,
            rosters=Rosters(),
        )
        return replace(ports, **settings)

    def rest(
        self,
        *,
        verifier: TokenVerifier,
        objects: Objects,
        clock: ReminderScheduler,
        looks: DeliveryCheckQueue,
        new_secret: Callable[[], str],
        report: Callable[[Delivered], None] = nobody,
        **settings: Any,
    ) -> rest_module.Ports:
        import functions.rest.ports as rest_module

        ports = rest_module.Ports(
            verifier=verifier,
            tickets=self.stores.tickets,
            log=self.stores.log,
            memberships=self.stores.memberships,
            files=self.stores.files,
            objects=objects,
            blocks=self.stores.blocks,
            contacts=self.stores.contacts,
            relations=self.stores.relations,
            profiles=self.stores.profiles,
            sessions=self.stores.sessions,
            watches=self.stores.watches,
            devices=self.stores.devices,
            notifications=self.stores.notifications,
            reminders=self.stores.reminders,
            clock=clock,
            looks=looks,
            gateway=self.gateway,
            parallel_map=self.parallel_map,
            limiter=self.limiter(),
            invites=InviteLimiter(Limit(200, 1_000, per_s=HOUR_S), self.stores.invites, self.now),
            now=self.now,
            pause=self.pause,
            begin=self.begin,
            new_nonce=self.new_nonce,
            new_secret=new_secret,
            report=report,
            edit_window_s=0,
            group_limit=100,
            inline_limit=200,
            receipts_limit=100,
            page_limit=100,
            device_limit=2,
            reminder_limit=2,
            second_look_s=SECOND_LOOK_S,
            sizes=SizeLimits(image=10_000, file=100_000),
            bounds=PROTOCOL,
            rosters=Rosters(),
        )
        return replace(ports, **settings)

    def push(
        self,
        *,
        provider: PushGateway,
        pushes: PushQueue,
        looks: DeliveryCheckQueue,
        shards: ShardQueue,
        report: Callable[[Delivered], None] = nobody,
        **settings: Any,
    ) -> push_module.Ports:
        """Every platform is the one provider's."""
        import functions.offline_push.ports as push_module

        ports = push_module.Ports(
            log=self.stores.log,
            memberships=self.stores.memberships,
            sessions=self.stores.sessions,
            gateway=self.gateway,
            devices=self.stores.devices,
            claims=self.stores.claims,
            push_contexts=self.stores.push_contexts,
            notifications=self.stores.notifications,
            reminders=self.stores.reminders,
            push_gateway=lambda _: provider,
            push_queue=pushes,
            look_queue=looks,
            shard_queue=shards,
            parallel_map=self.parallel_map,
            report=report,
            report_push=lambda _planned, _result: None,
            count=nobody,
            now=self.now,
            jitter=lambda ms: ms,
            pause_ms=nobody,
            rate=500,
            second_look_s=SECOND_LOOK_S,
            begin=self.begin,
        )
        return replace(ports, **settings)
