"""The shards of large groups on their way through SQS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from shared.adapters.aws.sqs import SqsQueue
from shared.domain.fan_out import Shard

SHARD: Final = "shard"


class SqsShardQueue:
    """ShardQueue on an SQS queue, which this same function consumes, a bounded number at a time.

    Fair between groups: a busy one waits behind itself.
    """

    def __init__(self, queue: SqsQueue) -> None:
        self._queue = queue

    def put(self, shards: Sequence[Shard]) -> None:
        bodies = (
            {
                "kind": SHARD,
                "conversation_id": shard.conversation_id,
                "seq": shard.seq,
                "users": list(shard.users),
                "queued_at": shard.queued_at,
            }
            for shard in shards
        )
        self._queue.send_all(bodies, fair_by="conversation_id")


def shard_from(body: Mapping[str, Any]) -> Shard:
    """The shard in a message of the queue; those of the first version don't say since when. Raises for a bad one."""
    queued_at = body.get("queued_at")
    return Shard(
        str(body["conversation_id"]),
        int(body["seq"]),
        tuple(map(str, body["users"])),
        None if queued_at is None else int(queued_at),
    )
