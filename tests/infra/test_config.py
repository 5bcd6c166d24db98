from __future__ import annotations

import re
from dataclasses import fields

import pytest

from infra.config import RETENTION_DAYS, Config, ConfigError, unknown_variables
from infra.config_reader import RouteThrottle
from infra.routes import ROUTES
from tests.infra.templates import ROOT

CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
LOCAL = {"target": "local", "local_endpoint": "http://localhost:4577"}


def problems(context: dict[str, object], environ: dict[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        Config.load(context, environ or {})
    return caught.value.problems


def test_defaults_on_aws_keep_data_and_let_no_browser_in() -> None:
    config = Config.load({}, {})
    assert (config.target, config.stage, config.removal, config.allowed_origins) == ("aws", "prod", "retain", ())
    assert (config.connection_limit, config.log_level, config.log_retention_days) == (20, "INFO", 30)


def test_defaults_on_a_laptop_allow_its_own_pages_and_remove_everything() -> None:
    config = Config.load(LOCAL, {})
    assert (config.stage, config.removal) == ("local", "destroy")
    assert config.allowed_origins == ("http://localhost:*", "http://127.0.0.1:*")


def test_the_context_wins_over_the_environment() -> None:
    environ = {"PARLEY_STAGE": "dev", "PARLEY_CONNECTION_LIMIT": "3", "PARLEY_PORT": "4577"}
    config = Config.load({"stage": "qa"}, environ)
    assert (config.stage, config.connection_limit) == ("qa", 3)


def test_values_from_cdk_json_need_not_be_text() -> None:
    assert Config.load({"connection_limit": 7}, {}).connection_limit == 7


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("target", "azure", "one of aws, local"),
        ("stage", "Prod", "at most 20 lower-case letters, digits and '-', a letter first"),
        ("stage", "a" * 21, "at most 20 lower-case letters, digits and '-', a letter first"),
        ("local_endpoint", "localhost:4577", "the emulator's address like http://localhost:4577"),
        ("local_endpoint", "http://localhost:4577/", "the emulator's address like http://localhost:4577"),
        ("jwt_secret_arn", "my-secret", "the complete ARN of a Secrets Manager secret"),
        ("jwks_url", "http://id.example.com/jwks", "a URL that starts with https://"),
        ("jwt_issuer", "a b", "text without blanks and commas, at most 256 characters"),
        ("jwt_audience", "a,b", "text without blanks and commas, at most 256 characters"),
        ("connection_limit", "0", "a whole number from 1 to 100"),
        ("connection_limit", "ten", "a whole number from 1 to 100"),
        ("throttle_rate", "10001", "a whole number from 1 to 10000"),
        ("throttle_burst", "-1", "a whole number from 1 to 5000"),
        ("message_rate", "0", "a whole number from 1 to 1000"),
        ("message_rate", "1001", "a whole number from 1 to 1000"),
        ("message_burst", "0", "a whole number from 1 to 10000"),
        ("message_burst", "10001", "a whole number from 1 to 10000"),
        ("invite_rate", "0", "a whole number from 1 to 100000"),
        ("invite_burst", "100001", "a whole number from 1 to 100000"),
        ("abuse_limit", "0", "a whole number from 1 to 10000"),
        ("abuse_limit", "10001", "a whole number from 1 to 10000"),
        ("edit_window_s", "-1", "a whole number from 0 to 31536000"),
        ("edit_window_s", "31536001", "a whole number from 0 to 31536000"),
        ("group_limit", "1", "a whole number from 2 to 1000"),
        ("channel_members", "999", "a whole number from 1000 to 1000000"),
        ("group_limit", "1001", "a whole number from 2 to 1000"),
        ("inline_limit", "0", "a whole number from 1 to 1000"),
        ("inline_limit", "1001", "a whole number from 1 to 1000"),
        ("retention_private_days", "-1", "a whole number from 0 to 36500"),
        ("retention_group_days", "36501", "a whole number from 0 to 36500"),
        ("retention_channel_days", "1.5", "a whole number from 0 to 36500"),
        ("receipts_limit", "-1", "a whole number from 0 to 1000"),
        ("receipts_limit", "1001", "a whole number from 0 to 1000"),
        ("text_limit", "5001", "a whole number from 1 to 5000"),
        ("mention_limit", "51", "a whole number from 0 to 50"),
        ("page_limit", "0", "a whole number from 1 to 100"),
        ("frame_limit", "1023", "a whole number from 1024 to 32768"),
        ("reply_limit", "30999", "a whole number from 31000 to 110000"),
        ("reply_limit", "110001", "a whole number from 31000 to 110000"),
        ("frame_rate", "0", "a whole number from 1 to 1000"),
        ("frame_burst", "10001", "a whole number from 1 to 10000"),
        ("presence_grace_s", "-1", "a whole number from 0 to 900"),
        ("presence_grace_s", "901", "a whole number from 0 to 900"),
        ("message_concurrency", "10001", "a whole number from 0 to 10000"),
        ("connect_concurrency", "-1", "a whole number from 0 to 10000"),
        ("presence_concurrency", "1", "a whole number from 2 to 100"),
        ("look_concurrency", "101", "a whole number from 2 to 100"),
        ("http_domain_name", "API.example.com", "a lower-case domain name like chat.example.com"),
        ("http_certificate_arn", "0a1b2c3d", "the ARN of an ACM certificate"),
        ("default_endpoints", "none", "one of on, off"),
        ("tracing", "xray", "one of on, off"),
        ("dashboard", "yes", "one of on, off"),
        ("jwt_key_arn", "alias/parley", "the ARN of a KMS key, not of an alias"),
        ("fcm_key_arn", "arn:aws:kms:eu-west-1:123456789012:alias/x", "the ARN of a KMS key, not of an alias"),
        ("apns_key_arn", "key", "the ARN of a KMS key, not of an alias"),
        ("fan_out_concurrency", "1", "a whole number from 2 to 100"),
        ("fan_out_concurrency", "101", "a whole number from 2 to 100"),
        ("channel_rate", "9", "a whole number from 10 to 10000"),
        ("fan_out_rate", "9", "a whole number from 10 to 5000"),
        ("digest_limit", "-1", "a whole number from 0 to 1000"),
        ("digest_limit", "1001", "a whole number from 0 to 1000"),
        ("digest_s", "29", "a whole number from 30 to 900"),
        ("digest_s", "901", "a whole number from 30 to 900"),
        ("fcm_secret_arn", "fcm", "the complete ARN of a Secrets Manager secret"),
        ("apns_secret_arn", "{}", "the complete ARN of a Secrets Manager secret"),
        ("mail_from", "Chat <chat@example.com>", "an address like chat@example.com"),
        ("mail_from", "chat@localhost", "an address like chat@example.com"),
        ("mail_link", "javascript:alert(1)", "a URL like https://example.com/chat/{conversation_id}"),
        ("mail_digest_after_m", "-1", "a whole number from 0 to 10080"),
        ("mail_digest_every_h", "721", "a whole number from 1 to 720"),
        ("push_concurrency", "1", "a whole number from 2 to 100"),
        ("push_concurrency", "101", "a whole number from 2 to 100"),
        ("second_look_s", "0", "a whole number from 1 to 60"),
        ("second_look_s", "61", "a whole number from 1 to 60"),
        ("device_limit", "0", "a whole number from 1 to 20"),
        ("device_limit", "21", "a whole number from 1 to 20"),
        ("reminder_limit", "0", "a whole number from 1 to 1000"),
        ("reminder_limit", "1001", "a whole number from 1 to 1000"),
        ("audit_days", "0", "a whole number from 1 to 3653"),
        ("audit_days", "3654", "a whole number from 1 to 3653"),
        ("own_exports", "10001", "a whole number from 0 to 10000"),
        ("word_lists", "yes", "one of on, off"),
        ("shadow_bans", "true", "one of on, off"),
        ("message_hook_ms", "49", "a whole number from 50 to 5000"),
        ("message_hook_ms", "5001", "a whole number from 50 to 5000"),
        ("message_hook_fails", "shut", "one of open, closed"),
        ("image_limit", "1023", "a whole number from 1024 to 26214400"),
        ("image_limit", "26214401", "a whole number from 1024 to 26214400"),
        ("image_pixels", "999999", "a whole number from 1000000 to 100000000"),
        ("image_pixels", "100000001", "a whole number from 1000000 to 100000000"),
        ("file_limit", "1023", "a whole number from 1024 to 536870912"),
        ("file_limit", "536870913", "a whole number from 1024 to 536870912"),
        ("file_quota", "1023", "a whole number from 1024 to 1000000000000"),
        ("file_quota", "1000000000001", "a whole number from 1024 to 1000000000000"),
        ("local_fcm_endpoint", "http://localhost:4579", "an address on this machine like https://localhost:4579"),
        ("local_fcm_endpoint", "https://example.com:443", "an address on this machine like https://localhost:4579"),
        ("local_apns_endpoint", "https://localhost:4579", "two addresses, production first, comma separated"),
        ("local_ca_file", "ca.pem", "the absolute path of a PEM file"),
        ("fan_out_rate", "5001", "a whole number from 10 to 5000"),
        ("fan_out_ms", "99", "a whole number from 100 to 5000"),
        ("fan_out_ms", "5001", "a whole number from 100 to 5000"),
        ("events", "on", "one of off, eventbridge, webhooks, both"),
        ("log_level", "info", "one of DEBUG, INFO, WARNING, ERROR"),
        ("tls_roots", "mozilla", "one of amazon, all"),
        ("log_retention_days", "31", "one of " + ", ".join(map(str, RETENTION_DAYS))),
        ("removal", "keep", "one of retain, destroy"),
        ("alarm_topic_arn", "alarms", "the ARN of an SNS topic"),
        ("gateway_logs_role", "none", "one of create, existing"),
    ],
)
def test_a_wrong_value_is_one_line_with_the_key_and_what_is_allowed(key: str, value: str, allowed: str) -> None:
    line = f"{key}: {value!r} is not allowed; give {allowed}"
    assert problems({key: value}) == (line,)
    assert problems({}, {f"PARLEY_{key.upper()}": value}) == (line,)


def test_limits_have_defaults_that_a_chat_can_live_with() -> None:
    config = Config.load({}, {})
    assert (config.message_rate, config.message_burst, config.abuse_limit) == (20, 200, 100)
    assert (config.invite_rate, config.invite_burst) == (200, 1_000)
    assert (config.edit_window_s, config.presence_grace_s) == (86_400, 10)
    assert (config.group_limit, config.inline_limit, config.receipts_limit) == (1_000, 200, 100)
    assert (config.fan_out_concurrency, config.fan_out_rate, config.fan_out_ms) == (5, 500, 1_000)
    assert (config.digest_limit, config.digest_s) == (500, 900)
    assert (config.presence_concurrency, config.look_concurrency) == (5, 5)
    assert (config.message_concurrency, config.connect_concurrency) == (0, 0)
    assert (config.text_limit, config.mention_limit, config.page_limit) == (5_000, 50, 100)
    assert (config.frame_limit, config.frame_rate, config.frame_burst) == (32_768, 50, 500)
    assert config.reply_limit == 31_000
    assert (config.push_concurrency, config.second_look_s) == (5, 5)
    assert (config.device_limit, config.reminder_limit, config.audit_days) == (10, 100, 400)
    assert (config.image_limit, config.image_pixels, config.file_limit) == (10_485_760, 40_000_000, 104_857_600)


def test_events_go_out_where_that_is_asked_for_and_on_a_laptop() -> None:
    config = Config.load({}, {})
    assert (config.events, config.has_bus, config.has_webhooks) == ("off", False, False)
    assert Config.load(LOCAL, {}).events == "both"
    of_one = [Config.load({"events": kind}, {}) for kind in ("eventbridge", "webhooks")]
    assert [(one.has_bus, one.has_webhooks) for one in of_one] == [(True, False), (False, True)]


def test_messages_are_looked_at_first_where_that_is_asked_for_and_on_a_laptop() -> None:
    config = Config.load({}, {})
    assert (config.word_lists, config.shadow_bans, config.message_hook) == ("off", "off", "")
    assert (Config.load(LOCAL, {}).word_lists, Config.load(LOCAL, {}).shadow_bans) == ("on", "on")


def test_a_hook_is_a_lambda_or_an_endpoint_and_on_a_laptop_a_local_one_too() -> None:
    secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:hook-AbCdEf"
    function = "arn:aws:lambda:us-east-1:123456789012:function:moderate"
    assert Config.load({"message_hook": function}, {}).hook_is_lambda
    assert not Config.load(
        {"message_hook": "https://example.com/check", "message_hook_secret_arn": secret}, {}
    ).is_local
    assert Config.load({**LOCAL, "message_hook": "http://localhost:9000/check"}, {}).message_hook
    wrong: list[dict[str, object]] = [
        {"message_hook": "http://localhost:9000"},
        {"message_hook": "http://example.com"},
        {"message_hook": "moderate"},
        {"message_hook": function, "message_hook_secret_arn": secret},
        {"message_hook_secret_arn": secret},
    ]
    for context in wrong:
        assert len(problems(context)) == 1, context


def test_no_push_provider_is_set_up_by_default() -> None:
    config = Config.load({}, {})
    assert (config.fcm_secret_arn, config.apns_secret_arn) == ("", "")


def test_a_laptop_may_have_push_servers_of_its_own() -> None:
    pair = "https://localhost:4579,https://127.0.0.1:4580"
    config = Config.load(
        {**LOCAL, "local_fcm_endpoint": "https://localhost:4578", "local_apns_endpoint": pair, "local_ca_file": "/a b"},
        {},
    )
    assert (config.local_fcm_endpoint, config.local_apns_endpoint) == ("https://localhost:4578", pair)
    assert config.local_ca_file == "/a b"


def test_numbers_become_variables_as_text() -> None:
    assert Config.load({}, {}).environment("message_rate", "edit_window_s") == {
        "MESSAGE_RATE": "20",
        "EDIT_WINDOW_S": "86400",
    }


def test_costly_and_rare_routes_have_throttles_of_their_own() -> None:
    assert Config.load({}, {}).route_throttles == (
        RouteThrottle("sync", 500, 250),
        RouteThrottle("presence", 200, 100),
        RouteThrottle("auth", 100, 50),
    )


def test_configured_route_throttles_take_the_place_of_the_default_ones() -> None:
    config = Config.load({"route_throttles": "$connect=10000/5000, $default=1/1"}, {})
    assert config.route_throttles == (RouteThrottle("$connect", 10_000, 5_000), RouteThrottle("$default", 1, 1))


@pytest.mark.parametrize(
    "entry",
    ["sync", "sync=500", "sync=/", "sync=0/1", "sync=1/0", "sync=10001/1", "sync=1/5001", "sync=1.5/1", "sink=1/1"],
)
def test_a_route_throttle_that_is_none_is_one_line_with_the_routes(entry: str) -> None:
    [line] = problems({"route_throttles": f"ping=5/5,{entry}"})
    assert line.startswith(f"route_throttles: {entry!r} is not allowed; give route=rate/burst like sync=500/250")
    assert line.endswith(f"rates from 1 to 10000, bursts from 1 to 5000, each route once, of {', '.join(ROUTES)}")


def test_how_many_syncs_are_let_in_is_the_routes_rate_or_the_stages() -> None:
    assert Config.load({}, {}).sync_rate == 500
    assert Config.load({"route_throttles": "auth=5/5, sync=40/30"}, {}).sync_rate == 40
    assert Config.load({"route_throttles": "auth=5/5", "throttle_rate": "70"}, {}).sync_rate == 70


def test_a_route_has_one_throttle() -> None:
    [line] = problems({"route_throttles": "sync=5/5,sync=6/6"})
    assert line.startswith("route_throttles: 'sync=6/6' is not allowed")


@pytest.mark.parametrize("origin", ["*", "chat.example.com", "https://*.example.com", "https://a.example.com/", "nil"])
def test_an_origin_is_exact_but_for_its_port(origin: str) -> None:
    [line] = problems({"allowed_origins": f"https://fine.example.com,{origin}"})
    assert line.startswith(f"allowed_origins: {origin!r} is not allowed; give origins like")


def test_origins_have_any_scheme_a_port_that_may_be_open_or_are_null() -> None:
    origins = ["capacitor://localhost", "tauri://localhost", "ionic://localhost", "app://org.example.chat", "file://"]
    origins += ["http://localhost:*", "http://[::1]:5173", "chrome-extension://abcdefghijklmnop", "null"]
    assert Config.load({"allowed_origins": ", ".join(origins)}, {}).allowed_origins == tuple(origins)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("https://Chat.Example.COM", "https://chat.example.com"),
        ("https://chat.example.com:443", "https://chat.example.com"),
        ("http://localhost:80", "http://localhost"),
        ("http://localhost:443", "http://localhost:443"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:80", "http://[::1]"),
        ("capacitor://localhost:443", "capacitor://localhost:443"),
        ("Capacitor://LocalHost", "capacitor://localhost"),
    ],
)
def test_an_origin_is_kept_as_browsers_say_it(given: str, sent: str) -> None:
    assert Config.load({"allowed_origins": f"{given},{sent}"}, {}).allowed_origins == (sent,)


def test_all_mistakes_are_reported_at_once() -> None:
    lines = problems({"stage": "1", "connection_limit": "x", "log_level": "LOUD"})
    assert [line.split(":")[0] for line in lines] == ["stage", "connection_limit", "log_level"]


@pytest.mark.parametrize(
    ("context", "line"),
    [
        ({"target": "local"}, "local_endpoint: required when target=local, like http://localhost:4577"),
        (
            {
                "jwks_url": "https://id.example.com/jwks",
                "jwt_secret_arn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:jwt-AbCdEf",
            },
            "jwt_secret_arn, jwks_url: give one of them, not both",
        ),
        ({"domain_name": "chat.example.com"}, "domain_name, certificate_arn: give both or neither"),
        (
            {"web_token_url": "https://x.example/t"},
            "web_token_url: only with web=true, whose page asks there for tokens",
        ),
        (
            {"web": "true", "web_token_url": "https://x;y/t"},
            "web_token_url: 'https://x;y/t' is not allowed; give a URL like https://example.com/chat-token",
        ),
        (
            {"web": "true", "web_token_url": "http://x.example/t"},
            "web_token_url: 'http://x.example/t' is not allowed; give a URL like https://example.com/chat-token",
        ),
        ({"certificate_arn": CERTIFICATE}, "domain_name, certificate_arn: give both or neither"),
        (
            {"http_domain_name": "api.example.com"},
            "http_domain_name: give http_certificate_arn too, or a certificate_arn that names both domains",
        ),
        ({"http_certificate_arn": CERTIFICATE}, "http_certificate_arn: only with http_domain_name"),
        (
            {"domain_name": "a.example.com", "http_domain_name": "a.example.com", "certificate_arn": CERTIFICATE},
            "domain_name, http_domain_name: API Gateway serves one of the two APIs by a domain; give two",
        ),
        (
            {"domain_name": "a.example.com", "certificate_arn": CERTIFICATE, "default_endpoints": "off"},
            "default_endpoints: off only with domain_name and http_domain_name, or nothing can be reached",
        ),
        (
            {"default_endpoints": "off"},
            "default_endpoints: off only with domain_name and http_domain_name, or nothing can be reached",
        ),
        (
            {"jwks_url": "https://id.example.com/jwks", "jwt_key_arn": KEY},
            "jwt_key_arn: with jwks_url there is no secret that it could encrypt; leave it out",
        ),
        ({"fcm_key_arn": KEY}, "fcm_key_arn: only with fcm_secret_arn, the secret that it encrypts"),
        ({"web_push_key_arn": KEY}, "web_push_key_arn: only with web_push_secret_arn, the secret that it encrypts"),
        (
            {"web_push_key": "B" + "a" * 86},
            "web_push_secret_arn, web_push_key: give both or neither; the one is the other's private half",
        ),
        ({"apns_key_arn": KEY}, "apns_key_arn: only with apns_secret_arn, the secret that it encrypts"),
        *(
            (
                {key: value},
                (
                    "local_fcm_endpoint, local_apns_endpoint, local_web_push, local_ca_file: only with target=local; "
                    "on AWS pushes go to Google and Apple"
                ),
            )
            for key, value in (
                ("local_fcm_endpoint", "https://localhost:1"),
                ("local_apns_endpoint", "https://localhost:1,https://localhost:2"),
                ("local_ca_file", "/ca.pem"),
            )
        ),
        ({"alowed_origins": "https://a.example.com"}, "alowed_origins: no such key; did you mean allowed_origins?"),
        ({"log-level": "DEBUG"}, "log-level: no such key; did you mean log_level?"),
        ({"stgae": "dev"}, "stgae: no such key; did you mean stage?"),
        ({"origins": "https://x"}, "origins: no such key; did you mean allowed_origins?"),
        ({"PARLEY_STAGE": "dev"}, "PARLEY_STAGE: no such key; did you mean stage?"),
        ({"parley_xqz": "dev"}, "parley_xqz: no such key"),
    ],
)
def test_rules_between_keys(context: dict[str, object], line: str) -> None:
    assert problems(context) == (line,)


def test_keys_of_the_cdk_and_of_other_tools_are_left_alone() -> None:
    Config.load({"@aws-cdk/core:stage": True, "availability-zones:account=1": [], "owner": "me"}, {})


def test_the_configuration_page_lists_every_key_and_no_other() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == [field.name for field in fields(Config)]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("PARLEY_STGAE", "PARLEY_STGAE: no such key; did you mean PARLEY_STAGE?"),
        ("PARLEY_REQUESTLOG", "PARLEY_REQUESTLOG: no such key; did you mean PARLEY_REQUEST_LOG?"),
        ("PARLEY_HOEM", "PARLEY_HOEM: no such key; did you mean PARLEY_HOME?"),
        ("PARLEY_JWT_ISSUERS", "PARLEY_JWT_ISSUERS: no such key; did you mean PARLEY_JWT_ISSUER?"),
        ("parley_stage", "parley_stage: no such key; did you mean PARLEY_STAGE?"),
        ("PARLEY_", "PARLEY_: no such key; did you mean PARLEY_WEB?"),
        ("PARLEY_XQZ_8472", "PARLEY_XQZ_8472: no such key"),
    ],
)
def test_a_misspelt_variable_is_refused_with_the_nearest_name(name: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Config.load({}, {name: "x", "PARLEY_HOME": "/x", "PARLEY_PORT": "4600", "PATH": "/bin"})
    assert [one for one in caught.value.problems if "no such key" in one] == [line]


def test_every_key_is_a_variable_that_is_known() -> None:
    assert unknown_variables({f"PARLEY_{field.name.upper()}": "" for field in fields(Config)}) == []


def test_what_guides_and_examples_have_exported_is_in_no_commands_way() -> None:
    exported = ("WS_URL", "HTTP_URL", "TOKEN", "ADMIN_TOKEN", "SECRET_FILE")
    assert unknown_variables({f"PARLEY_{name}": "x" for name in exported}) == []


def test_a_mistake_in_the_table_of_roles_is_a_line_of_its_own() -> None:
    lines = problems({"permissions": "group.pin=boss, channel.freeze=owner"})
    assert [line.partition(": ")[0] for line in lines] == ["permissions", "permissions"]
    assert "no such role: 'boss'" in lines[0]
    assert Config.load({"permissions": " group.pin=owner , group.send = admin,"}, {}).permissions == (
        "group.pin=owner,group.send = admin"
    )
