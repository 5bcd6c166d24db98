"""`python -S local/start.py MODULE …`: `python -m MODULE …`, which Ctrl-C ends without a word from the first moment on.

Python raises in the middle of its own start, and prints where: mostly in what a machine has it load with every program,
which can take longer than the command itself. With `-S` it loads that here, when it has been told to do otherwise; for
the moments before, the Makefile has Ctrl-C wait.
"""

import signal
import sys

if __name__ == "__main__":
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # until `interrupts` listens, Ctrl-C ends it without a word
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])  # the Makefile has it wait until here

import runpy
import site
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Run the module as a program, found from the project's folder."""
    site.main()
    sys.path[0] = str(ROOT)
    module = sys.argv.pop(1)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
