"""A request for each operation of the HTTP API, by a user of a population."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.load.population import Population

_V1 = "/v1/conversations"
_QUIET = {"start": "22:00", "end": "07:00", "time_zone": "Europe/Berlin"}
Request = tuple[str, str, Any, Any]


def requests(population: Population, user_id: str) -> list[Request]:
    """Method, path, body and query. Not everybody may do all of it, and some of it is not there: that is asked, too."""
    other, number = population.other(user_id), next(population.numbers)
    place, seq = population.place(user_id)
    group = population.random.choice(population.groups)
    return [
        *_talking(place, seq, number, population.clock.ms),
        *_grouping(group, other, number),
        *_living(other, number),
    ]


def _talking(place: str, seq: int, number: int, now: int) -> list[Request]:
    message = f"{_V1}/{place}/messages/{seq}"
    return [
        ("GET", _V1, None, {"limit": "5"}),
        ("GET", f"{_V1}/{place}", None, None),
        ("DELETE", f"{_V1}/{place}", None, None) if number % 50 == 0 else ("GET", f"{_V1}/nowhere", None, None),
        ("PATCH", f"{_V1}/{place}/settings", {"pinned": number % 2 == 0, "muted_until": None}, None),
        ("GET", f"{_V1}/{place}/messages", None, {"limit": "10"}),
        ("POST", f"{_V1}/{place}/messages", {"content": "by HTTP", "client_message_id": str(number)}, None),
        ("POST", f"{_V1}/{place}/read", {"seq": seq}, None),
        ("GET", message, None, None),
        ("PATCH", message, {"content": f"edited {number}"}, None),
        ("DELETE", message, None, None),
        ("POST", f"{message}/reminders", {"at": now + 60_000}, None),
        ("PUT", f"{message}/reactions/%F0%9F%91%8D", None, None),
        ("DELETE", f"{message}/reactions/%F0%9F%91%8D", None, None),
    ]


def _grouping(group: str, other: str, number: int) -> list[Request]:
    return [
        ("POST", _V1, {"type": "private", "with": other}, None),
        ("POST", _V1, {"type": "group", "name": "new", "members": [other]}, None),
        ("PATCH", f"{_V1}/{group}", {"name": f"name {number}"}, None),
        ("GET", f"{_V1}/{group}/members", None, None),
        ("POST", f"{_V1}/{group}/members", {"users": [other]}, None),
        ("PATCH", f"{_V1}/{group}/members/{other}", {"role": "admin"}, None),
        ("DELETE", f"{_V1}/{group}/members/{other}", None, None),
    ]


def _living(other: str, number: int) -> list[Request]:
    reminder = "5f0c1b7a9d3e4f62a8b1c0d9e7f61234"
    push = {"platform": "fcm", "token": f"token-{number}"} if number % 2 else _apple(number)
    return [
        ("GET", "/v1/health", None, None),
        ("GET", "/v1/openapi.json", None, None),
        ("GET", "/v1/nothing", None, None),
        ("PUT", "/v1/me", {"display_name": f"name {number}", "push": {"quiet_hours": _QUIET}}, None),
        ("GET", "/v1/me", None, None),
        ("POST", "/v1/contacts", {"user_id": other}, None),
        ("GET", "/v1/contacts", None, None),
        ("PATCH", f"/v1/contacts/{other}", {"status": "accepted"}, None),
        ("DELETE", f"/v1/contacts/{other}", None, None),
        ("PUT", f"/v1/blocks/{other}", None, None) if number % 9 == 0 else ("GET", "/v1/blocks", None, None),
        ("DELETE", f"/v1/blocks/{other}", None, None),
        ("GET", "/v1/presence", None, {"users": other}),
        ("PUT", f"/v1/devices/d{number % 40}", push, None),
        ("GET", "/v1/devices", None, None),
        ("DELETE", f"/v1/devices/d{number % 40}", None, None),
        ("GET", "/v1/files/none", None, None),
        ("POST", "/v1/notifications", {"users": [other], "title": "hello"}, None),
        ("GET", "/v1/notifications", None, None),
        ("DELETE", "/v1/notifications/n1", None, None),
        ("GET", "/v1/reminders", None, None),
        ("DELETE", f"/v1/reminders/{reminder}", None, None),
        ("DELETE", f"/v1/users/{other}/connections", None, None),
    ]


def _apple(number: int) -> dict[str, str]:
    return {"platform": "apns", "token": f"{number:064x}", "app_id": "org.example.app"}
