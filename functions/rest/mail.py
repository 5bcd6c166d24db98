"""No more mails: the page that the link in each of them leads to. It is for people, and no part of the API."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from functions.rest.wiring import Parts
from shared.domain.mails import UNSUBSCRIBE
from shared.errors import NotFound, ParleyError
from shared.operations.unsubscribing import unsubscribe

_HEADERS: Final = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
_PAGE: Final = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    '<title>Mails</title></head><body style="font-family:sans-serif;max-width:36em;margin:3em auto">{}</body></html>'
)
_ASKED: Final = '<p>No more mails of what you missed?</p><form method="post"><button>No more mails</button></form>'
_DONE: Final = "<p>You get no more of these mails. The settings of the app bring them back.</p>"
_NO_LINK: Final = "<p>This link is not good any more. The settings of the app end these mails.</p>"
_LATER: Final = "<p>This does not work right now. Please try again in a minute.</p>"


def page(event: Mapping[str, Any], parts: Parts) -> dict[str, Any] | None:
    """The answer to a request for it, None for any other.

    GET asks, and changes nothing: programs follow the links in mails, too. POST ends the user's mails, as RFC 8058 has
    it: without a token of the API, and whatever its body says.
    """
    method = event.get("requestContext", {}).get("http", {}).get("method")
    if event.get("rawPath") != UNSUBSCRIBE or method not in {"GET", "HEAD", "POST"}:
        return None
    if method != "POST":
        return _answer(HTTPStatus.OK, "" if method == "HEAD" else _PAGE.format(_ASKED))
    token = (event.get("queryStringParameters") or {}).get("token") or ""
    try:
        unsubscribe(token, **parts)
    except NotFound as error:
        return _answer(error.status, _PAGE.format(_NO_LINK))
    except ParleyError:
        return _answer(HTTPStatus.SERVICE_UNAVAILABLE, _PAGE.format(_LATER))
    return _answer(HTTPStatus.OK, _PAGE.format(_DONE))


def _answer(status: int, body: str) -> dict[str, Any]:
    return {"statusCode": int(status), "headers": dict(_HEADERS), "body": body}
