"""The stack's configuration: typed, validated, read once from CDK context (`-c key=value`) or `PARLEY_<KEY>`.

docs/configuration.md lists every key. A mistake is reported as one line that names the key and what is allowed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final, Literal

from infra.config_reader import MAX_BURST, MAX_RATE, PREFIX, ROUTE_THROTTLES, Reader, variable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.config_reader import RouteThrottle

TargetName = Literal["aws", "local"]
Removal = Literal["retain", "destroy"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Switch = Literal["on", "off"]
RequestLog = Literal["on", "sampled", "off"]
AccessLog = Literal["all", "http", "off"]
Events = Literal["off", "eventbridge", "webhooks", "both"]
UsersVisible = Literal["everyone", "acquainted", "nobody"]
Withdrawals = Literal["off", "apps", "all"]
Truth = Literal["true", "false"]
LogsRole = Literal["create", "existing"]
Roots = Literal["amazon", "all"]
Fails = Literal["open", "closed"]

TARGETS: Final[tuple[TargetName, ...]] = ("aws", "local")
REMOVALS: Final[tuple[Removal, ...]] = ("retain", "destroy")
LOG_LEVELS: Final[tuple[LogLevel, ...]] = ("DEBUG", "INFO", "WARNING", "ERROR")
SWITCHES: Final[tuple[Switch, ...]] = ("on", "off")
REQUEST_LOGS: Final[tuple[RequestLog, ...]] = ("on", "sampled", "off")
EVENTS: Final[tuple[Events, ...]] = ("off", "eventbridge", "webhooks", "both")
USERS_VISIBLE: Final[tuple[UsersVisible, ...]] = ("everyone", "acquainted", "nobody")
WITHDRAWALS: Final[tuple[Withdrawals, ...]] = ("off", "apps", "all")
ACCESS_LOGS: Final[tuple[AccessLog, ...]] = ("all", "http", "off")
TRUTHS: Final[tuple[Truth, ...]] = ("true", "false")
MEMORY_MB: Final = (256, 512, 1_024, 1_769)
LOGS_ROLES: Final[tuple[LogsRole, ...]] = ("create", "existing")
ROOTS: Final[tuple[Roots, ...]] = ("amazon", "all")
FAILS: Final[tuple[Fails, ...]] = ("open", "closed")
# CloudWatch Logs takes just these.
RETENTION_DAYS: Final = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653)
# More than any account has without having talked with AWS about it; `make deploy` asks what this account has.
MAX_CONCURRENCY: Final = 10_000
LOCAL_ORIGINS: Final = ("http://localhost:*", "http://127.0.0.1:*")

# Variables that are no keys: where the laptop's stack is, and what the Python client's chat, the guides' programs, the
# examples and the tests are told.
_NO_KEYS: Final = (
    "HOME",
    "PORT",
    "RECORD",
    "WS_URL",
    "HTTP_URL",
    "TOKEN",
    "ADMIN_TOKEN",
    "SECRET_FILE",
    "DYNAMODB_ENDPOINT",
)

_STAGE = r"[a-z][a-z0-9-]{0,19}"
_STAGE_RULE = "at most 20 lower-case letters, digits and '-', a letter first"
_ENDPOINT = r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?"
_KEPT_ARN = r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+-[A-Za-z0-9]{6}"
_KEPT_RULE = "the complete ARN of a Secrets Manager secret"
_KEY_ARN = r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/(mrk-[0-9a-f]{32}|[0-9a-f-]{36})"
_KEY_RULE = "the ARN of a KMS key, not of an alias"
_CERTIFICATE_ARN = r"arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]+"
_CERTIFICATE_RULE = "the ARN of an ACM certificate"
_TOPIC_ARN = r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+"
_ADDRESS = r"[A-Za-z0-9._+-]{1,64}@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"
_ADDRESS_RULE = "an address like chat@example.com"
_APP_URL = r"(https://|http://(localhost|127\.0\.0\.1)[:/])[^\s,\"<>]{1,500}"
_DOMAIN = r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"
_DOMAIN_RULE = "a lower-case domain name like chat.example.com"
_CLAIM = r"[^\s,]{1,256}"
_CLAIM_RULE = "text without blanks and commas, at most 256 characters"
_HTTPS_URL = r"https://[^\s,]{1,500}"
_BACKEND_URL = r"https://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?(/[^\s,]{0,500})?"
_FUNCTION_ARN = r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9_$-]{1,128})?"
_LOOPBACK_URL = r"http://(localhost|127\.0\.0\.1):[0-9]{1,5}(/[^\s,]{0,500})?"
_HOOK = rf"{_FUNCTION_ARN}|{_BACKEND_URL}|{_LOOPBACK_URL}"
_HOOK_RULE = "the ARN of a Lambda function, or a URL that starts with https:// (on a laptop http://localhost:port, too)"
_LOCAL_URL = r"https://(localhost|127\.0\.0\.1):[0-9]{1,5}"
_LOCAL_URL_RULE = "an address on this machine like https://localhost:4579"
_LOCAL_FILE = r"/[^,]{1,1000}"


class ConfigError(Exception):
    """The configuration can't be used. `problems` has one line for each mistake."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What a deployment can choose. Empty text means "not configured"."""

    target: TargetName
    stage: str
    local_endpoint: str
    allowed_origins: tuple[str, ...]
    jwt_secret_arn: str
    jwt_key_arn: str
    jwks_url: str
    jwt_issuer: str
    jwt_audience: str
    domain_name: str
    certificate_arn: str
    http_domain_name: str
    http_certificate_arn: str
    default_endpoints: Switch
    web: Truth
    web_token_url: str
    connection_limit: int
    throttle_rate: int
    throttle_burst: int
    route_throttles: tuple[RouteThrottle, ...]
    message_rate: int
    message_burst: int
    invite_rate: int
    invite_burst: int
    abuse_limit: int
    edit_window_s: int
    retention_private_days: int
    retention_group_days: int
    retention_channel_days: int
    group_limit: int
    channel_members: int
    inline_limit: int
    receipts_limit: int
    text_limit: int
    mention_limit: int
    page_limit: int
    permissions: str
    frame_limit: int
    reply_limit: int
    frame_rate: int
    frame_burst: int
    presence_grace_s: int
    message_concurrency: int
    message_memory_mb: int
    connect_concurrency: int
    presence_concurrency: int
    look_concurrency: int
    fan_out_concurrency: int
    fan_out_rate: int
    channel_rate: int
    digest_limit: int
    digest_s: int
    users_visible: UsersVisible
    fan_out_ms: int
    log_level: LogLevel
    request_log: RequestLog
    access_log: AccessLog
    tracing: Switch
    tls_roots: Roots
    dashboard: Switch
    log_retention_days: int
    removal: Removal
    alarm_topic_arn: str
    gateway_logs_role: LogsRole
    fcm_secret_arn: str
    fcm_key_arn: str
    apns_secret_arn: str
    apns_key_arn: str
    web_push_secret_arn: str
    web_push_key_arn: str
    web_push_key: str
    push_concurrency: int
    mail_from: str
    mail_reply_to: str
    mail_link: str
    mail_digest_after_m: int
    mail_digest_every_h: int
    push_withdrawals: Withdrawals
    second_look_s: int
    device_limit: int
    reminder_limit: int
    audit_days: int
    own_exports: int
    word_lists: Switch
    shadow_bans: Switch
    message_hook: str
    message_hook_secret_arn: str
    message_hook_ms: int
    message_hook_fails: Fails
    events: Events
    receipt_events: Switch
    presence_events: Switch
    image_limit: int
    image_pixels: int
    file_limit: int
    file_quota: int
    local_fcm_endpoint: str
    local_apns_endpoint: str
    local_web_push: str
    local_ca_file: str

    @property
    def is_local(self) -> bool:
        return self.target == "local"

    @property
    def http_certificate(self) -> str:
        """The certificate of `http_domain_name`: its own, or one that names both domains."""
        return self.http_certificate_arn or self.certificate_arn

    @property
    def hook_is_lambda(self) -> bool:
        return self.message_hook.startswith("arn:")

    @property
    def logs_frames(self) -> bool:
        """Whether the WebSocket gateway writes a line for each frame: for that the account has to have a role."""
        return self.access_log == "all"

    @property
    def retains_data(self) -> bool:
        return self.removal == "retain"

    @property
    def has_events(self) -> bool:
        """Whether the team's backend is told what is stored, in either way."""
        return self.has_bus or self.has_webhooks

    @property
    def has_bus(self) -> bool:
        """Whether what is stored goes to an event bus."""
        return self.events in {"eventbridge", "both"}

    @property
    def has_webhooks(self) -> bool:
        """Whether the team's endpoints are told what is stored."""
        return self.events in {"webhooks", "both"}

    @property
    def withdrawals(self) -> tuple[str, ...]:
        """The platforms on which what was read elsewhere is taken off devices: of those with a provider."""
        apps = {"fcm": self.fcm_secret_arn, "apns": self.apns_secret_arn}
        wanted = {"off": {}, "apps": apps, "all": {**apps, "web": self.web_push_secret_arn}}[self.push_withdrawals]
        return tuple(name for name, secret in wanted.items() if secret)

    @property
    def has_page(self) -> bool:
        """Whether the stack serves the chat page. On a laptop the emulator does, in any case."""
        return self.web == "true" and not self.is_local

    @property
    def retention(self) -> dict[str, str]:
        """How long messages are kept, as the functions' variables."""
        return self.environment("retention_private_days", "retention_group_days", "retention_channel_days")

    @property
    def trims(self) -> bool:
        """Whether messages of any kind of conversation are kept for a time only."""
        return any(map(int, self.retention.values()))

    @property
    def sync_rate(self) -> int:
        """Syncs a second that the gateway lets in, of all users together."""
        own = (throttle.rate for throttle in self.route_throttles if throttle.route == "sync")
        return next(own, self.throttle_rate)

    def environment(self, *numbers: str) -> dict[str, str]:
        """These keys as the functions' variables."""
        return {key.upper(): str(getattr(self, key)) for key in numbers}

    @classmethod
    def load(cls, context: Mapping[str, object], environ: Mapping[str, str]) -> Config:
        """Read every key; the context wins over the environment. Raises ConfigError with all mistakes at once."""
        read = Reader(context, environ)
        target = read.choice("target", TARGETS, "aws")
        local = target == "local"
        config = cls(
            target=target,
            stage=read.text("stage", _STAGE, _STAGE_RULE, "local" if local else "prod"),
            local_endpoint=read.text("local_endpoint", _ENDPOINT, "the emulator's address like http://localhost:4577"),
            allowed_origins=read.origins("allowed_origins", LOCAL_ORIGINS if local else ()),
            jwt_secret_arn=read.text("jwt_secret_arn", _KEPT_ARN, _KEPT_RULE),
            jwt_key_arn=read.text("jwt_key_arn", _KEY_ARN, _KEY_RULE),
            jwks_url=read.text("jwks_url", _HTTPS_URL, "a URL that starts with https://"),
            jwt_issuer=read.text("jwt_issuer", _CLAIM, _CLAIM_RULE),
            jwt_audience=read.text("jwt_audience", _CLAIM, _CLAIM_RULE),
            domain_name=read.text("domain_name", _DOMAIN, _DOMAIN_RULE),
            certificate_arn=read.text("certificate_arn", _CERTIFICATE_ARN, _CERTIFICATE_RULE),
            http_domain_name=read.text("http_domain_name", _DOMAIN, _DOMAIN_RULE),
            http_certificate_arn=read.text("http_certificate_arn", _CERTIFICATE_ARN, _CERTIFICATE_RULE),
            default_endpoints=read.choice("default_endpoints", SWITCHES, "on"),
            web=read.choice("web", TRUTHS, "false"),
            web_token_url=read.text("web_token_url", _BACKEND_URL, "a URL like https://example.com/chat-token"),
            connection_limit=read.number("connection_limit", 1, 100, 20),
            throttle_rate=read.number("throttle_rate", 1, MAX_RATE, 2_000),
            throttle_burst=read.number("throttle_burst", 1, MAX_BURST, 1_000),
            route_throttles=read.throttles("route_throttles", ROUTE_THROTTLES),
            message_rate=read.number("message_rate", 1, 1_000, 20),
            message_burst=read.number("message_burst", 1, 10_000, 200),
            invite_rate=read.number("invite_rate", 1, 100_000, 200),
            invite_burst=read.number("invite_burst", 1, 100_000, 1_000),
            abuse_limit=read.number("abuse_limit", 1, 10_000, 100),
            edit_window_s=read.number("edit_window_s", 0, 31_536_000, 86_400),
            retention_private_days=read.number("retention_private_days", 0, 36_500, 0),
            retention_group_days=read.number("retention_group_days", 0, 36_500, 0),
            retention_channel_days=read.number("retention_channel_days", 0, 36_500, 0),
            group_limit=read.number("group_limit", 2, 1_000, 1_000),
            channel_members=read.number("channel_members", 1_000, 1_000_000, 100_000),
            inline_limit=read.number("inline_limit", 1, 1_000, 200),
            receipts_limit=read.number("receipts_limit", 0, 1_000, 100),
            text_limit=read.number("text_limit", 1, 5_000, 5_000),
            mention_limit=read.number("mention_limit", 0, 50, 50),
            page_limit=read.number("page_limit", 1, 100, 100),
            permissions=read.permissions("permissions"),
            frame_limit=read.number("frame_limit", 1_024, 32_768, 32_768),
            reply_limit=read.number("reply_limit", 31_000, 110_000, 31_000),
            frame_rate=read.number("frame_rate", 1, 1_000, 50),
            frame_burst=read.number("frame_burst", 1, 10_000, 500),
            presence_grace_s=read.number("presence_grace_s", 0, 900, 10),
            message_concurrency=read.number("message_concurrency", 0, MAX_CONCURRENCY, 0),
            message_memory_mb=read.choice("message_memory_mb", MEMORY_MB, 256),
            connect_concurrency=read.number("connect_concurrency", 0, MAX_CONCURRENCY, 0),
            presence_concurrency=read.number("presence_concurrency", 2, 100, 5),
            look_concurrency=read.number("look_concurrency", 2, 100, 5),
            fan_out_concurrency=read.number("fan_out_concurrency", 2, 100, 5),
            fan_out_rate=read.number("fan_out_rate", 10, 5_000, 500),
            channel_rate=read.number("channel_rate", 10, 10_000, 2_000),
            digest_limit=read.number("digest_limit", 0, 1_000, 500),
            digest_s=read.number("digest_s", 30, 900, 900),
            users_visible=read.choice("users_visible", USERS_VISIBLE, "everyone"),
            fan_out_ms=read.number("fan_out_ms", 100, 5_000, 1_000),
            log_level=read.choice("log_level", LOG_LEVELS, "INFO"),
            request_log=read.choice("request_log", REQUEST_LOGS, "on" if local else "sampled"),
            access_log=read.choice("access_log", ACCESS_LOGS, "http"),
            tracing=read.choice("tracing", SWITCHES, "off"),
            tls_roots=read.choice("tls_roots", ROOTS, "amazon"),
            dashboard=read.choice("dashboard", SWITCHES, "on"),
            log_retention_days=read.choice("log_retention_days", RETENTION_DAYS, 30),
            removal=read.choice("removal", REMOVALS, "destroy" if local else "retain"),
            alarm_topic_arn=read.text("alarm_topic_arn", _TOPIC_ARN, "the ARN of an SNS topic"),
            gateway_logs_role=read.choice("gateway_logs_role", LOGS_ROLES, "create"),
            fcm_secret_arn=read.text("fcm_secret_arn", _KEPT_ARN, _KEPT_RULE),
            fcm_key_arn=read.text("fcm_key_arn", _KEY_ARN, _KEY_RULE),
            apns_secret_arn=read.text("apns_secret_arn", _KEPT_ARN, _KEPT_RULE),
            apns_key_arn=read.text("apns_key_arn", _KEY_ARN, _KEY_RULE),
            web_push_secret_arn=read.text("web_push_secret_arn", _KEPT_ARN, _KEPT_RULE),
            web_push_key_arn=read.text("web_push_key_arn", _KEY_ARN, _KEY_RULE),
            web_push_key=read.text("web_push_key", "B[A-Za-z0-9_-]{86}", "the public key that ops/web_push.py prints"),
            push_concurrency=read.number("push_concurrency", 2, 100, 5),
            mail_from=read.text("mail_from", _ADDRESS, _ADDRESS_RULE),
            mail_reply_to=read.text("mail_reply_to", _ADDRESS, _ADDRESS_RULE),
            mail_link=read.text("mail_link", _APP_URL, "a URL like https://example.com/chat/{conversation_id}"),
            mail_digest_after_m=read.number("mail_digest_after_m", 0, 10_080, 1 if local else 60),
            mail_digest_every_h=read.number("mail_digest_every_h", 1, 720, 24),
            push_withdrawals=read.choice("push_withdrawals", WITHDRAWALS, "apps"),
            second_look_s=read.number("second_look_s", 1, 60, 5),
            device_limit=read.number("device_limit", 1, 20, 10),
            reminder_limit=read.number("reminder_limit", 1, 1_000, 100),
            audit_days=read.number("audit_days", 1, 3_653, 400),
            own_exports=read.number("own_exports", 0, 10_000, 100),
            word_lists=read.choice("word_lists", SWITCHES, "on" if local else "off"),
            shadow_bans=read.choice("shadow_bans", SWITCHES, "on" if local else "off"),
            message_hook=read.text("message_hook", _HOOK, _HOOK_RULE),
            message_hook_secret_arn=read.text("message_hook_secret_arn", _KEPT_ARN, _KEPT_RULE),
            message_hook_ms=read.number("message_hook_ms", 50, 5_000, 1_000),
            message_hook_fails=read.choice("message_hook_fails", FAILS, "open"),
            events=read.choice("events", EVENTS, "both" if local else "off"),
            receipt_events=read.choice("receipt_events", SWITCHES, "off"),
            presence_events=read.choice("presence_events", SWITCHES, "off"),
            image_limit=read.number("image_limit", 1_024, 26_214_400, 10_485_760),
            image_pixels=read.number("image_pixels", 1_000_000, 100_000_000, 40_000_000),
            file_limit=read.number("file_limit", 1_024, 536_870_912, 104_857_600),
            file_quota=read.number("file_quota", 1_024, 10**12, 5_368_709_120),
            local_fcm_endpoint=read.text("local_fcm_endpoint", _LOCAL_URL, _LOCAL_URL_RULE),
            local_apns_endpoint=read.text(
                "local_apns_endpoint", f"{_LOCAL_URL},{_LOCAL_URL}", "two addresses, production first, comma separated"
            ),
            local_web_push=read.text("local_web_push", _LOCAL_URL, _LOCAL_URL_RULE),
            local_ca_file=read.text("local_ca_file", _LOCAL_FILE, "the absolute path of a PEM file"),
        )
        problems = [*read.problems, *_conflicts(config), *_misspelt(context), *unknown_variables(environ)]
        if problems:
            raise ConfigError(problems)
        return config


def _conflicts(config: Config) -> list[str]:
    """The rules between keys."""
    problems = []
    if config.is_local and not config.local_endpoint:
        problems.append("local_endpoint: required when target=local, like http://localhost:4577")
    if config.jwt_secret_arn and config.jwks_url:
        problems.append("jwt_secret_arn, jwks_url: give one of them, not both")
    if config.web_token_url and not config.is_local and not config.has_page:
        problems.append("web_token_url: only with web=true, whose page asks there for tokens")
    problems += [
        *_event_conflicts(config),
        *_domain_conflicts(config),
        *_hook_conflicts(config),
        *_mail_conflicts(config),
    ]
    if config.jwt_key_arn and config.jwks_url:
        problems.append("jwt_key_arn: with jwks_url there is no secret that it could encrypt; leave it out")
    if bool(config.web_push_secret_arn) != bool(config.web_push_key):
        problems.append("web_push_secret_arn, web_push_key: give both or neither; the one is the other's private half")
    for name in ("fcm", "apns", "web_push"):
        if getattr(config, f"{name}_key_arn") and not getattr(config, f"{name}_secret_arn"):
            problems.append(f"{name}_key_arn: only with {name}_secret_arn, the secret that it encrypts")
    local_only = ("local_fcm_endpoint", "local_apns_endpoint", "local_web_push", "local_ca_file")
    if not config.is_local and any(getattr(config, key) for key in local_only):
        problems.append(f"{', '.join(local_only)}: only with target=local; on AWS pushes go to Google and Apple")
    return problems


def _mail_conflicts(config: Config) -> list[str]:
    return [
        f"{name}: only with mail_from, the address that mails come from"
        for name in ("mail_reply_to", "mail_link")
        if getattr(config, name) and not config.mail_from
    ]


def _hook_conflicts(config: Config) -> list[str]:
    problems = []
    if config.message_hook_secret_arn and (not config.message_hook or config.hook_is_lambda):
        problems.append("message_hook_secret_arn: only with a message_hook that is a URL, which it signs for")
    if config.message_hook.startswith("http://") and not config.is_local:
        problems.append("message_hook: http:// only with target=local; on AWS give one that starts with https://")
    return problems


def _event_conflicts(config: Config) -> list[str]:
    given = {"receipt_events": config.receipt_events, "presence_events": config.presence_events}
    is_lost = [key for key, switch in given.items() if switch == "on" and not config.has_events]
    return [f"{key}: only with events, which say where they go" for key in is_lost]


def _domain_conflicts(config: Config) -> list[str]:
    problems = []
    if config.domain_name and not config.certificate_arn:
        problems.append("domain_name, certificate_arn: give both or neither")
    if config.certificate_arn and not (config.domain_name or config.http_domain_name):
        problems.append("domain_name, certificate_arn: give both or neither")
    if config.http_domain_name and not config.http_certificate:
        problems.append("http_domain_name: give http_certificate_arn too, or a certificate_arn that names both domains")
    if config.http_certificate_arn and not config.http_domain_name:
        problems.append("http_certificate_arn: only with http_domain_name")
    if config.http_domain_name and config.http_domain_name == config.domain_name:
        problems.append("domain_name, http_domain_name: API Gateway serves one of the two APIs by a domain; give two")
    if config.default_endpoints == "off" and not (config.domain_name and config.http_domain_name):
        problems.append("default_endpoints: off only with domain_name and http_domain_name, or nothing can be reached")
    return problems


def variables() -> frozenset[str]:
    """The variables of all keys."""
    return frozenset(variable(field.name) for field in fields(Config))


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """One line for each variable that begins as ours do and is none of them, with the nearest one that is."""
    known = [*(variable(field.name) for field in fields(Config)), *(f"{PREFIX}{name}" for name in _NO_KEYS)]
    unknown = sorted(name for name in environ if name.upper().startswith(PREFIX) and name not in known)
    return [_no_such(name, difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.6)) for name in unknown]


def _no_such(name: str, near: Sequence[str]) -> str:
    return f"{name}: no such key; did you mean {near[0]}?" if near else f"{name}: no such key"


def _misspelt(context: Mapping[str, object]) -> list[str]:
    """A key that is almost one of ours would be ignored without a word; CDK's own keys all have ':', '/' or '@'."""
    known = [field.name for field in fields(Config)]
    unknown = [key for key in context if key not in known and not re.search(r"[:/@]", key)]
    near = {key: _nearest(key.lower().replace("-", "_"), known) for key in unknown}
    return [_no_such(key, near[key]) for key in unknown if near[key] or key.upper().startswith(PREFIX)]


def _nearest(key: str, known: Sequence[str]) -> list[str]:
    """The key that is meant: by its letters, as the variable of a key, or as some of a key's words."""
    bare = key.removeprefix(PREFIX.lower())
    if near := difflib.get_close_matches(bare, known, n=1, cutoff=0.75):
        return near
    words = set(bare.split("_"))
    return [one for one in known if words <= set(one.split("_"))][:1]
