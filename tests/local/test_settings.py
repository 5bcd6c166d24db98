from pathlib import Path

import pytest

from local import settings
from local.errors import CommandError


def test_the_defaults_are_port_4577_and_a_folder_in_the_project(tmp_path: Path) -> None:
    read = settings.read({}, root=tmp_path)
    assert (read.port, read.home) == (4577, tmp_path / ".parley")


def test_a_home_elsewhere_is_taken_as_it_is(tmp_path: Path) -> None:
    assert settings.read({"PARLEY_HOME": str(tmp_path / "other")}).home == tmp_path / "other"


@pytest.mark.parametrize("port", ["abc", "80", "70000", "-1", "4577.0", "\uff14\uff15\uff17\uff17"])
def test_a_port_that_is_none_is_one_clear_line(port: str) -> None:
    with pytest.raises(CommandError, match="PARLEY_PORT must be a number from 1024 to 65535") as caught:
        settings.read({"PARLEY_PORT": port})
    assert "make up" in caught.value.hint


def test_empty_variables_count_as_unset(tmp_path: Path) -> None:
    assert settings.read({"PARLEY_PORT": "", "PARLEY_HOME": ""}, root=tmp_path) == settings.read({}, root=tmp_path)
