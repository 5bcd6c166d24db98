"""Reads keys of the configuration, each as the type that it is of, from CDK context or `PARLEY_<KEY>`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from infra.routes import ROUTES
from shared.domain.permissions import problems_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PREFIX: Final = "PARLEY_"
# Frames that cost many reads each, and those that no client sends often.
ROUTE_THROTTLES: Final = "sync=500/250,presence=200/100,auth=100/50"
MAX_RATE: Final = 10_000
MAX_BURST: Final = 5_000

_Choice = TypeVar("_Choice")

# Of any scheme: apps in a web view have capacitor://localhost, tauri://localhost, file:// and the like, or null.
_HOST = r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:([0-9]{1,5}|\*))?"
_ORIGIN = rf"[A-Za-z][A-Za-z0-9+.-]*://({_HOST})?|null"
_ORIGIN_RULE = (
    "origins like https://chat.example.com, http://localhost:*, capacitor://localhost or null, comma separated"
)
_THROTTLE = r"([a-z$]+)=([0-9]{1,5})/([0-9]{1,5})"
_THROTTLE_RULE = (
    f"route=rate/burst like {ROUTE_THROTTLES}, comma separated; rates from 1 to {MAX_RATE}, bursts from 1 to "
    f"{MAX_BURST}, each route once, of {', '.join(ROUTES)}"
)


@dataclass(frozen=True, slots=True)
class RouteThrottle:
    """What one route of the WebSocket API takes: `rate` frames a second, and `burst` at once."""

    route: str
    rate: int
    burst: int


def variable(key: str) -> str:
    """The variable that can give a key."""
    return f"{PREFIX}{key.upper()}"


class Reader:
    """Reads one key at a time and remembers what was wrong, so that all mistakes are reported together."""

    def __init__(self, context: Mapping[str, object], environ: Mapping[str, str]) -> None:
        self._context = context
        self._environ = environ
        self.problems: list[str] = []

    def _raw(self, key: str) -> str:
        value = self._context.get(key)
        if value is None:
            value = self._environ.get(variable(key), "")
        return str(value).strip()

    def _refuse(self, key: str, raw: str, allowed: str) -> None:
        self.problems.append(f"{key}: {raw!r} is not allowed; give {allowed}")

    def text(self, key: str, pattern: str, allowed: str, default: str = "") -> str:
        raw = self._raw(key)
        if not raw:
            return default
        if not re.fullmatch(pattern, raw):
            self._refuse(key, raw, allowed)
            return default
        return raw

    def choice(self, key: str, allowed: Sequence[_Choice], default: _Choice) -> _Choice:
        raw = self._raw(key)
        if not raw:
            return default
        for value in allowed:
            if raw == str(value):
                return value
        self._refuse(key, raw, "one of " + ", ".join(str(value) for value in allowed))
        return default

    def number(self, key: str, low: int, high: int, default: int) -> int:
        raw = self._raw(key)
        if not raw:
            return default
        if not re.fullmatch(r"[0-9]{1,13}", raw) or not low <= int(raw) <= high:
            self._refuse(key, raw, f"a whole number from {low} to {high}")
            return default
        return int(raw)

    def origins(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        raw = self._raw(key)
        if not raw:
            return default
        entries = [entry.strip() for entry in raw.split(",") if entry.strip()]
        for entry in entries:
            if not re.fullmatch(_ORIGIN, entry):
                self._refuse(key, entry, _ORIGIN_RULE)
        return tuple(dict.fromkeys(map(_as_sent, entries)))

    def permissions(self, key: str) -> str:
        """Changes of the table of roles and permissions, as the functions read them."""
        raw = self._raw(key)
        problems = problems_of(raw)
        self.problems += [f"{key}: {problem}" for problem in problems]
        return "" if problems else ",".join(part.strip() for part in raw.split(",") if part.strip())

    def throttles(self, key: str, default: str) -> tuple[RouteThrottle, ...]:
        raw = self._raw(key) or default
        entries = [entry.strip() for entry in raw.split(",") if entry.strip()]
        throttles: dict[str, RouteThrottle] = {}
        for entry in entries:
            throttle = _throttle(entry)
            if throttle is None or throttle.route in throttles:
                self._refuse(key, entry, _THROTTLE_RULE)
            else:
                throttles[throttle.route] = throttle
        return tuple(throttles.values())


def _as_sent(origin: str) -> str:
    """An origin as browsers say it, in small letters and without its scheme's own port: S3 compares to the letter."""
    scheme, _, host = origin.lower().partition("://")
    own_port = {"http": ":80", "https": ":443"}.get(scheme, "")
    return origin.lower().removesuffix(own_port) if host else origin.lower()


def _throttle(entry: str) -> RouteThrottle | None:
    matched = re.fullmatch(_THROTTLE, entry)
    if not matched:
        return None
    throttle = RouteThrottle(matched[1], int(matched[2]), int(matched[3]))
    fits = throttle.route in ROUTES and 1 <= throttle.rate <= MAX_RATE and 1 <= throttle.burst <= MAX_BURST
    return throttle if fits else None
