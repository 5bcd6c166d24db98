"""What must stay true of firebase-admin's private parts, which one module replaces: read this when an update fails."""

from __future__ import annotations

import json
import logging
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import firebase_admin  # type: ignore[import-untyped]
import pytest
import requests
import urllib3
from firebase_admin import _http_client, messaging
from google.auth.transport.requests import AuthorizedSession

from functions.offline_push.fcm import firebase
from functions.offline_push.fcm.firebase import FCM_ORIGIN, Project
from functions.offline_push.fcm.gateway import FcmGateway
from functions.offline_push.providers import Timeouts
from local.providers.keys import Keys
from local.providers.serving import Providers
from shared.domain.pushes import Busy
from tests.functions.offline_push.pushes import PATIENT, everything_logged, fcm_push

TIMEOUTS = Timeouts(connect_s=3, read_s=4)


@pytest.fixture
def project(providers: Providers) -> Iterator[Project]:
    account = json.loads(providers.fcm_secret)
    project = Project(account, endpoint="", ca_file=str(providers.ca_file), timeouts=TIMEOUTS)
    yield project
    project.close()


def service_of(project: Project) -> Any:
    return messaging._get_messaging_service(project._app)


def test_it_is_the_version_that_this_was_written_for() -> None:
    assert firebase_admin.__version__ == "7.7.0"


def test_the_service_sends_with_the_client_that_was_put_into_it(project: Project) -> None:
    client = service_of(project)._client
    assert type(client) is _http_client.JsonHttpClient
    assert client.timeout == (3, 4)
    assert type(client.session) is AuthorizedSession
    for url in (f"{FCM_ORIGIN}/v1/x", "https://oauth2.googleapis.com/token"):
        assert type(client.session.get_adapter(url)) is firebase._Adapter


def test_the_service_is_made_once_so_that_the_client_stays(project: Project) -> None:
    assert service_of(project) is service_of(project)


def test_messages_go_to_where_the_endpoint_is_taken_for(project: Project) -> None:
    assert service_of(project)._fcm_url == f"{FCM_ORIGIN}/v1/projects/parley-local/messages:send"


def test_no_adapter_retries_or_waits_by_itself(project: Project) -> None:
    for session in project._sessions:
        retries = session.get_adapter(FCM_ORIGIN).max_retries  # type: ignore[attr-defined]
        assert (retries.total, retries.read) == (0, False)
        assert (session.trust_env, session.max_redirects) == (False, 0)


def test_without_an_endpoint_messages_go_to_google(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []

    def send(_: Any, request: requests.PreparedRequest, **__: Any) -> requests.Response:
        asked.append(request.url)
        response = requests.Response()
        response._content = b""
        return response

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    for endpoint in ("", "https://localhost:1/"):
        for path in (f"{FCM_ORIGIN}/v1/a", "https://oauth2.googleapis.com/token", "https://fcm.googleapis.community/"):
            firebase._Adapter(endpoint).send(requests.Request("POST", path).prepare())
    assert asked == [
        f"{FCM_ORIGIN}/v1/a",
        "https://oauth2.googleapis.com/token",
        "https://fcm.googleapis.community/",
        "https://localhost:1/v1/a",
        "https://oauth2.googleapis.com/token",
        "https://fcm.googleapis.community/",
    ]


NO_ANSWER = urllib3.exceptions.ProtocolError("Connection aborted.", ConnectionResetError())
TOO_LONG = urllib3.exceptions.ProtocolError("Connection aborted.", TimeoutError())
REFUSED = urllib3.exceptions.NewConnectionError(urllib3.connection.HTTPConnection("localhost"), "refused")
READING = urllib3.exceptions.ReadTimeoutError(urllib3.HTTPConnectionPool("localhost"), "/", "timed out")


def tls(error: ssl.SSLError) -> urllib3.exceptions.MaxRetryError:
    pool = urllib3.HTTPSConnectionPool("localhost")
    return urllib3.exceptions.MaxRetryError(pool, "/", urllib3.exceptions.SSLError(error))


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (requests.ConnectionError(NO_ANSWER), True),
        (requests.exceptions.ChunkedEncodingError(NO_ANSWER), True),
        (requests.exceptions.SSLError(tls(ssl.SSLEOFError())), True),
        (requests.exceptions.SSLError(tls(ssl.SSLCertVerificationError())), False),
        (requests.ConnectionError(TOO_LONG), False),
        (requests.ConnectionError(READING), False),
        (requests.ConnectionError(REFUSED), False),
        (requests.Timeout(), False),
    ],
    ids=str,
)
def test_only_a_connection_that_was_lost_is_worth_another_try_at_once(
    error: requests.RequestException, *, lost: bool
) -> None:
    assert firebase._was_lost(error) is lost


def test_the_libraries_do_not_log_what_they_send_however_much_is_logged_elsewhere() -> None:
    with everything_logged():
        for name in ("google.auth.transport.requests", "google.oauth2._client", "urllib3.connectionpool"):
            assert not logging.getLogger(name).isEnabledFor(logging.INFO)


# -- answers that no Google would give --------------------------------------------------------------------------------


@dataclass
class Said:
    """What the server answers to whatever it is asked."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 0


@contextmanager
def a_server_that_says(said: Said, keys: Keys) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            said.times += 1
            self.send_response(said.status)
            for name, value in {"Content-Length": str(len(said.body)), **said.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said.body)

        def log_message(self, *_: Any) -> None:
            pass

    for method in ("GET", "POST"):
        setattr(Handler, f"do_{method}", Handler.answer)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys.server_file)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"https://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def a_gateway(providers: Providers, *, fcm: str | None = None, oauth: str | None = None) -> Iterator[FcmGateway]:
    account = json.loads(providers.fcm_secret) | ({} if oauth is None else {"token_uri": oauth})
    secret, endpoint = json.dumps(account), fcm or providers.fcm_endpoint
    gateway = FcmGateway(lambda: secret, endpoint=endpoint, ca_file=str(providers.ca_file), timeouts=PATIENT)
    try:
        yield gateway
    finally:
        gateway.close()


STRANGE = [b"", b"<html>", b"[]", b'"text"', b"7", b"null", b"\xff\xfe", b'{"error": "a text"}', b'{"error": null}']


@pytest.mark.parametrize("status", [200, 201, 302, 500, 503])
def test_a_strange_answer_is_busy_and_never_a_crash(providers: Providers, status: int) -> None:
    strange = [
        *STRANGE,
        b'{"error": {}}',
        b'{"error": {"details": null}}',
        b'{"error": {"status": 7, "details": "x"}}',
        b'{"error": {"status": "UNAVAILABLE", "details": [7, null]}}',
    ]
    said = Said(status)
    with a_server_that_says(said, providers._keys) as fcm, a_gateway(providers, fcm=fcm) as gateway:
        for said.body in strange:
            assert isinstance(gateway.push(fcm_push()), Busy), said


@pytest.mark.parametrize("status", [200, 302, 400, 403, 404, 500])
def test_so_is_one_of_the_token_endpoint(providers: Providers, status: int) -> None:
    said = Said(status)
    with a_server_that_says(said, providers._keys) as oauth, a_gateway(providers, oauth=oauth) as gateway:
        for said.body in [*filter(lambda body: b"a text" not in body, STRANGE), b"{}", b'{"error": {"code": 7}}']:
            assert gateway.push(fcm_push()) == Busy("AccessTokenUnavailable"), said


def test_a_life_of_a_token_that_is_no_number_is_busy(providers: Providers) -> None:
    said = Said(200, b'{"access_token": "x", "expires_in": "soon"}')
    with a_server_that_says(said, providers._keys) as oauth, a_gateway(providers, oauth=oauth) as gateway:
        assert gateway.push(fcm_push()) == Busy("AccessTokenUnavailable")


def test_nobody_is_sent_elsewhere(providers: Providers) -> None:
    with (
        a_server_that_says(Said(200, b'{"name": "taken elsewhere"}'), providers._keys) as elsewhere,
        a_server_that_says(Said(302, headers={"Location": elsewhere}), providers._keys) as fcm,
        a_gateway(providers, fcm=fcm) as gateway,
    ):
        assert isinstance(gateway.push(fcm_push()), Busy)


def test_an_answer_that_breaks_off_is_a_lost_connection(providers: Providers) -> None:
    said = Said(200, b'{"name": "half an', {"Content-Length": "100", "Connection": "close"})
    with a_server_that_says(said, providers._keys) as fcm, a_gateway(providers, fcm=fcm) as gateway:
        assert gateway.push(fcm_push()) == Busy("NoConnection")
    assert said.times == 2
