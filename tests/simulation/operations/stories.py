"""Several steps one after the other, each when the one before was answered: what means something only together."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Final

from tests.simulation.history import Operation
from tests.simulation.operations.acting import EMOJI, Actions, text
from tests.simulation.operations.sharing import shown, upload
from tests.simulation.operations.talking import send_over_http
from tests.simulation.places import DM, FIRST, GROUP

if TYPE_CHECKING:
    from tests.simulation.clients import Client
    from tests.simulation.scenario import Scenario

    Ask = Callable[[Callable[[Operation | None], None]], object]
    """Something that is asked, and then told how it was answered."""
    Story = Generator[Ask, Any]

_CHECKED_MS: Final = 400.0
"""By then an upload was looked at, unless something goes wrong."""


def _told(story: Callable[[Scenario, Client, int], Story]) -> Callable[[Scenario, Client, int], None]:
    def act(scenario: Scenario, client: Client, number: int) -> None:
        steps = story(scenario, client, number)

        def go_on(operation: Operation | None) -> None:
            ask = next(steps, None) if operation is None else _sent(steps, operation)
            if ask is not None:
                ask(go_on)

        go_on(None)

    return act


def _sent(steps: Story, operation: Operation) -> Ask | None:
    try:
        return steps.send(operation)
    except StopIteration:
        return None


def _wait(scenario: Scenario, ms: float) -> Ask:
    return lambda then: scenario.hub.after(ms, lambda: then(None))


def _asked(client: Client, kind: str, method: str, *parts: object, **more: Any) -> Ask:
    return lambda then: client.http(kind, method, *parts, then=then, **more)


def _post(scenario: Scenario, client: Client, where: str, **said: Any) -> Ask:
    """A message by HTTP that can be sent again."""
    name = f"{client.name}-told-{next(scenario.numbers)}"
    said = {"content": text(scenario), "client_message_id": name, "after": client.core.held(where) or 0, **said}
    return lambda then: send_over_http(client, where, said, then=then)


def _of_message(client: Client, kind: str, where: str, seq: int, by: str | None = None, **given: Any) -> Ask:
    parts: tuple[object, ...] = ("conversations", where, "messages", seq)
    detail = {"conversation_id": where, "seq": seq, **given}
    method, body = {"edit": ("PATCH", given), "delete": ("DELETE", None), "react": ("PUT", None)}[kind]
    if kind == "react":
        method, parts = ("DELETE" if given["remove"] else "PUT"), (*parts, "reactions", given["emoji"])
    return _asked(client, kind, method, *parts, body=body, told=lambda said: said["entry_seq"], by=by, **detail)


def _where(client: Client, number: int) -> str:
    return DM if number % 2 and client.user in ("alice", "bob") else GROUP


def _peer(client: Client) -> str:
    return "bob" if client.user == "alice" else "alice"


def _changed_twice(scenario: Scenario, client: Client, number: int) -> Story:
    """A message to which two things are done, of which the second is about the first."""
    where, emoji, peer = _where(client, number), EMOJI[number % 2], _peer(client)
    sent = yield _post(scenario, client, where)
    if sent.outcome != "ok":
        return
    first, second = (("react", "react"), ("react", "delete"), ("edit", "delete"), ("edit", "edit"))[number // 2 % 4]
    for kind, is_second in ((first, False), (second, True)):
        if kind == "react":
            yield _of_message(client, kind, where, sent.value, peer, emoji=emoji, remove=is_second)
        else:
            given = {"content": text(scenario)} if kind == "edit" else {}
            yield _of_message(client, kind, where, sent.value, **given)


def _forwarded_though_gone(scenario: Scenario, client: Client, number: int) -> Story:
    """A message that is deleted is forwarded; or one by somebody who is not in its group any more."""
    where = _where(client, number)
    sent = yield _post(scenario, client, where)
    if sent.outcome != "ok":
        return
    if number // 2 % 2 or where == DM or client.user == "alice":
        yield _of_message(client, "delete", where, sent.value)
    else:
        yield _asked(client, "quit", "DELETE", "conversations", where, conversation_id=where, member=client.user)
    into, to = (DM, None) if client.user in ("alice", "bob") else (FIRST, "bob")
    client.send(None, where=into, to=to, forward_of=(where, sent.value))


def _file_comes_and_goes(scenario: Scenario, client: Client, number: int) -> Story:
    """A file is sent once or twice; then its messages are deleted, and others look at it."""
    uploaded = yield lambda then: upload(scenario, client, number // 4 % 2, then=then)
    if uploaded.outcome != "ok":
        return
    file_id, kind = uploaded.value["file_id"], uploaded.value["kind"]
    if number % 4:
        yield _wait(scenario, _CHECKED_MS)
    places = [GROUP, _where(client, number)][: 1 + number // 2 % 2]
    sent = []
    for where in places:
        operation = yield _post(scenario, client, where, file_id=file_id, message_type=kind)
        sent += [(where, operation.value)] if operation.outcome == "ok" else []
    for where, seq in sent[: 1 + number // 8 % 2]:
        yield _of_message(client, "delete", where, seq)
        yield _wait(scenario, _CHECKED_MS)
    for user in ("dave", client.user):
        yield _file_seen(client, file_id, user)


def _file_seen(client: Client, file_id: str, user: str) -> Ask:
    return _asked(client, "get_file", "GET", "files", file_id, told=shown, by=user, file_id=file_id)


def _reminder_taken_back(scenario: Scenario, client: Client, number: int) -> Story:
    where = _where(client, number)
    at = client.now_ms + 1_500
    parts = ("conversations", where, "messages", 1, "reminders")
    made = yield _asked(client, "remind", "POST", *parts, body={"at": at}, conversation_id=where, seq=1, at=at)
    if made.outcome == "ok":
        name = made.value["reminder_id"]
        yield _asked(client, "cancel_reminder", "DELETE", "reminders", name, reminder_id=name)


def _admin_goes_too_far(scenario: Scenario, client: Client, number: int) -> Story:
    """Somebody is made an admin, and then does what owners may, or is removed while they get another role."""
    yield _role(client, "bob", "admin")
    match number % 4:
        case 0:
            yield _removed(client, "alice", by="bob")
        case 1:
            yield _role(client, "carol", "admin", by="bob")
        case 2:
            for user in ("bob", "carol"):
                _role(client, user, ("admin", "member")[number // 4 % 2])(_nothing)
                _removed(client, user, by="alice")(_nothing)
        case _:
            yield _removed(client, "carol", by="bob")
    yield _asked(client, "members", "GET", "conversations", GROUP, "members", by="alice", conversation_id=GROUP)


def _nothing(_: Operation | None) -> None:
    pass


def _role(client: Client, user: str, role: str, by: str = "alice") -> Ask:
    parts, body = ("conversations", GROUP, "members", user), {"role": role}
    return _asked(client, "role", "PATCH", *parts, body=body, by=by, conversation_id=GROUP, member=user, role=role)


def _removed(client: Client, user: str, by: str) -> Ask:
    return _asked(
        client, "remove", "DELETE", "conversations", GROUP, "members", user, by=by, conversation_id=GROUP, member=user
    )


def _in_spite_of_a_block(scenario: Scenario, client: Client, number: int) -> Story:
    """One of two blocks the other, who goes on all the same."""
    if client.user not in ("alice", "bob"):
        return
    peer = _peer(client)
    yield _asked(client, "block", "PUT", "blocks", client.user, by=peer, on=True, other=client.user)
    match number % 4:
        case 0 | 1:
            yield _of_message(client, "react", DM, 1 + number // 4 % 2, emoji=EMOJI[0], remove=False)
        case 2:
            client.frame("typing", "typing", {"conversation_id": DM, "active": True}, conversation_id=DM, active=True)
        case _:
            client.send(text(scenario), where=DM)
    if number // 4 % 2:
        yield _asked(client, "block", "DELETE", "blocks", client.user, by=peer, on=False, other=client.user)


def _opened_again(scenario: Scenario, client: Client, number: int) -> Story:
    """A private conversation that is hidden, and then opened as if it were a new one."""
    if client.user not in ("alice", "bob"):
        return
    yield _asked(client, "hide", "DELETE", "conversations", DM, conversation_id=DM)
    yield _asked(client, "inbox", "GET", "conversations", query={"limit": 3}, limit=3, cursor=None)
    body = {"type": "private", "with": _peer(client)}
    yield _asked(client, "make_private", "POST", "conversations", body=body, other=_peer(client))
    yield _asked(client, "inbox", "GET", "conversations", query={"limit": 3}, limit=3, cursor=None)


ACTIONS: Final[Actions] = {
    "opened_again": (_told(_opened_again), 1),
    "changed_twice": (_told(_changed_twice), 1),
    "forwarded_though_gone": (_told(_forwarded_though_gone), 1),
    "file_comes_and_goes": (_told(_file_comes_and_goes), 1),
    "reminder_taken_back": (_told(_reminder_taken_back), 1),
    "admin_goes_too_far": (_told(_admin_goes_too_far), 1),
    "in_spite_of_a_block": (_told(_in_spite_of_a_block), 1),
}
