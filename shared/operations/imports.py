"""History from elsewhere: conversations and messages with their own times and authors, in the order in which they come.

Nothing of it is told: no event is posted and nothing is pushed, and members who had read all there was have read it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from shared.domain import rules
from shared.domain.changes import MAX_USERS_PER_CHANGE, OWNER, Added
from shared.domain.entries import Draft, Entry, MessageType, author_key, change_entry, displaced
from shared.domain.members import Member, unread
from shared.domain.text import check_user_id, is_group_id, named_group_id, private_members
from shared.errors import BadRequest, NotFound, ParleyError, Unavailable
from shared.operations.bans import CLOCKS_MS
from shared.operations.context import MAX_ATTEMPTS, Context
from shared.operations.heads import tail_of
from shared.ports.stores import Stores

MAX_LINES: Final = 100
# Whose groups these are by name. No user's, however they call theirs: what stands before the first slash is empty.
_IMPORTED: Final = "/import"

Outcome = Literal["imported", "duplicate", "refused", "skipped"]


@dataclass(frozen=True, slots=True)
class GroupLine:
    """A group of at most 48 members, its creator among them. `name_id` is what messages call it."""

    name_id: str
    name: str
    creator: str
    created_at: int
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MessageLine:
    """A message in a conversation or in a group of an import. `message_id` tells it from its repetition."""

    message_id: str
    sender_id: str
    created_at: int
    content: str
    conversation_id: str | None = None
    group: str | None = None
    message_type: MessageType = "text"
    mentions: tuple[str, ...] = ()
    data: str | None = None

    @property
    def place(self) -> str:
        return imported_group_id(self.group) if self.group is not None else self.conversation_id or ""


@dataclass(frozen=True, slots=True)
class LineResult:
    """What came of a line. `error` where it was refused."""

    outcome: Outcome
    conversation_id: str | None = None
    seq: int | None = None
    error: ParleyError | None = None


Line = GroupLine | MessageLine


def imported_group_id(name_id: str) -> str:
    """The id of the group that imports call so."""
    return named_group_id(_IMPORTED, name_id)


def import_lines(lines: Sequence[Line | ParleyError], *, stores: Stores, context: Context) -> Sequence[LineResult]:
    """Import these lines, one after the other. Repeated, what is there already is a duplicate, and nothing doubles.

    All are looked at before the first is written: where one can't be right, nothing is. What turns out as the rest is
    written (another content of the same id, no such group) is refused by itself. Raises Unavailable: repeat it.
    """
    checked = [one if isinstance(one, ParleyError) else _checked(one, context.now()) for one in lines]
    if any(isinstance(one, ParleyError) for one in checked):
        return [
            LineResult("refused", error=one) if isinstance(one, ParleyError) else LineResult("skipped")
            for one in checked
        ]
    importing = _Import(stores, context)
    try:
        return [importing.take(one) for one in checked if not isinstance(one, ParleyError)]
    finally:
        importing.note_read()  # of what is written, also where the rest is not


def _checked(line: Line, now: int) -> Line | ParleyError:
    """The line, or what is wrong with it by itself."""
    try:
        if line.created_at > now + CLOCKS_MS:
            raise BadRequest("`created_at` is in the future")
        if isinstance(line, GroupLine):
            rules.check_name(line.name)
            if len({line.creator, *line.members}) > MAX_USERS_PER_CHANGE:
                raise BadRequest(f"A group is imported with at most {MAX_USERS_PER_CHANGE} members")
            for user in (line.creator, *line.members):
                check_user_id(user)
        else:
            _check_message(line)
    except ParleyError as error:
        return error
    return line


def _check_message(line: MessageLine) -> None:
    if (line.group is None) == (line.conversation_id is None):
        raise BadRequest("A message is in either a `conversation_id` or a `group`")
    check_user_id(line.sender_id)
    members = private_members(line.place)
    if members is None and not is_group_id(line.place):
        raise BadRequest("Messages are imported into private conversations and groups")
    if members is not None:
        _check_private(line, members)
    rules.check_content(line.content)
    rules.check_shows(line.content, None)
    rules.check_weight(_draft(line, nonce=""), None)


def _check_private(line: MessageLine, members: tuple[str, str]) -> None:
    for user in members:
        check_user_id(user)  # what is stored already may be of ids that are none any more
    if line.sender_id not in members:
        raise BadRequest("Only its two members write in a private conversation")
    if not set(line.mentions) <= set(members):
        raise BadRequest("A message in a private conversation mentions its members only")


def _draft(line: MessageLine, *, nonce: str) -> Draft:
    return Draft(
        line.place,
        line.sender_id,
        line.content,
        nonce=nonce,
        message_type=line.message_type,
        client_message_id=line.message_id,
        mentions=line.mentions,
        data=line.data,
    )


@dataclass(slots=True)
class _Import:
    """`heads` are the conversations' as this import knows them, None for no entry.

    `history` is which messages of each are imported ones, now or before: their seqs by their numbers.
    """

    stores: Stores
    context: Context
    heads: dict[str, Entry | None] = field(default_factory=dict)
    history: dict[str, dict[int, int]] = field(default_factory=dict)

    def take(self, line: Line) -> LineResult:
        try:
            return self._group(line) if isinstance(line, GroupLine) else self._message(line)
        except Unavailable:
            raise
        except ParleyError as error:
            return LineResult("refused", error=error)

    def _head(self, place: str) -> Entry | None:
        if place not in self.heads:
            self.heads[place] = tail_of(place, self.stores).entry
        return self.heads[place]

    def _group(self, line: GroupLine) -> LineResult:
        place = imported_group_id(line.name_id)
        users = tuple(dict.fromkeys((line.creator, *line.members)))
        if self._head(place) is not None:
            return LineResult("duplicate", place)
        entry = change_entry(
            Added(users, size=len(users), roles={line.creator: OWNER}, name=line.name),
            base=None,
            conversation_id=place,
            sender_id=line.creator,
            created_at=line.created_at,
            nonce=self.context.new_nonce(),
            fan_out=False,
        )
        there = self.stores.log.put(entry)
        if there is not None and there.nonce != entry.nonce:
            raise Unavailable("This group is being imported by another request: try again")
        self.heads[place] = entry
        return LineResult("imported", place)

    def _message(self, line: MessageLine) -> LineResult:
        place, members = line.place, private_members(line.place)
        draft = _draft(line, nonce=self.context.new_nonce())
        for _ in range(MAX_ATTEMPTS):
            base = self._head(place)
            if base is None and members is None:
                raise NotFound("There is no such group")
            rules.check_weight(draft, base)
            entry = draft.following(base, line.created_at)
            self._note_displaced(base, entry)
            joining = members if base is None and members is not None else ()
            there = self.stores.log.put(entry, new_members=joining, once=True, imported=True)
            if there is None or there.nonce == draft.nonce:
                self.heads[place] = entry if there is None else there
                self._note_history(entry if there is None else there)
                return LineResult("imported", place, entry.seq if there is None else there.seq)
            if draft.is_stored_as(there):
                rules.check_same_message(draft, there)
                if there.created_at == line.created_at:  # else it was sent, and is news
                    self._note_history(there)
                return LineResult("duplicate", place, there.seq)
            self.heads[place] = there  # another was quicker
        raise Unavailable("This conversation is very busy: try again")

    def _note_displaced(self, base: Entry | None, entry: Entry) -> None:
        """Whom the entry has no room for has the number of their last message in their own row, before it is put."""
        leaving: Mapping[str, int] = displaced(base, entry)
        roster = self.stores.memberships.roster(entry.conversation_id) if leaving else None
        for user in roster.seats if roster else ():
            if (number := leaving.get(author_key(user))) is not None:
                self.stores.memberships.note_written(entry.conversation_id, user, number=number)

    def _note_history(self, message: Entry) -> None:
        self.history.setdefault(message.conversation_id, {})[message.number] = message.seq

    def note_read(self) -> None:
        """Who had nothing unread right before what was imported has read that: it is history, and no news.

        What others wrote among it is news: whoever has not seen that has read up to there.
        """
        for place, history in self.history.items():
            runs = _runs(history)
            before = self.stores.log.lookup(place, seqs=[history[first] - 1 for first, _ in runs], consistent=True)
            for member in self._members(place):
                read = [last for first, last in runs if not unread(member, before.entries.get(history[first] - 1))]
                if read and history[read[-1]] > member.read_seq:
                    self.stores.memberships.move_read(member.with_read(history[read[-1]], read[-1]))

    def _members(self, place: str) -> Sequence[Member]:
        users: Sequence[str] | None = private_members(place)
        if users is None:
            roster = self.stores.memberships.roster(place)
            users = tuple(roster.seats) if roster else ()
        return list(self.stores.memberships.among(place, users).values()) if users else []


def _runs(numbers: Collection[int]) -> Sequence[tuple[int, int]]:
    """The first and the last of those without a gap, ascending."""
    firsts = sorted(one for one in numbers if one - 1 not in numbers)
    lasts = sorted(one for one in numbers if one + 1 not in numbers)
    return list(zip(firsts, lasts, strict=True))
