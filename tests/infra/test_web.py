"""The chat page on AWS: private, behind CloudFront, and able to talk to its own stack alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.infra.test_checks import findings
from tests.infra.test_gateways import join

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.infra.templates import Resources

pytestmark = pytest.mark.xdist_group("infra")


@pytest.fixture
def page(synthesize: Callable[..., Resources]) -> Resources:
    """The stack for an AWS account that serves the page."""
    return synthesize(web="true", allowed_origins="https://chat.example.com")


def origin(page: Resources) -> dict[str, Any]:
    [name] = page.of("AWS::CloudFront::Distribution")
    return {"Fn::Join": ["", ["https://", {"Fn::GetAtt": [name, "DomainName"]}]]}


def headers(page: Resources) -> dict[str, Any]:
    [policy] = page.properties("AWS::CloudFront::ResponseHeadersPolicy")
    security: dict[str, Any] = policy["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    return security


def test_without_it_there_is_nothing_of_it(each: Resources) -> None:
    assert not [name for name in each.all if "CloudFront" in each.all[name]["Type"]]
    assert not {"WebUrl", "WebBucket"} & each.template["Outputs"].keys()


def test_on_a_laptop_the_emulator_serves_it(synthesize: Callable[..., Resources]) -> None:
    local = synthesize(target="local", local_endpoint="http://localhost:4577", web="true")
    assert not local.of("AWS::CloudFront::Distribution")


def test_its_bucket_is_private_and_read_by_this_distribution_alone(page: Resources) -> None:
    name, bucket = page.named("AWS::S3::Bucket", "WebBucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    [policy] = [one for one in page.properties("AWS::S3::BucketPolicy") if one["Bucket"] == {"Ref": name}]
    [allowed] = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]
    [distribution] = page.of("AWS::CloudFront::Distribution")
    assert allowed["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert allowed["Action"] == "s3:GetObject"
    assert distribution in json.dumps(allowed["Condition"]["StringEquals"]["AWS:SourceArn"])


def test_it_is_served_over_tls_only_and_signed_to_its_bucket(page: Resources) -> None:
    [distribution] = page.properties("AWS::CloudFront::Distribution")
    behaviour = distribution["DistributionConfig"]["DefaultCacheBehavior"]
    assert behaviour["ViewerProtocolPolicy"] == "redirect-to-https"
    [headers_id] = page.of("AWS::CloudFront::ResponseHeadersPolicy")
    assert behaviour["ResponseHeadersPolicyId"] == {"Ref": headers_id}
    [control] = page.properties("AWS::CloudFront::OriginAccessControl")
    assert control["OriginAccessControlConfig"]["SigningBehavior"] == "always"


def test_the_policy_lets_it_run_its_own_scripts_and_talk_to_its_own_stack(page: Resources) -> None:
    text = join(headers(page)["ContentSecurityPolicy"]["ContentSecurityPolicy"])
    directives = dict(one.strip().split(" ", 1) for one in text.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == "'self'"
    assert directives["frame-ancestors"] == directives["base-uri"] == directives["form-action"] == "'none'"
    apis = [name for name in page.of("AWS::ApiGatewayV2::Api") if name in directives["connect-src"]]
    assert len(apis) == 2
    assert directives["connect-src"].count("execute-api") == 2
    assert "*." not in directives["connect-src"].replace("https://*.s3.", "")
    assert "unsafe" not in text


def test_the_policy_lets_it_ask_the_products_backend_for_tokens(synthesize: Callable[..., Resources]) -> None:
    page = synthesize(web="true", web_token_url="https://product.example:8443/chat/token?of=me")
    text = join(headers(page)["ContentSecurityPolicy"]["ContentSecurityPolicy"])
    directives = dict(one.strip().split(" ", 1) for one in text.split(";"))
    assert "https://product.example:8443" in directives["connect-src"].split()
    assert "/chat" not in text
    assert page.template["Outputs"]["WebTokenUrl"]["Value"] == "https://product.example:8443/chat/token?of=me"


def test_the_apis_and_the_files_bucket_know_its_origin(page: Resources) -> None:
    [prefix, domain] = origin(page)["Fn::Join"][1]
    for name in ("Authorizer", "Rest"):
        origins = page.functions[name]["Environment"]["Variables"]["ALLOWED_ORIGINS"]
        assert origins == {"Fn::Join": ["", [f"https://chat.example.com,{prefix}", domain]]}
    _, bucket = page.named("AWS::S3::Bucket", "FilesBucket")
    [rule] = bucket["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedOrigins"] == ["https://chat.example.com", origin(page)]


def test_the_outputs_say_where_it_is(page: Resources) -> None:
    assert page.template["Outputs"]["WebUrl"]["Value"] == origin(page)
    name, _ = page.named("AWS::S3::Bucket", "WebBucket")
    assert page.template["Outputs"]["WebBucket"]["Value"] == {"Ref": name}


def test_no_function_comes_with_it(page: Resources, aws: Resources) -> None:
    assert page.of("AWS::Lambda::Function").keys() == aws.of("AWS::Lambda::Function").keys()
    assert page.of("AWS::IAM::Role").keys() == aws.of("AWS::IAM::Role").keys()


def test_no_pack_has_a_finding_that_is_not_acknowledged(page: Resources) -> None:
    assert findings(page.file.parent) == []
