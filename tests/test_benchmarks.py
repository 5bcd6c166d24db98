"""The benchmarks that hold code in strings, which no type checker reads, still run."""

from __future__ import annotations

import sys

from benchmarks import imports


def test_what_the_imports_benchmark_runs_of_ours_runs() -> None:
    assert imports._once(sys.executable, imports._ROOT, imports._OURS)[0] > 0
