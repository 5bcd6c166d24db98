"""What docs/machines.md says of other machines, as far as one that is none of them can tell."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import setup
from local.settings import DEFAULT_PORT, ROOT
from tests.test_habits import TARGETS, WORKFLOW

PAGE = (ROOT / "docs/machines.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
DEVCONTAINER: dict[str, Any] = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
NOT_OURS = {".git", ".venv", ".tools", ".build", ".parley", "node_modules", "cdk.out", "__pycache__", ".staged"}
# What GNU make has learned since 3.81, by what its NEWS says of 3.82 to 4.4.
NEWER = re.compile(
    r"^\.(ONESHELL|RECIPEPREFIX|NOTINTERMEDIATE|EXTRA_PREREQS)\b|^(undefine|private|load|-load)\s|!=|:::?:?=|&:"
    r"|\$\((file|guile|let|intcmp)\s|\.SHELLSTATUS|^define\s+\S+\s*[:?+!]?=",
    re.MULTILINE,
)


def names() -> Iterator[str]:
    for folder, inside, files in os.walk(ROOT):
        inside[:] = [name for name in inside if name not in NOT_OURS]
        yield from ((Path(folder) / name).relative_to(ROOT).as_posix() for name in (*inside, *files))


# -- make and sh


def test_the_makefile_uses_nothing_that_make_3_81_lacks() -> None:
    assert "GNU make 3.81" in PAGE
    assert NEWER.findall(MAKEFILE) == []


@pytest.mark.parametrize(
    "line", ["X != date", "X ::= 1", "define f =", "a b &: c", "$(file <x)", ".ONESHELL:", "undefine X", "$(let a,b,c)"]
)
def test_what_it_lacks_would_be_seen(line: str) -> None:
    assert NEWER.search(f"all:\n{line}\n")


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_every_recipe_is_plain_sh(target: str) -> None:
    """As `make -n` shows it to the shell; dash, where there is one, knows no more than POSIX asks for."""
    asked = ("USER=alice", "SINCE=24h", "V=1.2.3", "RIVALS=1", "MINUTES=1")
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    shown = subprocess.run(
        ["make", "-n", "--no-print-directory", target, *asked],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.strip()
    for shell in {"/bin/sh", *(path for path in ("/bin/dash", "/usr/bin/dash") if Path(path).exists())}:
        read = subprocess.run([shell, "-n"], input=shown.stdout, capture_output=True, text=True, check=False)
        assert (read.returncode, read.stderr) == (0, "")
    assert not re.search(r"\[\[|\bfunction \w+ *\{|<\(|&>|<<<|\$'|\bsource |\blocal \w+=", shown.stdout)


def scripts() -> list[str]:
    return [name for name in names() if name.endswith(".sh") or name == ".githooks/pre-commit"]


@pytest.mark.parametrize("name", scripts())
def test_every_script_is_plain_sh(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert text.startswith("#!/bin/sh\n")
    for shell in ("sh", *(path for path in ("/bin/dash", "/usr/bin/dash") if Path(path).exists())):
        read = subprocess.run([shell, "-n", name], cwd=ROOT, capture_output=True, text=True, check=False)
        assert (read.returncode, read.stderr) == (0, "")
    assert not re.search(r"\[\[|\bfunction \w+ *\{|<\(|&>|<<<|\$'|^source |\blocal \w+=", text, flags=re.MULTILINE)


def test_the_scripts_are_all_there() -> None:
    assert {"local/setup.sh", ".githooks/pre-commit"} <= set(scripts())


# -- disks


def test_no_two_files_differ_by_case_alone() -> None:
    found: dict[str, str] = {}
    for name in names():
        assert found.setdefault(name.lower(), name) == name
    assert len(found) > 500


def test_every_name_is_one_that_windows_can_check_out() -> None:
    devices = re.compile(r"(^|/)(con|prn|aux|nul|com\d|lpt\d)(\.|/|$)", re.IGNORECASE)
    for name in names():
        assert not re.search(r'[<>:"|?*\\]|[ .](/|$)', name), name
        assert not devices.search(name), name


def test_line_ends_are_the_same_everywhere() -> None:
    assert "* text=auto eol=lf" in (ROOT / ".gitattributes").read_text(encoding="utf-8").splitlines()
    for name in names():
        path = ROOT / name
        if path.suffix in {".py", ".sh", ".md", ".json", ".ts", ".tsx", ".mjs", ".toml", ".yml"} and path.is_file():
            assert b"\r\n" not in path.read_bytes(), name


# -- packages


def locked(lock: str) -> list[dict[str, Any]]:
    packages: list[dict[str, Any]] = tomllib.loads((ROOT / lock).read_text(encoding="utf-8"))["package"]
    return [one for one in packages if "registry" in one["source"] and one["name"] != "pywin32"]  # for Windows alone


def wheels(package: dict[str, Any]) -> list[str]:
    return [file["url"].rpartition("/")[2] for file in package["wheels"]]


def lacking(lock: str, platform: str, python: str) -> set[str]:
    """The packages that have no wheel for this platform and version of CPython."""
    fits = re.compile(rf"-(cp{python}-cp{python}|cp3\d+-abi3|py3-none|py2\.py3-none)-(any|{platform})\.whl$")
    return {one["name"] for one in locked(lock) if not any(fits.search(name) for name in wheels(one))}


LINUX = {"x86_64": r"\S*manylinux\S*_x86_64\S*", "aarch64": r"\S*manylinux\S*_aarch64\S*"}
MACOS = {"arm64": r"macosx_\S+_(arm64|universal2)", "x86_64": r"macosx_\S+_(x86_64|universal2|intel)"}


@pytest.mark.parametrize("lock", ["uv.lock", "local/emulator/uv.lock"])
@pytest.mark.parametrize("python", ["311", "314"])
def test_every_python_package_comes_as_a_wheel_for_linux_and_apple_silicon(lock: str, python: str) -> None:
    for platform in (*LINUX.values(), MACOS["arm64"]):
        assert lacking(lock, platform, python) == set()


def test_what_an_intel_mac_lacks_is_what_the_page_says() -> None:
    assert "cryptography" in lacking("uv.lock", MACOS["x86_64"], "311")
    assert "`cryptography` has no wheel for Intel any more" in PAGE


def test_every_node_package_with_a_binary_has_one_for_linux_and_macos() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    found: dict[str, set[tuple[str, str]]] = {}
    for name, one in packages.items():
        if one.get("optional") and one.get("cpu"):
            what = re.split(r"[-/](darwin|linux|win32|android|freebsd|wasm32|openharmony)", name)[0]
            found.setdefault(what, set()).update((system, cpu) for system in one.get("os", ()) for cpu in one["cpu"])
    needed = {(system, cpu) for system in ("linux", "darwin") for cpu in ("x64", "arm64")}
    binaries = {what: there for what, there in found.items() if ("linux", "x64") in there}
    assert len(binaries) >= 3
    for what, there in binaries.items():
        assert needed <= there, what


# -- the dev container


def test_the_dev_container_is_one_of_what_the_gate_runs_on() -> None:
    gates = WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["include"]
    python = DEVCONTAINER["image"].rpartition(":")[2]
    (feature,) = DEVCONTAINER["features"].items()
    assert feature[0].startswith("ghcr.io/devcontainers/features/node:")
    assert (python, int(feature[1]["version"])) in {(gate["python"], int(gate["node"])) for gate in gates}
    assert setup.OLDEST_PYTHON <= tuple(map(int, python.split("."))) < setup.PYTHON_LIMIT
    assert int(feature[1]["version"]) >= setup.OLDEST_NODE


def test_the_dev_container_is_set_up_by_make_and_forwards_what_listens() -> None:
    make, target = DEVCONTAINER["postCreateCommand"].split()
    assert (make, target in TARGETS) == ("make", True)
    assert {DEFAULT_PORT, DEFAULT_PORT + 1} <= set(DEVCONTAINER["forwardPorts"])
    ports = DEVCONTAINER["portsAttributes"]
    # The stack's addresses name this port: under another one on the user's side nothing would find it.
    assert ports[str(DEFAULT_PORT)]["requireLocalPort"]
    assert f"{DEFAULT_PORT + 2}-{DEFAULT_PORT + 4}" in ports
    for port in DEVCONTAINER["forwardPorts"]:
        assert str(port) in ports
        assert str(port) in PAGE


def test_the_dev_container_asks_for_nothing_of_this_machine() -> None:
    known = {"name", "image", "features", "postCreateCommand", "forwardPorts", "portsAttributes", "customizations"}
    assert set(DEVCONTAINER) == known


def test_the_page_says_plainly_what_was_not_tried() -> None:
    assert "**was not tried**" in PAGE
    table = PAGE.partition("## ")[0]
    assert table.count("untried") >= 6
    tried = {(gate["python"], str(gate["node"])) for gate in WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["include"]}
    assert tried == {("3.11", "20"), ("3.14", "24")}
    assert "Python 3.11 and 3.14 with Node 20 and 24" in PAGE
