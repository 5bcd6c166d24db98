"""Images: what is shown of them, what their thumbnails give away, and what a decoder is spared."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import pytest
from PIL import ExifTags, Image
from PIL.JpegImagePlugin import JpegImageFile

from functions.files.images import THUMBNAIL_SIDE, look_into, needed
from shared.domain.files import Checked
from shared.operations.files import NOT_DECODABLE, TOO_MANY_PIXELS
from tests.functions.files.samples import picture

PIXELS = 1_000_000
TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def saved(image: Image.Image, image_format: str, **options: object) -> bytes:
    target = BytesIO()
    image.save(target, image_format, **options)
    return target.getvalue()


def look(data: bytes, image_format: str, *, pixels: int = PIXELS) -> Checked:
    return look_into(data, TYPES[image_format], pixels=pixels)


def thumbnail(checked: Checked) -> Image.Image:
    assert checked.reason is None
    assert checked.thumbnail is not None
    small = Image.open(BytesIO(checked.thumbnail), formats=["JPEG"])
    small.load()
    return small


def is_near(colour: object, expected: tuple[int, ...]) -> bool:
    """The same, but for what JPEG does to it."""
    assert isinstance(colour, tuple)
    return all(abs(one - other) < 40 for one, other in zip(colour, expected, strict=True))


def corners(image: Image.Image) -> list[str]:
    """The colours at the top left, top right, bottom left and bottom right."""
    names = {"red": RED, "green": GREEN, "blue": BLUE, "white": WHITE}
    right, bottom = image.width - 3, image.height - 3
    places = [(2, 2), (right, 2), (2, bottom), (right, bottom)]
    return [next(name for name, colour in names.items() if is_near(image.getpixel(at), colour)) for at in places]


def quartered(size: tuple[int, int] = (64, 32)) -> Image.Image:
    """Red, green, blue and white quarters."""
    image = Image.new("RGB", size, WHITE)
    width, height = size[0] // 2, size[1] // 2
    for at, colour in {(0, 0): RED, (width, 0): GREEN, (0, height): BLUE}.items():
        image.paste(colour, (*at, at[0] + width, at[1] + height))
    return image


@pytest.mark.parametrize("image_format", TYPES)
@pytest.mark.parametrize(
    ("size", "small"),
    [
        ((1, 1), (1, 1)),
        ((320, 200), (320, 200)),
        ((640, 400), (320, 200)),
        ((300, 900), (107, 320)),
        ((900, 1), (320, 1)),
    ],
)
def test_an_image_is_measured_and_made_small_but_never_larger(
    image_format: str, size: tuple[int, int], small: tuple[int, int]
) -> None:
    checked = look(picture(image_format, size), image_format)
    assert (checked.reason, checked.width, checked.height) == (None, *size)
    assert thumbnail(checked).size == small
    assert is_near(thumbnail(checked).getpixel((0, 0)), (200, 30, 30))


# The corners that are shown, for each way in which EXIF can turn the quarters.
ORIENTATIONS = {
    1: ["red", "green", "blue", "white"],
    2: ["green", "red", "white", "blue"],
    3: ["white", "blue", "green", "red"],
    4: ["blue", "white", "red", "green"],
    5: ["red", "blue", "green", "white"],
    6: ["blue", "red", "white", "green"],
    7: ["white", "green", "blue", "red"],
    8: ["green", "white", "red", "blue"],
}


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("size", [(64, 32), (800, 400)])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_an_image_is_upright_as_it_is_shown(orientation: int, size: tuple[int, int], image_format: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    checked = look(saved(quartered(size), image_format, exif=exif), image_format)
    shown = size if orientation < 5 else size[::-1]
    assert (checked.width, checked.height) == shown
    small = thumbnail(checked)
    assert (small.width > small.height) == (orientation < 5)
    assert corners(small) == ORIENTATIONS[orientation]


@pytest.mark.parametrize(
    "exif", [b"Exif\x00\x00", b"Exif\x00\x00II*\x00\xff\xff\xff\xff", b"Exif\x00\x00" + b"\xff" * 50]
)
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
def test_exif_that_cannot_be_read_turns_nothing(exif: bytes, image_format: str) -> None:
    checked = look(saved(quartered(), image_format, exif=exif), image_format)
    assert corners(thumbnail(checked)) == ORIENTATIONS[1]


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_orientation_that_does_not_exist_turns_nothing(orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    assert corners(thumbnail(look(saved(quartered(), "JPEG", exif=exif), "JPEG"))) == ORIENTATIONS[1]


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
def test_a_thumbnail_does_not_say_where_and_with_what_it_was_taken(image_format: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "the canary camera"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (48.0, 8.0, 14.0)
    extra: dict[str, object] = {"exif": exif, "icc_profile": b"the canary profile" + bytes(128), "dpi": (300, 300)}
    extra |= {"xmp": b"<x:xmpmeta>the canary packet</x:xmpmeta>", "comment": b"the canary comment"}
    data = saved(quartered(), image_format, **extra)
    original = Image.open(BytesIO(data)).getexif()
    assert original.get_ifd(ExifTags.IFD.GPSInfo)
    checked = look(data, image_format)
    small = thumbnail(checked)
    assert checked.thumbnail is not None
    assert b"canary" in data
    assert b"canary" not in checked.thumbnail
    assert dict(small.getexif()) == {}
    assert set(small.info) == {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.parametrize(
    ("image", "image_format", "expected"),
    [
        (Image.new("L", (40, 40), 90), "JPEG", (90, 90, 90)),
        (Image.new("L", (400, 400), 90), "PNG", (90, 90, 90)),
        (Image.new("1", (40, 40), 1), "PNG", (255, 255, 255)),
        (Image.new("CMYK", (40, 40), (0, 255, 255, 0)), "JPEG", (255, 0, 0)),
        (Image.new("CMYK", (400, 400), (0, 255, 255, 0)), "JPEG", (255, 0, 0)),
        (Image.new("I;16", (400, 400), 0x8000), "PNG", (128, 128, 128)),
        (Image.new("RGB", (400, 400), BLUE).quantize(4), "PNG", BLUE),
        (Image.new("RGB", (400, 400), BLUE).quantize(4), "GIF", BLUE),
        (Image.new("RGBA", (400, 400), (255, 0, 0, 255)), "PNG", RED),
        (Image.new("RGBA", (400, 400), (255, 0, 0, 0)), "PNG", WHITE),
        (Image.new("RGBA", (400, 400), (255, 0, 0, 0)), "WEBP", WHITE),
        (Image.new("RGBA", (40, 40), (0, 0, 0, 128)), "PNG", (127, 127, 127)),
        (Image.new("RGBA", (400, 400), (0, 0, 0, 128)), "WEBP", (127, 127, 127)),
        (Image.new("LA", (400, 400), (0, 0)), "PNG", WHITE),
    ],
    ids=lambda value: f"{value.mode}{value.width}" if isinstance(value, Image.Image) else str(value),
)
def test_every_kind_of_pixels_has_a_thumbnail_on_white(
    image: Image.Image, image_format: str, expected: tuple[int, ...]
) -> None:
    small = thumbnail(look(saved(image, image_format), image_format))
    assert small.mode == "RGB"
    assert is_near(small.getpixel((small.width // 2, small.height // 2)), expected)


@pytest.mark.parametrize(("image_format", "mode"), [("GIF", "P"), ("PNG", "P"), ("PNG", "L"), ("PNG", "RGB")])
def test_a_colour_that_stands_for_transparent_is_white(image_format: str, mode: str) -> None:
    image = Image.new(mode, (400, 400), 0)
    transparent = (0, 0, 0) if mode == "RGB" else 0
    checked = look(saved(image, image_format, transparency=transparent), image_format)
    assert is_near(thumbnail(checked).getpixel((9, 9)), WHITE)


def test_a_png_of_sixteen_bits_for_each_colour_is_an_image() -> None:
    rows = (b"\x00" + struct.pack(">HHH", 0xFFFF, 0, 0) * 8) * 8
    checked = look(png(8, 8, rows, bits=16), "PNG")
    assert (checked.width, checked.height) == (8, 8)
    assert is_near(thumbnail(checked).getpixel((4, 4)), RED)


@pytest.mark.parametrize("grey", [0x0080, 0x8000, 0xFFFF])
@pytest.mark.parametrize("transparent", [b"", b"\x80\x00", b"\x00\x80", b"\xff\xff"])
def test_a_png_of_sixteen_bits_of_grey_keeps_its_greys(grey: int, transparent: bytes) -> None:
    rows = (b"\x00" + struct.pack(">H", grey) * 8) * 8
    checked = look(png(8, 8, rows, bits=16, colours=0, transparent=transparent), "PNG")
    assert is_near(thumbnail(checked).getpixel((4, 4)), (grey >> 8,) * 3)


@pytest.mark.parametrize("image_format", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_decoded(image_format: str) -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in (RED, GREEN, BLUE)]
    data = saved(frames[0], image_format, save_all=True, append_images=frames[1:], duration=10)
    assert getattr(Image.open(BytesIO(data)), "n_frames", 1) == 3
    checked = look(data, image_format)
    assert (checked.width, checked.height) == (40, 30)
    assert is_near(thumbnail(checked).getpixel((9, 9)), RED)


def test_a_jpeg_with_further_pictures_behind_it_is_a_jpeg() -> None:
    data = saved(quartered(), "MPO", save_all=True, append_images=[quartered()])
    assert Image.open(BytesIO(data)).format == "MPO"
    assert corners(thumbnail(look(data, "JPEG"))) == ORIENTATIONS[1]


@pytest.mark.parametrize("image_format", TYPES)
def test_what_follows_an_image_does_not_matter(image_format: str) -> None:
    assert look(picture(image_format) + b"<html>" + bytes(1_000), image_format).reason is None


@pytest.mark.parametrize("image_format", TYPES)
@pytest.mark.parametrize("small", [True, False])
def test_a_truncated_image_is_rejected_wherever_it_ends(image_format: str, *, small: bool) -> None:
    side = 24 if small else 2 * THUMBNAIL_SIDE
    data = saved(Image.effect_noise((side, side), 90).convert("RGB"), image_format)
    for end in (16, 30, len(data) // 3, len(data) // 2, len(data) * 9 // 10):
        assert look(data[:end], image_format).reason == NOT_DECODABLE, end


@pytest.mark.parametrize("image_format", TYPES)
@pytest.mark.parametrize("other", TYPES)
def test_an_image_of_another_type_is_rejected(image_format: str, other: str) -> None:
    assert (look(picture(other), image_format).reason is None) == (image_format == other)


@pytest.mark.parametrize("image_format", TYPES)
@pytest.mark.parametrize("size", [(1_000, 1_001), (1_001, 1_000), (16_000, 63)])
def test_an_image_with_a_pixel_too_many_is_rejected(image_format: str, size: tuple[int, int]) -> None:
    data = picture(image_format, size)
    assert look(data, image_format) == Checked(TOO_MANY_PIXELS)
    assert look(data, image_format, pixels=size[0] * size[1]).reason is None


def png(width: int, height: int, rows: bytes, *, bits: int = 8, colours: int = 2, transparent: bytes = b"") -> bytes:
    """A PNG, in RGB if not told otherwise, that says to have this size, with these rows."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0))
    named = chunk(b"tRNS", transparent) if transparent else b""
    return b"\x89PNG\r\n\x1a\n" + header + named + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def resized(image_format: str, width: int, height: int) -> bytes:
    """A small image whose header says that it is large."""
    data = bytearray(picture(image_format))
    if image_format == "PNG":
        return png(width, height, bytes(100))
    if image_format == "GIF":
        data[6:10] = struct.pack("<HH", width, height)
    if image_format == "JPEG":
        at = data.index(b"\xff\xc0")
        data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    if image_format == "WEBP":
        extended = bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        body = b"WEBPVP8X" + struct.pack("<I", len(extended)) + extended + data[12:]
        return b"RIFF" + struct.pack("<I", len(body)) + body
    return bytes(data)


@pytest.mark.parametrize("image_format", TYPES)
@pytest.mark.parametrize("side", [1_500, 60_000])
def test_what_a_header_says_is_enough_to_reject(image_format: str, side: int) -> None:
    assert look(resized(image_format, side, side), image_format) == Checked(TOO_MANY_PIXELS)


def test_a_png_of_ten_thousand_million_pixels_is_rejected_by_its_header() -> None:
    assert look(png(100_000, 100_000, bytes(100)), "PNG", pixels=100_000_000) == Checked(TOO_MANY_PIXELS)


def test_a_large_image_of_a_few_bytes_is_rejected_undecoded() -> None:
    side = 9_000
    data = png(side, side, (b"\x00" + bytes(3 * side)) * side)
    assert len(data) < 1_000_000
    assert look(data, "PNG", pixels=40_000_000) == Checked(TOO_MANY_PIXELS)


def test_a_frame_that_is_larger_than_its_gif_is_rejected() -> None:
    data = bytearray(picture("GIF"))
    at = data.index(b"\x2c", 13)
    data[at + 5 : at + 9] = struct.pack("<HH", 60_000, 60_000)
    assert look(bytes(data), "GIF") == Checked(TOO_MANY_PIXELS)


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


LONG = zlib.compress(b"x" * 5_000_000)
HEAVY_CHUNKS = {
    "compressed text": chunk(b"zTXt", b"mxfile\0\0" + LONG),
    "an international text": chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + LONG),
    "plain text": chunk(b"tEXt", b"mxfile\0" + b"x" * 2_000_000),
    "texts of seventy megabytes": chunk(b"zTXt", b"a\0\0" + zlib.compress(b"x" * 1_000_000)) * 70,
    "a profile": chunk(b"iCCP", b"scanner\0\0" + LONG),
    "a broken profile": chunk(b"iCCP", b"scanner\0\0" + b"no deflate"),
    "a text that is not packed as it says": chunk(b"zTXt", b"a\0\0no deflate"),
    "a text of another packing": chunk(b"zTXt", b"a\0\7" + LONG),
    "a broken date": chunk(b"tIME", b"\0"),
    "broken measures": chunk(b"pHYs", b"\0"),
    "an animation without frames": chunk(b"acTL", bytes(8)),
    "something private": chunk(b"prVt", b"x" * 1_000_000),
}


@pytest.mark.parametrize("name", HEAVY_CHUNKS)
@pytest.mark.parametrize("at_the_end", [False, True], ids=["before the pixels", "behind them"])
def test_what_a_png_says_beside_its_pixels_refuses_it_by_no_limit(name: str, *, at_the_end: bool) -> None:
    """draw.io keeps whole diagrams in a text, scanners profiles of megabytes."""
    plain = saved(quartered(), "PNG")
    place = len(plain) - 12 if at_the_end else 8 + 12 + 13
    checked = look(plain[:place] + HEAVY_CHUNKS[name] + plain[place:], "PNG")
    assert (checked.reason, checked.width, checked.height) == (None, 64, 32)
    assert corners(thumbnail(checked)) == ["red", "green", "blue", "white"]


def segment(marker: int, content: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", 2 + len(content)) + content


FULL = 65_533
HEAVY_SEGMENTS = {
    "a profile of five megabytes": b"".join(
        segment(0xE2, b"ICC_PROFILE\0" + bytes([number, 80]) + b"x" * (FULL - 14)) for number in range(1, 81)
    ),
    "a profile without its parts": segment(0xE2, b"ICC_PROFILE\0\x07\x09" + b"x"),
    "a broken index of pictures": segment(0xE2, b"MPF\0II*\0\xff\xff\xff\xff"),
    "extended XMP": segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + b"x" * 60_000) * 80,
    "Photoshop's resources": segment(0xED, b"Photoshop 3.0\x008BIM\xff\xff\xff"),
    "comments of megabytes": segment(0xFE, b"x" * FULL) * 40,
    "a broken EXIF": segment(0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff"),
    "an EXIF of four megabytes": segment(0xE1, b"Exif\0\0" + b"x" * (FULL - 6)) * 64,
}


@pytest.mark.parametrize("name", HEAVY_SEGMENTS)
def test_what_a_jpeg_says_beside_its_pixels_refuses_it_neither(name: str) -> None:
    plain = saved(quartered(), "JPEG", quality=95)
    checked = look(plain[:2] + HEAVY_SEGMENTS[name] + plain[2:], "JPEG")
    assert (checked.reason, checked.width, checked.height) == (None, 64, 32)
    assert corners(thumbnail(checked)) == ["red", "green", "blue", "white"]


@pytest.mark.parametrize("image_format", ["GIF", "WEBP"])
def test_nor_do_profiles_comments_and_data_in_gif_and_webp(image_format: str) -> None:
    options: dict[str, object] = {"comment": b"x" * 3_000_000}
    if image_format == "WEBP":
        options = {"icc_profile": b"x" * 3_000_000, "xmp": b"x" * 3_000_000, "exif": b"Exif\0\0" + b"x" * 3_000_000}
    checked = look(saved(quartered(), image_format, **options), image_format)
    assert (checked.reason, checked.width, checked.height) == (None, 64, 32)


def test_what_is_looked_at_stays_while_the_rest_is_taken_out() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    for image_format, heavy in (("PNG", HEAVY_CHUNKS["compressed text"]), ("JPEG", HEAVY_SEGMENTS["extended XMP"])):
        data = saved(quartered(), image_format, exif=exif)
        place = 33 if image_format == "PNG" else 2
        checked = look(data[:place] + heavy + data[place:], image_format)
        assert (checked.width, checked.height) == (32, 64)


@pytest.mark.parametrize("image_format", ["PNG", "JPEG"])
def test_taking_out_what_is_not_needed_breaks_nothing_whatever_the_bytes(image_format: str) -> None:
    data = saved(quartered((20, 10)), image_format)
    whole = needed(data, TYPES[image_format])
    for end in range(len(data)):
        assert whole.startswith(needed(data[:end], TYPES[image_format])[: end // 2])
    assert needed(whole, TYPES[image_format]) == whole
    assert needed(b"", TYPES[image_format]) == b""


def segments(data: bytes, segment: bytes, count: int) -> bytes:
    """A JPEG with so many more of these segments at its beginning."""
    return data[:2] + segment * count + data[2:]


def last_scan(data: bytes) -> bytes:
    return data[data.rindex(b"\xff\xda") : -2]


def test_a_jpeg_that_goes_over_its_pixels_for_ever_is_rejected_at_once() -> None:
    data = picture("JPEG", (640, 400), progressive=True)
    assert look(data[:-2] + last_scan(data) * 50 + data[-2:], "JPEG").reason is None
    assert look(data[:-2] + last_scan(data) * 100 + data[-2:], "JPEG").reason == NOT_DECODABLE
    junk = b"\x00junk\xff\xff\x01\xff\xd0"
    assert look(data[:-2] + (junk + last_scan(data)) * 100 + data[-2:], "JPEG").reason == NOT_DECODABLE


def test_a_jpeg_that_has_segments_for_ever_is_rejected_at_once() -> None:
    comment = b"\xff\xfe\x00\x04hm"
    assert look(segments(picture("JPEG"), comment, 1_000), "JPEG").reason is None
    assert look(segments(picture("JPEG"), comment, 2_000), "JPEG").reason == NOT_DECODABLE


def test_scans_behind_a_jpegs_end_are_none_of_it() -> None:
    """A phone's film, say, in which the marks of scans are bound to be found somewhere."""
    data = picture("JPEG")
    assert look(data + last_scan(data) * 500, "JPEG").reason is None


def test_marks_of_scans_in_a_segment_are_none() -> None:
    comment = b"\xff\xfe" + struct.pack(">H", 2 + 1_000) + b"\xff\xda" * 500
    assert look(segments(picture("JPEG"), comment, 1), "JPEG").reason is None


def test_memory_that_is_not_there_is_not_the_images_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object) -> None:
        raise MemoryError

    data = picture("GIF")
    monkeypatch.setattr(Image.Image, "convert", exhausted)
    with pytest.raises(MemoryError):
        look(data, "GIF")


def test_a_jpeg_is_decoded_no_larger_than_its_thumbnail_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[tuple[int, int]] = []
    prepare = JpegImageFile.load_prepare

    def noting(image: JpegImageFile) -> None:
        decoded.append(image.size)
        prepare(image)

    monkeypatch.setattr(JpegImageFile, "load_prepare", noting)
    checked = look(picture("JPEG", (4_000, 2_500)), "JPEG", pixels=10_000_000)
    assert decoded == [(2_000, 1_250)]
    assert (checked.width, checked.height) == (4_000, 2_500)
