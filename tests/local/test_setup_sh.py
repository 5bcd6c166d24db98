"""Which Python everything is installed with: the one that is named, or was named before, or the first that fits."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from local.settings import ROOT


def python(path: Path, version: str) -> Path:
    """A Python that tells its version, and what it was asked to do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\ncase $3 in -c) echo {version} ;; *) echo "$0" "$@" ;; esac\n')
    path.chmod(0o755)
    return path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "local").mkdir()
    (tmp_path / ".tools").mkdir()
    (tmp_path / "path").mkdir()
    shutil.copy(ROOT / "local/setup.sh", tmp_path / "local/setup.sh")
    return tmp_path


def setup(project: Path, named: str = "") -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{project / 'path'}{os.pathsep}/usr/bin{os.pathsep}/bin", "PYTHON": named}
    command = ["/bin/sh", "local/setup.sh"]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


def test_the_first_that_fits_is_taken(project: Path) -> None:
    python(project / "path/python3", "3.10")
    fitting = python(project / "path/python3.12", "3.12")
    for other in ("python3.14", "python3.13"):
        python(project / "path" / other, "2.7")
    assert setup(project).stdout == f"{fitting} -I -S local/setup.py\n"


def test_the_one_that_is_named_is_taken_and_to_be_remembered(project: Path) -> None:
    named = python(project / "some where/it's/python", "3.13")
    assert setup(project, str(named)).stdout == f"{named} -I -S local/setup.py --remember {named}\n"
    assert setup(project, "some where/it's/python").stdout.startswith(f"{named} ")


def test_the_one_that_was_named_before_is_taken(project: Path) -> None:
    python(project / "path/python3", "3.12")
    named = python(project / "some where/python", "3.13")
    (project / ".tools/python").write_text(f"{named}\n")
    assert setup(project).stdout == f"{named} -I -S local/setup.py\n"


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("/nowhere/python3", "There is no Python at /nowhere/python3"),
        ("python9", "There is no Python at python9"),
        ("/etc/passwd", "/etc/passwd"),
        ("/bin/true", "/bin/true"),
        ("old", "is Python 3.10; Parley needs 3.11 to 3.14"),
        ("new", "is Python 3.15; Parley needs 3.11 to 3.14"),
    ],
)
def test_one_that_will_not_do_is_one_clear_line(project: Path, named: str, message: str) -> None:
    python(project / "path/old", "3.10")
    python(project / "path/new", "3.15")
    python(project / "path/python3", "3.12")
    done = setup(project, named)
    assert (done.returncode, done.stdout) == (1, "")
    first, second = done.stderr.splitlines()
    assert message in first
    assert "make up PYTHON=/path/to/python3" in second


def test_one_that_was_named_before_and_is_gone_is_one_clear_line(project: Path) -> None:
    python(project / "path/python3", "3.12")
    (project / ".tools/python").write_text("/gone/python3\n")
    done = setup(project)
    assert done.returncode == 1
    first, second = done.stderr.splitlines()
    assert first == "error: The Python that this was set up with is gone: /gone/python3"
    assert "PYTHON=" in second
    assert ".tools/python" in second


def test_without_any_python_it_says_so(project: Path) -> None:
    for name in ("python3", "python3.14", "python3.13", "python3.12", "python3.11"):
        python(project / "path" / name, "3.9")
    assert "No Python from 3.11 to 3.14 was found" in setup(project).stderr
