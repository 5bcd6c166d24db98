"""Files and their bytes in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from shared.domain.files import DELETED, IMAGE, PENDING, QUOTA, READY, REJECTED, DueFile, File, FileKind, Stored, Upload
from shared.errors import NotFound
from shared.ports.files import NEVER


@dataclass
class FakeFiles:
    """`messages` are the places of those that have a file, by its id."""

    files: dict[str, File] = field(default_factory=dict)
    messages: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    counted: set[str] = field(default_factory=set)
    dues: set[tuple[int, str]] = field(default_factory=set)
    reads: int = 0

    def create(self, file: File, *, quota: int = QUOTA, due: int = NEVER) -> bool:
        if file.size + self.usage(file.owner_id) > quota:
            return False
        self.files[file.file_id] = file
        self.counted.add(file.file_id)
        self.dues.add((due, file.file_id))
        return True

    def usage(self, user_id: str) -> int:
        return sum(self.files[one].size for one in self.counted if self.files[one].owner_id == user_id)

    def get(self, file_id: str) -> File | None:
        self.reads += 1
        return self.files.get(file_id)

    def settle(self, file: File) -> bool:
        stored = self.files.get(file.file_id)
        if stored is None or stored.status != PENDING:
            return False
        self.files[file.file_id] = replace(
            stored,
            status=file.status,
            reason=file.reason,
            width=file.width,
            height=file.height,
            has_thumbnail=file.has_thumbnail,
        )
        if file.status != READY:
            self.counted.discard(file.file_id)
        return True

    def conversations(self, file_id: str) -> Sequence[str]:
        self.reads += 1
        return sorted({conversation_id for conversation_id, _ in self.messages.get(file_id, ())})

    def retire(self, file_id: str) -> bool:
        stored = self.files.get(file_id)
        if stored is None or stored.status == DELETED:
            return True
        if stored.status != READY or stored.references > 0:
            return False
        self.files[file_id] = replace(stored, status=DELETED, name="")
        self.counted.discard(file_id)
        return True

    def forget(self, file: File) -> bool:
        stored = self.files.get(file.file_id)
        if stored is None or stored.status != file.status or stored.status not in {PENDING, REJECTED}:
            return False
        self.counted.discard(file.file_id)
        del self.files[file.file_id]
        return True

    def due(self, now: int, *, limit: int) -> Sequence[DueFile]:
        return [DueFile(file_id, at) for at, file_id in sorted(self.dues) if at <= now][:limit]

    def note_due(self, due: DueFile) -> None:
        self.dues.add((due.at, due.file_id))

    def settle_due(self, due: DueFile) -> None:
        self.dues.discard((due.at, due.file_id))

    def take(self, file_id: str, conversation_id: str, seq: int) -> None:
        """A message gets the file. Raises NotFound where that is not ready."""
        stored = self.files.get(file_id)
        if stored is None or stored.status != READY:
            raise NotFound("There is no such file")
        self.messages.setdefault(file_id, []).append((conversation_id, seq))
        self._count(file_id)

    def release(self, file_id: str, conversation_id: str, seq: int) -> None:
        """A message has lost the file."""
        self.messages[file_id].remove((conversation_id, seq))
        self._count(file_id)

    def ready(self, file_id: str, owner_id: str = "alice", *, kind: FileKind = IMAGE, name: str = "cat.png") -> File:
        """A file as it is once it was uploaded and checked, for a test's setting."""
        content_type = "image/png" if kind == IMAGE else "application/pdf"
        file = File(file_id, owner_id, kind, name, content_type, 3, created_at=1, expires_at=900_001, status=READY)
        self.create(file)
        return file

    def _count(self, file_id: str) -> None:
        self.files[file_id] = replace(self.files[file_id], references=len(self.messages[file_id]))


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
