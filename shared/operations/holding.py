"""What walks through whole tables leave alone: conversations on legal hold, and the files of their messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.ports.jobs import Found, Page
    from shared.ports.stores import PushStores


def held_places(page: Page, stores: PushStores) -> set[str]:
    """The conversations of these rows that are on hold: a round trip for each hundred of them."""
    places = {one.place for one in page.found if one.place}
    return stores.holds.among(places) if places else set()


def is_held(one: Found, places: set[str], stores: PushStores) -> bool:
    """Whether a row is of one of these conversations on hold, or a file that such a one has."""
    return one.place in places or (one.file_id is not None and _is_held_file(one.file_id, stores))


def _is_held_file(file_id: str, stores: PushStores) -> bool:
    """Whether a message of a conversation on hold has the file: two round trips."""
    places = {conversation_id for conversation_id, _ in stores.files.messages(file_id)}
    return bool(places and stores.holds.among(places))
