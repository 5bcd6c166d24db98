"""What counts as text, and as an id: of a user, and of a conversation, which says of what kind it is.

What text is rests on ranges of code points that stand here, and on none of the runtime's tables: they know the
characters of one version of Unicode, and would refuse whatever is newer. What is merely unknown is taken. The ranges
are of properties that Unicode doesn't take back (separators, controls, noncharacters, default ignorables), so a newer
runtime gives the same verdict of what is stored already.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache, lru_cache
from hashlib import sha256
from typing import Final

from shared.errors import BadRequest

_CONTROLS: Final = r"\x00-\x1f\x7f-\x9f"
_LINES: Final = r"\u2028\u2029"
_SPACES: Final = r"\x20\xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
_SURROGATES: Final = r"\ud800-\udfff"
_NONCHARACTERS: Final = r"\ufdd0-\ufdef" + "".join(rf"\U{plane:04x}fffe\U{plane:04x}ffff" for plane in range(17))
# Formats: joiners, direction marks, tags, and what is reserved for more of them (Default_Ignorable_Code_Point); marks
# of annotations, music and hieroglyphs that only say how others stand. Arabic's signs of numbers are formats that show.
_FORMATS: Final = (
    r"\xad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb"
    r"\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# What Unicode counts as letters, marks and symbols, and shows nothing either: fillers, braille without a dot, empty
# hieroglyphs, a note without a head, and marks that only choose between looks of another character.
_FILLERS: Final = (
    r"\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    r"\U00013441\U00013442\U00016fe4\U0001d159"
)
_INVISIBLE: Final = _CONTROLS + _LINES + _SPACES + _SURROGATES + _NONCHARACTERS + _FORMATS + _FILLERS

# Most texts are ASCII, where it needs no more than these to tell that something shows.
_INVISIBLE_ASCII: Final = "".join(map(chr, range(0x21))) + "\x7f"

_SHOWS: Final = f"[^{_INVISIBLE}]"
_SHOWS_BESIDE_DOTS: Final = rf"[^.{_INVISIBLE}]"
_NO_LABEL: Final = f"[{_CONTROLS}{_LINES}{_SURROGATES}{_NONCHARACTERS}]"
# Beside what is no label: separators; what ends a part of a path or a string; and what stands for bytes that were none.
_NO_EMOJI: Final = rf"[{_CONTROLS}{_LINES}{_SPACES}{_SURROGATES}{_NONCHARACTERS}/\\\"'\ufffd]"
# Parts of a path that browsers and proxies take for steps, and take away.
STEPS: Final = frozenset({".", ".."})


def id_pattern(characters: str, limit: int) -> str:
    """A pattern of ids that any path can carry: 1 to `limit` of these characters and dots, and neither "." nor "..".

    `characters` are what stands in a class of a regular expression, without the dot. There is no lookahead in it.
    """
    first, rest = f"[{characters}]", f"[.{characters}]"
    three = rf"\.\.{rest}{{1,{limit - 2}}}"
    return rf"(?:{first}{rest}{{0,{limit - 1}}}|\.{first}{rest}{{0,{limit - 2}}}|{three})"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Classes as wide as these take longer to compile than most modules: it waits for the first text that needs it."""
    return re.compile(pattern)


def is_blank(text: str) -> bool:
    """Whether nothing of it shows. The one rule for contents, names, titles and emoji."""
    if text.isascii():
        return not text.strip(_INVISIBLE_ASCII)
    return _compiled(_SHOWS).search(text) is None


def is_label(text: str) -> bool:
    """Whether it can be a name or a title: one line that shows, without controls, noncharacters and half pairs."""
    return not is_blank(text) and _compiled(_NO_LABEL).search(text) is None


def is_emoji(text: str) -> bool:
    """Whether it can be an emoji, also as a part of a path: it shows, and holds no separator, slash or quote."""
    return not is_blank(text) and text not in STEPS and _compiled(_NO_EMOJI).search(text) is None


def is_ignorable(character: str) -> bool:
    """Whether it shows nothing, and stands in no word: joiners, direction marks, soft hyphens, fillers."""
    return _compiled(f"[{_FORMATS}{_FILLERS}]").match(character) is not None


def without_unprintable(text: str) -> str:
    """The same without controls, line breaks, noncharacters and halves of surrogate pairs."""
    return _compiled(_NO_LABEL).sub("", text)


def is_file_name(text: str) -> bool:
    """Whether something of it shows beside dots."""
    return _compiled(_SHOWS_BESIDE_DOTS).search(text) is not None


MAX_USER_ID: Final = 128
MAX_CONVERSATION_ID: Final = 300
# Of what clients give an id to, or are given one for: messages, files.
MAX_CLIENT_ID: Final = 128
MAX_DEVICE_ID: Final = 64
# Of every number: JavaScript's bound, beyond which clients can't count.
MAX_NUMBER: Final = 2**53 - 1
USER_ID_PATTERN: Final = id_pattern("A-Za-z0-9_@-", MAX_USER_ID)
USER_ID_RULE: Final = f"1 to {MAX_USER_ID} of A-Z a-z 0-9 _ . @ -, and neither . nor .."
_USER_ID: Final = re.compile(USER_ID_PATTERN)
# The first edition took "." and ".." for users, too. What was said with them stays readable.
_STORED_USER_ID: Final = re.compile(f"[A-Za-z0-9_.@-]{{1,{MAX_USER_ID}}}")
_PRIVATE: Final = "dm"
_USER_LOG: Final = "user:"
_ABOUT_LOG: Final = "about:"
_RECEIPTS: Final = "receipts:"
_TRANSITIONS: Final = "presence:"
# What is asked of one id several times on a message's way.
_REMEMBERED: Final = 64
_GROUP_ID: Final = re.compile("group:[A-Za-z0-9_-]{16,64}")
_CHANNEL_ID: Final = re.compile("channel:[A-Za-z0-9_-]{16,64}")


def is_user_id(text: str) -> bool:
    """1-128 of `A-Z a-z 0-9 _ . @ -`, without a colon, as private ids are taken apart; neither "." nor ".."."""
    return _USER_ID.fullmatch(text) is not None


def check_user_id(user_id: str) -> None:
    """Raises BadRequest for a malformed id."""
    if not is_user_id(user_id):
        raise BadRequest(f"A user id is {USER_ID_RULE}")


def private_conversation_id(one: str, other: str) -> str:
    """`dm:<a>:<b>`, sorted: both sides name the same. Raises BadRequest for a malformed id, or for oneself."""
    check_user_id(one)
    check_user_id(other)
    if one == other:
        raise BadRequest("A private conversation needs somebody else")
    first, second = sorted((one, other))
    return f"{_PRIVATE}:{first}:{second}"


@lru_cache(maxsize=_REMEMBERED)
def private_members(conversation_id: str) -> tuple[str, str] | None:
    """The two members of a private conversation; None where the id is not a private conversation's own."""
    parts = conversation_id.split(":")
    if len(parts) != 3 or parts[0] != _PRIVATE:  # noqa: PLR2004  # dm, a, b
        return None
    first, second = parts[1], parts[2]
    if not (_STORED_USER_ID.fullmatch(first) and _STORED_USER_ID.fullmatch(second)) or first >= second:
        return None
    return first, second


def other_member(conversation_id: str, user_id: str) -> str | None:
    """Whom a private conversation is with; None for any other conversation."""
    members = private_members(conversation_id)
    if members is None or user_id not in members:
        return None
    return members[0] if members[1] == user_id else members[1]


AT_ALL: Final = "@all"
AT_HERE: Final = "@here"
"""In a group's mentions these stand for everyone in it, and for those of them who are connected."""


def is_mentioned(user_id: str, mentions: Collection[str], *, here: bool = False) -> bool:
    """Whether a message's mentions mean the user, by the id or with everyone; `here`: who is connected."""
    return user_id in mentions or AT_ALL in mentions or (here and AT_HERE in mentions)


def is_group_id(conversation_id: str) -> bool:
    return _GROUP_ID.fullmatch(conversation_id) is not None


def is_channel_id(conversation_id: str) -> bool:
    return _CHANNEL_ID.fullmatch(conversation_id) is not None


def user_log_id(user_id: str) -> str:
    """Where a user's own log stands among the conversations'. No conversation's id, so no request can name it."""
    return f"{_USER_LOG}{user_id}"


def user_of_log(log_id: str) -> str | None:
    """Whose own log this is; None for a conversation."""
    return log_id.removeprefix(_USER_LOG) if log_id.startswith(_USER_LOG) else None


def about_log_id(user_id: str) -> str:
    """Where it stands what the team's backend is told about a user. No conversation's id either."""
    return f"{_ABOUT_LOG}{user_id}"


def told_about(log_id: str) -> str | None:
    """Whom the team's backend is told about there; None for any other log."""
    return log_id.removeprefix(_ABOUT_LOG) if log_id.startswith(_ABOUT_LOG) else None


def receipts_id(kind: str, user_id: str, conversation_id: str) -> str:
    """Where it stands how far a user has read, or got, a conversation, for the team's backend. No conversation's id."""
    return f"{_RECEIPTS}{kind}:{user_id}:{conversation_id}"


def transitions_id(user_id: str) -> str:
    """Where it stands how a user comes and goes, for the team's backend. No conversation's id."""
    return f"{_TRANSITIONS}{user_id}"


def is_told_from(log_id: str) -> bool:
    """Whether it is no conversation's log but one that devices or the team's backend are told from."""
    return log_id.startswith((_USER_LOG, _ABOUT_LOG, _RECEIPTS, _TRANSITIONS))


def is_passing(log_id: str) -> bool:
    """Whether its entries are kept for a while only."""
    return log_id.startswith((_RECEIPTS, _TRANSITIONS))


def is_of_transitions(log_id: str) -> bool:
    return log_id.startswith(_TRANSITIONS)


def has_gaps(log_id: str) -> bool:
    """Whether its places are no numbers but how far something has come: with gaps, and the last counts."""
    return log_id.startswith(_RECEIPTS)


def has_roles(conversation_id: str) -> bool:
    """Whether it is a group or a channel: of a name, with members who have roles and come and go."""
    return is_group_id(conversation_id) or is_channel_id(conversation_id)


def group_id(secret: str) -> str:
    """The id of a new group. `secret` is random, so that ids can't be guessed."""
    return f"group:{secret}"


def channel_id(secret: str) -> str:
    """The id of a new channel. Of an open one it is all that it takes to join."""
    return f"channel:{secret}"


def named_group_id(creator: str, client_conversation_id: str) -> str:
    """The id of a group that its creator's client has named: the same name gives the same group, however often."""
    return group_id(_named(creator, client_conversation_id))


def named_channel_id(creator: str, client_conversation_id: str) -> str:
    """The same for a channel. Who knows both names can tell the id: a closed channel is none to guess by."""
    return channel_id(_named(creator, client_conversation_id))


def _named(creator: str, client_conversation_id: str) -> str:
    return sha256(f"{creator}/{client_conversation_id}".encode()).hexdigest()[:40]
