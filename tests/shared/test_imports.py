"""What a function imports is what its cold start costs, so each function's imports are written down here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from tests.functions.environment import VARIABLES

_ROOT = Path(__file__).parents[2]

_ENVIRON = {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", **VARIABLES}

# Function → the parts of shared/ that it imports, a line for each package: who adds one sees here who pays for it.
SHARED = {
    "functions.connect.authorizer": """
adapters.aws: amazon_roots calls dialling errors secrets_manager transport trust
adapters.dynamodb: client sessions
auth: origins tokens
domain: bans connections text
operations: tickets
ports: connections
shared: clock config errors observability
wire: common
wire.websocket: gateway
""",
    "functions.connect.handler": """
adapters.aws: amazon_roots calls dialling errors parallel sqs transport trust
adapters.dynamodb: attendance client memberships presence_stores relations schema sessions watches
domain: bans changes connections contacts custom entries members text
operations: presence sessions
ports: services stores
shared: clock config errors observability
wire: common events
wire.websocket: gateway
""",
    "functions.disconnect.handler": """
adapters.aws: amazon_roots calls dialling errors sqs transport trust
adapters.dynamodb: client sessions
domain: bans connections text
operations: sessions
ports: stores
shared: clock config errors observability
wire: common
wire.websocket: gateway
""",
    "functions.presence.handler": """
adapters.aws: amazon_roots calls dialling errors parallel transport trust
adapters.dynamodb: attendance client memberships presence_stores relations schema sessions watches
domain: bans changes connections contacts custom entries members text
operations: presence
ports: services stores
shared: clock config errors observability
wire: events
""",
    "functions.message.handler": """
adapters.aws: amazon_roots calls dialling errors parallel sqs transport trust
adapters.dynamodb: attendance buckets chat_stores client conversation_log effects files memberships presence_stores
    relations schema sessions watches
domain: bans changes connections contacts custom entries files limits members permissions rules text
limits: limiters
operations: attendance audiences changes connections context delivery editing heads messages presence receipts resends
    rosters sessions sync trimming turns typing_indicators visibility
ports: connections conversations files services stores
shared: clock config errors observability wiring
wire: common events
wire.websocket: frames gateway
""",
    "functions.rest.handler": """
adapters.aws: amazon_roots archive calls dialling errors event_queues parallel push_queues s3 scheduler sdk
    secrets_manager sqs transport trust
adapters.dynamodb: attendance audit broadcasts buckets chat_stores client conversation_log devices effects files jobs
    joins keeping mails memberships model_stores presence_stores readers relations reports schema screening sessions
    stores users watches webhooks
auth: origins tokens
domain: audit bans broadcasts changes channels connections contacts custom devices entries exports files holds inbox
    jobs joining limits mails members notifications packs permissions pushes reports rules screening shadows text users
    webhooks words
limits: invites limiters
operations: about attendance audiences audit bans broadcasts changes channels connections contacts context conversations
    delivery descriptions devices editing files filters groups heads held history imports jobs joining messages
    notifications own_log pins presence receipts reminders reports resends rights rosters sessions tickets trimming
    turns users versions visibility webhooks
ports: connections conversations files jobs keeping services stores webhooks
shared: clock config errors observability version wiring
wire: common events
wire.rest: admin broadcasts common conversations imports joining messages moderation people rights users webhooks
""",
    "functions.offline_push.handler": """
adapters.aws: amazon_roots archive calls dialling errors push_queues s3 sdk secrets_manager sqs threads transport trust
adapters.dynamodb: attendance audit broadcasts chat_stores client conversation_log devices effects files jobs joins
    keeping mails memberships model_stores packs presence_stores pushes readers relations reports schema screening
    sessions shown stores users walks watches
domain: audit bans broadcasts changes channels connections contacts custom devices entries fan_out files holds jobs
    joining limits mails members notifications packs permissions pushes reports rules screening shadows text users words
operations: attendance audiences broadcast_pages broadcasts context delivery fan_out heads notifications packs portions
    reminders rosters trimming
operations.push: checks enqueueing missed planning quiet_groups sending withdrawing wording
ports: connections conversations files jobs keeping people services stores
shared: clock config errors observability wiring
wire: events
""",
    "functions.events_out.handler": """
adapters.aws: amazon_roots calls dialling errors event_queues sqs transport trust
adapters.dynamodb: client conversation_log effects memberships schema webhooks
domain: changes connections custom entries files limits members permissions rules text webhooks
operations: context dispatching events_out rosters
ports: conversations webhooks
shared: clock config errors observability wiring
wire: events outgoing
""",
    "functions.files.handler": """
adapters.aws: amazon_roots calls dialling errors s3 sdk transport trust
adapters.dynamodb: client files schema
domain: changes connections custom entries files limits text
operations: files
ports: files services
shared: clock config errors observability
""",
}
_EACH = pytest.mark.parametrize("function", list(SHARED))


def _run(code: str, *arguments: str) -> str:
    environ = {**_ENVIRON, "PYTHONPATH": str(_ROOT), "PATH": os.defpath}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        env=environ,
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@cache
def _imported(function: str) -> Sequence[str]:
    """Every module that a fresh process holds after importing the function."""
    code = "import importlib, json, sys; importlib.import_module(sys.argv[1]); print(json.dumps(sorted(sys.modules)))"
    modules: list[str] = json.loads(_run(code, function))
    return modules


def _packages(function: str) -> set[str]:
    return {name.partition(".")[0] for name in _imported(function)}


def _listed(function: str) -> list[str]:
    """The modules of shared/ that it imports, a line for each package."""
    listed: dict[str, list[str]] = {}
    for name in _imported(function):
        path = name.split(".")
        if path[0] == "shared" and (_ROOT / f"{'/'.join(path)}.py").exists():
            listed.setdefault(".".join(path[1:-1]) or "shared", []).append(path[-1])
    return [f"{package}: {' '.join(modules)}" for package, modules in sorted(listed.items())]


@_EACH
def test_a_function_imports_these_parts_of_the_project_and_no_others(function: str) -> None:
    assert _listed(function) == [" ".join(line.split()) for line in re.split(r"\n(?! )", SHARED[function].strip())]


@_EACH
def test_a_function_imports_no_other_function(function: str) -> None:
    own = function.rpartition(".")[0]
    others = {name for name in _imported(function) if name.startswith("functions.") and not name.startswith(own)}
    assert others == set()


@_EACH
def test_no_function_imports_an_sdk(function: str) -> None:
    """`rest`'s resolver looks whether botocore is there, and gets its bare package: that is 4 ms and no more."""
    assert not {"boto3", "pynamodb", "s3transfer", "urllib3", "requests"} & _packages(function)
    assert [name for name in _imported(function) if name.startswith("botocore.")] == []


@_EACH
def test_the_loggers_library_waits_for_the_first_line(function: str) -> None:
    """`rest` has its routes from it."""
    assert ("aws_lambda_powertools" in _packages(function)) == (function == "functions.rest.handler")


@_EACH
def test_only_rest_imports_pydantic_and_only_message_imports_msgspec(function: str) -> None:
    assert ("pydantic" in _packages(function)) == (function == "functions.rest.handler")
    assert ("msgspec" in _packages(function)) == (function == "functions.message.handler")


@_EACH
def test_what_decodes_images_and_what_talks_to_providers_waits_for_the_first_that_needs_it(function: str) -> None:
    assert not {"PIL", "puremagic", "firebase_admin", "google", "httpx2"} & _packages(function)


@_EACH
def test_only_those_who_verify_tokens_import_the_library_for_it(function: str) -> None:
    assert ("jwt" in _packages(function)) == (function in {"functions.connect.authorizer", "functions.rest.handler"})


@_EACH
def test_no_tests_or_tools_are_imported(function: str) -> None:
    assert not {"tests", "local", "infra", "moto", "aws_cdk", "hypothesis", "pytest"} & _packages(function)


@pytest.mark.parametrize(
    ("function", "most"),
    [
        ("functions.connect.authorizer", 255),
        ("functions.connect.handler", 165),
        ("functions.disconnect.handler", 150),
        ("functions.message.handler", 215),
        ("functions.rest.handler", 660),
        ("functions.offline_push.handler", 256),
        ("functions.presence.handler", 160),
        ("functions.files.handler", 155),
        ("functions.events_out.handler", 200),
    ],
)
def test_the_number_of_modules_stays_bounded(function: str, most: int) -> None:
    assert len(_imported(function)) <= most


def test_with_a_secret_tokens_are_verified_where_cryptography_is_not_installed() -> None:
    code = """
import sys, time
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "cryptography":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
import functions.connect.authorizer as authorizer
import jwt, jwt.algorithms
from shared.auth.tokens import SecretKey, TokenVerifier
assert not jwt.algorithms.has_crypto
assert "shared.auth.jwks" not in sys.modules
secret, now = "s" * 64, int(time.time())
token = jwt.encode({"sub": "alice", "iat": now, "exp": now + 60}, secret, algorithm="HS256")
print(TokenVerifier(SecretKey(lambda: secret), now=lambda: now * 1000).verify(token).user_id)
"""
    assert _run(code).strip() == "alice"


def test_with_a_jwks_url_its_reader_is_imported_at_the_cold_start_and_not_with_the_first_token() -> None:
    code = """
import os, sys
os.environ["JWKS_URL"] = "https://issuer.example/jwks.json"
import functions.connect.authorizer
print("shared.auth.jwks" in sys.modules)
"""
    assert _run(code).strip() == "True"


# Every route of the hot side, and one frame: by the real handlers, over a network in memory.
HOT = """
import importlib, json, sys, time
from unittest.mock import patch

import jwt

from shared.adapters.aws.calls import SideBySide
from shared.adapters.aws.transport import Pool
from tests.functions.events import frame_event, http_event
from tests.load.network import Network
from tests.shared.auth.minting import SECRET
from tests.wire import in_turn

now = int(time.time())
token = jwt.encode({"sub": "alice", "iat": now, "exp": now + 60}, SECRET, algorithm="HS256")
network = Network(lambda: now * 1_000)
rest, message = (importlib.import_module(f"functions.{name}.handler") for name in ("rest", "message"))

def ask(method, path, body=None):
    answer = rest.handler(http_event(method, path, token=token, body=body))
    assert answer["statusCode"] in (200, 201, 204), (method, path, answer)
    return json.loads(answer["body"]) if answer["body"] else None

def sdk():
    return {name for name in sys.modules if name.startswith(("boto3", "botocore.", "pynamodb"))}

answered = patch.object(Pool, "request", lambda pool, *arguments, **_: network.request(pool.host, *arguments))
with answered, patch.object(SideBySide, "run", in_turn):
    for name, size in (("group", {"name": "team", "members": ["bob"]}), ("private", {"with": "bob"})):
        place = "/v1/conversations/" + ask("POST", "/v1/conversations", {"type": name, **size})["id"]
        first = place + "/messages/" + str(ask("POST", place + "/messages", {"content": "hello"})["seq"])
        ask("PATCH", first, {"content": "better"})
        ask("PUT", first + "/reactions/x")
        ask("DELETE", first + "/reactions/x")
        ask("POST", place + "/read", {"seq": 1})
        ask("PATCH", place + "/settings", {"muted_until": None})
        for path in (place, place + "/messages", first):
            ask("GET", path)
        ask("DELETE", first)
    ask("GET", "/v1/conversations")
    frame = {"type": "message", "to": "bob", "content": "hi", "client_message_id": "1"}
    expires = {"expires_at": (now + 60) * 1_000, "connected_at": now * 1_000}
    assert json.loads(message.handler(frame_event(frame, **expires))["body"])["success"]
    assert sdk() == set(), sdk()
    assert ask("POST", "/v1/files", {"name": "a.pdf", "content_type": "application/pdf", "size": 5})["upload"]["fields"]
    assert "botocore.client" in sdk() and "pynamodb.models" not in sdk()
    assert ask("PUT", "/v1/me", {"display_name": "Alice"})["display_name"] == "Alice"
    assert "pynamodb.models" in sdk()
"""


def test_the_hot_routes_are_answered_without_an_sdk_which_comes_with_the_first_cold_one_that_needs_it() -> None:
    _run(HOT)
