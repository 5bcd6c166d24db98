"""What devices show, and taking it off: what every implementation promises."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from shared.adapters.aws.calls import JsonService
from shared.adapters.dynamodb.pushes import DynamoDbClaims
from shared.adapters.dynamodb.shown import DynamoDbShown, settled_from
from shared.domain.notifications import SYSTEM, AboutMessage, AboutNotification, Notification
from shared.domain.pushes import Pushed, Settled
from shared.ports.people import BeingWithdrawn
from tests.contracts.test_claims import Lossy
from tests.stores import Stores

DM = "dm:alice:bob"
NOW = 1_795_431_200_000
MINUTE = 60_000
ASKED = Pushed("bob", "phone", AboutMessage(DM, 0), 0)


def told(stores: Stores, seq: int = 5, *, tries: int = 0, device_id: str = "phone") -> Pushed:
    """A push to bob's device, as it was claimed."""
    assert stores.claims.claim("bob", device_id, AboutMessage(DM, seq), tries=tries, now=NOW)
    (shown,) = stores.shown.of([replace(ASKED, device_id=device_id)])
    return shown


def take(stores: Stores, pushed: Pushed, tries: int = 0) -> bool:
    return stores.shown.take(pushed, tries=tries, now=NOW)


def test_a_device_shows_what_it_was_pushed_last_of_each_conversation(stores: Stores) -> None:
    assert list(stores.shown.of([ASKED])) == []
    assert list(stores.shown.of([])) == []
    told(stores, 5)
    shown = told(stores, 7)
    assert shown.about == AboutMessage(DM, 7)
    assert shown.tries == 0
    assert list(stores.shown.of([replace(ASKED, about=AboutMessage("dm:bob:carol", 0))])) == []
    assert list(stores.shown.of([replace(ASKED, user_id="alice"), replace(ASKED, device_id="tablet")])) == []


def test_of_more_than_a_hundred_devices_each_is_found(stores: Stores) -> None:
    for number in range(120):
        told(stores, device_id=f"phone{number}")
    found = stores.shown.of([replace(ASKED, device_id=f"phone{number}") for number in range(130)])
    assert {one.device_id for one in found} == {f"phone{number}" for number in range(120)}


def test_a_notification_is_shown_by_itself(stores: Stores) -> None:
    about = AboutNotification("n")
    stores.claims.claim("bob", "phone", about, tries=0, now=NOW)
    (shown,) = stores.shown.of([replace(ASKED, about=about)])
    assert (shown.about, shown.tries) == (about, 0)
    assert take(stores, shown)
    assert not take(stores, shown)


def test_each_try_to_take_it_off_is_begun_once_and_in_order(stores: Stores) -> None:
    shown = told(stores)
    assert [take(stores, shown, tries) for tries in (1, 0, 0, 2, 1, 1, 0)] == [
        False,
        True,
        False,
        False,
        True,
        False,
        False,
    ]
    (again,) = stores.shown.of([ASKED])
    assert again.tries == 2
    assert not take(stores, shown, 16)


def test_what_is_newer_is_not_taken_off_with_what_was_before_it(stores: Stores) -> None:
    older = told(stores, 5)
    newer = told(stores, 6)
    assert not take(stores, older)
    assert take(stores, newer)
    stores.shown.release(newer)
    further = told(stores, 7)
    assert further.tries == 0
    assert take(stores, further)


def test_what_was_tried_again_is_shown_by_its_last_try(stores: Stores) -> None:
    first = told(stores, 5)
    second = told(stores, 5, tries=1)
    assert not take(stores, first)
    assert take(stores, second)


def test_a_push_waits_while_what_is_shown_is_taken_off(stores: Stores) -> None:
    claim = stores.claims.claim
    shown = told(stores, 5)
    assert take(stores, shown)
    with pytest.raises(BeingWithdrawn):
        claim("bob", "phone", AboutMessage(DM, 6), tries=0, now=NOW)
    with pytest.raises(BeingWithdrawn):
        claim("bob", "phone", AboutMessage(DM, 5), tries=1, now=NOW)
    assert not claim("bob", "phone", AboutMessage(DM, 5), tries=0, now=NOW)
    assert not claim("bob", "phone", AboutMessage(DM, 6), tries=1, now=NOW)
    assert claim("bob", "tablet", AboutMessage(DM, 6), tries=0, now=NOW)
    stores.shown.release(shown)
    stores.shown.release(shown)
    assert claim("bob", "phone", AboutMessage(DM, 6), tries=0, now=NOW)


def test_a_push_waits_no_longer_than_a_provider_may_take(stores: Stores) -> None:
    assert take(stores, told(stores, 5))
    assert stores.claims.claim("bob", "phone", AboutMessage(DM, 6), tries=0, now=NOW + MINUTE)


def test_of_many_that_take_the_same_off_at_once_one_does(stores: Stores) -> None:
    shown = told(stores)
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: take(stores, shown), range(6)))
    assert sum(answers) == 1


def test_what_has_disappeared_is_not_taken_off_and_does_not_come_back(stores: Stores) -> None:
    gone = Pushed("bob", "phone", AboutMessage(DM, 5), 80)
    assert not take(stores, gone)
    stores.shown.release(gone)
    assert list(stores.shown.of([ASKED])) == []


# --- what is noted


def member(stores: Stores, **changes: Any) -> None:
    stores.memberships.create(DM, ("alice", "bob"), joined_at=1)
    if changes:
        found = stores.memberships.get(DM, "bob")
        assert found is not None
        stores.memberships.move_read(replace(found, **changes))


def test_a_push_is_noted_at_its_reader_if_it_was_not_read_yet(stores: Stores) -> None:
    member(stores)
    assert stores.shown.note("bob", AboutMessage(DM, 5))
    assert list(stores.shown.noted(DM, ["alice", "bob", "carol"])) == ["bob"]
    member(stores, read_seq=6, read_number=6)
    assert not stores.shown.note("bob", AboutMessage(DM, 6))
    assert stores.shown.note("bob", AboutMessage(DM, 7))


def test_nothing_is_noted_of_who_is_no_member(stores: Stores) -> None:
    assert not stores.shown.note("bob", AboutMessage(DM, 5))
    assert stores.memberships.get(DM, "bob") is None
    assert list(stores.shown.noted(DM, ["bob"])) == []
    assert list(stores.shown.noted(DM, [])) == []


def test_what_was_noted_is_forgotten_unless_it_was_noted_anew(stores: Stores) -> None:
    member(stores)
    stores.shown.note("bob", AboutMessage(DM, 5))
    stores.shown.note("bob", AboutMessage(DM, 6))
    stores.shown.forget(Settled("bob", AboutMessage(DM, 0), 6, mark=5))
    assert list(stores.shown.noted(DM, ["bob"])) == ["bob"]
    stores.shown.forget(Settled("bob", AboutMessage(DM, 0), 6, mark=6))
    assert list(stores.shown.noted(DM, ["bob"])) == []
    stores.shown.forget(Settled("bob", AboutMessage(DM, 0), 6, mark=6))
    stores.shown.forget(Settled("nobody", AboutMessage(DM, 0), 6, mark=6))
    assert stores.memberships.get(DM, "nobody") is None


def test_a_note_changes_nothing_of_the_member(stores: Stores) -> None:
    member(stores)
    before = stores.memberships.get(DM, "bob")
    stores.shown.note("bob", AboutMessage(DM, 5))
    assert stores.memberships.get(DM, "bob") == before


def test_a_notification_is_noted_until_it_is_acknowledged(stores: Stores) -> None:
    about = AboutNotification("n")
    assert not stores.shown.note("bob", about)
    stores.notifications.put([Notification("n", "bob", SYSTEM, NOW, NOW + MINUTE, title="t")])
    assert stores.shown.note("bob", about)
    assert [one.title for one in stores.notifications.of("bob", now=NOW)] == ["t"]
    stores.notifications.acknowledge("bob", "n")
    assert not stores.shown.note("bob", about)


# --- the adapter


def test_an_update_whose_answer_was_lost_recognises_itself(tables: JsonService) -> None:
    DynamoDbClaims(tables, members_table="members").claim("bob", "phone", AboutMessage(DM, 5), tries=0, now=NOW)
    lossy = DynamoDbShown(Lossy(tables), members_table="members")
    (shown,) = lossy.of([ASKED])
    assert lossy.take(shown, tries=0, now=NOW)
    assert not lossy.take(shown, tries=0, now=NOW)


def row(**attributes: Any) -> dict[str, Any]:
    fixed = {"pk": "user#bob", "sk": f"conversation#{DM}", "conversation_id": DM, "user_id": "bob", "joined_at": 1}
    return {**fixed, "pushed_seq": 5, **attributes}


@pytest.mark.parametrize(
    ("old", "new", "through"),
    [
        ({}, {"read_seq": 5}, 5),
        ({"read_seq": 3}, {"read_seq": 4}, 4),
        ({}, {"hidden_seq": 7}, 7),
        ({}, {"muted_until": NOW + 1}, None),
        ({}, {"notify": "none"}, None),
        ({"muted_until": NOW}, {"muted_until": NOW + 1}, None),
    ],
)
def test_reading_hiding_and_muting_end_what_is_shown(old: Any, new: Any, through: int | None) -> None:
    found = settled_from(row(**old), row(**new), now=NOW)
    assert found == Settled("bob", AboutMessage(DM, 0), through, mark=5)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({}, {"pushed_seq": 6}),
        ({}, {"delivered_seq": 9}),
        ({"read_seq": 5}, {"read_seq": 5, "pinned": True}),
        ({"muted_until": NOW + 1}, {}),
        ({"notify": "none"}, {"notify": "all"}),
        ({}, {"notify": "mentions"}),
    ],
)
def test_other_changes_end_nothing(old: Any, new: Any) -> None:
    assert settled_from(row(**old), row(**new), now=NOW) is None


def test_who_is_no_member_any_more_is_shown_nothing() -> None:
    assert settled_from(row(read_seq=2), None, now=NOW) == Settled("bob", AboutMessage(DM, 0), mark=5)


def test_a_notification_ends_with_its_acknowledgement_or_its_row() -> None:
    notice = {"pk": "user#bob", "sk": "notice#n", "pushed_seq": 1, "expires_at": NOW}
    over = Settled("bob", AboutNotification("n"), mark=1)
    assert settled_from(notice, {**notice, "acknowledged": True}, now=NOW) == over
    assert settled_from(notice, None, now=NOW) == over
    assert settled_from(notice, {**notice, "expires_at": NOW + 1}, now=NOW) is None
