"""What is remembered of users and connections, and what is forgotten first."""

from __future__ import annotations

from shared.limits.limiters import Recent


def test_what_was_used_last_is_kept_and_what_was_not_is_forgotten_first() -> None:
    recent: Recent[int] = Recent()
    for number in range(2_000):
        recent.remember(f"k{number}", number)
    assert recent.recall("k0", lambda: -1) == 0
    recent.remember("k1", 11)
    recent.remember("one more", 0)
    assert (len(recent), "k2" in recent) == (2_000, False)
    assert (recent["k0"], recent["k1"], recent["k3"]) == (0, 11, 3)


def test_what_is_not_known_is_made_once_whatever_it_is() -> None:
    recent: Recent[list[int]] = Recent()
    first = recent.recall("k", list)
    first.append(1)
    first.clear()
    assert recent.recall("k", lambda: [9]) is first
