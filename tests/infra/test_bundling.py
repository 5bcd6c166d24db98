"""Real bundles: what is in them, that their bytecode is what the runtime takes, and that they come out the same."""

from __future__ import annotations

import _imp
import json
import marshal
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.bundling import SDK_SERVICES, Bundle, Bundler
from infra.bytecode import HOST, LAMBDA, BundleError, Interpreter, compile_trees
from infra.quicker_imports import QUICKER
from shared import config
from tests.infra.templates import FUNCTION_FOLDERS, ROOT
from tests.shared.adapters.aws.servers import Received, Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("bundles")]

GROUPS = {name: (name,) for name in FUNCTION_FOLDERS}
# CPython's magic numbers don't change within a minor version once it is released.
MAGIC = {"3.11": 3495, "3.12": 3531, "3.13": 3571, "3.14": 3627}
UNCHECKED_HASH = 0b01
# Unzipped bytes, bytecode included. Measured on 2026-11-30: 6.9, 6.4, 8.0, 26.1, 6.6, 36.2 MB, of which boto3 with what
# it needs is 6.6. The bundle of the pushes has a module of its own.
LIMITS = {"connect": 8e6, "disconnect": 7.5e6, "message": 9.5e6, "rest": 28e6, "presence": 7.5e6, "files": 39e6}
LIMITS |= {"events_out": 7.5e6}
SDK = {"boto3", "botocore", "dateutil", "s3transfer", "six.py", "urllib3"}
PUSHES = {
    *("firebase_admin", "google", "proto", "pyasn1", "pyasn1_modules", "opentelemetry"),
    *("requests", "urllib3", "certifi", "charset_normalizer", "idna", "cachecontrol", "msgpack"),
    *("httpx", "httpcore", "httpx2", "httpcore2", "h2", "h11", "hpack", "hyperframe", "anyio", "truststore"),
    *("pynamodb", "botocore", "boto3", "s3transfer", "dateutil", "six.py"),
    *("cryptography", "_cffi_backend.cpython-313-aarch64-linux-gnu.so", "jwt", "tzdata"),
}


def copy(source: Path, place: Path) -> Path:
    """A project folder with just what the bundler reads, and with other times."""
    for name in ("pyproject.toml", "uv.lock", "functions", "shared", "clients/python/pyproject.toml"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        if (source / name).is_dir():
            shutil.copytree(source / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source / name, place / name)
    for path in place.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    return place


@pytest.fixture(scope="module", autouse=True)
def uv_on_path() -> Iterator[None]:
    """A project elsewhere finds uv on the PATH."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{ROOT / '.tools' / 'uv' / 'bin'}{os.pathsep}{os.environ['PATH']}")
        yield


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as it is now: it is not edited while the tests run."""
    return copy(ROOT, tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def for_lambda(project: Path) -> dict[str, Bundle]:
    """The very bundles that a deployment to AWS takes; built at most once, in the build folder that it uses."""
    return Bundler(project, LAMBDA, build_folder=ROOT / ".build").build(GROUPS)


@pytest.fixture(scope="module")
def for_host(project: Path) -> dict[str, Bundle]:
    return Bundler(project, HOST, build_folder=ROOT / ".build").build(GROUPS)


def names(bundle: Bundle) -> set[str]:
    return {path.relative_to(bundle.path).as_posix() for path in bundle.path.rglob("*") if path.is_file()}


def bytecode(bundle: Bundle) -> Iterator[tuple[Path, bytes]]:
    """Each source file's place in the bundle, and its bytecode."""
    for path in bundle.path.rglob("*.pyc"):
        source = path.parent.parent / f"{path.name.split('.')[0]}.py"
        yield source.relative_to(bundle.path), path.read_bytes()


def source_hash(magic: bytes, source: bytes) -> bytes:
    """As `importlib.util.source_hash`, which takes the running interpreter's magic number for its key."""
    return _imp.source_hash(int.from_bytes(magic, "little"), source)


def size(bundle: Bundle) -> int:
    return sum(path.stat().st_size for path in bundle.path.rglob("*") if path.is_file())


def test_a_bundle_holds_its_function_its_dependencies_and_no_other(for_lambda: Mapping[str, Bundle]) -> None:
    tops = {name: {entry.split("/")[0] for entry in names(bundle)} for name, bundle in for_lambda.items()}
    logger = {"aws_lambda_powertools", "jmespath", "typing_extensions.py", "__pycache__", "functions", "shared"}
    own = {
        "connect": {"jwt"},
        "disconnect": set(),
        "message": {"jwt", "msgspec"},
        "rest": {
            "jwt",
            "pydantic",
            "pydantic_core",
            "annotated_types",
            "typing_inspection",
            "tzdata",
            "pynamodb",
            *SDK,
        },
        "offline_push": PUSHES,
        "presence": set(),
        "events_out": set(),
        "files": {"PIL", "pillow.libs", "puremagic", *SDK},
    }
    for name, found in tops.items():
        assert {top for top in found if not top.endswith(".dist-info")} == logger | own[name]
        assert {entry.split("/")[1] for entry in names(for_lambda[name]) if entry.startswith("functions/")} == {name}


def test_only_the_pushes_carry_cryptography(for_lambda: Mapping[str, Bundle]) -> None:
    for name, bundle in for_lambda.items():
        tops = {entry.split("/")[0] for entry in names(bundle)}
        assert not tops & {"cryptography", "cffi"} or name == "offline_push"


@pytest.mark.parametrize("name", ["rest", "files", "offline_push"])
def test_of_botocores_descriptions_a_bundle_has_those_of_the_services_in_use(
    name: str, for_lambda: Mapping[str, Bundle]
) -> None:
    data = for_lambda[name].path / "botocore" / "data"
    assert {path.name for path in data.iterdir() if path.is_dir()} == set(SDK_SERVICES)
    assert sum(path.stat().st_size for path in data.rglob("*") if path.is_file()) < 0.4e6
    endpoints = json.loads((data / "endpoints.json").read_text(encoding="utf-8"))
    partitions = {partition["partition"]: set(partition["services"]) for partition in endpoints["partitions"]}
    assert {"aws", "aws-cn", "aws-us-gov"} <= partitions.keys()
    # Where SES is listed as `email` nothing is kept: its own description has the rules of its addresses.
    assert partitions["aws"] == set(SDK_SERVICES) - {"sesv2"}


def test_the_services_that_bundles_describe_are_those_that_adapters_name() -> None:
    named = {
        service
        for folder in ("shared", "functions")
        for path in (ROOT / folder).rglob("*.py")
        for service in re.findall(r'\bSdk\(\s*"(\w+)"', path.read_text(encoding="utf-8"))
    }
    assert named == set(SDK_SERVICES)


# What a client needs beyond its import is only found by making one, for each partition, and by calling.
EACH_SERVICE = """
import sys

sys.path[:0] = ["."]
from shared.adapters.aws.s3 import S3Objects, s3
from shared.adapters.aws.scheduler import EventBridgeReminderScheduler, scheduler
from shared.adapters.aws.sdk import Sdk
from shared.adapters.dynamodb.model_stores import DynamoDbProfiles
from shared.clock import BATCH_S, Deadline
from shared.config import AwsEnvironment
from shared.domain.files import File, Stored
from shared.domain.notifications import Reminder

for region in ("eu-west-1", "cn-north-1", "us-gov-west-1"):
    there = AwsEnvironment(region, "key", "secret", "", "")
    for sdk in (s3(there), scheduler(there), Sdk("sesv2", there, Deadline(BATCH_S), read_timeout_s=1.0)):
        print(sdk.client.meta.endpoint_url)

class Empty:
    def call(self, operation, request):
        return {}

here = AwsEnvironment("eu-west-1", "key", "secret", "", sys.argv[1])
objects = S3Objects(s3(here), bucket="files")
role = "arn:aws:iam::000000000000:role/r"
clock = EventBridgeReminderScheduler(scheduler(here), group="g", queue_arn="arn:queue", role_arn=role)
file = File("f", "alice", "file", "a.pdf", "application/pdf", 5, 0, 4_000_000_000_000)
assert objects.upload(file).fields["policy"]
assert objects.download_url(file, expires_in_s=9).startswith("http://")
assert objects.look_at_upload("f") == Stored(2, "x")
assert objects.read_upload("f", Stored(2, "x"), limit=2) == b"{}"
assert objects.keep(file, Stored(2, "x"))
objects.put_thumbnail("f", b"jpeg")
objects.delete("f")
assert DynamoDbProfiles(Empty(), members_table="members").get("alice").previews
clock.schedule(Reminder("r", "alice", "c", 1, 4_000_000_000_000, 0))
clock.cancel("r")
"""


def test_a_client_of_each_service_works_from_the_trimmed_bundle(for_host: Mapping[str, Bundle]) -> None:
    def say(request: Received) -> Reply:
        body = {"PUT": b"<CopyObjectResult/>", "DELETE": b""}.get(request.method, b"{}")
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nETag: x\r\n\r\n".encode()
        return Reply(head if request.method == "HEAD" else head + body)

    with ScriptedServer(say) as server:
        # -I and -S: nothing but the standard library and the bundle.
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-B", "-W", "error", "-c", EACH_SERVICE, server.url],
            cwd=for_host["rest"].path,
            env={},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [
        "https://s3.eu-west-1.amazonaws.com",
        "https://scheduler.eu-west-1.amazonaws.com",
        "https://email.eu-west-1.amazonaws.com",
        "https://s3.cn-north-1.amazonaws.com.cn",
        "https://scheduler.cn-north-1.amazonaws.com.cn",
        "https://email.cn-north-1.amazonaws.com.cn",
        "https://s3.us-gov-west-1.amazonaws.com",
        "https://scheduler.us-gov-west-1.amazonaws.com",
        "https://email.us-gov-west-1.amazonaws.com",
    ]


def test_with_a_jwks_url_the_verifying_bundles_carry_cryptography(project: Path) -> None:
    bundles = Bundler(project, LAMBDA, build_folder=ROOT / ".build").build({"connect": ("connect", "jwks")})
    assert "cryptography/__init__.py" in names(bundles["connect"])


def test_ballast_is_left_out_and_licences_stay(for_lambda: Mapping[str, Bundle]) -> None:
    for bundle in for_lambda.values():
        for entry in names(bundle):
            assert not entry.endswith((".pyi", ".pth", "/py.typed", "/RECORD", "/INSTALLER", "/direct_url.json"))
            assert not entry.startswith(("bin/", "tests/"))
        assert any("licen" in entry.lower() for entry in names(bundle))


def test_compiled_libraries_are_for_arm64_linux_and_python_3_13(for_lambda: Mapping[str, Bundle]) -> None:
    libraries = [path for bundle in for_lambda.values() for path in bundle.path.rglob("*.so")]
    assert libraries
    for path in libraries:
        assert "cpython-313" in path.name or "abi3" in path.name
        header = path.read_bytes()[:20]
        assert header[:5] == b"\x7fELF\x02"
        assert int.from_bytes(header[18:20], "little") == 183  # EM_AARCH64


@pytest.mark.parametrize("name", [name for name in FUNCTION_FOLDERS if name != "offline_push"])
def test_a_bundle_is_small(name: str, for_lambda: Mapping[str, Bundle]) -> None:
    assert size(for_lambda[name]) < LIMITS[name]


@pytest.mark.parametrize("target", ["for_lambda", "for_host"])
def test_every_source_has_bytecode_that_the_runtime_takes_unchecked(
    target: str, request: pytest.FixtureRequest
) -> None:
    interpreter = LAMBDA if target == "for_lambda" else HOST
    for bundle in request.getfixturevalue(target).values():
        compiled = dict(bytecode(bundle))
        assert set(compiled) == {path.relative_to(bundle.path) for path in bundle.path.rglob("*.py")}
        for source, content in compiled.items():
            assert int.from_bytes(content[:2], "little") == MAGIC[interpreter.version], source
            assert int.from_bytes(content[4:8], "little") == UNCHECKED_HASH, source
            assert content[8:16] == source_hash(content[:4], (bundle.path / source).read_bytes()), source
            # Written in the code as the place where Lambda unpacks the bundle, so that tracebacks are right there.
            assert f"/var/task/{source.as_posix()}".encode() in content, source


def test_the_hosts_bytecode_names_the_file_as_lambda_has_it(for_host: Mapping[str, Bundle]) -> None:
    for source, content in bytecode(for_host["disconnect"]):
        assert marshal.loads(content[16:]).co_filename == f"/var/task/{source.as_posix()}"


def test_the_source_is_never_looked_at(for_host: Mapping[str, Bundle], tmp_path: Path) -> None:
    place = tmp_path / "task"
    shutil.copytree(for_host["disconnect"].path, place)
    for path in place.rglob("*.py"):
        path.write_text("raise SystemExit('the source was read')", encoding="utf-8")
    code = "import aws_lambda_powertools.logging, jmespath, shared.errors, shared.config"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path[:0] = ['.']; {code}"], cwd=place, check=False
    )
    assert done.returncode == 0


def settings() -> dict[str, str]:
    """A value for every variable that any function reads."""
    classes = [value for name, value in vars(config).items() if name.endswith("Settings") and name != "_Settings"]
    return {name.upper(): "10" if kind == "int" else "" for one in classes for name, kind in one.kinds().items()}


@pytest.mark.parametrize("module", [*(f"{name}.handler" for name in FUNCTION_FOLDERS), "connect.authorizer"])
def test_each_handler_imports_from_its_bundle_alone(module: str, for_host: Mapping[str, Bundle]) -> None:
    environ = settings() | {
        "LOG_LEVEL": "INFO",
        "AWS_REGION": "eu-west-1",
        "CONNECTIONS_ENDPOINT": "http://localhost:1/x",
        "AWS_ENDPOINT_URL": "http://localhost:1",
    }
    # -I and -S: nothing but the standard library and the bundle.
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-B",
            "-c",
            f"import sys; sys.path[:0] = ['.']; import functions.{module} as m; m.handler",
        ],
        cwd=for_host[module.split(".", maxsplit=1)[0]].path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


# What waits for the first line, token, image or push; what only generates classes; and what an API has no use for.
WAITING = {
    *("aws_lambda_powertools", "jmespath", "logging", "dataclasses", "inspect", "typing_extensions"),
    *("asyncio", "concurrent", "email", "boto3"),
}
# Routes are Powertools' (whose logger of its own needs jmespath), bodies pydantic's.
USED = {
    "rest.handler": {
        *("aws_lambda_powertools", "jmespath", "logging", "dataclasses", "inspect", "typing_extensions"),
        "email",
    },
    "offline_push.handler": {"logging", "concurrent"},
    "events_out.handler": {"email"},  # of http.client, which posts to webhooks
}


@pytest.mark.parametrize(
    ("module", "most"),
    [
        ("connect.authorizer", 135),
        ("connect.handler", 145),
        ("disconnect.handler", 130),
        ("message.handler", 195),
        ("rest.handler", 500),
        ("offline_push.handler", 255),
        ("presence.handler", 140),
        ("events_out.handler", 230),
        ("files.handler", 135),
    ],
)
def test_a_cold_start_imports_what_the_first_event_needs(
    module: str, most: int, for_host: Mapping[str, Bundle]
) -> None:
    code = f"""
import sys
sys.path[:0] = ["."]
import functions.{module}
print(*sys.modules)
"""
    environ = settings() | {"AWS_REGION": "eu-west-1", "CONNECTIONS_ENDPOINT": "https://a.execute-api.amazonaws.com/x"}
    environ |= {"EVENTS": "off"}  # as it is unless a deployment asks for them
    found = isolated(code, for_host[module.split(".", maxsplit=1)[0]], environ).split()
    assert WAITING & {name.partition(".")[0] for name in found} == USED.get(module, set())
    assert len(found) <= most


NAMES = """
import importlib, json, sys, warnings
sys.path[:0] = json.loads(sys.argv[1])
warnings.simplefilter("ignore")
said = {}
for package in sys.argv[2:]:
    module = importlib.import_module(package)
    for name in module.__all__:
        value = getattr(module, name)
        home = getattr(value, "__module__", ""), getattr(value, "__name__", "")
        said[f"{package}.{name}"] = [type(value).__name__, *home]
print(json.dumps(said))
"""


def test_libraries_whose_names_wait_have_the_same_ones(for_host: Mapping[str, Bundle]) -> None:
    packages = [
        place.removesuffix("/__init__.py").replace("/", ".") for place in QUICKER if place.endswith("/__init__.py")
    ]
    bundled = json.loads(isolated(NAMES, for_host["rest"], {}, '["."]', *packages))
    installed = json.loads(
        isolated(NAMES, for_host["rest"], {}, json.dumps([sysconfig.get_path("purelib")]), *packages)
    )
    assert len(bundled) > 90
    assert bundled == installed


def isolated(code: str, bundle: Bundle, environ: Mapping[str, str], *arguments: str) -> str:
    """What the code prints, with nothing but the standard library and what it asks for."""
    command = [sys.executable, "-I", "-S", "-B", "-c", code, *arguments]
    done = subprocess.run(command, cwd=bundle.path, env=dict(environ), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_all_files_have_one_time_and_mode(for_lambda: Mapping[str, Bundle]) -> None:
    for path in for_lambda["disconnect"].path.rglob("*"):
        assert path.stat().st_mtime == 315_532_800
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644)


def test_the_same_input_gives_the_same_digest_in_any_folder(
    project: Path, for_host: Mapping[str, Bundle], tmp_path: Path
) -> None:
    elsewhere = Bundler(copy(project, tmp_path / "a b"), HOST).build(GROUPS)
    assert {name: bundle.digest for name, bundle in elsewhere.items()} == {
        name: bundle.digest for name, bundle in for_host.items()
    }
    for name, bundle in elsewhere.items():
        assert names(bundle) == names(for_host[name])
        assert bundle.path.is_relative_to(tmp_path)


def test_a_changed_shared_module_changes_only_the_functions_that_import_it(project: Path, tmp_path: Path) -> None:
    project = copy(project, tmp_path)
    (project / "shared" / "only_rest.py").write_text("x = 1\n", encoding="utf-8")
    with (project / "functions" / "rest" / "handler.py").open("a", encoding="utf-8") as handler:
        handler.write("\nimport shared.only_rest\n")
    groups = dict.fromkeys(GROUPS, ("disconnect",))  # the quickest to install: the digests are what matters
    before = Bundler(project, HOST).build(groups)
    (project / "shared" / "only_rest.py").write_text("x = 2\n", encoding="utf-8")
    after = Bundler(project, HOST).build(groups)
    assert {name for name in GROUPS if before[name] != after[name]} == {"rest"}


def test_an_unchanged_bundle_is_not_built_again(
    project: Path, for_host: Mapping[str, Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.bundling.compile_trees", lambda roots, _: pytest.fail("built again") if roots else None)
    assert Bundler(project, HOST, build_folder=ROOT / ".build").build(GROUPS) == for_host


def test_targets_never_share_a_bundle(for_host: Mapping[str, Bundle], for_lambda: Mapping[str, Bundle]) -> None:
    for name in GROUPS:
        assert for_host[name].digest != for_lambda[name].digest
        assert for_host[name].path != for_lambda[name].path


@pytest.mark.parametrize("interpreter", [HOST, LAMBDA], ids=["host", "lambda"])
def test_source_that_does_not_compile_is_one_clear_line(interpreter: Interpreter, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("def f(:\n", encoding="utf-8")
    with pytest.raises(BundleError, match="invalid syntax"):
        compile_trees([tmp_path], interpreter)


def test_a_dependency_that_is_not_the_locked_one_is_refused_and_nothing_half_built_stays(
    project: Path, tmp_path: Path
) -> None:
    project = copy(project, tmp_path)
    lock = (project / "uv.lock").read_text(encoding="utf-8")
    package = re.search(r'name = "jmespath"\n.*?\n\n', lock, re.DOTALL)
    assert package
    forged = re.sub(r"sha256:[0-9a-f]{64}", f"sha256:{'0' * 64}", package[0])
    (project / "uv.lock").write_text(lock.replace(package[0], forged), encoding="utf-8")
    with pytest.raises(BundleError, match=r"uv pip failed: .*Hash mismatch for .*jmespath"):
        Bundler(project, HOST).build({"disconnect": ("disconnect",)})
    assert not [path for path in (project / ".build").rglob("*") if path.is_file()]


def test_a_mistake_in_our_own_source_names_the_file_and_line(project: Path, tmp_path: Path) -> None:
    project = copy(project, tmp_path)
    (project / "functions" / "disconnect" / "bad.py").write_text("\ndef f(:\n", encoding="utf-8")
    with pytest.raises(BundleError, match=r"functions/disconnect/bad\.py, line 2: invalid syntax"):
        Bundler(project, HOST).build({"disconnect": ("disconnect",)})


def test_a_missing_compiler_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BundleError, match=r"install Node\.js 20 or newer"):
        compile_trees([tmp_path], LAMBDA)


def test_a_missing_uv_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BundleError, match="run 'make setup'"):
        Bundler(tmp_path, HOST).build(GROUPS)
