"""Which conversations to ask the server for, and when: rounds over all of them, and single ones that lag.

A round compares all conversations: those named in the request are answered with what follows, for the others the reply
has the head, which is enough to see that one lags. A reply is bounded, so a round may take several. The first names
what was active last, the others go on behind the cursor of the reply before and name what turned out to lag. Whatever
came by in none of them is named at the end: it may be over. One request is under way at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from parley_client.conversation import Conversation
from parley_client.events import Entry, Frame
from parley_client.limits import MAX_NAMED
from parley_client.parsing import as_entry, is_seq
from parley_client.settings import Settings

# What one request may name (the server takes 500), and how much text that may be: a frame has 32 KB at most.
_MAX_NAMED_TEXT: Final = 28_000
_NUMBER_TEXT: Final = 22  # quotes, colon, comma, and a seq


@dataclass(frozen=True, slots=True)
class Block:
    """What a reply says about one conversation. `joined_seq` made the own user a member; 0 where nothing did."""

    id: str
    head: int
    joined_seq: int
    entries: tuple[Entry, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Page:
    """`next_cursor`: there are heads behind it."""

    blocks: tuple[Block, ...]
    refused: tuple[str, ...]
    has_more: bool
    next_cursor: str | None = None

    def answers(self, named: Iterable[str]) -> set[str]:
        """The conversations of which this says all there is to know now; where nothing was left out, all `named`."""
        return {*(block.id for block in self.blocks), *self.refused, *(() if self.has_more else named)}


def as_page(data: Frame) -> Page:
    """The data of a reply to `sync`; what is malformed in it is left out."""
    conversations, refused = data.get("conversations"), data.get("refused")
    blocks = (_as_block(raw) for raw in conversations) if isinstance(conversations, list) else ()
    return Page(
        blocks=tuple(block for block in blocks if block is not None),
        refused=tuple(each for each in refused if isinstance(each, str)) if isinstance(refused, list) else (),
        has_more=data.get("has_more") is True,
        next_cursor=cursor if isinstance(cursor := data.get("next_cursor"), str) and cursor else None,
    )


def _as_block(raw: Any) -> Block | None:
    if not isinstance(raw, Mapping) or not isinstance(raw.get("id"), str):
        return None
    listed = raw.get("entries")
    frames = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
    entries = (as_entry({**frame, "conversation_id": raw["id"]}) for frame in frames)
    in_order = sorted((entry for entry in entries if entry is not None), key=lambda entry: entry.seq)
    head, joined = (int(raw[name]) if is_seq(raw.get(name)) else 0 for name in ("head", "joined_seq"))
    return Block(raw["id"], head, joined, tuple(in_order), raw.get("has_more") is True)


@dataclass(slots=True)
class Catchup:
    """The schedule. `conversations` is the inbox's, the least recently active first.

    complete: a round has been completed, on this connection or an earlier one.
    answered: the server has answered on this connection, if only by a refusal: the outbox waited for it, because an
        own message that the sync finds need not be sent again.
    """

    conversations: dict[str, Conversation]
    settings: Settings
    random: Callable[[], float]
    complete: bool = False
    answered: bool = False
    _round: bool = False
    _outdated: bool = False  # the request under way is older than the round
    _cursor: str | None = None  # behind which the round goes on
    _through: bool = False  # all heads have come by
    _seen: set[str] = field(default_factory=set)
    _due: dict[str, float] = field(default_factory=dict)
    _spread: set[str] = field(default_factory=set)
    _asked: dict[str, int] | None = None
    _not_before: float = 0.0
    _failures: int = 0

    def connected(self) -> None:
        self._asked, self._failures, self._not_before, self.answered = None, 0, 0.0, False
        self.begin()

    def connection_lost(self) -> None:
        self._asked = None

    @property
    def compared(self) -> bool:
        """All conversations were compared, and nothing has asked for that again since."""
        return self.complete and not self._round

    @property
    def asked(self) -> dict[str, int]:
        """What the request under way names."""
        return self._asked or {}

    def begin(self) -> None:
        """Compare all conversations, from the start."""
        self._round, self._outdated = True, self._asked is not None
        self._cursor, self._through = None, False
        self._seen.clear()
        self._spread.clear()

    def lagging(self, conversation_id: str, at: float) -> None:
        """Ask for this conversation at `at`, if it still lags then."""
        self._due[conversation_id] = min(at, self._due.get(conversation_id, at))
        self._spread.discard(conversation_id)

    def lacking(self, conversation_id: str, at: float, within: float = 0.0) -> None:
        """The same, of a gap before what has come.

        `within`: so many clients have it that each waits for a time of its own, up to so many seconds. The first of
        these times counts, and what comes meanwhile makes it no nearer.
        """
        if conversation_id in self._spread:
            return
        self.lagging(conversation_id, at + (within and within * self.random()))
        if within:
            self._spread.add(conversation_id)

    @property
    def cursor(self) -> str | None:
        """Behind which the heads are to be that the request under way asks for; None for all of them."""
        return self._cursor if self._round else None

    def request(self, now: float, *, room: bool) -> dict[str, int] | None:
        """What to ask now: conversation → the entry after which to answer. It counts as asked, behind `cursor`."""
        if self._asked is not None or now < self._not_before or not (self._due or self._round):
            return None
        self._due = {each: at for each, at in self._due.items() if _lags(self.conversations[each])}
        self._spread &= self._due.keys()
        wanted = [each for each, at in self._due.items() if at <= now and self._askable(each, room=room)]
        self._spread.difference_update(wanted)
        if not wanted and not self._round:
            return None
        if self._round and room and (self._cursor is None or self._through):
            rest = self.conversations.keys() - wanted - (self._seen if self._through else set())
            recent = [each for each in reversed(self.conversations) if each in rest]
            wanted += sorted(recent, key=self._seen.__contains__)  # the latest first, those seen in this round last
        self._asked = self._named(wanted)
        return self._asked

    def replied(self, page: Page, moved: set[str], now: float, *, room: bool) -> None:
        """A reply was worked in; `moved` are the conversations in which that brought this client farther."""
        named, self._asked = self.asked, None
        self._failures, self.answered = 0, True
        self._turn_page(page, page.answers(named), moved=bool(moved), room=room)
        for each in dict.fromkeys([*(block.id for block in page.blocks), *named]):  # in an order that repeats
            conversation = self.conversations[each]
            fruitless = not moved and conversation.ask_from == named.get(each, -1)
            self._reschedule(conversation, fruitless=fruitless, now=now)

    def failed(self, now: float, retry_after_ms: int | None = None, *, retryable: bool = True) -> None:
        """No answer, or a refusal. Sending goes on meanwhile: it does not depend on this."""
        if not retryable and self.cursor is not None:  # this server, or its next version, does not know the cursor
            self.begin()
            self._outdated = False
        self._asked, self.answered = None, True
        self._not_before = now + self.settings.pause(retry_after_ms, self._failures, self.random)
        self._failures += 1

    def idle(self, *, room: bool) -> bool:
        """Nothing is left to ask, or nothing that there is room for."""
        lags = any(self._askable(each, room=room) and _lags(self.conversations[each]) for each in self._due)
        return self.complete and not self._round and self._asked is None and not lags

    def next_due(self, *, room: bool) -> float | None:
        if self._asked is not None:
            return None
        if self._round:
            return self._not_before
        if not self._due:
            return None
        due = (at for each, at in self._due.items() if self._askable(each, room=room))
        earliest = min(due, default=None)
        return None if earliest is None else max(earliest, self._not_before)

    def _askable(self, each: str, *, room: bool) -> bool:
        return room or self.conversations[each].examine is not None

    def _turn_page(self, page: Page, answered: set[str], *, moved: bool, room: bool) -> None:
        if not self._round or self._outdated:
            self._outdated = False
            return
        farther = moved or bool(answered - self._seen)
        self._seen |= answered
        if page.next_cursor not in (None, self._cursor) and not self._through:
            self._cursor = page.next_cursor
            return
        self._through = self._through or not page.has_more or self._cursor is not None
        unheard = room and any(map(self._is_unheard, self.conversations.values()))
        if not (farther and (page.has_more or unheard)):
            self._round, self.complete = False, True

    def _is_unheard(self, conversation: Conversation) -> bool:
        """Nothing has come of it in this round, and it can be named."""
        named = conversation.ask_from is not None and not conversation.refused
        return named and conversation.id not in self._seen

    def _reschedule(self, conversation: Conversation, *, fruitless: bool, now: float) -> None:
        if not _lags(conversation):
            conversation.fruitless = 0
        elif conversation.id in self._spread:
            return
        elif fruitless:  # to ask for it again at once would not help
            self._due[conversation.id] = now + self.settings.backoff(conversation.fruitless, self.random)
            conversation.fruitless += 1
        else:
            conversation.fruitless = 0
            self._due[conversation.id] = now

    def _named(self, wanted: Iterable[str]) -> dict[str, int]:
        named: dict[str, int] = {}
        text = 0
        for each in wanted:
            conversation = self.conversations[each]
            start = conversation.ask_from
            if start is None or conversation.refused:
                continue
            text += len(each) + _NUMBER_TEXT
            if len(named) == MAX_NAMED or text > _MAX_NAMED_TEXT:
                break
            named[each] = start
        return named


def _lags(conversation: Conversation) -> bool:
    return not conversation.refused and (conversation.behind or conversation.examine is not None)
