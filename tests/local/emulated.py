"""An emulator as the tests use it: its services, and what functions have printed."""

from __future__ import annotations

import json
from typing import Any

import boto3

from local.settings import REGION, Settings


def client(settings: Settings, service: str) -> Any:
    credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client(service, endpoint_url=settings.address, region_name=REGION, **credentials)


def printed(settings: Settings) -> list[str]:
    log = settings.log("functions")
    return [json.loads(line)["line"].strip() for line in log.read_text().splitlines()] if log.exists() else []
