"""Uploads are looked at as they arrive, and files of deleted messages are released."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_plus

from functions.files.inspector import inspector
from shared.aws.dynamodb import dynamodb, from_item
from shared.aws.file_table import DynamoDbFiles
from shared.aws.objects import S3Objects
from shared.config import AwsEnvironment, FilesSettings
from shared.files.checking import check_upload
from shared.files.models import REJECTED
from shared.files.ports import Files, Inspector, Objects
from shared.files.releasing import release
from shared.observability import count, describe, make_logger

_UPLOADS: Final = "uploads/"


class UploadsNotCheckedError(Exception):
    """Some checks failed. Raised for Lambda, which makes the invocation again, and at last reports it."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything that this function reaches the world through."""

    files: Files
    objects: Objects
    inspect: Inspector


def _wire(settings: FilesSettings, environment: AwsEnvironment) -> Ports:
    return Ports(
        files=DynamoDbFiles(dynamodb(environment), members_table=settings.members_table),
        objects=S3Objects(environment, bucket=settings.bucket),
        inspect=inspector(settings.image_pixels),
    )


_SETTINGS = FilesSettings.load()
_LOGGER = make_logger("files", _SETTINGS.log_level)
_PORTS = _wire(_SETTINGS, AwsEnvironment.load())


def handler(event: Mapping[str, Any], _context: Any = None) -> dict[str, Any] | None:
    """Objects that were created, or a batch of the log's stream, whose answer names where to start again."""
    records = event["Records"]
    if records and records[0].get("eventSource") == "aws:dynamodb":
        return release_files(records, _PORTS)
    check_uploads(records, _PORTS)
    return None


def check_uploads(records: Sequence[Mapping[str, Any]], ports: Ports) -> None:
    """Decode, one call into the core for each. One that fails holds up no other; Lambda repeats them all.

    Raises UploadsNotCheckedError at the end if one did.
    """
    failed = 0
    for record in records:
        try:
            _check(record, ports)
        except Exception as error:  # noqa: BLE001  # whatever it is, it comes again, and at last to the failure queue
            _LOGGER.error("upload not checked", extra=describe(error))
            failed += 1
    if failed:
        raise UploadsNotCheckedError(f"{failed} of {len(records)}")


def release_files(records: Sequence[Mapping[str, Any]], ports: Ports) -> dict[str, Any]:
    """Decode, one call into the core for each, encode. From one that fails on nothing is touched."""
    for record in records:
        try:
            _release(record, ports)
        except Exception as error:  # noqa: BLE001  # poison takes any form, and must not stop the shard
            _LOGGER.error("file not released", extra=describe(error))
            return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
    return {"batchItemFailures": []}


def _check(record: Mapping[str, Any], ports: Ports) -> None:
    place, _, file_id = unquote_plus(record["s3"]["object"]["key"]).rpartition("/")
    if f"{place}/" != _UPLOADS or not file_id:
        return  # the notification is for uploads alone
    settled = check_upload(file_id, files=ports.files, objects=ports.objects, inspect=ports.inspect)
    if settled is not None and settled.status == REJECTED:
        _LOGGER.info("file rejected", extra={"file_id": file_id, "reason": settled.reason})
        count("FilesRejected", function="files")


def _release(record: Mapping[str, Any], ports: Ports) -> None:
    if record.get("eventName") != "INSERT":
        return  # the event source filters these out; entries are only ever added
    item = from_item(record["dynamodb"]["NewImage"])
    if item["kind"] == "message_deleted" and "file_id" in item:
        release(str(item["file_id"]), files=ports.files, objects=ports.objects)
