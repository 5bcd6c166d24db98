"""`python -m local COMMAND`: what the Makefile's targets run."""

import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until `interrupts` listens, Ctrl-C ends it without a word

import argparse
import os
import sys

from local import console, program, settings
from local.settings import Settings
from local.stack import Stack

DAY = 86_400
DEMO_USERS = ("alice", "bob")
# They only show something: where their reader leaves, they are done.
SHOWING = ("logs", "pushes", "mails")
HIGHEST = 1_000_000_000


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code is 0 if it did what it is for."""
    options = _parser().parse_args(arguments)
    return program.attempt(lambda: _run(settings.read(os.environ), options), shows=options.command in SHOWING)


def _run(where: Settings, options: argparse.Namespace) -> int:  # one flat branch per command
    """Run the command; what only one of them needs is imported there."""
    match options.command:
        case "up" | "down" | "reset":
            _start_or_stop(where, options)
        case "status":
            from local.status import status

            return 0 if status(where) else 1
        case "logs":
            _logs(where, options)
        case "pushes" | "mails":
            _received(where, options)
        case "token":
            from local import stack, tokens

            print(tokens.mint(stack.read(where.stack_file), options.user, ttl=options.ttl, scope=options.scope))
        case "stack":
            from local import stack

            stack.read(where.stack_file)
            print(where.stack_file.read_text(encoding="utf-8"), end="")
        case "chat":
            from local.chat import chat

            return chat(where, options.user, options.to)
    return 0


def _start_or_stop(where: Settings, options: argparse.Namespace) -> None:
    from local.reset import reset
    from local.up import down, up

    match options.command:
        case "up":
            _welcome(where, up(where))
        case "down":
            down(where)
        case _:
            reset(where, confirmed=options.yes)


def _logs(where: Settings, options: argparse.Namespace) -> None:
    from local import function_log, log_lines

    show = log_lines.raw if options.raw else log_lines.render
    found = function_log.lines(where.log("functions"), last=options.last, follow=options.follow)
    number = 0
    for number, line in enumerate(found, start=1):  # noqa: B007  # it tells whether there was any
        print(show(line))
    if not number and options.last:
        print("The functions have printed nothing yet", file=sys.stderr)


def _received(where: Settings, options: argparse.Namespace) -> None:
    from local.providers import listing

    are_mails = options.command == "mails"
    text = ""
    for text in (listing.letters if are_mails else listing.lines)(where, follow=options.follow):
        print(text)
    if not text:
        print("Nothing was mailed yet" if are_mails else "Nothing was pushed yet", file=sys.stderr)


def _welcome(where: Settings, running: Stack) -> None:
    print()
    console.fact("WebSocket", running.ws_url)
    console.fact("HTTP", running.http_url)
    console.fact("pushes", running.pushes_url)
    console.fact("events", running.events_url)
    console.fact("details", where.show(where.stack_file))
    if running.jwt_secret_file is not None:
        from local import tokens

        print()
        for user in DEMO_USERS:
            console.fact(f"{user}'s token", tokens.mint(running, user))
        print()
        for user in DEMO_USERS:
            console.fact(f"chat as {user}", f"{where.endpoint}/ui/#user={user}")
    print("\nNext, open the two links; or in two terminals:  make chat USER=alice   and   make chat USER=bob")
    print("Also:  make logs   make pushes   make mails   make status   make token USER=carol   make down")


def _count(text: str) -> int:
    """A whole number from 0 on; argparse makes a line of what is none."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(HIGHEST))):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 to {HIGHEST:,}")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("up", help="start the stack, deploy what has changed")
    commands.add_parser("down", help="stop it; its state stays")
    reset = commands.add_parser("reset", help="stop it and wipe its state and logs")
    reset.add_argument("--yes", action="store_true", help="do not ask")
    commands.add_parser("status", help="what runs, where, and whether it is up to date")
    commands.add_parser("stack", help="print stack.json")
    logs = commands.add_parser("logs", help="what the functions print")
    logs.add_argument("--follow", action="store_true", help="go on until interrupted")
    logs.add_argument("--raw", action="store_true", help="lines of JSON, for a program")
    logs.add_argument("--last", type=_count, default=100, metavar="N", help="begin N lines before the end")
    pushes = commands.add_parser("pushes", help="what was pushed to devices")
    pushes.add_argument("--follow", action="store_true", help="go on until interrupted")
    mails = commands.add_parser("mails", help="what was mailed")
    mails.add_argument("--follow", action="store_true", help="go on until interrupted")
    token = commands.add_parser("token", help="print a token")
    token.add_argument("--user", required=True)
    token.add_argument("--scope", default="", help='special rights, such as "admin"')
    token.add_argument("--ttl", type=_count, default=DAY, metavar="SECONDS")
    chat = commands.add_parser("chat", help="chat in this terminal")
    chat.add_argument("--user", required=True)
    chat.add_argument("--to")
    return parser


if __name__ == "__main__":
    sys.exit(program.guarded(main, shows=any(name in SHOWING for name in sys.argv[1:2])))
