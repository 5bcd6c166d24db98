"""What the functions of the suite's stack asked of AWS, all along: judged when the last test is done."""

from __future__ import annotations

import json

from local.settings import ACCOUNT, REGION, Settings
from tests.aws.calls import recorded_in
from tests.aws.deployment import Deployment
from tests.aws.judging import Verdict, judge
from tests.local.emulated import client

STACK = "Parley-local"


def deployment_of(settings: Settings) -> Deployment:
    """The stack as it is deployed: asked for while it runs."""
    template = json.loads((settings.home / "cdk.out" / f"{STACK}.template.json").read_text(encoding="utf-8"))
    found = client(settings, "cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    physical = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}
    return Deployment(template, physical, account=ACCOUNT, region=REGION)


def verdict_on(settings: Settings, deployment: Deployment, *, planted: tuple[str, ...] = ()) -> Verdict:
    """`planted` is where tests have sent functions on purpose, by what stands in those requests."""
    asked = (
        one
        for one in recorded_in(settings.calls_file)
        if not any(name in one.body.decode("latin-1") for name in planted)
    )
    return judge(asked, deployment)
