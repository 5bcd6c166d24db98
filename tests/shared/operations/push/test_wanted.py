"""Who wants to be woken: mutes, mentions, quiet hours, blocks, and what was read meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.domain.contacts import Profile, QuietHours
from shared.domain.entries import Draft
from shared.domain.members import Member, Preferences
from shared.domain.pushes import PushContext
from shared.operations.push.planning import is_quiet, wants_message
from tests.fakes import DM

NOW = 1_795_431_200_000
MESSAGE = replace(Draft(DM, "alice", "hi", "n").following(None, NOW), seq=7)
MEMBER = Member(DM, "bob", NOW)
STANDING = PushContext(MEMBER, Profile(), blocks_sender=False, devices=())


def wants(push_context: PushContext = STANDING, user_id: str = "bob", **changes: object) -> bool:
    return wants_message(replace(MESSAGE, **changes), user_id, push_context, now=NOW)  # type: ignore[arg-type]  # by name


def preferring(**preferences: object) -> PushContext:
    chosen = Preferences(**preferences)  # type: ignore[arg-type]  # by name
    return replace(STANDING, member=replace(MEMBER, preferences=chosen))


def test_a_member_is_woken() -> None:
    assert wants()


def test_nobody_else_is() -> None:
    assert not wants(replace(STANDING, member=None))
    assert not wants(user_id="alice")
    assert not wants(replace(STANDING, blocks_sender=True))


def test_a_deleted_message_wakes_nobody() -> None:
    assert not wants(content=None, deleted_at=NOW)


@pytest.mark.parametrize(("cursors", "is_wanted"), [((7, 0), False), ((0, 7), False), ((8, 8), False), ((6, 6), True)])
def test_what_was_read_or_delivered_meanwhile_wakes_nobody(cursors: tuple[int, int], is_wanted: bool) -> None:
    read, delivered = cursors
    push_context = replace(STANDING, member=replace(MEMBER, read_seq=read, delivered_seq=delivered))
    assert wants(push_context) is is_wanted


def test_what_was_said_before_somebody_joined_is_no_news_to_them() -> None:
    assert not wants(replace(STANDING, member=replace(MEMBER, joined_seq=9)))


@pytest.mark.parametrize(("until", "is_wanted"), [(NOW + 1, False), (NOW, True), (NOW - 1, True), (None, True)])
def test_a_mute_holds_until_it_ends(until: int | None, is_wanted: bool) -> None:
    assert wants(preferring(muted_until=until)) is is_wanted


def test_a_mute_holds_for_mentions_too() -> None:
    assert not wants(preferring(muted_until=NOW + 1), mentions=("bob",))


@pytest.mark.parametrize(
    ("notify", "mentions", "is_wanted"),
    [
        ("all", (), True),
        ("all", ("bob",), True),
        ("mentions", (), False),
        ("mentions", ("carol",), False),
        ("mentions", ("bob",), True),
        ("none", ("bob",), False),
    ],
)
def test_notify_says_which_messages(notify: str, mentions: tuple[str, ...], is_wanted: bool) -> None:
    assert wants(preferring(notify=notify), mentions=mentions) is is_wanted


def test_quiet_hours_hold_for_everything() -> None:
    quiet = QuietHours("00:00", "23:59", "UTC")
    assert not wants(replace(STANDING, profile=Profile(quiet_hours=quiet)), mentions=("bob",))


def quiet_at(hours: tuple[str, str, str], moment: str) -> bool:
    at = int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp() * 1_000)
    return is_quiet(Profile(quiet_hours=QuietHours(*hours)), at)


@pytest.mark.parametrize(
    ("hours", "moment", "is_it"),
    [
        (("13:00", "14:00", "UTC"), "2026-11-25T12:59:59.999", False),
        (("13:00", "14:00", "UTC"), "2026-11-25T13:00:00", True),
        (("13:00", "14:00", "UTC"), "2026-11-25T13:59:59.999", True),
        (("13:00", "14:00", "UTC"), "2026-11-25T14:00:00", False),
        (("22:00", "07:00", "UTC"), "2026-11-25T21:59:59", False),
        (("22:00", "07:00", "UTC"), "2026-11-25T22:00:00", True),
        (("22:00", "07:00", "UTC"), "2026-11-26T06:59:59", True),
        (("22:00", "07:00", "UTC"), "2026-11-26T07:00:00", False),
        (("22:00", "22:00", "UTC"), "2026-11-26T22:00:00", False),
        # Berlin is an hour ahead in winter, two in summer.
        (("22:00", "07:00", "Europe/Berlin"), "2026-01-15T20:59:59", False),
        (("22:00", "07:00", "Europe/Berlin"), "2026-01-15T21:00:00", True),
        (("22:00", "07:00", "Europe/Berlin"), "2026-07-15T20:00:00", True),
        (("22:00", "07:00", "Europe/Berlin"), "2026-07-15T05:00:00", False),
        (("22:00", "07:00", "Asia/Kathmandu"), "2026-11-25T16:14:59", False),
        (("22:00", "07:00", "Asia/Kathmandu"), "2026-11-25T16:15:00", True),
    ],
)
def test_quiet_hours_go_by_the_clock_on_the_users_wall(hours: tuple[str, str, str], moment: str, is_it: bool) -> None:
    assert quiet_at(hours, moment) is is_it


def test_a_zone_that_is_none_any_more_silences_nobody() -> None:
    assert not quiet_at(("00:00", "23:59", "Mars/Olympus"), "2026-11-25T12:00:00")


def test_without_quiet_hours_it_is_never_quiet() -> None:
    assert not is_quiet(Profile(), NOW)
