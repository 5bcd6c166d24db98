"""The emulator itself, for real: started, killed with SIGKILL in the midst of its work, and started again."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from local import processes, server
from local.errors import CommandError
from local.settings import ROOT, Settings
from tests.local.emulated import client, create_function, printed

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("emulator")]

WAIT = 20.0
# It stands for offline_push: what it was handed can be read in the functions' log.
CONSUMER = """
import importlib.util, json, time
def handler(event, context):
    for record in event["Records"]:
        print(json.dumps({"message": "consumed", "key": record["dynamodb"]["Keys"]["sk"]["N"]}))
def lingering(event, context):
    print("lingering")
    time.sleep(600)
def whereabouts(event, context):
    import os
    return {"file": os.path.realpath(__file__), "pid": os.getpid()}
def importable(event, context):
    return [name for name in ("botocore", "ministack", "yaml", "json") if importlib.util.find_spec(name)]
"""


def kill(settings: Settings) -> None:
    running = server.find(settings)
    assert running is not None
    os.kill(running.process.pid, signal.SIGKILL)
    assert processes.wait_until(lambda: not running.process.alive, WAIT)


def create_table(settings: Settings) -> str:
    described = client(settings, "dynamodb").create_table(
        TableName="log",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    stream: str = described["TableDescription"]["LatestStreamArn"]
    return stream


def consumer(settings: Settings, handler: str) -> str:
    return create_function(settings, handler, CONSUMER, handler=f"consumer.{handler}", Timeout=900)


def consume(settings: Settings, stream: str) -> None:
    client(settings, "lambda").create_event_source_mapping(
        FunctionName=consumer(settings, "handler"),
        EventSourceArn=stream,
        StartingPosition="TRIM_HORIZON",
        BatchSize=10,
    )


def item(number: int, text: str = "hi") -> dict[str, dict[str, str]]:
    return {"pk": {"S": "dm:alice:bob"}, "sk": {"N": str(number)}, "text": {"S": text}}


def key(number: int) -> dict[str, dict[str, str]]:
    return {name: item(number)[name] for name in ("pk", "sk")}


def put(settings: Settings, *numbers: int) -> None:
    dynamodb = client(settings, "dynamodb")
    for number in numbers:
        dynamodb.put_item(TableName="log", Item=item(number))


def stored(settings: Settings) -> dict[int, str]:
    found = client(settings, "dynamodb").query(
        TableName="log",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "dm:alice:bob"}},
        ConsistentRead=True,
    )
    return {int(entry["sk"]["N"]): entry["text"]["S"] for entry in found["Items"]}


def consumed(settings: Settings) -> list[int]:
    return [int(json.loads(line)["key"]) for line in printed(settings)]


def test_what_was_acknowledged_before_a_kill_is_there_after_it(emulator: Settings) -> None:
    create_table(emulator)
    server.checkpoint(emulator)
    put(emulator, 1, 2, 3)
    dynamodb = client(emulator, "dynamodb")
    dynamodb.delete_item(TableName="log", Key=key(2))
    dynamodb.update_item(
        TableName="log",
        Key=key(3),
        UpdateExpression="SET #t = :t",
        ExpressionAttributeNames={"#t": "text"},
        ExpressionAttributeValues={":t": {"S": "edited"}},
    )
    writes = [{"Put": {"TableName": "log", "Item": item(number)}} for number in (4, 5)]
    dynamodb.transact_write_items(TransactItems=writes)
    kill(emulator)
    server.start(emulator)
    assert stored(emulator) == {1: "hi", 3: "edited", 4: "hi", 5: "hi"}


def test_a_second_kill_right_after_the_recovery_loses_nothing_either(emulator: Settings) -> None:
    create_table(emulator)
    server.checkpoint(emulator)
    for number in (1, 2, 3):
        put(emulator, number)
        kill(emulator)
        server.start(emulator)
    assert list(stored(emulator)) == [1, 2, 3]


def test_conditions_hold_against_what_was_recovered(emulator: Settings) -> None:
    create_table(emulator)
    server.checkpoint(emulator)
    put(emulator, 1)
    kill(emulator)
    server.start(emulator)
    dynamodb = client(emulator, "dynamodb")
    with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException):
        dynamodb.put_item(TableName="log", Item=item(1, "late"), ConditionExpression="attribute_not_exists(pk)")


def test_objects_survive_a_kill(emulator: Settings) -> None:
    s3 = client(emulator, "s3")
    s3.create_bucket(Bucket="files")
    server.checkpoint(emulator)
    s3.put_object(Bucket="files", Key="a/b.txt", Body=b"hi", ContentType="text/plain")
    kill(emulator)
    server.start(emulator)
    found = s3.get_object(Bucket="files", Key="a/b.txt")
    assert (found["Body"].read(), found["ContentType"]) == (b"hi", "text/plain")


@pytest.mark.parametrize("end", [kill, server.stop])
def test_a_stream_consumer_goes_on_where_it_was(emulator: Settings, end: Any) -> None:
    """MiniStack alone would skip as many records after a restart as were read before it."""
    consume(emulator, create_table(emulator))
    server.checkpoint(emulator)
    put(emulator, *range(1, 6))
    assert processes.wait_until(lambda: len(consumed(emulator)) == 5, WAIT)
    end(emulator)
    server.start(emulator)
    put(emulator, *range(6, 9))
    assert processes.wait_until(lambda: len(set(consumed(emulator))) == 8, WAIT)
    # At least once: what was being read in the moment of the kill may come again, in order.
    assert consumed(emulator)[-3:] == [6, 7, 8]


def test_records_that_nobody_had_read_yet_are_delivered_after_a_kill(emulator: Settings) -> None:
    stream = create_table(emulator)
    consume(emulator, stream)
    mapping = client(emulator, "lambda").list_event_source_mappings()["EventSourceMappings"][0]["UUID"]
    client(emulator, "lambda").update_event_source_mapping(UUID=mapping, Enabled=False)
    server.checkpoint(emulator)
    put(emulator, 1, 2)
    kill(emulator)
    server.start(emulator)
    client(emulator, "lambda").update_event_source_mapping(UUID=mapping, Enabled=True)
    assert processes.wait_until(lambda: consumed(emulator) == [1, 2], WAIT)


def test_a_function_sees_its_bundle_and_nothing_else(emulator: Settings) -> None:
    function = consumer(emulator, "importable")
    reply = client(emulator, "lambda").invoke(FunctionName=function)
    assert json.loads(reply["Payload"].read()) == ["json"]


def test_a_worker_that_was_killed_is_followed_by_one_that_runs_from_the_same_unpacked_bundle(
    emulator: Settings,
) -> None:
    function, found = consumer(emulator, "whereabouts"), []
    for _ in range(2):
        found.append(json.loads(client(emulator, "lambda").invoke(FunctionName=function)["Payload"].read()))
        os.kill(found[-1]["pid"], signal.SIGKILL)
        assert processes.wait_until(lambda: not processes.running_below(emulator.temp), WAIT)
    assert found[0]["file"] == found[1]["file"]
    assert found[0]["pid"] != found[1]["pid"]


def test_a_worker_stuck_in_a_call_is_ended_by_the_next_start(emulator: Settings) -> None:
    function = consumer(emulator, "lingering")
    client(emulator, "lambda").invoke(FunctionName=function, InvocationType="Event")
    assert processes.wait_until(lambda: "lingering" in printed(emulator), WAIT)
    kill(emulator)
    (stuck,) = processes.running_below(emulator.temp)
    server.start(emulator)
    assert not stuck.alive


def test_a_checkpoint_that_cannot_be_written_is_one_clear_line_and_loses_nothing(emulator: Settings) -> None:
    create_table(emulator)
    server.checkpoint(emulator)
    put(emulator, 1)
    in_the_way = emulator.state / "snapshot-3.tmp"
    in_the_way.touch()
    with pytest.raises(CommandError, match="could not save its state"):
        server.checkpoint(emulator)
    in_the_way.unlink()
    put(emulator, 2)
    kill(emulator)
    server.start(emulator)
    assert list(stored(emulator)) == [1, 2]


def test_it_listens_on_the_loopback_interface_alone(emulator: Settings) -> None:
    running = server.find(emulator)
    assert running is not None
    assert listening_addresses(running.process.pid) == {f"127.0.0.1:{emulator.port}"}


def listening_addresses(pid: int) -> set[str]:
    """From /proc: the sockets in state LISTEN (0A) that this process holds open."""
    if not processes.PROC.is_dir():
        pytest.skip("there is no /proc here")
    inodes = {str(fd.readlink()) for fd in (processes.PROC / str(pid) / "fd").iterdir() if fd.is_symlink()}
    found = set()
    for line in (processes.PROC / "net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
            address, port = fields[1].split(":")
            octets = bytes.fromhex(address)[::-1]
            found.add(f"{'.'.join(map(str, octets))}:{int(port, 16)}")
    return found


def test_a_taken_port_is_one_clear_line(emulator: Settings, tmp_path: Path) -> None:
    other = Settings(home=tmp_path / "other", port=emulator.port, root=ROOT)
    with pytest.raises(CommandError, match=f"Port {emulator.port} is taken by another program") as caught:
        server.start(other)
    assert caught.value.hint.endswith(f"PARLEY_PORT={emulator.port + 10} make up")


def test_stopping_is_orderly_and_can_be_repeated(emulator: Settings) -> None:
    create_table(emulator)
    put(emulator, 1)
    assert server.stop(emulator)
    assert not server.stop(emulator)
    server.start(emulator)
    assert list(stored(emulator)) == [1]
