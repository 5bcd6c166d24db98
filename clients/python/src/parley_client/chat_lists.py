"""The chat's commands that show or change what lies outside of a conversation: the inbox, contacts, blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from parley_client.chat_lines import said
from parley_client.chat_people import presence_text
from parley_client.chat_places import Places
from parley_client.client import ParleyClient
from parley_client.events import Presence
from parley_client.limits import MAX_WATCHED
from parley_client.resources import Contact, Summary
from parley_client.terminal import Terminal, one_line

_SAID: Final = 60


@dataclass(slots=True)
class Lists:
    """Each raises ParleyError."""

    client: ParleyClient
    terminal: Terminal
    places: Places

    async def inbox(self, count: int) -> None:
        page = await self.client.inbox(limit=count)
        for summary in page.conversations:
            self.terminal.show(self._inbox_line(summary))
        if not page.conversations:
            self.terminal.show("* there is no conversation yet", dim=True)
        elif page.next_cursor is not None:
            self.terminal.show("* there are more", dim=True)

    async def contacts(self) -> None:
        contacts = await self.client.contacts()
        accepted = [each.user_id for each in contacts if each.status == "accepted"]
        present = await self._presence(accepted)
        for contact in contacts:
            self.terminal.show(f"  {_contact_line(contact, present)}")
        if not contacts:
            self.terminal.show("* there are no contacts yet: /contact user", dim=True)

    async def request_contact(self, user: str) -> None:
        contact = await self.client.request_contact(user)
        done = "is a contact now" if contact.status == "accepted" else "is asked to be a contact"
        self.terminal.show(f"* {one_line(user)} {done}", dim=True)

    async def accept_contact(self, user: str) -> None:
        await self.client.accept_contact(user)
        self.terminal.show(f"* {one_line(user)} is a contact now", dim=True)

    async def remove_contact(self, user: str) -> None:
        await self.client.remove_contact(user)
        self.terminal.show(f"* {one_line(user)} is no contact any more", dim=True)

    async def block(self, user: str) -> None:
        await self.client.block(user)
        self.terminal.show(f"* {one_line(user)} is blocked", dim=True)

    async def unblock(self, user: str) -> None:
        await self.client.unblock(user)
        self.terminal.show(f"* {one_line(user)} is not blocked any more", dim=True)

    async def blocks(self) -> None:
        blocked = await self.client.blocks()
        self.terminal.show(f"  {', '.join(map(one_line, blocked))}" if blocked else "* nobody is blocked")

    def _inbox_line(self, summary: Summary) -> str:
        if summary.name:
            self.places.group(summary.id, summary.name)
        parts = [self.places.name(summary.id)]
        if summary.unread:
            parts.append(f"{summary.unread} unread")
        if (last := summary.last_message) is not None:
            text = one_line(said(last)) if last.content is not None else "(deleted)"
            short = text if len(text) <= _SAID else f"{text[:_SAID]}…"
            parts.append(f"{one_line(last.sender_id)}: {short}")
        return f"  {' · '.join(parts)}"

    async def _presence(self, users: Sequence[str]) -> dict[str, Presence]:
        chunks = [users[start : start + MAX_WATCHED] for start in range(0, len(users), MAX_WATCHED)]
        return {each.user_id: each for chunk in chunks for each in await self.client.presence_of(chunk)}


def _contact_line(contact: Contact, present: dict[str, Presence]) -> str:
    name = one_line(contact.user_id)
    alias = f" ({one_line(contact.alias)})" if contact.alias else ""
    if contact.status == "incoming":
        return f"{name}{alias} asks to be a contact: /accept {name}"
    if contact.status == "requested":
        return f"{name}{alias} was asked, and has not answered"
    presence = present.get(contact.user_id)
    return f"{presence_text(presence)}{alias}" if presence else f"{name}{alias}"
