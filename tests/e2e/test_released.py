"""Which version an upgrade is tried from, and what becomes of the test where that is not at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import released

NOWHERE = "0" * 40


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A clone that lacks the version."""
    pinned = tmp_path / "RELEASED"
    pinned.write_text(f"{NOWHERE}\n", encoding="utf-8")
    monkeypatch.setattr(released, "_PINNED", pinned)
    monkeypatch.setattr(released, "_latest_tag", lambda: "")


@pytest.mark.parametrize(("is_ci", "is_whole"), [(False, False), (False, True), (True, False)])
def test_where_it_can_be_lacking_the_reason_says_what_to_do(
    is_ci: bool, is_whole: bool, absent: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true" if is_ci else "")
    monkeypatch.setattr(released, "_is_whole", lambda: is_whole)
    with pytest.raises(pytest.skip.Exception, match=f"{NOWHERE} is not here: .*fetch-depth: 0.*UPGRADE_FROM"):
        released.revision()


def test_a_whole_clone_lacks_it_by_mistake_and_where_nobody_reads_of_what_was_skipped_that_fails(
    absent: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(released, "_is_whole", lambda: True)
    with pytest.raises(pytest.fail.Exception, match="UPGRADE_FROM"):
        released.revision()


def test_without_git_it_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.skip.Exception, match="is not here"):
        released.revision()


def test_an_unpacked_release_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, absent: None) -> None:
    given, folder = tmp_path / "given", tmp_path / "old"
    given.mkdir()
    folder.mkdir()
    (given / "app.py").write_text("the app", encoding="utf-8")
    (given / ".venv").mkdir()
    monkeypatch.setenv("UPGRADE_FROM", str(given))
    assert released.unpack(folder) == str(given)
    assert (folder / "app.py").read_text(encoding="utf-8") == "the app"
    assert (folder / ".venv").resolve() == (released.ROOT / ".venv").resolve()


def test_the_pinned_version_is_a_commit() -> None:
    assert len(released._PINNED.read_text(encoding="utf-8").strip()) == len(NOWHERE)
