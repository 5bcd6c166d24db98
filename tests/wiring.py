"""The functions' wiring, over whatever a test has for stores and services.

Each function is imported where it is wired: its tests run with its own dependencies alone. The limits are small where a
test wants to reach them and generous elsewhere; `limits` are what a test has otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from shared.domain.connections import Identity
from shared.domain.files import SizeLimits
from shared.domain.limits import Limit
from shared.domain.reports import REPORTS
from shared.limits.invites import DAY_S, HOUR_S, InviteLimiter
from shared.limits.limiters import AbuseWatch, FrameLimiter, RateLimiter
from shared.operations.context import Context, Limits
from shared.operations.rosters import Rosters
from shared.ports.jobs import Archive, JobQueue
from shared.ports.people import Buckets
from shared.ports.services import (
    BroadcastQueue,
    DeliveryCheckQueue,
    Gateway,
    Objects,
    Observer,
    ParallelMap,
    PresenceChecks,
    PresenceServices,
    PushGateway,
    PushQueue,
    PushServices,
    ReminderScheduler,
    RestServices,
    Services,
    ShardQueue,
    SweepQueue,
)
from shared.ports.webhooks import Outlet
from shared.wire.events import encode_plainly
from tests.fakes import (
    FakeArchive,
    FakeBroadcastQueue,
    FakeDeliveryCheckQueue,
    FakeGateway,
    FakeJobQueue,
    FakeNonces,
    FakeObjects,
    FakeObserver,
    FakePresenceChecks,
    FakeReminderScheduler,
    FakeSweepQueue,
    in_turn,
)
from tests.fakes.webhooks import FakeErrands
from tests.stores import Stores

if TYPE_CHECKING:
    import functions.connect.handler as connect_module
    import functions.message.wiring as message_module
    import functions.offline_push.wiring as push_module
    import functions.presence.handler as presence_module
    import functions.rest.wiring as rest_module
    from functions.message.handler import Guard
    from shared.auth.tokens import TokenVerifier

CONNECTION_LIMIT = 3
DELIVERY_CHECK_S = 5


def at_once() -> None:
    """An invocation begins, and time does not pass."""


def ignore(_: object) -> None:
    """Is told, and does nothing about it."""


def make_context(
    now: Callable[[], int],
    new_nonce: Callable[[], str],
    *,
    pause: Callable[[int], None] = ignore,
    wait_ms: Callable[[int], None] = ignore,
    new_secret: Callable[[], str] | None = None,
    jitter: Callable[[int], int] = lambda ms: ms,
    rosters: Rosters | None = None,
    **limits: Any,
) -> Context:
    """What operations have in common, with generous limits but for those that a test gives."""
    generous: dict[str, Any] = {
        "connection_limit": CONNECTION_LIMIT,
        "group_limit": 100,
        "channel_members": 100_000,
        "inline_limit": 200,
        "receipts_limit": 100,
        "page_limit": 100,
        "reply_limit": 31_000,
        "device_limit": 2,
        "reminder_limit": 2,
        "audit_days": 400,
        "delivery_check_s": DELIVERY_CHECK_S,
        "fan_out_rate": 500,
        "channel_rate": 2_000,
        "sync_rate": 500,
        "digest_limit": 0,
        "digest_s": 900,
        "sizes": SizeLimits(image=10_000, file=100_000),
    }
    return Context(
        now=now,
        pause=pause,
        wait_ms=wait_ms,
        new_nonce=new_nonce,
        new_secret=new_secret or new_nonce,
        jitter=jitter,
        limits=Limits(**{**generous, **limits}),
        rosters=Rosters() if rosters is None else rosters,
    )


def rest_services(gateway: Gateway | None = None, **services: Any) -> RestServices:
    """The HTTP API's, with fakes for what a test does not give by its name."""
    made: dict[str, Any] = {
        "gateway": gateway or FakeGateway(),
        "parallel_map": in_turn,
        "encode": encode_plainly,
        "observer": FakeObserver(),
        "presence_checks": FakePresenceChecks(),
        "delivery_checks": FakeDeliveryCheckQueue(),
        "broadcast_queue": FakeBroadcastQueue(),
        "objects": FakeObjects(),
        "scheduler": FakeReminderScheduler(),
        "job_queue": FakeJobQueue(),
        "archive": FakeArchive(),
    }
    return RestServices(**{**made, **services})


def parts(stores: Stores, now: int = 1) -> dict[str, Any]:
    """What operations take, at one moment."""
    return {"stores": stores, "services": rest_services(), "context": make_context(lambda: now, FakeNonces())}


@dataclass(frozen=True)
class Wiring:
    """What the functions of one deployment have in common. `now` is milliseconds."""

    stores: Stores
    gateway: Gateway
    now: Callable[[], int]
    new_nonce: Callable[[], str]
    parallel_map: ParallelMap = in_turn
    pause: Callable[[int], None] = ignore
    wait_ms: Callable[[int], None] = ignore
    begin: Callable[[], None] = at_once
    connection_limit: int = CONNECTION_LIMIT
    checks: PresenceChecks = field(default_factory=FakePresenceChecks)
    observer: Observer = field(default_factory=FakeObserver)

    def context(self, **settings: Any) -> Context:
        limits = {"connection_limit": self.connection_limit, **settings}
        return make_context(self.now, self.new_nonce, **{"pause": self.pause, "wait_ms": self.wait_ms, **limits})

    @property
    def services(self) -> Services:
        return Services(self.gateway, self.parallel_map, encode_plainly, self.observer, self.checks)

    @property
    def connect(self) -> connect_module.Wiring:
        import functions.connect.handler as connect_module

        return connect_module.Wiring(self.stores, self.services, self.connection_limit, self.begin)

    @property
    def presence(self) -> presence_module.Wiring:
        import functions.presence.handler as presence_module

        services = PresenceServices(self.gateway, self.parallel_map, encode_plainly, self.observer)
        return presence_module.Wiring(self.stores, services, self.begin)

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
        from functions.message.handler import Guard
        from functions.message.wiring import COSTLY, Limiters

        rates = COSTLY if costly is None else costly
        limiters = Limiters(
            messages=messages or self.limiter(),
            frames=FrameLimiter(rate, frames, self.now),
            costly={kind: FrameLimiter(*rate, self.now) for kind, rate in rates.items()},
            frame_limit=frame_limit,
            abuse=AbuseWatch(abuse, self.now),
            begin=self.begin,
        )
        return Guard(limiters, self.stores, self.services)

    def message(self, *, verify: Callable[[str], Identity], **settings: Any) -> message_module.Wiring:
        import functions.message.wiring as message_module

        return message_module.Wiring(self.stores, self.services, self.context(**settings), verify)

    def rest(
        self,
        *,
        verifier: TokenVerifier,
        objects: Objects,
        scheduler: ReminderScheduler,
        delivery_checks: DeliveryCheckQueue,
        job_queue: JobQueue | None = None,
        archive: Archive | None = None,
        broadcast_queue: BroadcastQueue | None = None,
        limiter: RateLimiter | None = None,
        invites: InviteLimiter | None = None,
        **settings: Any,
    ) -> rest_module.Wiring:
        import functions.rest.wiring as rest_module

        services = RestServices(
            self.gateway,
            self.parallel_map,
            encode_plainly,
            self.observer,
            self.checks,
            delivery_checks,
            broadcast_queue or FakeBroadcastQueue(),
            objects,
            scheduler,
            job_queue or FakeJobQueue(),
            archive or FakeArchive(),
        )
        return rest_module.Wiring(
            self.stores,
            services,
            self.context(**settings),
            verifier,
            limiter or self.limiter(),
            invites or InviteLimiter(Limit(200, 1_000, per_s=HOUR_S), self.stores.invites, self.now),
            InviteLimiter(REPORTS, self.stores.reporting, self.now, "Too many reports"),
            self.begin,
            exports=InviteLimiter(Limit(100, 100, per_s=DAY_S), self.stores.exporting, self.now, "Too many exports"),
            outlet=Outlet(
                self.stores.log, self.stores.webhooks, self.stores.cursors, FakeErrands(self.now), is_local=False
            ),
        )

    def push(
        self,
        *,
        provider: PushGateway,
        push_queue: PushQueue,
        delivery_checks: DeliveryCheckQueue,
        shard_queue: ShardQueue,
        broadcast_queue: BroadcastQueue | None = None,
        sweep_queue: SweepQueue | None = None,
        objects: Objects | None = None,
        job_queue: JobQueue | None = None,
        archive: Archive | None = None,
        **settings: Any,
    ) -> push_module.Wiring:
        """Every platform is the one provider's."""
        import functions.offline_push.wiring as push_module

        services = PushServices(
            self.gateway,
            self.parallel_map,
            encode_plainly,
            self.observer,
            self.checks,
            delivery_checks,
            broadcast_queue or FakeBroadcastQueue(),
            push_queue,
            shard_queue,
            lambda _: provider,
            sweep_queue or FakeSweepQueue(),
            objects or FakeObjects(),
            job_queue or FakeJobQueue(),
            archive or FakeArchive(),
        )
        return push_module.Wiring(self.stores, services, self.context(**settings), self.begin)


def with_stores(wiring: Any, **stores: Any) -> Any:
    """A function's wiring with other stores, by name."""
    return replace(wiring, stores=replace(wiring.stores, **stores))


def with_limits(wiring: Any, **limits: Any) -> Any:
    """A function's wiring with other limits, by name."""
    context = wiring.context
    return replace(wiring, context=replace(context, limits=replace(context.limits, **limits)))
