"""What the emulator does with events whose function fails, deployed by CloudFormation as our stack is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local import processes, server
from local.settings import REGION, Settings
from tests.local.emulated import client
from tests.local.failing_stack import BUCKET, WAIT, batches, deploy, put, said, upload

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("emulator")]


@pytest.fixture
def deployed(emulator: Settings) -> dict[str, str]:
    return deploy(emulator)


def set_aside(settings: Settings, deployed: dict[str, str], count: int = 1) -> list[dict[str, Any]]:
    """What lies in the failure queue, once it is as much as expected."""
    sqs, found = client(settings, "sqs"), []

    def enough() -> bool:
        found.extend(sqs.receive_message(QueueUrl=deployed["Failures"], MaxNumberOfMessages=10).get("Messages", []))
        return len(found) >= count

    assert processes.wait_until(enough, WAIT), batches(settings)
    return [json.loads(message["Body"]) for message in found]


def pointed_at(settings: Settings, failure: dict[str, Any]) -> list[str]:
    """The records from the first to the last that a failure names, read again from the stream."""
    where, streams = failure["DDBStreamBatchInfo"], client(settings, "dynamodbstreams")
    iterator = streams.get_shard_iterator(
        StreamArn=where["streamArn"],
        ShardId=where["shardId"],
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        SequenceNumber=where["startSequenceNumber"],
    )["ShardIterator"]
    records = streams.get_records(ShardIterator=iterator)["Records"]
    last = next(i for i, one in enumerate(records) if one["dynamodb"]["SequenceNumber"] == where["endSequenceNumber"])
    assert last + 1 == where["batchSize"]
    return [record["dynamodb"]["Keys"]["pk"]["S"] for record in records[: last + 1]]


def test_a_record_named_in_a_partial_response_is_retried_set_aside_and_passed(
    emulator: Settings, deployed: dict[str, str]
) -> None:
    put(emulator, deployed, "a", "b", "named")
    [failure] = set_aside(emulator, deployed)
    assert failure["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert pointed_at(emulator, failure) == ["named"]
    put(emulator, deployed, "c")
    assert processes.wait_until(lambda: ["c"] in batches(emulator), WAIT)
    assert batches(emulator) == [["a", "b", "named"], ["named"], ["named"], ["c"]]


def test_a_batch_that_fails_is_halved_until_only_the_bad_record_is_set_aside(
    emulator: Settings, deployed: dict[str, str]
) -> None:
    put(emulator, deployed, "a", "b", "thrown", "c", "d")
    [failure] = set_aside(emulator, deployed)
    assert pointed_at(emulator, failure) == ["thrown"]

    def passed() -> list[str]:
        return sorted(key for batch in batches(emulator) if "thrown" not in batch for key in batch)

    # The half behind the bad record comes only after that one was set aside, so it is waited for.
    assert processes.wait_until(lambda: "d" in passed(), WAIT), batches(emulator)
    assert passed() == ["a", "b", "c", "d"]


def test_records_that_are_too_old_are_set_aside_without_more_retries(
    emulator: Settings, deployed: dict[str, str]
) -> None:
    lambda_ = client(emulator, "lambda")
    lambda_.update_event_source_mapping(UUID=deployed["Stream"], MaximumRetryAttempts=100, MaximumRecordAgeInSeconds=2)
    put(emulator, deployed, "named")
    [failure] = set_aside(emulator, deployed)
    assert failure["requestContext"]["condition"] == "MaxRecordAgeExceeded"


def test_what_a_failure_points_at_can_be_read_after_a_restart_too(emulator: Settings, deployed: dict[str, str]) -> None:
    put(emulator, deployed, "a", "named")
    [failure] = set_aside(emulator, deployed)
    server.stop(emulator)
    server.start(emulator)
    assert pointed_at(emulator, failure) == ["named"]


def test_an_upload_wakes_the_function_and_one_it_fails_on_is_set_aside_with_its_whole_event(
    emulator: Settings, deployed: dict[str, str]
) -> None:
    s3 = client(emulator, "s3")
    s3.put_object(Bucket=BUCKET, Key="elsewhere/1", Body=b"x")
    upload(emulator, "uploads/good")
    upload(emulator, "uploads/bad")
    [failure] = set_aside(emulator, deployed)
    assert failure["requestPayload"]["detail"]["object"]["key"] == "uploads/bad"
    assert f":lambda:{REGION}:" in failure["requestContext"]["functionArn"]
    created = "Object Created"
    seen = zip(said(emulator, "upload"), said(emulator, "event"), strict=True)
    assert sorted(seen) == [("uploads/bad", created)] * 2 + [("uploads/good", created)]
