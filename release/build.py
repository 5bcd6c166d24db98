"""`make release`: everything that is handed out, built from the commit alone, in a folder of its own.

The same commit makes the same bytes, wherever and whenever: files bear the commit's time; neither a folder's name nor
what lies uncommitted gets in. The tools are those that `make setup` has installed from the locks.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from release import places, sbom
from release.errors import ReleaseError
from release.repository import Repository

TEMPLATE: Final = "Parley-prod.template.json"  # the stack's name where no stage is chosen
SUMS: Final = "SHA256SUMS"
_TOOLS: Final = (".venv", ".tools", ".build")
_WORKSPACES: Final = ("clients/js", "clients/js/react")
_QUIET: Final = ("--quiet", "--no-notices", "--no-version-reporting", "--no-color")
_SECONDS: Final = 900
# What would make it another release on another machine: keys of the configuration, an account, a region.
_LEFT_OUT: Final = (
    "PARLEY_",
    "AWS_",
    "CDK_",
    "npm_",
    "NPM_CONFIG_WORKSPACE",
    "UV_",
    "VIRTUAL_ENV",
    "PYTHONPATH",
    "MAKE",
)
_KEPT: Final = ("AWS_CA_BUNDLE", "UV_INDEX", "UV_DEFAULT_INDEX", "UV_CACHE_DIR", "npm_config_registry")


def build(root: Path, *, tools: Path | None = None) -> Path:
    """The folder with everything. `tools`: the folder that has what `make setup` installs, if it is not the clone.

    Raises:
        ReleaseError: something is not committed, the versions disagree, the changelog lacks this one, or a tool failed.

    """
    version = check(root)
    repository = Repository(root)
    place = root / ".build/release"
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{version}-", dir=place) as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        _make(repository, version, Path(scratch), made, tools or root)
        final = place / version
        shutil.rmtree(final, ignore_errors=True)
        made.rename(final)
    return final


def check(root: Path) -> str:
    """The version, where this commit can be released."""
    Repository(root).check_clean()
    version = places.check(root)
    if not places.section((root / places.CHANGES).read_text(encoding="utf-8"), version):
        raise ReleaseError(f"{places.CHANGES} says nothing of {version}", f"Write its section: ## {version} (<day>)")
    return version


def _make(repository: Repository, version: str, scratch: Path, made: Path, tools: Path) -> None:
    name, at = f"parley-{version}", repository.committed_at()
    archive = repository.archive(name)
    repository.unpack(archive, scratch)
    tree = scratch / name
    _equip(tree, tools.resolve())
    environment = _environment(tree, at)
    with ThreadPoolExecutor() as threads:
        template = threads.submit(_synthesized, tree, scratch / "cdk.out", environment)
        _python(tree, made, environment)
        _node(tree, made, environment)
        bill = sbom.make(tree, version=version, commit=repository.commit(), at=at)
        (made / f"{name}.cdx.json").write_text(bill, encoding="utf-8")
        (made / f"{name}.template.json").write_bytes(template.result())
    (made / f"{name}.tar.gz").write_bytes(_sources(archive, f"{name}/{name}.template.json", template.result(), at))
    (made / SUMS).write_text(sums(made), encoding="utf-8")
    for path in made.iterdir():
        os.utime(path, (at, at))


def _equip(tree: Path, tools: Path) -> None:
    """Give a tree what is installed, with the packages of the tree itself in place of those of the clone."""
    for name in _TOOLS:
        (tools / name).mkdir(exist_ok=True)
        (tree / name).symlink_to(tools / name)
    modules = tree / "node_modules"
    modules.mkdir()
    for path in (tools / "node_modules").iterdir():
        if path.name != "@parley":
            (modules / path.name).symlink_to(path)
    (modules / "@parley").mkdir()
    for folder, name in zip(_WORKSPACES, ("client", "react"), strict=True):
        (modules / "@parley" / name).symlink_to(tree / folder)


def _environment(tree: Path, at: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in _KEPT or not name.startswith(_LEFT_OUT)}
    path = [str(tree / ".venv/bin"), str(tree / ".tools/uv/bin"), kept.get("PATH", os.defpath)]
    return kept | {
        "PATH": os.pathsep.join(path),
        "SOURCE_DATE_EPOCH": str(at),
        "TZ": "UTC",
        "CI": "true",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "true",
        # A template for any account and region: whose credentials are around has no say.
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def _python(tree: Path, made: Path, environment: Mapping[str, str]) -> None:
    """The wheel, and the sdist that it is built from."""
    uv = str(tree / ".tools/uv/bin/uv")
    _run([uv, "build", "--quiet", "--out-dir", str(made), "clients/python"], tree, environment)
    (made / ".gitignore").unlink(missing_ok=True)


def _node(tree: Path, made: Path, environment: Mapping[str, str]) -> None:
    """The two tarballs, each built by its `prepack`."""
    chosen = [f"--workspace={folder}" for folder in _WORKSPACES]
    _run(["npm", "pack", "--silent", "--pack-destination", str(made), *chosen], tree, environment)


def _synthesized(tree: Path, folder: Path, environment: Mapping[str, str]) -> bytes:
    """The stack's template, as no configuration makes it."""
    cdk = str(tree / "node_modules/.bin/cdk")
    _run([cdk, "synth", *_QUIET, "--output", str(folder)], tree, environment)
    return (folder / TEMPLATE).read_bytes()


def _run(command: list[str], folder: Path, environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False, timeout=_SECONDS,
    )  # fmt: skip
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()][-12:]
        raise ReleaseError(f"{Path(command[0]).name} {command[1]} failed:\n" + "\n".join(said), "Run: make setup")


def _sources(archive: bytes, name: str, content: bytes, at: int) -> bytes:
    """The commit's files with one more, zipped: without the names and times that gzip would add."""
    tar = io.BytesIO(archive)
    with tarfile.open(fileobj=tar, mode="a") as more:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mtime, entry.mode = len(content), at, 0o664
        entry.uname = entry.gname = "root"
        more.addfile(entry, io.BytesIO(content))
    zipped = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=zipped, mode="wb", compresslevel=9, mtime=at) as out:
        out.write(tar.getvalue())
    return zipped.getvalue()


def sums(folder: Path) -> str:
    """A line for each file, as `sha256sum --check` reads them."""
    return "".join(f"{_digest(path)}  {path.name}\n" for path in _listed(folder.iterdir()))


def _listed(paths: Iterable[Path]) -> list[Path]:
    return sorted(path for path in paths if path.name != SUMS)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
