"""Forms, links and calls for S3: what they allow, where they lead, and what comes back told apart."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.adapters.aws.archive import S3Archive
from shared.adapters.aws.calls import MAX_ATTEMPTS, ServiceError
from shared.adapters.aws.s3 import S3Objects, s3
from shared.adapters.aws.transport import Response
from shared.config import AwsEnvironment
from shared.domain.files import File, Stored
from shared.errors import Unavailable
from tests.calls import Unslept
from tests.permissions import OBJECTS
from tests.sdk import client_of
from tests.shared.adapters.aws.servers import Received, Reply, ScriptedServer, reply
from tests.shared.adapters.aws.test_sdk import answers
from tests.shared.adapters.aws.test_sigv4 import ACCESS_KEY, SECRET_KEY, as_of
from tests.shared.adapters.conftest import Serve

AT = "20261123T120000Z"
NOON = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
NOW_MS = int(NOON.timestamp() * 1_000)
TOKEN = "FwoGZXIvYXdzEB4a//token=="
PAPER = File("id-1_x", "alice", "file", 'a "b" \u00fc.pdf', "application/pdf", 5, NOW_MS, NOW_MS + 900_000)
CAT = File("cat", "alice", "image", "cat.png", "image/png", 9, NOW_MS, NOW_MS + 900_000)
STORED = Stored(5, '"827ccb0eea8a706c4c34a16891f84e7b"')
LAPTOP = "http://localhost:4577"


def error(status: int, code: str) -> Reply:
    return reply(status, f"<?xml version='1.0'?>\n<Error><Code>{code}</Code></Error>".encode())


GONE = error(404, "NoSuchKey")
CHANGED = error(412, "PreconditionFailed")
COPIED = reply(body=b"<CopyObjectResult><ETag>x</ETag></CopyObjectResult>")


def objects(
    endpoint_url: str = "", *, session_token: str = "", region: str = "eu-west-1", now: int = NOW_MS
) -> S3Objects:
    environment = AwsEnvironment(region, ACCESS_KEY, SECRET_KEY, session_token, endpoint_url)
    return S3Objects(s3(environment, Unslept()), bucket="files-1", now=lambda: now)


# --- forms and links


def form(made: S3Objects, file: File = PAPER) -> tuple[str, dict[str, str], dict[str, Any]]:
    """Its address, its fields, and its policy."""
    with as_of(AT), patch("botocore.signers.get_current_datetime", return_value=NOON):
        upload = made.upload(file)
    assert upload.expires_at == file.expires_at
    return upload.url, upload.fields, json.loads(base64.b64decode(upload.fields["policy"]))


@pytest.mark.parametrize("endpoint_url", ["", LAPTOP])
@pytest.mark.parametrize("session_token", ["", TOKEN])
def test_a_form_takes_exactly_this_file_for_as_long_as_it_is_said(endpoint_url: str, session_token: str) -> None:
    _, fields, policy = form(objects(endpoint_url, session_token=session_token))
    said = {
        "key": "uploads/id-1_x",
        "Content-Type": "application/pdf",
        "x-amz-algorithm": "AWS4-HMAC-SHA256",
        "x-amz-credential": f"{ACCESS_KEY}/20261123/eu-west-1/s3/aws4_request",
        "x-amz-date": AT,
        **({"x-amz-security-token": session_token} if session_token else {}),
    }
    assert {name: value for name, value in fields.items() if name not in {"policy", "x-amz-signature"}} == said
    assert policy["expiration"] == "2026-11-23T12:15:00Z"
    exact = [one for one in policy["conditions"] if isinstance(one, dict)]
    assert {name: value for one in exact for name, value in one.items()} == {**said, "bucket": "files-1"}
    assert [one for one in policy["conditions"] if one not in exact] == [["content-length-range", 5, 5]]


def test_a_form_is_signed_with_the_key_of_its_day() -> None:
    _, fields, _ = form(objects(session_token=TOKEN))
    key = f"AWS4{SECRET_KEY}".encode()
    for part in ("20261123", "eu-west-1", "s3", "aws4_request", fields["policy"]):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    assert fields["x-amz-signature"] == key.hex()


@pytest.mark.parametrize(("late_ms", "seconds"), [(0, 900), (1, 900), (999, 900), (1_000, 899), (899_999, 1)])
def test_a_form_that_is_made_later_ends_no_later(late_ms: int, seconds: int) -> None:
    _, _, policy = form(objects(now=NOW_MS + late_ms))
    assert policy["expiration"] == f"{NOON + dt.timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize("session_token", ["", TOKEN])
@pytest.mark.parametrize(
    ("file", "thumbnail", "key", "disposition", "content_type"),
    [
        (
            PAPER,
            False,
            "files/id-1_x",
            'attachment; filename="a \\"b\\" _.pdf"; filename*=UTF-8\'\'a%20%22b%22%20%C3%BC.pdf',
            "application/pdf",
        ),
        (CAT, False, "files/cat", "inline; filename=\"cat.png\"; filename*=UTF-8''cat.png", "image/png"),
        (CAT, True, "thumbnails/cat", "inline", "image/jpeg"),
        (
            replace(CAT, kind="file"),
            False,
            "files/cat",
            "attachment; filename=\"cat.png\"; filename*=UTF-8''cat.png",
            "image/png",
        ),
    ],
)
def test_a_link_leads_to_the_file_under_its_name_and_type_for_so_long(
    *, file: File, thumbnail: bool, key: str, disposition: str, content_type: str, session_token: str
) -> None:
    with as_of(AT):
        link = urlsplit(objects(session_token=session_token).download_url(file, expires_in_s=300, thumbnail=thumbnail))
    assert f"{link.scheme}://{link.netloc}{link.path}" == f"https://files-1.s3.eu-west-1.amazonaws.com/{key}"
    said = {name: values for name, (*values,) in parse_qs(link.query).items() if name != "X-Amz-Signature"}
    assert said == {
        "response-content-disposition": [disposition],
        "response-content-type": [content_type],
        "X-Amz-Algorithm": ["AWS4-HMAC-SHA256"],
        "X-Amz-Credential": [f"{ACCESS_KEY}/20261123/eu-west-1/s3/aws4_request"],
        "X-Amz-Date": [AT],
        "X-Amz-Expires": ["300"],
        "X-Amz-SignedHeaders": ["host"],
        **({"X-Amz-Security-Token": [session_token]} if session_token else {}),
    }


@pytest.mark.parametrize(
    ("region", "url"),
    [
        ("eu-central-1", "https://files-1.s3.eu-central-1.amazonaws.com/"),
        ("us-east-1", "https://files-1.s3.us-east-1.amazonaws.com/"),
        ("cn-north-1", "https://files-1.s3.cn-north-1.amazonaws.com.cn/"),
    ],
)
def test_on_aws_the_bucket_has_its_own_name(region: str, url: str) -> None:
    made = objects(region=region)
    assert made.upload(CAT).url == url
    assert made.download_url(CAT, expires_in_s=1).startswith(f"{url}files/cat?")
    assert f"%2F{region}%2Fs3%2F" in made.download_url(CAT, expires_in_s=1)


@pytest.mark.parametrize("endpoint_url", [LAPTOP, f"{LAPTOP}/"])
def test_on_a_laptop_it_is_part_of_the_path(endpoint_url: str) -> None:
    made = objects(endpoint_url)
    assert made.upload(CAT).url == f"{LAPTOP}/files-1"
    assert made.download_url(CAT, expires_in_s=1).startswith(f"{LAPTOP}/files-1/files/cat?")


# --- calls


def asked(server: ScriptedServer) -> tuple[str, str, Mapping[str, str], bytes]:
    """The one request, and of its headers those that say something of the object."""
    (request,) = server.received
    assert "/eu-west-1/s3/aws4_request" in request.headers["authorization"]
    telling = {"content-type", "range", "if-match"}
    headers = {
        name: value for name, value in request.headers.items() if name in telling or name.startswith("x-amz-copy-")
    }
    return request.method, request.path, headers, request.body


def test_a_look_at_an_upload(serve: Serve) -> None:
    server = serve(lambda _: Reply(f"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: {STORED.etag}\r\n\r\n".encode()))
    assert objects(server.url).look_at_upload("id") == STORED
    assert asked(server) == ("HEAD", "/files-1/uploads/id", {}, b"")


def test_the_beginning_of_an_upload_is_read_if_it_is_still_the_same(serve: Serve) -> None:
    server = answers(serve, reply(206, b"<Error><Code>fi"))
    assert objects(server.url).read_upload("id", STORED, limit=15) == b"<Error><Code>fi"
    wanted = {"range": "bytes=0-14", "if-match": STORED.etag}
    assert asked(server) == ("GET", "/files-1/uploads/id", wanted, b"")


def test_what_breaks_off_while_it_is_read_is_read_again(serve: Serve) -> None:
    server = answers(
        serve, Reply(b"HTTP/1.1 206 P\r\nContent-Length: 9\r\n\r\n1234", "close"), reply(206, b"123456789")
    )
    assert objects(server.url).read_upload("id", STORED, limit=9) == b"123456789"


def test_the_very_bytes_that_were_looked_at_are_copied(serve: Serve) -> None:
    server = answers(serve, COPIED)
    assert objects(server.url).keep(replace(PAPER, file_id="id"), STORED)
    (request,) = server.received
    assert request.headers["x-amz-metadata-directive"] == "REPLACE"
    headers = {
        "x-amz-copy-source": "files-1/uploads/id",
        "x-amz-copy-source-if-match": STORED.etag,
        "content-type": "application/pdf",
    }
    assert asked(server) == ("PUT", "/files-1/files/id", headers, b"")


@pytest.mark.parametrize("answer", [GONE, CHANGED], ids=["gone", "changed"])
def test_an_upload_that_is_gone_or_another_one_now_is_told_as_such(serve: Serve, answer: Reply) -> None:
    def say(request: Received) -> Reply:
        return Reply(answer.data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n") if request.method == "HEAD" else answer

    server = serve(say)
    made = objects(server.url)
    assert made.look_at_upload("id") is None
    assert made.read_upload("id", STORED, limit=3) is None
    assert made.keep(PAPER, STORED) is False
    assert len(server.received) == 3


def test_a_thumbnail_is_stored_as_a_jpeg(serve: Serve) -> None:
    server = answers(serve, reply(body=b""))
    objects(server.url).put_thumbnail("id", b"jpeg")
    assert asked(server) == ("PUT", "/files-1/thumbnails/id", {"content-type": "image/jpeg"}, b"jpeg")


def test_what_is_deleted_is_the_file_and_its_thumbnail_or_what_waits(serve: Serve) -> None:
    server = serve(lambda _: Reply(b"HTTP/1.1 204 No Content\r\n\r\n"))
    made = objects(server.url)
    made.delete("id")
    made.drop_upload("id")
    assert [(request.method, request.path) for request in server.received] == [
        ("DELETE", "/files-1/files/id"),
        ("DELETE", "/files-1/thumbnails/id"),
        ("DELETE", "/files-1/uploads/id"),
    ]


@pytest.mark.parametrize(
    "trouble",
    [
        Reply(b"", "reset"),
        error(500, "InternalError"),
        error(503, "SlowDown"),
        reply(502, b"<html>"),
        error(400, "RequestTimeout"),
        error(409, "OperationAborted"),
        error(200, "InternalError"),
        reply(200, b"<CopyObjectResult><ETag>cut of"),
    ],
    ids=["reset", "failed", "throttled", "gateway", "timed out", "aborted", "failed half-way", "cut off"],
)
def test_what_passes_is_tried_again(serve: Serve, trouble: Reply) -> None:
    server = answers(serve, trouble, COPIED)
    assert objects(server.url).keep(PAPER, STORED)
    assert len(server.received) == 2
    server = answers(serve, trouble)
    with pytest.raises(Unavailable):
        objects(server.url).keep(PAPER, STORED)
    assert len(server.received) == MAX_ATTEMPTS


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (error(403, "AccessDenied"), "AccessDenied"),
        (reply(403, b""), "403"),
        (error(404, "NoSuchBucket"), "NoSuchBucket"),
        (error(400, "InvalidRequest"), "InvalidRequest"),
    ],
    ids=["denied", "without a word", "no bucket", "invalid"],
)
def test_what_is_refused_for_good_is_an_error(serve: Serve, answer: Reply, code: str) -> None:
    server = answers(serve, answer)
    with pytest.raises(ServiceError) as raised:
        objects(server.url).keep(PAPER, STORED)
    assert (raised.value.call, raised.value.code, len(server.received)) == ("s3:CopyObject", code, 1)


def test_every_call_is_one_that_the_functions_role_allows_and_no_right_is_spare() -> None:
    """By what AWS's table of S3's actions asks for each; neither moto nor the emulator checks it."""
    used: set[tuple[str, str]] = set()

    def note(action: str, key: str) -> None:
        used.add((f"s3:{action}", f"{key.strip('/').partition('/')[0]}/*"))

    def allow(method: str, path: str, headers: Mapping[str, str], _: bytes) -> Response:
        source = headers.get("x-amz-copy-source")
        if source is not None:
            note("GetObject", source.partition("/")[2])
        note({"PUT": "PutObject", "DELETE": "DeleteObject"}.get(method, "GetObject"), path)
        return Response(200, {"content-length": "0", "etag": "x"}, b"")

    sdk = s3(AwsEnvironment("eu-west-1", ACCESS_KEY, SECRET_KEY, "", ""), Unslept())
    client_of(sdk, allow)
    made = S3Objects(sdk, bucket="files-1")
    found = made.look_at_upload("id")
    assert found is not None
    made.read_upload("id", found, limit=1)
    made.keep(PAPER, found)
    made.put_thumbnail("id", b"jpeg")
    made.drop_upload("id")
    made.delete("id")
    assert used == OBJECTS["Files"]
    used.clear()
    note("PutObject", made.upload(CAT).fields["key"])
    for thumbnail in (False, True):
        note("GetObject", urlsplit(made.download_url(CAT, expires_in_s=1, thumbnail=thumbnail)).path)
    archive = S3Archive(sdk, bucket="files-1")
    note("GetObject", urlsplit(archive.url("job", "part-1", expires_in_s=1)).path)
    # Listing is asked of the bucket: tests/shared/adapters/aws/test_archive.py.
    assert used == OBJECTS["Rest"] - {("s3:ListBucket", "Bucket")}
