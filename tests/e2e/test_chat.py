"""Real WebSocket clients against the deployed stack: messages, once, in order, to everyone who should have them."""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from contextlib import AsyncExitStack
from functools import partial

import boto3
import pytest

from local.stack import Stack
from shared.clock import now_ms
from shared.domain.text import private_conversation_id
from tests.e2e.raw_client import RawClient, connected, http, new_users


async def test_two_clients_chat_with_acks_events_and_receipts(stack: Stack) -> None:
    one, other = new_users(2)
    async with connected(stack, one) as alice, connected(stack, other) as bob:
        ack = await alice.send(other, "hi", cmid="first")
        conversation_id = private_conversation_id(one, other)
        assert (ack["conversation_id"], ack["seq"], ack["duplicate"]) == (conversation_id, 1, False)
        (message,) = await bob.messages(1)
        assert (message["content"], message["sender_id"], message["id"]) == ("hi", one, ack["message_id"])
        await bob.ask("read", conversation_id=conversation_id, seq=1)
        await alice.until(lambda: bool(alice.of_type("read")))
        (receipt,) = alice.of_type("read")
        assert (receipt["conversation_id"], receipt["user_id"], receipt["seq"]) == (conversation_id, other, 1)
        back = await bob.send(one, "hello", after=1)
        assert (back["seq"], [message["content"] for message in await alice.messages(1)]) == (2, ["hello"])
        assert not alice.stray


async def test_the_senders_other_devices_get_its_messages_and_reads(stack: Stack) -> None:
    one, other = new_users(2)
    async with connected(stack, one) as phone, connected(stack, one) as laptop, connected(stack, other) as bob:
        await phone.send(other, "from the phone")
        assert [message["content"] for message in await laptop.messages(1)] == ["from the phone"]
        await bob.messages(1)
        await bob.send(one, "back", after=1)
        await phone.messages(1)
        await phone.ask("read", conversation_id=private_conversation_id(one, other), seq=2)
        await laptop.until(lambda: bool(laptop.of_type("read")))
        assert phone.of_type("read") == []


async def test_one_message_sent_twenty_times_in_parallel_and_after_reconnecting_is_one_entry(stack: Stack) -> None:
    one, other = new_users(2)
    async with connected(stack, one) as first, connected(stack, one) as second:
        senders = [first, second]
        sends = [senders[i % 2].send(other, "once", cmid="the-one") for i in range(20)]
        acks = await asyncio.gather(*sends)
    async with connected(stack, one) as again:
        acks.append(await again.send(other, "once", cmid="the-one"))
    assert Counter(ack.pop("duplicate") for ack in acks) == {False: 1, True: 20}
    assert all(ack == acks[0] for ack in acks)
    path = f"/v1/conversations/{private_conversation_id(one, other)}/messages"
    _, history = http(stack, "GET", path, user_id=other)
    assert [message["content"] for message in history["messages"]] == ["once"]


def has_all(client: RawClient, seqs: set[int]) -> bool:
    return seqs <= {event["seq"] for event in client.of_type("new_message")}


def test_twenty_clients_write_five_hundred_messages_into_one_gapless_log(stack: Stack) -> None:
    """Several connections of two users, all composing behind what they hold at the time."""

    async def write(client: RawClient, to: str, number: int) -> list[int]:
        acked: list[int] = []
        for turn in range(25):
            held = max((event["seq"] for event in client.of_type("new_message")), default=0)
            ack = await client.send(to, f"{number}/{turn}", after=max([held, *acked]))
            acked.append(ack["seq"])
        return acked

    async def chat() -> None:
        one, other = new_users(2)
        clients: list[RawClient] = []
        async with AsyncExitStack() as connections:
            for number in range(20):
                user_id = (one, other)[number % 2]
                clients.append(await connections.enter_async_context(connected(stack, user_id)))
            writers = [write(client, (other, one)[i % 2], i) for i, client in enumerate(clients)]
            acked = await asyncio.gather(*writers)
            assert sorted(seq for seqs in acked for seq in seqs) == list(range(1, 501))
            assert all(seqs == sorted(seqs) for seqs in acked)
            views = []
            for client, own in zip(clients, acked, strict=True):
                # The last reply may be read before the last event, which came on a connection of its own.
                others = set(range(1, 501)) - set(own)
                await client.until(partial(has_all, client, others))
                views.append({event["seq"]: event["message"]["content"] for event in client.of_type("new_message")})
            reference = {seq: text for view in views for seq, text in view.items()}
            assert all(reference[seq] == text for view in views for seq, text in view.items())
            assert sorted(reference) == list(range(1, 501))

    asyncio.run(chat())


async def test_who_was_away_gets_exactly_what_was_missed_and_unread_follows(stack: Stack) -> None:
    one, other = new_users(2)
    conversation_id = private_conversation_id(one, other)
    async with connected(stack, one) as alice:
        for seq in range(50):
            await alice.send(other, f"text {seq + 1}", after=seq)
    _, inbox = http(stack, "GET", "/v1/conversations", user_id=other)
    assert [(row["id"], row["unread"], row["head"]) for row in inbox["conversations"]] == [(conversation_id, 50, 50)]
    async with connected(stack, other) as bob:
        synced = await bob.ask("sync", conversations={conversation_id: 0})
        (row,) = synced["conversations"]
        assert [entry["message"]["content"] for entry in row["entries"]] == [f"text {n}" for n in range(1, 51)]
        assert (row["has_more"], synced["has_more"], row["unread"]) == (False, False, 50)
        await bob.ask("read", conversation_id=conversation_id, seq=50)
    _, inbox = http(stack, "GET", "/v1/conversations", user_id=other)
    assert inbox["conversations"][0]["unread"] == 0
    _, own = http(stack, "GET", "/v1/conversations", user_id=one)
    assert own["conversations"][0]["unread"] == 0
    path = f"/v1/conversations/{conversation_id}/messages?limit=100"
    _, history = http(stack, "GET", path, user_id=other)
    assert [message["seq"] for message in history["messages"]] == list(range(50, 0, -1))


async def test_a_dead_connection_that_stayed_registered_is_forgotten_after_its_first_post(stack: Stack) -> None:
    """What a lost `$disconnect` leaves behind, put there by hand: the emulator never loses one."""
    one, other = new_users(2)
    table = boto3.resource(
        "dynamodb",
        endpoint_url=stack.endpoint_url,
        region_name=stack.region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    ).Table(stack.tables.sessions)

    def registered() -> set[str]:
        return set(table.get_item(Key={"user_id": other}, ConsistentRead=True)["Item"]["connections"])

    async with connected(stack, one) as alice, connected(stack, other) as bob:
        ghost_id = base64.urlsafe_b64encode(b"not there..").decode()  # to one of any other form a post gets 400
        opened_at = now_ms() - 60_000  # old enough for a 410 to count, and not too old to live
        ghost = {"device_id": "", "connected_at": opened_at, "expires_at": opened_at + 3_600_000}
        table.update_item(
            Key={"user_id": other},
            UpdateExpression="SET connections.#ghost = :ghost",
            ExpressionAttributeNames={"#ghost": ghost_id},
            ExpressionAttributeValues={":ghost": ghost},
        )
        assert ghost_id in registered()
        await alice.send(other, "one")
        assert [message["content"] for message in await bob.messages(1)] == ["one"]
        assert len(registered()) == 1
        assert ghost_id not in registered()
        await alice.send(other, "two", after=1)
        await bob.messages(2)
    table.meta.client.close()


async def test_over_the_connection_limit_the_oldest_is_told_and_closed(stack: Stack) -> None:
    (user_id,) = new_users(1)
    async with AsyncExitStack() as connections:
        clients = [await connections.enter_async_context(connected(stack, user_id)) for _ in range(20)]
        newest = await connections.enter_async_context(connected(stack, user_id))
        await clients[0].until(lambda: bool(clients[0].of_type("disconnect")))
        assert clients[0].of_type("disconnect") == [
            {"type": "disconnect", "code": "connection_limit", "reconnect": False}
        ]
        await asyncio.wait_for(clients[0].socket.wait_closed(), 10)
        await newest.ask("ping")
        await clients[1].ask("ping")


@pytest.mark.parametrize("kind", ["read", "delivered"])
async def test_a_stranger_can_do_nothing_in_anothers_conversation(stack: Stack, kind: str) -> None:
    one, other, stranger = new_users(3)
    conversation_id = private_conversation_id(one, other)
    async with connected(stack, one) as alice, connected(stack, stranger) as mallory:
        await alice.send(other, "secret")
        refused = [
            await mallory.call(kind, conversation_id=conversation_id, seq=1),
            await mallory.call("message", conversation_id=conversation_id, content="x"),
            await mallory.call("ping", conversation_id=conversation_id, seq=0),
        ]
        assert {reply["code"] for reply in refused} == {"not_a_member"}
        synced = await mallory.ask("sync", conversations={conversation_id: 0})
        assert (synced["conversations"], synced["refused"]) == ([], [conversation_id])
        assert mallory.events == []
    status, body = http(stack, "GET", f"/v1/conversations/{conversation_id}/messages", user_id=stranger)
    assert (status, body["code"]) == (404, "not_a_member")
