"""What bytes are: each type is taken for itself and for nothing else, and what is on no list is taken for nothing."""

from __future__ import annotations

import pytest

from functions.files.kinds import is_as_declared
from shared.domain.files import FILE, TYPES, File
from shared.operations.files import HEAD_BYTES
from tests.functions.files.samples import DOCX, REFUSED, SAMPLES, XLSX, film, is_of, picture, zipped

EACH_TYPE = pytest.mark.parametrize("declared", TYPES)
EACH_MARKED_TYPE = pytest.mark.parametrize("declared", [name for name in TYPES if not name.startswith("text/")])


def is_taken(data: bytes, declared: str) -> bool:
    """As the check sees it: no more than the beginning."""
    file = File("f", "alice", FILE, "name", declared, len(data), created_at=1, expires_at=2)
    return is_as_declared(file, data[:HEAD_BYTES])


def test_there_is_a_sample_of_every_type() -> None:
    assert set(SAMPLES) == set(TYPES)


@EACH_TYPE
def test_a_file_is_taken_for_what_it_is(declared: str) -> None:
    assert [data[:40] for data in SAMPLES[declared] if not is_taken(data, declared)] == []


@EACH_TYPE
def test_a_file_is_taken_for_nothing_else(declared: str) -> None:
    others = [data for samples in SAMPLES.values() for data in samples if declared not in is_of(data)]
    assert [data[:40] for data in others if is_taken(data, declared)] == []
    assert len(others) > 20


@EACH_TYPE
def test_what_is_on_no_list_is_taken_for_nothing(declared: str) -> None:
    assert [name for name, data in REFUSED.items() if is_taken(data, declared)] == []


@EACH_MARKED_TYPE
def test_nothing_is_no_file(declared: str) -> None:
    assert not is_taken(b"", declared)


@pytest.mark.parametrize("declared", ["text/html", "image/svg+xml", "application/octet-stream", ""])
def test_types_that_are_not_taken_have_no_check_that_lets_them_through(declared: str) -> None:
    assert not is_taken(b"hello", declared)


@EACH_MARKED_TYPE
def test_a_mark_that_does_not_stand_at_the_start_is_none(declared: str) -> None:
    assert [data[:40] for data in SAMPLES[declared] if is_taken(b"\x00\x00" + data, declared)] == []
    page = REFUSED["html"]
    assert [data[:40] for data in SAMPLES[declared] if is_taken(page + data, declared)] == []


@EACH_MARKED_TYPE
def test_what_follows_the_beginning_does_not_matter(declared: str) -> None:
    assert [data[:40] for data in SAMPLES[declared] if not is_taken(data + REFUSED["html"], declared)] == []


def test_a_long_text_may_be_cut_within_a_character_but_not_end_there() -> None:
    text = b"a" + "\u00e4".encode() * HEAD_BYTES
    assert is_taken(text, "text/plain")
    assert is_taken(text[: HEAD_BYTES - 1] + b"\xc3", "text/plain")  # as Latin-1


@pytest.mark.parametrize("declared", ["text/plain", "text/csv"])
@pytest.mark.parametrize(
    "data",
    [
        b"\xfcber\0",
        b"\xfc\x01",
        b"\xfc\x7f",
        b"\xef\xbb\xbf\xfc",
        b"\xff\xfeg\0r\0\x00\xd8",
        "<html>gr\u00fc\u00dfe".encode("latin-1"),
        "<!-- gr\u00fc\u00dfe -->".encode("latin-1"),
        "#!/bin/sh\n# gr\u00fc\u00dfe".encode("latin-1"),
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3",
        b"\x1f\x8b\x08\x08\xff\xff",
    ],
    ids=ascii,
)
def test_bytes_that_are_no_utf_8_are_text_only_where_they_could_be_of_another_alphabet(
    declared: str, data: bytes
) -> None:
    assert not is_taken(data, declared)


def test_a_long_office_file_whose_program_comes_too_late_is_taken_for_what_it_is_declared_as() -> None:
    late = zipped("[Content_Types].xml", "docProps/thumbnail.jpeg", "word/document.xml", size=HEAD_BYTES, compression=0)
    assert is_taken(late, DOCX)
    other = zipped("notes.txt", "word/document.xml", size=HEAD_BYTES, compression=0)
    assert not is_taken(other, DOCX)


def test_a_document_in_a_workbook_makes_it_no_document() -> None:
    inner = zipped("[Content_Types].xml", "word/document.xml")
    outer = zipped("[Content_Types].xml", "xl/workbook.xml", compression=0) + inner
    assert is_taken(outer, XLSX)
    assert not is_taken(outer, DOCX)


@pytest.mark.parametrize("name", ["mimetype", "META-INF/MANIFEST.MF", "AndroidManifest.xml", "wordy/x.xml"])
def test_another_zip_is_no_office_file(name: str) -> None:
    assert not is_taken(zipped(name, "content.xml"), DOCX)
    assert is_taken(zipped(name, "content.xml"), "application/zip")


def test_a_first_box_that_is_longer_than_the_file_is_no_film() -> None:
    assert not is_taken(b"Hi, free beer for everyone", "video/quicktime")
    assert not is_taken(b"\x00\x00\x00\x02moov" + bytes(20), "video/quicktime")


@pytest.mark.parametrize("declared", ["audio/mp4", "video/mp4", "video/quicktime"])
def test_brands_that_nobody_knows_are_no_film(declared: str) -> None:
    assert not is_taken(film(b"what", b"ever"), declared)
    assert not is_taken(b"\x00\x00\x00\x10ftyp", declared)


@pytest.mark.parametrize("rates", [0x00, 0x0C, 0x9C, 0xF0])
def test_a_frame_of_a_rate_that_does_not_exist_is_no_mp3(rates: int) -> None:
    assert not is_taken(bytes([0xFF, 0xFB, rates, 0]) + bytes(400), "audio/mpeg")


@pytest.mark.parametrize("declared", ["image/jpeg", "image/png", "image/gif", "image/webp"])
def test_an_image_that_is_sent_as_a_file_is_known_by_its_beginning(declared: str) -> None:
    whole = picture(declared.removeprefix("image/").upper())
    assert is_taken(whole[:30] + bytes(100), declared)
