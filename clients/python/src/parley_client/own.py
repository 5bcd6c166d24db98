"""The user's own log: what they have changed of their own, on any device.

It goes with the frames that sync conversations, in the same form: each entry is passed on once, in order, without a
gap. A server that does not know it answers without, and nothing is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from parley_client.events import Frame, UserChanged, UserReset
from parley_client.inbox import Inbox
from parley_client.parsing import is_object, is_seq
from parley_client.revision import Revision


@dataclass(slots=True)
class OwnLog:
    """`sync` asks for a round. `held` was passed on, `taken` the application has; None before the first answer."""

    inbox: Inbox
    sync: Callable[[], None]
    held: int | None = None
    taken: int | None = None
    revision: Revision = field(default_factory=Revision)
    _due: bool = False

    @property
    def asked(self) -> dict[str, int]:
        """What the next request says: the last entry held, 0 for none; nothing where there is nothing to ask."""
        return {"user": self.held or 0} if self._due else {}

    def connected(self) -> None:
        self._due = True

    def heard(self, frame: Frame) -> None:
        """An event. What comes before the first answer is in that."""
        seq = frame.get("seq")
        if self.held is not None and isinstance(seq, int) and is_seq(seq) and seq > self.held and not self._pass(frame):
            self._ask()

    def answered(self, said: Any) -> None:
        """What a reply to `sync` says of it."""
        self._due = False
        if not isinstance(said, Mapping):
            return
        held = self.held
        if held is None or said.get("reset") is True:
            self._reset(int(said["head"]) if is_seq(said.get("head")) else 0)
            return
        listed = said.get("entries")
        for frame in listed if isinstance(listed, list) else ():
            if is_object(frame):
                self._pass(frame)
        if said.get("has_more") is True and self.held != held:
            self._ask()

    def room(self) -> None:
        """There is room again for what found none."""
        if self._due:
            self.sync()

    def took(self, event: object) -> None:
        """The application has taken an event."""
        if isinstance(event, (UserChanged, UserReset)):
            self.taken = event.seq
            self.revision.changed()

    def restore(self, taken: int | None) -> None:
        self.held = self.taken = taken

    def _ask(self) -> None:
        self._due = True
        if self.inbox.room:
            self.sync()

    def _pass(self, frame: Frame) -> bool:
        """Whether it was its turn, and there was room for it."""
        seq = (self.held or 0) + 1
        if frame.get("seq") != seq:
            return False
        what, value, at = frame.get("what"), frame.get("value"), frame.get("timestamp")
        if not isinstance(what, str) or not is_object(value):
            self.held = seq  # it keeps its place
            return True
        return self._offer(UserChanged(seq, what, value, at if isinstance(at, int) else 0, frame))

    def _reset(self, head: int) -> None:
        if not self._offer(UserReset(head)):
            self._due = True

    def _offer(self, event: UserChanged | UserReset) -> bool:
        if not self.inbox.offer(event):
            return False
        self.held = event.seq
        if not self.inbox.settings.receive:
            self.took(event)
        return True
