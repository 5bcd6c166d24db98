"""One deployment with everything that may be configured in the way of pushes, and a day on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.infra.conftest import aws, each, feature_flags, full, local, stub_bundles, synthesize
from tests.infra.templates import APNS_SECRET, FCM_SECRET

if TYPE_CHECKING:
    from tests.aws.cloud import Cloud
    from tests.aws.day import Day
    from tests.aws.deployment import Deployment
    from tests.infra.templates import Resources

__all__ = ["aws", "each", "feature_flags", "full", "local", "stub_bundles", "synthesize"]


@pytest.fixture(scope="session")
def deployment(synthesize: Callable[..., Resources]) -> Deployment:
    from tests.aws.deployment import Deployment

    providers = {"fcm_secret_arn": FCM_SECRET, "apns_secret_arn": APNS_SECRET}
    template = synthesize(**providers, allowed_origins="https://chat.example.com").template
    buckets = [name for name, one in template["Resources"].items() if one["Type"] == "AWS::S3::Bucket"]
    return Deployment(template, {name: name.lower() for name in buckets})


def begun(deployment: Deployment) -> Day:
    """A day on which nothing has happened yet."""
    from tests.aws.cloud import Cloud
    from tests.aws.day import Day
    from tests.aws.functions import SECRET, Deployed
    from tests.aws.judging import tables_of

    functions = Deployed(deployment)
    jwt_secret = functions.environment("Authorizer")["JWT_SECRET_ARN"]
    return Day(functions, Cloud(tables_of(deployment), {jwt_secret: SECRET, FCM_SECRET: "{}", APNS_SECRET: "{}"}))


@pytest.fixture(scope="session")
def lived(deployment: Deployment) -> Cloud:
    """AWS, as a day has left it."""
    from tests.aws.day import live_through

    day = begun(deployment)
    with pytest.MonkeyPatch.context() as patching:
        day.cloud.install(patching)
        live_through(day)
    return day.cloud


@pytest.fixture
def day(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Day:
    """A day that a test makes something of."""
    made = begun(deployment)
    made.cloud.install(monkeypatch)
    return made
