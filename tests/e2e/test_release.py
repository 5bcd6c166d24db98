"""`make release`: the same bytes twice, and each of them as who gets it uses it: installed where nothing else is."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from local.settings import ROOT
from local.stack import Stack
from release.build import SUMS, build
from shared.version import VERSION
from tests.compatibility import clients
from tests.compatibility.clients import Client, check_chat
from tests.release.clones import copied, git

# All in one worker: what is built is built there once.
pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.xdist_group("stack")]

NAME = f"parley-{VERSION}"
FILES = {
    *(f"{NAME}.tar.gz", f"{NAME}.cdx.json", f"{NAME}.template.json"),
    *(f"parley_client-{VERSION}-py3-none-any.whl", f"parley_client-{VERSION}.tar.gz"),
    *(f"parley-client-{VERSION}.tgz", f"parley-react-{VERSION}.tgz"),
}
UV = ROOT / ".tools/uv/bin/uv"
SECONDS = 300


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(tmp_path_factory.mktemp("release") / "clone")


@pytest.fixture(scope="module")
def released(clone: Path) -> Path:
    """The folder with everything."""
    return build(clone, tools=ROOT)


@pytest.fixture(scope="module")
def unpacked(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive, as somebody gets it."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(released / f"{NAME}.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return folder / NAME


def run(*command: str | Path, folder: Path, environment: Mapping[str, str] | None = None) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PARLEY_", "MAKE", "PYTHONPATH"))}
    done = subprocess.run(
        command, cwd=folder, env=kept | dict(environment or {}), stdin=subprocess.DEVNULL, capture_output=True,
        text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout[-3_000:]}\n{done.stderr[-3_000:]}"
    return done.stdout


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_it_is_all_there_with_its_checksums(released: Path) -> None:
    found = bytes_of(released)
    assert set(found) == {*FILES, SUMS}
    lines = found[SUMS].decode().splitlines()
    assert lines == [f"{hashlib.sha256(found[name]).hexdigest()}  {name}" for name in sorted(FILES)]
    if program := shutil.which("sha256sum"):
        assert run(program, "--check", SUMS, folder=released).count(": OK") == len(FILES)


def test_another_clone_elsewhere_makes_the_same_bytes(clone: Path, released: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", str(clone), "some where else")
    again = bytes_of(build(tmp_path / "some where else", tools=ROOT))
    before = bytes_of(released)
    assert {name for name in before if before[name] != again.get(name)} == set()


def test_nothing_of_this_machine_is_in_it(clone: Path, released: Path) -> None:
    for name in (f"{NAME}.cdx.json", f"{NAME}.template.json"):
        text = (released / name).read_text(encoding="utf-8")
        for place in {str(clone), str(ROOT), str(Path.home())} - {"/"}:
            assert not re.search(rf"{re.escape(place)}(?![\w-])", text), (name, place)
    for path in released.glob("*.t*gz"):
        with tarfile.open(path) as archive:
            for member in archive.getmembers():
                assert not member.name.startswith(("/", "..")), member.name
                assert {member.uname, member.gname} <= {"", "root"}, member.name


def test_a_release_leaves_nothing_else_behind(clone: Path, released: Path) -> None:
    assert git(clone, "status", "--porcelain") == ""
    assert [path.name for path in released.parent.iterdir()] == [VERSION]


def test_what_is_not_committed_is_refused_by_the_command_too(clone: Path, released: Path) -> None:
    (clone / "another").write_text("x", encoding="utf-8")
    try:
        with pytest.raises(AssertionError, match="Not committed: another"):
            run(ROOT / ".venv/bin/python", "-m", "release", "build", folder=clone)
    finally:
        (clone / "another").unlink()


# -- the Python client


@pytest.fixture(params=[f"parley_client-{VERSION}-py3-none-any.whl", f"parley_client-{VERSION}.tar.gz"])
def installed(request: pytest.FixtureRequest, released: Path, tmp_path: Path) -> Path:
    """An environment with nothing else in it."""
    environment = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    python = ROOT / ".venv/bin/python"
    run(UV, "venv", "--quiet", "--python", python, "venv", folder=tmp_path, environment=environment)
    place = tmp_path / "venv"
    run(UV, "pip", "install", "--quiet", "--python", place, released / request.param, folder=tmp_path)
    return place


async def test_the_python_client_chats_as_it_was_installed(installed: Path, tmp_path: Path, stack: Stack) -> None:
    python = installed / "bin/python"
    asked = "import parley_client, sys; print(parley_client.__version__, sys.prefix)"
    assert run(python, "-I", "-c", asked, folder=tmp_path).split() == [VERSION, str(installed)]
    assert "parley-chat" in run(installed / "bin/parley-chat", "--help", folder=tmp_path)
    program = shutil.copy(clients.HERE / "chat.py", tmp_path / "chat.py")
    client = Client((str(python), "-I", str(program)), str(installed), folder=tmp_path)
    report, users = await asyncio.to_thread(client.chat, stack)
    check_chat(report, users, client)


# -- the packages for Node


@pytest.fixture(scope="module")
def project(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has them, and of ours only what an application brings itself."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "package.json").write_text(json.dumps({"name": "project", "private": True, "type": "module"}))
    quietly = ("--offline", "--no-audit", "--no-fund", "--legacy-peer-deps", "--loglevel=error")
    tarballs = sorted(str(path) for path in released.glob("parley-*.tgz"))
    assert len(tarballs) == 2
    run("npm", "install", *quietly, *tarballs, folder=folder)
    for name in ("ws", "react"):
        (folder / "node_modules" / name).symlink_to(ROOT / "node_modules" / name)
    return folder


async def test_the_javascript_client_chats_as_it_was_installed(project: Path, stack: Stack) -> None:
    shutil.copy(clients.HERE / "chat.mjs", project / "chat.mjs")
    client = Client(("node", "chat.mjs"), "@parley/client", {"module": "@parley/client"}, folder=project)
    report, users = await asyncio.to_thread(client.chat, stack)
    check_chat(report, users, client)


def test_the_packages_for_node_say_their_version_and_export_what_they_should(project: Path) -> None:
    for name in ("client", "react"):
        manifest = json.loads((project / "node_modules/@parley" / name / "package.json").read_text(encoding="utf-8"))
        assert manifest["version"] == VERSION
    script = """
        const names = ["client", "client/more", "client/admin", "client/node", "react"];
        const found = await Promise.all(names.map((name) => import(`@parley/${name}`)));
        console.log(JSON.stringify(found.map((one) => Object.keys(one))));
    """
    client, more, admin, node, react = json.loads(run("node", "--input-type=module", "--eval", script, folder=project))
    assert {"ParleyClient", "memoryStore", "ParleyError"} <= set(client)
    assert more
    assert admin
    assert "fileStore" in node
    assert {"ParleyProvider", "useMessages"} <= set(react)


# -- the source, its template and its bill


def test_the_source_is_the_commit_and_the_template(clone: Path, released: Path, unpacked: Path) -> None:
    found = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if not path.is_dir()}
    committed = set(git(clone, "ls-files", "-z").split("\0")) - {""}
    assert found == {*committed, f"{NAME}.template.json"}
    for name in ("Makefile", "local/setup.sh", "clients/js/src/index.ts"):
        assert (unpacked / name).read_bytes() == (clone / name).read_bytes()
        assert os.access(unpacked / name, os.X_OK) == os.access(clone / name, os.X_OK)
    assert (unpacked / f"{NAME}.template.json").read_bytes() == (released / f"{NAME}.template.json").read_bytes()


def test_the_source_starts_where_it_was_unpacked(unpacked: Path, tmp_path: Path) -> None:
    assert "make up" in run("make", "help", folder=unpacked)
    for name in (".venv", ".tools", "node_modules"):
        (unpacked / name).symlink_to(ROOT / name)
    python = ROOT / ".venv/bin/python"
    assert run(python, "-m", "release", "version", folder=unpacked).strip() == VERSION
    status = subprocess.run(
        [python, "-m", "local", "status"], cwd=unpacked, env={"PATH": os.environ["PATH"], "PARLEY_HOME": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "not running; start it with: make up" in status.stdout
    above = {"GIT_CEILING_DIRECTORIES": str(unpacked.parent)}  # it is no clone, and lies in none
    with pytest.raises(AssertionError, match="git"):
        run(python, "-m", "release", "build", folder=unpacked, environment=above)


def test_the_template_is_the_stacks_for_any_account(released: Path) -> None:
    template = json.loads((released / f"{NAME}.template.json").read_text(encoding="utf-8"))
    kinds = [one["Type"] for one in template["Resources"].values()]
    assert kinds.count("AWS::DynamoDB::Table") >= 4
    assert {"AWS::Lambda::Function", "AWS::ApiGatewayV2::Api"} <= set(kinds)
    assert {"WsUrl", "HttpUrl"} <= set(template["Outputs"])
    text = json.dumps(template)
    assert not re.search(r"(?<![0-9A-Za-z])[0-9]{12}(?![0-9A-Za-z])", text)
    assert "localhost" not in text


def test_the_bill_is_of_this_version_and_commit(clone: Path, released: Path) -> None:
    subject = json.loads((released / f"{NAME}.cdx.json").read_text(encoding="utf-8"))["metadata"]["component"]
    assert (subject["name"], subject["version"]) == ("parley", VERSION)
    assert subject["properties"] == [{"name": "parley:commit", "value": git(clone, "rev-parse", "HEAD").strip()}]
