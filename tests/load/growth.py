"""Whether something grows with the number of invocations: what is looked at, and from where on it counts."""

from __future__ import annotations

import gc
import os
import sys
import threading
import tracemalloc
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

# Whatever is kept for an invocation, or for one of ten, is far above; what comes and goes by chance is far below.
OBJECTS_EACH: Final = 0.01
BLOCKS_EACH: Final = 0.1
_BY_CHANCE: Final = 50
_ROUNDS: Final = 3  # what a finalizer lets go of is garbage of the next one
_FILES: Final = Path("/proc/self/fd")
_MEMORY: Final = Path("/proc/self/statm")


@dataclass(frozen=True, slots=True)
class Sample:
    """`objects` are live ones by type, `blocks` all memory blocks of the interpreter, `rss` bytes, `traced` too."""

    invocations: int
    objects: Mapping[str, int]
    blocks: int
    files: int
    threads: int
    rss: int
    traced: int = 0
    containers: Mapping[str, int] = field(default_factory=dict)


def sample(invocations: int, containers: Mapping[str, int] | None = None) -> Sample:
    """How things are once all garbage is gone. Names are shared by all samples, so that these add hardly anything."""
    for _ in range(_ROUNDS):
        gc.collect()
    return Sample(
        invocations,
        Counter(_name(type(each)) for each in gc.get_objects()),
        sys.getallocatedblocks(),
        len(list(_FILES.iterdir())) if _FILES.is_dir() else 0,
        threading.active_count(),
        int(_MEMORY.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if _MEMORY.exists() else 0,
        tracemalloc.get_traced_memory()[0] if tracemalloc.is_tracing() else 0,
        {sys.intern(path): size for path, size in (containers or {}).items()},
    )


def _name(kind: type[Any]) -> str:
    return sys.intern(f"{kind.__module__}.{kind.__qualname__}")


def grown(samples: Sequence[Sample], bounds: Mapping[str, int]) -> list[str]:
    """What grew from the second of four samples to the last, or is larger than is allowed.

    By then all that fills up is full. `bounds` are sizes by the end of a container's path; all others stay as they are.
    """
    before, after = samples[1], samples[3]
    invocations = after.invocations - before.invocations
    found = [
        f"{kind}: {count - before.objects.get(kind, 0):+,} objects"
        for kind, count in after.objects.items()
        if count - before.objects.get(kind, 0) > _BY_CHANCE + OBJECTS_EACH * invocations
    ]
    allowed = 4 * _BY_CHANCE + BLOCKS_EACH * invocations
    # What is still filling up grows in one quarter, what is kept for each invocation in both.
    if after.blocks - before.blocks > allowed and after.blocks - samples[2].blocks > allowed / 2:
        found.append(f"{after.blocks - before.blocks:+,} memory blocks")
    if after.files > before.files:
        found.append(f"{after.files - before.files:+,} open files")
    if after.threads > before.threads:
        found.append(f"{after.threads - before.threads:+,} threads")
    return found + _too_large(before.containers, after.containers, bounds)


def _too_large(before: Mapping[str, int], after: Mapping[str, int], bounds: Mapping[str, int]) -> list[str]:
    found = []
    for path, size in after.items():
        most = max((most for end, most in bounds.items() if path.endswith(end)), default=None)
        if most is None and size > before.get(path, 0):
            found.append(f"{path} has no bound, and grew from {before.get(path, 0):,} to {size:,}")
        if most is not None and size > most:
            found.append(f"{path} has {size:,}, more than {most:,}")
    return found
