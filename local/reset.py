"""`make reset`: stop the stack and forget everything that was in it."""

import shutil
import sys
from pathlib import Path

from local.console import ask, step
from local.errors import CommandError
from local.settings import Settings
from local.up import alone, stop


def reset(settings: Settings, *, confirmed: bool) -> None:
    """Stop the stack and delete its state and its logs, after asking.

    Raises:
        CommandError: there is nothing, or no consent.

    """
    if not settings.home.is_dir():
        print("There is nothing to wipe")
        return
    settings.check_home()
    if not confirmed:
        _ask(settings)
    with alone(settings):
        stop(settings)
        with step("state") as line:
            for path in _everything(settings):
                _delete(path)
            line.result = "wiped, logs too"


def _ask(settings: Settings) -> None:
    """Raises CommandError unless a person says yes."""
    what = f"all messages, users, files and logs of the stack in {settings.show(settings.home)}"
    if not sys.stdin or not sys.stdin.isatty():
        raise CommandError(f"Nothing was wiped: there is no terminal to ask in about {what}", "Run: make reset YES=1")
    print(f"This deletes {what}.")
    if ask("Go on? [y/N] ").lower() not in {"y", "yes"}:
        raise CommandError("Nothing was wiped", "Answer y, or run: make reset YES=1")


def _everything(settings: Settings) -> tuple[Path, ...]:
    """What a stack writes, but for the lock, which is held, and what is known of a stack in AWS."""
    folders = (settings.state, settings.objects, settings.temp, settings.home / "emulator", settings.chats)
    logs = settings.log("").parent
    files = (
        settings.calls_file,
        settings.stack_file,
        settings.secret_file,
        settings.deployment_file,
        settings.providers_file,
    )
    return (*folders, settings.providers, logs, settings.home / "cdk.out", *files, settings.home / "outputs.json")


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
