"""The look at the bytes."""

from __future__ import annotations

from shared.domain.files import IMAGE, Checked, File
from shared.operations.files import WRONG_TYPE
from shared.ports.services import Inspector


def inspector(image_pixels: int) -> Inspector:
    """Says whether a file is of its declared type, and decodes images, but for those sent as a file."""

    def inspect(file: File, head: bytes, /) -> Checked:
        from functions.files.kinds import is_as_declared  # noqa: PLC0415  # few events of the stream come to this

        if not is_as_declared(file, head):
            return Checked(WRONG_TYPE)
        if file.kind != IMAGE:
            return Checked()
        from functions.files.images import look_into  # noqa: PLC0415  # Pillow is an eighth of a second

        return look_into(head, file.content_type, pixels=image_pixels)

    return inspect
