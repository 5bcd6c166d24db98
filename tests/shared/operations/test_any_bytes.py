"""Whatever is uploaded, the look at it ends with an answer: what the files' inspector makes of bytes at random."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from functions.files.handler import inspector
from shared.domain.files import FILE, IMAGE, IMAGE_TYPES, TYPES, Checked, File, FileKind
from shared.operations.files import HEAD_BYTES, NOT_DECODABLE, TOO_MANY_PIXELS, WRONG_TYPE
from tests.functions.files.samples import SAMPLES, picture

REASONS = {WRONG_TYPE, NOT_DECODABLE, TOO_MANY_PIXELS}
PIXELS = 100_000
INSPECT = inspector(PIXELS)


def look(data: bytes, content_type: str, kind: FileKind) -> Checked:
    file = File("f", "alice", kind, "name", content_type, len(data), created_at=1, expires_at=2)
    return INSPECT(file, data if kind == IMAGE else data[:HEAD_BYTES])


def assert_answered(checked: Checked, kind: FileKind) -> None:
    if checked.reason is not None:
        assert checked.reason in REASONS
        assert (checked.width, checked.height, checked.thumbnail) == (None, None, None)
    elif kind == FILE:
        assert checked == Checked()
    else:
        assert checked.width is not None
        assert checked.height is not None
        assert checked.thumbnail is not None
        assert 1 <= checked.width * checked.height <= PIXELS
        with Image.open(BytesIO(checked.thumbnail), formats=["JPEG"]) as small:
            small.load()
            assert max(small.size) <= 320


def starts() -> st.SearchStrategy[bytes]:
    """How files of the known types begin, so that what follows comes to their own checks."""
    return st.sampled_from(
        [b"", *(data[:size] for samples in SAMPLES.values() for data in samples for size in (4, 12, 30))]
    )


@given(start=starts(), rest=st.binary(max_size=500), content_type=st.sampled_from(TYPES))
def test_bytes_at_random_are_answered(start: bytes, rest: bytes, content_type: str) -> None:
    assert_answered(look(start + rest, content_type, FILE), FILE)
    if content_type in IMAGE_TYPES:
        assert_answered(look(start + rest, content_type, IMAGE), IMAGE)


def originals() -> dict[str, list[bytes]]:
    """Images in each way in which an encoder of their format can write them."""
    exif = Image.Exif()
    exif[0x0112] = 6
    noise = Image.effect_noise((40, 30), 90)
    transparent = noise.convert("RGBA")
    transparent.putalpha(noise)
    frames = [noise.convert("RGB").rotate(turn) for turn in (0, 90, 180)]

    def save(image: Image.Image, image_format: str, **options: object) -> bytes:
        target = BytesIO()
        image.save(target, image_format, **options)
        return target.getvalue()

    several = {"save_all": True, "append_images": frames[1:]}
    return {
        "image/jpeg": [
            picture("JPEG", (40, 30), exif=exif),
            save(frames[0], "JPEG", progressive=True),
            save(noise, "JPEG"),
            save(noise.convert("CMYK"), "JPEG"),
            save(frames[0], "MPO", **several),
        ],
        "image/png": [
            save(frames[0], "PNG", exif=exif),
            save(transparent, "PNG"),
            save(noise.convert("P"), "PNG", transparency=3),
            save(noise.convert("I;16"), "PNG"),
            save(noise.convert("1"), "PNG"),
            save(frames[0], "PNG", **several),
        ],
        "image/gif": [save(noise.convert("P"), "GIF", transparency=3), save(frames[0], "GIF", **several)],
        "image/webp": [
            save(frames[0], "WEBP", exif=exif),
            save(transparent, "WEBP"),
            save(transparent, "WEBP", lossless=True),
            save(frames[0], "WEBP", **several),
        ],
    }


ORIGINALS = originals()


@st.composite
def damaged(draw: st.DrawFn, content_type: str) -> bytes:
    """An image with some bytes changed, most of them in its header, some cut out, and some put in."""
    data = bytearray(draw(st.sampled_from(ORIGINALS[content_type])))
    for _ in range(draw(st.integers(1, 6))):
        reach = draw(st.sampled_from([40, 200, len(data)]))
        at = draw(st.integers(0, min(reach, len(data)) - 1))
        data[at : at + draw(st.sampled_from([0, 1, 1, 1, 2, 4, 20]))] = draw(st.binary(max_size=4))
        data = data or bytearray(b"\x00")
    return bytes(data)


@pytest.mark.parametrize("content_type", IMAGE_TYPES)
@given(data=st.data())
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_damaged_images_are_answered(content_type: str, data: st.DataObject) -> None:
    assert_answered(look(data.draw(damaged(content_type)), content_type, IMAGE), IMAGE)
