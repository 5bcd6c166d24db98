"""Many examples of bad input, others every time: python -m tests.bad_input --examples 20000."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from tests.bad_input.fuzzing import EXAMPLES


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bad_input", description=__doc__)
    parser.add_argument("--examples", type=int, default=5_000, help="of each property (5,000)")
    parser.add_argument("--only", default="", help="those whose names have this in them")
    asked = parser.parse_args()
    modules = sorted(str(path) for path in Path(__file__).parent.glob("test_fuzz_*.py"))
    chosen = ["-k", asked.only] if asked.only else []
    command = [sys.executable, "-m", "pytest", *modules, *chosen, "-n0", "-v", "--durations=0", "-p", "no:randomly"]
    done = subprocess.run(command, env={**os.environ, EXAMPLES: str(asked.examples)}, check=False)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
