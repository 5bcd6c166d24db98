"""What functions ask of AWS is written down where that is wanted: who asked, what, and how it was answered."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local import ports, server
from local.settings import REGION, ROOT, Settings
from tests.aws.calls import call_of, recorded_in
from tests.local.emulated import client, create_function

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("emulator")]

CODE = """
import os
def handler(event, context):
    return {name: os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")}
"""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory, watchdog: None) -> Iterator[Settings]:
    settings = Settings(home=tmp_path_factory.mktemp("calls"), port=ports.free_port(), root=ROOT, records=True)
    server.start(settings)
    yield settings
    server.stop(settings)


@pytest.fixture(scope="module")
def credentials(recording: Settings) -> dict[str, str]:
    """Those that a function has."""
    create_function(recording, "asked", CODE, handler="asked.handler")
    answer = client(recording, "lambda").invoke(FunctionName="asked")
    found: dict[str, str] = json.loads(answer["Payload"].read())
    return {name.lower(): value for name, value in found.items()}


def of_function(recording: Settings, credentials: dict[str, str], service: str) -> Any:
    config = Config(signature_version="s3v4" if service == "s3" else None, s3={"addressing_style": "path"})
    return boto3.client(service, endpoint_url=recording.address, region_name=REGION, config=config, **credentials)


def test_a_function_signs_with_its_name_and_a_token(credentials: dict[str, str]) -> None:
    assert credentials["aws_access_key_id"] == "asked"
    assert credentials["aws_session_token"]


def test_its_calls_are_recorded_and_nobody_elses(recording: Settings, credentials: dict[str, str]) -> None:
    queue = client(recording, "sqs").create_queue(QueueName="q")["QueueUrl"]
    of_function(recording, credentials, "sqs").send_message(QueueUrl=queue, MessageBody="h\u00e9llo")
    client(recording, "sqs").send_message(QueueUrl=queue, MessageBody="another's")
    sent = [one for one in recorded_in(recording.calls_file) if one.service == "sqs"]
    calls = [
        (call.function, call.operation, call.parameters["MessageBody"], call.status) for call in map(call_of, sent)
    ]
    assert calls == [("asked", "SendMessage", "h\u00e9llo", 200)]
    assert stat.S_IMODE(recording.calls_file.stat().st_mode) == 0o600


def test_so_is_what_a_client_does_with_its_links_and_forms(recording: Settings, credentials: dict[str, str]) -> None:
    client(recording, "s3").create_bucket(Bucket="bucket")
    s3 = of_function(recording, credentials, "s3")
    form = s3.generate_presigned_post("bucket", "uploads/f", Conditions=[["content-length-range", 0, 9]])
    parts = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in {**form["fields"], "file": "bytes"}.items()
    )
    assert _sent(recording, "POST", "/bucket", f"{parts}--x--\r\n".encode(), "multipart/form-data; boundary=x") == 204
    link = s3.generate_presigned_url("get_object", {"Bucket": "bucket", "Key": "uploads/f"})
    assert _sent(recording, "GET", link.removeprefix(recording.address)) == 200
    of_s3 = [one for one in recorded_in(recording.calls_file) if one.service == "s3"]
    assert all(one.is_a_clients for one in of_s3)
    calls = [(call.operation, call.parameters["Key"], call.status) for call in map(call_of, of_s3)]
    assert calls == [("PostObject", "uploads/f", 204), ("GetObject", "uploads/f", 200)]


def _sent(recording: Settings, method: str, target: str, body: bytes | None = None, content_type: str = "") -> int:
    connection = HTTPConnection("127.0.0.1", recording.port, timeout=20)
    try:
        connection.request(method, target, body, {"Content-Type": content_type} if body else {})
        return connection.getresponse().status
    finally:
        connection.close()
