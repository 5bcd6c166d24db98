"""The function: events from the queue become rows in S3, a file for each hour and type that is in the batch.

    events/date=2026-11-23/hour=16/type=new_message/<digest>.ndjson

The same batch, handed over again, writes the same files. An event that came twice is in two files, with one `id`: who
reads counts it once (`SELECT DISTINCT`, or as show.py does).
"""

import hashlib
import json
import os
from collections import defaultdict
from typing import Any

import boto3

s3 = boto3.client("s3")


def handler(event: dict[str, Any], _context: object) -> None:
    """Raises where S3 refuses a file: then all of the batch comes again, and what fails for good is in a queue."""
    files: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for record in event["Records"]:
        told = json.loads(record["body"])["detail"]
        files[place(told)][told["id"]] = row(told)
    for folder, rows in files.items():
        lines = [json.dumps(rows[event_id], ensure_ascii=False) for event_id in sorted(rows)]
        digest = hashlib.sha256("\n".join(sorted(rows)).encode()).hexdigest()[:32]
        body = "\n".join(lines).encode() + b"\n"
        key = f"events/{folder}/{digest}.ndjson"
        s3.put_object(Bucket=os.environ["BUCKET"], Key=key, Body=body, ContentType="application/x-ndjson")


def place(told: dict[str, Any]) -> str:
    """By when it was stored, not by when it came: what comes late, or again, is where it belongs."""
    date, time = told["timestamp"].split("T")
    return f"date={date}/hour={time[:2]}/type={told['type']}"


def row(told: dict[str, Any]) -> dict[str, Any]:
    """Columns for what is asked for most, and all of it as JSON beside them."""
    message = told["data"].get("message") or {}
    columns = {name: told.get(name) for name in ("id", "type", "timestamp", "conversation_id", "seq")}
    said = {"sender_id": message.get("sender_id") or told["data"].get("user_id"), "content": message.get("content")}
    return {**columns, **said, "data": json.dumps(told["data"], ensure_ascii=False)}
