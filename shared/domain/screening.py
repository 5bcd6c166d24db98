"""What a deployment decides about a message before it is stored, and messages that wait for somebody to look."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Final, Literal, NamedTuple

from shared.domain.changes import as_json
from shared.domain.custom import NO_DATA
from shared.domain.entries import Draft

Ruling = Literal["allow", "rewrite", "reject", "hold"]
ALLOW: Final = "allow"
REWRITE: Final = "rewrite"
REJECT: Final = "reject"
KEEP: Final = "hold"

MAX_CODE_CHARACTERS: Final = 64
MAX_TEXT_CHARACTERS: Final = 500
# The reasons that Parley gives by itself.
BY_WORDS: Final = "blocked_words"
BY_REVIEW: Final = "review"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`content` and `data` (JSON, `null` for none) are of a rewritten message; None leaves them as they are.

    `code` and `text` are what the sender of a rejected one is told.
    """

    ruling: Ruling
    content: str | None = None
    data: str | None = None
    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Ruled:
    """What stands of a message's verdict: of which words (`digest`) it is, and the verdict, or until when it is due."""

    digest: str
    verdict: Verdict | None
    until: int = 0


HeldDecision = Literal["approve", "reject"]
APPROVE: Final = "approve"


@dataclass(frozen=True, slots=True)
class Review:
    """What was decided about a held message, by whom, when, and why."""

    decision: HeldDecision
    by: str
    at: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A message that waits for a decision. `draft` is it as JSON, `digest` what its resends are compared with.

    `base_seq` is the last entry of the log when it came. `seq` is its place once it was approved, and stored.
    """

    held_id: str
    conversation_id: str
    sender_id: str
    at: int
    draft: str
    digest: str
    base_seq: int = 0
    client_message_id: str | None = None
    review: Review | None = None
    seq: int | None = None

    @property
    def place(self) -> HeldPosition:
        return HeldPosition(self.at, self.held_id)

    @property
    def message(self) -> Draft:
        """As it is to be stored. Its nonce is the held message's id: however often it is put, it is one."""
        fields = json.loads(self.draft)
        for name in ("mentions", "forward_of"):
            fields[name] = None if fields.get(name) is None else tuple(fields[name])
        fields["mentions"] = fields["mentions"] or ()
        return Draft(**fields, nonce=self.held_id, original=self.digest)


class HeldPosition(NamedTuple):
    """A place in the list of held messages, which goes from the oldest to the newest."""

    at: int
    held_id: str = ""


_KEPT: Final = (
    *("conversation_id", "sender_id", "content", "message_type", "client_message_id", "reply_to"),
    *("mentions", "file_id", "data", "attachments", "media", "forward_of", "shadow"),
)


def held_message(draft: Draft, *, at: int, base_seq: int) -> Held:
    """A message as it is kept. The same one again has the same id."""
    kept: dict[str, Any] = {name: value for name in _KEPT if (value := getattr(draft, name)) is not None}
    return Held(
        held_id=named(draft.conversation_id, draft.sender_id, draft.client_message_id or f"\x00{draft.nonce}"),
        conversation_id=draft.conversation_id,
        sender_id=draft.sender_id,
        at=at,
        draft=as_json(kept),
        digest=draft.digest,
        base_seq=base_seq,
        client_message_id=draft.client_message_id,
    )


def named(conversation_id: str, user_id: str, what: str) -> str:
    """The id of what a user says there once: a message by its client_message_id, an edit by what it edits."""
    return blake2b(f"{conversation_id}\x00{user_id}\x00{what}".encode(), digest_size=16).hexdigest()


def rewritten(draft: Draft, verdict: Verdict) -> Draft:
    """The draft as a verdict wants it. Its digest stays that of what was sent."""
    content = draft.content if verdict.content is None else verdict.content
    data = draft.data
    if verdict.data is not None:
        data = None if verdict.data == NO_DATA else verdict.data
    return replace(draft, content=content, data=data, original=draft.digest)
