"""A team's server: each call is the request that the protocol names; and who is banned is told, and stays away."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import pytest
from parley_client import Admin, Banned, Group, JoinRequest, ParleyClient, ParleyError, RefusedError

from tests.client.fake_server import token_of
from tests.shared.adapters.aws.servers import Received, Reply, ScriptedServer, reply

MISSING = {"error": "There is no such thing", "code": "not_found", "retryable": False}
BAN = {"error": "You are kept out", "code": "banned", "retryable": False, "until": 1795517600123}
Answers = Mapping[str, object]


def answering(answers: Answers) -> Callable[[Received], Reply]:
    """204 to what is not named; a pair is a status and a body; a list has one answer for each time."""

    def answer(asked: Received) -> Reply:
        given = answers.get(f"{asked.method} {unquote(asked.path.partition('?')[0])}")
        if isinstance(given, list):
            given = given.pop(0)
        if given is None:
            return reply(204, b"")
        status, body = given if isinstance(given, tuple) else (200, given)
        return reply(status, json.dumps(body).encode())

    return answer


def asked_of(server: ScriptedServer) -> list[str]:
    return [f"{each.method} {unquote(each.path)}" for each in server.received]


def body_of(received: Received) -> Any:
    return json.loads(received.body)


async def test_records_are_put_one_by_one_or_any_number_a_hundred_at_a_time() -> None:
    pages = [{"users": [{"user_id": f"u{number}"} for number in range(size)]} for size in (100, 100, 50)]
    answers = {"PUT /v1/users/bob": {"user_id": "bob", "name": "Bob", "version": 7}, "POST /v1/users": pages}
    with ScriptedServer(answering(answers)) as server:
        admin = Admin(server.url, token="t")
        bob = await admin.put_user("bob", name="Bob", avatar=None)
        put = await admin.put_users({"user_id": f"u{number}"} for number in range(250))
    assert (bob.name, bob.version, bob.deactivated) == ("Bob", 7, False)
    assert len(put) == 250
    assert body_of(server.received[0]) == {"name": "Bob", "avatar": None}
    assert [len(body_of(each)["users"]) for each in server.received[1:]] == [100, 100, 50]


async def test_who_is_out_is_kept_out_looked_at_and_let_in_again() -> None:
    ban = {"user_id": "bob", "until": None, "reason": "spam", "at": 1, "by": "ops", "closed": 2}
    connection = {"connection_id": "c", "device_id": "", "connected_at": 1, "last_heard_at": 2}
    answers = {
        "PUT /v1/users/bob/ban": ban,
        "GET /v1/users/bob/ban": [ban, (404, MISSING)],
        "POST /v1/users/bob/revoke": {"issued_before": 5, "closed": 1},
        "GET /v1/users/bob/connections": {"connections": [connection]},
        "DELETE /v1/users/bob/connections": {"closed": 3},
    }
    with ScriptedServer(answering(answers)) as server:
        admin = Admin(server.url, token="t")
        assert (await admin.ban_user("bob", reason="spam")).closed == 2
        assert (await admin.ban_of("bob")) is not None
        await admin.unban_user("bob")
        assert await admin.ban_of("bob") is None
        assert await admin.revoke("bob", 5) == 1
        [living] = await admin.connections("bob")
        assert await admin.disconnect("bob") == 3
        await admin.delete_user("bob")
    assert (living.connection_id, living.last_heard_at) == ("c", 2)
    assert body_of(server.received[0]) == {"until": None, "reason": "spam"}


async def test_another_users_requests_carry_their_name_and_only_those() -> None:
    ack = {"conversation_id": "group:x", "seq": 4, "message_id": "group:x/4", "timestamp": 1, "duplicate": False}
    channel = {"id": "channel:c", "name": "News", "role": "member", "head": 3}
    answers = {
        "POST /v1/conversations/group:x/messages": ack,
        "PUT /v1/conversations/channel:c/members/bob": channel,
        "GET /v1/contacts": {"contacts": []},
    }
    with ScriptedServer(answering(answers)) as server:
        admin = Admin(server.url, token=token_of("ops"))
        bob = admin.acting_as("bob")
        assert (await bob.post("group:x", "On my way", client_message_id="m1", mentions=["carol"])).seq == 4
        assert (await bob.join_channel("channel:c")).head == 3
        assert await admin.contacts() == ()
        await admin.post_system("group:x", "Maintenance", client_message_id="m2", data={"a": 1})
    assert [each.headers.get("parley-as") for each in server.received] == ["bob", "bob", None, None]
    said = {"content": "On my way", "message_type": "text", "client_message_id": "m1", "mentions": ["carol"]}
    assert body_of(server.received[0]) == said
    assert body_of(server.received[3])["message_type"] == "system"


async def test_the_audit_is_read_to_its_end_page_by_page() -> None:
    row = {"at": 2, "by": "ops", "acting_as": None, "method": "PUT", "route": "/v1/users/{user_id}", "arguments": {}}
    pages = [{"rows": [row], "next_cursor": "b"}, {"rows": [row | {"at": 1}], "next_cursor": None}]
    with ScriptedServer(answering({"GET /v1/audit": pages})) as server:
        found = [each.at async for each in Admin(server.url, token="t").audit(user="bob", start=1)]
    assert found == [2, 1]
    assert asked_of(server) == [
        "GET /v1/audit?user=bob&from=1&limit=100",
        "GET /v1/audit?user=bob&from=1&limit=100&cursor=b",
    ]


async def test_everybody_is_told_and_that_is_followed_and_stopped() -> None:
    going = {"id": "b1", "title": "Back at noon", "state": "running", "progress": 0.5, "posted": 3, "failed": 0}
    answers = {
        "POST /v1/broadcasts": going,
        "GET /v1/broadcasts/b1": going,
        "POST /v1/broadcasts/b1/cancel": {**going, "state": "cancelled"},
        "POST /v1/users/bob/export": {"id": "e1", "status": "running"},
        "GET /v1/users/bob/export": [{"id": "e1", "status": "done"}, (404, MISSING)],
    }
    with ScriptedServer(answering(answers)) as server:
        admin = Admin(server.url, token="t")
        told = await admin.broadcast("Back at noon", broadcast_id="b1")
        assert (await admin.broadcast_of(told.id)).posted == 3
        assert (await admin.steer(told.id, "cancel")).state == "cancelled"
        assert (await admin.export_user("bob"))["status"] == "running"
        assert await admin.export_of("bob") is not None
        assert await admin.export_of("bob") is None
    assert body_of(server.received[0]) == {"title": "Back at noon", "body": "", "store": False, "broadcast_id": "b1"}


async def test_a_user_exports_what_is_their_own() -> None:
    answers = {
        "POST /v1/me/export": {"id": "e1", "status": "running"},
        "GET /v1/me/export": [{"id": "e1", "status": "done"}, (404, MISSING)],
    }
    with ScriptedServer(answering(answers)) as server:
        admin = Admin(server.url, token="t")
        assert (await admin.export_me())["status"] == "running"
        assert await admin.my_export(cursor="c") == {"id": "e1", "status": "done"}
        assert await admin.my_export() is None
    assert asked_of(server) == ["POST /v1/me/export", "GET /v1/me/export?cursor=c", "GET /v1/me/export"]


async def test_a_group_says_more_of_itself_and_people_come_in_by_themselves() -> None:
    row = {"id": "group:x", "type": "group", "name": "G", "head": 1, "topic": "T", "avatar": None, "join": "request"}
    asked = {"conversation_id": "group:x", "user_id": "dave", "requested_at": 5}
    link = {"invite_id": "i1", "conversation_id": "group:x", "created_by": "bob", "uses": 0, "token": "secret"}
    into = {"conversation_id": "group:x", "name": "G", "topic": None, "member_count": 2, "created_by": "bob"}
    message = {"conversation_id": "group:x", "seq": 7, "sender_id": "bob", "content": "hi", "id": "group:x/7"}
    at = "/v1/conversations/group:x"
    answers = {
        f"PATCH {at}": row,
        f"PUT {at}/members/dave": [{**asked, "status": "requested"}, {"id": "group:x", "role": "member", "head": 2}],
        f"GET {at}/requests": {"requests": [asked]},
        f"PATCH {at}/requests/dave": {**asked, "status": "accepted"},
        "GET /v1/requests": {"requests": []},
        f"POST {at}/invites": link,
        f"GET {at}/invites": {"invites": [link]},
        "GET /v1/invites/secret": into,
        "POST /v1/invites/secret": {"id": "group:x", "role": "member", "head": 2},
        f"GET {at}/pins": {"pins": [{"seq": 7, "pinned_by": "bob", "pinned_at": 9, "message": message}]},
        f"PUT {at}/pins/7": {},
        f"DELETE {at}/pins/7": {},
    }
    with ScriptedServer(answering(answers)) as server:
        dave = Admin(server.url, token="t").acting_as("dave")
        assert (await dave.update_conversation("group:x", topic="T", avatar=None)).topic == "T"
        request, group = await dave.join("group:x"), await dave.join("group:x")
        [waiting] = await dave.join_requests("group:x")
        accepted = await dave.decide_request("group:x", "dave", accept=True)
        assert await dave.own_requests() == ()
        await dave.withdraw_request("group:x")
        made = await dave.create_invite("group:x", max_uses=1)
        assert len(await dave.invites("group:x")) == 1
        await dave.revoke_invite("group:x", "i1")
        leads = await dave.invitation("secret")
        assert (await dave.accept_invite("secret")).head == 2
        [pin] = await dave.pins("group:x")
        await dave.pin("group:x", 7)
        await dave.unpin("group:x", 7)
        await dave.update_member("group:x", "dave", {"shift": "late"})
    assert isinstance(request, JoinRequest)
    assert (request.status, waiting.status, accepted.status) == ("requested", "requested", "accepted")
    assert isinstance(group, Group)
    assert (made.token, leads.member_count, pin.message.content) == ("secret", 2, "hi")
    assert "secret" not in repr(made)
    assert body_of(server.received[0]) == {"topic": "T", "avatar": None}


async def test_what_waits_is_let_through_or_not_and_who_is_shadow_banned_writes_for_themselves() -> None:
    answers = {
        "GET /v1/held": [{"held": [{"id": "h1"}], "next_cursor": "c"}, {"held": [], "next_cursor": None}],
        "POST /v1/held/h1/decision": {"id": "h1", "status": "rejected"},
        "PUT /v1/users/bob/shadow-ban": {"user_id": "bob"},
        "POST /v1/users/bob/erasure": {"id": "e1"},
    }
    with ScriptedServer(answering(answers)) as server:
        admin = Admin(server.url, token="t")
        [waiting] = [each async for each in admin.held()]
        assert (await admin.review(waiting["id"], approve=False, reason="rude"))["status"] == "rejected"
        await admin.shadow_ban("bob")
        await admin.end_shadow_ban("bob")
        assert (await admin.erase_user("bob"))["id"] == "e1"
    assert body_of(server.received[2]) == {"decision": "reject", "reason": "rude"}


async def test_users_report_and_moderators_decide() -> None:
    made = {"id": "r1", "reason": "spam", "comment": "", "created_at": 5, "user_id": "bob"}
    seen = {
        **made,
        "status": "open",
        "reporter": "alice",
        "conversation_id": "dm:alice:bob",
        "seq": 7,
        "decision": None,
    }
    decided = {**seen, "status": "decided", "decision": {"decision": "ban", "by": "ops"}}
    answers = {
        "POST /v1/reports": [made, made],
        "GET /v1/reports": {"reports": [seen], "next_cursor": None},
        "POST /v1/reports/r1/decision": decided,
    }
    with ScriptedServer(answering(answers)) as server:
        admin = Admin(server.url, token="t")
        assert (await admin.report_message("dm:alice:bob", 7, "spam")).id == "r1"
        await admin.report_user("bob", "abuse", "again")
        [found] = [each async for each in admin.reports(status="open")]
        ended = await admin.decide(found.id, "ban", until=9)
    assert (found.reporter, found.seq, found.decision) == ("alice", 7, None)
    assert (ended.status, ended.decision) == ("decided", {"decision": "ban", "by": "ops"})
    assert body_of(server.received[0]) == {"conversation_id": "dm:alice:bob", "seq": 7, "reason": "spam"}
    assert body_of(server.received[1]) == {"user_id": "bob", "reason": "abuse", "comment": "again"}
    assert body_of(server.received[3]) == {"decision": "ban", "until": 9}


async def test_users_are_found_and_read_by_their_ids_a_hundred_at_a_time() -> None:
    bob = {"user_id": "bob", "name": "Bob", "avatar": None, "role": None, "data": {"team": 7}, "version": 3}
    answers = {
        "GET /v1/users": [{"users": [bob], "next_cursor": "c"}, {"users": [bob]}, {"users": []}],
        "GET /v1/users/bob": bob | {"deactivated": True},
        "GET /v1/users/eve": (404, MISSING),
        "GET /v1/users/mal": (200, ["no object"]),
    }
    with ScriptedServer(answering(answers)) as server:
        admin = Admin(server.url, token="t")
        page = await admin.find_users("bo", limit=5)
        many = await admin.users(["bob", *(f"u{number}" for number in range(149))])
        gone = await admin.user("bob")
        assert await admin.user("eve") is None
        with pytest.raises(ParleyError) as odd:
            await admin.user("mal")
    assert (page.next_cursor, page.users, many) == ("c", many, page.users)
    assert page.users[0].data == {"team": 7}
    assert gone is not None
    assert gone.deactivated
    assert odd.value.code == "unreachable"


@pytest.mark.parametrize("by_ticket", [False, True])
async def test_who_is_banned_is_told_until_when_and_does_not_try_again(by_ticket: bool) -> None:
    answers = {"GET /v1/me": (403, BAN), "POST /v1/tickets": (403, BAN), "GET /": (403, {})}
    with ScriptedServer(answering(answers)) as server:
        url = f"{server.url.replace('http', 'ws')}/"
        tokens: list[str] = []

        def fresh() -> str:
            tokens.append(token_of("alice", number=len(tokens)))
            return tokens[-1]

        async with ParleyClient(url, token=fresh, http_url=server.url, by_ticket=by_ticket) as alice:
            with pytest.raises(RefusedError) as refused:
                await alice.connected()
            assert await alice.ban() == Banned(1795517600123, "You are kept out")
    assert (refused.value.code, refused.value.until, refused.value.status) == ("banned", 1795517600123, 403)
    assert len(tokens) == 1


async def test_who_is_not_banned_has_no_ban() -> None:
    with ScriptedServer(answering({"GET /v1/me": [{}, (503, BAN | {"code": "unavailable"})]})) as server:
        alice = ParleyClient("ws://x", token="t", http_url=server.url)
        assert await alice.ban() is None
        with pytest.raises(ParleyError):
            await alice.ban()


REQUESTS: list[tuple[str, object, Callable[[Admin], Any]]] = [
    ("PUT /v1/webhooks/w", {"url": "https://x", "enabled": True}, lambda admin: admin.put_webhook("w", "https://x")),
    ("POST /v1/webhooks/w/rotate", None, lambda admin: admin.rotate_secret("w")),
    ("POST /v1/webhooks/w/replay", {"conversation_id": "group:x", "seq": 3},
     lambda admin: admin.replay("w", conversation_id="group:x", seq=3)),
    ("POST /v1/webhooks/w/test", None, lambda admin: admin.try_webhook("w")),
    ("DELETE /v1/webhooks/w", None, lambda admin: admin.delete_webhook("w")),
    ("PUT /v1/word-lists/bad", {"action": "mask", "words": ["scoundrel"]},
     lambda admin: admin.put_word_list("bad", "mask", ["scoundrel"])),
    ("DELETE /v1/word-lists/bad", None, lambda admin: admin.delete_word_list("bad")),
    ("PUT /v1/users/bob/hold", {"reason": "case 4711"}, lambda admin: admin.hold("bob", "case 4711")),
    ("DELETE /v1/users/bob/hold", None, lambda admin: admin.end_hold("bob")),
    (
        "PUT /v1/conversations/dm:a:b/hold",
        {"reason": "case 4711"},
        lambda admin: admin.hold_conversation("dm:a:b", "case 4711"),
    ),
    ("DELETE /v1/conversations/dm:a:b/hold", None, lambda admin: admin.end_conversation_hold("dm:a:b")),
    ("POST /v1/users/bob/removal", None, lambda admin: admin.remove_messages("bob")),
    ("POST /v1/imports", {"lines": [{"type": "x"}]}, lambda admin: admin.import_lines([{"type": "x"}])),
    ("PATCH /v1/conversations/group:x/messages/7", {"content": "so"}, lambda admin: admin.edit("group:x", 7, "so")),
    ("DELETE /v1/conversations/group:x/messages/7", None, lambda admin: admin.delete("group:x", 7)),
    ("PUT /v1/conversations/group:x/messages/7/reactions/👍", None, lambda admin: admin.react("group:x", 7, "👍")),
    ("POST /v1/conversations/group:x/read", {"seq": 7}, lambda admin: admin.mark_read("group:x", 7)),
    ("PATCH /v1/conversations/group:x", {"history": "from_joining", "slow_mode": None, "frozen": True},
     lambda admin: admin.update_conversation("group:x", history="from_joining", slow_mode=None, frozen=True)),
    ("PUT /v1/me", {"mail": "mentions"}, lambda admin: admin.update_me(mail="mentions")),
]  # fmt: skip


@pytest.mark.parametrize(("request_line", "body", "ask"), REQUESTS, ids=[each[0] for each in REQUESTS])
async def test_it_is_the_request_that_the_protocol_names(
    request_line: str, body: object, ask: Callable[[Admin], Any]
) -> None:
    answer = {"id": "group:x", "type": "group", "user_id": "alice"}
    with ScriptedServer(answering({request_line: answer})) as server:
        await ask(Admin(server.url, token="t"))
    assert asked_of(server) == [request_line]
    assert (body_of(server.received[0]) if server.received[0].body else None) == body


async def test_none_stands_for_what_is_not_there() -> None:
    paths = ("webhooks/w", "reports/r", "held/h", *(f"users/bob/{of}" for of in ("hold", "erasure", "removal")))
    missing = {f"GET /v1/{path}": (404, MISSING) for path in (*paths, "users/bob/shadow-ban", "push/web-key")}
    with ScriptedServer(answering(missing)) as server:
        admin = Admin(server.url, token="t")
        found = [await admin.webhook("w"), await admin.report("r"), await admin.held_message("h")]
        found += [await of("bob") for of in (admin.hold_of, admin.erasure_of, admin.removal_of, admin.shadow_ban_of)]
    assert found == [None] * 7
    assert len(server.received) == 7


async def test_a_conversation_says_what_the_own_role_may() -> None:
    row = {"id": "group:x", "type": "group", "history": "from_joining", "slow_mode": 30, "frozen": True}
    answers = [{**row, "permissions": ["send", "pin"]}, row]
    with ScriptedServer(answering({"GET /v1/conversations/group:x": answers})) as server:
        admin = Admin(server.url, token="t")
        told, untold = await admin.conversation("group:x"), await admin.conversation("group:x")
    assert (told.permissions, untold.permissions) == (frozenset({"send", "pin"}), None)
    assert (told.history, told.slow_mode, told.frozen) == ("from_joining", 30, True)
