"""The logs of all conversations on their way to the application: live events and syncs become one ordered stream."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from parley_client.catchup import Block, Catchup, as_page
from parley_client.conversation import Conversation
from parley_client.errors import ParleyError
from parley_client.events import Entry, Frame, MembershipLost
from parley_client.inbox import Inbox
from parley_client.settings import Settings


class Watcher(Protocol):
    """Who looks for its own messages among the entries: the outbox's side."""

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
    is lower. One that appears later starts at its beginning: all of it is new.
    """

    settings: Settings
    random: Callable[[], float]
    watcher: Watcher
    broken: ParleyError | None = None
    inbox: Inbox = field(init=False)
    catchup: Catchup = field(init=False)

    def __post_init__(self) -> None:
        self.inbox = Inbox(self.settings)
        self.catchup = Catchup(self.inbox.conversations, self.settings, self.random)

    def held(self, conversation_id: str | None) -> int | None:
        """The last entry passed on; None for a conversation that is not known, or not decided about."""
        conversation = self.inbox.conversations.get(conversation_id or "")
        return conversation.held if conversation else None

    def conversation(self, conversation_id: str) -> Conversation:
        from_start = self.catchup.complete or self.settings.history == "all"
        return self.inbox.conversation(conversation_id, from_start=from_start)

    def entry(self, entry: Entry, now: float) -> None:
        """An entry as it is written, of others or our own. What is missing before it is asked for a little later."""
        conversation = self.conversation(entry.conversation_id)
        conversation.refused = False
        self.watcher.saw(entry)
        self.inbox.accept(conversation, entry)
        if conversation.behind:
            self.catchup.lagging(conversation.id, now + self.settings.gap_delay)

    def heard_of(self, conversation_id: str, seq: int, now: float) -> None:
        """An entry exists, and is not here."""
        self.conversation(conversation_id).heard_of(seq)
        self.catchup.lagging(conversation_id, now)

    def examine(self, conversation_id: str, after: int, now: float) -> None:
        """Show the watcher everything behind `after` once more, history or not."""
        conversation = self.conversation(conversation_id)
        conversation.refused = False
        conversation.examine = after
        self.catchup.lagging(conversation_id, now)

    def request(self, now: float) -> dict[str, int] | None:
        """What to ask for by `sync` now, if anything."""
        return self.catchup.request(now, room=self.inbox.room)

    def synced(self, data: Frame, now: float) -> None:
        page, asked = as_page(data), self.catchup.asked
        moved = {block.id for block in page.blocks if self._work_in(block, asked.get(block.id))}
        for conversation_id in page.refused:
            self._refused(conversation_id)
        self.catchup.replied(page, moved, now)
        if self.catchup.complete:
            self._place_rest(now)

    def sync_failed(self, error: ParleyError, now: float) -> None:
        self.catchup.failed(now, error.retry_after_ms)

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

    def _work_in(self, block: Block, asked: int | None) -> bool:
        """Returns whether this client got farther in this conversation."""
        conversation = self.conversation(block.id)
        conversation.refused = False
        conversation.heard_of(block.head)
        if conversation.held is None:
            self.inbox.place(conversation, block.head)
        if asked is not None and block.head < asked:
            self.broken = ParleyError(
                "log_lost", f"{block.id} ends at {block.head} on the server, but {asked} was there: it was reset"
            )
        before = (conversation.held, conversation.examine)
        examined = asked if asked is not None and asked == conversation.examine else None
        for entry in block.entries:
            self.watcher.saw(entry)
            self.inbox.accept(conversation, entry)
            if examined is not None and entry.seq == examined + 1:
                conversation.examine = examined = entry.seq
        moved = before != (conversation.held, conversation.examine)
        if examined is not None and not block.has_more and examined >= block.head:
            conversation.examine = None
            self.watcher.examined(conversation.id, examined)
        return moved

    def _refused(self, conversation_id: str) -> None:
        conversation = self.inbox.conversations.get(conversation_id)
        if conversation is not None and not conversation.refused:
            conversation.refused, conversation.examine = True, None
            self.watcher.examined(conversation_id, 0)
            self.inbox.emit(MembershipLost(conversation_id))

    def _place_rest(self, now: float) -> None:
        """What the first round did not mention has come into being since: nothing of it is history."""
        for conversation in self.inbox.conversations.values():
            if conversation.held is None:
                conversation.place(0)
                self.inbox.drain(conversation)
                self.catchup.lagging(conversation.id, now)
