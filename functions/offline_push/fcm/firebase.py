"""firebase-admin as a Lambda needs it: hard timeouts, kept connections, and no sleep.

The library waits two minutes for an answer, sleeps before it retries, and fetches an access token for each thread that
needs one. None of this can be configured, so its HTTP client is replaced. This is the only place that uses private
names of it; tests/functions/offline_push/test_firebase.py says what must stay true of them.
"""

from __future__ import annotations

import json
import logging
import ssl
import threading
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import firebase_admin  # type: ignore[import-untyped]
import requests
import urllib3.exceptions
from firebase_admin import _http_client, messaging
from firebase_admin.credentials import Certificate  # type: ignore[import-untyped]
from google.auth.credentials import Credentials as GoogleCredentials
from google.auth.exceptions import GoogleAuthError
from google.auth.transport import requests as google_requests
from requests.adapters import HTTPAdapter

from functions.offline_push.providers import Timeouts

FCM_ORIGIN: Final = "https://fcm.googleapis.com"
_POOL: Final = 100  # connections kept, as many as pushes at once: more than a Lambda has threads
# What an access token is refused with where the credentials are wrong. Anything else may be different in a minute.
_REFUSALS: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_FOR_NOW: Final = frozenset({"internal_failure", "server_error", "temporarily_unavailable"})

for _name in ("google", "urllib3"):  # they log headers and bodies where the root logger is made to
    logging.getLogger(_name).setLevel(logging.WARNING)


class TokenRefused(Exception):
    """The token endpoint does not take the service account's key, and says why in a word."""


class TokenUnavailable(Exception):
    """No access token right now. `retry_after` is the header's value."""

    def __init__(self, retry_after: str | None = None) -> None:
        super().__init__("no access token")
        self.retry_after = retry_after


class Project:
    """A Firebase project, ready to send to. Safe to use from several threads."""

    def __init__(self, account: Mapping[str, Any], *, endpoint: str, ca_file: str, timeouts: Timeouts) -> None:
        """Connects to nothing yet. Empty: `endpoint` and `ca_file` of Google. Raises ValueError for what is no key."""
        self._app = firebase_admin.initialize_app(Certificate(dict(account)), {}, name=f"parley-{uuid.uuid4()}")
        credentials = self._app.credential.get_credential()
        timeout = (timeouts.connect_s, timeouts.read_s)
        asking = _TokenRequest(_prepared(requests.Session(), "", ca_file), timeout)
        session = google_requests.AuthorizedSession(  # type: ignore[no-untyped-call]
            credentials, max_refresh_attempts=1, auth_request=asking
        )
        self._access = _Access(credentials, asking)
        self._sessions = (asking.session, _prepared(session, endpoint, ca_file))
        service = messaging._get_messaging_service(self._app)  # noqa: SLF001  # see the module's docstring
        service._client = _http_client.JsonHttpClient(session=session, retries=False, timeout=timeout)  # noqa: SLF001

    def send(self, message: Any) -> None:
        """Hand over one message. A connection that is lost on the way is made anew once, at once.

        Raises TokenRefused, TokenUnavailable, FirebaseError, and whatever the library makes of a strange answer.
        """
        self._access.ensure()
        try:
            messaging.send(message, app=self._app)
        except GoogleAuthError as error:  # FCM no longer took the token, and there was no other to be had
            raise TokenUnavailable from error

    def close(self) -> None:
        for session in self._sessions:
            session.close()
        firebase_admin.delete_app(self._app)


class _Access:
    """An access token for all threads: one fetches it, the others wait for what comes of that."""

    def __init__(self, credentials: GoogleCredentials, asking: _TokenRequest) -> None:
        self._credentials = credentials
        self._asking = asking
        self._lock = threading.Lock()
        self._attempts = 0
        self._error: Exception | None = None

    def ensure(self) -> None:
        """Have a token that is good for minutes. Raises TokenRefused and TokenUnavailable."""
        seen = self._attempts
        if self._credentials.valid:
            return
        with self._lock:
            if self._credentials.valid:
                return
            if self._error is not None and self._attempts != seen:
                raise self._error  # of the attempt that this thread has waited for
            self._fetch()

    def _fetch(self) -> None:
        self._error = None
        try:
            self._credentials.refresh(self._asking)  # type: ignore[no-untyped-call]
        except (TokenRefused, TokenUnavailable) as error:
            self._error = error
            raise
        except Exception as error:  # unreachable, or an answer that google-auth can't read
            self._error = TokenUnavailable()
            raise self._error from error
        finally:
            self._attempts += 1


class _TokenRequest(google_requests.Request):
    """How google-auth asks for an access token. What it would sleep and ask again for is raised instead."""

    def __init__(self, session: requests.Session, timeout: tuple[float, float]) -> None:
        super().__init__(session)
        self._timeout = timeout

    def __call__(self, url: str, *arguments: Any, **named: Any) -> Any:
        answer = super().__call__(url, *arguments, **(named | {"timeout": self._timeout}))  # type: ignore[no-untyped-call]
        if answer.status == HTTPStatus.OK:
            return answer
        code = _oauth_error(answer.data)
        if answer.status in _REFUSALS and code is not None and code not in _FOR_NOW:
            raise TokenRefused(code)
        raise TokenUnavailable(answer.headers.get("Retry-After"))


def _oauth_error(body: bytes) -> str | None:
    try:
        code = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        return None
    return code if isinstance(code, str) else None


def _prepared(session: requests.Session, endpoint: str, ca_file: str) -> requests.Session:
    session.trust_env = False  # no proxy, no .netrc, whatever the environment says
    session.max_redirects = 0
    session.verify = ca_file or True
    session.mount("https://", _Adapter(endpoint))
    return session


class _Adapter(HTTPAdapter):
    """Sends a request again, once and at once, if its connection was lost. No other retry, and no sleep."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(pool_maxsize=_POOL)
        self._endpoint = endpoint.rstrip("/")

    def send(self, request: requests.PreparedRequest, *arguments: Any, **named: Any) -> requests.Response:
        if self._endpoint and request.url is not None and request.url.startswith(f"{FCM_ORIGIN}/"):
            request.url = self._endpoint + request.url.removeprefix(FCM_ORIGIN)
        try:
            return self._exchange(request, *arguments, **named)
        except requests.RequestException as error:
            if not _was_lost(error):
                raise
        return self._exchange(request, *arguments, **named)

    def _exchange(self, request: requests.PreparedRequest, *arguments: Any, **named: Any) -> requests.Response:
        response = super().send(request, *arguments, **named)
        response.content  # noqa: B018  # reads it here, where it can still be asked for again
        return response


def _was_lost(error: requests.RequestException) -> bool:
    """The peer hung up on an open connection. One that it refuses, or that times out, is no better at once."""
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)  # urllib3 wraps what it counts as a try
    inner = reason.args[-1] if isinstance(reason, Exception) and reason.args else None
    if isinstance(reason, urllib3.exceptions.SSLError):
        return isinstance(inner, ssl.SSLEOFError | ssl.SSLZeroReturnError)
    return isinstance(reason, urllib3.exceptions.ProtocolError) and not isinstance(inner, TimeoutError)
