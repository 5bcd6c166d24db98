"""docs/clients.md says what each client can do, as their code has it; what one lacks is listed here, and why."""

from __future__ import annotations

import inspect
import re

import parley_client
import pytest
from parley_client import ParleyClient

from tests.clients import table

# For whom has an HTTP client at hand, not for applications.
OPERATORS = {"GET /v1/health", "GET /v1/openapi.json"}
# Of the rest of the API `admin.as(user)` is typed, and a user's own client does these by frames.
BY_FRAMES = {
    "PATCH /v1/conversations/{}/messages/{}",
    "DELETE /v1/conversations/{}/messages/{}",
    "PUT /v1/conversations/{}/messages/{}/reactions/{}",
    "DELETE /v1/conversations/{}/messages/{}/reactions/{}",
    "POST /v1/conversations/{}/read",
}


@pytest.mark.parametrize(
    ("methods", "without"),
    [(table.python_methods, OPERATORS), (table.javascript_functions, OPERATORS | BY_FRAMES)],
    ids=["python", "javascript"],
)
def test_a_client_has_something_for_each_route(methods: object, without: set[str]) -> None:
    """A route that has come: give both clients a method for it, then `python -m tests.clients.table`."""
    assert callable(methods)
    assert {table.plain(route) for route in table.routes()} - set(methods()) == without


def test_each_frame_and_each_event_has_its_place_in_both_clients() -> None:
    sent, events = table.frames()
    assert set(sent) == set(table.FRAMES)
    assert set(events) == set(table.EVENTS)
    source = (table.JS / "client.ts").read_text(encoding="utf-8")
    for python, javascript in table.FRAMES.values():
        assert inspect.isfunction(getattr(ParleyClient, python))
        assert javascript == "by itself" or re.search(rf"^  {javascript}\(", source, re.MULTILINE)
    for python, _ in table.EVENTS.values():
        assert " " in python or hasattr(parley_client, python)


def test_what_is_asked_for_inside_is() -> None:
    """The few routes that are listed by hand are in the code."""
    sources = "\n".join(path.read_text(encoding="utf-8") for path in table.JS.rglob("*.ts"))
    inside = {route for _, route in table._calls_in(sources)}
    assert set(table.JS_INSIDE) <= inside


def test_the_page_has_the_tables_as_the_code_makes_them() -> None:
    text = table.PAGE.read_text(encoding="utf-8")
    assert table.written(text) == text, "run: .venv/bin/python -m tests.clients.table"
