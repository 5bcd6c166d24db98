"""Calls of the HTTP API over connections that end where they should not."""

from __future__ import annotations

import asyncio

import pytest
from parley_client import ParleyError
from parley_client.rest import RestApi

from tests.shared.adapters.aws.servers import Reply, ScriptedServer

HEADS = (b"HTTP/1.1 200 OK", b"HTTP/1.1 404 Not Found", b"HTTP/1.1 503 Service Unavailable")


@pytest.mark.parametrize("head", HEADS)
def test_an_answer_that_is_cut_in_the_middle_is_no_answer_whatever_it_would_have_been(head: bytes) -> None:
    cut = Reply(head + b'\r\nContent-Length: 100\r\n\r\n{"code": "not_a_memb', "close")
    with ScriptedServer(lambda _: cut) as server, pytest.raises(ParleyError) as caught:
        asyncio.run(RestApi(server.url).call("GET", "/v1/conversations", "token"))
    assert (caught.value.code, caught.value.retryable, caught.value.status) == ("unreachable", True, None)
