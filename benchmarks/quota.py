"""A share of one core, as Lambda gives it to a function by its memory: no more CPU than that within each period.

Linux can say what another process has spent, to the nanosecond, and can stop it; on other systems there is no quota.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from benchmarks.cost_model import CORE_MB

PERIOD_S: Final = 0.02
_LOOK_S: Final = 0.0005
_OF_A_PROCESS: Final = 2  # CPUCLOCK_SCHED, in the number of a process's clock (clock_getcpuclockid(3))

IS_POSSIBLE: Final = sys.platform == "linux"


def spent_s(pid: int) -> float:
    """The CPU time of all threads of a process. Raises OSError where it is none."""
    return time.clock_gettime((~pid << 3) | _OF_A_PROCESS)


@contextmanager
def held_to(pid: int, memory_mb: int) -> Iterator[None]:
    """While this lasts, the process gets the share of a core that so much memory has."""
    over = threading.Event()
    keeper = threading.Thread(target=_keep, args=(pid, memory_mb / CORE_MB, over))
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()


def _keep(pid: int, share: float, over: threading.Event) -> None:
    """What is spent beyond a period's part, for it is seen late, is taken off the next one's."""
    try:
        began, credit, seen = time.monotonic(), 0.0, spent_s(pid)
        while not over.is_set():
            credit = min(share * PERIOD_S, credit + share * PERIOD_S)
            while time.monotonic() < began + PERIOD_S and credit > 0:
                time.sleep(_LOOK_S)
                now = spent_s(pid)
                credit, seen = credit - (now - seen), now
            if credit <= 0:
                os.kill(pid, signal.SIGSTOP)
                time.sleep(max(0.0, began + PERIOD_S - time.monotonic()))
                os.kill(pid, signal.SIGCONT)
            began += PERIOD_S
    except OSError:
        return  # it has ended
