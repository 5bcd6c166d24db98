"""What the way to AWS costs at a cold start: signing by hand, boto3 trimmed, boto3 as the runtime has it.

    python3.13 -m benchmarks.imports --rounds 9

Each figure is a fresh process that imports its way to AWS, makes a client for DynamoDB and one for @connections, and
loads the CA bundle. Time starts after the interpreter itself. The subjects take turns in every round; medians. Bytecode
is compiled as in the bundles (unchecked-hash), but for the subject "no bytecode". boto3 is the locked one; the runtime
has another version of it, unpacked and compiled the same way.

A second table imports each function's handler from its bundle, which makes its clients, too: its CPU relative to
boto3's in the same round. It is of the interpreter that runs this; any will do, as the bundles bring what they need.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.rows import OURS, Row, rows_of, table, taken_in_turns
from infra.bundling import Bundler
from infra.bytecode import HOST
from shared import config

SUITE: Final = "A cold start"
_ROOT: Final = Path(__file__).resolve().parents[1]
_SDK: Final = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")
_SERVICES: Final = {"apigatewaymanagementapi", "dynamodb", "s3", "secretsmanager", "sts"}
_SHARED_DATA: Final = {"_retry.json", "endpoints.json", "partitions.json", "sdk-default-configuration.json"}
_OURS: Final = """
from shared.adapters.aws.calls import ApiGatewayConnections
from shared.adapters.dynamodb.client import dynamodb
from shared.config import AwsEnvironment
environment = AwsEnvironment.load()
dynamodb(environment)
endpoint = "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/prod"
ApiGatewayConnections(endpoint, environment)
"""
_BOTO3: Final = """
import ssl, boto3
from botocore.httpsession import DEFAULT_CA_BUNDLE
session = boto3.Session(region_name="eu-west-1")
session.client("dynamodb")
session.client("apigatewaymanagementapi", endpoint_url="https://a1b2c3.execute-api.eu-west-1.amazonaws.com/prod")
ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE)  # boto3 does so in its first call, we do while initialising
"""
_TIMED: Final = """
import sys, time
sys.path.insert(0, {path!r})
wall, cpu = time.perf_counter(), time.process_time()
{code}
print(time.perf_counter() - wall, time.process_time() - cpu)
"""
_HANDLERS: Final = (
    *("connect.authorizer", "connect.handler", "disconnect.handler", "message.handler", "rest.handler"),
    *("offline_push.handler", "presence.handler", "files.handler", "events_out.handler"),
)
_ENVIRONMENT: Final = {
    **{
        name.upper(): "1" if kind == "int" else ""
        for settings, cls in vars(config).items()
        if settings.endswith("Settings") and settings != "_Settings"
        for name, kind in cls.kinds().items()
    },
    "TLS_ROOTS": "amazon",
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_REGION": "eu-west-1",
    "LOG_LEVEL": "INFO",
    "CONNECTIONS_ENDPOINT": "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/prod",
}


def _run(*command: str | Path) -> str:
    return subprocess.run([*map(str, command)], cwd=_ROOT, capture_output=True, text=True, check=True).stdout


def _uv() -> str:
    own = _ROOT / ".tools" / "uv" / "bin" / "uv"
    return str(own) if own.is_file() else "uv"


def _install_sdk(place: Path, python: str) -> None:
    """boto3 and what it needs, at the locked versions."""
    locked = _run(_uv(), "export", "--frozen", "--only-group", "dev", "--no-hashes", "--no-header", "--no-annotate")
    wanted = [line.split(";")[0].strip() for line in locked.splitlines() if line.split("==")[0] in _SDK]
    options = ("--quiet", "--no-deps", "--link-mode", "copy", "--python", python, "--target", str(place))
    _run(_uv(), "pip", "install", *options, *wanted)


def _trim(place: Path) -> None:
    """Keep the descriptions of the services in use, and the endpoints of one partition."""
    data = place / "botocore" / "data"
    for path in data.iterdir():
        if path.is_dir() and path.name not in _SERVICES:
            shutil.rmtree(path)
        elif path.is_file() and path.name not in _SHARED_DATA:
            path.unlink()
    endpoints = json.loads((data / "endpoints.json").read_text(encoding="utf-8"))
    kept = [partition for partition in endpoints["partitions"] if partition["partition"] == "aws"]
    for partition in kept:
        partition["services"] = {name: one for name, one in partition["services"].items() if name in _SERVICES}
    (data / "endpoints.json").write_text(json.dumps(endpoints | {"partitions": kept}), encoding="utf-8")


def _compile(place: Path, python: str) -> None:
    _run(python, "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash", place)


def _prepare(folder: Path, python: str) -> dict[str, tuple[Path, str]]:
    """Subject → where its modules are, and what it runs."""
    ours, full, trimmed, raw = (folder / name for name in ("ours", "full", "trimmed", "raw"))
    shutil.copytree(_ROOT / "shared", ours / "shared", ignore=shutil.ignore_patterns("__pycache__"))
    _install_sdk(raw, python)
    for cache in list(raw.rglob("__pycache__")):
        shutil.rmtree(cache)
    shutil.copytree(raw, full)
    shutil.copytree(raw, trimmed)
    _trim(trimmed)
    for place in (ours, full, trimmed):
        _compile(place, python)
    return {
        OURS: (ours, _OURS),
        "boto3, trimmed": (trimmed, _BOTO3),
        "boto3, whole (the runtime's own)": (full, _BOTO3),
        "boto3, whole, no bytecode": (raw, _BOTO3),
    }


def _once(python: str, path: Path, code: str) -> tuple[float, float]:
    environment = {"PATH": os.environ.get("PATH", ""), **_ENVIRONMENT}
    done = subprocess.run(
        [python, "-I", "-S", "-B", "-c", _TIMED.format(path=str(path), code=code)],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    wall, cpu = done.stdout.split()
    return float(wall) * 1e3, float(cpu) * 1e3


def _rounds(python: str, subjects: dict[str, tuple[Path, str]], rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Wall and CPU milliseconds of each round. The first one warms the disk's cache."""
    return taken_in_turns({name: partial(_once, python, *subject) for name, subject in subjects.items()}, rounds)


def _bytes(place: Path) -> tuple[float, float]:
    """Megabytes unzipped and zipped."""
    files = [path for path in place.rglob("*") if path.is_file()]
    with tempfile.TemporaryFile() as target:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in files:
                archive.write(path, path.relative_to(place))
        zipped = target.tell()
    return sum(path.stat().st_size for path in files) / 1e6, zipped / 1e6


def _transports(python: str, rounds: int) -> list[Row]:
    """The way to AWS by itself."""
    with tempfile.TemporaryDirectory() as folder:
        subjects = _prepare(Path(folder), python)
        taken = _rounds(python, subjects, rounds)
        sizes = {name: _bytes(path)[1] for name, (path, _) in subjects.items()}
    suite, what = _suite(python), "the way to AWS"
    return [
        *rows_of(suite, what, "ms CPU", {name: [cpu for _, cpu in each] for name, each in taken.items()}),
        *rows_of(suite, what, "ms", {name: [wall for wall, _ in each] for name, each in taken.items()}),
        *rows_of(suite, what, "MB zipped", {name: [size] for name, size in sizes.items()}),
    ]


def _functions(rounds: int) -> list[Row]:
    """Each function's bundle, built for this interpreter: its handler's import beside boto3 with two clients."""
    folders = {handler.partition(".")[0] for handler in _HANDLERS}
    bundles = Bundler(_ROOT, HOST).build({name: (name,) for name in sorted(folders)})
    suite, rival = _suite(sys.executable), "boto3 with two clients"
    with tempfile.TemporaryDirectory() as folder:
        sdk = Path(folder) / "sdk"
        _install_sdk(sdk, sys.executable)
        _compile(sdk, sys.executable)
        subjects = {one: (bundles[one.partition(".")[0]].path, f"import functions.{one}") for one in _HANDLERS}
        subjects[rival] = (sdk, _BOTO3)
        taken = {name: [cpu for _, cpu in each] for name, each in _rounds(sys.executable, subjects, rounds).items()}
        modules = {name: float(_imported(sys.executable, *subject)) for name, subject in subjects.items()}
        sizes = {name: [_bytes(path)[1]] for name, (path, _) in subjects.items()}
    rows = []
    for one in _HANDLERS:
        for unit, found in (("ms CPU", taken), ("modules", {n: [m] for n, m in modules.items()}), ("MB zipped", sizes)):
            rows += rows_of(suite, one, unit, {OURS: found[one], rival: found[rival]})
    return rows


def _imported(python: str, path: Path, code: str) -> int:
    """How many modules the process holds then."""
    counting = f"import sys\nsys.path.insert(0, {str(path)!r})\n{code}\nprint(len(sys.modules))"
    done = subprocess.run(
        [python, "-I", "-S", "-B", "-c", counting],
        cwd="/",
        env={"PATH": os.environ.get("PATH", ""), **_ENVIRONMENT},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


def version_of(python: str) -> str:
    return _run(python, "-c", "import platform; print(platform.python_version())").strip()


def _suite(python: str) -> str:
    return f"{SUITE}, Python {'.'.join(version_of(python).split('.')[:2])}"


def rows(rounds: int) -> list[Row]:
    """Of the interpreter that runs this."""
    return [*_functions(rounds), *_transports(sys.executable, rounds)]


def rows_with(python: str, rounds: int) -> list[Row]:
    """Of another one."""
    return [
        Row(**one) for one in json.loads(_run(python, "-m", "benchmarks.imports", "--rounds", str(rounds), "--json"))
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, choices=range(1, 31), metavar="1..30")
    parser.add_argument("--json", action="store_true", help="for another program to read")
    options = parser.parse_args()
    found = rows(options.rounds)
    print(json.dumps([asdict(row) for row in found]) if options.json else "\n".join(table(found)))


if __name__ == "__main__":
    main()
