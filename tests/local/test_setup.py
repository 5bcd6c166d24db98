import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local import setup
from local.setup import Setup, SetupError


@pytest.mark.parametrize("version", [(3, 10), (3, 15), (2, 7)])
def test_a_python_that_will_not_do_is_named(version: tuple[int, int]) -> None:
    with pytest.raises(SetupError, match=r"needs 3\.11 to 3\.14") as caught:
        setup.check_python(version)
    assert "PYTHON=" in caught.value.hint


@pytest.mark.parametrize("version", [(3, 11), (3, 14)])
def test_a_python_that_will_do_passes(version: tuple[int, int]) -> None:
    setup.check_python(version)


@pytest.mark.parametrize(
    ("version", "message"), [(None, "Node is not installed"), ("18.19.0", "This is Node 18.19.0; the AWS CDK needs 20")]
)
def test_missing_or_old_node_is_one_clear_line(version: str | None, message: str) -> None:
    with pytest.raises(SetupError, match=message) as caught:
        setup.check_node(version)
    assert "https://nodejs.org" in caught.value.hint


def test_node_20_and_newer_pass() -> None:
    setup.check_node("20.0.0")
    setup.check_node("24.1.0")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    monkeypatch.setattr(setup, "TOOLS", tmp_path / ".tools")
    (tmp_path / ".tools").mkdir()
    (tmp_path / "lock").write_text("1")
    (tmp_path / "result").touch()
    return tmp_path


def needed(project: Path) -> bool:
    with setup._step("packages", ["lock"], project / "result") as is_needed:
        return is_needed


def test_a_step_is_needed_once(project: Path) -> None:
    assert [needed(project), needed(project)] == [True, False]


def test_a_step_is_needed_again_when_its_input_has_changed_or_its_result_is_gone(project: Path) -> None:
    needed(project)
    (project / "lock").write_text("2")
    assert [needed(project), needed(project)] == [True, False]
    (project / "result").unlink()
    assert needed(project)


def test_a_step_that_failed_is_needed_again(project: Path) -> None:
    with pytest.raises(RuntimeError), setup._step("packages", ["lock"], project / "result"):
        raise RuntimeError
    assert needed(project)


def test_a_registry_out_of_reach_is_one_clear_line_and_the_rest_is_in_the_log(project: Path) -> None:
    log = project / "logs/setup.log"
    with pytest.raises(SetupError, match="python could not install") as caught:
        Setup(log)._install(
            "-c", "raise SystemExit('no route to host')", program=Path(sys.executable).with_name("python")
        )
    assert "registry reachable" in caught.value.hint
    assert os.path.relpath(log) in caught.value.hint
    assert "no route to host" in log.read_text()


def test_tools_never_see_the_users_virtual_environment_and_never_download_a_python(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", "/somewhere")
    environment = setup._environment({"EXTRA": 1})
    assert "VIRTUAL_ENV" not in environment
    assert (environment["UV_PYTHON_DOWNLOADS"], environment["EXTRA"]) == ("never", "1")


def test_the_set_up_script_needs_nothing_but_the_standard_library() -> None:
    subprocess.run([sys.executable, "-I", "-S", "-c", "import runpy; runpy.run_path('local/setup.py')"], check=True)


def test_a_python_that_is_named_is_remembered(project: Path) -> None:
    for name in ("/one/python3", "/one/python3", "/two/python3"):
        setup.remember(name)
        assert (project / ".tools/python").read_text() == f"{name}\n"


def test_a_clone_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    """As another user's, or one on a full disk."""
    shutil.copytree(Path(setup.__file__).parent, tmp_path / "local", ignore=shutil.ignore_patterns("*.pyc", "emulator"))
    (tmp_path / ".tools").touch()
    done = subprocess.run(
        [sys.executable, "local/setup.py"], cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"PARLEY_HOME": str(tmp_path / "home")},
    )  # fmt: skip
    assert done.returncode == 1
    first, second = done.stderr.splitlines()
    assert first == f"error: {tmp_path / '.tools'} is in the way (File exists)"
    assert "clone of your own" in second
