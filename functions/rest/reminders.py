"""Being told of a message again, later."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from functions.rest.answers import Answer, done, ok
from functions.rest.requests import ConversationPath, ReminderPath, SeqPath, caller
from functions.rest.wiring import Wiring
from shared.operations.reminders import Remind, cancel_reminder, remind, reminders_of
from shared.wire.rest.people import NewReminder, reminder_body, reminders_body


def add_reminders(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.post("/v1/conversations/<conversation_id>/messages/<seq>/reminders")
    def post_reminder(conversation_id: ConversationPath, seq: SeqPath, body: NewReminder) -> Answer:
        """Be reminded of a message at a time. 200 where the caller has asked for the same before."""
        stores, services, context = wiring.parts
        command = Remind(caller(app, wiring).user_id, conversation_id, seq, body.at)
        reminded = remind(command, stores=stores, services=services, context=context)
        return ok(reminder_body(reminded.reminder), is_new=reminded.is_new)

    @app.get("/v1/reminders")
    def get_reminders() -> Answer:
        """What the caller is going to be reminded of, the next one first."""
        user_id = caller(app, wiring).user_id
        return ok(reminders_body(reminders_of(user_id, stores=wiring.stores)))

    @app.delete("/v1/reminders/<reminder_id>")
    def delete_reminder(reminder_id: ReminderPath) -> Answer:
        """Not be reminded after all."""
        user_id = caller(app, wiring).user_id
        cancel_reminder(user_id, reminder_id, stores=wiring.stores, services=wiring.services)
        return done()
