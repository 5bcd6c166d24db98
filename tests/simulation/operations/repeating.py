"""A message that is sent twice, whatever happens in between: what resends have to get right is rare by chance."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any, Final

from shared.domain.text import is_group_id
from tests.simulation.operations.acting import Actions, place, text
from tests.simulation.operations.talking import send_over_http
from tests.simulation.places import FIRST, USERS

if TYPE_CHECKING:
    from tests.simulation.clients import Client
    from tests.simulation.scenario import Scenario

_PAUSE_MS: Final = 40.0
Step = Callable[[], Any]


def _repeat(scenario: Scenario, client: Client, number: int) -> None:
    """The same again: at once, or when others have written, its sender has left, or it says something else by now."""
    random = Random(number)
    where = place(scenario, client, number)
    said = _said(scenario, client, where, random)
    meanwhile = _meanwhile(scenario, client, where, said, random)
    one_by_one(
        scenario,
        [
            lambda: send_over_http(client, where, said),
            *meanwhile,
            lambda: send_over_http(client, where, said),
        ],
    )


def _otherwise(scenario: Scenario, client: Client, number: int) -> None:
    """Another message under the same id: one field of it is not as it was."""
    random = Random(number)
    where = place(scenario, client, number)
    said = _said(scenario, client, where, random)
    again = {**said, **_other(scenario, client, said, random)}
    one_by_one(
        scenario,
        [
            lambda: send_over_http(client, where, said),
            *_posts(scenario, where, random.choice((0, 0, 1, 3))),
            lambda: send_over_http(client, where, again, kind="otherwise"),
        ],
    )


def _said(scenario: Scenario, client: Client, where: str, random: Random) -> dict[str, Any]:
    """With or without an entry that it follows, now and then with more than words."""
    said: dict[str, Any] = {
        "content": text(scenario),
        "client_message_id": f"{client.name}-twice-{next(scenario.numbers)}",
    }
    if random.random() < 0.7:
        said["after"] = max(0, (client.core.held(where) or 0) - random.choice((0, 0, 1, 2, 4)))
    if random.random() < 0.4 and (client.core.held(where) or 0):
        said["reply_to"] = random.randint(1, client.core.held(where) or 1)
    if random.random() < 0.4:
        said["mentions"] = random.sample(_inside(where), k=2)
    return said


def _inside(where: str) -> list[str]:
    return list(USERS[:3]) if is_group_id(where) else where.split(":")[1:]


def _other(scenario: Scenario, client: Client, said: dict[str, Any], random: Random) -> dict[str, Any]:
    files = [name for name, owner in scenario.files.items() if owner == client.user]
    choices: list[dict[str, Any]] = [
        {"content": text(scenario)},
        {"reply_to": None} if said.get("reply_to") else {"reply_to": 1},
        {"mentions": list(reversed(said["mentions"]))} if said.get("mentions") else {"mentions": [client.user]},
        {"mentions": []} if said.get("mentions") else {"content": said["content"].upper()},
    ]
    if files:
        choices.append({"file_id": files[-1], "message_type": "image"})
    return random.choice(choices)


def _meanwhile(scenario: Scenario, client: Client, where: str, said: dict[str, Any], random: Random) -> list[Step]:
    posts = _posts(scenario, where, random.choice((0, 1, 2, 4, 6)))
    match random.randrange(5):
        case 0 if is_group_id(where):
            return [*_leaving(client, where), *posts]
        case 1:
            return [*posts, lambda: _change(scenario, client, where, said, random)]
        case 2 if not is_group_id(where) and where != FIRST:
            other = next(user for user in where.split(":")[1:] if user != client.user)
            return [lambda: client.http("block", "PUT", "blocks", client.user, by=other, on=True, other=client.user)]
        case _:
            return posts


def _posts(scenario: Scenario, where: str, how_many: int) -> list[Step]:
    """Others write, each after the other."""
    others = [one for one in scenario.clients if one.user in _inside(where)]
    return [_post(scenario, others[number % len(others)], where) for number in range(how_many) if others]


def _post(scenario: Scenario, client: Client, where: str) -> Step:
    def post() -> None:
        content = text(scenario)
        client.http(
            "post",
            "POST",
            *("conversations", where, "messages"),
            body={"content": content},
            told=lambda given: given["seq"],
            conversation_id=where,
            content=content,
        )

    return post


def _leaving(client: Client, where: str) -> list[Step]:
    """Its owner passes a group on first."""
    parts: tuple[object, ...] = ("conversations", where)
    detail: dict[str, Any] = {"conversation_id": where, "member": "bob", "role": "owner"}

    def pass_on() -> None:
        client.http("role", "PATCH", *parts, "members", "bob", body={"role": "owner"}, **detail)

    def leave() -> None:
        client.http("quit", "DELETE", *parts, conversation_id=where, member=client.user)

    return [pass_on, leave] if client.user == "alice" else [leave]


def _change(scenario: Scenario, client: Client, where: str, said: dict[str, Any], random: Random) -> None:
    """Of the message itself, if its place is known by now."""
    sent = [one for one in scenario.operations if one.detail.get("client_message_id") == said["client_message_id"]]
    if not sent or sent[0].outcome != "ok":
        return
    parts: tuple[object, ...] = ("conversations", where, "messages", sent[0].value)
    detail = {"conversation_id": where, "seq": sent[0].value}
    if random.random() < 0.5:
        client.http("delete", "DELETE", *parts, told=_entry_seq, **detail)
    else:
        content = text(scenario)
        client.http("edit", "PATCH", *parts, body={"content": content}, told=_entry_seq, content=content, **detail)


def _entry_seq(given: Any) -> Any:
    return given["entry_seq"]


def one_by_one(scenario: Scenario, steps: list[Step]) -> None:
    """Each some time behind the one before, whatever that one was answered."""
    for number, step in enumerate(steps):
        scenario.hub.after(number * _PAUSE_MS * (1 + scenario.plan.latency / 30), step)


ACTIONS: Final[Actions] = {"repeat": (_repeat, 2), "repeat_otherwise": (_otherwise, 1)}
