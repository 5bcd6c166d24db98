"""Clients as the real ones are: they trust the CA, sign what has to be signed, and keep their connections."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import jwt

from local.providers.serving import Providers

DEVICE = "ab" * 32
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
PROJECT = "/v1/projects/parley-local/messages:send"


def trusting(providers: Providers) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=providers.ca_file)
    # Python 3.13 and newer have it by default: what is missing in a certificate is an error.
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def sign(secret: str, algorithm: str, claims: Mapping[str, Any], **header: Any) -> str:
    return jwt.encode(dict(claims), json.loads(secret)["private_key"], algorithm=algorithm, headers=header)


@dataclass
class Google:
    """A client of FCM over HTTP/1.1."""

    providers: Providers
    http: httpx2.Client

    def assertion(self, **changes: Any) -> str:
        now = int(time.time())
        account = json.loads(self.providers.fcm_secret)
        claims = {
            "iss": account["client_email"],
            "aud": account["token_uri"],
            "scope": "https://www.googleapis.com/auth/firebase.messaging",
            "iat": now,
            "exp": now + 3600,
        }
        return sign(self.providers.fcm_secret, "RS256", claims | changes)

    def grant(self, assertion: str, **changes: str) -> httpx2.Response:
        uri = json.loads(self.providers.fcm_secret)["token_uri"]
        return self.http.post(uri, data={"grant_type": GRANT, "assertion": assertion} | changes)

    def sign_in(self) -> None:
        answer = self.grant(self.assertion()).raise_for_status().json()
        self.http.headers["authorization"] = f"Bearer {answer['access_token']}"

    def send(self, path: str = PROJECT, **message: Any) -> httpx2.Response:
        return self.request({"message": message}, path)

    def request(self, body: Any, path: str = PROJECT) -> httpx2.Response:
        return self.http.post(f"{self.providers.fcm_endpoint}{path}", json=body)


@dataclass
class Apple:
    """A client of APNs over HTTP/2."""

    providers: Providers
    http: httpx2.Client

    def provider_token(self, *, key_id: str = "LOCALKEY01", **changes: Any) -> str:
        claims = {"iss": json.loads(self.providers.apns_secret)["team_id"], "iat": int(time.time())}
        return sign(self.providers.apns_secret, "ES256", claims | changes, kid=key_id)

    def url(self, path: str = f"/3/device/{DEVICE}", *, sandbox: bool = False) -> str:
        return f"{self.providers.apns_endpoint.split(',')[sandbox]}{path}"

    def headers(self, **changes: str | None) -> dict[str, str]:
        """The headers of a good request; `None` leaves one out, and _ stands for -."""
        good: dict[str, str | None] = {
            "authorization": f"bearer {self.provider_token()}",
            "apns-topic": "com.example.app",
            "apns-push-type": "alert",
            "apns-priority": "10",
        }
        good |= {name.replace("_", "-"): value for name, value in changes.items()}
        return {name: value for name, value in good.items() if value is not None}

    def push(self, token: str = DEVICE, *, sandbox: bool = False, **headers: str | None) -> httpx2.Response:
        return self.push_with(headers, token, sandbox=sandbox)

    def push_with(
        self, headers: Mapping[str, str | None], token: str = DEVICE, *, sandbox: bool = False
    ) -> httpx2.Response:
        return self.send(self.headers(**headers), {"aps": {"badge": 1}}, f"/3/device/{token}", sandbox=sandbox)

    def send(
        self, headers: Any, body: Any, path: str = f"/3/device/{DEVICE}", *, sandbox: bool = False
    ) -> httpx2.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.post(self.url(path, sandbox=sandbox), headers=headers, content=content)


@contextmanager
def google(providers: Providers) -> Iterator[Google]:
    with httpx2.Client(verify=trusting(providers), timeout=10) as http:
        yield Google(providers, http)


@contextmanager
def apple(providers: Providers) -> Iterator[Apple]:
    with httpx2.Client(verify=trusting(providers), timeout=10, http2=True) as http:
        yield Apple(providers, http)
