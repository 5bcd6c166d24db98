"""Identity providers: tokens with the claims that docs/guides/identity-providers.md shows, and its settings.

Their key sets are served on this machine, over TLS, and fetched as the authorizer does.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from infra.config import Config
from shared.auth.jwks import JwksKeys
from shared.auth.tokens import TokenVerifier
from shared.errors import Unauthenticated
from tests.fakes import FakeClock
from tests.shared.adapters.aws.certificates import tls_contexts
from tests.shared.adapters.aws.servers import ScriptedServer, reply

PAGE = Path(__file__).parents[3] / "docs/guides/identity-providers.md"
USERS = {
    "Amazon Cognito": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
    "Auth0": "auth0.507f1f77bcf86cd799439020",
    "Firebase Auth": "ZwVsFYhQuMNhyQcWtmWFNgSqXyz1",
    "Keycloak": "f2d3c6f5-0b4e-4a8c-9a55-3b7a6e1f0c22",
}
KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
FOR_ENCRYPTION = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


@dataclass(frozen=True)
class Provider:
    """What the page says of one: what to set, and what a token of theirs has in it."""

    config: Config
    claims: dict[str, Any]


def provider(name: str) -> Provider:
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {name}\n")[1].split("\n## ")[0]
    (settings,) = re.findall(r"```sh\n(.*?)```", section, flags=re.DOTALL)
    (claims,) = re.findall(r"```json\n(.*?)```", section, flags=re.DOTALL)
    assert settings.rstrip().endswith("make deploy")
    variables = dict(re.findall(r"(PARLEY_\w+)=(\S+)", settings))
    return Provider(Config.load({}, variables), json.loads(claims))


def published(key: rsa.RSAPrivateKey, kid: str, **more: Any) -> dict[str, Any]:
    return {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, **more}


@pytest.fixture
def key_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a key set as providers have them: with certificates, more than one key, and one for encryption."""
    server, client = tls_contexts(tmp_path)
    monkeypatch.setattr(ssl, "create_default_context", lambda: client)
    entries = [
        published(FOR_ENCRYPTION, "enc-1", use="enc", alg="RSA-OAEP"),
        published(KEY, "sig-1", use="sig", alg="RS256", x5t="NzEy", x5c=["MIIC"]),
        published(FOR_ENCRYPTION, "sig-0", use="sig", alg="RS256"),
    ]
    body = json.dumps({"keys": [{key: value for key, value in entry.items() if key != "key_ops"} for entry in entries]})
    with ScriptedServer(lambda _: reply(body=body.encode(), then="close"), tls=server) as running:
        yield f"{running.url}/keys"


def signed(claims: dict[str, Any], *, kid: str = "sig-1", key: rsa.RSAPrivateKey = KEY) -> str:
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": kid})


def verifier(of: Provider, key_set: str) -> TokenVerifier:
    clock = FakeClock(of.claims["iat"] * 1_000 + 60_000)
    keys = JwksKeys(key_set, now=clock)
    return TokenVerifier(keys, issuer=of.config.jwt_issuer, audience=of.config.jwt_audience, now=clock)


def test_the_page_has_these_providers() -> None:
    rows = re.findall(r"^\| \[([^\]]+)\]\(#", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert rows == list(USERS)


@pytest.mark.parametrize("name", USERS)
def test_all_three_settings_are_named_and_a_token_of_theirs_is_let_in(name: str, key_set: str) -> None:
    of = provider(name)
    assert of.config.jwks_url.startswith("https://")
    assert of.config.jwt_issuer == of.claims["iss"]
    identity = verifier(of, key_set).verify(signed(of.claims))
    assert identity.user_id == USERS[name]
    assert identity.expires_at == of.claims["exp"] * 1_000
    assert not identity.scopes & {"admin", "moderation", "notifications:send", "broadcasts:send", "guest"}


@pytest.mark.parametrize("name", USERS)
@pytest.mark.parametrize(
    "other",
    [
        {"aud": "another app"},
        {"aud": ["another app"]},
        {"aud": None},
        {"iss": "https://elsewhere.example.com/"},
        {"iss": None},
    ],
    ids=["of another app", "of several others", "for none", "of another issuer", "of none"],
)
def test_what_is_meant_for_others_is_refused(name: str, other: dict[str, Any], key_set: str) -> None:
    of = provider(name)
    changed = {key: value for key, value in {**of.claims, **other}.items() if value is not None}
    with pytest.raises(Unauthenticated):
        verifier(of, key_set).verify(signed(changed))


@pytest.mark.parametrize("name", USERS)
def test_only_their_key_for_signatures_counts(name: str, key_set: str) -> None:
    of = provider(name)
    for kid in ("enc-1", "sig-0", "gone"):
        with pytest.raises(Unauthenticated):
            verifier(of, key_set).verify(signed(of.claims, kid=kid, key=KEY if kid == "sig-0" else FOR_ENCRYPTION))


def test_an_access_token_of_cognito_has_no_audience_and_is_refused(key_set: str) -> None:
    of = provider("Amazon Cognito")
    access = {
        **of.claims,
        "token_use": "access",
        "client_id": of.claims["aud"],
        "scope": "aws.cognito.signin.user.admin",
    }
    del access["aud"]
    with pytest.raises(Unauthenticated):
        verifier(of, key_set).verify(signed(access))


def test_a_token_of_auth0_without_the_actions_claim_names_no_user(key_set: str) -> None:
    of = provider("Auth0")
    plain = {key: value for key, value in of.claims.items() if key != "user_id"}
    with pytest.raises(Unauthenticated):
        verifier(of, key_set).verify(signed(plain))


def test_cognitos_own_scope_for_users_is_not_the_scope_of_administrators(key_set: str) -> None:
    of = provider("Amazon Cognito")
    token = signed({**of.claims, "scope": "aws.cognito.signin.user.admin openid"})
    assert "admin" not in verifier(of, key_set).verify(token).scopes
