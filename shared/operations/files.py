"""Files: announcing one, the form to upload it with, its check, its links, and its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from shared.clock import DAY_MS
from shared.domain.files import DELETED, IMAGE, PENDING, READY, REJECTED, Checked, DueFile, File, NewFile, announced
from shared.domain.text import private_members
from shared.errors import Conflict, NotFound

if TYPE_CHECKING:  # the function that checks uploads has three ports, and loads no more
    from collections.abc import Callable, Mapping, Sequence

    from shared.domain.changes import Happening
    from shared.domain.files import FileStatus, Stored, Upload
    from shared.operations.context import Context
    from shared.ports.conversations import Place
    from shared.ports.files import Files
    from shared.ports.services import Inspector, Objects, RestServices
    from shared.ports.stores import ChatStores

UPLOAD_MS: Final = 15 * 60 * 1_000
# After the form's end: an upload can begin in the last moment, its check can be late, and its owner asks how it went.
FORGOTTEN_MS: Final = DAY_MS
# Long enough to follow, too short to pass on.
URL_S: Final = 300
# Why a file is rejected. Clients read these.
WRONG_SIZE: Final = "wrong_size"
WRONG_TYPE: Final = "wrong_type"
NOT_DECODABLE: Final = "not_decodable"
TOO_MANY_PIXELS: Final = "too_many_pixels"
# An image is read whole. What any other file is, its beginning says.
HEAD_BYTES: Final = 256 * 1_024
# From its announcement, which is at most a quarter of an hour before its upload.
KEPT_UNSENT_MS: Final = 30 * DAY_MS

Tell: TypeAlias = "Callable[[Happening, File], None]"
"""Hears what became of a file, for the team's backend."""
_OUTCOMES: Final[Mapping[FileStatus, Happening]] = {READY: "file_ready", REJECTED: "file_rejected"}


def untold(_what: Happening, _file: File, /) -> None:
    """Nobody wants to hear it."""


def begin_upload(
    asked: NewFile, *, stores: ChatStores, services: RestServices, context: Context
) -> tuple[File, Upload]:
    """Note the file, and make the form for its bytes: good for 15 minutes, for exactly its type and size.

    Its id can't be guessed. Raises BadRequest (name, type, empty), TooLarge, Conflict (the user's quota), Unavailable.
    """
    limits, now = context.limits.sizes, context.now()
    file = announced(asked, limits, file_id=context.new_secret(), now=now, expires_at=now + UPLOAD_MS)
    if not stores.files.create(file, quota=limits.quota, due=file.expires_at + FORGOTTEN_MS):
        raise Conflict(f"All of a user's files together have at most {limits.quota:,} bytes")
    return file, services.objects.upload(file)


@dataclass(frozen=True, slots=True)
class Links:
    """Where a file's bytes are, for all who have the link, and for `expires_in` seconds. Only some have a thumbnail."""

    url: str
    thumbnail_url: str | None
    expires_in: int


def file_for(user_id: str, file_id: str, *, stores: ChatStores) -> File:
    """The file, for its owner, and once ready for all who are in a conversation with it now. Else raises NotFound."""
    file = stores.files.get(file_id)
    if file is None or file.status == DELETED or not (file.owner_id == user_id or _has_it(user_id, file, stores)):
        raise NotFound("There is no such file")
    return file


def links_to(file: File, *, services: RestServices) -> Links | None:
    """None for a file that can't be downloaded: not yet, or not at all."""
    if file.status != READY:
        return None
    small = services.objects.download_url(file, expires_in_s=URL_S, thumbnail=True) if file.has_thumbnail else None
    return Links(services.objects.download_url(file, expires_in_s=URL_S), small, URL_S)


def _has_it(user_id: str, file: File, stores: ChatStores) -> bool:
    """Whose private conversation it is says its id; who is in the groups is read, of all of them at once."""
    if file.status != READY or not file.references:
        return False
    places = _kept(stores.files.messages(file.file_id), stores)
    conversations = {conversation_id for conversation_id, _ in places}
    private = {one: members for one in conversations if (members := private_members(one)) is not None}
    if any(user_id in members for members in private.values()):
        return True
    there = stores.memberships.of_user_in(user_id, conversations - private.keys())
    return any(seq >= there[one].visible_from for one, seq in places if one in there)


def _kept(places: Mapping[Place, bool], stores: ChatStores) -> Sequence[Place]:
    """Without messages that have ended, of conversations in which they do: one call for 100 of those."""
    unsure = [place for place, may_end in places.items() if may_end or stores.log.may_end(place[0])]
    if not unsure:
        return list(places)
    found = stores.log.fetch(unsure)
    ended = {place for place in unsure if place not in found or found[place].is_trimmed}
    return [place for place in places if place not in ended]


def check_upload(
    file_id: str, *, files: Files, objects: Objects, inspect: Inspector, tell: Tell = untold
) -> File | None:
    """Look at what was uploaded as this file, and settle it: the bytes are kept, or it is rejected.

    Returns the file as settled; None where there was nothing to settle: nothing waits, it was replaced (that upload has
    an event of its own), or the file is settled already, or gone.

    Can be repeated after any failure, and run beside itself: the bytes and thumbnail of a ready file are always there
    and checked, and nothing stays of a rejected one. Of two uploads to one form at once either may win. `tell` hears
    what became of it: again with each repetition, until one has ended.
    """
    file = files.get(file_id)
    if file is None or file.status != PENDING:
        if file is not None and file.status in _OUTCOMES and file.owner_id:
            tell(_OUTCOMES[file.status], file)
        _clear(file_id, file, objects)
        return None
    stored = objects.look_at_upload(file_id)
    checked = None if stored is None else _look_at(file, stored, objects, inspect)
    if stored is None or checked is None:
        return None
    settled = _outcome(file, checked)
    if checked.thumbnail is not None:  # first: once the bytes are kept, the file may be ready at any moment
        objects.put_thumbnail(file_id, checked.thumbnail)
    kept = settled.status == REJECTED or objects.keep(file, stored)
    if kept and files.settle(settled):
        tell(_OUTCOMES[settled.status], settled)
        _clear(file_id, settled, objects)
        return settled
    # Another upload replaced this one, or its check was faster: what this one has stored may be wanted no more.
    file = files.get(file_id)
    if file is None or file.status != PENDING:
        _clear(file_id, file, objects)
    return None


def _look_at(file: File, stored: Stored, objects: Objects, inspect: Inspector) -> Checked | None:
    if stored.size != file.size:
        return Checked(WRONG_SIZE)
    head = objects.read_upload(file.file_id, stored, limit=file.size if file.kind == IMAGE else HEAD_BYTES)
    return None if head is None else inspect(file, head)


def _outcome(file: File, checked: Checked) -> File:
    if checked.reason is not None:
        return replace(file, status=REJECTED, reason=checked.reason)
    width, height, is_small = checked.width, checked.height, checked.thumbnail is not None
    return replace(file, status=READY, width=width, height=height, has_thumbnail=is_small)


def _clear(file_id: str, file: File | None, objects: Objects) -> None:
    """Delete what is of no use of a file that is settled or gone: a check that died may have kept an earlier upload."""
    if file is None or file.status != READY:
        objects.delete(file_id)
    objects.drop_upload(file_id)


def release(file_id: str, *, files: Files, objects: Objects, tell: Tell = untold) -> bool:
    """Delete the file's bytes, if no message has it; else False. A repetition completes what was cut off."""
    file = None if tell is untold else files.get(file_id)
    if not files.retire(file_id):
        return False
    if file is not None and file.status in {READY, DELETED} and file.owner_id:
        tell("file_deleted", file)
    objects.delete(file_id)
    return True


def sweep(due: DueFile, *, files: Files, objects: Objects, now: int, tell: Tell = untold) -> bool:
    """Look at a file that is due, and drop it where no message has it. True where it was dropped.

    Can be repeated after any failure, and run beside itself: the note that it is due goes last.
    """
    file = files.get(due.file_id)
    was_sent = file is not None and file.references > 0
    if file is not None and was_sent and due.at > file.created_at + UPLOAD_MS + FORGOTTEN_MS:
        files.drop_ended(due.file_id, now=now)  # since a message that has it has ended, it is due once more
        file = files.get(due.file_id)
    dropped = False
    if file is None or file.status in {PENDING, REJECTED}:
        dropped = file is not None and files.forget(file)
        objects.drop_upload(due.file_id)
    elif not was_sent and _may_be_sent(file, now):
        files.note_due(DueFile(file.file_id, file.created_at + KEPT_UNSENT_MS))
    elif not file.references:  # also of one that was retired, by a sweep or a release that died then
        dropped = release(file.file_id, files=files, objects=objects, tell=tell)
    files.settle_due(due)
    return dropped


def _may_be_sent(file: File, now: int) -> bool:
    return file.status == READY and not file.references and now < file.created_at + KEPT_UNSENT_MS
