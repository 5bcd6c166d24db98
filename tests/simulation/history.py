"""What has happened, as far as it can be told from outside: what was asked, answered, seen, and stored in the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, Literal

from parley_client.events import Entry, Event, Message

Outcome = Literal["unknown", "ok", "fail"]
"""`unknown` is also what never got an answer: it may have taken effect, or may still."""

# These answers mean that nothing was done, and that nothing will be.
REFUSALS = frozenset({"bad_request", "too_large", "forbidden", "not_a_member", "blocked", "not_found", "conflict"})


@dataclass(slots=True, eq=False)
class Operation:
    """Something that a client has asked for. Times are of one clock, whatever its unit.

    `detail` has what was asked: of a `send` (and of a `claim`, whose refusal is not final) the conversation, content
    and client_message_id; of a `post` the conversation and content; of a `read` the conversation and seq; of an `edit`,
    `delete` or `react` the conversation and seq; of a `look` the conversation. `value` is what the answer said: of a
    message its seq; of a change the seq of its entry, or None; of a look the messages that were there,
    (seq, client_message_id) each. `status` is HTTP's, where it went that way;
    `token_ends` (ms) the end of the token that was shown with it.
    """

    client: str
    user: str
    kind: str
    detail: dict[str, Any]
    began: float
    ended: float | None = None
    outcome: Outcome = "unknown"
    value: Any = None
    code: str = ""
    status: int = 0
    token_ends: int = 0

    def succeed(self, value: Any, now: float) -> None:
        self.outcome, self.value, self.ended = "ok", value, now

    def refuse(self, code: str, now: float) -> None:
        """The answer was no. Whether that is final depends on the code."""
        self.outcome, self.code, self.ended = ("fail" if code in REFUSALS else "unknown"), code, now

    def __str__(self) -> str:
        what = " ".join(f"{name}={value}" for name, value in self.detail.items())
        ended = "…" if self.ended is None else f"{self.ended:.0f}"
        said = f"{self.outcome} {self.code or self.value}"
        return f"{self.began:8.0f} {ended:>8} {self.client:10} {self.kind} {what} → {said}"


@dataclass(slots=True)
class Seen:
    """What one client's application got, in its order: over reconnects, and over restarts from its saved state.

    `settled`: it is online and caught up at the end, so that it must agree with everybody else.
    """

    user: str
    events: list[tuple[float, Event]] = field(default_factory=list)
    settled: bool = True
    pending: int = 0

    def entries(self, conversation_id: str) -> list[Entry]:
        return [e for _, e in self.events if isinstance(e, Entry) and e.conversation_id == conversation_id]


@dataclass(frozen=True, slots=True)
class Sent:
    """A frame of the server's to somebody's connection, other than a reply."""

    user: str
    event: Mapping[str, Any]
    at: float


@dataclass(slots=True)
class History:
    """`logs` are the conversations as a sync from their start gives them, when all is quiet.

    `for_outsiders` is how many entries behind its `after` a resend of somebody who has left is looked for.
    `hidden` are the messages of shadow-banned users, by their places, as their senders alone may see them; in `logs` it
    is what others may. `moderators` delete what others wrote, without being members. `rewritten`: a hook may have hung
    other data on messages, of which their senders' devices have not heard where a post was lost. `ends`: where messages
    are kept for some days, when each entry ends, by the fastest clock, and `stored` when it came; in `logs` are also
    those whose rows are gone. `over` is the time of its end.
    """

    operations: Sequence[Operation]
    seen: Mapping[str, Seen]
    logs: Mapping[str, Sequence[Entry]]
    sent: Sequence[Sent] = ()
    for_outsiders: int = 100
    hidden: Mapping[tuple[str, int], Message] = field(default_factory=dict)
    moderators: frozenset[str] = frozenset()
    rewritten: bool = False
    ends: Mapping[tuple[str, int], float] = field(default_factory=dict)
    stored: Mapping[tuple[str, int], float] = field(default_factory=dict)
    over: float = 0.0

    def may_have_ended(self, name: str, seq: int, at: float) -> bool:
        return self.ends.get((name, seq), inf) <= at

    def is_replaced(self, name: str, seq: int, later: int) -> bool:
        """Whether an entry may have ended when another was stored, so that nothing of it was known any more."""
        return self.may_have_ended(name, seq, self.stored.get((name, later), -inf))

    def whole(self) -> dict[str, Sequence[Entry]]:
        """The logs with what is hidden from some."""
        return {name: [self.hidden.get((name, one.seq), one) for one in log] for name, log in self.logs.items()}

    def log_of(self, user: str, name: str) -> Sequence[Entry]:
        """A log as this user may see it."""
        log = self.logs.get(name, ())
        if not self.hidden:
            return log
        hidden = (self.hidden.get((name, entry.seq)) for entry in log)
        return [
            one if one is not None and one.sender_id == user else entry for one, entry in zip(hidden, log, strict=True)
        ]

    def is_hidden_from(self, user: str, name: str, seq: int) -> bool:
        one = self.hidden.get((name, seq))
        return one is not None and one.sender_id != user
