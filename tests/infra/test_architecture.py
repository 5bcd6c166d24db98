"""The picture of the whole stack shows what the template has, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from local.settings import ROOT
from tests.infra.templates import APNS_SECRET, FCM_SECRET, Resources

SHOWN = {
    "AWS::ApiGatewayV2::Api",
    "AWS::CloudFront::Distribution",
    "AWS::DynamoDB::Table",
    "AWS::Events::EventBus",
    "AWS::Events::Rule",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::S3::Bucket",
    "AWS::SES::ConfigurationSet",
    "AWS::SQS::Queue",
    "AWS::Scheduler::ScheduleGroup",
    "AWS::SecretsManager::Secret",
}
WEB_KEY = "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"


@pytest.fixture
def everything(synthesize: Callable[..., Resources]) -> Resources:
    """The stack with all that can be configured."""
    return synthesize(
        web="true",
        events="both",
        fcm_secret_arn=FCM_SECRET,
        apns_secret_arn=APNS_SECRET,
        web_push_secret_arn=FCM_SECRET,
        web_push_key=WEB_KEY,
        mail_from="chat@example.com",
        message_hook="https://hook.example.com/look",
    )


def test_it_shows_every_function_table_queue_stream_bucket_and_bus(everything: Resources) -> None:
    picture = (ROOT / "docs/images/architecture.svg").read_text(encoding="utf-8")
    shown = re.findall(r'data-resource="(\w+)"', picture)
    there = [
        re.sub(r"[0-9A-F]{8}$", "", name) for name, resource in everything.all.items() if resource["Type"] in SHOWN
    ]
    assert sorted(shown) == sorted(there)
