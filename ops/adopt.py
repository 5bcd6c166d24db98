"""`make adopt`: the tables, bucket and secret that a deleted stack left become those of a new stack of its name.

CloudFormation imports them as they are: nothing is copied, and no item is touched. It makes a stack of them alone, to
which the next `make deploy` adds everything else.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import WaiterError

from local import cdk
from local.console import fact, step
from local.errors import CommandError
from local.settings import Settings
from ops import target
from ops.target import Stacks

Template = Mapping[str, Any]

TABLE = "AWS::DynamoDB::Table"
BUCKET = "AWS::S3::Bucket"
SECRET = "AWS::SecretsManager::Secret"  # noqa: S105  # a type of resource
# Each type's property by which CloudFormation knows a resource that it is to import.
_IDENTIFIERS = {TABLE: "TableName", BUCKET: "BucketName", SECRET: "Id"}
_CHANGE_SET = "adopt"
_WAIT = {"Delay": 2, "MaxAttempts": 150}
_REUSABLE = ("", "REVIEW_IN_PROGRESS")


@dataclass(frozen=True)
class Kept:
    """A resource that was kept: its name in the template, what it is, and what AWS calls it."""

    logical_id: str
    kind: str
    name: str

    @property
    def to_import(self) -> dict[str, Any]:
        return {
            "ResourceType": self.kind,
            "LogicalResourceId": self.logical_id,
            "ResourceIdentifier": {_IDENTIFIERS[self.kind]: self.name},
        }


def adopt(settings: Settings, *, names: Sequence[str] = (), dry: bool = False) -> None:
    """Find what the stack has left, and have a new one begin with it.

    `names`: which are meant where there are several of a kind. `dry`: only show what would be done.

    Raises:
        CommandError: no credentials, the stack is there, what it needs is not, or CloudFormation refuses.

    """
    account, region = target.identity()
    stacks = target.stacks_of(region, target.clients(region))
    fact("account", f"{account}, region {region}")
    with step("template"):
        environment = cdk.aws_environment(settings) | {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}
        cdk.run(settings, "synth", stacks.name, "--quiet", environment=environment, log=settings.log("aws-synth"))
    file = settings.home / "cdk.out" / f"{stacks.name}.template.json"
    adopt_into(stacks, json.loads(file.read_text(encoding="utf-8")), names=names, dry=dry)


def adopt_into(stacks: Stacks, template: Template, *, names: Sequence[str] = (), dry: bool = False) -> None:
    """The same with a template that is there."""
    _check_absence(stacks)
    kept = list(_found(stacks, template, names))
    for one in kept:
        fact(one.kind.split("::")[1], one.name)
    if dry:
        return
    with step("import"):
        _import(stacks, only(template, kept), kept)
    print(f"\n{stacks.name} has them again. Now add everything else: make deploy")


def _check_absence(stacks: Stacks) -> None:
    status = stacks.status()
    if status.startswith("IMPORT_") and status.endswith("_COMPLETE"):
        raise CommandError(f"{stacks.name} has adopted already: {status}", "Add everything else: make deploy")
    if status not in _REUSABLE:
        raise CommandError(
            f"{stacks.name} is there ({status}), with tables of its own",
            "A stack adopts before it is deployed. If its own data may be left aside instead: make destroy, "
            "and make adopt NAMES=… with the tables that are meant",
        )
    if status:  # what an earlier change set began, without a single resource
        client = stacks.clients("cloudformation")
        client.delete_stack(StackName=stacks.name)
        _finish(stacks, "stack_delete_complete")


# -- what there is ----------------------------------------------------------------------------------------------------


def _found(stacks: Stacks, template: Template, names: Sequence[str]) -> Iterator[Kept]:
    """Everything of the template that holds data and is there. The tables must be."""
    for logical_id, resource in template["Resources"].items():
        kind = resource["Type"]
        if kind not in _IDENTIFIERS:
            continue
        there = _candidates(stacks, logical_id, kind)
        meant = [name for name in there if name in names] or there
        if len(meant) > 1:
            raise CommandError(
                f"There are {len(meant)} that may be {logical_id}: {', '.join(meant)}",
                'Name those that are meant: make adopt NAMES="…". Their ages and items: aws dynamodb describe-table',
            )
        if meant:
            yield Kept(logical_id, kind, meant[0])
        elif kind == TABLE:
            raise CommandError(
                f"There is no table of an earlier {stacks.name} for {logical_id} in {stacks.region}",
                "Is PARLEY_STAGE that of the deleted stack, and AWS_REGION its region? Without tables: make deploy",
            )
        else:
            fact(kind.split("::")[1], "none that was kept; make deploy makes a new one")


def _candidates(stacks: Stacks, logical_id: str, kind: str) -> list[str]:
    """What is there under a name as CloudFormation gives it to this resource of this stack."""
    finders: dict[str, Callable[[Stacks, str], Iterator[str]]] = {TABLE: _tables, BUCKET: _buckets, SECRET: _secrets}
    return sorted(finders[kind](stacks, logical_id))


def _tables(stacks: Stacks, logical_id: str) -> Iterator[str]:
    yield from (name for name in stacks.left_tables() if name.startswith(f"{stacks.name}-{logical_id}-"))


def _buckets(stacks: Stacks, logical_id: str) -> Iterator[str]:
    beginning = f"{stacks.name}-{logical_id}-".lower()
    found = stacks.clients("s3").list_buckets()["Buckets"]
    yield from (one["Name"] for one in found if one["Name"].startswith(beginning))


def _secrets(stacks: Stacks, logical_id: str) -> Iterator[str]:
    """By its tags, since its name does not say of which stack it is."""
    filters = [{"Key": "name", "Values": [f"{logical_id}-"]}]
    for page in stacks.clients("secretsmanager").get_paginator("list_secrets").paginate(Filters=filters):
        for one in page["SecretList"]:
            tags = {tag["Key"]: tag["Value"] for tag in one.get("Tags", [])}
            if tags.get("aws:cloudformation:stack-name") == stacks.name:
                yield one["ARN"]


# -- the import -------------------------------------------------------------------------------------------------------


def only(template: Template, kept: Sequence[Kept]) -> dict[str, Any]:
    """The template with these resources alone, which stay whatever becomes of the stack.

    What of them refers to any other resource is left out: an import may make none, and the next deployment adds it.
    """
    wanted = {one.logical_id for one in kept}
    return {
        "Description": template.get("Description", ""),
        "Resources": {
            logical_id: {
                "Type": resource["Type"],
                "Properties": {
                    name: value
                    for name, value in resource.get("Properties", {}).items()
                    if _references(value) <= wanted
                },
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
            }
            for logical_id, resource in template["Resources"].items()
            if logical_id in wanted
        },
    }


def _references(value: Any) -> set[str]:
    """The logical ids that a value refers to; pseudo parameters are none."""
    if isinstance(value, list):
        return set().union(*map(_references, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    found: set[str] = set()
    for key, inner in value.items():
        if key == "Ref" and not str(inner).startswith("AWS::"):
            found.add(str(inner))
        elif key == "Fn::GetAtt":
            found.add(str(inner[0]))
        else:
            found |= _references(inner)
    return found


def _import(stacks: Stacks, template: Template, kept: Sequence[Kept]) -> None:
    client = stacks.clients("cloudformation")
    client.create_change_set(
        StackName=stacks.name,
        ChangeSetName=_CHANGE_SET,
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps(template),
        ResourcesToImport=[one.to_import for one in kept],
    )
    try:
        _finish(stacks, "change_set_create_complete", ChangeSetName=_CHANGE_SET)
    except WaiterError as error:
        why = error.last_response.get("StatusReason") or error
        raise CommandError(
            f"CloudFormation does not take the import: {why}", "Nothing has changed. Mend that, and run it again"
        ) from None
    client.execute_change_set(StackName=stacks.name, ChangeSetName=_CHANGE_SET)
    try:
        _finish(stacks, "stack_import_complete")
    except WaiterError:
        raise CommandError(
            f"The import failed: {_why(client, stacks.name)}",
            f"What it left can go, the data stays: aws cloudformation delete-stack --stack-name {stacks.name} "
            f"--region {stacks.region}",
        ) from None


def _finish(stacks: Stacks, waiter: str, **more: str) -> None:
    stacks.clients("cloudformation").get_waiter(waiter).wait(StackName=stacks.name, WaiterConfig=_WAIT, **more)


def _why(client: Any, name: str) -> str:
    """The first event that tells of a failure."""
    events = client.describe_stack_events(StackName=name)["StackEvents"]
    failed = [one for one in events if one["ResourceStatus"].endswith("FAILED") and one.get("ResourceStatusReason")]
    return f"{failed[-1]['LogicalResourceId']}: {failed[-1]['ResourceStatusReason']}" if failed else "see its events"
