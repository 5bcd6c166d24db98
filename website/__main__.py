"""`python -m website build` makes the docs site in .build/site, `serve` also shows it on this machine."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]  # comes with cfn-lint, without types

from website import frame_reference, http_reference, staging
from website.navigation import navigation

HERE: Final = Path(__file__).resolve().parent
BUILT: Final = staging.ROOT / ".build/site"
_STAMP: Final = HERE / "node_modules/.installed"


class BuildError(Exception):
    """The site can't be built; the text says why."""


def prepare(document: dict[str, Any]) -> None:
    """Lays out all pages, those that are made from the OpenAPI document and AsyncAPI among them."""
    staging.stage()
    frames = yaml.safe_load((staging.ROOT / "docs/asyncapi.yaml").read_text(encoding="utf-8"))
    made = {**http_reference.pages(document), frame_reference.ADDRESS: frame_reference.page(frames)}
    for address, text in made.items():
        staging.write(address, text)
    navigated = json.dumps(navigation(staging.titles()))
    (staging.STAGED / "navigation.json").write_text(navigated, encoding="utf-8")


def install() -> None:
    """The generator that package-lock.json names, where it is not there yet. Nothing that it brings is run for that."""
    lock = (HERE / "package-lock.json").read_text(encoding="utf-8")
    if _STAMP.exists() and _STAMP.read_text(encoding="utf-8") == lock:
        return
    _run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    _STAMP.write_text(lock, encoding="utf-8")


def build(folder: Path = BUILT) -> None:
    """Raises BuildError with the generator's last words, for a link that leads to no page, too."""
    install()
    prepare(_document())
    _run("node_modules/.bin/vitepress", "build", "--outDir", str(folder))


def serve(port: int) -> None:
    handler = partial(SimpleHTTPRequestHandler, directory=str(BUILT))
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        print(f"  the docs are at http://127.0.0.1:{server.server_port}/  (Ctrl-C ends it)")  # noqa: T201
        server.serve_forever()


def _run(*command: str) -> None:
    environment = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise BuildError(f"{' '.join(command[:2])} failed:\n{(done.stdout + done.stderr)[-2_000:]}")


def _document() -> dict[str, Any]:
    """The OpenAPI document, from the code."""
    import tests.functions.environment  # noqa: F401, PLC0415  # the handler reads it when it is imported
    from tests.functions.rest.document import document  # noqa: PLC0415

    return document()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m website", description=__doc__)
    parser.add_argument("command", choices=("build", "serve"))
    parser.add_argument("--port", type=int, default=4590)
    given = parser.parse_args()
    try:
        build()
        print(f"  built in {BUILT.relative_to(staging.ROOT)}/")  # noqa: T201
        if given.command == "serve":
            serve(given.port)
    except (BuildError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
