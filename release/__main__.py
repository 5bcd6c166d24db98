"""`make release` builds what is handed out; `make version` says, checks or changes the version of everything."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from release import places
from release.build import SUMS, build
from release.errors import ReleaseError

ROOT: Final = Path(__file__).resolve().parents[1]


def main() -> int:
    parser = argparse.ArgumentParser(prog="make release")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build")
    commands.add_parser("version").add_argument("wanted", nargs="?", default="")
    options = parser.parse_args()
    try:
        if options.command == "build":
            _build()
        else:
            _version(options.wanted)
    except ReleaseError as error:
        print(f"error: {error}", *([f"  {error.hint}"] if error.hint else []), sep="\n", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _build() -> None:
    folder = build(ROOT)
    changes = places.section((ROOT / places.CHANGES).read_text(encoding="utf-8"), folder.name) or ""
    for path in sorted(folder.iterdir()):
        print(f"  {path.stat().st_size:>10,}  {path.name}")
    print(f"They are in {folder.relative_to(ROOT)}; to check them there: sha256sum --check {SUMS}")
    if "unreleased" in changes.partition("\n")[0]:
        print(f"{places.CHANGES} calls {folder.name} unreleased: give it its day before you tag it")


def _version(wanted: str) -> None:
    if not wanted:
        print(places.check(ROOT))
        return
    changed = places.change(ROOT, wanted)
    print(*(f"  {name}" for name in changed), sep="\n")
    print(f"{wanted}: {len(changed)} files changed" if changed else f"It is {wanted} everywhere")


if __name__ == "__main__":
    sys.exit(main())
