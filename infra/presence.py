"""The presence check: after the grace period, whether a user whose connection has gone came back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from infra.queues import PRESENCE_SECONDS

if TYPE_CHECKING:
    from infra.connections import Connections
    from infra.function import FunctionFactory
    from infra.queues import Queues
    from infra.storage import Storage

_BATCH = 10


class Presence(Construct):
    """The consumer of the queue of presence checks. A user who is back by then was never gone."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: FunctionFactory,
        storage: Storage,
        connections: Connections,
        queues: Queues,
    ) -> None:
        super().__init__(scope, construct_id)
        self.function = functions.make(
            self,
            "Presence",
            folder="presence",
            description="Parley: tells who has come and gone",
            environment={
                **storage.environment("log", "sessions", "members"),
                **connections.environment,
                **functions.config.environment("presence_events"),
            },
            timeout_seconds=PRESENCE_SECONDS,
            memory_mb=256,
        )
        self.function.allow_items(storage.sessions, "BatchGetItem", "UpdateItem")
        self.function.allow_items(storage.members, "BatchGetItem", "DeleteItem", "Query")
        is_told = functions.config.presence_events == "on"
        self.function.allow_items(storage.log, "Query", *(("PutItem",) if is_told else ()))
        connections.allow(self.function)
        queues.presence_checks.feed(
            self.function, batch_size=_BATCH, max_concurrency=functions.config.presence_concurrency
        )
