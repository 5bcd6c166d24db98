"""Voice notes, films, and messages that the team's servers write."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.files import READY
from tests.functions.rest.harness import DM, GROUP, Answered, RestHarness

NOTE: dict[str, Any] = {
    "name": "note.webm",
    "content_type": "audio/webm;codecs=opus",
    "size": 9,
    "kind": "audio",
    "duration_ms": 3_200,
    "waveform": [0, 40, 100],
}
MEDIA = {"duration_ms": 3_200, "waveform": [0, 40, 100]}


def announce(harness: RestHarness, **body: Any) -> Answered:
    return harness.call("POST", "/v1/files", body={**NOTE, **body})


def ready(harness: RestHarness, **body: Any) -> str:
    answered = announce(harness, **body)
    assert answered.status == 201, answered.body
    file_id: str = answered.body["file_id"]
    with harness.stores.calls.quietly():
        assert harness.stores.files.settle(replace(harness.stores.file(file_id), status=READY))
    return file_id


def send(harness: RestHarness, place: str = DM, *, scope: str = "", **body: Any) -> Answered:
    return harness.call("POST", f"/v1/conversations/{place}/messages", scope=scope, body=body)


def shown(harness: RestHarness, seq: int, place: str = DM) -> dict[str, Any]:
    body: dict[str, Any] = harness.call("GET", f"/v1/conversations/{place}/messages/{seq}").body
    return body


def test_a_voice_note_shows_how_long_it_is_before_it_is_fetched(harness: RestHarness) -> None:
    seq = send(harness, message_type="audio", file_id=ready(harness)).body["seq"]
    assert (shown(harness, seq)["type"], shown(harness, seq)["media"]) == ("audio", MEDIA)


def test_a_film_has_a_duration_and_what_says_nothing_shows_nothing(harness: RestHarness) -> None:
    film = {"content_type": "video/mp4", "kind": "video", "waveform": []}
    seq = send(harness, message_type="video", file_id=ready(harness, **film)).body["seq"]
    assert shown(harness, seq)["media"] == {"duration_ms": 3_200}
    silent: dict[str, Any] = {"duration_ms": None, "waveform": []}
    seq = send(harness, message_type="audio", file_id=ready(harness, **silent)).body["seq"]
    assert "media" not in shown(harness, seq)


def test_a_forward_shows_it_and_a_deletion_takes_it_away(harness: RestHarness) -> None:
    seq = send(harness, message_type="audio", file_id=ready(harness)).body["seq"]
    forwarded = send(harness, GROUP, forward_of={"conversation_id": DM, "seq": seq}).body["seq"]
    assert shown(harness, forwarded, GROUP)["media"] == MEDIA
    harness.call("DELETE", f"/v1/conversations/{DM}/messages/{seq}")
    assert "media" not in shown(harness, seq)


@pytest.mark.parametrize("kind", ["video", "image", "file"])
def test_a_sound_is_sent_as_what_it_is(harness: RestHarness, kind: str) -> None:
    file_id = ready(harness)
    assert send(harness, message_type=kind, file_id=file_id).code == "not_found"
    attached = [{"type": kind, "file_id": file_id}]
    assert send(harness, content="x", attachments=attached).code == "not_found"
    assert send(harness, content="x", attachments=[{"type": "audio", "file_id": file_id}]).status == 201


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "video"},
        {"kind": "image"},
        {"kind": "file"},
        {"kind": None},
        {"kind": "sound"},
        {"duration_ms": -1},
        {"duration_ms": 86_400_001},
        {"duration_ms": "3200"},
        {"waveform": [101]},
        {"waveform": [-1]},
        {"waveform": [0.5]},
        {"waveform": [1] * 129},
        {"waveform": "loud"},
        {"content_type": "video/webm"},
        {"content_type": "image/png", "kind": "image", "duration_ms": None},
        {"content_type": "video/webm", "kind": "video"},
    ],
)
def test_what_is_no_voice_note_is_not_announced(harness: RestHarness, body: dict[str, Any]) -> None:
    assert announce(harness, **body).code == "bad_request"


@pytest.mark.parametrize("kind", ["audio", "video", None])
def test_only_who_asks_for_it_gets_a_sound_or_a_film(harness: RestHarness, kind: str | None) -> None:
    types = {"audio": "audio/mp4", "video": "video/quicktime", None: "audio/ogg"}
    plain: dict[str, Any] = {"content_type": types[kind], "kind": kind, "duration_ms": None, "waveform": []}
    assert announce(harness, **plain).body["kind"] == (kind or "file")


def test_what_the_team_said_is_changed_by_nobody_else(harness: RestHarness) -> None:
    said = {"content": "Carol has closed this ticket", "message_type": "system"}
    seq = send(harness, scope="admin", **said).body["seq"]
    place = f"/v1/conversations/{DM}/messages/{seq}"
    assert harness.call("PATCH", place, body={"content": "I am the team"}).code == "forbidden"
    assert harness.call("PATCH", place, scope="admin", body={"content": "Carol has opened it"}).status == 200
    forwarded = send(harness, GROUP, forward_of={"conversation_id": DM, "seq": seq}).body["seq"]
    assert (shown(harness, forwarded, GROUP)["type"], shown(harness, forwarded, GROUP)["forwarded"]) == ("text", True)


def test_servers_write_system_messages_and_nobody_else(harness: RestHarness) -> None:
    said = {"content": "Carol has closed this ticket", "message_type": "system"}
    for scope in ("", "notifications:send"):
        assert send(harness, scope=scope, **said).code == "forbidden"
    seq = send(harness, scope="admin", **said).body["seq"]
    assert (shown(harness, seq)["type"], shown(harness, seq)["content"]) == ("system", said["content"])
    assert send(harness, scope="admin", message_type="system").code == "bad_request"
    assert send(harness, scope="admin", **said, file_id=ready(harness)).code == "bad_request"
