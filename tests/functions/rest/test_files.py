"""Files over HTTP: announced, uploaded, sent, downloaded, and not found by users who may not see them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.files import DELETED, PENDING, READY, REJECTED, FileStatus, Rejection
from tests.functions.rest.harness import DM, FILE_LIMIT, GROUP, IMAGE_LIMIT, Answered, RestHarness, settled
from tests.stores import MEMBERS

CAT = {"name": "cat.png", "content_type": "image/png", "size": 9}
NOT_FOUND = {
    "error": "There is no such file",
    "code": "not_found",
    "retryable": False,
    "request_id": "JKJaXmPLvHcESHA=",
}


def announce(harness: RestHarness, user: str = "alice", **body: Any) -> Answered:
    return harness.call("POST", "/v1/files", user=user, body={**CAT, **body})


def look(harness: RestHarness, user: str = "alice", file_id: str = "cat") -> Answered:
    return harness.call("GET", f"/v1/files/{file_id}", user=user)


def send(harness: RestHarness, place: str = DM, **body: Any) -> Answered:
    message = {"message_type": "image", "file_id": "cat", **body}
    return harness.call("POST", f"/v1/conversations/{place}/messages", body=message)


def test_what_is_announced_comes_back_with_a_form(harness: RestHarness) -> None:
    answered = announce(harness, name="C:\\pictures\\ c\u00e4t.png")
    file_id = answered.body["file_id"]
    file = harness.stores.file(file_id)
    assert answered.status == 201
    assert answered.body == {
        "file_id": file_id,
        "kind": "image",
        "name": "c\u00e4t.png",
        "content_type": "image/png",
        "size": 9,
        "status": "pending",
        "upload": {
            "url": "https://files.example.com/",
            "fields": {"key": f"uploads/{file_id}", "Content-Type": "image/png", "policy": "p"},
        },
        "expires_at": file.created_at + 900_000,
    }
    assert (file.owner_id, file.status) == ("alice", PENDING)


def test_every_announcement_has_an_id_of_its_own(harness: RestHarness) -> None:
    ids = {announce(harness).body["file_id"] for _ in range(5)}
    assert len(ids) == 5
    assert min(map(len, ids)) > 40


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"size": IMAGE_LIMIT}, 201, None),
        ({"size": IMAGE_LIMIT + 1}, 413, "too_large"),
        ({"size": FILE_LIMIT, "kind": "file"}, 201, None),
        ({"size": FILE_LIMIT + 1, "kind": "file"}, 413, "too_large"),
        ({"size": FILE_LIMIT, "content_type": "application/pdf"}, 201, None),
        ({"size": 0}, 400, "bad_request"),
        ({"size": -1}, 400, "bad_request"),
        ({"size": 1.5}, 400, "bad_request"),
        ({"size": "9"}, 400, "bad_request"),
        ({"size": True}, 400, "bad_request"),
        ({"size": None}, 400, "bad_request"),
        ({"size": 2**53}, 400, "bad_request"),
        ({"kind": "image", "content_type": "application/pdf"}, 400, "bad_request"),
        ({"kind": "video"}, 400, "bad_request"),
        ({"kind": None}, 201, None),
        ({"content_type": "image/svg+xml"}, 400, "bad_request"),
        ({"content_type": "application/octet-stream"}, 400, "bad_request"),
        ({"content_type": "text/html"}, 400, "bad_request"),
        ({"content_type": 5}, 400, "bad_request"),
        ({"name": ".."}, 400, "bad_request"),
        ({"name": ""}, 400, "bad_request"),
        ({"name": "x" * 5_000}, 201, None),
        ({"name": 5}, 400, "bad_request"),
    ],
    ids=str,
)
def test_what_can_be_announced(harness: RestHarness, body: dict[str, Any], status: int, code: str | None) -> None:
    answered = announce(harness, **body)
    assert (answered.status, answered.body.get("code"), len(harness.stores.rows(MEMBERS, sk="file"))) == (
        status,
        code,
        status == 201,
    )


@pytest.mark.parametrize("left_out", CAT)
def test_nothing_but_the_kind_can_be_left_out(left_out: str) -> None:
    body = {name: value for name, value in CAT.items() if name != left_out}
    assert settled().call("POST", "/v1/files", body=body).status == 400


@pytest.mark.parametrize(
    ("content_type", "kind"), [("image/gif", "image"), ("application/pdf", "file"), ("text/plain", "file")]
)
def test_the_type_decides_the_kind(content_type: str, kind: str) -> None:
    assert announce(settled(), content_type=content_type).body["kind"] == kind
    assert announce(settled(), content_type=content_type, kind="file").body["kind"] == "file"


def test_a_file_that_is_ready_has_links_and_a_size_to_show(harness: RestHarness) -> None:
    file = harness.stores.ready_file("cat")
    harness.stores.files.create(replace(file, width=4, height=3, has_thumbnail=True))
    assert look(harness).body == {
        "file_id": "cat",
        "kind": "image",
        "name": "cat.png",
        "content_type": "image/png",
        "size": 3,
        "status": "ready",
        "reason": None,
        "width": 4,
        "height": 3,
        "url": "https://files.example.com/files/cat?expires=300",
        "thumbnail_url": "https://files.example.com/thumbnails/cat?expires=300",
        "expires_in": 300,
    }


@pytest.mark.parametrize(("status", "reason"), [(PENDING, None), (REJECTED, "wrong_type")])
def test_one_that_is_not_has_none(harness: RestHarness, status: FileStatus, reason: Rejection | None) -> None:
    harness.stores.files.create(replace(harness.stores.ready_file("cat"), status=status, reason=reason))
    body = look(harness).body
    assert (body["status"], body["reason"]) == (status, reason)
    assert [body[name] for name in ("url", "thumbnail_url", "expires_in", "width", "height")] == [None] * 5


@pytest.mark.parametrize("status", [PENDING, REJECTED, READY, DELETED, None])
def test_what_is_foreign_unknown_or_deleted_answers_alike(harness: RestHarness, status: FileStatus | None) -> None:
    if status is not None:
        harness.stores.files.create(replace(harness.stores.ready_file("cat"), status=status))
    answered = look(harness, "bob")
    assert (answered.status, answered.body) == (404, NOT_FOUND)
    if status in {None, DELETED}:
        assert look(harness).body == NOT_FOUND


def test_whoever_can_read_the_message_can_get_the_file_for_as_long(harness: RestHarness) -> None:
    harness.stores.ready_file("cat")
    sent = send(harness, GROUP)
    assert sent.status == 201
    assert [look(harness, user).status for user in ("alice", "bob", "carol", "erin", "frank")] == [
        200,
        200,
        200,
        404,
        404,
    ]
    harness.call("DELETE", f"/v1/conversations/{GROUP}/members/carol")
    assert look(harness, "carol").status == 404
    harness.call("DELETE", f"/v1/conversations/{GROUP}/messages/{sent.body['seq']}")
    assert [look(harness, user).status for user in ("alice", "bob")] == [200, 404]


def test_a_message_shows_its_file_until_it_is_deleted_and_what_tells_of_that_does_not(harness: RestHarness) -> None:
    harness.stores.ready_file("cat")
    harness.stores.connect("bob", "b1", at=harness.wired.context.now())
    seq = send(harness, content="look!").body["seq"]
    path = f"/v1/conversations/{DM}/messages/{seq}"
    shown = harness.call("GET", path).body
    assert (shown["type"], shown["content"], shown["file_id"]) == ("image", "look!", "cat")
    harness.call("DELETE", path)
    gone = harness.call("GET", f"/v1/conversations/{DM}/messages", query={"limit": "1"}).body["messages"][0]
    assert (gone["type"], gone["content"], "file_id" in gone) == ("image", None, False)
    new, deleted = harness.events("b1")
    assert new["message"]["file_id"] == "cat"
    assert deleted["type"] == "message_deleted"
    assert "cat" not in str(deleted)


@pytest.mark.parametrize("file_id", ["dog", "unknown", "paper", "waiting"])
def test_somebody_elses_file_or_one_of_another_kind_is_not_sent(harness: RestHarness, file_id: str) -> None:
    harness.stores.ready_file("dog", "bob")
    harness.stores.ready_file("paper", kind="file")
    harness.stores.files.create(replace(harness.stores.ready_file("waiting"), status=PENDING))
    answered = send(harness, file_id=file_id)
    assert (answered.status, answered.body) == (404, NOT_FOUND)
    assert [harness.stores.file_places(one) for one in ("dog", "paper", "waiting")] == [[], [], []]


def test_a_forwarded_file_is_there_for_whom_it_was_forwarded_to(harness: RestHarness) -> None:
    harness.stores.ready_file("cat")
    seq = send(harness).body["seq"]
    forward = {"forward_of": {"conversation_id": DM, "seq": seq}}
    assert harness.call("POST", f"/v1/conversations/{GROUP}/messages", user="bob", body=forward).status == 201
    assert look(harness, "carol").status == 200


@pytest.mark.parametrize("file_id", ["%23", "a%2Fb", "%00", "%F0%9F%90%88", "x" * 128])
def test_an_id_of_any_shape_is_looked_for(file_id: str) -> None:
    assert look(settled(), file_id=file_id).body == NOT_FOUND


def test_announcing_counts_as_sending_does(harness: RestHarness) -> None:
    harness.flood("alice")
    assert announce(harness).code == "rate_limited"
    assert (look(harness).status, harness.stores.rows(MEMBERS, sk="file")) == (404, [])
