"""What the client does over HTTP: profiles, groups, members, settings, contacts, blocks, and reading."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from parley_client.answers import listed
from parley_client.calls import Calls, conversation_path, path_of, present
from parley_client.events import Message, Presence
from parley_client.parsing import as_message, as_presences
from parley_client.resources import (
    Added,
    Contact,
    Group,
    History,
    InboxPage,
    Member,
    Profile,
    QuietHours,
    Settled,
    Summary,
    as_added,
    as_contact,
    as_group,
    as_history,
    as_inbox,
    as_member,
    as_profile,
    as_settled,
    as_summary,
    as_versions,
)


class Unchanged:
    """Stands for what is left out: None clears."""

    def __repr__(self) -> str:
        return "UNCHANGED"


UNCHANGED: Final = Unchanged()


class HttpOperations(Calls):
    """See `Calls` for what they raise, and when."""

    # --- the own profile

    async def me(self) -> Profile:
        """The own profile."""
        return as_profile(await self._call("GET", "/v1/me"))

    async def update_me(
        self,
        *,
        display_name: str | Unchanged | None = UNCHANGED,
        avatar_url: str | Unchanged | None = UNCHANGED,
        hide_presence: bool | Unchanged = UNCHANGED,
        groups_from: str | Unchanged | None = UNCHANGED,
        mail: str | Unchanged | None = UNCHANGED,
        previews: bool | Unchanged = UNCHANGED,
        quiet_hours: QuietHours | Unchanged | None = UNCHANGED,
    ) -> Profile:
        """What is left out stays, None clears. `mail`: of which missed messages mails come, all, mentions or off."""
        hours: Any = quiet_hours
        if isinstance(quiet_hours, QuietHours):
            hours = {"start": quiet_hours.start, "end": quiet_hours.end, "time_zone": quiet_hours.time_zone}
        push = given(previews=previews, quiet_hours=hours)
        body = given(
            display_name=display_name,
            avatar_url=avatar_url,
            hide_presence=hide_presence,
            groups_from=groups_from,
            mail=mail,
        )
        return as_profile(await self._call("PUT", "/v1/me", body=body | ({"push": push} if push else {})))

    async def export_me(self) -> dict[str, Any]:
        """Have all that is stored of the own user collected, once a day: the job that does it, or the one that runs."""
        return await self._call("POST", "/v1/me/export")

    async def my_export(self, *, cursor: str | None = None) -> dict[str, Any] | None:
        """Where that is: its `status`, and once it is done its `objects`, with links; None where none was begun."""
        return await self._find("/v1/me/export", {"cursor": cursor})

    # --- conversations

    async def inbox(self, *, limit: int | None = None, cursor: str | None = None, versions: bool = False) -> InboxPage:
        """The own conversations, newest first; with the `versions` of the records of the users in them."""
        query = {"limit": limit, "cursor": cursor, "versions": "true" if versions else None}
        return as_inbox(await self._call("GET", "/v1/conversations", query))

    async def create_private(self, with_user: str) -> str:
        """The id of the private conversation with a user, which exists from now on."""
        body = {"type": "private", "with": with_user}
        return as_group(await self._call("POST", "/v1/conversations", body=body)).id

    async def create_group(
        self,
        name: str,
        members: Iterable[str] = (),
        *,
        client_conversation_id: str | None = None,
        topic: str | None = None,
        avatar: str | None = None,
        data: Mapping[str, Any] | None = None,
        join: str | None = None,
        history: str | None = None,
    ) -> Group:
        """A new group, with the own user as its owner. With an id of your own it is safe to try again.

        `join`: invite, request or open; `history`: all, or from_joining. None: as the server has it by itself.
        """
        body = present(
            type="group",
            name=name,
            members=list(members),
            client_conversation_id=client_conversation_id,
            topic=topic,
            avatar=avatar,
            data=None if data is None else dict(data),
            join=join,
            history=history,
        )
        return as_group(await self._call("POST", "/v1/conversations", body=body))

    async def conversation(self, conversation_id: str) -> Summary:
        """One conversation, as the inbox shows it."""
        return as_summary(await self._call("GET", conversation_path(conversation_id)))

    async def rename(self, conversation_id: str, name: str) -> Summary:
        """A new name for a group; for its owners and admins."""
        return as_summary(await self._call("PATCH", conversation_path(conversation_id), body={"name": name}))

    async def leave(self, conversation_id: str) -> None:
        """Be no member of a group any more."""
        await self._call("DELETE", conversation_path(conversation_id))

    async def hide(self, conversation_id: str) -> None:
        """Take a private conversation out of the inbox, until something is said in it."""
        await self._call("DELETE", conversation_path(conversation_id))

    async def update_settings(
        self,
        conversation_id: str,
        *,
        muted_until: int | Unchanged | None = UNCHANGED,
        notify: str | Unchanged = UNCHANGED,
        pinned: bool | Unchanged = UNCHANGED,
        archived: bool | Unchanged = UNCHANGED,
    ) -> Settled:
        """The own settings of a conversation: what is left out stays. `notify`: all, mentions or none."""
        body = given(muted_until=muted_until, notify=notify, pinned=pinned, archived=archived)
        return as_settled(await self._call("PATCH", conversation_path(conversation_id, "settings"), body=body))

    # --- members

    async def members(self, conversation_id: str) -> tuple[Member, ...]:
        """Who is in the conversation, with their roles and how far each has read."""
        found = await self._call("GET", conversation_path(conversation_id, "members"))
        return listed("members", as_member, found)

    async def member_versions(self, conversation_id: str) -> Mapping[str, int]:
        """The versions of the members' records; 0 for who has none. Whom one may not see is left out."""
        path = conversation_path(conversation_id, "members")
        return as_versions(await self._call("GET", path, {"versions": "true"}))

    async def add_members(self, conversation_id: str, users: Iterable[str]) -> Added:
        """For owners and admins; 1 to 100 users. Who is a member already is no error."""
        path = conversation_path(conversation_id, "members")
        return as_added(await self._call("POST", path, body={"users": list(users)}))

    async def set_role(self, conversation_id: str, user_id: str, role: str) -> None:
        """owner, admin or member; for owners."""
        await self._call("PATCH", conversation_path(conversation_id, "members", user_id), body={"role": role})

    async def remove_member(self, conversation_id: str, user_id: str) -> None:
        """Remove a member, as an owner or admin; oneself: leave."""
        await self._call("DELETE", conversation_path(conversation_id, "members", user_id))

    # --- messages

    async def history(
        self, conversation_id: str, *, before: int | None = None, after: int | None = None, limit: int | None = None
    ) -> History:
        """Messages before (newest first, the default: from the head) or after (oldest first) an entry."""
        query = {"before": before, "after": after, "limit": limit}
        return as_history(await self._call("GET", conversation_path(conversation_id, "messages"), query))

    async def message(self, conversation_id: str, seq: int) -> Message:
        """One message as it is now. An own one has its `status`, and in groups its `receipts`."""
        return as_message(await self._call("GET", conversation_path(conversation_id, "messages", str(seq))))

    # --- people

    async def contacts(self) -> tuple[Contact, ...]:
        """All contacts: accepted, requested and incoming."""
        return listed("contacts", as_contact, await self._call("GET", "/v1/contacts"))

    async def request_contact(self, user_id: str) -> Contact:
        """Ask a user; where they have asked before, this accepts. It does not tell whether they exist."""
        return as_contact(await self._call("POST", "/v1/contacts", body={"user_id": user_id}))

    async def accept_contact(self, user_id: str) -> Contact:
        """Accept a request of theirs."""
        return as_contact(await self._call("PATCH", path_of("contacts", user_id), body={"status": "accepted"}))

    async def rename_contact(self, user_id: str, alias: str | None) -> Contact:
        """The own name for a user; None for none."""
        return as_contact(await self._call("PATCH", path_of("contacts", user_id), body={"alias": alias}))

    async def remove_contact(self, user_id: str) -> None:
        """Withdraw, decline or remove, for both sides."""
        await self._call("DELETE", path_of("contacts", user_id))

    async def blocks(self) -> tuple[str, ...]:
        """Whom the user blocks."""
        return listed("blocks", str, await self._call("GET", "/v1/blocks"))

    async def block(self, user_id: str) -> None:
        """Have nothing more of a user in private. Safe to repeat."""
        await self._call("PUT", path_of("blocks", user_id))

    async def unblock(self, user_id: str) -> None:
        """End that. Safe to repeat."""
        await self._call("DELETE", path_of("blocks", user_id))

    async def presence_of(self, users: Iterable[str]) -> tuple[Presence, ...]:
        """How these users are now, without watching them. Those one may not see are offline."""
        return as_presences(await self._call("GET", "/v1/presence", {"users": ",".join(users)}))


def given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not UNCHANGED}
