"""The check of an upload: only bytes that are what was declared can ever be downloaded."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from shared.domain.files import IMAGE, PENDING, READY, REJECTED, Checked, File, Stored
from shared.ports.files import Files, Inspector, Objects

# Why a file is rejected. Clients read these.
WRONG_SIZE: Final = "wrong_size"
WRONG_TYPE: Final = "wrong_type"
NOT_DECODABLE: Final = "not_decodable"
TOO_MANY_PIXELS: Final = "too_many_pixels"

# An image is read whole. What any other file is, its beginning says.
HEAD_BYTES: Final = 256 * 1_024


def check_upload(file_id: str, *, files: Files, objects: Objects, inspect: Inspector) -> File | None:
    """Look at what was uploaded as this file, and settle it: the bytes are kept, or it is rejected.

    Returns the file as this call has settled it; None where it had nothing to settle: nothing waits any more, or it was
    replaced (then that upload has an event of its own), or the file is settled already, or there is none.

    Can be repeated after any failure, and run beside itself: the bytes of a ready file and its thumbnail are always
    there and have been looked at, and nothing stays behind of one that was rejected. Of two uploads to one form at the
    same moment each is looked at, and either may win. When the form has expired does not matter here: the store did not
    take the upload later than that.
    """
    file = files.get(file_id)
    if file is None or file.status != PENDING:
        _clear(file_id, file, objects)
        return None
    stored = objects.look_at_upload(file_id)
    checked = None if stored is None else _look_at(file, stored, objects, inspect)
    if stored is None or checked is None:
        return None
    settled = _outcome(file, checked)
    kept = settled.status == REJECTED or _keep(file, stored, checked, objects)
    if kept and files.settle(settled):
        _clear(file_id, settled, objects)
        return settled
    _make_way(file_id, files, objects)
    return None


def _look_at(file: File, stored: Stored, objects: Objects, inspect: Inspector) -> Checked | None:
    if stored.size != file.size:
        return Checked(WRONG_SIZE)
    head = objects.read_upload(file.file_id, stored, limit=file.size if file.kind == IMAGE else HEAD_BYTES)
    return None if head is None else inspect(file, head)


def _keep(file: File, stored: Stored, checked: Checked, objects: Objects) -> bool:
    """The thumbnail first: once the bytes are kept, the file may be ready at any moment."""
    if checked.thumbnail is not None:
        objects.put_thumbnail(file.file_id, checked.thumbnail)
    return objects.keep(file, stored)


def _outcome(file: File, checked: Checked) -> File:
    if checked.reason is not None:
        return replace(file, status=REJECTED, reason=checked.reason)
    return replace(
        file,
        status=READY,
        width=checked.width,
        height=checked.height,
        has_thumbnail=checked.thumbnail is not None,
    )


def _make_way(file_id: str, files: Files, objects: Objects) -> None:
    """Another upload replaced this one, or its check was faster: what this one has stored may be wanted no more."""
    file = files.get(file_id)
    if file is None or file.status != PENDING:
        _clear(file_id, file, objects)


def _clear(file_id: str, file: File | None, objects: Objects) -> None:
    """Delete what nobody will get any more of a file that is settled or gone.

    A check that was cut off may have kept bytes of an upload before the one that is settled.
    """
    if file is None or file.status != READY:
        objects.delete(file_id)
    objects.drop_upload(file_id)
