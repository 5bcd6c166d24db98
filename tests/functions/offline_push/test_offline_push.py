"""The stream's consumer: partial answers, poison records, and no content anywhere."""

from __future__ import annotations

import pytest

from functions.offline_push.handler import look_at
from functions.offline_push.log_gateway import LogPushGateway
from shared.errors import Unavailable
from shared.notification.models import Push, StoredMessage
from shared.observability import make_logger
from tests.fakes import DM, FakePushGateway, FakeSessions
from tests.functions.events import NOW, stream_record


def test_a_batch_is_looked_at_and_nothing_reported() -> None:
    gateway = FakePushGateway()
    records = [stream_record(1), stream_record(2, sender_id="bob")]
    assert look_at(records, sessions=FakeSessions(), push_gateway=gateway, now=NOW) == {"batchItemFailures": []}
    assert [(push.user_id, push.message.message_id) for push in gateway.pushes] == [
        ("bob", f"{DM}/1"),
        ("alice", f"{DM}/2"),
    ]


@pytest.mark.parametrize("image", [{}, {"seq": {"N": "x"}}, None, {"conversation_id": {"B": "AA=="}}])
def test_a_poison_record_is_reported_and_what_came_before_it_is_done(image: object) -> None:
    poison = stream_record(2)
    poison["dynamodb"]["NewImage"] = image
    gateway = FakePushGateway()
    answer = look_at(
        [stream_record(1), poison, stream_record(3)], sessions=FakeSessions(), push_gateway=gateway, now=NOW
    )
    assert answer == {"batchItemFailures": [{"itemIdentifier": poison["dynamodb"]["SequenceNumber"]}]}
    assert [push.message.seq for push in gateway.pushes] == [1]


def test_a_push_that_fails_for_the_moment_is_where_the_retry_starts() -> None:
    def refuse(push: Push) -> None:
        if push.message.seq == 2:
            raise Unavailable

    records = [stream_record(seq) for seq in (1, 2, 3)]
    gateway = FakePushGateway(refuse=refuse)
    answer = look_at(records, sessions=FakeSessions(), push_gateway=gateway, now=NOW)
    assert answer == {"batchItemFailures": [{"itemIdentifier": f"{2:021}"}]}


def test_the_log_line_names_user_and_message_and_no_content(capsys: pytest.CaptureFixture[str]) -> None:
    logger = make_logger("offline-push-test", "INFO")
    LogPushGateway(logger).push(Push("bob", StoredMessage(DM, 7, "alice")))
    line = capsys.readouterr().out
    assert '"bob"' in line
    assert f"{DM}/7" in line
    look_at([stream_record(1)], sessions=FakeSessions(), push_gateway=LogPushGateway(logger), now=NOW)
    assert "canary" not in capsys.readouterr().out
