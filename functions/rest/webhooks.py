"""Webhooks: where the team's backend is told what is stored. All of it needs the scope `admin`."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from functions.rest.answers import Answer, accepted, done, ok
from functions.rest.requests import WebhookPath
from functions.rest.wiring import Wiring
from shared.errors import NotFound
from shared.operations import webhooks
from shared.ports.webhooks import Outlet
from shared.wire.rest import webhooks as bodies


def add_webhooks(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/webhooks")
    def get_webhooks() -> Answer:
        """Every webhook, and how it does. Needs the scope `admin`."""
        outlet = _outlet(app, wiring)
        return ok(bodies.webhooks_body(outlet.webhooks.all(), now=wiring.context.now()))

    @app.get("/v1/webhooks/<webhook_id>")
    def get_webhook(webhook_id: WebhookPath) -> Answer:
        """A webhook, and how it does. Needs the scope `admin`."""
        outlet = _outlet(app, wiring)
        webhook = webhooks.get_webhook(webhook_id, outlet=outlet)
        return ok(bodies.webhook_body(webhook, now=wiring.context.now()))

    @app.put("/v1/webhooks/<webhook_id>")
    def put_webhook(webhook_id: WebhookPath, body: bodies.NewWebhook) -> Answer:
        """Make a webhook, whose secret is shown this once, or set what it is to be. Needs the scope `admin`."""
        outlet, now = _outlet(app, wiring), wiring.context.now()
        wanted = webhooks.checked(
            body.url, body.events, body.conversations, enabled=body.enabled, is_local=outlet.is_local
        )
        webhook, is_new = webhooks.put_webhook(webhook_id, wanted, outlet=outlet, now=now)
        return ok((bodies.webhook_with_secret if is_new else bodies.webhook_body)(webhook, now=now), is_new=is_new)

    @app.delete("/v1/webhooks/<webhook_id>")
    def delete_webhook(webhook_id: WebhookPath) -> Answer:
        """Tell it nothing any more. Needs the scope `admin`."""
        webhooks.delete_webhook(webhook_id, outlet=_outlet(app, wiring))
        return done()


def add_webhook(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.post("/v1/webhooks/<webhook_id>/rotate")
    def post_rotate(webhook_id: WebhookPath) -> Answer:
        """Give it a new secret; for a day the one before signs, too. Needs the scope `admin`."""
        outlet, now = _outlet(app, wiring), wiring.context.now()
        return ok(bodies.webhook_with_secret(webhooks.rotate_secret(webhook_id, outlet=outlet, now=now), now=now))

    @app.post("/v1/webhooks/<webhook_id>/replay")
    def post_replay(webhook_id: WebhookPath, body: bodies.Replay) -> Answer:
        """Tell it again, from a moment or from a place of one conversation on. Needs the scope `admin`."""
        outlet, place = _outlet(app, wiring), body.place()
        if place is None:
            webhooks.replay_since(webhook_id, body.since or 0, outlet=outlet)
        else:
            webhooks.replay_conversation(webhook_id, *place, outlet=outlet)
        return accepted({"id": webhook_id})

    @app.post("/v1/webhooks/<webhook_id>/test")
    def post_test(webhook_id: WebhookPath) -> Answer:
        """Post it an event that says nothing; how it went is in its health. Needs the scope `admin`."""
        outlet = _outlet(app, wiring)
        event_id = webhooks.try_webhook(webhook_id, outlet=outlet, new_nonce=wiring.context.new_nonce)
        return accepted({"id": event_id})


def _outlet(app: APIGatewayHttpResolver, wiring: Wiring) -> Outlet:
    """For administrators. Raises NotFound where the deployment has no webhooks."""
    wiring.admin(app)
    if wiring.outlet is None:
        raise NotFound("This deployment has no webhooks: its configuration says so (`events`)")
    return wiring.outlet
