"""What mail digests cost where a deployment mails: scheduling a look, the look, the mail, and what ends them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks import cost_model
from functions.offline_push.handler import look_at, work
from functions.offline_push.wiring import Wiring as Wired
from shared.domain.mails import MailSettings
from shared.domain.users import User
from tests.budgets.conftest import BudgetHarness
from tests.budgets.pushes import push_wiring
from tests.fakes import DM
from tests.fakes.notification import FakeMailer
from tests.functions.events import HOUR, NOW, stream_record
from tests.functions.offline_push.test_offline_push import STOP, sqs_record

DONE: dict[str, list[object]] = {"batchItemFailures": []}
ROUND = {"kind": "mail", "part": 0}


@pytest.fixture
def mailing(harness: BudgetHarness) -> Wired:
    """Alice has written to Bob, who is away and has an address; whose parts the looks are in does not matter."""
    wired = push_wiring(harness)
    settings = MailSettings(HOUR, 24 * HOUR, "", "https://api.example.com")
    was = User("bob")
    assert wired.stores.users.change(was, replace(was, email="bob@example.com", version=1))
    wired.stores.sessions.remove("bob", "b1=", now=NOW)
    return replace(
        wired,
        services=replace(wired.services, mailer=FakeMailer()),
        context=replace(wired.context, limits=replace(wired.context.limits, mail=settings)),
    )


def look(wired: Wired) -> int:
    """The four parts of a round; how many letters have gone out by then."""
    for part in range(wired.stores.mails.parts):
        assert work([sqs_record({**ROUND, "part": part})], wired) == DONE
    mailer = wired.services.mailer
    assert isinstance(mailer, FakeMailer)
    return len(mailer.letters)


def test_who_is_away_and_has_an_address_costs_half_a_unit_and_once_two_writes(
    harness: BudgetHarness, mailing: Wired
) -> None:
    harness.meter.reset()
    assert look_at([stream_record(3)], mailing) == DONE
    assert harness.meter.count == {"BatchGetItem": 3, "PutItem": 1, "UpdateItem": 1}
    assert (harness.meter.reads, harness.meter.writes) == (2, 2)
    harness.meter.reset()
    assert look_at([stream_record(3)], mailing) == DONE
    assert (harness.meter.count, harness.meter.reads, harness.meter.writes) == ({"BatchGetItem": 3}, 2, 0)


def test_a_round_in_which_nobody_is_due_is_a_query_for_each_part(harness: BudgetHarness, mailing: Wired) -> None:
    harness.meter.reset()
    assert look(mailing) == 0
    assert harness.meter.count == {"Query": 4}
    assert harness.meter.writes == 0


def test_a_mail_is_what_decides_the_names_and_two_writes(harness: BudgetHarness, mailing: Wired) -> None:
    """The round's four parts; the user's rows, what bars them, where they are, the tail; the names; claim and look."""
    look_at([stream_record(3)], mailing)
    harness.clock.advance(HOUR)
    harness.meter.reset()
    assert look(mailing) == 1
    made = harness.meter.count
    assert made == {"Query": 7, "BatchGetItem": 3, "UpdateItem": 1, "DeleteItem": 1}
    assert (harness.meter.reads - 4, harness.meter.writes) == (10, 2)
    scheduled = (0.5, 2)
    assert (cost_model.MAIL.reads, cost_model.MAIL.writes) == (10 + scheduled[0], 2 + scheduled[1])


def test_a_look_at_who_has_read_it_is_no_mail_and_one_write(harness: BudgetHarness, mailing: Wired) -> None:
    look_at([stream_record(3)], mailing)
    harness.say({"type": "read", "conversation_id": DM, "seq": 3}, user_id="bob")
    harness.clock.advance(HOUR)
    harness.meter.reset()
    assert look(mailing) == 0
    assert harness.meter.count == {"Query": 6, "BatchGetItem": 2, "DeleteItem": 1}
    assert (harness.meter.reads - 4, harness.meter.writes) == (4, 1)


def test_an_address_that_ends_is_one_read_and_a_transaction_of_three(harness: BudgetHarness, mailing: Wired) -> None:
    harness.meter.reset()
    assert work([sqs_record(STOP)], mailing) == DONE
    assert harness.meter.made == ["BatchGetItem", "TransactWriteItems"]
    assert (harness.meter.reads, harness.meter.writes) == (2, 6)
    harness.meter.reset()
    assert work([sqs_record(STOP)], mailing) == DONE
    assert (harness.meter.count, harness.meter.reads) == ({"BatchGetItem": 1}, 2)
