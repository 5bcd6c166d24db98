"""Who we are to a push service: RFC 8292 (VAPID). Our own key pair, and no account anywhere."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, derive_private_key

from functions.offline_push.web.encryption import decoded, encoded, raw_point

# At most a day; half of that, so that a clock that is off by hours does no harm.
LIFETIME_S: Final = 12 * 3_600
RENEWAL_S: Final = LIFETIME_S // 2
_SCALAR: Final = 32


@dataclass(frozen=True, slots=True)
class VapidKey:
    """The application server's key. `subject` is how a push service reaches a person: mailto: or https:."""

    private_key: EllipticCurvePrivateKey
    subject: str

    @property
    def public_key(self) -> str:
        """As pages give it to `pushManager.subscribe`."""
        return encoded(raw_point(self.private_key.public_key()))


def key_from(secret: str) -> VapidKey:
    """The secret's JSON: private_key (32 bytes, base64url) and subject. Raises ValueError."""
    try:
        fields = json.loads(secret)
        scalar, subject = decoded(fields["private_key"]), fields["subject"]
        if len(scalar) != _SCALAR or not subject.startswith(("mailto:", "https://")):
            raise ValueError("not a key for web push")
        return VapidKey(derive_private_key(int.from_bytes(scalar, "big"), SECP256R1()), subject)
    except (KeyError, TypeError, AttributeError) as exc:
        raise ValueError("not a key for web push") from exc


class Vouchers:
    """One key's headers for each push service, kept for hours. Safe to use from several threads."""

    def __init__(self, key: VapidKey, *, now: Callable[[], int]) -> None:
        """`now` is in ms."""
        self._key = key
        self._now = now
        self._lock = threading.Lock()
        self._made: dict[str, tuple[int, str]] = {}

    def header(self, origin: str) -> str:
        """`Authorization` for this origin, like https://fcm.googleapis.com."""
        now_s = self._now() // 1_000
        with self._lock:
            made_at, header = self._made.get(origin, (-RENEWAL_S, ""))
            if now_s - made_at >= RENEWAL_S:
                claims = {"aud": origin, "exp": now_s + LIFETIME_S, "sub": self._key.subject}
                token = jwt.encode(claims, self._key.private_key, algorithm="ES256")
                header = f"vapid t={token}, k={self._key.public_key}"
                self._made[origin] = now_s, header
            return header
