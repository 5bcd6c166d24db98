"""Credentials: read when needed, once, and again when they were refused, but not all the time."""

from __future__ import annotations

import pytest

from functions.offline_push.providers import READ_AGAIN_MS, RETRY_MS, BadCredentials, Credentials
from shared.errors import Unavailable
from tests.fakes import FakeClock
from tests.functions.offline_push.pushes import Secret


class Prepared:
    """What a secret was made into; a new one each time."""

    def __init__(self, text: str) -> None:
        if text == "bad":
            raise ValueError
        self.text = text


def credentials(secret: Secret, clock: FakeClock | None = None) -> Credentials[Prepared]:
    return Credentials(secret, Prepared, now=clock or FakeClock())


def test_nothing_is_read_before_the_first_use_and_once_then() -> None:
    secret = Secret("one")
    used = credentials(secret)
    assert secret.reads == 0
    assert used.get() is used.get()
    assert secret.reads == 1


def test_refused_ones_are_read_again_a_minute_after_the_last_time() -> None:
    secret, clock = Secret("one"), FakeClock()
    used = credentials(secret, clock)
    first = used.get()
    secret.text = "two"
    used.doubt(first)
    clock.advance(READ_AGAIN_MS - 1)
    assert used.get() is first
    clock.advance(1)
    assert used.get().text == "two"
    assert secret.reads == 2


def test_the_same_secret_keeps_its_connections_and_is_not_read_again_until_refused_again() -> None:
    secret, clock = Secret("one"), FakeClock()
    used = credentials(secret, clock)
    first = used.get()
    used.doubt(first)
    for _ in range(3):
        clock.advance(READ_AGAIN_MS)
        assert used.get() is first
    assert secret.reads == 2
    used.doubt(first)
    assert used.get() is first
    assert secret.reads == 3


def test_a_refusal_of_ones_that_were_replaced_says_nothing_of_the_new_ones() -> None:
    secret, clock = Secret("one"), FakeClock()
    used = credentials(secret, clock)
    first = used.get()
    used.doubt(first)
    secret.text = "two"
    clock.advance(READ_AGAIN_MS)
    second = used.get()
    used.doubt(first)
    clock.advance(READ_AGAIN_MS)
    assert used.get() is second
    assert secret.reads == 2


def test_bad_ones_are_read_again_once_a_minute() -> None:
    secret, clock = Secret("bad"), FakeClock()
    used = credentials(secret, clock)
    for _ in range(3):
        with pytest.raises(BadCredentials):
            used.get()
    assert secret.reads == 1
    secret.text = "good"
    clock.advance(READ_AGAIN_MS)
    assert used.get().text == "good"


def test_good_ones_that_are_replaced_by_bad_ones_are_not_used_any_more() -> None:
    secret, clock = Secret("one"), FakeClock()
    used = credentials(secret, clock)
    used.doubt(used.get())
    secret.text = "bad"
    clock.advance(READ_AGAIN_MS)
    with pytest.raises(BadCredentials):
        used.get()


def test_a_secret_out_of_reach_is_asked_for_again_after_a_second() -> None:
    secret, clock = Secret("one", within_reach=False), FakeClock()
    used = credentials(secret, clock)
    for _ in range(3):
        with pytest.raises(Unavailable):
            used.get()
    assert secret.reads == 1
    secret.within_reach = True
    clock.advance(RETRY_MS)
    assert used.get().text == "one"


def test_while_it_is_out_of_reach_the_known_ones_are_used() -> None:
    secret, clock = Secret("one"), FakeClock()
    used = credentials(secret, clock)
    first = used.get()
    used.doubt(first)
    secret.within_reach = False
    clock.advance(READ_AGAIN_MS)
    assert used.get() is first
    secret.text, secret.within_reach = "two", True
    clock.advance(RETRY_MS)
    assert used.get().text == "two"
