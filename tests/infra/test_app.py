"""app.py as the CDK command line runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.infra.templates import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("infra")]


def run(output: Path, **context: str) -> subprocess.CompletedProcess[str]:
    flags = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
    environ |= {"CDK_OUTDIR": str(output), "CDK_CONTEXT_JSON": json.dumps(flags | context)}
    return subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )


def test_a_mistake_in_the_configuration_is_a_line_and_no_traceback(tmp_path: Path) -> None:
    done = run(tmp_path, stage="Prod!", connection_limit="1000")
    assert done.returncode == 1
    stage, limit = done.stderr.splitlines()
    assert stage.startswith("Configuration: stage: 'Prod!' is not allowed; give at most 20 lower-case letters")
    assert limit == "Configuration: connection_limit: '1000' is not allowed; give a whole number from 1 to 100"


def test_it_synthesizes_with_real_bundles(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    template = json.loads((tmp_path / "Parley-prod.template.json").read_text(encoding="utf-8"))
    keys = {
        resource["Properties"]["Code"]["S3Key"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
    }
    assert len(keys) == 7
    for key in keys:
        assert list((tmp_path / f"asset.{key.removesuffix('.zip')}" / "functions").rglob("*.cpython-313.pyc"))
