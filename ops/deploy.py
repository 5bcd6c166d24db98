"""`make deploy` and `make destroy`: the same app in an AWS account."""

import json

from local import cdk, page
from local.console import ask, fact, step
from local.errors import CommandError
from local.settings import Settings
from ops import target, web

RETAINED = "tables, bucket, secret and logs stay; after a deploy with PARLEY_REMOVAL=destroy they go too"


def deploy(settings: Settings) -> None:
    """Bootstrap the account where needed, deploy, and say where the stack is.

    Raises:
        CommandError: no credentials, or a step failed.

    """
    account, region = target.identity()
    environment = _environment(settings, region)
    fact("account", f"{account}, region {region}")
    if not _is_bootstrapped(region):
        with step("bootstrap"):
            where, log = f"aws://{account}/{region}", settings.log("aws-bootstrap")
            cdk.run(settings, "bootstrap", where, environment=environment, log=log, folder=settings.home)
    outputs_file = settings.home / "aws-outputs.json"
    with step("deploy"):
        options = ("--require-approval", "never", "--outputs-file", str(outputs_file))
        log = settings.log("aws-deploy")
        cdk.run(settings, "deploy", target.stack_name(), *options, environment=environment, log=log)
    outputs = json.loads(outputs_file.read_text(encoding="utf-8"))[target.stack_name()]
    if "WebBucket" in outputs:
        page.build(settings)
        web.publish(settings, outputs)
    _show(outputs)


def _show(outputs: dict[str, str]) -> None:
    fact("WebSocket", outputs["WsUrl"])
    fact("HTTP", outputs["HttpUrl"])
    if url := outputs.get("WebUrl"):
        fact("chat page", url)
    if arn := outputs.get("JwtSecretArn"):
        print("\nYour backend signs its users' tokens (HS256) with this secret:")
        fetch = "aws secretsmanager get-secret-value --query SecretString --output text"
        print(f"  {fetch} --region {outputs['Region']} --secret-id {arn}")


def destroy(settings: Settings, *, confirmed: bool) -> None:
    """Delete the stack after asking.

    Raises:
        CommandError: no credentials, no consent, or a failure.

    """
    account, region = target.identity()
    name = target.stack_name()
    print(f"This deletes {name} in account {account}, region {region}.")
    print(f"By default its {RETAINED}.")
    if not confirmed and not _consents(name):
        raise CommandError("Nothing was deleted", f"Type the stack's name, {name}, or run: make destroy YES=1")
    with step("destroy"):
        environment, log = _environment(settings, region), settings.log("aws-destroy")
        cdk.run(settings, "destroy", name, "--force", environment=environment, log=log)


def _environment(settings: Settings, region: str) -> dict[str, str]:
    return cdk.aws_environment(settings) | {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}


def _consents(name: str) -> bool:
    return ask(f"Type {name} to go on: ") == name


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
