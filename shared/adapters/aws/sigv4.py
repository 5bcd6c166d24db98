"""AWS Signature Version 4 for the few requests of the hot path.

Importing botocore costs several times what the rest of a function's start does, and each of its calls about four times
the CPU of this (docs/adr/0005-transport.md); a test holds every signature to botocore's own.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Final
from urllib.parse import quote

from shared.config import AwsEnvironment

_ALGORITHM: Final = "AWS4-HMAC-SHA256"


class Signer:
    """Signs requests of one service in one region with one set of credentials, as the Lambda runtime gives them."""

    def __init__(self, *, service: str, region: str, access_key: str, secret_key: str, session_token: str = "") -> None:
        self._service = service
        self._region = region
        self._access_key = access_key
        self._secret_key = secret_key
        self._session_token = session_token
        self._key_of_day = ("", b"")

    def sign(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, *, timestamp: str
    ) -> dict[str, str]:
        """The headers to send: those given (`host` among them) plus date, token and signature.

        `path` is as it goes over the wire, escaped once, and has no query. `timestamp` is UTC, `YYYYMMDDTHHMMSSZ`.
        """
        signed = {name.lower(): value for name, value in headers.items()}
        signed["x-amz-date"] = timestamp
        if self._session_token:
            signed["x-amz-security-token"] = self._session_token
        names = sorted(signed)
        request = (
            method,
            quote(path, safe="/-_.~"),  # the escaped once more, as all services but S3 want it
            "",
            *(f"{name}:{' '.join(signed[name].split())}" for name in names),
            "",
            ";".join(names),
            sha256(body).hexdigest(),
        )
        scope = f"{timestamp[:8]}/{self._region}/{self._service}/aws4_request"
        digest = sha256("\n".join(request).encode()).hexdigest()
        text = f"{_ALGORITHM}\n{timestamp}\n{scope}\n{digest}"
        signature = hmac.new(self._key(timestamp[:8]), text.encode(), sha256).hexdigest()
        credential = f"Credential={self._access_key}/{scope}"
        signed["authorization"] = f"{_ALGORITHM} {credential}, SignedHeaders={';'.join(names)}, Signature={signature}"
        return signed

    def _key(self, day: str) -> bytes:
        """The signing key holds for a day, and takes four of the five digests of a signature."""
        if self._key_of_day[0] != day:
            key = f"AWS4{self._secret_key}".encode()
            for part in (day, self._region, self._service, "aws4_request"):
                key = hmac.new(key, part.encode(), sha256).digest()
            self._key_of_day = (day, key)
        return self._key_of_day[1]


def signer_for(service: str, environment: AwsEnvironment) -> Signer:
    """Signs with what the runtime provides."""
    return Signer(
        service=service,
        region=environment.region,
        access_key=environment.access_key,
        secret_key=environment.secret_key,
        session_token=environment.session_token,
    )
