"""Notifications on their way to the application: those that come live, and those that are asked for over HTTP.

The server tells each until it is acknowledged: again after seconds, and in the list. Here each is passed on once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import KW_ONLY, dataclass, field
from typing import Final

from parley_client.effects import AskNotifications, Effect
from parley_client.errors import ParleyError
from parley_client.events import Event, Notification
from parley_client.limits import MAX_PAGE
from parley_client.settings import Settings

_REMEMBERED: Final = 10_000


@dataclass(slots=True)
class Notifications:
    """`offer` passes an event on, and says whether there was room. `asks`: there is a server to ask, and a reason to.

    The list is asked for once on each connection, after what was missed in conversations, and again where an earlier
    one may have left something out: there was no room for all, or it was full and all of it is acknowledged by now.
    """

    settings: Settings
    random: Callable[[], float]
    do: Callable[[Effect], None]
    offer: Callable[[Event], bool]
    _: KW_ONLY
    asks: bool
    _passed_on: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _listed: set[str] = field(default_factory=set)
    _left_out: bool = False
    _due: float | None = None
    _number: int = 0
    _in_flight: bool = False
    _failures: int = 0

    def connected(self, now: float) -> None:
        self._failures = 0
        self._plan(now)

    def connection_lost(self) -> None:
        """An answer that is still under way says nothing about the next connection."""
        self._due, self._in_flight = None, False

    def heard(self, notification: Notification) -> None:
        """It came live, or was in the list."""
        if notification.id in self._passed_on:
            return
        if not self.offer(notification):
            self._left_out = True
            return
        self._remember(notification.id)

    def room(self, now: float) -> None:
        """There is room for events again."""
        if self._left_out:
            self._plan(now)

    def acknowledged(self, notification_id: str, now: float) -> None:
        self._remember(notification_id)
        if notification_id in self._listed:
            self._listed.remove(notification_id)
            if not self._listed:
                self._plan(now)

    def send_due(self, now: float) -> None:
        if self._due is None or self._in_flight or now < self._due:
            return
        self._due, self._in_flight, self._left_out = None, True, False
        self._number += 1
        self.do(AskNotifications(self._number))

    def next_due(self) -> float | None:
        return None if self._in_flight else self._due

    def answered(self, number: int, found: Iterable[Notification]) -> None:
        """What the list says is so, however old the question is."""
        listed = tuple(found)
        for notification in listed:
            self.heard(notification)
        self._listed = {each.id for each in listed} if len(listed) >= MAX_PAGE else set()
        if number == self._number:
            self._in_flight, self._failures = False, 0

    def failed(self, number: int, error: ParleyError, now: float) -> None:
        """Another try where that may help; else the next connection brings it."""
        if number != self._number or not self._in_flight:
            return
        self._in_flight = False
        if error.retryable and self._failures < self.settings.max_attempts:
            self._due = now + self.settings.pause(error.retry_after_ms, self._failures, self.random)
            self._failures += 1

    def _remember(self, notification_id: str) -> None:
        self._passed_on.setdefault(notification_id)
        if len(self._passed_on) > _REMEMBERED:
            self._passed_on.popitem(last=False)

    def _plan(self, now: float) -> None:
        if self.asks:
            self._due = now
