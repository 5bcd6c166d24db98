"""Messages: history, sending, editing, deleting, reacting, and the read cursor. The same operations as the frames."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from functions.rest.answers import Answer, ok
from functions.rest.requests import (
    After,
    Before,
    ConversationPath,
    EmojiPath,
    Limit,
    ReactionOwner,
    SeqPath,
    caller,
    writer,
)
from functions.rest.wiring import Wiring
from shared.operations.editing import Delete, Edit, React, delete, edit, react
from shared.operations.history import history, read_message
from shared.operations.messages import send_message
from shared.operations.receipts import READ, MoveCursor, move_cursor
from shared.wire.messages import delete_ack, edit_ack, message_ack, react_ack, read_ack, send_command
from shared.wire.rest.messages import NewContent, NewMessage, ReadUpTo, history_body, single_body


def add_messages(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/conversations/<conversation_id>/messages")
    def get_messages(
        conversation_id: ConversationPath, before: Before = None, after: After = None, limit: Limit = 50
    ) -> Answer:
        """The history: newest first below `before` (without it: from the head), or oldest first above `after`."""
        page = history(
            conversation_id,
            user_id=caller(app, wiring).user_id,
            before=before,
            after=after,
            limit=min(limit, wiring.context.limits.page_limit),
            stores=wiring.stores,
        )
        return ok(history_body(page))

    @app.post("/v1/conversations/<conversation_id>/messages")
    def post_message(conversation_id: ConversationPath, body: NewMessage) -> Answer:
        """Send a message. 200 for one that was stored before (the same `client_message_id`)."""
        return _send(writer(app, wiring), conversation_id, body, wiring)

    @app.post("/v1/conversations/<conversation_id>/read")
    def post_read(conversation_id: ConversationPath, body: ReadUpTo) -> Answer:
        """Everything up to this entry was read. Backwards changes nothing."""
        return _read(caller(app, wiring).user_id, conversation_id, body.seq, wiring)


def add_message(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/conversations/<conversation_id>/messages/<seq>")
    def get_message(conversation_id: ConversationPath, seq: SeqPath) -> Answer:
        """One message as it is now; the caller's own with how far it has come."""
        user_id = caller(app, wiring).user_id
        found = read_message(conversation_id, seq, user_id=user_id, stores=wiring.stores)
        return ok(single_body(found))

    @app.patch("/v1/conversations/<conversation_id>/messages/<seq>")
    def patch_message(conversation_id: ConversationPath, seq: SeqPath, body: NewContent) -> Answer:
        """Edit a message of the caller's."""
        stores, services, context = wiring.parts
        command = Edit(writer(app, wiring), conversation_id, seq, body.content)
        changed = edit(command, stores=stores, services=services, context=context)
        return ok(edit_ack(conversation_id, seq, changed, now=context.now()))

    @app.delete("/v1/conversations/<conversation_id>/messages/<seq>")
    def delete_message(conversation_id: ConversationPath, seq: SeqPath) -> Answer:
        """Take a message's content away: one's own, or anyone's as an owner or admin of the group."""
        stores, services, context = wiring.parts
        command = Delete(writer(app, wiring), conversation_id, seq)
        changed = delete(command, stores=stores, services=services, context=context)
        return ok(delete_ack(conversation_id, seq, changed, now=context.now()))


def add_reactions(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.put("/v1/conversations/<conversation_id>/messages/<seq>/reactions/<emoji>")
    def put_reaction(conversation_id: ConversationPath, seq: SeqPath, emoji: EmojiPath) -> Answer:
        """Put the caller's emoji to a message."""
        return _react(React(writer(app, wiring), conversation_id, seq, emoji), wiring)

    @app.delete("/v1/conversations/<conversation_id>/messages/<seq>/reactions/<emoji>")
    def delete_reaction(
        conversation_id: ConversationPath, seq: SeqPath, emoji: EmojiPath, user_id: ReactionOwner = None
    ) -> Answer:
        """Take the caller's emoji off a message; as an owner or admin of the group that of `user_id`."""
        command = React(writer(app, wiring), conversation_id, seq, emoji, remove=True, owner_id=user_id)
        return _react(command, wiring)


def _send(user_id: str, conversation_id: str, body: NewMessage, wiring: Wiring) -> Answer:
    command = send_command(body, sender_id=user_id, conversation_id=conversation_id)
    stores, services, context = wiring.parts
    sent = send_message(command, stores=stores, services=services, context=context)
    return ok(message_ack(sent.entry, duplicate=sent.duplicate), is_new=not sent.duplicate)


def _read(user_id: str, conversation_id: str, seq: int, wiring: Wiring) -> Answer:
    stores, services, context = wiring.parts
    command = MoveCursor(READ, user_id, conversation_id, seq)
    stands = move_cursor(command, stores=stores, services=services, context=context)
    return ok(read_ack(conversation_id, stands))


def _react(command: React, wiring: Wiring) -> Answer:
    stores, services, context = wiring.parts
    changed = react(command, stores=stores, services=services, context=context)
    return ok(react_ack(command, changed, now=context.now()))
