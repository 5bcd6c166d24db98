"""AWS as the functions reach it, in memory: what is above `Pool.request` and botocore's session is the real thing."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from shared.adapters.aws.calls import ServiceError
from shared.adapters.aws.transport import Response
from tests.dynamodb import Store, Written
from tests.shared.auth.minting import SECRET

_QUEUED: Final = 1_000
_CONNECTIONS: Final = "/@connections/"
_SCHEDULES: Final = "/schedules/"
_KEPT: Final = "files/"


@dataclass
class Network:
    """The tables, the bucket, the queues and the connections of one population; whoever drops it drops all of them.

    `closed` are connections that are there no more, `queues` messages by the last part of their queue's URL, and
    `stream` what was stored in the log.
    """

    now: Callable[[], int]
    store: Store = field(init=False)
    objects: dict[str, bytes] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    queues: dict[str, deque[str]] = field(default_factory=dict)
    stream: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_QUEUED))
    calls: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.store = Store(on_write=self._stored, now_ms=self.now)

    def request(self, host: str, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Stands for `Pool.request`, and for what botocore sends with."""
        target = headers.get("x-amz-target", "")
        service, _, operation = target.partition(".")
        self.calls[operation or f"{method} {host}"] += 1
        if service.startswith("DynamoDB"):
            return self._dynamodb(operation, json.loads(body))
        if service == "AmazonSQS":
            return self._sqs(operation, json.loads(body))
        if service == "secretsmanager":
            return _said({"SecretString": SECRET})
        place = unquote(path)
        if _CONNECTIONS in place:
            return self._post(method, place.rpartition(_CONNECTIONS)[2])
        if _SCHEDULES in place:
            return self._schedule(method, body)
        return self._object(method, place.lstrip("/"), headers, body)

    def _dynamodb(self, operation: str, request: Mapping[str, Any]) -> Response:
        try:
            return _said(self.store.call(operation, request))
        except ServiceError as refused:
            return _said({"__type": f"aws#{refused.code}", **refused.body}, status=400)

    def _sqs(self, operation: str, request: Mapping[str, Any]) -> Response:
        queue = self.queues.setdefault(request["QueueUrl"].rpartition("/")[2], deque(maxlen=_QUEUED))
        entries = request["Entries"] if operation == "SendMessageBatch" else [request]
        queue.extend(entry["MessageBody"] for entry in entries)
        return _said({})

    def _schedule(self, method: str, body: bytes) -> Response:
        """What is due comes at once."""
        if method == "POST":
            self.queues.setdefault("look", deque(maxlen=_QUEUED)).append(json.loads(body)["Target"]["Input"])
        return _said({})

    def _post(self, method: str, connection_id: str) -> Response:
        if connection_id in self.closed:
            return Response(410, {}, b"")
        if method == "DELETE":
            self.closed.add(connection_id)
        return Response(200, {}, b"")

    def _object(self, method: str, key: str, headers: Mapping[str, str], body: bytes) -> Response:
        if method == "PUT":
            source = headers.get("x-amz-copy-source")
            self.objects[key] = self.objects[source.lstrip("/").partition("/")[2]] if source else body
            return Response(200, {}, b"")
        if method == "DELETE":
            self.objects.pop(key, None)
            return Response(204, {}, b"")
        data = self.objects.get(key)
        if data is None:
            return Response(404, {}, b"")
        return Response(200, {"content-length": str(len(data)), "etag": '"1"'}, b"" if method == "HEAD" else data)

    def _stored(self, written: Written) -> None:
        if written.table == "log" and written.old is None and written.new is not None:
            number = f"{sum(self.calls.values()):021}"
            image = {"NewImage": written.new, "SequenceNumber": number}
            self.stream.append({"eventName": "INSERT", "eventSource": "aws:dynamodb", "dynamodb": image})


def _said(body: Mapping[str, Any], *, status: int = 200) -> Response:
    return Response(status, {}, json.dumps(body).encode())
