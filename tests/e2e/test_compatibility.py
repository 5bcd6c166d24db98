"""The previous release's clients on today's stack, beside what they have never heard of (docs/compatibility.md).

Today's clients on the previous stack: test_upgrade.py, which deploys that.
"""

from __future__ import annotations

import asyncio
import subprocess
import zipfile
from pathlib import Path

import pytest

from local.stack import Stack
from tests.compatibility import clients
from tests.compatibility.clients import PREVIOUS, Client, check_chat, finished
from tests.compatibility.novelties import novelties
from tests.e2e import released
from tests.e2e.raw_client import http, new_users

LANGUAGES = ("Python", "JavaScript")


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Client]:
    folder = tmp_path_factory.mktemp("previous")
    return {
        "Python": clients.python_client(folder / "python", clients.the_one(PREVIOUS, "*.whl")),
        "JavaScript": clients.javascript_client(folder / "javascript", clients.the_one(PREVIOUS, "*.tgz")),
    }


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_previous_client_chats_on_todays_stack(
    stack: Stack, previous: dict[str, Client], language: str
) -> None:
    client = previous[language]
    report, users = await asyncio.to_thread(client.chat, stack)
    check_chat(report, users, client)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_previous_client_keeps_its_place_beside_all_that_is_new(
    stack: Stack, previous: dict[str, Client], language: str
) -> None:
    """Each entry once and in its order, known or not; then it writes on."""
    a, b, c = users = new_users(3)
    status, made = http(
        stack, "POST", "/v1/conversations", user_id=a, body={"type": "group", "name": "Tea", "members": [b, c]}
    )
    assert status == 201
    program = previous[language].start(stack, users, "listen", until="that was all")
    try:
        assert await asyncio.to_thread(_said, program) == "ready"
        head = await asyncio.to_thread(novelties, stack, users, made["id"])
        report = await asyncio.to_thread(finished, program)
    finally:
        program.kill()
    first = report["seqs"][0]
    assert first <= 2
    assert report["seqs"][: head - first + 1] == list(range(first, head + 1))
    assert report["history"] == 3
    assert report["inbox"] == ["Tea"]
    status, page = http(stack, "GET", f"/v1/conversations/{made['id']}/messages?limit=1", user_id=a)
    assert (page["messages"][0]["content"], page["messages"][0]["sender_id"]) == ("still here", b)


def _said(program: subprocess.Popen[str]) -> str:
    assert program.stdout is not None
    return program.stdout.readline().strip()


@pytest.fixture(scope="module")
def todays(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Client]:
    folder = tmp_path_factory.mktemp("today")
    return {
        "Python": clients.todays_python_client(),
        "JavaScript": clients.todays_javascript_client(folder),
    }


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_a_client_has_kept_is_read_by_the_next_and_by_the_one_before(
    stack: Stack, previous: dict[str, Client], todays: dict[str, Client], language: str, tmp_path: Path
) -> None:
    """An application is updated, and taken back: nothing is told twice, and nothing is missed."""
    users, state = new_users(3), str(tmp_path / "kept")
    texts = ["by the previous", "by today's", "by the previous again"]
    for number, (text, of) in enumerate(zip(texts, (previous, todays, previous), strict=True), 1):
        program = of[language].start(stack, users, "go on", state=state, until=text)
        report = await asyncio.to_thread(finished, program)
        assert (report["told"], report["held"]) == ([text], number)


def test_what_is_kept_of_the_previous_release_is_made_of_its_commit() -> None:
    """Where this clone has that commit; the file that names it says which it is in any case."""
    name = released.pinned()
    wheel = clients.the_one(PREVIOUS, "*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = [one for one in archive.namelist() if one.startswith("parley_client/") and not one.endswith("/")]
        sources = {one: archive.read(one) for one in names}
    assert len(sources) > 30
    for one, content in sources.items():
        assert released._git("show", f"{name}:clients/python/src/{one}") == content, one


def test_what_is_kept_is_as_it_was_handed_out() -> None:
    listed = dict(line.split()[::-1] for line in (PREVIOUS / "SHA256SUMS").read_text(encoding="utf-8").splitlines())
    found = {path.name: clients.digest(path) for path in PREVIOUS.iterdir() if path.suffix in {".whl", ".tgz"}}
    assert found == listed
    assert Path(PREVIOUS / "README.md").read_text(encoding="utf-8").count("tests/e2e/RELEASED") == 1
