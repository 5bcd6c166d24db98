"""`python -m local.tool MODULE …`: the developers' tools (`make simulate`, `soak` …), with the commands' way to end.

A signal is one line, and ends their workers; what the system refuses is a line with a remedy.
"""

import importlib
import logging
import multiprocessing
import os
import signal
import sys
import threading

from local import console, interrupts, program


def main(module: str) -> int:
    """Run the module's `main`; the exit code is its own, or that of a signal."""
    try:
        _listen()
        return program.attempt(lambda: _run(module))
    except KeyboardInterrupt as interruption:
        number = getattr(interruption, "number", signal.SIGINT)
        interrupts.end_children()
        print(f"Interrupted ({number.name})", file=sys.stderr, flush=True)
        os._exit(interrupts.EXIT_CODES[number])  # past what waits for workers that are no more


def _run(module: str) -> int:
    code: int = importlib.import_module(f"{module}.__main__").main()
    return code


def _listen() -> None:
    for number in interrupts.ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _on_signal)
    # A terminal sends Ctrl-C to the workers too; it is us who ends them.
    os.register_at_fork(after_in_child=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    os.register_at_fork(after_in_child=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL))


def _on_signal(number: int, _frame: object) -> None:
    logging.disable()  # of tasks that were in the middle of something, and of threads that miss their workers
    threading.excepthook = lambda _: None
    for worker in multiprocessing.active_children():
        worker.terminate()
    raise interrupts.Interrupted(number)


if __name__ == "__main__":
    console.open_streams(ends=False)
    name = sys.argv.pop(1)
    sys.exit(main(name))
