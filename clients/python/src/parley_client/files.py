"""Images and files: uploads that are streamed from disk and waited for until they can be sent, and downloads."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, TypedDict, overload

from parley_client.answers import understood
from parley_client.background import Progress, Transfer, transferred
from parley_client.calls import Calls, path_of, present
from parley_client.errors import ParleyError
from parley_client.events import Frame
from parley_client.filenames import candidates
from parley_client.resources import File, as_file
from parley_client.sources import Source, form_of, opened, type_of
from parley_client.transfers import check_storage_url, fetch, send

# A check takes a second or two, of a large image some more; a cold start comes on top.
_PAUSES_S: Final = (0.3, 0.3, 0.5, 0.5, 1.0, 1.0, 2.0, 2.0, 5.0)


class FileOptions(TypedDict, total=False):
    """What can be said about an upload; see `upload`."""

    name: str | None
    content_type: str | None
    kind: str | None
    duration_ms: int | None
    waveform: Sequence[int]
    check_within: float


class FileOperations(Calls):
    """See `Calls` for what they raise; and ParleyError for whatever the storage refuses, OSError of one's own files.

    `progress(done, total)` is called with the bytes of the file, on the loop; both are equal at the end. What it
    raises ends the transfer. Cancelling stops a transfer at once, and leaves nothing half done behind.
    """

    async def upload(
        self,
        source: Path | bytes | BinaryIO,
        *,
        name: str | None = None,
        content_type: str | None = None,
        kind: str | None = None,
        duration_ms: int | None = None,
        waveform: Sequence[int] = (),
        progress: Progress | None = None,
        check_within: float = 120.0,
    ) -> File:
        """Upload, and wait until the file is ready to be sent.

        `source` is never read into memory as a whole; a stream goes from where it stands to its end. `name` is that of
        the file on disk, `content_type` what the name suggests, `kind` what the type suggests (image or file): audio
        and video are asked for. `duration_ms` and `waveform` (0 to 100 each) are shown with their message.
        Raises ParleyError, too: `file_rejected` says why the server's check failed, and the same file fails again;
        `timeout` where there was no verdict within `check_within` seconds, which `file()` may know later.
        """
        media = {"duration_ms": duration_ms, "waveform": list(waveform) or None}
        announced, declared = await self._announce(source, name, content_type, {"kind": kind} | media)
        file = as_file(announced)
        url, fields = _form_in(announced)
        check_storage_url(url, secure=self._is_secure())
        form = form_of(fields, declared)

        def work(transfer: Transfer) -> None:
            with opened(source) as there:
                if there.size != file.size:
                    raise ParleyError("bad_request", "The file changed while it was uploaded")
                send(url, form, Source(there.stream, file.size, None), transfer)

        await transferred(work, progress)
        return await self._checked(file.id, check_within)

    async def file(self, file_id: str) -> File:
        """A file as it is now, with fresh links where it is ready. The own ones, and those of messages one can read."""
        return as_file(await self._call("GET", path_of("files", file_id)))

    @overload
    async def download(
        self, file_id: str, to: Path, *, thumbnail: bool = False, progress: Progress | None = None
    ) -> Path: ...

    @overload
    async def download(
        self, file_id: str, to: BinaryIO, *, thumbnail: bool = False, progress: Progress | None = None
    ) -> None: ...

    async def download(
        self, file_id: str, to: Path | BinaryIO, *, thumbnail: bool = False, progress: Progress | None = None
    ) -> Path | None:
        """Fetch a file, or the small picture of an image. Returns where it is, unless `to` is a stream.

        In a folder it gets a safe version of its name, and replaces nothing: a second one becomes "cat (2).png". Any
        other path is the file's own, and replaced if it is there. Either way it appears whole or not at all; a stream
        has got a part where this fails. Raises ParleyError `not_found`, too, for a file or thumbnail that is not there.
        """
        file = await self.file(file_id)
        url, size = (file.thumbnail_url, None) if thumbnail else (file.url, file.size)
        if url is None:
            raise _no_link(file)
        check_storage_url(url, secure=self._is_secure())
        if not isinstance(to, Path):
            await transferred(lambda transfer: fetch(url, to, size, transfer), progress)
            return None
        name = _thumbnail_name(file.name) if thumbnail else file.name
        draft = await asyncio.to_thread(_draft_for, to)
        try:
            await transferred(lambda transfer: _written(url, draft, size, transfer), progress)
            return _placed(draft, to, name)  # at once, so that it can't be cancelled halfway
        finally:
            _remove(draft)

    async def _announce(
        self, source: Path | bytes | BinaryIO, name: str | None, content_type: str | None, more: Mapping[str, Any]
    ) -> tuple[dict[str, Any], str]:
        """The server's answer, and the content type that the file was announced with."""
        size, own_name = await asyncio.to_thread(_look_at, source)
        called = name or own_name
        if called is None:
            raise ParleyError("bad_request", "A file needs a name")
        declared = content_type or type_of(called)
        body = present(name=called, content_type=declared, size=size, **more)
        return await self._call("POST", "/v1/files", body=body), declared

    async def _checked(self, file_id: str, within: float) -> File:
        """The file once there is a verdict on it. Calls that fail for the moment are made again."""
        try:
            async with asyncio.timeout(within):
                for number in range(1_000_000):
                    await asyncio.sleep(_PAUSES_S[min(number, len(_PAUSES_S) - 1)])
                    file = await self._verdict(file_id)
                    if file is not None:
                        return file
        except TimeoutError:
            pass
        raise ParleyError("timeout", f"The file {file_id} was not checked in time", retryable=True)

    async def _verdict(self, file_id: str) -> File | None:
        try:
            file = await self.file(file_id)
        except ParleyError as error:
            if error.retryable:
                return None
            raise
        if file.status == "rejected":
            raise _rejected(file)
        return file if file.status == "ready" else None

    def _is_secure(self) -> bool:
        """Whether the HTTP API is spoken to over TLS: then so is the storage."""
        rest = self._dialer.rest
        return rest is not None and rest.base_url.startswith("https:")


def _look_at(source: Path | bytes | BinaryIO) -> tuple[int, str | None]:
    with opened(source) as there:
        return there.size, there.name


@understood
def _form_in(announced: Frame) -> tuple[str, dict[str, str]]:
    """Where to post the bytes, and what with them."""
    upload = announced["upload"]
    return str(upload["url"]), {str(name): str(value) for name, value in upload["fields"].items()}


def _rejected(file: File) -> ParleyError:
    return ParleyError("file_rejected", f"The file {file.name} was rejected: {file.reason}")


def _no_link(file: File) -> ParleyError:
    if file.status == "rejected":
        return _rejected(file)
    if file.status == "pending":
        return ParleyError("not_found", "The file is not ready yet", retryable=True)
    return ParleyError("not_found", "The file has no thumbnail")


def _thumbnail_name(name: str) -> str:
    return f"{Path(name).stem} (small).jpg"


def _draft_for(to: Path) -> Path:
    """Beside the place of the file, until it is whole."""
    return (to if to.is_dir() else to.parent) / f".{secrets.token_hex(8)}.part"


def _written(url: str, draft: Path, size: int | None, transfer: Transfer) -> None:
    """Removed here, too, where it fails: the loop may be gone."""
    try:
        with draft.open("xb") as stream:
            fetch(url, stream, size, transfer)
    except BaseException:
        _remove(draft)
        raise


def _placed(draft: Path, to: Path, name: str) -> Path:
    """In a folder under the first name that is free: it is taken before another program can, and then filled."""
    if not to.is_dir():
        return draft.replace(to)
    for place in candidates(to, name):
        with suppress(FileExistsError):
            place.open("xb").close()
            break
    try:
        return draft.replace(place)
    except OSError:
        _remove(place)
        raise


def _remove(draft: Path) -> None:
    draft.unlink(missing_ok=True)
