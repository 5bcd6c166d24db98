"""Mistakes in the product's source, one at a time, and what finds each: a test of the suite, a simulated history.

  python -m tests.planted                           all of them, by both; with --write it is kept
  python -m tests.planted "own messages are unread"
  python -m tests.planted --list                    what there is, and what found it last
  python -m tests.planted --path shared/domain/rules.py --old "size > limit" --new "size >= limit"
                                                    one of your own: what --old says, once in that file, becomes --new

A bug is planted into the running process; no file changes. Of the tests, those that come to its place are run, the
quickest first; of the histories, those that do. Ends with 0 where something found each.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.planted import BUGS
from tests.planted.finders import Finders, page, read, write
from tests.planted.hunting import HISTORIES, hunt
from tests.planted.mutation import ROOT, Bug, NotPlantableError, changed
from tests.planted.suite import FOLDERS, by_tests, unfound


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = _parser().parse_args(arguments)
    try:
        bugs = _bugs(chosen)
    except (NotPlantableError, KeyError, OSError) as error:
        print(f"no such bug: {error}", file=sys.stderr)  # noqa: T201  # a command line tool
        return 2
    known = read()
    if chosen.list:
        print(page(known))  # noqa: T201
        return 0
    if chosen.check:
        return _check(bugs, known)
    found = _look(bugs, chosen)
    if chosen.write:
        for name, one in found.items():
            known[name] = _merged(known.get(name, Finders()), one, chosen.by)
        write(known)
        (ROOT / "docs" / "planted-bugs.md").write_text(page(known))
    missed = [name for name, one in found.items() if one.test is None and one.seed is None]
    print(f"{len(found) - len(missed)} of {len(found)} found")  # noqa: T201
    return bool(missed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.planted", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which of the list (all)")
    parser.add_argument("--by", choices=("both", "tests", "simulation"), default="both", help="what looks (both)")
    parser.add_argument("--histories", type=int, default=HISTORIES, help="after how many to give up (2,000)")
    parser.add_argument("--workers", type=int, default=2, help="processes side by side, for histories (2)")
    parser.add_argument(
        "--tests", nargs="+", default=FOLDERS, metavar="PATH", help="which tests (those without a stack)"
    )
    parser.add_argument("--write", action="store_true", help="keep what was found, and write docs/planted-bugs.md anew")
    parser.add_argument("--check", action="store_true", help="only: does the test that is noted for it still find it?")
    parser.add_argument("--list", action="store_true", help="only: the list, with what found each")
    own = parser.add_argument_group("a bug of your own")
    own.add_argument("--path", help="in which file, from the project's root")
    own.add_argument("--old", help="what stands there, once")
    own.add_argument("--new", help="what stands there instead")
    return parser


def _bugs(chosen: argparse.Namespace) -> list[Bug]:
    """Raises NotPlantableError, KeyError, OSError."""
    if chosen.path is None:
        return [BUGS[name] for name in chosen.names or BUGS]
    bug = Bug("your bug", chosen.path, chosen.old or "", chosen.new or "")
    changed(bug)
    return [bug]


def _check(bugs: Sequence[Bug], known: dict[str, Finders]) -> int:
    tests = {bug.name: test for bug in bugs if (test := known[bug.name].test)}
    missed = unfound(tests, BUGS)
    for name in missed:
        print(f"{name}: not found by {tests[name]}")  # noqa: T201
    print(f"{len(tests) - len(missed)} of {len(tests)} found by the tests that are noted for them")  # noqa: T201
    return bool(missed)


def _look(bugs: Sequence[Bug], chosen: argparse.Namespace) -> dict[str, Finders]:
    found = {bug.name: Finders(histories=chosen.histories) for bug in bugs}
    if chosen.by != "simulation":
        tests = by_tests(bugs, chosen.tests, _teller())
        found = {name: replace(one, test=tests.get(name)) for name, one in found.items()}
    if chosen.by != "tests":
        for bug, one in hunt(bugs, histories=chosen.histories, workers=chosen.workers):
            what = f"seed {one.seed}: {one.what.strip()[:110]}" if one else f"not in {chosen.histories:,} histories"
            print(f"{bug.name:80} {what}", flush=True)  # noqa: T201
            if one:
                found[bug.name] = replace(found[bug.name], seed=one.seed, histories=one.histories)
    return found


def _teller() -> Callable[[str, str | None], None]:
    """Prints what is found by tests, though pytest captures what is printed meanwhile."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    return lambda name, test: print(f"{name:80} {test or 'not found by any test'}", file=out)


def _merged(was: Finders, now: Finders, by: str) -> Finders:
    """What was not looked by this time stays as it was."""
    if by == "tests":
        return replace(was, test=now.test)
    return replace(now, test=was.test) if by == "simulation" else now


if __name__ == "__main__":
    sys.exit(main())
