"""Profiles: what may stand in one."""

from __future__ import annotations

import pytest

from shared.contacts.models import Profile, QuietHours
from shared.contacts.profile import check_profile
from shared.errors import BadRequest

NIGHT = QuietHours("22:00", "07:00", "Europe/Berlin")


@pytest.mark.parametrize(
    "profile",
    [
        Profile(),
        Profile("A", "https://example.org/a.png", hide_presence=True, previews=False, quiet_hours=NIGHT),
        Profile("x" * 100, "https://" + "x" * 992),
        Profile(quiet_hours=QuietHours("00:00", "23:59", "UTC")),
        Profile(quiet_hours=QuietHours("07:00", "07:00", "America/Argentina/Buenos_Aires")),
        Profile(quiet_hours=QuietHours("07:00", "08:00", "Etc/GMT+5")),
    ],
)
def test_this_is_a_profile(profile: Profile) -> None:
    check_profile(profile)


@pytest.mark.parametrize(
    "profile",
    [
        Profile(display_name=""),
        Profile(display_name=" \t"),
        Profile(display_name="x" * 101),
        Profile(avatar_url="http://example.org/a.png"),
        Profile(avatar_url="javascript:alert(1)"),
        Profile(avatar_url="https://" + "x" * 993),
        Profile(quiet_hours=QuietHours("24:00", "07:00", "UTC")),
        Profile(quiet_hours=QuietHours("22:00", "7:00", "UTC")),
        Profile(quiet_hours=QuietHours("22:00", "07:60", "UTC")),
        Profile(quiet_hours=QuietHours("22:00\n", "07:00", "UTC")),
        Profile(quiet_hours=QuietHours("22:00", "07:00", "Europe/Atlantis")),
        Profile(quiet_hours=QuietHours("22:00", "07:00", "")),
        Profile(quiet_hours=QuietHours("22:00", "07:00", "../../etc/passwd")),
        Profile(quiet_hours=QuietHours("22:00", "07:00", "/etc/localtime")),
        Profile(quiet_hours=QuietHours("22:00", "07:00", "Europe")),
    ],
)
def test_this_is_none(profile: Profile) -> None:
    with pytest.raises(BadRequest):
        check_profile(profile)
