"""The command that says how much of the product the simulation comes to counts what histories run, and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What a history runs whatever it is about; and what none does, since it stands for the service behind it.
_RUN = (
    "shared/operations/sync.py",
    "shared/adapters/dynamodb/sessions.py",
    "functions/message/handler.py",
    "functions/rest/api.py",
)
_NOT_RUN = "functions/offline_push/apns/http2.py"


def test_its_report_is_of_what_the_histories_have_run() -> None:
    """Few histories: they come to most of the statements, and fail where more is asked for than there is."""
    measured = subprocess.run(
        [sys.executable, "-m", "tests.simulation.measured", "--histories", "6", "--least", "100"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    shares = {
        name: int(share) for name, share in re.findall(r"^(\S+)\s+\d+\s+\d+\s+(\d+)%", measured.stdout, re.MULTILINE)
    }
    assert measured.returncode == 1, measured.stderr  # some is left, so 100 % is too much
    assert 50 < shares["TOTAL"] < 100
    assert all(shares[name] > 60 for name in _RUN)
    assert shares[_NOT_RUN] < 60
    assert not any(name.startswith("tests/") for name in shares)
