"""A day in which everything happens that the functions are there for: the calls of it need every permission there is.

What makes a permission necessary once in a while is made to happen: connections that died, that are too many, or that
flood; a token that ends; a look after the grace period; an upload that is not there; a large group.
"""

from __future__ import annotations

import base64
import itertools
import json
from dataclasses import dataclass, field, replace
from typing import Any, Final

from shared.clock import now_ms
from shared.domain.webhooks import MAX_TRIES
from tests.aws.cloud import Cloud
from tests.aws.functions import HOUR, Deployed, token
from tests.fakes.webhooks import down
from tests.functions.files.test_handler import created

MANY: Final = 210  # more than a group is told at once
MINUTE: Final = 60_000


@dataclass
class Day:
    functions: Deployed
    cloud: Cloud
    connections: dict[str, str] = field(default_factory=dict)
    _numbers: Any = field(default_factory=itertools.count)

    def new_id(self) -> str:
        return base64.urlsafe_b64encode(next(self._numbers).to_bytes(11, "big")).decode()

    def online(self, user: str, *, expires_in: int = HOUR) -> str:
        connection = self.connections[user] = self.new_id()
        assert self.functions.connect(user, connection, expires_in=expires_in) == 200
        return connection

    def offline(self, user: str) -> None:
        self.functions.disconnect(user, self.connections.pop(user))

    def ask(self, user: str, **frame: Any) -> dict[str, Any]:
        """The data of a frame's reply, which must be no refusal."""
        reply = self.functions.say(user, self.connections[user], frame)
        assert reply["success"], (frame, reply)
        data: dict[str, Any] = reply["data"]
        return data

    def settle(self) -> None:
        """Until nothing more happens by itself: stream, queues, schedules."""
        while self.cloud.stream or any(self.cloud.queues.values()):
            records, self.cloud.stream[:] = list(self.cloud.stream), []
            inserted = [one for one in records if one["eventName"] == "INSERT"]
            self.functions.push(inserted)
            self.functions.tell(inserted)
            self.functions.release(inserted)
            for name, bodies in list(self.cloud.queues.items()):
                waiting, bodies[:] = list(bodies), []
                self._hand_over(name, waiting)

    def _hand_over(self, queue: str, waiting: list[str]) -> None:
        """What lies in a failure queue waits for a person."""
        if "Failures" in queue:
            return
        if "Errands" in queue:
            self.functions.run_errands(waiting)
        elif "Presence" in queue:
            self.functions.look(waiting)
        else:
            self.functions.work(waiting)


def live_through(day: Day) -> None:
    people(day)
    messages(day)
    files(day)
    groups(day)
    presence(day)
    connections(day)
    pushes(day)
    mails(day)
    broadcasts(day)
    by_http(day)
    rights(day)
    day.settle()
    events_out(day)


def people(day: Day) -> None:
    functions = day.functions
    assert functions.handshake(headers={"Authorization": f"Bearer {token('alice')}"}) == "Allow"
    ticket = functions.http("alice", "POST", "/v1/tickets")["ticket"]
    assert functions.handshake(query={"ticket": ticket}) == "Allow"
    for user in ("alice", "bob", "carol"):
        day.online(user)
    for to in ("bob", "carol"):
        functions.http("alice", "POST", "/v1/contacts", {"user_id": to})
        functions.http(to, "POST", "/v1/contacts", {"user_id": "alice"})
    functions.http("alice", "PATCH", "/v1/contacts/bob", {"alias": "Bobby"})
    functions.http("alice", "PUT", "/v1/blocks/mallory")
    functions.http("alice", "DELETE", "/v1/blocks/mallory")
    for path in ("/v1/contacts", "/v1/blocks", "/v1/me", "/v1/presence"):
        functions.http("alice", "GET", path, **({"users": "bob"} if "presence" in path else {}))
    functions.http("carol", "DELETE", "/v1/contacts/alice")
    functions.http("carol", "PUT", "/v1/me", {"display_name": "Carol", "hide_presence": True})
    functions.http("carol", "PUT", "/v1/me", {"hide_presence": False})


def messages(day: Day) -> None:
    first = day.ask("alice", type="message", to="bob", content="hello", client_message_id="1")
    place = first["conversation_id"]
    day.ask("alice", type="message", to="bob", content="hello", client_message_id="1", after=0)
    day.ask("bob", type="message", conversation_id=place, content="hello yourself", reply_to=1)
    day.ask("alice", type="edit", conversation_id=place, seq=1, content="hello!")
    day.ask("bob", type="react", conversation_id=place, seq=1, emoji="x")
    day.ask("bob", type="react", conversation_id=place, seq=1, emoji="x", remove=True)
    for kind in ("read", "delivered"):
        day.ask("bob", type=kind, conversation_id=place, seq=1)
    day.ask("alice", type="delete", conversation_id=place, seq=1)
    day.ask("alice", type="typing", conversation_id=place)
    day.ask("alice", type="sync", conversations={place: 0})
    day.ask("alice", type="sync")
    day.ask("alice", type="ping", conversation_id=place, seq=1)
    day.ask("alice", type="auth", token=token("alice"))
    day.settle()


def files(day: Day) -> None:
    functions, cloud = day.functions, day.cloud
    announced = {"name": "cat.png", "content_type": "image/png", "size": 5}
    made = [functions.http("alice", "POST", "/v1/files", announced) for _ in range(3)]
    sent, dropped, late = (one["file_id"] for one in made)
    for one in made[:2]:
        assert cloud.upload(one["upload"], b"bytes") == 204
        functions.check(created(one["file_id"]))
    functions.check(created(late))  # the upload has gone meanwhile
    for by_frame in (True, False):
        if by_frame:
            data = day.ask("alice", type="message", to="bob", message_type="image", file_id=sent)
            shown = functions.http("bob", "GET", f"/v1/files/{sent}")
            for link in ("url", "thumbnail_url"):
                assert cloud.fetch(shown[link]) == 200
            day.ask("alice", type="delete", conversation_id=data["conversation_id"], seq=data["seq"])
    day.settle()
    functions.sweep(later_ms=24 * 10 * HOUR)
    functions.sweep(later_ms=24 * 400 * HOUR)
    assert not any(dropped in key for key in cloud.objects)


def groups(day: Day) -> None:
    functions = day.functions
    others = [f"member{number:03}" for number in range(MANY)]
    body = {"type": "group", "name": "Tea", "members": ["bob", "carol"], "client_conversation_id": "tea"}
    small = functions.http("alice", "POST", "/v1/conversations", body)["id"]
    day.ask("alice", type="message", conversation_id=small, content="tea?", mentions=["bob"])
    members = f"/v1/conversations/{small}/members"
    functions.http("alice", "POST", members, {"users": ["dave"]})
    functions.http("alice", "PATCH", f"{members}/dave", {"role": "admin"})
    functions.http("alice", "GET", members)
    functions.http("alice", "DELETE", f"{members}/dave")
    functions.http("alice", "PATCH", f"/v1/conversations/{small}", {"name": "Tea at four"})
    large = functions.http("alice", "POST", "/v1/conversations", {"type": "group", "name": "All", "members": others})
    day.online(others[0])
    day.online(others[1])
    day.cloud.gone.add(day.connections[others[1]])
    day.settle()
    day.ask("alice", type="message", conversation_id=large["id"], content="to all")
    channel = functions.http("alice", "POST", "/v1/conversations", {"type": "channel", "name": "News", "join": "open"})
    functions.http(others[0], "PUT", f"/v1/conversations/{channel['id']}/members/{others[0]}")  # is connected
    day.settle()


def presence(day: Day) -> None:
    """Who watches is told, and who watches by a dead connection is forgotten: when a user comes, and when they go."""
    day.online("zoe")
    day.ask("zoe", type="message", to="alice", content="we never spoke")
    for user_has_gone in (False, True):
        day.online("bob", expires_in=MINUTE)  # whose token ends soon: looked at then
        for users in (["zoe"], ["alice", "carol"]):
            day.ask("bob", type="presence", users=users)
        day.ask("zoe", type="presence", users=["alice"])
        if user_has_gone:
            day.cloud.gone.add(day.connections["bob"])
        day.offline("alice")
        day.settle()
        day.cloud.gone.add(day.connections["bob"])
        day.online("alice")
    day.online("bob")


def connections(day: Day) -> None:
    """One too many, by a handshake and by a frame; one that floods; one whose token has ended; and all of a user's."""
    functions, cloud = day.functions, day.cloud
    limit = int(functions.environment("Connect")["CONNECTION_LIMIT"])
    for _ in range(limit + 1):
        day.online("erin")
    assert functions.say("erin", day.new_id(), {"type": "sync"})["success"]
    flooding = day.online("frank")
    while flooding not in cloud.gone:
        functions.say("frank", flooding, {"type": "presence", "users": []})
    ended = day.online("grace", expires_in=0)
    assert functions.say("grace", ended, {"type": "ping"}, expires_in=-1)["code"] == "token_expired"
    functions.http("alice", "DELETE", "/v1/users/erin/connections")
    day.cloud.gone.add(day.online("heidi"))
    place = functions.http("alice", "POST", "/v1/conversations", {"type": "private", "with": "heidi"})["id"]
    functions.http("alice", "POST", f"/v1/conversations/{place}/messages", {"content": "to a dead connection"})
    day.settle()


def pushes(day: Day) -> None:
    functions = day.functions
    functions.http("bob", "PUT", "/v1/devices/one", {"platform": "fcm", "token": "bobs"})
    functions.http("bob", "PUT", "/v1/devices/two", {"platform": "apns", "token": "0a" * 32, "app_id": "com.example"})
    functions.http("bob", "GET", "/v1/devices")
    day.offline("bob")
    day.settle()
    functions.http("alice", "POST", "/v1/notifications", {"users": ["bob", "alice"], "title": "Hello"})
    sent = day.ask("alice", type="message", to="bob", content="are you there?")
    place = f"/v1/conversations/{sent['conversation_id']}/messages/{sent['seq']}"
    for _ in range(2):
        functions.http("bob", "POST", f"{place}/reminders", {"at": now_ms() + HOUR})
    due, cancelled = day.cloud.schedules.values()
    functions.http("bob", "DELETE", f"/v1/reminders/{cancelled['Name']}")
    looks = day.cloud.queues[due["Target"]["Arn"].rpartition(":")[2]]
    looks.append(due["Target"]["Input"])
    looks.append(json.dumps({"source": "aws.events", "detail-type": "Scheduled Event"}))  # the look at missed pushes
    part = {"kind": "sweep", "since": 0, "until": now_ms(), "after": None}
    looks.append(json.dumps(part))
    day.settle()
    assert {push.target.platform for push in functions.pushed} == {"fcm", "apns"}
    functions.http("bob", "DELETE", "/v1/devices/one")


def mails(day: Day) -> None:
    """Of what judy missed, in the round that a rule asks for."""
    functions = day.functions
    functions.http("alice", "PUT", "/v1/users/judy", {"email": "judy@example.com"})
    day.ask("alice", type="message", to="judy", content="are you there at all?")
    day.settle()
    looks = next(queue for name, queue in day.cloud.queues.items() if "Looks" in name and "Failures" not in name)
    looks.append(json.dumps({"kind": "mail"}))
    day.settle()
    sent = [one.path for one in day.cloud.recorded if one.service == "ses"]
    assert sent == ["/v2/email/outbound-emails"]


def broadcasts(day: Day) -> None:
    functions = day.functions
    functions.http("alice", "POST", "/v1/broadcasts", {"title": "Hello", "store": True, "broadcast_id": "b"})
    day.settle()
    for how in ("", "/b"):
        functions.http("alice", "GET", f"/v1/broadcasts{how}")
    for how in ("pause", "resume", "cancel"):
        functions.http("alice", "POST", "/v1/broadcasts", {"title": "Hello", "broadcast_id": how})
        functions.http("alice", "POST", f"/v1/broadcasts/{how}/{'cancel' if how == 'cancel' else 'pause'}")
    functions.http("alice", "POST", "/v1/broadcasts/resume/resume")
    day.settle()


def events_out(day: Day) -> None:
    """A webhook of conversations that were there before; an event that it refuses too often; and all of it again."""
    functions, receiver = day.functions, day.functions.receiver
    place = functions.http("alice", "POST", "/v1/conversations", {"type": "private", "with": "bob"})["id"]
    messages = f"/v1/conversations/{place}/messages"
    functions.http("alice", "PUT", "/v1/webhooks/crm", {"url": "https://crm.example.com/in"})
    first = functions.http("alice", "POST", messages, {"content": "told"})["seq"]
    day.settle()
    functions.http("alice", "POST", "/v1/webhooks/crm/test")
    functions.http("alice", "POST", "/v1/webhooks/crm/replay", {"conversation_id": place, "seq": first})
    functions.http("alice", "POST", "/v1/webhooks/crm/replay", {"since": 1})
    day.settle()
    assert f"{place}/{first}" in receiver.ids
    stores = functions.events.stores
    told = stores.cursors.get("crm", place)
    stores.cursors.rewind(replace(told, tries=MAX_TRIES - 1, failing_since=1))
    receiver.answer = down()
    functions.http("alice", "POST", messages, {"content": "refused too often"})
    day.settle()
    functions.http("alice", "DELETE", "/v1/webhooks/crm")
    day.settle()
    assert stores.cursors.get("crm", place) is None


def by_http(day: Day) -> None:
    """What has a frame, too."""
    functions = day.functions
    place = functions.http("alice", "POST", "/v1/conversations", {"type": "private", "with": "bob"})["id"]
    said = functions.http("alice", "POST", f"/v1/conversations/{place}/messages", {"content": "by HTTP"})
    message = f"/v1/conversations/{place}/messages/{said['seq']}"
    functions.http("alice", "GET", message)
    functions.http("alice", "PATCH", message, {"content": "better"})
    functions.http("alice", "PUT", f"{message}/reactions/x")
    functions.http("alice", "DELETE", f"{message}/reactions/x")
    functions.http("alice", "DELETE", message)
    functions.http("alice", "GET", f"/v1/conversations/{place}/messages")
    functions.http("alice", "POST", f"/v1/conversations/{place}/read", {"seq": 1})
    functions.http("alice", "PATCH", f"/v1/conversations/{place}/settings", {"pinned": True})
    functions.http("alice", "GET", "/v1/conversations")
    functions.http("alice", "GET", f"/v1/conversations/{place}")
    functions.http("bob", "GET", "/v1/reminders")
    for notice in functions.http("bob", "GET", "/v1/notifications")["notifications"]:
        functions.http("bob", "DELETE", f"/v1/notifications/{notice['id']}")


def rights(day: Day) -> None:
    """Of somebody who has left a bit of everything: imported, exported, on hold for a while, and erased."""
    functions = day.functions
    line = {"type": "message", "id": "m1", "conversation_id": "dm:alice:old", "sender_id": "old", "content": "hi"}
    functions.http("alice", "POST", "/v1/imports", {"lines": [{**line, "created_at": 1}]})
    functions.http("old", "PUT", "/v1/me", {"display_name": "Old"})
    announced = {"name": "cat.png", "content_type": "image/png", "size": 5}
    for is_lost in (False, True):
        ready = functions.http("old", "POST", "/v1/files", announced)
        assert day.cloud.upload(ready["upload"], b"bytes") == 204
        functions.check(created(ready["file_id"]))
        if is_lost:
            del day.cloud.objects[f"files/{ready['file_id']}"]
    functions.http("old", "POST", "/v1/me/export")
    functions.http("alice", "POST", "/v1/users/old/export")
    day.settle()
    assert functions.http("old", "GET", "/v1/me/export")["status"] == "done"
    for one in functions.http("alice", "GET", "/v1/users/old/export")["objects"]:
        assert day.cloud.fetch(one["url"]) == 200
    functions.http("alice", "PUT", "/v1/users/old/hold", {})
    functions.http("alice", "GET", "/v1/users/old/hold")
    functions.http("alice", "DELETE", "/v1/users/old/hold")
    functions.http("alice", "POST", "/v1/users/old/erasure")
    day.settle()
    assert functions.http("alice", "GET", "/v1/users/old/erasure")["status"] == "done"
