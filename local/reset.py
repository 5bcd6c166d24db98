"""`make reset`: stop the stack and forget everything that was in it."""

import shutil

from local.console import step
from local.settings import Settings
from local.up import down


def reset(settings: Settings) -> None:
    down(settings)
    with step("state") as line:
        emulators = (settings.state, settings.objects, settings.temp, settings.home / "emulator")
        for folder in (*emulators, settings.chats, settings.providers):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (settings.stack_file, settings.secret_file, settings.deployment_file, settings.providers_file):
            file.unlink(missing_ok=True)
        line.result = "wiped"
