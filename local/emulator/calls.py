"""Who asks AWS for what: each request that a function has signed, written down as it came, if that is wanted.

Every function signs with its own name as the access key, so that its request can be told from others, also where a
client carries it out: a form or a link of S3. `tests/aws` holds the requests to AWS's models and to the functions'
roles.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

from ministack.core import lambda_runtime
from ministack.services import sts

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

# Of what has no target in its headers: fields of a form come before the file.
_KEPT_BYTES: Final = 16 * 1024
_CREDENTIAL: Final = re.compile(r"([\w-]+)/\d{8}/([\w-]+)/([\w-]+)/aws4_request")
_SESSION: Final = "session-of-a-function"
_functions: Final[set[str]] = set()  # that have signed, or may


def sign_by_name() -> None:
    """Have each function sign with its name. To be called before the emulator starts serving."""

    def credentials(config: Mapping[str, Any]) -> dict[str, str]:
        name = str(config["FunctionName"])
        _functions.add(name)
        # Temporary ones, as in Lambda: who signs with them has to hand on the token, too.
        account, role = config["FunctionArn"].split(":")[4], config["Role"].rpartition("/")[2]
        assumed = f"arn:aws:sts::{account}:assumed-role/{role}/{name}"
        session = {"Arn": assumed, "UserId": name, "SecretAccessKey": "test", "SessionToken": _SESSION}
        sts.register_session(name, session)
        return {"AWS_ACCESS_KEY_ID": name, "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": _SESSION}

    lambda_runtime.execution_credentials = credentials


class CallLog:
    """A file with a line of JSON for each signed request of a function."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # messages and tokens are in there
        self._file = path.open("a", encoding="utf-8", buffering=1)

    async def pass_on(self, to: Callable[..., Awaitable[None]], scope: Scope, receive: Receive, send: Send) -> None:
        """Have a request answered, and write it down with the status, before the caller can see that."""
        parts: list[bytes] = []
        is_written = False

        async def receiving() -> dict[str, Any]:
            message = await receive()
            parts.append(message.get("body", b""))
            return message

        async def sending(message: dict[str, Any]) -> None:
            nonlocal is_written
            if not is_written and message["type"] == "http.response.start":
                is_written = True
                self._write(scope, b"".join(parts), message["status"])
            await send(message)

        await to(scope, receiving, sending)
        if not is_written:
            self._write(scope, b"".join(parts), 0)

    def _write(self, scope: Scope, body: bytes, status: int) -> None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        target = f"{scope['raw_path'].decode()}?{scope['query_string'].decode()}".removesuffix("?")
        signer = _signer(headers, scope["query_string"].decode(), body)
        if signer is None or signer[1] not in _functions:
            return
        kept = body if "x-amz-target" in headers else body[:_KEPT_BYTES]
        line = {
            "function": signer[1],
            "region": signer[2],
            "service": signer[3],
            "method": scope["method"],
            "target": target,
            "headers": {name: value for name, value in headers.items() if name != "authorization"},
            "body": kept.decode(errors="surrogateescape"),
            "length": len(body),
            "status": status,
        }
        self._file.write(json.dumps(line) + "\n")


def _signer(headers: Mapping[str, str], query: str, body: bytes) -> "re.Match[str] | None":
    """Access key, region and service, wherever they stand."""
    form = body[:_KEPT_BYTES].decode("latin-1") if headers.get("content-type", "").startswith("multipart/") else ""
    for text in (headers.get("authorization", ""), query.replace("%2F", "/"), form):
        if found := _CREDENTIAL.search(text):
            return found
    return None
