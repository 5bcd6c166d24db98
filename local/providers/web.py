"""A browser's push service (RFC 8030), and the browser behind it: it knows who we are, decrypts, and shows."""

from __future__ import annotations

import base64
import json
import time
from typing import Any, Final

import jwt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from local.providers.behaviours import Behaviour
from local.providers.exchange import Reply, Request, Verdict
from local.providers.record import Provider, Received, now_ms

PATH: Final = "/web/"
LIMIT: Final = 4_096
_HEADERS: Final = ("ttl", "urgency", "topic")
_DAY_S: Final = 86_400
_CURVE: Final = ec.SECP256R1()


class Browser:
    """One browser for all subscriptions: its key pair, and the secret that it shares with who pushes to it."""

    def __init__(self, scalar: bytes, auth: bytes) -> None:
        self._private = ec.derive_private_key(int.from_bytes(scalar, "big") % (2**255) + 1, _CURVE)
        self._auth = auth

    @property
    def keys(self) -> dict[str, str]:
        """As a subscription says them."""
        return {"p256dh": text_of(_point(self._private.public_key())), "auth": text_of(self._auth)}

    def read(self, body: bytes) -> bytes:
        """What an aes128gcm body of one record says (RFC 8291). Raises ValueError."""
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20] if len(body) > 20 else 0  # noqa: PLR2004
        public, sealed = body[21 : 21 + length], body[21 + length :]
        if len(sealed) > size:
            raise ValueError("more than one record")
        shared = self._private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, public))
        info = b"WebPush: info\x00" + _point(self._private.public_key()) + public
        key = _derived(shared, self._auth, info, 32)
        content_key = _derived(key, salt, b"Content-Encoding: aes128gcm\x00", 16)
        try:
            opened = AESGCM(content_key).decrypt(_derived(key, salt, b"Content-Encoding: nonce\x00", 12), sealed, None)
        except InvalidTag as exc:
            raise ValueError("not for this browser") from exc
        text, mark, padding = opened.rpartition(b"\x02")
        if not mark or padding.strip(b"\x00"):
            raise ValueError("no last record")
        return text


class WebPush:
    """Takes any subscription's pushes, unless it was told that one is gone."""

    provider: Provider = "web"
    environment = None

    def __init__(self, browser: Browser, vapid_key: str, origin: str) -> None:
        """`vapid_key` is whose pushes it takes: the key that its subscriptions were made with, base64url."""
        self._browser, self._vapid_key, self._origin = browser, vapid_key, origin

    def token_of(self, request: Request) -> str | None:
        return self._origin + request.path

    def judge(self, request: Request) -> Verdict:
        if request.method != "POST":
            return _refusal(405, "MethodNotAllowed")
        if not self._is_ours(request.header("authorization") or ""):
            return _refusal(403, "BadVapid")
        if len(request.body) > LIMIT:
            return _refusal(413, "TooLarge")
        ttl, topic = request.header("ttl") or "", request.header("topic") or ""
        if not ttl.isdigit() or len(topic) > 32 or request.header("content-encoding") != "aes128gcm":  # noqa: PLR2004
            return _refusal(400, "BadHeader")
        try:
            payload: Any = json.loads(self._browser.read(request.body))
        except ValueError:
            return _refusal(400, "NotReadable")
        shown = {name: request.header(name) or "" for name in _HEADERS}
        push = Received("web", None, self.token_of(request) or "", shown, payload, now_ms())
        return Verdict(Reply(201), push=push)

    def refuse(self, _request: Request, behaviour: Behaviour) -> Verdict:
        status = behaviour.status or 500
        return Verdict(Reply(status, b"", dict(behaviour.headers)), behaviour.reason or str(status))

    def _is_ours(self, authorization: str) -> bool:
        scheme, _, rest = authorization.partition(" ")
        fields = dict(part.strip().partition("=")[::2] for part in rest.split(","))
        if scheme != "vapid" or fields.get("k") != self._vapid_key:
            return False
        key = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, bytes_of(self._vapid_key))
        try:
            claims = jwt.decode(fields.get("t", ""), key, algorithms=["ES256"], audience=self._origin)
        except jwt.PyJWTError:
            return False
        return "sub" in claims and claims["exp"] <= time.time() + _DAY_S


def bytes_of(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def text_of(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def public_key_of(scalar: bytes) -> str:
    """Of a private key's 32 bytes, as a page subscribes with it."""
    return text_of(_point(ec.derive_private_key(int.from_bytes(scalar, "big"), _CURVE).public_key()))


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def _refusal(status: int, reason: str) -> Verdict:
    return Verdict(Reply(status), reason)
