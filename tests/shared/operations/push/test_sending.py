"""Carrying out pushes: claims, what each answer of a provider leads to, and waiting without holding anybody up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from shared.domain.devices import APNS, FCM, PRODUCTION, SANDBOX
from shared.domain.notifications import REMINDER, SYSTEM, AboutMessage, AboutNotification, Notification
from shared.domain.pushes import BadTarget, Busy, Misconfigured, Push, PushJob, PushResult, Refused, Sent, Unregistered
from shared.errors import Unavailable
from shared.operations.push.sending import GIVEN_UP, MAX_AGE_MS, MAX_TRIES, push_all
from shared.operations.push.wording import MAX_COUNTED
from tests.fakes import DM
from tests.shared.operations.push.harness import BOBS_ANDROID, BOBS_PHONE, GROUP, MISCONFIGURED, REFUSED, PushHarness
from tests.stores import LOG, MEMBERS

MINUTE = 60_000


def waiting() -> tuple[PushHarness, PushJob]:
    """Alice has written to Bob, who has an Android phone."""
    harness = PushHarness()
    entry = harness.say()
    harness.device()
    return harness, harness.job(entry)


def run(harness: PushHarness, *jobs: PushJob) -> int:
    """Returns how many pushes the provider has taken."""
    answer, taken = harness.provider.answer, list[Push]()

    def noted(push: Push) -> PushResult:
        result = answer(push)
        taken.extend([push] * (result == Sent()))
        return result

    harness.provider.answer = noted
    push_all(jobs, resting=harness.resting, **harness.whole)
    harness.provider.answer = answer
    return len(taken)


def test_what_was_answered_is_not_pushed_and_what_came_after_the_answer_is() -> None:
    harness, job = waiting()
    harness.say(sender="bob")
    assert (run(harness, job), harness.provider.pushes) == (0, [])
    later = harness.job(harness.say())
    assert run(harness, job, later) == 1
    (push,) = harness.provider.pushes
    assert (push.data["seq"], push.badge, push.unread) == ("3", 1, 1)


def test_what_was_answered_so_long_ago_that_the_log_does_not_tell_any_more_is_not_pushed() -> None:
    harness, job = waiting()
    harness.say(sender="bob")
    harness.stores.overwrite(replace(harness.stores.entries()[-1], authors={}))
    assert run(harness, job) == 1
    harness.stores.memberships.note_written(DM, "bob", number=2)
    assert run(harness, replace(job, since=job.since + 1)) == 0


def test_a_push_says_what_it_has_to() -> None:
    harness, job = waiting()
    assert run(harness, job) == 1
    (push,) = harness.provider.pushes
    assert (push.target, push.collapse_id, push.thread_id) == (BOBS_ANDROID, DM, DM)
    assert (push.badge, push.unread) == (1, 1)
    assert push.data == {"type": "message", "conversation_id": DM, "seq": "1"}
    assert push.expires_at > harness.clock()
    assert push.wording.title_args == ("alice",)


def test_without_previews_no_content_is_in_it_and_with_them_it_is() -> None:
    for previews in (False, True):
        harness, job = waiting()
        harness.profile(previews=previews)
        run(harness, job)
        assert ("canary" in repr(harness.provider.pushes)) is previews


def test_the_badge_counts_all_conversations_but_the_muted_ones() -> None:
    harness, job = waiting()
    harness.found("carol", "bob")
    harness.say(conversation_id=GROUP, sender="carol")
    harness.say(conversation_id=GROUP, sender="carol")
    run(harness, job)
    harness.prefer(GROUP, muted_until=harness.clock() + 1)
    run(harness, harness.job(harness.say()))
    first, second = harness.provider.pushes
    assert (first.badge, first.unread) == (3, 1)
    assert (second.badge, second.unread) == (2, 2)


def test_a_push_goes_to_each_device_of_the_jobs_platform() -> None:
    harness, job = waiting()
    harness.device(replace(BOBS_ANDROID, token="another"), device_id="tablet")
    harness.device(BOBS_PHONE, device_id="iphone")
    assert run(harness, job) == 2
    assert {push.target.token for push in harness.provider.pushes} == {BOBS_ANDROID.token, "another"}
    assert run(harness, replace(job, platform=APNS)) == 1


def read(harness: PushHarness) -> None:
    harness.stores.memberships.move_read(harness.stores.member("bob").with_read(1, 1))


@pytest.mark.parametrize("reason", ["muted", "quiet", "mentions", "none", "blocked", "read", "delivered", "left"])
def test_who_does_not_want_it_by_now_is_left_alone_and_nothing_is_claimed(reason: str) -> None:
    harness, job = waiting()
    match reason:
        case "muted":
            harness.prefer(muted_until=harness.clock() + 1)
        case "quiet":
            from shared.domain.contacts import QuietHours

            harness.profile(quiet_hours=QuietHours("00:00", "23:59", "UTC"))
        case "mentions" | "none":
            harness.prefer(notify=reason)
        case "blocked":
            harness.stores.blocks.put("bob", "alice", now=1)
        case "read":
            read(harness)
        case "delivered":
            harness.stores.memberships.move_delivered(replace(harness.stores.member("bob"), delivered_seq=1))
        case "left":
            harness.stores.leave(DM, "bob")
    assert run(harness, job) == 0
    assert harness.provider.pushes == []
    assert [row for row in harness.stores.rows(MEMBERS) if row["sk"].startswith("pushed#")] == []


def test_the_same_job_again_pushes_nothing_again() -> None:
    harness, job = waiting()
    run(harness, job, job)
    run(harness, job)
    assert len(harness.provider.pushes) == 1


def test_what_a_newer_message_has_replaced_is_not_pushed_any_more() -> None:
    harness, first = waiting()
    second = harness.job(harness.say())
    run(harness, second)
    run(harness, first)
    assert [push.data["seq"] for push in harness.provider.pushes] == ["2"]


def test_messages_of_one_batch_go_out_in_their_order() -> None:
    harness, first = waiting()
    jobs = [first, *(harness.job(harness.say()) for _ in range(12))]
    assert run(harness, *reversed(jobs)) == 13
    assert [push.data["seq"] for push in harness.provider.pushes] == [str(seq) for seq in range(1, 14)]


def answered(answer: PushResult, platform: str = FCM) -> tuple[PushHarness, PushJob]:
    harness, job = waiting()
    if platform == APNS:
        harness.device(BOBS_PHONE)
        job = replace(job, platform=APNS)
    harness.provider.answer = lambda _: answer
    assert run(harness, job) == (1 if answer == Sent() else 0)
    return harness, job


def targets(harness: PushHarness) -> list[str]:
    return [device.target.token for device in harness.stores.devices.of(["bob"]).get("bob", ())]


def test_a_target_that_is_no_more_is_forgotten() -> None:
    harness, _ = answered(Unregistered("UNREGISTERED"))
    assert (targets(harness), harness.pushes.jobs, harness.counted) == ([], [], [])


def test_a_target_that_was_registered_after_it_was_lost_stays() -> None:
    harness, job = waiting()
    registered = harness.clock()
    harness.provider.answer = lambda _: Unregistered("Unregistered", since=registered - 1)
    run(harness, job)
    assert targets(harness) == [BOBS_ANDROID.token]
    harness.provider.answer = lambda _: Unregistered("Unregistered", since=registered)
    run(harness, harness.job(harness.say()))
    assert targets(harness) == []


def test_a_target_that_was_replaced_while_it_was_pushed_to_stays() -> None:
    harness, job = waiting()

    def answer(_: Push) -> PushResult:
        harness.device(replace(BOBS_ANDROID, token="the new one"))
        return Unregistered("UNREGISTERED")

    harness.provider.answer = answer
    run(harness, job)
    assert targets(harness) == ["the new one"]


def test_an_unknown_fcm_target_is_forgotten() -> None:
    harness, _ = answered(BadTarget("INVALID_ARGUMENT"))
    assert (targets(harness), len(harness.provider.pushes)) == ([], 1)


def test_an_apns_token_of_the_other_environment_is_found_out_and_remembered() -> None:
    harness, job = waiting()
    harness.device(BOBS_PHONE)

    def answer(push: Push) -> PushResult:
        return Sent() if push.target.environment == SANDBOX else BadTarget("BadDeviceToken")

    harness.provider.answer = answer
    assert run(harness, replace(job, platform=APNS)) == 1
    assert [push.target.environment for push in harness.provider.pushes] == [PRODUCTION, SANDBOX]
    assert len({push.push_id for push in harness.provider.pushes}) == 1
    (device,) = harness.stores.devices.of(["bob"])["bob"]
    assert device.target == replace(BOBS_PHONE, environment=SANDBOX)


def test_an_apns_token_that_neither_environment_knows_is_forgotten() -> None:
    harness, _ = answered(BadTarget("BadDeviceToken"), APNS)
    assert (targets(harness), len(harness.provider.pushes)) == ([], 2)


def test_an_apns_token_stays_where_the_other_environment_can_not_be_asked() -> None:
    harness, job = waiting()
    harness.device(BOBS_PHONE)
    answers: Iterator[PushResult] = iter([BadTarget("BadDeviceToken"), Busy("ServiceUnavailable")])
    harness.provider.answer = lambda _: next(answers)
    run(harness, replace(job, platform=APNS))
    assert targets(harness) == [BOBS_PHONE.token]
    assert [one.tries for one in harness.pushes.jobs] == [1]


@pytest.mark.parametrize(
    ("answer", "metric"), [(Misconfigured("SENDER_ID_MISMATCH"), MISCONFIGURED), (Refused("PayloadTooLarge"), REFUSED)]
)
def test_what_a_person_has_to_look_at_is_counted_and_neither_retried_nor_forgotten(
    answer: PushResult, metric: str
) -> None:
    harness, job = answered(answer)
    assert (targets(harness), harness.pushes.jobs, harness.counted) == ([BOBS_ANDROID.token], [], [metric])
    run(harness, job)
    assert len(harness.provider.pushes) == 1


@pytest.mark.parametrize(
    ("answer", "metric"),
    [
        (Sent(), "PushSent"),
        (Unregistered("UNREGISTERED"), "PushUnregistered"),
        (BadTarget("BadDeviceToken"), "PushBadTarget"),
        (Busy("QUOTA_EXCEEDED"), "PushBusy"),
        (Misconfigured("SENDER_ID_MISMATCH"), MISCONFIGURED),
        (Refused("PayloadTooLarge"), REFUSED),
    ],
)
def test_what_came_of_a_push_is_counted_by_its_outcome(answer: PushResult, metric: str) -> None:
    harness, _ = answered(answer)
    assert harness.observer.counted == {metric: 1}


def test_every_answer_is_reported_and_a_report_names_no_content() -> None:
    harness, _ = answered(Misconfigured("THIRD_PARTY_AUTH_ERROR"))
    ((what, said),) = harness.observer.said
    assert (what, said["device_id"], said["reason"]) == ("push not taken", "phone", "THIRD_PARTY_AUTH_ERROR")
    assert "canary" not in str(said)


def test_a_busy_provider_gets_it_later_for_this_device_alone_and_nobody_waits() -> None:
    harness, job = waiting()
    harness.device(replace(BOBS_ANDROID, token="another"), device_id="tablet")
    harness.provider.answer = lambda push: Sent() if push.target.token == "another" else Busy("UNAVAILABLE")
    assert run(harness, job) == 1
    ((again, delay_s),) = harness.pushes.puts
    assert again == replace(job, tries=1, device_id="phone", not_before=harness.clock() + 5_000)
    assert delay_s == 5
    assert targets(harness) == [BOBS_ANDROID.token, "another"]
    harness.provider.answer = lambda _: Sent()
    harness.clock.advance(5_000)
    assert run(harness, again) == 1
    assert [push.target.token for push in harness.provider.pushes].count("another") == 1


def test_a_retry_that_comes_twice_is_made_once() -> None:
    harness, _ = answered(Busy("UNAVAILABLE", whole_provider=False))
    ((again, _),) = harness.pushes.puts
    harness.provider.answer = lambda _: Sent()
    harness.clock.advance(5_000)
    run(harness, again)
    run(harness, again)
    assert len(harness.provider.pushes) == 2


def test_retry_after_is_honoured_for_everything_that_goes_to_the_provider() -> None:
    harness, _ = answered(Busy("QUOTA_EXCEEDED", retry_after_ms=2 * MINUTE))
    other = harness.job(harness.say())
    assert run(harness, other) == 0
    assert len(harness.provider.pushes) == 1
    first, second = harness.pushes.puts
    assert (first[0].not_before, first[1]) == (harness.clock() + 2 * MINUTE, 120)
    assert second == (replace(other, not_before=harness.clock() + 2 * MINUTE), 120)
    harness.device(BOBS_PHONE, device_id="iphone")
    harness.provider.answer = lambda _: Sent()
    assert run(harness, replace(other, platform=APNS)) == 1
    harness.clock.advance(2 * MINUTE)
    assert run(harness, second[0]) == 1


def test_one_target_that_had_too_much_does_not_stop_the_others() -> None:
    harness, _ = answered(Busy("TooManyRequests", retry_after_ms=MINUTE, whole_provider=False))
    harness.device(replace(BOBS_ANDROID, token="another"), device_id="tablet")
    harness.provider.answer = lambda _: Sent()
    assert run(harness, harness.job(harness.say())) == 2


def test_longer_than_a_queue_can_hold_it_back_it_is_put_back_again_without_a_try() -> None:
    harness, _ = answered(Busy("UNAVAILABLE", retry_after_ms=30 * MINUTE))
    ((again, delay_s),) = harness.pushes.puts
    assert delay_s == 15 * 60
    harness.clock.advance(15 * MINUTE)
    assert run(harness, again) == 0
    assert harness.pushes.puts[1] == (again, 15 * 60)
    harness.clock.advance(15 * MINUTE)
    harness.provider.answer = lambda _: Sent()
    assert run(harness, again) == 1


def test_waits_double_and_tries_end() -> None:
    harness, job = waiting()
    harness.provider.answer = lambda _: Busy("INTERNAL")
    delays = []
    for _ in range(MAX_TRIES):
        run(harness, job)
        if not harness.pushes.puts:
            break
        job, delay_s = harness.pushes.puts.pop()
        delays.append(delay_s)
        job = replace(job, since=harness.clock())  # so that it is the number of tries that ends it, not its age
        harness.clock.advance(delay_s * 1_000)
    assert delays == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900]
    assert (harness.counted, len(harness.provider.pushes)) == ([GIVEN_UP], MAX_TRIES)


def test_what_is_an_hour_old_is_given_up() -> None:
    harness, job = waiting()
    harness.clock.advance(MAX_AGE_MS + 1)
    assert run(harness, job) == 0
    assert (harness.provider.pushes, harness.counted) == ([], [GIVEN_UP])


def test_what_would_be_an_hour_old_by_then_is_not_tried_again() -> None:
    harness, _ = answered(Busy("UNAVAILABLE", retry_after_ms=MAX_AGE_MS + 1))
    assert (harness.pushes.jobs, harness.counted) == ([], [GIVEN_UP])


def test_a_retry_that_can_not_be_queued_is_given_up_and_counted() -> None:
    def refuse(_: Sequence[PushJob]) -> None:
        raise Unavailable

    harness, job = waiting()
    harness.provider.answer = lambda _: Busy("UNAVAILABLE")
    harness.pushes.before_put = refuse
    run(harness, job)
    assert harness.counted == [GIVEN_UP]


def test_a_message_that_does_not_exist_wakes_nobody() -> None:
    harness, job = waiting()
    missing = replace(job, about=AboutMessage(DM, 9))
    assert run(harness, missing) == 0


def told(harness: PushHarness, **fields: object) -> PushJob:
    notification = Notification("n1", "bob", SYSTEM, harness.clock(), harness.clock() + MINUTE, title="Down at noon")
    harness.stores.notifications.put([replace(notification, **fields)])  # type: ignore[arg-type]  # by name
    return PushJob(FCM, "bob", AboutNotification("n1"), since=harness.clock())


def test_a_notice_is_pushed_once_until_it_is_acknowledged() -> None:
    harness, _ = waiting()
    job = told(harness)
    assert run(harness, job) == 1
    assert run(harness, job) == 0
    (push,) = harness.provider.pushes
    assert (push.collapse_id, push.thread_id, push.badge) == ("notice:n1", "notifications", 1)
    assert push.data == {"type": "notification", "notification_id": "n1"}


def test_a_notification_that_was_acknowledged_or_comes_in_quiet_hours_is_not_pushed() -> None:
    from shared.domain.contacts import QuietHours

    harness, _ = waiting()
    job = told(harness)
    harness.profile(quiet_hours=QuietHours("00:00", "23:59", "UTC"))
    assert run(harness, job) == 0
    harness.profile(quiet_hours=None)
    harness.stores.notifications.acknowledge("bob", "n1")
    assert run(harness, job) == 0


def test_a_reminder_comes_whatever_was_read_or_muted_since_it_was_asked_for() -> None:
    harness, _ = waiting()
    read(harness)
    harness.prefer(muted_until=harness.clock() + MINUTE)
    job = told(harness, kind=REMINDER, conversation_id=DM, seq=1, title="Reminder")
    assert run(harness, job) == 1
    (push,) = harness.provider.pushes
    assert push.wording.title_key == "PARLEY_REMINDER"
    assert push.data == {"type": "notification", "notification_id": "n1", "conversation_id": DM, "seq": "1"}


def test_a_reminder_of_a_conversation_that_was_left_or_of_a_deleted_message_does_not_come() -> None:
    harness, _ = waiting()
    job = told(harness, kind=REMINDER, conversation_id=DM, seq=1, title="Reminder")
    harness.stores.leave(DM, "bob")
    assert run(harness, job) == 0
    harness.stores.join(DM, "bob")
    message = harness.stores.entries(DM)[0]
    harness.stores.overwrite(replace(message, content=None, deleted_at=harness.clock()))
    assert run(harness, job) == 0
    harness.stores.overwrite(message)
    assert run(harness, job) == 1


def test_jobs_about_one_message_read_its_conversations_tail_once_for_all_badges() -> None:
    harness, _ = waiting()
    harness.found("alice", *(f"user{number}" for number in range(9)))
    entry = harness.say(conversation_id=GROUP)
    for number in range(9):
        harness.device(replace(BOBS_ANDROID, token=f"t{number}"), user=f"user{number}")
    before = harness.stores.calls.reads(LOG), harness.stores.calls.reads(MEMBERS)
    assert run(harness, *(harness.job(entry, user=f"user{number}") for number in range(9))) == 9
    after = harness.stores.calls.reads(LOG), harness.stores.calls.reads(MEMBERS)
    assert (after[0] - before[0], after[1] - before[1]) == (1 + 1, 9 + 1)


def test_the_badge_is_left_alone_for_who_is_in_more_conversations_than_are_counted() -> None:
    harness, job = waiting()
    for number in range(MAX_COUNTED):
        harness.stores.join(f"dm:a{number}:bob", "bob")
    run(harness, job)
    (push,) = harness.provider.pushes
    assert (push.badge, push.unread) == (None, 1)


def test_a_wait_is_never_shorter_than_was_asked_for() -> None:
    harness, _ = answered(Busy("UNAVAILABLE", retry_after_ms=90_001))
    ((_, delay_s),) = harness.pushes.puts
    assert delay_s == 91
