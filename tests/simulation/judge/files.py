"""Files: each counts the messages that have it, only what was looked at can be downloaded, and what nobody has goes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from tests.simulation.judge.case import Case
from tests.simulation.judge.past import Moment


def _files(now: Moment) -> dict[str, dict[str, Any]]:
    names = {pk for _, pk, sk in now.past.places() if sk == "file"}
    found = {name.removeprefix("file#"): now.row(name, "file") for name in sorted(names)}
    return {name: item for name, item in found.items() if item is not None}


def references_are_counted(case: Case) -> Iterator[str]:
    having: dict[str, set[str]] = defaultdict(set)
    for name, log in case.logs.items():
        for entry in log:
            if entry.is_message and entry.file_id is not None:
                having[entry.file_id].add(f"{name}/{entry.seq}")
    now = case.past.at(case.world.hub.now)
    for file_id, item in _files(now).items():
        rows = set(now.rows(f"file#{file_id}", "message#"))
        if rows != having[file_id] or item.get("references", 0) != len(rows):
            yield f"{file_id} is in {having[file_id]}, stored are {rows} and {item.get('references', 0)}"
        if item["status"] != "ready" and rows:
            yield f"{file_id} is {item['status']}, and stands in {rows}"


def bytes_are_kept_of_what_is_ready(case: Case) -> Iterator[str]:
    objects = case.world.deployment.bucket.objects
    now = case.past.at(case.world.hub.now)
    for file_id, item in _files(now).items():
        if item["status"] == "ready" and f"files/{file_id}" not in objects:
            yield f"{file_id} is ready, and its bytes are gone"
        if item["status"] == "ready" and item.get("has_thumbnail") and f"thumbnails/{file_id}" not in objects:
            yield f"{file_id} has lost its thumbnail"


def what_was_uploaded_is_settled(case: Case) -> Iterator[str]:
    """As it had to be; and nothing waits, or stays behind of what nobody will get."""
    objects = case.world.deployment.bucket.objects
    now = case.past.at(case.world.hub.now)
    known = _files(now)
    for one in case.operations("upload"):
        if one.outcome != "ok":
            continue
        case.looked_at(one)
        item = known.get(one.value["file_id"], {})
        becomes = {one.detail["becomes"]} | ({"deleted"} if one.detail["becomes"] == "ready" else set())
        if item.get("status") not in becomes:
            yield f"{one} is {item.get('status')} ({item.get('reason')})"
    for file_id, item in known.items():
        if item["status"] in {"rejected", "deleted"} and {f"files/{file_id}", f"uploads/{file_id}"} & objects.keys():
            yield f"{file_id} is {item['status']}, and its bytes are there"
        was_sent = any(name.startswith("message#") for _, pk, name in now.past.places() if pk == f"file#{file_id}")
        if item["status"] == "ready" and was_sent and not item.get("references", 0):
            yield f"{file_id} was deleted with its last message, and is still there"


def files_are_shown_as_they_are(case: Case) -> Iterator[str]:
    for one in case.operations("get_file"):
        if one.outcome != "ok":
            continue
        case.looked_at(one)
        rows = [moment.row(f"file#{one.detail['file_id']}", "file") or {} for moment in case.during(one)]
        if one.value["status"] not in {row.get("status") for row in rows}:
            yield f"{one} is {one.value['status']}"
        if one.value.get("url", False) != (one.value["status"] == "ready"):
            yield f"{one} has a link, or has none"


RULES = (references_are_counted, bytes_are_kept_of_what_is_ready, files_are_shown_as_they_are)
IN_THE_END = (what_was_uploaded_is_settled,)
