"""The step that compares the version of the stack with that of these commands."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from local import health
from ops.doctor.trouble import Doubt
from shared.version import VERSION

if TYPE_CHECKING:
    from ops.doctor.patient import Patient

_OLDER = "What it says may be of an older or newer form than these commands know (docs/compatibility.md)"


async def version(patient: Patient) -> str:
    """The stack is of the version that these commands are of."""
    said = await asyncio.to_thread(health.version_at, patient.http_url)
    if said == VERSION:
        return f"{VERSION}, the stack and these commands"
    there = f"the stack is {said}" if said else "the stack says none"
    raise Doubt(
        f"{there}, these commands are {VERSION}",
        _OLDER,
        "Deploy this version (make deploy; on this machine: make up), or take the commands of the stack's version",
    )
