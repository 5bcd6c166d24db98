"""The provider token: the same for all, and never too old."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from functions.offline_push.apns.provider_token import PERIOD_S, RENEWAL_S, ProviderTokens, key_from
from tests.fakes import FakeClock

HALF_HOUR = 1_795_431_600  # s
PRIVATE = ec.generate_private_key(ec.SECP256R1())


def pem(key: PrivateKeyTypes) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def secret(private_key: Any = None, **changes: Any) -> str:
    fields = {"key_id": "KEY0123456", "team_id": "TEAM012345", "private_key": private_key or pem(PRIVATE)}
    return json.dumps(fields | changes)


def tokens(clock: FakeClock) -> ProviderTokens:
    return ProviderTokens(key_from(secret()), now=clock)


def issued_at(token: str) -> int:
    claims = jwt.decode(token, PRIVATE.public_key(), algorithms=["ES256"], options={"verify_iat": False})
    assert set(claims) == {"iss", "iat"}
    return int(claims["iat"])


def test_it_is_apples_kind_of_token() -> None:
    token = tokens(FakeClock(HALF_HOUR * 1_000)).current()
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "kid": "KEY0123456", "typ": "JWT"}
    claims = jwt.decode(token, PRIVATE.public_key(), algorithms=["ES256"], options={"verify_iat": False})
    assert claims == {"iss": "TEAM012345", "iat": HALF_HOUR}


def test_it_is_the_same_to_the_byte_wherever_it_is_made_in_the_half_hour() -> None:
    times = [HALF_HOUR, HALF_HOUR + 1, HALF_HOUR + PERIOD_S - 1]
    assert len({tokens(FakeClock(at * 1_000)).current() for at in times}) == 1


def test_the_next_half_hour_has_its_own() -> None:
    clock = FakeClock((HALF_HOUR + PERIOD_S) * 1_000 - 1)
    used = tokens(clock)
    assert issued_at(used.current()) == HALF_HOUR
    clock.advance(1)
    assert issued_at(used.current()) == HALF_HOUR + PERIOD_S


def test_one_that_is_too_old_is_replaced_by_one_of_this_second_until_the_next_half_hour() -> None:
    clock = FakeClock((HALF_HOUR + 100) * 1_000)
    used = tokens(clock)
    new = used.instead_of(used.current())
    assert issued_at(new) == HALF_HOUR + 100
    clock.advance(60_000)
    assert used.current() == new
    clock.advance(PERIOD_S * 1_000)
    assert issued_at(used.current()) == HALF_HOUR + PERIOD_S


def test_it_is_not_replaced_again_within_twenty_minutes() -> None:
    clock = FakeClock((HALF_HOUR + 100) * 1_000)
    used = tokens(clock)
    new = used.instead_of(used.current())
    clock.advance(RENEWAL_S * 1_000 - 1_000)
    assert used.instead_of(new) == new
    clock.advance(1_000)
    assert issued_at(used.instead_of(new)) == HALF_HOUR + 100 + RENEWAL_S


def test_several_threads_that_find_it_too_old_get_the_same_new_one() -> None:
    used = tokens(FakeClock((HALF_HOUR + 100) * 1_000))
    old, start = used.current(), threading.Barrier(4)

    def replace(_: int) -> str:
        start.wait()
        return used.instead_of(old)

    with ThreadPoolExecutor(4) as threads:
        (new,) = set(threads.map(replace, range(4)))
    assert new != old


PUBLIC_PEM = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "7",
        "{}",
        secret(key_id=None),
        secret(team_id=7),
        secret("no key"),
        secret(PUBLIC_PEM),
        secret(pem(rsa.generate_private_key(public_exponent=65_537, key_size=1_024))),
        secret(pem(PRIVATE).replace("A", "B")),
    ],
    ids=["nothing", "list", "number", "empty", "no-key-id", "number-team", "no-pem", "public", "rsa", "damaged"],
)
def test_a_secret_that_holds_no_key_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="not a key for APNs"):
        key_from(text)


def test_a_key_shows_nothing_of_itself() -> None:
    assert "BEGIN" not in repr(key_from(secret()))
