"""After an entry is stored: the table's stream, and the queues of shards, delivery checks, due reminders and pushes.

And after something has changed where a push was noted: the members table's stream. And twice a day the look at who
missed a push.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, assert_never

from functions.offline_push.wiring import SHARD, Wiring, shard_from, wire
from shared.adapters.aws.push_queues import (
    BROADCAST,
    JOB,
    LOOK,
    LOOKS,
    MAIL,
    MAIL_STOP,
    PUSH,
    REMINDER,
    SWEEP,
    WITHDRAWAL,
    broadcast_from,
    job_from,
    looks_from,
    mail_round_from,
    mail_stop_from,
    step_from,
    sweep_from,
)
from shared.adapters.dynamodb.client import from_item
from shared.adapters.dynamodb.schema import IMPORTED, KEEP_SEQ, PK
from shared.adapters.dynamodb.shown import settled_from
from shared.config import AwsEnvironment, OfflinePushSettings
from shared.domain.broadcasts import BroadcastJob
from shared.domain.changes import KINDS, Deleted
from shared.domain.fan_out import Shard, StoredEntry
from shared.domain.jobs import JobStep
from shared.domain.mails import MailRound, MailStop
from shared.domain.notifications import DeliveryCheck, Digest
from shared.domain.packs import DuePack, Portion
from shared.domain.pushes import PushJob, Settled, SweepPart
from shared.observability import make_logger, unexpected
from shared.operations.broadcast_pages import carry_on
from shared.operations.fan_out import deliver_shard
from shared.operations.packs import make_pack
from shared.operations.portions import deliver_portion
from shared.operations.push.enqueueing import check_deliveries, enqueue_stored, send_digest
from shared.operations.push.missed import scheduled_sweep, sweep_missed
from shared.operations.push.sending import push_all
from shared.operations.push.withdrawing import enqueue_withdrawals
from shared.operations.reminders import Due, tell_due
from shared.operations.trimming import settle_end_before

_SETTINGS = OfflinePushSettings.load()
_LOGGER = make_logger("offline-push", _SETTINGS.log_level, _SETTINGS.stage)
_WIRING = wire(_SETTINGS, AwsEnvironment.load(), _LOGGER)

Work = (
    Shard
    | Portion
    | Sequence[DeliveryCheck | Digest | DuePack]
    | Due
    | SweepPart
    | MailRound
    | MailStop
    | PushJob
    | JobStep
    | BroadcastJob
)
_DELETED: Final = KINDS[Deleted]
# What comes from EventBridge by itself: a schedule of its own.
_SCHEDULE: Final = "aws.events"


def handler(event: Mapping[str, Any], _context: Any = None) -> dict[str, Any]:
    """One batch, of stream records or from a queue. The answer names what has to come again, if anything."""
    _WIRING.begin()
    records = event["Records"]
    if records and records[0].get("eventSource") == "aws:sqs":
        return work(records, _WIRING)
    if records and PK in records[0]["dynamodb"].get("OldImage", {}):
        return withdraw(records, _WIRING)
    return look_at(records, _WIRING)


def look_at(records: Sequence[Mapping[str, Any]], wiring: Wiring) -> dict[str, Any]:
    """Queue what stored entries need.

    A record that can't be read is reported, and so are those of a conversation that fails; all others are looked at all
    the same. The event source retries from the first that failed, and at last hands it to the failure queue.
    """
    entries: dict[int, StoredEntry] = {}
    stored: dict[int, StoredEntry] = {}
    failed: set[int] = set()
    for index, record in enumerate(records):
        if record.get("eventName") != "INSERT":
            continue  # the event source filters these out; a message that was edited is no new one
        try:
            entry = stored[index] = _entry(record)
            is_looked_at = entry.is_message or entry.fan_out or entry.deletes is not None
            if IMPORTED not in record["dynamodb"]["NewImage"] and is_looked_at:
                entries[index] = entry  # of history from elsewhere nobody is told, nor of what was posted by itself
        except Exception as error:  # noqa: BLE001  # poison takes any form, and must not stop the shard
            unexpected("unreadable stream record", error, logger=_LOGGER)
            failed.add(index)
    stores, services, context = wiring.stores, wiring.services, wiring.context
    to_come_again = enqueue_stored(
        list(entries.values()), pending=wiring.pending, stores=stores, services=services, context=context
    )
    for reason in to_come_again.values():
        unexpected("conversation not looked at", reason, logger=_LOGGER)
    failed |= {index for index, entry in entries.items() if entry.conversation_id in to_come_again}
    failed |= {index for index, entry in stored.items() if not _settled(entry, wiring)}
    numbers = [records[index]["dynamodb"]["SequenceNumber"] for index in sorted(failed)]
    return {"batchItemFailures": [{"itemIdentifier": number} for number in numbers]}


def _settled(entry: StoredEntry, wiring: Wiring) -> bool:
    """Have the entry before this one end, where entries do."""
    try:
        place, own = (entry.conversation_id, entry.seq), entry.keep_seq is not None
        settle_end_before(place, has_own_rule=own, stores=wiring.stores, now=wiring.context.now())
        if entry.keep_seq == entry.seq:
            from shared.operations.keeping import begin_keeping  # noqa: PLC0415  # few entries set a rule

            begin_keeping(place[0], stores=wiring.stores, services=wiring.services, context=wiring.context)
    except Exception as error:  # noqa: BLE001  # as above
        unexpected("end not settled", error, logger=_LOGGER)
        return False
    return True


def withdraw(records: Sequence[Mapping[str, Any]], wiring: Wiring) -> dict[str, Any]:
    """Have taken off what devices show of what is over, by rows of the members table. Failures are as above."""
    settled: dict[int, Settled] = {}
    failed: set[int] = set()
    now = wiring.context.now()
    for index, record in enumerate(records):
        try:
            old, new = (from_item(record["dynamodb"].get(image, {})) for image in ("OldImage", "NewImage"))
            one = settled_from(old, new or None, now=now)
        except Exception as error:  # noqa: BLE001  # as above
            unexpected("unreadable stream record", error, logger=_LOGGER)
            failed.add(index)
            continue
        if one is not None:
            settled[index] = one
    stores, services, context = wiring.stores, wiring.services, wiring.context
    latest = list(dict.fromkeys(settled.values()))
    to_come_again = enqueue_withdrawals(latest, stores=stores, services=services, context=context)
    for reason in to_come_again.values():
        unexpected("push not withdrawn", reason, logger=_LOGGER)
    failed |= {index for index, one in settled.items() if one in to_come_again}
    numbers = [records[index]["dynamodb"]["SequenceNumber"] for index in sorted(failed)]
    return {"batchItemFailures": [{"itemIdentifier": number} for number in numbers]}


def work(records: Sequence[Mapping[str, Any]], wiring: Wiring) -> dict[str, Any]:
    """Do what each message of a queue asks for. One that fails comes again on its own."""
    failed: list[str] = []
    jobs: dict[str, PushJob] = {}
    checks: dict[str, list[DeliveryCheck]] = {}
    for record in records:
        message_id = record["messageId"]
        try:
            body = json.loads(record["body"])
            is_scheduled = body.get("source") == _SCHEDULE
            task = scheduled_sweep(wiring.context.now()) if is_scheduled else _READERS[body["kind"]](body)
            if isinstance(task, PushJob):
                jobs[message_id] = task
            elif isinstance(task, Sequence):
                checks[message_id] = [look for look in task if isinstance(look, DeliveryCheck)]
                for other in [look for look in task if not isinstance(look, DeliveryCheck)]:
                    _carry_out(other, wiring)
            else:
                _carry_out(task, wiring)
        except Exception as error:  # noqa: BLE001  # as above
            unexpected("work not done", error, logger=_LOGGER)
            failed.append(message_id)
    failed += _check(checks, wiring)
    failed += _push(jobs, wiring)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _check(checks: Mapping[str, Sequence[DeliveryCheck]], wiring: Wiring) -> list[str]:
    """All delivery checks together, whichever message they came in."""
    looks = list(dict.fromkeys(look for some in checks.values() for look in some))
    if not looks:
        return []
    stores, services, context = wiring.stores, wiring.services, wiring.context
    to_come_again = check_deliveries(looks, stores=stores, services=services, context=context)
    for reason in to_come_again.values():
        unexpected("delivery not checked", reason, logger=_LOGGER)
    return [message_id for message_id, some in checks.items() if not to_come_again.keys().isdisjoint(some)]


def _push(jobs: Mapping[str, PushJob], wiring: Wiring) -> list[str]:
    """All pushes together; one by one where that fails, so that one bad job does not take the others with it."""
    try:
        if jobs:
            stores, services, context = wiring.stores, wiring.services, wiring.context
            push_all(list(jobs.values()), resting=wiring.resting, stores=stores, services=services, context=context)
    except Exception as error:  # noqa: BLE001  # as above
        if len(jobs) > 1:
            return [failed for message_id, job in jobs.items() for failed in _push({message_id: job}, wiring)]
        unexpected("push not carried out", error, logger=_LOGGER)
        return list(jobs)
    return []


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Work]]] = {
    SHARD: shard_from,
    LOOK: looks_from,
    LOOKS: looks_from,
    PUSH: job_from,
    WITHDRAWAL: job_from,
    SWEEP: sweep_from,
    MAIL: mail_round_from,
    MAIL_STOP: mail_stop_from,
    JOB: step_from,
    BROADCAST: broadcast_from,
    REMINDER: lambda body: Due(str(body["user_id"]), str(body["reminder_id"])),
}


def _carry_out(
    task: Shard | Portion | Digest | DuePack | Due | SweepPart | MailRound | MailStop | JobStep | BroadcastJob,
    wiring: Wiring,
) -> None:
    stores, services, context = wiring.stores, wiring.services, wiring.context
    match task:
        case Shard():
            deliver_shard(task, later=wiring.later, stores=stores, services=services, context=context)
        case Portion():
            deliver_portion(task, stores=stores, services=services, context=context)
        case DuePack():
            make_pack(task, stores=stores, services=services, context=context)
        case Digest():
            send_digest(task, stores=stores, services=services, context=context)
        case Due():
            tell_due(task, stores=stores, services=services, context=context)
        case SweepPart():
            sweep_missed(task, stores=stores, services=services, context=context)
        case MailRound() | MailStop():
            _mail(task, wiring)
        case JobStep():
            from shared.operations.jobs import advance  # noqa: PLC0415  # few invocations come to a job

            advance(task, stores=stores, services=services, context=context)
        case BroadcastJob():
            carry_on(task, stores=stores, services=services, context=context)
        case _:
            assert_never(task)


def _mail(task: MailRound | MailStop, wiring: Wiring) -> None:
    """Few deployments mail, and the others load nothing for it."""
    stores, services, context = wiring.stores, wiring.services, wiring.context
    if isinstance(task, MailStop):
        from shared.operations.push.bounces import stop_mails  # noqa: PLC0415

        stop_mails(task, stores=stores, services=services, context=context)
    else:
        from shared.operations.push.mails import mail_round  # noqa: PLC0415

        mail_round(task, stores=stores, services=services, context=context)


def _entry(record: Mapping[str, Any]) -> StoredEntry:
    item = from_item(record["dynamodb"]["NewImage"])
    return StoredEntry(
        str(item["conversation_id"]),
        int(item["seq"]),
        str(item["sender_id"]),
        is_message=item["kind"] == "message" and "shadow" not in item,
        fan_out=item.get("fan_out") is True,
        created_at=int(item["created_at"]),
        roster_seq=item.get("roster_seq"),
        keep_seq=item.get(KEEP_SEQ),
        mentions=tuple(map(str, item.get("mentions", ()))),
        deletes=int(item["target"]) if item["kind"] == _DELETED else None,
    )
