"""The logs of all conversations on their way to the application: live events and syncs become one ordered stream."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from parley_client.catchup import Block, Catchup, as_page
from parley_client.conversation import Conversation, adds
from parley_client.errors import ParleyError
from parley_client.events import Entry, Frame
from parley_client.inbox import Inbox
from parley_client.settings import Settings


class Watcher(Protocol):
    """Who looks for its own messages among the entries: the outbox's side."""

    @property
    def user_id(self) -> str | None:
        """Whose messages these are, once that is known."""
        ...

    def saw(self, entry: Entry) -> None:
        """The entry is in the log. It may come more than once, and in any order."""
        ...

    def examined(self, conversation_id: str, upto: int) -> None:
        """Every entry up to this one was shown to `saw`, as `Stream.examine` asked; 0 where that was not possible."""
        ...


@dataclass(slots=True)
class Stream:
    """Where a conversation starts depends on when it is first heard of.

    One that the first round of all finds starts at its head (`history="new"`), or at what came live before, if that
    is lower. One that appears later starts at its beginning: all of it is new. A group begins for a user with the entry
    that made them a member; where that is not known, what came of the group waits for a round that says it. When an
    entry removes the own user the group is over, and it goes on the same way once they are a member again.
    """

    settings: Settings
    random: Callable[[], float]
    watcher: Watcher
    broken: ParleyError | None = None
    inbox: Inbox = field(init=False)
    catchup: Catchup = field(init=False)

    def __post_init__(self) -> None:
        self.inbox = Inbox(self.settings, lambda: self.watcher.user_id)
        self.catchup = Catchup(self.inbox.conversations, self.settings, self.random)

    def held(self, conversation_id: str | None) -> int | None:
        """The last entry passed on; None for a conversation that is not known, or not decided about."""
        conversation = self.inbox.conversations.get(conversation_id or "")
        return conversation.held if conversation else None

    def shown(self, conversation_id: str) -> int:
        """The last entry that the application has taken; 0 for a conversation that is not known."""
        conversation = self.inbox.conversations.get(conversation_id)
        return conversation.taken if conversation else 0

    def is_over(self, conversation_id: str | None) -> bool:
        """Whether the own user is out of it. A receipt may come all the same, and is not passed on."""
        conversation = self.inbox.conversations.get(conversation_id or "")
        return conversation is not None and conversation.refused

    def conversation(self, conversation_id: str) -> Conversation:
        from_start = self.catchup.complete or self.settings.history == "all"
        return self.inbox.conversation(conversation_id, from_start=from_start)

    def entry(self, entry: Entry, now: float, *, within: float = 0.0) -> None:
        """An entry as it is written, of others or our own. What is missing before it is asked for a little later.

        `within` (seconds): it came in a pack, and so many clients lack what is before it that they are to spread out.
        """
        conversation = self.conversation(entry.conversation_id)
        was_over = conversation.refused
        self._accept(conversation, entry)
        if not was_over:
            self._release(conversation)
        if conversation.homeless and entry.seq > (conversation.held or 0):
            self.catchup.begin()
        elif conversation.behind:
            self.catchup.lacking(conversation.id, now + self.settings.gap_delay, within)

    def heard_of(self, conversation_id: str, seq: int, now: float, *, within: float = 0.0) -> None:
        """An entry exists, and is not here. `within` (seconds): it is about to come, as a rule."""
        conversation = self.conversation(conversation_id)
        conversation.heard_of(seq)
        if conversation.homeless:
            self.catchup.begin()
        else:
            self.catchup.lacking(conversation_id, now + (within and within * self.random()))

    def compare(self) -> None:
        """Something may have been written that is not here."""
        self.catchup.begin()

    def latest(self) -> str | None:
        """The conversation in which something happened last, of those that go on."""
        recent = reversed(self.inbox.conversations.values())
        return next((each.id for each in recent if not each.refused and each.held is not None), None)

    def examine(self, conversation_id: str, after: int, now: float) -> None:
        """Show the watcher everything behind `after` once more, history or not."""
        conversation = self.conversation(conversation_id)
        conversation.examine = after
        if conversation.refused and conversation.homeless:
            self.catchup.begin()  # the server takes the own user for a member: since when?
        else:
            conversation.refused = False
            self.catchup.lagging(conversation_id, now)

    def request(self, now: float) -> dict[str, int] | None:
        """What to ask for by `sync` now, if anything."""
        return self.catchup.request(now, room=self.inbox.room)

    def synced(self, data: Frame, now: float) -> None:
        page, asked = as_page(data), self.catchup.asked
        moved = {block.id for block in page.blocks if self._work_in(block, asked.get(block.id))}
        for conversation_id in page.refused:
            self._refused(conversation_id, asked.get(conversation_id))
        self.catchup.replied(page, moved, now, room=self.inbox.room)
        if self.catchup.complete:
            self._place_rest(now)

    def sync_failed(self, error: ParleyError, now: float) -> None:
        self.catchup.failed(now, error.retry_after_ms, retryable=error.retryable)

    def taken(self, now: float) -> bool:
        """The application took an event. Returns whether that made room, and what was left on the server is due."""
        if not self.inbox.reopened():
            return False
        for conversation in self.inbox.conversations.values():
            if conversation.behind:
                self.catchup.lagging(conversation.id, now)
        return True

    def connection_lost(self) -> None:
        self.catchup.connection_lost()
        for conversation in self.inbox.conversations.values():
            conversation.examine = None

    def caught_up(self) -> bool:
        return self.catchup.idle(room=self.inbox.room)

    def next_due(self) -> float | None:
        return self.catchup.next_due(room=self.inbox.room)

    def _accept(self, conversation: Conversation, entry: Entry) -> None:
        self.watcher.saw(entry)
        if entry.seq > (conversation.held or 0):
            begins = entry.seq == 1 and conversation.held is None
            if conversation.homeless and (begins or adds(entry, self.watcher.user_id)):
                conversation.rejoin(entry.seq)
            conversation.refused = conversation.refused and conversation.homeless
        self.inbox.accept(conversation, entry)

    def _work_in(self, block: Block, asked: int | None) -> bool:
        """Returns whether this client got farther in this conversation."""
        conversation = self.conversation(block.id)
        if conversation.refused and 0 < block.joined_seq <= conversation.ended:
            return False  # said before the removal that has come meanwhile
        conversation.heard_of(block.head)
        if asked is not None and block.head < asked:
            self.broken = ParleyError(
                "log_lost", f"{block.id} ends at {block.head} on the server, but {asked} was there: it was reset"
            )
        before = (conversation.held, conversation.examine)
        self._admit(conversation, block)
        examined = self._examined(conversation, block, asked)
        for entry in block.entries:
            self._accept(conversation, entry)
        if conversation.refused and block.joined_seq > conversation.ended:  # removed and added again, in this block
            conversation.rejoin(block.joined_seq)
            self.inbox.drain(conversation)
        moved = before != (conversation.held, conversation.examine)
        if examined is not None and not block.has_more and examined >= block.head:
            conversation.examine = None
            self.watcher.examined(conversation.id, examined)
        self._release(conversation)
        return moved

    def _admit(self, conversation: Conversation, block: Block) -> None:
        """The own user is a member: the conversation starts, or goes on after a time without them."""
        joined, held = block.joined_seq, conversation.held
        withheld = bool(block.entries) and held is not None and held + 1 < joined <= block.entries[0].seq
        if held is None:
            from_start = self.catchup.complete or self.settings.history == "all"
            self.inbox.place(conversation, max(0, joined - 1) if from_start else block.head, joined_seq=joined)
        elif conversation.refused or withheld:
            conversation.rejoin(joined)
            self.inbox.drain(conversation)

    def _examined(self, conversation: Conversation, block: Block, asked: int | None) -> int | None:
        """How far the search for own messages is, with what this block has; None where it is not about one."""
        upto = asked if asked is not None and asked == conversation.examine else None
        if upto is None:
            return None
        for entry in block.entries:
            if entry.seq in (upto + 1, block.joined_seq):  # what is before the own joining is none of ours
                upto = max(upto, entry.seq)
        conversation.examine = upto
        return upto

    def _refused(self, conversation_id: str, asked: int | None) -> None:
        conversation = self.inbox.conversations.get(conversation_id)
        if conversation is None or conversation.refused:
            return
        if asked is not None and asked != conversation.ask_from:
            self.catchup.begin()  # more has come since it was asked: the refusal may be older than that
            return
        self.inbox.lost(conversation)
        self.inbox.drain(conversation)
        self._release(conversation)
        if not conversation.refused:
            self.catchup.begin()

    def _release(self, conversation: Conversation) -> None:
        """There is nothing to look through any more where the own user is no member."""
        if conversation.refused and conversation.examine is not None:
            conversation.examine = None
            self.watcher.examined(conversation.id, 0)

    def _place_rest(self, now: float) -> None:
        """What the first round did not mention has come into being since: nothing of it is history.

        A group that no round since has mentioned is not the own user's: what came of it is let go.
        """
        for conversation in self.inbox.conversations.values():
            if conversation.homeless:
                if self.catchup.compared:
                    conversation.drop_early()
                    self._release(conversation)
            elif conversation.held is None:
                conversation.place(0)
                self.inbox.drain(conversation)
                self.catchup.lagging(conversation.id, now)
