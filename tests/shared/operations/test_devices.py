from __future__ import annotations

import pytest

from shared.domain.devices import APNS, FCM, PRODUCTION, SANDBOX, Device, PushTarget
from shared.errors import BadRequest
from shared.operations.context import Context
from shared.operations.devices import NewTarget, devices_of, register_device, target_of
from tests.fakes import FakeNonces
from tests.stores import Simulated
from tests.wiring import make_context, parts

TOKEN = "0123456789ABCDEFabcdef0123456789" * 2


def at_most(limit: int, now: int) -> Context:
    return make_context(lambda: now, FakeNonces(), device_limit=limit)


@pytest.mark.parametrize(
    ("asked", "target"),
    [
        (NewTarget(FCM, "fcm:APA91-token_x"), PushTarget(FCM, "fcm:APA91-token_x")),
        (NewTarget(FCM, "t" * 4_096, app_id="org.example.app"), PushTarget(FCM, "t" * 4_096, app_id="org.example.app")),
        (NewTarget(FCM, installation_id="fid"), PushTarget(FCM, "fid", is_installation=True)),
        (
            NewTarget(APNS, TOKEN, app_id="org.example.app"),
            PushTarget(APNS, TOKEN.lower(), PRODUCTION, "org.example.app"),
        ),
        (NewTarget(APNS, "a" * 32, app_id="app", environment=SANDBOX), PushTarget(APNS, "a" * 32, SANDBOX, "app")),
        (NewTarget(APNS, "0" * 200, app_id="a" * 255), PushTarget(APNS, "0" * 200, PRODUCTION, "a" * 255)),
    ],
    ids=["fcm", "fcm with app", "installation", "apns", "sandbox", "longest"],
)
def test_what_a_client_names_becomes_a_target(asked: NewTarget, target: PushTarget) -> None:
    assert target_of(asked) == target


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (NewTarget(FCM), "token"),
        (NewTarget(FCM, "t", "i"), "installation_id"),
        (NewTarget(FCM, ""), "token"),
        (NewTarget(FCM, "t" * 4_097), "token"),
        (NewTarget(FCM, "to ken"), "token"),
        (NewTarget(FCM, "tokén"), "token"),
        (NewTarget(FCM, "token\n"), "token"),
        (NewTarget(FCM, installation_id="i\x7f"), "installation_id"),
        (NewTarget(FCM, "t", app_id=""), "app_id"),
        (NewTarget(FCM, "t", environment=PRODUCTION), "environment"),
        (NewTarget(APNS, app_id="app"), "token"),
        (NewTarget(APNS, "a" * 31, app_id="app"), "token"),
        (NewTarget(APNS, "a" * 201, app_id="app"), "token"),
        (NewTarget(APNS, "g" * 64, app_id="app"), "token"),
        (NewTarget(APNS, "../" + "a" * 61, app_id="app"), "token"),
        (NewTarget(APNS, TOKEN), "app_id"),
        (NewTarget(APNS, TOKEN, app_id="a" * 256), "app_id"),
        (NewTarget(APNS, TOKEN, app_id="app\r\nx: y"), "app_id"),
        (NewTarget(APNS, installation_id="i", app_id="app"), "installation_id"),
    ],
)
def test_what_no_provider_would_take_is_refused_by_name_and_never_repeated(asked: NewTarget, field: str) -> None:
    with pytest.raises(BadRequest, match=f"`{field}`") as caught:
        target_of(asked)
    assert not (asked.token and len(asked.token) > 5 and asked.token in caught.value.message)


def test_a_device_is_stored_as_it_registered(stores: Simulated) -> None:
    made = register_device("alice", "phone", NewTarget(FCM, "t"), **{**parts(stores), "context": at_most(2, 7)})
    assert made == Device("phone", PushTarget(FCM, "t"), 7)
    assert stores.devices.of(["alice"]) == {"alice": [made]}


@pytest.mark.parametrize("device_id", ["", "x" * 65])
def test_a_device_needs_a_name_that_fits(stores: Simulated, device_id: str) -> None:
    with pytest.raises(BadRequest, match="`device_id`"):
        register_device("alice", device_id, NewTarget(FCM, "t"), **{**parts(stores), "context": at_most(2, 7)})
    assert stores.calls.made == []
    register_device("alice", "x" * 64, NewTarget(FCM, "t"), **{**parts(stores), "context": at_most(2, 7)})


def test_the_latest_registered_is_listed_first(stores: Simulated) -> None:
    for name, at in (("a", 4), ("b", 5), ("c", 9), ("d", 1)):
        register_device("alice", name, NewTarget(FCM, name), **{**parts(stores), "context": at_most(3, at)})
    # With the limit of 3, the last one to come makes the longest registered go, and not itself.
    assert [one.device_id for one in devices_of("alice", stores=stores)] == ["c", "b", "d"]
    assert list(devices_of("bob", stores=stores)) == []


def test_forgetting_is_idempotent(stores: Simulated) -> None:
    register_device("alice", "phone", NewTarget(FCM, "t"), **{**parts(stores), "context": at_most(2, 7)})
    for _ in range(2):
        stores.devices.forget("alice", "phone")
    assert list(devices_of("alice", stores=stores)) == []
