"""The local providers as a process, and the list of what they received."""

from __future__ import annotations

import json
import re
import signal
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local import processes
from local.errors import CommandError
from local.ports import free_port
from local.providers import listing, process
from local.providers.ports import Ports
from local.settings import ROOT, Settings


@pytest.fixture
def home(tmp_path: Path, watchdog: None) -> Iterator[Settings]:
    """A stack whose providers are stopped at the end."""
    settings = Settings(home=tmp_path / "home", port=quiet_port(), root=ROOT)
    settings.home.mkdir()
    yield settings
    process.stop(settings)


def quiet_port() -> int:
    """A port that is free together with those that follow it."""
    return next(port for port in iter(free_port, None) if Ports.beside(port).are_free)


def taken(port: int) -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", port))
    listener.listen()
    return listener


def test_they_are_started_once_found_again_and_stopped(home: Settings) -> None:
    assert process.find(home) is None
    started = process.start(home)
    assert process.find(home) == started
    assert process.is_ready(started.ports)
    assert process.stop(home)
    assert process.find(home) is None
    assert not started.process.alive
    assert not process.stop(home)


def test_those_of_other_code_are_known(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not process.is_current(home)
    running = process.start(home)
    assert process.is_current(home)
    process.remember(home, running)
    assert process.is_current(home)
    monkeypatch.setattr(process, "_code", lambda: "newer")
    assert not process.is_current(home)
    record = json.loads(home.providers_file.read_text())
    del record["code"]  # as the versions before wrote it
    home.providers_file.write_text(json.dumps(record))
    assert process.find(home) == running
    assert not process.is_current(home)


def test_they_stop_by_themselves_when_asked(home: Settings) -> None:
    assert processes.stop(process.start(home).process, grace=10)
    assert home.log("providers").read_text() == ""


def test_the_four_ports_that_follow_the_stacks_are_used(home: Settings) -> None:
    ports = process.start(home).ports
    assert (ports.inspection, ports.fcm, ports.apns, ports.sandbox) == tuple(home.port + n for n in (1, 2, 3, 4))


def test_where_one_of_them_is_taken_others_are_used_and_kept(home: Settings) -> None:
    with taken(home.port + 3):
        first = process.start(home).ports
        assert first != Ports.beside(home.port)
        process.stop(home)
        assert process.start(home).ports == first
        process.stop(home)
    assert process.start(home).ports == Ports.beside(home.port)


def test_ports_beyond_the_last_one_are_not_free() -> None:
    assert not Ports.beside(65_533).are_free


def test_a_stack_that_moved_takes_its_providers_along(home: Settings) -> None:
    first = process.start(home).ports
    process.stop(home)
    moved = replace(home, port=quiet_port())
    assert process.start(moved).ports != first


def test_killed_ones_are_not_running_and_start_where_they_were(home: Settings) -> None:
    first = process.start(home)
    processes._signal(first.process, signal.SIGKILL)
    assert processes.wait_until(lambda: process.find(home) is None, 10)
    assert process.start(home).ports == first.ports


def test_a_failed_start_says_why(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as others:
        ports = Ports.anywhere()
        others.enter_context(taken(ports.apns))
        monkeypatch.setattr(process, "_choose", lambda _: ports)
        with pytest.raises(CommandError, match=r"The push servers did not start: .*in use") as caught:
            process.start(home)
    assert caught.value.hint.endswith("providers.log")
    assert process.find(home) is None


@pytest.mark.parametrize("record", ["", "{", "[]", '{"pid": 1}'])
def test_a_broken_record_is_none(home: Settings, record: str) -> None:
    home.providers_file.write_text(record)
    assert process.find(home) is None
    assert process.remembered(home) is None


def apns(alert: Any, **aps: Any) -> dict[str, Any]:
    return {
        "provider": "apns",
        "environment": "sandbox",
        "token": "ab" * 32,
        "headers": {"apns-collapse-id": "talk"},
        "payload": {"aps": {"alert": alert, **aps}},
        "received_at": 1_800_000_000_000,
    }


def web(**payload: Any) -> dict[str, Any]:
    return {**fcm(), "provider": "web", "token": "https://localhost/web/1", "payload": payload}


def fcm(**message: Any) -> dict[str, Any]:
    return {
        "provider": "fcm",
        "environment": None,
        "token": "phone",
        "headers": {},
        "payload": message,
        "received_at": 1_800_000_000_000,
    }


@pytest.mark.parametrize(
    ("push", "shown"),
    [
        (
            apns({"title-loc-key": "MESSAGE_FROM", "title-loc-args": ["Alice"], "loc-key": "NEW"}, badge=3),
            "sandbox  abababababababa…  MESSAGE_FROM(Alice) · NEW · badge 3 · collapse talk",
        ),
        (apns("hello"), "sandbox  abababababababa…  hello · collapse talk"),
        (apns({"title": "Alice", "body": "hello"}, badge=0), "Alice · hello · badge 0 · collapse talk"),
        (
            fcm(android={"collapse_key": "talk", "notification": {"title_loc_key": "A", "title_loc_args": ["b", "c"]}}),
            "fcm      phone             A(b, c) · collapse talk",
        ),
        (fcm(notification={"title": "T", "body": "B"}), "fcm      phone             T · B"),
        (
            web(title_key="MESSAGE_FROM", title_args=["Alice"], body="hello", tag="talk", badge=2),
            "web      https://localho…  MESSAGE_FROM(Alice) · hello · badge 2 · collapse talk",
        ),
        (
            {
                **fcm(Content={"Simple": {"Subject": {"Data": "3 unread"}, "Body": {"Text": {"Data": "hello\nBob"}}}}),
                "provider": "ses",
                "token": "bob@example.com",
            },
            "ses      bob@example.com   3 unread · hello Bob",
        ),
        (fcm(notification={"title": "red \x1b[31m\nline"}), "red �[31m�line"),
    ],
)
def test_a_push_is_one_line(push: dict[str, Any], shown: str) -> None:
    line = listing.line(push)
    assert re.match(r"\d\d:\d\d:\d\d  ", line)
    assert line.endswith(shown)


def test_without_providers_the_list_says_how_to_start_them(home: Settings) -> None:
    with pytest.raises(CommandError, match="not running") as caught:
        list(listing.lines(home, follow=False))
    assert caught.value.hint == "Start them with: make up"


def test_the_list_of_running_ones_is_empty_at_first(home: Settings) -> None:
    running = process.start(home)
    assert list(listing.lines(home, follow=False)) == []
    with urllib.request.urlopen(f"{running.ports.inspect_url}/pushes") as reply:
        assert json.load(reply) == []


def test_following_shows_each_push_once_also_after_they_were_cleared(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, three = (fcm(notification={"title": name}) for name in ("one", "two", "three"))
    answers = iter([[one], [one, two], [one, two], [], [three]])
    monkeypatch.setattr(listing, "POLL_SECONDS", 0)
    monkeypatch.setattr(listing, "_fetch", lambda *_: [(push, json.dumps(push)) for push in next(answers)])
    following = listing.lines(home, follow=True)
    assert [next(following).rpartition(" ")[2] for _ in range(3)] == ["one", "two", "three"]
