"""Tokens of every kind, well-made and not."""

from __future__ import annotations

import base64
import hmac
import json
from hashlib import sha256
from typing import Any, Final

SECRET: Final = "a-secret-of-the-tests-with-at-least-32-bytes"
NOW_MS: Final = 1_795_431_200_000
NOW_S: Final = NOW_MS // 1_000


def segment(value: Any) -> str:
    """One part of a token. Text is taken as JSON already, so that a test can write what no encoder would."""
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def claims(**changes: Any) -> dict[str, Any]:
    """The claims of a good token; a claim that is changed to None is left out."""
    full = {"sub": "alice", "iat": NOW_S - 60, "exp": NOW_S + 3_600, **changes}
    return {name: value for name, value in full.items() if value is not None}


def token(payload: Any = None, *, header: Any = None, secret: str = SECRET) -> str:
    """An HS256 token, whatever its header claims."""
    payload = claims() if payload is None else payload
    header = {"alg": "HS256", "typ": "JWT"} if header is None else header
    signed = f"{segment(header)}.{segment(payload)}"
    signature = hmac.new(secret.encode(), signed.encode(), sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
