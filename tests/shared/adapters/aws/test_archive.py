"""Exports in S3: what is asked of it, and what its answers mean."""

from __future__ import annotations

from typing import Any

import pytest

from shared.adapters.aws.archive import S3Archive
from shared.adapters.aws.s3 import s3
from shared.config import AwsEnvironment
from shared.ports.jobs import Stored
from tests.calls import Unslept
from tests.shared.adapters.aws.servers import reply
from tests.shared.adapters.aws.test_s3 import COPIED, GONE
from tests.shared.adapters.aws.test_sdk import answers
from tests.shared.adapters.aws.test_sigv4 import ACCESS_KEY, SECRET_KEY
from tests.shared.adapters.conftest import Serve


def archive(endpoint_url: str) -> S3Archive:
    environment = AwsEnvironment("eu-west-1", ACCESS_KEY, SECRET_KEY, "", endpoint_url)
    return S3Archive(s3(environment, Unslept()), bucket="files-1")


def test_an_object_is_put_below_its_job(serve: Serve) -> None:
    server = answers(serve, reply(body=b""))
    archive(server.url).put("j1", "part-000000.ndjson", b"{}\n")
    (asked,) = server.received
    assert asked.path == "/files-1/exports/j1/part-000000.ndjson"
    assert asked.body == b"{}\n"


@pytest.mark.parametrize(("answer", "is_there"), [(COPIED, True), (GONE, False)])
def test_a_file_is_copied_where_it_is_there(answer: Any, is_there: bool, serve: Serve) -> None:
    server = answers(serve, answer)
    assert archive(server.url).copy_file("j1", "cat") is is_there
    (asked,) = server.received
    assert asked.path == "/files-1/exports/j1/files/cat"


def test_what_is_listed_are_names_within_the_export(serve: Serve) -> None:
    listed = "".join(
        f"<Contents><Key>exports/j1/{name}</Key><Size>{size}</Size></Contents>"
        for name, size in (("files/cat", 4), ("part-000000.ndjson", 7))
    )
    server = answers(serve, reply(body=f"<ListBucketResult>{listed}</ListBucketResult>".encode()))
    found = archive(server.url).listed("j1", after="a", limit=2)
    assert found == [Stored("files/cat", 4), Stored("part-000000.ndjson", 7)]
    (asked,) = server.received
    assert "prefix=exports%2Fj1%2F" in asked.path
    assert "start-after=exports%2Fj1%2Fa" in asked.path


def test_a_link_names_the_object_and_ends() -> None:
    link = archive("http://localhost:4577").url("j1", "part-000000.ndjson", expires_in_s=900)
    assert "/files-1/exports/j1/part-000000.ndjson?" in link
    assert "X-Amz-Expires=900" in link
