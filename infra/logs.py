"""Log groups, and access logs that name no person.

The query string of a handshake carries the ticket, the path of a request carries user ids, and an address is personal
data: none of them is logged, neither by access logs nor by the gateway's execution logs, which stay off.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, Literal, cast

from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_logs as logs

from infra.acknowledge import acknowledge
from infra.removal import removal_of

if TYPE_CHECKING:
    from constructs import Construct

    from infra.config import Config
    from infra.target import Target

_COMMON: Final = {
    "requestId": "$context.requestId",
    "time": "$context.requestTimeEpoch",
    "routeKey": "$context.routeKey",
    "status": "$context.status",
    "error": "$context.error.message",
    "integrationError": "$context.integrationErrorMessage",
    "integrationLatency": "$context.integrationLatency",
}
_FIELDS: Final = {
    "http": {**_COMMON, "method": "$context.httpMethod", "responseLength": "$context.responseLength"},
    "websocket": {**_COMMON, "eventType": "$context.eventType", "connectionId": "$context.connectionId"},
}
_RETENTION: Final = {
    1: logs.RetentionDays.ONE_DAY,
    3: logs.RetentionDays.THREE_DAYS,
    5: logs.RetentionDays.FIVE_DAYS,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    120: logs.RetentionDays.FOUR_MONTHS,
    150: logs.RetentionDays.FIVE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    400: logs.RetentionDays.THIRTEEN_MONTHS,
    545: logs.RetentionDays.EIGHTEEN_MONTHS,
    731: logs.RetentionDays.TWO_YEARS,
    1827: logs.RetentionDays.FIVE_YEARS,
    3653: logs.RetentionDays.TEN_YEARS,
}


def log_group(scope: Construct, construct_id: str, config: Config) -> logs.LogGroup:
    """A log group with the configured retention. Its generated name never meets one that a stack left behind."""
    return logs.LogGroup(
        scope,
        construct_id,
        retention=_RETENTION[config.log_retention_days],
        removal_policy=removal_of(config),
    )


def enable_access_log(
    stage: gateway.HttpStage | gateway.WebSocketStage,
    *,
    config: Config,
    target: Target,
    kind: Literal["http", "websocket"],
) -> logs.LogGroup | None:
    """Write one JSON line for each request or frame to a log group of the stage's own, if the target has them."""
    is_wanted = config.access_log != "off" if kind == "http" else config.logs_frames
    if not (target.has_access_logs and is_wanted):
        reason = "The emulator writes none; on AWS they are a choice: access_log in docs/configuration.md."
        acknowledge(stage, {"AwsSolutions-APIG1": reason, "Serverless-APIGWAccessLogging": reason})
        return None
    group = log_group(stage, "AccessLog", config)
    resource = cast("gateway.CfnStage", stage.node.default_child)
    resource.access_log_settings = gateway.CfnStage.AccessLogSettingsProperty(
        destination_arn=group.log_group_arn, format=json.dumps(_FIELDS[kind], separators=(",", ":"))
    )
    return group
