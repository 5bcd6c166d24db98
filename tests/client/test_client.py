"""The client over real sockets, against a server that loses replies, cuts connections and refuses tokens."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest
from parley_client import (
    ClosedError,
    ConnectionChanged,
    ConversationView,
    DisconnectedError,
    LogEntry,
    MembershipLost,
    Message,
    Options,
    ParleyClient,
    ParleyError,
    Presence,
    QuietHours,
    ReadReceipt,
    Receipts,
    RefusedError,
    SendFailed,
    Settings,
    Typing,
    Unacked,
)
from parley_client.events import Event

from tests.client.fake_server import FakeServer, token_of
from tests.client.model import Frame, Model, Refusal

DM = "dm:alice:bob"
QUICK = Options(backoff_first=0.01, backoff_limit=0.05, gap_delay=0.01, delivered_delay=0.01)


def client_of(server: FakeServer, user: str = "alice", **more: Any) -> ParleyClient:
    given: dict[str, Any] = {"token": server.admit(user), "http_url": server.http_url, **QUICK, **more}
    return ParleyClient(server.url, **given)


async def messages(client: ParleyClient, count: int) -> list[Message]:
    """The next messages of the stream."""
    found: list[Message] = []
    async with aclosing(client.events()) as events:
        async for event in events:
            if isinstance(event, Message):
                found.append(event)
                if len(found) == count:
                    break
    return found


async def next_of(client: ParleyClient, kind: type[Event]) -> Any:
    async with aclosing(client.events()) as events:
        return await anext(event async for event in events if isinstance(event, kind))


# --- two people


async def test_a_message_goes_from_one_client_to_the_other_with_receipts_back() -> None:
    async with FakeServer() as server, client_of(server) as alice, client_of(server, "bob") as bob:
        await bob.connected()
        await bob.sync()
        ack = await alice.send("hi", to="bob")
        [received] = await messages(bob, 1)
        await bob.mark_read(received.conversation_id, received.seq)
        receipt = await next_of(alice, ReadReceipt)

    assert (ack.conversation_id, ack.seq, ack.duplicate) == (DM, 1, False)
    assert (received.content, received.sender_id, received.id) == ("hi", "alice", ack.message_id)
    assert (receipt.user_id, receipt.seq) == ("bob", 1)


async def test_many_messages_at_once_both_ways_are_the_same_for_both() -> None:
    async with FakeServer() as server, client_of(server) as alice, client_of(server, "bob") as bob:
        sending = [alice.send(f"a{number}", to="bob") for number in range(40)]
        sending += [bob.send(f"b{number}", to="alice") for number in range(40)]
        acks, of_alice, of_bob = await asyncio.gather(asyncio.gather(*sending), messages(alice, 80), messages(bob, 80))

    assert [each.seq for each in of_alice] == list(range(1, 81))
    assert of_alice == of_bob
    assert sorted(ack.seq for ack in acks) == list(range(1, 81))
    assert [each.content for each in of_bob if each.sender_id == "alice"] == [f"a{number}" for number in range(40)]


async def test_what_was_taken_is_reported_as_delivered_by_itself() -> None:
    async with FakeServer() as server, client_of(server) as alice:
        await alice.sync()
        await server.post("bob", "alice", "hi")
        await messages(alice, 1)
        await server.until(lambda: bool(server.sent("delivered")))

    assert [(frame["conversation_id"], frame["seq"]) for frame in server.sent("delivered")] == [(DM, 1)]


# --- a bad network


async def test_a_lost_ack_and_a_cut_store_the_message_once_and_acknowledge_it() -> None:
    async with FakeServer() as server, client_of(server) as alice:
        await alice.sync()
        server.on_frame = lambda _, frame: "unanswered" if frame["type"] == "message" else None
        sending = asyncio.create_task(alice.send("hi", to="bob"))
        await server.until(lambda: bool(server.sent("message")))
        server.on_frame = lambda *_: None
        await server.cut()
        ack = await sending

    assert ack.seq == 1
    assert len(server.model.logs[DM]) == 1
    assert server.living("alice") == 0


async def test_a_message_that_never_arrived_goes_out_again_unchanged() -> None:
    async with FakeServer() as server, client_of(server) as alice:
        server.on_frame = lambda _, frame: "lost" if frame["type"] == "message" else None
        sending = asyncio.create_task(alice.send("hi", to="bob"))
        await server.until(lambda: bool(server.sent("message")))
        server.on_frame = lambda *_: None
        await server.cut()
        await sending

    first, again = server.sent("message")
    assert {**first, "id": again["id"]} == again


async def test_messages_while_away_come_once_and_in_order_after_reconnecting() -> None:
    async with FakeServer() as server, client_of(server) as alice:
        await alice.sync()
        await server.post("bob", "alice", "one")
        server.refusals = [503, 503]
        await server.cut()
        await server.post("bob", "alice", "two")
        await server.post("bob", "alice", "three")
        seen = await messages(alice, 3)

    assert [each.content for each in seen] == ["one", "two", "three"]


async def test_lost_posts_are_found_by_the_next_one() -> None:
    async with FakeServer() as server, client_of(server) as alice:
        await alice.sync()
        server.posting = False
        await server.post("bob", "alice", "one")
        await server.post("bob", "alice", "two")
        server.posting = True
        await server.post("bob", "alice", "three")
        seen = await messages(alice, 3)

    assert [each.content for each in seen] == ["one", "two", "three"]


async def test_a_lost_post_heals_within_a_heartbeat() -> None:
    async with FakeServer() as server, client_of(server, heartbeat=0.05) as alice:
        await alice.send("hi", to="bob")
        server.posting = False
        await server.post("bob", "alice", "lost on the way")
        seen = await messages(alice, 2)

    assert [each.content for each in seen] == ["hi", "lost on the way"]


async def test_posts_that_come_twice_and_in_the_wrong_order_are_seen_once_and_in_order() -> None:
    async with FakeServer() as server, client_of(server) as alice:
        await alice.sync()
        events = [server.model.post("bob", "alice", f"m{number}") for number in range(4)]
        events.append(server.model.change(DM, "something_new"))
        for event in [*reversed(events), *events]:
            await server.tell("alice", event)
        async with aclosing(alice.events()) as stream:
            seen = [event async for event in _first(stream, 5, (Message, LogEntry))]

    assert [getattr(event, "seq", None) for event in seen] == [1, 2, 3, 4, 5]


async def _first(stream: AsyncGenerator[Event], count: int, kinds: tuple[type, ...]) -> AsyncGenerator[Event]:
    async for event in stream:
        if isinstance(event, kinds):
            yield event
            count -= 1
            if not count:
                return


async def test_a_server_that_stops_answering_is_left_for_a_new_connection() -> None:
    def mute(_: str, frame: Frame) -> str | None:
        return "lost" if frame["type"] != "sync" else None

    async with FakeServer(on_frame=mute) as server, client_of(server, heartbeat=0.05, pong_timeout=0.05) as alice:
        await alice.connected()
        await server.until(lambda: len(server.handshakes) == 2)
        server.on_frame = lambda *_: None
        ack = await alice.send("hi", to="bob")

    assert ack.seq == 1


async def test_a_busy_server_is_asked_again() -> None:
    refusals = [Refusal("rate_limited", retryable=True, retry_after_ms=10), Refusal("internal", retryable=True)]

    def busy(_: str, frame: Frame) -> Refusal | None:
        return refusals.pop() if frame["type"] == "message" and refusals else None

    async with FakeServer(on_frame=busy) as server, client_of(server) as alice:
        ack = await alice.send("hi", to="bob")

    assert ack.seq == 1
    assert len(server.sent("message")) == 3


async def test_too_much_since_after_is_synced_and_sent_again() -> None:
    model = Model(max_examined=5, page=2)
    for number in range(30):
        model.post("bob", "alice", f"old {number}")
    async with FakeServer(model=model) as server, client_of(server) as alice:
        ack = await alice.send("hi", to="bob", client_message_id="mine", after=1)

    assert ack.seq == 31
    assert [frame["after"] for frame in server.sent("message")] == [1, 30]


async def test_a_refusal_is_raised_with_its_code() -> None:
    async with FakeServer() as server, client_of(server) as alice:
        with pytest.raises(ParleyError) as refusal:
            await alice.send("hi", conversation_id="dm:bob:carol")

    assert (refusal.value.code, refusal.value.retryable) == ("not_a_member", False)


# --- tokens and handshakes


async def test_the_token_goes_in_the_header_and_the_device_into_the_query() -> None:
    async with FakeServer() as server, client_of(server, device_id="d 1", platform="test", app_version="2") as alice:
        await alice.connected()

    [request] = server.handshakes
    assert request.headers["Authorization"] == f"Bearer {token_of('alice')}"
    assert request.path == "/test?device_id=d+1&platform=test&app_version=2"


async def test_a_ticket_is_fetched_for_each_connection_and_keeps_the_token_out_of_the_handshake() -> None:
    async with FakeServer() as server, client_of(server, by_ticket=True) as alice:
        await alice.connected()
        await server.cut()
        await alice.send("hi", to="bob")

    assert [target for method, target in server.requests if method == "POST"] == ["/v1/tickets", "/v1/tickets"]
    assert [request.path for request in server.handshakes] == ["/test?ticket=ticket-1", "/test?ticket=ticket-2"]
    assert all("Authorization" not in request.headers for request in server.handshakes)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_token_ends_the_client_and_everything_says_so(status: int) -> None:
    async with FakeServer(refusals=[status] * 5) as server, client_of(server) as alice:
        with pytest.raises(RefusedError) as refusal:
            await alice.send("hi", to="bob")
        for waiting in (alice.connected(), alice.sync(), alice.flush()):
            with pytest.raises(RefusedError):
                await waiting
        with pytest.raises(RefusedError):
            await messages(alice, 1)
        unacked = alice.unacked

    assert refusal.value.status == status
    assert len(server.handshakes) == 1
    assert [each.content for each in unacked] == ["hi"]


async def test_a_refused_token_is_replaced_once_by_a_fresh_one() -> None:
    async with FakeServer() as server:
        good = server.admit("alice")
        given = iter([token_of("alice", old=True), good])

        async def provide() -> str:
            return next(given)

        async with client_of(server, token=provide) as alice:
            await alice.connected()
            assert alice.user_id == "alice"

    assert len(server.handshakes) == 2


async def test_a_provider_without_another_token_is_not_asked_for_ever() -> None:
    async with FakeServer() as server, client_of(server, token=lambda: token_of("alice", old=True)) as alice:
        with pytest.raises(RefusedError):
            await alice.connected()

    assert len(server.handshakes) == 1


async def test_each_connection_asks_for_a_fresh_token() -> None:
    asked: list[str] = []
    async with FakeServer() as server:

        def provide() -> str:
            asked.append(server.admit("alice"))
            return asked[-1]

        async with client_of(server, token=provide) as alice:
            await alice.connected()
            await server.cut()
            await alice.sync()

    assert len(asked) == 2


async def test_a_provider_that_fails_is_asked_again() -> None:
    async with FakeServer() as server:
        failures = [OSError("no network")]

        def provide() -> str:
            if failures:
                raise failures.pop()
            return server.admit("alice")

        async with client_of(server, token=provide) as alice:
            await alice.connected()


async def test_another_users_token_is_refused_before_anything_is_sent() -> None:
    async with FakeServer() as server, client_of(server, token=lambda: token_of("bob"), user_id="alice") as alice:
        with pytest.raises(ParleyError, match="wrong_user"):
            await alice.connected()

    assert server.handshakes == []


async def test_an_expired_token_on_a_living_connection_means_a_new_connection_with_a_fresh_one() -> None:
    expired = [Refusal("token_expired")]
    async with FakeServer() as server, client_of(server) as alice:
        await alice.sync()
        server.on_frame = lambda *_: expired.pop() if expired else None
        ack = await alice.send("hi", to="bob")

    assert ack.seq == 1
    assert len(server.handshakes) == 2


async def test_a_goodbye_for_good_stops_the_client() -> None:
    async with FakeServer() as server, client_of(server) as alice:
        await alice.connected()
        await server.tell("alice", {"type": "disconnect", "code": "connection_limit", "reconnect": False})
        with pytest.raises(DisconnectedError) as goodbye:
            await messages(alice, 1)

    assert goodbye.value.server_code == "connection_limit"
    assert len(server.handshakes) == 1


async def test_a_goodbye_that_invites_back_reconnects() -> None:
    async with FakeServer() as server, client_of(server) as alice:
        await alice.sync()
        await server.tell("alice", {"type": "disconnect", "code": "going_away", "reconnect": True})
        await server.until(lambda: len(server.handshakes) == 2)
        await alice.sync()


async def test_a_server_that_is_not_there_is_tried_again_and_the_reason_shown() -> None:
    async with FakeServer() as server:
        url, token = server.url, server.admit("alice")
    async with ParleyClient(url, token=token, **QUICK) as alice:
        changes = [await next_of(alice, ConnectionChanged) for _ in range(4)]

    assert [change.state for change in changes] == ["connecting", "offline", "connecting", "offline"]
    assert all(change.reason and change.retry_in is not None for change in changes if change.state == "offline")


# --- closing and going on


async def test_closing_tells_who_waits_and_returns_what_is_not_acknowledged() -> None:
    def mute(_: str, frame: Frame) -> str | None:
        return "lost" if frame["type"] == "message" else None

    async with FakeServer(on_frame=mute) as server, client_of(server) as alice:
        sending = asyncio.create_task(alice.send("hi", to="bob", client_message_id="mine"))
        reading = asyncio.create_task(messages(alice, 1))
        await server.until(lambda: bool(server.sent("message")))
        left = await alice.close()
        with pytest.raises(ClosedError) as closed:
            await sending
        assert await reading == []
        with pytest.raises(ClosedError):
            await alice.send("too late", to="bob")

    assert left == (Unacked("bob", DM, "hi", "mine", 0),)
    assert (closed.value.client_message_id, closed.value.after) == ("mine", 0)


async def test_another_client_goes_on_from_the_state() -> None:
    async with FakeServer() as server:
        async with client_of(server) as alice:
            await alice.sync()
            await server.post("bob", "alice", "seen")
            await messages(alice, 1)
            server.on_frame = lambda _, frame: "unanswered" if frame["type"] == "message" else None
            sending = asyncio.create_task(alice.send("on its way", to="bob"))
            await server.until(lambda: bool(server.sent("message")))
            state = json.loads(json.dumps(alice.state()))
        await asyncio.gather(sending, return_exceptions=True)
        server.on_frame = lambda *_: None
        await server.post("bob", "alice", "missed")

        async with client_of(server, state=state) as again:
            await again.flush()
            seen = await messages(again, 2)

    assert [each.content for each in seen] == ["on its way", "missed"]
    assert len(server.model.logs[DM]) == 3


async def test_cancelling_a_send_does_not_unsend_it() -> None:
    async with FakeServer() as server, client_of(server) as alice:
        sending = asyncio.create_task(alice.send("hi", to="bob"))
        await asyncio.sleep(0)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        assert sending.cancelled()
        await alice.flush()

    assert [entry["message"]["content"] for entry in server.model.logs[DM]] == ["hi"]


async def test_a_cancelled_send_that_is_refused_later_is_an_event() -> None:
    async with FakeServer(on_frame=lambda *_: Refusal("blocked")) as server, client_of(server) as alice:
        sending = asyncio.create_task(alice.send("hi", to="bob"))
        await asyncio.sleep(0)
        sending.cancel()
        failed = await next_of(alice, SendFailed)

    assert (failed.code, failed.to) == ("blocked", "bob")


async def test_a_slow_application_loses_nothing_and_holds_up_no_ack() -> None:
    async with FakeServer() as server, client_of(server, max_events=5) as alice:
        await alice.sync()
        for number in range(30):
            await server.post("bob", "alice", f"m{number}")
        ack = await alice.send("hi", to="bob")
        seen = await messages(alice, 31)

    assert ack.seq == 31
    assert [each.seq for each in seen] == list(range(1, 32))


async def test_other_frames_are_sent_as_they_are_and_answered() -> None:
    async with FakeServer() as server, client_of(server) as alice:
        await alice.connected()
        assert (await alice.ping())["type"] == "pong"
        with pytest.raises(ParleyError, match="unknown_type"):
            await alice.request("dance", wildly=True)

    assert server.sent("dance")[0]["wildly"] is True


# --- HTTP


async def test_history_and_inbox_come_over_http() -> None:
    async with FakeServer() as server, client_of(server) as alice:
        for number in range(5):
            await server.post("bob", "alice", f"m{number}")
        newest = await alice.history(DM, limit=2)
        older = await alice.history(DM, before=4, limit=10)
        after = await alice.history(DM, after=3)
        inbox = await alice.inbox(limit=10)
        created = await alice.create_private("carol")

    assert ([each.content for each in newest.messages], newest.has_more) == (["m4", "m3"], True)
    assert [each.seq for each in older.messages] == [3, 2, 1]
    assert [each.seq for each in after.messages] == [4, 5]
    [summary] = inbox.conversations
    assert (summary.id, summary.head, summary.unread, summary.members) == (DM, 5, 5, ("alice", "bob"))
    assert summary.last_message is not None
    assert summary.last_message.content == "m4"
    assert created == "dm:alice:carol"
    assert ("GET", "/v1/conversations/dm%3Aalice%3Abob/messages?limit=2") in server.requests


async def test_an_http_refusal_is_raised_with_code_and_status() -> None:
    async with FakeServer() as server, client_of(server) as alice:
        with pytest.raises(ParleyError) as refusal:
            await alice.history("dm:bob:carol")

    assert (refusal.value.code, refusal.value.status) == ("not_a_member", 404)


async def test_http_asks_for_a_fresh_token_once_where_the_old_one_is_refused() -> None:
    async with FakeServer() as server:
        good = server.admit("alice")
        given = iter([token_of("alice", old=True), good])
        alice = ParleyClient(server.url, token=lambda: next(given), http_url=server.http_url)
        page = await alice.inbox()

    assert page.conversations == ()


async def test_an_http_server_that_is_not_there_is_unreachable() -> None:
    async with FakeServer() as server:
        http_url, url = server.http_url, server.url
    with pytest.raises(ParleyError, match="unreachable") as error:
        await ParleyClient(url, token=token_of("alice"), http_url=http_url).inbox()
    assert error.value.retryable


async def test_without_an_http_url_history_says_what_is_missing() -> None:
    with pytest.raises(ParleyError, match="http_url"):
        await ParleyClient("ws://127.0.0.1:9", token="t").history(DM)


# --- what changes messages and groups


async def test_edits_deletions_and_reactions_reach_the_other_client_over_a_lost_reply_and_a_cut() -> None:
    async with FakeServer() as server, client_of(server) as alice, client_of(server, "bob") as bob:
        await bob.sync()
        one, two = await alice.send("one", to="bob"), await alice.send("two", to="bob")
        server.on_frame = lambda _, frame: "unanswered" if frame["type"] == "edit" else None
        editing = asyncio.create_task(alice.edit(DM, one.seq, "better"))
        await server.until(lambda: bool(server.sent("edit")))
        server.on_frame = lambda *_: None
        await server.cut()
        edited = await editing
        reacted = await alice.react(DM, one.seq, "👍")
        deleted = await alice.delete(DM, two.seq)
        views = [await view_of(client, DM, 5) for client in (alice, bob)]

    assert (edited.entry_seq, reacted.entry_seq, deleted.entry_seq) == (None, 4, 5)
    assert views[0] == views[1]
    assert views[0].messages[1].content == "better"
    assert views[0].messages[1].reactions == {"👍": ("alice",)}
    assert views[0].messages[2].deleted_at is not None


async def view_of(client: ParleyClient, where: str, upto: int) -> ConversationView:
    view = ConversationView(where)
    async with aclosing(client.events()) as events:
        async for event in events:
            view.apply(event)
            if view.held == upto:
                return view
    raise AssertionError("the stream has ended")


async def test_a_message_is_forwarded_as_it_reads() -> None:
    async with FakeServer() as server, client_of(server) as alice:
        await server.post("carol", "alice", "the news")
        await alice.sync()
        ack = await alice.send(to="bob", forward_of=("dm:alice:carol", 1))
        [forwarded] = [each for each in await messages(alice, 1) if each.conversation_id == DM]

    assert (forwarded.seq, forwarded.content, forwarded.forwarded) == (ack.seq, "the news", True)


async def test_typing_and_presence_reach_those_who_watch() -> None:
    async with FakeServer() as server, client_of(server) as alice, client_of(server, "bob") as bob:
        server.model.dm("alice", "bob")
        server.model.online.add("bob")
        await bob.connected()
        assert await alice.presence(["bob", "carol"]) == (Presence("bob", "online"), Presence("carol", "offline"))
        await alice.typing(DM)
        assert await next_of(bob, Typing) == Typing(DM, "alice")
        server.model.online.clear()
        await server.cut()
        assert (await next_of(alice, Presence)).status == "offline"
        await server.until(lambda: len(server.sent("presence")) == 2)


async def test_a_group_lives_with_all_its_operations() -> None:
    async with FakeServer() as server, client_of(server) as alice, client_of(server, "bob") as bob:
        await alice.sync()
        await bob.sync()
        group = await alice.create_group("team", ["bob"], client_conversation_id="mine")
        again = await alice.create_group("team", ["bob"], client_conversation_id="mine")
        added = await alice.add_members(group.id, ["carol", "bob"])
        await alice.set_role(group.id, "bob", "admin")
        await bob.remove_member(group.id, "carol")
        renamed = await bob.rename(group.id, "crew")
        ack = await alice.send("hello", conversation_id=group.id)
        await bob.mark_read(group.id, ack.seq)
        own = await alice.message(group.id, ack.seq)
        members = await alice.members(group.id)
        summary = await bob.conversation(group.id)
        muted = await bob.update_settings(group.id, muted_until=7, pinned=True)
        kept = await bob.update_settings(group.id, notify="mentions")
        await bob.leave(group.id)
        of_alice, of_bob = await view_of(alice, group.id, 7), await view_of(bob, group.id, 7)
        lost = await next_of(bob, MembershipLost)

    assert (group.name, group.members, group.role, again.id) == ("team", ("alice", "bob"), "owner", group.id)
    assert (added.users, added.members_count) == (("carol",), 3)
    assert (renamed.name, summary.role, summary.joined_seq, summary.member_count) == ("crew", "admin", 1, 2)
    assert (own.status, own.receipts) == ("read", Receipts(1, 1, 1))
    assert [(each.user_id, each.role) for each in members] == [("alice", "owner"), ("bob", "admin")]
    assert (muted.muted_until, muted.pinned) == (7, True)
    assert (kept.muted_until, kept.notify) == (7, "mentions")
    assert (of_alice.name, of_alice.members) == ("crew", {"alice": "owner"})
    assert of_alice.messages == of_bob.messages
    assert lost == MembershipLost(group.id)


async def test_people_profiles_and_blocks() -> None:
    quiet = QuietHours("22:00", "07:00", "Europe/Berlin")
    async with FakeServer() as server, client_of(server) as alice, client_of(server, "bob") as bob:
        changed = await alice.update_me(display_name="Alice", quiet_hours=quiet)
        cleared = await alice.update_me(display_name=None, hide_presence=True)
        asked = await alice.request_contact("bob")
        [incoming] = await bob.contacts()
        accepted = await bob.accept_contact("alice")
        named = await bob.rename_contact("alice", "Al")
        await alice.remove_contact("bob")
        left = await bob.contacts()
        await alice.block("mallory")
        await alice.block("bob")
        blocked = await alice.blocks()
        await alice.unblock("bob")
        present = await alice.presence_of(["bob"])
        await alice.hide(await alice.create_private("bob"))
        profile = await alice.me()

    assert (changed.display_name, changed.quiet_hours) == ("Alice", quiet)
    assert (cleared.display_name, cleared.quiet_hours, cleared.hide_presence) == (None, quiet, True)
    assert profile == cleared
    assert (asked.status, incoming.status, accepted.status, named.alias) == ("requested", "incoming", "accepted", "Al")
    assert left == ()
    assert blocked == ("bob", "mallory")
    assert present == (Presence("bob", "offline"),)


# --- tokens on a living connection


async def test_a_connection_outlives_its_token() -> None:
    async with FakeServer() as server:
        given: list[str] = []

        def provide() -> str:
            given.append(token_of("alice", exp=time.time() + 2, number=len(given)))
            server.tokens.add(given[-1])
            return given[-1]

        async with client_of(server, token=provide) as alice:
            await alice.connected()
            await server.until(lambda: bool(server.sent("auth")))
            await alice.send("hi", to="bob")

    assert [frame["token"] for frame in server.sent("auth")][:1] == given[1:2]
    assert len(server.handshakes) == 1


async def test_a_provider_that_had_no_token_in_time_is_asked_again_and_the_connection_lives_on() -> None:
    async with FakeServer() as server:
        fresh = token_of("alice", exp=time.time() + 3_600, number=2)
        tokens: list[str | None] = [token_of("alice", exp=time.time() + 2), None, fresh]
        server.tokens |= {token for token in tokens if token}

        def provide() -> str:
            token = tokens.pop(0)
            if token is None:
                raise OSError("no network")
            return token

        async with client_of(server, token=provide) as alice:
            await alice.connected()
            await server.until(lambda: bool(server.sent("auth")))
            await alice.send("hi", to="bob")

    assert [frame["token"] for frame in server.sent("auth")] == [fresh]
    assert len(server.handshakes) == 1


async def test_where_the_server_says_that_the_token_has_ended_the_connection_goes_on_with_a_fresh_one() -> None:
    expired = [Refusal("token_expired")]
    async with FakeServer() as server:
        token = token_of("alice", exp=time.time() + 3_600)
        server.tokens.add(token)
        async with client_of(server, token=lambda: token) as alice:
            await alice.sync()
            server.on_frame = lambda *_: expired.pop() if expired else None
            ack = await alice.send("hi", to="bob")

    assert ack.seq == 1
    assert [frame["type"] for frame in server.sent("auth")] == ["auth"]
    assert len(server.handshakes) == 1


async def test_the_end_of_the_only_token_is_noticed_at_once() -> None:
    token = token_of("alice", exp=time.time() + 2)
    async with FakeServer() as server:
        server.tokens.add(token)
        server.on_frame = lambda _, frame: Refusal("token_expired") if frame["type"] == "ping" else None
        async with client_of(server, token=token) as alice:
            await alice.connected()
            with pytest.raises(ParleyError, match="token_expired"):
                async for _ in alice.events():
                    pass

    assert len(server.handshakes) == 1


async def test_a_provider_that_never_answers_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parley_client.dial._TOKEN_TIMEOUT_S", 0.05)
    asked: list[str] = []

    async def provide() -> str:
        asked.append("again")
        if len(asked) < 3:
            await asyncio.Event().wait()
        return token_of("alice")

    async with FakeServer() as server, client_of(server, token=provide) as alice:
        await alice.connected()

    assert len(asked) == 3


async def test_a_token_given_by_hand_is_used_from_then_on() -> None:
    async with FakeServer() as server, client_of(server) as alice:
        await alice.connected()
        fresh = token_of("alice", number=2)
        with pytest.raises(ParleyError, match="unauthenticated"):
            await alice.authenticate(fresh)
        server.tokens = {fresh}
        assert await alice.authenticate(fresh) is not None
        await server.cut()
        await alice.sync()
        with pytest.raises(ParleyError, match="wrong_user"):
            await alice.authenticate(token_of("bob"))

    assert server.handshakes[-1].headers["Authorization"] == f"Bearer {fresh}"


# --- options


@pytest.mark.parametrize(
    "options",
    [
        {"url": "http://x"},
        {"http_url": "ftp://x"},
        {"by_ticket": True, "http_url": None},
        {"history": "some"},
        {"heartbeat": 0},
    ],
)
def test_what_can_not_work_is_refused_at_once(options: dict[str, Any]) -> None:
    given = {"url": "ws://127.0.0.1:9", "token": "t", "http_url": "http://127.0.0.1:9"} | options
    with pytest.raises(ValueError, match=r"."):
        ParleyClient(**given)


def test_every_setting_is_an_option() -> None:
    assert list(Options.__annotations__) == list(Settings.__slots__)
