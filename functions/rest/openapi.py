"""The OpenAPI document, generated from the routes themselves: what validates a request is what describes it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from inspect import Parameter, getdoc, signature
from typing import Any, Final, get_args, get_origin

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.api_gateway import Route
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import TypeAdapter

from functions.rest.documentation import OPERATIONS, TAGS, Documented
from shared.domain.text import USER_ID_PATTERN
from shared.errors import (
    BadRequest,
    Banned,
    Forbidden,
    Internal,
    ParleyError,
    TokenExpired,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from shared.version import VERSION
from shared.wire.rest.common import error_body
from shared.wire.shapes.service import Error

_JSON: Final = "application/json"
_COMPONENT: Final = "#/components/schemas/{model}"
_INFO: Final = {
    "title": "Parley",
    "version": VERSION,
    "description": "The HTTP API of a chat backend: all that is not a live connection. Errors have a stable `code`; "
    "times are milliseconds since the epoch; ids in paths are percent-encoded.",
    "license": {"name": "MIT", "identifier": "MIT"},
}
_SECURITY: Final = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The user is the claim `user_id`, else `sub`. Scopes: the claim `scope` or `scopes`.",
    }
}
# Of every operation that wants a token.
_ACTING_AS: Final = {
    "name": "Parley-As",
    "in": "header",
    "required": False,
    "description": "The user to act as. Needs a token with the scope `admin`.",
    "schema": {"type": "string", "pattern": f"^{USER_ID_PATTERN}$"},
    "example": "bob",
}
_HEADERS: Final[Mapping[int, Mapping[str, Any]]] = {
    401: {"WWW-Authenticate": {"schema": {"type": "string", "const": "Bearer"}}},
    429: {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 0}}},
    503: {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 0}}},
}


_SUCCESSES: Final[Mapping[int, str]] = {
    200: "Done",
    201: "Made by this request",
    202: "Under way, or for somebody else to decide",
    204: "Done; there is nothing to say",
}


@dataclass(frozen=True, slots=True)
class _Operation:
    """A route, taken apart. `parameters` are those of path and query, `body` is what the request's body has to be."""

    name: str
    path: str
    method: str
    summary: str
    parameters: Sequence[Parameter]
    body: Any
    documented: Documented

    @property
    def errors(self) -> list[type[ParleyError]]:
        """Everything that this operation can answer beside its success."""
        is_public = self.documented.is_public
        # A header may name somebody to act as.
        token = () if is_public else (Unauthenticated, TokenExpired, Unavailable, Forbidden, Banned)
        input_ = () if is_public else (BadRequest,)
        size = (TooLarge,) if self.body else ()
        return list(dict.fromkeys([*input_, *size, *token, *self.documented.errors, Internal]))


def openapi_json(app: APIGatewayHttpResolver, *, url: str) -> str:
    return json.dumps(openapi(app, url=url), ensure_ascii=False, separators=(",", ":"))


def openapi(app: APIGatewayHttpResolver, *, url: str) -> dict[str, Any]:
    """The document of everything that `app` serves at `url`."""
    routes = app._static_routes + app._dynamic_routes  # noqa: SLF001  # it has no public list of what it serves
    operations = [_operation(route) for route in routes]
    schemas, components = _schemas(operations)
    paths: dict[str, Any] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": _INFO,
        "servers": [{"url": url}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {
                _name(errors): _error_response(status, errors)
                for operation in operations
                for status, errors in _by_status(operation.errors)
            },
            "securitySchemes": _SECURITY,
        },
    }


def _operation(route: Route) -> _Operation:
    given = signature(route.func, eval_str=True).parameters.values()
    parameters = [one for one in given if _marker(one) is not None]
    bodies = [one.annotation for one in given if _marker(one) is None]
    name = route.func.__name__
    return _Operation(
        name=name,
        path=route.openapi_path,
        method=route.method.lower(),
        summary=getdoc(route.func) or "",
        parameters=parameters,
        body=bodies[0] if bodies else None,
        documented=OPERATIONS[name],
    )


def _marker(parameter: Parameter) -> Path | Query | None:
    """Where a parameter comes from; None for the body."""
    metadata = getattr(parameter.annotation, "__metadata__", ())
    return next((one for one in metadata if isinstance(one, Path | Query)), None)


def _schemas(operations: Iterable[_Operation]) -> tuple[Mapping[Any, dict[str, Any]], dict[str, Any]]:
    """The schema of everything that is sent or answered, and what they refer to."""
    types = [one for each in operations for one in (each.body, *each.documented.answers.values()) if one is not None]
    types.append(Error)
    wanted = [(str(type_), "validation", TypeAdapter(type_)) for type_ in types]
    found, definitions = TypeAdapter.json_schemas(wanted, ref_template=_COMPONENT)  # type: ignore[arg-type]  # invariant
    for schema in definitions["$defs"].values():
        for field in schema.get("properties", {}).values():
            field.pop("title", None)  # it only repeats the name
    return {key: schema for (key, _), schema in found.items()}, definitions["$defs"]


def _described(operation: _Operation, schemas: Mapping[Any, dict[str, Any]]) -> dict[str, Any]:
    documented = operation.documented
    summary, _, more = operation.summary.partition(". ")
    parameters = [_parameter(one) for one in operation.parameters]
    if not documented.is_public:
        parameters.append(_ACTING_AS)
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [documented.tag],
        "summary": summary.rstrip("."),
        **({"description": more} if more else {}),
        **({"security": []} if documented.is_public else {}),
        **({"parameters": parameters} if parameters else {}),
    }
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": _content(operation.body, schemas)}
    successes = {str(status): _success(status, shape, schemas) for status, shape in documented.answers.items()}
    refusals = {
        str(status): {"$ref": f"#/components/responses/{_name(errors)}"}
        for status, errors in _by_status(operation.errors)
    }
    return {**described, "responses": successes | refusals}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema = TypeAdapter(parameter.annotation).json_schema()
    description, examples = schema.pop("description", ""), schema.pop("examples", [])
    if "anyOf" in schema:  # None stands for what is left out: that can't be said in a query
        schema = schema["anyOf"][0]
    is_path = isinstance(_marker(parameter), Path)
    if not is_path and parameter.default not in {Parameter.empty, None}:
        schema["default"] = parameter.default
    return {
        "name": getattr(_marker(parameter), "alias", None) or parameter.name,
        "in": "path" if is_path else "query",
        "required": parameter.default is Parameter.empty,
        "description": description,
        "schema": schema,
        **({"example": examples[0]} if examples else {}),
    }


def _success(status: int, shape: Any, schemas: Mapping[Any, dict[str, Any]]) -> dict[str, Any]:
    description = _SUCCESSES[status]
    return {"description": description, **({} if shape is None else {"content": _content(shape, schemas)})}


def _content(type_: Any, schemas: Mapping[Any, dict[str, Any]]) -> dict[str, Any]:
    examples = {
        f"{model.__name__}{number or ''}": {"value": example}
        for model in _models(type_)
        for number, example in enumerate(_examples(model))
    }
    return {_JSON: {"schema": schemas[str(type_)], "examples": examples}}


def _models(type_: Any) -> list[Any]:
    """The models that a type is made of: itself, or all of a union."""
    parts = get_args(type_) if get_origin(type_) is not None else ()
    return [model for part in parts for model in _models(part)] if parts else [type_] * isinstance(type_, type)


def _examples(model: Any) -> Any:
    return (getattr(model, "model_config", None) or model.__pydantic_config__)["json_schema_extra"]["examples"]


def _by_status(errors: Iterable[type[ParleyError]]) -> list[tuple[int, list[type[ParleyError]]]]:
    grouped: dict[int, list[type[ParleyError]]] = {}
    for error in errors:
        grouped.setdefault(error.status, []).append(error)
    return sorted(grouped.items())


def _name(errors: Iterable[type[ParleyError]]) -> str:
    return "-".join(error.code for error in errors)


def _error_response(status: int, errors: Sequence[type[ParleyError]]) -> dict[str, Any]:
    """One schema for all, of which a generated client makes one type. Which codes come, the examples tell."""
    examples = {error.code: {"value": error_body(error(), "JKJaXmPLvHcESHA=")} for error in errors}
    return {
        "description": f"{HTTPStatus(status).phrase}: {', '.join(error.code for error in errors)}",
        **({"headers": _HEADERS[status]} if status in _HEADERS else {}),
        "content": {_JSON: {"schema": {"$ref": "#/components/schemas/Error"}, "examples": examples}},
    }
