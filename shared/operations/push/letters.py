"""What a mail digest says: how much is unread where and from whom; text of messages only where previews are on."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import quote

from shared.domain.contacts import Profile
from shared.domain.entries import Entry
from shared.domain.mails import UNSUBSCRIBE, Letter, MailSettings, MailStanding, Missed, Said, unsubscribe_token
from shared.domain.members import Group
from shared.domain.pushes import PushContextKey
from shared.domain.text import has_roles, other_member
from shared.ports.stores import PushStores

# Conversations that a letter shows, messages of each, and characters of one. Of the rest it says how many.
_SHOWN: Final = 10
_LATEST: Final = 3
_CHARACTERS: Final = 200
_KINDS: Final[Mapping[str, str]] = {
    "image": "a picture",
    "audio": "a voice message",
    "video": "a video",
    "file": "a file",
}
_TURNING: Final = "\u202a\u202b\u202d\u202e\u2066\u2067\u2068"
_OTHER: Final = "a message"
_STYLE: Final = "font-family:sans-serif;max-width:36em;margin:auto;color:#222"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Unread:
    """A conversation's messages that a user has not read, the latest first. `is_cut`: there are more of them."""

    conversation_id: str
    entries: Sequence[Entry]
    is_cut: bool


def letter_of(
    standing: MailStanding, found: Sequence[Unread], secret: str, settings: MailSettings, *, stores: PushStores
) -> Letter:
    """One read for the names of who has written, and of groups."""
    user_id = standing.user.user_id
    shown = found[:_SHOWN]
    asked = {
        PushContextKey(user_id, one.conversation_id, entry.sender_id)
        for one in shown
        for entry in one.entries[:_LATEST]
    }
    around = stores.push_contexts.of(asked)
    missed = [_missed(one, standing, around.profiles, around.groups) for one in shown]
    count = sum(len(one.entries) for one in found)
    is_more = any(one.is_cut for one in found)
    link = f"{settings.http_url}{UNSUBSCRIBE}?token={unsubscribe_token(user_id, secret)}"
    others = len(found) - len(shown)
    return Letter(
        user_id=user_id,
        to=standing.user.email or "",
        subject=_subject(count, missed, is_more=is_more, others=others),
        text=_plain(missed, others, link, settings.link),
        html=_html(missed, others, link, settings.link),
        unsubscribe_url=link,
    )


def _missed(
    one: Unread, standing: MailStanding, profiles: Mapping[str, Profile], groups: Mapping[str, Group]
) -> Missed:
    def name_of(user_id: str) -> str:
        return _line(profiles.get(user_id, Profile()).display_name or user_id)

    latest = [
        Said(name_of(entry.sender_id), _said(entry, previews=standing.profile.previews))
        for entry in reversed(one.entries[:_LATEST])
    ]
    if has_roles(one.conversation_id):
        group = groups.get(one.conversation_id)
        name = _line(group.name if group else "") or "a group"
    else:
        name = name_of(other_member(one.conversation_id, standing.user.user_id) or "")
    return Missed(one.conversation_id, name, len(one.entries), one.is_cut, latest)


def _said(entry: Entry, *, previews: bool) -> str:
    text = _line(entry.content or "") if previews else ""
    if not text:
        return _KINDS.get(entry.message_type, _OTHER)
    return text if len(text) <= _CHARACTERS else text[:_CHARACTERS].rstrip() + "…"


def _line(text: str) -> str:
    """On one line, without controls and what turns the direction of what follows."""
    kept = (" " if one.isspace() else one for one in text if one.isspace() or not _is_control(one))
    return " ".join("".join(kept).split())


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} or character in _TURNING


def _counted(count: int, *, is_more: bool) -> str:
    return f"{count}{'+' if is_more else ''} unread message{'' if count == 1 and not is_more else 's'}"


def _subject(count: int, missed: Sequence[Missed], *, is_more: bool, others: int) -> str:
    whole = _counted(count, is_more=is_more)
    if len(missed) == 1 and not others:
        place = "in" if has_roles(missed[0].conversation_id) else "from"
        return f"{whole} {place} {missed[0].name}"
    return f"{whole} in {len(missed) + others} conversations"


def _heading(one: Missed) -> str:
    return f"{one.name}: {_counted(one.count, is_more=one.is_more)}"


def _link(conversation_id: str, template: str) -> str:
    return template.replace("{conversation_id}", quote(conversation_id, safe=""))


def _more(others: int) -> str:
    return f"And {others} more conversation{'' if others == 1 else 's'}." if others else ""


def _plain(missed: Sequence[Missed], others: int, unsubscribe: str, template: str) -> str:
    parts: list[str] = []
    for one in missed:
        lines = [_heading(one), *(f"  {said.author}: {said.text}" for said in one.latest)]
        if template:
            lines.append(f"  {_link(one.conversation_id, template)}")
        parts.append("\n".join(lines))
    if others:
        parts.append(_more(others))
    parts.append(f"No more of these mails: {unsubscribe}")
    return "\n\n".join(parts) + "\n"


def _html(missed: Sequence[Missed], others: int, unsubscribe: str, template: str) -> str:
    parts = []
    for one in missed:
        heading = escape(_heading(one))
        if template:
            heading = f'<a href="{escape(_link(one.conversation_id, template))}">{heading}</a>'
        said = "".join(f"<li><b>{escape(each.author)}</b>: {escape(each.text)}</li>" for each in one.latest)
        parts.append(f'<h3 dir="auto">{heading}</h3><ul dir="auto">{said}</ul>')
    more = f"<p>{_more(others)}</p>" if others else ""
    end = f'<p><small><a href="{escape(unsubscribe)}">No more of these mails</a></small></p>'
    body = f'<body style="{_STYLE}">{"".join(parts)}{more}{end}</body>'
    return f'<!DOCTYPE html><html><head><meta charset="utf-8"></head>{body}</html>'
