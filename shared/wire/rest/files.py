"""Files over HTTP: what announces one, and what is answered. `http_file_answers.py` describes the latter."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from shared.domain.files import TYPES, File, Upload
from shared.operations.files import Links
from shared.wire.rest.requests import MAX_NUMBER, config, left_out


class NewUpload(BaseModel):
    """An image or a file that is going to be uploaded. Without a `kind`, an image's type makes it an image."""

    model_config = config(
        {"name": "cat.png", "content_type": "image/png", "size": 48_213},
        {"name": "cat.png", "content_type": "image/png", "size": 48_213, "kind": "file"},
    )

    name: Annotated[str, Field(json_schema_extra={"minLength": 1})]
    content_type: Annotated[
        str,
        Field(
            json_schema_extra={"enum": list(TYPES)},
            description="Aliases, capitals and parameters are taken, too; the form has the name that stands here.",
        ),
    ]
    size: Annotated[int, Field(ge=1, le=MAX_NUMBER, description="Bytes; exactly this many can be uploaded.")]
    kind: Literal["image", "file"] | None = left_out()


def begun_body(file: File, upload: Upload) -> dict[str, Any]:
    return {
        **_described(file),
        "upload": {"url": upload.url, "fields": upload.fields},
        "expires_at": upload.expires_at,
    }


def file_body(file: File, links: Links | None) -> dict[str, Any]:
    """`links` are None for a file that can't be downloaded: not yet, or not at all."""
    return {
        **_described(file),
        "reason": file.reason,
        "width": file.width,
        "height": file.height,
        "url": links.url if links else None,
        "thumbnail_url": links.thumbnail_url if links else None,
        "expires_in": links.expires_in if links else None,
    }


def _described(file: File) -> dict[str, Any]:
    return {
        "file_id": file.file_id,
        "kind": file.kind,
        "name": file.name,
        "content_type": file.content_type,
        "size": file.size,
        "status": file.status,
    }
