"""Looking for planted bugs by the tests of the suite: which of them fails where a bug is, by its name.

One session of pytest collects the tests and runs each once, with notes at the places of the bugs. Then, bug by bug, a
fork of that session runs those that came to its place, the quickest first, until one fails.
"""

from __future__ import annotations

import json
import os
import signal
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from time import perf_counter
from typing import Any, Final

import pytest

import tests.functions.environment  # noqa: F401  # read by the handlers when they are imported
from tests.planted.mutation import ROOT, Bug, planted
from tests.planted.reaching import probed

FOLDERS: Final = tuple(
    f"tests/{name}"
    for name in "shared functions contracts client security budgets bad_input faults openapi".split()  # noqa: SIM905
)
"""Tests that run the product in their own process, and take no stack."""
_WITHOUT: Final = ("randomly", "xdist", "cacheprovider", "terminal")
_OPTIONS: Final = ("--override-ini=addopts=", "--import-mode=importlib", *(f"-pno:{name}" for name in _WITHOUT))
_LONGEST_S: Final = 60
"""A test that has not ended by then, with a bug in the product, has failed."""


def by_tests(
    bugs: Sequence[Bug], tests: Sequence[str] = FOLDERS, told: Callable[[str, str | None], None] = lambda *_: None
) -> Mapping[str, str | None]:
    """For each bug, by its name, the first test that fails with it: `file::test`, without parameters.

    `told` hears of each as soon as it is known.
    """
    hunter = _Hunter(bugs, told)
    _session(hunter, tests)
    return hunter.found


def unfound(finders: Mapping[str, str], bugs: Mapping[str, Bug]) -> list[str]:
    """The bugs that the test which is noted for them doesn't find (any more)."""
    checker = _Checker(bugs, finders)
    _session(checker, sorted({test.split("::")[0] for test in finders.values()}))
    return [name for name in finders if name not in checker.found]


def _session(plugin: object, tests: Sequence[str]) -> None:
    pytest.main([f"--rootdir={ROOT}", *_OPTIONS, "-m", "not stack and not slow", *tests], plugins=[plugin])


def named(item: pytest.Item) -> str:
    return item.nodeid.split("[")[0]


class _Hunter:
    """In the place of pytest's loop over the tests."""

    def __init__(self, bugs: Sequence[Bug], told: Callable[[str, str | None], None]) -> None:
        self.bugs = bugs
        self.told = told
        self.found: dict[str, str | None] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        reaching = self._reaching(session)
        for bug in self.bugs:
            items = [item for _, item in sorted(reaching[bug.name], key=lambda one: one[0])]
            self.found[bug.name] = self._finder(bug, items, session)
            self.told(bug.name, self.found[bug.name])
        return True

    def _finder(self, bug: Bug, items: list[pytest.Item], session: pytest.Session) -> str | None:
        """A test that fails without the bug, too, when it runs here by itself, is none."""
        while (failed := _first_failing(bug, items, session)) is not None:
            by_name = [item for item in items if named(item) == failed]
            if _first_failing(None, by_name, session) is None:
                return failed
            items = [item for item in items if named(item) != failed]
        return None

    def _reaching(self, session: pytest.Session) -> Mapping[str, list[tuple[float, pytest.Item]]]:
        """By bug, the tests that come to its place, with how long (s) each takes."""
        found: dict[str, list[tuple[float, pytest.Item]]] = defaultdict(list)
        with probed(self.bugs) as noted:
            for item, after in _with_next(session.items):
                noted.clear()
                began = perf_counter()
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
                for name in noted:
                    found[name].append((perf_counter() - began, item))
        session.testsfailed = 0
        return found


class _Checker:
    """Each bug with the one test that is noted for it."""

    def __init__(self, bugs: Mapping[str, Bug], finders: Mapping[str, str]) -> None:
        self.bugs = bugs
        self.finders = finders
        self.found: dict[str, str] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items: dict[str, list[pytest.Item]] = defaultdict(list)
        for item in session.items:
            items[named(item)].append(item)
        for name, test in self.finders.items():
            failed = _first_failing(self.bugs[name], items[test], session)
            if failed and _first_failing(None, items[test], session) is None:
                self.found[name] = failed
        return True


def _with_next(items: Sequence[pytest.Item]) -> Sequence[tuple[pytest.Item, pytest.Item | None]]:
    return list(zip(items, [*items, None][1:], strict=True))


def _first_failing(bug: Bug | None, items: Sequence[pytest.Item], session: pytest.Session) -> str | None:
    """In a process of its own, since a bug may leave anything behind."""
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        try:
            said = json.dumps(_run(bug, items, session))
            with os.fdopen(writes, "w") as answer:
                answer.write(said)
        finally:
            os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as answer:
        said = answer.read()
    os.waitpid(child, 0)
    return json.loads(said) if said else None


def _run(bug: Bug | None, items: Sequence[pytest.Item], session: pytest.Session) -> str | None:
    signal.signal(signal.SIGALRM, _too_long)
    with planted(bug) if bug else nullcontext():
        for item, after in _with_next(items):
            signal.alarm(_LONGEST_S)
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            signal.alarm(0)
            if session.testsfailed:
                return named(item)
    return None


def _too_long(*_: Any) -> None:
    raise TimeoutError(f"a test has not ended in {_LONGEST_S} s")
