import os
from pathlib import Path

import pytest

from local import cdk
from local.errors import CommandError
from local.settings import Settings

STACK_TRACE = """
Bundling
Configuration: allowed_origins: 'example.com' is no origin
    at Object.<anonymous> (/x/cdk.js:1:1)
Subprocess exited with error 1
"""
ROLLBACK = """
Parley-local | 3/9 | CREATE_FAILED | AWS::Lambda::Function | Message Unzipped size must be smaller
❌  Parley-local failed: The stack named Parley-local failed to deploy: CREATE_FAILED: Unzipped size must be smaller
"""


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (STACK_TRACE, "Configuration: allowed_origins: 'example.com' is no origin"),
        (ROLLBACK, ROLLBACK.strip().splitlines()[-1]),
        (
            "ERROR No access log (AwsSolutions)\n\nSynthesis finished with errors\n",
            "ERROR No access log (AwsSolutions)",
        ),
        ("something else\n", "something else"),
        ("", "it said nothing"),
    ],
)
def test_a_failure_comes_down_to_the_line_that_says_most(output: str, reason: str) -> None:
    assert cdk._reason(output) == reason


def fake_cdk(settings: Settings, script: str) -> Settings:
    program = settings.home / "node_modules/.bin/cdk"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return Settings(home=settings.home, port=settings.port, root=settings.home)


def test_a_failed_command_names_its_log(settings: Settings, tmp_path: Path) -> None:
    where = fake_cdk(settings, "echo 'cannot reach the moon'; exit 1")
    with pytest.raises(CommandError, match="cdk deploy failed: cannot reach the moon") as caught:
        cdk.run(where, "deploy", environment=dict(os.environ), log=tmp_path / "logs/deploy.log")
    assert caught.value.hint == f"See {tmp_path / 'logs/deploy.log'}"


def test_the_local_target_never_sees_the_users_credentials(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_CONFIG_FILE", "AWS_REGION"):
        monkeypatch.setenv(name, "the user's own")
    environment = cdk.local_environment(settings)
    assert "the user's own" not in environment.values()
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4600"
