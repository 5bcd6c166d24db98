"""FCM and Apple's push service in the simulation: the real adapters, and servers that answer as theirs do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, cast

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from firebase_admin import exceptions  # type: ignore[import-untyped]

from functions.offline_push.apns.gateway import ApnsGateway
from functions.offline_push.apns.http2 import Answer, Http2, TimedOut
from functions.offline_push.fcm.gateway import FcmGateway
from functions.offline_push.providers import Credentials
from shared.domain.devices import FCM
from shared.domain.pushes import Push, PushResult
from tests.simulation.faults import Fault, FaultModel
from tests.simulation.scheduler import Hub


@dataclass(frozen=True, slots=True)
class Accepted:
    """A push that a provider has taken on, and shows. `began` is when the function was invoked that has sent it."""

    token: str
    data: Mapping[str, str]
    at: float
    began: float
    push_id: str
    badge: int | None
    text: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What a provider has taken on that shows nothing. `began` is as of a push."""

    token: str
    data: Mapping[str, str]
    at: float
    began: float
    push_id: str
    badge: int | None


@dataclass(frozen=True, slots=True)
class Forgot:
    """A provider has said that it does not know this token, to a function that was invoked at `began`."""

    token: str
    at: float
    began: float


@cache
def _apples_key() -> str:
    """A team's key, as a secret has it: always the same."""
    key = ec.derive_private_key(1, ec.SECP256R1())
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return json.dumps({"key_id": "KEY", "team_id": "TEAM", "private_key": text})


class _Apns(ApnsGateway):
    """The real adapter, over a connection that is called and not dialled."""

    def __init__(self, post: Callable[[str, Mapping[str, str], bytes], Answer], *, now: Callable[[], int]) -> None:
        super().__init__(_apples_key, endpoint="", ca_file="", now=now)
        self._server = post

    def _connection(self, environment: object) -> Http2:
        server = self._server

        class Line:
            def post(self, path: str, headers: Mapping[str, str], payload: bytes) -> Answer:
                return server(path, headers, payload)

        return cast("Http2", Line())


@dataclass(frozen=True, slots=True)
class _Project:
    """A Firebase project, as the real adapter uses it."""

    send: Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class _HttpAnswer:
    """Of FCM, as its library hands it on."""

    status_code: int
    status: str
    details: tuple[Mapping[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        return {"error": {"status": self.status, "message": "no", "details": list(self.details)}}


_FCM_ERROR: Final = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_FORGOTTEN: Final = _HttpAnswer(404, "NOT_FOUND", ({"@type": _FCM_ERROR, "errorCode": "UNREGISTERED"},))
_BUSY: Final = _HttpAnswer(429, "RESOURCE_EXHAUSTED", ({"@type": _FCM_ERROR, "errorCode": "QUOTA_EXCEEDED"},))


class Provider:
    """Both of them, by the target's platform."""

    def __init__(self, hub: Hub, fault_model: FaultModel, base_ms: int) -> None:
        self.accepted: list[Accepted] = []
        self.withdrawn: list[Withdrawn] = []
        self.forgot: list[Forgot] = []
        self._hub = hub
        self._fault_model = fault_model
        self._now: Callable[[], int] = lambda: base_ms + int(hub.now)
        self._apns = _Apns(self._post, now=self._now)
        self._fcm = FcmGateway(lambda: "{}", endpoint="", ca_file="", now=self._now)
        project = cast("Any", _Project(self._send))
        self._fcm._projects = Credentials(lambda: "{}", lambda _: project, now=self._now)

    def push(self, push: Push) -> PushResult:
        """As the port has it."""
        self._hub.step()
        gateway = self._fcm if push.target.platform == FCM else self._apns
        self._current = push
        return gateway.push(push)  # in one go: there is no step behind this one

    def _send(self, message: Any) -> None:
        """FCM's answer to a message."""
        if self._fault_model.strikes(Fault.PROVIDER_BUSY):
            raise exceptions.ResourceExhaustedError("no", http_response=_BUSY)
        if self._fault_model.strikes(Fault.PROVIDER_FORGOT):
            self._forget(message.token or message.fid)
            raise exceptions.NotFoundError("no", http_response=_FORGOTTEN)
        aps = message.apns.payload.aps
        self._accept(message.token or message.fid, message.data, aps.badge, vars(aps.alert) if aps.alert else None)
        if self._fault_model.strikes(Fault.PROVIDER_UNKNOWN):
            raise exceptions.DeadlineExceededError("no answer")

    def _post(self, path: str, _: Mapping[str, str], payload: bytes) -> Answer:
        """Apple's answer to a request."""
        if self._fault_model.strikes(Fault.PROVIDER_BUSY):
            return Answer(503, {}, b'{"reason":"ServiceUnavailable"}')
        if self._fault_model.strikes(Fault.PROVIDER_FORGOT):
            self._forget(path.rpartition("/")[2])
            gone = {"reason": "Unregistered", "timestamp": self._now() + 1_000}
            return Answer(410, {}, json.dumps(gone).encode())
        body = json.loads(payload)
        self._accept(path.rpartition("/")[2], body["parley"], body["aps"].get("badge"), body["aps"].get("alert"))
        if self._fault_model.strikes(Fault.PROVIDER_UNKNOWN):
            raise TimedOut
        return Answer(200, {}, b"")

    def _began(self) -> float:
        return self._hub.process.began if self._hub.process else 0.0

    def _forget(self, token: str) -> None:
        self.forgot.append(Forgot(token, self._hub.now, self._began()))

    def _accept(self, token: str, data: Mapping[str, str], badge: int | None, alert: Mapping[str, Any] | None) -> None:
        if alert is None:
            at, began = self._hub.now, self._began()
            self.withdrawn.append(Withdrawn(token, data, at, began, self._current.push_id, badge))
            return
        push_id, said = self._current.push_id, tuple(alert.get("title_loc_args") or alert.get("title-loc-args") or ())
        self.accepted.append(Accepted(token, data, self._hub.now, self._began(), push_id, badge, _text(alert), said))


def _text(alert: Mapping[str, Any]) -> str:
    """What is shown, in so far as the push says it."""
    return " ".join(str(alert[name]) for name in ("title", "body") if alert.get(name))
