"""What a deleted stack left is found and imported as it is: as AWS answers, and on the emulator with its items."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from local import cdk
from local.errors import CommandError
from local.settings import REGION as LOCAL_REGION
from local.settings import Settings
from ops import adopt, target
from ops.adopt import BUCKET, SECRET, TABLE, Kept, adopt_into, only
from ops.target import Stacks
from tests.local.emulated import client
from tests.ops.account import REGION, Account, Answer, ready, refused, stack

ABSENT = refused("ValidationError", "Stack with id Parley-prod does not exist")
NAMES = {
    "StorageLog71D2C972": "Parley-prod-StorageLog71D2C972-1AAAAAAAAAAAA",
    "StorageSessionsFCE686BD": "Parley-prod-StorageSessionsFCE686BD-1BBBBBBBBBBBB",
}
ARN = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:IdentityJwtSecret6AC2B35E-XyZ-AbCdEf"


def table(key: str) -> dict[str, Any]:
    return {
        "Type": TABLE,
        "Properties": {
            "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
            "DeletionProtectionEnabled": True,
        },
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
    }


TEMPLATE: dict[str, Any] = {
    "Description": "Parley",
    "Resources": {
        "StorageLog71D2C972": table("conversation_id"),
        "StorageSessionsFCE686BD": table("user_id"),
        "IdentityJwtSecret6AC2B35E": {
            "Type": SECRET,
            "Properties": {"GenerateSecretString": {"PasswordLength": 64}},
            "DeletionPolicy": "RetainExceptOnCreate",
        },
        "FilesBucket7C17EE2E": {
            "Type": BUCKET,
            "Properties": {
                "CorsConfiguration": {"CorsRules": [{"AllowedOrigins": [{"Fn::GetAtt": ["Page", "DomainName"]}]}]},
                "NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
                "Tags": [{"Key": "region", "Value": {"Ref": "AWS::Region"}}],
            },
            "DependsOn": ["Page"],
        },
        "Page": {"Type": "AWS::CloudFront::Distribution", "Properties": {}},
    },
    "Outputs": {"LogTable": {"Value": {"Ref": "StorageLog71D2C972"}}},
}


def left(**more: Answer) -> Account:
    """An account in which a stack has left everything, and CloudFormation takes the import."""
    answers: dict[str, Answer] = {
        "dynamodb.ListTables": {"TableNames": ["users", *NAMES.values(), "Parley-production-StorageLog71D2C972-1"]},
        "s3.ListBuckets": {"Buckets": [{"Name": "parley-prod-filesbucket7c17ee2e-abc"}, {"Name": "others"}]},
        "secretsmanager.ListSecrets": {
            "SecretList": [secret(ARN, "Parley-prod"), secret(f"{ARN}-dev", "Parley-dev"), {"ARN": f"{ARN}-untagged"}]
        },
        "cloudformation.CreateChangeSet": {"Id": "arn:change-set"},
        "cloudformation.DescribeChangeSet": {"Status": "CREATE_COMPLETE"},
        "cloudformation.ExecuteChangeSet": {},
    }
    told = ready(**answers)
    told.answers["cloudformation.DescribeStacks"] = lambda _: (
        stack("IMPORT_COMPLETE") if told.of("cloudformation.ExecuteChangeSet") else ABSENT
    )
    told.answers |= more
    return told


def secret(arn: str, stack_name: str) -> dict[str, Any]:
    return {"ARN": arn, "Tags": [{"Key": "aws:cloudformation:stack-name", "Value": stack_name}]}


def stacks(told: Account) -> Stacks:
    return Stacks("Parley-prod", REGION, told)


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adopt, "_WAIT", {"Delay": 0, "MaxAttempts": 5})


def test_what_is_left_is_imported_under_the_names_of_the_template(capsys: pytest.CaptureFixture[str]) -> None:
    told = left()
    adopt_into(stacks(told), TEMPLATE)
    [asked] = told.of("cloudformation.CreateChangeSet")
    assert (asked["StackName"], asked["ChangeSetType"]) == ("Parley-prod", "IMPORT")
    assert {
        (one["ResourceType"], one["LogicalResourceId"], *one["ResourceIdentifier"].items())
        for one in asked["ResourcesToImport"]
    } == {
        *((TABLE, logical_id, ("TableName", name)) for logical_id, name in NAMES.items()),
        (BUCKET, "FilesBucket7C17EE2E", ("BucketName", "parley-prod-filesbucket7c17ee2e-abc")),
        (SECRET, "IdentityJwtSecret6AC2B35E", ("Id", ARN)),
    }
    assert json.loads(asked["TemplateBody"])["Resources"].keys() == {
        one["LogicalResourceId"] for one in asked["ResourcesToImport"]
    }
    assert told.of("cloudformation.ExecuteChangeSet") == [{"StackName": "Parley-prod", "ChangeSetName": "adopt"}]
    assert "Now add everything else: make deploy" in capsys.readouterr().out


def test_an_import_has_what_is_imported_alone_kept_whatever_happens() -> None:
    kept = [Kept("FilesBucket7C17EE2E", BUCKET, "b"), Kept("StorageLog71D2C972", TABLE, "t")]
    found = only(TEMPLATE, kept)
    assert found["Resources"].keys() == {"FilesBucket7C17EE2E", "StorageLog71D2C972"}
    assert "Outputs" not in found
    bucket = found["Resources"]["FilesBucket7C17EE2E"]
    assert bucket.keys() == {"Type", "Properties", "DeletionPolicy", "UpdateReplacePolicy"}
    assert bucket["Properties"].keys() == {"NotificationConfiguration", "Tags"}
    assert {one["DeletionPolicy"] for one in found["Resources"].values()} == {"Retain"}
    assert found["Resources"]["StorageLog71D2C972"]["Properties"] == table("conversation_id")["Properties"]


def test_dry_only_shows_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    told = left()
    adopt_into(stacks(told), TEMPLATE, dry=True)
    assert told.of("cloudformation.CreateChangeSet") == []
    shown = capsys.readouterr().out
    assert all(name in shown for name in (*NAMES.values(), ARN, "parley-prod-filesbucket7c17ee2e-abc"))


def test_without_its_tables_nothing_is_adopted() -> None:
    told = left(**{"dynamodb.ListTables": {"TableNames": [NAMES["StorageLog71D2C972"]]}})
    with pytest.raises(CommandError, match="no table of an earlier Parley-prod for StorageSessions") as caught:
        adopt_into(stacks(told), TEMPLATE)
    assert "PARLEY_STAGE" in caught.value.hint
    assert told.of("cloudformation.CreateChangeSet") == []


def test_a_bucket_or_secret_that_is_gone_is_made_anew(capsys: pytest.CaptureFixture[str]) -> None:
    told = left(**{"s3.ListBuckets": {"Buckets": []}, "secretsmanager.ListSecrets": {"SecretList": []}})
    adopt_into(stacks(told), TEMPLATE)
    [asked] = told.of("cloudformation.CreateChangeSet")
    assert {one["ResourceType"] for one in asked["ResourcesToImport"]} == {TABLE}
    assert capsys.readouterr().out.count("none that was kept; make deploy makes a new one") == 2


def test_of_several_the_one_that_is_meant_has_to_be_named() -> None:
    another = f"{NAMES['StorageLog71D2C972'][:-1]}Z"
    told = left(**{"dynamodb.ListTables": {"TableNames": [*NAMES.values(), another]}})
    with pytest.raises(CommandError, match="There are 2 that may be StorageLog71D2C972") as caught:
        adopt_into(stacks(told), TEMPLATE)
    assert "make adopt NAMES=" in caught.value.hint
    adopt_into(stacks(told), TEMPLATE, names=[another])
    [asked] = told.of("cloudformation.CreateChangeSet")
    assert another in {one["ResourceIdentifier"].get("TableName") for one in asked["ResourcesToImport"]}


@pytest.mark.parametrize("status", ["UPDATE_COMPLETE", "ROLLBACK_COMPLETE", "DELETE_FAILED"])
def test_a_stack_that_is_there_has_data_of_its_own(status: str) -> None:
    told = left(**{"cloudformation.DescribeStacks": stack(status)})
    with pytest.raises(CommandError, match=rf"Parley-prod is there \({status}\)"):
        adopt_into(stacks(told), TEMPLATE)
    assert told.of("cloudformation.CreateChangeSet") == []


def test_one_that_has_adopted_is_deployed_next() -> None:
    with pytest.raises(CommandError, match="has adopted already") as caught:
        adopt_into(stacks(left(**{"cloudformation.DescribeStacks": stack("IMPORT_COMPLETE")})), TEMPLATE)
    assert "make deploy" in caught.value.hint


def test_what_an_earlier_try_began_is_taken_away_first() -> None:
    told = left(**{"cloudformation.DeleteStack": {}})

    def status(_: Mapping[str, Any]) -> Mapping[str, Any] | Exception:
        if told.of("cloudformation.ExecuteChangeSet"):
            return stack("IMPORT_COMPLETE")
        return ABSENT if told.of("cloudformation.DeleteStack") else stack("REVIEW_IN_PROGRESS")

    told.answers["cloudformation.DescribeStacks"] = status
    adopt_into(stacks(told), TEMPLATE)
    done = [name for name, _ in told.asked if name in ("cloudformation.DeleteStack", "cloudformation.CreateChangeSet")]
    assert done == ["cloudformation.DeleteStack", "cloudformation.CreateChangeSet"]


def test_a_change_set_that_cloudformation_does_not_take_is_told_with_its_reason() -> None:
    failed = {"Status": "FAILED", "StatusReason": "Table t already exists in stack s"}
    told = left(**{"cloudformation.DescribeChangeSet": failed})
    with pytest.raises(CommandError, match="does not take the import: Table t already exists in stack s"):
        adopt_into(stacks(told), TEMPLATE)
    assert told.of("cloudformation.ExecuteChangeSet") == []


def test_an_import_that_fails_is_told_with_the_resource_and_its_reason() -> None:
    event = {
        "StackId": "arn",
        "EventId": "1",
        "StackName": "Parley-prod",
        "Timestamp": datetime(2026, 1, 1, tzinfo=UTC),
        "LogicalResourceId": "StorageLog71D2C972",
        "ResourceStatus": "IMPORT_FAILED",
        "ResourceStatusReason": "Access denied",
    }
    told = left(**{"cloudformation.DescribeStackEvents": {"StackEvents": [event]}})
    told.answers["cloudformation.DescribeStacks"] = lambda _: (
        stack("IMPORT_ROLLBACK_COMPLETE") if told.of("cloudformation.ExecuteChangeSet") else ABSENT
    )
    with pytest.raises(CommandError, match="The import failed: StorageLog71D2C972: Access denied") as caught:
        adopt_into(stacks(told), TEMPLATE)
    assert "delete-stack --stack-name Parley-prod" in caught.value.hint


def test_the_command_takes_the_template_that_the_app_would_deploy(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = left()
    run: list[tuple[str, ...]] = []

    def synthesize(_settings: Settings, *arguments: str, environment: dict[str, str], **_: object) -> None:
        assert environment["AWS_REGION"] == REGION
        run.append(arguments)
        (settings.home / "cdk.out").mkdir(parents=True)
        (settings.home / "cdk.out/Parley-prod.template.json").write_text(json.dumps(TEMPLATE))

    monkeypatch.delenv("PARLEY_STAGE", raising=False)
    monkeypatch.setattr(cdk, "run", synthesize)
    monkeypatch.setattr(target, "identity", lambda: ("123456789012", REGION))
    monkeypatch.setattr(target, "clients", lambda _region: told)
    adopt.adopt(settings)
    assert run == [("synth", "Parley-prod", "--quiet")]
    assert len(told.of("cloudformation.ExecuteChangeSet")) == 1


# -- on the emulator --------------------------------------------------------------------------------------------------


@pytest.mark.stack
@pytest.mark.xdist_group("emulator")
def test_a_destroyed_stacks_tables_come_back_with_what_is_in_them(emulator: Settings) -> None:
    """Deploy, write, delete, adopt, deploy again: the same tables, with the same items, on an unchanged template."""
    small = {
        **TEMPLATE,
        "Resources": {
            name: {key: value for key, value in one.items() if key != "DependsOn"}
            for name, one in TEMPLATE["Resources"].items()
            if name not in ("Page", "IdentityJwtSecret6AC2B35E")
        },
    }
    del small["Resources"]["FilesBucket7C17EE2E"]["Properties"]["CorsConfiguration"]  # a reference to what is not here
    small["Resources"]["FilesBucket7C17EE2E"]["DeletionPolicy"] = "Retain"
    there = Stacks("Parley-prod", LOCAL_REGION, lambda service: client(emulator, service))
    formation, dynamodb = there.clients("cloudformation"), there.clients("dynamodb")
    formation.create_stack(StackName="Parley-prod", TemplateBody=json.dumps(small))
    formation.get_waiter("stack_create_complete").wait(StackName="Parley-prod", WaiterConfig={"Delay": 1})
    [log] = [one.physical_id for one in there.resources(TABLE) if "Log" in one.logical_id]
    dynamodb.put_item(TableName=log, Item={"conversation_id": {"S": "dm:alice:bob"}})
    formation.delete_stack(StackName="Parley-prod")
    formation.get_waiter("stack_delete_complete").wait(StackName="Parley-prod", WaiterConfig={"Delay": 1})
    assert there.status() == ""

    adopt_into(there, small)

    assert there.status() == "IMPORT_COMPLETE"
    assert log in [one.physical_id for one in there.resources(TABLE)]
    added = {**small, "Resources": {**small["Resources"], "More": {"Type": "AWS::SQS::Queue"}}}
    formation.update_stack(StackName="Parley-prod", TemplateBody=json.dumps(added))
    formation.get_waiter("stack_update_complete").wait(StackName="Parley-prod", WaiterConfig={"Delay": 1})
    assert log in [one.physical_id for one in there.resources(TABLE)]
    assert [name for name in dynamodb.list_tables()["TableNames"] if "StorageLog" in name] == [log]
    assert dynamodb.scan(TableName=log)["Items"] == [{"conversation_id": {"S": "dm:alice:bob"}}]
