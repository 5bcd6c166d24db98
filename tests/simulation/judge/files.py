"""Files: each counts the messages that have it, only what was looked at can be downloaded, and what nobody has goes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from tests.simulation.functions import BASE_MS
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
    now = case.past.at(case.scenario.hub.now)
    for file_id, item in _files(now).items():
        rows = set(now.rows(f"file#{file_id}", "message#"))
        if rows != having[file_id] or item.get("references", 0) != len(rows):
            yield f"{file_id} is in {having[file_id]}, stored are {rows} and {item.get('references', 0)}"
        if item["status"] != "ready" and rows:
            yield f"{file_id} is {item['status']}, and stands in {rows}"


def bytes_are_kept_of_what_is_ready(case: Case) -> Iterator[str]:
    objects = case.scenario.deployment.bucket.objects
    now = case.past.at(case.scenario.hub.now)
    for file_id, item in _files(now).items():
        if item["status"] == "ready" and f"files/{file_id}" not in objects:
            yield f"{file_id} is ready, and its bytes are gone"
        if item["status"] == "ready" and item.get("has_thumbnail") and f"thumbnails/{file_id}" not in objects:
            yield f"{file_id} has lost its thumbnail"


def what_was_uploaded_is_settled(case: Case) -> Iterator[str]:
    """As it had to be; and nothing waits, or stays behind of what nobody will get."""
    objects = case.scenario.deployment.bucket.objects
    now = case.past.at(case.scenario.hub.now)
    known = _files(now)
    for one in case.operations("upload"):
        if one.outcome != "ok":
            continue
        case.looked_at(one)
        item = known.get(one.value["file_id"], {})
        becomes = {one.detail["becomes"]} | ({"deleted"} if one.detail["becomes"] == "ready" else set())
        if not item and case.scenario.deployment.sweeps.done:
            continue  # it was forgotten, for which there is a rule of its own: `files_go_by_rule`
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


def bytes_are_counted(case: Case) -> Iterator[str]:
    """Of each user all files together, but those that were rejected, deleted or dropped."""
    counted: dict[str, int] = defaultdict(int)
    now = case.past.at(case.scenario.hub.now)
    for item in _files(now).values():
        counted[item["owner_id"]] += item["size"] if item["status"] in {"pending", "ready"} else 0
    users = {pk.removeprefix("user#") for _, pk, sk in now.past.places() if sk == "files"}
    for user in sorted(users | counted.keys()):
        stored = (now.row(f"user#{user}", "files") or {}).get("bytes", 0)
        if stored != counted[user]:
            yield f"{user} has files of {counted[user]} bytes, and counted are {stored}"


def files_go_by_rule(case: Case) -> Iterator[str]:
    """A ready file with its last message, or unsent after its time; one that was not uploaded after its own."""
    for at, (table, pk, sk), old, new in case.past.changes:
        if table != "members" or sk != "file" or old is None:
            continue
        age = BASE_MS + at + case.skew - old["created_at"]
        if old["status"] == "ready" and (new is None or new["status"] != "ready"):
            was_sent = any(place[1] == pk and place[2] != "file" for place in case.past.places())
            if not was_sent and age < case.scenario.plan.limits.kept_unsent_ms:
                yield f"{pk} was dropped at {at:.0f}, {age:.0f} ms old"
        if new is None and (
            old["status"] not in {"pending", "rejected"} or age < case.scenario.plan.limits.forgotten_ms
        ):
            yield f"{pk} was forgotten at {at:.0f}, {age:.0f} ms old and {old['status']}"


def what_leads_nowhere_is_swept(case: Case) -> Iterator[str]:
    """By a sweep that began after its time, and came to its end; with its bytes."""
    objects, limits = case.scenario.deployment.bucket.objects, case.scenario.plan.limits
    last = max(case.scenario.deployment.sweeps.done, default=-1.0)
    before, end = case.past.at(last), case.past.at(case.scenario.hub.now)
    for file_id, item in _files(before).items():
        age = BASE_MS + last - case.skew - item["created_at"]
        now = end.row(f"file#{file_id}", "file")
        is_unsent = item["status"] == "ready" and not any(
            place[1:2] == (f"file#{file_id}",) and place[2] != "file" for place in case.past.places()
        )
        if item["status"] in {"pending", "rejected"} and age > limits.forgotten_ms and now == item:
            yield f"{file_id} is {item['status']} since {age:.0f} ms, and was not dropped by the sweep at {last:.0f}"
        if is_unsent and age > limits.kept_unsent_ms and (now or {}).get("status") == "ready":
            yield f"{file_id} was not sent for {age:.0f} ms, and was not dropped by the sweep at {last:.0f}"
    for key in objects:
        file_id = key.rpartition("/")[2]
        if end.row(f"file#{file_id}", "file") is None and last > 0 and not key.startswith("uploads/"):
            yield f"{key} is there, and its file is not"


def quotas_are_kept(case: Case) -> Iterator[str]:
    """No more is announced than there is room for."""
    quota = case.scenario.plan.limits.quota
    for at, (table, pk, sk), _, new in case.past.changes:
        if table == "members" and sk == "files" and (new or {}).get("bytes", 0) > quota:
            yield f"{pk} has files of {(new or {})['bytes']} bytes at {at:.0f}, of {quota}"


RULES = (
    references_are_counted,
    bytes_are_kept_of_what_is_ready,
    files_are_shown_as_they_are,
    bytes_are_counted,
    files_go_by_rule,
    quotas_are_kept,
)
IN_THE_END = (what_was_uploaded_is_settled, what_leads_nowhere_is_swept)
