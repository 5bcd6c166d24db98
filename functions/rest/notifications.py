"""What users are told outside of conversations: by servers, and read back by those whom it was for."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from functions.rest.answers import Answer, done, ok
from functions.rest.requests import NotificationPath, caller
from functions.rest.wiring import Wiring
from shared.errors import Forbidden
from shared.operations.notifications import notifications_of, send_notification
from shared.wire.rest.people import NewNotification, new_notice, notifications_body, sent_body

_SENDING = "notifications:send"


def add_notifications(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.post("/v1/notifications")
    def post_notification(body: NewNotification) -> Answer:
        """Tell users something, live or by a push. Needs the scope `notifications:send`."""
        if _SENDING not in caller(app, wiring).scopes:
            raise Forbidden(f"This needs a token with the scope `{_SENDING}`")
        stores, services, context = wiring.parts
        sent = send_notification(new_notice(body), stores=stores, services=services, context=context)
        return ok(sent_body(sent), is_new=True)

    @app.get("/v1/notifications")
    def get_notifications() -> Answer:
        """What the caller was told and has not acknowledged, oldest first: at most 100."""
        user_id = caller(app, wiring).user_id
        return ok(notifications_body(notifications_of(user_id, stores=wiring.stores, now=wiring.context.now())))

    @app.delete("/v1/notifications/<notification_id>")
    def delete_notification(notification_id: NotificationPath) -> Answer:
        """Acknowledge a notification: it is not told again."""
        wiring.stores.notifications.acknowledge(caller(app, wiring).user_id, notification_id)
        return done()
