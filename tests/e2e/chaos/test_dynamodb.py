"""Each way in which the faulty DynamoDB fails, as a service that is called through it sees it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import pytest

from shared.adapters.aws import transport as http
from shared.adapters.aws.transport import Pool, Response, TransportError
from tests.chaos.dynamodb import Fault, FaultyDynamoDb, faulty_dynamodb
from tests.shared.adapters.aws.servers import Received, Reply, ScriptedServer, reply

BATCH = {"RequestItems": {"log": {"Keys": [{"n": {"N": str(number)}} for number in range(4)], "ConsistentRead": True}}}
WRITES = {"RequestItems": {"members": [{"DeleteRequest": {"Key": {"n": {"N": str(number)}}}} for number in range(4)]}}
PAGES = {"TableName": "log", "KeyConditionExpression": "id = :id"}


class Behind:
    """The emulator's place: it answers every call, and remembers them."""

    def __init__(self) -> None:
        self.received: list[Received] = []

    def __call__(self, received: Received) -> Reply:
        self.received.append(received)
        asked = json.loads(received.body)
        tables = asked.get("RequestItems", {})
        found = {table: wanted["Keys"] for table, wanted in tables.items() if isinstance(wanted, dict)}
        return reply(body=json.dumps({"Responses": found, "it": "was carried out"}).encode())

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(received.body) for received in self.received]


@pytest.fixture
def behind() -> Iterator[tuple[Behind, int]]:
    script = Behind()
    with ScriptedServer(script) as server:
        yield script, server.port


def call(pool: Pool, operation: str, body: Any = None, *, service: str = "DynamoDB_20120810") -> Response:
    headers = {"host": pool.host, "x-amz-target": f"{service}.{operation}"}
    return pool.request("POST", "/", headers, json.dumps(body or {}).encode())


@contextlib.contextmanager
def pool_to(proxy: FaultyDynamoDb, *, patience_s: float = http.READ_TIMEOUT_S) -> Iterator[Pool]:
    pool = Pool(proxy.url)
    with patch.object(http, "READ_TIMEOUT_S", patience_s):
        yield pool
    while pool._idle:
        pool._idle.pop().close()


def during(port: int, fault: Fault | None, act: Callable[[Pool, FaultyDynamoDb], None]) -> FaultyDynamoDb:
    """Every call through the proxy goes wrong in this way."""

    async def go() -> FaultyDynamoDb:
        async with faulty_dynamodb(port, random.Random(2)) as proxy:
            if fault is not None:
                proxy.only(fault)
                proxy.begin(odds=1.0)
            with pool_to(proxy, patience_s=0.2 if fault in HANGS else http.READ_TIMEOUT_S) as pool:
                await asyncio.to_thread(act, pool, proxy)
            return proxy

    return asyncio.run(go())


HANGS = (Fault.HANGS, Fault.HANGS_AFTER)
REFUSED = [
    (Fault.THROUGHPUT, "PutItem", 400, "ProvisionedThroughputExceededException"),
    (Fault.THROTTLING, "Query", 400, "ThrottlingException"),
    (Fault.CONFLICT, "UpdateItem", 400, "TransactionConflictException"),
    (Fault.IN_PROGRESS, "TransactWriteItems", 400, "TransactionInProgressException"),
    (Fault.CANCELLED, "TransactWriteItems", 400, "TransactionCanceledException"),
    (Fault.ERROR, "GetItem", 500, "InternalServerError"),
    (Fault.UNAVAILABLE, "GetItem", 503, "ServiceUnavailable"),
]


@pytest.mark.parametrize(("fault", "operation", "status", "code"), REFUSED)
def test_a_refused_call_does_not_take_effect(
    behind: tuple[Behind, int], fault: Fault, operation: str, status: int, code: str
) -> None:
    script, port = behind

    def act(pool: Pool, _: FaultyDynamoDb) -> None:
        response = call(pool, operation, {"TransactItems": [{}, {}]})
        body = json.loads(response.body)
        assert (response.status, body["__type"].rpartition("#")[2]) == (status, code)
        if fault is Fault.CANCELLED:
            assert body["CancellationReasons"] == [{"Code": "TransactionConflict"}] * 2

    assert during(port, fault, act).struck == {fault: 1}
    assert script.received == []


@pytest.mark.parametrize("fault", [Fault.CLOSED, Fault.HANGS])
def test_a_call_that_is_lost_before_it_takes_effect(behind: tuple[Behind, int], fault: Fault) -> None:
    script, port = behind

    def act(pool: Pool, _: FaultyDynamoDb) -> None:
        with pytest.raises(TransportError):
            call(pool, "PutItem")

    during(port, fault, act)
    assert script.received == []


@pytest.mark.parametrize("fault", [Fault.CLOSED_AFTER, Fault.HANGS_AFTER, Fault.CUT])
def test_a_call_takes_effect_and_its_answer_is_lost(behind: tuple[Behind, int], fault: Fault) -> None:
    script, port = behind

    def act(pool: Pool, _: FaultyDynamoDb) -> None:
        with pytest.raises(TransportError):
            call(pool, "PutItem", {"text": "stored"})

    during(port, fault, act)
    assert script.bodies == [{"text": "stored"}]


def test_a_call_takes_effect_and_is_answered_with_an_error(behind: tuple[Behind, int]) -> None:
    script, port = behind
    during(port, Fault.ERROR_AFTER, lambda pool, _: _check_status(call(pool, "PutItem"), 500))
    assert len(script.received) == 1


def _check_status(response: Response, status: int) -> None:
    assert response.status == status


def test_a_part_of_a_batch_is_carried_out_and_the_rest_comes_back(behind: tuple[Behind, int]) -> None:
    script, port = behind

    def act(pool: Pool, _: FaultyDynamoDb) -> None:
        left: Any = BATCH["RequestItems"]
        found: list[Any] = []
        while left:
            body = json.loads(call(pool, "BatchGetItem", {"RequestItems": left}).body)
            found += body["Responses"].get("log", [])
            before, left = left, body["UnprocessedKeys"]
            assert left["log"]["ConsistentRead"] is True
            assert len(found) + len(left["log"]["Keys"]) == 4
            if len(left["log"]["Keys"]) == 1:
                break
            assert len(left["log"]["Keys"]) <= len(before["log"]["Keys"])

    assert during(port, Fault.UNPROCESSED, act).struck[Fault.UNPROCESSED] > 1
    assert all(body["RequestItems"]["log"]["Keys"] for body in script.bodies)


def test_a_part_of_a_batch_of_writes_comes_back_too(behind: tuple[Behind, int]) -> None:
    script, port = behind

    def act(pool: Pool, _: FaultyDynamoDb) -> None:
        left = json.loads(call(pool, "BatchWriteItem", WRITES).body)["UnprocessedItems"]["members"]
        done = [write for body in script.bodies for write in body["RequestItems"]["members"]]
        assert done + left == WRITES["RequestItems"]["members"]

    during(port, Fault.UNPROCESSED, act)


@pytest.mark.parametrize(("limit", "allowed"), [(None, {1, 2, 3}), (1, {1})])
def test_a_page_is_asked_to_end_early_and_never_later_than_wanted(
    behind: tuple[Behind, int], limit: int | None, allowed: set[int]
) -> None:
    script, port = behind
    query = PAGES if limit is None else {**PAGES, "Limit": limit}

    def act(pool: Pool, _: FaultyDynamoDb) -> None:
        for _number in range(10):
            call(pool, "Query", query)

    during(port, Fault.SHORT_PAGE, act)
    assert {body.pop("Limit") for body in (dict(each) for each in script.bodies)} == allowed
    assert all(body.items() >= PAGES.items() for body in script.bodies)


def test_other_services_and_everything_in_calm_pass_untouched_over_one_connection(behind: tuple[Behind, int]) -> None:
    script, port = behind

    def act(pool: Pool, proxy: FaultyDynamoDb) -> None:
        proxy.begin(odds=1.0)
        for _ in range(3):
            assert json.loads(call(pool, "SendMessage", {"text": "hi"}, service="AmazonSQS").body)["it"]
        proxy.heal()
        assert json.loads(call(pool, "PutItem", {"text": "hi"}).body)["it"]

    proxy = during(port, None, act)
    assert not proxy.struck
    assert proxy.calls == 1
    assert [received.connection for received in script.received] == [0] * 4
    assert {received.headers["x-amz-target"] for received in script.received} == {
        "AmazonSQS.SendMessage",
        "DynamoDB_20120810.PutItem",
    }


async def test_whoever_hangs_is_hung_up_on_when_all_is_healed(behind: tuple[Behind, int]) -> None:
    _, port = behind
    async with faulty_dynamodb(port, random.Random(2)) as proxy:
        proxy.only(Fault.HANGS)
        proxy.begin(odds=1.0)
        with pool_to(proxy, patience_s=20.0) as pool:
            calling = asyncio.create_task(asyncio.to_thread(call, pool, "GetItem"))
            while not proxy.struck:  # noqa: ASYNC110  # it has no event
                await asyncio.sleep(0)
            proxy.heal()
            with pytest.raises(TransportError, match="ConnectionResetError"):
                await calling
