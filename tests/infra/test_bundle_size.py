"""The bundle of the pushes, which carries Google's library: how large it is, and that nothing in it is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.bundling import Bundler
from infra.bytecode import HOST, LAMBDA, Interpreter
from tests.functions.environment import VARIABLES
from tests.infra.templates import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("bundles")]

# Unzipped bytes, bytecode included. Measured on 2026-11-30: 52.2 MB, of which cryptography is 14.7, and PynamoDB
# with botocore 4.9.
LIMIT = 54e6
NAME = "offline_push"

# What each platform's first push needs beyond the imports of its module is only found by pushing.
FIRST_PUSHES = """
import sys

sys.path[:0] = ["."]
import functions.offline_push.handler

waiting = {"firebase_admin", "httpx2", "requests", "jwt", "cryptography", "pynamodb"}
assert not waiting & set(sys.modules), "before any push"

import json
import socket
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from functions.offline_push.apns.gateway import ApnsGateway
from functions.offline_push.fcm.gateway import FcmGateway
from shared.domain.devices import APNS, FCM, PushTarget
from shared.domain.pushes import Push, Wording

def pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

with socket.socket() as taken:  # bound, and without a listener
    taken.bind(("127.0.0.1", 0))
    nowhere = "https://127.0.0.1:%s" % taken.getsockname()[1]
    account = {
        "type": "service_account", "project_id": "p", "client_email": "a@b", "token_uri": nowhere,
        "private_key": pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
    }
    key = {"key_id": "k", "team_id": "t", "private_key": pem(ec.generate_private_key(ec.SECP256R1()))}
    fcm = FcmGateway(lambda: json.dumps(account), endpoint=nowhere, ca_file="")
    apns = ApnsGateway(lambda: json.dumps(key), endpoint=nowhere + "," + nowhere, ca_file="")
    for gateway, platform in ((fcm, FCM), (apns, APNS)):
        target = PushTarget(platform, "ab" * 32, app_id="a.b")
        push = Push(target, "i", "c", "t", 1, 1, Wording("k", ("a",), body="b"), {"d": "e"}, 2_000_000_000_000)
        print(gateway.push(push).reason)
import httpcore2._async.http2, httpx2
import shared.adapters.dynamodb.models
"""


@pytest.fixture(scope="module", autouse=True)
def uv_on_path() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{ROOT / '.tools' / 'uv' / 'bin'}{os.pathsep}{os.environ['PATH']}")
        yield


def bundle(interpreter: Interpreter) -> Path:
    return Bundler(ROOT, interpreter).build({NAME: (NAME,)})[NAME].path


def test_it_is_small_enough_for_a_quick_cold_start() -> None:
    assert sum(path.stat().st_size for path in bundle(LAMBDA).rglob("*") if path.is_file()) < LIMIT


def test_it_leaves_out_what_google_sells_besides_messaging() -> None:
    place = bundle(LAMBDA)
    for name in ("grpc", "google/cloud/firestore", "google/cloud/storage", "cffi", "pycparser"):
        assert not (place / name).exists(), name
    assert (place / "firebase_admin" / "messaging.py").is_file()


def test_the_first_push_of_each_platform_finds_all_that_it_needs_and_nobody_pays_for_it_before() -> None:
    environ = VARIABLES | {"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    # -I and -S: nothing but the standard library and the bundle.
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-W", "error", "-c", FIRST_PUSHES],
        cwd=bundle(HOST),
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.split(), done.returncode) == (["AccessTokenConnectionRefused", "ConnectionRefused"], 0), (
        done.stderr
    )
