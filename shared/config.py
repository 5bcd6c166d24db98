"""Typed settings, one class per Lambda, read once at cold start. The only reader of the environment.

A field's name in capitals is the variable's name; the CDK app sets exactly these, which a test holds. They only
look like dataclasses: fourteen of those would be compiled at every cold start, where one is used.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, dataclass_transform


class ConfigurationError(Exception):
    """A variable is missing or not what it should be. Raised at cold start, so that a deployment fails at once."""


@dataclass_transform(frozen_default=True)
class _Settings:
    def __init__(self, **values: str | int) -> None:
        vars(self).update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is read once: {name} stays as it is")

    @classmethod
    def kinds(cls) -> dict[str, str]:
        """Every field and its type, as the classes declare them: `str` or `int`."""
        return {n: kind for base in reversed(cls.__mro__) for n, kind in vars(base).get("__annotations__", {}).items()}

    @classmethod
    def load(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read every field from the environment. Raises ConfigurationError, naming the variable."""
        values: dict[str, str | int] = {}
        for name, kind in cls.kinds().items():
            if (raw := environ.get(name.upper())) is None:
                raise ConfigurationError(f"{cls.__name__}: the environment variable {name.upper()} is not set")
            try:
                values[name] = int(raw) if kind == "int" else raw
            except ValueError as exc:
                raise ConfigurationError(f"{cls.__name__}: {name.upper()} must be a whole number") from exc
        return cls(**values)


class _Logging(_Settings):
    """What every function has. `tls_roots`: see `is_narrow`."""

    log_level: str
    stage: str
    tls_roots: str


class _Requests(_Logging):
    request_log: str


class TokenSettings(_Settings):
    """How tokens are signed: by one secret, or (where there is a `jwks_url`) by the keys there."""

    jwt_secret_arn: str
    jwks_url: str
    jwt_issuer: str
    jwt_audience: str


class _PresenceChecks(_Settings):
    presence_queue_url: str
    presence_grace_s: int


class _Chat(_Settings):
    """What telling connections takes."""

    log_table: str
    members_table: str
    sessions_table: str
    connections_endpoint: str
    fan_out_ms: int


class ScreenSettings(_Settings):
    """What messages go through before they are stored. Without a hook and without lists, nothing."""

    word_lists: str
    shadow_bans: str
    message_hook: str
    message_hook_secret_arn: str
    message_hook_ms: int
    message_hook_fails: str

    @property
    def looks_first(self) -> bool:
        return "on" in {self.word_lists, self.shadow_bans} or bool(self.message_hook)


class RetentionSettings(_Settings):
    """How many days messages are kept, by the kind of their conversation; 0: for good."""

    retention_private_days: int
    retention_group_days: int
    retention_channel_days: int


class _Sending(ScreenSettings, TokenSettings, _PresenceChecks, _Chat, _Requests, RetentionSettings):
    """What frames and HTTP requests have in common."""

    message_rate: int
    message_burst: int
    text_limit: int
    mention_limit: int
    permissions: str
    page_limit: int
    edit_window_s: int
    inline_limit: int
    receipts_limit: int
    receipt_events: str
    presence_events: str


class AuthorizerSettings(TokenSettings, _Requests):
    tickets_table: str
    allowed_origins: str


class ConnectSettings(_PresenceChecks, _Chat, _Requests):
    connection_limit: int
    presence_events: str


class DisconnectSettings(_PresenceChecks, _Requests):
    sessions_table: str


class PresenceSettings(_Chat, _Logging):
    presence_events: str


class MessageSettings(_Sending):
    connection_limit: int
    abuse_limit: int
    frame_limit: int
    reply_limit: int
    frame_rate: int
    frame_burst: int


class RestSettings(_Sending):
    tickets_table: str
    invite_rate: int
    invite_burst: int
    group_limit: int
    channel_members: int
    users_visible: str
    web_push_key: str
    local_web_push: str
    device_limit: int
    reminder_limit: int
    audit_days: int
    own_exports: int
    allowed_origins: str
    image_limit: int
    file_limit: int
    file_quota: int
    bucket: str
    look_queue_url: str
    look_queue_arn: str
    schedule_group: str
    schedule_role_arn: str
    second_look_s: int
    fan_out_queue_url: str
    event_queue_url: str
    events: str


class OfflinePushSettings(_PresenceChecks, _Chat, _Logging, RetentionSettings):
    """An empty queue URL, secret or sender: that provider is not set up. Empty endpoints: the providers' own."""

    fan_out_queue_url: str
    fan_out_rate: int
    channel_rate: int
    sync_rate: int
    digest_limit: int
    digest_s: int
    look_queue_url: str
    second_look_s: int
    fcm_queue_url: str
    fcm_secret_arn: str
    fcm_endpoint: str
    apns_queue_url: str
    apns_secret_arn: str
    apns_endpoint: str
    web_queue_url: str
    web_secret_arn: str
    local_web_push: str
    push_ca_file: str
    push_withdrawals: str
    users_visible: str
    bucket: str
    mail_from: str
    mail_reply_to: str
    mail_link: str
    mail_digest_after_m: int
    mail_digest_every_h: int
    mail_configuration_set: str
    mail_endpoint: str
    http_url: str


class EventsSettings(_Logging, RetentionSettings):
    """An empty queue URL: there are no webhooks. An empty bus: there is none."""

    log_table: str
    members_table: str
    event_queue_url: str
    event_failures_url: str
    event_bus: str


class FilesSettings(_Logging):
    log_table: str
    members_table: str
    events: str
    bucket: str
    image_pixels: int


def is_narrow(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the certificates of AWS's endpoints are to be Amazon's own; else, of any authority."""
    return environ.get("TLS_ROOTS") == "amazon"


@dataclass(frozen=True, slots=True)
class AwsEnvironment:
    """What the Lambda runtime itself provides: the region, the role's credentials, and an endpoint (laptops only)."""

    region: str
    access_key: str
    secret_key: str
    session_token: str
    endpoint_url: str

    @classmethod
    def load(cls, environ: Mapping[str, str] = os.environ) -> Self:
        return cls(
            region=environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1",
            access_key=environ.get("AWS_ACCESS_KEY_ID", ""),
            secret_key=environ.get("AWS_SECRET_ACCESS_KEY", ""),
            session_token=environ.get("AWS_SESSION_TOKEN", ""),
            endpoint_url=environ.get("AWS_ENDPOINT_URL", ""),
        )
