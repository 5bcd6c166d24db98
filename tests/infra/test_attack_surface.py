"""Everything in a template that lets anybody in, or anything out, is one that is listed here."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.infra.templates import FUNCTIONS
from tests.infra.test_gateways import FRAMES, join, stage
from tests.infra.test_permissions import listed

if TYPE_CHECKING:
    from tests.infra.templates import Resources

pytestmark = pytest.mark.xdist_group("infra")

# A new kind of resource is a new way in until a person has looked: it belongs here, and into the tests below.
ALWAYS = {
    *("ApiGatewayV2::Api", "ApiGatewayV2::Authorizer", "ApiGatewayV2::Integration", "ApiGatewayV2::Route"),
    *("ApiGatewayV2::Stage", "CloudWatch::Alarm", "DynamoDB::Table", "Events::Rule", "IAM::Policy", "IAM::Role"),
    *("Lambda::EventInvokeConfig", "Lambda::EventSourceMapping", "Lambda::Function", "Lambda::Permission"),
    *("Logs::LogGroup", "S3::Bucket", "S3::BucketPolicy", "SQS::Queue", "SQS::QueuePolicy", "Scheduler::ScheduleGroup"),
}
KINDS = {
    "aws": ALWAYS | {"CloudWatch::Dashboard", "ApiGatewayV2::RouteResponse", "SecretsManager::Secret"},
    "logging": ALWAYS
    | {"CloudWatch::Dashboard", "ApiGateway::Account", "ApiGatewayV2::RouteResponse", "SecretsManager::Secret"},
    "local": ALWAYS | {"SecretsManager::Secret"},
    "full": ALWAYS
    | {"CloudWatch::Dashboard", "ApiGatewayV2::RouteResponse", "ApiGatewayV2::DomainName", "ApiGatewayV2::ApiMapping"},
}
EACH = pytest.mark.parametrize("name", KINDS)
# Wherever one of these stands, permissions are given.
_PERMITTING = {
    *("PolicyDocument", "AssumeRolePolicyDocument", "Policies", "ManagedPolicyArns", "PolicyText", "ResourcePolicy"),
    *("KeyPolicy", "PermissionsBoundary", "AccessControl", "AuthType", "Policy", "RepositoryPolicyText"),
}


@pytest.fixture
def resources(name: str, request: pytest.FixtureRequest) -> Resources:
    found: Resources = request.getfixturevalue(name)
    return found


@EACH
def test_every_kind_of_resource_is_one_that_was_looked_at(name: str, resources: Resources) -> None:
    assert {str(one["Type"]).removeprefix("AWS::") for one in resources.all.values()} == KINDS[name]


def permitting(value: Any, kind: str) -> Iterator[tuple[str, str]]:
    """(kind of resource, property) of everything in a resource that gives permissions."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in _PERMITTING:
                yield kind, key
            yield from permitting(inner, kind)
    elif isinstance(value, list):
        for inner in value:
            yield from permitting(inner, kind)


def all_permitting(template: dict[str, Any]) -> Counter[tuple[str, str]]:
    return Counter(
        found
        for one in template["Resources"].values()
        for found in permitting(one.get("Properties", {}), str(one["Type"]).removeprefix("AWS::"))
    )


@EACH
def test_every_document_that_permits_something_is_accounted_for(name: str, resources: Resources) -> None:
    queues = len(resources.of("AWS::SQS::Queue"))
    expected = {
        ("IAM::Role", "AssumeRolePolicyDocument"): len(FUNCTIONS) + 1 + (name == "logging"),
        ("IAM::Policy", "PolicyDocument"): len(FUNCTIONS) + 1,
        ("S3::BucketPolicy", "PolicyDocument"): 1,
        ("SQS::QueuePolicy", "PolicyDocument"): queues,
    }
    if name == "logging":
        expected["IAM::Role", "ManagedPolicyArns"] = 1
    assert all_permitting(resources.template) == expected


def test_a_policy_that_somebody_adds_is_noticed(aws: Resources) -> None:
    before = all_permitting(aws.template)
    changed = copy.deepcopy(aws.template)
    role = next(one for one in changed["Resources"].values() if one["Type"] == "AWS::IAM::Role")
    role["Properties"]["Policies"] = [{"PolicyName": "more", "PolicyDocument": {"Statement": []}}]
    assert all_permitting(changed) != before


@EACH
def test_every_role_is_a_functions_or_the_reminders_or_the_accounts_log_role(name: str, resources: Resources) -> None:
    """What those of functions and reminders may do is asserted statement by statement beside this."""
    roles = {
        role: next(one for one in (*FUNCTIONS, "Reminders", "GatewayLogs") if f"{one}Role" in role)
        for role in resources.of("AWS::IAM::Role")
    }
    assert sorted(roles.values()) == sorted({*FUNCTIONS, "Reminders", *(["GatewayLogs"] if name == "logging" else [])})
    attached = Counter(role["Ref"] for policy in resources.properties("AWS::IAM::Policy") for role in policy["Roles"])
    assert attached == {role: 1 for role, owner in roles.items() if owner != "GatewayLogs"}
    for policy in resources.properties("AWS::IAM::Policy"):
        assert not {"Users", "Groups"} & policy.keys()


@EACH
def test_a_role_is_taken_by_one_service_and_nobody_else(name: str, resources: Resources) -> None:
    for role, one in resources.of("AWS::IAM::Role").items():
        [statement] = one["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        service = "scheduler" if "Reminders" in role else "apigateway" if "GatewayLogs" in role else "lambda"
        assert (statement["Effect"], statement["Action"]) == ("Allow", "sts:AssumeRole")
        assert statement["Principal"] == {"Service": f"{service}.amazonaws.com"}
        assert ("Condition" in statement) == (service == "scheduler")


def test_the_one_managed_policy_is_that_of_the_gateways_logs(logging: Resources) -> None:
    """A setting of the whole account, which the gateway demands just so; no function has one."""
    [(name, role)] = [
        item for item in logging.of("AWS::IAM::Role").items() if "ManagedPolicyArns" in item[1]["Properties"]
    ]
    assert "GatewayLogsRole" in name
    [arn] = role["Properties"]["ManagedPolicyArns"]
    assert json.dumps(arn).endswith('":iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"]]}')


def statements(resources: Resources) -> Iterator[dict[str, Any]]:
    for kind in ("IAM::Policy", "S3::BucketPolicy", "SQS::QueuePolicy"):
        for policy in resources.properties(f"AWS::{kind}"):
            yield from policy["PolicyDocument"]["Statement"]


@EACH
def test_what_is_allowed_names_its_actions_and_resources(name: str, resources: Resources) -> None:
    for statement in statements(resources):
        assert not {"NotAction", "NotResource", "NotPrincipal"} & statement.keys()
        if statement["Effect"] == "Allow":
            assert "*" not in json.dumps(statement["Action"])
            assert "*" not in listed(statement["Resource"])
            assert statement.get("Principal") not in ("*", {"AWS": "*"}, {"Service": "*"})
            # Not another account, and nothing whose owner could be changed by its name alone.
            assert not re.search(r"\b\d{12}\b", json.dumps(statement["Resource"]).replace("123456789012", ""))


@EACH
def test_bucket_and_queues_are_opened_to_nobody_by_their_own_policies(name: str, resources: Resources) -> None:
    """They only refuse what does not come by TLS, but for rules: of uploads, and of missed pushes."""
    [bucket] = resources.of("AWS::S3::Bucket")
    [policy] = resources.properties("AWS::S3::BucketPolicy")
    [denied] = policy["PolicyDocument"]["Statement"]
    arn = {"Fn::GetAtt": [bucket, "Arn"]}
    assert denied == {
        "Action": "s3:*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Resource": [arn, {"Fn::Join": ["", [arn, "/*"]]}],
    }
    allowed = []
    for policy in resources.properties("AWS::SQS::QueuePolicy"):
        [queue] = policy["Queues"]
        by_effect = {one["Effect"]: one for one in policy["PolicyDocument"]["Statement"]}
        assert Counter(one["Effect"] for one in policy["PolicyDocument"]["Statement"])["Deny"] == 1
        assert by_effect["Deny"] == {
            "Action": "sqs:*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Resource": {"Fn::GetAtt": [queue["Ref"], "Arn"]},
        }
        allowed += [queue["Ref"]] if "Allow" in by_effect else []
    opened = {queue for queue in ("FileChecksFailures", "LooksQueue", "LooksFailures") if queue in "".join(allowed)}
    sweeps = {"LooksQueue", "LooksFailures"} if "FcmPushes" in "".join(resources.of("AWS::SQS::Queue")) else set()
    assert (opened, len(allowed)) == ({"FileChecksFailures"} | sweeps, 1 + len(sweeps))


def invokers(resources: Resources) -> Iterator[tuple[str, str, str]]:
    """(function, service, the end of the ARN that it must come from)."""
    for permission in resources.properties("AWS::Lambda::Permission"):
        assert permission["Action"] == "lambda:InvokeFunction"
        function = permission["FunctionName"]["Fn::GetAtt"][0]
        short = next(name for name in FUNCTIONS if f"{name}Function" in function)
        source = permission["SourceArn"]
        if "Fn::GetAtt" in source:
            assert resources.all[source["Fn::GetAtt"][0]]["Type"] == "AWS::Events::Rule"
            yield short, permission["Principal"], "rule"
            continue
        arn = join(source)
        match = re.fullmatch(r"arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:<(\w+)>(/.*)", arn)
        assert match, arn
        assert resources.all[match[1]]["Type"] == "AWS::ApiGatewayV2::Api"
        yield short, permission["Principal"], re.sub(r"<\w+>", "<id>", match[2])


@EACH
def test_each_function_is_invoked_by_its_own_route_and_nothing_else(name: str, resources: Resources) -> None:
    gateway = "apigateway.amazonaws.com"
    assert Counter(invokers(resources)) == Counter(
        [
            ("Authorizer", gateway, "/authorizers/<id>"),
            ("Connect", gateway, "/*$connect"),
            ("Disconnect", gateway, "/*$disconnect"),
            *(("Message", gateway, f"/*{route}") for route in FRAMES),
            ("Rest", gateway, "/*/*"),
            *[("Files", "events.amazonaws.com", "rule")] * 2,  # of uploads, and of the sweep
        ]
    )


@EACH
def test_no_function_has_a_url_a_layer_or_somebody_elses_code(name: str, resources: Resources) -> None:
    for function in resources.functions.values():
        assert not {"Layers", "FileSystemConfigs", "ImageUri"} & function.keys()
        assert set(function["Code"]) == {"S3Bucket", "S3Key"}
        assert "cdk-" in json.dumps(function["Code"]["S3Bucket"])


# -- secrets -----------------------------------------------------------------------------------------------------------

SECRET_LOOKING = re.compile(r"(?i)secret|password|token|private_?key|credential|api_?key|\bkey\b")
# What a secret looks like: a JWT, a key, an access key, a long random text.
A_SECRET = re.compile(r"eyJ[\w-]{10,}|-----BEGIN|AKIA[0-9A-Z]{16}|ya29\.|(?<![\w.-])[A-Za-z0-9+_-]{48,}(?![\w.-])")


@EACH
def test_variables_that_are_called_secret_hold_where_it_is(name: str, resources: Resources) -> None:
    for function in resources.functions.values():
        for variable, value in function["Environment"]["Variables"].items():
            if SECRET_LOOKING.search(variable):
                assert variable.endswith("_ARN")
                assert value == "" or "Ref" in value or str(value).startswith("arn:aws:secretsmanager:")


@EACH
def test_nothing_in_a_template_looks_like_a_secret(name: str, resources: Resources) -> None:
    text = re.sub(r'"Sid": "\w+"', "", json.dumps(without_code(resources.template)))
    for logical_id in sorted(resources.all, key=len, reverse=True):
        text = text.replace(logical_id, "id")
    assert A_SECRET.findall(text) == []
    assert A_SECRET.findall(text.replace("PAY_PER_REQUEST", "k" * 64)) != []


def without_code(template: dict[str, Any]) -> dict[str, Any]:
    """Without the digests that name the bundles, which are no secrets and look like some."""
    kept = copy.deepcopy(template)
    for one in kept["Resources"].values():
        one.pop("Metadata", None)
        one.get("Properties", {}).pop("Code", None)
    return {"Resources": kept["Resources"], "Outputs": kept["Outputs"]}


@EACH
def test_outputs_and_parameters_hold_no_secret(name: str, resources: Resources) -> None:
    assert set(resources.template.get("Parameters", {})) <= {"BootstrapVersion"}
    for key, output in resources.template["Outputs"].items():
        assert not SECRET_LOOKING.search(key) or key == "JwtSecretArn"
        assert "Export" not in output


# -- what is written down about people ---------------------------------------------------------------------------------

LOGGED = {
    *("requestId", "requestTimeEpoch", "routeKey", "status", "error.message", "integrationErrorMessage"),
    *("integrationLatency", "httpMethod", "responseLength", "eventType", "connectionId"),
}


@pytest.mark.parametrize(("name", "protocol"), [("aws", "HTTP"), ("full", "HTTP"), ("full", "WEBSOCKET")])
def test_access_logs_hold_what_is_listed_and_nothing_else(protocol: str, resources: Resources) -> None:
    """No user, address, path, query or header: a request's id leads to the function's own line, which names none."""
    text = stage(resources, protocol)["AccessLogSettings"]["Format"]
    assert set(re.findall(r"\$context\.([\w.]+)", text)) <= LOGGED
    assert text.count("$") == text.count("$context.")


@EACH
def test_every_log_is_deleted_in_time(name: str, resources: Resources) -> None:
    groups = resources.properties("AWS::Logs::LogGroup")
    assert len(groups) == len(FUNCTIONS) + {"local": 0, "aws": 1, "full": 2, "logging": 2}[name]
    assert all(1 <= group["RetentionInDays"] <= 400 for group in groups)


@EACH
def test_no_stage_is_without_a_throttle(name: str, resources: Resources) -> None:
    for protocol in ("WEBSOCKET", "HTTP"):
        found = stage(resources, protocol)
        for settings in (found["DefaultRouteSettings"], *found.get("RouteSettings", {}).values()):
            assert settings["ThrottlingRateLimit"] > 0
            assert settings["ThrottlingBurstLimit"] > 0
