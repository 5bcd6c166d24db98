"""One digest over everything that goes into a deployment: equal digests mean that there is nothing to deploy."""

import hashlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from local.settings import Settings

SOURCES = ("app.py", "cdk.json", "pyproject.toml", "uv.lock", "package-lock.json", "infra", "functions", "shared")
NOT_DEPLOYED = ("__pycache__", ".pyc")
# They say where the stack is, not what it is; the port is part of the digest on its own.
ELSEWHERE = ("PARLEY_HOME", "PARLEY_PORT")


def fingerprint(settings: Settings, environment: Mapping[str, str]) -> str:
    """The digest of the sources, the configuration, the port (the functions are told it) and the Python they run on."""
    digest = hashlib.sha256(f"{settings.port} {sys.version_info[:2]}\n".encode())
    for name in sorted(environment):
        if name.startswith("PARLEY_") and name not in ELSEWHERE:
            digest.update(f"{name}={environment[name]}\n".encode())
    for path in _files(settings.root):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(settings.root)} {content}\n".encode())
    return digest.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    for source in SOURCES:
        start = root / source
        candidates = sorted(start.rglob("*")) if start.is_dir() else [start]
        for path in candidates:
            if path.is_file() and not any(part in str(path.relative_to(root)) for part in NOT_DEPLOYED):
                yield path
