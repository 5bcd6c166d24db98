"""Reads the lake as an analysis does, each event once: messages by day and conversation."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError


def rows(bucket: str) -> dict[str, dict[str, Any]]:
    """All rows of messages by their ids: one that came twice is there once."""
    s3 = boto3.client("s3")
    found: dict[str, dict[str, Any]] = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="events/"):
        for listed in page.get("Contents", []):
            if "/type=new_message/" in listed["Key"]:  # a partition: the others are not even read
                text = s3.get_object(Bucket=bucket, Key=listed["Key"])["Body"].read().decode()
                found |= {row["id"]: row for row in map(json.loads, text.splitlines())}
    return found


def main() -> None:
    [stack] = boto3.client("cloudformation").describe_stacks(StackName="parley-lake")["Stacks"]
    bucket = stack["Outputs"][0]["OutputValue"]
    counts = Counter((row["timestamp"][:10], row["conversation_id"]) for row in rows(bucket).values())
    for (day, conversation), count in sorted(counts.items()):
        print(f"{day}  {count:7}  {conversation}")


if __name__ == "__main__":
    try:
        main()
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"The lake can't be read: {error}")
