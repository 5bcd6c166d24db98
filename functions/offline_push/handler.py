"""After an entry is stored: a look at each from the table's stream, and the shards of large groups from their queue."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions.offline_push.log_gateway import LogPushGateway
from functions.offline_push.shard_queue import SqsShardQueue, shard_from
from shared.aws.connections import ApiGatewayConnections
from shared.aws.dynamodb import dynamodb, from_item
from shared.aws.log_table import DynamoDbConversationLog
from shared.aws.member_table import DynamoDbMemberships
from shared.aws.parallel import Spreader
from shared.aws.queue import SqsPresenceChecks, SqsQueue, sqs
from shared.aws.session_table import DynamoDbSessions
from shared.chat.delivery import Delivered, Posting
from shared.chat.fan_out import Shard, deliver
from shared.chat.ports import ConversationLog, Memberships
from shared.clock import now_ms
from shared.config import AwsEnvironment, OfflinePushSettings
from shared.connection.ports import Gateway, Sessions
from shared.notification.models import StoredEntry
from shared.notification.offline import look_at_stored, push_to
from shared.notification.ports import PushGateway, ShardQueue
from shared.observability import describe, make_logger
from shared.reporting import reporter
from shared.wire.events import encode_plainly

_WIDTH = 32


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything that this function reaches the world through. `rate` is posts per second of one invocation."""

    log: ConversationLog
    memberships: Memberships
    sessions: Sessions
    gateway: Gateway
    push_gateway: PushGateway
    shard_queue: ShardQueue
    report: Callable[[Delivered], None]
    now: Callable[[], int]
    pause_ms: Callable[[int], None]
    rate: int


def _wire(settings: OfflinePushSettings, environment: AwsEnvironment) -> Ports:
    calls, queues = dynamodb(environment), sqs(environment)
    checks = SqsPresenceChecks(SqsQueue(queues, settings.presence_queue_url), grace_s=settings.presence_grace_s)
    spreader = Spreader(_WIDTH)
    return Ports(
        log=DynamoDbConversationLog(calls, log_table=settings.log_table, members_table=settings.members_table),
        memberships=DynamoDbMemberships(calls, members_table=settings.members_table),
        sessions=DynamoDbSessions(calls, sessions_table=settings.sessions_table),
        gateway=ApiGatewayConnections(settings.connections_endpoint, environment, spreader=spreader),
        push_gateway=LogPushGateway(_LOGGER),
        shard_queue=SqsShardQueue(SqsQueue(queues, settings.fan_out_queue_url)),
        report=reporter("offline-push", checks),
        now=now_ms,
        pause_ms=lambda ms: time.sleep(ms / 1_000),
        rate=settings.fan_out_rate,
    )


_SETTINGS = OfflinePushSettings.load()
_LOGGER = make_logger("offline-push", _SETTINGS.log_level)
_PORTS = _wire(_SETTINGS, AwsEnvironment.load())


def handler(event: Mapping[str, Any], _context: Any = None) -> dict[str, Any]:
    """One batch, of stream records or of shards. The answer names what has to come again, if anything."""
    records = event["Records"]
    if records and records[0].get("eventSource") == "aws:sqs":
        return fan_out(records, _PORTS)
    return look_at(records, _PORTS)


def look_at(records: Sequence[Mapping[str, Any]], ports: Ports) -> dict[str, Any]:
    """Decode, one call into the core, encode.

    A record that can't be read is reported, and nothing behind it is touched: the event source retries from there, in
    smaller and smaller batches, and at last hands it to the failure queue while the shard goes on.
    """
    entries: list[StoredEntry] = []
    failed_at = None
    for index, record in enumerate(records):
        if record.get("eventName") != "INSERT":
            continue  # the event source filters these out; a message that was edited is no new one
        try:
            entries.append(_entry(record))
        except Exception as error:  # noqa: BLE001  # poison takes any form, and must not stop the shard
            _LOGGER.error("unreadable stream record", extra=describe(error))
            failed_at = index
            break
    looked = look_at_stored(
        entries,
        memberships=ports.memberships,
        sessions=ports.sessions,
        push_gateway=ports.push_gateway,
        shard_queue=ports.shard_queue,
        now=ports.now(),
    )
    if looked.failed_at is not None:
        failed_at = looked.failed_at
    failures = [] if failed_at is None else [{"itemIdentifier": records[failed_at]["dynamodb"]["SequenceNumber"]}]
    return {"batchItemFailures": failures}


def fan_out(records: Sequence[Mapping[str, Any]], ports: Ports) -> dict[str, Any]:
    """Deliver each shard. One that fails comes again on its own, and at last to its failure queue."""
    failures = []
    for record in records:
        try:
            _deliver(shard_from(record), ports)
        except Exception as error:  # noqa: BLE001  # as above
            _LOGGER.error("shard not delivered", extra=describe(error))
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def _deliver(shard: Shard, ports: Ports) -> None:
    """Post the entry to the shard's live connections; a message is pushed to the others in it."""
    entry = ports.log.fetch([(shard.conversation_id, shard.seq)])[shard.conversation_id, shard.seq]
    done = deliver(
        entry,
        shard.users,
        rate=ports.rate,
        posting=Posting(ports.sessions, ports.gateway, encode_plainly),
        now=ports.now,
        pause_ms=ports.pause_ms,
    )
    for delivered in done.delivered:
        ports.report(delivered)
    if entry.is_readable:
        stored = StoredEntry(entry.conversation_id, entry.seq, entry.sender_id, fan_out=True)
        push_to([user for user in done.absent if user != entry.sender_id], stored, ports.push_gateway)


def _entry(record: Mapping[str, Any]) -> StoredEntry:
    item = from_item(record["dynamodb"]["NewImage"])
    return StoredEntry(
        str(item["conversation_id"]),
        int(item["seq"]),
        str(item["sender_id"]),
        is_message=item["kind"] == "message",
        fan_out=item.get("fan_out") is True,
    )
