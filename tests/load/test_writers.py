"""What many writers in one conversation are promised, in virtual time (ADR 0031)."""

from __future__ import annotations

import pytest

from tests.load.writers import Crowd, burst, by_chance, by_counter, by_transaction, closed_loop, dying_loop, open_loop


def report(crowd: Crowd) -> str:
    return (
        f"{len(crowd.waits)} stored, {dict(crowd.refused)}, {crowd.each('writes'):.2f} writes and "
        f"{crowd.each('reads'):.2f} reads each, median {crowd.at(0.5):.0f} ms, p99 {crowd.at(0.99):.0f} ms"
    )


def check_whole(crowd: Crowd) -> None:
    """All are stored, exactly once, without a gap."""
    assert not crowd.refused, report(crowd)
    crowd.check()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_hundred_messages_a_second_wait_for_less_than_a_third_of_a_second(seed: int) -> None:
    crowd = open_loop(100, seconds=6, seed=seed)
    check_whole(crowd)
    assert crowd.at(0.99) <= 300, report(crowd)
    assert crowd.each("writes") <= 2.4, report(crowd)


@pytest.mark.parametrize("seed", [1, 2])
def test_sixteen_who_never_stop_take_one_and_a_half_writes_a_message_and_each_has_its_turn(seed: int) -> None:
    crowd = closed_loop(16, messages=30, seed=seed)
    check_whole(crowd)
    assert crowd.each("writes") <= 1.5, report(crowd)
    assert crowd.at(1.0) <= 400, report(crowd)


def test_one_who_writes_alone_takes_one_write_each_and_reads_nothing() -> None:
    crowd = closed_loop(1, messages=20)
    check_whole(crowd)
    assert (crowd.each("writes"), crowd.each("reads")) == (1.0, 0.0)


def test_sixty_four_who_never_stop_are_all_served() -> None:
    crowd = closed_loop(64, messages=6)
    check_whole(crowd)
    assert crowd.at(1.0) <= 1_500, report(crowd)


def test_who_dies_waiting_holds_up_nobody_and_is_stored_once_by_the_resend() -> None:
    """No row says who waits, so none is left behind by the dead."""
    crowd = dying_loop(16, messages=15)
    check_whole(crowd)
    assert crowd.died > 50
    assert crowd.at(1.0) <= 2_000, report(crowd)


def test_many_in_the_same_moment_spread_out() -> None:
    crowd = burst(64, within_ms=10)
    check_whole(crowd)
    assert crowd.at(1.0) <= 800, report(crowd)
    assert crowd.each("writes") <= 12, report(crowd)


def test_the_others_are_what_they_are_compared_as() -> None:
    """By chance somebody waits long; a counter is quick, and who dies leaves a gap; a transaction costs the most."""
    chance, counter, transaction = (
        closed_loop(16, messages=10, way=way) for way in (by_chance, by_counter, by_transaction)
    )
    for crowd in (chance, counter, transaction):
        check_whole(crowd)
    assert chance.at(1.0) > 2 * closed_loop(16, messages=10).at(1.0)
    assert counter.each("writes") == 2.0
    assert transaction.each("writes") > 6.0
