"""When a connection was last heard, and until when it counts as living."""

from __future__ import annotations

import pytest

from shared.domain.connections import HEARTBEAT_WINDOW_MS, Identity, opened

MINUTE = 60_000
LIFE = 120 * MINUTE


@pytest.mark.parametrize(
    ("token_ends", "pings", "heard", "expires"),
    [
        (LIFE, [], 0, LIFE),
        (LIFE, [4 * MINUTE], 4 * MINUTE, 4 * MINUTE + HEARTBEAT_WINDOW_MS),
        (LIFE, [4 * MINUTE, 8 * MINUTE], 8 * MINUTE, 8 * MINUTE + HEARTBEAT_WINDOW_MS),
        # From here on a ping moves the end no more.
        (30 * MINUTE, [], 0, 30 * MINUTE),
        (30 * MINUTE, [20 * MINUTE], 20 * MINUTE, 30 * MINUTE),
        (2 * LIFE, [LIFE - 1], LIFE - 1, LIFE),
        (5 * MINUTE, [MINUTE], MINUTE, 5 * MINUTE),
    ],
)
def test_the_last_ping_is_known_to_the_end(token_ends: int, pings: list[int], heard: int, expires: int) -> None:
    connection = opened("c", Identity("alice", token_ends), device_id="phone", connected_at=0)
    for ping in pings:
        connection = opened("c", Identity("alice", token_ends), device_id="phone", connected_at=0).heard_from(ping)
    assert (connection.last_heard_at, connection.expires_at) == (heard, expires)


def test_a_fresh_token_makes_it_as_if_just_opened() -> None:
    """What is stored is when it is given up, which a fresh token moves to its end."""
    connection = opened("c", Identity("alice", 30 * MINUTE), device_id="phone", connected_at=0)
    renewed = connection.heard_from(4 * MINUTE).extended(60 * MINUTE)
    assert renewed.last_heard_at == 0
    assert renewed.heard_from(28 * MINUTE).last_heard_at == 28 * MINUTE
