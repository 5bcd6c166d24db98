"""The emulator's process is killed with SIGKILL: what it had acknowledged is there afterwards."""

import json
import os
import signal
import urllib.request
from typing import TYPE_CHECKING, Any

from websockets.sync.client import connect

from local import server, tokens
from local.processes import wait_until
from local.stack import Stack
from tests.e2e.pushes import android, received

if TYPE_CHECKING:
    from tests.e2e.conftest import OwnStack

SENDER, RECIPIENT = "kill-alice", "kill-bob"
CONVERSATION = f"dm:{SENDER}:{RECIPIENT}"
WAIT = 20.0


def bearer(stack: Stack, user: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.mint(stack, user)}"}


def send(stack: Stack, contents: list[str]) -> list[int]:
    """The acknowledged seqs."""
    with connect(stack.ws_url, additional_headers=bearer(stack, SENDER), proxy=None) as client:
        replies = []
        for content in contents:
            message = {"to": RECIPIENT, "content": content, "client_message_id": content}
            client.send(json.dumps({"type": "message"} | message))
            replies.append(json.loads(client.recv(WAIT)))
        return [reply["data"]["seq"] for reply in replies]


def history(stack: Stack) -> list[tuple[int, str]]:
    url = f"{stack.http_url}/v1/conversations/{CONVERSATION}/messages?after=0&limit=100"
    with urllib.request.urlopen(urllib.request.Request(url, headers=bearer(stack, RECIPIENT)), timeout=WAIT) as reply:
        messages: list[dict[str, Any]] = json.load(reply)["messages"]
    return [(message["seq"], message["content"]) for message in messages]


def pushed(stack: Stack, token: str) -> list[int]:
    """The seqs that were pushed to this device, as they came."""
    return [int(push["payload"]["data"]["seq"]) for push in received(stack, token)]


def test_acknowledged_messages_survive_a_killed_emulator_and_nothing_is_pushed_twice(
    own_stack: "OwnStack", stack: Stack
) -> None:
    token = android(stack, RECIPIENT)
    contents = [f"before {number}" for number in range(10)]
    assert send(stack, contents) == list(range(1, 11))
    running = server.find(own_stack.settings)
    assert running is not None
    os.kill(running.process.pid, signal.SIGKILL)
    assert wait_until(lambda: not running.process.alive, WAIT)

    own_stack.run("up")

    assert history(stack) == list(enumerate(contents, start=1))
    # A client that never saw its ack sends again, and gets the same place in the log.
    assert send(stack, [contents[-1], "after"]) == [10, 11]
    # The emulator's queues are in its memory: pushes that waited there are gone, as those after them are not.
    assert wait_until(lambda: 11 in pushed(stack, token), WAIT)
    assert len(pushed(stack, token)) == len(set(pushed(stack, token)))
