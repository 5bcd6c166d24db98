"""`make missed-pushes`: who missed a push while the push function was down, and having them pushed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from local.console import fact
from local.errors import CommandError
from ops.pushes import deployed
from shared.domain.notifications import About, AboutMessage, AboutNotification
from shared.domain.pushes import SweepPart
from shared.operations.push.missed import MAX_WINDOW_MS, find_missed, queue_missed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local.settings import Settings

_UNITS: Final = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
_AGO: Final = re.compile(r"([0-9]{1,5})([mhd])")
_HINT: Final = (
    "Say it as 90m, 24h or 3d ago, or as a time such as 2026-11-28T20:00 (this machine's, if it names no zone)"
)
_SHOWN: Final = 40


def missed_pushes(settings: Settings, *, since: str, until: str | None, dry: bool, on_aws: bool) -> int:
    """Look at every user with a device, and have pushed what they missed; unless `dry`, which only shows it.

    It is what the functions do by themselves twice a day, of the last three days: safe to repeat, for each push is
    claimed before it is made. Returns how many were missed.

    Raises:
        CommandError: a time that can't be, or no such stack.

    """
    place = deployed(settings, on_aws=on_aws)
    now = place.context.now()
    first = moment(since, now)
    last = now if until is None else moment(until, now)
    if not first < last <= now:
        raise CommandError("SINCE is before UNTIL, and neither is in the future", _HINT)
    if now - first > MAX_WINDOW_MS:
        raise CommandError("It can't be told any more what was pushed over two weeks ago", "Say SINCE=14d at most")
    missed, users, looked = 0, set[str](), 0
    part: SweepPart | None = SweepPart(first, last)
    while part is not None:
        place.begin()
        found = find_missed(part, stores=place.stores, services=place.services, now=place.context.now())
        missed += _show(found.missed, shown=missed)
        if not dry:
            queue_missed(found.missed, stores=place.stores, services=place.services, context=place.context)
        users |= {user for some in found.missed.values() for user in some}
        looked += found.users
        part = found.next
    fact("looked at", f"{looked:,} users with devices")
    _conclude(missed, len(users), dry=dry)
    return missed


def _conclude(missed: int, users: int, *, dry: bool) -> None:
    if not missed:
        fact("missed", "nothing")
    elif dry:
        fact("missed", f"{missed:,} by {users:,} users; nothing was queued (without DRY=1 it is)")
    else:
        fact("queued", f"{missed:,} for {users:,} users. Who is connected gets the event first, and a push if need be")


def _show(missed: Mapping[About, Sequence[str]], *, shown: int) -> int:
    """One line for each, of the first; ids and nothing else. Returns how many there were."""
    count = 0
    for about, users in missed.items():
        for user in users:
            if shown + count < _SHOWN:
                print(f"  {user}: {_named(about)}")
            elif shown + count == _SHOWN:
                print("  …")
            count += 1
    return count


def _named(about: About) -> str:
    match about:
        case AboutMessage():
            return f"{about.conversation_id} {about.seq}"
        case AboutNotification():
            return f"notification {about.notification_id}"


def moment(said: str, now: int) -> int:
    """A time in milliseconds. Raises CommandError."""
    if match := _AGO.fullmatch(said):
        return now - int(match[1]) * _UNITS[match[2]]
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        raise CommandError(f"{said!r} is no time", _HINT) from None
    return int((at if at.tzinfo else at.astimezone()).astimezone(UTC).timestamp() * 1_000)
