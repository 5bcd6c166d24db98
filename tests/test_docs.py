"""The pages agree with the code: links, places, limits, pinned versions. The protocol has a module of its own."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from pathlib import Path

import pytest
from parley_client import limits

from infra.config import Config, ConfigError
from shared.adapters.dynamodb.shown import MAX_TRIES
from shared.domain import connections, rules, text
from shared.domain.changes import MAX_USERS_PER_CHANGE
from shared.domain.fan_out import SHARD_SIZE
from shared.domain.files import QUOTA
from shared.operations import notifications
from shared.operations.contacts import MAX_BLOCKS, MAX_CONTACTS
from shared.operations.devices import MAX_TOKEN
from shared.operations.presence import MAX_WATCHED
from shared.wire.rest.conversations import MAX_FIRST_MEMBERS
from shared.wire.websocket import frames
from shared.wire.websocket.gateway import MAX_ID_CHARACTERS

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("benchmarks/*.md"),
        *ROOT.glob("examples/README.md"),
        *ROOT.glob("examples/*/README.md"),
    ]
)
FOLDERS = r"infra|functions|shared|local|ops|clients|tests|docs|benchmarks|examples|website|\.github|\.githooks"
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
PLACE = re.compile(rf"`((?:{FOLDERS})(?:/[\w.-]+)+/?)`")
# Not meant: routes, the emulator's paths, what every Unix or Lambda has, and what stands for anybody's path.
ABSOLUTE = re.compile(r"(?<![\w.~:/)}>*…#-])/(?!v1/|_|var/task|path/to/|dev/|tmp/|usr/|etc/|proc/)[a-z][\w.-]*/")


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def prose(text: str) -> str:
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(text: str) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ +(.+)$", prose(text), flags=re.MULTILINE)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    for target in LINK.findall(prose(page(name))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        place = (ROOT / name).parent / path if path else ROOT / name
        assert place.exists(), f"{name}: {target} does not exist"
        if anchor and place.suffix == ".md":
            assert anchor in anchors(place.read_text(encoding="utf-8")), f"{name}: {target} names no heading"


@pytest.mark.parametrize("name", PAGES)
def test_every_file_that_is_named_exists(name: str) -> None:
    for place in PLACE.findall(page(name)):
        assert (ROOT / place).exists(), f"{name}: {place} does not exist"


@pytest.mark.parametrize("name", [*PAGES, "docs/asyncapi.yaml"])
def test_no_page_names_a_place_of_somebodys_machine(name: str) -> None:
    assert not ABSOLUTE.findall(page(name))


def test_every_page_can_be_found_from_the_readme() -> None:
    seen, waiting = set(), ["README.md"]
    while waiting:
        name = waiting.pop()
        seen.add(name)
        for target in LINK.findall(prose(page(name))):
            path = ((ROOT / name).parent / target.partition("#")[0]).resolve()
            if path.suffix == ".md" and path.is_relative_to(ROOT) and path.is_file():
                linked = path.relative_to(ROOT).as_posix()
                waiting += [linked] if linked not in seen else []
    assert seen >= set(PAGES)


def test_the_index_lists_every_decision() -> None:
    listed = set(re.findall(r"\((\d{4}-[\w-]+\.md)\)", page("docs/adr/README.md")))
    assert listed == {path.name for path in (ROOT / "docs/adr").glob("0*.md")}


# -- limits -----------------------------------------------------------------------------------------------------------


def test_every_number_that_a_deployment_can_choose_is_among_the_limits_with_its_default() -> None:
    chosen = Config.load({}, {})
    numbers = {name: value for name in Config.__slots__ if type(value := getattr(chosen, name)) is int}
    rows = [line for line in page("docs/limits.md").splitlines() if line.startswith("|")]
    for name, value in numbers.items():
        assert any(f"`{name}`" in row and re.search(rf"\b{value:,}\b", row) for row in rows), f"{name}: {value:,}"


@pytest.mark.parametrize(
    ("what", "limit"),
    [
        ("text content", rules.MAX_CONTENT_CHARACTERS),
        ("`mentions`", rules.MAX_MENTIONS),
        ("a group's name", rules.MAX_NAME_CHARACTERS),
        ("an emoji", rules.MAX_EMOJI_BYTES),
        ("reactions of one message", rules.MAX_REACTIONS),
        ("users in a `presence` frame", MAX_WATCHED),
        ("users added by one entry", MAX_USERS_PER_CHANGE),
        ("members of one shard", SHARD_SIZE),
        ("contacts of one user", MAX_CONTACTS),
        ("users whom one user blocks", MAX_BLOCKS),
        ("conversations named in a `sync`", frames.MAX_SYNC_CONVERSATIONS),
        ("a push token", MAX_TOKEN),
        ("users of one notification", notifications.MAX_USERS),
        ("title of a notification", notifications.MAX_TITLE),
        ("body of a notification", notifications.MAX_BODY),
        ("`data` of a notification", notifications.MAX_DATA_BYTES),
        ("notifications listed at once", notifications.MAX_LISTED),
        ("tries to push one message", MAX_TRIES),
    ],
)
def test_limits_are_as_they_are_in_the_code(what: str, limit: int) -> None:
    rows = [line for line in page("docs/limits.md").splitlines() if line.startswith(f"| {what}")]
    assert any(re.search(rf"\b{limit:,}\b", row) for row in rows), f"{what}: {limit:,}"


@pytest.mark.parametrize(
    ("key", "bound"),
    [
        ("text_limit", rules.MAX_CONTENT_CHARACTERS),
        ("mention_limit", rules.MAX_MENTIONS),
        ("page_limit", rules.MAX_PAGE),
        ("frame_limit", frames.MAX_FRAME_BYTES),
        ("group_limit", MAX_FIRST_MEMBERS),
        ("presence_grace_s", connections.MAX_GRACE_MS // 1_000),
    ],
)
def test_a_deployment_can_choose_what_the_protocol_has_and_nothing_beyond(key: str, bound: int) -> None:
    assert getattr(Config.load({key: bound}, {}), key) == bound
    with pytest.raises(ConfigError):
        Config.load({key: bound + 1}, {})


def test_the_quota_is_the_one_that_files_are_counted_by() -> None:
    assert Config.load({}, {}).file_quota == QUOTA


def test_the_clients_limits_are_the_servers() -> None:
    assert limits.MAX_FRAME_BYTES == frames.MAX_FRAME_BYTES
    assert limits.MAX_FRAME_ID == MAX_ID_CHARACTERS
    assert limits.MAX_NAMED == frames.MAX_SYNC_CONVERSATIONS
    assert limits.MAX_WATCHED == MAX_WATCHED
    assert limits.MAX_PAGE == rules.MAX_PAGE == notifications.MAX_LISTED
    assert limits.USER_ID_RULE == text.USER_ID_RULE
    longest = text.MAX_USER_ID * "a"
    for user_id in ("a", ".", "..", "...", longest, longest + "a", "a b", "a:b", ""):
        assert (limits.USER_ID.fullmatch(user_id) is None) != text.is_user_id(user_id)


def test_shapes_name_their_limits() -> None:
    """A number that stands in a field's bound is a limit that is declared twice, or is about to be."""
    for path in [*(ROOT / "shared/wire").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]:
        for one in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(one, ast.keyword) and one.arg in {"max_length", "le", "lt"}:
                assert not isinstance(one.value, ast.Constant), f"{path.relative_to(ROOT)}, line {one.lineno}"


# -- dependencies -----------------------------------------------------------------------------------------------------


def pinned() -> dict[str, str]:
    """Every package that a project of this repository pins, with its version."""
    groups = tomllib.loads(page("pyproject.toml"))["dependency-groups"]
    python = [entry for group in groups.values() for entry in group if isinstance(entry, str) and "==" in entry]
    python += tomllib.loads(page("local/emulator/pyproject.toml"))["project"]["dependencies"]
    found = dict(re.sub(r"\[.*\]", "", entry).split("==") for entry in python)
    found["uv"] = tomllib.loads(page("pyproject.toml"))["tool"]["uv"]["required-version"].removeprefix("==")
    for folder in [
        "",
        "tests/web/",
        "website/",
        *(f"{each}/" for each in json.loads(page("package.json"))["workspaces"]),
    ]:
        manifest = json.loads(page(f"{folder}package.json"))
        found |= manifest.get("dependencies", {}) | manifest.get("devDependencies", {})
    return {name: version for name, version in found.items() if not name.startswith("@parley/")}


def test_every_pinned_dependency_is_listed_with_its_version_and_nothing_else_is() -> None:
    rows = re.findall(
        r"^\| ([@/\w.-]+)(?: \(npm\))? \| (\d[\w.]*) \|", page("docs/dependencies.md"), flags=re.MULTILINE
    )
    assert dict(rows) == pinned()


def test_every_dependency_is_listed_with_its_groups() -> None:
    groups = tomllib.loads(page("pyproject.toml"))["dependency-groups"]
    text = page("docs/dependencies.md")
    for name, entries in groups.items():
        for entry in entries:
            if isinstance(entry, str):
                package = re.split(r"[\[=]", entry)[0]
                row = re.search(rf"^\| {re.escape(package)} \| [^|]+ \| ([^|]+) \|", text, flags=re.MULTILINE)
                assert row, f"{package} is not listed"
                assert name in row[1].split(", "), f"{package}: group {name}"
