"""What goes out: JSON, every error in the one format, and what web pages of other origins may read of it (CORS).

API Gateway's own CORS takes web origins alone, and each port by itself; the apps of Capacitor, Ionic and Tauri have
schemes of their own, and some web views send `null`. So it is answered here, and every target gives the same answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from shared.auth.origins import is_allowed
from shared.errors import BadRequest, Internal, NotFound, ParleyError
from shared.wire.rest.common import KINDS, RULES, error_body

Answer = Response[str | None]
_JSON = "application/json"
_METHODS: Final = "GET,HEAD,POST,PUT,PATCH,DELETE"
_HEADERS: Final = "authorization,content-type"
_MAX_AGE_S: Final = "3600"


def accepted(body: Mapping[str, Any]) -> Answer:
    """202: it is kept, under way, or for somebody else to decide."""
    return _json(HTTPStatus.ACCEPTED, body)


def ok(body: Mapping[str, Any], *, is_new: bool = False) -> Answer:
    """200, or 201 for what this request has made."""
    return _json(HTTPStatus.CREATED if is_new else HTTPStatus.OK, body)


def done() -> Answer:
    """204. Its body is empty, and not absent: the laptop's gateway takes nothing for an error."""
    return Response(int(HTTPStatus.NO_CONTENT), body="")


def add_errors(app: APIGatewayHttpResolver, unexpected: Callable[[Exception], object]) -> None:
    """`unexpected` is told of errors that are none of ours; the client gets a clean answer to those, too."""

    @app.exception_handler(ParleyError)  # type: ignore[untyped-decorator]  # powertools leaves it untyped
    def on_error(error: ParleyError) -> Answer:
        return _error(app, error)

    @app.exception_handler(RequestValidationError)  # type: ignore[untyped-decorator]  # as above
    def on_invalid(error: RequestValidationError) -> Answer:
        return _error(app, BadRequest(_explained(error)))

    @app.exception_handler(Exception)  # type: ignore[untyped-decorator]  # as above
    def on_unexpected(error: Exception) -> Answer:
        unexpected(error)
        return _error(app, Internal())

    @app.not_found
    def on_unknown_path(_: NotFoundError) -> Answer:
        app.context["unknown_path"] = True  # of which the request log writes nothing: it may hold anything
        return _error(app, NotFound("There is no such path"))


def _explained(error: RequestValidationError) -> str:
    """Where the first thing wrong is, and what was expected there; never the value itself."""
    first: Mapping[str, Any] = error.errors()[0]
    place = ".".join(str(part) for part in first.get("loc", ()))
    if first.get("type") == "union_tag_invalid":  # whose own words quote what was sent
        return f"{place}: should be one of {first['ctx']['expected_tags']}"
    if first.get("type") == "union_tag_not_found":
        name = first["ctx"]["discriminator"].strip("'")
        return f"{place}.{name}: should be one of {KINDS[name]}"
    if first.get("type") == "string_pattern_mismatch":  # a pattern is for programs
        return f"{place}: should be {RULES.get(first['ctx']['pattern'], 'of other characters')}"
    return f"{place}: {first.get('msg', 'is not valid').removeprefix('Value error, ')}"


def _error(app: APIGatewayHttpResolver, error: ParleyError) -> Answer:
    headers: dict[str, str | list[str]] = {}
    if error.retry_after_ms is not None:
        headers["Retry-After"] = str(-(-error.retry_after_ms // 1_000))
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return _json(error.status, error_body(error, app.current_event.request_context.request_id), headers)


def _json(status: int, body: Mapping[str, Any], headers: dict[str, str | list[str]] | None = None) -> Answer:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(int(status), content_type=_JSON, body=text, headers=headers)


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
