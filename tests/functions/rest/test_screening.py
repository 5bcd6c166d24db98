"""What a deployment decides about messages first: by lists of words, by a hook, and by people."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.adapters.dynamodb.screening import DynamoDbVerdicts
from shared.domain.bans import Ban
from shared.domain.entries import Draft
from shared.domain.screening import ALLOW, APPROVE, REJECT, Review, Verdict, named
from shared.errors import Unavailable
from shared.operations.editing import Edit, edit
from shared.operations.held import decide_held
from shared.operations.messages import SendMessage, send_message
from shared.ports.screening import HookFailed
from tests.functions.rest.harness import DM, GROUP, RestHarness, now, online, with_a_screen
from tests.stores import MEMBERS

MESSAGES = f"/v1/conversations/{DM}/messages"


@dataclass
class Scripted:
    """A hook that says what it is told to, and notes what it was asked."""

    answer: Any = None
    asked: list[dict[str, Any]] = field(default_factory=list)

    def ask(self, draft: Mapping[str, Any], *, name: str) -> bytes:
        self.asked.append({**draft, "name": name})
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()


def send(harness: RestHarness, content: str = "hi", user: str = "alice", **body: Any) -> Any:
    return harness.call("POST", MESSAGES, user=user, body={"content": content, **body})


def words(harness: RestHarness, action: str, *listed: str) -> None:
    path = f"/v1/word-lists/{action}"
    answered = harness.call("PUT", path, scope="admin", body={"action": action, "words": [*listed]})
    assert answered.status in {200, 201}


def last(harness: RestHarness) -> Any:
    return harness.stores.entries(DM)[-1]


def decide(harness: RestHarness, held_id: str, decision: str, **more: Any) -> Any:
    path = f"/v1/held/{held_id}/decision"
    return harness.call("POST", path, user="mod", scope="moderation", body={"decision": decision, **more})


@pytest.fixture
def listed(harness: RestHarness) -> RestHarness:
    words(harness, "block", "scum", "kill yourself")
    words(harness, "mask", "darn*", "*fudge*")
    words(harness, "hold", "casino")
    with_a_screen(harness)
    return harness


@pytest.mark.parametrize(
    "text", ["SCUM", "you, scum!", "\uff53\uff43\uff55\uff4d", "s\u200bcum", "Kill  Yourself.", "bad_scum"]
)
def test_a_word_is_refused_however_it_is_written(listed: RestHarness, text: str) -> None:
    before = len(listed.stores.entries(DM))
    refused = send(listed, text)
    assert (refused.status, refused.code, refused.body["reason"]) == (403, "rejected", "blocked_words")
    assert len(listed.stores.entries(DM)) == before


@pytest.mark.parametrize("text", ["scumbag", "discum", "kill it yourself", "casinos", "adarn"])
def test_a_part_of_a_longer_word_is_none(listed: RestHarness, text: str) -> None:
    assert send(listed, text).status == 201
    assert last(listed).content == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("an a, a hit, in c, by bob", None),
        ("a$ or $a or a $$ or $ hit or c#", None),
        ("A$$ \uff04hit, c++!", "*** ****, ***!"),
        ("a\u200b$$hole", "****hole"),
        ("is it a$$$?", "is it ***$?"),
        ("x$hit, and stop it", "x****, and **** it"),
    ],
)
def test_signs_at_the_ends_of_a_listed_word_have_to_stand_there(
    harness: RestHarness, text: str, shown: str | None
) -> None:
    words(harness, "mask", "a$$", "$hit", "c++", "@bob", "stop!")
    with_a_screen(harness)
    assert send(harness, text).status == 201
    assert last(harness).content == (shown or text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("well, darned Ünicode", "well, ****** Ünicode"),
        ("Da\u00adrn it", "***** it"),
        ("superfudgery and 👍", "************ and 👍"),
    ],
)
def test_words_are_shown_as_stars_and_the_resend_is_known(listed: RestHarness, text: str, shown: str) -> None:
    made = send(listed, text, client_message_id="m", after=2)
    assert (made.status, last(listed).content) == (201, shown)
    again = send(listed, text, client_message_id="m", after=2)
    assert (again.status, again.body["seq"]) == (200, made.body["seq"])
    assert send(listed, "another", client_message_id="m", after=2).code == "conflict"


def test_edits_and_forwards_go_through_the_same(listed: RestHarness) -> None:
    edited = listed.call("PATCH", f"{MESSAGES}/1", body={"content": "darn"})
    assert (edited.status, listed.stores.entries(DM)[0].content) == (200, "****")
    assert listed.call("PATCH", f"{MESSAGES}/1", body={"content": "darn"}).body["entry_seq"] is None
    for text, reason in (("scum", "blocked_words"), ("casino", "review")):
        assert listed.call("PATCH", f"{MESSAGES}/1", body={"content": text}).body["reason"] == reason
    listed.stores.write("bob", "scum", conversation_id=GROUP, at=now())
    place = {"conversation_id": GROUP, "seq": len(listed.stores.entries(GROUP))}
    assert listed.call("POST", MESSAGES, body={"forward_of": place}).code == "rejected"


def test_what_the_teams_servers_write_is_not_looked_at(listed: RestHarness) -> None:
    body = {"content": "scum was removed", "message_type": "system"}
    assert listed.call("POST", MESSAGES, scope="admin", body=body).status == 201


def test_a_list_that_is_taken_away_stops_counting(listed: RestHarness) -> None:
    assert send(listed, "scum").code == "rejected"
    assert listed.call("DELETE", "/v1/word-lists/block", scope="admin").status == 204
    with_a_screen(listed)  # as an instance that reads them anew
    assert send(listed, "scum").status == 201


def test_a_held_message_is_in_no_log_and_its_resend_is_told_the_same(listed: RestHarness) -> None:
    online(listed, "alice", "bob")
    before = len(listed.stores.entries(DM))
    first = send(listed, "casino", client_message_id="m", after=2)
    assert (first.status, first.body["status"], "seq" in first.body) == (202, "held", False)
    assert send(listed, "casino", client_message_id="m", after=2).body == first.body
    assert send(listed, "casino!", client_message_id="m", after=2).code == "conflict"
    assert (len(listed.stores.entries(DM)), listed.gateway.posts) == (before, [])
    (waiting,) = listed.call("GET", "/v1/held", user="mod", scope="moderation").body["held"]
    assert (waiting["id"], waiting["message"]["content"], waiting["status"]) == (
        first.body["held_id"],
        "casino",
        "held",
    )


def test_an_approved_message_is_stored_then_once_and_told_to_everyone(listed: RestHarness) -> None:
    online(listed, "alice", "bob")
    held_id = send(listed, "casino", client_message_id="m", after=2).body["held_id"]
    assert send(listed, "meanwhile", user="bob").status == 201
    listed.gateway.posts.clear()
    done = decide(listed, held_id, "approve")
    assert (done.body["status"], done.body["seq"]) == ("approved", 4)
    assert {connection for connection, _ in listed.gateway.posts} == {"alice-1", "bob-1"}
    assert decide(listed, held_id, "approve").body == done.body
    assert decide(listed, held_id, "reject").code == "conflict"
    resent = send(listed, "casino", client_message_id="m", after=2)
    assert (resent.status, resent.body["seq"], resent.body["duplicate"]) == (200, 4, True)
    entries = listed.stores.entries(DM)
    assert [one.seq for one in entries] == [1, 2, 3, 4]
    assert (entries[-1].content, entries[-1].client_message_id) == ("casino", "m")
    assert listed.call("GET", "/v1/held", user="mod", scope="moderation").body["held"] == []


def test_a_message_without_an_id_can_be_held_and_approved_too(listed: RestHarness) -> None:
    first, second = (send(listed, "casino").body["held_id"] for _ in range(2))
    assert first != second
    assert decide(listed, first, "approve").body["seq"] == 3
    assert decide(listed, first, "approve").body["seq"] == 3
    assert len(listed.stores.entries(DM)) == 3


@pytest.mark.parametrize("is_named", [False, True])
def test_two_who_approve_at_once_store_it_once(listed: RestHarness, *, is_named: bool) -> None:
    """Whatever one of them is about to do when the other has done it all."""
    calls = listed.stores.calls

    def approve(held_id: str, by: str) -> int | None:
        return decide_held(held_id, Review(APPROVE, by, now()), **listed.wired.parts).seq

    for step in itertools.count():
        before, answers = len(listed.stores.entries(DM)), list[int | None]()
        held_id = send(listed, "casino", **({"client_message_id": f"m{step}"} if is_named else {})).body["held_id"]
        until = len(calls.made) + step

        def other(*_: Any, held_id: str = held_id, answers: list[int | None] = answers, until: int = until) -> None:
            if len(calls.made) > until and not answers:
                answers.append(approve(held_id, "another"))

        calls.before = other
        answers.append(approve(held_id, "mod"))
        calls.let_through()
        assert set(answers) == {before + 1}
        assert len(listed.stores.entries(DM)) == before + 1
        if len(answers) == 1:
            break
    assert step > 5


def test_the_very_device_that_wrote_it_hears_what_the_hook_has_made_of_it(harness: RestHarness) -> None:
    online(harness, "alice", "bob")
    hook = Scripted({"verdict": "rewrite", "content": "newer"})
    with_a_screen(harness, hook)
    command = SendMessage("alice", "hi", conversation_id=DM, client_message_id="m", after=2)
    device = next(iter(harness.stores.sessions.of(["alice"])["alice"]))
    for act in (
        lambda: send_message(command, connection=device, **harness.wired.parts),
        lambda: edit(Edit("alice", DM, 3, "newest"), connection=device, **harness.wired.parts),
    ):
        harness.gateway.posts.clear()
        act()
        assert {connection for connection, _ in harness.gateway.posts} == {"alice-1", "bob-1"}
        assert all("newer" in str(data) for _, data in harness.gateway.posts)
        hook.answer = {"verdict": "rewrite", "content": "even newer"}


def test_the_sender_of_a_rejected_message_is_told_why_and_so_is_its_resend(listed: RestHarness) -> None:
    online(listed, "alice", "bob")
    held_id = send(listed, "casino", client_message_id="m", after=2).body["held_id"]
    assert decide(listed, held_id, "reject", reason="no advertisements").body["status"] == "rejected"
    (told,) = listed.call("GET", "/v1/notifications").body["notifications"]
    assert told["data"] == {
        "type": "message_rejected",
        "conversation_id": DM,
        "held_id": held_id,
        "reason": "no advertisements",
        "client_message_id": "m",
    }
    assert {connection for connection, _ in listed.gateway.posts} == {"alice-1"}
    resent = send(listed, "casino", client_message_id="m", after=2)
    assert (resent.code, resent.body["reason"]) == ("rejected", "no advertisements")
    assert len(listed.stores.entries(DM)) == 2


def test_what_can_not_be_sent_any_more_is_not_approved(listed: RestHarness) -> None:
    held_id = send(listed, "casino").body["held_id"]
    listed.stores.blocks.put("bob", "alice", now=now())
    assert decide(listed, held_id, "approve").code == "conflict"
    assert decide(listed, held_id, "reject").status == 200


@pytest.mark.parametrize("fails_open", [True, False])
def test_a_hook_sees_the_draft_and_its_verdict_is_fixed(harness: RestHarness, fails_open: bool) -> None:
    hook = Scripted({"verdict": "rewrite", "content": "better", "data": {"checked": True}})
    with_a_screen(harness, hook, fails_open=fails_open)
    made = send(harness, "good", client_message_id="m", after=2, mentions=["bob"], data={"a": 1})
    assert (made.status, last(harness).content, last(harness).data) == (201, "better", '{"checked":true}')
    (asked,) = hook.asked
    assert asked["type"] == "before_message"
    assert asked["message"] == {
        "conversation_id": DM,
        "sender_id": "alice",
        "content": "good",
        "type": "text",
        "client_message_id": "m",
        "reply_to": None,
        "mentions": ["bob"],
        "file_id": None,
        "data": {"a": 1},
        "attachments": [],
        "forwarded": False,
    }
    hook.answer = {"verdict": "reject"}
    again = send(harness, "good", client_message_id="m", after=2, mentions=["bob"], data={"a": 1})
    assert (again.status, again.body["seq"], len(hook.asked)) == (200, made.body["seq"], 1)
    assert send(harness, "evil", client_message_id="m", after=2).code == "conflict"


def test_a_hook_rejects_with_a_code_and_words_and_never_takes_it_back(harness: RestHarness) -> None:
    hook = Scripted({"verdict": "reject", "code": "too_soon", "message": "Wait a little"})
    with_a_screen(harness, hook)
    for _ in range(2):
        refused = send(harness, client_message_id="m", after=2)
        assert (refused.status, refused.code) == (403, "rejected")
        assert (refused.body["reason"], refused.body["error"]) == ("too_soon", "Wait a little")
        hook.answer = {"verdict": "allow"}
    assert len(hook.asked) == 1
    assert send(harness).status == 201


def test_a_rejection_with_nulls_is_one_without_these_fields(harness: RestHarness) -> None:
    with_a_screen(harness, Scripted({"verdict": "reject", "code": None, "message": None, "content": None}))
    refused = send(harness, client_message_id="m", after=2)
    assert (refused.status, refused.code, refused.body["reason"]) == (403, "rejected", "rejected")


def test_a_hook_holds_and_edits_are_shown_to_it_too(harness: RestHarness) -> None:
    hook = Scripted({"verdict": "hold"})
    with_a_screen(harness, hook)
    held = send(harness, client_message_id="m", after=2)
    assert (held.status, held.body["held_id"]) == (202, named(DM, "alice", "m"))
    assert decide(harness, held.body["held_id"], "approve").body["seq"] == 3
    assert harness.call("PATCH", f"{MESSAGES}/1", body={"content": "new"}).body["reason"] == "review"
    assert (hook.asked[-1]["type"], hook.asked[-1]["seq"]) == ("before_edit", 1)
    hook.answer = {"verdict": "rewrite", "content": "newer"}
    assert harness.call("PATCH", f"{MESSAGES}/1", body={"content": "other"}).status == 200
    assert harness.stores.entries(DM)[0].content == "newer"


NO_ANSWERS = [
    HookFailed("silent"),
    b"",
    b"no json",
    b"[]",
    b"null",
    b'"allow"',
    b"{}",
    b'{"verdict": 1}',
    b'{"verdict": "maybe"}',
    b'{"verdict": "rewrite"}',
    b'{"verdict": "rewrite", "content": null}',
    b'{"verdict": "rewrite", "content": " "}',
    b'{"verdict": "rewrite", "content": 5}',
    b'{"verdict": "rewrite", "content": "\\ud800"}',
    b'{"verdict": "rewrite", "data": []}',
    b'{"verdict": "rewrite", "content": "' + b"x" * 5_001 + b'"}',
    b'{"verdict": "rewrite", "data": {"x": "' + b"x" * 5_000 + b'"}}',
    b'{"verdict": "reject", "code": 5}',
    b'{"verdict": "reject", "code": ""}',
    b'{"verdict": "reject", "code": "' + b"x" * 65 + b'"}',
    b'{"verdict": "reject", "message": 5}',
    b"[" * 20_000,
    b'{"verdict": "\xff"}',
]


@pytest.mark.parametrize("answer", NO_ANSWERS, ids=lambda one: repr(one)[:40])
def test_what_is_no_answer_counts_as_none(harness: RestHarness, answer: Any) -> None:
    with_a_screen(harness, Scripted(answer), fails_open=False)
    refused = send(harness, client_message_id="m", after=2)
    assert (refused.status, refused.code, refused.body["retryable"]) == (503, "unavailable", True)
    with_a_screen(harness, Scripted({"verdict": "allow"}), fails_open=False)
    assert send(harness, client_message_id="m", after=2).status == 201  # it was no verdict, so the resend asks
    with_a_screen(harness, Scripted(answer), fails_open=True)
    assert send(harness, client_message_id="n", after=2).status == 201
    assert harness.unexpected == []


def test_a_resend_while_the_hook_thinks_asks_nobody(harness: RestHarness) -> None:
    answered: list[str] = []

    class Thinking(Scripted):
        def ask(self, draft: Mapping[str, Any], *, name: str) -> bytes:
            if not answered:
                answered.append(send(harness, client_message_id="m", after=2).code)
            return super().ask(draft, name=name)

    def out_of_time(_: int) -> None:
        raise Unavailable

    hook = Thinking({"verdict": "allow"})
    with_a_screen(harness, hook)
    object.__setattr__(harness.wired.context.screen, "wait_ms", out_of_time)
    assert send(harness, client_message_id="m", after=2).status == 201
    assert answered == ["unavailable"]
    assert send(harness, client_message_id="m", after=2).body["duplicate"]
    assert len(hook.asked) == 1


def test_who_died_while_asking_is_followed_by_its_resend(harness: RestHarness) -> None:
    verdicts = DynamoDbVerdicts(harness.stores.tables, members_table=MEMBERS)
    hook = Scripted({"verdict": "allow"})
    with_a_screen(harness, hook)
    name, digest = named(DM, "alice", "m"), Draft(DM, "alice", "hi", "").digest
    assert verdicts.claim(name, digest=digest, nonce="gone", until=now() - 1, now=1) is None
    assert send(harness, client_message_id="m", after=2).status == 201
    assert len(hook.asked) == 1
    assert verdicts.settle(name, Verdict(REJECT), nonce="gone") == Verdict(ALLOW)


def test_what_is_held_is_not_approved_where_its_sender_may_not_write(listed: RestHarness) -> None:
    path = f"/v1/conversations/{GROUP}"
    held_id = listed.call("POST", f"{path}/messages", user="carol", body={"content": "casino"}).body["held_id"]
    assert listed.call("PATCH", path, body={"frozen": True}).status == 200
    assert decide(listed, held_id, "approve").code == "conflict"
    assert listed.call("PATCH", path, body={"frozen": False}).status == 200
    listed.stores.sessions.ban("carol", Ban(now() + 60_000, "spam", now(), "root"))
    assert decide(listed, held_id, "approve").code == "conflict"
    listed.stores.sessions.unban("carol")
    assert decide(listed, held_id, "approve").status == 200


def test_slow_mode_comes_first_for_what_is_held_and_asks_no_hook(harness: RestHarness) -> None:
    hook = Scripted({"verdict": "hold"})
    with_a_screen(harness, hook)
    path = f"/v1/conversations/{GROUP}"
    assert harness.call("PATCH", path, body={"slow_mode": 30}).status == 200

    def from_carol(client_message_id: str) -> Any:
        body = {"content": "hi", "client_message_id": client_message_id}
        return harness.call("POST", f"{path}/messages", user="carol", body=body)

    held = from_carol("a")
    assert from_carol("b").code == "rate_limited"
    assert (held.status, from_carol("a").body, len(hook.asked)) == (202, held.body, 1)


def test_an_edit_that_changes_nothing_or_may_not_be_asks_nobody(harness: RestHarness) -> None:
    words(harness, "block", "one")
    hook = Scripted({"verdict": "allow"})
    with_a_screen(harness, hook)
    same = harness.call("PATCH", f"{MESSAGES}/1", body={"content": "one"})
    assert (same.status, same.body["entry_seq"]) == (200, None)
    forwarded = send(harness, content="", forward_of={"conversation_id": DM, "seq": 2}).body["seq"]
    hook.asked.clear()
    for path, body in ((f"{MESSAGES}/{forwarded}", {"content": "one"}), (f"{MESSAGES}/2", {"content": "other"})):
        assert harness.call("PATCH", path, body=body).code == "forbidden"
    assert hook.asked == []


def test_what_a_resend_has_stored_meanwhile_is_not_rejected(listed: RestHarness) -> None:
    held_id = send(listed, "casino", client_message_id="m", after=2).body["held_id"]
    assert listed.call("DELETE", "/v1/word-lists/hold", scope="admin").status == 204
    with_a_screen(listed)  # as an instance that reads them anew
    stored = send(listed, "casino", client_message_id="m", after=2).body["seq"]
    assert decide(listed, held_id, "reject").code == "conflict"
    assert decide(listed, held_id, "approve").body["seq"] == stored
    assert last(listed).seq == stored


def test_what_is_held_of_another_message_with_its_id_can_be_rejected(listed: RestHarness) -> None:
    held_id = send(listed, "casino", client_message_id="m", after=2).body["held_id"]
    assert send(listed, "hello", client_message_id="m", after=2).status == 201
    assert decide(listed, held_id, "reject").status == 200


def test_what_a_list_has_blocked_is_looked_at_anew_when_it_is_sent_again(listed: RestHarness) -> None:
    message = {"content": "you scum", "client_message_id": "c1"}
    path = f"/v1/conversations/{DM}/messages"
    assert listed.call("POST", path, body=message).code == "rejected"
    assert listed.call("DELETE", "/v1/word-lists/block", scope="admin").status == 204
    with_a_screen(listed)  # another instance
    assert listed.call("POST", path, body=message).status == 201
