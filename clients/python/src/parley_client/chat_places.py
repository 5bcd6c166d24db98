"""Conversations by what a person calls them: a user, a group's name, or an id."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from parley_client.client import ParleyClient
from parley_client.conversation import is_group
from parley_client.errors import ParleyError
from parley_client.events import ConversationUpdated, Entry, MembersAdded
from parley_client.limits import MAX_PAGE, USER_ID, USER_ID_RULE
from parley_client.terminal import one_line

_USER_PREFIX: Final = "user:"
_MAX_PAGES: Final = 10


class NoSuchPlaceError(Exception):
    """The message says why, for the user's eyes."""


@dataclass(frozen=True, slots=True)
class Place:
    """`to` is a user, or the id of a group; `title` what it is called."""

    conversation_id: str
    to: str
    title: str

    @property
    def is_group(self) -> bool:
        return is_group(self.to)


@dataclass(slots=True)
class Places:
    client: ParleyClient
    _names: dict[str, str] = field(default_factory=dict)

    def learn(self, entry: Entry) -> None:
        """Groups are called by what the log says they are called."""
        if isinstance(entry, MembersAdded | ConversationUpdated) and entry.name:
            self._names[entry.conversation_id] = entry.name

    def name(self, conversation_id: str) -> str:
        """What a conversation is called, as far as it is known here."""
        if is_group(conversation_id):
            return one_line(self._names.get(conversation_id, conversation_id))
        users = conversation_id.split(":")[1:]
        return one_line(next((user for user in users if user != self.client.user_id), conversation_id))

    def private(self, user_id: str) -> Place:
        """Raises NoSuchPlaceError for what is no other user's id."""
        if not is_user_id(user_id):
            raise NoSuchPlaceError(f"“{one_line(user_id)}” is no user id: {USER_ID_RULE}")
        if user_id == self.client.user_id:
            raise NoSuchPlaceError(f"{user_id} is you")
        return Place(self.client.private_with(user_id) or "", user_id, user_id)

    def group(self, group_id: str, name: str | None = None) -> Place:
        if name:
            self._names[group_id] = name
        return Place(group_id, group_id, self.name(group_id))

    async def find(self, text: str) -> Place:
        """A group by its id or its name, else a user. `user:NAME` is a user in any case.

        Raises NoSuchPlaceError, and ParleyError where the groups can't be looked through.
        """
        if text.startswith(_USER_PREFIX):
            return self.private(text.removeprefix(_USER_PREFIX))
        if is_group(text):
            return await self._group_by_id(text)
        found = await self._groups_called(text)
        if len(found) > 1:
            raise NoSuchPlaceError(f"There are {len(found)} groups called {one_line(text)}: {', '.join(found)}")
        if found:
            return self.group(found[0])
        if not is_user_id(text):
            raise NoSuchPlaceError(
                f"There is no group called {one_line(text)}, and no user can be: a user id is {USER_ID_RULE}"
            )
        return self.private(text)

    async def find_or_guess(self, text: str) -> Place:
        """The same. Where the server can't be asked about groups, what can be a user is taken for one."""
        try:
            return await self.find(text)
        except ParleyError:
            if is_group(text):
                return self.group(text)
            if not is_user_id(text):
                raise
            return self.private(text)

    async def look_up(self, group_id: str) -> str:
        """What a group is called; its id, where that can't be found out. It is asked for once."""
        if group_id not in self._names:
            with suppress(ParleyError):
                self.group(group_id, (await self.client.conversation(group_id)).name)
        return self.name(group_id)

    async def _group_by_id(self, group_id: str) -> Place:
        try:
            summary = await self.client.conversation(group_id)
        except ParleyError as error:
            if error.code in ("not_a_member", "not_found", "bad_request"):
                raise NoSuchPlaceError(f"You are in no group {one_line(group_id)}") from error
            raise
        return self.group(group_id, summary.name)

    async def _groups_called(self, name: str) -> list[str]:
        """Of the own groups; letters' case and the width of gaps do not matter where they decide nothing."""
        wanted = one_line(name).casefold()
        cursor: str | None = None
        found: dict[str, str] = {}
        for _ in range(_MAX_PAGES):
            page = await self.client.inbox(limit=MAX_PAGE, cursor=cursor)
            for each in page.conversations:
                if each.name:
                    self._names[each.id] = each.name
                    if one_line(each.name).casefold() == wanted:
                        found[each.id] = each.name
            cursor = page.next_cursor
            if cursor is None:
                break
        exact = [each for each, called in found.items() if called == name]
        return exact or list(found)


def is_user_id(text: str) -> bool:
    return USER_ID.fullmatch(text) is not None
