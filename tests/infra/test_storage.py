"""Tables and the bucket: what would be hard to get back is safe by default."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.infra.templates import APNS_SECRET

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.infra.templates import Resources

pytestmark = pytest.mark.xdist_group("infra")

KEYS = {
    "Log": [("conversation_id", "HASH", "S"), ("seq", "RANGE", "N")],
    "Members": [("pk", "HASH", "S"), ("sk", "RANGE", "S")],
    "Sessions": [("user_id", "HASH", "S")],
    "Tickets": [("ticket", "HASH", "S")],
}


# Another id is another resource: an upgrade would begin with empty tables, and with a secret that fits no token.
LOGICAL_IDS = {
    "AWS::DynamoDB::Table": {
        "StorageLog71D2C972",
        "StorageMembersC303E722",
        "StorageSessionsFCE686BD",
        "StorageTickets158E91BB",
    },
    "AWS::S3::Bucket": {"FilesBucket7C17EE2E"},
    "AWS::SecretsManager::Secret": {"IdentityJwtSecret6AC2B35E"},
}


def keys(table: dict[str, Any]) -> list[tuple[str, str, str]]:
    types = {entry["AttributeName"]: entry["AttributeType"] for entry in table["AttributeDefinitions"]}
    return [(entry["AttributeName"], entry["KeyType"], types[entry["AttributeName"]]) for entry in table["KeySchema"]]


def test_what_holds_data_keeps_its_logical_id(aws: Resources, local: Resources) -> None:
    for stack in (aws, local):
        assert {kind: set(stack.of(kind)) for kind in LOGICAL_IDS} == LOGICAL_IDS


def test_there_are_four_tables_with_their_keys(each: Resources) -> None:
    assert len(each.of("AWS::DynamoDB::Table")) == 4
    assert {name: keys(each.named("AWS::DynamoDB::Table", f"Storage{name}")[1]) for name in KEYS} == KEYS


def test_tables_are_on_demand_encrypted_recoverable_and_expire_by_ttl(each: Resources) -> None:
    for table in each.properties("AWS::DynamoDB::Table"):
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["SSESpecification"] == {"SSEEnabled": True}
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
        assert "TableName" not in table


def test_the_log_has_a_stream_and_the_members_only_where_pushes_are_withdrawn(
    aws: Resources, local: Resources, full: Resources, synthesize: Callable[..., Resources]
) -> None:
    off = synthesize(apns_secret_arn=APNS_SECRET, push_withdrawals="off")
    for resources, names in (
        (aws, ["Log"]), (local, ["Log", "Members"]), (full, ["Log", "Members"]), (off, ["Log"]),
    ):  # fmt: skip
        tables = [resources.named("AWS::DynamoDB::Table", f"Storage{name}")[1] for name in names]
        assert sum("StreamSpecification" in one for one in resources.properties("AWS::DynamoDB::Table")) == len(names)
        assert [one["StreamSpecification"] for one in tables] == [{"StreamViewType": "NEW_AND_OLD_IMAGES"}] * len(names)


KEPT = (
    "AWS::DynamoDB::Table",
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
    "AWS::SQS::Queue",
    "AWS::Logs::LogGroup",
)


def test_on_aws_everything_with_data_survives_the_stack_and_leaves_nothing_of_a_first_deployment_that_fails(
    aws: Resources,
) -> None:
    """But the tables: deleting what is protected from deletion fails, and the rollback with it."""
    for kind in KEPT:
        for resource in aws.of(kind).values():
            kept = "Retain" if kind == "AWS::DynamoDB::Table" else "RetainExceptOnCreate"
            assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == (kept, "Retain"), kind
    assert all(table["DeletionProtectionEnabled"] for table in aws.properties("AWS::DynamoDB::Table"))


def kept_of(resources: Resources) -> dict[str, str]:
    """Kinds by logical ids."""
    return {name: one["Type"] for name, one in resources.all.items() if one.get("DeletionPolicy") == "Retain"}


def test_nothing_else_is_left_where_the_first_deployment_fails_but_the_accounts_own_setting(
    aws: Resources, logging: Resources
) -> None:
    """API Gateway goes on naming the role whatever becomes of the stack, so the role has to be there."""
    assert sorted(kept_of(aws).values()) == ["AWS::DynamoDB::Table"] * 4
    kept = kept_of(logging)
    assert sorted(kept.values()) == ["AWS::ApiGateway::Account", *["AWS::DynamoDB::Table"] * 4, "AWS::IAM::Role"]
    assert [name for name, kind in kept.items() if kind == "AWS::IAM::Role" and "GatewayLogsRole" in name]


def test_a_stack_with_data_that_stays_is_protected_from_deletion(
    aws: Resources, full: Resources, local: Resources
) -> None:
    assert [stack.properties_of_the_artifact.get("terminationProtection") for stack in (aws, full, local)] == [
        True,
        False,
        False,
    ]


def test_a_table_is_safe_and_a_stack_deletable_on_a_laptop_that_keeps_its_data(
    synthesize: Callable[..., Resources],
) -> None:
    """The emulator knows no protection of stacks, and `make down` and `make reset` have no use for one."""
    kept = synthesize(target="local", local_endpoint="http://localhost:4577", removal="retain")
    assert kept.properties_of_the_artifact["terminationProtection"] is False
    assert all(table["DeletionProtectionEnabled"] for table in kept.properties("AWS::DynamoDB::Table"))


@pytest.mark.parametrize("name", ["local", "full"])
def test_where_removal_is_destroy_nothing_is_left(name: str, request: pytest.FixtureRequest) -> None:
    resources: Resources = request.getfixturevalue(name)
    for kind in KEPT:
        for resource in resources.of(kind).values():
            assert resource["DeletionPolicy"] == "Delete", kind
    assert not any(table["DeletionProtectionEnabled"] for table in resources.properties("AWS::DynamoDB::Table"))


def test_the_bucket_is_private_encrypted_and_drops_unfinished_uploads(each: Resources) -> None:
    [bucket] = each.properties("AWS::S3::Bucket")
    assert bucket["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    [encryption] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    unfinished, *others = bucket["LifecycleConfiguration"]["Rules"]
    assert unfinished["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert {rule["Status"] for rule in (unfinished, *others)} == {"Enabled"}


def test_what_is_never_checked_is_gone_after_a_day_and_exports_after_a_week_and_nothing_else_ever(
    each: Resources,
) -> None:
    [bucket] = each.properties("AWS::S3::Bucket")
    ends = {
        rule["Prefix"]: rule["ExpirationInDays"]
        for rule in bucket["LifecycleConfiguration"]["Rules"]
        if "ExpirationInDays" in rule
    }
    assert ends == {"uploads/": 1, "exports/": 7}


@pytest.mark.parametrize("kind", ["AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy"])
def test_bucket_and_queues_refuse_what_does_not_come_by_tls(kind: str, each: Resources) -> None:
    policies = each.properties(kind)
    assert len(policies) == len(each.of(kind.removesuffix("Policy")))
    for policy in policies:
        denied = [statement for statement in policy["PolicyDocument"]["Statement"] if statement["Effect"] == "Deny"]
        assert any(statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}} for statement in denied)
