"""The terminal chat's commands about pins, ways into a group and reports: what they ask, and what they show."""

from __future__ import annotations

from typing import Any, cast

import pytest
from parley_client import Group, JoinRequest, Message, ParleyClient, Pin
from parley_client.chat_lines import line_of
from parley_client.chat_ways import Ways
from parley_client.chat_words import WrongArgumentsError
from parley_client.events import ConversationUpdated
from parley_client.terminal import Terminal

G = "group:x"


class Noting:
    """A client that notes what it is asked, and a terminal that notes what it shows."""

    def __init__(self, *pinned: Pin) -> None:
        self.pinned = pinned
        self.asked: list[tuple[object, ...]] = []
        self.shown: list[str] = []

    def show(self, text: str, *, dim: bool = False) -> None:
        self.shown.append(f"{'.' if dim else ''}{text}")

    async def pin(self, *given: object) -> None:
        self.asked.append(("pin", *given))

    async def unpin(self, *given: object) -> None:
        self.asked.append(("unpin", *given))

    async def pins(self, _: str) -> tuple[Pin, ...]:
        return self.pinned

    async def join(self, place: str) -> Group | JoinRequest:
        return JoinRequest(place, "alice") if place == "group:ask" else Group(place, "Open", (), "member", 1)

    async def accept_invite(self, token: str) -> Group:
        return Group(f"group:of-{token}", "By link", (), "member", 1)

    async def report_message(self, *given: object) -> None:
        self.asked.append(("report", *given))


def ways(noting: Noting) -> Ways:
    return Ways(cast(ParleyClient, noting), cast(Terminal, noting), G)


async def test_pins_are_put_taken_off_and_listed() -> None:
    deleted = Pin(9, "bob", 1, Message(G, 9, "bob", None))
    noting = Noting(Pin(2, "bob", 1, Message(G, 2, "bob", "the date")), deleted)
    await ways(noting).pin("2")
    await ways(noting).unpin("2")
    await ways(noting).pins()
    assert noting.asked == [("pin", G, 2), ("unpin", G, 2)]
    assert noting.shown == ["  #2 bob: the date", "  #9 bob: (deleted)"]


async def test_nothing_pinned_says_how_to() -> None:
    noting = Noting()
    await ways(noting).pins()
    assert noting.shown == [".* nothing is pinned here: /pin N"]


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("group:y", "group:y"),
        ("https://chat.example.com/#/channel:y", "channel:y"),
        ("https://chat.example.com/#/invite/pD0Zk7bq", "group:of-pD0Zk7bq"),
        ("pD0Zk7bq", "group:of-pD0Zk7bq"),
    ],
)
async def test_a_group_is_joined_by_its_id_or_a_link(written: str, place: str) -> None:
    joined = await ways(Noting()).join(written)
    assert joined is not None
    assert joined.id == place


async def test_where_requests_are_taken_one_asks() -> None:
    noting = Noting()
    assert await ways(noting).join("group:ask") is None
    assert noting.shown == [".* you have asked to come in"]


async def test_a_report_needs_a_reason() -> None:
    noting = Noting()
    await ways(noting).report("2 spam buy now")
    with pytest.raises(WrongArgumentsError):
        await ways(noting).report("2")
    assert noting.asked == [("report", G, 2, "spam", "buy now")]


@pytest.mark.parametrize(
    ("changes", "line"),
    [({"pinned": 2}, "* bob pinned #2"), ({"unpinned": 2}, "* bob unpinned #2"), ({"topic": "x"}, None)],
)
def test_others_pins_are_lines(changes: dict[str, Any], line: str | None) -> None:
    assert line_of(ConversationUpdated(G, 3, "bob", raw={"changes": changes})) == line
