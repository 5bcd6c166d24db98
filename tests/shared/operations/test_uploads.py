"""Announcing a file: what is taken, as what, and up to which size."""

from __future__ import annotations

import pytest

from shared.domain.files import (
    ALIASES,
    FILE_TYPES,
    IMAGE_TYPES,
    PENDING,
    TYPES,
    File,
    FileKind,
    NewFile,
    SizeLimits,
    Upload,
)
from shared.errors import BadRequest, ParleyError, TooLarge
from shared.operations.files import begin_upload
from tests.fakes import FakeNonces
from tests.stores import MEMBERS, Simulated, simulated
from tests.wiring import make_context, rest_services

LIMITS = SizeLimits(image=10, file=20)
NOW = 1_000


def begin(
    name: str = "cat.png",
    content_type: str = "image/png",
    size: int = 10,
    kind: FileKind | None = None,
    *,
    stores: Simulated | None = None,
) -> tuple[File, Upload]:
    return begin_upload(
        NewFile("alice", name, content_type, size, kind),
        stores=stores or simulated(),
        services=rest_services(),
        context=make_context(lambda: NOW, FakeNonces(), new_secret=lambda: "f", sizes=LIMITS),
    )


def test_a_file_is_noted_and_can_be_uploaded_for_a_quarter_of_an_hour(stores: Simulated) -> None:
    file, upload = begin("x/cat.png", stores=stores)
    assert file == File("f", "alice", "image", "cat.png", "image/png", 10, NOW, NOW + 900_000)
    assert (stores.files.get("f"), file.status, file.references) == (file, PENDING, 0)
    assert (upload.expires_at, upload.fields["Content-Type"]) == (NOW + 900_000, "image/png")


@pytest.mark.parametrize("content_type", TYPES)
@pytest.mark.parametrize("kind", [None, "file"])
def test_every_type_on_the_list_can_be_a_file_and_images_are_images_unless_told_otherwise(
    content_type: str, kind: FileKind | None
) -> None:
    file, _ = begin("x", content_type, kind=kind)
    assert file.kind == ("image" if content_type in IMAGE_TYPES and kind is None else "file")


@pytest.mark.parametrize("content_type", IMAGE_TYPES)
def test_images_can_be_called_images(content_type: str) -> None:
    assert begin("x", content_type, kind="image")[0].kind == "image"


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        *(
            (content_type, kind)
            for content_type in (
                "text/html",
                "image/svg+xml",
                "application/octet-stream",
                "image/png/x",
                "image/pn g",
                "\u212amage/png",
                ";image/png",
                "",
            )
            for kind in (None, "file", "image")
        ),
        *((content_type, "image") for content_type in FILE_TYPES),
    ],
)
def test_other_types_are_not_taken(stores: Simulated, content_type: str, kind: FileKind | None) -> None:
    with pytest.raises(BadRequest):
        begin("x", content_type, kind=kind, stores=stores)
    assert stores.rows(MEMBERS) == []


@pytest.mark.parametrize(
    ("announced", "known"),
    [
        ("image/jpg", "image/jpeg"),
        ("image/pjpeg", "image/jpeg"),
        ("Image/PNG", "image/png"),
        ("image/png ; q=1", "image/png"),
        (" image/webp", "image/webp"),
        ("application/x-zip-compressed", "application/zip"),
        ("text/plain; charset=utf-8", "text/plain"),
        ("TEXT/CSV;charset=windows-1252;header=present", "text/csv"),
        ("audio/x-wav", "audio/wav"),
        ("audio/mp3", "audio/mpeg"),
        ("audio/x-m4a", "audio/mp4"),
        ("video/mp4; codecs=avc1", "video/mp4"),
        *ALIASES.items(),
        *((alias.upper() + "; x=y", known) for alias, known in ALIASES.items()),
    ],
)
def test_a_type_by_another_name_is_kept_and_uploaded_by_its_own(announced: str, known: str) -> None:
    file, upload = begin("x", announced)
    assert (file.content_type, upload.fields["Content-Type"]) == (known, known)
    assert file.kind == ("image" if known in IMAGE_TYPES else "file")


def test_an_alias_is_of_a_type_that_is_taken_and_none_itself() -> None:
    assert set(ALIASES.values()) <= set(TYPES)
    assert not ALIASES.keys() & set(TYPES)


def test_a_type_that_is_not_taken_is_told_those_that_are() -> None:
    with pytest.raises(BadRequest) as refused:
        begin("x", "text/html")
    assert all(one in refused.value.message for one in TYPES)


@pytest.mark.parametrize(
    ("size", "kind", "error"),
    [
        (10, "image", None),
        (11, "image", TooLarge),
        (11, "file", None),
        (20, "file", None),
        (21, "file", TooLarge),
        (1, None, None),
        (11, None, TooLarge),
        (0, None, BadRequest),
        (-1, None, BadRequest),
    ],
)
def test_each_kind_has_its_own_limit(
    stores: Simulated, size: int, kind: FileKind | None, error: type[ParleyError] | None
) -> None:
    if error is None:
        assert begin(size=size, kind=kind, stores=stores)[0].size == size
        return
    with pytest.raises(error) as raised:
        begin(size=size, kind=kind, stores=stores)
    assert (type(raised.value), stores.rows(MEMBERS)) == (error, [])


def test_a_file_without_a_name_is_not_noted(stores: Simulated) -> None:
    with pytest.raises(BadRequest):
        begin("..", stores=stores)
    assert stores.rows(MEMBERS) == []
