"""Whole lives of a contact, a notification and a device: what histories of a few actions rarely come to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from tests.simulation.history import Operation
from tests.simulation.operations.acting import Actions, other
from tests.simulation.places import DM, GROUP, USERS

if TYPE_CHECKING:
    from tests.simulation.clients import Client
    from tests.simulation.scenario import Scenario

Then = Callable[[Operation], None]
Step = Callable[[Then], Any]


def in_turn(steps: Iterator[Step]) -> None:
    """Each once the one before was answered."""
    step = next(steps, None)
    if step is not None:
        step(lambda _: in_turn(steps))


def listing(client: Client, name: str, *, by: str | None = None) -> Step:
    return lambda then: client.http(f"get_{name}", "GET", name, by=by, then=then)


def _befriend(_: Scenario, client: Client, number: int) -> None:
    """Ask, accept or ask back, rename, end or block; and what it looks like from both sides."""
    one, two = client.user, other(client, number)

    def ask(by: str, whom: str) -> Step:
        return lambda then: client.http(
            "request_contact", "POST", "contacts", body={"user_id": whom}, by=by, then=then, other=whom
        )

    def update(by: str, whom: str, **changes: Any) -> Step:
        return lambda then: client.http(
            "update_contact", "PATCH", "contacts", whom, body=changes, by=by, then=then, other=whom, changes=changes
        )

    def end(by: str, whom: str) -> Step:
        return lambda then: client.http("end_contact", "DELETE", "contacts", whom, by=by, then=then, other=whom)

    def block(by: str, whom: str) -> Step:
        return lambda then: client.http("block", "PUT", "blocks", whom, by=by, then=then, other=whom, on=True)

    def look(by: str, whom: str) -> Step:
        return lambda then: client.http(
            "presence", "GET", "presence", query={"users": whom}, by=by, users=[whom], then=then
        )

    answers: tuple[tuple[Step, ...], ...] = (
        (update(two, one, status="accepted"),),
        (ask(two, one),),
        (update(one, two, status="accepted"), update(two, one, status="accepted")),
        (end(two, one),),
        (block(two, one), ask(one, two)),
    )
    ends: tuple[tuple[Step, ...], ...] = (
        (end(one, two),),
        (update(two, one, alias="alias 1"), end(two, one)),
        (update(one, two, alias="alias 2"), update(two, one, alias="alias 3")),
        (block(one, two), look(two, one)),
    )
    first = (block(two, one),) if number % 8 == 7 else ()
    steps = (
        *first,
        ask(one, two),
        *answers[number // 3 % len(answers)],
        look(two, one),
        *ends[number // 15 % len(ends)],
        listing(client, "contacts", by=two),
        listing(client, "contacts", by=one),
    )
    in_turn(iter(steps))


def _be_told(scenario: Scenario, client: Client, number: int) -> None:
    """A notification that is acknowledged, sent again under its id, and looked for."""
    name, user = f"life-{next(scenario.numbers)}", client.user

    def notify(then: Then) -> Any:
        said: dict[str, Any] = {"users": [user], "title": f"title {next(scenario.numbers)}", "notification_id": name}
        return client.http(
            "notify", "POST", "notifications", body={**said, "body": "more"}, by="server", then=then, **said
        )

    def acknowledge(then: Then) -> Any:
        return client.http("acknowledge", "DELETE", "notifications", name, then=then, notification_id=name)

    steps = [notify, listing(client, "notifications"), acknowledge, listing(client, "notifications"), notify]
    if number % 2:
        steps.insert(1, notify)
    in_turn(iter([*steps, listing(client, "notifications")]))


def _hand_on(_: Scenario, client: Client, number: int) -> None:
    """A phone that its next owner signs in on; and more phones than one may have."""
    user, next_user = client.user, other(client, number, USERS)
    target = {"platform": "fcm", "token": f"token-of-{user}-phone-{number % 2}"}

    def register(by: str, name: str, target: dict[str, str]) -> Step:
        return lambda then: client.http(
            "register", "PUT", "devices", name, body=target, by=by, then=then, device=name, target=target
        )

    phones = [
        register(user, f"device-{one}", {"platform": "fcm", "token": f"token-of-{user}-device-{one}"})
        for one in range(1 + number % 4)
    ]
    handed = [register(user, "device-9", target), register(next_user, "device-9", target)]
    steps = phones if number // 4 % 2 else handed
    in_turn(iter([*steps, listing(client, "devices", by=next_user), listing(client, "devices", by=user)]))


def _be_reminded(scenario: Scenario, client: Client, number: int) -> None:
    """More reminders than may wait; one that is cancelled; and one of a group that its user is out of by then."""
    where = DM if number % 2 and number // 2 % 4 != 1 else GROUP
    messages = client.messages(where)
    if not messages:
        return
    seq = messages[-1].seq
    parts = ("conversations", where, "messages", seq, "reminders")
    asked: list[Operation] = []

    def remind(ahead: int) -> Step:
        def ask(then: Then) -> Any:
            at = client.now_ms // 1_000 * 1_000 + ahead
            detail: dict[str, Any] = {"conversation_id": where, "seq": seq, "at": at}
            asked.append(client.http("remind", "POST", *parts, body={"at": at}, then=then, **detail))
            return asked

        return ask

    def cancel(then: Then) -> Any:
        if asked[-1].outcome != "ok":
            return None
        name = asked[-1].value["reminder_id"]
        return client.http("cancel_reminder", "DELETE", "reminders", name, then=then, reminder_id=name)

    def leave(then: Then) -> Any:
        detail: dict[str, Any] = {"conversation_id": where, "member": client.user}
        return client.http(
            "remove", "DELETE", *("conversations", where, "members", client.user), by="alice", then=then, **detail
        )

    listed = listing(client, "reminders")
    lives: tuple[tuple[Step, ...], ...] = (
        (remind(1_000), cancel, listed),
        (remind(1_000), leave),
        tuple(remind(3_600_000 + one) for one in range(4)),
        (remind(1_000), listed, remind(2_000)),
    )
    in_turn(iter(lives[number // 2 % len(lives)]))


ACTIONS: Final[Actions] = {
    "befriend": (_befriend, 1),
    "be_told": (_be_told, 1),
    "hand_on": (_hand_on, 1),
    "be_reminded": (_be_reminded, 1),
}
