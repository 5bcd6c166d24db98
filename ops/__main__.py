"""`python -m ops COMMAND`: what the Makefile's targets for deployed stacks run."""

import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until `interrupts` listens, Ctrl-C ends it without a word

import argparse
import os
import sys

from local import program, settings
from local.errors import CommandError


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

            deploy(where, afresh=options.afresh)
        case "destroy":
            from ops.deploy import destroy

            destroy(where, confirmed=options.yes)
        case "adopt":
            from ops.adopt import adopt

            adopt(where, names=options.names, dry=options.dry)
        case "replay":
            from ops.replay import Options, replay

            wanted = Options(options.queue, dry=options.dry, drop=options.drop)
            return 0 if replay(where, wanted, on_aws=options.aws) else 1
        case "doctor":
            from ops.doctor.patient import Options as Wanted
            from ops.doctor.run import doctor

            looked = Wanted(
                long=options.long,
                device=_device(options.device),
                app_id=options.app_id,
                address=_address(options.address),
                tokens=options.tokens,
            )
            return 0 if doctor(where, looked, on_aws=options.aws) else 1
        case "missed-pushes":
            from ops.missed import missed_pushes

            missed_pushes(where, since=options.since, until=options.until, dry=options.dry, on_aws=options.aws)
        case "push-doctor":
            from ops.push_doctor import push_doctor

            return 0 if push_doctor(where, options.user, on_aws=options.aws) else 1
    return 0


def _device(named: str | None) -> tuple[str, str] | None:
    """A user and one of their devices: alice/phone."""
    if named is None:
        return None
    user, _, device = named.partition("/")
    if not user or not device:
        raise CommandError(f"{named!r} names no device", "Name a user and their device: DEVICE=alice/phone")
    return user, device


def _address(named: str | None) -> str:
    """An address for mail; empty for none."""
    if named is not None and not all(named.rpartition("@")[::2]):
        raise CommandError(f"{named!r} is no address", "Name where a user is mailed: ADDRESS=alice@example.com")
    return named or ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ops", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    deploy = commands.add_parser("deploy", help="deploy to the AWS account of your credentials")
    deploy.add_argument("--afresh", action="store_true", help="with empty tables, although there are earlier ones")
    destroy = commands.add_parser("destroy", help="delete the stack in that account")
    destroy.add_argument("--yes", action="store_true", help="do not ask")
    adopt = commands.add_parser("adopt", help="take over the data that a deleted stack has left")
    adopt.add_argument("--names", nargs="*", default=[], help="those that are meant, where there are several of a kind")
    adopt.add_argument("--dry", action="store_true", help="only show what there is")
    replay = commands.add_parser("replay", help="do again what is in the failure queues")
    replay.add_argument("--aws", action="store_true", help="in the AWS account of your credentials")
    replay.add_argument("--queue", metavar="NAME", help="from this failure queue alone")
    replay.add_argument("--dry", action="store_true", help="only show what there is")
    replay.add_argument("--drop", action="store_true", help="take out what can't be done again")
    _add_looks(commands)
    return parser


def _add_looks(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The commands that look at a stack and its pushes."""
    doctor = commands.add_parser("doctor", help="look at all that a deployed stack does, step by step")
    doctor.add_argument("--long", action="store_true", help="also what ten idle minutes do")
    doctor.add_argument("--device", metavar="USER/DEVICE", help="push something to this device")
    doctor.add_argument("--app-id", metavar="ID", default="com.example.chat", help="the app that APNs pushes are for")
    doctor.add_argument("--address", metavar="ADDRESS", help="ask SES whether mails reach this address")
    doctor.add_argument("--tokens", nargs="*", default=[], help="tokens, where the stack's can't be made here")
    missed = commands.add_parser("missed-pushes", help="push what a push function that was down has missed")
    missed.add_argument("--since", required=True, help="90m, 24h, 3d, or a time such as 2026-11-28T20:00")
    missed.add_argument("--until", help="the same; now, if it is left out")
    missed.add_argument("--dry", action="store_true", help="only show it")
    push = commands.add_parser("push-doctor", help="say why a user's devices got nothing")
    push.add_argument("--user", required=True)
    for one in (doctor, missed, push):
        one.add_argument("--aws", action="store_true", help="in the AWS account of your credentials")


if __name__ == "__main__":
    sys.exit(program.guarded(main))
