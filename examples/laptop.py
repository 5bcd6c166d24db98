"""What an example is told of the stack that `make up` has started, as a shell reads it.

    eval "$(.venv/bin/python -m examples.laptop alice)"

exports `PARLEY_WS_URL`, `PARLEY_HTTP_URL` and `PARLEY_TOKEN`, a token of that user for a day; with `--scope admin` one
for a team's server. Against a stack in AWS set the same three by hand.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys

from local import settings, stack, tokens
from local.errors import CommandError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.laptop", description=__doc__)
    parser.add_argument("user")
    parser.add_argument("--scope", default="")
    options = parser.parse_args()
    try:
        running = stack.read(settings.read(os.environ).stack_file)
        token = tokens.mint(running, options.user, scope=options.scope)
    except CommandError as error:
        sys.stderr.write(f"{error.message}. {error.hint}\n")
        return 1
    given = {"PARLEY_WS_URL": running.ws_url, "PARLEY_HTTP_URL": running.http_url, "PARLEY_TOKEN": token}
    for name, value in given.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
