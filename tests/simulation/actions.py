"""What clients do in a history, by name. Each is told a number that decides whatever there is to decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from parley_client.changes import ChangeKind

from shared.chat.audience import audience_of
from shared.chat.groups import add_members, remove_member, rename, set_role
from shared.chat.receipts import READ, move_cursor
from shared.chat.sending import SendMessage, send_message
from tests.simulation.faults import Fault
from tests.simulation.functions import BASE_MS, Instance
from tests.simulation.places import DM, FIRST, GROUP

if TYPE_CHECKING:
    from tests.simulation.clients import Client
    from tests.simulation.world import World

_EMOJI: Final = ("👍", "🎉")
_GROUP_LIMIT: Final = 10


def _text(world: World) -> str:
    return f"text {next(world.numbers)}"


def _private(client: Client) -> tuple[str, str] | None:
    """The private conversation that this user is in, and who else is."""
    return {"alice": (DM, "bob"), "bob": (DM, "alice"), "carol": (FIRST, "bob")}.get(client.user)


def _send_private(world: World, client: Client, number: int) -> None:
    place = _private(client)
    if place is not None:
        client.send(_text(world), where=place[0], to=place[1] if number % 2 or place[0] == FIRST else None)


def _send_to_group(world: World, client: Client, _: int) -> None:
    client.send(_text(world), where=GROUP)


def _send_first(world: World, client: Client, _: int) -> None:
    if client.user in ("bob", "carol"):
        client.send(_text(world), where=FIRST, to="carol" if client.user == "bob" else "bob")


def _send_again(world: World, client: Client, number: int) -> None:
    """A message that was sent before, with its id and its `after`: perhaps from another device, at the same time."""
    mine = [one for one in world.operations if one.kind == "send" and one.user == client.user and "after" in one.detail]
    if mine:
        earlier = mine[-1 - number % len(mine)].detail
        again = {"client_message_id": earlier["client_message_id"], "after": earlier["after"]}
        client.send(earlier["content"], where=earlier["conversation_id"], **again)


def _send_ahead(world: World, client: Client, number: int) -> None:
    """A client that claims to hold what nobody has written yet: refused now, it may be right a moment later."""
    where = GROUP if number % 2 else DM
    ahead = (client.core.held(where) or 0) + 1 + number % 3
    name = f"{client.name}-ahead-{next(world.numbers)}"
    client.send(_text(world), where=where, kind="claim", after=ahead, client_message_id=name)


def _post(world: World, client: Client, number: int) -> None:
    """A message over HTTP, as a bot sends it: without an id, and without an entry that it follows."""
    where = GROUP if number % 2 else DM
    text = _text(world)

    def call(instance: Instance) -> int:
        ports, _ = instance.message
        command = SendMessage(client.user, text, conversation_id=where)
        sent = send_message(command, connection_id="", writing=instance.writing, posting=ports.posting)
        ports.report(sent.delivered)
        return sent.entry.seq

    client.request("post", call, conversation_id=where, content=text)


def _change(kind: ChangeKind, **fields: Callable[[World, int], Any]) -> Callable[[World, Client, int], None]:
    def act(world: World, client: Client, number: int) -> None:
        where = GROUP if number % 2 else DM
        messages = client.messages(where, own=kind != "react")
        if messages:
            given = {name: make(world, number) for name, make in fields.items()}
            client.change(kind, where, messages[-1 - number // 2 % len(messages)].seq, **given)

    return act


def _read(_: World, client: Client, number: int) -> None:
    where = GROUP if number % 2 else DM
    held = client.core.held(where)
    if held:
        client.read(where, max(1, held - number % 3))


def _read_over_http(_: World, client: Client, number: int) -> None:
    """As a server does it for its user: beside whatever their devices say."""
    where = GROUP if number % 2 else DM
    seq = 1 + number // 2 % max(2, client.core.held(where) or 0)

    def call(instance: Instance) -> int:
        ports, _ = instance.message
        moved = move_cursor(
            READ,
            user_id=client.user,
            conversation_id=where,
            seq=seq,
            connection_id="",
            audience_limit=_GROUP_LIMIT,
            log=instance.stores.log,
            memberships=instance.stores.memberships,
            posting=ports.posting,
            now=instance.now(),
        )
        return moved.seq

    client.request("read", call, conversation_id=where, seq=seq)


def _look(_: World, client: Client, number: int) -> None:
    where = GROUP if number % 2 else DM

    def call(instance: Instance) -> list[tuple[int, str | None]]:
        audience_of(where, client.user, memberships=instance.stores.memberships)
        entries = instance.stores.log.read_back(where, limit=20)
        return [(entry.seq, entry.client_message_id) for entry in entries if entry.is_message]

    client.request("look", call, conversation_id=where)


def _add(_: World, client: Client, number: int) -> None:
    user = ("dave", "carol", "bob")[number % 3]

    def call(instance: Instance) -> None:
        add_members(
            GROUP,
            [user],
            by=client.user,
            limit=_GROUP_LIMIT,
            writing=instance.writing,
            blocks=instance.stores.blocks,
            announce=instance.announce,
        )

    client.request("add", call, member=user)


def _remove(_: World, client: Client, number: int) -> None:
    user = ("carol", "bob", "dave", "alice")[number % 4]

    def call(instance: Instance) -> None:
        instance.announce(remove_member(GROUP, user, by=client.user, writing=instance.writing))

    client.request("remove", call, member=user)


def _quit(_: World, client: Client, __: int) -> None:
    def call(instance: Instance) -> None:
        instance.announce(remove_member(GROUP, client.user, by=client.user, writing=instance.writing))

    client.request("quit", call)


def _rename(_: World, client: Client, number: int) -> None:
    def call(instance: Instance) -> None:
        instance.announce(rename(GROUP, f"name {number}", by=client.user, writing=instance.writing))

    client.request("rename", call)


def _role(_: World, client: Client, number: int) -> None:
    user = ("bob", "carol", "alice")[number % 3]
    role = ("owner", "admin", "member")[number // 3 % 3]

    def call(instance: Instance) -> None:
        instance.announce(set_role(GROUP, user, role, by=client.user, writing=instance.writing))  # type: ignore[arg-type]  # one of the roles

    client.request("role", call, member=user, role=role)


def _block(world: World, client: Client, number: int) -> None:
    """Alice and Bob do not want to hear from each other, or want to again."""
    if client.user not in ("alice", "bob"):
        return
    other = "bob" if client.user == "alice" else "alice"
    is_on = number % 5 != 0

    def call(instance: Instance) -> None:
        if is_on:
            instance.stores.blocks.put(client.user, other, now=BASE_MS + int(world.hub.now))
        else:
            instance.stores.blocks.remove(client.user, other)

    client.request("block", call, on=is_on)


def _watch(_: World, client: Client, number: int) -> None:
    others = [user for user in ("alice", "bob", "carol") if user != client.user]
    client.watch(others[: 1 + number % 2])


def _intrude(world: World, client: Client, number: int) -> None:
    """Somebody tries what is none of their business."""
    place = GROUP if number % 2 else DM
    match number // 2 % 3:
        case 0:
            client.send(_text(world), where=place)
        case 1:
            client.change("react", place, 1, emoji="👍", remove=False)
        case _:
            client.read(place, 1)


def _mishap(fault: Fault, act: Callable[[Client], None]) -> Callable[[World, Client, int], None]:
    def happen(world: World, client: Client, _: int) -> None:
        world.weather.struck[fault] += 1
        act(client)

    return happen


ACTIONS: Final[Mapping[str, Callable[[World, Client, int], None]]] = {
    "send_private": _send_private,
    "send_to_group": _send_to_group,
    "send_first": _send_first,
    "send_again": _send_again,
    "send_ahead": _send_ahead,
    "post": _post,
    "edit": _change("edit", content=lambda world, _: _text(world)),
    "delete": _change("delete"),
    "react": _change("react", emoji=lambda _, number: _EMOJI[number % 2], remove=lambda _, number: number % 5 == 0),
    "read": _read,
    "read_over_http": _read_over_http,
    "look": _look,
    "add": _add,
    "remove": _remove,
    "quit": _quit,
    "rename": _rename,
    "role": _role,
    "block": _block,
    "watch": _watch,
    "intrude": _intrude,
    "leave": lambda _, client, __: client.leave(),
    "come_back": lambda _, client, __: client.come_back(),
    "cut": _mishap(Fault.CUT, lambda client: client.cut()),
    "half_open": _mishap(Fault.HALF_OPEN, lambda client: client.cut(half_open=True)),
    "restart": _mishap(Fault.RESTARTED, lambda client: client.restart()),
}
