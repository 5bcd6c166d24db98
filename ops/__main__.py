"""`python -m ops COMMAND`: what the Makefile's targets for deployed stacks run."""

import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until `interrupts` listens, Ctrl-C ends it without a word

import argparse
import os
import sys

from local import program, settings


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code is 0 if it did what it is for."""
    options = _parser().parse_args(arguments)
    return program.attempt(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    """Run the command; what only one of them needs is imported there."""
    where = settings.read(os.environ)
    match options.command:
        case "deploy":
            from ops.deploy import deploy

            deploy(where)
        case "destroy":
            from ops.deploy import destroy

            destroy(where, confirmed=options.yes)
        case "replay":
            from ops.replay import Options, replay

            wanted = Options(options.queue, dry=options.dry, drop=options.drop)
            return 0 if replay(where, wanted, on_aws=options.aws) else 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ops", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("deploy", help="deploy to the AWS account of your credentials")
    destroy = commands.add_parser("destroy", help="delete the stack in that account")
    destroy.add_argument("--yes", action="store_true", help="do not ask")
    replay = commands.add_parser("replay", help="do again what is in the failure queues")
    replay.add_argument("--aws", action="store_true", help="in the AWS account of your credentials")
    replay.add_argument("--queue", metavar="NAME", help="from this failure queue alone")
    replay.add_argument("--dry", action="store_true", help="only show what there is")
    replay.add_argument("--drop", action="store_true", help="take out what can't be done again")
    return parser


if __name__ == "__main__":
    sys.exit(program.guarded(main))
