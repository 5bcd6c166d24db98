"""One line of a function's output, for a person: requests and metrics in a form of their own, the rest as it is."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

# CloudFormation's names are the stack, the constructs' path, a hash and a random end.
PHYSICAL_NAME = re.compile(
    r"^Parley-[a-z0-9-]+?-(?:WebSocket|Http|Push|FileChecks)?(?P<construct>[A-Z][A-Za-z]*?)(?:Function)?[0-9A-F]{8}"
)
SHOWN = {"level", "message", "timestamp", "time", "service", "location", "xray_trace_id", "cold_start", "function_name"}
SHOWN |= {"function_arn", "function_memory_size", "function_request_id"}
# What shared/request_log.py writes. These have a place of their own in the line; the rest is named.
REQUEST = "request"
REQUEST_SHOWN = SHOWN | {"route", "status", "code", "ms", "user_id", "conversation_id", "to", "seq"}
METRICS = "_aws"
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def render(line: str) -> str:
    """One line of the log for a person. Half a line, left by a kill, is shown as it is."""
    entry = _parse(line)
    if entry is None or not isinstance(entry.get("line"), str):
        return _printable(line.rstrip())
    return _printable(
        f"{_clock(entry.get('time'))} {short_name(str(entry.get('function'))):<12} {_text(entry['line'])}"
    )


def raw(line: str) -> str:
    """One line of JSON for a program: what the function wrote, with its name if it wrote none."""
    entry = _parse(line)
    if entry is None or not isinstance(entry.get("line"), str):
        return json.dumps({"message": line.rstrip()})
    said = _parse(entry["line"]) or {"timestamp": entry.get("time"), "message": entry["line"]}
    return json.dumps({"function": short_name(str(entry.get("function")))} | said)


def short_name(function: str) -> str:
    """`Parley-local-WebSocketMessageFunction0A1B2C3D-x1Y2` is `Message`."""
    match = PHYSICAL_NAME.match(function)
    return match["construct"] if match else function


def _clock(time: Any) -> str:
    try:
        return datetime.fromisoformat(time).astimezone().strftime("%H:%M:%S.%f")[:-3]
    except (TypeError, ValueError):
        return "--:--:--.---"


def _text(line: str) -> str:
    said = _parse(line)
    if said is None:
        return line.rstrip()
    if METRICS in said:
        return _metric(said)
    if said.get("message") == REQUEST and "route" in said:
        return _request(said)
    return f"{said.get('level', ''):<7} {said.get('message', '')}  {_named(said, SHOWN)}".rstrip()


def _request(said: Mapping[str, Any]) -> str:
    """`message      ok  12.3 ms  alice  dm:alice:bob 42  request=… connection=…`."""
    verdict = " ".join(str(said[key]) for key in ("status", "code") if key in said)
    place = " ".join(str(said[key]) for key in ("conversation_id", "seq") if key in said)
    whom = f"to {said['to']}" if "to" in said else ""
    ids = _named(said, REQUEST_SHOWN).replace("_id=", "=")
    parts = [f"{said['route']:<11}", verdict, f"{said.get('ms')} ms", said.get("user_id"), whom, place, ids]
    return "  ".join(str(part) for part in parts if part)


def _metric(said: Mapping[str, Any]) -> str:
    """`metric  PostsFailed 3  function=message`."""
    directives = said[METRICS].get("CloudWatchMetrics", []) if isinstance(said[METRICS], dict) else []
    names = [metric["Name"] for directive in directives for metric in directive.get("Metrics", [])]
    values = "  ".join(f"{name} {_total(said.get(name))}" for name in names)
    return f"metric  {values}  {_named(said, {METRICS, *names})}".rstrip()


def _total(value: Any) -> Any:
    """The sum of a metric's values, without the point of a whole number."""
    total = sum(value) if isinstance(value, list) else value
    return int(total) if isinstance(total, float) and total.is_integer() else total


def _named(said: Mapping[str, Any], but: set[str]) -> str:
    return " ".join(f"{key}={_compact(value)}" for key, value in said.items() if key not in but)


def _parse(line: str) -> dict[str, Any] | None:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _compact(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _printable(text: str) -> str:
    """Without control characters: a terminal obeys some of them."""
    return _CONTROL.sub("�", text)
