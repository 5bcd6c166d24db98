"""What the functions of the suite's stack asked of AWS, all along: judged when the last test is done."""

from __future__ import annotations

import json
import re
from typing import Final

from local.settings import ACCOUNT, REGION, Settings
from tests.aws.calls import recorded_in
from tests.aws.deployment import Deployment
from tests.aws.judging import Verdict, judge, removals
from tests.local.emulated import client

STACK = "Parley-local"
# The function of an example, which has a stack and a role of its own: its test judges it by those.
LAKE: Final = "parley-lake-"
# Permissions that this run comes to by chance or never. The day in memory (`tests/aws/day.py`) comes to each of them.
SELDOM: Final = (
    # Who watches a user is found dead just as that user comes, or goes.
    r"(WebSocketConnect|Presence)Role\w+: dynamodb:DeleteItem on .*StorageMembers",
    # A post finds the last connection of a user dead.
    r"(WebSocketMessage|HttpRest|PushOfflinePush)Role\w+: sqs:SendMessage on .*QueuesPresenceChecks",
    # A file is swept when an hour has passed since it was announced, at the earliest.
    r"FileChecksFilesRole\w+: dynamodb:(DeleteItem|PutItem|Query) on .*StorageMembers",
    # Where an endpoint has got to is looked for, gone back on, forgotten; an event is refused for hours.
    r"EventsOutEventsRole\w+: (dynamodb:(BatchGetItem|BatchWriteItem|PutItem)|sqs:SendMessage) on ",
    # An upload is gone before it is looked at.
    r"FileChecksFilesRole\w+: s3:ListBucket on ",
    # Mails go to the server that stands in for SES, whose callers are not written down.
    r"PushOfflinePushRole\w+: ses:SendEmail on ",
    # A file is gone before it is copied into an export.
    r"PushOfflinePushRole\w+: s3:ListBucket on ",
)


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
        if not one.function.startswith(LAKE) and not any(name in one.body.decode("latin-1") for name in planted)
    )
    return judge(asked, deployment)


def spare(verdict: Verdict, deployment: Deployment) -> list[str]:
    """Permissions that nothing in the whole run would have missed, but for those that it seldom comes to."""
    unmissed = [name for name, missed in removals(verdict, deployment).items() if not missed]
    return [name for name in unmissed if not any(re.match(seldom, name) for seldom in SELDOM)]
