"""What files, devices, notifications and reminders cost, beside messages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from functions.files.handler import Wiring, check, release_files, sweep_files
from functions.offline_push.handler import work
from functions.rest.api import make_api, respond
from shared.adapters.aws.push_queues import reminder_body
from shared.adapters.dynamodb.buckets import DynamoDbBuckets
from shared.adapters.dynamodb.files import DynamoDbFiles
from shared.domain.files import READY, Checked, File
from shared.domain.notifications import SYSTEM, Notification, Reminder
from tests.budgets.conftest import BudgetHarness
from tests.budgets.pushes import push_wiring
from tests.budgets.test_budgets import has_file
from tests.budgets.test_permissions_used import SCOPES, rest_wiring
from tests.fakes import DM, FakeObjects
from tests.functions.events import HOUR, NOW, http_event
from tests.functions.files.test_handler import created, deleted
from tests.functions.offline_push.test_offline_push import look_record, sqs_record
from tests.functions.rest.harness import token
from tests.wiring import at_once, with_limits

MANY = [f"u{number}" for number in range(100)]
PHONE = {"platform": "fcm", "token": "t" * 160}


def units(harness: BudgetHarness) -> tuple[float, float]:
    """Read and write units."""
    return harness.meter.reads, harness.meter.writes


@pytest.mark.parametrize(
    ("request_line", "body", "expected"),
    [
        ("PUT /v1/devices/phone", PHONE, (6, 6)),
        ("GET /v1/devices", None, (2, 0)),
        ("POST /v1/files", {"name": "cat.png", "content_type": "image/png", "size": 5}, (1, 6)),
        ("GET /v1/files/cat", None, (2, 0)),
        ("POST /v1/notifications", {"users": MANY, "title": "Hello"}, (101, 100)),
        ("POST /v1/notifications", {"users": MANY, "title": "Hello", "notification_id": "n"}, (201, 100)),
        ("GET /v1/notifications", None, (2, 0)),
        ("DELETE /v1/notifications/n", None, (1, 1)),
        (f"POST /v1/conversations/{DM}/messages/1/reminders", {"at": NOW + HOUR}, (4, 1)),
        ("GET /v1/reminders", None, (2, 0)),
        ("GET /v1/users/bob/connections", None, (2, 0)),
    ],
)
def test_requests_each_with_a_read_of_whether_the_caller_is_kept_out(
    request_line: str, body: Any, expected: tuple[int, int], harness: BudgetHarness, buckets: DynamoDbBuckets
) -> None:
    method, path = request_line.split()
    has_file(harness)
    wired = with_limits(rest_wiring(harness, buckets), device_limit=10)
    harness.meter.reset()
    answer = respond(http_event(method, path, token=token(scope=SCOPES), body=body), make_api(wired, unexpected=_fail))
    assert answer["statusCode"] < 300, answer
    assert units(harness) == expected


def test_who_puts_others_into_groups_is_counted_by_one_write_or_two(
    harness: BudgetHarness, buckets: DynamoDbBuckets
) -> None:
    """Beside the transaction: 4 units for its entry and the group's item, 4 for each user."""
    api = make_api(with_limits(rest_wiring(harness, buckets), group_limit=1_000), unexpected=_fail)
    group = "/v1/conversations/group:another0secret0for0a0group/members"

    def writes(path: str, body: dict[str, Any]) -> float:
        harness.meter.reset()
        assert respond(http_event("POST", path, token=token(), body=body), api)["statusCode"] < 300
        return harness.meter.writes

    assert writes("/v1/conversations", {"type": "group", "name": "Team", "members": MANY[:19]}) == 4 + 20 * 4 + 1
    assert writes(group, {"users": MANY[19:29]}) == 4 + 10 * 4 + 2  # the bucket is not full again yet
    harness.clock.advance(HOUR)
    assert writes(group, {"users": MANY[29:30]}) == 4 + 4 + 1


def test_a_check_is_one_read_and_one_write_and_a_release_has_its_owners_bytes_in_its_transaction(
    harness: BudgetHarness,
) -> None:
    files = DynamoDbFiles(harness.meter, members_table="members")
    wired = Wiring(files, FakeObjects(uploads={"dog": b"bytes"}), lambda _file, _head: Checked(), at_once)
    files.create(File("dog", "alice", "image", "dog.png", "image/png", 5, created_at=NOW, expires_at=NOW + HOUR))
    harness.meter.reset()
    check(created("dog"), wired)
    assert units(harness) == (1, 1)
    harness.meter.reset()
    assert release_files([deleted("dog")], wired) == {"batchItemFailures": []}
    assert units(harness) == (1, 4)


def test_a_sweep_of_nothing_is_sixteen_queries_and_of_a_file_a_read_and_two_writes(harness: BudgetHarness) -> None:
    files = DynamoDbFiles(harness.meter, members_table="members")
    wired = Wiring(files, FakeObjects(), lambda _file, _head: Checked(), at_once, lambda: NOW)
    harness.meter.reset()
    sweep_files(wired)
    assert units(harness) == (8, 0)
    file = File("dog", "alice", "image", "dog.png", "image/png", 5, created_at=NOW, expires_at=NOW)
    files.create(file, due=NOW)
    assert files.settle(replace(file, status=READY))
    harness.meter.reset()
    sweep_files(wired)
    assert units(harness) == (9, 2)


def test_a_look_at_who_is_away_and_has_a_notice_is_three_reads(harness: BudgetHarness) -> None:
    wired = push_wiring(harness)
    wired.stores.notifications.put([Notification("n", "carol", SYSTEM, NOW, NOW + HOUR, "Hello")])
    harness.meter.reset()
    assert work([look_record({"notice_id": "n"}, ["carol"])], wired) == {"batchItemFailures": []}
    assert units(harness) == (3, 0)


def test_a_reminder_that_is_due_is_five_reads_and_two_writes(harness: BudgetHarness) -> None:
    wired = push_wiring(harness)
    wired.stores.reminders.put(Reminder("r", "alice", DM, 1, NOW, NOW))
    harness.meter.reset()
    assert work([sqs_record(reminder_body("alice", "r"))], wired) == {"batchItemFailures": []}
    assert units(harness) == (5, 2)


def _fail(error: Exception) -> None:
    raise error
