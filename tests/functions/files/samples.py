"""The smallest files that are really of their types, and of types that are not taken."""

from __future__ import annotations

import struct
import wave
import zipfile
from functools import cache
from io import BytesIO

from PIL import Image

OPENXML = "application/vnd.openxmlformats-officedocument."
DOCX = f"{OPENXML}wordprocessingml.document"
XLSX = f"{OPENXML}spreadsheetml.sheet"
PPTX = f"{OPENXML}presentationml.presentation"

_RELATIONS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"/>'
)


def picture(image_format: str, size: tuple[int, int] = (4, 3), **options: object) -> bytes:
    target = BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(target, image_format, **options)
    return target.getvalue()


def zipped(*names: str, size: int = 20, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP with these entries, in this order, of `size` bytes each."""
    target = BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name in names:
            archive.writestr(name, (_RELATIONS * (size // len(_RELATIONS) + 1))[:size])
    return target.getvalue()


def office(folder: str, document: str) -> bytes:
    return zipped("[Content_Types].xml", "_rels/.rels", "docProps/app.xml", f"{folder}/{document}.xml")


def wav() -> bytes:
    target = BytesIO()
    with wave.open(target, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8_000)
        sound.writeframes(bytes(32))
    return target.getvalue()


def box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def film(major: bytes, *compatible: bytes) -> bytes:
    """ISO base media of these brands, with a movie box and no movie."""
    return box(b"ftyp", major + bytes(4) + b"".join(compatible)) + box(b"moov", box(b"mvhd", bytes(100)))


def ebml(document_type: bytes) -> bytes:
    """The EBML header of a WebM or Matroska file, and an empty segment."""
    header = bytes.fromhex("42868101 42f78101 42f28104 42f38108") + b"\x42\x82" + bytes([0x80 | len(document_type)])
    header += document_type + bytes.fromhex("42878104 42858102")
    return b"\x1a\x45\xdf\xa3" + bytes([0x80 | len(header)]) + header + bytes.fromhex("18538067 01ffffffffffffff")


def ogg() -> bytes:
    """The first page of an Opus stream."""
    head = b"OpusHead\x01\x01" + bytes(2) + struct.pack("<I", 48_000) + bytes(3)
    return b"OggS\x00\x02" + bytes(8) + b"\x01\x00\x00\x00" + bytes(8) + bytes([1, len(head)]) + head


# A frame of MPEG-1 layer III: 128 kbit/s, 44.1 kHz.
MP3_FRAME = b"\xff\xfb\x90\x64" + bytes(413)

PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj
trailer<</Root 1 0 R>>
%%EOF
"""

# Type → files that are really of it.
SAMPLES: dict[str, list[bytes]] = {
    "image/jpeg": [picture("JPEG"), picture("JPEG", progressive=True)],
    "image/png": [picture("PNG")],
    "image/gif": [picture("GIF")],
    "image/webp": [picture("WEBP"), picture("WEBP", lossless=True)],
    "application/pdf": [PDF],
    "application/zip": [zipped("notes.txt"), zipped()],
    DOCX: [
        office("word", "document"),
        zipped("word/numbering.xml", "_rels/.rels", "[Content_Types].xml"),  # in the order of other programs
        zipped("[Content_Types].xml", "docProps/thumbnail.jpeg", "word/embeddings/table.xlsx"),
        zipped("[Content_Types].xml", "word/document.xml", "word/media/image1.png", compression=zipfile.ZIP_STORED),
    ],
    XLSX: [office("xl", "workbook"), zipped("docProps/app.xml", "docProps/core.xml", "xl/workbook.xml")],
    PPTX: [office("ppt", "presentation")],
    "text/plain": [
        b"hello",
        "gr\u00fc\u00dfe \U0001f600\r\n".encode(),
        "\ufeffwith a mark".encode(),
        "sixteen".encode("utf-16"),
        "\ufeffsixteen".encode("utf-16-be"),
        b"<alice> hello\n<bob> hi",
        b"a < b, and b > c",
        b"<3",
        b"1 <html> is what pages begin with",
        b"# not a script",
        b"\x1b[31mred\x1b[0m",
        "gr\u00fc\u00dfe".encode("latin-1"),
        "\u201egr\u00fc\u00dfe\u201c \u2013 10 \u20ac".encode("cp1252"),
        "\u043f\u0440\u0438\u0432\u0435\u0442".encode("cp1251"),
    ],
    "text/csv": [b"a;b\r\n1;2\r\n", "\ufeff\u00e4,b\n".encode(), "M\u00fcller;1\r\n".encode("cp1252")],
    "audio/mpeg": [
        MP3_FRAME,
        b"\xff\xf3\x40\xc4" + bytes(100),
        b"ID3\x03\x00\x00\x00\x00\x00\x0a" + bytes(10) + MP3_FRAME,
        b"ID3\x04\x00\x40\x00\x00\x00\x0a" + bytes(10) + MP3_FRAME,
    ],
    "audio/mp4": [film(b"M4A ", b"M4A ", b"mp42", b"isom"), film(b"mp42", b"isom", b"mp42"), film(b"3gp4", b"isom")],
    "audio/ogg": [ogg()],
    "audio/wav": [wav()],
    "audio/webm": [ebml(b"webm")],
    "video/mp4": [film(b"isom", b"iso2", b"avc1", b"mp41"), film(b"M4V ", b"mp42"), film(b"XAVC", b"XAVC", b"mp42")],
    "video/webm": [ebml(b"webm")],
    "video/quicktime": [film(b"qt  ", b"qt  "), box(b"moov", bytes(20)), box(b"wide") + box(b"mdat", bytes(9))],
}

# What passes as several types, because it is of several.
ALSO: dict[str, set[str]] = {
    DOCX: {"application/zip"},
    XLSX: {"application/zip"},
    PPTX: {"application/zip"},
    "text/plain": {"text/csv"},
    "text/csv": {"text/plain"},
}
# MP4 does not say at its beginning whether it has pictures, unless its brand is for one of both.
FOR_SOUND_AND_FILM = {film(b"mp42", b"isom", b"mp42"), film(b"3gp4", b"isom"), SAMPLES["video/mp4"][0]}
FOR_SOUND_AND_FILM |= {SAMPLES["video/mp4"][2]}
ALSO |= {"audio/webm": {"video/webm"}, "video/webm": {"audio/webm"}}

# Name → bytes that are refused whatever they are declared as.
REFUSED: dict[str, bytes] = {
    "html": b"<!DOCTYPE html>\n<html><script>alert(1)</script></html>",
    "html without a doctype": b"\n\n  <HTML>\n<body onload='x()'>",
    "html behind a comment": b"<!-- hello --><html></html>",
    "html behind a mark": "\ufeff<html>".encode(),
    "html in UTF-16": "<html><body></body></html>".encode("utf-16"),
    "a part of a page": b"<script src=//x.example/x.js></script>",
    "an unknown element with a handler": b"<x onclick=alert(1)>",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "svg behind xml": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    "xml": b"<?xml version='1.0'?><a/>",
    "xml without a prolog": b"<project>\n  <modelVersion>4</modelVersion></project>",
    "php": b"<?php system($_GET['c']); ?>",
    "asp": b"<%@ Page Language='C#' %>",
    "shell": b"#!/bin/sh\nrm -rf /\n",
    "batch": b"@echo off\r\ndel *.*\r\n",
    "postscript": b"%!PS-Adobe-3.0\n",
    "rich text": b"{\\rtf1\\ansi hello}",
    "elf": b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\x3e\x00" + bytes(40),
    "pe": b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff" + bytes(50) + b"PE\x00\x00",
    "mach-o": b"\xcf\xfa\xed\xfe\x07\x00\x00\x01" + bytes(24),
    "java": b"\xca\xfe\xba\xbe\x00\x00\x00\x34" + bytes(20),
    "webassembly": b"\x00asm\x01\x00\x00\x00",
    "rar": b"Rar!\x1a\x07\x01\x00" + bytes(20),
    "gzip": b"\x1f\x8b\x08\x00" + bytes(20),
    "7z": b"7z\xbc\xaf\x27\x1c" + bytes(20),
    "old office": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504),
    "bmp": picture("BMP"),
    "tiff": picture("TIFF"),
    "jpeg 2000": bytes.fromhex("0000000c6a5020200d0a870a") + bytes(20),
    "avi": b"RIFF\x24\x00\x00\x00AVI LIST" + bytes(24),
    "riff of nothing": b"RIFF\x04\x00\x00\x00",
    "matroska": ebml(b"matroska"),
    "heic": film(b"heic", b"mif1", b"heic", b"isom"),
    "avif": film(b"avif", b"avif", b"mif1", b"iso8"),
    "flac": b"fLaC\x00\x00\x00\x22" + bytes(34),
    "aac": b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(10),
    "midi": b"MThd\x00\x00\x00\x06" + bytes(6),
    "nulls": b"text\x00text",
    "utf-32": "text".encode("utf-32"),
    "noise": bytes(range(128, 256)),
}


@cache
def is_of(data: bytes) -> frozenset[str]:
    """Every type that these bytes may be declared as."""
    types: set[str] = set()
    for content_type, samples in SAMPLES.items():
        if data in samples:
            types |= {content_type, *ALSO.get(content_type, ())}
    if data in FOR_SOUND_AND_FILM:
        types |= {"audio/mp4", "video/mp4"}
    return frozenset(types)
