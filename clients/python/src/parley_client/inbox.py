"""What waits for the application: entries in the order of their conversation, and everything ephemeral.

The queue is bounded, and nothing durable is lost by that: an entry that finds no room is left on the server, its
conversation lags, and is synced on from where it stopped once the application has taken half of what waits. So a slow
application never holds up the acks that come over the same connection.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from parley_client.conversation import Conversation, is_group, removes
from parley_client.events import Entry, Event, MembershipLost
from parley_client.revision import Revision
from parley_client.settings import Settings


@dataclass(slots=True)
class Inbox:
    """`conversations` is ordered by activity, the latest last. `me` says who the own user is, once that is known."""

    settings: Settings
    me: Callable[[], str | None]
    conversations: dict[str, Conversation] = field(default_factory=dict)
    room: bool = True
    dropped: int = 0  # ephemeral events that found no room
    revision: Revision = field(default_factory=Revision)
    _events: deque[Event] = field(default_factory=deque)

    def conversation(self, conversation_id: str, *, from_start: bool) -> Conversation:
        """The conversation, known or new. A new one starts at its beginning, or where a sync will show it to.

        A group never starts before that: its beginning may be long before the own user came.
        """
        conversation = self.conversations.get(conversation_id)
        if conversation is None:
            conversation = self.conversations[conversation_id] = Conversation(conversation_id, self.revision)
            if from_start and not is_group(conversation_id):
                conversation.place(0)
        return conversation

    def place(self, conversation: Conversation, start: int, *, joined_seq: int) -> None:
        """Start there, or right before what was heard on this connection, if that is lower; never before joining."""
        first = conversation.first_heard
        conversation.place(max(joined_seq - 1, start if first is None else min(start, first - 1)))
        self.drain(conversation)

    def accept(self, conversation: Conversation, entry: Entry) -> None:
        """Pass the entry on when its turn comes; at once, if that is now."""
        self.conversations[conversation.id] = self.conversations.pop(conversation.id)
        if not self.room:
            conversation.heard_of(entry.seq)
            return
        conversation.offer(entry)
        self.drain(conversation)

    def drain(self, conversation: Conversation) -> None:
        """Pass on what is next. An entry that removes the own user is the last, unless they were added again."""
        while self.room and not conversation.refused and (entry := conversation.next_entry()) is not None:
            if not self.settings.receive:
                conversation.took(entry, self.me())
            self._append(entry)
            if removes(entry, self.me()):
                conversation.end(entry.seq)
                self.lost(conversation)
        if not self.room:
            conversation.drop_early()

    def lost(self, conversation: Conversation) -> None:
        """Say that the membership is over, room or not, and once."""
        conversation.refused = True
        if not conversation.told:
            conversation.told = True
            if not self.settings.receive:
                conversation.learned_end()
            self._append(MembershipLost(conversation.id))
        again = conversation.added_again(self.me())
        if again is not None:
            conversation.rejoin(again)

    def emit(self, event: Event) -> None:
        """An ephemeral event: without room it is dropped, the next of its kind says the same or more."""
        if not self.offer(event):
            self.dropped += 1

    def offer(self, event: Event) -> bool:
        """Any event that can be had again. Returns whether there was room for it."""
        there = len(self._events) < self.settings.max_events
        if there:
            self._append(event)
        return there

    def take(self) -> Event | None:
        """The next event. From here on the application is responsible for it."""
        if not self._events:
            return None
        event = self._events.popleft()
        if isinstance(event, Entry):
            self.conversations[event.conversation_id].took(event, self.me())
        elif isinstance(event, MembershipLost):
            self.conversations[event.conversation_id].learned_end()
        return event

    def reopened(self) -> bool:
        """Whether there is room again, after there was none. True once."""
        if self.room or len(self._events) > self.settings.max_events // 2:
            return False
        self.room = True
        return True

    def __len__(self) -> int:
        return len(self._events)

    def _append(self, event: Event) -> None:
        if not self.settings.receive:
            return
        self._events.append(event)
        if len(self._events) >= self.settings.max_events:
            self.room = False
