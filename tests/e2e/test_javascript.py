"""Users of the JavaScript client chat on the real stack, over a bad network and over connections that don't last.

What they were told and show is judged by the log.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from parley_client.parsing import as_entry
from parley_client.view import ConversationView

from local.stack import Stack
from local.tokens import mint
from tests.chaos.proxy import Proxy, proxy_before
from tests.chaos.storm import ENDS, FaultModel, NoFaults, Storm
from tests.e2e.raw_client import new_users
from tests.e2e.test_groups import make_group
from tests.soak.run import everything

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120
STRIKES = 12  # connections that come to a bad end, most of them while there is something to lose
LIVES = 9  # connections of three users
# As the chaos runs of the Python client have it: trouble is noticed soon.
PATIENCE = {
    "backoffFirst": 50,
    "backoffLimit": 500,
    "maxAttempts": 1_000,
    "heartbeat": 2_000,
    "fullSyncEvery": 2,
    "pongTimeout": 1_500,
    "requestTimeout": 1_500,
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The client, built: its address."""
    folder = tmp_path_factory.mktemp("bundle")
    arguments = ["build", "--outDir", str(folder), "--emptyOutDir", "false", "--logLevel", "error"]
    subprocess.run([ROOT / "node_modules/.bin/vite", *arguments], cwd=ROOT / "clients/js", check=True)
    (folder / "package.json").write_text(json.dumps({"type": "module"}))
    return (folder / "index.js").as_uri()


Reports = list[dict[str, Any]]
Log = list[dict[str, Any]]


async def chat(
    stack: Stack, bundle: str, faults: FaultModel, *, until: Callable[[Proxy], bool], rng: random.Random
) -> tuple[Reports, Log]:
    """The users' reports, and the log of their group. They come to rest when all is written and `until` holds."""
    names = new_users(3)
    group = make_group(stack, names[0], names[1:])
    async with asyncio.timeout(SECONDS), proxy_before(stack, rng=rng) as network:
        terms = {
            "bundle": bundle,
            "url": network.url,
            "httpUrl": network.http_url,
            "tokens": {name: mint(stack, name) for name in names},
            "group": group,
            "settings": PATIENCE,
            "messages": 60,
            "seed": 5,
        }
        program = await asyncio.create_subprocess_exec(
            "node",
            ROOT / "clients/js/tests/chatter.mjs",
            json.dumps(terms),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=2**24,
        )
        assert program.stdin is not None
        assert program.stdout is not None
        try:
            assert await program.stdout.readline() == b"online\n"
            network.fault_model = faults
            network.cut()  # whose connection is from before comes under them, too
            program.stdin.write(b"\n")
            assert await program.stdout.readline() == b"written\n"
            while not until(network):  # noqa: ASYNC110  # the proxy has no event for it
                await asyncio.sleep(0.1)
            network.heal()
            program.stdin.write(b"\n")
            reports: Reports = json.loads(await program.stdout.readline())
        finally:
            if program.returncode is None:
                program.kill()
            await program.wait()
        return reports, (await everything(stack, names[0]))[group]


def test_a_bad_network_loses_doubles_and_reorders_nothing(stack: Stack, bundle: str) -> None:
    rng = random.Random(5)

    def has_stormed(network: Proxy) -> bool:
        return sum(network.struck[trouble] for trouble in ENDS) >= STRIKES

    judge(*asyncio.run(chat(stack, bundle, Storm(rng, frames=30), until=has_stormed, rng=rng)))


@pytest.mark.usefixtures("short_lives")
def test_connections_that_do_not_last_lose_double_and_reorder_nothing(stack: Stack, bundle: str) -> None:
    def have_lived(network: Proxy) -> bool:
        return network.connections >= LIVES

    judge(*asyncio.run(chat(stack, bundle, NoFaults(), until=have_lived, rng=random.Random(5))))


def judge(reports: Reports, log: Log) -> None:
    group = log[0]["conversation_id"]
    written = [entry["message"]["client_message_id"] for entry in log if entry["type"] == "new_message"]
    assert sorted(written) == sorted(one for report in reports for one in report["sent"])
    assert len(written) >= 60
    view = ConversationView(group)
    for frame in log:
        entry = as_entry(frame)
        assert entry is not None
        view.apply(entry)
    kept = [
        [seq, False, message.content, {emoji: list(by) for emoji, by in message.reactions.items()}]
        for seq, message in sorted(view.messages.items())
    ]
    for report in reports:
        assert report["told"][group][-1] == len(log)
        first = report["told"][group][0]
        assert report["told"][group] == list(range(first, len(log) + 1))
        shown = report["shown"]
        assert shown == kept[-len(shown) :]
        assert len(shown) >= 40
