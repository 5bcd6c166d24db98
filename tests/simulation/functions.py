"""The deployed functions: the real handlers, core and adapters, in instances that come, go and forget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final, cast

import functions.connect.authorizer as authorizer_module
import functions.connect.handler as connect_module
import functions.disconnect.handler as disconnect_module
import functions.files.handler as files_module
import functions.message.handler as message_module
import functions.offline_push.handler as push_module
import functions.presence.handler as presence_module
import functions.rest.handler as rest_module
import shared.auth.tokens as tokens_module
import shared.observability as observability_module
from functions.files.handler import Wiring as FilesWiring
from functions.files.handler import inspector
from functions.message.handler import Guard
from functions.message.wiring import Wiring as MessageWiring
from functions.offline_push.wiring import SqsShardQueue
from functions.offline_push.wiring import Wiring as PushWiring
from functions.rest.wiring import Wiring as RestWiring
from shared.adapters.aws.calls import ApiGatewayConnections, Post
from shared.adapters.aws.push_queues import (
    SqsBroadcastQueue,
    SqsDeliveryCheckQueue,
    SqsJobQueue,
    SqsPushQueue,
    SqsSweepQueue,
)
from shared.adapters.aws.s3 import S3Objects
from shared.adapters.aws.scheduler import EventBridgeReminderScheduler
from shared.adapters.aws.sqs import SqsPresenceChecks, SqsQueue
from shared.adapters.dynamodb.screening import DynamoDbVerdicts
from shared.auth.tokens import TokenVerifier
from shared.config import AwsEnvironment
from shared.domain.devices import APNS, FCM
from shared.domain.files import SizeLimits
from shared.domain.retention import Retention, Trimming
from shared.limits.invites import InviteLimiter
from shared.observability import FunctionObserver
from shared.operations.context import Context
from shared.request_log import RequestLog
from tests.calls import Unslept
from tests.fakes import FakeArchive
from tests.sdk import Borrowing
from tests.simulation.handlers import OF_AN_INSTANCE
from tests.simulation.limits import Limits
from tests.simulation.objects import Bucket, Schedules
from tests.simulation.providers import Provider
from tests.simulation.scheduler import Hub
from tests.simulation.screens import asking, screen_of
from tests.simulation.services import DynamoDb, Sqs, pause
from tests.simulation.tokens import KEYS, REMEMBERED
from tests.stores import MEMBERS, Stores, adapters
from tests.wire import Spoken
from tests.wiring import Wiring

if TYPE_CHECKING:
    from shared.adapters.aws.calls import JsonService

BASE_MS: Final = 1_795_431_200_000
GRACE_S: Final = 2
SECOND_LOOK_S: Final = 3
DIGEST_S: Final = 12
SIZES: Final = SizeLimits(image=400, file=100)
IMAGE_PIXELS: Final = 100
_ENVIRONMENT: Final = AwsEnvironment("us-east-1", "key", "secret", "", "http://services")


class Connections(ApiGatewayConnections):
    """The real one, over a gateway that is spoken to in bytes and not dialled. Virtual time decides who comes first."""

    def __init__(
        self, request: Callable[[str, str, bytes], int], *, parallel_map: Any, pause: Callable[[int], None]
    ) -> None:
        super().__init__("http://gateway", _ENVIRONMENT, deadline=Unslept(pause), fan_out_ms=float("inf"))
        self._parallel_map = parallel_map
        self._pool = Spoken("http://gateway", request)

    def carry_out_all(self, posts: Sequence[Post], data: bytes, *, until: float) -> None:
        self._parallel_map(lambda post: self.carry_out(post, data, until=until), posts)

    def _tell(self, call: str, failed: Mapping[str, Exception]) -> None:
        """Four thousand histories would be as many lines, and nobody to read them."""


@dataclass
class Environment:
    """What every instance of a deployment shares: the services behind the adapters, and what exports are made of."""

    hub: Hub
    dynamodb: DynamoDb
    sqs: Sqs
    provider: Provider
    request_of_gateway: Callable[[str, str, bytes], int]
    nonces: Iterator[int]
    bucket: Bucket
    schedules: Schedules
    limits: Limits = Limits()  # noqa: RUF009  # frozen
    archive: FakeArchive = field(default_factory=FakeArchive)


@dataclass
class Instance:
    """One instance of a function. `skew` (ms) is how far its clock is off."""

    environment: Environment
    skew: int = 0
    made: dict[str, Any] = field(default_factory=dict)
    has_begun: bool = False

    def begin(self) -> None:
        """Each invocation counts its time from its own begin, and not from the one before it."""
        self.has_begun = True

    def now(self) -> int:
        return BASE_MS + int(self.environment.hub.now) + self.skew

    def new_nonce(self) -> str:
        return f"n{next(self.environment.nonces)}"

    def new_secret(self) -> str:
        return f"s{next(self.environment.nonces):042}"

    @property
    def verifier(self) -> TokenVerifier:
        return TokenVerifier(KEYS, now=self.now)

    def pause(self, attempt: int) -> None:
        pause(self.environment.hub, attempt)

    def port(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self.made:
            self.made[name] = make()
        return self.made[name]

    # --- what several functions have

    @property
    def stores(self) -> Stores:
        made: Stores = self.port("stores", self._stores)
        return made

    def _stores(self) -> Stores:
        environment, limits = self.environment, self.environment.limits
        days = limits.kept_days
        return adapters(
            environment.dynamodb,
            parallel_map=environment.hub.parallel_map,
            new_nonce=self.new_nonce,
            trimming=Trimming(Retention(days, days, days), self.now) if limits.ends_messages else None,
        )

    def wiring_of(self, function: str) -> Wiring:
        made: Wiring = self.port(f"wiring of {function}", lambda: self._wiring(function))
        return made

    def _wiring(self, function: str) -> Wiring:
        hub = self.environment.hub
        gateway = Connections(self.environment.request_of_gateway, parallel_map=hub.parallel_map, pause=self.pause)
        most = self.environment.limits.connections
        return Wiring(
            self.stores,
            gateway,
            self.now,
            self.new_nonce,
            hub.parallel_map,
            self.pause,
            hub.wait,
            begin=self.begin,
            connection_limit=most,
            checks=self.checks,
            observer=FunctionObserver(function, cast("Any", _Said())),
        )

    @property
    def checks(self) -> SqsPresenceChecks:
        return SqsPresenceChecks(self.queue("presence"), grace_s=GRACE_S, now=self.now)

    def queue(self, name: str) -> SqsQueue:
        return SqsQueue(cast("JsonService", self.environment.sqs), name)

    # --- the functions

    @property
    def message(self) -> tuple[MessageWiring, Guard]:
        made: tuple[MessageWiring, Guard] = self.port("message", self._message)
        return made

    def _message(self) -> tuple[MessageWiring, Guard]:
        limits, wiring = self.environment.limits, self.wiring_of("message")
        made = wiring.message(
            verify=self.verifier.verify,
            inline_limit=limits.inline,
            receipts_limit=limits.receipts,
            page_limit=limits.page,
            edit_window_s=limits.edit_window_s,
        )
        made = replace(made, context=self.screened(made.context, wiring))
        guard = wiring.guard(
            wiring.limiter(limits.rate), rate=limits.frames[0], frames=limits.frames[1], abuse=limits.abuse
        )
        return made, guard

    @property
    def rest(self) -> RestWiring:
        made: RestWiring = self.port("rest", self._rest)
        return made

    def _rest(self) -> RestWiring:
        limits, wiring = self.environment.limits, self.wiring_of("rest")
        made = wiring.rest(
            verifier=self.verifier,
            objects=self.objects,
            scheduler=self.scheduler,
            delivery_checks=SqsDeliveryCheckQueue(self.queue("look")),
            broadcast_queue=SqsBroadcastQueue(self.queue("fan-out")),
            job_queue=SqsJobQueue(self.queue("look")),
            archive=self.environment.archive,
            new_secret=self.new_secret,
            limiter=wiring.limiter(limits.rate),
            invites=InviteLimiter(limits.invites, self.stores.invites, self.now),
            edit_window_s=limits.edit_window_s,
            group_limit=limits.group,
            inline_limit=limits.inline,
            receipts_limit=limits.receipts,
            page_limit=limits.page,
            device_limit=limits.devices,
            reminder_limit=limits.reminders,
            delivery_check_s=SECOND_LOOK_S,
            sizes=replace(SIZES, quota=limits.quota),
        )
        context = self.screened(made.context, wiring)
        return replace(made, context=context, has_word_lists=limits.moderated, has_shadow_bans=limits.moderated)

    def screened(self, context: Context, wiring: Wiring) -> Context:
        """With what messages go through, in a deployment that looks at them."""
        limits, environment = self.environment.limits, self.environment
        if not limits.moderated:
            return context
        verdicts = DynamoDbVerdicts(environment.dynamodb, members_table=MEMBERS)
        hook = asking(environment.hub, verdicts) if limits.hooked else None
        return replace(context, screen=screen_of(self.stores, context, hook, wiring.observer))

    @property
    def objects(self) -> S3Objects:
        s3 = Borrowing(lambda: self.environment.bucket.client, pause=self.pause, monotonic=self.monotonic)
        return S3Objects(s3, bucket="files", now=self.now)

    @property
    def scheduler(self) -> EventBridgeReminderScheduler:
        client = Borrowing(lambda: self.environment.schedules.client, pause=self.pause, monotonic=self.monotonic)
        return EventBridgeReminderScheduler(client, group="parley", queue_arn="look", role_arn="role", now=self.now)

    def monotonic(self) -> float:
        return self.environment.hub.now / 1_000

    @property
    def files(self) -> FilesWiring:
        return FilesWiring(self.stores.files, self.objects, inspector(IMAGE_PIXELS), self.begin, self.now)

    @property
    def push(self) -> PushWiring:
        made: PushWiring = self.port("push", self._push)
        return made

    def _push(self) -> PushWiring:
        hub = self.environment.hub
        return self.wiring_of("offline-push").push(
            provider=self.environment.provider,
            push_queue=SqsPushQueue({FCM: self.queue("fcm"), APNS: self.queue("apns")}),
            delivery_checks=SqsDeliveryCheckQueue(self.queue("look")),
            shard_queue=SqsShardQueue(self.queue("fan-out")),
            broadcast_queue=SqsBroadcastQueue(self.queue("fan-out")),
            sweep_queue=SqsSweepQueue(self.queue("looks")),
            job_queue=SqsJobQueue(self.queue("look")),
            archive=self.environment.archive,
            jitter=lambda ms: hub.random.randrange(ms + 1),
            wait_ms=hub.wait,
            delivery_check_s=SECOND_LOOK_S,
            fan_out_rate=self.environment.limits.fan_out_rate,
            digest_limit=self.environment.limits.digest,
            digest_s=DIGEST_S,
            withdrawals=(FCM, APNS),
        )


class _Said:
    """The log of the run that is on."""

    def warning(self, text: str, *, extra: Any = None) -> None:
        cast("Any", message_module)._LOGGER.warning(text, extra=extra)


@dataclass
class Log:
    """Stands for what functions print: their logs, metrics and lines of requests.

    `unexpected` are errors, `said` everything that was logged, `counted` the metrics, `requests` the lines.
    """

    unexpected: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    requests: list[str] = field(default_factory=list)

    def error(self, text: str, *, extra: Any = None) -> None:
        """A call that was refused in the end is what a history's faults are for, and nothing unexpected."""
        self.counted[text] += 1
        if text != observability_module.REFUSED:
            self.unexpected.append(f"{text}: {extra}")
        self.info(text, extra=extra)

    def warning(self, text: str, *, extra: Any = None) -> None:
        self.counted[text] += 1
        self.info(text, extra=extra)

    def info(self, text: str, *, extra: Any = None) -> None:
        self.said.append(f"{text}: {extra}")

    def count(self, name: str, *, function: str = "", value: int = 1, **dimensions: str) -> None:
        self.counted[name] += value


_MODULES: Final[Sequence[Any]] = (
    authorizer_module,
    connect_module,
    disconnect_module,
    files_module,
    message_module,
    presence_module,
    push_module,
    rest_module,
)
_COUNTING: Final[Sequence[Any]] = (connect_module, files_module, message_module, observability_module)
# Whether a frame or request gets a line, and what writes it.
_LINES: Final = ("_IS_UNLOGGED", "request_log")
_LOGGED: Final[Mapping[str, Any]] = {
    "authorizer": authorizer_module,
    "connect": connect_module,
    "disconnect": disconnect_module,
    "message": message_module,
    "rest": rest_module,
}


@contextmanager
def quietly(limits: Limits) -> Iterator[Log]:
    """Nothing is printed for logs and metrics while simulations run: there would be more of it than of all else.

    What stands in the code and is otherwise by `limits` is so meanwhile.
    """
    log, tokens = Log(), cast("Any", tokens_module)
    before = [(module, "_LOGGER", module._LOGGER) for module in _MODULES]
    before += [(module, "count", module.count) for module in _COUNTING]
    before += [(module, name, getattr(module, name)) for module, name, _ in limits.constants()]
    before += [(module, name, getattr(module, name)) for module, name in OF_AN_INSTANCE]
    before += [(module, name, getattr(module, name)) for module in _LOGGED.values() for name in _LINES]
    before += [(tokens, "jwt", tokens.jwt), (observability_module._Told, "logger", observability_module._Told.logger)]
    for module in _MODULES:
        module._LOGGER = log
    for module in _COUNTING:
        module.count = log.count
    observability_module._Told.logger = cast("Any", log)
    for name, module in _LOGGED.items():
        lines = RequestLog(name, write=log.requests.append)
        module._IS_UNLOGGED = repeat(not limits.logged).__next__
        module.request_log = {name: lines}.__getitem__
    tokens.jwt = REMEMBERED
    REMEMBERED.shrink()
    for module, name, value in limits.constants():
        setattr(module, name, value)
    try:
        yield log
    finally:
        for module, name, value in before:
            setattr(module, name, value)
