"""What an FCM message may consist of. Google refuses a field that it does not know, wherever it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

REQUEST_FIELDS: Final = frozenset({"message", "validate_only"})
TARGETS: Final = frozenset({"token", "fid", "topic", "condition"})
_MESSAGE = TARGETS | {"name", "data", "notification", "android", "webpush", "apns", "fcm_options"}
_ANDROID = frozenset(
    {
        "collapse_key", "priority", "ttl", "restricted_package_name", "data", "notification", "fcm_options",
        "direct_boot_ok", "bandwidth_constrained_ok", "restricted_satellite_ok",
    }
)  # fmt: skip
_ANDROID_NOTIFICATION = frozenset(
    {
        "title", "body", "icon", "color", "sound", "tag", "click_action", "body_loc_key", "body_loc_args",
        "title_loc_key", "title_loc_args", "channel_id", "ticker", "sticky", "event_time", "local_only",
        "notification_priority", "default_sound", "default_vibrate_timings", "default_light_settings",
        "vibrate_timings", "visibility", "notification_count", "light_settings", "image", "bypass_proxy_notification",
        "proxy",
    }
)  # fmt: skip
# The objects of a message whose fields are known here.
_OBJECTS: Final[Mapping[tuple[str, ...], frozenset[str]]] = {
    ("notification",): frozenset({"title", "body", "image"}),
    ("android",): _ANDROID,
    ("android", "notification"): _ANDROID_NOTIFICATION,
    ("apns",): frozenset({"headers", "payload", "fcm_options", "live_activity_token"}),
    ("webpush",): frozenset({"headers", "data", "notification", "fcm_options"}),
}
_PRIORITIES = ("normal", "high", "NORMAL", "HIGH")
_TTL = re.compile(r"\d{1,9}(\.\d{1,9})?s")
_TTL_LIMIT = 4 * 7 * 24 * 3600
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")


@dataclass(frozen=True, slots=True)
class Invalid:
    """Why a request is refused: the field, and whether it is FCM that says so (`is_fcm`) or Google's API in general."""

    field: str | None
    text: str
    is_fcm: bool = False


def snake(name: str) -> str:
    """Google takes its fields' names in both spellings: collapseKey is collapse_key."""
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


def unknown_field(value: Mapping[str, Any], known: frozenset[str], where: str) -> Invalid | None:
    for name in value:
        if snake(name) not in known:
            place = f" at '{where}'" if where else ""
            return Invalid(where, f'Invalid JSON payload received. Unknown name "{name}"{place}: Cannot find field.')
    return None


def message_problem(message: Mapping[str, Any]) -> Invalid | None:
    """The first thing that is wrong with a message."""
    return (
        unknown_field(message, _MESSAGE, "message")
        or _nested_problem(message)
        or _target_problem(message)
        or _data_problem(message.get("data"), "message.data")
        or _android_problem(_snaked(message.get("android", {})))
    )


def _nested_problem(message: Mapping[str, Any]) -> Invalid | None:
    for path, known in _OBJECTS.items():
        where, value = "message", message
        for name in path:
            where, value = f"{where}.{name}", value.get(name, {})
            if not isinstance(value, dict):
                return Invalid(where, f"Invalid value at '{where}'")
        if problem := unknown_field(value, known, where):
            return problem
    return None


def _target_problem(message: Mapping[str, Any]) -> Invalid | None:
    targets = [name for name in TARGETS if name in message]
    if len(targets) != 1:
        return Invalid("message", "Recipient of the message is not set.", is_fcm=True)
    name = targets[0]
    if name not in ("token", "fid"):
        return Invalid(f"message.{name}", "The local server knows no topics.", is_fcm=True)
    if not isinstance(message[name], str) or not _TOKEN.fullmatch(message[name]):
        text = "The registration token is not a valid FCM registration token"
        return Invalid(f"message.{name}", text, is_fcm=True)
    return None


def _data_problem(data: Any, where: str) -> Invalid | None:
    if data is None:
        return None
    if not isinstance(data, dict):
        return Invalid(where, f"Invalid value at '{where}'")
    for key, value in data.items():
        if not isinstance(value, str):
            return Invalid(f"{where}[{key}]", f"Invalid value at '{where}[{key}]' (TYPE_STRING)")
        if key in ("from", "message_type") or key.startswith(("google", "gcm")):
            return Invalid(where, f"Invalid data payload key: {key}", is_fcm=True)
    return None


def _android_problem(android: Mapping[str, Any]) -> Invalid | None:
    priority, ttl = android.get("priority", "normal"), android.get("ttl", "0s")
    if priority not in _PRIORITIES:
        where = "message.android.priority"
        return Invalid(where, f"Invalid value at '{where}' (AndroidMessagePriority)")
    if not isinstance(ttl, str) or not _TTL.fullmatch(ttl):
        where = "message.android.ttl"
        return Invalid(where, f"Invalid value at '{where}' (google.protobuf.Duration)")
    if float(ttl[:-1]) > _TTL_LIMIT:
        return Invalid("message.android.ttl", "Invalid value for ttl: it must be from 0 to 4 weeks", is_fcm=True)
    return _data_problem(android.get("data"), "message.android.data")


def _snaked(value: Mapping[str, Any]) -> dict[str, Any]:
    return {snake(name): item for name, item in value.items()}
