"""What the doctor says of a stack that is of another version, or of none that it tells."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest

from local import health
from ops.doctor.trouble import Doubt
from ops.doctor.versions import version
from shared.version import VERSION


@contextmanager
def saying(body: bytes, status: int = 200) -> Iterator[str]:
    """An HTTP API that answers with this."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/v1/health"
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def health_of(**said: Any) -> bytes:
    return json.dumps({"status": "ok", "time": 1, **said}).encode()


def taken(body: bytes, status: int = 200) -> str:
    with saying(body, status) as url:
        patient: Any = SimpleNamespace(http_url=url)
        return asyncio.run(version(patient))


def test_the_same_version_is_all_right() -> None:
    assert taken(health_of(version=VERSION)) == f"{VERSION}, the stack and these commands"


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (health_of(version="9.8.7"), 200, f"the stack is 9.8.7, these commands are {VERSION}"),
        (health_of(), 200, f"the stack says none, these commands are {VERSION}"),  # 0.1.0 before it was released
        (health_of(version=7), 200, f"the stack says none, these commands are {VERSION}"),
        (b"[]", 200, f"the stack says none, these commands are {VERSION}"),
        (b"<html>", 200, f"the stack says none, these commands are {VERSION}"),
        (b"{}", 503, f"the stack says none, these commands are {VERSION}"),
    ],
)
def test_another_one_is_doubted_and_not_called_broken(body: bytes, status: int, said: str) -> None:
    with pytest.raises(Doubt) as caught:
        taken(body, status)
    assert caught.value.said == said
    assert caught.value.cause
    assert caught.value.remedy


def test_where_nothing_answers_no_version_is_known() -> None:
    with saying(health_of()) as url:
        pass
    assert health.version_at(url) is None
