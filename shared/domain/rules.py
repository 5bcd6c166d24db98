"""Who is in a conversation, and the rules of the chat, as pure checks. Each raises the error that the client gets."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from shared.clock import SECOND_MS
from shared.domain.changes import (
    MEMBER,
    OWNER,
    ROLES,
    Added,
    Removed,
    Renamed,
    Role,
    RolesChanged,
    Updated,
    changes_roster,
)
from shared.domain.custom import attached_files
from shared.domain.entries import (
    MAX_MESSAGE_BYTES,
    SYSTEM,
    Draft,
    Entry,
    Reaction,
    files_of,
    is_too_heavy,
    message_bytes,
)
from shared.domain.files import KINDS, READY, File
from shared.domain.members import Group, Roster
from shared.domain.permissions import DEFAULT, Matrix
from shared.domain.text import (
    AT_ALL,
    AT_HERE,
    has_roles,
    is_blank,
    is_channel_id,
    is_emoji,
    is_group_id,
    is_label,
    private_members,
)
from shared.errors import BadRequest, Conflict, Forbidden, NotAMember, NotFound, ParleyError, TooLarge

MAX_CONTENT_CHARACTERS: Final = 5_000
MAX_CONTENT_BYTES: Final = 20 * 1024
MAX_MENTIONS: Final = 50
MAX_NAME_CHARACTERS: Final = 100
MAX_EMOJI_BYTES: Final = 64
MAX_SLOW_MODE_S: Final = 21_600
# All reactions of one message together: room for each member of the largest group to put one. They live in its item,
# and are written anew with each change. Where ids are long, the message's weight decides first.
MAX_REACTIONS: Final = 2_000
MAX_REACTIONS_OF_ONE: Final = 12
# Of what one answer lists: messages, conversations, a conversation's entries.
MAX_PAGE: Final = 100
# Of a conversation's own; a deployment's rules for the kinds have the same bound.
MAX_RETENTION_DAYS: Final = 36_500


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a deployment lets one message hold: at most what the protocol does."""

    characters: int = MAX_CONTENT_CHARACTERS
    mentions: int = MAX_MENTIONS


PROTOCOL: Final = Bounds()
READERS_ONLY: Final = "Only owners and admins of the channel can do this"


@dataclass(frozen=True, slots=True)
class Audience:
    """The members with their roles. `group` is None for a private conversation, whose id names its two members.

    Of `unlisted` members of a group it is not known that all their connections are among its attendees. Of a channel
    these are its owners and admins; `readers` are other members, as far as they were looked up. `begins` are the first
    entries that members may see, of those who do not see all of them.
    """

    roles: Mapping[str, Role]
    group: Group | None = None
    unlisted: frozenset[str] = frozenset()
    readers: frozenset[str] = frozenset()
    begins: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, roster: Roster) -> Audience:
        seats = roster.seats.values()
        unlisted = frozenset(seat.user_id for seat in seats if not seat.listed)
        begins = {seat.user_id: seat.visible_from for seat in seats if seat.visible_from}
        return cls({seat.user_id: seat.role for seat in seats}, roster.group, unlisted, begins=begins)

    @classmethod
    def of_one(cls, user_id: str) -> Audience:
        """As if the user were alone: the others were not looked up."""
        return cls({user_id: MEMBER})

    @classmethod
    def of_private(cls, conversation_id: str) -> Audience | None:
        """The two of a private conversation, which its id names; None for any other."""
        private = private_members(conversation_id)
        return None if private is None else cls(dict.fromkeys(private, MEMBER), None, frozenset(private))

    @property
    def members(self) -> tuple[str, ...]:
        return tuple(self.roles)

    def __contains__(self, user_id: object) -> bool:
        return user_id in self.roles

    def __len__(self) -> int:
        return len(self.roles)

    def after(self, entries: Iterable[Entry]) -> Audience:
        """The audience after these entries too: what was read, plus what was met in the log since.

        Entries that the reading already reflects may be among them: the last change of each user counts.
        """
        changes = [
            (entry, change) for entry in entries if (change := entry.change) is not None and changes_roster(change)
        ]
        if not changes:
            return self
        roles, group, unlisted, readers = dict(self.roles), self.group, self.unlisted, self.readers
        begins = dict(self.begins)
        for entry, change in changes:
            match change:
                case Added(users=users, roles=given, hides=hides):
                    begins.update(dict.fromkeys(users, entry.seq) if hides else {})
                    roles.update({user: given.get(user, MEMBER) for user in users})
                    unlisted |= frozenset(users)
                case Removed(users=users):
                    roles = {user: role for user, role in roles.items() if user not in users}
                    unlisted -= frozenset(users)
                    readers -= frozenset(users)
                case RolesChanged(roles=changed) if is_channel_id(entry.conversation_id):
                    roles.update({user: role for user, role in changed.items() if role != MEMBER})
                    plain = frozenset(user for user, role in changed.items() if role == MEMBER)
                    roles = {user: role for user, role in roles.items() if user not in plain}
                    readers = (readers | plain) - roles.keys()
                case RolesChanged(roles=changed):
                    roles.update({user: role for user, role in changed.items() if user in roles})
                case Renamed(name=name) if group is not None:
                    group = replace(group, name=name)
                case Updated(fields=fields) if group is not None:
                    group = replace(group, **fields)
        begins = {user: seq for user, seq in begins.items() if user in roles}
        return Audience(roles, group, unlisted, readers, begins)

    @property
    def hides(self) -> bool:
        """Whether who joins now sees nothing of before."""
        return self.group is not None and self.group.hides

    def sees(self, user_id: str, seq: int) -> bool:
        """Whether this place of the log is not hidden from a member."""
        return seq >= self.begins.get(user_id, 0)

    def refusal(self, user_id: str) -> ParleyError:
        """Why a user without a role can't do what takes one: a channel's reader is a member."""
        return Forbidden(READERS_ONLY) if user_id in self.readers else NotAMember()


def is_told_later(conversation_id: str, audience: Audience, inline_limit: int) -> bool:
    """Whether the stream side tells of what is stored next: with more members than that, and in every channel."""
    return len(audience) > inline_limit or is_channel_id(conversation_id)


def check_possible_member(conversation_id: str, user_id: str) -> None:
    """Whether the user could be in a conversation of this id, without a read. Raises NotAMember."""
    private = private_members(conversation_id)
    if user_id in private if private is not None else has_roles(conversation_id):
        return
    raise NotAMember


def check_content(content: str, bounds: Bounds = PROTOCOL) -> None:
    """Raises TooLarge over 5,000 characters or 20 KB of UTF-8, BadRequest for undecodable text."""
    if len(content) > bounds.characters:
        raise TooLarge(f"The content has more than {bounds.characters:,} characters")
    if len(_encoded(content, "content")) > MAX_CONTENT_BYTES:
        raise TooLarge(f"The content has more than {MAX_CONTENT_BYTES:,} bytes")


def check_shows(content: str, file_id: str | None, attachments: str | None = None) -> None:
    """A file or an attachment needs no words with it, everything else does. Raises BadRequest for blank text."""
    if file_id is None and attachments is None and is_blank(content):
        raise BadRequest("The content is blank")


def check_name(name: str) -> None:
    """A group's name. Raises TooLarge over 100 characters, BadRequest for what is blank or no line of text."""
    if len(name) > MAX_NAME_CHARACTERS:
        raise TooLarge(f"A name has at most {MAX_NAME_CHARACTERS} characters")
    if not is_label(name):
        raise BadRequest("The name is blank, or holds a control character")


def check_emoji(emoji: str, *, is_there: bool = False) -> None:
    """1-64 bytes of something that shows, and that can stand in a path. Raises BadRequest.

    What is taken off (`is_there`) may have been put there when more was taken for an emoji.
    """
    rule = f"An emoji has 1 to {MAX_EMOJI_BYTES} bytes"
    if not 1 <= len(_encoded(emoji, "emoji")) <= MAX_EMOJI_BYTES or not (is_there or is_emoji(emoji)):
        raise BadRequest(rule if is_there else f"{rule}, without blanks, slashes, backslashes and quotes")


def _encoded(text: str, what: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as exc:
        raise BadRequest(f"The {what} holds half a surrogate pair") from exc


def check_file_named(message_type: str, file_id: str | None) -> None:
    """Images, sounds, films and files refer to an uploaded file; texts, a server's too, do not. Raises BadRequest."""
    if message_type not in KINDS and file_id is not None:
        raise BadRequest(f"A {message_type} message has no `file_id`")
    if message_type in KINDS and file_id is None:
        raise BadRequest("An image, audio, video or file needs its `file_id`")


def check_files(draft: Draft, files: Mapping[str, File]) -> None:
    """A message has files of its sender's that are ready, the one it shows of the kind that it says. Raises NotFound.

    An attachment whose `type` is a kind of file has one of this kind.
    """
    attached = attached_files(draft.attachments)
    for file_id in files_of(draft.file_id, draft.attachments):
        file = files.get(file_id)
        if file is None or file.status != READY or file.owner_id != draft.sender_id:
            raise NotFound("There is no such file")
        if file_id == draft.file_id and file.kind != draft.message_type:
            raise NotFound("There is no such file")
        if any(named == file_id and kind in KINDS - {file.kind} for named, kind in attached):
            raise NotFound("There is no such file")


def check_may(permission: str, user_id: str, audience: Audience, matrix: Matrix) -> None:
    """Whether the user's role has this permission. In a private conversation both have what there is. Raises Forbidden.

    Of an audience of one nothing is known: see `Matrix.is_everyones`.
    """
    group = audience.group
    if group is None or audience.roles.get(user_id) in matrix.of(group.conversation_id)[permission]:
        return
    raise Forbidden(matrix.refusal(permission, group.conversation_id))


def check_sending(draft: Draft, audience: Audience, matrix: Matrix) -> None:
    """Whether the sender's role may write, and write this. Of one that is forwarded, look at its content, too.

    Raises Forbidden.
    """
    if audience.group is None:
        return
    check_may("send", draft.sender_id, audience, matrix)
    if draft.forward_of is not None:
        check_may("forward", draft.sender_id, audience, matrix)
    if draft.file_id is not None or draft.attachments is not None:
        check_may("attach", draft.sender_id, audience, matrix)
    check_not_frozen(draft.sender_id, audience, matrix)


def check_not_frozen(user_id: str, audience: Audience, matrix: Matrix) -> None:
    """In a frozen group only some write: its owners and admins, as a rule. Raises Forbidden."""
    group = audience.group
    if group is not None and group.frozen and audience.roles.get(user_id) not in matrix.group["write_frozen"]:
        raise Forbidden(f"This group is frozen. {matrix.refusal('write_frozen', group.conversation_id)}")


def slowed_s(user_id: str, audience: Audience, matrix: Matrix) -> int:
    """How many seconds the user waits from one message to the next: 0 for who need not, and without slow mode."""
    group = audience.group
    if group is None or not group.slow_mode or audience.roles.get(user_id) in matrix.group["skip_slow_mode"]:
        return 0
    return group.slow_mode


def check_mentions(
    mentions: Collection[str],
    audience: Audience,
    bounds: Bounds = PROTOCOL,
    *,
    by: str = "",
    matrix: Matrix = DEFAULT,
) -> None:
    """Only members can be mentioned; a group's all together (`@all`, `@here`) by whom its roles allow it.

    Raises BadRequest, TooLarge for more of them than are allowed, Forbidden.
    """
    if len(mentions) > bounds.mentions:
        raise TooLarge(f"A message mentions at most {bounds.mentions} users")
    group = audience.group
    if group is not None and is_group_id(group.conversation_id) and (AT_ALL in mentions or AT_HERE in mentions):
        if AT_ALL in mentions:
            check_may("mention_all", by, audience, matrix)
        if AT_HERE in mentions:
            check_may("mention_here", by, audience, matrix)
        mentions = [one for one in mentions if one not in {AT_ALL, AT_HERE}]
    if not all(user_id in audience or user_id in audience.readers for user_id in mentions):
        raise BadRequest("A message can mention members of its conversation only")


def check_after(after: int | None, entries: Mapping[int, Entry]) -> None:
    """`after` names an entry, or 0: otherwise a client could tear a hole into the log. Raises BadRequest."""
    if after and after not in entries:
        raise BadRequest("`after` names an entry that this conversation does not have")


def check_reply(reply_to: int | None, entries: Mapping[int, Entry], visible_from: int = 0) -> None:
    """A reply needs a message to reply to that its sender may see; one that was deleted since keeps its replies.

    Raises NotFound.
    """
    if reply_to is None:
        return
    entry = entries.get(reply_to) if reply_to >= visible_from else None
    if entry is None or not entry.is_message:
        raise NotFound("There is no message to reply to at this seq")


def check_same_message(draft: Draft, stored: Entry) -> None:
    """A client_message_id names one message for good. Raises Conflict where the resend says something else."""
    if stored.digest and not draft.says(stored.digest):
        raise Conflict("This client_message_id was used for a different message")


def check_readable(entry: Entry | None) -> Entry:
    """The message, if there is one at this seq that was not deleted. Raises NotFound."""
    if entry is None or not entry.is_readable:
        raise NotFound("There is no message at this seq")
    return entry


def check_editable(entry: Entry, user_id: str, *, is_server: bool = False, window_s: int, now: int) -> None:
    """Only the author edits, within the window (0: without end), and only what is theirs. Raises Forbidden."""
    if entry.message_type == SYSTEM and not is_server:
        raise Forbidden("A system message is edited by the team's servers alone")
    if entry.sender_id != user_id:
        raise Forbidden("Only its author can edit a message")
    if entry.forwarded:
        raise Forbidden("A forwarded message can't be edited: its mark says that the words are another's")
    if window_s and now - entry.created_at > window_s * SECOND_MS:
        raise Forbidden("This message is too old to be edited")


def check_deletable(entry: Entry, user_id: str, audience: Audience, matrix: Matrix) -> None:
    """Authors delete their own messages, owners and admins of a group everyone's, as a rule. Raises Forbidden."""
    if entry.sender_id == user_id:
        check_may("delete_own", user_id, audience, matrix)
    elif audience.group is None:
        raise Forbidden("Only its author can delete a message")
    else:
        check_may("delete_any", user_id, audience, matrix)


def check_group(audience: Audience) -> None:
    """Raises BadRequest for a private conversation, which has neither name nor roles, and always the same members."""
    if audience.group is None:
        raise BadRequest("This is a private conversation, not a group")


def check_moderator(permission: str, user_id: str, audience: Audience, matrix: Matrix) -> None:
    """Of what there is in groups and channels alone. Raises BadRequest for what is none, Forbidden."""
    check_group(audience)
    check_may(permission, user_id, audience, matrix)


def check_removable(user_id: str, by: str, audience: Audience, matrix: Matrix) -> None:
    """Everyone may leave; owners remove anyone, others who may remove plain members alone. Raises Forbidden."""
    if user_id == by:
        return
    check_may("remove_members", by, audience, matrix)
    if audience.roles[by] != OWNER and audience.roles.get(user_id, MEMBER) != MEMBER:
        raise Forbidden("Owners can remove anyone, others plain members alone")


def check_role_change(user_id: str, role: Role, by: str, audience: Audience) -> None:
    """Nobody who may change roles gives one above their own, or takes one that is. Raises Forbidden."""
    mine = ROLES.index(audience.roles[by])  # the highest comes first
    if mine > min(ROLES.index(role), ROLES.index(audience.roles.get(user_id, MEMBER))):
        raise Forbidden("A role above one's own can be neither given nor taken")


def check_owner_remains(roles: Mapping[str, Role], *, has_readers: bool = False) -> None:
    """A group that has members has an owner among them, and so has a channel that is read. Raises Forbidden."""
    if (roles or has_readers) and OWNER not in roles.values():
        raise Forbidden("A group needs an owner: make somebody else one first")


def check_room(size: int, *, limit: int) -> None:
    """Raises Conflict for a group that would have more members than it may."""
    if size > limit:
        raise Conflict(f"A group has at most {limit:,} members")


def check_weight(draft: Draft, base: Entry | None) -> None:
    """Raises TooLarge for a message that takes over 24 KB of JSON behind `base`, with its ids and mentions."""
    if draft.is_too_heavy(base):
        raise TooLarge(_too_heavy())


def check_edited_weight(message: Entry, edited: Entry) -> None:
    """The same for an edit, with the reactions. One that was heavier before may become lighter. Raises TooLarge."""
    if is_too_heavy(edited) and message_bytes(edited) > message_bytes(message):
        raise TooLarge(_too_heavy())


def check_reactions(message: Entry, one: Reaction) -> None:
    """Raises Conflict where a message, or one user at it, has as many reactions as it can, or would be too heavy."""
    if sum(user_id == one[1] for _, user_id in message.reactions) >= MAX_REACTIONS_OF_ONE:
        raise Conflict(f"A user puts at most {MAX_REACTIONS_OF_ONE} emoji to a message")
    if len(message.reactions) >= MAX_REACTIONS:
        raise Conflict(f"A message takes at most {MAX_REACTIONS:,} reactions")
    if is_too_heavy(replace(message, reactions=message.reactions | {one})):
        raise Conflict(f"A message takes at most {MAX_MESSAGE_BYTES:,} bytes of JSON with all its reactions")


def check_reaction_of(owner_id: str, by: str, audience: Audience, matrix: Matrix) -> None:
    """Owners and admins of a group take off anyone's reaction, as a rule, everyone else their own. Raises Forbidden."""
    if owner_id == by:
        return
    if audience.group is None:
        raise Forbidden("In a private conversation everyone takes off their own reactions alone")
    check_may("remove_reactions", by, audience, matrix)


def check_markable(message: Entry, *, now: int) -> None:
    """Raises Conflict for a message that would be too heavy with the mark that it is pinned."""
    if is_too_heavy(replace(message, pinned_at=now)):
        raise Conflict(f"A message takes at most {MAX_MESSAGE_BYTES:,} bytes of JSON with the mark that it is pinned")


def check_data_of(user_id: str, by: str, audience: Audience, matrix: Matrix) -> None:
    """Owners and admins of a group change what hangs on any member, as a rule, everyone else their own.

    Raises Forbidden.
    """
    if user_id == by:
        check_may("change_own_data", by, audience, matrix)
    elif audience.group is None:
        raise Forbidden("In a private conversation everyone changes their own data alone")
    else:
        check_may("change_member_data", by, audience, matrix)


def _too_heavy() -> str:
    return f"The message takes more than {MAX_MESSAGE_BYTES:,} bytes of JSON with all that belongs to it"
