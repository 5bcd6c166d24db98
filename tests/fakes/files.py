"""The bytes of files in memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from shared.domain.files import File, Stored, Upload


@dataclass
class FakeObjects:
    """`uploads` wait, `kept` can be downloaded, by file id."""

    uploads: dict[str, bytes] = field(default_factory=dict)
    kept: dict[str, bytes] = field(default_factory=dict)
    thumbnails: dict[str, bytes] = field(default_factory=dict)

    def upload(self, file: File) -> Upload:
        fields = {"key": f"uploads/{file.file_id}", "Content-Type": file.content_type, "policy": "p"}
        return Upload("https://files.example.com/", fields, file.expires_at)

    def look_at_upload(self, file_id: str) -> Stored | None:
        data = self.uploads.get(file_id)
        return None if data is None else stored(data)

    def read_upload(self, file_id: str, stored: Stored, *, limit: int) -> bytes | None:
        return self.uploads[file_id][:limit] if self.look_at_upload(file_id) == stored else None

    def keep(self, file: File, stored: Stored) -> bool:
        if self.look_at_upload(file.file_id) != stored:
            return False
        self.kept[file.file_id] = self.uploads[file.file_id]
        return True

    def put_thumbnail(self, file_id: str, thumbnail: bytes) -> None:
        self.thumbnails[file_id] = thumbnail

    def drop_upload(self, file_id: str) -> None:
        self.uploads.pop(file_id, None)

    def delete(self, file_id: str) -> None:
        self.kept.pop(file_id, None)
        self.thumbnails.pop(file_id, None)

    def download_url(self, file: File, *, expires_in_s: int, thumbnail: bool = False) -> str:
        place = "thumbnails" if thumbnail else "files"
        return f"https://files.example.com/{place}/{file.file_id}?expires={expires_in_s}"

    def receive(self, upload: Upload, data: bytes) -> int:
        """What a client uploads by a form, whatever size. Returns the status."""
        self.uploads[upload.fields["key"].removeprefix("uploads/")] = data
        return 204

    def serve(self, url: str) -> bytes | None:
        """What a client gets at a link."""
        place, file_id = urlsplit(url).path.removeprefix("/").split("/")
        return (self.thumbnails if place == "thumbnails" else self.kept).get(file_id)


def stored(data: bytes) -> Stored:
    """What the store says of these bytes."""
    return Stored(len(data), f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"')
