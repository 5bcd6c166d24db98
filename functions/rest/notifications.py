"""What users are told outside of conversations: by servers, and read back by those whom it was for."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from functions.rest.answers import Answer, done, ok
from functions.rest.ports import Ports
from functions.rest.requests import NotificationPath, caller
from shared.errors import Forbidden
from shared.operations.notifications import notifications_of, send_notification
from shared.wire.rest.people import NewNotification, new_notice, notifications_body, sent_body

_SENDING = "notifications:send"


def add_notifications(app: APIGatewayHttpResolver, ports: Ports) -> None:
    @app.post("/v1/notifications")
    def post_notification(body: NewNotification) -> Answer:
        """Tell users something, live or by a push. Needs the scope `notifications:send`."""
        if _SENDING not in caller(app, ports).scopes:
            raise Forbidden(f"This needs a token with the scope `{_SENDING}`")
        sent = send_notification(
            new_notice(body),
            new_id=ports.new_nonce,
            notifications=ports.notifications,
            posting=ports.posting,
            looks=ports.looks,
            second_look_s=ports.second_look_s,
            now=ports.now(),
        )
        for delivered in sent.delivered:
            ports.report(delivered)
        return ok(sent_body(sent), is_new=True)

    @app.get("/v1/notifications")
    def get_notifications() -> Answer:
        """What the caller was told and has not acknowledged, oldest first: at most 100."""
        user_id = caller(app, ports).user_id
        return ok(notifications_body(notifications_of(user_id, notifications=ports.notifications, now=ports.now())))

    @app.delete("/v1/notifications/<notification_id>")
    def delete_notification(notification_id: NotificationPath) -> Answer:
        """Acknowledge a notification: it is not told again."""
        ports.notifications.acknowledge(caller(app, ports).user_id, notification_id)
        return done()
