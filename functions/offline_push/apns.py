"""Hands pushes to Apple's Push Notification service."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Mapping
from typing import Final

from functions.offline_push.apns_answers import EXPIRED_PROVIDER_TOKEN, OUR_CREDENTIALS, reason_of, result_of
from functions.offline_push.apns_message import headers_of, path_of, payload_of
from functions.offline_push.credentials import BadCredentials, Credentials
from functions.offline_push.fitting import DoesNotFit
from functions.offline_push.http2 import Answer, Http2, NoConnection, TimedOut
from functions.offline_push.provider_token import ProviderTokens, key_from
from functions.offline_push.providers import (
    BAD_CREDENTIALS,
    INVALID,
    SECRET_UNAVAILABLE,
    TOO_LARGE,
    Timeouts,
    unexpected,
)
from shared.clock import now_ms
from shared.domain.devices import PRODUCTION, SANDBOX, Environment
from shared.domain.pushes import Busy, Misconfigured, Push, PushResult
from shared.errors import Unavailable

APPLE: Final = "https://api.push.apple.com,https://api.sandbox.push.apple.com"


class ApnsGateway:
    """A PushGateway for the devices of one team's apps, over one connection to each of Apple's environments."""

    def __init__(
        self,
        secret: Callable[[], str],
        *,
        endpoint: str,
        ca_file: str,
        now: Callable[[], int] = now_ms,
        timeouts: Timeouts | None = None,
    ) -> None:
        """`secret` gives Apple's key: see `key_from`. Nothing is read, and nobody called, before the first push.

        `endpoint` is the production's URL and the sandbox's, with a comma between, in place of Apple's; `ca_file` names
        who vouches for them. Both are empty in AWS.
        """
        self._now = now
        self._timeouts = timeouts or Timeouts()
        self._ca_file = ca_file
        production, _, sandbox = (endpoint or APPLE).partition(",")
        self._origins: Mapping[Environment, str] = {PRODUCTION: production.strip(), SANDBOX: sandbox.strip()}
        self._lock = threading.Lock()
        self._connections: dict[Environment, Http2] = {}
        self._tokens = Credentials(secret, lambda text: ProviderTokens(key_from(text), now=now), now=now)

    def push(self, push: Push) -> PushResult:
        """As the port has it. A provider token that Apple finds too old is replaced once."""
        try:
            tokens = self._tokens.get()
            payload = payload_of(push)
        except Unavailable:
            return SECRET_UNAVAILABLE
        except BadCredentials:
            return BAD_CREDENTIALS
        except DoesNotFit:
            return TOO_LARGE
        except ValueError:
            return INVALID
        result = self._send(push, payload, tokens)
        if isinstance(result, Misconfigured) and result.reason in OUR_CREDENTIALS:
            self._tokens.doubt(tokens)
        return result

    def close(self) -> None:
        """Close the connections. There are no pushes afterwards."""
        while self._connections:
            self._connections.popitem()[1].close()

    def _send(self, push: Push, payload: bytes, tokens: ProviderTokens) -> PushResult:
        try:
            token = tokens.current()
            answer = self._post(push, payload, token)
            if reason_of(answer) == EXPIRED_PROVIDER_TOKEN and (other := tokens.instead_of(token)) != token:
                answer = self._post(push, payload, other)
            return result_of(answer, now=self._now())
        except TimedOut:
            return Busy("Timeout")
        except NoConnection:
            return Busy("NoConnection")
        except Exception as error:  # noqa: BLE001  # a push that raises would take those beside it along
            return unexpected(error)

    def _post(self, push: Push, payload: bytes, token: str) -> Answer:
        headers = headers_of(push) | {"authorization": f"bearer {token}"}
        return self._connection(push.target.environment).post(path_of(push), headers, payload)

    def _connection(self, environment: Environment) -> Http2:
        with self._lock:
            if environment not in self._connections:
                trust = ssl.create_default_context(cafile=self._ca_file or None)
                self._connections[environment] = Http2(self._origins[environment], trust=trust, timeouts=self._timeouts)
            return self._connections[environment]
