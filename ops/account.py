"""What an account has to have before a deployment: asked first, and what is missing is one line with its remedy."""

import difflib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from infra.config import Config, ConfigError
from local.console import fact
from local.errors import CommandError
from local.settings import KEYS, Settings
from ops import quotas
from ops.target import Clients, Stacks

# What the template asks of CDK's own stack; a test holds it to the synthesized one.
BOOTSTRAP_VERSION = 6
# What Lambda keeps for functions that have nothing reserved, or all that there is in a smaller account.
_KEPT_FOR_THE_REST = 100
_RESERVING = ("WebSocketAuthorizer", "WebSocketConnect", "WebSocketMessage")
_IN_THE_WAY = {
    "UPDATE_ROLLBACK_FAILED": "See why in CloudFormation's events, mend it, and run: "
    "aws cloudformation continue-update-rollback --stack-name {name} --region {region}",
    "ROLLBACK_FAILED": "See why in CloudFormation's events, then delete the stack: make destroy",
    "DELETE_FAILED": "See why in CloudFormation's events, then delete it again: make destroy",
}


@dataclass(frozen=True)
class Place:
    """The account and region that are deployed to, and how to talk to them."""

    account: str
    region: str
    clients: Clients


def configuration(settings: Settings) -> Config:
    """The configuration that the app will read. Raises CommandError with the first mistake and how many there are."""
    try:
        return Config.load(_context(settings), os.environ)
    except ConfigError as error:
        more = f"And {len(error.problems) - 1} more. " if len(error.problems) > 1 else ""
        raise CommandError(f"Configuration: {error.problems[0]}", f"{more}{KEYS}") from None


def chosen(settings: Settings, key: str) -> str:
    """What the configuration says of a key by itself; empty where the default holds."""
    return str(_context(settings).get(key) or os.environ.get(f"PARLEY_{key.upper()}", "")).strip()


def _context(settings: Settings) -> dict[str, Any]:
    context: dict[str, Any] = json.loads((settings.root / "cdk.json").read_text(encoding="utf-8"))["context"]
    return context


def check_region(region: str, config: Config) -> None:
    """See that AWS has the region, and that all that the configuration names by an ARN is in it."""
    import boto3

    session = boto3.Session()
    known = [
        name
        for partition in session.get_available_partitions()
        for name in session.get_available_regions("lambda", partition)
    ]
    if region not in known:
        near = difflib.get_close_matches(region, known, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise CommandError(f"There is no region {region}", f"{hint}Set one, for example: AWS_REGION=eu-central-1")
    for key, arn in _arns(config):
        elsewhere = arn.split(":")[3]
        if elsewhere != region:
            raise CommandError(
                f"{key} is in {elsewhere}, and the stack would be in {region}",
                f"Name one in {region}, or deploy to {elsewhere}: AWS_REGION={elsewhere} make deploy",
            )


def _arns(config: Config) -> Iterator[tuple[str, str]]:
    for key in ("jwt_secret_arn", "fcm_secret_arn", "apns_secret_arn", "jwt_key_arn", "fcm_key_arn", "apns_key_arn"):
        if arn := getattr(config, key):
            yield key, arn
    for key in ("certificate_arn", "http_certificate_arn", "alarm_topic_arn"):
        if arn := getattr(config, key):
            yield key, arn


def is_bootstrapped(place: Place) -> bool:
    """Whether CDK's own stack is there. Raises CommandError where it is too old for this app."""
    try:
        found = place.clients("ssm").get_parameter(Name="/cdk-bootstrap/hnb659fds/version")["Parameter"]["Value"]
    except ClientError as error:
        if _code(error) == "ParameterNotFound":
            return False
        raise
    if not str(found).isdigit() or int(found) < BOOTSTRAP_VERSION:
        raise CommandError(
            f"CDK's own stack in {place.region} has version {found}, and {BOOTSTRAP_VERSION} is needed",
            f"Bring it up to date: node_modules/.bin/cdk bootstrap aws://{place.account}/{place.region}",
        )
    return True


def check_stack(stacks: Stacks, *, afresh: bool) -> None:
    """See that the stack can be deployed to, and that no tables of an earlier one are passed over unnoticed.

    `afresh`: begin with empty tables although there are others.
    """
    status, name, region = stacks.status(), stacks.name, stacks.region
    if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
        raise CommandError(f"{name} is at work: {status}", "Wait until it has ended, and run the command again")
    if hint := _IN_THE_WAY.get(status):
        raise CommandError(f"{name} is stuck: {status}", hint.format(name=name, region=region))
    left = stacks.left_tables() if status in ("", "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE") else []
    if not left:
        return
    if status == "ROLLBACK_COMPLETE":
        fact("left over", f"{len(left)} tables of a deployment that failed: {', '.join(left)}")
    elif not afresh:
        raise CommandError(
            f"There are {len(left)} tables of an earlier {name}: {', '.join(left)}",
            "Take them over, with all that is in them: make adopt. Or begin with empty ones: make deploy AFRESH=1",
        )


def check_concurrency(stacks: Stacks, config: Config, place: Place) -> None:
    """Say what a small quota means, and see that what would be reserved is there.

    A new account may have a concurrency of 10, where 1,000 is usual.
    """
    account = quotas.concurrency(place.clients("lambda"))
    quota, free = account.quota, account.free
    wanted = config.message_concurrency + 2 * config.connect_concurrency
    if wanted:
        held = _held(stacks, place)
        if free + held - wanted < min(_KEPT_FOR_THE_REST, quota):
            raise CommandError(
                f"message_concurrency and connect_concurrency would keep {wanted} invocations, and of the account's "
                f"{quota} there are {free + held} free, {min(_KEPT_FOR_THE_REST, quota)} of which Lambda leaves to the "
                "rest",
                f"Keep fewer, or have the quota raised: {quotas.how_to_raise(place.region)}",
            )
    if account.is_usual:
        fact("concurrency", f"{quota:,}")
        return
    fact("concurrency", f"{quota:,} only: {account.meaning}")
    fact("", f"To have it raised, which costs nothing: {quotas.how_to_raise(place.region)}")


def _held(stacks: Stacks, place: Place) -> int:
    """What this stack's functions have reserved by now."""
    client = place.clients("lambda")
    functions = [one.physical_id for one in stacks.resources("AWS::Lambda::Function") if _reserves(one.logical_id)]
    return sum(
        client.get_function_concurrency(FunctionName=one).get("ReservedConcurrentExecutions", 0) for one in functions
    )


def _reserves(logical_id: str) -> bool:
    return logical_id.startswith(_RESERVING)


def gateway_logs_role(stacks: Stacks, config: Config, place: Place, chosen: str) -> str:
    """`create` or `existing`: how the stack has to take the account's one role for API Gateway's logs.

    `chosen` is what the configuration says, empty where it says nothing. A role that is there, and not this stack's
    own, is never replaced: other APIs of the account write their logs with it.
    """
    arn = place.clients("apigateway").get_account().get("cloudwatchRoleArn", "")
    role = arn.rsplit("/", 1)[-1]
    if role and not _exists(role, place):
        fact("gateway logs", f"the account names the role {role}, which is gone")
        arn = role = ""
    if not role:
        if chosen == "existing":
            raise CommandError(
                f"gateway_logs_role=existing, and API Gateway has no role for its logs in {place.region}",
                "Let the stack make one: leave gateway_logs_role out, or set it to create",
            )
        return "create"
    own = [one.physical_id for one in stacks.resources("AWS::IAM::Role") if "GatewayLogsRole" in one.logical_id]
    if role in own:
        return config.gateway_logs_role
    if chosen == "create":
        raise CommandError(
            f"gateway_logs_role=create would replace {arn}, with which API Gateway writes this account's logs",
            "Keep it: leave gateway_logs_role out, or set it to existing",
        )
    fact("gateway logs", f"with the account's role {role}, which stays as it is")
    return "existing"


def _exists(role: str, place: Place) -> bool:
    """Whether there is such a role; who may not ask takes it to be there."""
    try:
        place.clients("iam").get_role(RoleName=role)
    except ClientError as error:
        return _code(error) != "NoSuchEntity"
    return True


def check_secrets(config: Config, place: Place) -> None:
    """See that the secrets are there, and that who has to read them may have them decrypted."""
    client = place.clients("secretsmanager")
    for name in ("jwt", "fcm", "apns"):
        arn, key = getattr(config, f"{name}_secret_arn"), getattr(config, f"{name}_key_arn")
        if not arn:
            continue
        try:
            found = client.describe_secret(SecretId=arn).get("KmsKeyId", "")
        except ClientError as error:
            if _code(error) == "ResourceNotFoundException":
                raise CommandError(
                    f"{name}_secret_arn names a secret that is not there",
                    "Make it first, or correct the ARN: docs/operations.md says what is in it",
                ) from None
            if _code(error) in ("AccessDeniedException", "AccessDenied"):
                continue  # who deploys need not be one who may look at secrets
            raise
        is_own = bool(found) and not found.endswith("alias/aws/secretsmanager")
        if is_own and not key:
            raise CommandError(
                f"The secret of {name}_secret_arn is under a key of your own, which the functions may not use",
                f"Name the key: {name}_key_arn={found if found.startswith('arn:') else 'the ARN of ' + found}",
            )


def check_certificates(config: Config, place: Place) -> None:
    """See that each domain has a certificate that is issued, and that names it."""
    wanted = {config.domain_name: config.certificate_arn, config.http_domain_name: config.http_certificate}
    for domain, arn in wanted.items():
        if domain and arn:
            _check_certificate(domain, arn, place)


def _check_certificate(domain: str, arn: str, place: Place) -> None:
    try:
        certificate: Mapping[str, Any] = place.clients("acm").describe_certificate(CertificateArn=arn)["Certificate"]
    except ClientError as error:
        if _code(error) == "ResourceNotFoundException":
            raise CommandError(f"The certificate of {domain} is not there: {arn}", "Correct its ARN") from None
        raise
    if certificate["Status"] != "ISSUED":
        raise CommandError(
            f"The certificate of {domain} is not issued: {certificate['Status']}",
            "In ACM it says what is missing; usually the DNS record by which it is validated",
        )
    names = certificate.get("SubjectAlternativeNames") or [certificate["DomainName"]]
    if not any(_covers(name, domain) for name in names):
        raise CommandError(
            f"The certificate of {domain} is for {', '.join(names)}", f"Have one issued that names {domain}"
        )


def _covers(name: str, domain: str) -> bool:
    """A '*' stands for one label."""
    pattern = re.escape(name.lower()).replace(r"\*", "[^.]+")
    return re.fullmatch(pattern, domain) is not None


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
