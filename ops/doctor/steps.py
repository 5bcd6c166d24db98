"""Steps, and how they are taken: one after the other, each with a verdict. None is stopped by one it does not need."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ops.doctor.report import FAILED, OK, SKIPPED, WARNED, Finding, Verdict
from ops.doctor.trouble import Doubt, Skip, Trouble

if TYPE_CHECKING:
    from ops.doctor.patient import Patient

# The longest that any step may take by itself; the long one says so.
PATIENCE_S: Final = 90.0


Take = Callable[["Patient"], Awaitable[str]]
"""Takes a step, and returns what was seen. Raises Trouble, Doubt, Skip; anything else is a failure as it is."""


@dataclass(frozen=True)
class Step:
    """`needs` are steps that must not have failed or been skipped: without them it would only fail the same way."""

    name: str
    title: str
    take: Take = field(repr=False)
    needs: Sequence[str] = ()
    patience_s: float = PATIENCE_S


async def take_all(
    steps: Sequence[Step], patient: Patient, *, show: Callable[[Finding], object] = lambda _: None
) -> list[Finding]:
    """Every step in its order."""
    found: dict[str, Finding] = {}
    for step in steps:
        found[step.name] = finding = await _take(step, patient, found)
        show(finding)
    return list(found.values())


async def _take(step: Step, patient: Patient, found: Mapping[str, Finding]) -> Finding:
    lacking = [name for name in step.needs if found[name].verdict in (FAILED, SKIPPED)]
    if lacking:
        return Finding(step.name, step.title, SKIPPED, f"needs {', '.join(lacking)}")
    began, began_at = time.monotonic(), time.time()
    said, cause, remedy = "", "", ""
    verdict: Verdict = OK
    try:
        async with asyncio.timeout(step.patience_s):
            said = await step.take(patient)
    except Skip as reason:
        verdict, said = SKIPPED, str(reason)
    except Trouble as trouble:
        verdict = WARNED if isinstance(trouble, Doubt) else FAILED
        said, cause, remedy = trouble.said, trouble.cause, trouble.remedy
    except Exception as error:  # noqa: BLE001  # whatever it is, it is what this step came to
        verdict, said = FAILED, await asyncio.to_thread(patient.in_words, error, step.patience_s)
    if verdict == FAILED and not cause:
        cause, hint = await asyncio.to_thread(patient.cause, began_at)
        remedy = remedy or hint
    return Finding(step.name, step.title, verdict, said, cause, remedy, time.monotonic() - began)
