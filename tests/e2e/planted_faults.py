"""Faults for a deployed stack, as an operator may make them or AWS may have them, each taken out again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from http import HTTPStatus

import h11

from local.stack import Stack
from tests.chaos.dynamodb import refusal
from tests.chaos.exchange import Answer, Incoming, Onward, Request
from tests.chaos.listener import Listener
from tests.e2e.conftest import OwnStack
from tests.e2e.test_failures import outage
from tests.local.emulated import client

Refuse = Callable[[Request], Answer | None]
Planted = contextlib.AbstractContextManager[str | None]
"""Gives the address at which AWS is to be met while the fault is there; None where it is the usual one."""


@contextlib.contextmanager
def aws_that_refuses(port: int, refuse: Refuse) -> Iterator[str]:
    """The address of an AWS that answers some requests by itself, and has the emulator answer all others."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        incoming, onward = Incoming(reader), Onward(port)
        try:
            while (request := await incoming.next()) is not None:
                writer.write((refuse(request) or await onward.exchange(request)).raw)
                await writer.drain()
        except (OSError, h11.RemoteProtocolError):
            pass  # one of the two sides has gone
        finally:
            onward.close()

    async def run(listening: Future[int], over: asyncio.Event) -> None:
        listener = Listener(serve)
        await listener.start()
        listening.set_result(listener.port)
        await over.wait()
        await listener.stop()

    loop, over, listening = asyncio.new_event_loop(), asyncio.Event(), Future[int]()
    thread = threading.Thread(target=loop.run_until_complete, args=(run(listening, over),))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.result(timeout=10)}"
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


def _is_on(request: Request, table: str, *operations: str) -> bool:
    operation = request.header(b"x-amz-target").rpartition(".")[2]
    return operation in operations and f'"{table}"'.encode() in request.body


@contextlib.contextmanager
def with_a_throttled_table(own_stack: OwnStack, stack: Stack) -> Iterator[str | None]:
    """The log takes no item and gives none, whoever asks."""
    operations = ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "BatchGetItem", "TransactWriteItems")

    def refuse(request: Request) -> Answer | None:
        throttled = refusal(HTTPStatus.BAD_REQUEST, "ProvisionedThroughputExceededException")
        return throttled if _is_on(request, stack.tables.log, *operations) else None

    with (
        aws_that_refuses(own_stack.settings.port, refuse) as url,
        outage(own_stack, "Message", AWS_ENDPOINT_URL=url),
    ):
        yield url


@contextlib.contextmanager
def without_permission(own_stack: OwnStack, stack: Stack) -> Iterator[str | None]:
    """The role of `message` may not put into the log any more, and AWS, which the emulator does not do, says so."""
    iam = client(own_stack.settings, "iam")
    role = next(
        one["RoleName"]
        for page in iam.get_paginator("list_roles").paginate()
        for one in page["Roles"]
        if "MessageRole" in one["RoleName"]
    )
    [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    less = json.loads(json.dumps(document).replace('"dynamodb:PutItem", ', "", 1))
    assert less != document

    def refuse(request: Request) -> Answer | None:
        if not _is_on(
            request, stack.tables.log, "PutItem", "TransactWriteItems"
        ):  # a transaction puts by the same right
            return None
        who = f"arn:aws:sts::000000000000:assumed-role/{role}/message"
        what = f"arn:aws:dynamodb:us-east-1:000000000000:table/{stack.tables.log}"
        said = (
            f"User: {who} is not authorized to perform: dynamodb:PutItem on resource: {what} because no identity-based"
        )
        return refusal(HTTPStatus.BAD_REQUEST, "AccessDeniedException", message=f"{said} policy allows the action")

    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(less))
    try:
        with (
            aws_that_refuses(own_stack.settings.port, refuse) as url,
            outage(own_stack, "Message", AWS_ENDPOINT_URL=url),
        ):
            yield None
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


@contextlib.contextmanager
def with_another_secret(own_stack: OwnStack, stack: Stack) -> Iterator[str | None]:
    """The authorizer checks tokens with a secret that nobody signs with."""
    kept = client(own_stack.settings, "secretsmanager")
    arn = kept.create_secret(Name=f"other-{time.time_ns()}", SecretString="o" * 64)["ARN"]
    with outage(own_stack, "Authorizer", JWT_SECRET_ARN=arn):
        yield None
    kept.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


@contextlib.contextmanager
def with_another_endpoint(own_stack: OwnStack, stack: Stack) -> Iterator[str | None]:
    """Events are posted where nobody is."""
    with outage(own_stack, "Message", CONNECTIONS_ENDPOINT="http://localhost:9/_aws/execute-api/nobody/local"):
        yield None


@contextlib.contextmanager
def with_a_source_off(own_stack: OwnStack, stack: Stack) -> Iterator[str | None]:
    """The queue of looks feeds nobody."""
    functions = client(own_stack.settings, "lambda")
    mappings = functions.list_event_source_mappings()["EventSourceMappings"]
    one = next(mapping for mapping in mappings if "Looks" in mapping["EventSourceArn"])
    functions.update_event_source_mapping(UUID=one["UUID"], Enabled=False)
    try:
        yield None
    finally:
        functions.update_event_source_mapping(UUID=one["UUID"], Enabled=True)


@contextlib.contextmanager
def with_work_that_failed(own_stack: OwnStack, stack: Stack) -> Iterator[str | None]:
    """Something lies in a failure queue."""
    [described] = client(own_stack.settings, "cloudformation").describe_stacks(StackName="Parley-local")["Stacks"]
    urls = json.loads(next(one["OutputValue"] for one in described["Outputs"] if one["OutputKey"] == "FailureQueues"))
    sqs = client(own_stack.settings, "sqs")
    sqs.send_message(QueueUrl=urls["looks"], MessageBody='{"kind": "look"}')
    try:
        yield None
    finally:
        sqs.purge_queue(QueueUrl=urls["looks"])
