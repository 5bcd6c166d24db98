"""Profiles: what may stand in one."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import Any

import pytest

from shared.domain.contacts import Profile, QuietHours
from shared.errors import BadRequest
from shared.operations.contacts import check_profile, update_profile
from shared.ports.people import Profiles
from tests.stepping import Stepper, explore
from tests.stores import Simulated, simulated
from tests.wiring import parts

NIGHT = QuietHours("22:00", "07:00", "Europe/Berlin")


@pytest.mark.parametrize(
    "profile",
    [
        Profile(),
        Profile("A", "https://example.org/a.png", previews=False, quiet_hours=NIGHT),
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


CHANGES: dict[str, Any] = {
    "display_name": "A",
    "avatar_url": "https://example.org/a.png",
    "previews": False,
    "quiet_hours": NIGHT,
    "groups_from": "contacts",
    "mail": "off",
}


@pytest.mark.parametrize("names", list(combinations(CHANGES, 2)), ids=str)
def test_two_who_change_different_fields_lose_neither_in_any_interleaving(names: tuple[str, str]) -> None:
    def build(stepper: Stepper) -> Profiles:
        stores = simulated()
        profiles = stores.profiles
        profiles.update("alice", {"display_name": "Old", "avatar_url": "https://old"})
        port = stepper.wrap(profiles)
        for name in names:
            stepper.add(
                partial(update_profile, "alice", {name: CHANGES[name]}, **parts(replace(stores, profiles=port)))
            )
        return profiles

    for profiles in explore(build):
        stored = profiles.get("alice")
        assert {name: getattr(stored, name) for name in names} == {name: CHANGES[name] for name in names}


def test_a_change_names_what_it_changes_and_nothing_else(stores: Simulated) -> None:
    profiles = stores.profiles
    update_profile("alice", CHANGES, **parts(stores))
    assert update_profile("alice", {"quiet_hours": None}, **parts(stores)) == profiles.get("alice")
    others = {name: CHANGES[name] for name in ("avatar_url", "previews", "groups_from", "mail")}
    assert profiles.get("alice") == Profile("A", **others)
    with pytest.raises(BadRequest):
        update_profile("alice", {"display_name": "", "previews": True}, **parts(stores))
    assert not profiles.get("alice").previews
