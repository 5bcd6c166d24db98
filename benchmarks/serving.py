"""A server in a process of its own, so that what is counted beside it is what its callers spend."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection as Pipe


@contextmanager
def serving(serve: Callable[[Pipe], None]) -> Iterator[str]:
    """Its address. `serve`, a function of a module, sends the port that it has taken and serves until it is ended."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()
