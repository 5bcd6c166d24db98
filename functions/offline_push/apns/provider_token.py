"""The token that Apple knows us by: the same one in all Lambdas, for half an hour."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from jwt.algorithms import ECAlgorithm
from jwt.exceptions import PyJWTError
from jwt.utils import der_to_raw_signature

# Apple refuses tokens older than an hour, and clients that bring a new one more often than every 20 minutes.
PERIOD_S: Final = 30 * 60
RENEWAL_S: Final = 20 * 60
_ALGORITHM: Final = "ES256"


@dataclass(frozen=True, slots=True)
class Key:
    """What Apple gives for a team. The key is not shown."""

    key_id: str
    team_id: str
    private_key: EllipticCurvePrivateKey


def key_from(secret: str) -> Key:
    """The secret's JSON: key_id, team_id, and private_key as the .p8 file has it. Raises ValueError."""
    try:
        fields = json.loads(secret)
        private_key = _Repeatable(SHA256).prepare_key(fields["private_key"])
        key_id, team_id = fields["key_id"], fields["team_id"]
    except (ValueError, KeyError, TypeError, PyJWTError, UnsupportedAlgorithm) as exc:
        raise ValueError("not a key for APNs") from exc
    if not (isinstance(private_key, EllipticCurvePrivateKey) and isinstance(key_id, str) and isinstance(team_id, str)):
        raise ValueError("not a key for APNs")  # noqa: TRY004  # a secret that is wrong, not an argument
    return Key(key_id, team_id, private_key)


class ProviderTokens:
    """The tokens of one key, as JWTs. Safe to use from several threads."""

    def __init__(self, key: Key, *, now: Callable[[], int]) -> None:
        """`now` is in ms."""
        self._key = key
        self._now = now
        self._lock = threading.Lock()
        self._issued_at = -1
        self._renewed_at = -RENEWAL_S
        self._token = ""

    def current(self) -> str:
        """The same in every Lambda for half an hour: the time is floored, and the signature repeatable."""
        with self._lock:
            now = self._now() // 1_000
            self._issue(max(now - now % PERIOD_S, self._issued_at))
            return self._token

    def instead_of(self, expired: str) -> str:
        """Another, from this second, for one that Apple finds too old; the same within 20 minutes of the last."""
        with self._lock:
            now = self._now() // 1_000
            if self._token == expired and now - self._renewed_at >= RENEWAL_S:  # nor has another thread renewed it
                self._renewed_at = now
                self._issue(now)
            return self._token

    def _issue(self, issued_at: int) -> None:
        if issued_at != self._issued_at:
            self._issued_at, self._token = issued_at, _signed(self._key, issued_at)


class _Repeatable(ECAlgorithm):
    """ECDSA after RFC 6979, without a random number: what is signed twice has the same signature."""

    def sign(self, msg: bytes, key: EllipticCurvePrivateKey) -> bytes:
        return der_to_raw_signature(key.sign(msg, ECDSA(SHA256(), deterministic_signing=True)), key.curve)


def _signed(key: Key, issued_at: int) -> str:
    claims: dict[str, Any] = {"iss": key.team_id, "iat": issued_at}
    tokens = jwt.PyJWS()
    tokens.unregister_algorithm(_ALGORITHM)
    tokens.register_algorithm(_ALGORITHM, _Repeatable(SHA256))
    payload = json.dumps(claims, separators=(",", ":")).encode()
    return tokens.encode(payload, key.private_key, algorithm=_ALGORITHM, headers={"kid": key.key_id})
