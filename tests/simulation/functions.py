"""The deployed functions: the real handlers, core and adapters, in instances that come, go and forget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

import functions.connect.handler as connect_module
import functions.disconnect.handler as disconnect_module
import functions.message.handler as message_module
import functions.offline_push.handler as push_module
import functions.presence.handler as presence_module
import shared.reporting as reporting_module
from functions.connect.handler import Ports as ConnectPorts
from functions.message.guard import COSTLY, Guard
from functions.message.routes import Ports as MessagePorts
from functions.offline_push.ports import Ports as PushPorts
from functions.offline_push.shard_queue import SqsShardQueue
from shared.aws.bucket_table import DynamoDbBuckets
from shared.aws.claim_table import DynamoDbClaims
from shared.aws.connections import ApiGatewayConnections
from shared.aws.contact_table import DynamoDbBlocks, DynamoDbRelations
from shared.aws.device_table import DynamoDbDevices
from shared.aws.file_table import DynamoDbFiles
from shared.aws.log_table import DynamoDbConversationLog
from shared.aws.member_table import DynamoDbMemberships
from shared.aws.notice_table import DynamoDbNotices
from shared.aws.parallel import Spreader
from shared.aws.push_queues import SqsLookQueue, SqsPushQueue
from shared.aws.queue import SqsPresenceChecks, SqsQueue
from shared.aws.reminder_table import DynamoDbReminders
from shared.aws.session_table import DynamoDbSessions
from shared.aws.standing_table import DynamoDbStandings
from shared.aws.watch_table import DynamoDbWatches
from shared.chat.changing import Changed, Writing, announce
from shared.chat.rules import PROTOCOL
from shared.config import AwsEnvironment
from shared.connection.models import Identity
from shared.connection.presence import Sight, Telling
from shared.limits.buckets import Limit, RateLimiter
from shared.limits.frames import AbuseWatch, FrameLimiter
from shared.notification.models import FCM
from shared.reporting import reporter
from shared.wire.events import encode_plainly
from tests.simulation.scheduler import Hub
from tests.simulation.services import DynamoDb, Provider, Sqs, pause

if TYPE_CHECKING:
    from shared.aws.json_service import JsonService

BASE_MS: Final = 1_795_431_200_000
LOG, MEMBERS, SESSIONS = "log", "members", "sessions"
CONNECTION_LIMIT: Final = 3
GRACE_S: Final = 2
SECOND_LOOK_S: Final = 3
INLINE_LIMIT: Final = 3
_ENVIRONMENT: Final = AwsEnvironment("us-east-1", "key", "secret", "", "")


class Connections(ApiGatewayConnections):
    """The real one, over a gateway that is called and not dialled."""

    def __init__(
        self, request: Callable[[str, str, bytes], int], *, spreader: Any, pause: Callable[[int], None]
    ) -> None:
        super().__init__("http://gateway", _ENVIRONMENT, spreader=cast("Spreader", spreader), pause=pause)
        self._request_of_gateway = request

    def _request(self, method: str, connection_id: str, data: bytes) -> int:
        return self._request_of_gateway(method, connection_id, data)


@dataclass
class Environment:
    """What every instance of a deployment shares: the services behind the adapters, and where unexpected errors go."""

    hub: Hub
    dynamodb: DynamoDb
    sqs: Sqs
    provider: Provider
    request_of_gateway: Callable[[str, str, bytes], int]
    nonces: Iterator[int]
    fan_out_above: int = INLINE_LIMIT


@dataclass
class Instance:
    """One instance of a function. `skew` (ms) is how far its clock is off."""

    environment: Environment
    skew: int = 0
    made: dict[str, Any] = field(default_factory=dict)

    def now(self) -> int:
        return BASE_MS + int(self.environment.hub.now) + self.skew

    def new_nonce(self) -> str:
        return f"n{next(self.environment.nonces)}"

    def pause(self, attempt: int) -> None:
        pause(self.environment.hub, attempt)

    def port(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self.made:
            self.made[name] = make()
        return self.made[name]

    # --- ports that several functions have

    @property
    def log(self) -> DynamoDbConversationLog:
        return DynamoDbConversationLog(self.environment.dynamodb, log_table=LOG, members_table=MEMBERS)

    @property
    def memberships(self) -> DynamoDbMemberships:
        return DynamoDbMemberships(self.environment.dynamodb, members_table=MEMBERS)

    @property
    def sessions(self) -> DynamoDbSessions:
        return DynamoDbSessions(self.environment.dynamodb, sessions_table=SESSIONS)

    @property
    def watches(self) -> DynamoDbWatches:
        return DynamoDbWatches(self.environment.dynamodb, members_table=MEMBERS)

    @property
    def gateway(self) -> Connections:
        hub = self.environment.hub
        return Connections(self.environment.request_of_gateway, spreader=hub.spread, pause=self.pause)

    @property
    def checks(self) -> SqsPresenceChecks:
        return SqsPresenceChecks(self.queue("presence"), grace_s=GRACE_S)

    @property
    def sight(self) -> Sight:
        relations = DynamoDbRelations(self.environment.dynamodb, members_table=MEMBERS)
        return Sight(relations, self.memberships, self.sessions, self.environment.hub.spread)

    def queue(self, name: str) -> SqsQueue:
        return SqsQueue(cast("JsonService", self.environment.sqs), name)

    # --- the functions

    @property
    def message(self) -> tuple[MessagePorts, Guard]:
        made: tuple[MessagePorts, Guard] = self.port("message", self._message)
        return made

    def _message(self) -> tuple[MessagePorts, Guard]:
        dynamodb, sight, gateway = self.environment.dynamodb, self.sight, self.gateway
        ports = MessagePorts(
            log=self.log,
            memberships=sight.memberships,
            files=DynamoDbFiles(dynamodb, members_table=MEMBERS),
            blocks=DynamoDbBlocks(dynamodb, members_table=MEMBERS),
            relations=sight.relations,
            sessions=sight.sessions,
            watches=self.watches,
            gateway=gateway,
            spread=sight.spread,
            now=self.now,
            pause=self.pause,
            new_nonce=self.new_nonce,
            report=reporter("message", self.checks),
            verify=lambda user: Identity(user, self.now() + 3_600_000),
            connection_limit=CONNECTION_LIMIT,
            edit_window_s=0,
            inline_limit=self.environment.fan_out_above,
            receipts_limit=100,
            page_limit=5,
            bounds=PROTOCOL,
        )
        buckets = DynamoDbBuckets(dynamodb, members_table=MEMBERS)
        guard = Guard(
            messages=RateLimiter(Limit(20, 200), buckets, self.now),
            frames=FrameLimiter(50, 500, self.now),
            costly={kind: FrameLimiter(rate, burst, self.now) for kind, (rate, burst) in COSTLY.items()},
            frame_limit=32_768,
            abuse=AbuseWatch(100, self.now),
            sessions=sight.sessions,
            gateway=gateway,
        )
        return ports, guard

    @property
    def connect(self) -> ConnectPorts:
        made: ConnectPorts = self.port(
            "connect", lambda: ConnectPorts(self.sight, self.watches, self.gateway, CONNECTION_LIMIT)
        )
        return made

    @property
    def telling(self) -> Telling:
        made: Telling = self.port("telling", lambda: Telling(self.sight, self.watches, self.gateway, encode_plainly))
        return made

    @property
    def writing(self) -> Writing:
        """Of the HTTP API."""
        dynamodb = self.environment.dynamodb
        files = DynamoDbFiles(dynamodb, members_table=MEMBERS)
        above = self.environment.fan_out_above
        return Writing(self.log, self.memberships, files, self.now, self.pause, self.new_nonce, above)

    @property
    def blocks(self) -> DynamoDbBlocks:
        return DynamoDbBlocks(self.environment.dynamodb, members_table=MEMBERS)

    def announce(self, changed: Changed) -> None:
        """As the HTTP API tells everyone of a change."""
        ports, _ = self.message
        delivered = announce(changed, posting=ports.posting, now=self.now())
        if delivered is not None:
            ports.report(delivered)

    @property
    def push(self) -> PushPorts:
        made: PushPorts = self.port("push", self._push)
        return made

    def _push(self) -> PushPorts:
        dynamodb, sight = self.environment.dynamodb, self.sight
        hub = self.environment.hub
        return PushPorts(
            log=self.log,
            memberships=sight.memberships,
            sessions=sight.sessions,
            gateway=self.gateway,
            devices=DynamoDbDevices(dynamodb, members_table=MEMBERS),
            claims=DynamoDbClaims(dynamodb, members_table=MEMBERS, new_nonce=self.new_nonce),
            standings=DynamoDbStandings(dynamodb, members_table=MEMBERS),
            notices=DynamoDbNotices(dynamodb, members_table=MEMBERS, spread=sight.spread),
            reminders=DynamoDbReminders(dynamodb, members_table=MEMBERS),
            push_gateway=lambda _: self.environment.provider,
            push_queue=SqsPushQueue({FCM: self.queue("push")}),
            look_queue=SqsLookQueue(self.queue("look")),
            shard_queue=SqsShardQueue(self.queue("fan-out")),
            spread=sight.spread,
            report=reporter("offline-push", self.checks),
            report_push=lambda planned, result: None,
            count=lambda name: None,
            now=self.now,
            jitter=lambda ms: hub.random.randrange(ms + 1),
            pause_ms=hub.wait,
            rate=500,
            second_look_s=SECOND_LOOK_S,
        )


@dataclass
class Log:
    """Stands for a function's logger: keeps what nobody expected, and drops the rest."""

    unexpected: list[str] = field(default_factory=list)

    def error(self, text: str, *, extra: Any = None) -> None:
        self.unexpected.append(f"{text}: {extra}")

    def warning(self, text: str, *, extra: Any = None) -> None:
        return

    info = warning


_MODULES: Final[Sequence[Any]] = (connect_module, disconnect_module, message_module, push_module, presence_module)
_COUNTING: Final[Sequence[Any]] = (connect_module, message_module, reporting_module)


@contextmanager
def quietly() -> Iterator[Log]:
    """Nothing is printed for logs and metrics while simulations run: there would be more of it than of all else."""
    log = Log()
    before = [(module, "_LOGGER", module._LOGGER) for module in _MODULES]
    before += [(module, "count", module.count) for module in _COUNTING]
    for module in _MODULES:
        module._LOGGER = log
    for module in _COUNTING:
        module.count = _dropped
    try:
        yield log
    finally:
        for module, name, value in before:
            setattr(module, name, value)


def _dropped(*_: Any, **__: Any) -> None:
    """A metric that nobody looks at."""
