"""Requests as they were sent, read back into what was asked: operation and parameters, by botocore's own models.

A request is recorded where it leaves: by the emulator (`local/emulator/calls.py`), or by `recorder.py` in this process.
Who signed it is the function, since here each signs with its own name.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

# The name that a service signs for → that of its model.
_MODELS: Final = {"execute-api": "apigatewaymanagementapi", "ses": "sesv2"}
_SIGNATURE: Final = re.compile(r"x-amz-|x-id$", re.IGNORECASE)
_OBJECT: Final = {"GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}
_CONNECTIONS: Final = re.compile(r"(?:/_aws/execute-api/([^/]+))?/([^/]+)(/@connections/[^/]+)$")


@dataclass(frozen=True)
class Recorded:
    """A request as it came, and how it was answered. `length` is the whole body's, `body` may be its beginning."""

    function: str
    service: str
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    length: int
    status: int
    region: str = "us-east-1"

    @property
    def is_a_clients(self) -> bool:
        """Whether a client made it, by a form or a link that the function has signed."""
        return "X-Amz-Signature" in self.query or self.headers.get("content-type", "").startswith("multipart/form-data")

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))


@dataclass(frozen=True)
class Call:
    """What was asked. `place` is an API and its stage. `wrong` is what is wrong with the request's outer form."""

    function: str
    service: str
    operation: str
    parameters: Mapping[str, Any]
    region: str
    method: str
    status: int
    place: str = ""
    wrong: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        return f"{self.service}:{self.operation}"


def recorded_in(file: Path) -> Iterator[Recorded]:
    """What the emulator has written down. A line that is torn, by a kill, is the last of its process."""
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                found = json.loads(line)
            except ValueError:
                continue
            yield Recorded(**{**found, "body": found["body"].encode(errors="surrogateescape")})


@cache
def model_of(service: str) -> ServiceModel:
    name = _MODELS.get(service, service)
    return ServiceModel(Loader().load_service_model(name, "service-2"), name)


def calls_of(requests: Iterable[Recorded]) -> Iterator[Call]:
    return map(call_of, requests)


def call_of(request: Recorded) -> Call:
    """Raises AssertionError for a request that is to no operation."""
    if request.service == "s3":
        return _s3(request)
    if "x-amz-target" in request.headers:
        return _json(request)
    return _rest(request)


def _call(request: Recorded, operation: str, parameters: Mapping[str, Any], **more: Any) -> Call:
    return Call(
        request.function,
        request.service,
        operation,
        parameters,
        request.region,
        request.method,
        request.status,
        **more,
    )


def _json(request: Recorded) -> Call:
    metadata = model_of(request.service).metadata
    prefix, _, operation = request.headers["x-amz-target"].partition(".")
    wrong = []
    if prefix != metadata["targetPrefix"]:
        wrong.append(f"x-amz-target begins with {prefix}")
    if request.headers.get("content-type") != f"application/x-amz-json-{metadata['jsonVersion']}":
        wrong.append(f"content-type is {request.headers.get('content-type')}")
    if (request.method, request.path) != ("POST", "/"):
        wrong.append(f"{request.method} {request.path}")
    if operation not in model_of(request.service).operation_names:
        raise AssertionError(f"{request.service} has no {operation}")
    return _call(request, operation, json.loads(request.body), wrong=tuple(wrong))


# -- REST -------------------------------------------------------------------------------------------------------------


def _rest(request: Recorded) -> Call:
    path, place = request.path, ""
    if request.service == "execute-api":
        found = _CONNECTIONS.fullmatch(unquote(path).replace("%40", "@"))
        if found is None:
            raise AssertionError(f"{path} is no connection's")
        api = found[1] or request.headers["host"].partition(".")[0]
        path, place = "/%40connections/" + path.rpartition("/")[2], f"{api}/{found[2]}"
    for name in model_of(request.service).operation_names:
        operation = model_of(request.service).operation_model(name)
        named = _named(operation, request.method, path)
        if named is not None:
            parameters, wrong = _parameters(operation, request, named)
            return _call(request, name, parameters, place=place, wrong=tuple(wrong))
    raise AssertionError(f"{request.service} has no {request.method} {path}")


def _named(operation: OperationModel, method: str, path: str) -> dict[str, str] | None:
    """What stands in the path for the names of an operation's template."""
    if operation.http["method"] != method:
        return None
    template = operation.http["requestUri"].partition("?")[0].replace("@", "(?:@|%40)")
    found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template), path)
    return None if found is None else {name: unquote(value) for name, value in found.groupdict().items()}


def _parameters(
    operation: OperationModel, request: Recorded, named: Mapping[str, str]
) -> tuple[dict[str, Any], list[str]]:
    shape = operation.input_shape
    members = shape.members if shape else {}
    places = {one.serialization.get("name", name): (name, one) for name, one in members.items()}
    parameters: dict[str, Any] = {places[name][0]: value for name, value in named.items()}
    wrong = []
    for name, value in request.query.items():
        if name in places:
            parameters[places[name][0]] = value
        elif not _SIGNATURE.match(name):
            wrong.append(f"?{name}= is unknown")
    payload = shape.serialization.get("payload") if shape else None
    if payload:
        parameters[payload] = request.body
    elif request.length:
        parameters |= json.loads(request.body)
    return parameters, wrong


# -- S3 ---------------------------------------------------------------------------------------------------------------


def _s3(request: Recorded) -> Call:
    bucket, key = _object(request)
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return _form(request, bucket)
    copies = "x-amz-copy-source" in request.headers
    lists = not key and request.query.get("list-type") == "2"
    operation = _OBJECT.get(request.method) or ("CopyObject" if copies else "PutObject")
    operation = "ListObjectsV2" if lists else operation
    members = model_of("s3").operation_model(operation).input_shape.members
    parameters: dict[str, Any] = {"Bucket": bucket} if lists else {"Bucket": bucket, "Key": key}
    known = {
        one.serialization.get("name", name).lower(): name
        for name, one in members.items()
        if one.serialization.get("location") in {"header", "querystring"}
    }
    wrong = []
    for name, value in request.query.items():
        if name.lower() in known:
            parameters[known[name.lower()]] = int(value) if name == "max-keys" else value
        elif lists and name == "list-type":
            continue
        elif not _SIGNATURE.match(name):
            wrong.append(f"?{name}= is unknown")
    for name, value in request.headers.items():
        if name in known:
            parameters[known[name]] = unquote(value) if name == "x-amz-copy-source" else value
    return _call(request, operation, parameters, wrong=tuple(wrong))


def _object(request: Recorded) -> tuple[str, str]:
    """Bucket and key, whether the bucket stands in the path (on a laptop) or in the host's name."""
    host, path = request.headers["host"], unquote(request.path).lstrip("/")
    if ".s3." in host:
        return host.partition(".s3.")[0], path
    bucket, _, key = path.partition("/")
    return bucket, key


def _form(request: Recorded, bucket: str) -> Call:
    """An upload by a form: each field that is sent has to be among the conditions that were signed."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    parts = BytesParser().parsebytes(head + request.body).walk()
    fields = {
        str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True)
        for part in parts
        if part.get_content_maintype() != "multipart"
    }
    texts = {name: value.decode("latin-1") for name, value in fields.items() if isinstance(value, bytes)}
    conditions = json.loads(base64.b64decode(texts["policy"]))["conditions"]
    signed = {name for one in conditions if isinstance(one, Mapping) for name in one}
    spare = texts.keys() - signed - {"policy", "x-amz-signature", "file"}
    wrong = [f"{name} is in no condition" for name in sorted(spare)]
    if not any(isinstance(one, list) and one[0] == "content-length-range" for one in conditions):
        wrong.append("any length will do")
    for one in conditions:
        wrong += [
            f"{name} is not {value}" for name, value in _same(one) if name != "bucket" and texts.get(name) != value
        ]
    return _call(request, "PostObject", {"Bucket": bucket, "Key": texts["key"]}, wrong=tuple(wrong))


def _same(condition: Any) -> Iterable[tuple[str, str]]:
    return condition.items() if isinstance(condition, Mapping) else ()


def host_of(url: str) -> str:
    return urlsplit(url).netloc
