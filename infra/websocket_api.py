"""The WebSocket API: the handshake, the frames, and how replies go back."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as gateway_v1
from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.acknowledge import acknowledge, acknowledge_managed_policy, acknowledge_wildcard
from infra.function import Function
from infra.logs import enable_access_log

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.bundling import Bundle
    from infra.config import Config
    from infra.identity import Identity
    from infra.storage import Storage
    from infra.target import Target

FRAME_ROUTES = ("message", "read", "delivered", "sync", "ping", "$default")


class WebSocketApi(Construct):
    """`$connect` asks the authorizer; every frame goes to one Lambda, whose return value is the reply."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: Config,
        target: Target,
        storage: Storage,
        identity: Identity,
        bundles: Mapping[str, Bundle],
    ) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        self._target = target
        self._storage = storage
        self._bundles = bundles
        self.api = gateway.WebSocketApi(
            self, "Api", description="Parley: live connections", route_selection_expression="$request.body.type"
        )
        self._connections_endpoint = target.connections_endpoint(self.api.api_id, config.stage)
        self.authorizer = self._authorizer(identity)
        self.connect = self._connect()
        self.disconnect = self._disconnect()
        self.message = self._message()
        self._routes()
        self.stage = self._stage()
        self.url = (
            self._custom_url()
            if config.domain_name and not config.is_local
            else target.web_socket_url(self.api.api_id, config.stage)
        )

    @property
    def functions(self) -> tuple[Function, ...]:
        return (self.authorizer, self.connect, self.disconnect, self.message)

    def _function(
        self,
        construct_id: str,
        *,
        bundle: str,
        handler: str,
        environment: Mapping[str, str],
        timeout_seconds: int,
        memory_mb: int,
        description: str,
    ) -> Function:
        return Function(
            self,
            construct_id,
            config=self._config,
            target=self._target,
            bundle=self._bundles[bundle],
            handler=handler,
            environment={**environment, "LOG_LEVEL": self._config.log_level},
            timeout_seconds=timeout_seconds,
            memory_mb=memory_mb,
            description=description,
        )

    def _authorizer(self, identity: Identity) -> Function:
        function = self._function(
            "Authorizer",
            bundle="connect",
            handler="functions.connect.authorizer.handler",
            description="Parley: who may open a connection",
            environment={
                "TICKETS_TABLE": self._storage.tickets.table_name,
                **identity.environment,
                "ALLOWED_ORIGINS": ",".join(self._config.allowed_origins),
            },
            timeout_seconds=5,
            memory_mb=512,
        )
        function.allow(["dynamodb:DeleteItem"], self._storage.tickets.table_arn)
        identity.allow_reading_secret(function)
        return function

    def _connect(self) -> Function:
        function = self._function(
            "Connect",
            bundle="connect",
            handler="functions.connect.handler.handler",
            description="Parley: registers a connection",
            environment={
                "SESSIONS_TABLE": self._storage.sessions.table_name,
                "CONNECTIONS_ENDPOINT": self._connections_endpoint,
                "CONNECTION_LIMIT": str(self._config.connection_limit),
            },
            # The core relies on it: a 410 for a connection younger than this is no proof of death.
            timeout_seconds=5,
            memory_mb=512,
        )
        function.allow(["dynamodb:UpdateItem"], self._storage.sessions.table_arn)
        self._allow_connections(function)
        return function

    def _disconnect(self) -> Function:
        function = self._function(
            "Disconnect",
            bundle="disconnect",
            handler="functions.disconnect.handler.handler",
            description="Parley: forgets a connection",
            environment={"SESSIONS_TABLE": self._storage.sessions.table_name},
            timeout_seconds=10,
            memory_mb=256,
        )
        function.allow(["dynamodb:UpdateItem"], self._storage.sessions.table_arn)
        return function

    def _message(self) -> Function:
        storage = self._storage
        function = self._function(
            "Message",
            bundle="message",
            handler="functions.message.handler.handler",
            description="Parley: every frame that a client sends",
            environment={
                "LOG_TABLE": storage.log.table_name,
                "MEMBERS_TABLE": storage.members.table_name,
                "SESSIONS_TABLE": storage.sessions.table_name,
                "CONNECTIONS_ENDPOINT": self._connections_endpoint,
                "CONNECTION_LIMIT": str(self._config.connection_limit),
            },
            timeout_seconds=29,
            memory_mb=512,
        )
        read = "dynamodb:BatchGetItem"
        function.allow([read, "dynamodb:PutItem", "dynamodb:Query"], storage.log.table_arn)
        function.allow([read, "dynamodb:Query", "dynamodb:UpdateItem"], storage.members.table_arn)
        function.allow([read, "dynamodb:UpdateItem"], storage.sessions.table_arn)
        self._allow_connections(function)
        return function

    def _allow_connections(self, function: Function) -> None:
        """Post to and close the connections of this stage; not read who they are."""
        for method in ("POST", "DELETE"):
            arn = Stack.of(self).format_arn(
                service="execute-api",
                resource=self.api.api_id,
                resource_name=f"{self._config.stage}/{method}/@connections/*",
            )
            function.allow(["execute-api:ManageConnections"], arn)
            acknowledge_wildcard(
                function.role, arn, "The gateway makes connection ids at run time; the rest of the ARN is exact."
            )

    def _routes(self) -> None:
        # No identity sources: one that is named must be present, and a client sends a header or a ticket.
        authorizer = authorizers.WebSocketLambdaAuthorizer(
            "ConnectAuthorizer", self.authorizer.resource, identity_source=[]
        )
        gateway.WebSocketRoute(
            self,
            "ConnectRoute",
            web_socket_api=self.api,
            route_key="$connect",
            integration=integrations.WebSocketLambdaIntegration("ConnectIntegration", self.connect.resource),
            authorizer=authorizer,
        )
        disconnect = integrations.WebSocketLambdaIntegration("DisconnectIntegration", self.disconnect.resource)
        self._unauthorized_route("$disconnect", disconnect, reply=False)
        message = integrations.WebSocketLambdaIntegration("MessageIntegration", self.message.resource)
        for key in FRAME_ROUTES:
            self._unauthorized_route(key, message, reply=self._target.has_route_responses)

    def _unauthorized_route(self, key: str, integration: gateway.WebSocketRouteIntegration, *, reply: bool) -> None:
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

    def _stage(self) -> gateway.WebSocketStage:
        stage = gateway.WebSocketStage(
            self,
            "Stage",
            web_socket_api=self.api,
            stage_name=self._config.stage,
            auto_deploy=True,
            throttle=gateway.ThrottleSettings(
                rate_limit=self._config.throttle_rate, burst_limit=self._config.throttle_burst
            ),
        )
        resource = cast("gateway.CfnStage", stage.node.default_child)
        # Execution logs and data traces would write queries (tickets) and frames (content) to CloudWatch.
        resource.add_property_override("DefaultRouteSettings.LoggingLevel", "OFF")
        resource.add_property_override("DefaultRouteSettings.DataTraceEnabled", value=False)
        enable_access_log(stage, config=self._config, target=self._target, kind="websocket")
        if self._target.has_access_logs and self._config.gateway_logs_role == "create":
            stage.node.add_dependency(_account_logs_role(self))
        return stage

    def _custom_url(self) -> str:
        """Put the API under the configured domain; the DNS record that points to it stays with the domain's owner."""
        domain = gateway.DomainName(
            self,
            "Domain",
            domain_name=self._config.domain_name,
            certificate=acm.Certificate.from_certificate_arn(self, "Certificate", self._config.certificate_arn),
            security_policy=gateway.SecurityPolicy.TLS_1_2,
        )
        gateway.ApiMapping(self, "Mapping", api=self.api, domain_name=domain, stage=self.stage)
        CfnOutput(Stack.of(self), "WsDomainTarget", value=domain.regional_domain_name)
        return f"wss://{self._config.domain_name}"


def _account_logs_role(scope: Construct) -> gateway_v1.CfnAccount:
    """Let API Gateway write WebSocket access logs: a setting of the whole account and region, so it is never removed.

    Without it the first deployment of a WebSocket stage with access logs fails.
    """
    policy = iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AmazonAPIGatewayPushToCloudWatchLogs")
    role = iam.Role(
        scope,
        "GatewayLogsRole",
        assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
        managed_policies=[policy],
    )
    role.apply_removal_policy(RemovalPolicy.RETAIN)
    acknowledge_managed_policy(
        role,
        policy,
        "The account's one role for all of API Gateway's logs; it checks that the role may do what this policy lists.",
    )
    account = gateway_v1.CfnAccount(scope, "GatewayAccount", cloud_watch_role_arn=role.role_arn)
    account.apply_removal_policy(RemovalPolicy.RETAIN)
    return account
