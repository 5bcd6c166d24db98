"""The chat page on AWS: a private bucket behind CloudFront, and a policy that lets it talk to this stack alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from aws_cdk import Duration
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.buckets import private_bucket

if TYPE_CHECKING:
    from infra.config import Config
    from infra.target import Target

_HSTS: Final = Duration.days(365)
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; img-src 'self' blob: https: {files}; media-src 'self' blob: {files}; "
    "connect-src 'self' {apis} {files}"
)


class WebPage(Construct):
    """What is in the bucket `make deploy` puts there (ops/web.py): a deployment by CDK brings a Lambda of its own."""

    def __init__(self, scope: Construct, construct_id: str, *, config: Config) -> None:
        super().__init__(scope, construct_id)
        self.bucket = private_bucket(self, config)
        self._token_url = config.web_token_url
        self._distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment="Parley: the chat page",
            default_root_object="index.html",
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.S3BucketOrigin.with_origin_access_control(self.bucket),
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                # It keeps to what each file says of itself: hashed names for a year, the page itself not at all.
                cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,
                compress=True,
            ),
        )
        self.origin = f"https://{self._distribution.distribution_domain_name}"
        acknowledge(
            self.bucket,
            {"AwsSolutions-S1": "It holds the page that everybody may see; who fetched it is not to be kept."},
        )
        acknowledge(
            self._distribution,
            {
                "AwsSolutions-CFR1": "The page is for wherever the team's users are.",
                "AwsSolutions-CFR2": "Static files: the APIs behind it have throttles and limits of their own.",
                "AwsSolutions-CFR3": "Access logs would name who opened the page, and cost a bucket.",
                "AwsSolutions-CFR4": "With CloudFront's own domain and certificate no other TLS policy can be chosen.",
            },
        )

    def may_talk_to(self, target: Target, http_url: str, web_socket_url: str) -> None:
        """Add the headers, with what the page may talk to: the two APIs, this region's buckets, who gives it tokens.

        It comes last, since the APIs' functions have to be told the page's origin first. The files' bucket can't be
        named for the same reason: its CORS rules name the page.
        """
        urls = (http_url, web_socket_url, self._token_url)
        apis = " ".join("/".join(url.split("/")[:3]) for url in urls if url)  # their origins
        policy = cloudfront.ResponseHeadersPolicy(
            self,
            "Headers",
            comment="Parley: the chat page",
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                    content_security_policy=_POLICY.format(apis=apis, files=target.buckets_origin), override=True
                ),
                content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
                frame_options=cloudfront.ResponseHeadersFrameOptions(
                    frame_option=cloudfront.HeadersFrameOption.DENY, override=True
                ),
                referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                    referrer_policy=cloudfront.HeadersReferrerPolicy.NO_REFERRER, override=True
                ),
                strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                    access_control_max_age=_HSTS, include_subdomains=True, override=True
                ),
            ),
        )
        resource = cast("cloudfront.CfnDistribution", self._distribution.node.default_child)
        resource.add_property_override(
            "DistributionConfig.DefaultCacheBehavior.ResponseHeadersPolicyId", policy.response_headers_policy_id
        )
