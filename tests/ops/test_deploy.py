import json
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from local import cdk, page
from local.errors import CommandError
from local.settings import Settings
from ops import deploy, deployed, target, web
from tests.ops.account import Account, ready, refused, stack


@pytest.fixture
def extra() -> dict[str, str]:
    """Outputs of a stack with more in it."""
    return {}


@pytest.fixture
def account() -> Account:
    """An account with everything in place."""
    return ready()


@pytest.fixture
def environments() -> list[dict[str, str]]:
    """What each command of the CDK was told."""
    return []


@pytest.fixture
def commands(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    extra: dict[str, str],
    account: Account,
    environments: list[dict[str, str]],
) -> list[tuple[str, ...]]:
    """The CDK commands that were run."""
    run: list[tuple[str, ...]] = []

    def fake_cdk(_settings: Settings, *arguments: str, environment: dict[str, str], **_: object) -> None:
        assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "eu-central-1"
        run.append(arguments)
        environments.append(environment)
        if arguments[0] == "deploy":
            outputs = {
                "WsUrl": "wss://x",
                "HttpUrl": "https://x",
                "JwtSecretArn": "arn:secret",
                "Region": "eu-central-1",
            }
            outputs |= extra
            settings.home.mkdir()
            (settings.home / "aws-outputs.json").write_text(json.dumps({arguments[1]: outputs}))

    monkeypatch.delenv("PARLEY_STAGE", raising=False)
    monkeypatch.setattr(cdk, "run", fake_cdk)
    monkeypatch.setattr(target, "identity", lambda: ("123456789012", "eu-central-1"))
    monkeypatch.setattr(target, "clients", lambda _region: account)
    monkeypatch.setattr(deployed, "check_gateways", lambda *_: run.append(("gateways",)))
    monkeypatch.setattr(deployed, "check_health", lambda outputs, *_: run.append(("health", outputs["WsUrl"])))
    return run


def test_a_deployment_ends_with_the_urls_and_the_way_to_the_secret(
    settings: Settings, commands: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    deploy.deploy(settings)
    assert [command[:2] for command in commands] == [("deploy", "Parley-prod"), ("gateways",), ("health", "wss://x")]
    shown = capsys.readouterr().out
    assert "wss://x" in shown
    assert "--region eu-central-1 --secret-id arn:secret" in shown


@mock_aws
def test_with_the_page_its_files_and_where_its_stack_is_are_put_into_its_bucket(
    settings: Settings,
    commands: list[tuple[str, ...]],
    extra: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    dist = tmp_path / "dist"
    for name, content in {"index.html": "page", "assets/a-1.js": "script", ".built": "digest"}.items():
        (dist / name).parent.mkdir(parents=True, exist_ok=True)
        (dist / name).write_text(content)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setattr(page, "build", lambda _settings: None)
    monkeypatch.setattr(page, "folder", lambda _root: dist)
    store = boto3.client("s3", region_name="eu-central-1")
    store.create_bucket(Bucket="page", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    extra |= {
        "WebUrl": "https://d1.cloudfront.net",
        "WebBucket": "page",
        "WebTokenUrl": "https://product.example/token",
    }
    deploy.deploy(settings)
    kept = {
        one["Key"]: store.get_object(Bucket="page", Key=one["Key"])
        for one in store.list_objects_v2(Bucket="page")["Contents"]
    }
    assert kept.keys() == {"assets/a-1.js", "config.json", "index.html"}
    assert json.loads(kept["config.json"]["Body"].read()) == {
        "ws_url": "wss://x",
        "http_url": "https://x",
        "token_url": "https://product.example/token",
    }
    assert (kept["index.html"]["CacheControl"], kept["assets/a-1.js"]["CacheControl"]) == (
        web.ASKED_EACH_TIME,
        web.LASTING,
    )
    assert kept["assets/a-1.js"]["ContentType"].startswith("text/javascript")
    assert len(commands) == 3
    assert "https://d1.cloudfront.net" in capsys.readouterr().out


def test_an_account_is_bootstrapped_where_it_is_not_yet(
    settings: Settings, commands: list[tuple[str, ...]], account: Account
) -> None:
    account.answers["ssm.GetParameter"] = refused("ParameterNotFound")
    deploy.deploy(settings)
    assert commands[0] == ("bootstrap", "aws://123456789012/eu-central-1")


@pytest.mark.parametrize(
    "role",
    [
        ("all", "", "create"),
        ("all", "arn:aws:iam::1:role/theirs", "existing"),
        ("http", "arn:aws:iam::1:role/theirs", "create"),  # nobody asks: it has no use for one
    ],
)
@pytest.mark.usefixtures("commands")
def test_the_app_is_told_how_to_take_the_accounts_role_for_logs(
    settings: Settings,
    account: Account,
    environments: list[dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    role: tuple[str, str, str],
) -> None:
    access_log, there, told = role
    monkeypatch.setenv("PARLEY_ACCESS_LOG", access_log)
    account.answers |= {"apigateway.GetAccount": {"cloudwatchRoleArn": there}, "iam.GetRole": refused("AccessDenied")}
    deploy.deploy(settings)
    assert [one["PARLEY_GATEWAY_LOGS_ROLE"] for one in environments] == [told]


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("PARLEY_STAGE", "Prod", "Configuration: stage: 'Prod' is not allowed"),
        ("PARLEY_MESSAGE_CONCURRENCY", "950", "would keep 950 invocations"),
        ("PARLEY_ALARM_TOPIC_ARN", "arn:aws:sns:us-east-1:123456789012:alarms", "alarm_topic_arn is in us-east-1"),
        ("PARLEY_GATEWAY_LOGS_ROLE", "existing", "API Gateway has no role for its logs"),
    ],
)
def test_what_is_missing_is_told_before_anything_is_touched(
    settings: Settings,
    commands: list[tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    said: str,
) -> None:
    monkeypatch.setenv("PARLEY_ACCESS_LOG", "all")
    monkeypatch.setenv(variable, value)
    with pytest.raises(CommandError, match=said):
        deploy.deploy(settings)
    assert commands == []


def test_a_deployment_over_the_tables_of_an_earlier_stack_is_meant_or_does_not_happen(
    settings: Settings, commands: list[tuple[str, ...]], account: Account
) -> None:
    account.answers["dynamodb.ListTables"] = {"TableNames": ["Parley-prod-StorageLog71D2C972-1ABC"]}
    with pytest.raises(CommandError, match="tables of an earlier Parley-prod"):
        deploy.deploy(settings)
    assert commands == []
    deploy.deploy(settings, afresh=True)
    assert commands[0][0] == "deploy"


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


def test_consent_lifts_the_protection_from_slips_first(
    settings: Settings, commands: list[tuple[str, ...]], account: Account
) -> None:
    account.answers |= {
        "cloudformation.DescribeStacks": stack(is_protected=True),
        "cloudformation.UpdateTerminationProtection": {"StackId": "arn:stack"},
    }
    with pytest.raises(CommandError, match="Nothing was deleted"):
        deploy.destroy(settings, confirmed=False)
    assert account.of("cloudformation.UpdateTerminationProtection") == []
    deploy.destroy(settings, confirmed=True)
    assert account.of("cloudformation.UpdateTerminationProtection") == [
        {"StackName": "Parley-prod", "EnableTerminationProtection": False}
    ]
    assert commands == [("destroy", "Parley-prod", "--force")]


def test_a_stack_without_protection_is_deleted_as_it_is(
    settings: Settings, commands: list[tuple[str, ...]], account: Account
) -> None:
    account.answers["cloudformation.DescribeStacks"] = stack()
    deploy.destroy(settings, confirmed=True)
    assert account.of("cloudformation.UpdateTerminationProtection") == []
    assert len(commands) == 1


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment without any credentials of AWS."""
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
