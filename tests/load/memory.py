"""`python -m tests.load.memory`: the functions in this process, again and again, and whether anything of them grows.

A process of its own: no handler has been imported yet, so that all of them go by the population's clock, and nothing
else that runs makes objects.
"""

# ruff: noqa: T201  # a program that prints

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import io
import json
import os
import random
import sys
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import ModuleType
from typing import Any, Final
from unittest.mock import patch
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session

import shared.clock
from shared.adapters.aws.calls import SideBySide
from shared.adapters.aws.threads import ThreadedMap
from shared.adapters.aws.transport import Pool
from shared.domain.devices import APNS, FCM
from shared.domain.members import Group
from shared.domain.pushes import Busy, Push, PushResult, Sent, Unregistered
from shared.domain.rules import Audience
from shared.limits import limiters
from shared.operations import rosters
from tests.fakes import FakeClock
from tests.functions.environment import VARIABLES
from tests.load.containers import containers
from tests.load.growth import Sample, grown, sample
from tests.load.network import Network
from tests.load.population import Handlers, Population
from tests.load.rows import Rows, rows
from tests.sdk import answered
from tests.wire import in_turn

MODULES: Final = {
    "authorizer": "functions.connect.authorizer",
    "connect": "functions.connect.handler",
    "disconnect": "functions.disconnect.handler",
    "files": "functions.files.handler",
    "message": "functions.message.handler",
    "offline_push": "functions.offline_push.handler",
    "presence": "functions.presence.handler",
    "rest": "functions.rest.handler",
}
# Low, so that each is met: the limits of a connection, and the size from which on a group is posted to in shards.
SETTINGS: Final = {
    "FRAME_BURST": "10",
    "FRAME_RATE": "1",
    "ABUSE_LIMIT": "3",
    "INLINE_LIMIT": "8",
    "FAN_OUT_RATE": "5000",
    "DIGEST_LIMIT": "500",
    "DIGEST_S": "900",
}
_QUARTERS: Final = 4
# Of the rosters that a function keeps: so few that the first population's fill that memory.
_SEATS: Final = 10
_GROUPS: Final = 2
_FULL: Final = 25  # sessions for each that is remembered: so all memories are full, or nearly, at the second look


class Provider:
    """Takes most pushes; some devices are not there, and sometimes it is busy."""

    def __init__(self) -> None:
        self.pushes = 0

    def push(self, push: Push) -> PushResult:
        self.pushes += 1
        if self.pushes % 7 == 0:
            return Unregistered("UNREGISTERED")
        return Busy("Timeout", whole_provider=False) if self.pushes % 11 == 0 else Sent()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load.memory", description=__doc__)
    parser.add_argument("--sessions", type=int, default=22_500, help="each goes through every function")
    parser.add_argument("--people", type=int, default=60, help="in each of four populations")
    parser.add_argument("--remembered", type=int, help="users and connections that a function remembers")
    parser.add_argument("--plant", choices=sorted(PLANTED), help="a leak, which has to be found")
    parser.add_argument("--trace", action="store_true", help="count bytes, which takes three times as long")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    remembered = options.remembered or min(limiters._REMEMBERED, options.sessions // _FULL)
    os.environ |= VARIABLES | SETTINGS
    if options.trace:
        tracemalloc.start(1)
    with (
        patch.object(limiters, "_REMEMBERED", remembered),
        patch.object(rosters, "_MOST_SEEN", _GROUPS),
        patch.object(rosters.Rosters.__init__, "__defaults__", (_SEATS,)),
    ):
        report = measured(options.sessions, options.people, options.plant, tell=_keep_quiet if options.json else _tell)
    report |= {"found": grown(report["samples"], bounds(remembered)) + report["unlike"]}
    if options.json:
        kept = {kind: asdict(each) for kind, each in report["rows"].items()}
        print(json.dumps({name: report[name] for name in ("found", "invoked", "outcomes")} | {"rows": kept}))
    else:
        _show(report)
    return 1 if report["found"] else 0


def bounds(remembered: int) -> dict[str, int]:
    """How large what is kept may be; by the ends of its paths. All else stays as it is from the first quarters on."""
    width = 32
    return {
        "._accounts": remembered,
        "._buckets": remembered,
        "._refusals": remembered,
        "._extended": remembered,
        "._refusals[]": int(SETTINGS["ABUSE_LIMIT"]),
        "._idle": width + 1,
        ".private_members": 64,
        ".rosters._kept": _SEATS,
        ".rosters._seen": _GROUPS,
        ".rosters._kept[][].roles": _SEATS,
    }


def measured(sessions: int, people: int, planted: str | None, *, tell: Callable[[Sample], None]) -> dict[str, Any]:
    """Four populations, one after the other, each with its own people; a look after each, when it is gone."""
    clock = FakeClock()
    samples: list[Sample] = []
    invoked: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    unlike: list[str] = []
    kept: dict[str, Rows] = {}
    with patch.object(shared.clock, "now_ms", clock):
        handlers = {name: importlib.import_module(module) for name, module in MODULES.items()}
        # Each look asks whether what it finds is a mapping, which remembers the class: a roster may come late.
        group = Group("", "", "", 0, 0)
        assert not any(isinstance(one, Mapping) for one in (group, Audience({}, group)))
        if planted:
            PLANTED[planted](handlers["message"])
        _make_ready(handlers)
        for quarter in range(_QUARTERS):
            population = _lived(f"q{quarter}", handlers, clock, sessions // _QUARTERS, people)
            invoked += population.invoked
            unlike += population.unlike
            kept = rows(population.network.store)
            outcomes += population.outcomes
            del population
            _forget_ours()
            samples.append(sample(sum(invoked.values()), containers()))
            tell(samples[-1])
    return {"samples": samples, "invoked": dict(invoked), "outcomes": outcomes, "unlike": unlike, "rows": kept}


def _forget_ours() -> None:
    """The store remembers expressions and numbers, for it has to be quick: that is none of the functions' growth."""
    for name, module in list(sys.modules.items()):
        if name.startswith("tests."):
            for value in vars(module).values():
                getattr(value, "cache_clear", int)()


def _lived(name: str, handlers: Handlers, clock: FakeClock, sessions: int, people: int) -> Population:
    network = Network(clock)
    population = Population(name, handlers, network, clock, random.Random(name), people)

    def request(pool: Pool, *args: Any, **_: Any) -> Any:
        return network.request(pool.host, *args)

    def send(_: URLLib3Session, prepared: AWSPreparedRequest) -> AWSResponse:
        return answered(prepared, lambda *arguments: network.request(urlsplit(prepared.url).netloc, *arguments))

    reached = patch.object(Pool, "request", request), patch.object(URLLib3Session, "send", send)
    many = patch.object(SideBySide, "run", in_turn)
    with reached[0], reached[1], many, contextlib.redirect_stdout(io.StringIO()):
        population.settle()
        for _ in range(sessions):
            population.live(frames=6, requested=2)
            population.intrude()
    return population


def _make_ready(handlers: Handlers) -> None:
    """Providers that take pushes, loggers that print nothing, and all threads that there may ever be."""
    provider = Provider()
    handlers["offline_push"]._WIRING.services.providers.made.update({FCM: provider, APNS: provider})
    for handler in handlers.values():
        handler._LOGGER.setLevel("CRITICAL")
    spreaders = {id(each): each for each in gc.get_objects() if isinstance(each, ThreadedMap)}
    for parallel_map in spreaders.values():
        _start_threads(parallel_map)


def _start_threads(parallel_map: ThreadedMap) -> None:
    width = parallel_map._threads._max_workers
    everyone = threading.Barrier(width)
    parallel_map(lambda _: everyone.wait(), range(width))


def _leak_events(module: ModuleType) -> None:
    """Every event is kept."""
    kept: list[Any] = []
    handle = module.handler

    def handler(event: Any) -> Any:
        kept.append(event)
        return handle(event)

    vars(module)["handler"] = handler


def _leak_names(module: ModuleType) -> None:
    """The connections' ids are kept: text, which is no object that the collector knows of."""
    kept: set[str] = set()
    handle = module.handler

    def handler(event: Any) -> Any:
        kept.add(event["requestContext"]["connectionId"])
        return handle(event)

    vars(module)["handler"] = handler


PLANTED: Final = {"events": _leak_events, "names": _leak_names}


def _keep_quiet(_: Sample) -> None:
    return


def _tell(one: Sample) -> None:
    print(
        f"after {one.invocations:>9,} invocations: {sum(one.objects.values()):,} objects, {one.blocks:,} blocks, "
        f"{one.rss / 1e6:.1f} MB, {one.files} open files, {one.threads} threads, "
        f"{sum(one.containers.values()):,} in {len(one.containers):,} containers",
        flush=True,
    )


def _show(report: dict[str, Any]) -> None:
    samples: list[Sample] = report["samples"]
    print("invoked  " + ", ".join(f"{name} {number:,}" for name, number in sorted(report["invoked"].items())))
    before, after = samples[1], samples[3]
    grew = {
        "objects": sum(after.objects.values()) - sum(before.objects.values()),
        "blocks": after.blocks - before.blocks,
        "traced bytes": after.traced - before.traced,
        "bytes of RSS": after.rss - before.rss,
    }
    portions = (after.invocations - before.invocations) / 10_000
    print(
        "growth for 10,000 invocations, in the second half: "
        + ", ".join(f"{many / portions:+,.0f} {name}" for name, many in grew.items())
    )
    print("outcomes " + ", ".join(f"{name} {number:,}" for name, number in sorted(report["outcomes"].items())))
    print("rows     " + ", ".join(f"{kind} {each.rows:,} ({each.most})" for kind, each in report["rows"].items()))
    print(*(f"FOUND    {finding}" for finding in report["found"]), sep="\n")


if __name__ == "__main__":
    sys.exit(main())
