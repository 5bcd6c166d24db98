"""What others get of the Python client: a version, a licence, a page, and words at everything that they call."""

from __future__ import annotations

import inspect
import tomllib
from pathlib import Path

import parley_client

FOLDER = Path(__file__).resolve().parents[2] / "clients/python"


def test_it_knows_its_version() -> None:
    project = tomllib.loads((FOLDER / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert parley_client.__version__ == project["version"]
    assert (FOLDER / project["readme"]).is_file()
    assert all((FOLDER / name).is_file() for name in project["license-files"])


def test_everything_public_says_what_it_does() -> None:
    silent = []
    for name in parley_client.__all__:
        public = getattr(parley_client, name)
        if not inspect.isclass(public):
            silent += [] if inspect.getdoc(public) or not callable(public) else [name]
            continue
        if (public.__doc__ or f"{name}(").startswith(f"{name}("):  # a dataclass says its fields by itself
            silent.append(name)
        members = inspect.getmembers(public, lambda one: inspect.isfunction(one) or isinstance(one, property))
        silent += [f"{name}.{each}" for each, one in members if not each.startswith("_") and not inspect.getdoc(one)]
    assert silent == []
    assert inspect.getmembers(parley_client.ParleyClient, inspect.isfunction)
