"""S3 and EventBridge Scheduler in the simulation: each request is a step, answered as theirs are."""

from __future__ import annotations

import hashlib
import json
from calendar import timegm
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from time import strptime
from typing import Any, Final

from shared.adapters.aws.s3 import s3
from shared.adapters.aws.scheduler import scheduler
from shared.adapters.aws.transport import Response, TransportError
from tests.sdk import SOMEWHERE, client_of
from tests.simulation.faults import Fault, FaultModel
from tests.simulation.scheduler import Hub

_GONE: Final = Response(404, {}, b"")
_CHANGED: Final = Response(412, {}, b"")


@dataclass(eq=False)
class Bucket:
    """Objects by their keys. `arrived(file_id)` is called for each upload."""

    hub: Hub
    fault_model: FaultModel
    arrived: Callable[[str], None]
    objects: dict[str, bytes] = field(default_factory=dict)

    @cached_property
    def client(self) -> Any:
        """boto3's, for all instances."""
        return client_of(s3(SOMEWHERE), self.request)

    def upload(self, file_id: str, data: bytes) -> None:
        """What a client has put there by its form."""
        self.objects[f"uploads/{file_id}"] = data
        self.arrived(file_id)
        if self.fault_model.strikes(Fault.QUEUE_TWICE):
            self.arrived(file_id)

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        self.hub.step()
        if self.fault_model.strikes(Fault.SERVER_ERROR):
            return Response(503, {}, b"<Error><Code>SlowDown</Code></Error>")
        if self.fault_model.strikes(Fault.LOST_BEFORE):
            raise TransportError("lost")
        answer = self._answer(method, path.removeprefix("/files/"), headers, body)
        if self.fault_model.strikes(Fault.LOST_AFTER):
            raise TransportError("lost")
        return answer

    def _answer(self, method: str, key: str, headers: Mapping[str, str], body: bytes) -> Response:
        if method == "DELETE":
            self.objects.pop(key, None)
            return Response(204, {}, b"")
        if method == "PUT":
            return self._put(key, headers, body)
        data = self.objects.get(key)
        if data is None:
            return _GONE
        if method == "HEAD":
            return Response(200, {"content-length": str(len(data)), "etag": _etag(data)}, b"")
        if headers["if-match"] != _etag(data):
            return _CHANGED
        return Response(206, {}, data[: int(headers["range"].rpartition("-")[2]) + 1])

    def _put(self, key: str, headers: Mapping[str, str], body: bytes) -> Response:
        """What is given, or a copy of what is there."""
        source = headers.get("x-amz-copy-source")
        data = body if source is None else self.objects.get(source.partition("/")[2])
        if data is None:
            return _GONE
        if source is not None and _etag(data) != headers["x-amz-copy-source-if-match"]:
            return _CHANGED
        self.objects[key] = data
        return Response(200, {}, b"")


def _etag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


@dataclass(eq=False)
class Schedules:
    """What is to be called back for, by name. `due(body)` is called at its time."""

    hub: Hub
    fault_model: FaultModel
    base_ms: int
    due: Callable[[str], None]
    waiting: dict[str, float] = field(default_factory=dict)

    @cached_property
    def client(self) -> Any:
        """boto3's, for all instances."""
        return client_of(scheduler(SOMEWHERE), self.request)

    def request(self, method: str, path: str, _: Mapping[str, str], body: bytes) -> Response:
        self.hub.step()
        if self.fault_model.strikes(Fault.SERVER_ERROR):
            return Response(503, {}, b"{}")
        if self.fault_model.strikes(Fault.LOST_BEFORE):
            raise TransportError("lost")
        name = path.partition("?")[0].rpartition("/")[2]
        answer = self._schedule(name, json.loads(body)) if method == "POST" else self._cancel(name)
        if self.fault_model.strikes(Fault.LOST_AFTER):
            raise TransportError("lost")
        return answer

    def _schedule(self, name: str, request: Mapping[str, Any]) -> Response:
        if name in self.waiting:
            return Response(409, {"x-amzn-errortype": "ConflictException"}, b"{}")
        said = request["ScheduleExpression"].removeprefix("at(").removesuffix(")")
        at = timegm(strptime(said, "%Y-%m-%dT%H:%M:%S")) * 1_000.0 - self.base_ms
        self.waiting[name] = at
        self.hub.after(max(0.0, at - self.hub.now), lambda: self._call(name, at, request["Target"]["Input"]))
        return Response(200, {}, b"{}")

    def _call(self, name: str, at: float, body: str) -> None:
        if self.waiting.get(name) != at:
            return
        del self.waiting[name]
        self.due(body)
        if self.fault_model.strikes(Fault.QUEUE_TWICE):
            self.due(body)

    def _cancel(self, name: str) -> Response:
        if self.waiting.pop(name, None) is None:
            return Response(404, {"x-amzn-errortype": "ResourceNotFoundException"}, b"{}")
        return Response(200, {}, b"{}")
