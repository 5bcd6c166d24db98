"""A deployment in the simulation: its functions, and everything that invokes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.dynamodb import Store
from tests.simulation import handlers
from tests.simulation.faults import Fault, FaultModel
from tests.simulation.functions import BASE_MS, Environment, Instance
from tests.simulation.gateway import Gateway
from tests.simulation.limits import Limits
from tests.simulation.objects import Bucket, Schedules
from tests.simulation.providers import Provider
from tests.simulation.requests import said
from tests.simulation.runtime import Runtime
from tests.simulation.scheduler import Hub, Process
from tests.simulation.services import DynamoDb, Sqs
from tests.simulation.sources import Queues, Stream, Sweeps, Uploads


@dataclass(frozen=True, slots=True)
class Requested:
    """A request that the HTTP function has answered, whether or not the answer came through."""

    process: Process
    event: dict[str, Any]
    status: int
    answer: str = ""


@dataclass(eq=False)
class Deployment:
    """`set_aside` is what came to a failure queue after all retries. `requests` are HTTP's that were answered."""

    hub: Hub
    fault_model: FaultModel
    store: Store
    limits: Limits
    longest_latency: float
    set_aside: list[str] = field(default_factory=list)
    requests: list[Requested] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.runtime = Runtime(self.hub, self.fault_model, self.longest_latency)
        self.gateway = Gateway(self.runtime)
        self.queues = Queues(self.runtime, self.set_aside)
        self.stream = Stream(self.runtime, self.set_aside, ends_entries=self.limits.ends_messages)
        self.uploads = Uploads(self.runtime, self.set_aside)
        self.sweeps = Sweeps(self.runtime)
        self.bucket = Bucket(self.hub, self.fault_model, self.uploads.arrived)
        self.schedules = Schedules(
            self.hub, self.fault_model, BASE_MS, lambda body: self.queues.enqueue("look", body, self.runtime.latency())
        )
        self.provider = Provider(self.hub, self.fault_model, BASE_MS)
        dynamodb = DynamoDb(self.hub, self.fault_model, self.store)
        self.puts = dynamodb.puts
        self.runtime.environment = Environment(
            hub=self.hub,
            dynamodb=dynamodb,
            sqs=Sqs(self.hub, self.fault_model, self.queues.enqueue),
            provider=self.provider,
            request_of_gateway=self.gateway.answer_post,
            nonces=count(1),
            bucket=self.bucket,
            schedules=self.schedules,
            limits=self.limits,
        )

    def request(self, event: dict[str, Any], answered: Callable[[tuple[int, Any] | None], None]) -> None:
        """A request to the HTTP API: its status and body, or None where no answer comes."""

        process: Any = None

        def done(result: Any) -> None:
            if result is not None:
                self.requests.append(Requested(process, event, result["statusCode"], result["body"] or ""))
            lost = self.fault_model.strikes(Fault.REPLY_LOST)
            answer = None if lost or result is None else said(result)
            self.hub.after(self.runtime.latency(), lambda: answered(answer))

        def call(instance: Instance) -> Any:
            return handlers.rest(instance, event)

        def arrive() -> None:
            nonlocal process
            process = self.runtime.invoke("rest", call, done)

        self.hub.after(self.runtime.latency(), arrive)

    @property
    def is_idle(self) -> bool:
        """Nothing waits in the stream, in a queue, or to be looked at."""
        return not (self.queues.waiting or self.uploads.waiting) and self.stream.is_idle
