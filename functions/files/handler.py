"""Uploads are looked at as they arrive, files of deleted messages are released, and those that lead nowhere dropped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shared.adapters.aws.s3 import S3Objects, s3
from shared.adapters.dynamodb.client import dynamodb, from_item
from shared.adapters.dynamodb.files import DynamoDbFiles
from shared.clock import BATCH_S, Deadline, now_ms
from shared.config import AwsEnvironment, FilesSettings
from shared.domain.files import IMAGE, REJECTED, Checked, File
from shared.domain.limits import is_on
from shared.observability import count, make_logger, unexpected
from shared.operations.files import WRONG_TYPE, Tell, check_upload, release, sweep, untold
from shared.ports.files import Files
from shared.ports.services import Inspector, Objects

_UPLOADS: Final = "uploads/"
# EventBridge's own: a schedule of it.
_SCHEDULE: Final = "aws.events"
# Of one sweep: what is left waits for the next, a quarter of an hour later.
_SWEPT: Final = 200


class UploadNotCheckedError(Exception):
    """A check failed for a reason that is none of the upload's, and is to be made again."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """`begin` starts the time that an invocation may take."""

    files: Files
    objects: Objects
    inspect: Inspector
    begin: Callable[[], None]
    now: Callable[[], int] = now_ms
    tell: Tell = untold


def inspector(image_pixels: int) -> Inspector:
    """Says whether a file is of its declared type, and decodes images, but for those sent as a file."""

    def inspect(file: File, head: bytes, /) -> Checked:
        from functions.files.kinds import is_as_declared  # noqa: PLC0415  # few events of the stream come to this

        if not is_as_declared(file, head):
            return Checked(WRONG_TYPE)
        if file.kind != IMAGE:
            return Checked()
        from functions.files.images import look_into  # noqa: PLC0415  # Pillow is an eighth of a second

        return look_into(head, file.content_type, pixels=image_pixels)

    return inspect


def _wire(settings: FilesSettings, environment: AwsEnvironment) -> Wiring:
    deadline = Deadline(BATCH_S, grace_s=0)
    return Wiring(
        files=DynamoDbFiles(dynamodb(environment, deadline), members_table=settings.members_table),
        objects=S3Objects(s3(environment, deadline), bucket=settings.bucket),
        inspect=inspector(settings.image_pixels),
        begin=deadline.begin,
        tell=_teller(settings, environment, deadline) if is_on(settings.events) else untold,
    )


def _teller(settings: FilesSettings, environment: AwsEnvironment, deadline: Deadline) -> Tell:
    from functions.files.telling import teller  # noqa: PLC0415  # few deployments have events

    return teller(settings, environment, deadline)


_SETTINGS = FilesSettings.load()
_LOGGER = make_logger("files", _SETTINGS.log_level, _SETTINGS.stage)
_WIRING = _wire(_SETTINGS, AwsEnvironment.load())


def handler(event: Mapping[str, Any], _context: Any = None) -> dict[str, Any] | None:
    """An object that was created, a sweep, or a batch of the log's stream, whose answer names where to start again."""
    _WIRING.begin()
    if event.get("source") == _SCHEDULE:
        sweep_files(_WIRING)
        return None
    if "detail" in event:
        check(event, _WIRING)
        return None
    return release_files(event["Records"], _WIRING)


def check(event: Mapping[str, Any], wiring: Wiring) -> None:
    """Settle an upload that EventBridge tells of. Raises UploadNotCheckedError, so that Lambda tries again."""
    try:
        place, _, file_id = str(event["detail"]["object"]["key"]).rpartition("/")
        if f"{place}/" != _UPLOADS or not file_id:
            return  # the rule lets uploads through alone
        files, objects, inspect, tell = wiring.files, wiring.objects, wiring.inspect, wiring.tell
        settled = check_upload(file_id, files=files, objects=objects, inspect=inspect, tell=tell)
    except Exception as error:  # noqa: BLE001  # whatever it is, it comes again, and at last to the failure queue
        unexpected("upload not checked", error, logger=_LOGGER)
        raise UploadNotCheckedError from None  # the runtime logs an error's text, and that of what it came from
    if settled is not None and settled.status == REJECTED:
        _LOGGER.info("file rejected", extra={"file_id": file_id, "reason": settled.reason})
        count("FilesRejected", function="files")


def sweep_files(wiring: Wiring) -> None:
    """Drop files that lead nowhere. One that fails holds up none behind it, and is due again with the next sweep."""
    now = wiring.now()
    for due in wiring.files.due(now, limit=_SWEPT):
        try:
            if sweep(due, files=wiring.files, objects=wiring.objects, now=now, tell=wiring.tell):
                count("FilesDropped", function="files")
        except Exception as error:  # noqa: BLE001  # whatever it is, the others' time has come, too
            unexpected("file not swept", error, logger=_LOGGER, file_id=due.file_id)


def release_files(records: Sequence[Mapping[str, Any]], wiring: Wiring) -> dict[str, Any]:
    """Decode, one call into the core for each, encode. One that fails holds up none behind it; twice does no harm."""
    failures = []
    for record in records:
        try:
            _release(record, wiring)
        except Exception as error:  # noqa: BLE001  # poison takes any form, and must not stop the shard
            unexpected("file not released", error, logger=_LOGGER)
            failures.append({"itemIdentifier": record["dynamodb"]["SequenceNumber"]})
    return {"batchItemFailures": failures[:1]}  # from where to start again


def _release(record: Mapping[str, Any], wiring: Wiring) -> None:
    if record.get("eventName") != "INSERT":
        return  # the event source filters these out; entries are only ever added
    item = from_item(record["dynamodb"]["NewImage"])
    if item["kind"] == "message_deleted" and "file_id" in item:
        for file_id in (item["file_id"], *item.get("more_files", ())):
            release(str(file_id), files=wiring.files, objects=wiring.objects, tell=wiring.tell)
