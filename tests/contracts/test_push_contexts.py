"""Push contexts: what every implementation promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shared.adapters.aws.calls import JsonService
from shared.adapters.dynamodb.client import Calls
from shared.adapters.dynamodb.pushes import DynamoDbPushContexts
from shared.domain.changes import ADMIN, OWNER, Role
from shared.domain.contacts import Profile, QuietHours
from shared.domain.devices import FCM, Device, PushTarget
from shared.domain.notifications import SYSTEM, AboutMessage, AboutNotification, Notification
from shared.domain.pushes import PushContext, PushContextBatch, PushContextKey, Standing
from tests.calls import Unhurried
from tests.changes import founding
from tests.fakes import DM
from tests.stores import Stores

GROUP = "group:aaaaaaaaaaaaaaaa"
PHONE = Device("phone", PushTarget(FCM, "t"), 7)
SAID = {"display_name": "Bob", "previews": False, "quiet_hours": QuietHours("22:00", "07:00", "Europe/Berlin")}
BOBS = replace(Profile(), **SAID)  # type: ignore[arg-type]  # by name


def make_group(stores: Stores, *users: str) -> None:
    roles: dict[str, Role] = {users[0]: OWNER, users[1]: ADMIN}
    assert stores.log.put(founding(*users, roles=roles, name="Team", place=GROUP, at=5)) is None


def test_of_who_has_nothing_there_is_nothing(stores: Stores) -> None:
    asked = PushContextKey("bob", DM, "alice")
    nothing = PushContext(None, Profile(), blocks_sender=False, devices=[])
    assert stores.push_contexts.of([asked]) == PushContextBatch({asked: nothing}, {"alice": Profile()}, {})
    assert stores.push_contexts.of([]) == PushContextBatch({}, {}, {})


def test_all_that_decides_about_a_message(stores: Stores) -> None:
    stores.memberships.create(DM, ("alice", "bob"), joined_at=1)
    stores.memberships.set_preferences(DM, "bob", {"notify": "none"})
    stores.profiles.update("bob", SAID)
    stores.profiles.update("alice", {"display_name": "Alice"})
    stores.devices.register("bob", PHONE, limit=3)
    stores.blocks.put("bob", "alice", now=1)
    stores.blocks.put("carol", "alice", now=1)
    asked = PushContextKey("bob", DM, "alice")
    found = stores.push_contexts.of([asked])
    push_context = found.push_contexts[asked]
    assert push_context.member == stores.memberships.get(DM, "bob")
    assert (push_context.profile, push_context.blocks_sender, list(push_context.devices)) == (BOBS, True, [PHONE])
    assert (found.profiles, found.groups) == ({"alice": Profile("Alice")}, {})


def test_blocks_count_one_way(stores: Stores) -> None:
    stores.blocks.put("alice", "bob", now=1)
    asked = [PushContextKey("bob", DM, "alice"), PushContextKey("alice", DM, "bob")]
    push_contexts = stores.push_contexts.of(asked).push_contexts
    assert [push_contexts[one].blocks_sender for one in asked] == [False, True]


def test_a_groups_members_share_their_sender_and_their_group(stores: Stores) -> None:
    make_group(stores, "alice", "bob", "carol")
    asked = [PushContextKey(user, GROUP, "alice") for user in ("bob", "carol", "stranger")]
    found = stores.push_contexts.of(asked)
    assert [found.push_contexts[one].member is not None for one in asked] == [True, True, False]
    assert (found.groups, found.profiles) == (stores.memberships.groups([GROUP]), {"alice": Profile()})
    assert found.groups[GROUP].name == "Team"


def test_a_user_stands_differently_in_two_conversations(stores: Stores) -> None:
    stores.memberships.create(DM, ("alice", "bob"), joined_at=1)
    make_group(stores, "alice", "bob")
    stores.blocks.put("bob", "carol", now=1)
    asked = [
        PushContextKey("bob", DM, "alice"),
        PushContextKey("bob", GROUP, "alice"),
        PushContextKey("bob", GROUP, "carol"),
    ]
    push_contexts = stores.push_contexts.of(asked).push_contexts
    members = [push_contexts[one].member for one in asked]
    assert [member.conversation_id if member else None for member in members] == [DM, GROUP, GROUP]
    assert [push_contexts[one].blocks_sender for one in asked] == [False, False, True]


def test_a_notice_stands_in_no_conversation(stores: Stores) -> None:
    stores.memberships.create(DM, ("alice", "bob"), joined_at=1)
    stores.devices.register("bob", PHONE, limit=3)
    stores.profiles.update("bob", SAID)
    asked = PushContextKey("bob")
    found = stores.push_contexts.of([asked])
    assert found == PushContextBatch({asked: PushContext(None, BOBS, blocks_sender=False, devices=[PHONE])}, {}, {})


def test_more_than_a_round_trip_can_carry(stores: Stores) -> None:
    asked = [PushContextKey(f"u{number}", DM, "alice") for number in range(60)]
    stores.profiles.update("u59", SAID)
    push_contexts = stores.push_contexts.of(asked).push_contexts
    assert [one.user_id for one in asked if push_contexts[one].profile == BOBS] == ["u59"]
    assert len(push_contexts) == 60


# --- the adapter


class Counted(Unhurried):
    def __init__(self, calls: Calls) -> None:
        self.calls, self.keys = calls, list[int]()

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        assert operation == "BatchGetItem"
        self.keys.append(len(request["RequestItems"]["members"]["Keys"]))
        assert request["RequestItems"]["members"]["ConsistentRead"]
        return self.calls.call(operation, request)


def test_everything_comes_in_one_read(tables: JsonService) -> None:
    counted = Counted(tables)
    asked = [
        PushContextKey("bob", GROUP, "alice"),
        PushContextKey("carol", GROUP, "alice"),
        PushContextKey("bob"),
        PushContextKey("alice", DM, "bob"),
    ]
    DynamoDbPushContexts(counted, members_table="members").of(asked)
    # Four for each who is asked in a conversation, and the group; the senders' profiles are among those already.
    assert counted.keys == [4 + 4 + 4 + 1]


def test_where_a_user_stands_is_one_query(stores: Stores) -> None:
    assert stores.standings.of("bob", now=1) == Standing("bob", [], [], Profile(), [], frozenset(), {}, frozenset())
    stores.memberships.create(DM, ("alice", "bob"), joined_at=1)
    stores.profiles.update("bob", SAID)
    stores.devices.register("bob", PHONE, limit=3)
    stores.devices.register("bob", replace(PHONE, device_id="a#tablet", target=PushTarget(FCM, "u")), limit=3)
    stores.blocks.put("bob", "mallory", now=1)
    told = [Notification(name, "bob", SYSTEM, 1, at, "News", "", {"a": "b"}) for name, at in (("n", 9), ("old", 5))]
    stores.notifications.put([*told, Notification("seen", "bob", SYSTEM, 1, 9, "News")])
    stores.notifications.acknowledge("bob", "seen")
    stores.claims.claim("bob", "a#tablet", AboutMessage(DM, 7), tries=0, now=1)
    stores.claims.claim("bob", "a#tablet", AboutMessage(DM, 7), tries=1, now=1)
    stores.claims.claim("bob", "phone", AboutNotification("n"), tries=0, now=1)
    found = stores.standings.of("bob", now=5)
    assert list(found.members) == [stores.memberships.get(DM, "bob")]
    assert (found.profile, sorted(found.blocked), list(found.notifications)) == (BOBS, ["mallory"], told[:1])
    assert sorted(device.device_id for device in found.devices) == ["a#tablet", "phone"]
    assert found.pushed == {("a#tablet", DM): 7, ("phone", DM): 0}
    assert found.told == {("phone", "n")}


def test_all_users_with_devices_are_found_page_after_page(stores: Stores) -> None:
    people = [f"user{number}" for number in range(5)]
    for user in people:
        stores.devices.register(user, replace(PHONE, target=PushTarget(FCM, user)), limit=3)
        stores.profiles.update(user, {"display_name": user})
    stores.devices.register("gone", replace(PHONE, target=PushTarget(FCM, "gone")), limit=3)
    stores.devices.forget("gone", "phone")
    found: list[str] = []
    some, after = stores.standings.with_devices(None, limit=2)
    while after is not None:
        assert len(some) <= 2
        found += some
        some, after = stores.standings.with_devices(after, limit=2)
    assert sorted([*found, *some]) == people
