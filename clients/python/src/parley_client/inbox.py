"""What waits for the application: entries in the order of their conversation, and everything ephemeral.

The queue is bounded, and nothing durable is lost by that: an entry that finds no room is left on the server, its
conversation lags, and is synced on from where it stopped once the application has taken half of what waits. So a slow
application never holds up the acks that come over the same connection.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from parley_client.conversation import Conversation
from parley_client.events import Entry, Event, LogEntry, Message
from parley_client.settings import Settings


@dataclass(slots=True)
class Inbox:
    """`conversations` is ordered by activity, the latest last."""

    settings: Settings
    conversations: dict[str, Conversation] = field(default_factory=dict)
    room: bool = True
    dropped: int = 0  # ephemeral events that found no room
    _events: deque[Event] = field(default_factory=deque)

    def conversation(self, conversation_id: str, *, from_start: bool) -> Conversation:
        """The conversation, known or new. A new one starts at its beginning, or where a sync will show it to."""
        conversation = self.conversations.get(conversation_id)
        if conversation is None:
            conversation = self.conversations[conversation_id] = Conversation(conversation_id)
            if from_start:
                conversation.place(0)
        return conversation

    def place(self, conversation: Conversation, head: int) -> None:
        """Start at the head, or right before what was heard on this connection, whichever is lower."""
        first = conversation.first_heard
        conversation.place(head if first is None else min(head, first - 1))
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
        while self.room and (entry := conversation.next_entry()) is not None:
            if not self.settings.receive:
                conversation.taken = entry.seq
            self._append(entry)
        if not self.room:
            conversation.drop_early()

    def emit(self, event: Event) -> None:
        """An ephemeral event: without room it is dropped, the next of its kind says the same or more."""
        if len(self._events) < self.settings.max_events:
            self._append(event)
        else:
            self.dropped += 1

    def take(self) -> Event | None:
        """The next event. From here on the application is responsible for it."""
        if not self._events:
            return None
        event = self._events.popleft()
        if isinstance(event, Message | LogEntry):
            self.conversations[event.conversation_id].taken = event.seq
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
