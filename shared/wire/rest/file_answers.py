"""What the HTTP API answers about files, for the OpenAPI document. Only the document imports this."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from shared.domain.files import FileKind
from shared.wire.rest.answers import Count, Time, example

Reason = Literal["wrong_size", "wrong_type", "not_decodable", "too_many_pixels"]

_ID = "q2Xv0J5b3kRk1m7c9Tz4wYtNf8LhPdSaEuGiBoVxCnM"
_FILE: dict[str, Any] = {
    "file_id": _ID,
    "kind": "image",
    "name": "cat.png",
    "content_type": "image/png",
    "size": 48_213,
}
_BUCKET = "https://parley-files.s3.eu-central-1.amazonaws.com"


class File(TypedDict):
    """`name` is what is left of the one that was given: no path, no controls, at most 255 bytes."""

    file_id: str
    kind: FileKind
    name: str
    content_type: str
    size: Annotated[int, Field(ge=1, description="Bytes.")]


class UploadForm(TypedDict):
    """A form to POST as `multipart/form-data`: every field as it is, and then the bytes as `file`."""

    url: str
    fields: dict[str, str]


@example(
    {
        **_FILE,
        "status": "pending",
        "upload": {
            "url": f"{_BUCKET}/",
            "fields": {"key": f"uploads/{_ID}", "Content-Type": "image/png", "policy": "eyJleHBpcmF0aW9uIjo…"},
        },
        "expires_at": 1_795_432_100_123,
    }
)
class BegunUpload(File):
    """The form is good until `expires_at`, for these bytes alone."""

    status: Literal["pending"]
    upload: UploadForm
    expires_at: Time


@example(
    {
        **_FILE,
        "status": "ready",
        "reason": None,
        "width": 1_280,
        "height": 960,
        "url": f"{_BUCKET}/files/{_ID}?X-Amz-Algorithm=AWS4-HMAC-SHA256&…",
        "thumbnail_url": f"{_BUCKET}/thumbnails/{_ID}?X-Amz-Algorithm=AWS4-HMAC-SHA256&…",
        "expires_in": 300,
    }
)
class FileAnswer(File):
    """A file as it is now. URLs are there once it is ready, and good for `expires_in` seconds.

    `reason` says why it was rejected. `width`, `height` and a thumbnail are an image's.
    """

    status: Literal["pending", "ready", "rejected"]
    reason: Reason | None
    width: Count | None
    height: Count | None
    url: str | None
    thumbnail_url: str | None
    expires_in: Count | None
