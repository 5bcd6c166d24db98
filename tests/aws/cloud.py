"""AWS in memory, as what leaves this process reaches it: requests over HTTP, each of them noted, and their answers.

Its place is where the thin transport and botocore hand a request to the network. It knows who signed, and nothing of
who may do what: that is judged afterwards.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session

from shared.adapters.aws.calls import ServiceError, SideBySide
from shared.adapters.aws.transport import Pool, Response
from tests.aws.calls import Call, Recorded, call_of
from tests.aws.rules import renamed
from tests.dynamodb import Store
from tests.dynamodb.store import Written
from tests.sdk import answered
from tests.stores import LOG
from tests.wire import in_turn

_SIGNED: Final = re.compile(r"([\w-]+)/\d{8}/([\w-]+)/([\w-]+)/aws4_request")
_SIGNED_QUERY: Final = re.compile(r"([\w-]+)%2F\d{8}%2F([\w-]+)%2F([\w-]+)%2Faws4_request")
_NOT_THERE: Final = b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>NoSuchKey</Code></Error>'
_COPIED: Final = b'<?xml version="1.0" encoding="UTF-8"?><CopyObjectResult><ETag>"e"</ETag></CopyObjectResult>'
_FILE: Final = b'name="file"\r\n\r\n'
_ETAG: Final = {"etag": '"e"'}


@dataclass
class Cloud:
    """`tables` says which of the four a name is of, `secrets` what is kept under an ARN.

    `answers` are those to posts to a connection, in place of what would be said otherwise.
    """

    tables: Mapping[str, str]
    secrets: Mapping[str, str]
    recorded: list[Recorded] = field(default_factory=list)
    queues: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    objects: dict[str, bytes] = field(default_factory=dict)
    schedules: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    answers: dict[str, Response] = field(default_factory=dict)
    posted: list[tuple[str, bytes]] = field(default_factory=list)
    stream: list[dict[str, Any]] = field(default_factory=list)
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.store = Store(on_write=self._on_write)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """From now on everything that is asked of AWS is asked here."""

        def thin(pool: Pool, method: str, path: str, headers: Mapping[str, str], body: bytes, **_: float) -> Response:
            return self.request(pool.host, method, path, headers, body)

        def sdk(_session: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
            return answered(request, lambda *asked: self.request(urlsplit(request.url).netloc, *asked))

        monkeypatch.setattr(Pool, "request", thin)
        monkeypatch.setattr(SideBySide, "run", in_turn)
        monkeypatch.setattr(URLLib3Session, "send", sdk)

    def request(self, host: str, method: str, path: str, headers: Mapping[str, str], sent: Any) -> Response:
        body: bytes = sent.read() if hasattr(sent, "read") else sent
        known = {"host": host, **{name.lower(): value for name, value in headers.items()}}
        signer = _SIGNED.search(known.get("authorization", "")) or _SIGNED_QUERY.search(path)
        form = _SIGNED.search(body.decode("latin-1")) if "multipart" in known.get("content-type", "") else None
        function, region, service = (signer or form or _unsigned(path)).groups()
        asked = Recorded(function, service, method, path, known, body, len(body), 0, region)
        response = self._answer(call_of(asked), body)
        self.recorded.append(Recorded(function, service, method, path, known, body, len(body), response.status, region))
        return response

    # -- what a client does with a form or a link ---------------------------------------------------------------------

    def upload(self, form: Mapping[str, Any], data: bytes) -> int:
        fields = {**form["fields"], "file": data.decode("latin-1")}
        parts = "".join(f'--b\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items())
        place = urlsplit(form["url"])
        headers = {"content-type": "multipart/form-data; boundary=b"}
        return self.request(
            place.netloc, "POST", place.path or "/", headers, f"{parts}--b--\r\n".encode("latin-1")
        ).status

    def fetch(self, url: str) -> int:
        place = urlsplit(url)
        return self.request(place.netloc, "GET", f"{place.path}?{place.query}", {}, b"").status

    # -- answers ------------------------------------------------------------------------------------------------------

    def _answer(self, call: Call, body: bytes) -> Response:
        match call.service:
            case "dynamodb":
                return self._dynamodb(call)
            case "s3" if call.operation == "ListObjectsV2":
                return self._listed(call)
            case "s3":
                return self._s3(call, body)
            case "execute-api":
                return self._connections(call)
        return Response(200, {}, json.dumps(self._json(call)).encode())

    def _dynamodb(self, call: Call) -> Response:
        names = {short: name for name, short in self.tables.items()}
        try:
            found = self.store.call(call.operation, renamed(call.parameters, self.tables))
        except ServiceError as refused:
            return Response(400, {}, json.dumps({**refused.body, "__type": f"#{refused.code}"}).encode())
        return Response(200, {}, json.dumps(renamed(found, names)).encode())

    def _json(self, call: Call) -> dict[str, Any]:
        asked = call.parameters
        match call.operation:
            case "SendMessage":
                self.queues[asked["QueueUrl"].rpartition("/")[2]].append(asked["MessageBody"])
            case "SendMessageBatch":
                self.queues[asked["QueueUrl"].rpartition("/")[2]] += [one["MessageBody"] for one in asked["Entries"]]
            case "GetSecretValue":
                return {"SecretString": self.secrets[asked["SecretId"]]}
            case "PutEvents":
                return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in asked["Entries"]]}
            case "CreateSchedule":
                self.schedules[asked["Name"]] = asked
                return {"ScheduleArn": f"arn:aws:scheduler:us-east-1:123456789012:schedule/g/{asked['Name']}"}
            case "DeleteSchedule":
                del self.schedules[asked["Name"]]
        return {}

    def _connections(self, call: Call) -> Response:
        connection_id = call.parameters["ConnectionId"]
        if connection_id in self.answers:
            return self.answers[connection_id]
        if connection_id in self.gone:
            return Response(410, {"x-amzn-errortype": "GoneException"}, b"")
        if call.method == "DELETE":
            self.gone.add(connection_id)
            return Response(204, {}, b"")
        self.posted.append((connection_id, call.parameters["Data"]))
        return Response(200, {}, b"")

    def _s3(self, call: Call, body: bytes) -> Response:
        key = call.parameters["Key"]
        match call.operation:
            case "PostObject":
                self.objects[key] = body.partition(_FILE)[2].rpartition(b"\r\n--b--")[0]
                return Response(204, _ETAG, b"")
            case "PutObject":
                self.objects[key] = body
                return Response(200, _ETAG, b"")
            case "CopyObject" if (source := call.parameters["CopySource"].partition("/")[2]) in self.objects:
                self.objects[key] = self.objects[source]
                return Response(200, {}, _COPIED)
            case "DeleteObject":
                self.objects.pop(key, None)
                return Response(204, {}, b"")
        found = None if call.operation == "CopyObject" else self.objects.get(key)
        if found is None:
            return Response(404, {}, b"" if call.method == "HEAD" else _NOT_THERE)
        return Response(200, {**_ETAG, "content-length": str(len(found))}, b"" if call.method == "HEAD" else found)

    def _listed(self, call: Call) -> Response:
        prefix, after = call.parameters["Prefix"], call.parameters.get("StartAfter", "")
        names = [name for name in sorted(self.objects) if name.startswith(prefix) and name > after]
        rows = "".join(
            f"<Contents><Key>{name}</Key><Size>{len(self.objects[name])}</Size></Contents>" for name in names
        )
        return Response(200, {}, f"<ListBucketResult>{rows}</ListBucketResult>".encode())

    def _on_write(self, written: Written) -> None:
        if written.table != LOG:
            return
        kind = "INSERT" if written.old is None else "MODIFY"
        image = {"NewImage": written.new, "Keys": written.key, "SequenceNumber": f"{len(self.stream):021}"}
        self.stream.append({"eventName": kind, "eventSource": "aws:dynamodb", "dynamodb": image})


def _unsigned(path: str) -> re.Match[str]:
    raise AssertionError(f"nobody has signed {path}")


def with_query(path: str, query: Mapping[str, str] | None) -> str:
    return f"{path}?{urlencode(query)}" if query else path
