"""The chat program as a user has it: a process, with a pipe or a terminal."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from parley_client import chat
from parley_client.chat_commands import NAMES
from parley_client.chat_words import WrongArgumentsError, duration_ms

from tests.client.fake_server import FakeServer, token_of
from tests.client.model import Posts, Refusal

DM = "dm:alice:bob"


@dataclass
class Running:
    """A chat in a process of its own. `output` is what it has written so far."""

    process: asyncio.subprocess.Process
    output: str = ""
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    def type(self, *lines: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("".join(f"{line}\n" for line in lines).encode())

    async def shows(self, pattern: str) -> str:
        while not (found := re.search(pattern, self.output, re.MULTILINE)):
            self._more.clear()
            await self._more.wait()
        return found.group()

    async def ends(self, *, close: bool = True) -> int:
        """After the end of its input."""
        assert self.process.stdin is not None
        if close:
            self.process.stdin.close()
        return await self.process.wait()

    async def follow(self) -> None:
        assert self.process.stdout is not None
        while chunk := await self.process.stdout.read(4_096):
            self.output += chunk.decode()
            self._more.set()


@asynccontextmanager
async def chatting(
    server: FakeServer, user: str, to: str, *more: str, token: str | None = None
) -> AsyncGenerator[Running]:
    environment = {
        **os.environ,
        "PARLEY_WS_URL": server.url,
        "PARLEY_HTTP_URL": server.http_url,
        "PARLEY_TOKEN": token or server.admit(user),
        "PYTHONUTF8": "1",
    }
    process = await asyncio.create_subprocess_exec(
        *command("--user", user, "--to", to, *more),
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    running = Running(process)
    following = asyncio.create_task(running.follow())
    try:
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await following


@contextlib.asynccontextmanager
async def alices_chat() -> AsyncGenerator[tuple[FakeServer, Running]]:
    """Alice's with bob, connected; it ends well."""
    async with FakeServer() as server, chatting(server, "alice", "bob") as alice:
        await alice.shows("connected")
        yield server, alice
        assert await alice.ends() == 0


@contextlib.asynccontextmanager
async def both_chats() -> AsyncGenerator[tuple[FakeServer, Running, Running]]:
    """Alice's and bob's with each other, connected; both end well."""
    async with alices_chat() as (server, alice), chatting(server, "bob", "alice") as bob:
        await bob.shows("connected")
        yield server, alice, bob
        assert await bob.ends() == 0


def saved(path: str) -> Any:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def command(*arguments: str) -> Sequence[str]:
    return (sys.executable, "-m", "parley_client.chat", *arguments)


async def test_two_people_chat_with_receipts() -> None:
    async with (
        FakeServer() as server,
        chatting(server, "alice", "bob") as alice,
        chatting(server, "bob", "alice") as bob,
    ):
        await alice.shows("connected")
        await bob.shows("connected")
        alice.type("hi bob", "how are you?")
        await bob.shows(r"^\d\d:\d\d:\d\d #\d+ alice: how are you\?$")
        await alice.shows(r"^\d\d:\d\d:\d\d #\d+ alice: hi bob  ✓✓?$")
        await alice.shows(r"^  ✓✓ #2 read by bob$|how are you\?  ✓✓$")  # it may be read before it is known as stored
        bob.type("//fine")
        await alice.shows(r"bob: /fine$")
        assert await alice.ends() == 0
        bob.type("/quit")
        assert await bob.ends(close=False) == 0

    assert bob.output.index("hi bob") < bob.output.index("how are you?")
    assert server.model.cursors["read", DM, "bob"] >= 2
    assert "\x1b" not in alice.output


async def test_recent_history_comes_first_and_once() -> None:
    async with FakeServer() as server:
        for number in range(25):
            await server.post("bob", "alice", f"number {number}")
        async with chatting(server, "alice", "bob") as alice:
            await alice.shows("number 24")
            await server.post("bob", "alice", "live")
            await alice.shows("live")
            assert await alice.ends() == 0

    assert re.findall(r"number \d+|live", alice.output) == [*(f"number {number}" for number in range(5, 25)), "live"]


async def test_a_killed_chat_catches_up_from_its_state_and_sends_what_was_left(tmp_path: Path) -> None:
    state = str(tmp_path / "state.json")
    async with FakeServer() as server:
        async with chatting(server, "alice", "bob", "--state", state) as alice:
            await server.post("bob", "alice", "seen")
            await alice.shows("seen")
            server.on_frame = lambda _, frame: "lost" if frame["type"] == "message" else None
            alice.type("left behind")
            await server.until(lambda: bool(server.sent("message")))
            assert saved(state)["outbox"][0]["body"]["content"] == "left behind"
            alice.process.kill()
            await alice.process.wait()
        server.on_frame = lambda *_: None
        for number in range(30):
            await server.post("bob", "alice", f"missed {number}")

        async with chatting(server, "alice", "bob", "--state", state) as again:
            await again.shows("left behind  ✓")
            await again.shows("missed 29")
            assert await again.ends() == 0

    assert re.findall(r"missed \d+", again.output) == [f"missed {number}" for number in range(30)]
    assert [entry["message"]["content"] for entry in server.model.logs[DM]].count("left behind") == 1
    assert saved(state)["conversations"] == {DM: 32}
    assert saved(state)["outbox"] == []


async def test_a_message_that_was_refused_is_not_sent_by_the_next_run(tmp_path: Path) -> None:
    state = str(tmp_path / "state.json")
    async with FakeServer() as server:
        server.on_frame = lambda _, frame: Refusal("blocked") if frame["type"] == "message" else None
        async with chatting(server, "alice", "bob", "--state", state) as alice:
            alice.type("never mind")
            await alice.shows("! Not sent: never mind: .*blocked")
            assert saved(state)["outbox"] == []
            alice.process.kill()
            await alice.process.wait()
        server.on_frame = lambda *_: None
        async with chatting(server, "alice", "bob", "--state", state) as again:
            again.type("this one")
            await again.shows("alice: this one  ✓")
            assert await again.ends() == 0

    assert [entry["message"]["content"] for entry in server.model.logs[DM]] == ["this one"]


async def test_at_the_end_of_its_input_it_waits_for_its_acks() -> None:
    async with FakeServer() as server:
        server.on_frame = lambda _, frame: "lost" if frame["type"] == "message" else None
        async with chatting(server, "alice", "bob") as alice:
            await alice.shows("connected")
            alice.type("one", "two")
            assert alice.process.stdin is not None
            alice.process.stdin.close()
            await alice.shows("waiting until 2 more can be sent")
            server.on_frame = lambda *_: None
            await server.cut()
            assert await alice.ends(close=False) == 0

    assert [entry["message"]["content"] for entry in server.model.logs[DM]] == ["one", "two"]


async def test_a_refused_token_is_said_plainly() -> None:
    async with FakeServer() as server, chatting(server, "alice", "bob", token=token_of("alice", old=True)) as alice:
        assert await alice.ends(close=False) == 1

    assert "refused the token (403)" in alice.output
    assert "PARLEY_TOKEN" in alice.output
    assert "Traceback" not in alice.output


async def test_an_unreachable_server_is_said_and_tried_again() -> None:
    async with FakeServer(refusals=[503, 503]) as server, chatting(server, "alice", "bob") as alice:
        await alice.shows(r"not connected: .*503.*trying again in \d+\.\d s")
        await alice.shows("connected$")
        assert await alice.ends() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_in_good_order(number: signal.Signals) -> None:
    async with FakeServer() as server, chatting(server, "alice", "bob") as alice:
        await alice.shows("connected")
        alice.process.send_signal(number)
        assert await alice.ends(close=False) == 0

    assert "Traceback" not in alice.output


async def test_commands_and_what_is_none() -> None:
    async with alices_chat() as (server, alice):
        await server.post("bob", "alice", "one")
        await alice.shows("one")
        await server.post("carol", "alice", "psst")
        await alice.shows("carol, elsewhere: psst")
        alice.type("/help", "/history 1", "/dance", "   ")
        await alice.shows("/quit")
        await alice.shows("There is no /dance")

    assert len(re.findall("bob: one", alice.output)) == 2
    assert server.sent("message") == []


async def test_edits_deletions_and_reactions_are_typed_and_shown() -> None:
    async with both_chats() as (server, alice, bob):
        alice.type("one", "two")
        await bob.shows("#2 alice: two$")
        alice.type(
            "/edit 1 better", "/delete #2", "/react 1 👍", "/react 1 -👍", "/edit 2 late", "/edit x y", "/react 1"
        )
        for line in ("edited #1: better", "deleted #2", "reacted with 👍 on #1", "took back 👍 on #1"):
            await bob.shows(rf"^\* alice {line}$")
            await alice.shows(rf"^\* alice {line}$")
        await alice.shows("! /edit was refused: .*not_found")
        await alice.shows(r"^! usage: /edit N text$")
        await alice.shows(r"^! usage: /react N emoji$")
        await server.until(lambda: server.model.cursors.get(("read", DM, "bob"), 0) >= 2)
        alice.type("/history 5")
        await alice.shows(r"#1 alice: better  \(edited\)  ✓✓$")
        await alice.shows(r"#2 alice: \(deleted\)  ✓✓$")


async def test_a_group_is_made_joined_and_left() -> None:
    async with alices_chat() as (server, alice):
        alice.type("/group team bob")
        group = (await alice.shows(r"you are in team now, with bob: group:\d+$")).split(": ")[1]
        alice.type("hello all")
        await alice.shows("#2 alice: hello all  ✓$")  # what goes over HTTP may overtake it
        alice.type("/add carol", "/add carol", "/members")
        await alice.shows(r"^\* alice added carol$")
        await alice.shows(r"they are members already$")
        await alice.shows(r"^  alice \(owner\)$")
        async with chatting(server, "carol", group) as carol:
            await carol.shows("connected")
            await carol.shows("#2 alice: hello all")
            carol.type("hi")
            await alice.shows("carol: hi$")
            carol.type("/leave")
            await alice.shows(r"^\* carol left$")
            await carol.shows("not a member of this conversation any more")
            assert await carol.ends() == 0
        alice.type("/leave", "/to bob", "back to you", "/block mallory", "/unblock mallory")
        await alice.shows("! /leave was refused: .*forbidden")
        await alice.shows("alice: back to you  ✓$")
        await alice.shows("mallory is not blocked any more")

    assert [entry["type"] for entry in server.model.logs[group]][:3] == ["member_added", "new_message", "member_added"]
    assert server.model.messages(DM)[0]["content"] == "back to you"


async def test_being_added_elsewhere_is_shown_with_the_way_there() -> None:
    async with alices_chat() as (server, alice):
        await server.until(lambda: bool(server.sent("sync")))
        posts: Posts = []
        server.model.create_group("bob", "team", ["alice"], posts)
        for user, event in posts:
            await server.tell(user, event)
        await alice.shows(r"bob has added you to team: /to team")
        posts = []
        old = server.model.create_group("bob", "Old  friends", ["carol"], [])
        server.model.add_members("bob", old, ["alice"], posts)
        for user, event in posts:
            await server.tell(user, event)
        await alice.shows(r"bob has added you to Old friends: /to Old friends")
        alice.type("/to Old friends")
        await alice.shows(r"you write to Old friends now")


async def test_what_no_number_and_no_path_can_be_is_said_and_the_chat_goes_on() -> None:
    digits = "9" * 5_000
    async with alices_chat() as (_, alice):
        alice.type(f"/history {digits}", f"/inbox {digits}", f"/reply {digits} x", f"/remind 1 {digits}d")
        for usage in (r"/history \[n\]", r"/inbox \[n\]", "/reply N text", "/remind N 10m"):
            await alice.shows(f"^! usage: {usage}$")
        alice.type("/file ~no-such-user/cat.png", "/file no/such/cat.png", "/file /", "/file a\0b", "still here")
        await alice.shows(r"^! /file can't be done: ~no-such-user/cat\.png: There is no such user$")
        await alice.shows(r"^! /file can't be done: no/such/cat\.png: No such file or directory$")
        await alice.shows(r"^! /file can't be done: /: Is a directory$")
        await alice.shows(r"^! /file can't be done: a.b: No path can be this$")
        await alice.shows("alice: still here  ✓")

    assert "Traceback" not in alice.output


async def test_where_http_does_not_answer_a_user_can_still_be_gone_to() -> None:
    async with FakeServer() as server, chatting(server, "alice", "bob", "--http-url", "http://127.0.0.1:9") as alice:
        await alice.shows("connected")
        alice.type("/inbox", "/to Team A", "/to carol", "hi carol")
        await alice.shows(r"^! /inbox can't be done now: the server does not answer$")
        await alice.shows(r"^! /to can't be done now: the server does not answer$")
        await alice.shows(r"^\* you write to carol now$")
        await alice.shows("alice: hi carol  ✓")
        assert await alice.ends() == 0
    assert server.model.messages("dm:alice:carol")[0]["content"] == "hi carol"


async def test_what_changes_nothing_is_said() -> None:
    async with alices_chat() as (_, alice):
        alice.type("one")
        await alice.shows("alice: one  ✓")
        alice.type("/react 1 -👍")
        await alice.shows(r"^\* nothing changes: it is so already$")


async def test_tabs_and_long_texts_are_shown_as_they_fit() -> None:
    async with alices_chat() as (server, alice):
        await server.post("bob", "alice", "one\ttwo")
        await alice.shows("bob: one    two$")
        alice.type("\x1b[2J" + "y" * 40_000)
        await alice.shows("! Not sent: �\\[2Jy{196}…: .*too_large")


async def test_a_message_that_is_refused_is_shown_as_not_sent() -> None:
    async with alices_chat() as (_, alice):
        alice.type("x" * 40_000)
        await alice.shows("! Not sent: x{200}…: .*too_large")


async def test_replies_mentions_forwards_and_the_conversations_they_are_in() -> None:
    async with both_chats() as (_, alice, bob):
        bob.type("a question")
        await alice.shows("#1 bob: a question")
        alice.type(
            "/reply 1 an answer", "/mention bob look", "/forward 1 carol", "/reply 1", "/mention bob", "/forward 1"
        )
        await bob.shows(r"#2 alice: \(to #1\) an answer$")
        await bob.shows(r"alice: @bob look  \(mentions you\)$")
        await alice.shows("✓ what is forwarded to carol")
        for usage in (r"/reply N text", r"/mention user\[,user…\] text", "/forward N user-or-group"):
            await alice.shows(f"^! usage: {usage}$")
        alice.type("/inbox", "/inbox x", "/to carol", "/inbox 1")
        await alice.shows(r"^  carol · alice: a question$")
        await alice.shows(r"^  bob · alice: @bob look$")
        await alice.shows(r"^! usage: /inbox \[n\]$")
        await alice.shows(r"alice: a question  \(forwarded\)  ✓$")


async def test_contacts_and_blocks_are_asked_for_answered_and_listed() -> None:
    async with both_chats() as (_, alice, bob):
        alice.type("/contacts", "/contact bob", "/contacts")
        await alice.shows("there are no contacts yet")
        await alice.shows("bob is asked to be a contact")
        await alice.shows("bob was asked, and has not answered")
        bob.type("/contacts", "/accept alice", "/block mallory", "/blocks", "/unblock mallory", "/blocks", "/block a/b")
        await bob.shows(r"alice asks to be a contact: /accept alice$")
        await bob.shows("alice is a contact now")
        await bob.shows("^  mallory$")
        await bob.shows("nobody is blocked")
        await bob.shows("! “a/b” is no user id")
        bob.type("/uncontact alice", "/contact", "/accept x y")
        await bob.shows("alice is no contact any more")
        await bob.shows("! usage: /contact user$")
        await bob.shows("! usage: /accept user$")


async def test_a_group_is_found_by_its_name_and_what_can_be_nobody_is_refused() -> None:
    async with FakeServer() as server:
        server.model.create_group("alice", "Team A", ["bob"], [])
        server.model.create_group("alice", "twins", [], [])
        server.model.create_group("alice", "twins", [], [])
        async with chatting(server, "alice", "team a") as alice:
            await alice.shows("You are alice, and write to Team A")
            await alice.shows("connected")
            alice.type(
                "hello",
                "/to bob",
                '/to "Team A"',
                "/to twins",
                "/to nobody at all",
                "/to alice",
                "/to user:bob",
                "/to ..",
                "/to user:..",
            )
            await alice.shows(r"alice: hello  ✓")
            await alice.shows(r"\* you write to Team A now$")
            await alice.shows("! There are 2 groups called twins: group:")
            await alice.shows("! There is no group called nobody at all, and no user can be")
            await alice.shows("! alice is you")
            await alice.shows(r"\* you write to bob now\n(.*\n)*\* you write to bob now")
            await alice.shows(r"! There is no group called \.\., and no user can be: .*neither \. nor \.\.$")
            await alice.shows(r"! “\.\.” is no user id")
            assert await alice.ends() == 0
        async with chatting(server, "alice", "bad id!") as alice:
            assert await alice.ends(close=False) == 2
        assert "There is no group called bad id!" in alice.output
        assert "Traceback" not in alice.output


async def test_history_and_going_back_show_the_ticks_of_the_live_view() -> None:
    async with alices_chat() as (server, alice):
        alice.type("/group team bob carol")
        await alice.shows("you write to team now")
        group = next(each for each in server.model.logs if each.startswith("group:"))
        alice.type("one", "two")
        await alice.shows("#3 alice: two  ✓$")
        _, posts = server.model.handle("bob", {"type": "read", "conversation_id": group, "seq": 2})
        for user, event in posts:
            await server.tell(user, event)
        await alice.shows(r"^  ✓✓ #2 read by bob$")
        server.model.add_members("alice", group, ["dan"], [])
        server.model.handle("dan", {"type": "read", "conversation_id": group, "seq": 4})
        alice.type("/history 2", "/to bob", "/to team")
        await alice.shows(r"(.*#2 alice: one  ✓✓\n.*#3 alice: two  ✓\n(.*\n)*?){2}")


async def test_typing_and_presence_are_shown() -> None:
    async with alices_chat() as (server, alice):
        await server.post("bob", "alice", "hi")
        await alice.shows("bob: hi")
        await server.until(lambda: bool(server.sent("presence")))
        for active in (True, True, False, True):
            await server.tell("alice", {"type": "typing", "conversation_id": DM, "user_id": "bob", "active": active})
        for status, seen in (("online", None), ("online", None), ("offline", 1_795_431_200_000)):
            how = {"user_id": "bob", "status": status, "last_seen": seen, "timestamp": 1}
            await server.tell("alice", {"type": "presence", **how})
        await alice.shows(r"^\* bob is online$")
        await alice.shows(r"^\* bob is offline, last seen 20")

    assert len(re.findall(r"bob is typing …", alice.output)) == 2
    assert len(re.findall(r"bob is online", alice.output)) == 1


async def test_who_comes_before_it_is_known_who_is_there_is_news() -> None:
    """The answer to that question may be late, or never come."""
    unanswered = FakeServer(on_frame=lambda _, frame: "unanswered" if frame["type"] == "presence" else None)
    async with unanswered as server, chatting(server, "alice", "bob") as alice:
        await alice.shows("connected")
        await server.until(lambda: bool(server.sent("presence")))
        for status in ("online", "online", "offline"):
            how = {"user_id": "bob", "status": status, "last_seen": None, "timestamp": 1}
            await server.tell("alice", {"type": "presence", **how})
        await alice.shows(r"^\* bob is offline$")
        assert await alice.ends() == 0

    assert len(re.findall(r"bob is online", alice.output)) == 1


async def test_an_edit_without_words_asks_before_it_drops_a_caption(tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(b"picture")
    async with alices_chat() as (server, alice):
        alice.type("plain", f"/file {tmp_path}/cat.png look")
        await alice.shows(r"#2 alice: \[image: /get 2\] look  ✓$")
        alice.type("/edit 1", "/edit 2", "n")
        await alice.shows("! usage: /edit N text$")
        await alice.shows(r"^Drop the caption of #2, “look”\? \[y/N\]$")
        await alice.shows("the caption stays")
        assert server.sent("edit") == []
        alice.type("/edit 2", "y")
        await alice.shows("alice took the words of #2 away")
        alice.type("/edit 2")
        await alice.shows("#2 has no caption")

    assert [entry["message"]["content"] for entry in server.model.logs[DM] if "message" in entry] == ["plain", ""]


async def test_every_command_says_how_it_is_used_and_is_in_the_help() -> None:
    async with alices_chat() as (_, alice):
        alice.type("/help")
        await alice.shows("//text")
        needing = [name for name in NAMES if not re.search(rf"^{name}( \[|  )", alice.output, re.MULTILINE)]
        alice.type(*needing, *(f"{name} 1 2 3 4" for name in ("/help", "/quit", "/members", "/leave", "/blocks")))
        for name in (*needing, "/quit", "/blocks"):
            await alice.shows(rf"^! usage: {name}\b")
        for name in NAMES:
            assert re.search(rf"^{name}\b.*  \S", alice.output, re.MULTILINE)
        alice.type("/name x", "/leave")
        await alice.shows("(! This is no group.*\n(.*\n)*?){2}")

    assert "needs something else" not in alice.output


def test_the_documents_have_every_command() -> None:
    text = (Path(__file__).parents[2] / "docs/python-client.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"`{name}" not in text] == []


# --- usage


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("PARLEY_WS_URL", "PARLEY_HTTP_URL", "PARLEY_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit) as end:
        chat.main(["--user", "alice", "--to", "bob", "--ws-url", "ws://127.0.0.1:9"])
    assert end.value.code == 2
    assert "--token or PARLEY_TOKEN" in capsys.readouterr().err


WHERE = ["--ws-url", "ws://127.0.0.1:9", "--http-url", "http://127.0.0.1:9", "--to", "bob"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--user", "alice", "--token", token_of("bob")], 1, "alice's"),
        (["--token", "opaque"], 1, "--user"),
        (["--user", "alice", "--token", token_of("alice"), "--ws-url", "http://x"], 2, "ws://"),
    ],
)
def test_what_can_not_work_is_said(
    arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert chat.main([*WHERE, *arguments]) == code
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"version": 99}'])
def test_a_state_file_that_is_none_is_said(content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "state.json"
    path.write_text(content)
    assert chat.main([*WHERE, "--token", token_of("alice"), "--state", str(path)]) == 2
    assert capsys.readouterr().err


def test_a_state_of_somebody_else_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "state.json"
    state = {"version": 1, "user_id": "carol", "synced": True, "conversations": {}, "outbox": [], "cursors": []}
    path.write_text(json.dumps(state))
    assert chat.main([*WHERE, "--user", "alice", "--token", token_of("alice"), "--state", str(path)]) == 1
    assert str(path) in capsys.readouterr().err


async def test_files_are_sent_shown_and_saved(tmp_path: Path) -> None:
    (tmp_path / "my cat.png").write_bytes(b"picture" * 100_000)
    (tmp_path / "notes.txt").write_bytes(b"text")
    folder = tmp_path / "inner"
    folder.mkdir()
    async with (
        FakeServer() as server,
        chatting(server, "alice", "bob") as alice,
        chatting(server, "bob", "alice") as bob,
    ):
        await alice.shows("connected")
        await bob.shows("connected")
        alice.type(f'/file "{tmp_path}/my cat.png" look at   this')
        await alice.shows(r"my cat.png: 100 % of 700.0 KB$")
        await bob.shows(r"#1 alice: \[image: /get 1\] look at   this$")
        await bob.shows(r"#1 is my cat.png, 700.0 KB$")
        alice.type(f"/file {tmp_path}/notes.txt", f"/file {tmp_path}/missing.txt", "/file", '/file "open')
        await bob.shows(r"#2 alice: \[file: /get 2\]$")
        await alice.shows(r"! /file can't be done: .*missing")
        await alice.shows(r"(! usage: /file path \[text\]\n.*?){2}")
        bob.type("hi")
        await bob.shows("#3 bob: hi  ✓✓?$")
        bob.type(f"/get 1 {folder}", f"/get #1 {folder}", "/get 3", "/get", "/get 9")
        await bob.shows(r"\* saved as .*my cat.png$")
        await bob.shows(r"\* saved as .*my cat \(2\).png$")
        await bob.shows(r"! /get was refused: There is no file in #3 \(not_found\)")
        await bob.shows(r"! usage: /get N \[folder\]")

    assert (folder / "my cat (2).png").read_bytes() == (folder / "my cat.png").read_bytes() == b"picture" * 100_000


async def test_notifications_are_shown_once_and_acknowledged_and_reminders_asked_for() -> None:
    async with alices_chat() as (server, alice):
        about = {"kind": "reminder", "title": "Reminder", "conversation_id": DM, "seq": 4}
        for told in (
            server.http.notices.tell("alice", "one", title="Sent\x1b[2J", body="today"),
            server.http.notices.tell("alice", "two", **about),
        ):
            await server.tell("alice", told)
            await server.tell("alice", told)
        await alice.shows(r"^\* Sent.\[2J: today$")
        await alice.shows(rf"^\* Reminder: #4 of {DM}$")
        await server.until(lambda: len(server.http.notices.acknowledged) == 2)
        alice.type("hi")
        await alice.shows("#1 alice: hi  ✓$")
        alice.type("/remind 1 10m", "/remind #1 2h", "/remind 1 soon", "/remind 1")
        await alice.shows(r"(\* you will be reminded of #1 at \d{4}-.*\n(.*\n)*?){2}")
        await alice.shows(r"(! usage: /remind N 10m\n(.*\n)*?){2}")

    assert len(re.findall(r"^\* (Sent|Reminder)", alice.output, re.MULTILINE)) == 2
    sooner, later = sorted(each["at"] for each in server.http.notices.reminders["alice"].values())
    assert 6_590_000 < later - sooner < 6_610_000


def test_durations_are_numbers_with_a_unit() -> None:
    assert [duration_ms(text) for text in ("30s", "10m", "2h", "1d")] == [30_000, 600_000, 7_200_000, 86_400_000]
    for text in ("", "m", "10", "0m", "-1m", "1w", "1.5h", "1" * 5_000 + "d"):
        with pytest.raises(WrongArgumentsError):
            duration_ms(text)
