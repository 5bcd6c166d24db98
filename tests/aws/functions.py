"""The functions as they are deployed: each wired by its own wiring, with the environment that its template gives it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import jwt
import pytest

import tests.functions.environment  # noqa: F401  # read by the handlers when they are imported
from functions.connect import authorizer
from functions.connect import handler as connect
from functions.disconnect import handler as disconnect
from functions.events_out import handler as events_out
from functions.events_out.wiring import wire as wire_events
from functions.files import handler as files
from functions.message import handler as message
from functions.message.wiring import wire as wire_message
from functions.offline_push import handler as offline_push
from functions.offline_push.wiring import Gateways
from functions.offline_push.wiring import wire as wire_push
from functions.presence import handler as presence
from functions.rest import handler as rest
from functions.rest.api import make_api, respond
from shared.adapters.aws.secrets_manager import CachedSecret, secrets_manager
from shared.adapters.aws.sqs import SqsPresenceChecks, SqsQueue, sqs
from shared.adapters.dynamodb.client import dynamodb
from shared.adapters.dynamodb.sessions import DynamoDbSessions, DynamoDbTickets
from shared.auth.tokens import make_verifier
from shared.clock import now_ms
from shared.config import (
    AuthorizerSettings,
    AwsEnvironment,
    ConnectSettings,
    DisconnectSettings,
    EventsSettings,
    FilesSettings,
    MessageSettings,
    OfflinePushSettings,
    PresenceSettings,
    RestSettings,
)
from shared.domain.devices import FCM, Platform
from shared.domain.files import Checked, File
from shared.domain.pushes import Push, PushResult, Sent
from shared.observability import make_logger
from shared.ports.services import PushGateway
from shared.ports.stores import SessionStores
from tests.aws.deployment import FUNCTION, Deployment
from tests.fakes.webhooks import FakeReceiver
from tests.functions.events import authorizer_of, frame_event, handshake_event, http_event, websocket_event

Handler = Callable[[Any, Any], Any]
HOUR = 3_600_000
OLD_ENOUGH = 60_000  # of a connection, so that 410 means that it has gone
SECRET = "the secret of all tokens, as long as one should be"


@dataclass
class Phones:
    """A push provider that takes everything, as a function has it once it has read its credentials."""

    credentials: Callable[[], str]
    pushed: list[Push]

    def push(self, push: Push) -> PushResult:
        assert self.credentials()
        self.pushed.append(push)
        return Sent()


class Deployed:
    """Events in, answers out: the real handlers, and what they are wired with asks AWS by its own names."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.pushed: list[Push] = []
        self.receiver = FakeReceiver()

    def environment(self, function: str) -> dict[str, str]:
        """What the template sets for the function whose logical id has this in it."""
        logical = self._logical(function)
        variables = self.deployment.resources[logical]["Properties"]["Environment"]["Variables"]
        return {name: str(self.deployment.value(value)) for name, value in variables.items()}

    def _logical(self, function: str) -> str:
        [logical] = [name for name, _ in self.deployment.of(FUNCTION) if f"{function}Function" in name]
        return logical

    def _aws(self, function: str) -> AwsEnvironment:
        """It signs with its own name."""
        return AwsEnvironment(self.deployment.region, self.deployment.name(self._logical(function)), "secret", "", "")

    def handlers(self, patching: pytest.MonkeyPatch) -> Mapping[str, Handler]:
        """What Lambda calls, by the function: each module with the wiring that it has when it is deployed."""
        settings, verifier, tickets = self._authorizer
        stores, checks = self._disconnect
        wiring, guard = self._message
        given: dict[Any, dict[str, Any]] = {
            authorizer: {"_SETTINGS": settings, "_VERIFIER": verifier, "_TICKETS": tickets},
            connect: {"_WIRING": self._connect},
            disconnect: {"_STORES": stores, "_CHECKS": checks},
            message: {"_WIRING": wiring, "_GUARD": guard},
            rest: {"_API": self._api},
            offline_push: {"_WIRING": self._push},
            presence: {"_WIRING": self._presence},
            files: {"_WIRING": self._files},
        }
        for module, values in given.items():
            for name, value in values.items():
                patching.setattr(module, name, value)
        return {module.__name__.split(".")[1]: module.handler for module in given if module is not authorizer} | {
            "authorizer": authorizer.handler
        }

    # -- WebSocket ----------------------------------------------------------------------------------------------------

    @cached_property
    def _authorizer(self) -> tuple[AuthorizerSettings, Any, Any]:
        settings, aws = AuthorizerSettings.load(self.environment("Authorizer")), self._aws("Authorizer")
        tickets = DynamoDbTickets(dynamodb(aws), tickets_table=settings.tickets_table)
        return settings, make_verifier(settings, aws, now=now_ms), tickets

    def handshake(self, **how: Any) -> str:
        """Allow or Deny."""
        settings, verifier, tickets = self._authorizer
        decided = authorizer.authorize(
            handshake_event(**how),
            verifier=verifier,
            tickets=tickets,
            allowed_origins=settings.allowed_origins,
            now=now_ms(),
        )
        return str(decided["policyDocument"]["Statement"][0]["Effect"])

    def connect(self, user_id: str, connection_id: str, *, expires_in: int = HOUR) -> int:
        context = authorizer_of(user_id, expires_at=now_ms() + expires_in, connected_at=now_ms() - OLD_ENOUGH)
        event = websocket_event("CONNECT", "$connect", connection_id=connection_id, authorizer=context)
        self._connect.begin()
        return int(connect.connect(event, self._connect, now=now_ms)["statusCode"])

    @cached_property
    def _connect(self) -> Any:
        return connect._wire(ConnectSettings.load(self.environment("Connect")), self._aws("Connect"))

    def disconnect(self, user_id: str, connection_id: str) -> int:
        context = authorizer_of(user_id)
        event = websocket_event("DISCONNECT", "$disconnect", connection_id=connection_id, authorizer=context)
        stores, checks = self._disconnect
        return int(disconnect.disconnect(event, stores=stores, checks=checks, now=now_ms())["statusCode"])

    @cached_property
    def _disconnect(self) -> tuple[SessionStores, SqsPresenceChecks]:
        settings, aws = DisconnectSettings.load(self.environment("Disconnect")), self._aws("Disconnect")
        sessions = DynamoDbSessions(dynamodb(aws), sessions_table=settings.sessions_table)
        queue = SqsQueue(sqs(aws), settings.presence_queue_url)
        return SessionStores(sessions), SqsPresenceChecks(queue, grace_s=settings.presence_grace_s, now=now_ms)

    def say(self, user_id: str, connection_id: str, frame: Any, *, expires_in: int = HOUR) -> dict[str, Any]:
        """A frame's reply."""
        until = {"expires_at": now_ms() + expires_in, "connected_at": now_ms() - OLD_ENOUGH}
        event = frame_event(frame, user_id=user_id, connection_id=connection_id, **until)
        wiring, guard = self._message
        answer: dict[str, Any] = json.loads(message.respond(event, wiring, guard)["body"])
        return answer

    @cached_property
    def _message(self) -> tuple[Any, message.Guard]:
        settings = MessageSettings.load(self.environment("Message"))
        wiring, limiters = wire_message(settings, self._aws("Message"), make_logger("aws", "ERROR"))
        return wiring, message.Guard(limiters, wiring.stores, wiring.services)

    # -- HTTP ---------------------------------------------------------------------------------------------------------

    def http(self, user_id: str, method: str, path: str, body: Any = None, **query: str) -> Any:
        """The body of a request's answer, which must be no refusal."""
        event = http_event(method, path, token=token(user_id), body=body, query=query or None)
        answer = respond(event, self._api)
        assert answer["statusCode"] < 300, (method, path, answer)
        return json.loads(answer["body"]) if answer["body"] else None

    @cached_property
    def _api(self) -> Any:
        wiring = rest._wire(RestSettings.load(self.environment("Rest")), self._aws("Rest"))
        return make_api(wiring, unexpected=_fail)

    # -- events -------------------------------------------------------------------------------------------------------

    def look(self, bodies: Sequence[str]) -> None:
        self._presence.begin()
        assert presence.look(_records(bodies), self._presence, now=now_ms) == {"batchItemFailures": []}

    @cached_property
    def _presence(self) -> presence.Wiring:
        return presence._wire(PresenceSettings.load(self.environment("Presence")), self._aws("Presence"))

    def push(self, records: Sequence[Mapping[str, Any]]) -> None:
        self._push.begin()
        assert offline_push.look_at(records, self._push) == {"batchItemFailures": []}

    def work(self, bodies: Sequence[str]) -> None:
        self._push.begin()
        assert offline_push.work(_records(bodies), self._push) == {"batchItemFailures": []}

    @cached_property
    def _push(self) -> Any:
        settings = OfflinePushSettings.load(self.environment("OfflinePush"))
        wired = wire_push(settings, self._aws("OfflinePush"), make_logger("aws", "ERROR"))
        gateways = _Gateways(settings, self._aws("OfflinePush"))
        gateways.pushed = self.pushed
        return replace(wired, services=replace(wired.services, providers=gateways))

    def tell(self, records: Sequence[Mapping[str, Any]]) -> None:
        self.events.begin()
        assert events_out.tell(records, self.events) == {"batchItemFailures": []}

    def run_errands(self, bodies: Sequence[str]) -> None:
        self.events.begin()
        assert events_out.work(_records(bodies), self.events) == {"batchItemFailures": []}

    @cached_property
    def events(self) -> Any:
        """Events out; what is posted to webhooks comes to `receiver`."""
        settings = EventsSettings.load(self.environment("Events"))
        wired = wire_events(settings, self._aws("Events"), make_logger("aws", "ERROR"))
        return replace(wired, services=replace(wired.services, poster=self.receiver))

    def check(self, event: Mapping[str, Any]) -> None:
        self._files.begin()
        files.check(event, self._files)

    def release(self, records: Sequence[Mapping[str, Any]]) -> None:
        self._files.begin()
        assert files.release_files(records, self._files) == {"batchItemFailures": []}

    def sweep(self, *, later_ms: int = 0) -> None:
        self._files.begin()
        files.sweep_files(replace(self._files, now=lambda: now_ms() + later_ms))

    @cached_property
    def _files(self) -> files.Wiring:
        wired = files._wire(FilesSettings.load(self.environment("Files")), self._aws("Files"))
        return replace(wired, inspect=_inspect)


class _Gateways(Gateways):
    """The real ones as far as reading their credentials: nothing is dialled with them."""

    pushed: list[Push]

    def _made(self, platform: Platform) -> PushGateway:
        arn = self.settings.fcm_secret_arn if platform == FCM else self.settings.apns_secret_arn
        return Phones(CachedSecret(secrets_manager(self.environment), arn, now=now_ms), self.pushed)


def token(user_id: str) -> str:
    now = now_ms() // 1_000
    claims = {"sub": user_id, "iat": now, "exp": now + 3_600, "scope": "admin notifications:send"}
    return jwt.encode(claims, SECRET, algorithm="HS256")


def _records(bodies: Sequence[str]) -> list[dict[str, Any]]:
    return [{"messageId": f"m{number}", "body": body, "eventSource": "aws:sqs"} for number, body in enumerate(bodies)]


def _inspect(_file: File, head: bytes) -> Checked:
    return Checked(None, 4, 3, b"small") if head else Checked("wrong_type")


def _fail(error: Exception) -> None:
    raise error
