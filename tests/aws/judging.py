"""Recorded requests against a deployment: what AWS would refuse of them, and what of their roles they need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from tests.aws.calls import Call, Recorded, call_of
from tests.aws.deployment import FUNCTION, Deployment, Statement
from tests.aws.permissions import Need, allows, needs, needs_of_services, not_allowed, single_permissions
from tests.aws.rules import rule_problems
from tests.aws.shapes import shape_problems


@dataclass
class Verdict:
    """`invalid` and `refused` say what AWS would not take, each with how often. `made` counts calls by function."""

    invalid: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    made: Counter[str] = field(default_factory=Counter)
    needs: set[Need] = field(default_factory=set)

    @property
    def problems(self) -> list[str]:
        told = (("invalid", self.invalid), ("not allowed", self.refused))
        return [f"{what}, {count} times: {one}" for what, counted in told for one, count in sorted(counted.items())]

    def __str__(self) -> str:
        counts = f"{self.made.total()} requests, {self.invalid.total()} invalid, {self.refused.total()} not allowed"
        return "\n".join([counts, *self.problems])


def judge(requests: Iterable[Recorded], deployment: Deployment) -> Verdict:
    verdict, tables = Verdict(), tables_of(deployment)
    for request in requests:
        if request.is_a_clients and request.status >= HTTPStatus.BAD_REQUEST:
            continue  # what a client has made of it was refused, and is nothing that the function said
        about = f"{request.function}: {request.service} {request.method} {request.path}"
        try:
            call = call_of(request)
            about = f"{request.function}: {call}"
            wrong = problems_of(call, tables)
            verdict.needs.update(needs(call, deployment))
        except (AssertionError, ValueError, LookupError, StopIteration) as error:
            wrong = [f"{type(error).__name__}: {error}"]
        verdict.made[about] += 1
        verdict.invalid.update(f"{about}: {one}" for one in wrong)
    verdict.refused = Counter(
        f"{need.why} needs {need.action} on {need.resource}"
        for need in not_allowed(verdict.needs, list(deployment.statements()))
    )
    return verdict


def problems_of(call: Call, tables: Mapping[str, str]) -> list[str]:
    """What is wrong with one: where its shape is, the rest is not looked at."""
    return [*call.wrong, *shape_problems(call)] or list(rule_problems(call, tables))


def tables_of(deployment: Deployment) -> Mapping[str, str]:
    """A table's name → which of the four it is, as the functions' environments say."""
    return {
        str(deployment.value(value)): name.removesuffix("_TABLE").lower()
        for _, properties in deployment.of(FUNCTION)
        for name, value in properties["Environment"]["Variables"].items()
        if name.endswith("_TABLE")
    }


def removals(verdict: Verdict, deployment: Deployment) -> dict[str, list[Need]]:
    """Each single permission of a role, and what is no longer allowed once it is taken from the template.

    That is what it alone gives. Empty: neither one of the calls nor a service that acts with the role would miss it.
    """
    missed: dict[str, list[Need]] = {}
    of_role: dict[str, list[tuple[str, Statement]]] = {}
    for number, one in enumerate(single_permissions(deployment)):
        name = f"{one.principal}: {one.actions[0]} on {one.resources[0]} ({number})"
        missed[name] = []
        of_role.setdefault(one.principal, []).append((name, one))
    for need in {*verdict.needs, *needs_of_services(deployment)}:
        giving = [name for name, one in of_role.get(need.principal, ()) if allows(one, need)]
        if len(giving) == 1:
            missed[giving[0]].append(need)
    return missed
