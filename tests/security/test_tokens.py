"""Forged, bent and borrowed tokens at every door that takes one, for tokens by a secret and by published keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from shared.auth.jwks import MIN_REFRESH_MS
from shared.domain.connections import MAX_TOKEN_CHARACTERS
from shared.wire.websocket.frames import MAX_FRAME_BYTES
from tests.security import claim_attacks, header_attacks
from tests.security.claim_attacks import AUDIENCE, ISSUER, named
from tests.security.conftest import Tried
from tests.security.header_attacks import Attack
from tests.security.signing import JWKS_URL, SIGNINGS, Doors, Signing, asked, public_jwk, rsa_key, signed
from tests.shared.auth.minting import NOW_S, claims, segment


def expected(token: str, code: str) -> dict[str, str]:
    """What each door says. A frame is refused for its shape before its token is looked at."""
    is_no_frame = not token or len(token) > MAX_TOKEN_CHARACTERS or "\ud800" in token
    of_frame = "too_large" if len(token) > MAX_FRAME_BYTES else "bad_request" if is_no_frame else code
    return {"verifier": code, "handshake": "denied", "http": code, "frame": of_frame}


def hold_out(attack: Attack, tried: Tried, **checked: str) -> None:
    for algorithm in attack.signings:
        signing = Signing(algorithm)
        token = attack.token(signing)
        answers = Doors(signing.verifier(**checked)).knock(token)
        assert answers == expected(token, attack.code), f"{algorithm}: {attack.name}"
        # Whatever a token says of keys elsewhere: only the configured document is ever fetched, and once.
        assert signing.issuer.fetched in ([], [JWKS_URL])
        tried(len(answers))


def table(*groups: Callable[[], Iterable[Attack]]) -> pytest.MarkDecorator:
    attacks = [attack for group in groups for attack in group()]
    return pytest.mark.parametrize("attack", attacks, ids=lambda attack: ascii(attack.name))


@table(header_attacks.algorithms, header_attacks.confusion, header_attacks.own_keys)
def test_a_token_does_not_choose_how_it_is_checked(attack: Attack, tried: Tried) -> None:
    hold_out(attack, tried)


@table(header_attacks.key_ids, header_attacks.extensions)
def test_what_a_header_asks_for_is_not_done(attack: Attack, tried: Tried) -> None:
    hold_out(attack, tried)


@table(claim_attacks.issuers)
def test_a_token_of_another_issuer_or_for_others_is_no_token(attack: Attack, tried: Tried) -> None:
    hold_out(attack, tried, issuer=ISSUER, audience=AUDIENCE)


@table(claim_attacks.times, claim_attacks.users, claim_attacks.duplicates)
def test_claims_that_are_none_let_nobody_in(attack: Attack, tried: Tried) -> None:
    hold_out(attack, tried)


@table(claim_attacks.signatures, claim_attacks.shapes)
def test_a_token_that_was_bent_is_none(attack: Attack, tried: Tried) -> None:
    hold_out(attack, tried)


# -- controls: the same doors let the honest token in, or nothing above would show anything ----------------------------

ALICE = dict.fromkeys(("verifier", "handshake", "http", "frame"), "alice")


@pytest.mark.parametrize("algorithm", SIGNINGS)
def test_an_honest_token_opens_every_door(algorithm: str, tried: Tried) -> None:
    signing = Signing(algorithm)
    assert Doors(signing.verifier()).knock(signing.sign()) == ALICE
    checking = signing.verifier(issuer=ISSUER, audience=AUDIENCE)
    for audience in (AUDIENCE, [AUDIENCE], ["other", AUDIENCE]):
        assert Doors(checking).knock(signing.sign(named(aud=audience))) == ALICE
    tried(16)


@pytest.mark.parametrize("algorithm", SIGNINGS)
def test_header_fields_that_decide_nothing_keep_nobody_out(algorithm: str, tried: Tried) -> None:
    """Of tokens that the issuer has signed: a foreign key in one is not used, and the issuer's own key is."""
    signing = Signing(algorithm)
    doors = Doors(signing.verifier())
    fields: list[dict[str, Any]] = [
        *({"jku": header_attacks.MALLORYS}, {"jwk": public_jwk(rsa_key("mallory"))}, {"x5c": ["MIIB"]}),
        *({"zip": "DEF"}, {"cty": "JWT"}, {"typ": "at+jwt"}, {"b64": True}),
    ]
    for field in fields:
        assert doors.knock(signing.sign(header=signing.header(**field))) == ALICE
    assert signing.issuer.fetched in ([], [JWKS_URL])
    tried(28)


@pytest.mark.parametrize("algorithm", SIGNINGS)
def test_of_a_claim_that_comes_twice_the_last_one_counts(algorithm: str, tried: Tried) -> None:
    """As RFC 7519, section 4 has it: a reader of the first of two would see another user than is let in here."""
    signing = Signing(algorithm)
    text = f'{{"sub":"mallory","sub":"alice","iat":{NOW_S},"exp":{NOW_S + 60}}}'
    assert Doors(signing.verifier()).knock(signing.sign(text)) == ALICE
    tried(4)


@pytest.mark.parametrize("algorithm", SIGNINGS)
def test_every_single_bit_of_a_signature_counts(algorithm: str, tried: Tried) -> None:
    signing = Signing(algorithm)
    verifier = signing.verifier()
    front, _, last = signing.sign().rpartition(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for place, character in enumerate(last):
        for bit in range(6):
            other = alphabet[alphabet.index(character) ^ (1 << bit)]
            bent = f"{front}.{last[:place]}{other}{last[place + 1 :]}"
            assert asked(verifier, bent) == "unauthenticated"
            tried()


@pytest.mark.parametrize("algorithm", SIGNINGS)
def test_another_spelling_of_a_good_signature_is_the_same_token_or_none(algorithm: str, tried: Tried) -> None:
    """Padding says nothing: no identity but the one that was signed, whatever is put behind."""
    signing = Signing(algorithm)
    verifier = signing.verifier()
    for padding in ("=", "==", "===", "===="):
        assert asked(verifier, signing.sign() + padding) in {"alice", "unauthenticated"}
        changed = f"{segment(signing.header())}.{segment(claims(sub='mallory'))}.{signing.sign().rpartition('.')[2]}"
        assert asked(verifier, changed + padding) == "unauthenticated"
        tried(2)


@pytest.mark.parametrize("blank", [" ", "\t", "\n", "\r\n", "\u00a0"], ids=ascii)
def test_blanks_around_a_token_are_the_headers_and_never_the_tokens(blank: str, tried: Tried) -> None:
    """A header is trimmed, as HTTP has it; in a frame a token stands as it is."""
    signing = Signing("HS256")
    for text in (blank + signing.sign(), signing.sign() + blank):
        answers = Doors(signing.verifier()).knock(text)
        assert (answers["verifier"], answers["frame"]) == ("unauthenticated", "unauthenticated")
        assert (answers["handshake"], answers["http"]) == ("alice", "alice")
        tried(4)


# -- the keys behind a URL ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_flood_of_made_up_keys_fetches_at_most_twice_a_minute(algorithm: str, tried: Tried) -> None:
    signing = Signing(algorithm)
    doors = Doors(signing.verifier())
    for second in range(300):
        token = signing.sign(header=signing.header(kid=f"made-up-{second}"))
        assert asked(doors.verifier, token) == "unauthenticated"
        if second % 10 == 0:
            assert doors.knock(token) == expected(token, "unauthenticated")
            assert asked(doors.verifier, signing.sign()) == "alice"  # and no other user is kept out by it
        signing.clock.advance(1_000)
        tried()
    assert len(signing.issuer.fetched) == 300_000 // MIN_REFRESH_MS
    assert set(signing.issuer.fetched) == {JWKS_URL}


def test_who_is_withdrawn_is_out_and_who_is_new_is_in_after_a_rotation(tried: Tried) -> None:
    signing = Signing("RS256")
    doors = Doors(signing.verifier())
    assert doors.knock(signing.sign()) == ALICE
    signing.issuer.keys = [public_jwk(rsa_key("next"), "rsa-2")]
    signing.clock.advance(MIN_REFRESH_MS)
    fresh = signed(signing.header(kid="rsa-2"), claims(), rsa_key("next"), "RS256")
    assert doors.knock(fresh) == ALICE
    assert doors.knock(signing.sign()) == expected(signing.sign(), "unauthenticated")
    forged = signed(signing.header(kid="rsa-2"), claims(), rsa_key(), "RS256")
    assert doors.knock(forged) == expected(forged, "unauthenticated")
    tried(16)


@pytest.mark.parametrize("error", [OSError("down"), TimeoutError(), ValueError("nonsense")], ids=type)
def test_in_an_outage_nobody_gets_in_by_it_and_nobody_is_called_a_forger(error: Exception, tried: Tried) -> None:
    signing = Signing("ES256")
    signing.issuer.error = error
    doors = Doors(signing.verifier())
    for token in (signing.sign(), signed(signing.header(kid="x"), claims(), rsa_key("mallory"), "RS256")):
        assert set(doors.knock(token).values()) == {"unavailable"}
        tried(4)
    unsigned = f"{segment(signing.header(alg='none'))}.{segment(claims())}."
    assert "alice" not in doors.knock(unsigned).values()
    assert signing.issuer.fetched == [JWKS_URL]
    tried(4)
