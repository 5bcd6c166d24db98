"""Users of the JavaScript client chat over a bad network, on the real stack: what they were told and show is judged."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from typing import Any

from parley_client.parsing import as_entry
from parley_client.view import ConversationView

from local.stack import Stack
from local.tokens import mint
from tests.chaos.proxy import proxy_before
from tests.chaos.storm import Storm
from tests.e2e.raw_client import new_users
from tests.e2e.test_groups import make_group
from tests.soak.run import everything

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120
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


async def build(folder: Path) -> str:
    arguments = ["build", "--outDir", str(folder), "--emptyOutDir", "false", "--logLevel", "error"]
    made = await asyncio.create_subprocess_exec(ROOT / "node_modules/.bin/vite", *arguments, cwd=ROOT / "clients/js")
    assert await made.wait() == 0
    (folder / "package.json").write_text(json.dumps({"type": "module"}))
    return (folder / "index.js").as_uri()


async def chat(stack: Stack, folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The users' reports, and the log of their group."""
    names = new_users(3)
    group = make_group(stack, names[0], names[1:])
    rng = random.Random(5)
    async with asyncio.timeout(SECONDS), proxy_before(stack, rng=rng) as network:
        terms = {
            "bundle": await build(folder),
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
            network.fault_model = Storm(rng, frames=30)
            program.stdin.write(b"\n")
            assert await program.stdout.readline() == b"written\n"
            network.heal()
            program.stdin.write(b"\n")
            reports: list[dict[str, Any]] = json.loads(await program.stdout.readline())
            assert network.struck.total() >= 5
        finally:
            if program.returncode is None:
                program.kill()
            await program.wait()
        return reports, (await everything(stack, names[0]))[group]


def test_nothing_is_lost_doubled_or_reordered(stack: Stack, tmp_path: Path) -> None:
    reports, log = asyncio.run(chat(stack, tmp_path))
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
