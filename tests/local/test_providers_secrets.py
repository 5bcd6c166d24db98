"""The push servers' secrets in the real emulator."""

import json
import os
import re
import signal

import pytest

from local import processes, server
from local.providers import context, key_making
from local.providers.ports import Ports
from local.settings import Settings
from tests.local.emulated import client

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("emulator")]

# What the configuration takes for a secret's ARN.
ARN = r"arn:aws:secretsmanager:us-east-1:000000000000:secret:parley/local/(fcm|apns|web)-[A-Za-z0-9]{6}"


def stored(settings: Settings, arn: str) -> dict[str, str]:
    secret: dict[str, str] = json.loads(
        client(settings, "secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    )
    return secret


def test_secrets_are_made_changed_under_the_same_arn_and_survive_a_kill(emulator: Settings) -> None:
    key_making.prepare(emulator.providers)
    first = context.store(emulator, Ports(1, 2, 3, 4), client(emulator, "secretsmanager"))
    assert set(first) == {"fcm_secret_arn", "apns_secret_arn", "web_push_secret_arn"}
    assert all(re.fullmatch(ARN, arn) for arn in first.values())
    assert context.store(emulator, Ports(5, 2, 3, 4), client(emulator, "secretsmanager")) == first
    server.checkpoint(emulator)
    running = server.find(emulator)
    assert running is not None
    os.kill(running.process.pid, signal.SIGKILL)
    assert processes.wait_until(lambda: not running.process.alive, 20)
    server.start(emulator)
    assert stored(emulator, first["fcm_secret_arn"])["token_uri"] == "https://localhost:5/token"
    assert set(stored(emulator, first["apns_secret_arn"])) == {"key_id", "team_id", "private_key"}
