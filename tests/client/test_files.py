"""Uploads and downloads: over real sockets, against a storage that refuses, stalls, breaks off and points elsewhere."""

from __future__ import annotations

import asyncio
import io
import os
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from parley_client import Message, ParleyError
from parley_client.filenames import candidates, safe_name
from parley_client.sources import type_of
from parley_client.transfers import check_storage_url, refused

from tests.client.fake_server import FakeServer
from tests.client.fake_storage import refusal
from tests.client.test_client import client_of, messages
from tests.shared.adapters.aws.certificates import tls_contexts

SECRET = "X-Amz-Signature"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "cat.png"
    path.write_bytes(os.urandom(300_000))
    return path


def left_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def content_of(path: Path) -> bytes:
    return path.read_bytes()


async def refusal_of(transfer: Any) -> ParleyError:
    with pytest.raises(ParleyError) as refused_with:
        await transfer
    error = refused_with.value
    shown = f"{error} {error.__cause__!r} {error.__context__ if not error.__suppress_context__ else ''}"
    assert SECRET not in shown
    assert "signature" not in shown
    return error


# --- up


async def test_a_file_goes_up_as_it_is_with_progress_to_its_end(photo: Path) -> None:
    seen: list[tuple[int, int]] = []
    async with FakeServer() as server, client_of(server) as alice:
        file = await alice.upload(photo, progress=lambda *moved: seen.append(moved))

    assert server.storage.objects[f"uploads/{file.id}"] == content_of(photo)
    assert (file.status, file.kind, file.name, file.content_type) == ("ready", "image", "cat.png", "image/png")
    assert (file.size, file.width, file.height) == (300_000, 2, 1)
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == ((0, 300_000), (300_000, 300_000))
    assert len(seen) == len(set(seen)) > 3


async def test_the_token_never_goes_to_the_storage(photo: Path, tmp_path: Path) -> None:
    async with FakeServer() as server, client_of(server) as alice:
        file = await alice.upload(photo)
        await alice.download(file.id, tmp_path / "there")

    assert len(server.storage.headers) == 2
    assert all("authorization" not in headers for headers in server.storage.headers)


async def test_bytes_and_streams_go_up_too_from_where_they_stand(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"behind us|ahead of us")
    async with FakeServer() as server, client_of(server) as alice:
        one = await alice.upload(b"a,b\r\n--x\r\n", name="table.csv")
        with (tmp_path / "notes.txt").open("rb") as stream:
            stream.seek(10)
            other = await alice.upload(stream)
        third = await alice.upload(io.BytesIO(b"\x00"), name="scan", content_type="image/png", kind="file")

    assert server.storage.objects[f"files/{one.id}"] == b"a,b\r\n--x\r\n"
    assert (one.content_type, other.content_type, third.kind) == ("text/csv", "text/plain", "file")
    assert (server.storage.objects[f"files/{other.id}"], other.name) == (b"ahead of us", "notes.txt")


async def test_a_large_file_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    large = tmp_path / "large.zip"
    with large.open("wb") as stream:
        stream.truncate(60_000_000)
    async with FakeServer() as server, client_of(server) as alice:
        server.storage.refusals = [(400, refusal("EntityTooLarge"))]
        tracemalloc.start()
        try:
            error = await refusal_of(alice.upload(large))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert (error.code, error.retryable, error.status) == ("too_large", False, 400)
    assert peak < 10_000_000


async def test_what_the_check_rejects_is_an_error_with_its_reason(photo: Path) -> None:
    async with FakeServer() as server, client_of(server) as alice:
        server.http.files.verdicts = ["wrong_type"]
        error = await refusal_of(alice.upload(photo))

    assert (error.code, error.retryable) == ("file_rejected", False)
    assert "wrong_type" in error.message


async def test_a_check_is_waited_for_over_calls_that_fail_for_the_moment(photo: Path) -> None:
    async with FakeServer() as server, client_of(server) as alice:
        server.http.files.unchecked = 1
        server.http_refusals = [("/v1/files/file-1", 503, "unavailable")]
        file = await alice.upload(photo)

    assert file.status == "ready"


async def test_a_file_that_is_never_checked_is_a_timeout(photo: Path) -> None:
    async with FakeServer() as server, client_of(server) as alice:
        server.http.files.unchecked = 1_000
        error = await refusal_of(alice.upload(photo, check_within=0.5))
        server.http.files.unchecked = 0
        assert (await alice.file("file-1")).status == "ready"

    assert (error.code, error.retryable) == ("timeout", True)
    assert "file-1" in error.message


async def test_what_nobody_could_upload_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(writing)
    async with FakeServer() as server, client_of(server, receive=False) as alice:
        await alice.connected()
        assert (await refusal_of(alice.upload(b"x"))).code == "bad_request"
        assert (await refusal_of(alice.upload(b"x", name="no-extension"))).code == "bad_request"
        assert (await refusal_of(alice.send_file(b"x", name="x.txt"))).code == "bad_request"
        with os.fdopen(reading, "rb") as pipe:
            assert (await refusal_of(alice.upload(pipe, name="x.txt"))).code == "bad_request"
        with pytest.raises(FileNotFoundError):
            await alice.upload(tmp_path / "missing.txt")

    assert server.requests == []


async def test_what_the_storage_refuses_says_whether_trying_again_helps(photo: Path) -> None:
    expected = [
        ((403, refusal("AccessDenied", "Invalid according to Policy: Policy expired.")), ("expired", True)),
        ((403, refusal("SignatureDoesNotMatch")), ("forbidden", False)),
        ((400, refusal("MalformedPOSTRequest")), ("bad_request", False)),
        ((503, refusal("SlowDown")), ("unavailable", True)),
        ((500, b""), ("unavailable", True)),
        ((307, b""), ("bad_request", False)),
    ]
    async with FakeServer() as server, client_of(server) as alice:
        server.storage.refusals = [answer for answer, _ in expected]
        errors = [await refusal_of(alice.upload(photo)) for _ in expected]

    assert [(error.code, error.retryable) for error in errors] == [outcome for _, outcome in expected]
    assert len(server.storage.headers) == len(expected)


async def test_a_storage_that_is_not_there_is_unreachable(photo: Path) -> None:
    async with FakeServer() as server, client_of(server) as alice:
        server.storage.url = "http://127.0.0.1:1/bucket"
        error = await refusal_of(alice.upload(photo))

    assert (error.code, error.retryable) == ("unreachable", True)
    assert "refused" in error.message


async def test_cancelling_an_upload_ends_it_at_once(photo: Path) -> None:
    async with FakeServer() as server, client_of(server) as alice:
        server.storage.stalls = True
        uploading = asyncio.create_task(alice.upload(photo))
        await server.storage.until(1)
        await asyncio.sleep(0)
        uploading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await uploading

    assert server.storage.objects == {}


def ends_not(thread: threading.Thread) -> bool:
    thread.join(timeout=10)
    return thread.is_alive()


@pytest.mark.parametrize("speaks_tls", [False, True])
async def test_cancelling_ends_a_transfer_in_the_middle_of_a_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, speaks_tls: bool
) -> None:
    large = tmp_path / "large.zip"
    large.touch()
    os.truncate(large, 50_000_000)
    tls, _ = tls_contexts(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "localhost.pem"))
    sent: list[int] = []

    async def stuck() -> None:
        """The thread is in a write that does not return: nothing has moved for a while."""
        before = 0
        while before == 0 or before != sent[-1]:
            before = sent[-1] if sent else 0
            await asyncio.sleep(0.1)

    server = FakeServer()
    server.storage.tls = tls if speaks_tls else None
    server.storage.deaf = True
    async with server, client_of(server) as alice:
        uploading = asyncio.create_task(alice.upload(large, progress=lambda done, _: sent.append(done)))
        await stuck()
        uploading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await uploading
        # One that is still stuck would be left alone, and go on for a minute.
        assert not any(ends_not(each) for each in threading.enumerate() if each.name == "parley-transfer")


async def test_a_storage_over_tls_is_held_to_its_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls, _ = tls_contexts(tmp_path)
    content = os.urandom(200_000)
    server = FakeServer()
    server.storage.tls = tls
    async with server, client_of(server) as alice:
        assert (await refusal_of(alice.upload(content, name="a.zip"))).code == "unreachable"
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "localhost.pem"))
        file = await alice.upload(content, name="a.zip")
        stream = io.BytesIO()
        await alice.download(file.id, stream)
        assert stream.getvalue() == content
        # Who hangs up in the middle of the body has said why.
        server.storage.refusals = [(400, refusal("EntityTooLarge"))]
        assert (await refusal_of(alice.upload(bytes(30_000_000), name="a.zip"))).code == "too_large"


async def test_what_progress_raises_ends_the_transfer(photo: Path, tmp_path: Path) -> None:
    def fail(done: int, _: int) -> None:
        if done:
            raise ZeroDivisionError

    async with FakeServer() as server, client_of(server) as alice:
        with pytest.raises(ZeroDivisionError):
            await alice.upload(photo, progress=fail)
        file = await alice.upload(photo)
        with pytest.raises(ZeroDivisionError):
            await alice.download(file.id, tmp_path / "there", progress=fail)

    assert left_in(tmp_path) == ["cat.png"]


# --- down


async def test_a_file_comes_down_whole_with_progress(photo: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    stream = io.BytesIO()
    async with FakeServer() as server, client_of(server) as alice:
        file = await alice.upload(photo)
        place = await alice.download(file.id, tmp_path / "mine.png", progress=lambda *moved: seen.append(moved))
        await alice.download(file.id, stream)
        small = await alice.download(file.id, tmp_path, thumbnail=True)

    assert place == tmp_path / "mine.png"
    assert content_of(place) == stream.getvalue() == content_of(photo)
    assert seen == sorted(seen)
    assert seen[-1] == (300_000, 300_000)
    assert (small.name, content_of(small)) == ("cat (small).jpg", content_of(photo)[:10])
    assert left_in(tmp_path) == ["cat (small).jpg", "cat.png", "mine.png"]


async def test_in_a_folder_nothing_is_replaced_and_no_name_leads_out_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    async with FakeServer() as server, client_of(server) as alice:
        file = await alice.upload(b"content", name="a.txt")
        places = [await alice.download(file.id, folder) for _ in range(3)]
        for name in ("../../evil.txt", "..\\evil.txt", "/etc/passwd", "C:\\nul.txt", ".profile"):
            server.http.files.files[file.id]["name"] = name
            places.append(await alice.download(file.id, folder))

    assert left_in(tmp_path) == ["inner"]
    assert [place.name for place in places] == [
        "a.txt",
        "a (2).txt",
        "a (3).txt",
        "evil.txt",
        "evil (2).txt",
        "passwd",
        "_nul.txt",
        "_profile",
    ]
    assert all(content_of(place) == b"content" and place.parent == folder for place in places)


async def test_a_download_that_can_not_be_put_in_its_place_leaves_nothing(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise PermissionError

    async with FakeServer() as server, client_of(server) as alice:
        file = await alice.upload(photo)
        monkeypatch.setattr(Path, "replace", fail)
        for to in (tmp_path, tmp_path / "mine.png"):
            with pytest.raises(PermissionError):
                await alice.download(file.id, to)

    assert left_in(tmp_path) == ["cat.png"]


async def test_a_download_that_breaks_off_leaves_what_was_there(photo: Path, tmp_path: Path) -> None:
    place = tmp_path / "mine.png"
    place.write_bytes(b"as it was")
    async with FakeServer() as server, client_of(server) as alice:
        file = await alice.upload(photo)
        server.storage.short = 1_000
        error = await refusal_of(alice.download(file.id, place))
        in_folder = await refusal_of(alice.download(file.id, tmp_path))

    assert (error.code, error.retryable) == (in_folder.code, in_folder.retryable) == ("unreachable", True)
    assert content_of(place) == b"as it was"
    assert left_in(tmp_path) == ["cat.png", "mine.png"]


async def test_content_of_another_size_is_not_the_file(photo: Path, tmp_path: Path) -> None:
    async with FakeServer() as server, client_of(server) as alice:
        file = await alice.upload(photo)
        for content in (b"", content_of(photo) + b"more"):
            server.storage.objects[f"files/{file.id}"] = content
            assert (await refusal_of(alice.download(file.id, tmp_path))).code == "unreachable"

    assert left_in(tmp_path) == ["cat.png"]


async def test_cancelling_a_download_leaves_nothing(photo: Path, tmp_path: Path) -> None:
    async with FakeServer() as server, client_of(server) as alice:
        file = await alice.upload(photo)
        server.storage.stalls = True
        downloading = asyncio.create_task(alice.download(file.id, tmp_path))
        await server.storage.until(1)
        downloading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await downloading
        assert left_in(tmp_path) == ["cat.png"]


async def test_links_that_expired_moved_or_are_missing_are_errors(photo: Path, tmp_path: Path) -> None:
    async with FakeServer() as server, client_of(server) as alice:
        file = await alice.upload(photo)
        server.storage.refusals = [(403, refusal("AccessDenied", "Request has expired")), (302, b"")]
        expired = await refusal_of(alice.download(file.id, tmp_path))
        moved = await refusal_of(alice.download(file.id, tmp_path))
        text = await alice.upload(b"x", name="x.txt")
        small = await refusal_of(alice.download(text.id, tmp_path, thumbnail=True))
        unknown = await refusal_of(alice.download("nothing", tmp_path))
        server.http.files.files[text.id]["status"] = "pending"
        del server.storage.objects[f"uploads/{text.id}"]
        pending = await refusal_of(alice.download(text.id, tmp_path))

    assert (expired.code, expired.retryable, expired.status) == ("expired", True, 403)
    assert (moved.code, moved.retryable) == ("bad_request", False)
    assert [(error.code, error.retryable) for error in (small, unknown)] == [("not_found", False)] * 2
    assert (pending.code, pending.retryable) == ("not_found", True)
    assert left_in(tmp_path) == ["cat.png"]


async def test_links_are_not_shown_by_accident(photo: Path) -> None:
    async with FakeServer() as server, client_of(server) as alice:
        file = await alice.upload(photo)

    assert file.url is not None
    assert SECRET in file.url
    assert SECRET not in repr(file)


# --- in messages


async def test_a_file_is_sent_with_and_without_words(photo: Path, tmp_path: Path) -> None:
    async with FakeServer() as server, client_of(server) as alice, client_of(server, "bob") as bob:
        await bob.sync()
        first = await alice.send_file(photo, to="bob")
        second = await alice.send_file(b"text", "look", conversation_id=first.conversation_id, name="notes.txt")
        await alice.send(to="bob", file_id="file-1", message_type="image")
        received = await messages(bob, 3)
        own = await messages(alice, 3)
        place = await bob.download(received[0].file_id or "", tmp_path / "came.png")

    assert [(each.type, each.content, each.file_id) for each in received] == [
        ("image", "", "file-1"),
        ("file", "look", "file-2"),
        ("image", "", "file-1"),
    ]
    assert own == received
    assert (first.seq, second.seq) == (1, 2)
    assert content_of(place) == content_of(photo)


async def test_a_message_with_a_file_that_lost_its_ack_is_stored_once(photo: Path) -> None:
    async with FakeServer() as server, client_of(server) as alice:
        await alice.sync()
        server.on_frame = lambda _, frame: "unanswered" if frame["type"] == "message" else None
        sending = asyncio.create_task(alice.send_file(photo, to="bob"))
        await server.until(lambda: bool(server.sent("message")))
        server.on_frame = lambda *_: None
        await server.cut()
        ack = await sending
        [message] = await messages(alice, 1)

    assert (ack.seq, len(server.model.logs["dm:alice:bob"])) == (1, 1)
    assert isinstance(message, Message)
    assert (message.type, message.file_id) == ("image", "file-1")


async def test_long_transfers_take_no_place_of_calls(photo: Path) -> None:
    async with FakeServer() as server, client_of(server) as alice:
        server.storage.stalls = True
        uploads = [asyncio.create_task(alice.upload(photo)) for _ in range(40)]
        await server.storage.until(40)
        assert (await alice.me()).user_id == "alice"
        for each in uploads:
            each.cancel()
        ended = await asyncio.gather(*uploads, return_exceptions=True)

    assert {type(each) for each in ended} == {asyncio.CancelledError}


# --- parts


@given(name=st.text() | st.text(alphabet='./\\:*"con NUL\x00\n\u202e🐈é1', max_size=12) | st.text(min_size=200))
@example(name="")
@example(name="..")
@example(name="con")
@example(name="COM1.tar.gz")
@example(name="lpt³")
@example(name="🐈" * 100 + ".png")
@example(name="a." + "b" * 300)
@example(name="\ud800")
@example(name="a .")
def test_a_safe_name_is_one_part_of_a_path_whatever_it_was(name: str) -> None:
    safe = safe_name(name)
    assert 0 < len(safe.encode()) <= 241
    assert not set(safe) & set('/\\<>:"|?*\x00\n\r\u202e')
    assert safe.isprintable() or not safe.isascii()
    assert not safe.startswith((".", " "))
    assert not safe.endswith((".", " "))
    assert safe.split(".")[0].strip().lower() not in {"con", "nul", "aux", "prn", "com1", "lpt1"}
    folder = Path("/folder")
    assert (folder / safe).parent == folder
    assert safe_name(safe) == safe


@given(name=st.text())
def test_every_further_candidate_is_another_one_beside_the_first(name: str) -> None:
    folder = Path("/folder")
    endless = candidates(folder, name)
    found = [next(endless) for _ in range(12)]
    assert len(set(found)) == 12
    assert {each.parent for each in found} == {folder}
    assert {each.suffix for each in found} == {found[0].suffix}
    assert all(len(each.name.encode()) <= 255 for each in found)


@pytest.mark.parametrize("name", ["cat 🐈.png", "Straße.txt", 'a "quoted" name.pdf'.replace('"', "'")])
def test_a_name_that_does_no_harm_stays(name: str) -> None:
    assert safe_name(name) == name


def test_types_are_those_that_the_server_takes_on_every_system() -> None:
    found = {name: type_of(f"x.{name}") for name in ("JPG", "webp", "docx", "wav", "m4a", "mov", "zip", "csv")}
    assert found == {
        "JPG": "image/jpeg",
        "webp": "image/webp",
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "wav": "audio/wav",
        "m4a": "audio/mp4",
        "mov": "video/quicktime",
        "zip": "application/zip",
        "csv": "text/csv",
    }


@given(status=st.integers(300, 599), body=st.binary(max_size=200))
def test_no_answer_of_the_storage_is_a_surprise(status: int, body: bytes) -> None:
    assert refused(status, body).status == status


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y", "", "//x/y", "data:,x"])
def test_an_address_that_is_none_of_a_storage_is_not_opened(url: str) -> None:
    with pytest.raises(ParleyError):
        check_storage_url(url, secure=False)


def test_who_speaks_tls_to_the_server_speaks_it_to_the_storage() -> None:
    assert check_storage_url("https://files.example/x", secure=True)
    with pytest.raises(ParleyError):
        check_storage_url("http://files.example/x", secure=True)
