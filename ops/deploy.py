"""`make deploy` and `make destroy`: the same app in an AWS account."""

import json
from typing import TYPE_CHECKING

from local import cdk, page
from local.console import ask, fact, step
from local.errors import CommandError
from local.settings import Settings
from ops import target, web

if TYPE_CHECKING:
    from ops.account import Place
    from ops.target import Stacks

RETAINED = "tables, bucket, secret and logs stay; after a deploy with PARLEY_REMOVAL=destroy they go too"
PROTECTED = "the stack is protected from deletion while its data is to stay: that is lifted now"


def deploy(settings: Settings, *, afresh: bool = False) -> None:
    """Ask the account for what it takes, deploy, and see that what is deployed is in effect and answers.

    `afresh`: begin with empty tables although there are those of an earlier stack.

    Raises:
        CommandError: no credentials, something is missing, or a step failed.

    """
    from ops import deployed
    from ops.account import Place

    number, region = target.identity()
    place = Place(number, region, target.clients(region))
    stacks = target.stacks_of(region, place.clients)
    fact("account", f"{number}, region {region}")
    environment = _environment(settings, region) | _asked(settings, stacks, place, afresh=afresh)
    outputs = _cdk_deploy(settings, environment)
    deployed.check_gateways(stacks, place)
    deployed.check_health(outputs, stacks, place)
    if "WebBucket" in outputs:
        page.build(settings)
        web.publish(settings, outputs)
    _show(outputs)


def _asked(settings: Settings, stacks: "Stacks", place: "Place", *, afresh: bool) -> dict[str, str]:
    """Bootstrap the account where it is not yet, and return what the account decides of the configuration.

    Whatever is missing is told before anything is touched.
    """
    from ops import account

    config = account.configuration(settings)
    account.check_region(place.region, config)
    account.check_stack(stacks, afresh=afresh)
    account.check_concurrency(stacks, config, place)
    account.check_secrets(config, place)
    account.check_certificates(config, place)
    chosen = account.chosen(settings, "gateway_logs_role")
    role = account.gateway_logs_role(stacks, config, place, chosen) if config.logs_frames else config.gateway_logs_role
    if not account.is_bootstrapped(place):
        with step("bootstrap"):
            where, log = f"aws://{place.account}/{place.region}", settings.log("aws-bootstrap")
            environment = _environment(settings, place.region)
            cdk.run(settings, "bootstrap", where, environment=environment, log=log, folder=settings.home)
    return {"PARLEY_GATEWAY_LOGS_ROLE": role}


def _cdk_deploy(settings: Settings, environment: dict[str, str]) -> dict[str, str]:
    """Deploy, and return the stack's outputs."""
    outputs_file = settings.home / "aws-outputs.json"
    with step("deploy"):
        options = ("--require-approval", "never", "--outputs-file", str(outputs_file))
        log = settings.log("aws-deploy")
        cdk.run(settings, "deploy", target.stack_name(), *options, environment=environment, log=log)
    outputs: dict[str, str] = json.loads(outputs_file.read_text(encoding="utf-8"))[target.stack_name()]
    return outputs


def _show(outputs: dict[str, str]) -> None:
    fact("WebSocket", outputs["WsUrl"])
    fact("HTTP", outputs["HttpUrl"])
    if url := outputs.get("WebUrl"):
        fact("chat page", url)
    if url := outputs.get("DashboardUrl"):
        fact("dashboard", url)
    if arn := outputs.get("JwtSecretArn"):
        print("\nYour backend signs its users' tokens (HS256) with this secret:")
        fetch = "aws secretsmanager get-secret-value --query SecretString --output text"
        print(f"  {fetch} --region {outputs['Region']} --secret-id {arn}")


def destroy(settings: Settings, *, confirmed: bool) -> None:
    """Delete the stack after asking. Its protection from deletion, which is one from slips, is lifted first.

    Raises:
        CommandError: no credentials, no consent, or a failure.

    """
    account, region = target.identity()
    name, clients = target.stack_name(), target.clients(region)
    print(f"This deletes {name} in account {account}, region {region}.")
    print(f"By default its {RETAINED}.")
    if not confirmed and not _consents(name):
        raise CommandError("Nothing was deleted", f"Type the stack's name, {name}, or run: make destroy YES=1")
    if target.stacks_of(region, clients).is_protected():
        fact("protection", PROTECTED)
        clients("cloudformation").update_termination_protection(StackName=name, EnableTerminationProtection=False)
    with step("destroy"):
        environment, log = _environment(settings, region), settings.log("aws-destroy")
        cdk.run(settings, "destroy", name, "--force", environment=environment, log=log)


def _environment(settings: Settings, region: str) -> dict[str, str]:
    return cdk.aws_environment(settings) | {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}


def _consents(name: str) -> bool:
    return ask(f"Type {name} to go on: ") == name
