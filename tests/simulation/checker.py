"""What must hold of every history, whoever recorded it: a simulation, or real clients on a real stack.

Each rule returns what it found, as sentences. None of them knows how Parley works inside.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any, Final

from parley_client.events import Delivered as DeliveredReceipt
from parley_client.events import (
    Entry,
    MembersAdded,
    MembershipLost,
    MembersRemoved,
    Message,
    MessageDeleted,
    MessageEdited,
    Reaction,
    ReadReceipt,
)
from parley_client.view import ConversationView

from tests.simulation.history import History, Operation

_SENDING: Final = frozenset({"send", "otherwise"})
_EPHEMERAL: Final = frozenset({"read", "delivered", "typing"})


@dataclass(slots=True)
class Members:
    """Who is in a conversation, from its log: `after[n]` behind entry n, `joined` when each came (last)."""

    after: dict[int, frozenset[str]] = field(default_factory=dict)
    joined: dict[str, int] = field(default_factory=dict)

    @property
    def ever(self) -> frozenset[str]:
        return frozenset().union(*self.after.values())

    @property
    def now(self) -> frozenset[str]:
        return self.after[max(self.after)]


def members_of(conversation_id: str, log: Sequence[Entry]) -> Members:
    """A private conversation's two are in it from the start."""
    parts = conversation_id.split(":")
    current = frozenset(parts[1:]) if parts[0] == "dm" else frozenset[str]()
    members = Members({0: current}, dict.fromkeys(current, 0))
    for entry in log:
        if isinstance(entry, MembersAdded):
            current = current | set(entry.users)
            members.joined.update(dict.fromkeys(entry.users, entry.seq))
        elif isinstance(entry, MembersRemoved):
            current = current - set(entry.users)
        members.after[entry.seq] = current
    return members


def check(history: History) -> list[str]:
    """Everything that is wrong with a history; nothing, if it is as promised."""
    members = {name: members_of(name, log) for name, log in history.logs.items()}
    if gaps := list(_gapless(history)):
        return gaps  # the other rules count on places
    found = [finding for rule in _RULES for finding in rule(history)]
    return found + [finding for rule in _MEMBER_RULES for finding in rule(history, members)]


def _gapless(history: History) -> Iterator[str]:
    for name, log in history.logs.items():
        seqs = [entry.seq for entry in log]
        if seqs != list(range(1, len(seqs) + 1)):
            yield f"{name}: its log has the places {seqs}"


def _exactly_once(history: History) -> Iterator[str]:
    """Acked: in the log once, where the ack says. Unknown: once at most. Refused for good: not at all.

    What is sent otherwise under the same id is one of the messages that may stand there.
    """
    stored: dict[tuple[str, str], list[tuple[str, Message]]] = defaultdict(list)
    for name, log in history.whole().items():
        for entry in log:
            if isinstance(entry, Message) and entry.client_message_id is not None:
                stored[entry.sender_id, entry.client_message_id].append((name, entry))
    answers: dict[tuple[str, str], list[Operation]] = defaultdict(list)
    for operation in history.operations:
        if operation.kind in _SENDING:
            answers[operation.user, operation.detail["client_message_id"]].append(operation)
    for key, places in stored.items():
        known = [one for one in places if not history.is_replaced(one[0], one[1].seq, places[-1][1].seq)]
        if len(known) > 1:
            yield f"{key} stands at {[(name, message.seq) for name, message in places]}"
    for key, operations in answers.items():
        yield from _answered(key, operations, stored.get(key, []), history)


def _answered(
    key: tuple[str, str],
    operations: Sequence[Operation],
    places: Sequence[tuple[str, Message]],
    history: History,
) -> Iterator[str]:
    at = {message.seq for _, message in places}
    for operation in operations:
        if operation.outcome == "ok" and operation.value not in at:
            yield f"{key} was acked as {operation.value}, and stands at {sorted(at) or 'no place'}"
        if (
            operation.outcome == "fail"
            and operation.code != "conflict"
            and not all(_may_stand(message, operation, operations, history) for _, message in places)
        ):
            yield f"{key} was refused ({operation.code}), and stands at {sorted(at)}"
    for name, message in places:
        where = operations[0].detail["conversation_id"]
        said = {operation.detail["content"] for operation in operations}
        if name != where:
            yield f"{key} was sent to {where}, and stands in {name}"
        is_as_sent = message.edited_at is None and message.deleted_at is None and None not in said
        if is_as_sent and message.content not in said:
            yield f"{key} says {message.content!r} in place of {said}"


def _may_stand(stored: Message, refused: Operation, operations: Sequence[Operation], history: History) -> bool:
    """Though it was refused: a refusal is of one attempt, and of what was so at that moment.

    A client that gets no reply sends again. Where that is refused, the first attempt, which nobody has heard of, may
    be on its way still: its sender is let in a moment later, or it was decided before the block. And the application
    may send a message from several devices, or again later. Who has left is not looked after for ever.
    """
    after = refused.detail.get("after")
    if refused.code == "not_a_member" and after is not None and stored.seq - after > history.for_outsiders:
        return True
    log = history.logs[stored.conversation_id]  # who is let in is no secret
    # The first entry makes a group: nobody can write to it before, so it lets nobody in meanwhile.
    between = log[max(1, refused.detail.get("after", stored.seq)) : stored.seq - 1]
    is_let_in = any(isinstance(entry, MembersAdded) and stored.sender_id in entry.users for entry in between)
    is_changed = refused.code == "blocked" and any(
        other.kind == "block" and not _is_over(other, refused.began) for other in history.operations
    )
    is_sent_again = any(
        other.outcome == "unknown" or (other.outcome == "ok" and not _is_over(other, refused.began))
        for other in operations
    )
    return is_let_in or is_changed or is_sent_again


def _is_over(operation: Operation, at: float) -> bool:
    return operation.ended is not None and operation.ended <= at


def _posts_stand(history: History) -> Iterator[str]:
    """Messages without an id: acked ones are there, refused ones are not, and none is there twice."""
    for operation in history.operations:
        if operation.kind != "post":
            continue
        log, said = history.log_of(operation.user, operation.detail["conversation_id"]), operation.detail["content"]
        messages = [entry for entry in log if isinstance(entry, Message) and not entry.forwarded]
        at = [entry.seq for entry in messages if entry.content == said]
        if len(at) > 1 or (operation.outcome == "fail" and at):
            yield f"{operation} stands at {at}"
        if operation.outcome == "ok" and at != [operation.value] and not _was_changed(log, operation.value):
            yield f"{operation} stands at {at}"


def _was_changed(log: Sequence[Entry], seq: int) -> bool:
    """A message that says something else by now."""
    entry = log[seq - 1] if seq <= len(log) else None
    return isinstance(entry, Message) and (entry.edited_at or entry.deleted_at) is not None


def _changes_took_effect(history: History) -> Iterator[str]:
    """An acked change stands in the log as its author's."""
    kinds = {"edit": MessageEdited, "delete": MessageDeleted, "react": Reaction}
    for operation in history.operations:
        if operation.kind not in kinds or operation.outcome != "ok" or operation.value is None:
            continue
        log = history.logs.get(operation.detail["conversation_id"], ())
        entry = log[operation.value - 1] if operation.value <= len(log) else None
        stands = (type(entry), getattr(entry, "user_id", None), getattr(entry, "message_seq", None))
        if stands != (kinds[operation.kind], operation.user, operation.detail["seq"]):
            yield f"{operation} stands as {entry}"


def _looks_are_fresh(history: History) -> Iterator[str]:
    """A read that began after an ack shows what was acked; and what any read shows is what the log has."""
    acked = [one for one in history.operations if one.kind == "send" and one.outcome == "ok"]
    for look in history.operations:
        if look.kind != "look" or look.outcome != "ok":
            continue
        name = look.detail["conversation_id"]
        shown = {seq for seq, _ in look.value}
        lowest = min(shown, default=0)
        for send in acked:
            is_before = send.detail["conversation_id"] == name and (send.ended or look.began) < look.began
            is_before = is_before and not history.is_hidden_from(look.user, name, send.value)
            is_before = is_before and not history.may_have_ended(name, send.value, look.ended or look.began)
            if is_before and send.value not in shown and send.value > lowest:
                yield f"{look} does not show {send}"
        log = history.log_of(look.user, name)
        for seq, client_message_id in look.value:
            entry = log[seq - 1] if seq <= len(log) else None
            if not isinstance(entry, Message) or entry.client_message_id != client_message_id:
                yield f"{look} shows at {seq} what is not in the log"


def _one_order(history: History) -> Iterator[str]:
    """Every application gets each entry once, in order, without a gap but where it was no member.

    And where what it lacks is kept no longer.
    """
    for client, seen in history.seen.items():
        last: dict[str, Entry] = {}
        over: set[str] = set()
        for at, event in seen.events:
            if isinstance(event, MembershipLost):
                if event.conversation_id in over:
                    yield f"{client} was told twice that it is out of {event.conversation_id}"
                over.add(event.conversation_id)
            if not isinstance(event, Entry):
                continue
            name, before = event.conversation_id, last.get(event.conversation_id)
            joins = isinstance(event, MembersAdded) and seen.user in event.users
            missed = range(before.seq + 1 if before else 1, event.seq)
            is_next = event.seq >= missed.start
            follows = is_next and all(history.may_have_ended(name, seq, at) for seq in missed)
            if not follows and not (joins and (before is None or event.seq > before.seq)):
                yield f"{client} got {name}/{event.seq} after {before.seq if before else 'nothing'}"
            if name in over and not joins:
                yield f"{client} got {name}/{event.seq} after it was told that it is out"
            over.discard(name)
            last[name] = event


def _events_match(history: History) -> Iterator[str]:
    """Whatever an application got is the log's, and so is every frame that was sent."""
    for client, seen in history.seen.items():
        for at, event in seen.events:
            if not isinstance(event, Entry) or history.may_have_ended(event.conversation_id, event.seq, at):
                continue  # of the last one the place is shown
            if not _is_of(event, history.log_of(seen.user, event.conversation_id)):
                yield f"{client} got {event}, which is not what the log has"
    for sent in history.sent:
        name, seq = sent.event.get("conversation_id"), sent.event.get("seq")
        if name is None or seq is None or sent.event["type"] in _EPHEMERAL:
            continue
        log = history.log_of(sent.user, name)
        entry = log[seq - 1] if seq <= len(log) else None
        if history.may_have_ended(name, seq, sent.at):
            continue
        if sent.event["type"] == "withheld" and (name, seq) in history.hidden:
            continue  # in large groups its sender gets the empty place, too, and has the message by then
        writer = sent.event.get("message", sent.event).get("sender_id", sent.event.get("user_id"))
        if entry is None or _author(entry) != writer:
            yield f"{sent.user} was sent {name}/{seq} of {writer}, which is not in the log"


def _is_of(event: Entry, log: Sequence[Entry]) -> bool:
    entry = log[event.seq - 1] if event.seq <= len(log) else None
    if type(entry) is not type(event) or entry is None or _author(entry) != _author(event):
        return False
    if isinstance(event, Message) and isinstance(entry, Message):
        return event.client_message_id == entry.client_message_id
    return True


def _author(entry: Entry) -> str | None:
    return entry.sender_id if isinstance(entry, Message) else getattr(entry, "user_id", None)


def _receipts_grow(history: History) -> Iterator[str]:
    """Nobody is told of a cursor beyond the head."""
    for client, seen in history.seen.items():
        for _, event in seen.events:
            if isinstance(event, ReadReceipt | DeliveredReceipt):
                head = len(history.logs.get(event.conversation_id, ()))
                if event.seq > head:
                    yield f"{client} was told that {event.user_id} has {event.conversation_id}/{event.seq} of {head}"


def _members_only(history: History, members: Mapping[str, Members]) -> Iterator[str]:
    """Nobody outside writes, and nobody outside is sent anything."""
    for name, log in history.whole().items():
        for entry in log:
            writer = _author(entry)
            if isinstance(entry, MessageDeleted) and writer in history.moderators:
                continue
            if isinstance(entry, MembersAdded) and writer in entry.users:
                continue  # who comes in by themselves
            if entry.seq > 1 and writer not in members[name].after.get(entry.seq - 1, ()):
                yield f"{name}/{entry.seq} is {writer}'s, who was not in it"
            if entry.seq == 1 and writer not in members[name].after[1]:
                yield f"{name}/1 is {writer}'s, who is not in it"
    for sent in history.sent:
        where = str(sent.event.get("conversation_id"))
        if where in members and not _may_get(sent.user, sent.event, members[where]):
            yield f"{sent.user} was sent {sent.event['type']} of {where}/{sent.event.get('seq')}"


def _may_get(user: str, event: Mapping[str, object], members: Members) -> bool:
    """An entry goes to those around it, and with a resend to those who came since; the rest to members of any time."""
    seq = event.get("seq")
    if event["type"] in _EPHEMERAL or not isinstance(seq, int):
        return user in members.ever
    return any(user in inside for place, inside in members.after.items() if place >= seq - 1)


def _everybody_agrees(history: History, members: Mapping[str, Members]) -> Iterator[str]:
    """After quiet: nothing waits, and every client shows each conversation as its log has it.

    One that its user has hidden need not be known to a client that was not there before.
    """
    # That a hidden message was deleted is no entry: its sender's other devices see it with the history.
    gone = {place for place, message in history.hidden.items() if message.deleted_at is not None}
    gone |= {(name, seq) for name, seq in history.ends if history.may_have_ended(name, seq, history.over)}
    hidden = {(one.user, one.detail["conversation_id"]) for one in history.operations if one.kind == "hide"}
    for client, seen in history.seen.items():
        if not seen.settled:
            continue
        if seen.pending:
            yield f"{client} still waits with {seen.pending} messages"
        for name, log in history.logs.items():
            if all(history.is_hidden_from(seen.user, name, entry.seq) for entry in log):
                continue  # for the others there is no such conversation
            is_known = seen.entries(name) or (seen.user, name) not in hidden
            if seen.user in members[name].now and log and is_known:
                mine = history.log_of(seen.user, name)
                if history.rewritten:
                    mine = [_without_data(entry) for entry in mine]
                got = seen.entries(name) if not history.rewritten else [*map(_without_data, seen.entries(name))]
                yield from _agrees(client, got, mine, members[name].joined[seen.user], gone)


def _without_data(event: Any) -> Any:
    return replace(event, data=None) if isinstance(event, Message | MessageEdited) else event


def _agrees(
    client: str, got: Sequence[Entry], log: Sequence[Entry], joined: int, gone: AbstractSet[tuple[str, int]]
) -> Iterator[str]:
    name = log[-1].conversation_id
    if not got or got[-1].seq != len(log):
        yield f"{client} has {name} up to {got[-1].seq if got else 'nothing'}, of {len(log)}"
        return
    mine, whole = _view(name, got), _view(name, log)
    for seq, message in whole.messages.items():
        if seq > joined and mine.messages.get(seq) != message and (name, seq) not in gone:
            yield f"{client} shows {name}/{seq} as {mine.messages.get(seq)}, and the log as {message}"


def _view(name: str, entries: Sequence[Entry]) -> ConversationView:
    view = ConversationView(name)
    for entry in entries:
        view.apply(entry)
    return view


_RULES: Final[Sequence[Callable[[History], Iterator[str]]]] = (
    _exactly_once,
    _posts_stand,
    _changes_took_effect,
    _looks_are_fresh,
    _one_order,
    _events_match,
    _receipts_grow,
)
_MEMBER_RULES: Final[Sequence[Callable[[History, Mapping[str, Members]], Iterator[str]]]] = (
    _members_only,
    _everybody_agrees,
)
