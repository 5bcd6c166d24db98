from pathlib import Path

import pytest

from local.settings import ROOT, Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A stack of its own below a temporary folder, on a port that nobody listens to."""
    return Settings(home=tmp_path / "home", port=4600, root=ROOT)
