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


def test_a_clone_without_it_says_what_to_do(absent: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=f"{NOWHERE} is not here: .*fetch-depth: 0.*UPGRADE_FROM"):
        released.revision()


def test_and_fails_where_nobody_reads_of_what_was_skipped(absent: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="UPGRADE_FROM"):
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
