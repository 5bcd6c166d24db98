"""Whoever has to invoke a function or to send to a queue may, and nobody else is let."""

from __future__ import annotations

import pytest

from tests.aws.deployment import Deployment
from tests.aws.invoking import Granted, Invocation, granted, invocations, lets
from tests.infra.templates import Resources

pytestmark = pytest.mark.xdist_group("infra")


def test_every_route_authorizer_and_rule_may_invoke_its_function(each: Resources) -> None:
    deployment = Deployment(each.template)
    permissions, wanted = list(granted(deployment)), list(invocations(deployment))
    assert len(wanted) > 15
    assert [one for one in wanted if not any(lets(permission, one) for permission in permissions)] == []


def test_no_resource_policy_can_be_removed_without_being_missed(each: Resources) -> None:
    """But for one: CDK's pattern for `ping` is `*ping`, which is `typing`, too."""
    deployment = Deployment(each.template)
    permissions, wanted = list(granted(deployment)), list(invocations(deployment))
    assert len(permissions) > 10
    spare = []
    for removed in permissions:
        left = [one for one in permissions if one != removed]
        if all(any(lets(permission, one) for permission in left) for one in wanted):
            spare.append(removed.source.rpartition("/")[2])
    assert spare == ["*typing"]


@pytest.mark.parametrize(
    ("permission", "is_let"),
    [
        (Granted("p", "apigateway.amazonaws.com", "f", "arn:aws:execute-api:r:a:api/*$connect"), True),
        (Granted("p", "apigateway.amazonaws.com", "f", "arn:aws:execute-api:r:a:api/*$disconnect"), False),
        (Granted("p", "apigateway.amazonaws.com", "g", "arn:aws:execute-api:r:a:api/*$connect"), False),
        (Granted("p", "events.amazonaws.com", "f", "arn:aws:execute-api:r:a:api/*$connect"), False),
        (Granted("p", "apigateway.amazonaws.com", "f", "arn:aws:execute-api:r:a:other/*"), False),
    ],
)
def test_who_is_let(permission: Granted, is_let: bool) -> None:
    invocation = Invocation("apigateway.amazonaws.com", "f", "arn:aws:execute-api:r:a:api/prod/$connect")
    assert lets(permission, invocation) is is_let
