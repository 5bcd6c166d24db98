"""What `make missed-pushes` takes for a time, and what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from local.errors import CommandError
from ops.missed import moment

NOW = int(datetime(2026, 11, 29, 12, tzinfo=UTC).timestamp() * 1_000)


@pytest.mark.parametrize(
    ("said", "hours"),
    [("90m", 1.5), ("24h", 24), ("3d", 72), ("2026-11-29T08:00+00:00", 4), ("2026-11-29T09:00:00+01:00", 4), ("0h", 0)],
)
def test_so_long_ago_or_at_a_time(said: str, hours: float) -> None:
    assert moment(said, NOW) == NOW - int(hours * 3_600_000)


def test_a_time_without_a_zone_is_this_machines() -> None:
    there = datetime(2026, 11, 29, 8).astimezone()
    assert moment("2026-11-29T08:00", NOW) == int(there.timestamp() * 1_000)


@pytest.mark.parametrize("said", ["", "yesterday", "24", "h", "-3h", "3w", "2026-13-01", "99999999d"])
def test_anything_else_is_said_to_be_none(said: str) -> None:
    with pytest.raises(CommandError) as caught:
        moment(said, NOW)
    assert "24h" in caught.value.hint
