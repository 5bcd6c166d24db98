"""What is installed is what was chosen: locked, hashed, from one index each, licensed, and with a reason.

That a bundle holds nothing but what its function's group names is asserted beside the bundles (tests/infra).
"""

from __future__ import annotations

import json
import re
import tomllib
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

import pytest

from tests.security import advisories
from tests.security.conftest import Tried

ROOT = Path(__file__).parents[2]
LOCKS = ("uv.lock", "local/emulator/uv.lock")
NODE_LOCKS = (
    *("package-lock.json", "website/package-lock.json", "tests/web/package-lock.json"),
    *(f"examples/{folder.name}/package-lock.json" for folder in advisories.examples()),
)
PROJECTS = {"parley", "parley-client", "parley-emulator"}
EXACT = re.compile(r"[A-Za-z0-9._-]+(\[[a-z0-9,-]+\])?==[0-9][0-9a-z.]*")


def toml(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / name).read_text(encoding="utf-8"))


def packages(lock: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = toml(lock)["package"]
    return found


def files(package: dict[str, Any]) -> list[dict[str, Any]]:
    return [*([package["sdist"]] if "sdist" in package else []), *package.get("wheels", [])]


# -- Python


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_comes_from_the_one_index_with_a_hash_for_each_file(lock: str, tried: Tried) -> None:
    foreign = [one for one in packages(lock) if one["name"] not in PROJECTS]
    assert len({json.dumps(one["source"]) for one in foreign}) == 1
    for package in foreign:
        assert set(package["source"]) == {"registry"}, package["name"]
        assert files(package), f"{package['name']} has no file"
        for file in files(package):
            assert file["url"].startswith("https://"), package["name"]
            assert re.fullmatch(r"sha256:[0-9a-f]{64}", file["hash"]), package["name"]
            assert file["size"] > 0
        tried()


@pytest.mark.parametrize("lock", LOCKS)
def test_nothing_locked_is_a_branch_an_address_or_a_folder_but_our_own(lock: str, tried: Tried) -> None:
    for package in packages(lock):
        source = package["source"]
        if package["name"] in PROJECTS:
            assert source in ({"virtual": "."}, {"editable": "clients/python"})
        else:
            assert not {"git", "url", "path", "directory", "editable", "virtual"} & source.keys(), package["name"]
        tried()


def test_one_index_is_asked_and_none_besides(tried: Tried) -> None:
    for name in ("pyproject.toml", "local/emulator/pyproject.toml", "clients/python/pyproject.toml"):
        settings = toml(name).get("tool", {}).get("uv", {})
        chosen = {"index", "index-url", "extra-index-url", "find-links", "index-strategy", "pip", "no-index"}
        assert not chosen & settings.keys()
        assert "allow-insecure-host" not in settings
        tried()
    assert set(toml("pyproject.toml")["tool"]["uv"]["sources"]) == {"parley-client"}


def direct() -> dict[str, str]:
    """Package → version of what the project asks for by name."""
    groups = toml("pyproject.toml")["dependency-groups"]
    listed = [entry for entries in groups.values() for entry in entries if isinstance(entry, str)]
    listed += toml("local/emulator/pyproject.toml")["project"]["dependencies"]
    for entry in listed:
        assert EXACT.fullmatch(entry) or re.sub(r"\[.*\]", "", entry) in PROJECTS, f"{entry} is not pinned exactly"
    pairs = (re.sub(r"\[.*\]", "", entry).split("==") for entry in listed if EXACT.fullmatch(entry))
    return {name.lower(): version for name, version in pairs}


def test_what_is_asked_for_is_pinned_exactly_and_locked_as_pinned(tried: Tried) -> None:
    locked = {(one["name"], one["version"]) for lock in LOCKS for one in packages(lock) if "version" in one}
    for name, version in direct().items():
        assert (name, version) in locked, f"{name} {version} is not what is locked"
        tried()


def test_the_client_that_others_install_asks_for_little(tried: Tried) -> None:
    """A library pins nothing, but takes no package by its address, and its build tool stays within one line."""
    project = toml("clients/python/pyproject.toml")
    extras = [entry for entries in project["project"]["optional-dependencies"].values() for entry in entries]
    for entry in [*project["project"]["dependencies"], *extras, *project["build-system"]["requires"]]:
        assert re.fullmatch(r"[a-z_-]+>=[\d.]+(,<[\d.]+)?", entry)
        tried()
    assert [re.split(r"[><=]", entry)[0] for entry in project["project"]["dependencies"]] == ["websockets"]
    assert [re.split(r"[><=]", entry)[0] for entry in extras] == ["prompt-toolkit"]


def test_uv_itself_is_one_version(tried: Tried) -> None:
    versions = {
        toml(name)["tool"]["uv"]["required-version"] for name in ("pyproject.toml", "local/emulator/pyproject.toml")
    }
    assert len(versions) == 1
    assert re.fullmatch(r"==\d+\.\d+\.\d+", versions.pop())
    tried()


# -- Node


def node(lock: str = "package-lock.json") -> dict[str, dict[str, Any]]:
    locked = json.loads((ROOT / lock).read_text(encoding="utf-8"))
    assert locked["lockfileVersion"] >= 3
    found: dict[str, dict[str, Any]] = {
        name: one for name, one in locked["packages"].items() if "node_modules/" in name and not one.get("link")
    }
    return found


def test_no_other_lock_is_anywhere(tried: Tried) -> None:
    """One that nobody looks at would be audited by nothing."""
    unlooked = ("node_modules/", ".tools/", ".venv/", ".build/", "cdk.out/", ".parley/")
    for name, known in (("uv.lock", LOCKS), ("package-lock.json", NODE_LOCKS)):
        places = {path.relative_to(ROOT).as_posix() for path in ROOT.glob(f"*/{name}")}
        places |= {path.relative_to(ROOT).as_posix() for path in ROOT.glob(f"[a-z]*/*/{name}")} | {name}
        assert {one for one in places if not one.startswith(unlooked)} == set(known)
        tried()


def manifests() -> dict[str, dict[str, Any]]:
    """Folder → the manifest of the root and of each workspace."""
    root = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    folders = ["", *root["workspaces"]]
    return {each: json.loads((ROOT / each / "package.json").read_text(encoding="utf-8")) for each in folders}


def asked_of_node() -> dict[str, str]:
    """Package → version of what any manifest asks for by name, but for our own workspaces."""
    asked: dict[str, str] = {}
    for manifest in manifests().values():
        asked |= manifest.get("dependencies", {}) | manifest.get("devDependencies", {})
    return {name: version for name, version in asked.items() if not name.startswith("@parley/")}


@pytest.mark.parametrize("lock", NODE_LOCKS)
def test_every_locked_node_package_has_a_digest_and_comes_from_a_registry(lock: str, tried: Tried) -> None:
    for name, package in node(lock).items():
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", package["integrity"]), name
        assert "link" not in package
        assert package.get("resolved", "https://").startswith("https://"), name
        assert not package.get("hasInstallScript") or (lock, name) in NEVER_RUN, f"{name} runs a program at its install"
        assert re.fullmatch(r"\d+\.\d+\.\d+(-beta\.\d+)?", package["version"]), name
        tried()


# The docs site is installed with --ignore-scripts (website/__main__.py).
NEVER_RUN = {("website/package-lock.json", "node_modules/esbuild")}


def test_node_packages_are_pinned_exactly_and_run_nothing_when_installed(tried: Tried) -> None:
    for folder, manifest in manifests().items():
        assert not {"optionalDependencies", "overrides"} & manifest.keys()
        hooks = {"preinstall", "install", "postinstall", "prepare"}
        assert not hooks & manifest.get("scripts", {}).keys(), f"{folder} runs a program when it is installed"
    for name, version in asked_of_node().items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), f"{name} is not pinned exactly"
        assert version in {one["version"] for place, one in node().items() if place.endswith(f"node_modules/{name}")}
        tried()


def test_the_packages_that_others_install_ask_for_nothing(tried: Tried) -> None:
    """React is the application's own, and `@parley/react` goes with one version of `@parley/client`."""
    for folder, peers in {"clients/js": set(), "clients/js/react": {"@parley/client", "react"}}.items():
        manifest = manifests()[folder]
        assert "dependencies" not in manifest
        assert set(manifest.get("peerDependencies", {})) == peers
        tried()


# -- reasons and licences


def test_every_direct_dependency_has_its_reason(tried: Tried) -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    asked = {*direct(), *asked_of_node()}
    for name in asked:
        row = re.search(
            rf"^\| {re.escape(name)}(?: \(npm\))? \|[^|]+\|[^|]+\|(.+)\|$", page, flags=re.MULTILINE | re.IGNORECASE
        )
        assert row, f"{name} has no row in docs/dependencies.md"
        assert len(row[1].split()) >= 1, f"{name} has no reason"
        tried()


# What may be used, changed and passed on in a product, with the notices kept.
PERMISSIVE = {
    *("mit", "mit-0", "mit-cmu", "mit license", "mit no attribution license (mit-0)"),
    *("bsd", "bsd license", "bsd-2-clause", "bsd-3-clause", "bsd 2-clause license", "3-clause bsd license"),
    *("apache-2.0", "apache 2.0", "apache license 2.0", "apache software license", "psf-2.0", "cnri-python", "isc"),
    *("0bsd", "cc0-1.0"),
}
# Changes of its own files have to be published: they are not changed here.
WEAK = {"mpl-2.0", "mozilla public license 2.0 (mpl 2.0)"}
MPL = {"axe-core", "certifi", "hypothesis", "lightningcss", "pathspec", "pyodide"}


def licences(package: Distribution) -> list[set[str]]:
    """What a package's metadata says: each set is a choice, and one of each has to be acceptable."""
    said = package.metadata.json
    if expression := said.get("license_expression"):
        return [{part.strip(" ()").lower() for part in both.split(" OR ")} for both in str(expression).split(" AND ")]
    classified = {text.split(" :: ")[-1].lower() for text in said.get("classifier", []) if text.startswith("License")}
    classified.discard("osi approved")
    return [classified or {str(said.get("license", "")).strip().lower()}]


def test_every_licence_lets_a_product_be_built_on_it(tried: Tried) -> None:
    locked = {one["name"] for one in packages("uv.lock")}
    for package in distributions():
        name = re.sub(r"[._-]+", "-", package.metadata["Name"]).lower()
        if name in locked:
            for choice in licences(package):
                allowed = PERMISSIVE | (WEAK if name in MPL else set())
                assert choice & allowed, f"{name}: {', '.join(choice)}"
            tried()
    for place, package_ in [pair for lock in NODE_LOCKS for pair in node(lock).items()]:
        name = place.rpartition("node_modules/")[2]
        weak = name in MPL or name.startswith("lightningcss-")  # its binaries, one for each kind of machine
        choice = set(package_["license"].lower().split(" or "))
        assert choice & (PERMISSIVE | (WEAK if weak else set())), name
        tried()
    assert tried.number > 100
