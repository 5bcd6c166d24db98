"""Public keys from a JWKS URL: kept, refreshed when a token names a new one, and never at a stranger's pace."""

from __future__ import annotations

import json
import ssl
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError

from jwt import PyJWK, PyJWTError

from shared.adapters.aws.calls import refusal, told_as
from shared.errors import Unauthenticated, Unavailable

KEEP_MS: Final = 60 * 60 * 1_000
# A token with an unknown key id may be the first after a rotation, or one of a flood: at most one fetch in this time.
MIN_REFRESH_MS: Final = 30 * 1_000
_TIMEOUT_S: Final = 3
_MAX_BYTES: Final = 256 * 1_024
_KEY_TYPES: Final = {"RSA": "RS256", "EC": "ES256"}


def fetch(url: str) -> bytes:
    """The document behind an https URL, at most 256 KB, within 3 s."""
    if not url.startswith("https://"):
        raise ValueError("a JWKS URL must be https")
    context = ssl.create_default_context()
    with urllib.request.urlopen(url, timeout=_TIMEOUT_S, context=context) as answer:  # noqa: S310  # https, see above
        if not answer.url.startswith("https://"):
            raise ValueError("the JWKS URL redirects to one that is not https")
        return bytes(answer.read(_MAX_BYTES))


class JwksKeys:
    """RS256 and ES256 keys of one JWKS document, parsed once."""

    algorithms = ("RS256", "ES256")

    def __init__(self, url: str, *, now: Callable[[], int], fetch: Callable[[str], bytes] = fetch) -> None:
        self._url = url
        self._now = now
        self._fetch = fetch
        self._keys: Mapping[str | None, PyJWK] = {}
        self._fetched_at: int | None = None
        self._tried_at: int | None = None

    def key_for(self, key_id: str | None) -> PyJWK:
        """The key of this id, or the only one. Known keys outlive an outage of the JWKS URL.

        Raises Unauthenticated for an unknown key, and Unavailable while no keys could be had at all.
        """
        key = self._find(key_id)
        now = self._now()
        stale = self._fetched_at is None or now - self._fetched_at > KEEP_MS
        may_try = self._tried_at is None or now - self._tried_at >= MIN_REFRESH_MS
        if (key is None or stale) and may_try:
            self._refresh(now)
            key = self._find(key_id)
        if key is not None:
            return key
        if self._fetched_at is None:
            raise Unavailable("The keys to check tokens with can't be had right now")
        raise Unauthenticated("The token is signed with an unknown key")

    def _find(self, key_id: str | None) -> PyJWK | None:
        if key_id is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(key_id)

    def _refresh(self, now: int) -> None:
        self._tried_at = now
        try:
            self._keys = _parse(json.loads(self._fetch(self._url)))
        except (OSError, HTTPException, ValueError, RecursionError) as error:
            told_as("jwks:fetch")(_refused(error), 1)
            return  # what is known stays good; _tried_at keeps the next try away for a while
        self._fetched_at = now


def _refused(error: Exception) -> Exception:
    """What an operator is told of: the status of an answer that was no document, or what the way to it met."""
    if isinstance(error, HTTPError):
        return refusal(error.code, {})
    return error


def _parse(document: Any) -> Mapping[str | None, PyJWK]:
    """The usable keys of a JWKS, each tied to its own algorithm. Raises ValueError for what is no JWKS."""
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("not a JWKS")  # noqa: TRY004  # a document that is wrong, not an argument
    keys: dict[str | None, PyJWK] = {}
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str | None):
            continue
        algorithm = _KEY_TYPES.get(str(entry.get("kty")))
        if algorithm is None or not _is_for_signatures(entry, algorithm):
            continue
        try:
            keys[entry.get("kid")] = PyJWK(entry, algorithm=algorithm)
        except PyJWTError:
            continue  # one broken key must not hide the others
    return keys


def _is_for_signatures(entry: Mapping[str, Any], algorithm: str) -> bool:
    """Whether a key is public (a private one, `d`, is no secret once it is published) and meant for this."""
    return "d" not in entry and entry.get("use", "sig") == "sig" and entry.get("alg", algorithm) == algorithm
