"""Conversations: making them, the inbox, one of them, how its member wants it shown, and who is in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.params import Body

from functions.rest.answers import Answer, done, ok
from functions.rest.requests import ConversationPath, Cursor, Limit, UserPath, Versions
from functions.rest.wiring import Wiring
from shared.domain.text import has_roles, is_channel_id, is_group_id
from shared.domain.users import Reader
from shared.operations import channels, groups, joining
from shared.operations.conversations import Summary, create_private, hide, inbox, set_preferences, summary_of
from shared.operations.descriptions import Update, described, update, update_member
from shared.wire.rest import conversations as bodies


def add_conversations(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.post("/v1/conversations")
    def post_conversation(body: Annotated[bodies.NewConversation, Body()]) -> Answer:
        """Make a private conversation, a group or a channel. 200 where it was there already."""
        user_id = wiring.writer(app)
        if isinstance(body, bodies.NewPrivateConversation):
            created = create_private(user_id, body.with_, **wiring.parts)
            return ok(bodies.created_body(created), is_new=created.is_new)
        if isinstance(body, bodies.NewChannel):
            said = described(body.description())
            channel = channels.NewChannel(user_id, body.name, body.join, body.client_conversation_id, said)
            made = channels.create_channel(channel, **wiring.parts)
            return ok(bodies.channel_body(made), is_new=made.is_new)
        members, said = tuple(body.members), described(body.description())
        command = groups.NewGroup(user_id, body.name, members, body.client_conversation_id, said)
        group = groups.create_group(command, admit=wiring.invites.take, **wiring.parts)
        tail = wiring.stores.log.read_back(group.conversation_id, limit=1)
        return ok(bodies.group_body(group, user_id, name=body.name, head=tail[0].seq), is_new=group.is_new)

    @app.get("/v1/conversations")
    def get_conversations(limit: Limit = 30, cursor: Cursor = None, versions: Versions = False) -> Answer:
        """The inbox: the caller's conversations, those first in which something happened last."""
        caller = wiring.caller(app)
        user_id = caller.user_id
        page = inbox(
            user_id,
            limit=min(limit, wiring.context.limits.page_limit),
            position=None if cursor is None else bodies.decode_inbox_cursor(user_id, cursor),
            stores=wiring.stores,
            services=wiring.services,
            now=wiring.context.now(),
        )
        users = bodies.users_in(page.conversations)
        told = _versions(users, wiring.reader(app, caller), wiring) if versions else {}
        return ok({**bodies.inbox_body(user_id, page), **told})


def add_conversation(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/conversations/<conversation_id>")
    def get_conversation(conversation_id: ConversationPath, versions: Versions = False) -> Answer:
        """One conversation as the inbox shows it, with the caller's `role` in a group, and their `permissions`."""
        caller = wiring.caller(app)
        summary = summary_of(conversation_id, user_id=caller.user_id, stores=wiring.stores)
        told = _versions(bodies.users_in([summary]), wiring.reader(app, caller), wiring) if versions else {}
        return ok({**_summary_body(summary, wiring, is_guest=caller.is_guest), **told})

    @app.patch("/v1/conversations/<conversation_id>")
    def patch_conversation(conversation_id: ConversationPath, body: bodies.ConversationChange) -> Answer:
        """Change what a group or channel is called and says of itself, or the `data` of a private conversation."""
        caller = wiring.writing(app)
        update(Update(conversation_id, body.changes(), by=caller.user_id, is_server=caller.is_admin), **wiring.parts)
        return _summary(conversation_id, caller.user_id, wiring)

    @app.delete("/v1/conversations/<conversation_id>")
    def delete_conversation(conversation_id: ConversationPath) -> Answer:
        """Leave a group or a channel; or hide a private conversation until its next message."""
        user_id = wiring.writer(app)
        if has_roles(conversation_id):
            _remove(conversation_id, user_id, user_id, wiring)
        else:
            hide(conversation_id, user_id=user_id, **wiring.parts)
        return done()

    @app.patch("/v1/conversations/<conversation_id>/settings")
    def patch_settings(conversation_id: ConversationPath, body: bodies.SettingsChange) -> Answer:
        """How the caller wants the conversation shown and announced."""
        user_id, changes = wiring.writer(app), body.model_dump(exclude_unset=True)
        changed = set_preferences(conversation_id, changes, user_id=user_id, **wiring.parts)
        return ok(bodies.preferences_body(changed))


def add_members_routes(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/conversations/<conversation_id>/members")
    def get_members(
        conversation_id: ConversationPath, limit: Limit = 100, cursor: Cursor = None, versions: Versions = False
    ) -> Answer:
        """Everyone in the conversation, and how far they have read. A channel's in pages, for who may list them."""
        caller = wiring.caller(app)
        user_id = caller.user_id

        def with_versions(body: Mapping[str, Any]) -> Answer:
            users = [one["user_id"] for one in body["members"]]
            are_fellows = is_group_id(conversation_id)
            reader = wiring.reader(app, caller)
            return ok({**body, **(_versions(users, reader, wiring, are_fellows=are_fellows) if versions else {})})

        after = (0, "") if cursor is None else bodies.decode_members_cursor(user_id, conversation_id, cursor)
        if is_channel_id(conversation_id):
            most = min(limit, wiring.context.limits.page_limit)
            stores, context = wiring.stores, wiring.context
            page = channels.members_page(
                conversation_id, user_id=user_id, limit=most, after=after, stores=stores, context=context
            )
            return with_versions(bodies.members_page_body(user_id, conversation_id, page))
        listed = groups.members_of(conversation_id, user_id=user_id, after=after[1], stores=wiring.stores)
        return with_versions(bodies.members_body(user_id, conversation_id, listed))

    @app.post("/v1/conversations/<conversation_id>/members")
    def post_members(conversation_id: ConversationPath, body: bodies.NewMembers) -> Answer:
        """Add users to a group or a channel, for who may. Who is in it is left out of `added`."""
        command = groups.AddMembers(conversation_id, body.users, by=wiring.writer(app))
        if is_channel_id(conversation_id):
            readers, size = channels.add_readers(command, admit=wiring.invites.take, **wiring.parts)
            return ok(bodies.added_body(readers, members=size))
        added, audience = joining.add_members(command, admit=wiring.invites.take, **wiring.parts)
        return ok(bodies.added_body(added, members=len(audience)))

    @app.patch("/v1/conversations/<conversation_id>/members/<user_id>")
    def patch_member(conversation_id: ConversationPath, user_id: UserPath, body: bodies.MemberChange) -> Answer:
        """Give a member another role, for who may change roles there; or hang `data` on a member."""
        role = update_member(body.command(conversation_id, user_id, wiring.writer(app)), **wiring.parts)
        return ok(bodies.member_change_body(user_id, role, body))

    @app.delete("/v1/conversations/<conversation_id>/members/<user_id>")
    def delete_member(conversation_id: ConversationPath, user_id: UserPath) -> Answer:
        """Remove a member from a group or channel, or leave it. Owners remove anyone, others plain members."""
        _remove(conversation_id, user_id, wiring.writer(app), wiring)
        return done()


def _summary(conversation_id: str, user_id: str, wiring: Wiring) -> Answer:
    summary = summary_of(conversation_id, user_id=user_id, stores=wiring.stores)
    return ok(_summary_body(summary, wiring))


def _summary_body(summary: Summary, wiring: Wiring, *, is_guest: bool = False) -> dict[str, Any]:
    """With what the member may do there."""
    sized = channels.with_size(summary, stores=wiring.stores, services=wiring.services)
    matrix = wiring.context.limits.matrix
    return bodies.one_body(sized, matrix.held_by(summary.role, summary.conversation_id, is_guest=is_guest))


def _versions(
    users: Collection[str], reader: Reader, wiring: Wiring, *, are_fellows: bool = False
) -> dict[str, Mapping[str, int]]:
    """The part of an answer that says which versions the records of these users have."""
    from shared.operations.versions import versions_for  # noqa: PLC0415  # who does not ask for it does not pay for it

    stores, services = wiring.stores, wiring.services
    return {"versions": versions_for(reader, users, are_fellows=are_fellows, stores=stores, services=services)}


def _remove(conversation_id: str, user_id: str, by: str, wiring: Wiring) -> None:
    remove = channels.remove_from_channel if is_channel_id(conversation_id) else groups.remove_member
    remove(conversation_id, user_id, by=by, **wiring.parts)
