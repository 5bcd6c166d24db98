"""Files: announced, uploaded, sent, and looked at."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from tests.simulation.history import Operation
from tests.simulation.operations.acting import Actions, place, text

if TYPE_CHECKING:
    from tests.simulation.clients import Client
    from tests.simulation.scenario import Scenario

# A picture of two by two.
PNG: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGP8z8DAwMDAxMDAwMDAAAANHQEDasKb6QAAAABJRU5ErkJggg=="
)
TEXT: Final = b"some words"
_SWEEPS: Final = (700.0, 2_200.0)
_FORMS: Final = (
    ("cat.png", "image/png", PNG, PNG, "ready"),
    ("notes.txt", "text/plain", TEXT, TEXT, "ready"),
    ("cat.png", "image/png", PNG, PNG[:-20] + bytes(20), "rejected"),
    ("cat.png", "image/png", PNG, TEXT, "rejected"),
    ("notes.txt", "text/plain", TEXT, None, "pending"),
)


def _upload(scenario: Scenario, client: Client, number: int) -> None:
    upload(scenario, client, number)


def upload(scenario: Scenario, client: Client, number: int, then: Callable[[Operation], None] = lambda _: None) -> None:
    """Announce a file and, most times, upload it: what was announced, or something else."""
    name, content_type, declared, given, becomes = _FORMS[number % len(_FORMS)]
    body: dict[str, Any] = {"name": name, "content_type": content_type, "size": len(declared)}

    def announced(operation: Operation) -> None:
        if operation.outcome != "ok":
            return
        file_id = operation.value["file_id"]
        scenario.files[file_id] = client.user
        if scenario.plan.limits.tiny and number % 3 == 0:
            for later in _SWEEPS:
                scenario.hub.after(later, scenario.deployment.sweeps.sweep)
        if given is not None:
            latency = scenario.deployment.runtime.latency()
            scenario.hub.after(latency, lambda: scenario.deployment.bucket.upload(file_id, given))
        then(operation)

    client.http("upload", "POST", "files", body=body, told=_announced, then=announced, becomes=becomes, **body)


def _announced(given: Any) -> Any:
    """Without the form, whose signature is of the real day."""
    return {name: given[name] for name in ("file_id", "kind", "status") if name in given}


def _send_file(scenario: Scenario, client: Client, number: int) -> None:
    """One's own most times, whether it is ready or not."""
    mine = [name for name, owner in scenario.files.items() if owner == client.user or number % 7 == 0]
    if not mine:
        return
    where, file_id = place(scenario, client, number), mine[-1 - number % len(mine)]
    kind = "image" if number % 4 else "file"
    client.send(text(scenario), where=where, file_id=file_id, message_type=kind)


def _look_at_file(scenario: Scenario, client: Client, number: int) -> None:
    if scenario.files:
        file_id = list(scenario.files)[number % len(scenario.files)]
        client.http("get_file", "GET", "files", file_id, told=shown, file_id=file_id)


def shown(given: Any) -> Any:
    """Without links, whose signatures are of the real day."""
    linked = {name: True for name in ("url", "thumbnail_url") if given.get(name)}
    return {**{name: given.get(name) for name in ("file_id", "status", "kind", "reason")}, **linked}


ACTIONS: Final[Actions] = {
    "upload": (_upload, 2),
    "send_file": (_send_file, 2),
    "get_file": (_look_at_file, 1),
}
