"""The version is one: everywhere it stands, and wherever else it is said."""

from __future__ import annotations

import json
import re
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import parley_client
import pytest
import yaml  # type: ignore[import-untyped]  # comes with cfn-lint, without types

from local.settings import ROOT
from release import places
from release.build import check
from release.errors import ReleaseError
from shared.version import VERSION
from tests.functions.rest.document import document
from tests.release.clones import copied, git

NAMES = (*places.PLACES, places.CHANGES)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_it_is_the_same_everywhere() -> None:
    assert places.check(ROOT) == VERSION
    assert places.FORM.fullmatch(VERSION)
    assert {name for name, _ in places.mentions(ROOT)} == set(places.PLACES)


def test_the_clients_the_documents_and_the_stack_say_it() -> None:
    assert parley_client.__version__ == installed("parley-client") == VERSION
    assert document()["info"]["version"] == VERSION
    asyncapi: dict[str, Any] = yaml.safe_load(text("docs/asyncapi.yaml"))
    assert asyncapi["info"]["version"] == VERSION
    for folder in ("clients/js", "clients/js/react", "web"):
        manifest = json.loads(text(f"{folder}/package.json"))
        asked = {**manifest.get("dependencies", {}), **manifest.get("peerDependencies", {})}
        own = {name: version for name, version in asked.items() if name.startswith("@parley/")}
        assert manifest["version"] == VERSION
        assert set(own.values()) <= {VERSION}


def test_the_changelog_has_its_section_first() -> None:
    assert places.section(text(places.CHANGES), VERSION)
    assert re.findall(r"^## (\S+)", text(places.CHANGES), flags=re.MULTILINE)[0] == VERSION


def test_no_page_names_a_package_of_another_version() -> None:
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "clients").rglob("*.md")]:
        if "node_modules" not in path.parts:
            named = re.findall(r"parley[-_](?:client|react)-(\d+\.\d+\.\d+)", path.read_text(encoding="utf-8"))
            assert set(named) <= {VERSION}, path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files that say a version."""
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text(name), encoding="utf-8")
    return tmp_path


def changed(folder: Path) -> set[str]:
    return {name for name in NAMES if (folder / name).read_text(encoding="utf-8") != text(name)}


def test_one_command_changes_it_everywhere_and_begins_its_section(folder: Path) -> None:
    assert set(places.change(folder, "9.8.7")) == changed(folder) == set(NAMES)
    assert {version for _, version in places.mentions(folder)} == {"9.8.7"}
    assert places.check(folder) == "9.8.7"
    changes = (folder / places.CHANGES).read_text(encoding="utf-8")
    assert places.section(changes, "9.8.7") == "(unreleased)"
    assert changes.replace("## 9.8.7 (unreleased)\n\n", "") == text(places.CHANGES)


def test_nothing_but_the_version_is_changed(folder: Path) -> None:
    places.change(folder, "9.8.7")
    for name in places.PLACES:
        now, before = (folder / name).read_text(encoding="utf-8").splitlines(), text(name).splitlines()
        pairs = [(one, other) for one, other in zip(now, before, strict=True) if one != other]
        assert pairs
        assert all(one.replace("9.8.7", VERSION) == other for one, other in pairs)


def test_changing_it_to_what_it_is_changes_nothing(folder: Path) -> None:
    assert places.change(folder, VERSION) == []
    assert changed(folder) == set()


def test_there_and_back_leaves_everything_as_it_was_but_the_changelog(folder: Path) -> None:
    places.change(folder, "9.8.7")
    places.change(folder, VERSION)
    assert changed(folder) == {places.CHANGES}


NO_VERSIONS = (
    "",
    "1",
    "1.2",
    "1.2.3.4",
    "v1.2.3",
    "1.2.3-rc.1",
    "1.2.3rc1",
    "01.2.3",
    "1.2.x",
    "1.2.3\n",
    "\uff11.2.3",
)


@pytest.mark.parametrize("wanted", NO_VERSIONS)
def test_what_is_no_version_changes_nothing(folder: Path, wanted: str) -> None:
    with pytest.raises(ReleaseError, match="is no version"):
        places.change(folder, wanted)
    assert changed(folder) == set()


@pytest.mark.parametrize("name", list(places.PLACES))
def test_a_place_that_has_another_or_none_is_named(folder: Path, name: str) -> None:
    path = folder / name
    path.write_text(text(name).replace(VERSION, "9.8.7"), encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"9\.8\.7"):
        places.check(folder)
    path.write_text(text(name).replace(VERSION, "none"), encoding="utf-8")
    with pytest.raises(ReleaseError, match="says no version"):
        places.check(folder)
    path.unlink()
    with pytest.raises(ReleaseError, match="is not there"):
        places.check(folder)


# -- what can be released


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    return copied(tmp_path / "clone", *NAMES)


def test_a_commit_can_be_released(clone: Path) -> None:
    assert check(clone) == VERSION


def test_what_is_not_committed_is_not_released(clone: Path) -> None:
    (clone / "another").write_text("x", encoding="utf-8")
    with pytest.raises(ReleaseError, match="Not committed: another"):
        check(clone)
    (clone / "another").unlink()
    (clone / "README.md").write_text("changed", encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"Not committed: README\.md"):
        check(clone)


def test_what_git_ignores_is_in_nobodys_way(clone: Path) -> None:
    (clone / ".build").mkdir()
    (clone / ".build/x").write_text("x", encoding="utf-8")
    assert check(clone) == VERSION


@pytest.mark.parametrize("heading", ["## 9.9.9", f"## {VERSION}1", f"## {VERSION}.1", f"### {VERSION}"])
def test_a_version_that_the_changelog_lacks_is_not_released(clone: Path, heading: str) -> None:
    (clone / places.CHANGES).write_text(f"# Changelog\n\n{heading}\n- a change\n", encoding="utf-8")
    git(clone, "commit", "--quiet", "--all", "--message", "another changelog")
    with pytest.raises(ReleaseError, match=f"says nothing of {re.escape(VERSION)}"):
        check(clone)


def test_places_that_disagree_are_not_released(clone: Path) -> None:
    path = clone / "clients/js/package.json"
    path.write_text(path.read_text(encoding="utf-8").replace(VERSION, "9.8.7"), encoding="utf-8")
    git(clone, "commit", "--quiet", "--all", "--message", "another version")
    with pytest.raises(ReleaseError, match=r"clients/js/package\.json says 9\.8\.7"):
        check(clone)


def test_what_is_no_clone_is_not_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(ReleaseError, match="not a git repository"):
        check(tmp_path)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ReleaseError, match="git is not installed"):
        check(tmp_path)
