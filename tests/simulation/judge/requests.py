"""What functions print: a line for each request, with what came of it, and never what was said in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from tests.simulation.judge.case import Case

_LOGGED: Final = ("authorizer", "connect", "disconnect", "message", "rest")
# How texts of the simulation begin, and tokens; tickets are looked for by what they are.
_SAID: Final = ("text ", "title ", "alias ", "some words", "eyJ")


def nothing_said_is_logged(case: Case) -> Iterator[str]:
    """No content and no token is in any log."""
    lines = [*case.scenario.log.said, *case.scenario.log.requests]
    printed = "\n".join(lines)
    tickets = [one.value["ticket"] for one in case.operations("ticket") if one.outcome == "ok"]
    for secret in (*_SAID, *tickets):
        if secret in printed:
            yield f"{secret!r} was logged: {next(line for line in lines if secret in line)}"


def each_request_has_its_line(case: Case) -> Iterator[str]:
    """One for each invocation that has ended, by function."""
    if not case.scenario.plan.limits.logged:
        return
    runtime = case.scenario.deployment.runtime
    lines = [json.loads(line) for line in case.scenario.log.requests]
    counted = Counter(line["service"].removeprefix("parley-") for line in lines)
    for name in _LOGGED:
        if not runtime.ended[name] <= counted[name] <= runtime.started[name]:
            yield f"{name} has {counted[name]} lines for {runtime.ended[name]} of {runtime.started[name]} requests"
    yield from _frames(case, [line for line in lines if line["service"] == "parley-message"])


def _frames(case: Case, lines: list[dict[str, Any]]) -> Iterator[str]:
    """Each says whose frame it was, and how it was answered."""
    answered = [one for one in case.scenario.deployment.gateway.exchanges if one.reply is not None]
    wanted: Counter[tuple[Any, ...]] = Counter(
        (one.line.context["user_id"], one.line.connection_id, one.frame.get("id"), "ok" if one.is_done else one.code)
        for one in answered
    )
    # What the function of a frame that wants no answer has said is the status alone.
    wanted += Counter(
        (one.line.context["user_id"], one.line.connection_id, one.frame.get("id"), 200)
        for one in case.scenario.deployment.gateway.exchanges
        if one.is_silent
    )
    written = Counter((line["user_id"], line["connection_id"], line.get("frame_id"), line["code"]) for line in lines)
    for what in wanted - written:
        yield f"{what} was answered {wanted[what]} times, and logged {written[what]} times"


def every_invocation_counts_its_own_time(case: Case) -> Iterator[str]:
    """It begins with that; else it would give up by the time of the one before it."""
    yield from (f"{name} did not begin its time" for name in case.scenario.deployment.runtime.unbegun)


RULES = (nothing_said_is_logged, each_request_has_its_line, every_invocation_counts_its_own_time)
