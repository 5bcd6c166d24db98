"""The HTTP API: one Lambda behind one catch-all route, which answers preflights, too (functions/rest/answers.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.domains import close_default_endpoint, serve_by_domain
from infra.logs import enable_access_log

if TYPE_CHECKING:
    from infra.connections import Connections
    from infra.files import Files
    from infra.function import FunctionFactory
    from infra.identity import Identity
    from infra.queues import Queues
    from infra.reminders import Reminders
    from infra.screening import Screening
    from infra.storage import Storage


class RestApi(Construct):
    """Everything that isn't a live connection. The Lambda routes, and verifies the bearer token of every request."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: FunctionFactory,
        storage: Storage,
        identity: Identity,
        connections: Connections,
        queues: Queues,
        files: Files,
        reminders: Reminders,
        screening: Screening,
    ) -> None:
        super().__init__(scope, construct_id)
        config, target = functions.config, functions.target
        self.rest = functions.make(
            self,
            "Rest",
            folder="rest",
            description="Parley: the HTTP API",
            environment={
                **storage.environment("log", "members", "sessions", "tickets"),
                **connections.environment,
                **identity.environment,
                **config.environment("message_rate", "message_burst", "edit_window_s"),
                **config.retention,
                **config.environment("invite_rate", "invite_burst"),
                **config.environment(
                    "users_visible", "group_limit", "channel_members", "inline_limit", "receipts_limit"
                ),
                **config.environment("text_limit", "mention_limit", "page_limit", "permissions", "request_log"),
                "ALLOWED_ORIGINS": ",".join(config.allowed_origins),
                **config.environment("device_limit", "reminder_limit", "audit_days", "own_exports"),
                **config.environment("image_limit", "file_limit", "file_quota"),
                **files.environment,
                **reminders.environment,
                **screening.environment,
                **queues.look_environment,
                "WEB_PUSH_KEY": config.web_push_key,
                "LOCAL_WEB_PUSH": config.local_web_push,
                "FAN_OUT_QUEUE_URL": queues.fan_out.queue.queue_url,
                **queues.event_environment,
                **config.environment("events", "receipt_events", "presence_events"),
                **queues.presence_environment,
            },
            timeout_seconds=29,
            memory_mb=512,
        )
        self.rest.allow_items(storage.log, "BatchGetItem", "PutItem", "Query", "UpdateItem")
        self.rest.allow_items(
            storage.members,
            *("BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"),
        )
        self.rest.allow_items(storage.sessions, "BatchGetItem", "UpdateItem")
        self.rest.allow_items(storage.tickets, "PutItem")
        connections.allow(self.rest, closing=True)
        queues.presence_checks.allow_sending(self.rest)
        for queue in (queues.looks, queues.fan_out):
            queue.allow_sending(self.rest)
        if queues.errands:
            queues.errands.allow_sending(self.rest)
        files.allow_signing(self.rest)
        files.allow_listing(self.rest)
        reminders.allow_scheduling(self.rest)
        identity.allow_reading_secret(self.rest)
        screening.allow(self.rest)

        self.api = gateway.HttpApi(
            self,
            "Api",
            description="Parley: all that is not a live connection",
            create_default_stage=False,
        )
        route = gateway.HttpRoute(
            self,
            "Default",
            http_api=self.api,
            route_key=gateway.HttpRouteKey.DEFAULT,
            integration=integrations.HttpLambdaIntegration("RestIntegration", self.rest.resource),
        )
        self.stage = gateway.HttpStage(
            self,
            "Stage",
            http_api=self.api,
            stage_name="$default",
            auto_deploy=True,
            throttle=gateway.ThrottleSettings(rate_limit=config.throttle_rate, burst_limit=config.throttle_burst),
        )
        self.stage.node.add_dependency(route)
        self.access_log = enable_access_log(self.stage, config=config, target=target, kind="http")
        acknowledge(
            route,
            {
                "AwsSolutions-APIG4": "The Lambda verifies the bearer token itself: the same code as the WebSocket "
                "handshake, and /v1/health needs no token."
            },
        )
        close_default_endpoint(self.api, config)
        if target.http_domain:
            serve_by_domain(
                self,
                api=self.api,
                stage=self.stage,
                domain_name=target.http_domain,
                certificate_arn=config.http_certificate,
                output="HttpDomainTarget",
            )
        self.url = target.http_url(self.api.api_id)
