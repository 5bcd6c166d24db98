"""The stage of the WebSocket API: what it waits for, its throttles and its logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_apigateway as gateway_v1
from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_iam as iam

from infra.acknowledge import acknowledge_managed_policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

    from infra.config import Config
    from infra.target import Target

# Execution logs and data traces would write queries (tickets) and frames (content) to CloudWatch.
_NO_LOGS = {"LoggingLevel": "OFF", "DataTraceEnabled": False}


def make_stage(
    scope: Construct,
    *,
    api: gateway.WebSocketApi,
    routes: Mapping[str, gateway.WebSocketRoute],
    config: Config,
    target: Target,
) -> gateway.WebSocketStage:
    """Deploy the API under the configured name. `routes`: all of its routes by their keys."""
    stage = gateway.WebSocketStage(
        scope,
        "Stage",
        web_socket_api=api,
        stage_name=config.stage,
        auto_deploy=True,
        throttle=gateway.ThrottleSettings(rate_limit=config.throttle_rate, burst_limit=config.throttle_burst),
    )
    resource = cast("gateway.CfnStage", stage.node.default_child)
    for name, value in _NO_LOGS.items():
        resource.add_property_override(f"DefaultRouteSettings.{name}", value)
    _throttle_routes(resource, config)
    # A stage deploys what its API has at that moment. Each route or route response that came later would bring a
    # further deployment, of which API Gateway refuses many at once; and a route's settings need a route that is there.
    stage.node.add_dependency(*routes.values())
    if target.has_access_logs and config.logs_frames and config.gateway_logs_role == "create":
        stage.node.add_dependency(_account_logs_role(scope))
    return stage


def _throttle_routes(resource: gateway.CfnStage, config: Config) -> None:
    """A route with settings of its own takes none from the default ones."""
    resource.route_settings = {
        throttle.route: {
            "ThrottlingRateLimit": throttle.rate,
            "ThrottlingBurstLimit": throttle.burst,
            **_NO_LOGS,
        }
        for throttle in config.route_throttles
    }


def _account_logs_role(scope: Construct) -> gateway_v1.CfnAccount:
    """Let API Gateway write WebSocket access logs: a setting of the whole account and region, so it is never removed.

    Not even when the deployment that makes it fails: the account would go on naming a role that is gone. Without it the
    first deployment of a WebSocket stage with access logs fails. `make deploy` sees to it that it replaces no other.
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
