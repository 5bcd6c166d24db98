"""The WebSocket API: the handshake, the frames, and how replies go back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.connections import Connections
from infra.domains import close_default_endpoint, serve_by_domain
from infra.logs import enable_access_log
from infra.routes import FRAME_ROUTES, UNANSWERED_ROUTES
from infra.websocket_stage import make_stage

if TYPE_CHECKING:
    from infra.function import Function, FunctionFactory
    from infra.identity import Identity
    from infra.queues import Queues
    from infra.screening import Screening
    from infra.storage import Storage


class WebSocketApi(Construct):
    """`$connect` asks the authorizer; every frame goes to one Lambda, whose return value is the reply."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: FunctionFactory,
        storage: Storage,
        identity: Identity,
        queues: Queues,
        screening: Screening,
    ) -> None:
        super().__init__(scope, construct_id)
        config, target = functions.config, functions.target
        self._functions = functions
        self._config = config
        self._storage = storage
        self._queues = queues
        self._screening = screening
        self.api = gateway.WebSocketApi(
            self, "Api", description="Parley: live connections", route_selection_expression="$request.body.type"
        )
        close_default_endpoint(self.api, config)
        self.connections = Connections(self.api, config=config, target=target)
        self.authorizer = self._authorizer(identity)
        self.connect = self._connect()
        self.disconnect = self._disconnect()
        self.message = self._message(identity)
        self.stage = make_stage(self, api=self.api, routes=self._routes(), config=config, target=target)
        self.access_log = enable_access_log(self.stage, config=config, target=target, kind="websocket")
        if target.web_socket_domain:
            serve_by_domain(
                self,
                api=self.api,
                stage=self.stage,
                domain_name=target.web_socket_domain,
                certificate_arn=config.certificate_arn,
                output="WsDomainTarget",
            )
        self.url = target.web_socket_url(self.api.api_id, config.stage)

    @property
    def functions(self) -> tuple[Function, ...]:
        return (self.authorizer, self.connect, self.disconnect, self.message)

    def _authorizer(self, identity: Identity) -> Function:
        function = self._functions.make(
            self,
            "Authorizer",
            folder="connect",
            module="authorizer",
            description="Parley: who may open a connection",
            environment={
                **self._storage.environment("tickets"),
                **identity.environment,
                "ALLOWED_ORIGINS": ",".join(self._config.allowed_origins),
                **self._config.environment("request_log"),
            },
            timeout_seconds=5,
            memory_mb=512,
            reserved_concurrency=self._config.connect_concurrency,
        )
        function.allow_items(self._storage.tickets, "DeleteItem")
        identity.allow_reading_secret(function)
        return function

    def _connect(self) -> Function:
        function = self._functions.make(
            self,
            "Connect",
            folder="connect",
            description="Parley: registers a connection",
            environment={
                **self._storage.environment("log", "sessions", "members"),
                **self.connections.environment,
                **self._config.environment("connection_limit", "request_log", "presence_events"),
                **self._queues.presence_environment,
            },
            # The core relies on it: a 410 for a connection younger than this is no proof of death.
            timeout_seconds=5,
            memory_mb=512,
            reserved_concurrency=self._config.connect_concurrency,
        )
        is_told = self._config.presence_events == "on"
        function.allow_items(self._storage.sessions, "UpdateItem", *(("BatchGetItem",) if is_told else ()))
        function.allow_items(self._storage.members, "BatchGetItem", "BatchWriteItem", "DeleteItem", "Query")
        function.allow_items(self._storage.log, "Query", *(("PutItem",) if is_told else ()))
        self.connections.allow(function, closing=True)
        self._queues.presence_checks.allow_sending(function)
        return function

    def _disconnect(self) -> Function:
        function = self._functions.make(
            self,
            "Disconnect",
            folder="disconnect",
            description="Parley: forgets a connection",
            environment={
                **self._storage.environment("sessions"),
                **self._queues.presence_environment,
                **self._config.environment("request_log"),
            },
            timeout_seconds=10,
            memory_mb=256,
        )
        function.allow_items(self._storage.sessions, "UpdateItem")
        self._queues.presence_checks.allow_sending(function)
        return function

    def _message(self, identity: Identity) -> Function:
        storage, config = self._storage, self._config
        function = self._functions.make(
            self,
            "Message",
            folder="message",
            description="Parley: every frame that a client sends",
            environment={
                **storage.environment("log", "members", "sessions"),
                **self.connections.environment,
                **identity.environment,
                **config.environment("connection_limit", "message_rate", "message_burst", "abuse_limit"),
                **config.environment("edit_window_s", "inline_limit", "receipts_limit", "receipt_events"),
                **config.environment("presence_events"),
                **config.retention,
                **config.environment("text_limit", "mention_limit", "page_limit", "permissions"),
                **config.environment("frame_limit", "reply_limit", "frame_rate", "frame_burst", "request_log"),
                **self._queues.presence_environment,
                **self._screening.environment,
            },
            timeout_seconds=29,
            memory_mb=config.message_memory_mb,
            reserved_concurrency=config.message_concurrency,
        )
        function.allow_items(storage.log, "BatchGetItem", "PutItem", "Query", "UpdateItem")
        function.allow_items(
            storage.members,
            *("BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"),
        )
        function.allow_items(storage.sessions, "BatchGetItem", "UpdateItem")
        self.connections.allow(function, closing=True)
        self._queues.presence_checks.allow_sending(function)
        identity.allow_reading_secret(function)
        self._screening.allow(function)
        return function

    def _routes(self) -> dict[str, gateway.WebSocketRoute]:
        """Route key → route."""
        # No identity sources: one that is named must be present, and a client sends a header or a ticket.
        authorizer = authorizers.WebSocketLambdaAuthorizer(
            "ConnectAuthorizer", self.authorizer.resource, identity_source=[]
        )
        connect = gateway.WebSocketRoute(
            self,
            "ConnectRoute",
            web_socket_api=self.api,
            route_key="$connect",
            integration=integrations.WebSocketLambdaIntegration("ConnectIntegration", self.connect.resource),
            authorizer=authorizer,
        )
        disconnect = integrations.WebSocketLambdaIntegration("DisconnectIntegration", self.disconnect.resource)
        message = integrations.WebSocketLambdaIntegration("MessageIntegration", self.message.resource)
        reply = self._functions.target.has_route_responses
        return {
            "$connect": connect,
            "$disconnect": self._unauthorized_route("$disconnect", disconnect, reply=False),
            **{
                key: self._unauthorized_route(key, message, reply=reply and key not in UNANSWERED_ROUTES)
                for key in FRAME_ROUTES
            },
        }

    def _unauthorized_route(
        self, key: str, integration: gateway.WebSocketRouteIntegration, *, reply: bool
    ) -> gateway.WebSocketRoute:
        route = gateway.WebSocketRoute(
            self,
            f"{key.strip('$').capitalize()}Route",
            web_socket_api=self.api,
            route_key=key,
            integration=integration,
            return_response=reply,
        )
        acknowledge(
            route,
            {
                "AwsSolutions-APIG4": "API Gateway authorizes a WebSocket on $connect only; the authorizer's context "
                "comes with every later event, and the Lambda rechecks the expiry."
            },
        )
        return route
