"""Messages: sent over connections and by HTTP, sent again, forwarded, and sent as something else under the same id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from tests.simulation.history import Operation
from tests.simulation.operations.acting import Actions, place, private, text
from tests.simulation.places import DM, FIRST, GROUP

if TYPE_CHECKING:
    from tests.simulation.clients import Client
    from tests.simulation.scenario import Scenario

# Of a thousand numbers, those with which one of a crowd writes to the group.
_TO_GROUP: Final = 300
# What a message says, beside its words.
SAID: Final = ("reply_to", "mentions", "file_id", "data", "attachments", "message_type", "forward_of")


def _send_private(scenario: Scenario, client: Client, number: int) -> None:
    where = private(client)
    if where is not None:
        hung: dict[str, Any] = {"data": {"number": number}} if number % 5 < 2 else {}
        client.send(text(scenario), where=where[0], to=where[1] if number % 2 or where[0] == FIRST else None, **hung)


def _send_to_group(scenario: Scenario, client: Client, number: int) -> None:
    """With a mention of somebody, a reply to something, or neither."""
    where = place(scenario, client, number) if number % 3 == 0 else GROUP
    client.send(text(scenario), where=where, **_more(client, where, number))


def _more(client: Client, where: str, number: int) -> dict[str, Any]:
    held = client.core.held(where) or 0
    match number % 8:
        case 0:
            return {"mentions": [("alice", "bob", "carol", "dave")[number // 8 % 4]] * (1 + number // 32 % 2)}
        case 1 if held:
            return {"reply_to": 1 + number // 8 % held}
        case 2:
            return {"data": {"number": number, "in": [where, None, 0.5]}}
        case 3:
            return {"attachments": [{"type": "link", "number": number}]}
        case _:
            return {}


def _send_first(scenario: Scenario, client: Client, _: int) -> None:
    if client.user in ("bob", "carol"):
        client.send(text(scenario), where=FIRST, to="carol" if client.user == "bob" else "bob")


def _earlier(scenario: Scenario, client: Client, number: int) -> Operation | None:
    """A message of the user's that was tried: before the first attempt its `after` moves on, and nobody else has it."""
    mine = [
        one for one in scenario.operations if one.kind == "send" and one.user == client.user and "after" in one.detail
    ]
    moving = {item.client_message_id for each in scenario.clients for item in each.core.unacked if not item.fixed}
    mine = [one for one in mine if one.detail["client_message_id"] not in moving]
    return mine[-1 - number % len(mine)] if mine else None


def _again(detail: Mapping[str, Any]) -> dict[str, Any]:
    names = ("client_message_id", "after", *SAID)
    return {name: detail[name] for name in names if name in detail}


def _send_again(scenario: Scenario, client: Client, number: int) -> None:
    """A message that was sent before, with its id and its `after`: perhaps from another device, at the same time."""
    earlier = _earlier(scenario, client, number)
    if earlier is None:
        return
    if number % 3 == 0 and "forward_of" not in earlier.detail:
        said = {name: value for name, value in earlier.detail.items() if name != "conversation_id"}
        send_over_http(client, earlier.detail["conversation_id"], said)
    else:
        again = _again(earlier.detail)
        client.send(earlier.detail["content"], where=earlier.detail["conversation_id"], **again)


def send_over_http(
    client: Client,
    where: str,
    said: dict[str, Any],
    *,
    kind: str = "send",
    then: Callable[[Operation], None] = lambda _: None,
) -> None:
    client.http(
        kind,
        "POST",
        *("conversations", where, "messages"),
        body=said,
        told=lambda given: given["seq"],
        then=then,
        conversation_id=where,
        **said,
    )


def _crowd_in(scenario: Scenario, client: Client, number: int) -> None:
    """One of many who write in the same moment: some to the group, most privately, over a connection or by HTTP."""
    where = GROUP if number < _TO_GROUP else (private(client) or (GROUP, ""))[0]
    if number % 2:
        client.send(text(scenario), where=where)
        return
    name = f"{client.name}-crowd-{next(scenario.numbers)}"
    said = {"content": text(scenario), "client_message_id": name, "after": client.core.held(where) or 0}
    send_over_http(client, where, said)


def _post_named(scenario: Scenario, client: Client, number: int) -> None:
    """A bot's message with an id and without an `after`: a new one, or the same again."""
    mine = [one for one in scenario.operations if one.kind == "send" and one.user == client.user]
    mine = [one for one in mine if "after" not in one.detail and one.detail["client_message_id"].startswith("bot")]
    if mine and number % 3:
        detail = mine[-1 - number % len(mine)].detail
        said = {name: detail[name] for name in ("content", "client_message_id")}
        send_over_http(client, detail["conversation_id"], said)
    else:
        said = {"content": text(scenario), "client_message_id": f"bot-{client.name}-{next(scenario.numbers)}"}
        send_over_http(client, place(scenario, client, number), said)


def _send_otherwise(scenario: Scenario, client: Client, number: int) -> None:
    """Another message under the id of one that was sent before: one field is not as it was."""
    earlier = _earlier(scenario, client, number)
    if earlier is None or "forward_of" in earlier.detail:
        return
    where, again, content = earlier.detail["conversation_id"], _again(earlier.detail), earlier.detail["content"]
    files = [name for name in scenario.files if name != again.get("file_id")]
    match number % 4:
        case 3 if "file_id" in again and files:
            again["file_id"] = files[number // 4 % len(files)]
        case 0 if number // 4 % 2:
            again["data"] = {"otherwise": number}
        case 0:
            content = text(scenario)
        case 1:
            again["reply_to"] = None if again.get("reply_to") else 1
        case _:
            again["mentions"] = [] if again.get("mentions") else [client.user]
    client.send(content, where=where, kind="otherwise", **again)


def _send_by_anothers_id(scenario: Scenario, client: Client, number: int) -> None:
    """One's own message, which happens to have the id of another user's."""
    theirs = [one for one in scenario.operations if one.kind == "send" and one.user != client.user]
    theirs = [one for one in theirs if "after" in one.detail and client.core.held(one.detail["conversation_id"])]
    if theirs:
        detail = theirs[-1 - number % len(theirs)].detail
        again = {"client_message_id": detail["client_message_id"], "after": detail["after"]}
        client.send(text(scenario), where=detail["conversation_id"], **again)


def _send_ahead(scenario: Scenario, client: Client, number: int) -> None:
    """A client that claims to hold what nobody has written yet: refused now, it may be right a moment later."""
    where = GROUP if number % 2 else DM
    ahead = (client.core.held(where) or 0) + 1 + number % 3
    name = f"{client.name}-ahead-{next(scenario.numbers)}"
    client.send(text(scenario), where=where, kind="claim", after=ahead, client_message_id=name)


def _forward(scenario: Scenario, client: Client, number: int) -> None:
    """A message that this client knows, into another conversation or the same."""
    source = place(scenario, client, number // 3)
    messages = client.messages(source)
    if messages:
        seq = messages[-1 - number % len(messages)].seq
        client.send(None, where=place(scenario, client, number), forward_of=(source, seq))


def _post(scenario: Scenario, client: Client, number: int) -> None:
    """A message over HTTP, as a bot sends it: without an id, and without an entry that it follows."""
    where, content = place(scenario, client, number), text(scenario)
    client.http(
        "post",
        "POST",
        *("conversations", where, "messages"),
        body={"content": content},
        told=lambda given: given["seq"],
        conversation_id=where,
        content=content,
    )


def _post_with_id(scenario: Scenario, client: Client, number: int) -> None:
    """A message over HTTP that can be sent again, as this client sends it: at once, or later by `send_again`."""
    where, content = place(scenario, client, number), text(scenario)
    said: dict[str, Any] = {
        "content": content,
        "client_message_id": f"{client.name}-http-{next(scenario.numbers)}",
        "after": client.core.held(where) or 0,
        **_more(client, where, number),
    }
    send_over_http(client, where, said)


def _blank(scenario: Scenario, client: Client, number: int) -> None:
    """What no message can be: blank, too long, of a type without its file."""
    where = place(scenario, client, number)
    bodies = (
        {"content": " \u200b"},
        {"content": "x" * 5_001},
        {"content": "picture", "message_type": "image"},
        {"content": "two", "forward_of": {"conversation_id": where, "seq": 1}},
        {"content": "many", "mentions": ["alice"] * 51},
        {"content": "before", "reply_to": 10_000},
    )
    wrong = ("bad_request", "too_large", "bad_request", "bad_request", "bad_request", "not_found")[number % len(bodies)]
    client.http(
        "nonsense",
        "POST",
        *("conversations", where, "messages"),
        body=bodies[number % len(bodies)],
        conversation_id=where,
        wrong=wrong,
    )


ACTIONS: Final[Actions] = {
    "send_private": (_send_private, 8),
    "send_to_group": (_send_to_group, 8),
    "send_first": (_send_first, 2),
    "send_again": (_send_again, 3),
    "send_otherwise": (_send_otherwise, 1),
    "send_by_anothers_id": (_send_by_anothers_id, 1),
    "send_ahead": (_send_ahead, 1),
    "forward": (_forward, 1),
    "post": (_post, 2),
    "post_with_id": (_post_with_id, 2),
    "post_named": (_post_named, 2),
    "nonsense": (_blank, 1),
    "crowd_in": (_crowd_in, 0),
}
