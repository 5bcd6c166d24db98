"""From the version that was released last to this one and back, while people write: nothing that was acked is lost."""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import boto3
import pytest
from parley_client import ConnectionChanged, Message, ParleyClient
from parley_client.events import Event

from local import cdk, deployment, ports, server
from local.providers import process as push_servers
from local.providers.ports import Ports
from local.settings import ROOT, Settings
from local.stack import Stack
from local.tokens import mint
from tests.compatibility import clients
from tests.compatibility.novelties import novelties
from tests.e2e import released
from tests.e2e.pushes import until
from tests.e2e.raw_client import http, new_users
from tests.local.emulated import client

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.xdist_group("stack")]

PAUSE_S = 0.05
BEFORE = 30


@dataclass
class Place:
    """An emulator to which either version can be deployed: what is around the stack stays as it is, as in AWS."""

    settings: Settings
    old: Path
    new: Path
    _deployed: tuple[Path, Stack] | None = None

    def deploy(self, ready: Path) -> Stack:
        """Have this version there, which the test before may have left."""
        if self._deployed is None or self._deployed[0] != ready:
            here, pushes = replace(self.settings, root=ready), _ports(self.settings)
            self._deployed = None
            self._deployed = ready, deployment.deploy(here, deployment.wanted(self.settings, pushes), pushes)
        return self._deployed[1]

    def cut(self, stack: Stack, user: str) -> None:
        """End the user's connections, as the gateway does after two hours: without a word."""
        row = client(self.settings, "dynamodb").get_item(
            TableName=stack.tables.sessions, Key={"user_id": {"S": user}}, ConsistentRead=True
        )
        gateway = boto3.client(
            "apigatewaymanagementapi",
            endpoint_url=stack.ws_url.replace("ws", "http", 1),
            region_name=stack.region,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        for connection_id in row["Item"]["connections"]["M"]:
            gateway.delete_connection(ConnectionId=connection_id)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, watchdog: None) -> Iterator[Place]:
    tmp_path = tmp_path_factory.mktemp("place")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PARLEY_")]:
            patch.delenv(name)
        yield from _made(tmp_path)


def _made(tmp_path: Path) -> Iterator[Place]:
    old = tmp_path / "old"
    old.mkdir()
    released.unpack(old)
    settings = Settings(home=tmp_path / "home", port=ports.free_port())
    settings.home.mkdir()
    server.start(settings)
    try:
        push_servers.start(settings)
        with ThreadPoolExecutor() as threads:
            bootstrapped = threads.submit(deployment.bootstrap, settings)
            ready = [synthesized(settings, root, tmp_path / name) for root, name in ((old, "from"), (ROOT, "to"))]
            bootstrapped.result()
        yield Place(settings, old=ready[0], new=ready[1])
    finally:
        server.stop(settings)
        push_servers.stop(settings)


def synthesized(settings: Settings, root: Path, folder: Path) -> Path:
    """A folder from which a version is deployed as it was synthesized there, once, and where no test's time runs."""
    folder.mkdir()
    made = replace(settings, root=root, home=folder)
    told, environment = _known(deployment.arguments(settings, _ports(settings)), root), cdk.local_environment(made)
    cdk.run(made, "synth", deployment.STACK_NAME, "--quiet", *told, environment=environment, log=folder / "synth.log")
    for tool in released.TOOLS:
        (folder / tool).symlink_to(ROOT / tool)
    (folder / "cdk.json").write_text(json.dumps({"app": str(folder / "cdk.out")}), encoding="utf-8")
    return folder


def _known(arguments: Sequence[str], root: Path) -> list[str]:
    """Without the keys that this version's configuration does not have."""
    keys = (root / "infra" / "config.py").read_text(encoding="utf-8")
    pairs = zip(arguments[::2], arguments[1::2], strict=True)
    return [part for option, pair in pairs if f'"{pair.split("=")[0]}"' in keys for part in (option, pair)]


def _ports(settings: Settings) -> Ports:
    found = push_servers.find(settings)
    assert found is not None
    return found.ports


@dataclass
class Writer:
    """Somebody who writes on and on. `acked` are the seqs of what the server has acknowledged, by their text."""

    client: ParleyClient
    to: str
    acked: dict[str, int] = field(default_factory=dict)
    stopped: bool = False

    async def write(self) -> None:
        while not self.stopped:
            text = uuid.uuid4().hex
            ack = await self.client.send(text, to=self.to)
            assert text not in self.acked
            self.acked[text] = ack.seq
            await asyncio.sleep(PAUSE_S)


@dataclass
class Reader:
    """Somebody who listens. `got` is all that came, in its order."""

    client: ParleyClient
    got: list[Message] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)

    async def read(self) -> None:
        async for event in self.client.events():
            self.take(event)

    def take(self, event: Event) -> None:
        if isinstance(event, Message):
            self.got.append(event)
        elif isinstance(event, ConnectionChanged):
            self.changes.append(event.state)

    async def has(self, count: int) -> None:
        await until(lambda: len(self.got) >= count)


async def more(writer: Writer, count: int) -> None:
    """So many more are acknowledged."""
    wanted = len(writer.acked) + count
    await until(lambda: len(writer.acked) >= wanted)


def fill(stack: Stack) -> str:
    """What a deployment has, made by the old version: a group with its changes, a device, a contact, a profile."""
    body = {"type": "group", "name": "Tea", "members": ["bob", "carol"]}
    status, made = http(stack, "POST", "/v1/conversations", user_id="alice", body=body)
    assert status == 201, made
    group = str(made["id"])
    for number in range(5):
        path = f"/v1/conversations/{group}/messages"
        assert http(stack, "POST", path, user_id="alice", body={"content": f"tea {number}"})[0] == 201
    assert http(stack, "PUT", "/v1/devices/phone", user_id="carol", body={"platform": "fcm", "token": "t"})[0] == 200
    assert http(stack, "PUT", "/v1/me", user_id="alice", body={"display_name": "Alice"})[0] == 200
    return group


def begin_anew(stack: Stack) -> tuple[list[str], str, int]:
    """What only the new version can make: users, their group, and its head."""
    users = new_users(3)
    body = {"type": "group", "name": "Tea", "members": users[1:]}
    status, made = http(stack, "POST", "/v1/conversations", user_id=users[0], body=body)
    assert status == 201, made
    return users, str(made["id"]), novelties(stack, users, str(made["id"]))


async def still_read(stack: Stack, users: Sequence[str], group: str, head: int) -> None:
    """The old version reads what the new one has stored: in history, lists and by a sync, and goes on from there."""
    a, b, _ = users
    path = f"/v1/conversations/{group}"
    for asked in ("/v1/conversations", path, f"{path}/messages", f"{path}/members"):
        status, answer = await asyncio.to_thread(http, stack, "GET", asked, user_id=a)
        assert status == 200, (asked, answer)
    status, page = await asyncio.to_thread(http, stack, "GET", f"{path}/messages", user_id=b)
    assert [one["content"] for one in page["messages"]] == ["that was all", "everybody", "one"]
    async with ParleyClient(stack.ws_url, token=mint(stack, b), http_url=stack.http_url) as bob:
        await bob.connected()
        synced = await bob.request("sync", conversations={group: 0})
        ack = await bob.send("still here", conversation_id=group)
    (told,) = [one for one in synced["conversations"] if one["id"] == group]
    assert [entry["seq"] for entry in told["entries"]] == list(range(1, head + 1))
    assert (told["head"], ack.seq) == (head, head + 1)


def still_there(stack: Stack, group: str) -> None:
    status, page = http(stack, "GET", f"/v1/conversations/{group}/messages", user_id="bob")
    assert (status, sorted(one["content"] for one in page["messages"])) == (
        200,
        [f"tea {number}" for number in range(5)],
    )
    assert [one["device_id"] for one in http(stack, "GET", "/v1/devices", user_id="carol")[1]["devices"]] == ["phone"]
    assert http(stack, "GET", "/v1/me", user_id="alice")[1]["display_name"] == "Alice"


@pytest.mark.parametrize("language", ["Python", "JavaScript"])
async def test_todays_client_chats_on_the_previous_stack(place: Place, language: str, tmp_path: Path) -> None:
    """As long as it asks for nothing that is newer (docs/compatibility.md)."""
    stack = await asyncio.to_thread(place.deploy, place.old)
    client = (
        clients.todays_python_client()
        if language == "Python"
        else await asyncio.to_thread(clients.todays_javascript_client, tmp_path)
    )
    report, users = await asyncio.to_thread(client.chat, stack)
    clients.check_chat(report, users, client)


async def test_an_upgrade_and_a_rollback_under_traffic_lose_nothing_that_was_acked(place: Place) -> None:
    stack = await asyncio.to_thread(place.deploy, place.old)
    group = await asyncio.to_thread(fill, stack)

    def chat(user: str) -> ParleyClient:
        return ParleyClient(stack.ws_url, token=lambda: mint(stack, user), http_url=stack.http_url, backoff_limit=2.0)

    anew: list[tuple[list[str], str, int]] = []
    async with chat("alice") as alice, chat("bob") as bob:
        writer, reader = Writer(alice, "bob"), Reader(bob)
        tasks = [asyncio.create_task(writer.write()), asyncio.create_task(reader.read())]
        try:
            await more(writer, BEFORE)
            for version in (place.new, place.old):
                moved = await asyncio.to_thread(place.deploy, version)
                assert (moved.ws_url, moved.http_url, moved.tables) == (stack.ws_url, stack.http_url, stack.tables)
                await asyncio.to_thread(place.cut, stack, "bob")  # who comes again meets the other version
                await more(writer, BEFORE)
                await asyncio.to_thread(still_there, stack, group)
                if version == place.new:
                    anew.append(await asyncio.to_thread(begin_anew, stack))
            await still_read(stack, *anew[0])
            writer.stopped = True
            await tasks[0]
            await reader.has(len(writer.acked))
        finally:
            for task in tasks:
                task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                assert not isinstance(result, Exception), result
    assert [message.seq for message in reader.got] == sorted(writer.acked.values())
    assert {message.content: message.seq for message in reader.got} == writer.acked
    assert len(set(writer.acked.values())) == len(writer.acked) >= 3 * BEFORE
    assert reader.changes.count("online") >= 3  # at first, and after each of the two
