"""What a conversation is made of: the entries of its log.

A message's weight is the bytes of JSON that it takes wherever it is shown, with all that hangs on it. Characters are no
measure of that: what JSON escapes takes six times as many bytes as it has characters.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, Final, Literal

from shared.domain.changes import KINDS, MESSAGE, Change, Edited, Updated, as_json, changes_roster
from shared.domain.custom import MAX_ATTACHMENTS_BYTES, MAX_DATA_BYTES, NO_DATA, attached_files, in_any_order
from shared.domain.text import has_roles, other_member

# How many recent writers an entry remembers: all of them in any private conversation. Whom a group's entry has no room
# for any more has the number of their last message in their own membership, which is written before that entry is.
AUTHORS_KEPT: Final = 16
# A writer's key has at most this many characters, so that 16 pairs are about 300 bytes, whatever the ids.
_KEY_CHARACTERS: Final = 12
_HASH_MARK: Final = "~"  # occurs in no user id

MessageType = Literal["text", "image", "audio", "video", "file", "system"]
"""A `system` message is written by the team's servers alone."""
SYSTEM: Final[MessageType] = "system"
WITHHELD: Final = "withheld"
"""A place of the log with nothing for the reader."""
NOTHING_SAID: Final = "{}"
"""The `shadow` of a hidden message of which nothing is left."""
Progress = Literal["sent", "delivered", "read"]
"""How far a message has come, on the side of those it was written to."""

# How an entry stands that says nothing: what is hidden, or has ended, keeps its place.
_UNSAID: Final[Mapping[str, Any]] = {
    "content": None,
    "message_type": "text",
    "reply_to": None,
    "mentions": (),
    "file_id": None,
    "data": None,
    "attachments": None,
    "media": None,
    "forwarded": False,
}
# What is hidden, and shown to the sender as it was sent.
_HIDDEN: Final = (*_UNSAID, "created_at")

Reaction = tuple[str, str]
"""An emoji, and the user whose it is."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One place of a conversation's log: what happened as the `seq`-th thing in this conversation.

    A message if `change` is None. Place, sender and ids stay for good; a message's content, `edited_at`, `deleted_at`,
    `pinned_at` and `reactions` follow the changes that stand behind it in the log, and `last_edit` is the latest
    of its edits.

    `media` is what is known of the file that it shows, as JSON: how long, and its waveform.
    `data` and `attachments` are what the sender's team hangs on it, as JSON (see `custom.py`).

    `number` counts the messages up to and including this entry, `message_seq` is the latest of them, and `authors` says
    for the latest writers (by `author_key`) which number their last message had: together they give everyone's unread
    count without any counter to maintain. `nonce` is the attempt that stored the entry, `digest` what it was first
    stored with. `fan_out`: the group is so large that the stream side posts it. `roster_seq`: behind this entry, up to
    this one, nothing has changed of the group's roster (see `rosters.py`); None where that is not known, and in private
    conversations.
    `first_answer`: with this message, both members of a private conversation have written. `waited`: where others wrote
    at the same time, how many milliseconds it took from its request to its put (see `turns.py`), else 0.
    `shadow`: what its sender alone is shown, as JSON (`shadowed`). To all others there is no message here.
    `kept_from`: from when on it counts how long it is kept, where an entry before it has a later time than it (clocks
    differ, and what is imported is old); else None. `is_trimmed`: it has ended (see `retention.py`), and says nothing.
    `keep_days`: how long its conversation keeps it by a rule of its own; None: as its kind has it. `keep_seq`: the
    entry that has set that, or has taken it away; None where there never was one.
    """

    conversation_id: str
    seq: int
    sender_id: str
    created_at: int
    number: int
    content: str | None = None
    change: Change | None = None
    message_type: MessageType = "text"
    client_message_id: str | None = None
    reply_to: int | None = None
    mentions: tuple[str, ...] = ()
    file_id: str | None = None
    data: str | None = None
    attachments: str | None = None
    media: str | None = None
    forwarded: bool = False
    edited_at: int | None = None
    deleted_at: int | None = None
    last_edit: int | None = None
    pinned_at: int | None = None
    reactions: frozenset[Reaction] = frozenset()
    message_seq: int = 0
    authors: Mapping[str, int] = field(default_factory=dict)
    nonce: str = ""
    digest: str = ""
    fan_out: bool = False
    roster_seq: int | None = None
    first_answer: bool = False
    waited: int = 0
    shadow: str | None = None
    kept_from: int | None = None
    keep_days: int | None = None
    keep_seq: int | None = None
    is_trimmed: bool = False

    @property
    def kind(self) -> str:
        return MESSAGE if self.change is None else KINDS[type(self.change)]

    @property
    def is_message(self) -> bool:
        return self.change is None and self.shadow is None and not self.is_trimmed

    @property
    def is_notice(self) -> bool:
        """Whether it says who came, went or got a role, or what the conversation says of itself."""
        return self.change is not None and not self.is_trimmed and changes_roster(self.change)

    @property
    def is_readable(self) -> bool:
        """A message that was not deleted."""
        return self.change is None and self.deleted_at is None

    @property
    def stands_alone(self) -> bool:
        """Whether it changes nothing but the log: so most messages do."""
        return self.change is None and not self.file_ids and not self.first_answer

    @property
    def kept_since(self) -> int:
        """From when on it counts how long it is kept (ms): never before that of the entry before it."""
        return self.created_at if self.kept_from is None else self.kept_from

    @property
    def file_ids(self) -> tuple[str, ...]:
        """The files that a message has: the one that it shows, and those among its attachments."""
        return files_of(self.file_id, self.attachments)

    @property
    def message_id(self) -> str:
        return f"{self.conversation_id}/{self.seq}"

    def seen_by(self, user_id: str) -> Entry:
        """As this user may see it: itself, for all but few."""
        if self.shadow is None or user_id != self.sender_id:
            return self
        return _revealed(self)

    def has_written(self, user_id: str) -> bool:
        """Whether the user is among the writers up to here: exact in private conversations, where none is left out."""
        return author_key(user_id) in self.authors


@dataclass(frozen=True, slots=True)
class Draft:
    """A message before it has a place in the log. `nonce` is fresh for every attempt, `client_message_id` is not.

    `forward_of` is where a forwarded message's content comes from; that counts as what was said, not the content.
    `mentions` are as they were sent: of those that are named twice the first is stored. `original` is the digest of
    what was sent, where the deployment has changed that. `shadow`: its sender alone is to see it.
    """

    conversation_id: str
    sender_id: str
    content: str
    nonce: str
    message_type: MessageType = "text"
    client_message_id: str | None = None
    reply_to: int | None = None
    mentions: tuple[str, ...] = ()
    file_id: str | None = None
    data: str | None = None
    attachments: str | None = None
    media: str | None = None
    forward_of: tuple[str, int] | None = None
    fan_out: bool = False
    original: str = ""
    shadow: bool = False

    def following(self, base: Entry | None, created_at: int, *, waited: int = 0) -> Entry:
        """The entry that this draft becomes right behind `base` (None: as the first of its log)."""
        number = base.number + 1 if base else 1
        seq = base.seq + 1 if base else 1
        entry = Entry(
            conversation_id=self.conversation_id,
            seq=seq,
            sender_id=self.sender_id,
            created_at=created_at,
            number=number,
            content=self.content,
            message_type=self.message_type,
            client_message_id=self.client_message_id,
            reply_to=self.reply_to,
            mentions=self._mentioned,
            file_id=self.file_id,
            data=self.data,
            attachments=self.attachments,
            media=self.media,
            forwarded=self.forward_of is not None,
            message_seq=seq,
            authors=_latest_authors(base.authors if base else {}, self.sender_id, number),
            nonce=self.nonce,
            digest=self.digest,
            fan_out=self.fan_out,
            roster_seq=_roster_seq(base),
            first_answer=base is not None and self._is_first_answer(base),
            waited=waited,
            kept_from=_kept_from(base, created_at),
            keep_days=base.keep_days if base else None,
            keep_seq=base.keep_seq if base else None,
        )
        return shadowed(entry, base) if self.shadow else entry

    def _is_first_answer(self, base: Entry) -> bool:
        other = other_member(self.conversation_id, self.sender_id)
        return other is not None and base.has_written(other) and not base.has_written(self.sender_id)

    def is_too_heavy(self, base: Entry | None) -> bool:
        """Whether it would take more than `MAX_MESSAGE_BYTES` behind `base`."""
        if not _may_be_heavy(self, 0):
            return False
        return message_bytes(self.following(base, base.created_at if base else 0)) > MAX_MESSAGE_BYTES

    def is_stored_as(self, entry: Entry) -> bool:
        """Whether `entry` is this message: this very attempt, or an earlier one of the same client_message_id."""
        if entry.sender_id != self.sender_id or entry.change is not None:
            return False
        if entry.nonce == self.nonce:
            return True
        return self.client_message_id is not None and entry.client_message_id == self.client_message_id

    @property
    def _mentioned(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.mentions))

    @property
    def digest(self) -> str:
        """Tells whether a resend says the same. Survives later edits of the stored entry, unlike its content."""
        return self.original or self._digest(self._mentioned)

    def says(self, digest: str) -> bool:
        """Whether a message of this digest says the same. Once it was made of mentions that were named twice, too."""
        return digest == self.digest or digest == self._digest(self.mentions)

    def _digest(self, mentions: Sequence[str]) -> str:
        kind: str
        said, kind, file_id, attachments = self.content, self.message_type, self.file_id, self.attachments
        if self.forward_of is not None:  # its type, file and attachments are the original's, like its content
            said, kind, file_id, attachments = "\x01{}/{}".format(*self.forward_of), "", None, None
        parts = [said, kind, str(self.reply_to), *mentions]
        if file_id is not None:
            parts.append(f"\x02{file_id}")
        parts += [f"{mark}{in_any_order(text)}" for mark, text in (("\x03", self.data), ("\x04", attachments)) if text]
        return blake2b("\x00".join(parts).encode(), digest_size=8).hexdigest()


def unsaid(entry: Entry, **beside: Any) -> Entry:
    """The place of an entry without what it says. `beside`: what else is then other than it was."""
    return replace(entry, **_UNSAID, **beside)


def shadowed(entry: Entry, base: Entry | None) -> Entry:
    """The entry behind `base` with what it says put away. Its time is that of the entry before it."""
    said = {name: value for name in _HIDDEN if (value := getattr(entry, name))}
    at = base.created_at if base else entry.created_at
    number, message_seq, authors = (base.number, base.message_seq, base.authors) if base else (0, 0, {})
    return unsaid(
        entry,
        created_at=at,
        number=number,
        message_seq=message_seq,
        authors=authors,
        first_answer=False,
        deleted_at=at,
        shadow=as_json(said),
        kept_from=base.kept_from if base else None,
    )


def _revealed(entry: Entry) -> Entry:
    """As its sender sees it: deleted, where nothing is left of it."""
    if entry.shadow == NOTHING_SAID:
        return replace(entry, message_seq=entry.seq, shadow=None)
    said: Mapping[str, Any] = json.loads(entry.shadow or "{}")
    shown: dict[str, Any] = {**said, "mentions": tuple(said.get("mentions", ())), "content": said.get("content", "")}
    return replace(entry, **shown, message_seq=entry.seq, deleted_at=None, shadow=None)


def change_entry(  # noqa: PLR0913  # the parts of an entry
    change: Change,
    *,
    base: Entry | None,
    conversation_id: str,
    sender_id: str,
    created_at: int,
    nonce: str,
    fan_out: bool,
) -> Entry:
    """The entry that records `change` right behind `base` (None: as the first of its log)."""
    seq = base.seq + 1 if base else 1
    keep_days, keep_seq = (base.keep_days, base.keep_seq) if base else (None, None)
    if isinstance(change, Updated) and change.retention_days is not None:
        keep_days, keep_seq = change.retention_days or None, seq
    return Entry(
        conversation_id=conversation_id,
        seq=seq,
        sender_id=sender_id,
        created_at=created_at,
        number=base.number if base else 0,
        change=change,
        message_seq=base.message_seq if base else 0,
        authors=base.authors if base else {},
        nonce=nonce,
        fan_out=fan_out,
        roster_seq=seq if changes_roster(change) and has_roles(conversation_id) else _roster_seq(base),
        kept_from=_kept_from(base, created_at),
        keep_days=keep_days,
        keep_seq=keep_seq,
    )


def unseeing(entry: Entry, begins: Mapping[str, int]) -> dict[str, int]:
    """Who may not see what the entry says, of those who see the log from there on: an edit of an earlier message."""
    change = entry.change
    if not begins or not isinstance(change, Edited):
        return {}
    return {user: since for user, since in begins.items() if change.target < since}


def as_seen_from(entry: Entry, since: int) -> Entry:
    """The entry for who sees the log from `since` on: of an edit of an earlier message nothing that it says."""
    change = entry.change
    if since and isinstance(change, Edited) and change.target < since:
        return replace(entry, change=replace(change, content=None, data=None))
    return entry


def _kept_from(base: Entry | None, created_at: int) -> int | None:
    """That of the entry before, where it is later."""
    return base.kept_since if base is not None and base.kept_since > created_at else None


def _roster_seq(base: Entry | None) -> int | None:
    """What follows `base` goes on from there. Whatever changed before an entry that does not say was before that."""
    if base is None or not has_roles(base.conversation_id):
        return None
    return base.seq if base.roster_seq is None else base.roster_seq


def files_of(file_id: str | None, attachments: str | None) -> tuple[str, ...]:
    """Each file once: the one that is shown first."""
    if attachments is None:
        return () if file_id is None else (file_id,)
    return tuple(
        dict.fromkeys([*([] if file_id is None else [file_id]), *(one for one, _ in attached_files(attachments))])
    )


def author_key(user_id: str) -> str:
    """How entries name a writer: the id where that is short, else a hash of it, which no id can be taken for."""
    if len(user_id) <= _KEY_CHARACTERS or user_id.startswith(_HASH_MARK):
        return user_id
    return _HASH_MARK + urlsafe_b64encode(blake2b(user_id.encode(), digest_size=8).digest()).decode().rstrip("=")


def _latest_authors(known: Mapping[str, int], sender_id: str, number: int) -> dict[str, int]:
    newest_first = sorted({**known, author_key(sender_id): number}.items(), key=lambda pair: -pair[1])
    return dict(newest_first[:AUTHORS_KEPT])


def displaced(base: Entry | None, entry: Entry) -> Mapping[str, int]:
    """The writers whom `entry` has no room for though `base` before it has, with the numbers of their last messages."""
    before = base.authors if base else {}
    return {key: number for key, number in before.items() if key not in entry.authors}


@dataclass(frozen=True, slots=True)
class Receipt:
    """A cursor that moved: `kind` is "read" or "delivered"."""

    kind: str
    conversation_id: str
    user_id: str
    seq: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class ReadAlong:
    """A message, and with it how far its sender has read: one event for both."""

    entry: Entry
    read_seq: int


@dataclass(frozen=True, slots=True)
class Pack:
    """The latest entries of a channel in one event, in order, without a gap among them.

    Where a client lacks what is before the first, it syncs within `sync_within_ms`: not all of them at once.
    """

    conversation_id: str
    entries: tuple[Entry, ...]
    sync_within_ms: int


@dataclass(frozen=True, slots=True)
class Typing:
    """A user writes, or has stopped. Never stored."""

    conversation_id: str
    user_id: str
    active: bool


# A message has to fit into one frame of 32 KB with what stands around it, and a hundred of them into one HTTP answer.
MAX_MESSAGE_BYTES: Final = 24 * 1_024
# What the parts of a message take at most, for a first look that measures nothing.
_FIXED_BYTES: Final = 3_500  # ids of 128 and 260 characters, and of 128 that are all escaped, numbers, names of fields
_CHARACTER_BYTES: Final = 6
_MENTION_BYTES: Final = 131
_REACTION_BYTES: Final = 64 * _CHARACTER_BYTES + _MENTION_BYTES + 8


def text_bytes(text: str) -> int:
    """What a text takes as JSON in UTF-8, quotes included."""
    return len(json.dumps(text, ensure_ascii=False).encode(errors="surrogatepass"))


def is_too_heavy(entry: Entry) -> bool:
    """Whether a message takes more than `MAX_MESSAGE_BYTES`. Most are not even measured."""
    may_be = _may_be_heavy(entry, len(entry.reactions))
    return may_be and message_bytes(entry) > MAX_MESSAGE_BYTES


def message_bytes(entry: Entry) -> int:
    """The bytes of a message as clients get it."""
    numbers = {
        "seq": entry.seq,
        "created_at": entry.created_at,
        "reply_to": entry.reply_to,
        "edited_at": entry.edited_at,
        "deleted_at": entry.deleted_at,
        "pinned_at": entry.pinned_at,
    }
    texts = {
        "id": entry.message_id,
        "conversation_id": entry.conversation_id,
        "sender_id": entry.sender_id,
        "type": entry.message_type,
        "content": entry.content,
        "client_message_id": entry.client_message_id,
        "file_id": entry.file_id,
    }
    sizes = {name: len(str(value)) for name, value in numbers.items() if value is not None}
    sizes |= {name: text_bytes(value) for name, value in texts.items() if value is not None}
    sizes.setdefault("content", len("null"))
    kept = {"data": entry.data, "attachments": entry.attachments, "media": entry.media}
    sizes |= {name: len(text.encode()) for name, text in kept.items() if text is not None and text != NO_DATA}
    if entry.forwarded:
        sizes["forwarded"] = len("true")
    if entry.mentions:
        sizes["mentions"] = 1 + sum(text_bytes(user_id) + 1 for user_id in entry.mentions)
    if entry.reactions:
        sizes["reactions"] = _reactions_bytes(entry)
    return 1 + sum(len(name) + 4 + size for name, size in sizes.items())


def _reactions_bytes(entry: Entry) -> int:
    """Each emoji with a list of its users."""
    emoji = Counter(one for one, _ in entry.reactions)
    users = sum(len(user_id) + 3 for _, user_id in entry.reactions)
    return 1 + sum(text_bytes(one) + 3 for one in emoji) + users


def _may_be_heavy(said: Draft | Entry, reactions: int) -> bool:
    most = _FIXED_BYTES + _CHARACTER_BYTES * len(said.content or "") + _MENTION_BYTES * len(said.mentions)
    kept = (MAX_DATA_BYTES if said.data else 0) + (MAX_ATTACHMENTS_BYTES if said.attachments else 0)
    kept += len(said.media or "")
    return most + kept + _REACTION_BYTES * reactions > MAX_MESSAGE_BYTES
