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

ALGORITHM: Final = "AWS4-HMAC-SHA256"
_S3: Final = "s3"
# A signed URL says nothing of a body.
_UNSIGNED: Final = "UNSIGNED-PAYLOAD"


class Signer:
    """Signs requests of one service in one region with one set of credentials, as the Lambda runtime gives them."""

    def __init__(self, *, service: str, region: str, access_key: str, secret_key: str, session_token: str = "") -> None:
        self.session_token = session_token
        self._service = service
        self._region = region
        self._access_key = access_key
        self._secret_key = secret_key
        self._key_of_day = ("", b"")

    def sign(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, *, timestamp: str, query: str = ""
    ) -> dict[str, str]:
        """The headers to send: those given (`host` among them) plus date, token and signature; for S3 a digest, too.

        `path` is as it goes over the wire, escaped once and without the query, whose parameters are escaped, too, and
        sorted by name. `timestamp` is UTC, `YYYYMMDDTHHMMSSZ`.
        """
        signed = {name.lower(): value for name, value in headers.items()}
        signed["x-amz-date"] = timestamp
        digest = sha256(body).hexdigest()
        if self._service == _S3:
            signed["x-amz-content-sha256"] = digest
        if self.session_token:
            signed["x-amz-security-token"] = self.session_token
        names = sorted(signed)
        signature = self._signature(self._canonical(method, path, query, signed, digest), timestamp)
        credential = f"Credential={self.credential(timestamp)}"
        signed["authorization"] = f"{ALGORITHM} {credential}, SignedHeaders={';'.join(names)}, Signature={signature}"
        return signed

    def presign(self, path: str, host: str, parameters: Mapping[str, str], *, timestamp: str, expires_in_s: int) -> str:
        """The query with which anybody may GET `path` until then. `parameters` are part of what is signed."""
        every = {
            **parameters,
            "X-Amz-Algorithm": ALGORITHM,
            "X-Amz-Credential": self.credential(timestamp),
            "X-Amz-Date": timestamp,
            "X-Amz-Expires": str(expires_in_s),
            "X-Amz-SignedHeaders": "host",
            **({"X-Amz-Security-Token": self.session_token} if self.session_token else {}),
        }
        query = "&".join(f"{quote(name, safe='')}={quote(every[name], safe='')}" for name in sorted(every))
        signature = self._signature(self._canonical("GET", path, query, {"host": host}, _UNSIGNED), timestamp)
        return f"{query}&X-Amz-Signature={signature}"

    def sign_text(self, text: str, *, timestamp: str) -> str:
        """The signature of a text itself: of a form's policy."""
        return hmac.new(self._key(timestamp[:8]), text.encode(), sha256).hexdigest()

    def credential(self, timestamp: str) -> str:
        """Whose signature it is, and what for."""
        return f"{self._access_key}/{self._scope(timestamp)}"

    def _canonical(self, method: str, path: str, query: str, headers: Mapping[str, str], digest: str) -> str:
        names = sorted(headers)
        return "\n".join(
            (
                method,
                path if self._service == _S3 else quote(path, safe="/-_.~"),  # all others escape the escaped once more
                query,
                *(f"{name}:{' '.join(headers[name].split())}" for name in names),
                "",
                ";".join(names),
                digest,
            )
        )

    def _signature(self, request: str, timestamp: str) -> str:
        digest = sha256(request.encode()).hexdigest()
        return self.sign_text("\n".join((ALGORITHM, timestamp, self._scope(timestamp), digest)), timestamp=timestamp)

    def _scope(self, timestamp: str) -> str:
        return f"{timestamp[:8]}/{self._region}/{self._service}/aws4_request"

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
