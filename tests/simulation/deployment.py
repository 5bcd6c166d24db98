"""A deployment in the simulation: its functions, and everything that invokes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.simulation.faults import Fault, Weather
from tests.simulation.functions import Environment, Instance
from tests.simulation.gateway import Gateway
from tests.simulation.runtime import Runtime
from tests.simulation.scheduler import Hub
from tests.simulation.services import DynamoDb, Provider, Sqs
from tests.simulation.sources import Queues, Stream
from tests.simulation.store import Store


@dataclass(eq=False)
class Deployment:
    """`set_aside` is what came to a failure queue after all retries."""

    hub: Hub
    weather: Weather
    store: Store
    fan_out_above: int
    longest_latency: float
    set_aside: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.runtime = Runtime(self.hub, self.weather, self.longest_latency)
        self.gateway = Gateway(self.runtime)
        self.queues = Queues(self.runtime, self.set_aside)
        self.stream = Stream(self.runtime, self.set_aside)
        self.provider = Provider(self.hub, self.weather)
        self.runtime.environment = Environment(
            hub=self.hub,
            dynamodb=DynamoDb(self.hub, self.weather, self.store),
            sqs=Sqs(self.hub, self.weather, self.queues.enqueue),
            provider=self.provider,
            request_of_gateway=self.gateway.answer_post,
            nonces=count(1),
            fan_out_above=self.fan_out_above,
        )

    def request(self, call: Callable[[Instance], Any], answered: Callable[[Any], None]) -> None:
        """A request to the HTTP API: what `call` returns, or None where no answer comes."""

        def done(result: Any) -> None:
            lost = self.weather.strikes(Fault.REPLY_LOST)
            self.hub.after(self.runtime.latency(), lambda: answered(None if lost else result))

        self.hub.after(self.runtime.latency(), lambda: self.runtime.invoke("rest", call, done))

    @property
    def is_idle(self) -> bool:
        """Nothing waits in the stream, or in a queue."""
        return not self.queues.waiting and self.stream.is_idle
