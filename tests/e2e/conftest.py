"""One deployed stack for the whole run, beside a developer's own: its own port, its own folder, stopped at the end."""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from local import settings as local_settings
from local import stack as local_stack
from local.ports import free_port
from local.settings import Settings
from local.stack import Stack
from tests.e2e.recorded import deployment_of, verdict_on
from tests.watchdog import watchdog

__all__ = ["watchdog"]

DEPLOY_SECONDS = 300
# What tests send functions to on purpose: what is not there, and a secret that is another's.
PLANTED = ('nowhere"', ":secret:other-")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test that uses the stack runs in one worker, so that there is one stack."""
    for item in items:
        if "own_stack" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("stack"))
            item.add_marker(pytest.mark.stack)


@dataclass(frozen=True)
class OwnStack:
    """Where the suite's stack lives, and its commands."""

    settings: Settings
    environment: dict[str, str]

    def run(self, command: str) -> None:
        """Run `make COMMAND` without the installing."""
        result = subprocess.run(
            [sys.executable, "-m", "local", command],
            cwd=self.settings.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEPLOY_SECONDS,
            check=False,
        )
        if result.returncode:
            pytest.fail(f"make {command} failed\n{result.stdout}{result.stderr}", pytrace=False)


@pytest.fixture(scope="session")
def own_stack(tmp_path_factory: pytest.TempPathFactory, watchdog: None) -> Iterator[OwnStack]:
    """The suite's stack, started; a test that stops or kills it starts it again."""
    # The developer's own settings (an issuer, a JWKS URL …) are not what the tests are about.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
    home, port = tmp_path_factory.mktemp("stack"), free_port()
    environment |= {"PARLEY_HOME": str(home), "PARLEY_PORT": str(port), "PARLEY_RECORD": "on"}
    # Each instance counts refusals for itself, and there are two of them at least: together as many as one by default.
    environment["PARLEY_ABUSE_LIMIT"] = "50"
    own = OwnStack(local_settings.read(environment), environment)
    try:
        own.run("up")
        deployment = deployment_of(own.settings)
        yield own
    finally:
        own.run("down")
    verdict = verdict_on(own.settings, deployment, planted=PLANTED)
    assert verdict.made
    assert not verdict.problems, str(verdict)


@pytest.fixture(scope="session")
def stack(own_stack: OwnStack) -> Stack:
    """The real app on the emulator; `local.tokens.mint(stack, "alice")` makes a token for it."""
    return local_stack.read(own_stack.settings.stack_file)


@pytest.fixture
def short_lives(stack: Stack) -> Iterator[None]:
    """The gateway ends each connection after three seconds, as AWS does after two hours, or after two of silence."""
    _set_ages(stack, "PUT", b'{"idle_s": 2, "age_s": 3}')
    yield
    _set_ages(stack, "DELETE", None)


def _set_ages(stack: Stack, method: str, data: bytes | None) -> None:
    request = urllib.request.Request(f"{stack.endpoint_url}/_parley/ages", data, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 204
