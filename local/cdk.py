"""The CDK command line, run quietly: its output goes to a log, and a failure comes down to the line that matters."""

import os
import re
import subprocess
from pathlib import Path

from local import causes, interrupts
from local.errors import CommandError
from local.settings import ACCOUNT, REGION, Settings

CREDENTIALS = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE")
QUIET = ("--no-notices", "--no-version-reporting", "--no-color")
# What the app itself says is wrong comes first; then any line that names a problem, the last one of them.
APP_SAYS = re.compile(r"^(Configuration|Bundle|Synthesis|ERROR)\b")
PROBLEM = re.compile(r"error|fail|denied|invalid|cannot|could not", re.IGNORECASE)


def run(
    settings: Settings, *arguments: str, environment: dict[str, str], log: Path, folder: Path | None = None
) -> None:
    """Run `cdk` with its output in `log`; in another `folder` than the project's it does not load the app.

    Raises:
        CommandError: it failed.

    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        code = interrupts.run(
            [
                str(settings.root / "node_modules/.bin/cdk"),
                *arguments,
                *QUIET,
                "--output",
                str(settings.home / "cdk.out"),
            ],
            cwd=folder or settings.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            close_fds=False,  # it inherits the lock, and nothing else: Python's own descriptors are not inheritable
        )
    if code:
        words = log.read_text(encoding="utf-8", errors="replace")
        raise CommandError(
            f"cdk {arguments[0]} failed: {_reason(words)}", causes.remedy_by_words(f"See {settings.show(log)}", words)
        )


def local_environment(settings: Settings) -> dict[str, str]:
    """The user's environment, with every AWS call led to the emulator and none of the user's credentials."""
    kept = {name: value for name, value in aws_environment(settings).items() if name not in CREDENTIALS}
    return kept | {
        "AWS_ENDPOINT_URL": settings.address,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_DEFAULT_ACCOUNT": ACCOUNT,
        "CDK_DEFAULT_REGION": REGION,
    }


def aws_environment(settings: Settings) -> dict[str, str]:
    """The user's environment with this project's tools first, no telemetry and no look for newer versions."""
    tools = f"{settings.root / '.venv/bin'}{os.pathsep}{settings.tools / 'uv/bin'}"
    return dict(os.environ) | {
        "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "true",
        "CI": "true",
    }


def _reason(output: str) -> str:
    """The one line that says most about what went wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if said := [line for line in lines if APP_SAYS.match(line)]:
        return said[0]
    problems = [line for line in lines if PROBLEM.search(line) and not line.startswith(("at ", "File "))]
    return (problems or lines or ["it said nothing"])[-1]
