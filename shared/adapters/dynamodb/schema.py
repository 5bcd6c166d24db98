"""The tables: keys, attribute names and the log's items, once.

log       conversation_id, seq      one entry; a stream carries each to the offline push (see below)
          user:U, seq               one entry of U's own log: in the same table, under an id that is no conversation's
          about:U, seq              the same of what the team's backend is told about U
          receipts:K:U:C, seq       U has read (or got, by the kind K) C up to seq: for 30 days, to be told
          presence:U, seq           that U came, or went: likewise
members   pk, sk                    what users have: see below
sessions  user_id                   all live connections of a user, as one map
tickets   ticket                    one-time entry tickets, by hash

In the members table
user#U           conversation#C     U is in C: cursors and preferences. What inbox and sync read; whether C was pushed
                 contact#V          V is a contact of U, or has asked to be, or was asked
                 block#V            U does not want to hear from V
                 profile            what U says about themselves
                 record             what the team's server says of U
                 mail               that U has an address, and when U was mailed last
                 rate               how many messages U may still send
                 invites            how many users U may still put into groups
                 reports            how many reports U may still make
                 watching#X         whose presence U's connection X hears of
                 devices            where U's pushes go, as one map
                 pushed#D#A         up to where device D has had pushes about A, and those taken off, for a while
                 notice#N           something that U was told, until U acknowledges it
                 reminder#R         what U wants to be reminded of
                 asked#C            U wants to come into group C
                 files              how many bytes U's files have together
                 reported#T#R       report R of time T is about U
                 filed#T#R          report R is by U
                 slow#C             when U may write again in C, a group in slow mode
                 held#T#H           message H of time T, which U sent, was held
target#H         target             whose device the push target with this hash is
due#S            T#F                file F is to be looked at from time T on; S is one of sixteen
file#F           file               a file: whose, what, and whether it is ready
                 message#C/S        message S of C has the file
conversation#C   user#U             U is in C, with a role. Who gets C's messages; in a channel, who writes there
                 group              C is a group or a channel: its name and size
members#C#P      place              a member of channel C, in part P of sixteen
turn#C           turn               who may change C next, where many want to
watch#U          X                  connection X hears of U's presence
live#C           X                  connection X is an attendee of the large group C
live#C#P         X                  the same of channel C, in part P of sixteen
asked#C          U                  the same, beside the others who want to
invite#I         invite             a link into a group: until when it is good, for how many, and how many came
invites#C        I                  that link I leads into C
pins#C           S                  message S of C is pinned: by whom, and when
pack#C           pack               up to where channel C is told, and which entry has claimed its next pack
digest#C         digest             who is away is pushed to about large group C, not before a time
mails#P          T#U                U is to be looked at from time T on, for a mail; P is one of four parts
names#L          T<1f>U             U is listed as T, a name from one of its words on, which begins with L
sent#H           sent               the message whose conversation, sender and id have this hash, for 90 days
job#K#U          job                what was asked for of kind K (export, own_export, erasure, removal; keeping, where U
                                    is a conversation) about U, and how far it has come
exports          exports            token bucket of exports that users begin of their own, all users together
hold#U           hold               U, a user or a conversation, is on legal hold, so nothing of theirs is erased
audit#M          T#N                what an administrator did at time T of month M, for as long as is configured
report#R         report             a report: of what, by whom, and what was decided
reports#S        T#R                report R of time T, whose status S is `open` or `decided`
broadcast#B      broadcast          what everybody is told, and how far that is, for 90 days
broadcasts       T#B                broadcast B was begun at time T
                 work               which broadcasts are running or paused
verdict#H        verdict            what was decided about the message (or edit) with this hash, for 90 days
held#H           held               a message that waits to be looked at, and what was decided
holding          T#H                the held message H of time T waits
words            L                  list L of words that are not wanted
shadows          U                  others see nothing of what U writes
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, TypeVar

from shared.adapters.dynamodb.client import TTL, Item, Table
from shared.clock import DAY_MS, SECOND_MS
from shared.domain.changes import KINDS, MESSAGE, Added, Change, Deleted, Happened, OwnChanged, Renamed, Updated
from shared.domain.entries import Entry, author_key
from shared.domain.text import is_channel_id, is_passing

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Tables:
    """The tables' names. A function has those that it may use."""

    members: str
    sessions: str
    log: str = ""
    tickets: str = ""


CONVERSATION_ID: Final = "conversation_id"
SEQ: Final = "seq"
# Of an entry that came with an import: it is neither posted nor pushed.
IMPORTED: Final = "imported"
# When an entry ends (s), once that is settled. Its `ttl` is a day later.
ENDS: Final = "ends"
# Of an entry: which other has set its conversation's own rule for how long it is kept. The stream's filter sees it.
KEEP_SEQ: Final = "keep_seq"
# Of a membership, and of a message's reference to a file: entries of the conversation may be gone.
MAY_END: Final = "may_end"
# Of a membership or a notification: up to where it was pushed to the user's devices, until that is over.
PUSHED_SEQ: Final = "pushed_seq"
# An endpoint that takes nothing is switched off long before.
PASSING_MS: Final = 30 * DAY_MS
PK: Final = "pk"
SK: Final = "sk"
MUTUAL: Final = "mutual"
GROUP: Final = "group"
CONVERSATION_PREFIX: Final = "conversation#"
USER_PREFIX: Final = "user#"
CONTACT_PREFIX: Final = "contact#"
BLOCK_PREFIX: Final = "block#"
NOTICE_PREFIX: Final = "notice#"
PROFILE: Final = "profile"
WATCHING_PREFIX: Final = "watching#"
REMINDER_PREFIX: Final = "reminder#"
REFERENCE_PREFIX: Final = "message#"
REPORTED_PREFIX: Final = "reported#"
FILED_PREFIX: Final = "filed#"
HELD_PREFIX: Final = "held#"
DUE_PREFIX: Final = "due#"
STATUS: Final = "status"
REFERENCES: Final = "references"
# Between an emoji and a user id in a message's set of reactions: in neither can it occur.
SEPARATOR: Final = "\x1f"


def names_of(kind: Any) -> tuple[str, ...]:
    """The names of a dataclass's fields, which its attributes have, too."""
    names: tuple[str, ...] = kind.__match_args__
    return names


def read_as(kind: type[T], item: Item, **others: Any) -> T:
    """What an item says, as a dataclass. A field that it lacks has its default; `others` are not read but given."""
    return kind(**({name: item[name] for name in names_of(kind) if name in item} | others))


def said_by(value: Any) -> Item:
    """What a dataclass says, as attributes: `read_as` the other way round."""
    return {name: getattr(value, name) for name in names_of(type(value))}


def key_pair(key: Item) -> tuple[str, str]:
    """The key of a row, or a row's key, to look it up by."""
    return key[PK], key[SK]


def conversation_key(conversation_id: str) -> str:
    return f"{CONVERSATION_PREFIX}{conversation_id}"


def user_key(user_id: str) -> str:
    return f"{USER_PREFIX}{user_id}"


def seat_key(conversation_id: str, user_id: str) -> Item:
    """Who gets this conversation's messages."""
    return {PK: conversation_key(conversation_id), SK: user_key(user_id)}


def membership_key(conversation_id: str, user_id: str) -> Item:
    """What a user's inbox and sync read; the cursors live here."""
    return {PK: user_key(user_id), SK: conversation_key(conversation_id)}


def group_key(conversation_id: str) -> Item:
    """The group's own item, beside its members."""
    return {PK: conversation_key(conversation_id), SK: GROUP}


def contact_key(user_id: str, other: str) -> Item:
    return {PK: user_key(user_id), SK: f"{CONTACT_PREFIX}{other}"}


def block_key(user_id: str, blocked: str) -> Item:
    return {PK: user_key(user_id), SK: f"{BLOCK_PREFIX}{blocked}"}


def profile_key(user_id: str) -> Item:
    return {PK: user_key(user_id), SK: PROFILE}


def bucket_key(user_id: str, row: str) -> Item:
    """A user's, or where none is named that of all users together."""
    return {PK: user_key(user_id) if user_id else row, SK: row}


def watch_key(watched: str, connection_id: str) -> Item:
    """Who hears of this user's presence."""
    return {PK: f"watch#{watched}", SK: connection_id}


def watching_key(user_id: str, connection_id: str) -> Item:
    """Whose presence this connection hears of."""
    return {PK: user_key(user_id), SK: f"{WATCHING_PREFIX}{connection_id}"}


def attendee_key(conversation_id: str, connection_id: str) -> Item:
    """A connection of a large group's or a channel's member. Not beside the members, so that it is in no roster."""
    if is_channel_id(conversation_id):
        return attending_key(conversation_id, part_of(connection_id), connection_id)
    return {PK: f"live#{conversation_id}", SK: connection_id}


def attending_key(conversation_id: str, part: int, connection_id: str) -> Item:
    """The same in this part of a channel."""
    return {PK: f"live#{conversation_id}#{part:x}", SK: connection_id}


PARTS: Final = 16


def _spread(name: str) -> str:
    """Eight hexadecimal digits that spread names evenly: the first says which part, the rest the place in it."""
    return blake2b(name.encode(), digest_size=4).hexdigest()


def part_of(name: str) -> int:
    """In which of a channel's sixteen parts a user or a connection is."""
    return int(_spread(name)[0], 16)


def place_of(user_id: str) -> str:
    """Where a member stands in the list of their part."""
    return f"{_spread(user_id)[1:]}#{user_id}"


def listing_key(conversation_id: str, part: int, place: str) -> Item:
    """A member of a channel in its list."""
    return {PK: f"members#{conversation_id}#{part:x}", SK: place}


def listed_key(conversation_id: str, user_id: str) -> Item:
    return listing_key(conversation_id, part_of(user_id), place_of(user_id))


def digest_key(conversation_id: str) -> Item:
    """Until when one push about a large group waits for all that is written meanwhile."""
    return {PK: f"digest#{conversation_id}", SK: "digest"}


def request_keys(conversation_id: str, user_id: str) -> tuple[Item, Item]:
    """A request to come into a group: under the group, and under who asks. Not beside the members."""
    under_user = {PK: user_key(user_id), SK: f"asked#{conversation_id}"}
    return {PK: f"asked#{conversation_id}", SK: user_id}, under_user


def invite_key(invite_id: str) -> Item:
    return {PK: f"invite#{invite_id}", SK: "invite"}


def listed_invite_key(conversation_id: str, invite_id: str) -> Item:
    return {PK: f"invites#{conversation_id}", SK: invite_id}


def pin_key(conversation_id: str, seq: int) -> Item:
    """A message that is pinned. Not beside the members, so that it is in no roster."""
    return {PK: f"pins#{conversation_id}", SK: f"{seq:016}"}


def pack_key(conversation_id: str) -> Item:
    """How far a channel's connections have been told, and what comes next."""
    return {PK: f"pack#{conversation_id}", SK: "pack"}


def devices_key(user_id: str) -> Item:
    return {PK: user_key(user_id), SK: "devices"}


def target_key(target_hash: str) -> Item:
    return {PK: f"target#{target_hash}", SK: "target"}


def pushed_key(user_id: str, device_id: str, about: str) -> Item:
    return {PK: user_key(user_id), SK: f"pushed#{device_id}#{about}"}


def notice_key(user_id: str, notification_id: str) -> Item:
    return {PK: user_key(user_id), SK: f"{NOTICE_PREFIX}{notification_id}"}


def turn_key(conversation_id: str) -> Item:
    """Who may go next where many change one conversation. Not beside its members, so that it is in no roster."""
    return {PK: f"turn#{conversation_id}", SK: "turn"}


def file_key(file_id: str) -> Item:
    return {PK: f"file#{file_id}", SK: "file"}


def usage_key(user_id: str) -> Item:
    """How many bytes the user's files have together."""
    return {PK: user_key(user_id), SK: "files"}


def due_key(shard: str, at: int, file_id: str) -> Item:
    """When a file is to be looked at. Sorted by time; the shards are there so that none takes all writes."""
    return {PK: f"{DUE_PREFIX}{shard}", SK: f"{at:016}#{file_id}"}


def file_reference_key(file_id: str, conversation_id: str, seq: int) -> Item:
    """A message that has the file, beside the file."""
    return {PK: f"file#{file_id}", SK: f"{REFERENCE_PREFIX}{conversation_id}/{seq}"}


def sent_key(conversation_id: str, sender_id: str, client_message_id: str) -> Item:
    """The note that this message is stored. A hash, since ids may be long; each has a partition of its own."""
    named = f"{conversation_id}\x00{sender_id}\x00{client_message_id}"
    return {PK: f"sent#{blake2b(named.encode(), digest_size=16).hexdigest()}", SK: "sent"}


def audit_key(month: str, at: int, nonce: str) -> Item:
    """What an administrator did then. Sorted by time; a month (like `2026-11`) has a partition of its own."""
    return {PK: f"audit#{month}", SK: f"{at:016}#{nonce}"}


def report_key(report_id: str) -> Item:
    return {PK: f"report#{report_id}", SK: "report"}


def reports_key(status: str, at: int, report_id: str) -> Item:
    """A report among those of its status, sorted by time."""
    return {PK: f"reports#{status}", SK: f"{at:016}#{report_id}"}


def reported_key(user_id: str, at: int, report_id: str) -> Item:
    """A report among those about a user."""
    return {PK: user_key(user_id), SK: f"{REPORTED_PREFIX}{at:016}#{report_id}"}


def filed_key(user_id: str, at: int, report_id: str) -> Item:
    """A report among those by a user."""
    return {PK: user_key(user_id), SK: f"{FILED_PREFIX}{at:016}#{report_id}"}


def hold_key(user_id: str) -> Item:
    return {PK: f"hold#{user_id}", SK: "hold"}


def job_key(kind: str, user_id: str) -> Item:
    """The latest job of a kind about a user. Not under the user, whose rows an erasure takes away."""
    return {PK: f"job#{kind}#{user_id}", SK: "job"}


def slow_key(conversation_id: str, user_id: str) -> Item:
    """When a member of a group in slow mode may write there again."""
    return {PK: user_key(user_id), SK: f"slow#{conversation_id}"}


def verdict_key(name: str) -> Item:
    return {PK: f"verdict#{name}", SK: "verdict"}


def held_key(held_id: str) -> Item:
    return {PK: f"held#{held_id}", SK: "held"}


def holding_key(at: int, held_id: str) -> Item:
    """A held message among those that wait, sorted by time."""
    return {PK: "holding", SK: f"{at:016}#{held_id}"}


def held_of_key(user_id: str, at: int, held_id: str) -> Item:
    """A held message among those that a user has sent."""
    return {PK: user_key(user_id), SK: f"{HELD_PREFIX}{at:016}#{held_id}"}


def shadow_key(user_id: str) -> Item:
    return {PK: "shadows", SK: user_id}


def words_key(name: str) -> Item:
    return {PK: "words", SK: name}


def webhook_key(webhook_id: str) -> Item:
    return {PK: "webhooks", SK: webhook_id}


def webhook_cursor_key(webhook_id: str, conversation_id: str, part: int | None = None) -> Item:
    """In parts, so that one partition does not take the writes of all conversations."""
    within = part_of(conversation_id) if part is None else part
    return {PK: f"webhook#{webhook_id}#{within:x}", SK: conversation_id}


def record_key(user_id: str) -> Item:
    return {PK: user_key(user_id), SK: "record"}


def mail_key(user_id: str) -> Item:
    return {PK: user_key(user_id), SK: "mail"}


def mail_look_key(part: int, at: int, user_id: str) -> Item:
    """When a user is to be looked at for a mail, sorted by time."""
    return {PK: f"mails#{part:x}", SK: f"{at:016}#{user_id}"}


def term_key(term: str, user_id: str) -> Item:
    """What a name is found by. No control character is in one."""
    return {PK: f"names#{term[:1]}", SK: f"{term}{SEPARATOR}{user_id}"}


def broadcast_key(broadcast_id: str) -> Item:
    return {PK: f"broadcast#{broadcast_id}", SK: "broadcast"}


def broadcast_listing_key(at: int, broadcast_id: str) -> Item:
    """A broadcast in the list of them, sorted by when it was begun."""
    return {PK: "broadcasts", SK: f"{at:016}#{broadcast_id}"}


def broadcasts_at_work_key() -> Item:
    """Beside the list, and behind it."""
    return {PK: "broadcasts", SK: "work"}


def entry_key(conversation_id: str, seq: int) -> Item:
    return {CONVERSATION_ID: conversation_id, SEQ: seq}


def entry_item(entry: Entry) -> Item:
    """Empty fields are left out: names count towards the kilobyte that a write unit buys."""
    message = {
        "type": entry.message_type,
        "content": entry.content,
        "client_message_id": entry.client_message_id,
        "reply_to": entry.reply_to,
        "mentions": list(entry.mentions) or None,
        "file_id": entry.file_id,
        "data": entry.data,
        "attachments": entry.attachments,
        "media": entry.media,
        "forwarded": entry.forwarded or None,
        "digest": entry.digest or None,
        "shadow": entry.shadow,
        **({} if entry.shadow is None else {"deleted_at": entry.deleted_at, "message_seq": entry.message_seq}),
    }
    return {
        **entry_key(entry.conversation_id, entry.seq),
        "kind": entry.kind,
        "sender_id": entry.sender_id,
        "created_at": entry.created_at,
        "number": entry.number,
        "authors": dict(entry.authors),
        "nonce": entry.nonce,
        "fan_out": entry.fan_out or None,
        "roster_seq": entry.roster_seq,
        "first_answer": entry.first_answer or None,
        "waited": entry.waited or None,
        "kept_from": entry.kept_from,
        **(passing(entry.created_at) if is_passing(entry.conversation_id) else {}),
        "keep_days": entry.keep_days,
        KEEP_SEQ: entry.keep_seq,
        **(message if entry.change is None else {"message_seq": entry.message_seq, **_change_attributes(entry.change)}),
    }


def passing(at: int) -> Item:
    """Of what is kept for a while, from then (ms) on."""
    return {TTL: (at + PASSING_MS) // SECOND_MS}


def noted(notes: Sequence[Entry], log: Table) -> list[dict[str, Any]]:
    """The parts of a transaction that note a change in users' own logs: refused where one's place is taken."""
    free = f"attribute_not_exists({SEQ})"
    return [{"Put": log.written(entry_item(note), condition=free)} for note in notes]


def _change_attributes(change: Change) -> Item:
    """They have the names of its fields."""
    said = said_by(change)
    match change:
        case Added(roles=roles, requested=requested, hides=hides):
            said["hides"] = hides or None
            said["roles"] = roles or None
            said["requested"] = requested or None
        case Deleted(more_files=more_files, pinned=pinned):
            said["more_files"] = list(more_files) or None
            said["pinned"] = pinned or None
        case Updated():
            said["roles"] = {}  # a version that knows of names and roles alone reads that none of them has changed
    return said


def entry_from(item: Item) -> Entry:
    change = _change_from(item)
    others: Item = {
        "change": change,
        "message_type": item.get("type", "text"),
        "mentions": tuple(item.get("mentions", ())),
        "reactions": frozenset(tuple(text.split(SEPARATOR, 1)) for text in item.get("reactions", ())),
        "message_seq": item.get("message_seq", item[SEQ]),
        # Entries of the first edition have long ids as they are.
        "authors": {author_key(author): number for author, number in item["authors"].items()},
    }
    if change is not None:
        others |= {"content": None, "file_id": None, "data": None}  # those are of the change
    return read_as(Entry, item, **others)


# Of those that have one kind the last: which of them it is says what it has, below.
_CHANGES: Final[dict[str, type[Any]]] = {kind: change for change, kind in KINDS.items()}


def _change_from(item: Item) -> Change | None:
    kind = item["kind"]
    if kind == MESSAGE:
        return None
    if kind not in _CHANGES:
        raise ValueError(f"unknown kind of entry {kind!r}")
    listed = {name: tuple(item[name]) for name in ("users", "more_files") if name in item}
    read: type[Any] = _CHANGES[kind]
    if kind == KINDS[Updated] and ("said" in item or "name" in item):
        read = Updated if "said" in item else Renamed
    if kind == KINDS[OwnChanged] and "topic" in item:
        read = Happened
    change: Change = read_as(read, item, **listed)
    return change
