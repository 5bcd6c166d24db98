"""What every Lambda has, and which settings each one gets."""

from __future__ import annotations

import json
import platform
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.infra.templates import APNS_SECRET, FCM_SECRET, FUNCTIONS

if TYPE_CHECKING:
    from tests.infra.templates import Resources

pytestmark = pytest.mark.xdist_group("infra")

TOKENS = {"JWT_SECRET_ARN", "JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE"}
PRESENCE_QUEUE = {"PRESENCE_QUEUE_URL", "PRESENCE_GRACE_S"}
LOOK_QUEUE = {"LOOK_QUEUE_URL", "SECOND_LOOK_S"}
PROVIDERS = {
    *("FCM_QUEUE_URL", "FCM_SECRET_ARN", "FCM_ENDPOINT"),
    *("APNS_QUEUE_URL", "APNS_SECRET_ARN", "APNS_ENDPOINT", "PUSH_CA_FILE"),
    *("WEB_QUEUE_URL", "WEB_SECRET_ARN", "LOCAL_WEB_PUSH"),
}
MAIL = {
    *("MAIL_FROM", "MAIL_REPLY_TO", "MAIL_LINK", "MAIL_DIGEST_AFTER_M", "MAIL_DIGEST_EVERY_H"),
    *("MAIL_CONFIGURATION_SET", "MAIL_ENDPOINT", "HTTP_URL"),
}
TELLING = {
    "LOG_TABLE",
    "SESSIONS_TABLE",
    "MEMBERS_TABLE",
    "CONNECTIONS_ENDPOINT",
    "FAN_OUT_MS",
    "LOG_LEVEL",
    "STAGE",
    "TLS_ROOTS",
}
RETENTION = ("RETENTION_PRIVATE_DAYS", "RETENTION_GROUP_DAYS", "RETENTION_CHANNEL_DAYS")
CHAT = {
    *RETENTION,
    *("LOG_TABLE", "MEMBERS_TABLE", "SESSIONS_TABLE", "CONNECTIONS_ENDPOINT", "FAN_OUT_MS"),
    *("MESSAGE_RATE", "MESSAGE_BURST", "EDIT_WINDOW_S", "INLINE_LIMIT", "RECEIPTS_LIMIT", "LOG_LEVEL", "STAGE"),
    *("RECEIPT_EVENTS", "PRESENCE_EVENTS"),
    "TLS_ROOTS",
    "REQUEST_LOG",
    *("TEXT_LIMIT", "MENTION_LIMIT", "PAGE_LIMIT", "PERMISSIONS"),
    *("WORD_LISTS", "SHADOW_BANS", "MESSAGE_HOOK", "MESSAGE_HOOK_SECRET_ARN", "MESSAGE_HOOK_MS", "MESSAGE_HOOK_FAILS"),
    *TOKENS,
    *PRESENCE_QUEUE,
}
ENVIRONMENT = {
    "Authorizer": {"TICKETS_TABLE", "ALLOWED_ORIGINS", "LOG_LEVEL", "STAGE", "TLS_ROOTS", "REQUEST_LOG"} | TOKENS,
    "Connect": {*TELLING, "PRESENCE_EVENTS", "CONNECTION_LIMIT", "REQUEST_LOG", *PRESENCE_QUEUE},
    "Disconnect": {"SESSIONS_TABLE", "LOG_LEVEL", "STAGE", "TLS_ROOTS", "REQUEST_LOG"} | PRESENCE_QUEUE,
    "Message": {"CONNECTION_LIMIT", "ABUSE_LIMIT", "FRAME_LIMIT", "REPLY_LIMIT", "FRAME_RATE", "FRAME_BURST"} | CHAT,
    "Rest": {
        *(
            "TICKETS_TABLE",
            "GROUP_LIMIT",
            "CHANNEL_MEMBERS",
            "INVITE_RATE",
            "INVITE_BURST",
            "DEVICE_LIMIT",
            "REMINDER_LIMIT",
            "AUDIT_DAYS",
            "OWN_EXPORTS",
            "WEB_PUSH_KEY",
            "LOCAL_WEB_PUSH",
        ),
        *("IMAGE_LIMIT", "FILE_LIMIT", "FILE_QUOTA", "ALLOWED_ORIGINS", "BUCKET", "USERS_VISIBLE"),
        *("LOOK_QUEUE_ARN", "SCHEDULE_GROUP", "SCHEDULE_ROLE_ARN"),
        "FAN_OUT_QUEUE_URL",
        *LOOK_QUEUE,
        *("EVENT_QUEUE_URL", "EVENTS"),
        *CHAT,
    },
    "OfflinePush": {
        *RETENTION,
        *("LOG_TABLE", "MEMBERS_TABLE", "SESSIONS_TABLE", "CONNECTIONS_ENDPOINT", "FAN_OUT_MS"),
        "BUCKET",
        *(
            "FAN_OUT_QUEUE_URL",
            "FAN_OUT_RATE",
            "CHANNEL_RATE",
            "SYNC_RATE",
            "DIGEST_LIMIT",
            "DIGEST_S",
            "LOG_LEVEL",
            "STAGE",
            "TLS_ROOTS",
        ),
        *PRESENCE_QUEUE,
        *LOOK_QUEUE,
        *PROVIDERS,
        *("PUSH_WITHDRAWALS", "USERS_VISIBLE"),
        *MAIL,
    },
    "Files": {
        *("LOG_TABLE", "MEMBERS_TABLE", "EVENTS", "BUCKET", "IMAGE_PIXELS"),
        *("LOG_LEVEL", "STAGE", "TLS_ROOTS"),
    },
    "Presence": {*TELLING, "PRESENCE_EVENTS"},
}
HANDLERS = {
    "Authorizer": "functions.connect.authorizer.handler",
    "Connect": "functions.connect.handler.handler",
    "Disconnect": "functions.disconnect.handler.handler",
    "Message": "functions.message.handler.handler",
    "Rest": "functions.rest.handler.handler",
    "OfflinePush": "functions.offline_push.handler.handler",
    "Presence": "functions.presence.handler.handler",
    "Files": "functions.files.handler.handler",
}
TIMEOUTS = {
    "Authorizer": 5,
    "Connect": 5,
    "Disconnect": 10,
    "Message": 29,
    "Rest": 29,
    "OfflinePush": 60,
    "Presence": 10,
    "Files": 60,
}
MEMORY = {
    "Authorizer": 512,
    "Connect": 512,
    "Disconnect": 256,
    "Message": 256,
    "Rest": 512,
    "OfflinePush": 512,
    "Presence": 256,
    "Files": 1_024,
}
# As the fixture `full` configures them.
LIMITS = {
    "CONNECTION_LIMIT": "25",
    "MESSAGE_RATE": "1",
    "MESSAGE_BURST": "2",
    "INVITE_RATE": "31",
    "INVITE_BURST": "32",
    "ABUSE_LIMIT": "3",
    "EDIT_WINDOW_S": "0",
    "GROUP_LIMIT": "4",
    "CHANNEL_MEMBERS": "4321",
    "INLINE_LIMIT": "5",
    "RECEIPTS_LIMIT": "6",
    "TEXT_LIMIT": "11",
    "MENTION_LIMIT": "12",
    "PAGE_LIMIT": "13",
    "FRAME_LIMIT": "2048",
    "REPLY_LIMIT": "64000",
    "FRAME_RATE": "14",
    "FRAME_BURST": "15",
    "PRESENCE_GRACE_S": "7",
    "FAN_OUT_RATE": "90",
    "CHANNEL_RATE": "91",
    "SYNC_RATE": "40",
    "DIGEST_LIMIT": "7",
    "DIGEST_S": "60",
    "FAN_OUT_MS": "900",
    "SECOND_LOOK_S": "16",
    "DEVICE_LIMIT": "17",
    "REMINDER_LIMIT": "18",
    "AUDIT_DAYS": "19",
    "OWN_EXPORTS": "0",
    "IMAGE_LIMIT": "2000",
    "IMAGE_PIXELS": "100000000",
    "FILE_LIMIT": "3000",
    "FILE_QUOTA": "5368709120",
}
QUEUES = {
    "PRESENCE_QUEUE_URL": "PresenceChecksQueue",
    "FAN_OUT_QUEUE_URL": "FanOutQueue",
    "LOOK_QUEUE_URL": "LooksQueue",
}


def environment(resources: Resources, function: str) -> dict[str, Any]:
    variables: dict[str, Any] = resources.functions[function]["Environment"]["Variables"]
    return variables


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_environment_holds_exactly_the_settings(function: str, aws: Resources, full: Resources) -> None:
    assert set(environment(aws, function)) == ENVIRONMENT[function]
    assert set(environment(full, function)) == ENVIRONMENT[function]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_on_a_laptop_the_emulators_address_comes_on_top(function: str, local: Resources) -> None:
    assert set(environment(local, function)) == ENVIRONMENT[function] | {"AWS_ENDPOINT_URL"}
    assert environment(local, function)["AWS_ENDPOINT_URL"] == "http://localhost:4577"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_settings_are_those_that_the_code_reads(function: str) -> None:
    from shared import config

    settings = getattr(config, f"{function}Settings")
    assert {name.upper() for name in settings.kinds()} == ENVIRONMENT[function]


def test_values_come_from_the_configuration(full: Resources) -> None:
    authorizer = environment(full, "Authorizer")
    assert authorizer["ALLOWED_ORIGINS"] == "https://chat.example.com,https://example.com:8443"
    assert authorizer["JWT_SECRET_ARN"] == ""
    assert authorizer["JWKS_URL"] == "https://id.example.com/jwks.json"
    assert (authorizer["JWT_ISSUER"], authorizer["JWT_AUDIENCE"]) == ("https://id.example.com/", "parley")
    assert {environment(full, function)["LOG_LEVEL"] for function in FUNCTIONS} == {"DEBUG"}


def test_requests_are_logged_on_a_laptop_and_on_aws_one_in_a_hundred_unless_more_is_wanted(
    aws: Resources, local: Resources, full: Resources
) -> None:
    logging = ("Authorizer", "Connect", "Disconnect", "Message", "Rest")
    set_to = [{environment(where, function)["REQUEST_LOG"] for function in logging} for where in (aws, local, full)]
    assert set_to == [{"sampled"}, {"on"}, {"on"}]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_limits_come_from_the_configuration_as_text(function: str, full: Resources) -> None:
    found = environment(full, function)
    assert {key: found[key] for key in LIMITS.keys() & found.keys()} == {
        key: LIMITS[key] for key in LIMITS.keys() & ENVIRONMENT[function]
    }


def test_queue_urls_are_references_to_their_queues(each: Resources) -> None:
    for function in FUNCTIONS:
        found = environment(each, function)
        for key, queue in QUEUES.items():
            if key in found:
                assert queue in found[key]["Ref"]


def test_a_schedule_is_told_the_look_queue_by_its_arn(each: Resources) -> None:
    assert "LooksQueue" in environment(each, "Rest")["LOOK_QUEUE_ARN"]["Fn::GetAtt"][0]


def test_files_are_in_the_bucket(each: Resources) -> None:
    [bucket] = each.of("AWS::S3::Bucket")
    assert environment(each, "Rest")["BUCKET"] == environment(each, "Files")["BUCKET"] == {"Ref": bucket}


def test_without_secrets_no_provider_is_set_up(aws: Resources) -> None:
    assert {environment(aws, "OfflinePush")[key] for key in PROVIDERS} == {""}


@pytest.mark.parametrize("name", ["local", "full"])
def test_a_secret_sets_its_provider_up(name: str, request: pytest.FixtureRequest) -> None:
    found = environment(request.getfixturevalue(name), "OfflinePush")
    assert (found["FCM_SECRET_ARN"], found["APNS_SECRET_ARN"]) == (FCM_SECRET, APNS_SECRET)
    assert "FcmPushesQueue" in found["FCM_QUEUE_URL"]["Ref"]
    assert "ApnsPushesQueue" in found["APNS_QUEUE_URL"]["Ref"]


def test_one_provider_can_be_set_up_alone(synthesize: Any) -> None:
    resources: Resources = synthesize(apns_secret_arn=APNS_SECRET)
    found = environment(resources, "OfflinePush")
    assert (found["FCM_QUEUE_URL"], found["FCM_SECRET_ARN"]) == ("", "")
    assert "ApnsPushesQueue" in found["APNS_QUEUE_URL"]["Ref"]
    assert not [name for name in resources.of("AWS::SQS::Queue") if "Fcm" in name]


def test_only_a_laptop_pushes_to_servers_of_its_own(local: Resources, full: Resources) -> None:
    keys = ("FCM_ENDPOINT", "APNS_ENDPOINT", "PUSH_CA_FILE")
    assert [environment(local, "OfflinePush")[key] for key in keys] == [
        "https://localhost:4578",
        "https://localhost:4579,https://localhost:4580",
        "/home/ann/parley/ca.pem",
    ]
    assert [environment(full, "OfflinePush")[key] for key in keys] == ["", "", ""]


def test_table_names_are_references_to_their_tables(each: Resources) -> None:
    for function in FUNCTIONS:
        for key, value in environment(each, function).items():
            if key.endswith("_TABLE"):
                assert f"Storage{key.removesuffix('_TABLE').capitalize()}" in value["Ref"]


def test_no_secret_value_is_in_a_template(each: Resources) -> None:
    text = json.dumps(each.template)
    assert "SecretString" not in text.replace("GenerateSecretString", "")
    assert "resolve:secretsmanager" not in text


def test_the_generated_secret_has_64_letters_and_digits(aws: Resources) -> None:
    [secret] = aws.properties("AWS::SecretsManager::Secret")
    assert secret["GenerateSecretString"] == {"PasswordLength": 64, "ExcludePunctuation": True}


def test_handlers_and_timeouts_are_those_of_the_contract(each: Resources) -> None:
    assert {name: function["Handler"] for name, function in each.functions.items()} == HANDLERS
    assert {name: function["Timeout"] for name, function in each.functions.items()} == TIMEOUTS


def test_functions_have_the_memory_that_was_measured_for_them(aws: Resources, local: Resources) -> None:
    for resources in (aws, local):
        assert {name: function["MemorySize"] for name, function in resources.functions.items()} == MEMORY


def test_where_larger_images_are_allowed_there_is_memory_to_decode_them(full: Resources) -> None:
    assert full.functions["Files"]["MemorySize"] == 1_956


def test_concurrency_is_kept_for_who_waits_where_it_is_configured(aws: Resources, full: Resources) -> None:
    kept = "ReservedConcurrentExecutions"
    assert not [name for name, function in aws.functions.items() if kept in function]
    assert {name: function[kept] for name, function in full.functions.items() if kept in function} == {
        "Authorizer": 40,
        "Connect": 40,
        "Message": 300,
    }


def test_functions_are_traced_only_where_it_is_configured(aws: Resources, synthesize: Any) -> None:
    assert not [name for name, function in aws.functions.items() if "TracingConfig" in function]
    traced: Resources = synthesize(tracing="on")
    assert {function["TracingConfig"]["Mode"] for function in traced.functions.values()} == {"Active"}
    for name in FUNCTIONS:
        [statement] = [one for one in traced.statements(name) if one["Resource"] == "*"]
        assert sorted(statement["Action"]) == ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
    report = json.loads((traced.file.parent / "validation-report.json").read_text(encoding="utf-8"))
    assert not [one for plugin in report["pluginReports"] for one in plugin["violations"]]


def test_authorizer_and_connect_share_one_bundle_and_others_share_none(each: Resources) -> None:
    bundles = {name: json.dumps(function["Code"]) for name, function in each.functions.items()}
    assert bundles["Authorizer"] == bundles["Connect"]
    assert len(set(bundles.values())) == len(FUNCTIONS) - 1


def test_on_aws_functions_run_python_3_13_on_arm64(aws: Resources) -> None:
    for function in aws.functions.values():
        assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])


def test_on_a_laptop_functions_run_what_the_host_has(local: Resources) -> None:
    machine = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
    for function in local.functions.values():
        assert function["Runtime"] == f"python{sys.version_info.major}.{sys.version_info.minor}"
        assert function["Architectures"] == [machine]


def test_every_function_logs_to_a_group_of_its_own_with_retention(aws: Resources, full: Resources) -> None:
    for resources, days in ((aws, 30), (full, 7)):
        groups = [function["LoggingConfig"]["LogGroup"]["Ref"] for function in resources.functions.values()]
        assert len(set(groups)) == len(FUNCTIONS)
        assert {group["RetentionInDays"] for group in resources.properties("AWS::Logs::LogGroup")} == {days}


def test_lambdas_own_lines_are_left_out_but_for_failures_until_debugging(aws: Resources, full: Resources) -> None:
    for resources, application, system in ((aws, "INFO", "WARN"), (full, "DEBUG", "INFO")):
        for function in resources.functions.values():
            logging = function["LoggingConfig"]
            assert logging["LogFormat"] == "JSON"
            assert (logging["ApplicationLogLevel"], logging["SystemLogLevel"]) == (application, system)
