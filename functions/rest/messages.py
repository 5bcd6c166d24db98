"""Messages: history, sending, editing, deleting, reacting, and the read cursor. The same operations as the frames."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from functions.rest.answers import Answer, ok
from functions.rest.ports import Ports
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
from shared.domain.identifiers import other_member
from shared.operations.editing import delete, edit, react
from shared.operations.history import history, read_message
from shared.operations.messages import send_message
from shared.operations.receipts import READ, move_cursor
from shared.operations.visibility import tell_granted
from shared.wire.messages import delete_ack, edit_ack, message_ack, react_ack, read_ack, send_command
from shared.wire.rest.messages import NewContent, NewMessage, ReadUpTo, history_body, single_body


def add_messages(app: APIGatewayHttpResolver, ports: Ports) -> None:
    @app.get("/v1/conversations/<conversation_id>/messages")
    def get_messages(
        conversation_id: ConversationPath, before: Before = None, after: After = None, limit: Limit = 50
    ) -> Answer:
        """The history: newest first below `before` (without it: from the head), or oldest first above `after`."""
        page = history(
            conversation_id,
            user_id=caller(app, ports).user_id,
            before=before,
            after=after,
            limit=min(limit, ports.page_limit),
            log=ports.log,
            memberships=ports.memberships,
        )
        return ok(history_body(page))

    @app.post("/v1/conversations/<conversation_id>/messages")
    def post_message(conversation_id: ConversationPath, body: NewMessage) -> Answer:
        """Send a message. 200 for one that was stored before (the same `client_message_id`)."""
        return _send(writer(app, ports), conversation_id, body, ports)

    @app.post("/v1/conversations/<conversation_id>/read")
    def post_read(conversation_id: ConversationPath, body: ReadUpTo) -> Answer:
        """Everything up to this entry was read. Backwards changes nothing."""
        return _read(caller(app, ports).user_id, conversation_id, body.seq, ports)


def add_message(app: APIGatewayHttpResolver, ports: Ports) -> None:
    @app.get("/v1/conversations/<conversation_id>/messages/<seq>")
    def get_message(conversation_id: ConversationPath, seq: SeqPath) -> Answer:
        """One message as it is now; the caller's own with how far it has come."""
        user_id = caller(app, ports).user_id
        found = read_message(conversation_id, seq, user_id=user_id, log=ports.log, memberships=ports.memberships)
        return ok(single_body(found))

    @app.patch("/v1/conversations/<conversation_id>/messages/<seq>")
    def patch_message(conversation_id: ConversationPath, seq: SeqPath, body: NewContent) -> Answer:
        """Edit a message of the caller's."""
        user_id, window_s, writing = writer(app, ports), ports.edit_window_s, ports.writing
        changed = edit(conversation_id, seq, body.content, user_id=user_id, window_s=window_s, writing=writing)
        ports.announce(changed)
        return ok(edit_ack(conversation_id, seq, changed, now=ports.now()))

    @app.delete("/v1/conversations/<conversation_id>/messages/<seq>")
    def delete_message(conversation_id: ConversationPath, seq: SeqPath) -> Answer:
        """Take a message's content away: one's own, or anyone's as an owner or admin of the group."""
        changed = delete(conversation_id, seq, user_id=writer(app, ports), writing=ports.writing)
        ports.announce(changed)
        return ok(delete_ack(conversation_id, seq, changed, now=ports.now()))


def add_reactions(app: APIGatewayHttpResolver, ports: Ports) -> None:
    @app.put("/v1/conversations/<conversation_id>/messages/<seq>/reactions/<emoji>")
    def put_reaction(conversation_id: ConversationPath, seq: SeqPath, emoji: EmojiPath) -> Answer:
        """Put the caller's emoji to a message."""
        return _react(writer(app, ports), conversation_id, seq, emoji, ports, remove=False)

    @app.delete("/v1/conversations/<conversation_id>/messages/<seq>/reactions/<emoji>")
    def delete_reaction(
        conversation_id: ConversationPath, seq: SeqPath, emoji: EmojiPath, user_id: ReactionOwner = None
    ) -> Answer:
        """Take the caller's emoji off a message; as an owner or admin of the group that of `user_id`."""
        return _react(writer(app, ports), conversation_id, seq, emoji, ports, remove=True, owner_id=user_id)


def _send(user_id: str, conversation_id: str, body: NewMessage, ports: Ports) -> Answer:
    command = send_command(body, sender_id=user_id, conversation_id=conversation_id)
    sent = send_message(command, connection_id="", writing=ports.writing, posting=ports.posting)
    ports.report(sent.delivered)
    other = other_member(conversation_id, user_id)
    if sent.entry.first_answer and other is not None:
        ports.tell(tell_granted, user_id, other)
    return ok(message_ack(sent.entry, duplicate=sent.duplicate), is_new=not sent.duplicate)


def _react(
    user_id: str,
    conversation_id: str,
    seq: int,
    emoji: str,
    ports: Ports,
    *,
    remove: bool,
    owner_id: str | None = None,
) -> Answer:
    changed = react(
        conversation_id, seq, emoji, remove=remove, user_id=user_id, owner_id=owner_id, writing=ports.writing
    )
    ports.announce(changed)
    now = ports.now()
    return ok(react_ack(conversation_id, seq, emoji, changed, removed=remove, owner_id=owner_id, now=now))


def _read(user_id: str, conversation_id: str, seq: int, ports: Ports) -> Answer:
    moved = move_cursor(
        READ,
        user_id=user_id,
        conversation_id=conversation_id,
        seq=seq,
        connection_id="",
        audience_limit=ports.receipts_limit,
        log=ports.log,
        memberships=ports.memberships,
        blocks=ports.blocks,
        posting=ports.posting,
        now=ports.now(),
    )
    if moved.delivered is not None:
        ports.report(moved.delivered)
    return ok(read_ack(conversation_id, moved.seq))
