"""The HTTP API over a real socket: pages of other origins, HEAD, ids in paths, and bytes that are no UTF-8."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

import pytest

from local.stack import Stack
from local.tokens import mint
from tests.e2e.raw_client import new_users

IDS = [
    *map(chr, range(0x20, 0x7F)),
    "\x00",
    "\n",
    "\u00e9",
    "\U0001f44d",
    "..",
    "%2e",
    "%2F",
    "a/b",
    "a/../b",
    "../a",
    "a//b",
]


def ask(
    stack: Stack, method: str, path: str, *, body: bytes | None = None, headers: Mapping[str, str] = {}
) -> tuple[int, Mapping[str, str], bytes]:
    """One request, whose path and bytes go out as they are."""
    base = urlsplit(stack.http_url)
    connection = http.client.HTTPConnection(base.hostname or "", base.port, timeout=30)
    try:
        connection.request(method, base.path + path, body=body, headers=dict(headers))
        answered = connection.getresponse()
        return answered.status, {name.lower(): value for name, value in answered.getheaders()}, answered.read()
    finally:
        connection.close()


def own(stack: Stack, user_id: str, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {mint(stack, user_id)}", "Content-Type": "application/json", **more}


@pytest.mark.parametrize("origin", ["http://localhost:5173", "http://127.0.0.1:3000"])
def test_a_page_of_this_machine_may_ask_and_read(stack: Stack, origin: str) -> None:
    told = ask(stack, "OPTIONS", "/v1/me", headers={"Origin": origin, "Access-Control-Request-Method": "PUT"})
    assert (told[0], told[1]["access-control-allow-origin"]) == (204, origin)
    assert "PUT" in told[1]["access-control-allow-methods"]
    assert ask(stack, "GET", "/v1/health", headers={"Origin": origin})[1]["access-control-allow-origin"] == origin


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://localhost.evil.example", "null", "capacitor://localhost"]
)
def test_any_other_page_may_not(stack: Stack, origin: str) -> None:
    told = ask(stack, "OPTIONS", "/v1/me", headers={"Origin": origin, "Access-Control-Request-Method": "PUT"})
    assert "access-control-allow-origin" not in told[1]
    assert "access-control-allow-origin" not in ask(stack, "GET", "/v1/health", headers={"Origin": origin})[1]


def test_head_has_the_length_of_what_get_brings(stack: Stack) -> None:
    (user_id,) = new_users(1)
    for path in ("/v1/me", "/v1/conversations", "/v1/openapi.json", "/v1/nothing"):
        status, _, body = ask(stack, "GET", path, headers=own(stack, user_id))
        heard = ask(stack, "HEAD", path, headers=own(stack, user_id))
        assert (heard[0], heard[2]) == (status, b"")
        if status == 200:
            assert heard[1].get("content-length", str(len(body))) == str(len(body))


@pytest.mark.parametrize("text", IDS, ids=ascii)
def test_an_id_in_a_path_is_taken_or_refused_and_never_another_path(stack: Stack, text: str) -> None:
    (user_id,) = new_users(1)
    for method, path in (("PUT", "/v1/blocks/"), ("DELETE", "/v1/devices/"), ("DELETE", "/v1/notifications/")):
        status, _, body = ask(stack, method, path + quote(text, safe=""), headers=own(stack, user_id))
        assert status in {204, 400}, body
        assert status == 204 or json.loads(body)["code"] == "bad_request"


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/octet-stream"])
@pytest.mark.parametrize("sent", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf0\x9f\x98"])
def test_bytes_that_are_no_utf_8_are_refused(stack: Stack, content_type: str, sent: bytes) -> None:
    headers = own(stack, *new_users(1)) | {"Content-Type": content_type}
    status, _, body = ask(stack, "PUT", "/v1/me", body=b'{"display_name":"x' + sent + b'"}', headers=headers)
    assert (status, json.loads(body)["code"]) == (400, "bad_request")
