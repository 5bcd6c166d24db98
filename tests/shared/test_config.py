from __future__ import annotations

from typing import Any

import pytest

from shared.config import (
    AuthorizerSettings,
    AwsEnvironment,
    ConfigurationError,
    ConnectSettings,
    DisconnectSettings,
    EventsSettings,
    FilesSettings,
    MessageSettings,
    OfflinePushSettings,
    PresenceSettings,
    RestSettings,
)

_TOKENS = {"JWT_SECRET_ARN", "JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE"}
_PRESENCE = {"PRESENCE_QUEUE_URL", "PRESENCE_GRACE_S"}
_TELLING = {
    "LOG_TABLE",
    "SESSIONS_TABLE",
    "MEMBERS_TABLE",
    "CONNECTIONS_ENDPOINT",
    "FAN_OUT_MS",
    "LOG_LEVEL",
    "STAGE",
    "TLS_ROOTS",
}
_RETENTION = ("RETENTION_PRIVATE_DAYS", "RETENTION_GROUP_DAYS", "RETENTION_CHANNEL_DAYS")
_CHAT = {
    *_RETENTION,
    *("LOG_TABLE", "MEMBERS_TABLE", "SESSIONS_TABLE", "CONNECTIONS_ENDPOINT", "FAN_OUT_MS", *_TOKENS, *_PRESENCE),
    *("MESSAGE_RATE", "MESSAGE_BURST", "EDIT_WINDOW_S", "INLINE_LIMIT", "RECEIPTS_LIMIT", "LOG_LEVEL", "STAGE"),
    *("RECEIPT_EVENTS", "PRESENCE_EVENTS"),
    "TLS_ROOTS",
    "REQUEST_LOG",
    *("TEXT_LIMIT", "MENTION_LIMIT", "PAGE_LIMIT", "PERMISSIONS"),
    *("WORD_LISTS", "SHADOW_BANS", "MESSAGE_HOOK", "MESSAGE_HOOK_SECRET_ARN", "MESSAGE_HOOK_MS", "MESSAGE_HOOK_FAILS"),
}

# What the infrastructure sets, function by function; its own tests hold the other side to the same list.
VARIABLES: dict[type[Any], set[str]] = {
    AuthorizerSettings: {
        "TICKETS_TABLE",
        *_TOKENS,
        "ALLOWED_ORIGINS",
        "LOG_LEVEL",
        "STAGE",
        "TLS_ROOTS",
        "REQUEST_LOG",
    },
    ConnectSettings: {*_TELLING, "PRESENCE_EVENTS", "CONNECTION_LIMIT", "REQUEST_LOG", *_PRESENCE},
    DisconnectSettings: {"SESSIONS_TABLE", *_PRESENCE, "LOG_LEVEL", "STAGE", "TLS_ROOTS", "REQUEST_LOG"},
    PresenceSettings: {*_TELLING, "PRESENCE_EVENTS"},
    MessageSettings: {
        *_CHAT,
        "CONNECTION_LIMIT",
        "ABUSE_LIMIT",
        "FRAME_LIMIT",
        "REPLY_LIMIT",
        "FRAME_RATE",
        "FRAME_BURST",
    },
    RestSettings: {
        *_CHAT,
        *(
            "TICKETS_TABLE",
            "GROUP_LIMIT",
            "CHANNEL_MEMBERS",
            "INVITE_RATE",
            "INVITE_BURST",
            "DEVICE_LIMIT",
            "REMINDER_LIMIT",
        ),
        *("AUDIT_DAYS", "OWN_EXPORTS", "IMAGE_LIMIT", "FILE_LIMIT", "FILE_QUOTA"),
        *("ALLOWED_ORIGINS", "BUCKET", "USERS_VISIBLE"),
        *("WEB_PUSH_KEY", "LOCAL_WEB_PUSH"),
        *("LOOK_QUEUE_URL", "LOOK_QUEUE_ARN", "SECOND_LOOK_S", "SCHEDULE_GROUP", "SCHEDULE_ROLE_ARN"),
        "FAN_OUT_QUEUE_URL",
        *("EVENT_QUEUE_URL", "EVENTS"),
    },
    OfflinePushSettings: {
        *_RETENTION,
        *("LOG_TABLE", "MEMBERS_TABLE", "SESSIONS_TABLE", "CONNECTIONS_ENDPOINT"),
        *(
            "FAN_OUT_MS",
            "FAN_OUT_QUEUE_URL",
            "FAN_OUT_RATE",
            "CHANNEL_RATE",
            "SYNC_RATE",
            "DIGEST_LIMIT",
            "DIGEST_S",
            *_PRESENCE,
            "LOG_LEVEL",
            "STAGE",
            "TLS_ROOTS",
        ),
        *("LOOK_QUEUE_URL", "SECOND_LOOK_S", "FCM_QUEUE_URL", "FCM_SECRET_ARN", "FCM_ENDPOINT"),
        *("APNS_QUEUE_URL", "APNS_SECRET_ARN", "APNS_ENDPOINT", "PUSH_CA_FILE", "BUCKET"),
        *("PUSH_WITHDRAWALS", "USERS_VISIBLE"),
        *("WEB_QUEUE_URL", "WEB_SECRET_ARN", "LOCAL_WEB_PUSH"),
        *("MAIL_FROM", "MAIL_REPLY_TO", "MAIL_LINK", "MAIL_DIGEST_AFTER_M", "MAIL_DIGEST_EVERY_H"),
        *("MAIL_CONFIGURATION_SET", "MAIL_ENDPOINT", "HTTP_URL"),
    },
    EventsSettings: {
        *_RETENTION,
        *("LOG_TABLE", "MEMBERS_TABLE", "EVENT_QUEUE_URL", "EVENT_FAILURES_URL", "EVENT_BUS"),
        *("LOG_LEVEL", "STAGE", "TLS_ROOTS"),
    },
    FilesSettings: {
        *("LOG_TABLE", "MEMBERS_TABLE", "EVENTS", "BUCKET", "IMAGE_PIXELS"),
        *("LOG_LEVEL", "STAGE", "TLS_ROOTS"),
    },
}
_NUMBERS = {
    *_RETENTION,
    *("INVITE_RATE", "INVITE_BURST"),
    *(
        "CONNECTION_LIMIT",
        "MESSAGE_RATE",
        "MESSAGE_BURST",
        "ABUSE_LIMIT",
        "EDIT_WINDOW_S",
        "GROUP_LIMIT",
        "CHANNEL_MEMBERS",
    ),
    *(
        "INLINE_LIMIT",
        "RECEIPTS_LIMIT",
        "PRESENCE_GRACE_S",
        "FAN_OUT_RATE",
        "CHANNEL_RATE",
        "SYNC_RATE",
        "FAN_OUT_MS",
        "DIGEST_LIMIT",
        "DIGEST_S",
    ),
    *("TEXT_LIMIT", "MENTION_LIMIT", "PAGE_LIMIT", "FRAME_LIMIT", "REPLY_LIMIT", "FRAME_RATE", "FRAME_BURST"),
    *("DEVICE_LIMIT", "REMINDER_LIMIT", "IMAGE_LIMIT", "FILE_LIMIT", "FILE_QUOTA", "IMAGE_PIXELS", "SECOND_LOOK_S"),
    "AUDIT_DAYS",
    "OWN_EXPORTS",
    *("MAIL_DIGEST_AFTER_M", "MAIL_DIGEST_EVERY_H"),
    "MESSAGE_HOOK_MS",
}
_EACH = pytest.mark.parametrize("settings", list(VARIABLES), ids=lambda one: one.__name__)


def _environ(settings: type[Any]) -> dict[str, str]:
    return {name: "7" if name in _NUMBERS else f"the {name}" for name in VARIABLES[settings]}


@_EACH
def test_the_fields_are_the_variables_of_the_deployment(settings: type[Any]) -> None:
    assert {name.upper() for name in settings.kinds()} == VARIABLES[settings]


@_EACH
def test_each_variable_is_read_into_its_field_and_others_are_left_alone(settings: type[Any]) -> None:
    loaded = settings.load({**_environ(settings), "PATH": "/bin"})
    for name in VARIABLES[settings]:
        assert getattr(loaded, name.lower()) == (7 if name in _NUMBERS else f"the {name}")


@_EACH
def test_a_missing_variable_is_named(settings: type[Any]) -> None:
    for missing in VARIABLES[settings]:
        environ = {name: value for name, value in _environ(settings).items() if name != missing}
        with pytest.raises(ConfigurationError, match=rf"^{settings.__name__}: .* {missing} is not set$"):
            settings.load(environ)


@_EACH
def test_what_is_not_configured_is_empty_and_not_missing(settings: type[Any]) -> None:
    environ = {name: "7" if name in _NUMBERS else "" for name in VARIABLES[settings]}
    assert {getattr(settings.load(environ), name) for name in settings.kinds()} <= {"", 7}


@pytest.mark.parametrize("settings", [ConnectSettings, MessageSettings])
@pytest.mark.parametrize("limit", ["", "ten", "1.5", "0x10", "1e3", "None"])
def test_a_number_that_is_none_is_named(settings: type[Any], limit: str) -> None:
    with pytest.raises(ConfigurationError, match="CONNECTION_LIMIT must be a whole number"):
        settings.load({**_environ(settings), "CONNECTION_LIMIT": limit})


def test_settings_come_from_the_process_environment_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESSIONS_TABLE", "sessions")
    monkeypatch.setenv("PRESENCE_QUEUE_URL", "the queue")
    monkeypatch.setenv("PRESENCE_GRACE_S", "10")
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("STAGE", "prod")
    monkeypatch.setenv("REQUEST_LOG", "on")
    monkeypatch.setenv("TLS_ROOTS", "all")
    assert vars(DisconnectSettings.load()) == {
        "sessions_table": "sessions",
        "presence_queue_url": "the queue",
        "presence_grace_s": 10,
        "log_level": "DEBUG",
        "stage": "prod",
        "request_log": "on",
        "tls_roots": "all",
    }


def test_settings_do_not_change() -> None:
    loaded: Any = DisconnectSettings.load(_environ(DisconnectSettings))
    with pytest.raises(AttributeError, match="log_level"):
        loaded.log_level = "DEBUG"


def test_the_runtime_says_region_and_credentials() -> None:
    environ = {
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "us-west-2",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
        "AWS_ENDPOINT_URL": "http://localhost:4577",
    }
    assert AwsEnvironment.load(environ) == AwsEnvironment(
        "eu-west-1", "key", "secret", "token", "http://localhost:4577"
    )


@pytest.mark.parametrize(
    ("environ", "region"),
    [
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
        ({}, "us-east-1"),
    ],
)
def test_a_region_is_always_known_and_an_endpoint_only_on_laptops(environ: dict[str, str], region: str) -> None:
    loaded = AwsEnvironment.load(environ)
    assert (loaded.region, loaded.endpoint_url, loaded.session_token) == (region, "", "")
