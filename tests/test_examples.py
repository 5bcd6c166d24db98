"""The examples as they stand: a page and a screen each; and what is made of exports that no one would wish for.

That they do what they say is tried on the deployed stack (tests/e2e/test_examples.py).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared.domain.text import private_conversation_id
from shared.operations.imports import GroupLine, MessageLine, import_lines
from shared.wire.rest.imports import NewImport
from shared.wire.rest.users import UserRecords
from tests.harness import Harness

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
FOLDERS = sorted(path.parent.name for path in EXAMPLES.glob("*/README.md"))
SCREEN = 60
PROGRAM = 115
MIGRATION = EXAMPLES / "stream-migration"


def programs(folder: str) -> list[Path]:
    return [path for path in sorted((EXAMPLES / folder).iterdir()) if path.suffix in {".py", ".mjs", ".js", ".jsx"}]


def test_each_is_listed_on_the_page_of_all_once() -> None:
    listed = re.findall(r"\]\(([\w-]+)/README\.md\)", (EXAMPLES / "README.md").read_text(encoding="utf-8"))
    assert sorted(listed) == FOLDERS
    there = {path.name for path in EXAMPLES.iterdir() if path.is_dir()} - {"__pycache__"}
    assert there == set(FOLDERS)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_page_and_a_program_are_a_screen_and_nothing_in_them_is_secret(folder: str) -> None:
    page = (EXAMPLES / folder / "README.md").read_text(encoding="utf-8")
    assert len(page.splitlines()) <= SCREEN
    assert "\nNeeds: `make up`" in page
    assert programs(folder)
    for program in programs(folder):
        code = program.read_text(encoding="utf-8")
        assert len(code.splitlines()) <= PROGRAM, program.name
        assert not re.search(r"eyJ\w|whsec_\w|AKIA\w", code), program.name


def test_the_react_page_is_sixty_lines() -> None:
    assert len((EXAMPLES / "react-page/main.jsx").read_text(encoding="utf-8").splitlines()) <= 60


@pytest.mark.parametrize("folder", FOLDERS)
def test_its_blocks_can_be_pasted_one_after_the_other(folder: str) -> None:
    """Each begins in the clone: one that goes elsewhere comes back, but for the last, in which a program runs on."""
    page = (EXAMPLES / folder / "README.md").read_text(encoding="utf-8")
    for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL)[:-1]:
        place = ROOT
        for where in re.findall(r"^cd (\S+)$", block, re.MULTILINE):
            place = (place / where).resolve()
        assert place == ROOT, block


def test_the_server_says_what_is_wrong_with_a_file_that_is_not_there(tmp_path: Path) -> None:
    given = {"PARLEY_HTTP_URL": "http://localhost:9", "PARLEY_SECRET_FILE": str(tmp_path / "none")}
    done = subprocess.run(
        ["node", str(EXAMPLES / "server-side-sending/send.mjs"), "bob", "4711"],
        env={**os.environ, **given}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    [said] = done.stderr.splitlines()
    assert str(tmp_path / "none") in said
    assert "make up" in said


@pytest.mark.parametrize("folder", ["node-bot", "react-page"])
def test_node_examples_lock_what_the_project_locks(folder: str) -> None:
    """So that nothing else is installed, and what is known of the project's packages is known of theirs."""

    def locked(path: Path) -> dict[str, tuple[str, str]]:
        packages = json.loads((path / "package-lock.json").read_text(encoding="utf-8"))["packages"]
        return {name: (one["version"], one["integrity"]) for name, one in packages.items() if "integrity" in one}

    ours, theirs = set(locked(ROOT).values()), locked(EXAMPLES / folder)
    assert theirs
    assert {name for name, one in theirs.items() if one not in ours} == set()
    manifest = json.loads((EXAMPLES / folder / "package.json").read_text(encoding="utf-8"))
    asked = {**manifest["dependencies"], **manifest.get("devDependencies", {})}
    assert {name: theirs[f"node_modules/{name}"][0] for name in asked} == asked


def test_the_template_of_the_lake_is_one_that_cloudformation_takes(tmp_path: Path) -> None:
    said = "print(json.dumps(template('bus', is_local=sys.argv[1] == 'local')))"
    program = f"import json, sys\nfrom stack import template\n{said}"
    for where in ("local", "aws"):
        made = subprocess.run(
            [sys.executable, "-c", program, where],
            cwd=EXAMPLES / "data-lake",
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        (tmp_path / f"{where}.json").write_text(made, encoding="utf-8")
        assert ("PYTHONPATH" in made) == (where == "local")
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--format", "parseable", *map(str, tmp_path.iterdir())]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)


# -- the way here from Stream


def user(user_id: str, name: str = "") -> dict[str, Any]:
    return {"id": user_id, "name": name, "image": f"http://example.com/{user_id}.png"}


def message(number: int, by: str, text: str = "hi", **more: Any) -> dict[str, Any]:
    return {"id": f"m{number}", "type": "regular", "text": text, "user": user(by), **more} | {
        "created_at": f"2024-03-01T09:00:{number % 60:02}.365621247Z"
    }


def channel(channel_id: str, members: list[str], messages: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    about = {"id": channel_id, "cid": f"messaging:{channel_id}", "created_at": "2024-03-01T09:00:00Z", **more}
    return {"channel": about, "messages": messages, "members": [{"user_id": each} for each in members]}


def converted(tmp_path: Path, text: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "export.json").write_text(text, encoding="utf-8")
    command = [sys.executable, str(MIGRATION / "convert.py"), str(tmp_path / "export.json"), str(tmp_path / "out")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def read(tmp_path: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (tmp_path / f"out/{name}.ndjson").read_text(encoding="utf-8").splitlines()]


STRANGE = [
    channel(
        "!members-1",
        ["bob", "alice"],
        [
            message(1, "alice", "x" * 6_000),
            message(2, "bob", "ü" * 5_000),
            message(3, "bob", "", attachments=[{"type": "giphy", "thumb_url": "https://example.com/a.gif"}]),
            message(4, "bob", "  "),
            message(5, "mallory", "I am in neither"),
            message(6, "alice", "shadowed", shadowed=True),
            message(16, "bob", "half \ud83d", attachments=[{"title": "\ud83d"}]),
            message(7, "alice", "@everybody", mentioned_users=[user("bob"), user("bob"), user("mallory"), user("ä")]),
            message(8, "alice", "many", reaction_counts={"love": 900}, latest_reactions=[
                {"type": "love", "user_id": f"somebody-with-a-long-name-{number}"} for number in range(900)
            ]),
            message(9, "alice", "heavy", attachments=[
                {"type": "file", "title": "t" * 900, "asset_url": "https://example.com"} for _ in range(30)
            ]),
            {**message(10, "alice"), "id": "a" * 255},
        ],
    ),
    channel("!members-2", ["carol"], [message(11, "carol", "to a user who is gone")]),
    channel("big", [f"u{number}" for number in range(60)], [message(12, "u59")], name="a\nname " * 40),
    channel("live/" + "é" * 200, [], [message(13, "ä"), message(14, "dave")], created_by=user("ops")),
    channel("ids", ["alice", "a b", "x" * 200], [message(15, "alice")], name="\u0007"),
    channel("nobody", ["alice"], []),
]  # fmt: skip


@pytest.mark.parametrize("form", ["list", "lines"])
def test_whatever_is_in_an_export_each_line_of_it_can_be_imported(form: str, tmp_path: Path) -> None:
    text = json.dumps(STRANGE) if form == "list" else "\n\n".join(map(json.dumps, STRANGE))
    done = converted(tmp_path, text)
    assert done.returncode == 0, done.stderr
    history = read(tmp_path, "history")
    harness = Harness()
    lines = NewImport(lines=history).read()
    results = import_lines(lines, stores=harness.stores, context=harness.context)
    assert [(one, line) for one, line in zip(results, history, strict=True) if one.outcome != "imported"] == []
    assert UserRecords.model_validate({"users": read(tmp_path, "users")}).users
    groups = [one for one in lines if isinstance(one, GroupLine)]
    assert [(one.creator, len(one.members)) for one in groups] == [
        ("carol", 0), ("u0", 47), ("dave", 0), ("alice", 0), ("alice", 0),
    ]  # fmt: skip
    dm = [one for one in lines if isinstance(one, MessageLine) and one.conversation_id]
    assert {one.conversation_id for one in dm} == {private_conversation_id("alice", "bob")}
    assert [one.message_id for one in dm if len(one.message_id) < 9] == ["m1", "m2", "m3", "m7", "m8", "m9", "m16"]
    assert (len(dm[0].content), len(dm[1].content), dm[3].mentions) == (5_000, 5_000, ("bob",))
    assert "12  members beyond 48 of a group" in done.stdout


@pytest.mark.parametrize("text", ["{}", "[1]", '{"type": "message", "item": {}}', "no JSON", ""])
def test_what_is_no_export_of_channels_is_refused_in_one_line(text: str, tmp_path: Path) -> None:
    done = converted(tmp_path, text)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
