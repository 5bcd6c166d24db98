"""Google's token endpoint, as far as a service account needs it: a signed assertion in, an access token out."""

from __future__ import annotations

import secrets
import time
import urllib.parse
from typing import Final

import jwt

from local.providers.behaviours import Behaviour
from local.providers.exchange import Reply, Request, Verdict, json_reply
from local.providers.keys import CLIENT_EMAIL
from local.providers.record import Provider

GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# Google's library names this audience wherever the token is fetched.
GOOGLE_AUDIENCE: Final = "https://oauth2.googleapis.com/token"
SCOPES: Final = frozenset(
    {"https://www.googleapis.com/auth/firebase.messaging", "https://www.googleapis.com/auth/cloud-platform"}
)
LIFETIME: Final = 3600
LEEWAY: Final = 10


class OAuth:
    """Gives access tokens to holders of the service account's key, and knows them again."""

    provider: Provider = "oauth"
    environment = None

    def __init__(self, public_key: str, token_uri: str) -> None:
        self._public_key = public_key
        self._audiences = (token_uri, GOOGLE_AUDIENCE)
        self._ends: dict[str, float] = {}

    def knows(self, access_token: str | None) -> bool:
        return access_token is not None and self._ends.get(access_token, 0.0) > time.time()

    def token_of(self, _request: Request) -> None:
        return None

    def judge(self, request: Request) -> Verdict:
        if request.method != "POST":
            return _refusal(405, "invalid_request", "Only POST is allowed.")
        form = dict(urllib.parse.parse_qsl(request.body.decode("ascii", errors="replace")))
        if form.get("grant_type") != GRANT:
            return _refusal(400, "unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type', '')}")
        try:
            claims = jwt.decode(
                form.get("assertion", ""),
                self._public_key,
                algorithms=["RS256"],
                audience=self._audiences,
                issuer=CLIENT_EMAIL,
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "iss", "aud"]},
            )
        except jwt.InvalidTokenError as error:
            return _refusal(400, "invalid_grant", f"Invalid JWT: {error}")
        if claims["exp"] - claims["iat"] > LIFETIME:
            return _refusal(400, "invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes).")
        if not SCOPES & set(str(claims.get("scope", "")).split()):
            return _refusal(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        return Verdict(self._grant())

    def _grant(self) -> Reply:
        now = time.time()
        self._ends = {token: end for token, end in self._ends.items() if end > now}
        token = f"ya29.{secrets.token_urlsafe(32)}"
        self._ends[token] = now + LIFETIME
        return json_reply(200, {"access_token": token, "expires_in": LIFETIME, "token_type": "Bearer"})

    def refuse(self, _request: Request, behaviour: Behaviour) -> Verdict:
        status = behaviour.status or 400
        reason = behaviour.reason or ("invalid_grant" if status < 500 else "internal_failure")  # noqa: PLR2004
        told = _refusal(status, reason, "The local server was told to answer so.")
        reply = Reply(status, told.reply.body, {**told.reply.headers, **behaviour.headers})
        return Verdict(reply, reason)


def _refusal(status: int, error: str, description: str) -> Verdict:
    return Verdict(json_reply(status, {"error": error, "error_description": description}), error)
