"""Carrying out pushes: claims, what each answer of a provider leads to, and waiting without holding anybody up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from shared.domain.devices import APNS, FCM, PRODUCTION, SANDBOX
from shared.domain.notifications import REMINDER, SYSTEM, AboutMessage, AboutNotification, Notification
from shared.domain.pushes import BadTarget, Busy, Misconfigured, Push, PushJob, PushResult, Refused, Sent, Unregistered
from shared.errors import Unavailable
from shared.operations.push.sending import GIVEN_UP, MAX_AGE_MS, MAX_TRIES, MISCONFIGURED, REFUSED, push_all
from shared.operations.push.wording import MAX_COUNTED
from tests.fakes import DM
from tests.shared.operations.push.harness import BOBS_ANDROID, BOBS_PHONE, GROUP, House
from tests.stores import LOG, MEMBERS

MINUTE = 60_000


def waiting() -> tuple[House, PushJob]:
    """Alice has written to Bob, who has an Android phone."""
    house = House()
    entry = house.say()
    house.device()
    return house, house.job(entry)


def run(house: House, *jobs: PushJob) -> int:
    return push_all(jobs, resting=house.resting, **house.whole)


def test_what_was_answered_is_not_pushed_and_what_came_after_the_answer_is() -> None:
    house, job = waiting()
    house.say(sender="bob")
    assert (run(house, job), house.provider.pushes) == (0, [])
    later = house.job(house.say())
    assert run(house, job, later) == 1
    (push,) = house.provider.pushes
    assert (push.data["seq"], push.badge, push.unread) == ("3", 1, 1)


def test_what_was_answered_so_long_ago_that_the_log_does_not_tell_any_more_is_not_pushed() -> None:
    house, job = waiting()
    house.say(sender="bob")
    house.stores.overwrite(replace(house.stores.entries()[-1], authors={}))
    assert run(house, job) == 1
    house.stores.memberships.note_written(DM, "bob", number=2)
    assert run(house, replace(job, since=job.since + 1)) == 0


def test_a_push_says_what_it_has_to() -> None:
    house, job = waiting()
    assert run(house, job) == 1
    (push,) = house.provider.pushes
    assert (push.target, push.collapse_id, push.thread_id) == (BOBS_ANDROID, DM, DM)
    assert (push.badge, push.unread) == (1, 1)
    assert push.data == {"type": "message", "conversation_id": DM, "seq": "1"}
    assert push.expires_at > house.clock()
    assert push.wording.title_args == ("alice",)


def test_without_previews_no_content_is_in_it_and_with_them_it_is() -> None:
    for previews in (False, True):
        house, job = waiting()
        house.profile(previews=previews)
        run(house, job)
        assert ("canary" in repr(house.provider.pushes)) is previews


def test_the_badge_counts_all_conversations_but_the_muted_ones() -> None:
    house, job = waiting()
    house.found("carol", "bob")
    house.say(conversation_id=GROUP, sender="carol")
    house.say(conversation_id=GROUP, sender="carol")
    run(house, job)
    house.prefer(GROUP, muted_until=house.clock() + 1)
    run(house, house.job(house.say()))
    first, second = house.provider.pushes
    assert (first.badge, first.unread) == (3, 1)
    assert (second.badge, second.unread) == (2, 2)


def test_a_push_goes_to_each_device_of_the_jobs_platform() -> None:
    house, job = waiting()
    house.device(replace(BOBS_ANDROID, token="another"), device_id="tablet")
    house.device(BOBS_PHONE, device_id="iphone")
    assert run(house, job) == 2
    assert {push.target.token for push in house.provider.pushes} == {BOBS_ANDROID.token, "another"}
    assert run(house, replace(job, platform=APNS)) == 1


def read(house: House) -> None:
    house.stores.memberships.move_read(house.stores.member("bob").with_read(1, 1))


@pytest.mark.parametrize("reason", ["muted", "quiet", "mentions", "none", "blocked", "read", "delivered", "left"])
def test_who_does_not_want_it_by_now_is_left_alone_and_nothing_is_claimed(reason: str) -> None:
    house, job = waiting()
    match reason:
        case "muted":
            house.prefer(muted_until=house.clock() + 1)
        case "quiet":
            from shared.domain.contacts import QuietHours

            house.profile(quiet_hours=QuietHours("00:00", "23:59", "UTC"))
        case "mentions" | "none":
            house.prefer(notify=reason)
        case "blocked":
            house.stores.blocks.put("bob", "alice", now=1)
        case "read":
            read(house)
        case "delivered":
            house.stores.memberships.move_delivered(replace(house.stores.member("bob"), delivered_seq=1))
        case "left":
            house.stores.leave(DM, "bob")
    assert run(house, job) == 0
    assert house.provider.pushes == []
    assert [row for row in house.stores.rows(MEMBERS) if row["sk"].startswith("pushed#")] == []


def test_the_same_job_again_pushes_nothing_again() -> None:
    house, job = waiting()
    run(house, job, job)
    run(house, job)
    assert len(house.provider.pushes) == 1


def test_what_a_newer_message_has_replaced_is_not_pushed_any_more() -> None:
    house, first = waiting()
    second = house.job(house.say())
    run(house, second)
    run(house, first)
    assert [push.data["seq"] for push in house.provider.pushes] == ["2"]


def test_messages_of_one_batch_go_out_in_their_order() -> None:
    house, first = waiting()
    jobs = [first, *(house.job(house.say()) for _ in range(12))]
    assert run(house, *reversed(jobs)) == 13
    assert [push.data["seq"] for push in house.provider.pushes] == [str(seq) for seq in range(1, 14)]


def answered(answer: PushResult, platform: str = FCM) -> tuple[House, PushJob]:
    house, job = waiting()
    if platform == APNS:
        house.device(BOBS_PHONE)
        job = replace(job, platform=APNS)
    house.provider.answer = lambda _: answer
    assert run(house, job) == (1 if answer == Sent() else 0)
    return house, job


def targets(house: House) -> list[str]:
    return [device.target.token for device in house.stores.devices.of(["bob"]).get("bob", ())]


def test_a_target_that_is_no_more_is_forgotten() -> None:
    house, _ = answered(Unregistered("UNREGISTERED"))
    assert (targets(house), house.pushes.jobs, house.counted) == ([], [], [])


def test_a_target_that_was_registered_after_it_was_lost_stays() -> None:
    house, job = waiting()
    registered = house.clock()
    house.provider.answer = lambda _: Unregistered("Unregistered", since=registered - 1)
    run(house, job)
    assert targets(house) == [BOBS_ANDROID.token]
    house.provider.answer = lambda _: Unregistered("Unregistered", since=registered)
    run(house, house.job(house.say()))
    assert targets(house) == []


def test_a_target_that_was_replaced_while_it_was_pushed_to_stays() -> None:
    house, job = waiting()

    def answer(_: Push) -> PushResult:
        house.device(replace(BOBS_ANDROID, token="the new one"))
        return Unregistered("UNREGISTERED")

    house.provider.answer = answer
    run(house, job)
    assert targets(house) == ["the new one"]


def test_an_unknown_fcm_target_is_forgotten() -> None:
    house, _ = answered(BadTarget("INVALID_ARGUMENT"))
    assert (targets(house), len(house.provider.pushes)) == ([], 1)


def test_an_apns_token_of_the_other_environment_is_found_out_and_remembered() -> None:
    house, job = waiting()
    house.device(BOBS_PHONE)

    def answer(push: Push) -> PushResult:
        return Sent() if push.target.environment == SANDBOX else BadTarget("BadDeviceToken")

    house.provider.answer = answer
    assert run(house, replace(job, platform=APNS)) == 1
    assert [push.target.environment for push in house.provider.pushes] == [PRODUCTION, SANDBOX]
    assert len({push.push_id for push in house.provider.pushes}) == 1
    (device,) = house.stores.devices.of(["bob"])["bob"]
    assert device.target == replace(BOBS_PHONE, environment=SANDBOX)


def test_an_apns_token_that_neither_environment_knows_is_forgotten() -> None:
    house, _ = answered(BadTarget("BadDeviceToken"), APNS)
    assert (targets(house), len(house.provider.pushes)) == ([], 2)


def test_an_apns_token_stays_where_the_other_environment_can_not_be_asked() -> None:
    house, job = waiting()
    house.device(BOBS_PHONE)
    answers: Iterator[PushResult] = iter([BadTarget("BadDeviceToken"), Busy("ServiceUnavailable")])
    house.provider.answer = lambda _: next(answers)
    run(house, replace(job, platform=APNS))
    assert targets(house) == [BOBS_PHONE.token]
    assert [one.tries for one in house.pushes.jobs] == [1]


@pytest.mark.parametrize(
    ("answer", "metric"),
    [(Misconfigured("SENDER_ID_MISMATCH"), MISCONFIGURED), (Refused("PayloadTooLarge"), REFUSED)],
)
def test_what_a_person_has_to_look_at_is_counted_and_neither_retried_nor_forgotten(
    answer: PushResult, metric: str
) -> None:
    house, job = answered(answer)
    assert (targets(house), house.pushes.jobs, house.counted) == ([BOBS_ANDROID.token], [], [metric])
    run(house, job)
    assert len(house.provider.pushes) == 1


def test_every_answer_is_reported_and_a_report_names_no_content() -> None:
    house, _ = answered(Misconfigured("THIRD_PARTY_AUTH_ERROR"))
    ((what, said),) = house.observer.said
    assert (what, said["device_id"], said["reason"]) == ("push not taken", "phone", "THIRD_PARTY_AUTH_ERROR")
    assert "canary" not in str(said)


def test_a_busy_provider_gets_it_later_for_this_device_alone_and_nobody_waits() -> None:
    house, job = waiting()
    house.device(replace(BOBS_ANDROID, token="another"), device_id="tablet")
    house.provider.answer = lambda push: Sent() if push.target.token == "another" else Busy("UNAVAILABLE")
    assert run(house, job) == 1
    ((again, delay_s),) = house.pushes.puts
    assert again == replace(job, tries=1, device_id="phone", not_before=house.clock() + 5_000)
    assert delay_s == 5
    assert targets(house) == [BOBS_ANDROID.token, "another"]
    house.provider.answer = lambda _: Sent()
    house.clock.advance(5_000)
    assert run(house, again) == 1
    assert [push.target.token for push in house.provider.pushes].count("another") == 1


def test_a_retry_that_comes_twice_is_made_once() -> None:
    house, _ = answered(Busy("UNAVAILABLE", whole_provider=False))
    ((again, _),) = house.pushes.puts
    house.provider.answer = lambda _: Sent()
    house.clock.advance(5_000)
    run(house, again)
    run(house, again)
    assert len(house.provider.pushes) == 2


def test_retry_after_is_honoured_for_everything_that_goes_to_the_provider() -> None:
    house, _ = answered(Busy("QUOTA_EXCEEDED", retry_after_ms=2 * MINUTE))
    other = house.job(house.say())
    assert run(house, other) == 0
    assert len(house.provider.pushes) == 1
    first, second = house.pushes.puts
    assert (first[0].not_before, first[1]) == (house.clock() + 2 * MINUTE, 120)
    assert second == (replace(other, not_before=house.clock() + 2 * MINUTE), 120)
    house.device(BOBS_PHONE, device_id="iphone")
    house.provider.answer = lambda _: Sent()
    assert run(house, replace(other, platform=APNS)) == 1
    house.clock.advance(2 * MINUTE)
    assert run(house, second[0]) == 1


def test_one_target_that_had_too_much_does_not_stop_the_others() -> None:
    house, _ = answered(Busy("TooManyRequests", retry_after_ms=MINUTE, whole_provider=False))
    house.device(replace(BOBS_ANDROID, token="another"), device_id="tablet")
    house.provider.answer = lambda _: Sent()
    assert run(house, house.job(house.say())) == 2


def test_longer_than_a_queue_can_hold_it_back_it_is_put_back_again_without_a_try() -> None:
    house, _ = answered(Busy("UNAVAILABLE", retry_after_ms=30 * MINUTE))
    ((again, delay_s),) = house.pushes.puts
    assert delay_s == 15 * 60
    house.clock.advance(15 * MINUTE)
    assert run(house, again) == 0
    assert house.pushes.puts[1] == (again, 15 * 60)
    house.clock.advance(15 * MINUTE)
    house.provider.answer = lambda _: Sent()
    assert run(house, again) == 1


def test_waits_double_and_tries_end() -> None:
    house, job = waiting()
    house.provider.answer = lambda _: Busy("INTERNAL")
    delays = []
    for _ in range(MAX_TRIES):
        run(house, job)
        if not house.pushes.puts:
            break
        job, delay_s = house.pushes.puts.pop()
        delays.append(delay_s)
        job = replace(job, since=house.clock())  # so that it is the number of tries that ends it, not its age
        house.clock.advance(delay_s * 1_000)
    assert delays == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900]
    assert (house.counted, len(house.provider.pushes)) == ([GIVEN_UP], MAX_TRIES)


def test_what_is_an_hour_old_is_given_up() -> None:
    house, job = waiting()
    house.clock.advance(MAX_AGE_MS + 1)
    assert run(house, job) == 0
    assert (house.provider.pushes, house.counted) == ([], [GIVEN_UP])


def test_what_would_be_an_hour_old_by_then_is_not_tried_again() -> None:
    house, _ = answered(Busy("UNAVAILABLE", retry_after_ms=MAX_AGE_MS + 1))
    assert (house.pushes.jobs, house.counted) == ([], [GIVEN_UP])


def test_a_retry_that_can_not_be_queued_is_given_up_and_counted() -> None:
    def refuse(_: Sequence[PushJob]) -> None:
        raise Unavailable

    house, job = waiting()
    house.provider.answer = lambda _: Busy("UNAVAILABLE")
    house.pushes.before_put = refuse
    run(house, job)
    assert house.counted == [GIVEN_UP]


def test_a_message_that_does_not_exist_wakes_nobody() -> None:
    house, job = waiting()
    missing = replace(job, about=AboutMessage(DM, 9))
    assert run(house, missing) == 0


def told(house: House, **fields: object) -> PushJob:
    notification = Notification("n1", "bob", SYSTEM, house.clock(), house.clock() + MINUTE, title="Down at noon")
    house.stores.notifications.put([replace(notification, **fields)])  # type: ignore[arg-type]  # by name
    return PushJob(FCM, "bob", AboutNotification("n1"), since=house.clock())


def test_a_notice_is_pushed_once_until_it_is_acknowledged() -> None:
    house, _ = waiting()
    job = told(house)
    assert run(house, job) == 1
    assert run(house, job) == 0
    (push,) = house.provider.pushes
    assert (push.collapse_id, push.thread_id, push.badge) == ("notice:n1", "notifications", 1)
    assert push.data == {"type": "notification", "notification_id": "n1"}


def test_a_notice_that_was_acknowledged_or_comes_in_quiet_hours_is_not_pushed() -> None:
    from shared.domain.contacts import QuietHours

    house, _ = waiting()
    job = told(house)
    house.profile(quiet_hours=QuietHours("00:00", "23:59", "UTC"))
    assert run(house, job) == 0
    house.profile(quiet_hours=None)
    house.stores.notifications.acknowledge("bob", "n1")
    assert run(house, job) == 0


def test_a_reminder_comes_whatever_was_read_or_muted_since_it_was_asked_for() -> None:
    house, _ = waiting()
    read(house)
    house.prefer(muted_until=house.clock() + MINUTE)
    job = told(house, kind=REMINDER, conversation_id=DM, seq=1, title="Reminder")
    assert run(house, job) == 1
    (push,) = house.provider.pushes
    assert push.wording.title_key == "PARLEY_REMINDER"
    assert push.data == {"type": "notification", "notification_id": "n1", "conversation_id": DM, "seq": "1"}


def test_a_reminder_of_a_conversation_that_was_left_or_of_a_deleted_message_does_not_come() -> None:
    house, _ = waiting()
    job = told(house, kind=REMINDER, conversation_id=DM, seq=1, title="Reminder")
    house.stores.leave(DM, "bob")
    assert run(house, job) == 0
    house.stores.join(DM, "bob")
    message = house.stores.entries(DM)[0]
    house.stores.overwrite(replace(message, content=None, deleted_at=house.clock()))
    assert run(house, job) == 0
    house.stores.overwrite(message)
    assert run(house, job) == 1


def test_jobs_about_one_message_read_its_conversations_tail_once_for_all_badges() -> None:
    house, _ = waiting()
    house.found("alice", *(f"user{number}" for number in range(9)))
    entry = house.say(conversation_id=GROUP)
    for number in range(9):
        house.device(replace(BOBS_ANDROID, token=f"t{number}"), user=f"user{number}")
    before = house.stores.calls.reads(LOG), house.stores.calls.reads(MEMBERS)
    assert run(house, *(house.job(entry, user=f"user{number}") for number in range(9))) == 9
    after = house.stores.calls.reads(LOG), house.stores.calls.reads(MEMBERS)
    assert (after[0] - before[0], after[1] - before[1]) == (1 + 1, 9 + 1)


def test_the_badge_is_left_alone_for_who_is_in_more_conversations_than_are_counted() -> None:
    house, job = waiting()
    for number in range(MAX_COUNTED):
        house.stores.join(f"dm:a{number}:bob", "bob")
    run(house, job)
    (push,) = house.provider.pushes
    assert (push.badge, push.unread) == (None, 1)


def test_a_wait_is_never_shorter_than_was_asked_for() -> None:
    house, _ = answered(Busy("UNAVAILABLE", retry_after_ms=90_001))
    ((_, delay_s),) = house.pushes.puts
    assert delay_s == 91
