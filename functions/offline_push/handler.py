"""The stream of stored messages: a look at each, and a push to those who aren't there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from functions.offline_push.log_gateway import LogPushGateway
from shared.aws.dynamodb import dynamodb, from_item
from shared.aws.session_table import DynamoDbSessions
from shared.clock import now_ms
from shared.config import AwsEnvironment, OfflinePushSettings
from shared.connection.ports import Sessions
from shared.notification.models import StoredMessage
from shared.notification.offline import push_to_absent
from shared.notification.ports import PushGateway
from shared.observability import describe, make_logger

_SETTINGS = OfflinePushSettings.load()
_LOGGER = make_logger("offline-push", _SETTINGS.log_level)
_SESSIONS = DynamoDbSessions(dynamodb(AwsEnvironment.load()), sessions_table=_SETTINGS.sessions_table)
_PUSH_GATEWAY = LogPushGateway(_LOGGER)


def handler(event: Mapping[str, Any], _context: Any = None) -> dict[str, Any]:
    """One batch of stream records. The answer names the record to start again from, if any."""
    return look_at(event["Records"], sessions=_SESSIONS, push_gateway=_PUSH_GATEWAY, now=now_ms())


def look_at(
    records: Sequence[Mapping[str, Any]], *, sessions: Sessions, push_gateway: PushGateway, now: int
) -> dict[str, Any]:
    """Decode, one call into the core, encode.

    A record that can't be read is reported, and nothing behind it is touched: the event source retries from there, in
    smaller and smaller batches, and at last hands it to the failure queue while the shard goes on.
    """
    messages: list[StoredMessage] = []
    failed_at = None
    for index, record in enumerate(records):
        try:
            messages.append(_message(record))
        except Exception as error:  # noqa: BLE001  # poison takes any form, and must not stop the shard
            _LOGGER.error("unreadable stream record", extra=describe(error))
            failed_at = index
            break
    pushed = push_to_absent(messages, sessions=sessions, push_gateway=push_gateway, now=now)
    if pushed.failed_at is not None:
        failed_at = pushed.failed_at
    failures = [] if failed_at is None else [{"itemIdentifier": records[failed_at]["dynamodb"]["SequenceNumber"]}]
    return {"batchItemFailures": failures}


def _message(record: Mapping[str, Any]) -> StoredMessage:
    item = from_item(record["dynamodb"]["NewImage"])
    return StoredMessage(str(item["conversation_id"]), int(item["seq"]), str(item["sender_id"]))
