"""A user's own log: what they change of their own, in order, live to their connections and by sync."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from shared.domain.changes import OwnChanged
from shared.domain.entries import Entry
from shared.domain.members import Preferences
from shared.domain.text import user_log_id, user_of_log
from shared.errors import NotAMember, Unavailable
from shared.operations.contacts import (
    UpdateContact,
    block_user,
    remove_contact,
    request_contact,
    unblock_user,
    update_contact,
    update_profile,
)
from shared.operations.conversations import create_private, hide, set_preferences
from shared.operations.devices import NewTarget, forget_device, register_device
from shared.operations.history import read_message
from shared.operations.own_log import MAX_BEHIND, OwnAsked, OwnSynced, note_own, own_change, own_since
from shared.operations.sync import Catching, is_behind, sync
from shared.operations.users import delete_user, put_user, put_users
from tests.fakes import DM
from tests.harness import Harness
from tests.stepping import Stepper, explore
from tests.stores import LOG, simulated


class OwnHarness(Harness):
    def log(self, user_id: str = "alice") -> list[Entry]:
        return self.stores.entries(user_log_id(user_id))

    def told(self, user_id: str = "alice") -> list[tuple[str, dict[str, Any]]]:
        """What the log says, in order."""
        entries = self.log(user_id)
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
        changes = [entry.change for entry in entries]
        return [(one.what, json.loads(one.value)) for one in changes if isinstance(one, OwnChanged)]

    def set(self, **changes: object) -> Preferences:
        return set_preferences(DM, changes, user_id="alice", **self.whole)

    def note(self, text: str = "x") -> None:
        note_own("alice", lambda: own_change("profile", display_name=text), **self.whole)

    def since(self, seq: int, *, page: int = 100, room: int = 31_000) -> OwnSynced:
        asked = OwnAsked("alice", seq, page=page, room=room)
        return own_since(asked, size=lambda _: 100, stores=self.stores)[0]


@pytest.fixture
def harness() -> OwnHarness:
    made = OwnHarness()
    made.stores.join(DM, "alice", "bob")
    return made


def test_settings_are_noted_whole_and_only_where_they_change(harness: OwnHarness) -> None:
    assert harness.set(pinned=True) == Preferences(pinned=True)
    assert harness.set(pinned=True, archived=False) == Preferences(pinned=True)
    harness.set(muted_until=99, pinned=None)
    whole = {"muted_until": None, "notify": "all", "pinned": True, "archived": False}
    assert harness.told() == [
        ("settings", {"conversation_id": DM, "settings": whole}),
        ("settings", {"conversation_id": DM, "settings": {**whole, "muted_until": 99, "pinned": False}}),
    ]
    assert harness.stores.member("alice").preferences == Preferences(99)
    assert harness.log("bob") == []


def test_all_of_a_users_connections_hear_of_it_and_nobody_else(harness: OwnHarness) -> None:
    for connection in ("a1", "a2"):
        harness.stores.connect("alice", connection, at=harness.clock())
    harness.connect("bob")
    harness.set(pinned=True)
    (event,) = harness.events("a1")
    assert harness.events("a2") == [event]
    assert harness.events("bob1") == []
    assert (event["type"], event["seq"], event["what"], "conversation_id" in event) == (
        *("user_changed", 1, "settings"),
        False,
    )
    assert event["value"]["settings"]["pinned"]


def test_what_cannot_be_told_is_done_all_the_same(harness: OwnHarness) -> None:
    harness.connect("alice")
    harness.stores.calls.fail("sessions")
    assert harness.set(pinned=True).pinned
    assert harness.observer.counted["PostsFailed"] == 1
    assert len(harness.told()) == 1


def test_hiding_and_showing(harness: OwnHarness) -> None:
    harness.stores.write("bob", "hi")
    for _ in range(2):
        hide(DM, user_id="alice", **harness.whole)
    for _ in range(2):
        create_private("alice", "bob", **harness.whole)
    assert harness.told() == [
        ("hidden", {"conversation_id": DM, "hidden": True, "head": 1}),
        ("hidden", {"conversation_id": DM, "hidden": False}),
    ]


def test_blocks_are_told_to_who_blocks_alone(harness: OwnHarness) -> None:
    for _ in range(2):
        block_user("alice", "bob", **harness.whole)
    for _ in range(2):
        unblock_user("alice", "bob", **harness.whole)
    assert harness.told() == [("block", {"user_id": "bob", "blocked": blocked}) for blocked in (True, False)]
    assert harness.log("bob") == []


def test_a_contact_is_told_on_both_sides_and_an_alias_on_ones_own(harness: OwnHarness) -> None:
    harness.connect("alice", "bob")
    request_contact("alice", "bob", **harness.whole)
    request_contact("alice", "bob", **harness.whole)
    update_contact(UpdateContact("bob", "alice", accept=True), **harness.whole)
    update_contact(UpdateContact("alice", "bob", alias="Bobby", rename=True), **harness.whole)
    remove_contact("bob", "alice", **harness.whole)
    statuses = {
        user: [value["contact"] and (value["contact"]["status"], value["contact"]["alias"]) for _, value in told]
        for user, told in (("alice", harness.told()), ("bob", harness.told("bob")))
    }
    assert statuses == {
        "alice": [("requested", None), ("accepted", None), ("accepted", "Bobby"), None],
        "bob": [("incoming", None), ("accepted", None), None],
    }
    assert [event["seq"] for event in harness.events("bob1")] == [1, 2, 3]


def test_who_is_blocked_is_told_of_no_request_on_the_other_side(harness: OwnHarness) -> None:
    harness.stores.blocks.put("bob", "alice", now=1)
    request_contact("alice", "bob", **harness.whole)
    assert (len(harness.told()), harness.told("bob")) == (1, [])


def test_of_a_profile_what_has_changed_is_told(harness: OwnHarness) -> None:
    update_profile("alice", {"display_name": "Al", "previews": False, "groups_from": "everyone"}, **harness.whole)
    update_profile("alice", {"display_name": "Al", "previews": None}, **harness.whole)
    update_profile("alice", {}, **harness.whole)
    assert harness.told() == [
        ("profile", {"display_name": "Al", "push": {"previews": False}}),
        ("profile", {"push": {"previews": True}}),
    ]


def test_what_the_teams_server_calls_a_user_is_told_to_them(harness: OwnHarness) -> None:
    harness.connect("alice")
    put_user("alice", {"name": "Alice", "role": "agent"}, **harness.whole)
    put_user("alice", {"role": "boss"}, **harness.whole)
    put_users([("alice", {"avatar": "https://a"}), ("bob", {"role": "agent"})], **harness.whole)
    delete_user("alice", **harness.whole)
    said = [
        {"display_name": "Alice", "role": "agent"},
        {"role": "boss"},
        {"avatar_url": "https://a"},
        {"display_name": None, "avatar_url": None, "role": None},
    ]
    assert harness.told() == [("profile", one) for one in said]
    events = harness.events("alice1")
    assert [event["value"] for event in events if event["type"] == "user_changed"] == said
    assert harness.told("bob") == [("profile", {"role": "agent"})]


def test_devices_come_and_go_and_their_tokens_are_not_told(harness: OwnHarness) -> None:
    for token in ("secret", "secret", "another"):
        register_device("alice", "phone", NewTarget("fcm", token), **harness.whole)
    for _ in range(2):
        forget_device("alice", "phone", **harness.whole)
    shown = {"platform": "fcm", "registered_at": harness.clock()}
    assert harness.told() == [("device", {"device_id": "phone", "device": one}) for one in (shown, shown, None)]
    assert "secret" not in str(harness.stores.rows(LOG))


def test_two_devices_at_once_end_with_what_the_later_entry_says_in_every_interleaving() -> None:
    outcomes = set[bool]()

    def build(stepper: Stepper) -> OwnHarness:
        harness = OwnHarness()
        harness.stores.join(DM, "alice", "bob")
        harness.stores.memberships.set_preferences(DM, "alice", {"notify": "none"})
        stepped = harness.stores.stepped(stepper, log=("read_back",), memberships=("get", "set_preferences"))
        for pinned, archived in ((True, None), (False, True)):
            changes = {"pinned": pinned, **({} if archived is None else {"archived": archived})}
            parts = {**harness.whole, "stores": stepped}
            stepper.add(partial(set_preferences, DM, changes, user_id="alice", **parts))
        return harness

    for harness in explore(build):
        _, last = harness.told()[-1]
        stored = harness.stores.member("alice").preferences
        assert Preferences(**last["settings"]) == stored
        assert (stored.notify, stored.archived) == ("none", True)
        outcomes.add(stored.pinned)
    assert outcomes == {True, False}


def test_a_flag_that_stands_elsewhere_is_noted_last_as_it_was_stored_last_in_every_interleaving() -> None:
    def build(stepper: Stepper) -> tuple[OwnHarness, list[bool]]:
        harness, flag = OwnHarness(), [False]
        stepped = harness.stores.stepped(stepper, log=("read_back", "put"))

        def change(value: bool) -> None:  # what is stored
            flag[0] = value
            look = lambda: own_change("profile", hide_presence=flag[0])  # noqa: E731
            note_own("alice", look, **{**harness.whole, "stores": stepped})

        stepper.add(partial(change, True))
        stepper.add(partial(change, False))
        return harness, flag

    for harness, flag in explore(build):
        assert harness.told()[-1] == ("profile", {"hide_presence": flag[0]})


def test_a_log_that_never_stands_still_is_given_up(harness: OwnHarness) -> None:
    def restless(operation: str, _: object) -> None:
        if operation == "TransactWriteItems":
            harness.note()

    harness.stores.calls.before = restless
    with pytest.raises(Unavailable):
        harness.set(pinned=True)
    assert harness.stores.member("alice").preferences == Preferences()


def test_who_left_meanwhile_has_nothing_noted(harness: OwnHarness) -> None:
    def leave(operation: str, _: object) -> None:
        if operation == "TransactWriteItems":
            harness.stores.leave(DM, "alice")

    harness.stores.calls.before = leave
    with pytest.raises(NotAMember):
        harness.set(pinned=True)
    assert harness.log() == []


def test_sync_goes_on_from_where_a_client_stands(harness: OwnHarness) -> None:
    assert harness.since(0) == OwnSynced(0, [])
    for number in range(5):
        harness.note(str(number))
    log = harness.log()
    assert harness.since(0) == OwnSynced(5, log)
    assert harness.since(4) == OwnSynced(5, log[4:])
    assert harness.since(5) == OwnSynced(5, [])
    assert harness.since(1, page=2) == OwnSynced(5, log[1:3], has_more=True)
    assert harness.since(1, page=4) == OwnSynced(5, log[1:])
    assert harness.since(0, room=500) == OwnSynced(5, log[:2], has_more=True)


def test_who_is_far_behind_or_ahead_of_what_there_is_begins_anew_at_the_head(harness: OwnHarness) -> None:
    for number in range(MAX_BEHIND + 1):
        harness.note(str(number))
    assert harness.since(0) == OwnSynced(MAX_BEHIND + 1, (), reset=True)
    assert len(harness.since(1).entries) == 100
    assert harness.since(1).has_more
    assert harness.since(MAX_BEHIND + 2) == OwnSynced(MAX_BEHIND + 1, (), reset=True)


@pytest.mark.parametrize("reader", ["alice", "bob"])
def test_no_request_reaches_it_by_its_name(harness: OwnHarness, reader: str) -> None:
    harness.note()
    place = user_log_id("alice")
    calls: list[Callable[[], object]] = [
        lambda: is_behind(place, 0, user_id=reader, stores=harness.stores),
        lambda: read_message(place, 1, user_id=reader, stores=harness.stores),
        lambda: set_preferences(place, {"pinned": True}, user_id=reader, **harness.whole),
        lambda: hide(place, user_id=reader, **harness.whole),
    ]
    for call in calls:
        with pytest.raises(NotAMember):
            call()
    asked = Catching(reader, {place: 0})
    synced = sync(asked, size=lambda _: 100, stores=harness.stores, services=harness.services)
    assert (list(synced.refused), [one for one in synced.conversations if one.conversation_id == place]) == (
        [place],
        [],
    )


def test_whose_log_it_is() -> None:
    assert user_of_log(user_log_id("a.b@c")) == "a.b@c"
    assert [user_of_log(one) for one in (DM, "group:3q2eHk0T9bZxVd7a")] == [None, None]


def test_a_change_of_the_stores_alone_is_refused_with_its_note(harness: OwnHarness) -> None:
    """Each store keeps to its port: with a note whose place is taken nothing is written."""
    harness.note()
    (taken,) = harness.log()
    stores = harness.stores
    assert not stores.blocks.put("alice", "bob", now=1, notes=[taken])
    assert not stores.blocks.remove("alice", "bob", notes=[taken])
    assert not stores.memberships.set_preferences(DM, "alice", {"pinned": True}, notes=[taken])
    assert not stores.memberships.hide(DM, "alice", seq=1, notes=[taken])
    assert not stores.profiles.update("alice", {"display_name": "Al"}, notes=[taken])
    assert not stores.devices.forget("alice", "phone", notes=[taken])
    user = stores.users.of(["alice"])["alice"]
    assert not stores.users.change(user, replace(user, name="Al", version=1), notes=[taken])
    assert list(stores.blocks.of("alice")) == []
    assert stores.users.of(["alice"])["alice"] == user
    assert simulated().blocks.put("alice", "bob", now=1, notes=[taken])
