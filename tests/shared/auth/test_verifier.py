from __future__ import annotations

import json

from shared.auth.jwks import JwksKeys
from shared.auth.tokens import SecretKey, make_verifier
from shared.config import AuthorizerSettings, AwsEnvironment
from tests.fakes import FakeClock
from tests.shared.adapters.aws.servers import ScriptedServer, reply
from tests.shared.auth.minting import NOW_MS, SECRET, claims, token

_SETTINGS = AuthorizerSettings(
    tickets_table="t",
    jwt_secret_arn="arn:secret",
    jwks_url="",
    jwt_issuer="",
    jwt_audience="",
    allowed_origins="",
    log_level="",
    stage="test",
    request_log="off",
    tls_roots="amazon",
)
# No server listens there: whatever is fetched too early fails.
_NOWHERE = AwsEnvironment("eu-west-1", "key", "secret", "", "http://127.0.0.1:9")


def test_without_a_jwks_url_tokens_are_checked_with_the_secret() -> None:
    verifier = make_verifier(_SETTINGS, _NOWHERE, now=FakeClock())
    assert isinstance(verifier._keys, SecretKey)
    assert verifier._keys.algorithms == ("HS256",)


def test_with_a_jwks_url_they_are_checked_with_its_keys_and_never_with_a_secret() -> None:
    settings = AuthorizerSettings(**{**vars(_SETTINGS), "jwks_url": "https://issuer.example/jwks.json"})
    verifier = make_verifier(settings, _NOWHERE, now=FakeClock())
    assert isinstance(verifier._keys, JwksKeys)
    assert verifier._keys.algorithms == ("RS256", "ES256")


def test_issuer_and_audience_come_from_the_settings() -> None:
    settings = AuthorizerSettings(**{**vars(_SETTINGS), "jwt_issuer": "i", "jwt_audience": "a"})
    verifier = make_verifier(settings, _NOWHERE, now=FakeClock())
    assert (verifier._issuer, verifier._audience) == ("i", "a")


def test_the_secret_is_read_with_the_first_token_and_kept() -> None:
    body = json.dumps({"SecretString": SECRET}).encode()
    with ScriptedServer(lambda _: reply(body=body, headers="Connection: close\r\n")) as server:
        environment = AwsEnvironment("eu-west-1", "key", "secret", "", server.url)
        verifier = make_verifier(_SETTINGS, environment, now=lambda: NOW_MS)
        assert server.received == []
        assert [verifier.verify(token(claims(sub=user))).user_id for user in ("alice", "bob")] == ["alice", "bob"]
        assert len(server.received) == 1
