"""What a deployment is told about the local push servers, SES's among them: where they are, and the secrets."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any, Final

from local.errors import CommandError
from local.providers.keys import Keys
from local.providers.ports import Ports
from local.providers.web import public_key_of
from local.settings import Settings

# From whom the laptop's mails come: the server that stands in for SES takes any address.
MAIL_FROM: Final = "chat@example.com"
# The key of the configuration that gets the secret's ARN, and the secret's name.
SECRETS: Final[Mapping[str, str]] = {
    "fcm_secret_arn": "parley/local/fcm",
    "apns_secret_arn": "parley/local/apns",
    "web_push_secret_arn": "parley/local/web",
}


def endpoints(settings: Settings, ports: Ports) -> dict[str, str]:
    """The configuration but for the secrets."""
    keys = Keys(settings.providers)
    return {
        "local_fcm_endpoint": ports.fcm_endpoint,
        "local_apns_endpoint": ports.apns_endpoint,
        "local_web_push": ports.fcm_endpoint,
        "local_ca_file": str(keys.ca_file.absolute()),
        **mails(settings),
        **_web_push_key(keys),
    }


def mails(settings: Settings) -> dict[str, str]:
    """From whom mails come and where they lead to: what the environment says, or what there is on a laptop."""
    link = f"{settings.endpoint}/ui/#/{{conversation_id}}"
    usual = {"mail_from": MAIL_FROM, "mail_link": link}
    return {key: os.environ.get(f"PARLEY_{key.upper()}") or value for key, value in usual.items()}


def _web_push_key(keys: Keys) -> dict[str, str]:
    """The public half; none where the keys are gone, of which `store` tells."""
    try:
        return {"web_push_key": public_key_of(keys.vapid_scalar)}
    except FileNotFoundError:
        return {}


def digest(settings: Settings, ports: Ports) -> str:
    """Another one means that there is something to deploy: other ports, other keys."""
    try:
        secrets = _secrets(settings, ports)
    except CommandError:
        secrets = {}  # the deployment is told them
    known = [endpoints(settings, ports), ports.inspect_url, secrets]
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()


def store(settings: Settings, ports: Ports, secrets_manager: Any) -> dict[str, str]:
    """Put the secrets where the functions read them, and tell the configuration's keys with their ARNs."""
    return {key: _put(secrets_manager, SECRETS[key], secret) for key, secret in _secrets(settings, ports).items()}


def _put(secrets_manager: Any, name: str, secret: str) -> str:
    try:
        arn: str = secrets_manager.create_secret(Name=name, SecretString=secret)["ARN"]
    except secrets_manager.exceptions.ResourceExistsException:
        arn = secrets_manager.put_secret_value(SecretId=name, SecretString=secret)["ARN"]
    return arn


def _secrets(settings: Settings, ports: Ports) -> dict[str, str]:
    keys = Keys(settings.providers)
    try:
        return {
            "fcm_secret_arn": keys.fcm_secret(ports.token_uri),
            "apns_secret_arn": keys.apns_secret(),
            "web_push_secret_arn": keys.web_push_secret(),
        }
    except FileNotFoundError as error:
        raise CommandError("The push servers' keys are gone", "Run: make down, make up") from error
