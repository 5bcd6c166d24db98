"""`stack.json`: everything that a script needs to talk to a running stack."""

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from local.errors import CommandError


@dataclass(frozen=True)
class Tables:
    """The tables' names."""

    log: str
    members: str
    sessions: str
    tickets: str


@dataclass(frozen=True)
class Stack:
    """A deployed stack. `iss` and `aud` are set where tokens are checked for them; with a JWKS URL, no secret.

    `pushes_url` is where the local push servers show what they received, `events_url` where that of events does;
    webhooks may name `hooks_url`, where it takes them.
    """

    ws_url: str
    http_url: str
    region: str
    endpoint_url: str
    tables: Tables
    bucket: str
    jwt_secret_file: str | None = None
    pushes_url: str | None = None
    events_url: str | None = None
    hooks_url: str | None = None
    iss: str | None = None
    aud: str | None = None

    @property
    def jwt_secret(self) -> str:
        """The HS256 secret.

        Raises:
            CommandError: this stack has none, or its file is damaged.

        """
        if self.jwt_secret_file is None:
            raise CommandError(
                "This stack checks tokens with a JWKS URL: only its owner can make them",
                "Unset PARLEY_JWKS_URL and run: make up",
            )
        try:
            secret = Path(self.jwt_secret_file).read_text(encoding="ascii")
        except (FileNotFoundError, ValueError):
            secret = ""
        if not secret:
            raise CommandError(f"The secret in {self.jwt_secret_file} is gone", "Run: make up, which writes it again")
        return secret


def write(path: Path, stack: Stack) -> None:
    """Replace the file in one go; what is not set is left out."""
    known = {key: value for key, value in asdict(stack).items() if value is not None}
    replace_file(path, json.dumps(known, indent=2) + "\n")


def read(path: Path) -> Stack:
    """The stack that `make up` deployed last.

    Raises:
        CommandError: there is none, or its file is damaged.

    """
    names = {field.name for field in fields(Stack)}
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        known = {key: value for key, value in data.items() if key in names}
        return Stack(**known | {"tables": Tables(**data["tables"])})
    except FileNotFoundError:
        raise CommandError("There is no stack yet", "Start one with: make up") from None
    except (ValueError, LookupError, TypeError, AttributeError):
        raise CommandError(f"{path} is damaged", "Run: make up, which writes it again") from None


def replace_file(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file so that a reader sees the old or the new text, never half of it, and with this mode at all times."""
    aside = path.with_name(f"{path.name}.tmp")
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)
    aside.replace(path)
