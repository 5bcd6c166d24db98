"""The chat's commands about what is pinned, ways into a group, and reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from parley_client.chat_lines import said
from parley_client.chat_words import WrongArgumentsError, number_and_rest, only_number, only_word, word_and_rest
from parley_client.client import ParleyClient
from parley_client.groups import JoinRequest
from parley_client.resources import Group
from parley_client.terminal import Terminal, one_line

_PLACES: Final = ("group:", "channel:")


@dataclass(slots=True)
class Ways:
    """Each raises ParleyError, and WrongArgumentsError for what is none of its arguments. `where` is on screen."""

    client: ParleyClient
    terminal: Terminal
    where: str

    async def pin(self, rest: str) -> None:
        await self.client.pin(self.where, only_number(rest))

    async def unpin(self, rest: str) -> None:
        await self.client.unpin(self.where, only_number(rest))

    async def pins(self) -> None:
        pinned = await self.client.pins(self.where)
        for each in pinned:
            words = one_line(said(each.message)) if each.message.content is not None else "(deleted)"
            self.terminal.show(f"  #{each.seq} {one_line(each.message.sender_id)}: {words}")
        if not pinned:
            self.terminal.show("* nothing is pinned here: /pin N", dim=True)

    async def join(self, rest: str) -> Group | None:
        """By the id of a group or channel, or by a link, of which the end is enough. None: one has asked to come in."""
        named = only_word(rest).rpartition("/")[2]
        if not named.startswith(_PLACES):
            return await self.client.accept_invite(named)
        joined = await self.client.join(named)
        if isinstance(joined, JoinRequest):
            self.terminal.show("* you have asked to come in", dim=True)
            return None
        return joined

    async def report(self, rest: str) -> None:
        seq, why = number_and_rest(rest)
        reason, comment = word_and_rest(why)
        if not reason:
            raise WrongArgumentsError
        await self.client.report_message(self.where, seq, reason, comment)
        self.terminal.show(f"* the moderators are told of #{seq}", dim=True)
