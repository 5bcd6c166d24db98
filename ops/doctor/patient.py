"""The deployed stack that is looked at: how to talk to it as an operator and as its users, and what it has said."""

from __future__ import annotations

import itertools
import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

import jwt

from local import function_log
from local.errors import CommandError
from local.log_lines import short_name
from ops.doctor.trouble import Skip, Trouble
from ops.target import Resource, resources_of

if TYPE_CHECKING:
    from pathlib import Path

    from ops.target import Target

PREFIX: Final = "doctor-"
# Longer than any run: what a token of the doctor's can do ends by itself.
_TOKEN_S: Final = 3_600
_OWN_USER: Final = re.compile(r"doctor-([A-Za-z0-9]+)-[a-z-]+")
_LINES: Final = 20_000
# Logs reach CloudWatch some seconds late, and clocks differ by some.
_LOG_DELAY_S: Final = 8.0
_SKEW_S: Final = 2.0
_TROUBLED: Final = frozenset({"ERROR", "CRITICAL", "WARNING"})
_WORD: Final = re.compile(r"[A-Za-z0-9_.:/@ -]{1,120}")
_REMEDIES: Final = (
    (
        r"AccessDenied|NotAuthorized|Forbidden|\bdenied\b|KMS|Kms",
        "Give the function's role what it lacks: see `permissions`. `make deploy` puts the template's back",
    ),
    (
        r"Thrott|LimitExceeded|ThroughputExceeded|TooManyRequests",
        "Something is asked for more than it may be: look at the table's capacity mode, and at the account's quotas",
    ),
    (
        r"ResourceNotFound|NonExistentQueue|NoSuch|not_found",
        "The function's environment names something that is not there: see `functions` and `secrets`",
    ),
    (
        r"DnsError|TlsError|Timeout|ConnectionRefused|ConnectionLost|unreachable|TransportError|Unavailable",
        "The function does not reach what it calls: see the endpoints under `functions`",
    ),
)


@dataclass(frozen=True)
class Function:
    """A deployed function, as Lambda tells of it."""

    name: str
    physical: str
    configuration: Mapping[str, Any] = field(repr=False)

    @property
    def environment(self) -> Mapping[str, str]:
        variables: Mapping[str, str] = self.configuration.get("Environment", {}).get("Variables", {})
        return variables

    @property
    def log_group(self) -> str:
        return str(self.configuration.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{self.physical}")

    @property
    def role(self) -> str:
        return str(self.configuration["Role"]).rsplit("/", 1)[-1]


@dataclass
class Options:
    """What a run may do beside the usual.

    `device`: whose, and which, gets a push; `address`: to which SES is asked for; `tokens` where none can be made.
    """

    long: bool = False
    device: tuple[str, str] | None = None
    app_id: str = "com.example.chat"
    address: str = ""
    tokens: Sequence[str] = ()


@dataclass
class Patient:
    """`log` is the functions' log of a laptop stack; `run` names what this run makes."""

    target: Target
    run: str
    options: Options = field(default_factory=Options)
    log: Path | None = None
    pushes_url: str | None = None
    secrets: set[str] = field(default_factory=set, repr=False)
    people: dict[str, Any] = field(default_factory=dict, repr=False)
    users: set[str] = field(default_factory=set)
    conversations: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def on_aws(self) -> bool:
        return self.log is None

    # --- as an operator

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self.target.connect(service)
        return self._clients[service]

    @cached_property
    def _clients(self) -> dict[str, Any]:
        return {}

    @cached_property
    def stack(self) -> Mapping[str, Any]:
        from botocore.exceptions import ClientError

        try:
            [found] = self.client("cloudformation").describe_stacks(StackName=self.target.stack_name)["Stacks"]
        except ClientError as error:
            hint = "Deploy it: make deploy. Is it another stage? Say it with PARLEY_STAGE"
            raise Trouble(f"There is no stack {self.target.stack_name}", str(error), hint) from None
        described: Mapping[str, Any] = found
        return described

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        return {one["OutputKey"]: one["OutputValue"] for one in self.stack.get("Outputs", [])}

    @cached_property
    def resources(self) -> Sequence[Resource]:
        return resources_of(self.target.stack_name, self.client)

    def of_kind(self, kind: str) -> dict[str, str]:
        """Logical id → physical id."""
        return {one.logical_id: one.physical_id for one in self.resources if one.kind == kind}

    @cached_property
    def functions(self) -> dict[str, Function]:
        """All of them by their short names, such as Message and Rest."""
        found = {}
        for logical, physical in self.of_kind("AWS::Lambda::Function").items():
            name = short_name(f"Parley-x-{logical}-")
            configuration = self.client("lambda").get_function_configuration(FunctionName=physical)
            found[name] = Function(name, physical, configuration)
        return found

    def setting(self, function: str, name: str, default: str = "") -> str:
        """A variable of a function's environment."""
        one = self.functions.get(function)
        return default if one is None else one.environment.get(name, default)

    # --- as its users

    def person(self, name: str) -> str:
        """A user of this run's own."""
        user = f"{PREFIX}{self.run}-{name}"
        self.users.add(user)
        return user

    def token(self, user: str, *, scope: str = "", seconds: int = _TOKEN_S) -> str:
        """A token for a user. Skip where the stack's tokens are made elsewhere."""
        if self.options.tokens:
            return self._given_token(user)
        issued = int(time.time())
        claims: dict[str, object] = {"sub": user, "iat": issued, "exp": issued + seconds}
        named = {"iss": self.setting("Rest", "JWT_ISSUER"), "aud": self.setting("Rest", "JWT_AUDIENCE")}
        claims |= {name: value for name, value in named.items() if value}
        if scope:
            claims["scope"] = scope
        made = jwt.encode(claims, self.jwt_secret, algorithm="HS256")
        self.secrets.add(made)
        return made

    def _given_token(self, user: str) -> str:
        for one in self.options.tokens:
            claims = jwt.decode(one, options={"verify_signature": False})
            if user == claims.get("user_id", claims.get("sub")):
                self.secrets.add(one)
                return one
        raise Skip(f"TOKENS has none for {user}")

    @cached_property
    def jwt_secret(self) -> str:
        arn = self.outputs.get("JwtSecretArn")
        if not arn:
            raise Skip("tokens are checked by a JWKS URL: give some, TOKENS='…', for the users that this report names")
        secret = str(self.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
        self.secrets.add(secret)
        return secret

    @property
    def ws_url(self) -> str:
        return self.outputs["WsUrl"]

    @property
    def http_url(self) -> str:
        return self.outputs["HttpUrl"]

    @property
    def connections_endpoint(self) -> str:
        """Where posts to connections go."""
        return self.setting("Message", "CONNECTIONS_ENDPOINT")

    # --- what it has said

    def noted(self, since: float) -> list[dict[str, Any]]:
        """Lines of the functions' logs since a time (s), that tell of trouble."""
        if self.log is not None:
            return list(self._noted_here(since))
        deadline = time.monotonic() + _LOG_DELAY_S
        while not (found := self._noted_in_aws(since)) and time.monotonic() < deadline:
            time.sleep(1.0)
        return found

    def _noted_here(self, since: float) -> Iterator[dict[str, Any]]:
        from datetime import datetime

        for line in function_log.lines(cast("Path", self.log), last=_LINES, follow=False):
            try:
                entry = json.loads(line)
                at = datetime.fromisoformat(entry["time"]).timestamp()
            except (ValueError, KeyError, TypeError):
                continue
            if at >= since - _SKEW_S and (said := _troubled(entry.get("line", ""))):
                yield {"function": short_name(str(entry.get("function"))), **said}

    def _noted_in_aws(self, since: float) -> list[dict[str, Any]]:
        found = []
        for function in self.functions.values():
            events = self.client("logs").filter_log_events(
                logGroupName=function.log_group,
                startTime=int((since - _SKEW_S) * 1_000),
                filterPattern='{ $.level = "ERROR" || $.level = "WARNING" || $.level = "CRITICAL" }',
                limit=100,
            )["events"]
            found += [{"function": function.name, **said} for one in events if (said := _troubled(one["message"]))]
        return found

    def cause(self, since: float) -> tuple[str, str]:
        """What the functions' logs say of it, and what to do; where they are silent, where to look."""
        try:
            noted = self.cause_noted(since)
        except Exception as error:  # noqa: BLE001  # the step's own trouble is told in any case
            return f"The functions' logs can't be read: {_named(error)}", ""
        look = "Look at the steps about functions, permissions, secrets and tables"
        return noted or ("No function has noted anything", look)

    def cause_noted(self, since: float) -> tuple[str, str] | None:
        """The same; None where they are silent."""
        noted = Counter(map(_line, self.noted(since)))
        told = [f"{line} ({times} times)" if times > 1 else line for line, times in noted.most_common(4)]
        cause = "; ".join(told)
        return (cause, remedy_of(cause) or "The function's log has more") if told else None

    def in_words(self, error: BaseException, patience_s: float) -> str:
        """An error that a step did not expect."""
        if isinstance(error, TimeoutError):
            return f"Nothing came of it for {patience_s:.0f} s"
        return _named(error)


def remedy_of(cause: str) -> str:
    """What to do about a code of AWS's, or what a function noted; empty where nobody knows."""
    return next((hint for pattern, hint in _REMEDIES if re.search(pattern, cause)), "")


def run_of(tokens: Sequence[str]) -> str:
    """The run that these tokens are for: of the users `doctor-<run>-alice`, `doctor-<run>-bob` and so on."""
    for one in tokens:
        claims = jwt.decode(one, options={"verify_signature": False})
        if match := _OWN_USER.fullmatch(str(claims.get("user_id", claims.get("sub")))):
            return match[1]
    raise CommandError(
        "TOKENS has no token of a user of the doctor's",
        "Have some made for doctor-1-alice, doctor-1-bob, doctor-1-carol",
    )


def host_of(url: str) -> str:
    return urlsplit(url).hostname or ""


def _named(error: BaseException) -> str:
    code = getattr(error, "code", "")
    named = f"{type(error).__name__}: " if not code else f"{code}: "
    return f"{named}{' '.join(str(error).split())[:300]}"


def _troubled(line: str) -> dict[str, Any] | None:
    """A line of a function's, if it tells of trouble."""
    try:
        said = json.loads(line)
    except ValueError:
        words = line.strip()
        is_end = words.startswith(("[ERROR]", "Traceback", "Runtime.")) or "Task timed out" in words
        return {"message": words[:200]} if is_end else None
    if not isinstance(said, dict):
        return None
    if "errorType" in said:
        return {"message": str(said["errorType"])}
    level = said.get("level") or said.get("log_level")
    return said if level in _TROUBLED else None


_SAID: Final = ("message", "call", "code", "class", "status", "action", "error", "outcome", "reason", "exception_name")


def _line(said: Mapping[str, Any]) -> str:
    """One line of a log in a few words: names, codes and places, nothing else."""
    words = [str(said[name]) for name in _SAID if said.get(name)]
    return f"{said['function']}: {' '.join(word for word in words if _WORD.fullmatch(word))}"
