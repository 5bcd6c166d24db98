"""Digests of everything that goes into a deployment: where they are equal there is nothing to deploy."""

import hashlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.config import variables
from local.settings import Settings

SOURCES = ("app.py", "cdk.json", "pyproject.toml", "uv.lock", "package-lock.json", "infra", "functions", "shared")
NOT_DEPLOYED = ("__pycache__", ".pyc")
# What `make up` gives the app by itself: from the settings, or from the push servers (PUSHES).
GIVEN = (
    *("target", "stage", "local_endpoint", "local_fcm_endpoint", "local_apns_endpoint", "local_ca_file"),
    *("local_web_push", "web_push_key", "mail_from", "mail_link"),
)
GIVEN_SECRETS = ("fcm_secret_arn", "apns_secret_arn", "web_push_secret_arn")
PUSHES = "PARLEY_PUSHES"


@dataclass(frozen=True)
class Fingerprint:
    """Digests of what was, or should be, deployed: of the code, and of each value of the configuration."""

    code: str = ""
    configuration: Mapping[str, str] = field(default_factory=dict)

    def changes(self, deployed: "Fingerprint") -> list[str]:
        """What is different from what was deployed, in words; the configuration by its variables."""
        names = sorted(self.configuration.keys() | deployed.configuration.keys())
        changed = [name for name in names if self.configuration.get(name) != deployed.configuration.get(name)]
        code = ["code"] if self.code != deployed.code else []
        return code + ([f"configuration ({', '.join(changed)})"] if changed else [])


def fingerprint(settings: Settings, environment: Mapping[str, str]) -> Fingerprint:
    """The digests of the sources with the Python they run on, and of the configuration.

    The port is a part of it, since the functions are told it. Other variables of ours say where the stack is, or are
    the Python client's.
    """
    known = {*(variables() - {f"PARLEY_{key.upper()}" for key in (*GIVEN, *GIVEN_SECRETS)}), PUSHES}
    values = {name: value for name, value in environment.items() if value and name in known}  # empty: not there
    values["PARLEY_PORT"] = str(settings.port)
    digest = hashlib.sha256(f"{sys.version_info[:2]}\n".encode())
    for path in _files(settings.root):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(settings.root)} {content}\n".encode())
    return Fingerprint(digest.hexdigest(), {name: _digest(values[name]) for name in sorted(values)})


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode(errors="surrogateescape")).hexdigest()[:16]


def _files(root: Path) -> Iterator[Path]:
    for source in SOURCES:
        start = root / source
        candidates = sorted(start.rglob("*")) if start.is_dir() else [start]
        for path in candidates:
            if path.is_file() and not any(part in str(path.relative_to(root)) for part in NOT_DEPLOYED):
                yield path
