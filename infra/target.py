"""Where the stack runs: an AWS account or the laptop's emulator. Every difference between the two is in this file."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import Aws
from aws_cdk import aws_lambda as lambda_

if TYPE_CHECKING:
    from infra.config import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the constructs need to know about the place they are deployed to."""

    runtime: lambda_.Runtime
    architecture: lambda_.Architecture
    endpoint: str
    """The emulator's address, empty on AWS."""
    web_socket_domain: str
    http_domain: str
    """The domains that the APIs are put under, empty where they have the addresses that the gateway made."""
    has_route_responses: bool
    """The emulator's CloudFormation lacks AWS::ApiGatewayV2::RouteResponse; it sends a Lambda's reply back anyway."""
    has_access_logs: bool
    """The emulator writes none, so the log groups and the gateway's role would only slow the deployment down."""
    has_metric_math: bool
    """The emulator's alarms watch one metric each; none of them ever rings."""

    @property
    def function_environment(self) -> dict[str, str]:
        """What every function needs beyond its own settings: the emulator's address, where there is one."""
        return {"AWS_ENDPOINT_URL": self.endpoint} if self.endpoint else {}

    def connections_endpoint(self, api_id: str, stage: str) -> str:
        """Where the functions post to connections: through the API's domain, which names the stage by itself."""
        if self.endpoint:
            return self._local_url(api_id, stage)
        if self.web_socket_domain:
            return f"https://{self.web_socket_domain}"
        return f"https://{api_id}.execute-api.{Aws.REGION}.{Aws.URL_SUFFIX}/{stage}"

    def web_socket_url(self, api_id: str, stage: str) -> str:
        if self.endpoint:
            return self._local_url(api_id, stage).replace("http", "ws", 1)
        if self.web_socket_domain:
            return f"wss://{self.web_socket_domain}"
        return f"wss://{api_id}.execute-api.{Aws.REGION}.{Aws.URL_SUFFIX}/{stage}"

    def http_url(self, api_id: str) -> str:
        if self.endpoint:
            return self._local_url(api_id, "$default")
        if self.http_domain:
            return f"https://{self.http_domain}"
        return f"https://{api_id}.execute-api.{Aws.REGION}.{Aws.URL_SUFFIX}"

    @property
    def buckets_origin(self) -> str:
        """Where the buckets of this place are, for a content security policy."""
        return self.endpoint or f"https://*.s3.{Aws.REGION}.{Aws.URL_SUFFIX}"

    def _local_url(self, api_id: str, stage: str) -> str:
        return f"{self.endpoint}/_aws/execute-api/{api_id}/{stage}"


def target_of(config: Config) -> Target:
    if config.is_local:
        return Target(
            runtime=lambda_.Runtime(
                f"python{sys.version_info.major}.{sys.version_info.minor}", lambda_.RuntimeFamily.PYTHON
            ),
            architecture=_host_architecture(),
            endpoint=config.local_endpoint,
            web_socket_domain="",
            http_domain="",
            has_route_responses=False,
            has_access_logs=False,
            has_metric_math=False,
        )
    return Target(
        runtime=lambda_.Runtime.PYTHON_3_13,
        architecture=lambda_.Architecture.ARM_64,
        endpoint="",
        web_socket_domain=config.domain_name,
        http_domain=config.http_domain_name,
        has_route_responses=True,
        has_access_logs=True,
        has_metric_math=True,
    )


def _host_architecture() -> lambda_.Architecture:
    is_arm = platform.machine().lower() in {"arm64", "aarch64"}
    return lambda_.Architecture.ARM_64 if is_arm else lambda_.Architecture.X86_64
