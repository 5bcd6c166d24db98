"""What a push service passes on without being able to read it: RFC 8291 (Web Push) over RFC 8188 (aes128gcm)."""

from __future__ import annotations

import base64
import binascii
import os
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

# Of a whole body, which push services take at least (RFC 8291, 4): one record.
BODY_LIMIT: Final = 4_096
_RECORD: Final = 4_096
_SALT: Final = 16
_KEY_ID: Final = 65
_HEADER: Final = _SALT + 4 + 1 + _KEY_ID
# The delimiter of the last record, and the tag.
_OVERHEAD: Final = 1 + 16
PLAINTEXT_LIMIT: Final = BODY_LIMIT - _HEADER - _OVERHEAD


def encrypted(
    plaintext: bytes,
    p256dh: str,
    auth: str,
    *,
    salt: bytes | None = None,
    sender: EllipticCurvePrivateKey | None = None,
) -> bytes:
    """The body for a subscription with these keys, base64url as browsers give them.

    `salt` (16 bytes) and `sender` are random but in tests. Raises ValueError for keys that are none, and for more than
    PLAINTEXT_LIMIT bytes.
    """
    if len(plaintext) > PLAINTEXT_LIMIT:
        raise ValueError("too long for one record")
    point, secret = decoded(p256dh), decoded(auth)
    receiver = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
    own = sender or generate_private_key(SECP256R1())
    salt = salt or os.urandom(_SALT)
    public = raw_point(own.public_key())
    key = _derived(own.exchange(ECDH(), receiver), secret, b"WebPush: info\x00" + point + public, 32)
    content_key = _derived(key, salt, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _derived(key, salt, b"Content-Encoding: nonce\x00", 12)
    sealed = AESGCM(content_key).encrypt(nonce, plaintext + b"\x02", None)
    return salt + _RECORD.to_bytes(4, "big") + bytes([_KEY_ID]) + public + sealed


def raw_point(key: EllipticCurvePublicKey) -> bytes:
    """65 bytes, uncompressed."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def decoded(text: str) -> bytes:
    """base64url, with padding or without. Raises ValueError."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as exc:
        raise ValueError("no base64url") from exc


def encoded(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)
