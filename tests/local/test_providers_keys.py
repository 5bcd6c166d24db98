import datetime as dt
import json
import socket
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from local.providers import key_making
from local.providers.serving import Providers


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    key_making.prepare(tmp_path / "providers")
    return tmp_path / "providers"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_keys_are_made_once(folder: Path) -> None:
    before = contents(folder)
    key_making.prepare(folder)
    assert contents(folder) == before


def test_keys_are_their_owners_alone(folder: Path) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {"ca.pem": 0o644, "server.pem": 0o600, "fcm.key": 0o600, "apns.p8": 0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_what_is_missing_is_made_anew_and_the_rest_stays(folder: Path) -> None:
    before = contents(folder)
    (folder / "fcm.key").unlink()
    key_making.prepare(folder)
    after = contents(folder)
    assert [name for name in before if after[name] != before[name]] == ["fcm.key"]


@pytest.mark.parametrize("broken", [b"", b"nonsense"])
def test_a_broken_certificate_is_made_anew(folder: Path, broken: bytes) -> None:
    (folder / "server.pem").write_bytes(broken)
    with Providers(folder) as providers:
        assert providers.ca_file.read_bytes() in contents(folder)["server.pem"]


def test_a_certificate_is_renewed_before_it_ends(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(folder)
    monkeypatch.setattr(key_making, "RENEWED_BEFORE", dt.timedelta(days=826))
    key_making.prepare(folder)
    after = contents(folder)
    assert sorted(name for name in before if after[name] != before[name]) == ["ca.pem", "server.pem"]


def test_a_ca_file_that_fell_behind_is_put_right(folder: Path) -> None:
    before = contents(folder)
    (folder / "ca.pem").write_text("of an earlier start")
    key_making.prepare(folder)
    assert contents(folder) == before


def test_whoever_trusts_the_ca_trusts_this_server_alone(folder: Path) -> None:
    """The CA's key is nowhere, so that nothing else can be signed with it."""
    ca = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    marker = b"-----BEGIN PRIVATE KEY-----"
    blocks = [block for content in contents(folder).values() for block in content.split(marker)[1:]]
    found = [serialization.load_pem_private_key(marker + block, None).public_key() for block in blocks]
    assert len(found) == 3
    assert ca.public_key() not in found


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_the_server_is_known_by_its_names_and_no_other(folder: Path, name: str) -> None:
    with Providers(folder) as providers:
        context = ssl.create_default_context(cafile=providers.ca_file)
        address = ("127.0.0.1", int(providers.fcm_endpoint.rpartition(":")[2]))
        with socket.create_connection(address, 10) as raw, context.wrap_socket(raw, server_hostname=name) as tls:
            assert tls.version() == "TLSv1.3"
        with socket.create_connection(address, 10) as raw, pytest.raises(ssl.SSLCertVerificationError):
            context.wrap_socket(raw, server_hostname="fcm.googleapis.com")


def test_the_secrets_are_as_google_and_apple_give_them(folder: Path) -> None:
    with Providers(folder) as providers:
        account, key = json.loads(providers.fcm_secret), json.loads(providers.apns_secret)
        assert account["token_uri"] == f"{providers.fcm_endpoint}/token"
        assert (account["type"], account["project_id"]) == ("service_account", "parley-local")
        assert set(key) == {"key_id", "team_id", "private_key"}


def test_a_port_that_is_taken_is_an_error_at_the_start(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"), Providers(folder, sandbox_port=taken.getsockname()[1]):
            pass


def test_given_ports_are_used(folder: Path) -> None:
    with Providers(folder) as first:
        ports = [int(url.rpartition(":")[2]) for url in (first.fcm_endpoint, first.inspect_url)]
    with Providers(folder, fcm_port=ports[0], inspect_port=ports[1]) as second:
        assert (second.fcm_endpoint, second.inspect_url) == (first.fcm_endpoint, first.inspect_url)
