"""Images: that they can be decoded, how large they are shown, and a small picture of each.

What is not needed to show one is taken out before a decoder sees it. Texts, colour profiles, previews and application
data can be larger than decoders let them be, or broken in ways that decoders don't forgive, and show nothing here. So
no limit of a library on such parts decides about an image: what is taken out is never unpacked, and costs one copy.
"""

from __future__ import annotations

import re
import warnings
from io import BytesIO
from typing import Final

# WebP's plugin by name, or opening one would import every plugin there is.
from PIL import Image, WebPImagePlugin  # noqa: F401

from shared.domain.files import Checked
from shared.operations.files import NOT_DECODABLE, TOO_MANY_PIXELS

THUMBNAIL_SIDE: Final = 320
_QUALITY: Final = 80
_FORMATS: Final = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP"}
_ORIENTATION: Final = 0x0112
_TURNED: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_ITS_SIDE: Final = frozenset({5, 6, 7, 8})
# Cameras and editors write about ten scans. Each costs a walk over every pixel, and hardly a byte.
_MAX_SCANS: Final = 100
# Of 64 KB each, that is more than an image may have. Small ones cost the decoder ever more to put together.
_MAX_SEGMENTS: Final = 2_000
# A marker with something behind it: no stuffed zero, no filling, no restart within a scan.
_MARKER: Final = re.compile(rb"\xff([\x02-\xcf\xd8-\xfe])")
_SOI, _SOS, _EOI = 0xD8, 0xDA, 0xD9

_PNG: Final = b"\x89PNG\r\n\x1a\n"
# A chunk is its length, its name, so many bytes, and a checksum of four.
_FRAME: Final = 12
# A name whose first letter is small belongs to a part that is not needed to decode (PNG, 5.4); these two are looked at.
_SMALL: Final = 0x20
_LOOKED_AT: Final = frozenset({b"tRNS", b"eXIf"})
_CHUNK_NAME: Final = re.compile(rb"[A-Za-z]{4}")

_START: Final = b"\xff\xd8"
_EXIF: Final = b"Exif\0\0"
_APP0, _APP1, _APP14, _APP15, _COM = 0xE0, 0xE1, 0xEE, 0xEF, 0xFE
# Tables and the frame's header come before the first scan; from there on everything stays as it is.
_TABLES: Final = frozenset({0xDB, 0xDD, *range(0xC0, 0xD0)} - {0xC8})


def look_into(data: bytes, content_type: str, *, pixels: int) -> Checked:
    """Decode the image, of an animation the first frame, unless it has more than `pixels`. `data` is all of it.

    Width and height are as the image is to be shown. Raises MemoryError, where the function has too little for that
    many pixels: that is not the image's fault, and the check comes again.
    """
    if content_type == "image/jpeg" and _is_laborious(data):
        return Checked(NOT_DECODABLE)
    limit_before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _decode(needed(data, content_type), _FORMATS[content_type], pixels)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return Checked(TOO_MANY_PIXELS)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  # broken files meet any kind of error in a decoder, and all mean the same
        return Checked(NOT_DECODABLE)
    finally:
        Image.MAX_IMAGE_PIXELS = limit_before


def _decode(data: bytes, image_format: str, pixels: int) -> Checked:
    with Image.open(BytesIO(data), formats=[image_format]) as image:
        width, height = image.size
        if width * height > pixels:
            return Checked(TOO_MANY_PIXELS)
        small = _shrink(image)
        orientation = _orientation(image)
    if orientation in _ON_ITS_SIDE:
        width, height = height, width
    return Checked(width=width, height=height, thumbnail=_jpeg(small, orientation))


def _shrink(image: Image.Image) -> Image.Image:
    """The image in a small square, as RGB or RGBA. A JPEG is decoded at about that size to begin with."""
    side = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    if image.format in {"JPEG", "MPO"}:
        image.thumbnail(side)
    image.load()
    small = _greys_of_8_bits(image) if image.mode == "I;16" else image
    mode = "RGBA" if small.has_transparency_data else "RGB"
    if small.mode != mode:
        small = small.convert(mode)
    small.thumbnail(side)
    return small


def _greys_of_8_bits(image: Image.Image) -> Image.Image:
    """Pillow would cut off what is brighter than 255 of 65,535. A grey that stands for transparent stays grey."""
    greys = image.point(lambda grey: grey * (1 / 256)).convert("L")
    greys.info.pop("transparency", None)
    return greys


def _orientation(image: Image.Image) -> int:
    """How the image is to be turned, by EXIF. One that can't be read turns nothing, as in browsers."""
    exif = Image.Exif()
    try:
        exif.load(image.info.get("exif", b""))
        turned = exif.get(_ORIENTATION)
    except Exception:  # noqa: BLE001  # as above, but this part is not needed
        return 1
    return turned if isinstance(turned, int) else 1


def _jpeg(small: Image.Image, orientation: int) -> bytes:
    """On white, upright, and without anything that the file said beside its pixels."""
    plain = Image.new("RGB", small.size, "white")
    plain.paste(small, mask=small if small.mode == "RGBA" else None)
    if orientation in _TURNED:
        plain = plain.transpose(_TURNED[orientation])
    target = BytesIO()
    plain.save(target, "JPEG", quality=_QUALITY)
    return target.getvalue()


def _is_laborious(data: bytes) -> bool:
    """Whether a JPEG has more parts than any that shows something, up to its end: what follows that is no part of it.

    Reads it as libjpeg does, which passes over whatever stands between two segments.
    """
    at, segments, scans = 0, 0, 0
    while (found := _MARKER.search(data, at)) is not None and (marker := found[1][0]) != _EOI:
        at = found.end()
        if marker != _SOI:
            at += int.from_bytes(data[at : at + 2])
        segments += 1
        scans += marker == _SOS
        if segments > _MAX_SEGMENTS or scans > _MAX_SCANS:
            return True
    return False


def needed(data: bytes, content_type: str) -> bytes:
    """The image without the parts that show nothing. From the first byte that is no such part on it stays as it is."""
    if content_type == "image/png" and data.startswith(_PNG):
        return _of_png(data)
    if content_type == "image/jpeg" and data.startswith(_START):
        return _of_jpeg(data)
    return data


def _of_png(data: bytes) -> bytes:
    kept, at = [_PNG], len(_PNG)
    while at + _FRAME <= len(data):
        name = data[at + 4 : at + 8]
        end = at + _FRAME + int.from_bytes(data[at : at + 4])
        if end > len(data) or not _CHUNK_NAME.fullmatch(name):
            break
        if not name[0] & _SMALL or name in _LOOKED_AT:
            kept.append(data[at:end])
        at = end
    return b"".join((*kept, data[at:]))


def _of_jpeg(data: bytes) -> bytes:
    kept, at = [_START], len(_START)
    while at + 4 <= len(data) and data[at] == 0xFF:  # noqa: PLR2004  # how every marker begins
        marker, end = data[at + 1], at + 2 + int.from_bytes(data[at + 2 : at + 4])
        is_application = _APP0 <= marker <= _APP15 or marker == _COM
        if end > len(data) or not (is_application or marker in _TABLES):
            break
        is_exif = marker == _APP1 and data.startswith(_EXIF, at + 4)
        if not is_application or marker in {_APP0, _APP14} or is_exif:
            kept.append(data[at:end])
        at = end
    return b"".join((*kept, data[at:]))
