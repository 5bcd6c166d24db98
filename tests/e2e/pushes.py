"""What the local push servers of a stack have received, and telling them how to behave."""

from __future__ import annotations

import asyncio
import json
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any

from local.stack import Stack
from tests.e2e.raw_client import PATIENCE_S, http

_POLL_S = 0.1


def asked(stack: Stack, method: str, path: str, body: Any = None) -> Any:
    assert stack.pushes_url is not None
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(stack.pushes_url + path, data=data, method=method)
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def received(stack: Stack, token: str) -> list[dict[str, Any]]:
    """The pushes that were accepted for this token, oldest first."""
    found: list[dict[str, Any]] = asked(stack, "GET", "/pushes")
    return [push for push in found if push["token"] == token]


async def until(condition: Callable[[], Any], *, patience_s: float = PATIENCE_S) -> Any:
    """What the condition gives, as soon as that is something."""
    async with asyncio.timeout(patience_s):
        while True:
            if found := await asyncio.to_thread(condition):
                return found
            await asyncio.sleep(_POLL_S)


async def pushed(stack: Stack, token: str, count: int = 1) -> list[dict[str, Any]]:
    """Wait for so many pushes to this token, and give all that there are."""
    found: list[dict[str, Any]] = await until(
        lambda: pushes if len(pushes := received(stack, token)) >= count else None
    )
    return found


def android(stack: Stack, user_id: str, device_id: str = "android") -> str:
    """Give the user an Android phone; its token."""
    token = f"fcm-{uuid.uuid4().hex}"
    body = {"platform": "fcm", "token": token}
    assert http(stack, "PUT", f"/v1/devices/{device_id}", user_id=user_id, body=body)[0] == 200
    return token


def iphone(stack: Stack, user_id: str, device_id: str = "iphone", environment: str = "production") -> str:
    token = uuid.uuid4().hex * 2
    body = {"platform": "apns", "token": token, "app_id": "com.example.chat", "environment": environment}
    assert http(stack, "PUT", f"/v1/devices/{device_id}", user_id=user_id, body=body)[0] == 200
    return token


def misbehave(stack: Stack, **told: Any) -> None:
    asked(stack, "PUT", "/behaviours", told)


def behave(stack: Stack) -> None:
    asked(stack, "DELETE", "/behaviours")
