"""One synthesis a session for each configuration: jsii takes seconds to start."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.infra.templates import APNS_SECRET, FCM_SECRET, FUNCTION_FOLDERS, HOOK, ROOT, SYNTHESIZED, Resources

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.bundling import Bundle

os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")


@pytest.fixture(scope="session")
def stub_bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bundle]:
    """Bundles that cost nothing: what is in them doesn't show in a template."""
    from infra.bundling import Bundle

    bundles = {}
    for name in FUNCTION_FOLDERS:
        folder = tmp_path_factory.mktemp(name)
        (folder / "handler.py").touch()
        bundles[name] = Bundle(folder, name)
    return bundles


@pytest.fixture(scope="session")
def feature_flags() -> dict[str, Any]:
    flags: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    return flags


@pytest.fixture(scope="session")
def synthesize(
    stub_bundles: dict[str, Bundle], feature_flags: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Resources]:
    """Synthesize the stack for a configuration, checked by cdk-nag as app.py does; each configuration once."""
    from aws_cdk import App, Environment, Validations
    from cdk_nag import AwsSolutionsChecks, ServerlessChecks

    from infra.config import Config
    from infra.stack import ParleyStack

    def run(env: Environment | None = None, **context: str) -> Resources:
        key = (str(env and env.region), *sorted(context.items()))
        if key not in SYNTHESIZED:
            folder = tmp_path_factory.mktemp("assembly")
            app = App(context=feature_flags, outdir=str(folder))
            stack = ParleyStack(app, config=Config.load(context, {}), bundles=stub_bundles, env=env)
            Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
            app.synth()
            SYNTHESIZED[key] = Resources(folder / f"{stack.stack_name}.template.json")
        return SYNTHESIZED[key]

    return run


@pytest.fixture(scope="session")
def logging(synthesize: Callable[..., Resources]) -> Resources:
    """With a line of the gateway's own for each frame, for which the account has a role."""
    return synthesize(access_log="all")


@pytest.fixture(scope="session")
def aws(synthesize: Callable[..., Resources]) -> Resources:
    """The stack for an AWS account, with nothing configured."""
    return synthesize()


@pytest.fixture(scope="session")
def local(synthesize: Callable[..., Resources]) -> Resources:
    """The stack for a laptop, with its push servers; without events out, which have tests of their own."""
    return synthesize(
        events="off",
        target="local",
        local_endpoint="http://localhost:4577",
        fcm_secret_arn=FCM_SECRET,
        apns_secret_arn=APNS_SECRET,
        local_fcm_endpoint="https://localhost:4578",
        local_apns_endpoint="https://localhost:4579,https://localhost:4580",
        local_ca_file="/home/ann/parley/ca.pem",
    )


@pytest.fixture(scope="session")
def full(synthesize: Callable[..., Resources]) -> Resources:
    """The stack for an AWS account with every option that adds or removes a resource, but for events out."""
    return synthesize(
        stage="staging",
        allowed_origins="https://chat.example.com,https://example.com:8443",
        jwks_url="https://id.example.com/jwks.json",
        jwt_issuer="https://id.example.com/",
        jwt_audience="parley",
        domain_name="ws.example.com",
        certificate_arn="arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d",
        http_domain_name="api.example.com",
        http_certificate_arn="arn:aws:acm:us-east-1:123456789012:certificate/4e5f6a7b",
        default_endpoints="off",
        alarm_topic_arn="arn:aws:sns:us-east-1:123456789012:alarms",
        gateway_logs_role="existing",
        connection_limit="25",
        throttle_rate="50",
        throttle_burst="70",
        route_throttles="sync=40/30, $connect=10/5",
        message_rate="1",
        message_burst="2",
        invite_rate="31",
        invite_burst="32",
        abuse_limit="3",
        edit_window_s="0",
        retention_private_days="365",
        retention_group_days="366",
        retention_channel_days="36500",
        group_limit="4",
        channel_members="4321",
        inline_limit="5",
        receipts_limit="6",
        text_limit="11",
        mention_limit="12",
        page_limit="13",
        frame_limit="2048",
        reply_limit="64000",
        frame_rate="14",
        frame_burst="15",
        presence_grace_s="7",
        message_concurrency="300",
        message_memory_mb="1024",
        connect_concurrency="40",
        presence_concurrency="18",
        look_concurrency="19",
        fan_out_concurrency="8",
        fan_out_rate="90",
        channel_rate="91",
        digest_limit="7",
        digest_s="60",
        fan_out_ms="900",
        fcm_secret_arn=FCM_SECRET,
        apns_secret_arn=APNS_SECRET,
        push_concurrency="9",
        push_withdrawals="all",
        second_look_s="16",
        device_limit="17",
        reminder_limit="18",
        audit_days="19",
        own_exports="0",
        permissions="group.pin=owner+admin+member, channel.send=owner",
        word_lists="on",
        shadow_bans="on",
        message_hook=HOOK,
        message_hook_ms="250",
        message_hook_fails="closed",
        image_limit="2000",
        image_pixels="100000000",
        file_limit="3000",
        log_level="DEBUG",
        request_log="on",
        access_log="all",
        log_retention_days="7",
        removal="destroy",
    )


@pytest.fixture(params=["aws", "local", "full"])
def each(request: pytest.FixtureRequest) -> Resources:
    """Each configuration in turn."""
    resources: Resources = request.getfixturevalue(request.param)
    return resources
