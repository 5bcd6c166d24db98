"""When a connection was last heard, as its expiry tells."""

from __future__ import annotations

import pytest

from shared.domain.connections import HEARTBEAT_WINDOW_MS, Identity, opened

MINUTE = 60_000
LIFE = 120 * MINUTE


@pytest.mark.parametrize(
    ("token_ends", "pings", "now", "heard"),
    [
        (LIFE, [], 1, 0),
        (LIFE, [4 * MINUTE], 5 * MINUTE, 4 * MINUTE),
        (LIFE, [4 * MINUTE, 8 * MINUTE], 9 * MINUTE, 8 * MINUTE),
        (30 * MINUTE, [8 * MINUTE], 9 * MINUTE, 8 * MINUTE),
        # From here on a ping moves nothing: it may have come, or not.
        (30 * MINUTE, [], 18 * MINUTE, None),
        (30 * MINUTE, [20 * MINUTE], 21 * MINUTE, None),
        (2 * LIFE, [], LIFE - HEARTBEAT_WINDOW_MS, None),
        (2 * LIFE, [], LIFE - HEARTBEAT_WINDOW_MS - 1, 0),
    ],
)
def test_the_last_ping_is_told_until_pings_move_nothing_any_more(
    token_ends: int, pings: list[int], now: int, heard: int | None
) -> None:
    connection = opened("c", Identity("alice", token_ends), device_id="phone", connected_at=0)
    for ping in pings:
        connection = opened("c", Identity("alice", token_ends), device_id="phone", connected_at=0).heard_from(ping)
    assert connection.last_heard_at(now) == heard


def test_a_fresh_token_makes_it_as_if_just_opened() -> None:
    """What is stored is when it is given up, which a fresh token moves to its end."""
    connection = opened("c", Identity("alice", 30 * MINUTE), device_id="phone", connected_at=0)
    renewed = connection.heard_from(4 * MINUTE).extended(60 * MINUTE)
    assert renewed.last_heard_at(25 * MINUTE) == 0
    assert renewed.heard_from(28 * MINUTE).last_heard_at(29 * MINUTE) == 28 * MINUTE
