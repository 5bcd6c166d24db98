"""What people and tests see of the providers, and how they tell them to misbehave: plain HTTP on the loopback."""

from __future__ import annotations

import asyncio
import urllib.parse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from local.providers.apns import KnownToken, KnownTokens
from local.providers.behaviours import Behaviours, parse
from local.providers.exchange import Reply, Request, json_reply, parsed
from local.providers.outcomes import OUTCOMES, entry_of
from local.providers.record import ENVIRONMENTS, Record
from local.providers.ses import mail_of

PAGE = Path(__file__).with_name("page.html")
TOKENS = "/apns/tokens/"
SUBSCRIPTIONS = "/web/subscriptions/"
OUTCOME = "/mails/outcome"
# A page elsewhere that has its own name lead here must not read along.
HOSTS = ("localhost", "127.0.0.1")
_CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"


class Inspection:
    """Answers the requests of the inspection port."""

    def __init__(
        self,
        record: Record,
        behaviours: Behaviours,
        known: KnownTokens,
        subscription: Callable[[str], Any] = lambda _: {},
        tell: Callable[[Mapping[str, Any]], bool] = lambda _: False,
    ) -> None:
        """`subscription` gives a browser's, by a name for it. `tell` puts an event on the stack's bus, where it can."""
        self._subscription = subscription
        self._tell = tell
        self._record = record
        self._behaviours = behaviours
        self._known = known
        self._routes: dict[tuple[str, str], Callable[[Request], Reply]] = {
            ("GET", "/"): _page,
            ("GET", "/pushes"): lambda _: _shown(self._record.pushes()),
            ("GET", "/mails"): self._mails,
            ("GET", "/requests"): lambda _: _shown(self._record.requests()),
            ("DELETE", "/pushes"): self._clear,
            ("PUT", "/behaviours"): self._behave,
            ("DELETE", "/behaviours"): self._behave_well,
        }

    async def handle(self, request: Request) -> Reply:
        host = urllib.parse.urlsplit(f"//{request.header('host') or ''}").hostname
        if host not in HOSTS:
            return _problem(403, "ask for localhost")
        path = request.path.partition("?")[0]
        if path.startswith(SUBSCRIPTIONS) and request.method == "GET" and len(path) > len(SUBSCRIPTIONS):
            return json_reply(200, self._subscription(path.removeprefix(SUBSCRIPTIONS)))
        if path.startswith(TOKENS) and request.method == "PUT":
            return self._put_token(path.removeprefix(TOKENS), parsed(request.body))
        if (request.method, path) == ("POST", OUTCOME):
            return await self._become(parsed(request.body))
        if route := self._routes.get((request.method, path)):
            return route(request)
        known = path == OUTCOME or any(path == there for _, there in self._routes) or path.startswith(TOKENS)
        return _problem(405 if known else 404, f"there is no {request.method} {path}")

    def _mails(self, request: Request) -> Reply:
        """To everybody, or `?to=` one address."""
        to = urllib.parse.parse_qs(request.path.partition("?")[2]).get("to", [""])[0]
        mails = [mail_of(one) for one in self._record.pushes() if one.provider == "ses" and to in ("", one.token)]
        return json_reply(200, mails, {"cache-control": "no-store"})

    async def _become(self, value: Any) -> Reply:
        """Have the latest mail to an address come to this, as SES would tell of it."""
        told = value if isinstance(value, dict) else {}
        outcome, to = str(told.get("outcome")), told.get("to")
        if outcome not in OUTCOMES or not isinstance(to, str):
            return _problem(400, f'give {{"to": "…", "outcome": one of {", ".join(OUTCOMES)}}}')
        mails = [one for one in self._record.pushes() if one.provider == "ses" and one.token == to]
        if not mails:
            return _problem(404, "there was no mail to this address")
        is_told = await asyncio.to_thread(self._tell, entry_of(mails[-1], outcome))
        return Reply(204) if is_told else _problem(503, "there is no stack that takes the event")

    def _clear(self, _request: Request) -> Reply:
        self._record.clear()
        return Reply(204)

    def _behave(self, request: Request) -> Reply:
        try:
            self._behaviours.add(parse(parsed(request.body)))
        except ValueError as error:
            return _problem(400, str(error))
        return Reply(204)

    def _behave_well(self, _request: Request) -> Reply:
        self._behaviours.clear()
        self._known.clear()
        return Reply(204)

    def _put_token(self, token: str, value: Any) -> Reply:
        if not isinstance(value, dict) or not set(value) <= {"environment", "topic"} or not token:
            return _problem(400, 'give {"environment": "production" or "sandbox", "topic": "…"}, or one of them')
        if value.get("environment") not in (None, *ENVIRONMENTS):
            return _problem(400, "environment is production or sandbox")
        if not isinstance(value.get("topic", ""), str):
            return _problem(400, "topic is a string")
        self._known.put(token, KnownToken(value.get("environment"), value.get("topic")))
        return Reply(204)


def _page(_request: Request) -> Reply:
    headers = {"content-type": "text/html; charset=utf-8", "content-security-policy": _CONTENT_POLICY}
    return Reply(200, PAGE.read_bytes(), {**headers, "cache-control": "no-store"})


def _shown(entries: Any) -> Reply:
    return json_reply(200, [entry.as_json() for entry in entries], {"cache-control": "no-store"})


def _problem(status: int, text: str) -> Reply:
    return json_reply(status, {"error": text})
