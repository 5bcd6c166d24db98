"""How failures are done again that could only be met in AWS, against a stream and functions in memory."""

from __future__ import annotations

import dataclasses
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ops.failures import Clients, UnreadableError, work_of

FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:Parley-prod-PushOfflinePushFunction0A1B2C3D-x1"
STREAM = "arn:aws:dynamodb:eu-central-1:123456789012:table/log/stream/2026"
FILTER = json.dumps({"eventName": ["INSERT"], "dynamodb": {"NewImage": {"kind": {"S": ["message"]}}}})


class Trimmed(Exception):
    pass


class NotFound(Exception):
    pass


@dataclasses.dataclass
class FakeStream:
    """A shard with the numbers 1 to `last`, three to a page and each page followed by an empty one."""

    first: int = 1
    last: int = 8
    kinds: dict[int, str] = dataclasses.field(default_factory=dict)

    class exceptions:  # noqa: N801  # boto3's name
        TrimmedDataAccessException = Trimmed
        ResourceNotFoundException = NotFound

    def get_shard_iterator(self, *, SequenceNumber: str, ShardId: str, **_: str) -> dict[str, Any]:  # noqa: N803
        if ShardId == "closed and forgotten":
            raise NotFound
        if int(SequenceNumber) < self.first:
            raise Trimmed
        return {"ShardIterator": SequenceNumber}

    def get_records(self, *, ShardIterator: str) -> dict[str, Any]:  # noqa: N803
        start, _, empty = ShardIterator.partition(" ")
        if empty:
            return {"Records": [], "NextShardIterator": start}
        numbers = range(int(start), min(int(start) + 3, self.last + 1))
        following = {"NextShardIterator": f"{numbers[-1] + 1} empty"} if numbers[-1] < self.last else {}
        return {"Records": [self._record(number) for number in numbers], **following}

    def _record(self, number: int) -> dict[str, Any]:
        return {
            "eventName": "INSERT",
            "eventSource": "aws:dynamodb",
            "dynamodb": {
                "SequenceNumber": str(number),
                "Keys": {"conversation_id": {"S": "dm:a:b"}, "seq": {"N": str(number)}},
                "NewImage": {"kind": {"S": self.kinds.get(number, "message")}, "digest": {"B": b"\x00\x01"}},
                "ApproximateCreationDateTime": datetime(2026, 11, 1, tzinfo=UTC),
            },
        }


@dataclasses.dataclass
class FakeFunctions:
    """A function that fails on some records: as a whole, or naming the first."""

    bad: tuple[int, ...] = ()
    throws: bool = False
    pattern: str = FILTER
    mapped: bool = True
    batches: list[list[int]] = dataclasses.field(default_factory=list)
    records: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    events: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    def list_event_source_mappings(self, *, FunctionName: str, EventSourceArn: str) -> dict[str, Any]:  # noqa: N803
        assert (FunctionName, EventSourceArn) == (FUNCTION, STREAM)
        filters = {"FilterCriteria": {"Filters": [{"Pattern": self.pattern}]}}
        return {"EventSourceMappings": [filters] if self.mapped else []}

    def invoke(self, *, FunctionName: str, Payload: str) -> dict[str, Any]:  # noqa: N803
        assert FunctionName == FUNCTION
        if "detail" in (event := json.loads(Payload)):
            self.events.append(event)
            return {"Payload": io.BytesIO(b"null"), **({"FunctionError": "Unhandled"} if self.throws else {})}
        records = event["Records"]
        self.records += records
        numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in records]
        self.batches.append(numbers)
        failed = [number for number in numbers if number in self.bad]
        if failed and self.throws:
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorType":"ValueError"}')}
        answer = {"batchItemFailures": [{"itemIdentifier": str(number)} for number in failed]}
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


def pointer(first: int, last: int, *, shard: str = "shard-1") -> str:
    where = {
        "shardId": shard,
        "startSequenceNumber": str(first),
        "endSequenceNumber": str(last),
        "batchSize": last - first + 1,
        "streamArn": STREAM,
    }
    return json.dumps({"requestContext": {"functionArn": f"{FUNCTION}:$LATEST"}, "DDBStreamBatchInfo": where})


def clients(functions: FakeFunctions, stream: FakeStream | None = None) -> Clients:
    return Clients(sqs=None, streams=stream or FakeStream(), functions=functions)


def test_the_records_from_the_first_to_the_last_are_read_over_several_pages() -> None:
    functions = FakeFunctions()
    work = work_of(pointer(2, 7), clients(functions))
    assert work.what == "OfflinePush: dm:a:b 2, dm:a:b 3, dm:a:b 4 and 3 more"
    assert work.again() == ""
    assert functions.batches == [[2, 3, 4, 5, 6, 7]]


def test_a_record_is_handed_over_as_the_event_source_does() -> None:
    functions = FakeFunctions()
    work_of(pointer(2, 2), clients(functions)).again()
    [record] = functions.records
    assert (record["eventSourceARN"], record["eventSource"]) == (STREAM, "aws:dynamodb")
    assert record["dynamodb"]["ApproximateCreationDateTime"] == datetime(2026, 11, 1, tzinfo=UTC).timestamp()
    assert record["dynamodb"]["NewImage"]["digest"] == {"B": "AAE="}


def test_what_the_event_source_filters_out_is_not_handed_over() -> None:
    functions = FakeFunctions()
    work = work_of(pointer(1, 4), clients(functions, FakeStream(kinds={2: "reaction", 3: "edit"})))
    assert work.again() == ""
    assert functions.batches == [[1, 4]]


def test_records_behind_one_that_fails_are_done() -> None:
    functions = FakeFunctions(bad=(2, 5))
    assert work_of(pointer(1, 7), clients(functions)).again() == "failed again: dm:a:b 2, dm:a:b 5"
    assert functions.batches == [[1, 2, 3, 4, 5, 6, 7], [3, 4, 5, 6, 7], [6, 7]]


def test_an_invocation_that_fails_is_halved() -> None:
    functions = FakeFunctions(bad=(3,), throws=True)
    assert work_of(pointer(1, 4), clients(functions)).again() == "failed again: dm:a:b 3"
    assert functions.batches == [[1, 2, 3, 4], [1, 2], [3, 4], [3], [4]]


def test_in_an_outage_not_every_record_is_tried() -> None:
    functions = FakeFunctions(bad=tuple(range(1, 9)))
    wrong = work_of(pointer(1, 8), clients(functions)).again()
    assert wrong == "failed again: dm:a:b 1, dm:a:b 2, dm:a:b 3 and 2 more, 3 not tried"


@pytest.mark.parametrize("shard", ["shard-1", "closed and forgotten"])
def test_what_the_stream_has_no_more_is_gone(shard: str) -> None:
    work = work_of(pointer(1, 2, shard=shard), clients(FakeFunctions(), FakeStream(first=3)))
    assert work.gone
    assert work.what == "OfflinePush: 2 records of a stream"


def test_a_stream_that_ends_before_the_last_record_is_not_taken_for_all_of_it() -> None:
    with pytest.raises(UnreadableError, match="up to its end"):
        work_of(pointer(6, 12), clients(FakeFunctions()))


def test_without_its_event_source_a_function_is_handed_nothing() -> None:
    with pytest.raises(UnreadableError, match="reads this stream no more"):
        work_of(pointer(1, 2), clients(FakeFunctions(mapped=False)))


def test_a_filter_that_only_lambda_understands_hands_over_nothing() -> None:
    functions = FakeFunctions(pattern=json.dumps({"eventName": [{"prefix": "INS"}]}))
    with pytest.raises(UnreadableError, match="prefix"):
        work_of(pointer(1, 2), clients(functions))


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"requestContext": {"functionArn": "x"}}', '{"kind": "look"}'])
def test_what_aws_did_not_write_is_left_alone(body: str) -> None:
    with pytest.raises(UnreadableError, match="neither Lambda nor EventBridge"):
        work_of(body, clients(FakeFunctions()))


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('{"kind":"push","platform":"fcm","user_id":"u","about":{"conversation_id":"c","seq":0}}', "push fcm c 0 u"),
        ('{"conversation_id":"c","seq":7,"users":["u"]}', "c 7"),
        ("no JSON", "a message without an id"),
        ('["x"]', "a message without an id"),
    ],
)
def test_a_message_of_a_work_queue_is_shown_by_its_ids_alone(body: str, shown: str) -> None:
    assert work_of(body, clients(FakeFunctions()), source_url="https://queue").what == shown


UPLOADED = {"detail-type": "Object Created", "detail": {"object": {"key": "uploads/1"}}}


@pytest.mark.parametrize("throws", [False, True])
def test_an_event_that_a_function_failed_on_is_handed_to_it_again(throws: bool) -> None:
    functions = FakeFunctions(throws=throws)
    body = json.dumps({"requestContext": {"functionArn": f"{FUNCTION}:$LATEST"}, "requestPayload": UPLOADED})
    work = work_of(body, clients(functions))
    assert work.what == "OfflinePush: uploads/1"
    assert work.again() == ("failed again" if throws else "")
    assert functions.events == [UPLOADED]


def test_an_event_that_never_reached_its_function_is_handed_to_it() -> None:
    functions = FakeFunctions()
    assert work_of(json.dumps(UPLOADED), clients(functions), target_arn=FUNCTION).again() == ""
    assert functions.events == [UPLOADED]
