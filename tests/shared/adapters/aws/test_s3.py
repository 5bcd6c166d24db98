"""Forms, links and calls for S3: signed as botocore does it, and what comes back told apart."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, parse_qsl, urlsplit

import boto3
import pytest
from botocore.config import Config

from shared.adapters.aws import transport as http
from shared.adapters.aws.json_service import GIVE_UP_AFTER_S, MAX_ATTEMPTS, ServiceError
from shared.adapters.aws.s3 import S3Objects
from shared.adapters.aws.transport import Response, TransportError
from shared.config import AwsEnvironment
from shared.domain.files import File, Stored
from shared.errors import Unavailable
from tests.shared.adapters.aws.test_json_service import LOST, ScriptedPool
from tests.shared.adapters.aws.test_sigv4 import ACCESS_KEY, SECRET_KEY, as_of

AT = "20261123T120000Z"
NOON = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
NOW_MS = int(NOON.timestamp() * 1_000)
TOKEN = "FwoGZXIvYXdzEB4a//token=="
PAPER = File("id-1_x", "alice", "file", 'a "b" \u00fc.pdf', "application/pdf", 5, NOW_MS, NOW_MS + 900_000)
CAT = File("cat", "alice", "image", "cat.png", "image/png", 9, NOW_MS, NOW_MS + 900_000)
STORED = Stored(5, '"827ccb0eea8a706c4c34a16891f84e7b"')
GONE = Response(404, {}, b"<Error><Code>NoSuchKey</Code></Error>")
CHANGED = Response(412, {}, b"<Error><Code>PreconditionFailed</Code></Error>")
DONE = Response(200, {}, b"")


def objects(endpoint_url: str = "", *, session_token: str = "", region: str = "eu-west-1") -> S3Objects:
    environment = AwsEnvironment(region, ACCESS_KEY, SECRET_KEY, session_token, endpoint_url)
    return S3Objects(environment, bucket="files-1")


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.adapters.aws.s3.timestamp", lambda: AT)


def client(session_token: str, endpoint_url: str = "") -> Any:
    return boto3.client(
        "s3",
        region_name="eu-west-1",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        aws_session_token=session_token or None,
        endpoint_url=endpoint_url or None,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path" if endpoint_url else "virtual"}),
    )


@pytest.mark.parametrize("session_token", ["", TOKEN])
@pytest.mark.parametrize("endpoint_url", ["", "http://localhost:4577"])
def test_a_form_says_what_botocores_says(endpoint_url: str, session_token: str) -> None:
    ours = objects(endpoint_url, session_token=session_token).upload(PAPER)
    own: dict[str, Any] = {"Content-Type": "application/pdf"}
    with as_of(AT), patch("botocore.signers.get_current_datetime", return_value=NOON):
        theirs = client(session_token, endpoint_url).generate_presigned_post(
            "files-1", "uploads/id-1_x", own, [own, ["content-length-range", 5, 5]], ExpiresIn=900
        )
    assert ours.url.rstrip("/") == theirs["url"].rstrip("/")
    assert ours.fields.keys() == theirs["fields"].keys()
    policies = [json.loads(base64.b64decode(fields["policy"])) for fields in (ours.fields, theirs["fields"])]
    assert policies[0]["expiration"] == policies[1]["expiration"] == "2026-11-23T12:15:00Z"
    assert sorted(map(str, policies[0]["conditions"])) == sorted(map(str, policies[1]["conditions"]))
    differing = {"policy", "x-amz-signature"}
    assert {k: v for k, v in ours.fields.items() if k not in differing} == {
        k: v for k, v in theirs["fields"].items() if k not in differing
    }
    assert ours.expires_at == PAPER.expires_at


def test_a_form_has_a_condition_for_every_field() -> None:
    """S3 refuses a form with a field that the policy does not name."""
    fields = objects(session_token=TOKEN).upload(PAPER).fields
    conditions = json.loads(base64.b64decode(fields["policy"]))["conditions"]
    named = {name: value for one in conditions if isinstance(one, dict) for name, value in one.items()}
    assert named == {**{k: v for k, v in fields.items() if k not in {"policy", "x-amz-signature"}}, "bucket": "files-1"}
    assert ["content-length-range", 5, 5] in conditions


def test_a_forms_signature_is_that_of_its_policy() -> None:
    made = objects(session_token=TOKEN)
    fields = made.upload(PAPER).fields
    assert fields["x-amz-signature"] == made._signer.sign_text(fields["policy"], timestamp=AT)
    assert re.fullmatch("[0-9a-f]{64}", fields["x-amz-signature"])


@pytest.mark.parametrize("session_token", ["", TOKEN])
@pytest.mark.parametrize("endpoint_url", ["", "http://localhost:4577"])
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
def test_a_link_is_botocores(
    *, file: File, thumbnail: bool, key: str, disposition: str, content_type: str, endpoint_url: str, session_token: str
) -> None:
    made = objects(endpoint_url, session_token=session_token)
    ours = made.download_url(file, expires_in_s=300, thumbnail=thumbnail)
    with as_of(AT):
        theirs = client(session_token, endpoint_url).generate_presigned_url(
            "get_object",
            {
                "Bucket": "files-1",
                "Key": key,
                "ResponseContentDisposition": disposition,
                "ResponseContentType": content_type,
            },
            ExpiresIn=300,
        )
    assert urlsplit(ours)[:3] == urlsplit(theirs)[:3]
    assert sorted(parse_qsl(urlsplit(ours).query)) == sorted(parse_qsl(urlsplit(theirs).query))
    assert parse_qs(urlsplit(ours).query)["X-Amz-Expires"] == ["300"]


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


@pytest.mark.parametrize("endpoint_url", ["http://localhost:4577", "http://localhost:4577/"])
def test_on_a_laptop_it_is_part_of_the_path(endpoint_url: str) -> None:
    made = objects(endpoint_url)
    assert made.upload(CAT).url == "http://localhost:4577/files-1/"
    assert made.download_url(CAT, expires_in_s=1).startswith("http://localhost:4577/files-1/files/cat?")


def scripted(*answers: Response | TransportError) -> tuple[S3Objects, ScriptedPool, list[int]]:
    pauses: list[int] = []
    environment = AwsEnvironment("eu-west-1", ACCESS_KEY, SECRET_KEY, "", "")
    made = S3Objects(environment, bucket="files-1", pause=pauses.append, monotonic=lambda: 0.0)
    pool = ScriptedPool(answers, host="files-1.s3.test")
    made._pool = pool  # type: ignore[assignment]  # the same three things are asked of it
    return made, pool, pauses


def asked(pool: ScriptedPool) -> tuple[str, str, Mapping[str, str], bytes]:
    """The one request, and of its headers what is not the same in all of them."""
    ((method, path, headers, body),) = pool.requests
    signing = {"host", "x-amz-date", "x-amz-content-sha256", "authorization"}
    assert signing <= headers.keys()
    return method, path, {name: value for name, value in headers.items() if name not in signing}, body


def test_a_look_at_an_upload() -> None:
    made, pool, _ = scripted(Response(200, {"content-length": "5", "etag": STORED.etag}, b""))
    assert made.look_at_upload("id") == STORED
    assert asked(pool) == ("HEAD", "/uploads/id", {}, b"")


def test_the_beginning_of_an_upload_is_read_if_it_is_still_the_same() -> None:
    made, pool, _ = scripted(Response(206, {}, b"<Error><Code>fi"))
    assert made.read_upload("id", STORED, limit=15) == b"<Error><Code>fi"
    assert asked(pool) == ("GET", "/uploads/id", {"range": "bytes=0-14", "if-match": STORED.etag}, b"")


def test_the_very_bytes_that_were_looked_at_are_copied() -> None:
    made, pool, _ = scripted(Response(200, {}, b"<CopyObjectResult><ETag>x</ETag></CopyObjectResult>"))
    assert made.keep(replace(PAPER, file_id="id"), STORED)
    headers = {
        "x-amz-copy-source": "/files-1/uploads/id",
        "x-amz-copy-source-if-match": STORED.etag,
        "x-amz-metadata-directive": "REPLACE",
        "content-type": "application/pdf",
    }
    assert asked(pool) == ("PUT", "/files/id", headers, b"")


@pytest.mark.parametrize("answer", [GONE, CHANGED])
def test_an_upload_that_is_gone_or_another_one_now_is_told_as_such(answer: Response) -> None:
    made, pool, pauses = scripted(answer, answer, answer)
    assert made.look_at_upload("id") is None
    assert made.read_upload("id", STORED, limit=3) is None
    assert made.keep(PAPER, STORED) is False
    assert (len(pool.requests), pauses) == (3, [])


def test_a_thumbnail_is_stored_as_a_jpeg() -> None:
    made, pool, _ = scripted(DONE)
    made.put_thumbnail("id", b"jpeg")
    assert asked(pool) == ("PUT", "/thumbnails/id", {"content-type": "image/jpeg"}, b"jpeg")


def test_what_is_deleted_is_the_file_and_its_thumbnail_or_what_waits() -> None:
    made, pool, _ = scripted(Response(204, {}, b""), Response(204, {}, b""), Response(204, {}, b""))
    made.delete("id")
    made.drop_upload("id")
    assert [request[:2] for request in pool.requests] == [
        ("DELETE", "/files/id"),
        ("DELETE", "/thumbnails/id"),
        ("DELETE", "/uploads/id"),
    ]


@pytest.mark.parametrize(
    "trouble",
    [
        LOST,
        Response(500, {}, b"<Error><Code>InternalError</Code></Error>"),
        Response(503, {}, b"<Error><Code>SlowDown</Code></Error>"),
        Response(502, {}, b"<html>"),
        Response(400, {}, b"<Error><Code>RequestTimeout</Code></Error>"),
        Response(409, {}, b"<Error><Code>OperationAborted</Code></Error>"),
        Response(200, {}, b"<?xml version='1.0'?>\n<Error><Code>InternalError</Code></Error>"),
        Response(200, {}, b"<Error><Code>SlowDown</Code></Error>"),
    ],
    ids=str,
)
def test_what_passes_is_tried_again(trouble: Response | TransportError) -> None:
    made, pool, pauses = scripted(trouble, DONE)
    assert made.keep(PAPER, STORED)
    assert (len(pool.requests), len(pauses)) == (2, 1)
    made, pool, pauses = scripted(*[trouble] * MAX_ATTEMPTS)
    with pytest.raises(Unavailable):
        made.keep(PAPER, STORED)
    assert (len(pool.requests), len(pauses)) == (MAX_ATTEMPTS, MAX_ATTEMPTS - 1)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Response(403, {}, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"), "AccessDenied"),
        (Response(403, {}, b""), "HTTP403"),
        (Response(301, {}, b"<Error><Code>PermanentRedirect</Code></Error>"), "PermanentRedirect"),
        (Response(200, {}, b"<Error><Code>InvalidRequest</Code></Error>"), "InvalidRequest"),
    ],
)
def test_what_is_refused_for_good_is_an_error(answer: Response, code: str) -> None:
    made, pool, _ = scripted(answer)
    with pytest.raises(ServiceError) as raised:
        made.keep(PAPER, STORED)
    assert (raised.value.code, len(pool.requests)) == (code, 1)


def test_a_hanging_store_is_given_up() -> None:
    made, pool, _ = scripted(LOST, LOST, LOST)
    times = iter([0.0, GIVE_UP_AFTER_S, GIVE_UP_AFTER_S + 1])
    made._monotonic = lambda: next(times)
    with pytest.raises(Unavailable):
        made.drop_upload("id")
    assert len(pool.requests) == 2


def test_a_copy_may_take_longer_than_other_calls() -> None:
    assert (objects()._pool._read_timeout_s or 0) > http.READ_TIMEOUT_S
