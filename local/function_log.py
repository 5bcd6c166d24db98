"""The functions' output, made readable: time, function, level, message, and what else a line says."""

import json
import re
import time
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

POLL_SECONDS = 0.2
# CloudFormation's names are the stack, the constructs' path, a hash and a random end.
PHYSICAL_NAME = re.compile(
    r"^Parley-[a-z0-9-]+?-(?:WebSocket|Http|Push|FileChecks)?(?P<construct>[A-Z][A-Za-z]*?)(?:Function)?[0-9A-F]{8}"
)
SHOWN = {"level", "message", "timestamp", "time", "service", "location", "xray_trace_id", "cold_start", "function_name"}
SHOWN |= {"function_arn", "function_memory_size", "function_request_id"}


def lines(path: Path, *, last: int, follow: bool) -> Iterator[str]:
    """The last lines of the log, and then, with `follow`, each new one as it comes (until interrupted)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    with path.open("rb") as log:
        yield from deque(_whole_lines(log), maxlen=last)
        while follow:
            yield from _whole_lines(log)
            time.sleep(POLL_SECONDS)


def _whole_lines(log: BinaryIO) -> Iterator[str]:
    """What has been written since the last look; half a line waits for its other half."""
    position = log.tell()
    for line in iter(log.readline, b""):
        if not line.endswith(b"\n"):
            log.seek(position)
            return
        position += len(line)
        yield line.decode(errors="replace")


def last_words(path: Path) -> str:
    """The last line that a function printed, for an error message."""
    newest = list(lines(path, last=1, follow=False))
    return render(newest[0]) if newest else "The functions have said nothing"


def render(line: str) -> str:
    """One line for a person."""
    entry = json.loads(line)
    clock = datetime.fromisoformat(entry["time"]).astimezone().strftime("%H:%M:%S.%f")[:-3]
    return f"{clock} {short_name(entry['function']):<12} {_text(entry['line'])}"


def raw(line: str) -> str:
    """One line of JSON for a program: what the function wrote, with its name if it wrote none."""
    entry = json.loads(line)
    said = _parse(entry["line"]) or {"timestamp": entry["time"], "message": entry["line"]}
    return json.dumps({"function": short_name(entry["function"])} | said)


def short_name(function: str) -> str:
    """`Parley-local-WebSocketMessageFunction0A1B2C3D-x1Y2` is `Message`."""
    match = PHYSICAL_NAME.match(function)
    return match["construct"] if match else function


def _text(line: str) -> str:
    said = _parse(line)
    if said is None:
        return line.rstrip()
    rest = " ".join(f"{key}={_compact(value)}" for key, value in said.items() if key not in SHOWN)
    return f"{said.get('level', ''):<7} {said.get('message', '')}  {rest}".rstrip()


def _parse(line: str) -> dict[str, Any] | None:
    try:
        said = json.loads(line)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def _compact(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
