"""A user's own log has no gaps, and its last word on each thing is what is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from shared.adapters.dynamodb.memberships import member_from
from shared.domain.changes import OwnChanged
from shared.domain.entries import Entry
from tests.simulation.judge.case import Case


def own_logs_have_no_gaps(case: Case) -> Iterator[str]:
    for user, log in case.scenario.own_logs().items():
        seqs = [entry.seq for entry in log]
        if seqs != list(range(1, len(log) + 1)):
            yield f"{user}'s own log has {seqs}"


def last_words_are_stored(case: Case) -> Iterator[str]:
    rows = {(row["pk"], row["sk"]): row for row in case.scenario.store.items("members")}
    for user, log in case.scenario.own_logs().items():
        for (what, about), (value, at) in _last(log).items():
            row = rows.get((f"user#{user}", _SORTED[what] + about))
            came_again = row is not None and what in {"settings", "hidden"} and at < row["joined_at"]
            if not came_again and not _is_stored(what, value, row):
                yield f"{user}'s own log ends with {what} {value}, stored is {row}"


def own_events_are_the_users(case: Case) -> Iterator[str]:
    logs = case.scenario.own_logs()
    for post in case.scenario.deployment.gateway.posts:
        if post.event["type"] != "user_changed":
            continue
        log = logs.get(post.line.user_id, [])
        said = [_said(entry)[1] for entry in log if entry.seq == post.event["seq"]]
        if said != [post.event["value"]]:
            yield f"{post.line.user_id} was told {post.event}, the log has {said}"


_SORTED: Mapping[str, str] = {
    "settings": "conversation#",
    "hidden": "conversation#",
    "block": "block#",
    "contact": "contact#",
    "profile": "profile",
}


def _said(entry: Entry) -> tuple[str, Any]:
    assert isinstance(entry.change, OwnChanged)
    return entry.change.what, json.loads(entry.change.value)


def _last(log: Sequence[Entry]) -> Mapping[tuple[str, str], tuple[dict[str, Any], int]]:
    """The last value of each thing, and when it was said."""
    found: dict[tuple[str, str], tuple[dict[str, Any], int]] = {}
    for entry in log:
        what, value = _said(entry)
        if what in _SORTED and "hide_presence" not in value:
            about = value.get("conversation_id") or value.get("user_id") or ""
            before, _ = found.get((what, about), ({}, 0))
            found[what, about] = {**before, **value}, entry.created_at
    return found


def _is_stored(what: str, value: Mapping[str, Any], row: Mapping[str, Any] | None) -> bool:
    match what:
        case "block":
            return bool(value["blocked"]) == (row is not None)
        case "contact":
            contact = value["contact"]
            stored = row and {name: row.get(name) for name in ("status", "since", "alias")}
            return stored == (contact and {name: contact[name] for name in ("status", "since", "alias")})
        case "settings":  # who left has none any more
            return row is None or asdict(member_from(dict(row)).preferences) == value["settings"]
        case "hidden":
            return row is None or row.get("hidden_seq") == (value["head"] if value["hidden"] else None)
        case _:
            stored_name = None if row is None else row.get("display_name")
            return "display_name" not in value or value["display_name"] == stored_name


RULES = (own_logs_have_no_gaps, last_words_are_stored, own_events_are_the_users)
