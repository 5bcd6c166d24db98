"""What a group can do today that the previous release knows nothing of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from local.stack import Stack
from tests.e2e.raw_client import http


def novelties(stack: Stack, users: Sequence[str], group: str) -> int:
    """What a group can do today and could not then: each a request, each told to its members. Returns the head."""
    a, b, c = users
    path = f"/v1/conversations/{group}"

    def ask(method: str, more: str, body: dict[str, Any] | None = None, user: str = a) -> Any:
        status, answer = http(stack, method, f"{path}{more}", user_id=user, body=body)
        assert status < 300, (method, more, answer)
        return answer

    first = ask("POST", "/messages", {"content": "one", "data": {"kind": "order", "lines": [1, 2]}})
    ask("PUT", f"/pins/{first['seq']}")
    ask("PATCH", "", {"topic": "Tea", "data": {"team": 7}})
    ask("PATCH", "", {"slow_mode": 5})
    ask("PATCH", "", {"slow_mode": 0})
    ask("PATCH", "", {"frozen": True})
    ask("PATCH", "", {"frozen": False})
    ask("PATCH", "", {"join": "open"})
    ask("POST", "/messages", {"content": "everybody", "mentions": ["@all"]})
    ask("PATCH", f"/members/{b}", {"data": {"seat": 3}})
    ask("PUT", f"/messages/{first['seq']}/reactions/%F0%9F%91%8D", user=c)
    ask("DELETE", f"/pins/{first['seq']}")
    return int(ask("POST", "/messages", {"content": "that was all"})["seq"])
