"""What web pages of other origins may read (CORS). Answered here and not by the gateway, which knows fewer origins.

API Gateway's own CORS takes web origins alone, and each port by itself; the apps of Capacitor, Ionic and Tauri have
schemes of their own, and some web views send `null`. So every target gives the same answer, the laptop among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from shared.auth.origins import is_allowed

_METHODS: Final = "GET,HEAD,POST,PUT,PATCH,DELETE"
_HEADERS: Final = "authorization,content-type"
_MAX_AGE_S: Final = "3600"


def preflight(event: Mapping[str, Any], allowed_origins: str) -> dict[str, Any] | None:
    """The answer to a page's question whether it may ask; None for any other. Permission is in it where it may."""
    headers = _headers(event)
    method = event.get("requestContext", {}).get("http", {}).get("method")
    is_question = method == "OPTIONS" and "access-control-request-method" in headers
    if not is_question or not allowed_origins:
        return None
    granted = _granted(headers, allowed_origins)
    if "Access-Control-Allow-Origin" in granted:
        granted |= {
            "Access-Control-Allow-Methods": _METHODS,
            "Access-Control-Allow-Headers": _HEADERS,
            "Access-Control-Max-Age": _MAX_AGE_S,
        }
    return {"statusCode": int(HTTPStatus.NO_CONTENT), "headers": granted, "body": ""}


def readable(answered: Mapping[str, Any], event: Mapping[str, Any], allowed_origins: str) -> dict[str, Any]:
    """The answer, with the permission to read it for a page of an allowed origin."""
    granted = _granted(_headers(event), allowed_origins) if allowed_origins else {}
    if "Access-Control-Allow-Origin" in granted:
        granted |= {"Access-Control-Expose-Headers": "Retry-After"}
    return {**answered, "headers": {**answered.get("headers", {}), **granted}}


def _granted(headers: Mapping[str, str], allowed_origins: str) -> dict[str, str]:
    """`Vary` in any case: a cache must not show one page's answer to another. Pages have no credentials mode."""
    origin = headers.get("origin")
    if origin is None or not is_allowed(origin, allowed_origins):
        return {"Vary": "Origin"}
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}
