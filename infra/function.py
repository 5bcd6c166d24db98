"""The one factory for a Lambda: its bundle, its environment, its own role, its own log group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import AssetHashType, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.logs import log_group

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_dynamodb as dynamodb

    from infra.bundling import Bundle
    from infra.config import Config
    from infra.target import Target

_NO_ASYNCHRONOUS_INVOCATION = (
    "Never invoked asynchronously: API Gateway waits for the answer, and what the stream and the queues hand over "
    "again and again ends in failure queues."
)
_REASONS = {
    "AwsSolutions-L1": "python3.13 is the version that the bundles' bytecode is compiled and measured for; "
    "docs/adr/0004-packaging.md.",
    "Serverless-LambdaLatestVersion": "python3.13 is the version that the bundles' bytecode is compiled and measured "
    "for; docs/adr/0004-packaging.md.",
}
_NOT_TRACED = {
    "Serverless-LambdaTracing": "A trace costs more than the Lambda it describes and needs a permission on '*'; the "
    "logs carry the request ids. `tracing=on` has them.",
}
_TRACED = {"AwsSolutions-IAM5[Resource::*]": "X-Ray takes traces for no resource that a policy could name."}
_SYNCHRONOUS_REASONS = {
    "Serverless-LambdaDLQ": _NO_ASYNCHRONOUS_INVOCATION,
    "Serverless-LambdaAsyncFailureDestination": _NO_ASYNCHRONOUS_INVOCATION,
}
_ASYNCHRONOUS_REASONS = {
    "Serverless-LambdaDLQ": "It has a destination for failures, which also says what went wrong.",
}


class Function(Construct):
    """A Lambda function whose role may do nothing but write its own log, until `allow` adds a statement."""

    resource: lambda_.Function
    memory_mb: int

    def __init__(self, scope: Construct, construct_id: str, *, config: Config) -> None:
        """Its log and its role. `FunctionFactory` makes the `resource` with them."""
        super().__init__(scope, construct_id)
        self.log_group = log_group(self, "Log", config)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        # Not the managed AWSLambdaBasicExecutionRole: that one may write to, and create, any log group.
        self.allow(["logs:CreateLogStream", "logs:PutLogEvents"], self.log_group.log_group_arn)

    def allow(
        self, actions: Sequence[str], resource_arn: str, *, conditions: Mapping[str, object] | None = None
    ) -> None:
        """Let this function do exactly these actions on exactly this resource."""
        self.role.add_to_principal_policy(
            iam.PolicyStatement(actions=[*actions], resources=[resource_arn], conditions=conditions)
        )

    def allow_items(self, table: dynamodb.Table, *operations: str) -> None:
        """Let this function do exactly these operations of DynamoDB on the items of this table."""
        self.allow([f"dynamodb:{operation}" for operation in operations], table.table_arn)


@dataclass(frozen=True, slots=True)
class FunctionFactory:
    """Makes a deployment's functions: the same runtime, levels of logging and reasons for what they do without.

    What must be bounded is bounded where it is fed, by the gateways' throttles and by the most consumers that a queue
    may have. `bundles` has one entry a folder of functions/.
    """

    config: Config
    target: Target
    bundles: Mapping[str, Bundle]

    def make(
        self,
        scope: Construct,
        construct_id: str,
        *,
        folder: str,
        module: str = "handler",
        environment: Mapping[str, str],
        timeout_seconds: int,
        memory_mb: int,
        description: str,
        is_asynchronous: bool = False,
        reserved_concurrency: int = 0,
    ) -> Function:
        """The function that is called `handler` in a module of `functions/<folder>/`.

        `is_asynchronous`: it is invoked by events, and the construct that asks for it says where failed ones go.
        `reserved_concurrency`: so many invocations are kept for it alone, and it never has more; 0: none are.
        """
        config, target, bundle = self.config, self.target, self.bundles[folder]
        function = Function(scope, construct_id, config=config)
        function.memory_mb = memory_mb
        function.resource = lambda_.Function(
            function,
            "Function",
            description=description,
            # The digest is of the content; CDK's own would also change with the bytecode's insignificant bits.
            code=lambda_.Code.from_asset(
                str(bundle.path), asset_hash=bundle.digest, asset_hash_type=AssetHashType.CUSTOM
            ),
            handler=f"functions.{folder}.{module}.handler",
            runtime=target.runtime,
            architecture=target.architecture,
            role=function.role,
            log_group=function.log_group,
            environment={
                **environment,
                "LOG_LEVEL": config.log_level,
                "STAGE": config.stage,
                "TLS_ROOTS": config.tls_roots,
                **target.function_environment,
            },
            timeout=Duration.seconds(timeout_seconds),
            memory_size=memory_mb,
            reserved_concurrent_executions=reserved_concurrency or None,
            tracing=lambda_.Tracing.ACTIVE if config.tracing == "on" else None,
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=_application_level(config),
            system_log_level_v2=_system_level(config),
        )
        reasons = _ASYNCHRONOUS_REASONS if is_asynchronous else _SYNCHRONOUS_REASONS
        acknowledge(function.resource, _REASONS | reasons | ({} if config.tracing == "on" else _NOT_TRACED))
        if config.tracing == "on":
            acknowledge(function.role, _TRACED)
        return function


def _application_level(config: Config) -> lambda_.ApplicationLogLevel:
    """The logger filters by LOG_LEVEL itself; Lambda takes a line that it can't rate for INFO, so INFO passes."""
    return lambda_.ApplicationLogLevel.DEBUG if config.log_level == "DEBUG" else lambda_.ApplicationLogLevel.INFO


def _system_level(config: Config) -> lambda_.SystemLogLevel:
    """Lambda's own START, END and REPORT lines would cost about as much as the invocation: failures only."""
    return lambda_.SystemLogLevel.INFO if config.log_level == "DEBUG" else lambda_.SystemLogLevel.WARN
