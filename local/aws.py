"""`make deploy` and `make destroy`: the same app in an AWS account."""

import json
import os

from local import cdk
from local.causes import AWS
from local.console import ask, fact, step
from local.errors import LocalError
from local.settings import Settings

RETAINED = "tables, bucket, secret and logs stay; after a deploy with PARLEY_REMOVAL=destroy they go too"


def deploy(settings: Settings) -> None:
    """Bootstrap the account where needed, deploy, and say where the stack is.

    Raises:
        LocalError: no credentials, or a step failed.

    """
    account, region = identity()
    environment = _environment(settings, region)
    fact("account", f"{account}, region {region}")
    if not _is_bootstrapped(region):
        with step("bootstrap"):
            target, log = f"aws://{account}/{region}", settings.log("aws-bootstrap")
            cdk.run(settings, "bootstrap", target, environment=environment, log=log, folder=settings.home)
    outputs_file = settings.home / "aws-outputs.json"
    with step("deploy"):
        options = ("--require-approval", "never", "--outputs-file", str(outputs_file))
        log = settings.log("aws-deploy")
        cdk.run(settings, "deploy", stack_name(), *options, environment=environment, log=log)
    _show(json.loads(outputs_file.read_text(encoding="utf-8"))[stack_name()])


def _show(outputs: dict[str, str]) -> None:
    fact("WebSocket", outputs["WsUrl"])
    fact("HTTP", outputs["HttpUrl"])
    if arn := outputs.get("JwtSecretArn"):
        print("\nYour backend signs its users' tokens (HS256) with this secret:")
        fetch = "aws secretsmanager get-secret-value --query SecretString --output text"
        print(f"  {fetch} --region {outputs['Region']} --secret-id {arn}")


def destroy(settings: Settings, *, confirmed: bool) -> None:
    """Delete the stack after asking.

    Raises:
        LocalError: no credentials, no consent, or a failure.

    """
    account, region = identity()
    name = stack_name()
    print(f"This deletes {name} in account {account}, region {region}.")
    print(f"By default its {RETAINED}.")
    if not confirmed and not _consents(name):
        raise LocalError("Nothing was deleted", f"Type the stack's name, {name}, or run: make destroy YES=1")
    with step("destroy"):
        environment, log = _environment(settings, region), settings.log("aws-destroy")
        cdk.run(settings, "destroy", name, "--force", environment=environment, log=log)


def _environment(settings: Settings, region: str) -> dict[str, str]:
    return cdk.aws_environment(settings) | {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}


def stack_name() -> str:
    return f"Parley-{os.environ.get('PARLEY_STAGE') or 'prod'}"


def _consents(name: str) -> bool:
    return ask(f"Type {name} to go on: ") == name


def identity() -> tuple[str, str]:
    """The account and region that the user's credentials lead to. Raises botocore's errors, which `causes` explains."""
    import boto3
    from botocore.config import Config

    # The SDKs for other languages, and so the CDK, read AWS_REGION; Python's reads AWS_DEFAULT_REGION.
    session = boto3.Session(region_name=os.environ.get("AWS_REGION") or None)
    if session.region_name is None:
        raise LocalError("No AWS region is set", AWS["NoRegionError"])
    quick = Config(connect_timeout=10, read_timeout=20, retries={"total_max_attempts": 2})
    account: str = session.client("sts", config=quick).get_caller_identity()["Account"]
    return account, session.region_name


def _is_bootstrapped(region: str) -> bool:
    import boto3
    from botocore.exceptions import ClientError

    try:
        boto3.client("ssm", region_name=region).get_parameter(Name="/cdk-bootstrap/hnb659fds/version")
    except ClientError as error:
        if error.response["Error"]["Code"] == "ParameterNotFound":
            return False
        raise
    return True
