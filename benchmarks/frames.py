"""Decoding a frame, importing the decoder: msgspec (wire/websocket/frames.py) against the same models in pydantic.

    .venv/bin/python -m benchmarks.frames --rounds 15

Decoding is CPU time per frame; importing is a fresh process each, bytecode present, and counts the decoder's module
with all that it imports. Subjects take turns within every round; medians are compared. ADR 0006 rests on the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from benchmarks.rows import OURS, Row, rows_of, table, taken_in_turns

_ROOT: Final = Path(__file__).resolve().parent.parent
SUITE: Final = "A frame"
_CALLS: Final = 20_000
_PYDANTIC: Final = "pydantic"
_MODULES: Final = {OURS: "shared.wire.websocket.frames", _PYDANTIC: "benchmarks.pydantic_frames"}
_TIMED_IMPORT: Final = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
_FRAME: Final = json.dumps(
    {
        "type": "message",
        "id": "17",
        "to": "bob",
        "content": "See you at eight? " * 8,
        "message_type": "text",
        "client_message_id": "0d9f2c34-6f0e-4f6e-9d0c-0f5a6f2c9a11",
        "after": 41,
    }
)


def _decoders() -> Mapping[str, Callable[[str], object]]:
    from benchmarks import pydantic_frames
    from shared.wire.websocket import frames

    return {OURS: frames.decode, _PYDANTIC: pydantic_frames.decode}


def _decode_us(decode: Callable[[str], object]) -> float:
    started = time.process_time()
    for _ in range(_CALLS):
        decode(_FRAME)
    return (time.process_time() - started) / _CALLS * 1e6


def _import_ms(module: str, bytecode: str) -> float:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", _TIMED_IMPORT.format(module)],
        cwd=_ROOT,
        env={**environment, "PYTHONPYCACHEPREFIX": bytecode},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout) * 1e3


def rows(rounds: int) -> list[Row]:
    decoding = {name: lambda decode=decode: _decode_us(decode) for name, decode in _decoders().items()}
    found = rows_of(SUITE, f"decoding {len(_FRAME)} bytes", "µs CPU", taken_in_turns(decoding, rounds))
    with tempfile.TemporaryDirectory() as bytecode:
        importing = {name: lambda module=module: _import_ms(module, bytecode) for name, module in _MODULES.items()}
        return [*found, *rows_of(SUITE, "importing the decoder", "ms", taken_in_turns(importing, rounds))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, choices=range(1, 31), metavar="1..30")
    print("\n".join(table(rows(parser.parse_args().rounds))))


if __name__ == "__main__":
    main()
