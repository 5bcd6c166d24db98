"""The programs of examples/, started by the commands of their pages, and looked at as their users would.

In a clone beside this one: what the commands install and leave behind stays out of this one. The names of users are
other ones each time, since tests share a stack.
"""

from __future__ import annotations

import json
import os
import queue
import re
import shutil
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from local.ports import free_port
from local.settings import ACCOUNT, REGION
from local.stack import Stack
from local.tokens import mint
from shared.domain.text import private_conversation_id
from tests.aws.calls import recorded_in
from tests.aws.deployment import Deployment
from tests.aws.judging import judge, removals
from tests.e2e.conftest import OwnStack
from tests.e2e.examples import commands
from tests.e2e.raw_client import http, new_users
from tests.e2e.recorded import LAKE
from tests.e2e.test_events_out import asked, until
from tests.local.emulated import client
from tests.web.player import play

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120
INSTALLED_S = 300
WORD = r"(?<![\w-]){}(?![\w-])"


class Program:
    """The commands of a page, running; what they print is read beside them, so that waiting for it has an end."""

    def __init__(self, script: str, folder: Path, environment: dict[str, str]) -> None:
        self._child = subprocess.Popen(
            ["bash", "-euc", script],
            cwd=folder, env=environment, text=True, encoding="utf-8", bufsize=1, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._child.stdout is not None
        with self._child.stdout as out:
            for line in out:
                self._lines.put(line.rstrip("\n"))
        self._lines.put("")

    def line(self, holds: Callable[[str], object] = bool) -> str:
        """The next line of which this holds."""
        end = time.monotonic() + PATIENCE_S
        while not holds(text := self._lines.get(timeout=max(end - time.monotonic(), 0.1))):
            assert text or self._child.poll() is None, "it has ended"
        return text

    def type(self, line: str) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(f"{line}\n")

    def ended(self) -> int:
        return self._child.wait(PATIENCE_S)

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """The shell and all that it has started."""
        if self._child.poll() is None:
            os.killpg(self._child.pid, how)
        self.ended()
        self._reader.join(PATIENCE_S)
        if self._child.stdin:
            self._child.stdin.close()


class Clone:
    """A clone of the project in which the commands are run; `stack` is what `make up` has started there."""

    def __init__(self, folder: Path, own: OwnStack, stack: Stack) -> None:
        self.folder, self.stack = folder, stack
        npm = {"npm_config_prefer_offline": "true", "npm_config_audit": "false", "npm_config_fund": "false"}
        self.environment = {**own.environment, **npm, "NO_COLOR": "1"}
        for path in (*ROOT.iterdir(), own.settings.home):
            name = ".parley" if path == own.settings.home else path.name
            if path.name in {"examples", "clients"}:
                ignored = shutil.ignore_patterns("node_modules", "dist", "__pycache__", "*.tgz")
                shutil.copytree(path, folder / name, ignore=ignored)
            elif path.name == "node_modules":
                self._link_modules(path)
            elif path.name not in {".git", ".parley"} and not name.endswith(".tgz"):
                (folder / name).symlink_to(path)

    def _link_modules(self, installed: Path) -> None:
        """What is installed, but for the project's own packages, which are the clone's."""
        (self.folder / "node_modules" / "@parley").mkdir(parents=True)
        for path in installed.iterdir():
            if path.name != "@parley":
                (self.folder / "node_modules" / path.name).symlink_to(path)
        for path in (installed / "@parley").iterdir():
            (self.folder / "node_modules" / "@parley" / path.name).symlink_to(path.readlink())

    def named(self, example: str, *words: str) -> list[str]:
        """Users of this test's own, in the place of those whose names stand in the example."""
        users = new_users(len(words))
        for path in (self.folder / "examples" / example).rglob("*"):
            if path.is_file() and "node_modules" not in path.parts:
                text = (ROOT / path.relative_to(self.folder)).read_text(encoding="utf-8")
                for word, user in zip(words, users, strict=True):
                    text = re.sub(WORD.format(word), user, text)
                path.write_text(text.replace("127.0.0.1:4577", f"127.0.0.1:{self.port}"), encoding="utf-8")
        return users

    @property
    def port(self) -> str:
        return self.environment["PARLEY_PORT"]

    def commands(self, example: str, heading: str) -> str:
        return "\n".join(commands(str(self.folder / f"examples/{example}/README.md"), heading))

    def run(self, example: str, heading: str, **more: str) -> list[str]:
        """What the commands under a heading print; they have to end well."""
        done = subprocess.run(
            ["bash", "-euc", self.commands(example, heading)],
            cwd=self.folder, env={**self.environment, **more}, capture_output=True, text=True, timeout=INSTALLED_S,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.splitlines()

    @contextmanager
    def started(self, example: str, heading: str = "Run it", **more: str) -> Iterator[Program]:
        program = Program(self.commands(example, heading), self.folder, {**self.environment, **more})
        try:
            yield program
        finally:
            program.end()

    def ask(self, user: str, method: str, path: str, body: Any = None, *, scope: str = "") -> Any:
        return asked(self.stack, user, method, path, body, scope=scope)

    def begin(self, one: str, other: str) -> str:
        made: str = self.ask(one, "POST", "/v1/conversations", {"type": "private", "with": other})["id"]
        return made

    def write(self, user: str, place: str, text: str) -> int:
        seq: int = self.ask(user, "POST", f"/v1/conversations/{place}/messages", {"content": text})["seq"]
        return seq

    def messages(self, user: str, place: str) -> list[dict[str, Any]]:
        listed = self.ask(user, "GET", f"/v1/conversations/{place}/messages?limit=100")["messages"]
        return sorted(listed, key=lambda message: int(message["seq"]))


@pytest.fixture(scope="module")
def clone(own_stack: OwnStack, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return Clone(tmp_path_factory.mktemp("clone"), own_stack, stack)


def test_the_python_bot_answers_edits_reacts_and_goes_on_where_it_was(clone: Clone) -> None:
    [bot], [one] = clone.named("python-bot", "wordbot"), new_users(1)
    place = clone.begin(one, bot)

    def answers() -> list[dict[str, Any]]:
        return [each for each in clone.messages(one, place) if each["sender_id"] == bot and each.get("edited_at")]

    with clone.started("python-bot") as program:
        program.line(lambda line: line == "online")
        clone.write(one, place, "how many words")
        [answer] = until(answers)
        assert (answer["content"], answer["reply_to"]) == ("You wrote 3 words: how many words", 1)
        thanks = clone.write(one, place, "Thank you")
        path = f"/v1/conversations/{place}/messages/{thanks}"
        thanked = until(lambda: clone.ask(one, "GET", path).get("reactions"))
        assert thanked == {"💛": [bot]}
    asked = clone.write(one, place, "while you were away")
    with clone.started("python-bot"):
        [_, late] = until(lambda: len(found := answers()) > 1 and found)
        assert (late["content"], late["reply_to"]) == ("You wrote 4 words: while you were away", asked)


def test_the_node_bot_counts_votes_also_those_of_while_it_was_killed(clone: Clone) -> None:
    [bot], [one] = clone.named("node-bot", "pollbot"), new_users(1)
    place = clone.begin(one, bot)

    def polls() -> list[str]:
        return [each["content"] for each in clone.messages(one, place) if each["sender_id"] == bot]

    def vote(seq: int, digit: str) -> None:
        clone.ask(one, "PUT", f"/v1/conversations/{place}/messages/{seq}/reactions/{quote(digit)}")

    clone.run("node-bot", "Install it")
    with clone.started("node-bot") as program:
        program.line(lambda line: line == "online")
        asked = clone.write(one, place, "/poll Lunch? pizza, pasta")
        until(lambda: polls() == ["Lunch?\n1️⃣ pizza: 0\n2️⃣ pasta: 0"])
        vote(asked + 1, "2️⃣")
        until(lambda: polls() == ["Lunch?\n1️⃣ pizza: 0\n2️⃣ pasta: 1"])
        program.end(signal.SIGKILL)
    vote(asked + 1, "1️⃣")
    clone.write(one, place, "/poll what")
    with clone.started("node-bot"):
        until(lambda: len(polls()) > 1 and polls()[0].endswith("1️⃣ pizza: 1\n2️⃣ pasta: 1"))
        assert polls()[1].startswith("Like this")


def test_the_react_page_chats_in_a_browser(clone: Clone, tmp_path: Path) -> None:
    [me], [other] = clone.named("react-page", "alice"), new_users(1)
    clone.write(other, clone.begin(other, me), "Hello from the terminal")
    clone.run("react-page", "Install it")
    with clone.started("react-page") as program:
        address = program.line(lambda line: "http://localhost:" in line).split()[-1]
        given = {"http_url": clone.stack.http_url, "token": mint(clone.stack, other), "me": me, "other": other}
        play("example", address, tmp_path, **given)


def test_the_support_inbox_has_the_longest_wait_on_top(clone: Clone) -> None:
    desk, ada, grace = clone.named("support-inbox", "desk", "visitor-7", "visitor-8")
    assert len(clone.run("support-inbox", "Customers write")) == 2
    with clone.started("support-inbox", "The agent answers") as program:
        assert program.line(lambda line: line.startswith("1 ")) == "1  Ada: My order is late"
        assert program.line() == "2  Grace: Where is my parcel?"
        program.type("7 nobody")
        assert program.line().startswith("A number of the list")
        program.type("1 We are looking into it")
        assert program.line(lambda line: line.startswith("1 ")) == "1  Grace: Where is my parcel?"
        clone.write(ada, private_conversation_id(desk, ada), "Thanks")
        assert program.line(lambda line: line.startswith("2 ")) == "2  Ada: Thanks"
        program.type("q")
        assert program.ended() == 0
    _, late, answer, _ = clone.messages(ada, private_conversation_id(desk, ada))
    assert (late["content"], answer["content"]) == ("My order is late", "We are looking into it")
    assert answer["reply_to"] == late["seq"]
    assert [each["content"] for each in clone.messages(grace, private_conversation_id(desk, grace))] == [
        "How can we help?",
        "Where is my parcel?",
    ]


def test_the_server_tells_an_order_once_and_gives_the_page_a_token(clone: Clone) -> None:
    customer, shop = clone.named("server-side-sending", "bob", "shop")
    place = private_conversation_id(customer, shop)
    told, token = clone.run("server-side-sending", "Run it")
    assert told == f"stored as {place} 1"
    assert clone.run("server-side-sending", "Run it")[0] == f"was stored before as {place} 1"
    status, me = http(clone.stack, "GET", "/v1/me", token=token)
    assert (status, me["user_id"]) == (200, customer)
    [message] = clone.messages(customer, place)
    assert (message["sender_id"], message["data"]) == (shop, {"order": "4711"})


def test_the_receiver_sees_what_it_lacks_and_catches_up_after_a_kill(clone: Clone, tmp_path: Path) -> None:
    one, other = new_users(2)
    place = clone.begin(one, other)
    for text in ("before", "and before"):
        clone.write(one, place, text)
    own = {"PORT": str(free_port()), "RECEIVER_DB": str(tmp_path / "receiver.db")}
    taken: list[str] = []

    def take(program: Program, count: int) -> None:
        while len(taken) < count:
            taken.append(program.line(lambda line: line.startswith("new_message ") and place in line).split("/")[-1])

    try:
        with clone.started("webhook-receiver", **own) as program:
            program.line(lambda line: line == "ready")
            clone.write(one, place, "three")
            assert program.line(lambda line: line.startswith(f"gap {place}")) == f"gap {place}: 1 to 2"
            take(program, 3)
            forged = {
                "webhook-id": f"{place}/9",
                "webhook-timestamp": str(int(time.time())),
                "webhook-signature": "v1,no",
            }
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(urllib.request.Request(f"http://localhost:{own['PORT']}/", b"{}", forged))
            with refused.value:
                assert refused.value.code == 401
            program.end(signal.SIGKILL)
        for text in ("four", "five"):
            clone.write(one, place, text)
        with clone.started("webhook-receiver", **own) as program:
            take(program, 5)
        assert taken == ["3", "1", "2", "4", "5"]
    finally:
        clone.ask("root", "DELETE", "/v1/webhooks/example", scope="admin")


def test_the_lake_has_each_event_once_and_its_function_may_do_just_what_it_does(
    clone: Clone, own_stack: OwnStack
) -> None:
    clone.named("data-lake")
    stacks = client(own_stack.settings, "cloudformation")
    one, other = new_users(2)
    place = clone.begin(one, other)
    of_aws = dict(re.findall(r"(AWS_\w+)=(\S+)", clone.commands("data-lake", "Deploy it")))
    try:
        [said] = clone.run("data-lake", "Deploy it")
        assert re.fullmatch(r"The lake is s3://.+/events/", said)
        for text in ("one", "two", "three"):
            clone.write(one, place, text)
        until(lambda: any(re.search(rf" 3  {place}$", line) for line in clone.run("data-lake", "Look at it", **of_aws)))
        verdict, deployment = _of_the_lake(own_stack, stacks)
        assert verdict.made
        assert not verdict.problems, str(verdict)
        assert [name for name, missed in removals(verdict, deployment).items() if not missed] == []
    finally:
        stacks.delete_stack(StackName="parley-lake")


def _of_the_lake(own: OwnStack, stacks: Any) -> tuple[Any, Deployment]:
    template = stacks.get_template(StackName="parley-lake")["TemplateBody"]
    found = stacks.describe_stack_resources(StackName="parley-lake")["StackResources"]
    physical = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}
    read = json.loads(template) if isinstance(template, str) else json.loads(json.dumps(template))
    deployment = Deployment(read, physical, account=ACCOUNT, region=REGION)
    asked = [each for each in recorded_in(own.settings.calls_file) if each.function.startswith(LAKE)]
    return judge(asked, deployment), deployment


def test_what_was_on_stream_is_here_with_its_times_and_once(clone: Clone) -> None:
    alice, bob, carol = clone.named("stream-migration", "alice", "bob", "carol")
    first, again = (clone.run("stream-migration", "Run it") for _ in range(2))
    assert first[-1] == "3 users, 7 imported, 0 duplicate, 0 refused"
    assert again[-1] == "3 users, 0 imported, 7 duplicate, 0 refused"
    losses = ["attachments", "deleted messages", "messages for one user's eyes", "pins", "reactions", "replies"]
    assert [line.split(maxsplit=1)[1].split(":")[0] for line in first[2:-2]] == losses
    place = private_conversation_id(alice, bob)
    asked, answer, picture = clone.messages(alice, place)
    assert (asked["content"], asked["created_at"]) == ("Are you coming?", 1_709_283_601_491)
    assert answer["data"]["stream"]["reactions"] == {"love": [alice]}
    assert picture["data"]["stream"]["attachments"][0]["url"].endswith("/images/map.png")
    rows = clone.ask(carol, "GET", "/v1/conversations")["conversations"]
    [group] = [row for row in rows if row["name"] == "Tea at four"]
    assert (group["unread"], group["member_count"]) == (0, 3)
    made, milk, reply = clone.messages(carol, group["id"])
    assert (made["type"], milk["mentions"], reply["data"]["stream"]["parent_id"]) == ("system", [bob], "t2")
    assert clone.ask(bob, "GET", f"/v1/users/{alice}")["name"] == "Alice Ample"
