"""Messages: the same operations as the frames, and the history; and the files to send in them."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from functions.rest import requests as asked
from functions.rest.answers import Answer, accepted, ok
from functions.rest.wiring import Wiring
from shared.domain.files import NewFile
from shared.operations.editing import Delete, Edit, Pinning, React, delete, edit, react
from shared.operations.files import begin_upload, file_for, links_to
from shared.operations.history import Span, history, read_message
from shared.operations.messages import send_command, send_message
from shared.operations.pins import pin, pins_of
from shared.operations.receipts import READ, MoveCursor, move_cursor
from shared.operations.resends import Appended
from shared.wire.events import delete_ack, edit_ack, held_ack, message_ack, pin_ack, react_ack, read_ack
from shared.wire.rest import messages as bodies


def add_messages(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/conversations/<conversation_id>/messages")
    def get_messages(
        conversation_id: asked.ConversationPath,
        before: asked.Before = None,
        after: asked.After = None,
        limit: asked.Limit = 50,
        notices: asked.Notices = False,
    ) -> Answer:
        """The history: newest first below `before` (without it: from the head), or oldest first above `after`."""
        span = Span(min(limit, wiring.context.limits.page_limit), before, after, notices)
        user_id = wiring.caller(app).user_id
        return ok(bodies.history_body(history(conversation_id, span, user_id=user_id, stores=wiring.stores)))

    @app.post("/v1/conversations/<conversation_id>/messages")
    def post_message(conversation_id: asked.ConversationPath, body: bodies.NewMessage) -> Answer:
        """Send a message. 200 for one that was stored before (the same `client_message_id`), 202 for one that waits."""
        sender = wiring.writing(app, is_server=body.message_type == "system")
        command = send_command(
            body, sender_id=sender.user_id, conversation_id=conversation_id, is_guest=sender.is_guest
        )
        sent = send_message(command, **wiring.parts)
        if not isinstance(sent, Appended):
            return accepted(held_ack(sent))
        return ok(message_ack(sent.entry, duplicate=sent.duplicate), is_new=not sent.duplicate)

    @app.post("/v1/conversations/<conversation_id>/read")
    def post_read(conversation_id: asked.ConversationPath, body: bodies.ReadUpTo) -> Answer:
        """Everything up to this entry was read. Backwards changes nothing."""
        command = MoveCursor(READ, wiring.caller(app).user_id, conversation_id, body.seq)
        return ok(read_ack(conversation_id, move_cursor(command, **wiring.parts)))


def add_message(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/conversations/<conversation_id>/messages/<seq>")
    def get_message(conversation_id: asked.ConversationPath, seq: asked.SeqPath) -> Answer:
        """One message as it is now; the caller's own with how far it has come."""
        user_id = wiring.caller(app).user_id
        found = read_message(conversation_id, seq, user_id=user_id, stores=wiring.stores)
        return ok(bodies.single_body(found))

    @app.patch("/v1/conversations/<conversation_id>/messages/<seq>")
    def patch_message(conversation_id: asked.ConversationPath, seq: asked.SeqPath, body: bodies.NewContent) -> Answer:
        """Edit a message of the caller's."""
        writer = wiring.writing(app)
        is_server = writer.is_admin  # whoever it acts as
        command = Edit(writer.user_id, conversation_id, seq, body.content, body.data_text, is_server=is_server)
        changed = edit(command, **wiring.parts)
        return ok(edit_ack(conversation_id, seq, changed, now=wiring.context.now()))

    @app.delete("/v1/conversations/<conversation_id>/messages/<seq>")
    def delete_message(conversation_id: asked.ConversationPath, seq: asked.SeqPath) -> Answer:
        """Take a message's content away: one's own, or anyone's as an owner or admin of the group."""
        command = Delete(wiring.writer(app), conversation_id, seq)
        changed = delete(command, **wiring.parts)
        return ok(delete_ack(conversation_id, seq, changed, now=wiring.context.now()))


def add_reactions(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.put("/v1/conversations/<conversation_id>/messages/<seq>/reactions/<emoji>")
    def put_reaction(conversation_id: asked.ConversationPath, seq: asked.SeqPath, emoji: asked.EmojiPath) -> Answer:
        """Put the caller's emoji to a message."""
        return _react(React(wiring.writer(app), conversation_id, seq, emoji), wiring)

    @app.delete("/v1/conversations/<conversation_id>/messages/<seq>/reactions/<emoji>")
    def delete_reaction(
        conversation_id: asked.ConversationPath,
        seq: asked.SeqPath,
        emoji: asked.EmojiPath,
        user_id: asked.ReactionOwner = None,
    ) -> Answer:
        """Take the caller's emoji off a message; as an owner or admin of the group that of `user_id`."""
        command = React(wiring.writer(app), conversation_id, seq, emoji, remove=True, owner_id=user_id)
        return _react(command, wiring)


def _react(command: React, wiring: Wiring) -> Answer:
    changed = react(command, **wiring.parts)
    return ok(react_ack(command, changed, now=wiring.context.now()))


def add_pins(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/conversations/<conversation_id>/pins")
    def get_pins(conversation_id: asked.ConversationPath) -> Answer:
        """The messages that are pinned, as they are now, the latest pin first. At most 50."""
        user_id = wiring.caller(app).user_id
        return ok(bodies.pins_body(pins_of(conversation_id, user_id=user_id, stores=wiring.stores)))

    @app.put("/v1/conversations/<conversation_id>/pins/<seq>")
    def put_pin(conversation_id: asked.ConversationPath, seq: asked.SeqPath) -> Answer:
        """Pin a message: either of a private conversation's two, in a group or channel who may."""
        return _pin(Pinning(wiring.writer(app), conversation_id, seq), wiring)

    @app.delete("/v1/conversations/<conversation_id>/pins/<seq>")
    def delete_pin(conversation_id: asked.ConversationPath, seq: asked.SeqPath) -> Answer:
        """Take the pin off a message, whoever has pinned it."""
        return _pin(Pinning(wiring.writer(app), conversation_id, seq, remove=True), wiring)


def _pin(command: Pinning, wiring: Wiring) -> Answer:
    changed = pin(command, **wiring.parts)
    return ok(pin_ack(command, changed, now=wiring.context.now()))


def add_files(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.post("/v1/files")
    def post_file(body: bodies.NewUpload) -> Answer:
        """Announce a file, and get the form to upload it with. It can be sent in messages once it is `ready`."""
        asked = NewFile(
            wiring.writer(app),
            body.name,
            body.content_type,
            body.size,
            body.kind,
            body.duration_ms,
            tuple(body.waveform),
        )
        file, upload = begin_upload(asked, **wiring.parts)
        return ok(bodies.begun_body(file, upload), is_new=True)

    @app.get("/v1/files/<file_id>")
    def get_file(file_id: asked.FilePath) -> Answer:
        """One file, and where to get it: for its owner, and once it is ready for whoever can read a message with it."""
        user_id = wiring.caller(app).user_id
        file = file_for(user_id, file_id, stores=wiring.stores)
        return ok(bodies.file_body(file, links_to(file, services=wiring.services)))
