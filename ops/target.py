"""The deployed stack that a command is about, on the laptop or in AWS, and how to talk to it."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from local import deployment, server
from local.causes import AWS
from local.console import fact
from local.errors import CommandError
from local.settings import REGION, Settings

Clients = Callable[[str], Any]
"""Makes a client of a service, by its name."""

# The longest that a function may take.
PATIENCE_SECONDS = 900


@dataclass(frozen=True)
class Target:
    """A stack; `connect` makes a client of a service. For a message, `wait_seconds` have AWS ask all of its servers."""

    stack_name: str
    connect: Clients
    wait_seconds: int


def on_this_machine(settings: Settings) -> Target:
    """The laptop stack.

    Raises:
        CommandError: it is not running.

    """
    running = server.find(settings)
    if running is None:
        raise CommandError(
            "The stack is not running", "Start it with: make up (or say that you mean the one in AWS: AWS=1)"
        )
    address = replace(settings, port=running.port).address  # whatever PARLEY_PORT says by now
    return Target(deployment.STACK_NAME, connect(address, REGION), wait_seconds=0)


def in_aws() -> Target:
    """The stack of PARLEY_STAGE in the account of the user's credentials, after saying which that is."""
    account, region = identity()
    fact("account", f"{account}, region {region}")
    return Target(stack_name(), connect(None, region), wait_seconds=1)


def stack_name() -> str:
    return f"Parley-{os.environ.get('PARLEY_STAGE') or 'prod'}"


def identity() -> tuple[str, str]:
    """The account and region that the user's credentials lead to. Raises botocore's errors, which `causes` explains."""
    import boto3
    from botocore.config import Config

    # The SDKs for other languages, and so the CDK, read AWS_REGION; Python's reads AWS_DEFAULT_REGION.
    session = boto3.Session(region_name=os.environ.get("AWS_REGION") or None)
    if session.region_name is None:
        raise CommandError("No AWS region is set", AWS["NoRegionError"])
    quick = Config(connect_timeout=10, read_timeout=20, retries={"total_max_attempts": 2})
    account: str = session.client("sts", config=quick).get_caller_identity()["Account"]
    return account, session.region_name


@dataclass(frozen=True)
class Resource:
    """A resource of a stack: its type, its name in the template, and what AWS calls it (empty: nothing was made)."""

    kind: str
    logical_id: str
    physical_id: str


def resources_of(stack_name: str, clients: Clients) -> list[Resource]:
    """All that CloudFormation has in a stack. Raises ClientError where there is none."""
    pages = clients("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack_name)
    return [
        Resource(one["ResourceType"], one["LogicalResourceId"], one.get("PhysicalResourceId", ""))
        for page in pages
        for one in page["StackResourceSummaries"]
    ]


def event_sources(functions: Any, function: str) -> Iterator[Mapping[str, Any]]:
    """What feeds a function, as Lambda tells of it; `functions` is Lambda's client."""
    for page in functions.get_paginator("list_event_source_mappings").paginate(FunctionName=function):
        yield from page["EventSourceMappings"]


def is_feeding(source: Mapping[str, Any]) -> bool:
    """Whether an event source is switched on, or about to be."""
    return source["State"] in {"Enabled", "Enabling", "Creating", "Updating"}


def waiting_in(sqs: Any, url: str) -> int:
    """About how many messages lie in a queue."""
    asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    return int(asked["Attributes"]["ApproximateNumberOfMessages"])


@dataclass(frozen=True)
class Stacks:
    """What CloudFormation and DynamoDB know about the stack of a name, whether it is there or was once."""

    name: str
    region: str
    clients: Clients

    def status(self) -> str:
        """As CloudFormation says it; empty where there is no such stack."""
        return str(self._described().get("StackStatus", ""))

    def is_protected(self) -> bool:
        """Whether CloudFormation would refuse to delete it."""
        return bool(self._described().get("EnableTerminationProtection"))

    def _described(self) -> dict[str, Any]:
        from botocore.exceptions import ClientError

        try:
            found = self.clients("cloudformation").describe_stacks(StackName=self.name)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":  # "Stack with id … does not exist"
                return {}
            raise
        described: dict[str, Any] = found["Stacks"][0]
        return described

    def resources(self, kind: str) -> list[Resource]:
        """Its resources of a type; none where there is no such stack."""
        if not self.status():
            return []
        return [one for one in resources_of(self.name, self.clients) if one.kind == kind and one.physical_id]

    def left_tables(self) -> list[str]:
        """Tables that a stack of this name has made, as their names tell; without a stack they belong to none."""
        return sorted(name for name in self._tables() if name.startswith(f"{self.name}-Storage"))

    def _tables(self) -> Iterator[str]:
        for page in self.clients("dynamodb").get_paginator("list_tables").paginate():
            yield from page["TableNames"]


def stacks_of(region: str, clients: Clients) -> Stacks:
    return Stacks(stack_name(), region, clients)


def clients(region: str) -> Clients:
    """Makes clients of the account of the user's credentials."""
    return connect(None, region)


def connect(address: str | None, region: str) -> Clients:
    """What makes a client of a service."""
    import boto3
    from botocore.config import Config

    # A second attempt at an invocation that has not answered yet would be one beside it.
    config = Config(read_timeout=PATIENCE_SECONDS, retries={"total_max_attempts": 1})
    emulated = {"endpoint_url": address, "aws_access_key_id": "test", "aws_secret_access_key": "test"}
    options = emulated if address else {}
    return lambda service: boto3.client(service, region_name=region, config=config, **options)
