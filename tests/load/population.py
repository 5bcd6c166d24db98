"""People who come, do everything there is to do, and go: events for each function, as AWS hands them over."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from random import Random
from types import ModuleType
from typing import Any, Final

import jwt

from tests.fakes import FakeClock
from tests.functions.events import authorizer_of, handshake_event, http_event, websocket_event
from tests.functions.files.samples import PDF, picture
from tests.load.network import Network
from tests.load.requests import requests
from tests.shared.auth.minting import SECRET

HOUR_MS: Final = 3_600_000
_STEP_MS: Final = 150
_BATCH: Final = 10
_GROUPS: Final = 4
_PICTURES: Final = (
    ("image/png", picture("PNG")),
    ("image/jpeg", picture("JPEG")),
    ("image/gif", picture("GIF")),
    ("image/webp", picture("WEBP")),
    ("image/png", picture("JPEG")),  # it is not what it is called
    ("application/pdf", PDF),
)
Handlers = Mapping[str, ModuleType]


@dataclass
class Session:
    """One connection of a user."""

    user_id: str
    connection_id: str
    authorizer: dict[str, Any]


@dataclass
class Population:
    """The users of one store. `invoked` counts by function; `unlike` are answers that no client should get.

    `heads` are the last places of conversations, `talks` those that each user was in of late.
    """

    name: str
    handlers: Handlers
    network: Network
    clock: FakeClock
    random: Random
    people: int
    invoked: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    unlike: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    files: deque[str] = field(default_factory=lambda: deque(maxlen=20))
    heads: dict[str, int] = field(default_factory=dict)
    talks: dict[str, deque[str]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)

    # --- invocations

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        self.clock.advance(_STEP_MS)
        self.invoked[function] += 1
        return self.handlers[function].handler(event)

    def request(self, user_id: str, method: str, path: str, body: Any = None, query: Any = None) -> Any:
        """One HTTP request's decoded answer."""
        token = self.token(user_id, scope="admin notifications:send")
        answer = self.invoke("rest", http_event(method, path, token=token, body=body, query=query))
        self.outcomes[f"HTTP {answer['statusCode']}"] += 1
        if answer["statusCode"] >= 500:
            self.unlike.append(f"{method} {path} is answered {answer['statusCode']}")
        return json.loads(answer["body"]) if answer["body"] else None

    def frame(self, session: Session, frame: Any) -> dict[str, Any]:
        body = frame if isinstance(frame, str) else json.dumps(frame)
        event = websocket_event(
            "MESSAGE", "message", connection_id=session.connection_id, authorizer=session.authorizer, body=body
        )
        reply: dict[str, Any] = json.loads(self.invoke("message", event)["body"])
        self.outcomes[reply["data"]["type"] if reply["success"] else reply["code"]] += 1
        if reply.get("code") in {"internal", "unavailable"}:
            self.unlike.append(f"a frame is answered {reply['code']}")
        return reply

    def token(self, user_id: str, **claims: Any) -> str:
        now = self.clock.ms // 1_000
        return jwt.encode({"sub": user_id, "iat": now, "exp": now + 3_600, **claims}, SECRET, algorithm="HS256")

    # --- people

    def person(self) -> str:
        return f"{self.name}-{self.random.randrange(self.people)}"

    def settle(self) -> None:
        """Groups from a few people to everybody: the larger ones are posted to in shards."""
        for number in range(1, _GROUPS + 1):
            members = [f"{self.name}-{at}" for at in range(1, number * self.people // _GROUPS)]
            asked = {"type": "group", "name": f"group {number}", "members": members}
            self.groups.append(self.request(f"{self.name}-0", "POST", "/v1/conversations", asked)["id"])

    def come(self, user_id: str) -> Session:
        """A handshake, with a token or with a ticket."""
        headers, query = {"Authorization": f"Bearer {self.token(user_id)}"}, {"device_id": "phone"}
        if self.random.random() < 0.3:
            ticket = self.request(user_id, "POST", "/v1/tickets")["ticket"]
            headers, query = {"Origin": "http://localhost:5173"}, {"ticket": ticket}
        policy = self.invoke("authorizer", handshake_event(headers=headers, query=query))
        connection_id = f"{self.name}c{next(self.numbers)}="
        authorizer = {**authorizer_of(user_id), **policy["context"]}
        event = websocket_event("CONNECT", "$connect", connection_id=connection_id, authorizer=authorizer)
        if self.invoke("connect", event)["statusCode"] != 200:
            self.unlike.append("a handshake is refused")
        return Session(user_id, connection_id, authorizer)

    def intrude(self) -> None:
        """A handshake that is refused."""
        headers = self.random.choice([{}, {"Authorization": "Bearer x"}, {"Origin": "https://evil.example"}])
        self.invoke("authorizer", handshake_event(headers=headers, query={"ticket": "made-up"}))

    def go(self, session: Session) -> None:
        """One in ten goes without a `$disconnect`."""
        self.network.closed.add(session.connection_id)
        if self.random.random() < 0.9:
            event = websocket_event(
                "DISCONNECT", "$disconnect", connection_id=session.connection_id, authorizer=session.authorizer
            )
            self.invoke("disconnect", event)

    # --- what they do

    def live(self, *, frames: int, requested: int) -> None:
        """A session from its handshake to its end, and all that follows from it."""
        user_id = self.person()
        session = self.come(user_id)
        self.frame(session, {"type": "sync", "conversations": dict.fromkeys(self.talks.get(user_id, ()), 1)})
        for _ in range(frames):
            self.frame(session, self._anything(session))
        if self.random.random() < 0.1:
            self._flood(session)
        for _ in range(requested):
            self.request(user_id, *self.random.choice(requests(self, user_id)))
        if self.random.random() < 0.2:
            self.upload(user_id)
        self.go(session)
        self.work()

    def _flood(self, session: Session) -> None:
        """Until the connection is closed."""
        while session.connection_id not in self.network.closed:
            self.frame(session, {"type": "ping"})

    def _anything(self, session: Session) -> Any:
        """Mostly messages; any other frame there is, and what is none."""
        place, seq = self.place(session.user_id)
        target = {"conversation_id": place, "seq": seq}
        others: list[Callable[[], Any]] = [
            lambda: {"type": "edit", **target, "content": "better"},
            lambda: {"type": "delete", **target},
            lambda: {"type": "react", **target, "emoji": self.random.choice("ab"), "remove": seq % 3 == 0},
            lambda: {"type": "read", **target},
            lambda: {"type": "delivered", **target},
            lambda: {"type": "typing", "conversation_id": place},
            lambda: {"type": "presence", "users": [self.person() for _ in range(5)]},
            lambda: {"type": "ping", **target},
            lambda: {"type": "auth", "token": self.token(session.user_id)},
            lambda: {"type": "sync", "conversations": {place: 0}},
            lambda: {"type": self.random.choice(["nonsense", "$connect", 5])},
            lambda: self.random.choice(["hello", "[1]", "", '{"type":"message","deep":' + "[" * 200]),
        ]
        if self.random.random() < 0.5:
            return self._message(session)
        return self.random.choice(others)()

    def _message(self, session: Session) -> dict[str, Any]:
        number = next(self.numbers)
        message: dict[str, Any] = {"type": "message", "id": str(number), "content": f"message {number}"}
        place, seq = self.place(session.user_id)
        message |= {"conversation_id": place} if place.startswith("group:") else {"to": self.other(session.user_id)}
        if number % 3:
            message["client_message_id"] = f"m{number}"
        if self.files and number % 7 == 0:
            message |= {"message_type": "image", "file_id": self.random.choice(self.files)}
        if number % 11 == 0:
            message |= {"content": "", "forward_of": {"conversation_id": place, "seq": seq}}
        return message

    def other(self, user_id: str) -> str:
        return next(each for each in iter(self.person, None) if each != user_id)

    def place(self, user_id: str) -> tuple[str, int]:
        """A conversation, mostly one of theirs, and a place in it."""
        place = self.random.choice([*self.talks.get(user_id, ()), *self.groups[1:]])
        return place, self.random.randint(max(1, self.heads.get(place, 1) - 5), self.heads.get(place, 1))

    def upload(self, user_id: str) -> None:
        """Announced, uploaded, and looked at."""
        content_type, data = self.random.choice(_PICTURES)
        asked = {"name": "a picture", "content_type": content_type, "size": len(data)}
        file_id = self.request(user_id, "POST", "/v1/files", asked)["file_id"]
        self.network.objects[f"uploads/{file_id}"] = data
        self.invoke("files", {"detail": {"bucket": {"name": "files"}, "object": {"key": f"uploads/{file_id}"}}})
        if content_type.startswith("image/"):
            self.files.append(file_id)

    # --- what follows

    def work(self) -> None:
        """The stream's records and the queues' messages, until there are no more."""
        while self.network.stream:
            records = _taken(self.network.stream)
            for record in records:
                item = record["dynamodb"]["NewImage"]
                self._heard(item["conversation_id"]["S"], int(item["seq"]["N"]))
            self._batch("offline_push", records)
            self._batch("files", records)
        for name, queue in list(self.network.queues.items()):
            while queue:
                messages = [{"messageId": str(n), "body": body} for n, body in enumerate(_taken(queue))]
                function = "presence" if name == "presence" else "offline_push"
                self._batch(function, [{**message, "eventSource": "aws:sqs"} for message in messages])

    def _heard(self, conversation_id: str, seq: int) -> None:
        if conversation_id not in self.heads:
            for user_id in conversation_id.split(":")[1:]:
                self.talks.setdefault(user_id, deque(maxlen=8)).append(conversation_id)
        self.heads[conversation_id] = seq

    def _batch(self, function: str, records: list[dict[str, Any]]) -> None:
        answer = self.invoke(function, {"Records": records})
        if answer["batchItemFailures"]:
            self.unlike.append(f"{function} could not do its work")


def _taken(waiting: deque[Any]) -> list[Any]:
    return [waiting.popleft() for _ in range(min(_BATCH, len(waiting)))]
