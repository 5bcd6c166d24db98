"""Every operation with every answer of its own: what is asked of settled people, and what comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from shared.adapters.dynamodb.schema import seat_key
from shared.domain.bans import FOREVER, Ban
from shared.domain.broadcasts import SEGMENTS, Segment
from shared.domain.changes import Removed, Updated
from shared.domain.channels import MAX_WRITERS
from shared.domain.connections import MAX_CHANNELS
from shared.domain.devices import FCM, PushTarget
from shared.domain.files import PENDING
from shared.domain.holds import Hold
from shared.domain.jobs import DONE, ERASURE, EXPORT, OWN_EXPORT, REMOVAL, Job
from shared.domain.joining import Invite, invite_id_of
from shared.domain.reports import report_id
from shared.domain.screening import named
from shared.domain.shadows import ShadowBan
from shared.domain.text import named_channel_id
from shared.domain.webhooks import MAX_WEBHOOKS, Webhook, secret_of
from shared.domain.words import MAX_LISTS, Action, WordList
from shared.operations.broadcasts import MAX_AT_ONCE
from shared.operations.contacts import MAX_BLOCKS, MAX_CONTACTS
from shared.operations.joining import MAX_INVITES
from shared.operations.users import put_user
from tests.functions.rest.harness import BLOCKED_DM, DM, GROUP, IMAGE_LIMIT, RestHarness, now, with_a_screen
from tests.stores import MEMBERS
from tests.wiring import parts

V1 = "/v1/conversations"
NEWS = {"type": "channel", "name": "News", "join": "open", "client_conversation_id": "news"}
CHANNEL = named_channel_id("alice", "news")
LINK = "q2Xv0J5b3kRk1m7c9Tz4wYtN"
ACCEPT = {"status": "accepted"}
UNKNOWN = "group:zzzzzzzzzzzzzzzz"
OF_A_MESSAGE = {"conversation_id": DM, "seq": 2, "reason": "spam", "comment": "Every day"}
OF_BOB = {"user_id": "bob", "reason": "harassment"}
REPORT = report_id("alice", "@bob", 0)
DECIDING = f"POST /v1/reports/{REPORT}/decision"
HELD = named(DM, "alice", "held")
REVIEWING = f"POST /v1/held/{HELD}/decision"
RUDE = {"action": "mask", "words": ["scoundrel*"]}
THUMB = "%F0%9F%91%8D"


@dataclass(frozen=True)
class Case:
    operation: str
    request: str
    status: int
    code: str | None = None
    body: Any = None
    query: dict[str, str] | None = None
    user: str = "alice"
    scope: str = ""
    given: Callable[[RestHarness], object] = lambda _: None

    def ask(self, harness: RestHarness) -> Any:
        self.given(harness)
        method, _, path = self.request.partition(" ")
        return harness.call(method, path, user=self.user, scope=self.scope, body=self.body, query=self.query)


def connected(harness: RestHarness) -> None:
    harness.stores.connect("bob", "b1", at=harness.wired.context.now())


def listed(harness: RestHarness) -> None:
    put_user("bob", {"name": "Bob"}, **parts(harness.stores, harness.wired.context.now()))


def pushing_to_browsers(harness: RestHarness) -> None:
    object.__setattr__(harness.wired, "web_push_key", BROWSER["keys"]["p256dh"])


def banned(harness: RestHarness) -> None:
    harness.stores.sessions.ban("bob", Ban(FOREVER, "spam", 1, "root"))


def reported_bob(harness: RestHarness) -> None:
    assert harness.call("POST", "/v1/reports", body=OF_BOB).status == 201


def dismissed(harness: RestHarness) -> None:
    reported_bob(harness)
    path = f"/v1/reports/{REPORT}/decision"
    assert harness.call("POST", path, scope="moderation", body={"decision": "dismiss"}).status == 200


HISTORY = {
    "lines": [
        {"type": "group", "id": "team", "name": "Team", "creator": "alice", "members": ["bob"], "created_at": 1},
        {"type": "message", "id": "m1", "group": "team", "sender_id": "bob", "content": "hi", "created_at": 2},
    ]
}


def erased(harness: RestHarness) -> None:
    left = {"place": 2, "undone": 1}
    assert harness.stores.jobs.begin(Job(ERASURE, "bob", "j1", "root", 1, now(), status=DONE, left=left))


def on_hold(harness: RestHarness) -> None:
    harness.stores.holds.put(Hold("bob", "a trial", 1, "root"))


def conversation_on_hold(harness: RestHarness) -> None:
    harness.stores.holds.put(Hold(GROUP, "a trial", 1, "root"))


def exported(harness: RestHarness) -> None:
    assert harness.stores.jobs.begin(Job(EXPORT, "bob", "j1", "root", 1, now(), status=DONE))
    harness.archive.put("j1", "part-000000.ndjson", b"{}")


def exported_own(harness: RestHarness) -> None:
    assert harness.stores.jobs.begin(Job(OWN_EXPORT, "alice", "j2", "alice", now(), now(), status=DONE))
    harness.archive.put("j2", "part-000000.ndjson", b"{}")


def deactivated(harness: RestHarness) -> None:
    assert harness.call("PUT", "/v1/users/alice", scope="admin", body={"deactivated": True}).status == 201


def screened(harness: RestHarness) -> None:
    """Messages are looked at, by a list for each action."""
    actions: tuple[Action, ...] = ("block", "hold", "mask")
    for name, action in zip(("blocked", "held", "masked"), actions, strict=True):
        harness.stores.word_lists.put(WordList(name, action, (action,), now()))
    with_a_screen(harness)


def held(harness: RestHarness) -> None:
    screened(harness)
    body = {"content": "hold", "client_message_id": "held"}
    assert harness.call("POST", f"{V1}/{DM}/messages", body=body).body["held_id"] == HELD


def approved(harness: RestHarness) -> None:
    held(harness)
    body = {"decision": "approve"}
    assert harness.call("POST", f"/v1/held/{HELD}/decision", scope="moderation", body=body).status == 200


def removing(harness: RestHarness) -> None:
    assert harness.stores.jobs.begin(Job(REMOVAL, "bob", "j1", "root", 1, now()))


def shadows(harness: RestHarness) -> None:
    with_a_screen(harness)


def shadow_banned(harness: RestHarness) -> None:
    harness.stores.shadow_bans.put(ShadowBan("bob", now(), "root", "spam"))
    with_a_screen(harness)


def full_of_lists(harness: RestHarness) -> None:
    for number in range(MAX_LISTS):
        harness.stores.word_lists.put(WordList(f"l{number}", "mask", ("x",), now()))


HOOK: dict[str, Any] = {"url": "https://crm.example.com/in", "events": ["new_message"]}


def hooked(harness: RestHarness, *names: str) -> None:
    for name in names or ("crm",):
        assert harness.stores.webhooks.make(
            Webhook(name, HOOK["url"], now(), (secret_of(bytes(32)),), ("new_message",))
        )


def full_of_webhooks(harness: RestHarness) -> None:
    hooked(harness, *(f"h{number}" for number in range(MAX_WEBHOOKS)))


def without_webhooks(harness: RestHarness) -> None:
    harness.rewire(outlet=None)


def full_of_reactions(harness: RestHarness) -> None:
    message = harness.stores.entries(DM)[0]
    reactions = frozenset(("x", f"u{number}") for number in range(2_000))
    harness.stores.overwrite(replace(message, reactions=reactions))


def is_open(harness: RestHarness) -> None:
    assert harness.call("PATCH", f"{V1}/{GROUP}", body={"join": "open"}).status == 200


def full(harness: RestHarness) -> None:
    object.__setattr__(harness.wired.context.limits, "group_limit", 3)


def is_open_and_full(harness: RestHarness) -> None:
    is_open(harness)
    full(harness)


def takes_requests(harness: RestHarness) -> None:
    assert harness.call("PATCH", f"{V1}/{GROUP}", body={"join": "request"}).status == 200


def dave_asks(harness: RestHarness) -> None:
    takes_requests(harness)
    assert harness.call("PUT", f"{V1}/{GROUP}/members/dave", user="dave").status == 202


def dave_asks_the_full(harness: RestHarness) -> None:
    dave_asks(harness)
    full(harness)


def has_an_invite(harness: RestHarness) -> None:
    harness.stores.joins.add_invite(Invite(invite_id_of(LINK), GROUP, "alice", now(), None, 1))


def invited_but_full(harness: RestHarness) -> None:
    has_an_invite(harness)
    full(harness)


def invited_by_nobody(harness: RestHarness) -> None:
    """All have left the group, though its item does not say so yet."""
    has_an_invite(harness)
    harness.stores.change(Removed(("alice", "bob", "carol"), size=1), place=GROUP, by="alice")


def full_of_invites(harness: RestHarness) -> None:
    for number in range(MAX_INVITES):
        harness.stores.joins.add_invite(Invite(f"i{number}", GROUP, "alice", now(), None, 1))


def full_of_pins(harness: RestHarness) -> None:
    harness.stores.write("bob", *("x" * 60))
    for seq in range(3, 53):
        harness.stores.change(Updated.of_pin(seq, removed=False), by="bob")


def full_of_contacts(harness: RestHarness) -> None:
    for number in range(MAX_CONTACTS):
        harness.stores.know("alice", f"u{number}")


def full_of_blocks(harness: RestHarness) -> None:
    for number in range(MAX_BLOCKS):
        harness.stores.blocks.put("alice", f"u{number}", now=1)


def with_a_small_quota(harness: RestHarness) -> None:
    limits = harness.wired.context.limits
    object.__setattr__(limits, "sizes", replace(limits.sizes, quota=IMAGE_LIMIT - 1))


def asked_by_bob(harness: RestHarness) -> None:
    harness.call("POST", "/v1/contacts", user="bob", body={"user_id": "alice"})


def asked_bob(harness: RestHarness) -> None:
    harness.call("POST", "/v1/contacts", body={"user_id": "bob"})


def far_behind(harness: RestHarness) -> None:
    harness.stores.write("bob", *("x" * 1_003))


def alice_left_her_named_group(harness: RestHarness) -> None:
    made = harness.call("POST", V1, body={**NAMED, "members": ["bob"]})
    harness.call("PATCH", f"{V1}/{made.body['id']}/members/bob", body={"role": "owner"})
    harness.call("DELETE", f"{V1}/{made.body['id']}")


def has_a_channel(harness: RestHarness) -> None:
    """Alice's, which bob reads."""
    assert harness.call("POST", V1, body=NEWS).status == 201
    assert harness.call("PUT", f"{V1}/{CHANNEL}/members/bob", user="bob").status == 201


def has_a_closed_channel(harness: RestHarness) -> None:
    assert harness.call("POST", V1, body={**NEWS, "join": "closed"}).status == 201


def has_written_there(harness: RestHarness) -> None:
    has_a_channel(harness)
    assert harness.call("POST", f"{V1}/{CHANNEL}/messages", body={"content": "hi"}).status == 201


def in_too_many_channels(harness: RestHarness) -> None:
    has_a_channel(harness)
    for number in range(MAX_CHANNELS):
        harness.stores.sessions.list_in("carol", f"channel:{number:016}", now=now())


def full_of_writers(harness: RestHarness) -> None:
    has_a_channel(harness)
    for number in range(MAX_WRITERS - 1):
        harness.stores.edit(MEMBERS, seat_key(CHANNEL, f"w{number}"), user_id=f"w{number}", role="admin", joined_at=1)


def full_of_readers(harness: RestHarness) -> None:
    has_a_channel(harness)
    object.__setattr__(harness.wired.context.limits, "channel_members", 2)


def sent_before(harness: RestHarness) -> None:
    harness.call("POST", f"{V1}/{DM}/messages", body={"content": "once", "client_message_id": "k"})


def two_owners(harness: RestHarness) -> None:
    harness.call("PATCH", f"{V1}/{GROUP}/members/bob", body={"role": "owner"})


def has_a_cat(harness: RestHarness) -> None:
    harness.stores.ready_file("cat")


def has_sent_a_cat(harness: RestHarness) -> None:
    has_a_cat(harness)
    harness.call("POST", f"{V1}/{DM}/messages", body=CAT_MESSAGE)


def has_announced_a_cat(harness: RestHarness) -> None:
    file = harness.stores.ready_file("cat")
    harness.stores.files.create(replace(file, status=PENDING))


CAT = {"name": "cat.png", "content_type": "image/png", "size": IMAGE_LIMIT}
CAT_MESSAGE = {"message_type": "image", "file_id": "cat"}


def of_bob(harness: RestHarness) -> None:
    harness.stores.device("bob", "tablet", PushTarget(FCM, "token"))


def told_before(harness: RestHarness) -> None:
    harness.call("POST", "/v1/notifications", scope=SENDING, body=NOTIFICATION)


def broadcast_before(harness: RestHarness) -> None:
    harness.call("POST", "/v1/broadcasts", scope=TELLING, body=BROADCAST)


def paused_before(harness: RestHarness) -> None:
    broadcast_before(harness)
    harness.call("POST", "/v1/broadcasts/b1/pause", scope=TELLING)


def cancelled_before(harness: RestHarness) -> None:
    broadcast_before(harness)
    harness.call("POST", "/v1/broadcasts/b1/cancel", scope=TELLING)


def busy_with_broadcasts(harness: RestHarness) -> None:
    for number in range(2, MAX_AT_ONCE + 2):
        harness.call("POST", "/v1/broadcasts", scope=TELLING, body={"title": "x", "broadcast_id": f"b{number}"})


def done_before(harness: RestHarness) -> None:
    broadcast_before(harness)
    for number in range(SEGMENTS):
        harness.stores.broadcasts.advance("b1", number, Segment(1, is_done=True), now=1)


def reminded_before(harness: RestHarness) -> None:
    harness.call("POST", REMINDERS, body=LATER)


def full_of_reminders(harness: RestHarness) -> None:
    for wait_ms in (1, 2):
        harness.call("POST", REMINDERS, body={"at": LATER["at"] + wait_ms})


REMINDERS = f"{V1}/{DM}/messages/1/reminders"
LATER = {"at": now() + 86_400_000}  # an hour would be over in a long run
APPLE = {"platform": "apns", "token": "c0ffee" * 10, "app_id": "org.example.app"}
BROWSER: dict[str, Any] = {
    "platform": "web",
    "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/gAAAAABl",
    "keys": {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    },
}
SENDING = "notifications:send"
NOTIFICATION = {"users": ["alice", "bob"], "title": "Maintenance", "notification_id": "n1"}
TELLING = "broadcasts:send"
BROADCAST = {"title": "Maintenance", "body": "Back at 6:00.", "broadcast_id": "b1"}
NAMED = {"type": "group", "name": "Named", "client_conversation_id": "k"}
MANY = [f"u{number}" for number in range(10)]
QUIET = {"start": "22:00", "end": "07:00", "time_zone": "Europe/Berlin"}

CASES = [
    Case("get_health", "GET /v1/health", 200),
    Case("get_openapi", "GET /v1/openapi.json", 200),
    Case("post_ticket", "POST /v1/tickets", 200),
    Case("get_me", "GET /v1/me", 200),
    Case("put_me", "PUT /v1/me", 200, body={"display_name": "Alice", "push": {"quiet_hours": QUIET}}),
    Case("put_me", "PUT /v1/me", 400, "bad_request", body={"display_name": " "}),
    # --- conversations
    Case("post_conversation", f"POST {V1}", 201, body={"type": "private", "with": "frank"}),
    Case("post_conversation", f"POST {V1}", 200, body={"type": "private", "with": "bob"}),
    Case("post_conversation", f"POST {V1}", 201, body={"type": "group", "name": "New", "members": ["bob"]}),
    Case(
        "post_conversation", f"POST {V1}", 200, body=NAMED, given=lambda harness: harness.call("POST", V1, body=NAMED)
    ),
    Case("post_conversation", f"POST {V1}", 200, body={"type": "private", "with": "dave"}),
    Case("post_conversation", f"POST {V1}", 201, body={"type": "group", "name": "x", "members": ["dave"]}),
    Case("post_conversation", f"POST {V1}", 404, "not_a_member", body=NAMED, given=alice_left_her_named_group),
    Case("post_conversation", f"POST {V1}", 409, "conflict", body={"type": "group", "name": "x", "members": MANY}),
    Case("post_conversation", f"POST {V1}", 400, "bad_request", body={"type": "group", "name": " "}),
    Case("post_conversation", f"POST {V1}", 413, "too_large", body={"type": "group", "name": "x" * 101}),
    Case("post_conversation", f"POST {V1}", 201, body={"type": "channel", "name": "News"}),
    Case("post_conversation", f"POST {V1}", 200, body=NEWS, given=has_a_channel),
    Case("post_conversation", f"POST {V1}", 400, "bad_request", body={"type": "channel", "name": "x", "join": "maybe"}),
    Case("post_conversation", f"POST {V1}", 400, "bad_request", body={"type": "channel", "name": "x", "join": None}),
    Case("post_conversation", f"POST {V1}", 400, "bad_request", body={"type": "channel"}),
    Case("post_conversation", f"POST {V1}", 413, "too_large", body={"type": "channel", "name": "x" * 101}),
    Case("post_conversation", f"POST {V1}", 400, "bad_request", body={"type": "tunnel", "name": "x"}),
    Case("get_conversations", f"GET {V1}", 200),
    Case("get_conversations", f"GET {V1}", 200, query={"limit": "1"}),
    Case("get_conversations", f"GET {V1}", 200, query={"versions": "true"}),
    Case("get_conversations", f"GET {V1}", 400, "bad_request", query={"versions": "1"}),
    Case("get_conversation", f"GET {V1}/{DM}", 200, query={"versions": "true"}),
    Case("get_members", f"GET {V1}/{GROUP}/members", 200, query={"versions": "true"}),
    Case("get_members", f"GET {V1}/{CHANNEL}/members", 200, query={"versions": "true"}, given=has_a_channel),
    Case("get_conversations", f"GET {V1}", 400, "bad_request", query={"cursor": "nonsense"}),
    Case("get_conversation", f"GET {V1}/{DM}", 200),
    Case("get_conversation", f"GET {V1}/{GROUP}", 200),
    Case("get_conversation", f"GET {V1}/{CHANNEL}", 200, user="bob", given=has_a_channel),
    Case("get_conversation", f"GET {V1}/{CHANNEL}", 404, "not_a_member", user="carol", given=has_a_channel),
    Case("patch_conversation", f"PATCH {V1}/{CHANNEL}", 200, body={"name": "Olds"}, given=has_a_channel),
    Case(
        "patch_conversation",
        f"PATCH {V1}/{CHANNEL}",
        403,
        "forbidden",
        body={"name": "Olds"},
        user="bob",
        given=has_a_channel,
    ),
    Case("delete_conversation", f"DELETE {V1}/{CHANNEL}", 204, user="bob", given=has_a_channel),
    Case("delete_conversation", f"DELETE {V1}/{CHANNEL}", 404, "not_a_member", user="carol", given=has_a_channel),
    Case("get_conversation", f"GET {V1}/{UNKNOWN}", 404, "not_a_member"),
    Case("get_conversation", f"GET {V1}/{'x' * 301}", 400, "bad_request"),
    Case("patch_conversation", f"PATCH {V1}/{GROUP}", 200, body={"name": "Team A"}),
    Case("patch_conversation", f"PATCH {V1}/{DM}", 400, "bad_request", body={"name": "Us"}),
    Case("patch_conversation", f"PATCH {V1}/{GROUP}", 200, body={"topic": None, "avatar": "https://x/y", "data": {}}),
    Case("patch_conversation", f"PATCH {V1}/{GROUP}", 400, "bad_request", body={"topic": " "}),
    Case("patch_conversation", f"PATCH {V1}/{GROUP}", 413, "too_large", body={"data": {"a": "x" * 4_096}}),
    Case("patch_conversation", f"PATCH {V1}/{DM}", 200, body={"data": {"deal": 7}}),
    Case("patch_conversation", f"PATCH {V1}/{BLOCKED_DM}", 403, "blocked", body={"data": {"deal": 7}}),
    Case("patch_conversation", f"PATCH {V1}/{GROUP}", 403, "forbidden", body={"name": "Mine"}, user="carol"),
    Case("patch_conversation", f"PATCH {V1}/{UNKNOWN}", 404, "not_a_member", body={"name": "x"}),
    Case("delete_conversation", f"DELETE {V1}/{DM}", 204),
    Case("delete_conversation", f"DELETE {V1}/{GROUP}", 204, user="bob"),
    Case("delete_conversation", f"DELETE {V1}/{GROUP}", 403, "forbidden"),
    Case("delete_conversation", f"DELETE {V1}/{UNKNOWN}", 404, "not_a_member"),
    Case("delete_conversation", f"DELETE {V1}/%FF", 400, "bad_request"),
    Case("patch_settings", f"PATCH {V1}/{DM}/settings", 200, body={"muted_until": 5, "notify": "none"}),
    Case("patch_settings", f"PATCH {V1}/{DM}/settings", 400, "bad_request", body={"notify": "loud"}),
    Case("patch_settings", f"PATCH {V1}/{UNKNOWN}/settings", 404, "not_a_member", body={"pinned": True}),
    # --- members
    Case("get_members", f"GET {V1}/{GROUP}/members", 200),
    Case("get_members", f"GET {V1}/{DM}/members", 200),
    Case("get_members", f"GET {V1}/{UNKNOWN}/members", 404, "not_a_member"),
    Case("get_members", f"GET {V1}/{'x' * 301}/members", 400, "bad_request"),
    Case("post_members", f"POST {V1}/{GROUP}/members", 200, body={"users": ["frank", "bob"]}),
    Case("post_members", f"POST {V1}/{DM}/members", 400, "bad_request", body={"users": ["frank"]}),
    Case("post_members", f"POST {V1}/{GROUP}/members", 403, "forbidden", body={"users": ["frank"]}, user="carol"),
    Case("post_members", f"POST {V1}/{GROUP}/members", 200, body={"users": ["dave"]}),
    Case("post_members", f"POST {V1}/{GROUP}/members", 409, "conflict", body={"users": MANY}),
    Case("post_members", f"POST {V1}/{UNKNOWN}/members", 404, "not_a_member", body={"users": ["frank"]}),
    Case("patch_member", f"PATCH {V1}/{GROUP}/members/bob", 200, body={"role": "owner"}),
    Case("patch_member", f"PATCH {V1}/{GROUP}/members/bob", 400, "bad_request", body={"role": "king"}),
    Case("patch_member", f"PATCH {V1}/{GROUP}/members/carol", 403, "forbidden", body={"role": "admin"}, user="bob"),
    Case("patch_member", f"PATCH {V1}/{GROUP}/members/carol", 200, body={"data": {"shift": "late"}}, user="bob"),
    Case("patch_member", f"PATCH {V1}/{GROUP}/members/bob", 403, "forbidden", body={"data": {}}, user="carol"),
    Case("patch_member", f"PATCH {V1}/{DM}/members/alice", 200, body={"data": {"shift": "late"}}),
    Case("patch_member", f"PATCH {V1}/{BLOCKED_DM}/members/alice", 403, "blocked", body={"data": {}}),
    Case("patch_member", f"PATCH {V1}/{GROUP}/members/alice", 403, "forbidden", body={"role": "member"}),
    Case("patch_member", f"PATCH {V1}/{GROUP}/members/erin", 404, "not_found", body={"role": "admin"}),
    Case("patch_member", f"PATCH {V1}/{UNKNOWN}/members/bob", 404, "not_a_member", body={"role": "admin"}),
    Case("delete_member", f"DELETE {V1}/{GROUP}/members/carol", 204, user="bob"),
    Case("delete_member", f"DELETE {V1}/{GROUP}/members/alice", 204, given=two_owners),
    Case("delete_member", f"DELETE {V1}/{GROUP}/members/alice", 403, "forbidden"),
    Case("delete_member", f"DELETE {V1}/{GROUP}/members/bob", 403, "forbidden", user="carol"),
    Case("delete_member", f"DELETE {V1}/{GROUP}/members/erin", 404, "not_found"),
    Case("delete_member", f"DELETE {V1}/{UNKNOWN}/members/bob", 404, "not_a_member"),
    Case("delete_member", f"DELETE {V1}/{DM}/members/bob", 400, "bad_request"),
    Case("get_members", f"GET {V1}/{CHANNEL}/members", 200, given=has_a_channel),
    Case("get_members", f"GET {V1}/{CHANNEL}/members", 200, query={"limit": "1"}, given=has_a_channel),
    Case("get_members", f"GET {V1}/{CHANNEL}/members", 400, "bad_request", query={"cursor": "x"}, given=has_a_channel),
    Case("get_members", f"GET {V1}/{CHANNEL}/members", 400, "bad_request", query={"limit": "0"}, given=has_a_channel),
    Case("get_members", f"GET {V1}/{CHANNEL}/members", 403, "forbidden", user="bob", given=has_a_channel),
    Case("put_member", f"PUT {V1}/{CHANNEL}/members/carol", 201, user="carol", given=has_a_channel),
    Case("put_member", f"PUT {V1}/{CHANNEL}/members/bob", 200, user="bob", given=has_a_channel),
    Case("put_member", f"PUT {V1}/{CHANNEL}/members/carol", 403, "forbidden", given=has_a_channel),
    Case("put_member", f"PUT {V1}/{CHANNEL}/members/carol", 404, "not_a_member", user="carol"),
    Case("put_member", f"PUT {V1}/{CHANNEL}/members/bob", 404, "not_a_member", user="bob", given=has_a_closed_channel),
    Case("put_member", f"PUT {V1}/{GROUP}/members/bob", 200, user="bob"),
    Case("put_member", f"PUT {V1}/{GROUP}/members/dave", 404, "not_a_member", user="dave"),
    Case("put_member", f"PUT {V1}/{DM}/members/alice", 400, "bad_request"),
    Case("put_member", f"PUT {V1}/{CHANNEL}/members/carol", 409, "conflict", user="carol", given=in_too_many_channels),
    Case("post_members", f"POST {V1}/{CHANNEL}/members", 200, body={"users": ["carol", "bob"]}, given=has_a_channel),
    Case(
        "post_members",
        f"POST {V1}/{CHANNEL}/members",
        409,
        "conflict",
        body={"users": ["carol"]},
        given=full_of_readers,
    ),
    Case(
        "post_members",
        f"POST {V1}/{CHANNEL}/members",
        403,
        "forbidden",
        body={"users": ["carol"]},
        user="bob",
        given=has_a_channel,
    ),
    Case("patch_member", f"PATCH {V1}/{CHANNEL}/members/bob", 200, body={"role": "admin"}, given=has_a_channel),
    Case(
        "patch_member",
        f"PATCH {V1}/{CHANNEL}/members/bob",
        409,
        "conflict",
        body={"role": "admin"},
        given=full_of_writers,
    ),
    Case(
        "patch_member",
        f"PATCH {V1}/{CHANNEL}/members/carol",
        404,
        "not_found",
        body={"role": "admin"},
        given=has_a_channel,
    ),
    Case("delete_member", f"DELETE {V1}/{CHANNEL}/members/bob", 204, given=has_a_channel),
    Case("delete_member", f"DELETE {V1}/{CHANNEL}/members/carol", 404, "not_found", given=has_a_channel),
    Case("delete_member", f"DELETE {V1}/{CHANNEL}/members/alice", 403, "forbidden", user="bob", given=has_a_channel),
    # --- ways into a group
    Case("put_member", f"PUT {V1}/{GROUP}/members/dave", 201, user="dave", given=is_open),
    Case("put_member", f"PUT {V1}/{GROUP}/members/dave", 202, user="dave", given=takes_requests),
    Case("put_member", f"PUT {V1}/{GROUP}/members/dave", 409, "conflict", user="dave", given=is_open_and_full),
    Case("get_requests", f"GET {V1}/{GROUP}/requests", 200, given=dave_asks),
    Case("get_requests", f"GET {V1}/{GROUP}/requests", 403, "forbidden", user="carol"),
    Case("get_requests", f"GET {V1}/{UNKNOWN}/requests", 404, "not_a_member"),
    Case("get_requests", f"GET {V1}/{DM}/requests", 400, "bad_request"),
    Case("get_requests", f"GET {V1}/{CHANNEL}/requests", 400, "bad_request", given=has_a_channel),
    Case("patch_request", f"PATCH {V1}/{GROUP}/requests/dave", 200, body={"status": "accepted"}, given=dave_asks),
    Case("patch_request", f"PATCH {V1}/{GROUP}/requests/dave", 200, body={"status": "declined"}, given=dave_asks),
    Case("patch_request", f"PATCH {V1}/{GROUP}/requests/dave", 400, "bad_request", body={"status": "requested"}),
    Case("patch_request", f"PATCH {V1}/{GROUP}/requests/dave", 404, "not_found", body={"status": "accepted"}),
    Case("patch_request", f"PATCH {V1}/{GROUP}/requests/dave", 403, "forbidden", body=ACCEPT, user="carol"),
    Case("patch_request", f"PATCH {V1}/{UNKNOWN}/requests/dave", 404, "not_a_member", body=ACCEPT),
    Case("patch_request", f"PATCH {V1}/{GROUP}/requests/dave", 409, "conflict", body=ACCEPT, given=dave_asks_the_full),
    Case("delete_request", f"DELETE {V1}/{GROUP}/requests/dave", 204, user="dave", given=dave_asks),
    Case("delete_request", f"DELETE {V1}/{GROUP}/requests/dave", 204, user="bob", given=dave_asks),
    Case("delete_request", f"DELETE {V1}/{GROUP}/requests/dave", 404, "not_found", user="dave"),
    Case("delete_request", f"DELETE {V1}/{GROUP}/requests/dave", 403, "forbidden", user="carol", given=dave_asks),
    Case("delete_request", f"DELETE {V1}/{UNKNOWN}/requests/dave", 404, "not_a_member"),
    Case("delete_request", f"DELETE {V1}/{GROUP}/requests/d:e", 400, "bad_request"),
    Case("get_own_requests", "GET /v1/requests", 200, user="dave", given=dave_asks),
    Case("post_invite", f"POST {V1}/{GROUP}/invites", 201, body={"max_uses": 3}),
    Case("post_invite", f"POST {V1}/{GROUP}/invites", 201, body={"expires_at": None}, user="bob"),
    Case("post_invite", f"POST {V1}/{GROUP}/invites", 400, "bad_request", body={"expires_at": 5}),
    Case("post_invite", f"POST {V1}/{GROUP}/invites", 400, "bad_request", body={"max_uses": 0}),
    Case("post_invite", f"POST {V1}/{GROUP}/invites", 403, "forbidden", body={}, user="carol"),
    Case("post_invite", f"POST {V1}/{UNKNOWN}/invites", 404, "not_a_member", body={}),
    Case("post_invite", f"POST {V1}/{GROUP}/invites", 409, "conflict", body={}, given=full_of_invites),
    Case("get_invites", f"GET {V1}/{GROUP}/invites", 200, given=has_an_invite),
    Case("get_invites", f"GET {V1}/{GROUP}/invites", 403, "forbidden", user="carol"),
    Case("get_invites", f"GET {V1}/{UNKNOWN}/invites", 404, "not_a_member"),
    Case("get_invites", f"GET {V1}/{DM}/invites", 400, "bad_request"),
    Case("delete_invite", f"DELETE {V1}/{GROUP}/invites/x", 204),
    Case("delete_invite", f"DELETE {V1}/{GROUP}/invites/x.y", 400, "bad_request"),
    Case("delete_invite", f"DELETE {V1}/{GROUP}/invites/x", 403, "forbidden", user="carol"),
    Case("delete_invite", f"DELETE {V1}/{UNKNOWN}/invites/x", 404, "not_a_member"),
    Case("get_invite", f"GET /v1/invites/{LINK}", 200, user="dave", given=has_an_invite),
    Case("get_invite", f"GET /v1/invites/{LINK}", 404, "not_found", user="dave"),
    Case("get_invite", "GET /v1/invites/a.b", 400, "bad_request", user="dave"),
    Case("post_invite_use", f"POST /v1/invites/{LINK}", 201, user="dave", given=has_an_invite),
    Case("post_invite_use", f"POST /v1/invites/{LINK}", 200, user="bob", given=has_an_invite),
    Case("post_invite_use", f"POST /v1/invites/{LINK}", 404, "not_found", user="dave"),
    Case("post_invite_use", f"POST /v1/invites/{LINK}", 404, "not_a_member", user="dave", given=invited_by_nobody),
    Case("post_invite_use", f"POST /v1/invites/{LINK}", 409, "conflict", user="dave", given=invited_but_full),
    Case("post_invite_use", f"POST /v1/invites/{'x' * 129}", 400, "bad_request", user="dave"),
    # --- pins
    Case("get_pins", f"GET {V1}/{GROUP}/pins", 200),
    Case("get_pins", f"GET {V1}/{UNKNOWN}/pins", 404, "not_a_member"),
    Case("get_pins", f"GET {V1}/{'x' * 301}/pins", 400, "bad_request"),
    Case("put_pin", f"PUT {V1}/{GROUP}/pins/2", 200),
    Case("put_pin", f"PUT {V1}/{DM}/pins/1", 200),
    Case("put_pin", f"PUT {V1}/{DM}/pins/x", 400, "bad_request"),
    Case("put_pin", f"PUT {V1}/{BLOCKED_DM}/pins/1", 403, "blocked"),
    Case("put_pin", f"PUT {V1}/{GROUP}/pins/2", 403, "forbidden", user="carol"),
    Case("put_pin", f"PUT {V1}/{GROUP}/pins/1", 404, "not_found"),
    Case("put_pin", f"PUT {V1}/{UNKNOWN}/pins/1", 404, "not_a_member"),
    Case("put_pin", f"PUT {V1}/{DM}/pins/60", 409, "conflict", given=full_of_pins),
    Case("delete_pin", f"DELETE {V1}/{GROUP}/pins/2", 200),
    Case("delete_pin", f"DELETE {V1}/{DM}/pins/0", 400, "bad_request"),
    Case("delete_pin", f"DELETE {V1}/{BLOCKED_DM}/pins/1", 403, "blocked"),
    Case("delete_pin", f"DELETE {V1}/{GROUP}/pins/2", 403, "forbidden", user="carol"),
    Case("delete_pin", f"DELETE {V1}/{DM}/pins/99", 404, "not_found"),
    Case("delete_pin", f"DELETE {V1}/{UNKNOWN}/pins/1", 404, "not_a_member"),
    # --- messages
    Case("post_message", f"POST {V1}/{CHANNEL}/messages", 201, body={"content": "hi"}, given=has_a_channel),
    Case(
        "post_message",
        f"POST {V1}/{CHANNEL}/messages",
        403,
        "forbidden",
        body={"content": "hi"},
        user="bob",
        given=has_a_channel,
    ),
    Case(
        "put_reaction",
        f"PUT {V1}/{CHANNEL}/messages/2/reactions/x",
        403,
        "forbidden",
        user="bob",
        given=has_written_there,
    ),
    Case("get_messages", f"GET {V1}/{DM}/messages", 200),
    Case("get_messages", f"GET {V1}/{GROUP}/messages", 200, query={"after": "0", "limit": "1"}),
    Case("get_messages", f"GET {V1}/{DM}/messages", 400, "bad_request", query={"before": "1", "after": "1"}),
    Case("get_messages", f"GET {V1}/{UNKNOWN}/messages", 404, "not_a_member"),
    Case("post_message", f"POST {V1}/{DM}/messages", 201, body={"content": "hi"}),
    Case(
        "post_message",
        f"POST {V1}/{DM}/messages",
        403,
        "forbidden",
        body={"content": "hi", "message_type": "system"},
    ),
    Case(
        "post_message", f"POST {V1}/{GROUP}/messages", 201, body={"content": "hi", "mentions": ["bob"], "reply_to": 2}
    ),
    Case("post_message", f"POST {V1}/{GROUP}/messages", 201, body={"forward_of": {"conversation_id": DM, "seq": 2}}),
    Case(
        "post_message",
        f"POST {V1}/{DM}/messages",
        200,
        body={"content": "once", "client_message_id": "k"},
        given=sent_before,
    ),
    Case("post_message", f"POST {V1}/{DM}/messages", 400, "bad_request", body={"content": " "}),
    Case("post_message", f"POST {V1}/{BLOCKED_DM}/messages", 403, "blocked", body={"content": "hi"}),
    Case("post_message", f"POST {V1}/{UNKNOWN}/messages", 404, "not_a_member", body={"content": "hi"}),
    Case("post_message", f"POST {V1}/{DM}/messages", 404, "not_found", body={"content": "hi", "reply_to": 9}),
    Case(
        "post_message",
        f"POST {V1}/{DM}/messages",
        409,
        "conflict",
        body={"content": "twice", "client_message_id": "k"},
        given=sent_before,
    ),
    Case(
        "post_message",
        f"POST {V1}/{DM}/messages",
        409,
        "sync_required",
        body={"content": "hi", "client_message_id": "k", "after": 2},
        given=far_behind,
    ),
    Case("post_message", f"POST {V1}/{DM}/messages", 413, "too_large", body={"content": "x" * 5_001}),
    Case("post_read", f"POST {V1}/{DM}/read", 200, body={"seq": 2}),
    Case("post_read", f"POST {V1}/{DM}/read", 400, "bad_request", body={"seq": 9}),
    Case("post_read", f"POST {V1}/{UNKNOWN}/read", 404, "not_a_member", body={"seq": 1}),
    Case("get_message", f"GET {V1}/{DM}/messages/1", 200),
    Case("get_message", f"GET {V1}/{GROUP}/messages/2", 200),
    Case("get_message", f"GET {V1}/{GROUP}/messages/2", 200, user="bob"),
    Case("get_message", f"GET {V1}/{DM}/messages/one", 400, "bad_request"),
    Case("get_message", f"GET {V1}/{DM}/messages/9", 404, "not_found"),
    Case("get_message", f"GET {V1}/{GROUP}/messages/1", 404, "not_found"),
    Case("get_message", f"GET {V1}/{UNKNOWN}/messages/1", 404, "not_a_member"),
    Case("patch_message", f"PATCH {V1}/{DM}/messages/1", 200, body={"content": "uno"}),
    Case("patch_message", f"PATCH {V1}/{DM}/messages/1", 200, body={"content": "one"}),
    Case("patch_message", f"PATCH {V1}/{DM}/messages/1", 400, "bad_request", body={"content": ""}),
    Case("patch_message", f"PATCH {V1}/{DM}/messages/2", 403, "forbidden", body={"content": "due"}),
    Case("patch_message", f"PATCH {V1}/{BLOCKED_DM}/messages/1", 403, "blocked", body={"content": "x"}),
    Case("patch_message", f"PATCH {V1}/{DM}/messages/9", 404, "not_found", body={"content": "x"}),
    Case("patch_message", f"PATCH {V1}/{UNKNOWN}/messages/1", 404, "not_a_member", body={"content": "x"}),
    Case("delete_message", f"DELETE {V1}/{DM}/messages/1", 200),
    Case("delete_message", f"DELETE {V1}/{GROUP}/messages/3", 200),
    Case("delete_message", f"DELETE {V1}/{DM}/messages/0", 400, "bad_request"),
    Case("delete_message", f"DELETE {V1}/{DM}/messages/2", 403, "forbidden"),
    Case("delete_message", f"DELETE {V1}/{DM}/messages/9", 404, "not_found"),
    Case("delete_message", f"DELETE {V1}/{UNKNOWN}/messages/1", 404, "not_a_member"),
    Case("put_reaction", f"PUT {V1}/{DM}/messages/2/reactions/{THUMB}", 200),
    Case("put_reaction", f"PUT {V1}/{DM}/messages/2/reactions/%20", 400, "bad_request"),
    Case("put_reaction", f"PUT {V1}/{BLOCKED_DM}/messages/1/reactions/{THUMB}", 403, "blocked"),
    Case("put_reaction", f"PUT {V1}/{DM}/messages/9/reactions/{THUMB}", 404, "not_found"),
    Case("put_reaction", f"PUT {V1}/{UNKNOWN}/messages/1/reactions/{THUMB}", 404, "not_a_member"),
    Case("put_reaction", f"PUT {V1}/{DM}/messages/1/reactions/{THUMB}", 409, "conflict", given=full_of_reactions),
    Case("delete_reaction", f"DELETE {V1}/{DM}/messages/2/reactions/{THUMB}", 200),
    Case("delete_reaction", f"DELETE {V1}/{GROUP}/messages/2/reactions/{THUMB}", 200, query={"user_id": "carol"}),
    Case(
        *("delete_reaction", f"DELETE {V1}/{DM}/messages/2/reactions/{THUMB}", 403, "forbidden"),
        query={"user_id": "bob"},
    ),
    Case("delete_reaction", f"DELETE {V1}/{DM}/messages/2/reactions/{'x' * 65}", 400, "bad_request"),
    Case(
        *("delete_reaction", f"DELETE {V1}/{GROUP}/messages/2/reactions/{THUMB}", 400, "bad_request"),
        query={"user_id": "c d"},
    ),
    Case("delete_reaction", f"DELETE {V1}/{BLOCKED_DM}/messages/1/reactions/{THUMB}", 403, "blocked"),
    Case("delete_reaction", f"DELETE {V1}/{DM}/messages/9/reactions/{THUMB}", 404, "not_found"),
    Case("delete_reaction", f"DELETE {V1}/{UNKNOWN}/messages/1/reactions/{THUMB}", 404, "not_a_member"),
    Case("post_message", f"POST {V1}/{DM}/messages", 201, body=CAT_MESSAGE, given=has_a_cat),
    Case("post_message", f"POST {V1}/{DM}/messages", 404, "not_found", body=CAT_MESSAGE, given=has_announced_a_cat),
    # --- files
    Case("post_file", "POST /v1/files", 201, body=CAT),
    Case("post_file", "POST /v1/files", 400, "bad_request", body={**CAT, "content_type": "text/html"}),
    Case("post_file", "POST /v1/files", 413, "too_large", body={**CAT, "size": IMAGE_LIMIT + 1}),
    Case("post_file", "POST /v1/files", 409, "conflict", body=CAT, given=with_a_small_quota),
    Case("get_file", "GET /v1/files/cat", 200, given=has_a_cat),
    Case("get_file", "GET /v1/files/cat", 200, given=has_announced_a_cat),
    Case("get_file", "GET /v1/files/cat", 200, given=has_sent_a_cat, user="bob"),
    Case("get_file", "GET /v1/files/cat", 404, "not_found", given=has_sent_a_cat, user="carol"),
    Case("get_file", f"GET /v1/files/{'x' * 129}", 400, "bad_request"),
    # --- reminders
    Case("post_reminder", f"POST {REMINDERS}", 201, body=LATER),
    Case("post_reminder", f"POST {REMINDERS}", 200, body=LATER, given=reminded_before),
    Case("post_reminder", f"POST {REMINDERS}", 400, "bad_request", body={"at": 1}),
    Case("post_reminder", f"POST {V1}/{UNKNOWN}/messages/1/reminders", 404, "not_a_member", body=LATER),
    Case("post_reminder", f"POST {V1}/{GROUP}/messages/4/reminders", 404, "not_found", body=LATER),
    Case("post_reminder", f"POST {REMINDERS}", 409, "conflict", body=LATER, given=full_of_reminders),
    Case("get_reminders", "GET /v1/reminders", 200, given=reminded_before),
    Case("delete_reminder", "DELETE /v1/reminders/5f0c1b7a9d3e4f62a8b1c0d9e7f61234", 204),
    Case("delete_reminder", "DELETE /v1/reminders/r%201", 400, "bad_request"),
    # --- people
    Case("get_contacts", "GET /v1/contacts", 200, given=asked_bob),
    Case("post_contact", "POST /v1/contacts", 201, body={"user_id": "bob"}),
    Case("post_contact", "POST /v1/contacts", 200, body={"user_id": "bob"}, given=asked_by_bob),
    Case("post_contact", "POST /v1/contacts", 400, "bad_request", body={"user_id": "alice"}),
    Case("post_contact", "POST /v1/contacts", 409, "conflict", body={"user_id": "bob"}, given=full_of_contacts),
    Case("patch_contact", "PATCH /v1/contacts/bob", 200, body={"status": "accepted"}, given=asked_by_bob),
    Case("patch_contact", "PATCH /v1/contacts/bob", 400, "bad_request", body={"alias": " "}, given=asked_bob),
    Case("patch_contact", "PATCH /v1/contacts/bob", 404, "not_found", body={"alias": "Bobby"}),
    Case("patch_contact", "PATCH /v1/contacts/bob", 409, "conflict", body={"status": "accepted"}, given=asked_bob),
    Case("delete_contact", "DELETE /v1/contacts/bob", 204, given=asked_bob),
    Case("delete_contact", "DELETE /v1/contacts/b%20b", 400, "bad_request"),
    Case("delete_contact", "DELETE /v1/contacts/bob", 404, "not_found"),
    Case("get_blocks", "GET /v1/blocks", 200, user="dave"),
    Case("put_block", "PUT /v1/blocks/mallory", 204),
    Case("put_block", "PUT /v1/blocks/alice", 400, "bad_request"),
    Case("put_block", "PUT /v1/blocks/mallory", 409, "conflict", given=full_of_blocks),
    Case("delete_block", "DELETE /v1/blocks/mallory", 204),
    Case("delete_block", f"DELETE /v1/blocks/{'x' * 129}", 400, "bad_request"),
    Case("get_presence", "GET /v1/presence", 200, query={"users": "bob,mallory,alice"}, given=connected),
    Case("get_presence", "GET /v1/presence", 400, "bad_request"),
    # --- devices
    Case("get_devices", "GET /v1/devices", 200, user="bob", given=of_bob),
    Case("put_device", "PUT /v1/devices/phone", 200, body=APPLE),
    Case("put_device", "PUT /v1/devices/phone", 200, body={"platform": "fcm", "installation_id": "fid"}),
    Case("put_device", "PUT /v1/devices/browser", 200, body=BROWSER),
    Case("put_device", "PUT /v1/devices/phone", 400, "bad_request", body={"platform": "fcm"}),
    Case(
        "put_device", "PUT /v1/devices/browser", 400, "bad_request", body={**BROWSER, "endpoint": "https://localhost/"}
    ),
    Case("get_web_key", "GET /v1/push/web-key", 200, given=pushing_to_browsers),
    Case("get_web_key", "GET /v1/push/web-key", 404, "not_found"),
    Case("delete_device", "DELETE /v1/devices/tablet", 204, user="bob", given=of_bob),
    Case("delete_device", f"DELETE /v1/devices/{'x' * 65}", 400, "bad_request"),
    # --- notifications
    Case("post_notification", "POST /v1/notifications", 201, body=NOTIFICATION, scope=SENDING),
    Case(
        "post_notification",
        "POST /v1/notifications",
        400,
        "bad_request",
        body={**NOTIFICATION, "users": []},
        scope=SENDING,
    ),
    Case("post_notification", "POST /v1/notifications", 403, "forbidden", body=NOTIFICATION, scope="admin"),
    Case("get_notifications", "GET /v1/notifications", 200, given=told_before),
    Case("delete_notification", "DELETE /v1/notifications/n1", 204, given=told_before),
    Case("delete_notification", "DELETE /v1/notifications/a%23b", 400, "bad_request"),
    # --- broadcasts
    Case("post_broadcast", "POST /v1/broadcasts", 202, body=BROADCAST, scope=TELLING),
    Case("post_broadcast", "POST /v1/broadcasts", 202, body={"title": "Terms", "store": True}, scope="admin"),
    Case("post_broadcast", "POST /v1/broadcasts", 400, "bad_request", body={"title": " "}, scope=TELLING),
    Case("post_broadcast", "POST /v1/broadcasts", 413, "too_large", body={"title": "x" * 101}, scope=TELLING),
    Case("post_broadcast", "POST /v1/broadcasts", 403, "forbidden", body=BROADCAST, scope=SENDING),
    Case(
        "post_broadcast",
        "POST /v1/broadcasts",
        409,
        "conflict",
        body=BROADCAST,
        scope=TELLING,
        given=busy_with_broadcasts,
    ),
    Case("get_broadcasts", "GET /v1/broadcasts", 200, scope=TELLING, given=broadcast_before),
    Case("get_broadcasts", "GET /v1/broadcasts", 400, "bad_request", query={"cursor": "x"}, scope=TELLING),
    Case("get_broadcasts", "GET /v1/broadcasts", 403, "forbidden"),
    Case("get_broadcast", "GET /v1/broadcasts/b1", 200, scope=TELLING, given=broadcast_before),
    Case("get_broadcast", "GET /v1/broadcasts/a%23b", 400, "bad_request", scope=TELLING),
    Case("get_broadcast", "GET /v1/broadcasts/b1", 403, "forbidden", given=broadcast_before),
    Case("get_broadcast", "GET /v1/broadcasts/b1", 404, "not_found", scope=TELLING),
    Case("post_pause", "POST /v1/broadcasts/b1/pause", 200, scope=TELLING, given=broadcast_before),
    Case("post_pause", "POST /v1/broadcasts/a%23b/pause", 400, "bad_request", scope=TELLING),
    Case("post_pause", "POST /v1/broadcasts/b1/pause", 403, "forbidden", given=broadcast_before),
    Case("post_pause", "POST /v1/broadcasts/b1/pause", 404, "not_found", scope=TELLING),
    Case("post_pause", "POST /v1/broadcasts/b1/pause", 409, "conflict", scope=TELLING, given=cancelled_before),
    Case("post_resume", "POST /v1/broadcasts/b1/resume", 200, scope=TELLING, given=paused_before),
    Case("post_resume", "POST /v1/broadcasts/a%23b/resume", 400, "bad_request", scope=TELLING),
    Case("post_resume", "POST /v1/broadcasts/b1/resume", 403, "forbidden", given=paused_before),
    Case("post_resume", "POST /v1/broadcasts/b1/resume", 404, "not_found", scope=TELLING),
    Case("post_resume", "POST /v1/broadcasts/b1/resume", 409, "conflict", scope=TELLING, given=cancelled_before),
    Case("post_cancel", "POST /v1/broadcasts/b1/cancel", 200, scope=TELLING, given=broadcast_before),
    Case("post_cancel", "POST /v1/broadcasts/a%23b/cancel", 400, "bad_request", scope=TELLING),
    Case("post_cancel", "POST /v1/broadcasts/b1/cancel", 403, "forbidden", given=broadcast_before),
    Case("post_cancel", "POST /v1/broadcasts/b1/cancel", 404, "not_found", scope=TELLING),
    Case("post_cancel", "POST /v1/broadcasts/b1/cancel", 409, "conflict", scope=TELLING, given=done_before),
    # --- the directory
    Case("get_users", "GET /v1/users", 200, query={"prefix": "bo"}, given=listed),
    Case("get_users", "GET /v1/users", 400, "bad_request", query={"prefix": " "}),
    Case("get_user", "GET /v1/users/bob", 200, given=listed),
    Case("get_user", "GET /v1/users/b%2Fb", 400, "bad_request"),
    Case("get_user", "GET /v1/users/nobody", 404, "not_found"),
    Case("post_users", "POST /v1/users", 200, body={"users": [{"user_id": "bob"}]}, scope="admin"),
    Case("post_users", "POST /v1/users", 400, "bad_request", body={"users": []}, scope="admin"),
    Case("post_users", "POST /v1/users", 403, "forbidden", body={"users": [{"user_id": "bob"}]}),
    Case("put_user", "PUT /v1/users/bob", 201, body={"name": "Bob"}, scope="admin"),
    Case("put_user", "PUT /v1/users/bob", 200, body={"name": "Bob"}, scope="admin", given=listed),
    Case("put_user", "PUT /v1/users/bob", 400, "bad_request", body={"name": ""}, scope="admin"),
    Case("put_user", "PUT /v1/users/bob", 403, "forbidden", body={"name": "Bob"}, scope="administrator"),
    Case("delete_user", "DELETE /v1/users/bob", 204, scope="admin", given=listed),
    Case("delete_user", "DELETE /v1/users/b%2Fb", 400, "bad_request", scope="admin"),
    Case("delete_user", "DELETE /v1/users/bob", 403, "forbidden"),
    Case("delete_user", "DELETE /v1/users/bob", 409, "conflict", scope="admin", given=on_hold),
    # --- reports
    Case("post_report", "POST /v1/reports", 201, body=OF_A_MESSAGE),
    Case("post_report", "POST /v1/reports", 200, body=OF_BOB, given=reported_bob),
    Case("post_report", "POST /v1/reports", 400, "bad_request", body={"reason": "spam"}),
    Case("post_report", "POST /v1/reports", 404, "not_found", body={**OF_A_MESSAGE, "seq": 9}),
    Case("post_report", "POST /v1/reports", 404, "not_a_member", body={**OF_A_MESSAGE, "conversation_id": UNKNOWN}),
    Case("get_reports", "GET /v1/reports", 200, scope="moderation", given=reported_bob),
    Case("get_reports", "GET /v1/reports", 400, "bad_request", query={"status": "new"}, scope="admin"),
    Case("get_reports", "GET /v1/reports", 403, "forbidden"),
    Case("get_report", f"GET /v1/reports/{REPORT}", 200, scope="moderation", given=reported_bob),
    Case("get_report", f"GET /v1/reports/{'x' * 129}", 400, "bad_request", scope="moderation"),
    Case("get_report", f"GET /v1/reports/{REPORT}", 403, "forbidden"),
    Case("get_report", f"GET /v1/reports/{REPORT}", 404, "not_found", scope="moderation"),
    Case("post_decision", DECIDING, 200, body={"decision": "ban"}, scope="admin", given=reported_bob),
    Case("post_decision", DECIDING, 400, "bad_request", body={"decision": "delete"}, scope="admin", given=reported_bob),
    Case("post_decision", DECIDING, 403, "forbidden", body={"decision": "dismiss"}),
    Case("post_decision", DECIDING, 404, "not_found", body={"decision": "dismiss"}, scope="moderation"),
    Case("post_decision", DECIDING, 409, "conflict", body={"decision": "ban"}, scope="moderation", given=dismissed),
    # --- held messages, and words
    Case("post_message", f"POST {V1}/{DM}/messages", 202, body={"content": "well, hold it"}, given=screened),
    Case(
        "post_message", f"POST {V1}/{DM}/messages", 403, "rejected", body={"content": "well, block it"}, given=screened
    ),
    Case("patch_message", f"PATCH {V1}/{DM}/messages/1", 403, "rejected", body={"content": "block"}, given=screened),
    Case("get_held_messages", "GET /v1/held", 200, scope="moderation", given=held),
    Case("get_held_messages", "GET /v1/held", 400, "bad_request", query={"cursor": "x"}, scope="moderation"),
    Case("get_held_messages", "GET /v1/held", 403, "forbidden"),
    Case("get_held_message", f"GET /v1/held/{HELD}", 200, scope="moderation", given=held),
    Case("get_held_message", f"GET /v1/held/{'x' * 129}", 400, "bad_request", scope="moderation"),
    Case("get_held_message", f"GET /v1/held/{HELD}", 403, "forbidden"),
    Case("get_held_message", f"GET /v1/held/{HELD}", 404, "not_found", scope="moderation"),
    Case("post_held_decision", REVIEWING, 200, body={"decision": "approve"}, scope="moderation", given=held),
    Case("post_held_decision", REVIEWING, 400, "bad_request", body={"decision": "ban"}, scope="moderation"),
    Case("post_held_decision", REVIEWING, 403, "forbidden", body={"decision": "approve"}),
    Case("post_held_decision", REVIEWING, 404, "not_found", body={"decision": "approve"}, scope="moderation"),
    Case("post_held_decision", REVIEWING, 409, "conflict", body={"decision": "reject"}, scope="admin", given=approved),
    Case("get_word_lists", "GET /v1/word-lists", 200, scope="admin", given=screened),
    Case("get_word_lists", "GET /v1/word-lists", 403, "forbidden", scope="moderation"),
    Case("put_word_list", "PUT /v1/word-lists/rude", 201, body=RUDE, scope="admin"),
    Case("put_word_list", "PUT /v1/word-lists/blocked", 200, body=RUDE, scope="admin", given=screened),
    Case("put_word_list", "PUT /v1/word-lists/rude", 400, "bad_request", body={**RUDE, "words": ["!"]}, scope="admin"),
    Case("put_word_list", "PUT /v1/word-lists/rude", 403, "forbidden", body=RUDE),
    Case("put_word_list", "PUT /v1/word-lists/rude", 409, "conflict", body=RUDE, scope="admin", given=full_of_lists),
    Case("delete_word_list", "DELETE /v1/word-lists/blocked", 204, scope="admin", given=screened),
    Case("delete_word_list", "DELETE /v1/word-lists/a%23b", 400, "bad_request", scope="admin"),
    Case("delete_word_list", "DELETE /v1/word-lists/rude", 403, "forbidden"),
    Case("delete_word_list", "DELETE /v1/word-lists/rude", 404, "not_found", scope="admin"),
    # --- removals
    Case("post_removal", "POST /v1/users/bob/removal", 202, scope="moderation"),
    Case("post_removal", "POST /v1/users/b%2Fb/removal", 400, "bad_request", scope="admin"),
    Case("post_removal", "POST /v1/users/bob/removal", 403, "forbidden"),
    Case("post_removal", "POST /v1/users/bob/removal", 409, "conflict", scope="admin", given=on_hold),
    Case("get_removal", "GET /v1/users/bob/removal", 200, scope="moderation", given=removing),
    Case("get_removal", "GET /v1/users/b%2Fb/removal", 400, "bad_request", scope="admin"),
    Case("get_removal", "GET /v1/users/bob/removal", 403, "forbidden"),
    Case("get_removal", "GET /v1/users/bob/removal", 404, "not_found", scope="admin"),
    # --- shadow bans
    Case("put_shadow_ban", "PUT /v1/users/bob/shadow-ban", 200, body={"reason": "spam"}, scope="admin", given=shadows),
    Case("put_shadow_ban", "PUT /v1/users/bob/shadow-ban", 400, "bad_request", body={"reason": 5}, scope="admin"),
    Case("put_shadow_ban", "PUT /v1/users/bob/shadow-ban", 403, "forbidden", body={}, scope="moderation"),
    Case("put_shadow_ban", "PUT /v1/users/bob/shadow-ban", 409, "conflict", body={}, scope="admin"),
    Case("get_shadow_ban", "GET /v1/users/bob/shadow-ban", 200, scope="admin", given=shadow_banned),
    Case("get_shadow_ban", "GET /v1/users/b%2Fb/shadow-ban", 400, "bad_request", scope="admin"),
    Case("get_shadow_ban", "GET /v1/users/bob/shadow-ban", 403, "forbidden"),
    Case("get_shadow_ban", "GET /v1/users/bob/shadow-ban", 404, "not_found", scope="admin"),
    Case("delete_shadow_ban", "DELETE /v1/users/bob/shadow-ban", 204, scope="admin", given=shadow_banned),
    Case("delete_shadow_ban", "DELETE /v1/users/b%2Fb/shadow-ban", 400, "bad_request", scope="admin"),
    Case("delete_shadow_ban", "DELETE /v1/users/bob/shadow-ban", 403, "forbidden"),
    # --- admin
    Case("get_connections", "GET /v1/users/bob/connections", 200, scope="chat admin", given=connected),
    Case("get_connections", "GET /v1/users/b%2Fb/connections", 400, "bad_request", scope="admin"),
    Case("get_connections", "GET /v1/users/bob/connections", 403, "forbidden", scope="administrator"),
    Case("delete_connections", "DELETE /v1/users/bob/connections", 200, scope="chat admin", given=connected),
    Case("delete_connections", "DELETE /v1/users/b%2Fb/connections", 400, "bad_request", scope="admin"),
    Case("delete_connections", "DELETE /v1/users/bob/connections", 403, "forbidden", scope="administrator"),
    Case("put_ban", "PUT /v1/users/bob/ban", 200, body={"until": None, "reason": "spam"}, scope="admin"),
    Case("put_ban", "PUT /v1/users/bob/ban", 400, "bad_request", body={"until": 1}, scope="admin"),
    Case("put_ban", "PUT /v1/users/bob/ban", 403, "forbidden", body={}),
    Case("get_ban", "GET /v1/users/bob/ban", 200, scope="admin", given=banned),
    Case("get_ban", "GET /v1/users/b%2Fb/ban", 400, "bad_request", scope="admin"),
    Case("get_ban", "GET /v1/users/bob/ban", 403, "forbidden"),
    Case("get_ban", "GET /v1/users/bob/ban", 404, "not_found", scope="admin"),
    Case("delete_ban", "DELETE /v1/users/bob/ban", 204, scope="admin", given=banned),
    Case("delete_ban", "DELETE /v1/users/b%2Fb/ban", 400, "bad_request", scope="admin"),
    Case("delete_ban", "DELETE /v1/users/bob/ban", 403, "forbidden"),
    Case("post_revoke", "POST /v1/users/bob/revoke", 200, body={"issued_before": 1}, scope="admin"),
    Case("post_revoke", "POST /v1/users/bob/revoke", 400, "bad_request", body={}, scope="admin"),
    Case("post_revoke", "POST /v1/users/bob/revoke", 403, "forbidden", body={"issued_before": 1}),
    Case("post_export", "POST /v1/users/bob/export", 202, scope="admin"),
    Case("post_export", "POST /v1/users/b%2Fb/export", 400, "bad_request", scope="admin"),
    Case("post_export", "POST /v1/users/bob/export", 403, "forbidden"),
    Case("get_export", "GET /v1/users/bob/export", 200, scope="admin", given=exported),
    Case(
        "get_export",
        "GET /v1/users/bob/export",
        400,
        "bad_request",
        query={"cursor": "x"},
        scope="admin",
        given=exported,
    ),
    Case("get_export", "GET /v1/users/bob/export", 403, "forbidden"),
    Case("get_export", "GET /v1/users/bob/export", 404, "not_found", scope="admin"),
    Case("post_own_export", "POST /v1/me/export", 202),
    Case("post_own_export", "POST /v1/me/export", 403, "forbidden", given=deactivated),
    Case("post_own_export", "POST /v1/me/export", 429, "rate_limited", given=exported_own),
    Case("get_own_export", "GET /v1/me/export", 200, given=exported_own),
    Case("get_own_export", "GET /v1/me/export", 400, "bad_request", query={"cursor": "x"}, given=exported_own),
    Case("get_own_export", "GET /v1/me/export", 403, "forbidden", given=deactivated),
    Case("get_own_export", "GET /v1/me/export", 404, "not_found", given=exported),
    Case("post_erasure", "POST /v1/users/bob/erasure", 202, scope="admin"),
    Case("post_erasure", "POST /v1/users/b%2Fb/erasure", 400, "bad_request", scope="admin"),
    Case("post_erasure", "POST /v1/users/bob/erasure", 403, "forbidden"),
    Case("post_erasure", "POST /v1/users/bob/erasure", 409, "conflict", scope="admin", given=on_hold),
    Case("get_erasure", "GET /v1/users/bob/erasure", 200, scope="admin", given=erased),
    Case("get_erasure", "GET /v1/users/b%2Fb/erasure", 400, "bad_request", scope="admin"),
    Case("get_erasure", "GET /v1/users/bob/erasure", 403, "forbidden"),
    Case("get_erasure", "GET /v1/users/bob/erasure", 404, "not_found", scope="admin"),
    Case("put_hold", "PUT /v1/users/bob/hold", 200, body={"reason": "a trial"}, scope="admin"),
    Case("put_hold", "PUT /v1/users/bob/hold", 400, "bad_request", body={"reason": 7}, scope="admin"),
    Case("put_hold", "PUT /v1/users/bob/hold", 403, "forbidden", body={}),
    Case("get_hold", "GET /v1/users/bob/hold", 200, scope="admin", given=on_hold),
    Case("get_hold", "GET /v1/users/b%2Fb/hold", 400, "bad_request", scope="admin"),
    Case("get_hold", "GET /v1/users/bob/hold", 403, "forbidden"),
    Case("get_hold", "GET /v1/users/bob/hold", 404, "not_found", scope="admin"),
    Case("delete_hold", "DELETE /v1/users/bob/hold", 204, scope="admin", given=on_hold),
    Case("delete_hold", "DELETE /v1/users/b%2Fb/hold", 400, "bad_request", scope="admin"),
    Case("delete_hold", "DELETE /v1/users/bob/hold", 403, "forbidden"),
    Case("put_conversation_hold", f"PUT {V1}/{GROUP}/hold", 200, body={"reason": "a trial"}, scope="admin"),
    Case("put_conversation_hold", f"PUT {V1}/{GROUP}/hold", 400, "bad_request", body={"reason": 7}, scope="admin"),
    Case("put_conversation_hold", f"PUT {V1}/{GROUP}/hold", 403, "forbidden", body={}),
    Case("put_conversation_hold", "PUT /v1/conversations/dm:x:y/hold", 404, "not_found", body={}, scope="admin"),
    Case("get_conversation_hold", f"GET {V1}/{GROUP}/hold", 200, scope="admin", given=conversation_on_hold),
    Case("get_conversation_hold", f"GET {V1}/{'x' * 301}/hold", 400, "bad_request", scope="admin"),
    Case("get_conversation_hold", f"GET {V1}/{GROUP}/hold", 403, "forbidden"),
    Case("get_conversation_hold", f"GET {V1}/{GROUP}/hold", 404, "not_found", scope="admin"),
    Case("delete_conversation_hold", f"DELETE {V1}/{GROUP}/hold", 204, scope="admin", given=conversation_on_hold),
    Case("delete_conversation_hold", f"DELETE {V1}/{'x' * 301}/hold", 400, "bad_request", scope="admin"),
    Case("delete_conversation_hold", f"DELETE {V1}/{GROUP}/hold", 403, "forbidden"),
    Case("post_import", "POST /v1/imports", 200, body=HISTORY, scope="admin"),
    Case("post_import", "POST /v1/imports", 400, "bad_request", body={"lines": []}, scope="admin"),
    Case("post_import", "POST /v1/imports", 403, "forbidden", body=HISTORY),
    Case("get_webhooks", "GET /v1/webhooks", 200, scope="admin", given=hooked),
    Case("get_webhooks", "GET /v1/webhooks", 403, "forbidden"),
    Case("get_webhooks", "GET /v1/webhooks", 404, "not_found", scope="admin", given=without_webhooks),
    Case("get_webhook", "GET /v1/webhooks/crm", 200, scope="admin", given=hooked),
    Case("get_webhook", "GET /v1/webhooks/c%2Fm", 400, "bad_request", scope="admin"),
    Case("get_webhook", "GET /v1/webhooks/crm", 403, "forbidden"),
    Case("get_webhook", "GET /v1/webhooks/crm", 404, "not_found", scope="admin"),
    Case("put_webhook", "PUT /v1/webhooks/crm", 201, body=HOOK, scope="admin"),
    Case("put_webhook", "PUT /v1/webhooks/crm", 200, body=HOOK, scope="admin", given=hooked),
    Case("put_webhook", "PUT /v1/webhooks/crm", 400, "bad_request", body={"url": "http://a.example"}, scope="admin"),
    Case("put_webhook", "PUT /v1/webhooks/crm", 403, "forbidden", body=HOOK),
    Case("put_webhook", "PUT /v1/webhooks/crm", 404, "not_found", body=HOOK, scope="admin", given=without_webhooks),
    Case("put_webhook", "PUT /v1/webhooks/crm", 409, "conflict", body=HOOK, scope="admin", given=full_of_webhooks),
    Case("delete_webhook", "DELETE /v1/webhooks/crm", 204, scope="admin", given=hooked),
    Case("delete_webhook", "DELETE /v1/webhooks/c%2Fm", 400, "bad_request", scope="admin"),
    Case("delete_webhook", "DELETE /v1/webhooks/crm", 403, "forbidden"),
    Case("delete_webhook", "DELETE /v1/webhooks/crm", 404, "not_found", scope="admin", given=without_webhooks),
    Case("post_rotate", "POST /v1/webhooks/crm/rotate", 200, scope="admin", given=hooked),
    Case("post_rotate", "POST /v1/webhooks/c%2Fm/rotate", 400, "bad_request", scope="admin"),
    Case("post_rotate", "POST /v1/webhooks/crm/rotate", 403, "forbidden"),
    Case("post_rotate", "POST /v1/webhooks/crm/rotate", 404, "not_found", scope="admin"),
    Case("post_replay", "POST /v1/webhooks/crm/replay", 202, body={"since": 1}, scope="admin", given=hooked),
    Case("post_replay", "POST /v1/webhooks/crm/replay", 400, "bad_request", body={"seq": 1}, scope="admin"),
    Case("post_replay", "POST /v1/webhooks/crm/replay", 403, "forbidden", body={"since": 1}),
    Case("post_replay", "POST /v1/webhooks/crm/replay", 404, "not_found", body={"since": 1}, scope="admin"),
    Case("post_test", "POST /v1/webhooks/crm/test", 202, scope="admin", given=hooked),
    Case("post_test", "POST /v1/webhooks/c%2Fm/test", 400, "bad_request", scope="admin"),
    Case("post_test", "POST /v1/webhooks/crm/test", 403, "forbidden"),
    Case("post_test", "POST /v1/webhooks/crm/test", 404, "not_found", scope="admin"),
    Case("get_audit", "GET /v1/audit", 200, scope="admin"),
    Case("get_audit", "GET /v1/audit", 400, "bad_request", query={"cursor": "x"}, scope="admin"),
    Case("get_audit", "GET /v1/audit", 403, "forbidden"),
]


def success_of(operation: str) -> Case:
    return next(case for case in CASES if case.operation == operation and case.code is None)
