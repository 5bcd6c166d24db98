"""Who may see a file, and where its bytes are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.domain.files import DELETED, READY, File
from shared.domain.identifiers import private_members
from shared.errors import NotFound
from shared.ports.conversations import Memberships
from shared.ports.files import Files, Objects

# Long enough to follow, too short to pass on.
URL_S: Final = 300


@dataclass(frozen=True, slots=True)
class Links:
    """Where a file's bytes are, for whoever has the link, and for `expires_in` seconds. Only some have a thumbnail."""

    url: str
    thumbnail_url: str | None
    expires_in: int


def file_for(user_id: str, file_id: str, *, files: Files, memberships: Memberships) -> File:
    """The file, for its owner, and once it is ready for everyone who is in a conversation now that has it.

    Raises NotFound, alike for one that does not exist, was deleted, or is none of the user's business.
    """
    file = files.get(file_id)
    if file is None or file.status == DELETED:
        raise _no_such_file()
    if file.owner_id != user_id and not (file.status == READY and _has_it(user_id, file, files, memberships)):
        raise _no_such_file()
    return file


def links_to(file: File, *, objects: Objects) -> Links | None:
    """None for a file that can't be downloaded: not yet, or not at all."""
    if file.status != READY:
        return None
    small = objects.download_url(file, expires_in_s=URL_S, thumbnail=True) if file.has_thumbnail else None
    return Links(objects.download_url(file, expires_in_s=URL_S), small, URL_S)


def _has_it(user_id: str, file: File, files: Files, memberships: Memberships) -> bool:
    """Whose private conversation it is says its id; who is in the groups is read, of all of them at once."""
    if not file.references:
        return False
    conversations = set(files.conversations(file.file_id))
    private = {one: members for one in conversations if (members := private_members(one)) is not None}
    if any(user_id in members for members in private.values()):
        return True
    return bool(memberships.joined(user_id, conversations - private.keys()))


def _no_such_file() -> NotFound:
    return NotFound("There is no such file")
