"""Taking off what was read elsewhere: of whom, when, once, and never what is news."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from shared.adapters.dynamodb.client import from_item
from shared.adapters.dynamodb.schema import PUSHED_SEQ
from shared.adapters.dynamodb.shown import settled_from
from shared.domain.devices import APNS, FCM, WEB, Platform, PushTarget
from shared.domain.fan_out import StoredEntry
from shared.domain.notifications import SYSTEM, AboutMessage, AboutNotification, Notification
from shared.domain.pushes import Busy, Push, PushJob, PushResult, Sent, Settled, Unregistered
from shared.errors import Unavailable
from shared.operations.context import Context
from shared.operations.push.enqueueing import enqueue_stored
from shared.operations.push.sending import MAX_AGE_MS, push_all
from shared.operations.push.withdrawing import DELAY_S, enqueue_withdrawals
from tests.dynamodb import Written
from tests.fakes import DM
from tests.shared.operations.push.harness import BOBS_ANDROID, BOBS_PHONE, GROUP, PushHarness
from tests.stores import LOG, MEMBERS, Simulated, simulated
from tests.wiring import make_context

BOBS_BROWSER = PushTarget(WEB, "https://fcm.googleapis.com/fcm/send/x", p256dh="k", auth="a")
SECOND = 1_000


@dataclass
class Phones(PushHarness):
    """With the streams' readers: `written` are changes of rows of which a push is noted."""

    platforms: tuple[Platform, ...] = (FCM, APNS)
    written: list[Written] = field(default_factory=list)
    stores: Simulated = field(init=False)

    def __post_init__(self) -> None:
        self.stores = simulated(on_write=self._noted)

    def _noted(self, written: Written) -> None:
        if written.table != MEMBERS or PUSHED_SEQ not in (written.old or {}):
            return
        if written.new is None or PUSHED_SEQ in written.new:
            self.written.append(written)

    @property
    def context(self) -> Context:
        return make_context(self.clock, self.nonces, withdrawals=self.platforms)

    def stream(self) -> list[Settled]:
        """What the function makes of what has come by the stream."""
        settled = []
        while self.written:
            change = self.written.pop(0)
            new = from_item(change.new) if change.new is not None else None
            settled.append(settled_from(from_item(change.old or {}), new, now=self.clock()))
        found = [one for one in settled if one is not None]
        assert not enqueue_withdrawals(found, **self.whole)
        return found

    def push(self, *jobs: PushJob) -> None:
        push_all(jobs, resting=self.resting, **self.whole)

    def work(self) -> None:
        """Everything that waits in the queue of pushes, when it is due."""
        while self.pushes.puts:
            job, delay_s = self.pushes.puts.pop(0)
            self.clock.advance(delay_s * SECOND)
            self.push(job)

    def read(self, seq: int, user: str = "bob", conversation_id: str = DM) -> None:
        member = self.stores.member(user, conversation_id)
        self.stores.memberships.move_read(member.with_read(seq, seq))

    @property
    def shown(self) -> list[str]:
        """What the provider was handed, in order: seqs, and with a minus what was taken off."""
        return [f"{'-' if one.withdraws else ''}{one.data.get('seq', 'n')}" for one in self.provider.pushes]

    @property
    def marks(self) -> list[dict[str, Any]]:
        return [row for row in self.stores.rows(MEMBERS) if PUSHED_SEQ in row]


@pytest.fixture
def phones() -> Phones:
    phones = Phones()
    phones.device()
    return phones


@pytest.fixture
def pushed(phones: Phones) -> Phones:
    """Alice has written to Bob, whose phone shows it."""
    phones.push(phones.job(phones.say()))
    assert phones.shown == ["1"]
    return phones


def test_what_is_read_elsewhere_is_taken_off_and_the_icon_is_corrected(pushed: Phones) -> None:
    pushed.read(1)
    pushed.stream()
    assert [delay for _, delay in pushed.pushes.puts] == [DELAY_S]
    pushed.work()
    told, taken = pushed.provider.pushes
    assert taken.withdraws
    assert not told.withdraws
    assert (taken.target, taken.collapse_id, taken.badge, taken.unread) == (told.target, told.collapse_id, 0, 0)
    assert taken.push_id != told.push_id
    assert taken.data == {
        "type": "withdrawn", "conversation_id": DM, "seq": "1", "tag": told.collapse_id, "unread": "0", "badge": "0",
    }  # fmt: skip
    assert taken.expires_at > pushed.clock()
    assert "canary" not in repr(taken)
    assert pushed.observer.counted["PushSent"] == 1
    assert pushed.observer.counted["PushWithdrawn"] == 1


def test_a_push_that_could_not_be_noted_is_made_by_the_next_try(
    phones: Phones, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its claim is taken by then: a repetition of the first try would find it so, and say nothing to anybody."""
    shown = phones.stores.shown
    note = shown.note

    def meets_another_write(*_: object) -> bool:
        monkeypatch.setattr(shown, "note", note)
        raise Unavailable

    monkeypatch.setattr(shown, "note", meets_another_write)
    phones.push(phones.job(phones.say()))
    assert phones.shown == []
    phones.work()
    assert phones.shown == ["1"]
    assert len(phones.marks) == 1


def test_the_badge_is_what_is_left_in_other_conversations(pushed: Phones) -> None:
    pushed.found("carol", "bob")
    pushed.say(conversation_id=GROUP, sender="carol")
    pushed.read(1)
    pushed.stream()
    pushed.work()
    assert pushed.provider.pushes[-1].badge == 1
    assert pushed.provider.pushes[-1].data["badge"] == "1"


def test_after_that_nothing_is_noted_and_reading_leads_to_nothing(pushed: Phones) -> None:
    pushed.read(1)
    pushed.stream()
    assert pushed.marks == []
    pushed.work()
    pushed.say()
    pushed.read(2)
    assert pushed.written == []


def test_nothing_is_noted_where_nothing_was_pushed(phones: Phones) -> None:
    phones.say()
    phones.read(1)
    assert phones.written == []
    assert phones.marks == []


def test_each_of_the_users_devices_that_shows_it_is_told_and_no_other(phones: Phones) -> None:
    entry = phones.say()
    phones.device(BOBS_PHONE, device_id="iphone")
    phones.push(phones.job(entry), phones.job(entry, platform=APNS))
    phones.device(replace(BOBS_ANDROID, token="later"), device_id="tablet")
    phones.device(BOBS_BROWSER, device_id="browser")
    phones.read(1)
    phones.stream()
    phones.work()
    taken = [push.target.token for push in phones.provider.pushes if push.withdraws]
    assert sorted(taken) == sorted([BOBS_ANDROID.token, BOBS_PHONE.token])


@pytest.mark.parametrize(("platforms", "taken"), [((FCM, APNS), 0), ((FCM, APNS, WEB), 1), ((), 0)])
def test_on_platforms_that_were_not_chosen_nothing_is_noted_nor_taken_off(
    platforms: tuple[Platform, ...], taken: int
) -> None:
    phones = Phones(platforms=platforms)
    phones.device(BOBS_BROWSER)
    phones.push(phones.job(phones.say(), platform=WEB))
    assert len(phones.provider.pushes) == 1
    assert len(phones.marks) == taken
    phones.read(1)
    phones.stream()
    phones.work()
    assert len(phones.provider.pushes) == 1 + taken


def test_what_is_not_read_yet_stays(phones: Phones) -> None:
    first, second = phones.say(), phones.say()
    phones.push(phones.job(first))
    phones.push(phones.job(second))
    phones.read(1)
    phones.stream()
    phones.work()
    assert phones.shown == ["1", "2"]
    assert len(phones.marks) == 1
    phones.read(2)
    phones.stream()
    phones.work()
    assert phones.shown == ["1", "2", "-2"]
    assert phones.marks == []


def test_a_newer_push_that_comes_before_the_withdrawal_stays(pushed: Phones) -> None:
    pushed.read(1)
    pushed.stream()
    (job, _) = pushed.pushes.puts.pop()
    pushed.push(pushed.job(pushed.say()))
    pushed.push(job)
    assert pushed.shown == ["1", "2"]


def test_a_push_that_comes_while_one_is_taken_off_waits_and_comes_behind_it(pushed: Phones) -> None:
    pushed.read(1)
    pushed.stream()
    (job, _) = pushed.pushes.puts.pop()
    later = pushed.job(pushed.say())

    def meanwhile(push: Push) -> PushResult:
        pushed.provider.answer = lambda _: Sent()
        pushed.push(later)
        assert pushed.shown == ["1", "-1"]
        return Sent()

    pushed.provider.answer = meanwhile
    pushed.push(job)
    pushed.work()
    assert pushed.shown == ["1", "-1", "2"]


def test_a_withdrawal_handed_out_twice_is_sent_once(pushed: Phones) -> None:
    pushed.read(1)
    twice = list(pushed.written)
    pushed.stream()
    pushed.written += twice
    pushed.stream()
    jobs = pushed.pushes.jobs
    assert len(jobs) == 2
    pushed.push(*jobs)
    pushed.push(*jobs)
    assert pushed.shown == ["1", "-1"]


def test_the_record_again_after_it_was_taken_off_leads_to_nothing(pushed: Phones) -> None:
    pushed.read(1)
    again = list(pushed.written)
    pushed.stream()
    pushed.work()
    pushed.written += again
    pushed.stream()
    assert pushed.pushes.puts == []


def test_a_busy_provider_gets_it_later_and_once(pushed: Phones) -> None:
    pushed.read(1)
    pushed.stream()
    pushed.provider.answer = lambda _: Busy("no")
    (job, _) = pushed.pushes.puts.pop()
    pushed.push(job, job)
    (again, delay) = pushed.pushes.puts.pop()
    assert (again.tries, again.device_id, again.withdraws) == (1, "phone", True)
    pushed.provider.answer = lambda _: Sent()
    pushed.clock.advance(delay * SECOND)
    pushed.push(again)
    pushed.push(again)
    assert pushed.shown == ["1", "-1", "-1"]


def test_what_was_pushed_anew_since_a_try_is_not_taken_off_by_the_next(pushed: Phones) -> None:
    pushed.read(1)
    pushed.stream()
    pushed.provider.answer = lambda _: Busy("no")
    (job, _) = pushed.pushes.puts.pop()
    pushed.push(job)
    pushed.provider.answer = lambda _: Sent()
    again, delay = pushed.pushes.puts.pop()
    pushed.clock.advance(delay * SECOND)
    pushed.push(pushed.job(pushed.say()))
    pushed.push(again)
    assert pushed.shown == ["1", "-1", "2"]


def test_a_device_that_is_gone_is_forgotten(pushed: Phones) -> None:
    pushed.read(1)
    pushed.stream()
    pushed.provider.answer = lambda _: Unregistered("gone")
    pushed.work()
    assert pushed.stores.devices.of(["bob"]).get("bob", []) == []


def test_what_waited_for_an_hour_is_given_up(pushed: Phones) -> None:
    pushed.read(1)
    pushed.stream()
    pushed.clock.advance(MAX_AGE_MS + SECOND)
    pushed.work()
    assert pushed.shown == ["1"]


def test_a_message_that_is_read_between_its_plan_and_its_claim_is_not_pushed(phones: Phones) -> None:
    job = phones.job(phones.say())
    claim = phones.stores.claims.claim

    def reading(*arguments: Any, **named: Any) -> bool:
        phones.read(1)
        return claim(*arguments, **named)

    phones.stores.claims.claim = reading  # type: ignore[method-assign]
    phones.push(job)
    assert phones.shown == []
    assert phones.marks == []


@pytest.mark.parametrize("reason", ["muted", "none", "hidden", "left"])
def test_what_is_not_to_be_shown_any_more_is_taken_off(pushed: Phones, reason: str) -> None:
    match reason:
        case "muted":
            pushed.prefer(muted_until=pushed.clock() + 60 * SECOND)
        case "none":
            pushed.prefer(notify="none")
        case "hidden":
            pushed.stores.memberships.hide(DM, "bob", seq=1)
        case "left":
            pushed.stores.leave(DM, "bob")
    pushed.stream()
    pushed.work()
    assert pushed.shown == ["1", "-1"]
    assert pushed.provider.pushes[-1].badge == (1 if reason == "none" else 0)


def test_who_is_removed_from_a_group_is_shown_nothing_of_it(phones: Phones) -> None:
    phones.found("alice", "bob")
    phones.push(phones.job(phones.say(conversation_id=GROUP)))
    phones.stores.leave(GROUP, "bob")
    phones.stream()
    phones.work()
    assert phones.shown == ["2", "-2"]


@pytest.mark.parametrize("change", ["delivered", "mentions", "pinned"])
def test_what_changes_nothing_for_a_device_leads_to_nothing(pushed: Phones, change: str) -> None:
    match change:
        case "delivered":
            pushed.stores.memberships.move_delivered(replace(pushed.stores.member("bob"), delivered_seq=1))
        case "mentions":
            pushed.prefer(notify="mentions")
        case "pinned":
            pushed.prefer(pinned=True)
    assert pushed.stream() == []
    assert pushed.pushes.puts == []
    assert len(pushed.marks) == 1


def test_what_is_unmuted_before_the_withdrawal_is_carried_out_stays(pushed: Phones) -> None:
    pushed.prefer(notify="none")
    pushed.stream()
    pushed.prefer(notify="all")
    pushed.work()
    assert pushed.shown == ["1"]


# --- deleted messages


def delete(phones: Phones, seq: int, conversation_id: str = DM) -> StoredEntry:
    phones.stores.delete(seq, conversation_id)
    entry = phones.stores.entries(conversation_id)[-1]
    return StoredEntry(conversation_id, entry.seq, entry.sender_id, is_message=False, deletes=seq)


def test_a_message_that_its_author_deletes_is_taken_off(pushed: Phones) -> None:
    deleted = delete(pushed, 1)
    assert not enqueue_stored([deleted], **pushed.whole)
    pushed.work()
    assert pushed.shown == ["1", "-1"]


def test_in_a_group_it_is_taken_off_whoever_was_pushed_to(phones: Phones) -> None:
    phones.found("alice", "bob", "carol")
    phones.device(replace(BOBS_ANDROID, token="carol's"), user="carol")
    entry = phones.say(conversation_id=GROUP)
    phones.push(phones.job(entry))
    assert not enqueue_stored([delete(phones, entry.seq, GROUP)], **phones.whole)
    assert [job.user_id for job in phones.pushes.jobs] == ["bob"]
    phones.work()
    assert phones.shown == ["2", "-2"]


def test_the_deletion_of_another_message_leaves_what_is_shown(pushed: Phones) -> None:
    pushed.push(pushed.job(pushed.say()))
    assert not enqueue_stored([delete(pushed, 1)], **pushed.whole)
    assert pushed.pushes.puts == []
    assert len(pushed.marks) == 1


def test_a_deletion_costs_a_read_of_who_might_be_shown_it_and_nothing_where_there_is_nothing_to_take_off() -> None:
    for platforms, reads in (((), 0), ((FCM,), 1)):
        phones = Phones(platforms=platforms)
        phones.say()
        deleted = delete(phones, 1)
        before = phones.stores.calls.reads(MEMBERS), phones.stores.calls.reads(LOG)
        assert not enqueue_stored([deleted], **phones.whole)
        after = phones.stores.calls.reads(MEMBERS), phones.stores.calls.reads(LOG)
        assert after == (before[0] + reads, before[1])


# --- notifications


def test_an_acknowledged_notification_is_taken_off(phones: Phones) -> None:
    now = phones.clock()
    phones.stores.notifications.put([Notification("n", "bob", SYSTEM, now, now + 60 * SECOND, title="t")])
    phones.push(PushJob(FCM, "bob", AboutNotification("n"), since=now))
    phones.stores.notifications.acknowledge("bob", "n")
    phones.stream()
    phones.work()
    assert phones.shown == ["n", "-n"]
    told, taken = phones.provider.pushes
    assert taken.collapse_id == told.collapse_id
    assert taken.data["notification_id"] == "n"


# --- failures


def test_what_fails_of_one_user_holds_up_no_other(pushed: Phones) -> None:
    other = Settled("carol", AboutMessage("dm:alice:carol", 0), 1, mark=1)
    mine = Settled("bob", AboutMessage(DM, 0), 1, mark=1)
    of = pushed.stores.devices.of

    def failing(users: Any) -> Any:
        if "carol" in users:
            raise Unavailable
        return of(users)

    pushed.stores.devices.of = failing  # type: ignore[assignment,method-assign]
    failed = enqueue_withdrawals([mine, other], **pushed.whole)
    assert list(failed) == [other]
    assert [job.user_id for job in pushed.pushes.jobs] == ["bob"]


def test_where_the_queue_takes_nothing_the_note_stays(pushed: Phones) -> None:
    def refusing(_: Any) -> Iterator[None]:
        raise Unavailable

    pushed.pushes.before_put = refusing
    mine = Settled("bob", AboutMessage(DM, 0), 1, mark=1)
    assert list(enqueue_withdrawals([mine], **pushed.whole)) == [mine]
    assert len(pushed.marks) == 1
