"""Bugs that are planted into the product, one at a time, for the simulation to find. A checker that can't fail is none.

Each is a mistake that somebody has made in some chat backend, or nearly made in this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import islice
from types import SimpleNamespace
from typing import Any, Final, cast
from unittest.mock import patch

from greenlet import getcurrent
from parley_client.events import Entry as SeenEntry
from parley_client.outbox import Pending
from parley_client.stream import Stream

import functions.disconnect.handler as disconnect_module
import functions.offline_push.handler as push_module
import functions.presence.handler as presence_handler
import functions.rest.wiring as rest_wiring_module
import shared.adapters.dynamodb.conversation_log as log_table_module
import shared.domain.rules as rules_module
import shared.operations.bans as bans_module
import shared.operations.changes as changing_module
import shared.operations.delivery as delivery_module
import shared.operations.messages as sending_module
import shared.operations.presence as presence_module
import shared.operations.resends as resends_module
from shared.adapters.dynamodb.client import USER_ID, batch_get
from shared.adapters.dynamodb.conversation_log import DynamoDbConversationLog
from shared.adapters.dynamodb.memberships import DynamoDbMemberships
from shared.adapters.dynamodb.pushes import DynamoDbClaims
from shared.adapters.dynamodb.schema import PK, membership_key
from shared.adapters.dynamodb.sessions import DynamoDbSessions, connections_from
from shared.domain.connections import NOBODY, Removed, Session
from shared.domain.entries import Draft, Entry
from shared.domain.retention import Trimming
from shared.domain.rules import Audience
from shared.errors import NotAMember
from shared.operations.audiences import audience_of
from shared.operations.messages import _Place
from shared.operations.turns import Turn
from tests.simulation.mistakes import BROADCASTS, OTHERS, RULES, WITHDRAWN, Patch
from tests.simulation.plan import BARRED, CROWD, ENDING, MODERATED, TOLD, seeds_of
from tests.simulation.scenario import beginning

# Up to 400 ms, as a pause before an attempt.
_LONG: Final = 4


def _no_condition() -> Iterator[Patch]:
    """The put of an entry overwrites what is there."""
    yield log_table_module, "_FREE", "attribute_exists(seq) OR attribute_not_exists(seq)"


def _acked_unwritten() -> Iterator[Patch]:
    """Whatever becomes of the put, the sender hears that the message is stored."""
    put = DynamoDbConversationLog.put

    def hasty(
        self: DynamoDbConversationLog, entry: Entry, *, new_members: Sequence[str] = (), once: bool = False
    ) -> Entry | None:
        try:
            return put(self, entry, new_members=new_members, once=once)
        except Exception:  # noqa: BLE001  # the planted bug
            return None

    yield DynamoDbConversationLog, "put", hasty


def _no_second_read() -> Iterator[Patch]:
    """After a conflict the message goes to the tail: what lies between is not looked at."""

    def hasty(self: _Place, draft: Draft, entries: Iterable[Entry]) -> Entry | None:
        for tail in list(entries)[-1:]:
            self.base, self.audience = tail, self.audience.after([tail])
            if draft.is_stored_as(tail):
                return tail
        return None

    yield _Place, "move", hasty


def _no_turns() -> Iterator[Patch]:
    """Who has lost a place asks for the next one at once, whoever came before."""

    def hasty(self: Turn, there: Entry) -> Iterator[Entry]:
        self._tail = there
        yield there
        yield from self._look()

    yield Turn, "after_losing", hasty
    yield Turn, "approach", Turn._look


def _one_by_one() -> Iterator[Patch]:
    """A message that has lost its place goes behind what it met, and not behind what has come since."""

    def hasty(self: Turn, there: Entry) -> Iterator[Entry]:
        self._tail = there
        yield there

    yield Turn, "after_losing", hasty


def _blind_second_try() -> Iterator[Patch]:
    """After a conflict the message goes to the tail, without a look at what is there."""
    yield Draft, "is_stored_as", lambda self, entry: entry.nonce == self.nonce


def _wrong_connection() -> Iterator[Patch]:
    """A connection that is gone takes another one of its user's with it."""
    remove = DynamoDbSessions.remove

    def clumsy(self: DynamoDbSessions, user_id: str, connection_id: str, *, now: int) -> Removed:
        known = [one.connection_id for one in self.of([user_id]).get(user_id, ())]
        others = [one for one in known if one != connection_id]
        return remove(self, user_id, others[0] if others else connection_id, now=now)

    yield DynamoDbSessions, "remove", clumsy


def _any_disconnect() -> Iterator[Patch]:
    """Whoever closes one of several connections counts as gone."""

    def close(user_id: str, connection_id: str, *, stores: Any, now: int) -> bool:
        stores.sessions.remove(user_id, connection_id, now=now)
        return True

    def gullible(gone: Any, *, again: bool, stores: Any, services: Any, now: Any) -> bool:
        session = stores.sessions.whole([gone.user_id]).get(gone.user_id, Session())
        shown = replace(session, connections=()).shown_as(gone.user_id, now())
        presence_module.announce_presence(shown, stores=stores, services=services, now=now())
        return True

    yield disconnect_module, "close_connection", close
    yield presence_handler, "check_offline", gullible


def _members_first() -> Iterator[Patch]:
    """Who may write is read some time before the entry that is written upon: who is removed meanwhile still writes."""
    known: dict[Any, Audience | NotAMember] = {}
    lookup = sending_module._lookup

    def early(draft: Draft, command: Any, log: DynamoDbConversationLog) -> Any:
        memberships = DynamoDbMemberships(log._calls, members_table="members")
        try:
            stores = cast("Any", SimpleNamespace(memberships=memberships))
            known[getcurrent()] = audience_of(draft.conversation_id, draft.sender_id, stores=stores)
        except NotAMember as error:
            known[getcurrent()] = error
        cast("Any", log._calls).pause(_LONG)
        return lookup(draft, command, log)

    def late(*_: Any, **__: Any) -> Audience:
        found = known.pop(getcurrent())
        if isinstance(found, NotAMember):
            raise found
        return found

    yield sending_module, "_lookup", early
    yield sending_module, "audience_behind", late


def _members_not_followed() -> Iterator[Patch]:
    """What the log says about members behind the base is not added."""
    yield Audience, "after", lambda self, entries: self


def _sessions_first() -> Iterator[Patch]:
    """Who is connected is read eventually consistent: somebody who just came is not seen."""

    def of(self: DynamoDbSessions, user_ids: Any, *, consistent: bool = False) -> Any:
        table = self._table
        keys = {table.name: [{USER_ID: user_id} for user_id in sorted(set(user_ids))]}
        items = batch_get(table._calls, keys, consistent=False)[table.name]
        return {item[USER_ID]: list(connections_from(item, item[USER_ID]).values()) for item in items}

    yield DynamoDbSessions, "of", of


def _cursor_unconditional() -> Iterator[Patch]:
    """A read cursor is stored as it comes, also when it is behind."""

    def move(
        self: DynamoDbMemberships, conversation_id: str, user_id: str, cursor: str, changes: dict[str, int]
    ) -> bool:
        change = "SET " + ", ".join(f"{name} = :{name}" for name in changes)
        values = {f":{name}": value for name, value in changes.items()}
        there = f"attribute_exists({PK})"
        self._table.update(membership_key(conversation_id, user_id), change, values, condition=there)
        return True

    yield DynamoDbMemberships, "_move", move


def _unclaimed() -> Iterator[Patch]:
    """Pushes go out without a claim: what comes twice is pushed twice."""
    yield DynamoDbClaims, "claim", lambda *_, **__: True


def _stream_failure_swallowed() -> Iterator[Patch]:
    """Whatever goes wrong with stream records, they count as done."""
    look_at = push_module.look_at

    def careless(records: Any, ports: Any) -> Any:
        look_at(records, ports)
        return {"batchItemFailures": []}

    yield push_module, "look_at", careless


def _refused_though_stored() -> Iterator[Patch]:
    """A resend that may not be sent any more is refused, whether or not an earlier attempt was stored."""
    yield resends_module, "find_stored", lambda *_, **__: None


def _in_two_writes() -> Iterator[Patch]:
    """A change and its effects are written one after the other."""

    def put_together(
        self: DynamoDbConversationLog, put: dict[str, Any], together: list[dict[str, Any]], _: str, **__: bool
    ) -> Entry | None:
        from shared.adapters.dynamodb.client import Refused, conditionally
        from shared.adapters.dynamodb.schema import entry_from

        answer = conditionally(self._calls, "PutItem", put)
        if isinstance(answer, Refused):
            return entry_from(answer.item or {})
        for part in together:
            ((kind, request),) = part.items()
            self._calls.call(f"{kind}Item", request)
        return None

    yield DynamoDbConversationLog, "_put_together", put_together


def _holes() -> Iterator[Patch]:
    """`after` need not exist."""

    def base(draft: Draft, command: Any, found: Any, log: Any) -> Any:
        if command.after is None:
            return _base(draft, command, found, log)
        return found.entries.get(command.after) or _made_up(draft, command.after), []

    _base = sending_module._base
    yield sending_module, "_base", base
    yield rules_module, "check_after", lambda *_: None


def _made_up(draft: Draft, after: int) -> Entry | None:
    if not after:
        return None
    return Entry(draft.conversation_id, after, draft.sender_id, 0, after, message_seq=after)


def _tail_guessed() -> Iterator[Patch]:
    """An edit, a reaction or a new member is decided upon before the tail is read."""
    change = changing_module.change

    def hasty(conversation_id: str, *, user_id: str, decide: Any, **others: Any) -> Any:
        decided: list[Any] = []

        def once(audience: Audience) -> Any:
            if not decided:
                decided.append(decide(audience))
            return decided[0]

        return change(conversation_id, user_id=user_id, decide=once, **others)

    import shared.operations.editing as editing_module
    import shared.operations.groups as groups_module

    yield editing_module, "change", hasty
    yield groups_module, "change", hasty


def _nobody_told() -> Iterator[Patch]:
    """A message is stored, and the posts go to nobody."""
    yield sending_module, "broadcast", lambda *_, **__: NOBODY


def _outsiders_told() -> Iterator[Patch]:
    """Whoever was removed is told on."""
    known: dict[str, set[str]] = {}
    broadcast = delivery_module.broadcast

    def leaky(event: Any, *, to: Any, services: Any, **others: Any) -> Any:
        everyone = known.setdefault(f"{event.conversation_id}{id(services.gateway)}", {"bob", "carol"})
        return broadcast(event, to=[*to, *sorted(everyone - set(to))], services=services, **others)

    yield sending_module, "broadcast", leaky


def _client_new_id() -> Iterator[Patch]:
    """A client that gives each attempt of a message an id of its own."""
    frame = Pending.frame

    def renamed(self: Pending) -> dict[str, Any]:
        made = frame(self)
        return {**made, "client_message_id": f"{made['client_message_id']}/{self.attempts}"}

    yield Pending, "frame", renamed


def _client_moves_after() -> Iterator[Patch]:
    """A client that resends with the entry that it holds by now, and not with the one that it held at first."""
    frame = Pending.frame
    heard: dict[str, int] = {}
    entry = Stream.entry

    def remember(self: Stream, one: SeenEntry, now: float) -> Any:
        heard[one.conversation_id] = one.seq
        return entry(self, one, now)

    def moved(self: Pending) -> dict[str, Any]:
        made = frame(self)
        name = self.conversation_id or ""
        return {**made, "after": max(made["after"], heard.get(name, 0))} if self.attempts > 1 else made

    yield Stream, "entry", remember
    yield Pending, "frame", moved


def _unmarked() -> Iterator[Patch]:
    """Who is banned is sent away, and may come back."""
    yield DynamoDbSessions, "ban", lambda *_: None


def _left_open() -> Iterator[Patch]:
    """Who is banned can't come in, and stays where they are."""
    yield bans_module, "_close", lambda *_, **__: 0


def _served_over_http() -> Iterator[Patch]:
    """Who is kept out is so of connections alone."""
    yield rest_wiring_module, "check_bars", lambda *_, **__: None


def _kept_whatever() -> Iterator[Patch]:
    """A message goes behind the entry that its sender held, though that has ended, and others behind it are gone."""
    yield sending_module, "_is_kept", lambda *_: True


def _read_while_there() -> Iterator[Patch]:
    """What has ended is read until DynamoDB has deleted it."""
    yield Trimming, "seen", lambda _, entry, __: entry


def _last_goes() -> Iterator[Patch]:
    """Each row is told to go, and not only those behind which another stands."""
    settle = cast("Any", push_module).settle_end_before
    yield push_module, "settle_end_before", lambda place, **beside: settle((place[0], place[1] + 1), **beside)


PLANTED: Final[Mapping[str, Callable[[], Iterator[Patch]]]] = {
    "the put of an entry without its condition": _no_condition,
    "acked before it is written": _acked_unwritten,
    "no second read after a conflict": _no_second_read,
    "those who lost a place do not take turns": _no_turns,
    "who lost a place asks for one after the other": _one_by_one,
    "a resend that is not recognised": _blind_second_try,
    "the wrong connection deleted on a 410": _wrong_connection,
    "presence by any disconnect": _any_disconnect,
    "members read before the log": _members_first,
    "members not followed through the log": _members_not_followed,
    "sessions read eventually consistent": _sessions_first,
    "a cursor without its condition": _cursor_unconditional,
    "pushes without a claim": _unclaimed,
    "a stream's failures swallowed": _stream_failure_swallowed,
    "refused though it is stored": _refused_though_stored,
    "a change and its effects in two writes": _in_two_writes,
    "an `after` that does not exist": _holes,
    "a decision that is not made again": _tail_guessed,
    "nobody is told": _nobody_told,
    "those who were removed are told on": _outsiders_told,
    "a client with a new id for each attempt": _client_new_id,
    "a client that moves its `after`": _client_moves_after,
    "a ban that no handshake sees": _unmarked,
    "a ban that closes nothing": _left_open,
    "a ban that HTTP does not know": _served_over_http,
    "a message behind what has ended": _kept_whatever,
    "what has ended is read as long as its row is there": _read_while_there,
    "the last row of a log goes": _last_goes,
    **BROADCASTS,
    **WITHDRAWN,
    **OTHERS,
    **RULES,
}


# What only histories of some kind do is looked for in those.
_KINDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(BROADCASTS, TOLD),
    **dict.fromkeys(OTHERS, MODERATED),
    **dict.fromkeys(RULES, ENDING),
    "those who lost a place do not take turns": CROWD,
    "who lost a place asks for one after the other": CROWD,
    "a ban that no handshake sees": BARRED,
    "a ban that closes nothing": BARRED,
    "a ban that HTTP does not know": BARRED,
    "a message behind what has ended": ENDING,
    "what has ended is read as long as its row is there": ENDING,
    "the last row of a log goes": ENDING,
}


def hunted_in(name: str) -> Iterable[int]:
    """The seeds of the histories in which this bug is looked for."""
    return islice(seeds_of(_KINDS[name]), 1_000) if name in _KINDS else range(3_000)


@contextmanager
def planted(name: str) -> Iterator[None]:
    """The product with this bug in it. What every history begins with was made without it."""
    beginning()
    with ExitStack() as stack:
        for owner, what, becomes in PLANTED[name]():
            stack.enter_context(patch.object(owner, what, becomes))
        yield
