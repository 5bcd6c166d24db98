"""One deployed stack for the whole run, beside a developer's own: its own port, its own folder, stopped at the end."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from local import settings as local_settings
from local import stack as local_stack
from local.ports import free_port
from local.stack import Stack

DEPLOY_SECONDS = 300


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test that uses the stack runs in one worker, so that there is one stack."""
    for item in items:
        if "stack" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("stack"))
            item.add_marker(pytest.mark.stack)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The real app on the emulator; `local.tokens.mint(stack, "alice")` makes a token for it."""
    home = tmp_path_factory.mktemp("stack")
    # The developer's own settings (an issuer, a JWKS URL …) are not what the tests are about.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
    environment |= {"PARLEY_HOME": str(home), "PARLEY_PORT": str(free_port())}
    try:
        _local("up", environment)
        yield local_stack.read(local_settings.read(environment).stack_file)
    finally:
        _local("down", environment)


def _local(command: str, environment: dict[str, str]) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "local", command],
        cwd=local_settings.ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEPLOY_SECONDS,
        check=False,
    )
    if result.returncode:
        pytest.fail(f"make {command} failed\n{result.stdout}{result.stderr}", pytrace=False)
