"""What all operations of one invocation have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from shared.domain.entries import Entry
from shared.domain.members import Audience
from shared.domain.rules import (
    PROTOCOL,
    Bounds,
)
from shared.operations.rosters import Rosters, audience_behind
from shared.ports.conversations import ConversationLog, Memberships
from shared.ports.files import Files

# With 20 writers at once on one log an attempt loses about 20 times; this leaves room for three times that.
MAX_ATTEMPTS: Final = 64


@dataclass(frozen=True, slots=True)
class Writing:
    """What every change needs: where it is written, and how to wait for a free place.

    `now` is milliseconds; `pause(attempt)` waits a jittered while; a nonce is fresh for each change. In groups of more
    than `inline_limit` members the stream side tells everyone. `rosters` is what the function's instance remembers.
    """

    log: ConversationLog
    memberships: Memberships
    files: Files
    now: Callable[[], int]
    pause: Callable[[int], None]
    new_nonce: Callable[[], str]
    inline_limit: int
    bounds: Bounds = PROTOCOL
    rosters: Rosters = field(default_factory=Rosters)

    def audience(
        self, base: Entry | None, conversation_id: str, user_id: str, *, mentions: Sequence[str] = ()
    ) -> Audience:
        """Everyone in the conversation, as of `base` or later. Raises NotAMember where the user is not among them."""
        return audience_behind(
            base,
            conversation_id,
            user_id,
            mentions=mentions,
            memberships=self.memberships,
            rosters=self.rosters,
            now=self.now(),
        )
