"""cdk-nag and cfn-lint: clean, and able to find something."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.infra.templates import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.bundling import Bundle
    from tests.infra.templates import Resources

pytestmark = pytest.mark.xdist_group("infra")


def findings(assembly: Path) -> list[str]:
    report = json.loads((assembly / "validation-report.json").read_text(encoding="utf-8"))
    return [violation["ruleName"] for plugin in report["pluginReports"] for violation in plugin["violations"]]


def test_no_pack_has_a_finding_that_is_not_acknowledged(each: Resources) -> None:
    assert findings(each.file.parent) == []


def test_a_finding_of_either_pack_stops_the_synthesis(
    stub_bundles: dict[str, Bundle], feature_flags: dict[str, Any], tmp_path: Path
) -> None:
    from aws_cdk import App, Validations
    from aws_cdk import aws_sqs as sqs
    from cdk_nag import AwsSolutionsChecks, ServerlessChecks

    from infra.config import Config
    from infra.stack import ParleyStack

    app = App(context=feature_flags, outdir=str(tmp_path))
    stack = ParleyStack(app, config=Config.load({}, {}), bundles=stub_bundles)
    sqs.Queue(stack, "Careless")
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
    with pytest.raises(RuntimeError, match="ValidationFailed") as caught:
        app.synth()
    assert "Parley-prod/Careless" in str(caught.value)
    assert {"AwsSolutions-SQS4", "Serverless-SQSRedrivePolicy"} <= set(findings(tmp_path))


@pytest.mark.parametrize("region", ["eu-west-1", "cn-north-1"])
def test_findings_stay_acknowledged_where_account_and_region_are_known(region: str, synthesize: Any) -> None:
    """References are then values, in the findings' names too."""
    from aws_cdk import Environment

    resources: Resources = synthesize(env=Environment(account="123456789012", region=region))
    assert findings(resources.file.parent) == []
    assert f"execute-api:{region}:123456789012" in json.dumps(resources.template)


def linted(*templates: Path) -> tuple[str, int]:
    """What cfn-lint says, by the schemas of CloudFormation's resources that it brings along: it asks nobody."""
    done = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), "--format", "parseable", *templates],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout, done.returncode


def test_cfn_lint_finds_nothing_with_the_projects_settings(
    aws: Resources, local: Resources, full: Resources, synthesize: Callable[..., Resources]
) -> None:
    page = synthesize(web="true", allowed_origins="https://chat.example.com")
    assert linted(aws.file, local.file, full.file, page.file) == ("", 0)


def test_a_property_that_is_none_or_has_another_type_or_no_such_value_is_found(aws: Resources, tmp_path: Path) -> None:
    template = json.loads(aws.file.read_text(encoding="utf-8"))
    message = next(name for name in aws.of("AWS::Lambda::Function") if "Message" in name)
    stage = next(iter(aws.of("AWS::ApiGatewayV2::Stage")))
    table = next(iter(aws.of("AWS::DynamoDB::Table")))
    template["Resources"][message]["Properties"] |= {"MemorySize": "much", "Memory": 512}
    template["Resources"][stage]["Properties"].pop("StageName")
    template["Resources"][table]["Properties"]["BillingMode"] = "PAY_AS_YOU_GO"
    wrong = tmp_path / "wrong.template.json"
    wrong.write_text(json.dumps(template), encoding="utf-8")
    said, code = linted(wrong)
    assert code != 0
    for rule, words in (("E3012", "'much'"), ("E3002", "'Memory'"), ("E3003", "StageName"), ("E3030", "PAY_AS_YOU_GO")):
        assert any(rule in line and words in line for line in said.splitlines()), (rule, said)
