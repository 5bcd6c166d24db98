"""Conversations: making them, the inbox, one of them, and how its member wants it shown."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.params import Body

from functions.rest.answers import Answer, done, ok
from functions.rest.requests import ConversationPath, Cursor, Limit, caller, writer
from functions.rest.wiring import Wiring
from shared.domain.identifiers import is_group_id
from shared.operations.conversations import create_private, hide, inbox, set_preferences, summary_of
from shared.operations.groups import NewGroup, create_group, remove_member, rename
from shared.wire.rest.conversations import (
    NewConversation,
    NewName,
    NewPrivateConversation,
    SettingsChange,
    created_body,
    decode_inbox_cursor,
    group_body,
    inbox_body,
    preferences_body,
    summary_body,
)
from shared.wire.rest.conversations import NewGroup as NewGroupBody


def add_conversations(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.post("/v1/conversations")
    def post_conversation(body: Annotated[NewConversation, Body()]) -> Answer:
        """Make a private conversation or a group. 200 where it was there already."""
        user_id = writer(app, wiring)
        if isinstance(body, NewPrivateConversation):
            return _private(user_id, body, wiring)
        return _group(user_id, body, wiring)

    @app.get("/v1/conversations")
    def get_conversations(limit: Limit = 30, cursor: Cursor = None) -> Answer:
        """The inbox: the caller's conversations, those first in which something happened last."""
        user_id = caller(app, wiring).user_id
        page = inbox(
            user_id,
            limit=min(limit, wiring.context.limits.page_limit),
            position=None if cursor is None else decode_inbox_cursor(user_id, cursor),
            stores=wiring.stores,
            services=wiring.services,
            now=wiring.context.now(),
        )
        return ok(inbox_body(user_id, page))


def add_conversation(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/conversations/<conversation_id>")
    def get_conversation(conversation_id: ConversationPath) -> Answer:
        """One conversation as the inbox shows it, with the caller's `role` in a group."""
        return _summary(conversation_id, caller(app, wiring).user_id, wiring)

    @app.patch("/v1/conversations/<conversation_id>")
    def patch_conversation(conversation_id: ConversationPath, body: NewName) -> Answer:
        """Rename a group. For its owners and admins."""
        user_id = writer(app, wiring)
        stores, services, context = wiring.parts
        rename(conversation_id, body.name, by=user_id, stores=stores, services=services, context=context)
        return _summary(conversation_id, user_id, wiring)

    @app.delete("/v1/conversations/<conversation_id>")
    def delete_conversation(conversation_id: ConversationPath) -> Answer:
        """Leave a group; or hide a private conversation until its next message."""
        user_id, (stores, services, context) = writer(app, wiring), wiring.parts
        if is_group_id(conversation_id):
            remove_member(conversation_id, user_id, by=user_id, stores=stores, services=services, context=context)
        else:
            hide(conversation_id, user_id=user_id, stores=stores)
        return done()

    @app.patch("/v1/conversations/<conversation_id>/settings")
    def patch_settings(conversation_id: ConversationPath, body: SettingsChange) -> Answer:
        """How the caller wants the conversation shown and announced."""
        user_id = caller(app, wiring).user_id
        changes = body.model_dump(exclude_unset=True)
        changed = set_preferences(conversation_id, changes, user_id=user_id, stores=wiring.stores)
        return ok(preferences_body(changed))


def _private(user_id: str, body: NewPrivateConversation, wiring: Wiring) -> Answer:
    created = create_private(user_id, body.with_, stores=wiring.stores, now=wiring.context.now())
    return ok(created_body(created), is_new=created.is_new)


def _group(user_id: str, body: NewGroupBody, wiring: Wiring) -> Answer:
    stores, services, context = wiring.parts
    command = NewGroup(user_id, body.name, tuple(body.members), body.client_conversation_id)
    created = create_group(command, admit=wiring.invites.take, stores=stores, services=services, context=context)
    tail = wiring.stores.log.read_back(created.conversation_id, limit=1)
    return ok(group_body(created, user_id, name=body.name, head=tail[0].seq), is_new=created.is_new)


def _summary(conversation_id: str, user_id: str, wiring: Wiring) -> Answer:
    return ok(summary_body(summary_of(conversation_id, user_id=user_id, stores=wiring.stores)))
