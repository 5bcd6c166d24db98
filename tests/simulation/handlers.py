"""The functions' own entry points, called as Lambda calls them, with what their instance has in place of their wiring.

A handler reads its module's names before its first call to a service, and so before another task goes on: each call
sets them first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from greenlet import getcurrent

import functions.connect.authorizer as authorizer_module
import functions.connect.handler as connect_module
import functions.disconnect.handler as disconnect_module
import functions.files.handler as files_module
import functions.message.handler as message_module
import functions.offline_push.handler as push_module
import functions.presence.handler as presence_module
import functions.rest.handler as rest_module
from functions.rest.api import make_api, take_notes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulation.functions import Instance

Event = Mapping[str, Any]

# What stands in a module for one instance, and is another one's a moment later.
OF_AN_INSTANCE: Final[Sequence[tuple[Any, str]]] = (
    *((authorizer_module, name) for name in ("_DEADLINE", "_VERIFIER", "_TICKETS", "now_ms")),
    *((connect_module, name) for name in ("_WIRING", "now_ms")),
    *((disconnect_module, name) for name in ("_DEADLINE", "_STORES", "_CHECKS", "now_ms")),
    (files_module, "_WIRING"),
    *((message_module, name) for name in ("_WIRING", "_GUARD")),
    (push_module, "_WIRING"),
    *((presence_module, name) for name in ("_WIRING", "now_ms")),
    *((rest_module, name) for name in ("_WIRING", "_API", "_NOTES")),
)


def _set(module: Any, **names: Any) -> None:
    for name, value in names.items():
        setattr(module, name, value)


def authorizer(instance: Instance, event: Event) -> Any:
    tickets = instance.stores.tickets
    _set(authorizer_module, _DEADLINE=instance, _VERIFIER=instance.verifier, _TICKETS=tickets, now_ms=instance.now)
    return authorizer_module.handler(event)


def connect(instance: Instance, event: Event) -> Any:
    _set(connect_module, _WIRING=instance.wiring_of("connect").connect, now_ms=instance.now)
    return connect_module.handler(event)


def disconnect(instance: Instance, event: Event) -> Any:
    stores, checks = instance.stores, instance.checks
    _set(disconnect_module, _DEADLINE=instance, _STORES=stores, _CHECKS=checks, now_ms=instance.now)
    return disconnect_module.handler(event)


def message(instance: Instance, event: Event) -> Any:
    message_module._WIRING, message_module._GUARD = instance.message
    return message_module.handler(event)


def presence(instance: Instance, event: Event) -> Any:
    _set(presence_module, _WIRING=instance.wiring_of("presence").presence, now_ms=instance.now)
    return presence_module.handler(event)


def push(instance: Instance, event: Event) -> Any:
    push_module._WIRING = instance.push
    return push_module.handler(event)


def files(instance: Instance, event: Event) -> Any:
    files_module._WIRING = instance.files
    return files_module.handler(event)


def rest(_: Instance, event: Event) -> Any:
    with _resolver() as (api, notes):
        _set(rest_module, _WIRING=_CURRENT, _API=api, _NOTES=notes)
        # Powertools keeps it at the class, where the next request that runs beside this one would put its own.
        api.current_event = api._to_proxy_event(event)
        return rest_module.handler(cast("dict[str, Any]", event))


class _Current:
    """The wiring of the instance whose code runs at the moment."""

    def __getattr__(self, name: str) -> Any:
        return getattr(cast("Any", getcurrent()).process.instance.rest, name)


_CURRENT: Final = cast("Any", _Current())
Resolver = tuple[Any, Callable[[], Mapping[str, Any]]]


@cache
def _idle() -> list[Resolver]:
    """Making a resolver takes longer than a history, and each answers one request at a time: they are used again."""
    return []


@contextmanager
def _resolver() -> Iterator[Resolver]:
    idle = _idle()
    resolver = idle.pop() if idle else _make_resolver()
    try:
        yield resolver
    finally:
        idle.append(resolver)


def _make_resolver() -> Resolver:
    api = make_api(_CURRENT, unexpected=rest_module._log_unexpected)
    return api, take_notes(api)
