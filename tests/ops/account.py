"""An AWS account as a test tells it: real boto3 clients, whose answers are given, and validated by AWS's own models.

Whatever a command asks that the test has not foreseen fails; so does an answer that AWS could not give. What is asked
is validated by boto3 itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import boto3
from botocore.exceptions import ClientError
from botocore.model import OperationModel
from botocore.validate import validate_parameters

REGION = "eu-central-1"
ACCOUNT = "123456789012"

Answer = Mapping[str, Any] | Exception | Callable[[Mapping[str, Any]], Mapping[str, Any] | Exception]


def refused(code: str, message: str = "no") -> ClientError:
    """An error as AWS answers it."""
    return ClientError({"Error": {"Code": code, "Message": message}}, "Asked")


class Account:
    """`answers`: "service.Operation" → an answer, an error, or what makes one of the request."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._clients: dict[str, Any] = {}

    def __call__(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._client(service)
        return self._clients[service]

    def _client(self, service: str) -> Any:
        client = boto3.client(
            service, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test", aws_session_token=None
        )
        client.meta.events.register("before-parameter-build.*.*", partial(self._note, service))
        client.meta.events.register("before-call.*.*", partial(self._answer, service))
        return client

    def of(self, operation: str) -> list[dict[str, Any]]:
        """What was asked by an operation, "service.Operation"."""
        return [params for name, params in self.asked if name == operation]

    def _note(self, service: str, params: dict[str, Any], model: OperationModel, **_: Any) -> None:
        self.asked.append((f"{service}.{model.name}", dict(params)))

    def _answer(self, service: str, model: OperationModel, **_: Any) -> tuple[Any, dict[str, Any]]:
        name = f"{service}.{model.name}"
        answer = self.answers[name]
        if callable(answer):
            answer = answer(self.of(name)[-1])
        if isinstance(answer, ClientError):
            status, said = 400, {"Error": answer.response["Error"]}
        elif isinstance(answer, Exception):
            raise answer
        else:
            status, said = 200, dict(answer)
            if model.output_shape is not None:
                validate_parameters(said, model.output_shape)
        return _Response(status), {**said, "ResponseMetadata": {"HTTPStatusCode": status}}


class _Response:
    """As much of an HTTP response as botocore looks at."""

    def __init__(self, status_code: int) -> None:
        self.status_code = status_code
        self.headers: dict[str, str] = {}


def ready(**more: Answer) -> Account:
    """An account in which everything is as it usually is, and no stack yet."""
    account = Account()
    account.answers |= {
        "lambda.GetAccountSettings": concurrency(1_000),
        "apigateway.GetAccount": {},
        "ssm.GetParameter": {"Parameter": {"Value": "27"}},
        "cloudformation.DescribeStacks": refused("ValidationError", "Stack with id Parley-prod does not exist"),
        "dynamodb.ListTables": {"TableNames": ["users"]},
    }
    account.answers |= more
    return account


def concurrency(quota: int, *, free: int | None = None) -> dict[str, Any]:
    return {
        "AccountLimit": {
            "ConcurrentExecutions": quota,
            "UnreservedConcurrentExecutions": quota if free is None else free,
        }
    }


def stack(status: str = "UPDATE_COMPLETE", *, is_protected: bool = False) -> dict[str, Any]:
    described = {
        "StackName": "Parley-prod",
        "CreationTime": datetime(2026, 1, 1, tzinfo=UTC),
        "StackStatus": status,
        "EnableTerminationProtection": is_protected,
    }
    return {"Stacks": [described]}


def resources(kinds: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Type → logical id → physical id."""
    return {
        "StackResourceSummaries": [
            {
                "ResourceType": kind,
                "LogicalResourceId": logical_id,
                "PhysicalResourceId": physical_id,
                "ResourceStatus": "CREATE_COMPLETE",
                "LastUpdatedTimestamp": datetime(2026, 1, 1, tzinfo=UTC),
            }
            for kind, ids in kinds.items()
            for logical_id, physical_id in ids.items()
        ]
    }
