"""One deployed stack for the whole run, beside a developer's own: its own port, its own folder, stopped at the end."""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from local import settings as local_settings
from local import stack as local_stack
from local.ports import free_port
from local.settings import Settings
from local.stack import Stack
from tests.e2e.recorded import deployment_of, spare, verdict_on
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
def own_stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, watchdog: None
) -> Iterator[OwnStack]:
    """The suite's stack, started; a test that stops or kills it starts it again.

    At its end all that its functions have asked of AWS is judged: it has to be valid, and allowed by their roles; and
    after the whole suite nothing else may be allowed.
    """
    # The developer's own settings (an issuer, a JWKS URL …) are not what the tests are about.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
    home, port = tmp_path_factory.mktemp("stack"), free_port()
    environment |= {"PARLEY_HOME": str(home), "PARLEY_PORT": str(port), "PARLEY_RECORD": "on"}
    # Each instance counts refusals for itself, and there are two of them at least: together as many as one by default.
    environment["PARLEY_ABUSE_LIMIT"] = "50"
    environment["PARLEY_MAIL_DIGEST_AFTER_M"] = "0"
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
    if _is_whole(request.session):
        assert spare(verdict, deployment) == []


def _is_whole(session: pytest.Session) -> bool:
    """Whether every test of this folder was there to be run: otherwise not every permission had its chance."""
    options = session.config.option
    is_narrowed = options.keyword or options.markexpr or any("::" in one for one in session.config.args)
    there = {item.path for item in session.items}
    return not is_narrowed and not session.testsfailed and there >= set(Path(__file__).parent.glob("test_*.py"))


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
