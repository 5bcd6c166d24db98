import json
from pathlib import Path

import pytest

from local import cdk
from local.errors import CommandError
from local.settings import Settings
from ops import deploy, target


@pytest.fixture
def commands(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The CDK commands that were run, in an account with everything in place."""
    run: list[tuple[str, ...]] = []

    def fake_cdk(_settings: Settings, *arguments: str, environment: dict[str, str], **_: object) -> None:
        assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "eu-central-1"
        run.append(arguments)
        if arguments[0] == "deploy":
            outputs = {
                "WsUrl": "wss://x",
                "HttpUrl": "https://x",
                "JwtSecretArn": "arn:secret",
                "Region": "eu-central-1",
            }
            settings.home.mkdir()
            (settings.home / "aws-outputs.json").write_text(json.dumps({arguments[1]: outputs}))

    monkeypatch.delenv("PARLEY_STAGE", raising=False)
    monkeypatch.setattr(cdk, "run", fake_cdk)
    monkeypatch.setattr(target, "identity", lambda: ("123456789012", "eu-central-1"))
    monkeypatch.setattr(deploy, "_is_bootstrapped", lambda _region: True)
    return run


def test_a_deployment_ends_with_the_urls_and_the_way_to_the_secret(
    settings: Settings, commands: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    deploy.deploy(settings)
    assert [command[:2] for command in commands] == [("deploy", "Parley-prod")]
    shown = capsys.readouterr().out
    assert "wss://x" in shown
    assert "--region eu-central-1 --secret-id arn:secret" in shown


def test_an_account_is_bootstrapped_where_it_is_not_yet(
    settings: Settings, commands: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deploy, "_is_bootstrapped", lambda _region: False)
    deploy.deploy(settings)
    assert commands[0] == ("bootstrap", "aws://123456789012/eu-central-1")


def test_without_consent_nothing_is_deleted(settings: Settings, commands: list[tuple[str, ...]]) -> None:
    with pytest.raises(CommandError, match="Nothing was deleted"):
        deploy.destroy(settings, confirmed=False)
    assert commands == []


def test_with_consent_the_stack_of_the_stage_is_deleted_after_saying_what_stays(
    settings: Settings,
    commands: list[tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PARLEY_STAGE", "test")
    deploy.destroy(settings, confirmed=True)
    assert commands == [("destroy", "Parley-test", "--force")]
    assert "tables, bucket, secret and logs stay" in capsys.readouterr().out


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment in which nobody has ever signed in to AWS."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.usefixtures("nobody")
def test_without_a_region_the_message_says_how_to_set_one() -> None:
    with pytest.raises(CommandError, match="No AWS region is set") as caught:
        target.identity()
    assert "AWS_REGION=" in caught.value.hint
