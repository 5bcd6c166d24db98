"""Whole tables, page by page, for what has to be complete: exports and erasures. What a row says of a user is here.

A user's id is looked for wherever it stands by itself: in keys and their parts, in ids of conversations, in attributes
that hold an id, a list or a map of ids. Texts that people wrote are not searched: that a word is also an id means
nothing. So rows of kinds that this module does not know are found as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from shared.adapters.dynamodb.client import TTL, USER_ID, Calls, Item, Refused, Table, from_item, to_item
from shared.adapters.dynamodb.conversation_log import seen
from shared.adapters.dynamodb.schema import (
    BLOCK_PREFIX,
    CONTACT_PREFIX,
    CONVERSATION_ID,
    CONVERSATION_PREFIX,
    ENDS,
    FILED_PREFIX,
    HELD_PREFIX,
    NOTICE_PREFIX,
    PK,
    PROFILE,
    REMINDER_PREFIX,
    REPORTED_PREFIX,
    SEPARATOR,
    SEQ,
    SK,
    STATUS,
    Tables,
    entry_from,
    file_key,
    shadow_key,
    user_key,
    verdict_key,
)
from shared.domain.changes import Updated
from shared.domain.entries import NOTHING_SAID, Entry, author_key
from shared.domain.files import DELETED
from shared.domain.jobs import Row
from shared.domain.screening import named
from shared.domain.text import (
    about_log_id,
    has_roles,
    is_told_from,
    private_members,
    receipts_id,
    told_about,
    transitions_id,
    user_log_id,
    user_of_log,
)
from shared.ports.jobs import BLOCK, CONTACT, LOG, MEMBERS, SESSIONS, Found, Listed, Page, TableName

if TYPE_CHECKING:
    from shared.domain.retention import Trimming

_KEYS: Final[Mapping[TableName, tuple[str, ...]]] = {
    MEMBERS: (PK, SK),
    LOG: (CONVERSATION_ID, SEQ),
    SESSIONS: (USER_ID,),
}
# What separates ids from what stands beside them, in keys and in reactions.
_SEPARATORS: Final = re.compile(r"[#:/\x1f]")
# What people or their servers wrote, and what is one of a few words of ours.
_NO_IDS: Final = frozenset(
    {
        *("content", "data", "attachments", "media", "title", "body", "name", "display_name", "avatar_url", "reason"),
        *("alias", "listed_as", "email", "kind", "type", "status", "role", "platform", "method", "route"),
        *("notify", "join"),
    }
)
# What the beginning of a sort key is called in an export, beside those of no interest to anybody.
_CALLED: Final[Mapping[str, str]] = {
    "record": "record",
    "mail": "mail",
    PROFILE: "profile",
    CONTACT_PREFIX: "contact",
    BLOCK_PREFIX: "block",
    CONVERSATION_PREFIX: "membership",
    NOTICE_PREFIX: "notification",
    REMINDER_PREFIX: "reminder",
    "devices": "devices",
    "files": "usage",
}
# What the rest of the key is in a line.
_NAMED_BY: Final[Mapping[str, str]] = {
    "contact": "user_id",
    "block": "user_id",
    "notification": "notification_id",
    "reminder": "reminder_id",
    "other": "row",
}
_FILE: Final = "file#"
_SHADOWS: Final = shadow_key("")[PK]
_OWN_LOG: Final = "own_log"
# Where these stand with what they say is another line.
_ELSEWHERE: Final = (FILED_PREFIX, HELD_PREFIX)
# Whom others have reported is told nothing of it.
_NO_DATA: Final = ("rate", "invites", "reports", "slow#", "watching#", "pushed#", REPORTED_PREFIX, *_ELSEWHERE)


class DynamoDbWalks:
    """Walks on all tables but that of the tickets, which are worth nothing after half a minute."""

    def __init__(self, calls: Calls, tables: Tables, *, trimming: Trimming | None = None) -> None:
        """`trimming`: how long entries are kept; None: for good."""
        self._calls = calls
        self._trimming = trimming
        self._tables: Mapping[TableName, Table] = {
            MEMBERS: Table(calls, tables.members),
            LOG: Table(calls, tables.log),
            SESSIONS: Table(calls, tables.sessions),
        }

    def page(self, table: TableName, user_id: str, *, after: Row | None) -> Page:
        start = {} if after is None else {"ExclusiveStartKey": to_item(after)}
        answer = self._calls.call("Scan", {"TableName": self._tables[table].name, "ConsistentRead": True, **start})
        rows = list(map(from_item, answer["Items"]))
        found = [_found(table, row, user_id, self._trimming) for row in rows if _names(row, user_id)]
        last = answer.get("LastEvaluatedKey")
        return Page(found, len(rows), None if last is None else from_item(last))

    def drop(self, found: Found) -> None:
        self._tables[found.table].delete(dict(found.key))

    def empty_message(self, found: Found) -> None:
        entry = found.entry
        if entry is not None and entry.client_message_id is not None:
            name = named(entry.conversation_id, entry.sender_id, entry.client_message_id)
            self._tables[MEMBERS].delete(verdict_key(name))
        hidden = entry is not None and entry.shadow is not None
        change, values = ("SET shadow = :nothing ", {":nothing": NOTHING_SAID}) if hidden else ("", {})
        self._change(found, f"{change}REMOVE client_message_id", values, condition="attribute_exists(deleted_at)")

    def empty_ended(self, found: Found) -> bool:
        gone = "REMOVE #content, #data, attachments, media, mentions, client_message_id, digest, reactions, said"
        there = " OR ".join(f"attribute_exists({name})" for name in ("#content", "said", "client_message_id"))
        changed = self._tables[LOG].update(dict(found.key), gone, {}, condition=there)
        return not isinstance(changed, Refused)

    def drop_mention(self, found: Found, user_id: str) -> None:
        mentioned = list(found.entry.mentions) if found.entry else []
        rest, unchanged = [user for user in mentioned if user != user_id], "mentions = :was"
        if rest:
            self._change(found, "SET mentions = :rest", {":rest": rest, ":was": mentioned}, condition=unchanged)
        else:
            self._change(found, "REMOVE mentions", {":was": mentioned}, condition=unchanged)

    def empty_description(self, found: Found, said: str) -> None:
        change = found.entry.change if found.entry else None
        if isinstance(change, Updated):
            self._change(found, "SET said = :said", {":said": said, ":was": change.said}, condition="said = :was")

    def empty_file(self, found: Found) -> None:
        values = {":deleted": DELETED, ":nothing": ""}
        change = f"SET #{STATUS} = :deleted, #name = :nothing, owner_id = :nothing REMOVE waveform, counted"
        self._change(found, change, values)

    def empty_session(self, found: Found) -> None:
        self._change(found, "REMOVE connections, large_groups, channels, last_seen, shown, #hidden", {})

    def _change(self, found: Found, change: str, values: Item, *, condition: str = "") -> None:
        """Nothing where the row is gone, or does not meet the condition (any more)."""
        there = f"attribute_exists({_KEYS[found.table][0]})"
        whole = f"{there} AND {condition}" if condition else there
        self._tables[found.table].update(dict(found.key), change, values, condition=whole)


def _found(table: TableName, row: Item, user_id: str, trimming: Trimming | None) -> Found:
    key = {name: row[name] for name in _KEYS[table]}
    if table == LOG:
        return _in_log(key, row, user_id, trimming)
    if table == SESSIONS:
        said = {name: value for name, value in row.items() if name != USER_ID}
        return Found(table, key, is_theirs=row[USER_ID] == user_id, line={"type": "session", **said})
    place = str(row[PK])
    if place.startswith(_FILE) and row[SK] == file_key("")[SK] and row.get("owner_id") == user_id:
        return Found(table, key, file_id=place.removeprefix(_FILE))
    line = line_of(row) if place == user_key(user_id) else _line_elsewhere(place, row, user_id)
    where, listing = place.partition("#")[0], _listing(row, user_id)
    return Found(table, key, is_theirs=is_theirs(row, user_id), line=line, where=where, listing=listing)


def _listing(row: Row, user_id: str) -> tuple[Listed, str] | None:
    """As what another user has this one in a list of theirs."""
    owner = str(row[PK]).removeprefix(user_key(""))
    if user_key(owner) != row[PK] or owner == user_id:
        return None
    prefixes: tuple[tuple[Listed, str], ...] = ((CONTACT, CONTACT_PREFIX), (BLOCK, BLOCK_PREFIX))
    return next(((listed, owner) for listed, prefix in prefixes if row[SK] == f"{prefix}{user_id}"), None)


def _in_log(key: Item, row: Item, user_id: str, trimming: Trimming | None) -> Found:
    """A user's own log is theirs alone, and goes as a whole; those of others have no gap.

    What has ended and would go by itself some day, may go now.
    """
    owner = user_of_log(str(row[CONVERSATION_ID]))
    if owner == user_id:
        said: Item = {name: row[name] for name in (SEQ, "created_at", "what", "value") if name in row}
        return Found(LOG, key, is_theirs=True, line={**said, "type": "own_change"})
    place = str(row[CONVERSATION_ID])
    about = told_about(place)
    if about == user_id or _is_passing_of(place, user_id):  # no line: it has what others report, too
        return Found(LOG, key, is_theirs=True)
    entry = _entry(row)
    if entry is not None:
        entry = seen(entry, row.get(ENDS), trimming)
    of = place if has_roles(place) or private_members(place) is not None else ""
    if entry is not None and entry.is_trimmed and ENDS in row:
        return Found(LOG, key, is_theirs=True, place=of)
    return Found(LOG, key, entry=entry, where=_OWN_LOG if is_told_from(place) else "", place=of)


def _is_passing_of(place: str, user_id: str) -> bool:
    """Of their receipts, or of how they come and go."""
    receipts = tuple(receipts_id(kind, user_id, "") for kind in ("read", "delivered"))
    return place == transitions_id(user_id) or place.startswith(receipts)


def _entry(row: Item) -> Entry | None:
    """None for an entry of a kind that this version does not know."""
    try:
        return entry_from(row)
    except (ValueError, KeyError, TypeError):
        return None


def _names(row: Item, user_id: str) -> bool:
    """Whether the user's id stands anywhere in the row but in what people wrote."""
    wanted = {user_id, author_key(user_id)}
    for name, value in row.items():
        if name == SK and value in wanted and row.get(PK) == _SHADOWS:  # the key is the id
            return True
        if name == "value" and isinstance(value, str):  # of a user's own log: JSON
            found = list(_ids(_parsed(value)))
        elif name == "said" and isinstance(value, str):  # beside what people wrote: on which members something hangs
            found = _members_of(_parsed(value))
        elif name in {PK, SK}:
            found = _parts(value)
        elif name in _NO_IDS:
            continue
        else:
            found = list(_ids(value))
        if not wanted.isdisjoint(found):
            return True
    return False


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _members_of(said: Any) -> list[str]:
    members = said.get("members") if isinstance(said, Mapping) else None
    return list(members) if isinstance(members, Mapping) else []


def _parts(text: str) -> list[str]:
    """What stands behind the word that says what it is."""
    return _SEPARATORS.split(text)[1:]


def _ids(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        yield from _parts(value)
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield name
            yield from _ids(one)
    elif isinstance(value, list | tuple | frozenset):
        for one in value:
            yield from _ids(one)


def is_theirs(row: Row, user_id: str) -> bool:
    """Whether a row of the members table is there for this user alone, or for others to find them by."""
    place, name = str(row[PK]), str(row[SK])
    if place in {user_key(user_id), f"watch#{user_id}"}:
        return True
    # The last two are rows of webhooks: how far these logs are told, which begin anew.
    own = {f"{CONTACT_PREFIX}{user_id}", f"{BLOCK_PREFIX}{user_id}", user_log_id(user_id), about_log_id(user_id)}
    if name in {user_key(user_id), *own} or _is_passing_of(name, user_id):
        return True
    if place.startswith(("live#", "members#", "target#", "asked#", "mails#")):
        return row.get(USER_ID) == user_id
    if place.startswith("held#"):
        return row.get("sender_id") == user_id
    if place.startswith("report#"):
        return user_id in {row.get(USER_ID), row.get("reporter")}
    return place.startswith("names#") and name.endswith(f"{SEPARATOR}{user_id}")


def _line_elsewhere(place: str, row: Row, user_id: str) -> dict[str, Any] | None:
    """What an export says of a row that is not under its user."""
    is_held = place.startswith(HELD_PREFIX) and row.get("sender_id") == user_id
    if not is_held and not (place.startswith("report#") and row.get("reporter") == user_id):
        return None
    from shared.domain.exports import held_line, report_line  # noqa: PLC0415  # few walks come by such a row

    return held_line(row) if is_held else report_line(row)


def line_of(row: Row) -> dict[str, Any] | None:
    """A row under its user as an export has it: the attributes as they are stored, without keys and secrets."""
    name = str(row[SK])
    if name.startswith(_NO_DATA):
        return None
    start = next((one for one in _CALLED if name.startswith(one)), "")
    kind, rest = _CALLED.get(start, "other"), name.removeprefix(start)
    said = {attribute: value for attribute, value in row.items() if attribute not in {PK, SK, TTL}}
    if kind == "devices":
        return {"type": kind, "devices": [{"device_id": one, **_plain(said)} for one, said in row["devices"].items()]}
    if kind == "mail":  # who has the secret may unsubscribe
        said = {name: value for name, value in said.items() if name not in {"secret", "nonce"}}
    named = _NAMED_BY.get(kind)
    return {"type": kind, **({} if named is None else {named: rest}), **said}


def _plain(device: Mapping[str, Any]) -> dict[str, Any]:
    """A device without what pushes are sent by."""
    return {name: value for name, value in device.items() if name != "token"}
