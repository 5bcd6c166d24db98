"""How the servers have been told to misbehave."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from local.providers.record import Provider

Deed = Literal["answer", "stall", "drop", "slow"]
LOWEST_ERROR, HIGHEST_ERROR = 400, 599


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a provider does with its next requests (`times`, or until told otherwise), or those for one `token` only.

    answer: refuse with `status` and `reason` (an APNs reason, an FCM error code, SES's, an OAuth error), `headers`,
    APNs' `timestamp` (ms), and the `field` that FCM names as the wrong one.
    stall: never answer. slow: go on as usual after `seconds`.
    drop: close the connection without an answer, and with `after` only once the push has been accepted.
    """

    provider: Provider
    do: Deed = "answer"
    token: str | None = None
    times: int | None = None
    status: int | None = None
    reason: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    timestamp: int | None = None
    field: str | None = None
    seconds: float = 1.0
    after: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError where it makes no sense."""
        if self.provider not in get_args(Provider):
            raise ValueError(f"provider is one of {', '.join(get_args(Provider))}")
        if self.do not in get_args(Deed):
            raise ValueError(f"do is one of {', '.join(get_args(Deed))}")
        if self.times is not None and self.times < 1:
            raise ValueError("times is at least 1, or null for always")
        if self.do == "answer" and self.status is None and self.reason is None:
            raise ValueError("an answer needs a status, a reason or both")
        if self.status is not None and not LOWEST_ERROR <= self.status <= HIGHEST_ERROR:
            raise ValueError(f"status is from {LOWEST_ERROR} to {HIGHEST_ERROR}")
        if self.seconds < 0:
            raise ValueError("seconds can't be negative")


class Behaviours:
    """All that a server has been told. What is about a token goes first, and then what was told first.

    Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: list[Behaviour] = []

    def add(self, behaviour: Behaviour) -> None:
        if behaviour.provider == "apns" and behaviour.token:  # hexadecimal in either case is the same token
            behaviour = dataclasses.replace(behaviour, token=behaviour.token.lower())
        with self._lock:
            self._told.append(behaviour)

    def clear(self) -> None:
        with self._lock:
            self._told.clear()

    def take(self, provider: Provider, token: str | None) -> Behaviour | None:
        """What to do with a request for this token, used up by one; None: as usual."""
        with self._lock:
            fitting = [told for told in self._told if told.provider == provider and told.token in (None, token)]
            if not fitting:
                return None
            behaviour = min(fitting, key=lambda told: told.token is None)  # the first of the smallest
            place = next(index for index, told in enumerate(self._told) if told is behaviour)
            if behaviour.times is not None:
                left = behaviour.times - 1
                self._told[place : place + 1] = [dataclasses.replace(behaviour, times=left)] if left else []
            return behaviour


_TYPES: Mapping[str, tuple[type, ...]] = {
    "provider": (str,),
    "do": (str,),
    "token": (str,),
    "times": (int,),
    "status": (int,),
    "reason": (str,),
    "headers": (dict,),
    "timestamp": (int,),
    "field": (str,),
    "seconds": (int, float),
    "after": (bool,),
}


def parse(told: Any) -> Behaviour:
    """A behaviour as JSON has it; null counts as left out. Raises ValueError that says what is wrong."""
    if not isinstance(told, dict):
        raise ValueError("tell it as a JSON object")  # noqa: TRY004  # it is a value of the user's
    values = {name: value for name, value in told.items() if value is not None}
    if "provider" not in values:
        raise ValueError("provider is missing")
    for name, value in values.items():
        if name not in _TYPES:
            raise ValueError(f"there is no {name}; there are {', '.join(_TYPES)}")
        kinds = _TYPES[name]
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise ValueError(f"{name} is no {kinds[0].__name__}")
    if not all(isinstance(value, str) for value in values.get("headers", {}).values()):
        raise ValueError("headers are strings")
    return Behaviour(**values)
