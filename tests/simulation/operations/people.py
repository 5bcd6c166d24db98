"""Users: contacts, blocks, profiles, whose presence is watched, and where pushes go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.simulation.operations.acting import Actions, other
from tests.simulation.places import USERS

if TYPE_CHECKING:
    from tests.simulation.clients import Client
    from tests.simulation.scenario import Scenario


def _request(_: Scenario, client: Client, number: int) -> None:
    user = other(client, number)
    client.http("request_contact", "POST", "contacts", body={"user_id": user}, other=user)


def _update(_: Scenario, client: Client, number: int) -> None:
    user = other(client, number)
    changes = ({"status": "accepted"}, {"alias": f"alias {number % 3}"}, {"alias": None})[number // 5 % 3]
    client.http("update_contact", "PATCH", "contacts", user, body=changes, other=user, changes=changes)


def _end(_: Scenario, client: Client, number: int) -> None:
    user = other(client, number)
    client.http("end_contact", "DELETE", "contacts", user, other=user)


def _block(_: Scenario, client: Client, number: int) -> None:
    """Two do not want to hear from each other, or want to again; mostly alice and bob."""
    is_near = client.user in ("alice", "bob") and number % 4
    user = ("bob" if client.user == "alice" else "alice") if is_near else other(client, number)
    is_on = number % 5 != 0
    client.http("block", "PUT" if is_on else "DELETE", "blocks", user, on=is_on, other=user)


def _profile(_: Scenario, client: Client, number: int) -> None:
    """One field at a time, so that two at once change different ones."""
    quiet = {"start": "00:00", "end": "23:59", "time_zone": "UTC"} if number // 9 % 2 else None
    choices: tuple[dict[str, Any], ...] = (
        {"display_name": f"{client.user} {number % 4}"},
        {"hide_presence": number // 9 % 2 == 0},
        {"push": {"previews": number // 9 % 2 == 0}},
        {"push": {"quiet_hours": quiet}},
        {"avatar_url": f"https://example.com/{number % 4}.png"},
        {"display_name": None},
        {"groups_from": "contacts" if number // 9 % 2 else "everyone"},
        {"mail": ("all", "mentions", "off")[number // 9 % 3]},
    )
    changes = choices[number % len(choices)]
    client.http("change_profile", "PUT", "me", body=changes, changes=changes)


def _watch(_: Scenario, client: Client, number: int) -> None:
    others = [user for user in ("alice", "bob", "carol") if user != client.user]
    client.watch(others[: 1 + number % 2])


def _watch_all(_: Scenario, client: Client, __: int) -> None:
    client.watch([user for user in USERS if user != client.user])


def _register(_: Scenario, client: Client, number: int) -> None:
    """A device of one's own, or one that was somebody else's a moment ago."""
    name, whose = f"device-{number % 4}", client.user if number % 5 else other(client, number)
    target = {"platform": "fcm", "token": f"token-of-{whose}-{name}"}
    if number % 7 == 0:
        target = {"platform": "apns", "token": f"{number % 4:064x}", "app_id": "com.example.app"}
    client.http("register", "PUT", "devices", name, body=target, device=name, target=target)


def _sign_out(_: Scenario, client: Client, number: int) -> None:
    name = f"device-{number % 4}"
    client.http("sign_out", "DELETE", "devices", name, device=name)


def _nobody(_: Scenario, client: Client, number: int) -> None:
    """Operations on users that can't be meant: oneself, and no user at all."""
    user = client.user if number % 2 else "no body"
    match number // 2 % 3:
        case 0:
            client.http("nonsense", "POST", "contacts", body={"user_id": user}, wrong="bad_request")
        case 1:
            client.http("nonsense", "PUT", "blocks", user, wrong="bad_request")
        case _:
            client.http("nonsense", "PUT", "me", body={"display_name": " "}, wrong="bad_request")


def _revoke(_: Scenario, client: Client, number: int) -> None:
    """An administrator closes somebody's connections; a user can't."""
    user = USERS[number % len(USERS)]
    by = "server" if number % 4 else None
    client.http("revoke", "DELETE", "users", user, "connections", by=by, member=user)


ACTIONS: Final[Actions] = {
    "request_contact": (_request, 2),
    "update_contact": (_update, 1),
    "end_contact": (_end, 1),
    "block": (_block, 2),
    "profile": (_profile, 2),
    "watch": (_watch, 1),
    "watch_all": (_watch_all, 0),
    "register": (_register, 1),
    "sign_out": (_sign_out, 1),
    "nobody": (_nobody, 1),
    "revoke": (_revoke, 0),
}
