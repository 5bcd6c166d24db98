"""Deploying the real CDK app to the emulator, and writing down what came of it."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from infra.config import Config, ConfigError
from local import cdk, server, stack
from local.errors import CommandError
from local.fingerprint import PUSHES, Fingerprint, fingerprint
from local.providers import context
from local.providers.ports import Ports
from local.settings import ACCOUNT, KEYS, REGION, Settings
from local.stack import Stack, Tables

STACK_NAME = "Parley-local"


@dataclass(frozen=True)
class Deployment:
    """What the emulator's state holds: whether CDK's own stack is there, and the fingerprint of ours, if it is."""

    bootstrapped: bool = False
    fingerprint: Fingerprint | None = None


def read(settings: Settings) -> Deployment:
    """What was deployed last; nothing, where the emulator's state is gone."""
    if not (settings.state / "CURRENT").exists():
        return Deployment()
    try:
        written = json.loads(settings.deployment_file.read_text(encoding="utf-8"))
        bootstrapped, known = bool(written["bootstrapped"]), written.get("fingerprint")
        fingerprint = Fingerprint(known["code"], dict(known["configuration"])) if isinstance(known, dict) else None
        return Deployment(bootstrapped=bootstrapped, fingerprint=fingerprint)
    except (FileNotFoundError, ValueError, LookupError, TypeError, AttributeError):
        return Deployment()


def wanted(settings: Settings, pushes: Ports | None) -> Fingerprint:
    """The fingerprint of what should be deployed, with the push servers where they are (or were last)."""
    told = {PUSHES: context.digest(settings, pushes)} if pushes else {}
    return fingerprint(settings, dict(os.environ) | told)


def check_configuration(settings: Settings) -> None:
    """See that the app will take the configuration, before anything is touched.

    Raises:
        CommandError: it will not.

    """
    try:
        Config.load({**_place(settings), **context.mails(settings)}, os.environ)
    except ConfigError as error:
        more = f"And {len(error.problems) - 1} more. " if len(error.problems) > 1 else ""
        raise CommandError(f"Configuration: {error.problems[0]}", f"{more}{KEYS}") from None


def bootstrap(settings: Settings) -> None:
    """Deploy CDK's own stack, once per state folder."""
    environment, log = cdk.local_environment(settings), settings.log("bootstrap")
    target = f"aws://{ACCOUNT}/{REGION}"
    cdk.run(settings, "bootstrap", target, environment=environment, log=log, folder=settings.home)
    _remember(settings, Deployment(bootstrapped=True))


def deploy(settings: Settings, digest: Fingerprint, pushes: Ports) -> Stack:
    """Store the push servers' secrets, run `cdk deploy`, and leave `stack.json` and the secret file behind."""
    outputs = settings.home / "outputs.json"
    # Until the end of this, what is there must not be taken for up to date.
    _remember(settings, Deployment(bootstrapped=True))
    cdk.run(
        settings,
        "deploy", STACK_NAME, *arguments(settings, pushes),
        "--require-approval", "never", "--outputs-file", str(outputs), "--method", "direct", "--progress", "events",
        environment=cdk.local_environment(settings),
        log=settings.log("deploy"),
    )  # fmt: skip
    deployed = _publish(settings, pushes, json.loads(outputs.read_text(encoding="utf-8"))[STACK_NAME])
    _remember(settings, Deployment(bootstrapped=True, fingerprint=digest))
    return deployed


def arguments(settings: Settings, pushes: Ports) -> list[str]:
    """What the app is told on CDK's command line; the push servers' secrets are stored for it."""
    secrets = context.store(settings, pushes, _client(settings, "secretsmanager"))
    values = {**_place(settings), **context.endpoints(settings, pushes), **secrets}
    return [argument for key, value in values.items() for argument in ("-c", f"{key}={value}")]


def _place(settings: Settings) -> dict[str, str]:
    return {"target": "local", "stage": "local", "local_endpoint": settings.endpoint}


def _remember(settings: Settings, deployment: Deployment) -> None:
    server.checkpoint(settings)
    stack.replace_file(settings.deployment_file, json.dumps(asdict(deployment)) + "\n")


def _publish(settings: Settings, pushes: Ports, outputs: dict[str, str]) -> Stack:
    secret_file = _write_secret(settings, outputs.get("JwtSecretArn"))
    deployed = Stack(
        ws_url=outputs["WsUrl"],
        http_url=outputs["HttpUrl"],
        region=outputs["Region"],
        endpoint_url=settings.endpoint,
        tables=Tables(
            log=outputs["LogTable"],
            members=outputs["MembersTable"],
            sessions=outputs["SessionsTable"],
            tickets=outputs["TicketsTable"],
        ),
        bucket=outputs["Bucket"],
        jwt_secret_file=str(secret_file) if secret_file else None,
        pushes_url=pushes.inspect_url,
        events_url=f"{settings.endpoint}/_parley/events",
        hooks_url=f"{settings.endpoint}/_parley/hooks",
        iss=os.environ.get("PARLEY_JWT_ISSUER") or None,
        aud=os.environ.get("PARLEY_JWT_AUDIENCE") or None,
    )
    stack.write(settings.stack_file, deployed)
    return deployed


def _write_secret(settings: Settings, arn: str | None) -> Path | None:
    if arn is None:
        settings.secret_file.unlink(missing_ok=True)
        return None
    secret = _client(settings, "secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    stack.replace_file(settings.secret_file, secret, mode=0o600)
    return settings.secret_file


def _client(settings: Settings, service: str) -> Any:
    import boto3

    return boto3.client(
        service,
        endpoint_url=settings.address,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106  # the emulator takes any
    )
