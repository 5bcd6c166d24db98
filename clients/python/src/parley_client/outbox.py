"""Messages on their way: each is stored once, whatever happens to connections, replies and this process.

Two things make a resend safe, and both stay as they are for as long as a message is tried: its `client_message_id`
and its `after`, the entry this client held before the first attempt. The server examines what follows `after` for the
id before it stores anything. Before the first attempt `after` may still move forward, and does: the nearer it is to
the head, the less there is to examine.

Messages of one conversation go out one at a time, so that they are stored in the order in which they were written.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from parley_client.errors import ParleyError
from parley_client.events import Ack, Message
from parley_client.revision import Revision

_REMEMBERED: Final = 1_000
# What the server compares, too, when an id comes a second time.
_FIELDS: Final = ("content", "message_type", "reply_to", "mentions", "file_id", "data", "attachments")
_LISTS: Final = frozenset({"mentions", "attachments"})


@dataclass(slots=True, eq=False)
class Pending:
    """One unacknowledged message.

    call: who waits for it; None where no caller does (any more).
    fixed: an attempt may have been made, so `after` stays.
    request: the id of the attempt under way; carries: how far it says that the user has read.
    examining: the server wants what follows `after` to be looked at first (`sync_required`).
    watched: this client has seen all that follows `after` while it knew of the message; else it must look again.
    found: an entry with this id that reads differently (edited since, or the id was used twice).
    """

    order: int
    call: int | None
    to: str | None
    conversation_id: str | None
    body: dict[str, Any]
    client_message_id: str
    after: int
    fixed: bool = False
    request: str | None = None
    carries: int | None = None
    attempts: int = 0
    refusals: int = 0
    not_before: float = 0.0
    examining: bool = False
    watched: bool = False
    found: int | None = None

    @property
    def forwards(self) -> bool:
        return "forward_of" in self.body

    @property
    def lane(self) -> str:
        return self.conversation_id or f"to:{self.to}"

    def frame(self) -> dict[str, Any]:
        """As it goes out. `to` creates a private conversation where there is none yet, so it is kept where given."""
        where = {"to": self.to} if self.to else {"conversation_id": self.conversation_id}
        return {
            "type": "message",
            **where,
            **self.body,
            "client_message_id": self.client_message_id,
            "after": self.after,
        }

    def saved(self) -> dict[str, Any]:
        return {
            "to": self.to,
            "conversation_id": self.conversation_id,
            "body": dict(self.body),
            "client_message_id": self.client_message_id,
            "after": self.after,
        }


@dataclass(slots=True)
class Outbox:
    """The messages in the order in which they were written. Which call waits for one is the core's business."""

    items: list[Pending] = field(default_factory=list)
    revision: Revision = field(default_factory=Revision)
    _order: int = 0
    _acked: OrderedDict[tuple[str, str], tuple[dict[str, Any], Ack]] = field(default_factory=OrderedDict)
    _given_up: OrderedDict[str, int] = field(default_factory=OrderedDict)

    def add(self, item: Pending) -> None:
        """Put it in line. A repeated id goes no farther than the `after` of its first, which must not move any more."""
        self._order += 1
        item.order = self._order
        twin = next((other for other in self.items if other.client_message_id == item.client_message_id), None)
        if twin is not None:
            item.after, item.fixed, twin.fixed = min(item.after, twin.after), True, True
        elif item.client_message_id in self._given_up:
            item.after, item.fixed = min(item.after, self._given_up[item.client_message_id]), True
        self.items.append(item)
        self.revision.changed()

    def restore(self, saved: Mapping[str, Any]) -> None:
        """A message of an earlier process: no call waits for it here, and it may have been sent."""
        self.add(
            Pending(
                order=0,
                call=None,
                to=saved["to"],
                conversation_id=saved["conversation_id"],
                body=dict(saved["body"]),
                client_message_id=saved["client_message_id"],
                after=saved["after"],
                fixed=True,
                attempts=1,
            )
        )

    def heads(self) -> Iterable[Pending]:
        """The first message of each conversation."""
        lanes: dict[str, Pending] = {}
        for item in self.items:
            lanes.setdefault(item.lane, item)
        return lanes.values()

    def startable(self, now: float) -> list[Pending]:
        return [p for p in self.heads() if p.request is None and not p.examining and p.not_before <= now]

    def next_due(self) -> float | None:
        if not self.items:
            return None
        waiting = (p.not_before for p in self.heads() if p.request is None and not p.examining)
        return min(waiting, default=None)

    def settled(self, item: Pending, ack: Ack | None = None) -> None:
        """Take it out of line. What is remembered makes the same id safe again: its ack, or else its `after`."""
        self.items.remove(item)
        self.revision.changed()
        if ack is None:
            self._given_up[item.client_message_id] = item.after
        else:
            self._acked[ack.conversation_id, item.client_message_id] = (item.body, ack)
        for memory in (self._acked, self._given_up):
            if len(memory) > _REMEMBERED:
                memory.popitem(last=False)

    def known(self, item: Pending) -> Ack | None:
        """The ack of an earlier message with this id. Raises ParleyError where that one said something else."""
        if item.conversation_id is None:
            return None
        body, ack = self._acked.get((item.conversation_id, item.client_message_id), (None, None))
        if body is not None and body != item.body:
            raise ParleyError("conflict", "This client_message_id was used for a different message")
        return ack

    def fix(self, item: Pending, held: int | None) -> None:
        """The first attempt is about to be made: from here on `after` stays."""
        if not item.fixed:
            item.after, item.watched = (item.after, False) if held is None else (held, True)
            self.revision.changed()
        item.fixed = True

    def stored_as(self, message: Message, user_id: str | None) -> list[Pending]:
        """Those that this entry of the log is, word for word. Where it reads differently, the server has to say."""
        if not self.items or message.client_message_id is None or message.sender_id != user_id:
            return []
        mine = [item for item in self.items if _names(message, item)]
        for item in mine:
            if not _same(item.body, message):
                item.found = min(message.seq, item.found or message.seq)
        return [item for item in mine if item.found is None]

    def address(self, conversation_of: Callable[[str], str | None]) -> None:
        """Learn to which conversation the messages to a person belong, as far as that is known now."""
        for item in self.items:
            if item.conversation_id is None and item.to is not None:
                item.conversation_id = conversation_of(item.to)
                self.revision.changed()

    def examined(self, conversation_id: str, upto: int) -> None:
        """Everything up to `upto` was looked at, and the message was not there: only now may `after` move.

        It never moves past an entry with the message's own id: the server meets it, and judges.
        """
        for item in self.items:
            if item.examining and item.conversation_id == conversation_id:
                limit = min(upto, item.found - 1) if item.found and item.found > item.after else upto
                item.after, item.examining = max(item.after, limit), False
                self.revision.changed()

    def connection_lost(self) -> None:
        """No answer comes any more: each attempt under way is made again, as it was."""
        for item in self.items:
            item.request, item.examining = None, False


def fill_in(
    content: str | None,
    *,
    message_type: str,
    reply_to: int | None,
    mentions: Iterable[str],
    file_id: str | None,
    data: Mapping[str, Any] | None,
    attachments: Iterable[Mapping[str, Any]],
    forward_of: tuple[str, int] | None,
) -> dict[str, Any]:
    """The body of a message, without what is not there. Raises ParleyError where it is neither of the two kinds.

    With a file or an attachment there need be no words.
    """
    attached = list(attachments) or None
    says = content is not None or file_id is not None or attached is not None
    if says == (forward_of is not None):
        raise ParleyError(
            "bad_request", "A message has `content`, a `file_id`, `attachments`; or else it has `forward_of`"
        )
    body: dict[str, Any] = {"content": content or "", "message_type": message_type}
    if forward_of is not None:
        where, seq = forward_of
        body = {"forward_of": {"conversation_id": where, "seq": seq}}
    optional = {
        "reply_to": reply_to,
        "mentions": list(dict.fromkeys(mentions)) or None,
        "file_id": file_id,
        "data": data,
        "attachments": attached,
    }
    return body | {name: value for name, value in optional.items() if value is not None}


def as_stored(item: Pending, ack: Ack, user_id: str) -> Message:
    """An acknowledged message as the entry that it has become."""
    body = item.body
    wire: dict[str, Any] = {
        "id": ack.message_id,
        "conversation_id": ack.conversation_id,
        "seq": ack.seq,
        "sender_id": user_id,
        "content": body["content"],
        "type": body["message_type"],
        "created_at": ack.timestamp,
        "client_message_id": item.client_message_id,
    }
    wire |= {name: body[name] for name in ("reply_to", *_FIELDS[3:]) if name in body}
    return Message(
        conversation_id=ack.conversation_id,
        seq=ack.seq,
        sender_id=user_id,
        content=body["content"],
        type=body["message_type"],
        created_at=ack.timestamp,
        id=ack.message_id,
        client_message_id=item.client_message_id,
        reply_to=body.get("reply_to"),
        mentions=tuple(body.get("mentions", ())),
        file_id=body.get("file_id"),
        data=body.get("data"),
        attachments=tuple(body.get("attachments", ())),
        raw=wire,
    )


def _names(message: Message, item: Pending) -> bool:
    return (message.client_message_id, message.conversation_id) == (item.client_message_id, item.conversation_id)


def _same(body: Mapping[str, Any], message: Message) -> bool:
    if "forward_of" in body:  # what it says is the other message's
        return message.forwarded and message.reply_to == body.get("reply_to")
    hung = message.data, list(message.attachments)
    stored = (message.content, message.type, message.reply_to, list(message.mentions), message.file_id, *hung)
    return tuple(body.get(name, [] if name in _LISTS else None) for name in _FIELDS) == stored
