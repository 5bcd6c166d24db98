"""The laptop's page of events out says of each kind, in words, what has happened."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.web.player import play

ROOT = Path(__file__).parents[2]
HTML = (ROOT / "local/emulator/receiver.html").read_text(encoding="utf-8")
AT = 1_795_431_200_123
DM = "dm:alice:bob"
TOLD: list[tuple[str, dict[str, Any], str]] = [
    ("new_message", {"message": {"sender_id": "alice", "content": "hi <b>"}}, "alice: “hi <b>”"),
    ("message_edited", {"user_id": "alice", "message_seq": 1, "content": "so"}, "alice edited message 1: “so”"),
    ("message_deleted", {"user_id": "alice", "message_seq": 1}, "alice deleted message 1"),
    ("reaction", {"user_id": "bob", "message_seq": 1, "emoji": "👍", "removed": False}, "bob put 👍 on message 1"),
    ("withheld", {}, "a message that only its writer sees"),
    ("member_added", {"user_id": "alice", "users": ["bob", "carol"]}, "alice added bob, carol"),
    ("member_removed", {"user_id": "alice", "users": ["bob"]}, "bob left, or was removed by alice"),
    ("conversation_updated", {"user_id": "alice", "changes": {"pinned": 3}}, "alice changed pinned to 3"),
    ("user_changed", {"what": "block", "value": {"user_id": "eve"}},
     'dm:alice:bob has set their block to {"user_id":"eve"}'),
    ("user_updated", {"user_id": "bob", "name": "Bob", "role": "agent"}, "bob is “Bob”, agent"),
    ("user_deactivated", {"user_id": "bob"}, "bob is deactivated"),
    ("user_deleted", {"user_id": "bob"}, "the record of bob is deleted"),
    ("user_banned", {"user_id": "bob", "by": "ops", "until": None, "reason": "spam"}, "bob is banned by ops: spam"),
    ("user_unbanned", {"user_id": "bob"}, "bob is not banned any more"),
    ("user_shadow_banned", {"user_id": "bob", "by": "ops", "reason": ""}, "bob is shadow-banned by ops"),
    ("user_shadow_unbanned", {"user_id": "bob"}, "bob is not shadow-banned any more"),
    ("tokens_revoked", {"user_id": "bob", "issued_before": AT},
     "tokens of bob from before 23/11/2026, 10:53:20 are refused"),
    ("file_ready", {"user_id": "bob", "file_id": "f", "content_type": "image/png", "size": 1200},
     "a file of bob is ready: image/png, 1,200 bytes"),
    ("file_rejected", {"user_id": "bob", "file_id": "f", "reason": "no image"}, "a file of bob is rejected: no image"),
    ("file_deleted", {"user_id": "bob", "file_id": "f", "content_type": "image/png", "size": None},
     "a file of bob is deleted: image/png"),
    ("report_made", {"user_id": "bob", "conversation_id": DM, "seq": 3, "reason": "spam"},
     "message 3 of dm:alice:bob was reported: spam"),
    ("report_decided", {"user_id": "bob", "by": "ops", "decision": "dismiss", "until": None},
     "the report of bob is decided by ops: dismiss"),
    ("presence", {"user_id": "bob", "status": "online", "last_seen": None}, "bob is online"),
    ("read", {"user_id": "bob", "conversation_id": DM, "seq": 3}, "bob has read dm:alice:bob up to 3"),
    ("delivered", {"user_id": "bob", "conversation_id": DM, "seq": 3}, "bob has got dm:alice:bob up to 3"),
]  # fmt: skip


def kept(number: int, kind: str, data: dict[str, Any], by: str = "webhook") -> dict[str, Any]:
    """As the receiver lists it."""
    event = {"id": f"{DM}/{number}", "type": kind, "conversation_id": DM, "seq": number, "data": data}
    return {"by": by, "at": AT + number, "event": event, **({"status": 200, "headers": {}} if by == "webhook" else {})}


def test_each_kind_that_the_docs_name_is_told_in_words(tmp_path: Path) -> None:
    events = [kept(number, kind, data) for number, (kind, data, _) in enumerate(TOLD, 1)]
    more = [
        {**kept(97, "new_message", {"message": {}}, "bus")},
        {**kept(98, "com.example.new", {"a": 1}), "status": 503},
    ]
    lines = [line for _, _, line in TOLD]
    play("receiver", "", tmp_path, html=HTML, events=events, more=more, lines=lines, pictures=str(tmp_path))


def test_no_kind_is_left_out() -> None:
    documented = re.findall(r"^\| (`[^|]*`) \|", (ROOT / "docs/events.md").read_text(encoding="utf-8"), re.MULTILINE)
    named = {kind for cell in documented for kind in re.findall(r"`([a-z_]+)`", cell) if kind != "type"}
    assert {kind for kind, _, _ in TOLD} == named
