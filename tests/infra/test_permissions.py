"""Each role may do exactly what its function does."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.infra.templates import APNS_KEY, APNS_SECRET, FCM_KEY, FCM_SECRET, FUNCTIONS, HOOK, JWT_KEY
from tests.permissions import DYNAMODB, OBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.infra.templates import Resources

pytestmark = pytest.mark.xdist_group("infra")


def consumes(queue: str) -> set[tuple[str, str]]:
    return {(f"sqs:{action}", queue) for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")}


LOG_LINES = {("logs:CreateLogStream", "LogGroup"), ("logs:PutLogEvents", "LogGroup")}
POSTS = {("execute-api:ManageConnections", "POST/@connections/*")}
CONNECTIONS = POSTS | {("execute-api:ManageConnections", "DELETE/@connections/*")}
SECRET = {("secretsmanager:GetSecretValue", "Secret")}
STREAM = {
    (f"dynamodb:{action}", "Log stream")
    for action in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
}
CHECK_PRESENCE = {("sqs:SendMessage", "PresenceChecks")}
LOOK_AGAIN = {("sqs:SendMessage", "Looks")}
SCHEDULE = {
    ("scheduler:CreateSchedule", "schedules of the group"),
    ("scheduler:DeleteSchedule", "schedules of the group"),
    ("iam:PassRole", "Schedules' role"),
}
BROADCAST = {("sqs:SendMessage", "FanOut")}
PROVIDERS = {
    *((action, "Members stream") for action, _ in STREAM),  # of what is read elsewhere
    *consumes("FcmPushes"),
    *consumes("ApnsPushes"),
    *(("sqs:SendMessage", queue) for queue in ("FcmPushes", "ApnsPushes")),
    *(("secretsmanager:GetSecretValue", json.dumps(arn)) for arn in (FCM_SECRET, APNS_SECRET)),
}
BESIDE_DYNAMODB: dict[str, set[tuple[str, str]]] = {
    "Authorizer": SECRET,
    "Connect": CONNECTIONS | CHECK_PRESENCE,
    "Disconnect": CHECK_PRESENCE,
    "Message": CONNECTIONS | SECRET | CHECK_PRESENCE,
    "Rest": CONNECTIONS | SECRET | CHECK_PRESENCE | LOOK_AGAIN | BROADCAST | OBJECTS["Rest"] | SCHEDULE,
    "OfflinePush": POSTS
    | STREAM
    | CHECK_PRESENCE
    | LOOK_AGAIN
    | consumes("FanOut")
    | consumes("Looks")
    | OBJECTS["OfflinePush"]
    | {("sqs:SendMessage", "FanOut"), ("sqs:SendMessage", "Failures")},
    "Presence": POSTS | consumes("PresenceChecks"),
    # Without the list S3 says 403 for what is not there.
    "Files": STREAM | OBJECTS["Files"] | {("s3:ListBucket", "Bucket"), ("sqs:SendMessage", "Failed checks")},
}
EXPECTED = {
    function: {(f"dynamodb:{action}", table) for action, table in DYNAMODB[function]} | beside
    for function, beside in BESIDE_DYNAMODB.items()
}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


# Part of a logical id → what the tests call it.
NAMES = {
    "StorageLog": "Log",
    "StorageMembers": "Members",
    "StorageSessions": "Sessions",
    "StorageTickets": "Tickets",
    "PresenceChecksQueue": "PresenceChecks",
    "FanOutQueue": "FanOut",
    "LooksQueue": "Looks",
    "FcmPushesQueue": "FcmPushes",
    "ApnsPushesQueue": "ApnsPushes",
    "ErrandsQueue": "Errands",
    "ErrandsFailures": "Errands' failures",
    "EventsOutFailures": "Events' failures",
    "PushFailures": "Failures",
    "FileChecksFailures": "Failed checks",
    "RemindersRole": "Schedules' role",
}


def short(resources: Resources, function: str, resource: Any) -> str:
    """A resource of a statement in one word, and only if it is exactly that."""
    match resource:
        case {"Fn::GetAtt": [str(name), "Arn"]}:
            kind = str(resources.all[name]["Type"]).rsplit("::", maxsplit=1)[-1]
            assert kind != "LogGroup" or f"{function}Log" in name
            return next((short for part, short in NAMES.items() if part in name), kind)
        case {"Fn::GetAtt": [str(name), "StreamArn"]}:
            return next(f"{short} stream" for part, short in NAMES.items() if part in name)
        case {"Ref": str(name)}:
            return str(resources.all[name]["Type"]).split("::")[-1]
        case {"Fn::Join": ["", list(parts)]}:
            return wild(resources, parts)
    return json.dumps(resource)


def wild(resources: Resources, parts: list[Any]) -> str:
    """What ends in '*': objects below a prefix, schedules of the group, connections of the API."""
    match parts:
        case [{"Fn::GetAtt": [str(bucket), "Arn"]}, str(keys)]:
            assert resources.all[bucket]["Type"] == "AWS::S3::Bucket"
            return keys.removeprefix("/")
        case [*_, str(tail)] if tail.startswith(":schedule/"):
            [group] = resources.properties("AWS::Scheduler::ScheduleGroup")
            assert tail == f":schedule/{group['Name']}/*"
            return "schedules of the group"
        case [*_, ":", {"Ref": str(api)}, str(tail)]:
            assert resources.all[api]["Properties"]["ProtocolType"] == "WEBSOCKET"
            _, _, method = tail.split("/", 2)
            return method
    return json.dumps(parts)


def granted(resources: Resources, function: str) -> Iterator[tuple[str, str]]:
    for statement in resources.statements(function):
        assert statement["Effect"] == "Allow"
        for action in listed(statement["Action"]):
            for resource in listed(statement["Resource"]):
                yield action, short(resources, function, resource)


def expected(function: str, *, providers: bool) -> set[tuple[str, str]]:
    return EXPECTED[function] | LOG_LINES | (PROVIDERS if providers and function == "OfflinePush" else set())


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(("name", "providers"), [("aws", False), ("local", True)])
def test_a_function_may_do_exactly_what_it_does(
    name: str, providers: bool, function: str, request: pytest.FixtureRequest
) -> None:
    resources: Resources = request.getfixturevalue(name)
    assert set(granted(resources, function)) == expected(function, providers=providers)


def test_of_one_provider_only_its_own_queue_and_secret_can_be_reached(synthesize: Any) -> None:
    resources: Resources = synthesize(apns_secret_arn=APNS_SECRET)
    of_apns = {(action, name) for action, name in PROVIDERS if "apns" in name.lower() or name == "Members stream"}
    assert set(granted(resources, "OfflinePush")) == expected("OfflinePush", providers=False) | of_apns


def test_a_role_is_only_handed_to_the_scheduler(each: Resources) -> None:
    [statement] = [one for one in each.statements("Rest") if one["Action"] == "iam:PassRole"]
    assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}


def test_with_a_jwks_url_there_is_no_secret_and_nobody_may_read_one(full: Resources) -> None:
    assert not full.of("AWS::SecretsManager::Secret")
    for function in FUNCTIONS:
        hook = {("lambda:InvokeFunction", json.dumps(HOOK))} if function in {"Message", "Rest"} else set()
        assert set(granted(full, function)) == (expected(function, providers=True) - SECRET) | hook


def test_an_existing_secret_is_read_and_not_made(synthesize: Any) -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:jwt-AbCdEf"
    resources: Resources = synthesize(jwt_secret_arn=arn)
    assert not resources.of("AWS::SecretsManager::Secret")
    for function in ("Authorizer", "Message", "Rest"):
        assert ("secretsmanager:GetSecretValue", json.dumps(arn)) in set(granted(resources, function))


KEYS = {"jwt": JWT_KEY, "fcm": FCM_KEY, "apns": APNS_KEY}
READERS = {"jwt": {"Authorizer", "Message", "Rest"}, "fcm": {"OfflinePush"}, "apns": {"OfflinePush"}}


@pytest.mark.parametrize("existing", [True, False], ids=["a secret of one's own", "the stack's secret"])
def test_who_reads_a_secret_may_have_it_decrypted_by_its_key_and_nothing_else(existing: bool, synthesize: Any) -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:jwt-AbCdEf"
    resources: Resources = synthesize(
        fcm_secret_arn=FCM_SECRET,
        apns_secret_arn=APNS_SECRET,
        **{f"{name}_key_arn": key for name, key in KEYS.items()},
        **({"jwt_secret_arn": arn} if existing else {}),
    )
    made = [{"Ref": name} for name in resources.of("AWS::SecretsManager::Secret")]
    secrets = {"jwt": arn if existing else made[0], "fcm": FCM_SECRET, "apns": APNS_SECRET}
    for name, key in KEYS.items():
        for function in FUNCTIONS:
            granted_by = [one for one in resources.statements(function) if one["Resource"] == key]
            assert len(granted_by) == (function in READERS[name])
            for statement in granted_by:
                assert statement["Action"] == "kms:Decrypt"
                conditions = statement["Condition"]["StringEquals"]
                assert conditions["kms:EncryptionContext:SecretARN"] == secrets[name]
                assert "secretsmanager." in json.dumps(conditions["kms:ViaService"])


def test_the_secret_of_the_stack_is_under_the_configured_key(aws: Resources, synthesize: Any) -> None:
    [secret] = synthesize(jwt_key_arn=JWT_KEY).properties("AWS::SecretsManager::Secret")
    assert secret["KmsKeyId"] == JWT_KEY
    [plain] = aws.properties("AWS::SecretsManager::Secret")
    assert "KmsKeyId" not in plain


def test_without_keys_nobody_may_decrypt(each: Resources) -> None:
    assert "kms:" not in json.dumps([each.statements(function) for function in FUNCTIONS])


def test_every_function_has_a_role_of_its_own_without_managed_policies(each: Resources) -> None:
    roles = [function["Role"]["Fn::GetAtt"][0] for function in each.functions.values()]
    assert len(set(roles)) == len(FUNCTIONS)
    for role in roles:
        properties = each.all[role]["Properties"]
        assert "ManagedPolicyArns" not in properties
        assert "Policies" not in properties


def allowing(resources: Resources) -> Iterator[dict[str, Any]]:
    kinds = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy")
    for kind in kinds:
        for policy in resources.properties(kind):
            for statement in policy["PolicyDocument"]["Statement"]:
                if statement["Effect"] == "Allow":
                    yield statement


def test_no_action_has_a_wildcard_and_one_function_may_scan(each: Resources) -> None:
    actions = {action for statement in allowing(each) for action in listed(statement["Action"])}
    assert not {action for action in actions if "*" in action}
    scanning = [one for one in allowing(each) if "dynamodb:Scan" in listed(one["Action"])]
    assert len(scanning) == 3  # broadcasts and exports read all tables that last
    assert not {action for action in actions if action.startswith("dynamodb:Describe")} - {"dynamodb:DescribeStream"}


def test_a_wildcard_in_a_resource_is_an_id_at_its_end(each: Resources) -> None:
    """Of connections, files and reminders: what stands before it is exact."""
    texts = {json.dumps(resource) for statement in allowing(each) for resource in listed(statement["Resource"])}
    wild = {text for text in texts if "*" in text}
    ends = (
        *(r"/POST/@connections/", r"/DELETE/@connections/"),
        *(r"\"/uploads/", r"\"/files/", r"\"/thumbnails/", r"\"/exports/"),
        r":schedule/Parley-\w+-reminders/",
    )
    assert len(wild) == len(ends)
    for end in ends:
        assert len([text for text in wild if text.count("*") == 1 and re.search(rf"{end}\*\"", text)]) == 1


def test_the_doctor_asks_of_each_role_what_the_template_gives_it(local: Resources) -> None:
    from ops.doctor.permissions import NEEDED

    kept = {json.dumps(FCM_SECRET): "FcmSecret", json.dumps(APNS_SECRET): "ApnsSecret"}
    for function in FUNCTIONS:
        asked = {(action, place) for place, actions in NEEDED[function].items() for action in actions.split()}
        given = {(action, kept.get(place, place)) for action, place in granted(local, function)} - LOG_LINES
        # A service's name says which of the two methods, where the template's words do not.
        assert asked == given, function
