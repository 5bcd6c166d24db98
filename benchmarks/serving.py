"""A server in a process of its own, so that what is counted beside it is what its callers spend."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def serving(serve: Callable[..., None], *given: str, scheme: str = "http", host: str = "127.0.0.1") -> Iterator[str]:
    """Its address. `serve`, a function of a module, sends the port that it has taken and serves until it is ended.

    It gets the pipe to say that, and what is `given`.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, *given), daemon=True)
    process.start()
    try:
        yield f"{scheme}://{host}:{ours.recv()}"
    finally:
        process.terminate()
        process.join()
