"""Exports in S3, beside the files: `exports/<job>/<name>`, which the bucket drops some days later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from shared.adapters.aws.calls import ServiceError
from shared.adapters.aws.sdk import Sdk
from shared.ports.jobs import Stored

_EXPORTS: Final = "exports/"
_KEPT: Final = "files/"
_GONE: Final = frozenset({"404", "NoSuchKey"})
_LINES: Final = "application/x-ndjson"


class S3Archive:
    """Archive in the files' bucket."""

    def __init__(self, s3: Sdk, *, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def put(self, job_id: str, name: str, data: bytes) -> None:
        place = {"Bucket": self._bucket, "Key": _key(job_id, name), "ContentType": _LINES}
        self._s3.call(lambda s3: s3.put_object(**place, Body=data))

    def copy_file(self, job_id: str, file_id: str) -> bool:
        place = {"Bucket": self._bucket, "Key": _key(job_id, f"files/{file_id}")}
        source = {"Bucket": self._bucket, "Key": f"{_KEPT}{file_id}"}
        try:
            self._s3.call(lambda s3: s3.copy_object(**place, CopySource=source), expected=_GONE)
        except ServiceError as refused:
            if refused.code in _GONE:
                return False
            raise
        return True

    def listed(self, job_id: str, *, after: str, limit: int) -> Sequence[Stored]:
        prefix = _key(job_id, "")
        wanted: dict[str, Any] = {"Bucket": self._bucket, "Prefix": prefix, "MaxKeys": limit}
        if after:
            wanted["StartAfter"] = _key(job_id, after)
        found = self._s3.call(lambda s3: s3.list_objects_v2(**wanted))
        return [Stored(one["Key"].removeprefix(prefix), one["Size"]) for one in found.get("Contents", ())]

    def url(self, job_id: str, name: str, *, expires_in_s: int) -> str:
        place = {"Bucket": self._bucket, "Key": _key(job_id, name), "ResponseContentDisposition": "attachment"}
        return str(self._s3.client.generate_presigned_url("get_object", place, ExpiresIn=expires_in_s))


def _key(job_id: str, name: str) -> str:
    return f"{_EXPORTS}{job_id}/{name}"
