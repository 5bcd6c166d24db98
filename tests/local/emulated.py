"""An emulator as the tests use it: its services, and what functions have printed."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import boto3

from local.settings import ACCOUNT, REGION, Settings


def client(settings: Settings, service: str) -> Any:
    credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client(service, endpoint_url=settings.address, region_name=REGION, **credentials)


def printed(settings: Settings) -> list[str]:
    log = settings.log("functions")
    return [json.loads(line)["line"].strip() for line in log.read_text().splitlines()] if log.exists() else []


def create_function(settings: Settings, name: str, source: str, *, handler: str, **more: int) -> str:
    """A function of one file, whose name `handler` begins with. Returns its name; `more` is as Lambda has it."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr(f"{handler.partition('.')[0]}.py", source)
    client(settings, "lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=f"arn:aws:iam::{ACCOUNT}:role/any",
        Handler=handler,
        Code={"ZipFile": archive.getvalue()},
        **more,
    )
    return name
