"""Everything that readers got, by whatever way: to look in all of it for what somebody must not see."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

from tests.simulation.judge.case import Case
from tests.simulation.judge.pushes import owners
from tests.simulation.tokens import read

_BEARER: Final = "Bearer "


def given_to_users(case: Case) -> Iterator[tuple[str, str, float, str]]:
    """To whom, by which way, when (at the latest), and all that it said: events, replies, answers and pushes."""
    gateway, deployment = case.scenario.deployment.gateway, case.scenario.deployment
    for post in gateway.posts:
        yield post.line.user_id, f"event {post.event['type']}", post.at, json.dumps(post.event)
    for one in gateway.exchanges:
        if one.reply is not None:
            yield one.line.user_id, f"reply to {one.frame['type']}", one.ended, json.dumps(one.reply)
    for request in deployment.requests:
        asked = request.event["requestContext"]["http"]
        what = f"{asked['method']} {asked['path']}"
        yield _user_of(request.event), what, request.process.ended, request.answer
    for push in deployment.provider.accepted:
        said = json.dumps([dict(push.data), push.text, push.arguments])
        for user in sorted(owners(case, push)):
            yield user, "push", push.at, said
    for (job_id, name), data in deployment.runtime.environment.archive.stored.items():
        yield _exported(case, job_id), f"export {name}", 0.0, data.decode(errors="replace")


def _user_of(event: dict[str, dict[str, str]]) -> str:
    bearer = event["headers"].get("authorization", "")
    return read(bearer.removeprefix(_BEARER)).user_id if bearer else ""


def _exported(case: Case, job_id: str) -> str:
    """Whose export it is, by the row of its job."""
    for _, (table, pk, _), _, new in case.past.changes:
        if table == "members" and new is not None and new.get("job_id") == job_id and pk.startswith("job#"):
            return str(new.get("user_id", pk.rpartition("#")[2]))
    return ""


def saying(texts: Iterable[str]) -> re.Pattern[str]:
    """Finds any of these, and not longer ones that begin so."""
    return re.compile("|".join(rf"{re.escape(text)}(?!\w)" for text in texts))
