"""The domains that the APIs may be put under. The DNS records that point to them stay with the domains' owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_certificatemanager as acm

if TYPE_CHECKING:
    from constructs import Construct

    from infra.config import Config


def serve_by_domain(
    scope: Construct,
    *,
    api: gateway.IApi,
    stage: gateway.IStage,
    domain_name: str,
    certificate_arn: str,
    output: str,
) -> None:
    """Serve the API by a domain of its own: API Gateway has no domain for a WebSocket and an HTTP API together.

    `output` names the stack's output with what the domain's DNS record has to point to.
    """
    domain = gateway.DomainName(
        scope,
        "Domain",
        domain_name=domain_name,
        certificate=acm.Certificate.from_certificate_arn(scope, "Certificate", certificate_arn),
        security_policy=gateway.SecurityPolicy.TLS_1_2,
    )
    gateway.ApiMapping(scope, "Mapping", api=api, domain_name=domain, stage=stage)
    CfnOutput(Stack.of(scope), output, value=domain.regional_domain_name)


def close_default_endpoint(api: gateway.WebSocketApi | gateway.HttpApi, config: Config) -> None:
    """Where it is configured, have the API answer by its domain alone, and not by the address that the gateway made."""
    if config.default_endpoints == "off" and not config.is_local:
        resource = cast("gateway.CfnApi", api.node.default_child)
        resource.disable_execute_api_endpoint = True
