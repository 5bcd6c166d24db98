"""One deployment with everything that asks for a permission: pushes, keys of one's own, traces. And a day on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.infra.conftest import aws, each, feature_flags, full, local, stub_bundles, synthesize
from tests.infra.templates import APNS_KEY, APNS_SECRET, FCM_KEY, FCM_SECRET, JWT_KEY

if TYPE_CHECKING:
    from tests.aws.cloud import Cloud
    from tests.aws.day import Day
    from tests.aws.deployment import Deployment
    from tests.infra.templates import Resources

__all__ = ["aws", "each", "feature_flags", "full", "local", "stub_bundles", "synthesize"]


@pytest.fixture(scope="session")
def deployment(synthesize: Callable[..., Resources]) -> Deployment:
    from tests.aws.deployment import Deployment

    secrets = {"fcm_secret_arn": FCM_SECRET, "apns_secret_arn": APNS_SECRET}
    keys = {"jwt_key_arn": JWT_KEY, "fcm_key_arn": FCM_KEY, "apns_key_arn": APNS_KEY}
    mail = {"mail_from": "chat@example.com", "mail_digest_after_m": "0"}
    template = synthesize(
        **secrets, **keys, **mail, tracing="on", events="both", allowed_origins="https://chat.example.com"
    ).template
    buckets = [name for name, one in template["Resources"].items() if one["Type"] == "AWS::S3::Bucket"]
    names = {name: name.lower() for name in buckets}
    return Deployment(template, names, keys={FCM_SECRET: FCM_KEY, APNS_SECRET: APNS_KEY})


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
