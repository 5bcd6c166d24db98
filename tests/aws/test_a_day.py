"""What the functions ask of AWS in a day is valid by AWS's models, and just what their roles allow."""

from __future__ import annotations

import copy
import re
from dataclasses import replace

import pytest

from tests.aws.cloud import Cloud
from tests.aws.deployment import Deployment
from tests.aws.judging import Verdict, judge, removals
from tests.aws.permissions import needs_of_services, not_allowed
from tests.e2e.recorded import SELDOM

pytestmark = pytest.mark.xdist_group("infra")


@pytest.fixture(scope="module")
def verdict(lived: Cloud, deployment: Deployment) -> Verdict:
    return judge(lived.recorded, deployment)


def test_every_request_of_the_day_is_valid_and_allowed(verdict: Verdict) -> None:
    assert verdict.problems == []
    assert len(verdict.made) > 50


def test_what_services_do_for_the_functions_their_roles_allow(deployment: Deployment) -> None:
    assert not_allowed(list(needs_of_services(deployment)), list(deployment.statements())) == []


def test_no_permission_can_be_removed_without_being_missed(verdict: Verdict, deployment: Deployment) -> None:
    removed = removals(verdict, deployment)
    assert len(removed) > 110
    assert [name for name, missed in removed.items() if not missed] == []


def test_what_the_end_to_end_run_seldom_comes_to_the_day_does(verdict: Verdict, deployment: Deployment) -> None:
    needed = [name for name, missed in removals(verdict, deployment).items() if missed]
    assert [one for one in SELDOM if not any(re.match(one, name) for name in needed)] == []


def test_a_template_that_lacks_one_is_told_of_by_function_and_action(lived: Cloud, deployment: Deployment) -> None:
    template = copy.deepcopy(deployment.template)
    policies = [one["Properties"] for one in template["Resources"].values() if one["Type"] == "AWS::IAM::Policy"]
    [statements] = [one["PolicyDocument"]["Statement"] for one in policies if "MessageRole" in str(one["Roles"])]
    [sessions] = [one for one in statements if "StorageSessions" in str(one["Resource"])]
    sessions["Action"].remove("dynamodb:UpdateItem")
    verdict = judge(lived.recorded, replace(deployment, template=template))
    [problem] = verdict.problems
    assert "WebSocketMessageFunction" in problem
    assert "dynamodb:UpdateItem on arn:aws:dynamodb:us-east-1:123456789012:table/StorageSessions" in problem
