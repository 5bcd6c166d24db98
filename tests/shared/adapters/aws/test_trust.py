from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore
import certifi
import pytest

from shared.adapters.aws import trust
from shared.adapters.aws.amazon_roots import PEM
from shared.adapters.aws.calls import ApiGatewayConnections, JsonService
from shared.adapters.aws.transport import Pool, TransportError
from shared.adapters.aws.trust import tls_context
from shared.config import AwsEnvironment
from shared.domain.connections import PostOutcome
from shared.observability import make_logger
from tests.shared.adapters.aws.certificates import tls_contexts
from tests.shared.adapters.aws.servers import Received, Reply, ScriptedServer, reply

AWS = "dynamodb.eu-west-1.amazonaws.com"
ROOTS = {f"Amazon Root CA {number}" for number in range(1, 5)} | {"Starfield Services Root Certificate Authority - G2"}


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TLS_ROOTS", "amazon")
    trust._amazons.cache_clear()
    trust._everybodys.cache_clear()
    yield
    trust._amazons.cache_clear()
    trust._everybodys.cache_clear()


def _names(context: ssl.SSLContext) -> set[str]:
    roots: Any = context.get_ca_certs()
    return {value for one in roots for ((name, value),) in one["subject"] if name == "commonName"}


@pytest.mark.parametrize("source", [Path(certifi.where()), Path(botocore.__file__).with_name("cacert.pem")], ids=str)
def test_the_roots_are_those_that_the_lists_of_all_authorities_have(source: Path) -> None:
    """One that is taken off those lists, or renewed, fails here with the next update of a library."""
    listed = ssl.create_default_context(cafile=source).get_ca_certs(binary_form=True)
    ours = ssl.create_default_context(cadata=PEM).get_ca_certs(binary_form=True)
    assert len(ours) == len(ROOTS)
    assert set(ours) < set(listed)


@pytest.mark.parametrize("host", [AWS, "sqs.cn-north-1.amazonaws.com.cn", "a1.execute-api.us-east-1.amazonaws.com"])
def test_of_an_aws_endpoint_amazons_own_certificate_is_expected(host: str) -> None:
    assert _names(tls_context(host)) == ROOTS


@pytest.mark.parametrize(
    "host", ["example.com", "localhost", "127.0.0.1", "notamazonaws.com", "amazonaws.com.evil.org", ""]
)
def test_any_other_host_may_have_any_authoritys(host: str) -> None:
    assert tls_context(host) is not tls_context(AWS)
    assert type(tls_context(host)) is ssl.SSLContext


@pytest.mark.parametrize("value", ["all", ""])
def test_the_configuration_may_want_all_authorities_for_aws_too(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TLS_ROOTS", value)
    assert tls_context(AWS) is tls_context("example.com")


@pytest.mark.parametrize("host", [AWS, "example.com"])
def test_each_context_is_made_once_and_checks_the_peer_as_pythons_default_does(host: str) -> None:
    context, default = tls_context(host), ssl.create_default_context()
    assert tls_context(host) is context
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert (context.verify_flags, context.options, context.minimum_version) == (
        default.verify_flags,
        default.options,
        default.minimum_version,
    )


def _script(_: Received) -> Reply:
    return reply(body=b'{"there": true}')


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """An endpoint that passes for AWS's, with a certificate that only the system's list has."""
    for_server, _ = tls_contexts(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "localhost.pem"))
    monkeypatch.setattr(trust, "_AWS", ("localhost", "127.0.0.1"))
    with ScriptedServer(_script, tls=for_server) as server:
        yield server


def test_an_endpoint_with_another_authoritys_certificate_is_dialled_again_with_the_whole_list(
    foreign: ScriptedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    make_logger("test-trust", "INFO")
    environment = AwsEnvironment("eu-west-1", "key", "secret", "", foreign.url)
    service = JsonService(service="s", target_prefix="T", content_type="application/json", environment=environment)
    assert [service.call("Ask", {}), service.call("Ask", {})] == [{"there": True}] * 2
    assert [one.connection for one in foreign.received] == [1, 1]
    assert capsys.readouterr().out.count("certificate is not Amazon's") == 1


@pytest.mark.parametrize("recipients", [1, 3])
def test_nobody_misses_a_post_for_it(foreign: ScriptedServer, recipients: int) -> None:
    gateway = ApiGatewayConnections(foreign.url, AwsEnvironment("eu-west-1", "key", "secret", "", ""))
    posted = gateway.post([f"c{number}" for number in range(recipients)], b"{}")
    assert [one.outcome for one in posted] == [PostOutcome.SENT] * recipients


def test_every_pool_of_the_process_profits(foreign: ScriptedServer) -> None:
    pools = [Pool(foreign.url) for _ in range(3)]
    assert [pool.request("GET", "/", {"host": "x"}, b"").status for pool in pools] == [200] * 3
    assert foreign.accepted == len(pools) + 1  # the first handshake of all was in vain


def test_a_certificate_for_another_host_is_refused_for_good(foreign: ScriptedServer, tmp_path: Path) -> None:
    tls_context("localhost").load_verify_locations(tmp_path / "localhost.pem")
    pool = Pool(foreign.url.replace("localhost", "127.0.0.1"))
    for _ in range(2):
        with pytest.raises(TransportError):
            pool.request("GET", "/", {"host": "x"}, b"")
    assert foreign.received == []
    assert tls_context("localhost").sslsocket_class is trust._Widening


def test_one_that_no_list_has_is_refused_for_good(foreign: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    for _ in range(3):
        with pytest.raises(TransportError):
            Pool(foreign.url).request("GET", "/", {"host": "x"}, b"")
    assert foreign.received == []
