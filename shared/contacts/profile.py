"""A user's own profile."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.domain.contacts import Profile
from shared.domain.text import is_label
from shared.errors import BadRequest
from shared.ports.people import Profiles

MAX_DISPLAY_NAME: Final = 100
MAX_AVATAR_URL: Final = 1_000
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_ZONE: Final = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}")


def check_profile(profile: Profile, *, stored: Profile | None = None) -> None:
    """Raises BadRequest for a blank or long name, an avatar that is no https URL, quiet hours that are no times.

    What is `stored` stays good, by whatever rule it was taken.
    """
    name, avatar, quiet = profile.display_name, profile.avatar_url, profile.quiet_hours
    is_new = stored is None or name != stored.display_name
    if name is not None and is_new and (len(name) > MAX_DISPLAY_NAME or not is_label(name)):
        raise BadRequest(
            f"A display name has 1 to {MAX_DISPLAY_NAME} characters, is not blank, and holds no control character"
        )
    if avatar is not None and (not avatar.startswith("https://") or len(avatar) > MAX_AVATAR_URL):
        raise BadRequest(f"An avatar is an https URL of at most {MAX_AVATAR_URL:,} characters")
    if quiet is None:
        return
    if not (_TIME.fullmatch(quiet.start) and _TIME.fullmatch(quiet.end)):
        raise BadRequest("Quiet hours start and end at times like 22:00")
    if not _is_time_zone(quiet.time_zone):
        raise BadRequest("Quiet hours need a time zone like Europe/Berlin")


def update_profile(user_id: str, changes: Mapping[str, Any], *, profiles: Profiles) -> Profile:
    """Change the named fields of the user's profile, and no others; None clears. Raises what `check_profile` raises.

    One update, so that of two at once none is lost. A name is compared with the stored one before.
    """
    given = replace(Profile(), **{name: value for name, value in changes.items() if value is not None})
    check_profile(given, stored=profiles.get(user_id) if given.display_name is not None else None)
    return profiles.update(user_id, changes)


def _is_time_zone(name: str) -> bool:
    if not _ZONE.fullmatch(name):
        return False
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
