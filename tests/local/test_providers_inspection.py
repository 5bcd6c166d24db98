"""What people see of the local providers, and how they tell them to fail."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from local.providers.inspection import PAGE
from local.providers.serving import Providers
from tests.local.provider_clients import DEVICE, apple


@pytest.fixture
def looking(server: Providers) -> Iterator[httpx2.Client]:
    """A client of the inspection port."""
    with httpx2.Client(base_url=server.inspect_url, timeout=10) as client:
        yield client


def push(server: Providers, token: str = DEVICE) -> int:
    with apple(server) as apns:
        return apns.push(token).status_code


def test_pushes_are_shown_oldest_first_and_can_be_cleared(server: Providers, looking: httpx2.Client) -> None:
    push(server, "ab" * 32)
    push(server, "cd" * 32)
    shown = looking.get("/pushes").json()
    assert [(entry["provider"], entry["token"]) for entry in shown] == [("apns", "ab" * 32), ("apns", "cd" * 32)]
    assert set(shown[0]) == {"provider", "environment", "token", "headers", "payload", "received_at"}
    assert looking.delete("/pushes").status_code == 204
    assert looking.get("/pushes").json() == looking.get("/requests").json() == []


def test_requests_are_shown_with_their_answers_and_without_what_opens_the_door(
    server: Providers, looking: httpx2.Client
) -> None:
    push(server, "xyz")
    [asked] = looking.get("/requests").json()
    assert (asked["status"], asked["reason"], asked["payload"]) == (400, "BadDeviceToken", {"aps": {"badge": 1}})
    assert "apns-topic" in asked["headers"]
    assert "authorization" not in asked["headers"]


def test_failures_are_told_and_taken_back(server: Providers, looking: httpx2.Client) -> None:
    told = {"provider": "apns", "token": None, "do": "answer", "status": 410, "reason": "Unregistered", "timestamp": 5}
    assert looking.put("/behaviours", json=told).status_code == 204
    assert push(server) == 410
    assert looking.delete("/behaviours").status_code == 204
    assert push(server) == 200


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        (None, "tell it as a JSON object"),
        ({}, "provider is missing"),
        ({"provider": "sms", "status": 503}, "provider is one of fcm, apns, web, ses, oauth"),
        ({"provider": "fcm", "status": "503"}, "status is no int"),
        ({"provider": "fcm", "status": True}, "status is no int"),
        ({"provider": "fcm", "state": 503}, "there is no state; there are provider, do,"),
        ({"provider": "fcm", "status": 503, "headers": {"retry-after": 30}}, "headers are strings"),
        ({"provider": "fcm", "do": "drop", "times": 0}, "times is at least 1"),
        ({"provider": "fcm", "do": "slow", "seconds": -1}, "seconds can't be negative"),
    ],
)
def test_what_can_not_be_told_is_explained(looking: httpx2.Client, told: Any, problem: str) -> None:
    answer = looking.put("/behaviours", json=told)
    assert answer.status_code == 400
    assert problem in answer.json()["error"]


def test_a_token_is_given_an_environment(server: Providers, looking: httpx2.Client) -> None:
    assert looking.put(f"/apns/tokens/{'EF' * 32}", json={"environment": "sandbox"}).status_code == 204
    assert push(server, "ef" * 32) == 400
    looking.delete("/behaviours")
    assert push(server, "ef" * 32) == 200


@pytest.mark.parametrize("value", [None, {"environment": "staging"}, {"topic": 1}, {"app": "x"}])
def test_a_token_is_given_nothing_else(looking: httpx2.Client, value: Any) -> None:
    assert looking.put(f"/apns/tokens/{DEVICE}", json=value).status_code == 400


def test_the_page_needs_nothing_from_elsewhere(looking: httpx2.Client) -> None:
    answer = looking.get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    addresses = re.findall(r"""(?:src|href)\s*=\s*["']([^"']*)""", answer.text) + re.findall(r"url\(", answer.text)
    assert addresses == ["data:,"]


def test_the_page_never_writes_markup_from_what_came() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", page)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:4578", ""])
def test_another_name_that_leads_here_is_refused(looking: httpx2.Client, host: str) -> None:
    assert looking.get("/pushes", headers={"host": host}).status_code == 403


@pytest.mark.parametrize("host", ["localhost", "localhost:4578", "127.0.0.1:4578"])
def test_its_own_names_are_not(looking: httpx2.Client, host: str) -> None:
    assert looking.get("/pushes", headers={"host": host}).status_code == 200


def test_other_paths_and_methods_are_none(looking: httpx2.Client) -> None:
    assert looking.get("/nothing").status_code == 404
    assert looking.post("/pushes").status_code == 405
    assert looking.get(f"/apns/tokens/{DEVICE}").status_code == 405


def test_a_connection_that_speaks_no_http_is_told_so_and_the_next_one_is_served(
    server: Providers, looking: httpx2.Client
) -> None:
    host, port = server.inspect_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(b"hello\r\n\r\n")
        said = raw.makefile("rb").read()
    assert said.startswith(b"HTTP/1.1 400 ")
    assert looking.get("/pushes").status_code == 200


def test_a_client_that_waits_for_leave_to_send_its_body_gets_it(server: Providers) -> None:
    host, port = server.inspect_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        head = "PUT /behaviours HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"
        raw.sendall(f"{head}Connection: close\r\n\r\n".encode())
        assert raw.recv(100).startswith(b"HTTP/1.1 100 ")
        raw.sendall(b"{}")
        assert raw.makefile("rb").read().startswith(b"HTTP/1.1 400 ")
