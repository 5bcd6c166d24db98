from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

import shared.errors
from shared.errors import BadRequest, Internal, ParleyError, RateLimited, Revoked, Unauthenticated, Unavailable

_PROTOCOL = {
    *("bad_request", "unknown_type", "too_large", "unauthenticated", "token_expired", "forbidden", "not_a_member"),
    *("blocked", "banned", "not_found", "conflict", "sync_required", "rate_limited", "unavailable", "internal"),
    "rejected",
}
_STATUS = {
    "bad_request": 400,
    "unknown_type": 400,
    "too_large": 413,
    "unauthenticated": 401,
    "token_expired": 401,
    "forbidden": 403,
    "not_a_member": 404,
    "blocked": 403,
    "banned": 403,
    "rejected": 403,
    "not_found": 404,
    "conflict": 409,
    "sync_required": 409,
    "rate_limited": 429,
    "unavailable": 503,
    "internal": 500,
}


def _below(error: type[ParleyError]) -> Iterator[type[ParleyError]]:
    for child in error.__subclasses__():
        yield child
        yield from _below(child)


# Other tests have some of their own.
EVERY = [error for error in _below(ParleyError) if not error.__module__.startswith("tests.")]
_EACH = pytest.mark.parametrize("error", EVERY, ids=lambda one: one.__name__)


def test_the_codes_are_the_protocols_each_once_but_that_a_revoked_token_is_one_that_is_not_good() -> None:
    codes = [error.code for error in EVERY if error is not Revoked]
    assert sorted(codes) == sorted(_PROTOCOL)
    assert Revoked.code == Unauthenticated.code


def test_the_tree_is_drawn_as_it_is() -> None:
    drawn = re.findall(r"^[│├└─ ]*[├└]── (\w+) +(\w+)", shared.errors.__doc__ or "", flags=re.MULTILINE)
    assert drawn == [(error.__name__, error.code) for error in EVERY]


@_EACH
def test_the_status_fits_the_code(error: type[ParleyError]) -> None:
    assert error().status == _STATUS[error.code]


@_EACH
def test_an_error_says_something_by_itself_and_what_it_is_told(error: type[ParleyError]) -> None:
    assert str(error()) == error().message != ParleyError.default_message
    assert not error().message.endswith(".")
    assert str(error("told")) == error("told").message == "told"


def test_only_what_passes_by_itself_may_be_tried_again() -> None:
    assert {error for error in EVERY if error.retryable} == {RateLimited, Unavailable, Internal}


def test_what_has_a_time_to_come_back_says_it_and_the_rest_does_not() -> None:
    assert {error for error in EVERY if error().retry_after_ms is not None} == {RateLimited, Unavailable}
    assert Unavailable(retry_after_ms=5).retry_after_ms == 5
    assert RateLimited("slow down", retry_after_ms=5).message == "slow down"


def test_a_caller_that_knows_only_the_root_catches_all() -> None:
    with pytest.raises(ParleyError):
        raise BadRequest
