"""What all command lines of the project share: a failure is a line and a remedy, a signal ends it cleanly."""

import os
import signal
import sys
from collections.abc import Callable

from local import causes, console, interrupts
from local.errors import CommandError
from local.settings import ROOT, home_of


def attempt(command: Callable[[], int], *, shows: bool = False) -> int:
    """The command's exit code, or 1 after the line that says why it failed.

    A command that only `shows` something is done where its reader leaves.
    """
    try:
        return command()
    except CommandError as error:
        console.fail(error.message, causes.remedy(error.hint, place()))
    except Exception as error:  # noqa: BLE001  # a person gets a line, whatever it was, and the log the traceback
        if shows and isinstance(error, BrokenPipeError):
            return 0
        interrupts.end_children()  # what was started, and could not be written down, would be left running
        console.fail(*causes.report(error, place()))
    return 1


def guarded(main: Callable[[], int], *, shows: bool = False) -> int:
    """`main` as a program: with streams that may break, and with signals that end everything it has started."""
    interrupts.listen()
    try:
        console.open_streams(ends=shows)
        return main()
    except KeyboardInterrupt as interruption:
        number = getattr(interruption, "number", signal.SIGINT)
        interrupts.end_children()
        print(f"Interrupted ({number.name}); what it had started is stopped", file=sys.stderr)
        return interrupts.EXIT_CODES[number]


def place() -> causes.Place:
    """The folders that a remedy depends on."""
    try:
        home = home_of(os.environ)
    except CommandError:
        home = ROOT / ".parley"
    return causes.Place(home, ROOT)
