"""Files' bytes in S3: forms and links that are signed here and used by clients, and the few calls of our own.

uploads/F       what was uploaded as file F, until the check has seen it; S3 drops it after a day
files/F         the very bytes that were checked
thumbnails/F    a small picture of them
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from shared.adapters.aws.json_service import ServiceError, always, endpoint, pause, retried, timestamp
from shared.adapters.aws.sigv4 import ALGORITHM, signer_for
from shared.adapters.aws.transport import Pool, Response
from shared.config import AwsEnvironment
from shared.domain.files import IMAGE, File, Stored, Upload, content_disposition

THUMBNAIL_TYPE: Final = "image/jpeg"
# S3 copies a hundred megabytes within seconds, and may be silent meanwhile.
READ_TIMEOUT_S: Final = 20.0
_MS: Final = 1_000
_GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.PRECONDITION_FAILED})
_RETRYABLE: Final = frozenset({"InternalError", "OperationAborted", "RequestTimeout", "ServiceUnavailable", "SlowDown"})
_CODE: Final = re.compile(rb"<Error>.*?<Code>(\w+)</Code>", re.DOTALL)


class S3Objects:
    """Objects in one bucket, by its own host name on AWS, by its path on a laptop."""

    def __init__(
        self,
        environment: AwsEnvironment,
        *,
        bucket: str,
        pause: Callable[[int], None] = pause,
        monotonic: Callable[[], float] = time.monotonic,
        check: Callable[[], None] = always,
    ) -> None:
        if environment.endpoint_url:
            self._url = f"{environment.endpoint_url.rstrip('/')}/{bucket}/"
        else:
            self._url = endpoint(f"{bucket}.s3", environment.region) + "/"
        self._pool = Pool(self._url, read_timeout_s=READ_TIMEOUT_S)
        self._signer = signer_for("s3", environment)
        self._bucket = bucket
        self._pause = pause
        self._monotonic = monotonic
        self._check = check

    def upload(self, file: File) -> Upload:
        at, token = timestamp(), self._signer.session_token
        fields = {
            "key": _waiting(file.file_id),
            "Content-Type": file.content_type,
            "x-amz-algorithm": ALGORITHM,
            "x-amz-credential": self._signer.credential(at),
            "x-amz-date": at,
            **({"x-amz-security-token": token} if token else {}),
        }
        conditions: list[Any] = [{name: value} for name, value in fields.items()]
        conditions += [{"bucket": self._bucket}, ["content-length-range", file.size, file.size]]
        policy = {"expiration": _iso(file.expires_at), "conditions": conditions}
        encoded = base64.b64encode(json.dumps(policy).encode()).decode()
        signature = self._signer.sign_text(encoded, timestamp=at)
        return Upload(self._url, {**fields, "policy": encoded, "x-amz-signature": signature}, file.expires_at)

    def download_url(self, file: File, *, expires_in_s: int, thumbnail: bool = False) -> str:
        disposition = content_disposition(file.name, attachment=file.kind != IMAGE)
        parameters = {
            "response-content-disposition": "inline" if thumbnail else disposition,
            "response-content-type": THUMBNAIL_TYPE if thumbnail else file.content_type,
        }
        key = _small(file.file_id) if thumbnail else _kept(file.file_id)
        path, host = self._path(key), self._pool.host
        query = self._signer.presign(path, host, parameters, timestamp=timestamp(), expires_in_s=expires_in_s)
        return f"{self._url}{key}?{query}"

    def look_at_upload(self, file_id: str) -> Stored | None:
        answer = self._call("HEAD", _waiting(file_id))
        if answer is None:
            return None
        return Stored(int(answer.headers["content-length"]), answer.headers["etag"])

    def read_upload(self, file_id: str, stored: Stored, *, limit: int) -> bytes | None:
        wanted = {"range": f"bytes=0-{limit - 1}", "if-match": stored.etag}
        answer = self._call("GET", _waiting(file_id), wanted)
        return None if answer is None else answer.body

    def keep(self, file: File, stored: Stored) -> bool:
        copy = {
            "x-amz-copy-source": f"/{self._bucket}/{_waiting(file.file_id)}",
            "x-amz-copy-source-if-match": stored.etag,
            "x-amz-metadata-directive": "REPLACE",
            "content-type": file.content_type,
        }
        return self._call("PUT", _kept(file.file_id), copy) is not None

    def put_thumbnail(self, file_id: str, thumbnail: bytes) -> None:
        self._call("PUT", _small(file_id), {"content-type": THUMBNAIL_TYPE}, thumbnail)

    def drop_upload(self, file_id: str) -> None:
        self._call("DELETE", _waiting(file_id))

    def delete(self, file_id: str) -> None:
        for key in (_kept(file_id), _small(file_id)):
            self._call("DELETE", key)

    def _call(
        self, method: str, key: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Response | None:
        """One call, retried as others are. None where the object is not there, or no longer what it was.

        Raises ServiceError for what S3 refuses for good, Unavailable when the retries or the time for them are used up.
        """
        path, given = self._path(key), {"host": self._pool.host, **(headers or {})}

        def once() -> Response | None:
            signed = self._signer.sign(method, path, given, body, timestamp=timestamp())
            response = self._pool.request(method, path, signed, body)
            refused = _refusal(method, response)
            if refused is None:
                return response
            if response.status in _GONE:
                return None
            raise refused

        return retried(once, pause=self._pause, monotonic=self._monotonic, check=self._check)

    def _path(self, key: str) -> str:
        return f"{self._pool.base_path}/{key}"


def _refusal(method: str, response: Response) -> ServiceError | None:
    """What is wrong, if anything. A copy that fails half-way says so behind a status of 200."""
    if response.status < HTTPStatus.MULTIPLE_CHOICES and not (method == "PUT" and b"<Error>" in response.body):
        return None
    found = _CODE.search(response.body)
    code = found[1].decode() if found else f"HTTP{response.status}"
    is_fault = response.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return ServiceError(code, "", {}, is_transient=is_fault or code in _RETRYABLE)


def _waiting(file_id: str) -> str:
    return f"uploads/{file_id}"


def _kept(file_id: str) -> str:
    return f"files/{file_id}"


def _small(file_id: str) -> str:
    return f"thumbnails/{file_id}"


def _iso(ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ms // _MS))
