"""What lies in failure queues, and how it is done once more.

There are three kinds. Of records of a table's stream, only where they are: they are read again from the
stream, which keeps them for 24 hours, and handed to the function as the event source would. Of an asynchronous event,
the event, by Lambda or, if it did not get that far, by EventBridge. And the dead-letter queue of a work queue has the
very messages: they go back.

Nothing here shows what is in them but ids: no text, no names.
"""

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from local.log_lines import short_name
from ops import patterns

# As an event source hands over at most: records, and bytes of an invocation.
_BATCH = 100
_BYTES = 5_000_000
# An outage fails every record; then there is no point in trying each.
_ENOUGH_FAILURES = 5
_PAGES = 1_000
_SHOWN = 3
_IDS = ("kind", "platform", "conversation_id", "seq", "user_id", "device_id", "notice_id", "reminder_id")
_STREAM = "DDBStreamBatchInfo"
_EVENT = "requestPayload"

Record = dict[str, Any]


@dataclass(frozen=True)
class Clients:
    """The AWS services that a replay needs, of the account in AWS or of the laptop stack."""

    sqs: Any
    streams: Any
    functions: Any


@dataclass(frozen=True)
class Work:
    """One failure: what it is, in ids, and `again`, which does it once more and says what was wrong, or nothing.

    What is `gone` can't be done any more.
    """

    what: str
    again: Callable[[], str] = str
    gone: bool = False


class UnreadableError(Exception):
    """It can't be told what would have to be done again."""


def work_of(body: str, clients: Clients, *, source_url: str | None = None, target_arn: str | None = None) -> Work:
    """The work in a message of a failure queue.

    `source_url` is the work queue whose dead-letter queue it lies in, `target_arn` what EventBridge could not reach.

    Raises:
        UnreadableError: it can't be told what to do.
        ClientError: AWS refused to tell what is needed.

    """
    if source_url is not None:
        return Work(_ids(body), partial(_send_back, body, source_url, clients.sqs))
    try:
        failure = json.loads(body)
        if target_arn is not None:
            return _event_work(target_arn, failure, clients)
        function = _unqualified(failure["requestContext"]["functionArn"])
        if _STREAM in failure:
            return _stream_work(function, failure[_STREAM], clients)
        return _event_work(function, failure[_EVENT], clients)
    except (ValueError, LookupError, TypeError) as error:
        raise UnreadableError("neither Lambda nor EventBridge wrote it") from error


# -- messages of a dead-letter queue ----------------------------------------------------------------------------------


def _send_back(body: str, source_url: str, sqs: Any) -> str:
    sqs.send_message(QueueUrl=source_url, MessageBody=body)
    return ""


def _ids(body: str) -> str:
    try:
        found = _named(json.loads(body))
    except ValueError:
        found = {}
    return " ".join(str(found[name]) for name in _IDS if found.get(name) is not None) or "a message without an id"


def _named(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        return {}
    return body | _named(body.get("about"))


# -- events -----------------------------------------------------------------------------------------------------------


def _event_work(function: str, event: Mapping[str, Any], clients: Clients) -> Work:
    what = f"{_name(function)}: {event['detail']['object']['key']}"
    return Work(what, partial(_hand_event, function, event, clients))


def _hand_event(function: str, event: Mapping[str, Any], clients: Clients) -> str:
    reply = clients.functions.invoke(FunctionName=function, Payload=json.dumps(event))
    return "failed again" if reply.get("FunctionError") else ""


# -- records of a stream ----------------------------------------------------------------------------------------------


def _stream_work(function: str, where: Mapping[str, Any], clients: Clients) -> Work:
    records = _read(where, clients.streams)
    if records is None:
        count = where["batchSize"]
        return Work(f"{_name(function)}: {count} {'record' if count == 1 else 'records'} of a stream", gone=True)
    wanted = _wanted(records, function, where["streamArn"], clients.functions)
    return Work(
        f"{_name(function)}: {_listed(list(map(_key, wanted)))}", partial(_hand_over, function, wanted, clients)
    )


def _read(where: Mapping[str, Any], streams: Any) -> list[Record] | None:
    """The records from the first to the last that the failure names; None if the stream has them no more."""
    last = int(where["endSequenceNumber"])
    gone = (streams.exceptions.TrimmedDataAccessException, streams.exceptions.ResourceNotFoundException)
    records: list[Record] = []
    try:
        iterator = streams.get_shard_iterator(
            StreamArn=where["streamArn"],
            ShardId=where["shardId"],
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=where["startSequenceNumber"],
        )["ShardIterator"]
        for _ in range(_PAGES):  # one may be empty
            page = streams.get_records(ShardIterator=iterator)
            records += [_as_event(record, where["streamArn"]) for record in page["Records"]]
            iterator = page.get("NextShardIterator")
            if iterator is None or (records and _number(records[-1]) >= last):
                break
    except gone:
        return None
    if not records or _number(records[-1]) < last:
        raise UnreadableError("the stream could not be read up to its end")
    return [record for record in records if _number(record) <= last]


def _as_event(record: Mapping[str, Any], stream_arn: str) -> Record:
    """The record as a function gets it: the same as JSON, and with the stream's name."""
    event: Record = json.loads(json.dumps(record, default=_plain)) | {"eventSourceARN": stream_arn}
    return event


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(type(value).__name__)


def _wanted(records: Sequence[Record], function: str, stream_arn: str, functions: Any) -> list[Record]:
    """The records that the event source would hand to the function, by its own filter."""
    found = functions.list_event_source_mappings(FunctionName=function, EventSourceArn=stream_arn)
    mappings = found["EventSourceMappings"]
    if not mappings:
        raise UnreadableError(f"{_name(function)} reads this stream no more")
    filters = (mappings[0].get("FilterCriteria") or {}).get("Filters") or []
    wanted = [json.loads(one["Pattern"]) for one in filters]
    try:
        return [one for one in records if not wanted or any(patterns.matches(pattern, one) for pattern in wanted)]
    except patterns.UnknownOperatorError as error:
        raise UnreadableError(str(error)) from error


def _hand_over(function: str, records: Sequence[Record], clients: Clients) -> str:
    """Invoke the function with the records, in their order. One that fails does not hold up those behind it."""
    failed: list[Record] = []
    parts = list(_in_parts(records))
    while parts and len(failed) < _ENOUGH_FAILURES:
        part = parts.pop(0)
        done = _invoke(function, part, clients)
        if done == len(part):
            continue
        if done is None and len(part) > 1:
            middle = len(part) // 2
            parts[:0] = [part[:middle], part[middle:]]
            continue
        first = done or 0
        failed.append(part[first])
        if rest := part[first + 1 :]:
            parts.insert(0, rest)
    if not failed:
        return ""
    untried = f", {sum(map(len, parts))} not tried" if parts else ""
    return f"failed again: {_listed(list(map(_key, failed)))}{untried}"


def _in_parts(records: Sequence[Record]) -> Iterator[list[Record]]:
    part: list[Record] = []
    size = 0
    for record in records:
        length = len(json.dumps(record))
        if part and (len(part) == _BATCH or size + length > _BYTES):
            yield part
            part, size = [], 0
        part.append(record)
        size += length
    if part:
        yield part


def _invoke(function: str, records: Sequence[Record], clients: Clients) -> int | None:
    """How many of the records are done, from the first on; None if the invocation failed as a whole."""
    reply = clients.functions.invoke(FunctionName=function, Payload=json.dumps({"Records": records}))
    answer = json.loads(reply["Payload"].read() or "null")
    if reply.get("FunctionError"):
        return None
    failures = {one.get("itemIdentifier") for one in (answer or {}).get("batchItemFailures") or []}
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    if not failures <= set(numbers):
        return None
    return next((index for index, number in enumerate(numbers) if number in failures), len(records))


def _number(record: Record) -> int:
    return int(record["dynamodb"]["SequenceNumber"])


def _key(record: Record) -> str:
    return " ".join(str(value) for attribute in record["dynamodb"]["Keys"].values() for value in attribute.values())


def _unqualified(function_arn: str) -> str:
    """The function, whichever version failed."""
    return ":".join(function_arn.split(":")[:7])


def _name(function_arn: str) -> str:
    return short_name(function_arn.split(":")[6])


def _listed(names: Sequence[str]) -> str:
    if not names:
        return "nothing that the function wants"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
