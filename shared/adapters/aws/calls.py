"""Calls to AWS, signed, bounded and retried: services that speak JSON over one POST, and posts to connections."""

from __future__ import annotations

import hmac
import json
import math
import re
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from heapq import heappop, heappush
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from urllib.parse import quote

from shared.adapters.aws.errors import ServiceError as ServiceError  # noqa: PLC0414  # callers catch it
from shared.adapters.aws.errors import refusal as refusal  # noqa: PLC0414  # as above
from shared.adapters.aws.transport import Exchange, Headers, Pool, Response, TransportError, Underway, header_lines
from shared.clock import SECOND_MS, Deadline
from shared.config import AwsEnvironment
from shared.domain.connections import Posted, PostOutcome
from shared.errors import Unavailable

if TYPE_CHECKING:
    from shared.adapters.aws.asked import Asked, Called, Rerun

T = TypeVar("T")
A = TypeVar("A", bound="Asked")

MAX_ATTEMPTS: Final = 5
# No new attempt after this: a hanging endpoint must leave the caller time to say so before its Lambda is stopped.
GIVE_UP_AFTER_S: Final = 8.0

_POST_ATTEMPTS: Final = 3
# 429: the account's rate, or the client's full buffer. 5xx: the gateway's own trouble.
_BUSY: Final = frozenset({429, 500, 502, 503, 504})
# All that posting an event to its recipients may take. One that hangs is not waited for any longer: its client is given
# the event by the delivery check, or syncs.
FAN_OUT_MS: Final = 1_000
# Connections to the gateway. A new one costs as much CPU as twenty posts, so there are more than the first only where
# nothing at all has happened for a while.
_FIRST_WIDTH: Final = 32
_MOST_WIDTH: Final = 64
_WIDER: Final = 8
_IDLE_S: Final = 0.005
# Where all of those are under way and posts wait: who has been silent for that long, and for several times as long as
# the others took to answer, is given up.
_PATIENCE_S: Final = 0.25
_TIMES_SLOWER: Final = 4
POST: Final = "execute-api:PostToConnection"
CLOSE: Final = "execute-api:DeleteConnection"
# What is not there needs no closing.
_CLOSED: Final = frozenset({404, 410})


Tell = Callable[[Exception, int], None]
"""Is told of what a call was refused for in the end, and after how many attempts."""


UNBOUNDED: Final = Deadline(float("inf"))


def timestamp() -> str:
    """Now, as signatures want it."""
    return _timestamp_of(int(time.time()))


@lru_cache(maxsize=1)
def _timestamp_of(second: int) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))


def always() -> None:
    """There is always time for another call."""


def untold(_: Exception, __: int) -> None:
    """No operator is listening."""


def told_as(call: str) -> Tell:
    """Has an operator told that this call was refused, unless it is an outcome that its caller expects."""

    def tell(error: Exception, attempts: int) -> None:
        from shared.adapters.aws.refusals import tell as tell_refused  # noqa: PLC0415  # loaded by the first refusal

        if not (isinstance(error, ServiceError) and error.is_expected):
            tell_refused(call, error, attempts=attempts)

    return tell


def retried(
    once: Callable[[], T],
    *,
    pause: Callable[[int], None],
    monotonic: Callable[[], float],
    check: Callable[[], None] = always,
    tell: Tell = untold,
) -> T:
    """What `once` returns, called again where it raises TransportError, or a ServiceError that is transient.

    `pause` waits between two attempts, `check` comes before each; both raise Unavailable where the invocation's time is
    up (see `Deadline`). Any other ServiceError is raised; Unavailable when the attempts or the time for them are
    used up. `tell` hears of what was met last.
    """
    lost: Exception | None = None
    attempts = 0
    give_up_at = monotonic() + GIVE_UP_AFTER_S
    while attempts < MAX_ATTEMPTS and not (attempts and monotonic() > give_up_at):
        try:
            if attempts:
                pause(attempts - 1)
            check()
        except Unavailable:
            if lost is None:
                raise  # it was too late for any attempt
            break
        attempts += 1
        try:
            return once()
        except TransportError as exc:
            lost = exc
        except ServiceError as error:
            if not error.is_transient:
                tell(error, attempts)
                raise
            lost = error
    assert lost is not None  # noqa: S101  # there was an attempt, and it has not returned
    tell(lost, attempts)
    raise Unavailable from lost


def undone(call: str, code: str, attempts: int = 1) -> ServiceError:
    """A part of a call that the service took, and did not do. An operator is told of it."""
    error = ServiceError(code, "", {}, call=call)
    told_as(call)(error, attempts)
    return error


def endpoint(service: str, region: str) -> str:
    """Where AWS has a service."""
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://{service}.{region}.{suffix}"


# What `quote` changes nothing of but these signs. It takes several times as long to find that out.
_PLAIN_PATH: Final = re.compile(r"[A-Za-z0-9_.~/%-]*")
_PLAIN_ID: Final = re.compile(r"[A-Za-z0-9_.~=-]*")
_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_DATE: Final = "x-amz-date"
_FORMS: Final = 64


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Form:
    """What is signed of some headers, but for the time, which stands between `before` and `after`."""

    headers: Headers
    names: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Day:
    """What all signatures of a day have in common."""

    day: str
    scope: str
    start: str
    keyed: hmac.HMAC


class Signer:
    """Signature Version 4 of one service in one region, with one set of credentials, as the Lambda runtime gives them.

    Importing botocore costs several times what the rest of a function's start does, and each of its calls about four
    times the CPU of this (docs/adr/0005-transport.md); a test holds every signature to botocore's own.
    """

    def __init__(self, *, service: str, region: str, access_key: str, secret_key: str, session_token: str = "") -> None:
        self._service = service
        self._region = region
        self._access_key = access_key
        self._secret_key = secret_key
        self._session_token = session_token
        self._day = _Day("", "", "", hmac.new(b"", digestmod=sha256))
        # A service's own headers differ by operation alone. Bounded, should they ever be of more kinds.
        self._form = lru_cache(maxsize=_FORMS)(self._formed)

    def sign(self, method: str, path: str, headers: Mapping[str, str], body: bytes, *, timestamp: str) -> Headers:
        """The headers to send: those given (`host` among them) plus date, token and signature.

        `path` is as it goes over the wire, escaped once, and has no query. `timestamp` is UTC, `YYYYMMDDTHHMMSSZ`.
        """
        return self.signing(method, headers, body, timestamp=timestamp)(path)

    def signing(
        self, method: str, headers: Mapping[str, str], body: bytes, *, timestamp: str
    ) -> Callable[[str], Headers]:
        """As `sign`, of many paths: what they have in common is worked out once."""
        form = self._form(tuple(headers.items()))
        rest = f"\n\n{form.before}{timestamp}{form.after}\n\n{form.names}\n{sha256(body).hexdigest()}"
        day = self._of_day(timestamp[:8])

        def sign(path: str) -> Headers:
            # The escaped once more, as all services but S3 want it.
            escaped = path.replace("%", "%25") if _PLAIN_PATH.fullmatch(path) else quote(path, safe="/-_.~")
            digest = sha256(f"{method}\n{escaped}{rest}".encode()).hexdigest()
            mac = day.keyed.copy()
            mac.update(f"{_ALGORITHM}\n{timestamp}\n{day.scope}\n{digest}".encode())
            authorization = f"{day.start}{form.names}, Signature={mac.hexdigest()}"
            lines = f"{_DATE}: {timestamp}\r\nauthorization: {authorization}\r\n".encode()
            headers = {**form.headers, _DATE: timestamp, "authorization": authorization}
            return Headers(headers, form.headers.lines + lines)

        return sign

    def _formed(self, given: tuple[tuple[str, str], ...]) -> _Form:
        headers = {name.lower(): value for name, value in given if name.lower() != _DATE}
        if self._session_token:
            headers["x-amz-security-token"] = self._session_token
        signed = {**headers, _DATE: ""}
        lines = {name: f"{name}:{' '.join(signed[name].split())}" for name in sorted(signed)}
        names = list(lines)
        until = names.index(_DATE) + 1
        before = "\n".join(lines[name] for name in names[:until])
        after = "".join(f"\n{lines[name]}" for name in names[until:])
        return _Form(Headers(headers), ";".join(names), before, after)

    def _of_day(self, day: str) -> _Day:
        """The signing key holds for a day, and takes four of the five digests of a signature."""
        if self._day.day != day:
            key = f"AWS4{self._secret_key}".encode()
            for part in (day, self._region, self._service, "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            scope = f"{day}/{self._region}/{self._service}/aws4_request"
            start = f"{_ALGORITHM} Credential={self._access_key}/{scope}, SignedHeaders="
            header_lines({_DATE: day, "authorization": start})  # which raises ValueError for what is no header
            self._day = _Day(day, scope, start, hmac.new(key, digestmod=sha256))
        return self._day


def signer_for(service: str, environment: AwsEnvironment) -> Signer:
    """Signs with what the runtime provides."""
    return Signer(
        service=service,
        region=environment.region,
        access_key=environment.access_key,
        secret_key=environment.secret_key,
        session_token=environment.session_token,
    )


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Json:
    """How bodies are written and read. `decode` raises ValueError for what is no JSON."""

    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]


PLAIN: Final = Json(lambda value: _ENCODER.encode(value).encode(), lambda data: json.loads(data.decode()))
"""For functions that have no quicker one loaded anyway."""


class JsonService:
    """One service's endpoint. Made while the function initialises; connects on its first call.

    `codec` is how its bodies are written and read: a function that has a quicker one sets it.
    """

    def __init__(  # made once for each service, by name
        self,
        *,
        service: str,
        target_prefix: str,
        content_type: str,
        environment: AwsEnvironment,
        deadline: Deadline = UNBOUNDED,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = Pool(environment.endpoint_url or endpoint(service, environment.region), check=deadline.check)
        self._signer = signer_for(service, environment)
        self.service = service
        self._target_prefix = target_prefix
        self._content_type = content_type
        self._deadline = deadline
        self.monotonic = monotonic
        self.codec = PLAIN
        self.rerun: Rerun | None = None

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Make one call; throttling, server errors and lost answers are retried.

        A retried write may meet itself: conditions must tell. Raises ServiceError for what the service refuses for
        good, Unavailable when the retries or the time for them are used up, or the invocation's.
        """
        if self.rerun is not None:
            return self.rerun.answered(operation, request)
        body = self.codec.encode(request)
        once = lambda: self._once(operation, body)  # noqa: E731
        tell = told_as(f"{self.service}:{operation}")
        return retried(once, pause=self.pause, monotonic=self.monotonic, check=self._deadline.check, tell=tell)

    def pause(self, attempt: int) -> None:
        """Wait before asking again for what an answer left unprocessed."""
        if self.rerun is None or not self.rerun.knows_more:
            self._deadline.pause(attempt)

    def make_all(self, many: Sequence[Called]) -> None:
        """As `call`, of many at once and on one thread: each takes its own answer, or what there is in place of it."""
        SideBySide(self._pool, self._deadline, self._written, math.inf).run(many)

    def _written(self, one: Called) -> bytes:
        path, body = self._pool.base_path or "/", self.codec.encode(one.request)
        return self._pool.written("POST", path, self._signed(path, one.operation, body), body)

    def _once(self, operation: str, body: bytes) -> dict[str, Any]:
        return answer_of(self._post(operation, body), f"{self.service}:{operation}", self.codec)

    def _post(self, operation: str, body: bytes) -> Response:
        path = self._pool.base_path or "/"
        return self._pool.request("POST", path, self._signed(path, operation, body), body)

    def _signed(self, path: str, operation: str, body: bytes) -> Headers:
        headers = {
            "host": self._pool.host,
            "content-type": self._content_type,
            "x-amz-target": f"{self._target_prefix}.{operation}",
        }
        return self._signer.sign("POST", path, headers, body, timestamp=timestamp())


def answer_of(response: Response, call: str, codec: Json) -> dict[str, Any]:
    """Raises ServiceError, and TransportError."""
    if response.status == HTTPStatus.OK:
        return _answer(response, codec)
    raise _error(response, call)


def _answer(response: Response, codec: Json = PLAIN) -> dict[str, Any]:
    """Raises TransportError where it is not a JSON object: cut off, or said by something on the way."""
    try:
        body = codec.decode(response.body)
    except ValueError as exc:
        raise TransportError("the answer is not JSON") from exc
    if not isinstance(body, dict):
        raise TransportError("the answer is not a JSON object") from ValueError("no object")
    return body


def _error(response: Response, call: str) -> ServiceError:
    try:
        body = _answer(response)
    except TransportError:
        body = {}
    return refusal(response.status, body, call=call, headers=response.headers)


class Post:
    """A post to a connection, and what has become of it. `trouble` is why it has failed, if it has."""

    def __init__(self, connection_id: str) -> None:
        self.connection_id = connection_id
        self.outcome = PostOutcome.FAILED
        self.trouble: Exception | None = None
        self.attempts = 0

    def after(self, response: Response) -> int | None:
        self.attempts += 1
        if response.status == HTTPStatus.OK:
            self.outcome, self.trouble = PostOutcome.SENT, None
        elif response.status == HTTPStatus.GONE:  # nothing else is proof that a connection is dead
            self.outcome, self.trouble = PostOutcome.GONE, None
        else:
            self.trouble = _error(response, POST)
            if response.status in _BUSY and self.attempts < _POST_ATTEMPTS:
                return self.attempts
        return None

    def without(self, lost: TransportError) -> int | None:
        self.trouble = lost  # it has waited long enough already, and a delivery check follows
        return None

    def late(self) -> None:
        self.trouble = self.trouble or Unavailable()


class ApiGatewayConnections:
    """Gateway on the management API of one WebSocket stage. `fan_out_ms` is all that a `post` may take."""

    def __init__(
        self,
        endpoint_url: str,
        environment: AwsEnvironment,
        *,
        deadline: Deadline = UNBOUNDED,
        fan_out_ms: float = FAN_OUT_MS,
    ) -> None:
        self._pool = Pool(endpoint_url, check=deadline.check)
        self._deadline = deadline
        self._fan_out_s = fan_out_ms / SECOND_MS
        self._signer = signer_for("execute-api", environment)

    def post(self, connection_ids: Sequence[str], data: bytes) -> Sequence[Posted]:
        posts = [Post(one) for one in connection_ids]
        until = time.monotonic() + self._fan_out_s
        if len(posts) == 1:  # the usual case by far
            self.carry_out(posts[0], data, until=until)
        else:
            self.carry_out_all(posts, data, until=until)
        if failed := {post.connection_id: post.trouble for post in posts if post.trouble}:
            self._tell(POST, failed)
        return [Posted(post.connection_id, post.outcome) for post in posts]

    def close(self, connection_id: str) -> None:
        try:
            response = self._request("DELETE", connection_id, b"")
        except TransportError as lost:
            self._tell(CLOSE, {connection_id: lost})
            return  # it is unregistered already, and the gateway ends it within its two hours
        if response.status >= HTTPStatus.MULTIPLE_CHOICES and response.status not in _CLOSED:
            self._tell(CLOSE, {connection_id: _error(response, CLOSE)})

    def carry_out(self, post: Post, data: bytes, *, until: float = math.inf) -> None:
        """One post, with its further attempts."""
        try:
            while True:
                self._deadline.check()
                response = self._request("POST", post.connection_id, data, until=until)
                again = post.after(response)
                if again is None or time.monotonic() >= until:
                    return
                self._deadline.pause(again)
        except TransportError as lost:
            post.without(lost)
        except Unavailable:
            post.late()

    def carry_out_all(self, posts: Sequence[Post], data: bytes, *, until: float) -> None:
        """Many posts side by side."""
        sign = self._signer.signing("POST", {"host": self._pool.host}, data, timestamp=timestamp())

        def write(post: Post) -> bytes:
            path = self._path(post.connection_id)
            return self._pool.written("POST", path, sign(path), data)

        SideBySide(self._pool, self._deadline, write, until).run(posts)

    def _tell(self, call: str, failed: Mapping[str, Exception]) -> None:
        from shared.adapters.aws.refusals import tell_of_posts  # noqa: PLC0415  # loaded by the first refusal

        tell_of_posts(call, failed)

    def _request(self, method: str, connection_id: str, data: bytes, *, until: float = math.inf) -> Response:
        path = self._path(connection_id)
        headers = self._signer.sign(method, path, {"host": self._pool.host}, data, timestamp=timestamp())
        return self._pool.request(method, path, headers, data, until=until)

    def _path(self, connection_id: str) -> str:
        is_plain = _PLAIN_ID.fullmatch(connection_id)
        escaped = connection_id.replace("=", "%3D") if is_plain else quote(connection_id, safe="")
        return f"{self._pool.base_path}/%40connections/{escaped}"


class SideBySide(Generic[A]):
    """Many requests to one service, on one thread: over some connections, and over more where those wait.

    They begin in their order. Who has not answered by the end is given up, and holds nobody up: where all that there
    may be are under way and others wait, the most silent ones are given up before.
    """

    def __init__(self, pool: Pool, deadline: Deadline, write: Callable[[A], bytes], until: float) -> None:
        self._pool = pool
        self._deadline = deadline
        self._write = write
        self._until = until
        self._underway = Underway()
        self._asked: dict[Exchange, tuple[A, bytes]] = {}
        self._waiting: deque[A] = deque()
        self._resting: list[tuple[float, int, A]] = []
        self._width, self._widened_at = _FIRST_WIDTH, 0.0
        self._answers, self._answered_s = 0, 0.0

    def run(self, many: Sequence[A]) -> None:
        """Carry them out, by the monotonic clock's `until` at most."""
        self._waiting.extend(many)
        while (now := time.monotonic()) < self._until and (self._waiting or self._resting or self._asked):
            while self._resting and self._resting[0][0] <= now:
                self._waiting.append(heappop(self._resting)[-1])
            while self._waiting and len(self._asked) < self._width:
                self._begin(self._waiting.popleft())
            self._go_on(now)
        self._give_up()

    def _begin(self, one: A) -> None:
        try:
            self._deadline.check()
        except Unavailable:
            one.late()
        else:
            self._send(one, self._write(one))

    def _send(self, one: A, data: bytes, *, is_kept: bool = True) -> None:
        try:
            exchange = self._pool.exchange(data, until=self._until, is_kept=is_kept)
        except TransportError as lost:
            self._rest(one, one.without(lost))
            return
        self._asked[exchange] = one, data
        if not self._underway.add(exchange):
            self._settle(exchange)

    def _go_on(self, now: float) -> None:
        """Wait for what comes next; where nothing does, and others wait to begin, make room for them."""
        is_narrow = bool(self._waiting) and self._width < _MOST_WIDTH
        next_at = self._resting[0][0] if self._resting else self._until
        if self._waiting:
            next_at = min(next_at, now + (_IDLE_S if is_narrow else _PATIENCE_S))
        for exchange in self._underway.wait(min(next_at, self._until)):
            self._settle(exchange)
        if is_narrow and time.monotonic() - max(self._underway.moved_at, self._widened_at) >= _IDLE_S:
            self._width, self._widened_at = min(self._width + _WIDER, _MOST_WIDTH), time.monotonic()
        elif self._waiting and not is_narrow:
            self._underway.hasten(max(_PATIENCE_S, _TIMES_SLOWER * self._answered_s / max(1, self._answers)))

    def _settle(self, exchange: Exchange) -> None:
        """An exchange has come to its end; what it was for may go on."""
        one, data = self._asked.pop(exchange)
        try:
            response = self._pool.response(exchange)
        except TransportError as lost:
            if self._pool.is_replaceable(exchange):
                self._send(one, data, is_kept=False)
            else:
                self._rest(one, one.without(lost))
            return
        self._answers, self._answered_s = self._answers + 1, self._answered_s + time.monotonic() - exchange.began
        self._rest(one, one.after(response))

    def _rest(self, one: A, again: int | None) -> None:
        """Before its next attempt, if there is one."""
        if again is None:
            return
        try:
            delay_s = self._deadline.delay_s(again)
        except Unavailable:
            one.late()
        else:
            heappush(self._resting, (time.monotonic() + delay_s, id(one), one))

    def _give_up(self) -> None:
        """The time is over: nobody waits for the rest."""
        for exchange, (one, _) in self._asked.items():
            exchange.failed = TimeoutError("no answer")
            try:
                self._pool.response(exchange)
            except TransportError as lost:
                one.without(lost)
        for one in (*self._waiting, *(one for *_, one in self._resting)):
            one.late()
