"""The chat page of the laptop stack: who gets what of it, tokens for demo users, and when it is built again."""

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import jwt
import pytest

from local import interrupts, page
from local.emulator.page import Page
from local.errors import CommandError
from local.settings import Settings

SECRET = "s" * 64
STACK = {"ws_url": "ws://localhost:4600/ws", "http_url": "http://localhost:4600/http"}
HERE = {"host": "localhost:4600"}
JSON = {**HERE, "content-type": "application/json"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home of a stack that signs its own tokens."""
    secret = tmp_path / "jwt-secret"
    secret.write_text(SECRET)
    (tmp_path / "stack.json").write_text(json.dumps(STACK | {"jwt_secret_file": str(secret)}))
    return tmp_path


@pytest.fixture
def served(home: Path) -> Page:
    folder = home / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>")
    (folder / "assets" / "index-abc.js").write_text("1")
    (folder / ".built").write_text("digest")
    return Page(folder, home)


def ask(
    served: Page, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> tuple[int, dict[str, str], bytes]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    pairs = [(name.encode(), value.encode()) for name, value in (HERE if headers is None else headers).items()]
    asyncio.run(served({"method": method, "path": path, "headers": pairs}, receive, send))
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], answered, sent[1]["body"]


def test_it_takes_what_stands_below_its_place_and_nothing_of_the_emulators(served: Page) -> None:
    assert [served.takes(path) for path in ("/ui", "/ui/", "/ui/assets/a.js")] == [True] * 3
    assert [served.takes(path) for path in ("/", "/uis", "/files/ui/", "/_parley/checkpoint")] == [False] * 4


def test_the_page_comes_with_a_policy_that_allows_its_own_files_and_the_stacks_addresses(served: Page) -> None:
    status, headers, body = ask(served, "GET", "/ui/")
    assert (status, body) == (200, b"<!doctype html>")
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "connect-src 'self' ws://localhost:4600 http://localhost:4600" in policy
    assert headers["cache-control"] == "no-cache"


def test_files_whose_names_change_with_them_are_kept_by_browsers(served: Page) -> None:
    assert "immutable" in ask(served, "GET", "/ui/assets/index-abc.js")[1]["cache-control"]


@pytest.mark.parametrize(
    "path", ["/ui/../stack.json", "/ui/%2e%2e/jwt-secret", "/ui/.built", "/ui/nothing.js", "/ui/assets"]
)
def test_nothing_but_the_page_is_given_away(served: Page, path: str) -> None:
    assert ask(served, "GET", path)[0] == 404


def test_the_page_is_told_where_the_stack_is_and_that_it_gives_tokens(served: Page) -> None:
    assert json.loads(ask(served, "GET", "/ui/config.json")[2]) == STACK | {"tokens_url": "/ui/token"}


def test_with_a_jwks_url_there_are_no_tokens(served: Page, home: Path) -> None:
    (home / "stack.json").write_text(json.dumps(STACK))
    assert json.loads(ask(served, "GET", "/ui/config.json")[2]) == STACK
    assert ask(served, "POST", "/ui/token", JSON, b'{"user": "alice"}')[0] == 404


def test_before_the_first_deployment_there_is_nothing_to_tell(served: Page, home: Path) -> None:
    (home / "stack.json").unlink()
    assert ask(served, "GET", "/ui/config.json")[0] == 503


def test_a_demo_user_gets_a_token_for_an_hour(served: Page, home: Path) -> None:
    (home / "stack.json").write_text(json.dumps(json.loads((home / "stack.json").read_text()) | {"iss": "us"}))
    status, headers, body = ask(served, "POST", "/ui/token", JSON, b'{"user": "alice"}')
    claims = jwt.decode(json.loads(body)["token"], SECRET, algorithms=["HS256"], issuer="us")
    assert (status, headers["cache-control"]) == (200, "no-store")
    assert claims["sub"] == "alice"
    assert claims["exp"] - claims["iat"] == 3_600


@pytest.mark.parametrize(
    "body", [b"", b"alice", b"[]", b"{}", b'{"user": 7}', b'{"user": ".."}', b'{"user": "a b"}', b" " * 2_000]
)
def test_who_can_be_no_user_gets_no_token(served: Page, body: bytes) -> None:
    assert ask(served, "POST", "/ui/token", JSON, body)[0] == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({**JSON, "origin": "https://evil.example"}, 403),
        ({**JSON, "host": "evil.example:4600"}, 403),
        ({"content-type": "application/json"}, 403),
        ({**HERE, "content-type": "text/plain"}, 415),
        ({**JSON, "origin": "http://localhost:4600"}, 200),
    ],
)
def test_pages_of_other_places_get_no_tokens(served: Page, headers: dict[str, str], status: int) -> None:
    assert ask(served, "POST", "/ui/token", headers, b'{"user": "alice"}')[0] == status


def test_other_methods_are_refused(served: Page) -> None:
    assert ask(served, "DELETE", "/ui/")[0] == 405


# -- Building ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def project(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    root = tmp_path / "project"
    for name in ("web/src/main.tsx", "clients/js/src/index.ts", "package-lock.json"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    made = Settings(home=settings.home, port=settings.port, root=root)

    def run(command: list[str], **_: object) -> int:
        folder = page.folder(root)
        folder.mkdir(exist_ok=True)
        with (folder / "builds").open("a") as builds:
            builds.write(f"{command[1]}\n")
        return int((root / "web/src/main.tsx").read_text() == "broken")

    monkeypatch.setattr(interrupts, "run", run)
    return made


def builds(settings: Settings) -> int:
    return (page.folder(settings.root) / "builds").read_text().count("build")


def test_it_is_built_once_and_again_when_a_source_changes(project: Settings) -> None:
    page.build(project)
    page.build(project)
    assert builds(project) == 1
    (project.root / "clients/js/src/index.ts").write_text("other")
    page.build(project)
    assert builds(project) == 2


def test_what_could_not_be_built_is_one_clear_line_and_tried_again(project: Settings) -> None:
    (project.root / "web/src/main.tsx").write_text("broken")
    for _ in range(2):
        with pytest.raises(CommandError, match="could not be built"):
            page.build(project)
    assert builds(project) == 2


def test_the_build_command_is_there_after_the_setup() -> None:
    vite = Path(__file__).parents[2] / "node_modules/.bin/vite"
    assert subprocess.run([vite, "--version"], capture_output=True, check=True).stdout.startswith(b"vite/")
