"""The commands for deployed stacks find resources by their names in the template: those are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ops import account, adopt, deployed

if TYPE_CHECKING:
    from tests.infra.templates import Resources

pytestmark = pytest.mark.xdist_group("infra")


def test_the_template_asks_for_the_bootstrap_that_a_deployment_asks_for(aws: Resources) -> None:
    assert aws.properties_of_the_artifact["requiresBootstrapStackVersion"] == account.BOOTSTRAP_VERSION


def test_what_is_reserved_is_found_again(full: Resources) -> None:
    reserving = {
        name
        for name, function in full.of("AWS::Lambda::Function").items()
        if "ReservedConcurrentExecutions" in function["Properties"]
    }
    assert reserving == {name for name in full.of("AWS::Lambda::Function") if name.startswith(account._RESERVING)}
    assert len(reserving) == 3


def test_the_stacks_own_role_for_logs_is_known(logging: Resources) -> None:
    assert [name for name in logging.of("AWS::IAM::Role") if "GatewayLogsRole" in name]


def test_both_apis_their_stages_and_logs_are_found(aws: Resources) -> None:
    for prefix, (_, log) in deployed._APIS.items():
        for kind in ("Api", "Stage"):
            found = [name for name in aws.of(f"AWS::ApiGatewayV2::{kind}") if name.startswith(f"{prefix}{kind}")]
            assert len(found) == 1
        assert len([name for name in aws.of("AWS::Logs::LogGroup") if name.startswith(log)]) == 1


def test_whatever_holds_data_and_is_kept_can_be_adopted(aws: Resources) -> None:
    """But queues and logs, which are no use to a new stack."""
    kept = {one["Type"] for one in aws.all.values() if str(one.get("DeletionPolicy", "")).startswith("Retain")}
    beside = {"AWS::SQS::Queue", "AWS::Logs::LogGroup", "AWS::IAM::Role", "AWS::ApiGateway::Account"}
    assert kept - beside == set(adopt._IDENTIFIERS)
    resources = [
        adopt.Kept(name, one["Type"], "x") for name, one in aws.all.items() if one["Type"] in adopt._IDENTIFIERS
    ]
    alone = adopt.only(aws.template, resources)["Resources"]
    assert len(alone) == 6
    for name, one in alone.items():
        assert one["Properties"] == aws.all[name]["Properties"], "what is imported is what is deployed next"
