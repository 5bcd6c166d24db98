"""Conversations and their members over HTTP: what is sent, what is answered, and the inbox's cursor."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import BaseModel, Field

from shared.domain.changes import ALL, CLOSED, INVITE, ChannelJoin, JoinPolicy, Role
from shared.domain.channels import PARTS
from shared.domain.inbox import InboxPosition, Snapshot
from shared.domain.members import Group, Notify, Preferences
from shared.domain.rules import MAX_NAME_CHARACTERS, MAX_RETENTION_DAYS, MAX_SLOW_MODE_S
from shared.domain.text import is_channel_id
from shared.operations.channels import Joined, Members, Position
from shared.operations.conversations import Created, Inbox, Summary
from shared.operations.descriptions import UpdateMember
from shared.operations.groups import CreatedGroup, Listed, ListedMembers
from shared.wire.common import decode_cursor, encode_cursor, invalid_cursor
from shared.wire.events import message_body
from shared.wire.rest.common import (
    ClientId,
    Data,
    Described,
    GroupSettings,
    Milliseconds,
    Name,
    Part,
    UserId,
    at_least_one_of,
    config,
    left_out,
)

if TYPE_CHECKING:
    from shared.wire.shapes import conversations as shapes

MAX_USERS: Final = 100
MAX_FIRST_MEMBERS: Final = 1_000
_INBOX: Final = "inbox"


class NewPrivateConversation(BaseModel):
    """A conversation of two."""

    model_config = config({"type": "private", "with": "bob"})

    type: Literal["private"]
    with_: UserId = Field(alias="with")


class NewGroup(GroupSettings):
    """A group with its first members. With `client_conversation_id` the request can be repeated safely."""

    model_config = config(
        {"type": "group", "name": "Team", "members": ["bob", "carol"], "client_conversation_id": "6f0c2d"}
    )

    type: Literal["group"]
    name: Name
    members: Annotated[list[UserId], Field(max_length=MAX_FIRST_MEMBERS)] = []  # noqa: RUF012  # a model copies it
    client_conversation_id: ClientId | None = left_out()


class NewChannel(Described):
    """A channel, of its founder alone at first. With `client_conversation_id` the request can be repeated safely."""

    model_config = config({"type": "channel", "name": "News", "join": "open", "client_conversation_id": "9c1e77"})

    type: Literal["channel"]
    name: Name
    join: ChannelJoin = CLOSED
    client_conversation_id: ClientId | None = left_out()


NewConversation = Annotated[NewPrivateConversation | NewGroup | NewChannel, Field(discriminator="type")]


class ConversationChange(Part, GroupSettings):
    """What a group or channel is called from now on, and says of itself; of a private conversation `data` alone.

    And how many days it keeps its messages; of a private conversation for administrators. What is left out stays as it
    is, null takes it away.
    """

    model_config = config(
        {"name": "Team A"},
        {"topic": "Release on Friday", "avatar": "https://example.com/team.png", "data": {"project": 7}},
        {"topic": None},
        {"join": "request", "history": "from_joining"},
        {"slow_mode": 30, "frozen": False},
        {"retention_days": 30},
        **at_least_one_of(
            "name", "topic", "avatar", "data", "join", "history", "slow_mode", "frozen", "retention_days"
        ),
    )

    name: str = left_out(minLength=1, maxLength=MAX_NAME_CHARACTERS)
    slow_mode: Annotated[int, Field(ge=0, le=MAX_SLOW_MODE_S)] | None = left_out()
    frozen: bool | None = left_out()
    retention_days: Annotated[int, Field(ge=1, le=MAX_RETENTION_DAYS)] | None = left_out()

    def changes(self) -> dict[str, Any]:
        """The fields that were named."""
        given = self.model_fields_set
        named: dict[str, Any] = {"name": self.name} if "name" in given else {}
        if "slow_mode" in given:
            named["slow_mode"] = self.slow_mode or 0
        if "frozen" in given:
            named["frozen"] = bool(self.frozen)
        if "retention_days" in given:
            named["retention_days"] = self.retention_days
        return {**named, **self.description()}


class NewMembers(BaseModel):
    """Users to add to a group. Who is in it already is left out."""

    model_config = config({"users": ["carol", "dave"]})

    users: Annotated[list[UserId], Field(min_length=1, max_length=MAX_USERS)]


class MemberChange(Part):
    """A member's new role, or what the team hangs on the member. What is left out stays as it is."""

    model_config = config({"role": "admin"}, {"data": {"shift": "late"}}, **at_least_one_of("role", "data"))

    role: Role = left_out()
    data: Data | None = left_out()

    def command(self, conversation_id: str, user_id: str, by: str) -> UpdateMember:
        has_data = "data" in self.model_fields_set
        return UpdateMember(conversation_id, user_id, by, self.role, self.data, has_data)


class SettingsChange(Part):
    """How the caller wants a conversation shown and announced. What is left out stays as it is."""

    model_config = config(
        {"muted_until": 1795431200123, "notify": "mentions"},
        {"pinned": True},
        {"muted_until": None},
        **at_least_one_of("muted_until", "notify", "pinned", "archived"),
    )

    muted_until: Milliseconds | None = left_out()
    notify: Notify = left_out()
    pinned: bool = left_out()
    archived: bool = left_out()


def created_body(created: Created) -> shapes.PrivateConversation:
    return {"id": created.conversation_id, "type": "private", "members": list(created.members)}


def group_body(group: CreatedGroup, user_id: str, *, name: str, head: int) -> shapes.GroupConversation:
    """`name` is what was asked for: a group that is there already may be called something else by now."""
    known = group.audience.group
    return {
        "id": group.conversation_id,
        "type": "group",
        "name": known.name if known else name,
        **_description(known),
        "join": policy_of(known) or INVITE,
        "history": known.history if known else ALL,
        "members": sorted(group.audience.members),
        "role": group.audience.roles[user_id],
        "head": head,
    }


def channel_body(joined: Joined) -> shapes.Channel:
    """A channel, or a group, as who has joined it sees it."""
    return {
        "id": joined.conversation_id,
        "type": "channel" if is_channel_id(joined.conversation_id) else "group",
        "name": joined.name,
        "join": joined.join,
        "role": joined.role,
        "head": joined.head,
    }


def summary_body(summary: Summary) -> shapes.Conversation:
    """One conversation of the inbox. A private one has no name: clients show the other member."""
    members, group, member = summary.members, summary.group, summary.member
    is_channel = is_channel_id(summary.conversation_id)
    size = summary.size if is_channel else group.size if group else 0
    body: shapes.Conversation = {
        "id": summary.conversation_id,
        "type": "channel" if is_channel else "group" if members is None else "private",
        "name": group.name if group else None,
        **_description(group, member.about),
        "join": policy_of(group),
        "history": group.history if group else ALL,
        "head": summary.head.seq if summary.head else 0,
        "last_message": message_body(summary.last_message) if summary.last_message else None,
        "unread": summary.unread,
        "read_seq": member.read_seq,
        "delivered_seq": member.has_got,
        "joined_seq": member.joined_seq,
        "visible_from": member.visible_from,
        "trimmed_below": summary.trimmed_below,
        "members": None if members is None else list(members),
        "member_count": size if members is None else len(members),
        "role": summary.role,
        "slow_mode": (summary.group.slow_mode or 0) if summary.group else 0,
        "frozen": bool(summary.group and summary.group.frozen),
        "retention_days": summary.retention_days,
        **preferences_body(member.preferences),
    }
    if not summary.trimmed_below:
        del body["trimmed_below"]
    return body


def one_body(summary: Summary, permissions: list[str]) -> dict[str, Any]:
    """One conversation that was asked for by its id, with what its member may do there."""
    return {**summary_body(summary), "permissions": permissions}


def users_in(summaries: Sequence[Summary]) -> set[str]:
    """Whom these conversations show: the two of a private one, and who wrote last."""
    members = {user for one in summaries for user in one.members or ()}
    return members | {one.last_message.sender_id for one in summaries if one.last_message}


def _description(group: Group | None, about: str | None = None) -> shapes.Description:
    """What a group or channel says of itself; `about` is what hangs on a private conversation."""
    data = group.data if group else about
    return {
        "topic": group.topic if group else None,
        "avatar": group.avatar if group else None,
        "data": json.loads(data) if data else None,
    }


def policy_of(group: Group | None) -> JoinPolicy | None:
    """Who may come by themselves. None for a private conversation."""
    if group is None:
        return None
    return group.join or (CLOSED if is_channel_id(group.conversation_id) else INVITE)


def preferences_body(preferences: Preferences) -> shapes.Settings:
    return {
        "muted_until": preferences.muted_until,
        "notify": preferences.notify,
        "pinned": preferences.pinned,
        "archived": preferences.archived,
    }


def inbox_body(user_id: str, page: Inbox) -> shapes.Inbox:
    """A page of this user's inbox, with the cursor of the next one."""
    return {
        "conversations": [summary_body(one) for one in page.conversations],
        "next_cursor": None if page.next is None else encode_inbox_cursor(user_id, page.next),
    }


def members_body(user_id: str, conversation_id: str, listed: ListedMembers) -> shapes.Members:
    """Everyone, or a page of them with the cursor of the next one."""
    body: shapes.Members = {"members": [_member(one) for one in listed.members]}
    if listed.next is not None:
        body["next_cursor"] = encode_cursor(user_id, _members(conversation_id), [0, listed.next])
    return body


def members_page_body(user_id: str, conversation_id: str, page: Members) -> shapes.Members:
    """A page of a channel's members, with the cursor of the next one: it is for this user and this channel."""
    following = None if page.next is None else encode_cursor(user_id, _members(conversation_id), list(page.next))
    return {"members": [_member(one) for one in page.members], "next_cursor": following}


def decode_members_cursor(user_id: str, conversation_id: str, cursor: str) -> Position:
    """Raises BadRequest for what is none of this channel's."""
    match decode_cursor(user_id, _members(conversation_id), cursor):
        case [int(part), str(place)] if 0 <= part < PARTS and place:
            return part, place
    raise invalid_cursor()


def _members(conversation_id: str) -> str:
    return f"members/{conversation_id}"


def _member(listed: Listed) -> shapes.Member:
    member = listed.member
    return {
        "user_id": member.user_id,
        "role": listed.role,
        "joined_at": member.joined_at,
        "read_seq": member.read_seq,
        "delivered_seq": member.has_got,
        "visible_from": member.visible_from,
        "data": json.loads(member.data) if member.data else None,
    }


def added_body(added: Iterable[str], *, members: int) -> shapes.AddedMembers:
    return {"added": list(added), "members_count": members}


def member_change_body(user_id: str, role: Role, change: MemberChange) -> shapes.ChangedMember:
    """With `data` where that was named."""
    body: shapes.ChangedMember = {"user_id": user_id, "role": role}
    if "data" in change.model_fields_set:
        body["data"] = change.data
    return body


def encode_inbox_cursor(user_id: str, position: InboxPosition) -> str:
    """Where the next page of this user's inbox starts."""
    snapshot = position.snapshot
    return encode_cursor(user_id, _INBOX, [*position.before, snapshot.settled, "".join(sorted(snapshot.marks))])


def decode_inbox_cursor(user_id: str, cursor: str) -> InboxPosition:
    """The position, if the cursor is one of this user's inbox. Raises BadRequest for any other."""
    match decode_cursor(user_id, _INBOX, cursor):
        case [int(at), str(conversation_id), int(settled), str(marks)]:
            return InboxPosition((at, conversation_id), Snapshot(settled, Snapshot.marks_in(marks)))
    raise invalid_cursor()
