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
from functions.message.guard import Guard
from functions.message.routes import Ports as MessagePorts
from functions.offline_push.ports import Ports as PushPorts
from functions.offline_push.shard_queue import SqsShardQueue
from shared.aws.connections import ApiGatewayConnections
from shared.aws.parallel import Spreader
from shared.aws.push_queues import SqsLookQueue, SqsPushQueue
from shared.aws.queue import SqsPresenceChecks, SqsQueue
from shared.chat.changing import Changed, Writing, announce
from shared.config import AwsEnvironment
from shared.connection.models import Identity
from shared.notification.models import FCM
from shared.reporting import reporter
from tests.simulation.scheduler import Hub
from tests.simulation.services import DynamoDb, Provider, Sqs, pause
from tests.stores import Stores, adapters
from tests.wiring import Wiring

if TYPE_CHECKING:
    from shared.aws.json_service import JsonService

BASE_MS: Final = 1_795_431_200_000
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

    # --- what several functions have

    @property
    def stores(self) -> Stores:
        made: Stores = self.port("stores", self._stores)
        return made

    def _stores(self) -> Stores:
        return adapters(self.environment.dynamodb, spread=self.environment.hub.spread, new_nonce=self.new_nonce)

    @property
    def wiring(self) -> Wiring:
        made: Wiring = self.port("wiring", self._wiring)
        return made

    def _wiring(self) -> Wiring:
        hub = self.environment.hub
        gateway = Connections(self.environment.request_of_gateway, spreader=hub.spread, pause=self.pause)
        return Wiring(self.stores, gateway, self.now, self.new_nonce, hub.spread, self.pause)

    @property
    def checks(self) -> SqsPresenceChecks:
        return SqsPresenceChecks(self.queue("presence"), grace_s=GRACE_S)

    def queue(self, name: str) -> SqsQueue:
        return SqsQueue(cast("JsonService", self.environment.sqs), name)

    # --- the functions

    @property
    def message(self) -> tuple[MessagePorts, Guard]:
        made: tuple[MessagePorts, Guard] = self.port("message", self._message)
        return made

    def _message(self) -> tuple[MessagePorts, Guard]:
        ports = self.wiring.message(
            verify=lambda user: Identity(user, self.now() + 3_600_000),
            report=reporter("message", self.checks),
            inline_limit=self.environment.fan_out_above,
            page_limit=5,
        )
        return ports, self.wiring.guard()

    @property
    def writing(self) -> Writing:
        """Of the HTTP API."""
        ports, _ = self.message
        return ports.writing

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
        hub = self.environment.hub
        return self.wiring.push(
            provider=self.environment.provider,
            pushes=SqsPushQueue({FCM: self.queue("push")}),
            looks=SqsLookQueue(self.queue("look")),
            shards=SqsShardQueue(self.queue("fan-out")),
            report=reporter("offline-push", self.checks),
            jitter=lambda ms: hub.random.randrange(ms + 1),
            pause_ms=hub.wait,
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
