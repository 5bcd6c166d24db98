"""`python -m local.providers`: the local providers as a process, until SIGTERM or SIGINT."""

import argparse
import signal
import sys
from pathlib import Path

from local.providers.serving import Providers

STOPPING = {signal.SIGTERM, signal.SIGINT}


def main() -> int:
    options = _parser().parse_args()
    # Blocked before there are other threads, so that none of them gets the signal.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        with Providers(options.folder, options.fcm, options.apns, options.sandbox, options.inspection):
            signal.sigwait(STOPPING)
    except OSError as error:
        print(error.strerror or error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.providers", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the keys are")
    for name in ("fcm", "apns", "sandbox", "inspection"):
        parser.add_argument(f"--{name}", type=int, default=0, metavar="PORT")
    return parser


if __name__ == "__main__":
    sys.exit(main())
