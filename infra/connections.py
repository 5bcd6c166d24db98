"""The live connections as the functions see them: where to post, and leave to do so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack

from infra.acknowledge import acknowledge_wildcard

if TYPE_CHECKING:
    from aws_cdk import aws_apigatewayv2 as gateway

    from infra.config import Config
    from infra.function import Function
    from infra.target import Target


class Connections:
    """Refers to the API and the stage's name, not to the stage: a function that posts does not wait for it."""

    def __init__(self, api: gateway.WebSocketApi, *, config: Config, target: Target) -> None:
        self._api = api
        self._stage_name = config.stage
        self.environment = {
            "CONNECTIONS_ENDPOINT": target.connections_endpoint(api.api_id, config.stage),
            **config.environment("fan_out_ms"),
        }

    def allow(self, function: Function, *, closing: bool = False) -> None:
        """Post to the connections of this stage, and close them; not read who they are."""
        for method in ("POST", "DELETE") if closing else ("POST",):
            arn = Stack.of(function).format_arn(
                service="execute-api",
                resource=self._api.api_id,
                resource_name=f"{self._stage_name}/{method}/@connections/*",
            )
            function.allow(["execute-api:ManageConnections"], arn)
            acknowledge_wildcard(
                function.role, arn, "The gateway makes connection ids at run time; the rest of the ARN is exact."
            )
