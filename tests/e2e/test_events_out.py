"""Events out on the deployed stack, by the very examples of docs/events.md: the receiver, the webhook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from local.ports import free_port
from local.stack import Stack
from local.tokens import mint
from shared.domain.text import private_conversation_id
from tests.e2e.examples import example, run
from tests.e2e.raw_client import http, new_users

ROOT = Path(__file__).parents[2]
PAGE = "docs/events.md"
PATIENCE_S = 120


def until(found: Callable[[], Any]) -> Any:
    """What `found` gives, once it gives something."""
    end = time.monotonic() + PATIENCE_S
    while not (there := found()):
        assert time.monotonic() < end
        time.sleep(0.2)
    return there


@contextmanager
def running(*command: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A program of the page, until the end of the block."""
    child = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        yield child
    finally:
        child.terminate()
        child.wait(timeout=PATIENCE_S)
        if child.stdout:
            child.stdout.close()


def asked(stack: Stack, user: str, method: str, path: str, body: Any = None, *, scope: str = "") -> Any:
    status, answer = http(stack, method, path, token=mint(stack, user, scope=scope), body=body)
    assert status < 300, answer
    return answer


def local(stack: Stack, method: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{stack.endpoint_url}{path}", data, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def test_the_receiver_of_the_page_takes_what_its_curl_makes_a_webhook_for(stack: Stack, tmp_path: Path) -> None:
    one, other = new_users(2)
    place, port = private_conversation_id(one, other), free_port()
    asked(stack, one, "POST", "/v1/conversations", {"type": "private", "with": other})
    for text in ("before", "and before"):
        asked(stack, one, "POST", f"/v1/conversations/{place}/messages", {"content": text})
    url = f"http://localhost:{port}/"
    variables = {"HTTP_URL": stack.http_url, "ADMIN_TOKEN": mint(stack, "root", scope="admin"), "YOUR_URL": url}
    (made,) = run(example(PAGE, "bash", "/v1/webhooks/crm"), **variables)
    script = tmp_path / "receiver.py"
    script.write_text(example(PAGE, "python", "class Receiver"), encoding="utf-8")
    try:
        with running(sys.executable, str(script), WEBHOOK_SECRET=made["secret"], PORT=str(port)) as receiver:
            for text in ("one", "two"):
                asked(stack, one, "POST", f"/v1/conversations/{place}/messages", {"content": text})
            asked(stack, one, "PATCH", f"/v1/conversations/{place}/messages/3", {"content": "better"})
            assert receiver.stdout is not None
            said: list[str] = []
            while len(said) < 3:
                line = receiver.stdout.readline().split()
                if line[1].startswith(place):
                    said.append(" ".join(line))
        assert said == [f"new_message {place}/3", f"new_message {place}/4", f"message_edited {place}/5"]
    finally:
        asked(stack, "root", "DELETE", "/v1/webhooks/crm", scope="admin")


@pytest.fixture
def hook(stack: Stack) -> Iterator[str]:
    """A webhook whose receiver is the stack's own, by a path of its own."""
    local(stack, "DELETE", "/_parley/events.json")
    body = {"url": f"{stack.hooks_url}/e2e"}
    asked(stack, "root", "PUT", "/v1/webhooks/e2e", body, scope="admin")
    yield "e2e"
    local(stack, "PUT", "/_parley/hooks", {"status": 200})
    asked(stack, "root", "DELETE", "/v1/webhooks/e2e", scope="admin")


def test_a_receiver_that_was_down_catches_up_and_all_of_it_was_on_the_bus(stack: Stack, hook: str) -> None:
    one, other = new_users(2)
    place = private_conversation_id(one, other)
    wanted = [f"{place}/{seq}" for seq in (1, 2, 3)]
    asked(stack, one, "POST", "/v1/conversations", {"type": "private", "with": other})
    local(stack, "PUT", "/_parley/hooks", {"status": 503})

    def ids(by: str, status: int | None) -> list[str]:
        listed = local(stack, "GET", "/_parley/events.json")["events"]
        of_these = [one for one in listed if one["by"] == by and one.get("status") == status]
        return [one["event"]["id"] for one in of_these if one["event"]["id"].startswith(place)]

    for text in ("one", "two", "three"):
        asked(stack, one, "POST", f"/v1/conversations/{place}/messages", {"content": text})
    until(lambda: ids("webhook", 503))
    assert ids("webhook", 200) == []
    local(stack, "PUT", "/_parley/hooks", {"status": 200})
    until(lambda: len(set(ids("webhook", 200))) == len(wanted))
    assert list(dict.fromkeys(ids("webhook", 200))) == wanted
    until(lambda: set(ids("bus", None)) == set(wanted))
    asked(stack, "root", "POST", f"/v1/webhooks/{hook}/replay", {"conversation_id": place, "seq": 2}, scope="admin")
    until(lambda: ids("webhook", 200).count(wanted[-1]) > 1)


def test_what_happens_to_a_user_is_told_in_order_and_to_nobody_else(stack: Stack, hook: str) -> None:
    user, other = new_users(2)
    asked(stack, "root", "PUT", f"/v1/users/{user}", {"name": "Ada"}, scope="admin")
    asked(stack, other, "POST", "/v1/reports", {"user_id": user, "reason": "spam"})
    asked(stack, "root", "PUT", f"/v1/users/{user}/ban", {"reason": "spam"}, scope="admin")
    asked(stack, "root", "DELETE", f"/v1/users/{user}/ban", scope="admin")
    asked(stack, "root", "DELETE", f"/v1/users/{user}", scope="admin")
    wanted = ["user_updated", "report_made", "user_banned", "user_unbanned", "user_deleted"]

    def told() -> dict[str, str]:
        """By their ids, as they came first."""
        listed = local(stack, "GET", "/_parley/events.json")["events"]
        of_these = [one["event"] for one in listed if one["by"] == "webhook"]
        return {one["id"]: one["type"] for one in of_these if one.get("conversation_id") == f"about:{user}"}

    until(lambda: len(told()) == len(wanted))
    assert list(told().values()) == wanted
    assert list(told()) == [f"about:{user}/{seq}" for seq in range(1, len(wanted) + 1)]
    assert hook == "e2e"
