"""What reaches users beside messages: devices, notifications and reminders."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.params import Body

from functions.rest.answers import Answer, done, ok
from functions.rest.requests import ConversationPath, DevicePath, NewDevicePath, NotificationPath, ReminderPath, SeqPath
from functions.rest.wiring import Wiring
from shared.errors import Forbidden, NotFound
from shared.operations.devices import devices_of, forget_device, register_device
from shared.operations.notifications import notifications_of, send_notification
from shared.operations.reminders import Remind, cancel_reminder, remind
from shared.wire.rest import people as bodies

_SENDING = "notifications:send"


def add_notifications(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.post("/v1/notifications")
    def post_notification(body: bodies.NewNotification) -> Answer:
        """Tell users something, live or by a push. Needs the scope `notifications:send`."""
        if _SENDING not in wiring.caller(app).scopes:
            raise Forbidden(f"This needs a token with the scope `{_SENDING}`")
        return ok(bodies.sent_body(*send_notification(bodies.new_notification(body), **wiring.parts)), is_new=True)

    @app.get("/v1/notifications")
    def get_notifications() -> Answer:
        """What the caller was told and has not acknowledged, oldest first: at most 100."""
        user_id = wiring.caller(app).user_id
        return ok(bodies.notifications_body(notifications_of(user_id, stores=wiring.stores, now=wiring.context.now())))

    @app.delete("/v1/notifications/<notification_id>")
    def delete_notification(notification_id: NotificationPath) -> Answer:
        """Acknowledge a notification: it is not told again."""
        wiring.stores.notifications.acknowledge(wiring.caller(app).user_id, notification_id)
        return done()


def add_devices(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/devices")
    def get_devices() -> Answer:
        """The caller's devices, the latest registered first."""
        user_id = wiring.caller(app).user_id
        return ok(bodies.devices_body(devices_of(user_id, stores=wiring.stores)))

    @app.put("/v1/devices/<device_id>")
    def put_device(device_id: NewDevicePath, body: Annotated[bodies.NewDevice, Body()]) -> Answer:
        """Send the caller's pushes to this device, too. Its token belongs to no other device from now on."""
        user_id, target = wiring.caller(app).user_id, bodies.new_target(body)
        device = register_device(user_id, device_id, target, **wiring.parts)
        return ok(bodies.device_body(device))

    @app.get("/v1/push/web-key")
    def get_web_key() -> Answer:
        """The key that a page subscribes to pushes with. 404 where the deployment has none: browsers get none there."""
        wiring.caller(app)
        if not wiring.web_push_key:
            raise NotFound("Browsers are not pushed to here")
        return ok(bodies.web_key_body(wiring.web_push_key))

    @app.delete("/v1/devices/<device_id>")
    def delete_device(device_id: DevicePath) -> Answer:
        """No more pushes to this device: at signing out."""
        forget_device(wiring.caller(app).user_id, device_id, **wiring.parts)  # any id: some are of the first edition
        return done()


def add_reminders(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.post("/v1/conversations/<conversation_id>/messages/<seq>/reminders")
    def post_reminder(conversation_id: ConversationPath, seq: SeqPath, body: bodies.NewReminder) -> Answer:
        """Be reminded of a message at a time. 200 where the caller has asked for the same before."""
        command = Remind(wiring.caller(app).user_id, conversation_id, seq, body.at)
        reminder, is_new = remind(command, **wiring.parts)
        return ok(bodies.reminder_body(reminder), is_new=is_new)

    @app.get("/v1/reminders")
    def get_reminders() -> Answer:
        """What the caller is going to be reminded of, the next one first."""
        return ok(bodies.reminders_body(wiring.stores.reminders.of(wiring.caller(app).user_id)))

    @app.delete("/v1/reminders/<reminder_id>")
    def delete_reminder(reminder_id: ReminderPath) -> Answer:
        """Not be reminded after all."""
        user_id = wiring.caller(app).user_id
        cancel_reminder(user_id, reminder_id, stores=wiring.stores, services=wiring.services)
        return done()
