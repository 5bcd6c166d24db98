"""Whether the deployed stack answers, through its gateways and as a client would ask."""

import json
import urllib.error
import urllib.request

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from local.processes import wait_until
from local.stack import Stack

TIMEOUT = 10.0


def http_answers(stack: Stack) -> bool:
    """Whether `GET /v1/health` says 200."""
    try:
        with urllib.request.urlopen(f"{stack.http_url}/v1/health", timeout=TIMEOUT) as reply:
            return bool(reply.status == 200)  # noqa: PLR2004
    except (urllib.error.URLError, OSError):
        return False


def version_at(http_url: str) -> str | None:
    """The version that a stack says it is of; None where it says none, or does not answer."""
    try:
        with urllib.request.urlopen(f"{http_url}/v1/health", timeout=TIMEOUT) as reply:
            said = json.load(reply).get("version")
    except (OSError, ValueError, AttributeError):
        return None
    return said if isinstance(said, str) else None


def websocket_answers(stack: Stack, token: str) -> bool:
    """Whether a handshake with this token succeeds."""
    headers = {"Authorization": f"Bearer {token}"}
    try:
        with connect(stack.ws_url, additional_headers=headers, proxy=None, open_timeout=TIMEOUT):
            return True
    except (OSError, WebSocketException):
        return False


def wait_for_http(stack: Stack, seconds: float) -> bool:
    return wait_until(lambda: http_answers(stack), seconds)


def wait_for_websocket(stack: Stack, token: str, seconds: float) -> bool:
    return wait_until(lambda: websocket_answers(stack, token), seconds)
