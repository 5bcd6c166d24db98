"""Files' bytes in S3: forms and links that are signed here and used by clients, and the few calls of our own.

uploads/F       what was uploaded as file F, until the check has seen it; S3 drops it after a day
files/F         the very bytes that were checked
thumbnails/F    a small picture of them
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from shared.adapters.aws.calls import UNBOUNDED, ServiceError
from shared.adapters.aws.sdk import Sdk
from shared.clock import SECOND_MS, Deadline, now_ms
from shared.config import AwsEnvironment
from shared.domain.files import IMAGE, File, Stored, Upload, content_disposition

T = TypeVar("T")

_WAITING: Final = "uploads/"
_KEPT: Final = "files/"
_SMALL: Final = "thumbnails/"
THUMBNAIL_TYPE: Final = "image/jpeg"
# S3 copies a hundred megabytes within seconds, and may be silent meanwhile.
READ_TIMEOUT_S: Final = 20.0
# An answer to HEAD has no body, and so no code but its status.
_GONE: Final = frozenset({"404", "NoSuchKey", "412", "PreconditionFailed"})
# S3's own checksums are for those who send what they have not signed.
_CHECKSUMS: Final = {"request_checksum_calculation": "when_required", "response_checksum_validation": "when_required"}


def s3(environment: AwsEnvironment, deadline: Deadline = UNBOUNDED) -> Sdk:
    """S3 in this region: a bucket by its own host name on AWS, by its path on a laptop."""
    style = "path" if environment.endpoint_url else "virtual"
    options = {
        "signature_version": "s3v4",
        "s3": {"addressing_style": style, "us_east_1_regional_endpoint": "regional"},
        **_CHECKSUMS,
    }
    return Sdk("s3", environment, deadline, read_timeout_s=READ_TIMEOUT_S, options=options)


class S3Objects:
    def __init__(self, s3: Sdk, *, bucket: str, now: Callable[[], int] = now_ms) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._now = now

    def upload(self, file: File) -> Upload:
        content_type = {"Content-Type": file.content_type}
        form = self._s3.client.generate_presigned_post(
            self._bucket,
            f"{_WAITING}{file.file_id}",
            dict(content_type),
            [content_type, ["content-length-range", file.size, file.size]],
            ExpiresIn=-((self._now() - file.expires_at) // SECOND_MS),
        )
        return Upload(form["url"], form["fields"], file.expires_at)

    def download_url(self, file: File, *, expires_in_s: int, thumbnail: bool = False) -> str:
        disposition = content_disposition(file.name, attachment=file.kind != IMAGE)
        parameters = {
            "Bucket": self._bucket,
            "Key": f"{_SMALL}{file.file_id}" if thumbnail else f"{_KEPT}{file.file_id}",
            "ResponseContentDisposition": "inline" if thumbnail else disposition,
            "ResponseContentType": THUMBNAIL_TYPE if thumbnail else file.content_type,
        }
        return str(self._s3.client.generate_presigned_url("get_object", parameters, ExpiresIn=expires_in_s))

    def look_at_upload(self, file_id: str) -> Stored | None:
        found = self._unless_gone(lambda s3: s3.head_object(Bucket=self._bucket, Key=f"{_WAITING}{file_id}"))
        return None if found is None else Stored(found["ContentLength"], found["ETag"])

    def read_upload(self, file_id: str, stored: Stored, *, limit: int) -> bytes | None:
        def read(s3: Any) -> bytes:
            wanted = {"Range": f"bytes=0-{limit - 1}", "IfMatch": stored.etag}
            found = s3.get_object(Bucket=self._bucket, Key=f"{_WAITING}{file_id}", **wanted)
            return bytes(found["Body"].read())  # here, so that what breaks off is read again

        return self._unless_gone(read)

    def keep(self, file: File, stored: Stored) -> bool:
        copied = self._unless_gone(
            lambda s3: s3.copy_object(
                Bucket=self._bucket,
                Key=f"{_KEPT}{file.file_id}",
                CopySource={"Bucket": self._bucket, "Key": f"{_WAITING}{file.file_id}"},
                CopySourceIfMatch=stored.etag,
                MetadataDirective="REPLACE",
                ContentType=file.content_type,
            )
        )
        return copied is not None

    def put_thumbnail(self, file_id: str, thumbnail: bytes) -> None:
        kept = {"Bucket": self._bucket, "Key": f"{_SMALL}{file_id}", "ContentType": THUMBNAIL_TYPE}
        self._s3.call(lambda s3: s3.put_object(**kept, Body=thumbnail))

    def drop_upload(self, file_id: str) -> None:
        self._delete(f"{_WAITING}{file_id}")

    def delete(self, file_id: str) -> None:
        for key in (f"{_KEPT}{file_id}", f"{_SMALL}{file_id}"):
            self._delete(key)

    def _delete(self, key: str) -> None:
        self._unless_gone(lambda s3: s3.delete_object(Bucket=self._bucket, Key=key))

    def _unless_gone(self, ask: Callable[[Any], T]) -> T | None:
        """None where the object is not there, or no longer what it was. Raises ServiceError and Unavailable."""
        try:
            return self._s3.call(ask, expected=_GONE)
        except ServiceError as refused:
            if refused.code in _GONE:
                return None
            raise
