from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from shared.adapters.aws.calls import JsonService, ServiceError
from shared.adapters.aws.secrets_manager import KEEP_MS, CachedSecret, secrets_manager
from shared.config import AwsEnvironment
from shared.errors import Unavailable
from tests.fakes import FakeClock
from tests.shared.adapters.aws.servers import reply
from tests.shared.adapters.conftest import Serve

_ARN = "arn:aws:secretsmanager:eu-west-1:1:secret:jwt"


class FakeSecrets(JsonService):
    """A secret that changes, and a service that can be out."""

    def __init__(self, value: str) -> None:
        self.value = value
        self.reads = 0
        self.error: Exception | None = None

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        assert (operation, request) == ("GetSecretValue", {"SecretId": _ARN})
        self.reads += 1
        if self.error is not None:
            raise self.error
        return {"SecretString": self.value, "ARN": _ARN}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_a_secret_is_read_when_first_needed_and_kept(clock: FakeClock) -> None:
    service = FakeSecrets("one")
    secret = CachedSecret(service, _ARN, now=clock)
    assert service.reads == 0
    assert [secret(), secret()] == ["one", "one"]
    clock.advance(KEEP_MS)
    assert secret() == "one"
    assert service.reads == 1


def test_a_rotated_secret_takes_effect_after_five_minutes(clock: FakeClock) -> None:
    service = FakeSecrets("one")
    secret = CachedSecret(service, _ARN, now=clock)
    secret()
    service.value = "two"
    clock.advance(KEEP_MS)
    assert secret() == "one"
    clock.advance(1)
    assert secret() == "two"
    clock.advance(KEEP_MS)
    assert secret() == "two"
    assert service.reads == 2


@pytest.mark.parametrize("error", [Unavailable(), ServiceError("ResourceNotFoundException", "", {})])
def test_a_secret_that_cannot_be_read_is_asked_for_again_by_the_next_call(clock: FakeClock, error: Exception) -> None:
    service = FakeSecrets("one")
    secret = CachedSecret(service, _ARN, now=clock)
    service.error = error
    with pytest.raises(Unavailable):
        secret()
    service.error = None
    assert secret() == "one"


@pytest.mark.parametrize("error", [Unavailable(), ServiceError("AccessDeniedException", "", {})])
def test_an_outage_keeps_the_secret_that_is_known_and_asks_again_later(clock: FakeClock, error: Exception) -> None:
    service = FakeSecrets("one")
    secret = CachedSecret(service, _ARN, now=clock)
    secret()
    service.error = error
    clock.advance(KEEP_MS + 1)
    assert [secret(), secret()] == ["one", "one"]
    assert service.reads == 2
    service.error, service.value = None, "two"
    clock.advance(KEEP_MS + 1)
    assert secret() == "two"


def test_the_secret_comes_over_the_wire_as_the_service_speaks(serve: Serve, clock: FakeClock) -> None:
    server = serve(lambda _: reply(body=b'{"SecretString":"s3cret"}'))
    environment = AwsEnvironment("eu-west-1", "key", "secret", "", server.url)
    assert CachedSecret(secrets_manager(environment), _ARN, now=clock)() == "s3cret"
    (request,) = server.received
    assert request.headers["x-amz-target"] == "secretsmanager.GetSecretValue"
    assert request.headers["content-type"] == "application/x-amz-json-1.1"
    assert "/eu-west-1/secretsmanager/aws4_request" in request.headers["authorization"]


def test_without_an_endpoint_the_regions_own_is_asked() -> None:
    service = secrets_manager(AwsEnvironment("eu-west-1", "key", "secret", "", ""))
    assert service._pool.host == "secretsmanager.eu-west-1.amazonaws.com"
