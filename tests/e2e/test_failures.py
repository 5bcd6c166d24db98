"""What the deployed stack does with what it can't do: sets it aside, goes on, and does it again when it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from local import function_log, log_lines
from local.processes import wait_until
from local.stack import Stack
from tests.e2e.conftest import OwnStack
from tests.e2e.pushes import android, pushed, received, until
from tests.e2e.raw_client import PATIENCE_S, http, new_users
from tests.local.emulated import client


def replay(own_stack: OwnStack, queue: str, *options: str) -> tuple[int, str]:
    """`make replay QUEUE=…`: its exit code and what it shows."""
    done = subprocess.run(
        [sys.executable, "-m", "ops", "replay", "--queue", queue, *options],
        cwd=own_stack.settings.root,
        env=own_stack.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def queues(own_stack: OwnStack) -> dict[str, str]:
    [stack] = client(own_stack.settings, "cloudformation").describe_stacks(StackName="Parley-local")["Stacks"]
    found = next(one["OutputValue"] for one in stack["Outputs"] if one["OutputKey"] == "FailureQueues")
    urls: dict[str, str] = json.loads(found)
    return urls


def set_aside(own_stack: OwnStack, queue: str) -> int:
    asked = client(own_stack.settings, "sqs").get_queue_attributes(
        QueueUrl=queues(own_stack)[queue], AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(asked["Attributes"]["ApproximateNumberOfMessages"])


@pytest.fixture(autouse=True)
def clean_queues(own_stack: OwnStack) -> Iterator[None]:
    """What a test leaves behind in a failure queue is no other test's business."""
    yield
    for url in queues(own_stack).values():
        client(own_stack.settings, "sqs").purge_queue(QueueUrl=url)


@contextlib.contextmanager
def outage(own_stack: OwnStack, function: str, **variables: str) -> Iterator[None]:
    """The function looks for something where it is not."""
    functions = client(own_stack.settings, "lambda")
    pages = functions.get_paginator("list_functions").paginate()
    names = [one["FunctionName"] for page in pages for one in page["Functions"]]
    name = next(one for one in names if log_lines.short_name(one) == function)
    normal = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    assert variables.keys() <= normal.keys()
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": normal | variables})
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": normal})
        assert wait_until(lambda: is_settled(functions.get_function_configuration(FunctionName=name)), PATIENCE_S)


def is_settled(configuration: Mapping[str, Any]) -> bool:
    return (configuration["State"], configuration["LastUpdateStatus"]) == ("Active", "Successful")


def said(own_stack: OwnStack, message: str) -> int:
    lines = function_log.lines(own_stack.settings.log("functions"), last=1_000_000, follow=False)
    return sum(json.loads(log_lines.raw(line)).get("message") == message for line in lines)


def private(one: str, other: str) -> str:
    return "dm:" + ":".join(sorted((one, other)))


def say(stack: Stack, sender: str, to: str) -> int:
    """The seq of a private message."""
    body = {"type": "private", "with": to}
    assert http(stack, "POST", "/v1/conversations", user_id=sender, body=body)[0] in {200, 201}
    path = f"/v1/conversations/{private(sender, to)}/messages"
    status, sent = http(stack, "POST", path, user_id=sender, body={"content": "hello"})
    assert status == 201, sent
    return int(sent["seq"])


def poison(own_stack: OwnStack, stack: Stack, conversation_id: str) -> None:
    """A record in the stream that can't be read; in the log, its place is free again."""
    dynamodb = client(own_stack.settings, "dynamodb")
    key = {"conversation_id": {"S": conversation_id}, "seq": {"N": "1"}}
    dynamodb.put_item(TableName=stack.tables.log, Item={**key, "kind": {"S": "message"}})
    dynamodb.delete_item(TableName=stack.tables.log, Key=key)


async def test_a_record_that_cannot_be_read_is_set_aside_holds_up_nobody_and_stays_when_it_is_replayed(
    own_stack: OwnStack, stack: Stack
) -> None:
    alice, bob, carol, dave = new_users(4)
    to_bob, to_dave = android(stack, bob), android(stack, dave)
    before = said(own_stack, "unreadable stream record")
    poison(own_stack, stack, private(alice, bob))
    await until(lambda: said(own_stack, "unreadable stream record") > before)
    say(stack, alice, bob)
    say(stack, carol, dave)
    assert len(await pushed(stack, to_bob)) == 1
    assert len(await pushed(stack, to_dave)) == 1
    assert set_aside(own_stack, "stream-records") == 1
    code, shown = replay(own_stack, "stream-records")
    assert (code, "stays, failed again" in shown) == (1, True)
    assert set_aside(own_stack, "stream-records") == 1


def test_messages_of_an_outage_are_pushed_once_when_they_are_replayed_after_it(
    own_stack: OwnStack, stack: Stack
) -> None:
    alice, bob = new_users(2)
    token = android(stack, bob)
    place = f"{private(alice, bob)} "
    with outage(own_stack, "OfflinePush", FCM_QUEUE_URL=f"{stack.endpoint_url}/000000000000/nowhere"):
        place += str(say(stack, alice, bob))
        asyncio.run(until(lambda: set_aside(own_stack, "stream-records")))
        code, shown = replay(own_stack, "stream-records")
        assert (code, f"failed again: {place}" in shown) == (1, True)
    assert received(stack, token) == []
    code, shown = replay(own_stack, "stream-records", "--dry")
    assert (code, f"OfflinePush: {place}\n" in shown, "hello" in shown) == (0, True, False)
    code, shown = replay(own_stack, "stream-records")
    assert (code, f"OfflinePush: {place}: replayed" in shown) == (0, True)
    assert len(asyncio.run(pushed(stack, token))) == 1
    assert set_aside(own_stack, "stream-records") == 0


def upload(stack: Stack, user_id: str, content: bytes) -> str:
    """The id of a text file that has been uploaded by its form."""
    body = {"name": "notes.txt", "content_type": "text/plain", "size": len(content)}
    status, file = http(stack, "POST", "/v1/files", user_id=user_id, body=body)
    assert status == 201, file
    boundary = uuid.uuid4().hex
    fields = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
              for name, value in file["upload"]["fields"].items()]  # fmt: skip
    last = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="notes.txt"\r\n\r\n'
    data = "".join(fields).encode() + last.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    with urllib.request.urlopen(
        urllib.request.Request(file["upload"]["url"], data=data, headers=headers), timeout=PATIENCE_S
    ) as answer:
        assert answer.status in {200, 201, 204}
    return str(file["file_id"])


def test_an_upload_that_could_not_be_checked_is_checked_when_it_is_replayed(own_stack: OwnStack, stack: Stack) -> None:
    (alice,) = new_users(1)

    def file() -> dict[str, Any]:
        return dict(http(stack, "GET", f"/v1/files/{file_id}", user_id=alice)[1])

    with outage(own_stack, "Files", MEMBERS_TABLE="nowhere"):
        file_id = upload(stack, alice, b"some notes")
        asyncio.run(until(lambda: set_aside(own_stack, "file-checks")))
        assert file()["status"] == "pending"
    code, shown = replay(own_stack, "file-checks")
    assert (code, f"uploads/{file_id}: replayed" in shown) == (0, True)
    assert file()["status"] == "ready"
