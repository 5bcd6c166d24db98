from __future__ import annotations

import pytest

from shared.domain.devices import APNS, FCM, PRODUCTION, SANDBOX, WEB, Device, PushTarget
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


P256DH = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
MOZILLA = "https://updates.push.services.mozilla.com/wpush/v2/gAAAAABl"


def browser(endpoint: str | None = MOZILLA, p256dh: str | None = P256DH, auth: str | None = AUTH) -> NewTarget:
    return NewTarget(WEB, endpoint=endpoint, p256dh=p256dh, auth=auth)


@pytest.mark.parametrize(
    "endpoint",
    [
        MOZILLA,
        "https://fcm.googleapis.com/fcm/send/abc:def",
        "https://fcm.googleapis.com:443/wp/abc",
        "https://wns2-par02p.notify.windows.com/w/?token=BQYAAA",
        "https://web.push.apple.com/QGuQyavXutnMH",
    ],
)
def test_a_browsers_subscription_is_taken(endpoint: str) -> None:
    assert target_of(browser(endpoint)) == PushTarget(WEB, endpoint, p256dh=P256DH, auth=AUTH)
    padded = target_of(browser(endpoint, P256DH + "=", AUTH + "=="))
    assert (padded.p256dh, padded.auth) == (P256DH, AUTH)


@pytest.mark.parametrize(
    "endpoint",
    [
        None,
        "",
        "http://updates.push.services.mozilla.com/x",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/x",
        "https://example.com/x",
        "https://fcm.googleapis.com.example.com/x",
        "https://evil-fcm.googleapis.com/x",
        "https://push.apple.com/x",
        "https://user@fcm.googleapis.com/x",
        "https://fcm.googleapis.com@example.com/x",
        "https://fcm.googleapis.com:8443/x",
        "https://fcm.googleapis.com:99999/x",
        "https://[::1/x",
        "https://fcm.googleapis.com/x y",
        "https://fcm.googleapis.com\\@example.com/x",
        "https://fcm.googleapis.com/é",
        "https://[::1%25.push.apple.com]/x",
        "https://.push.apple.com/x",
        "https://a..push.apple.com/x",
        "https://a%00.push.apple.com/x",
        "https://a;.push.apple.com/x",
        "https://fcm.googleapis.com/" + "x" * 2_048,
    ],
)
def test_nothing_is_pushed_to_where_no_browsers_push_service_is(endpoint: str | None) -> None:
    with pytest.raises(BadRequest, match="`endpoint`"):
        target_of(browser(endpoint))


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (browser(p256dh=None), "p256dh"),
        (browser(p256dh="BAAA"), "p256dh"),
        (browser(p256dh=P256DH[:-2] + "A4"), "p256dh"),
        (browser(p256dh="A" + P256DH[1:]), "p256dh"),
        (browser(p256dh="*" + P256DH[1:]), "p256dh"),
        (browser(auth=None), "auth"),
        (browser(auth="AAAA"), "auth"),
        (browser(auth="é" * 22), "auth"),
        (NewTarget(WEB, "token", endpoint=MOZILLA, p256dh=P256DH, auth=AUTH), "endpoint"),
        (NewTarget(WEB, environment=PRODUCTION, endpoint=MOZILLA, p256dh=P256DH, auth=AUTH), "endpoint"),
    ],
)
def test_what_could_not_be_encrypted_for_is_refused(asked: NewTarget, field: str) -> None:
    with pytest.raises(BadRequest, match=f"`{field}`"):
        target_of(asked)


def test_a_laptops_push_service_is_one_on_a_laptop_alone() -> None:
    local = "https://localhost:4579"
    assert target_of(browser(f"{local}/web/alice"), local=local).token == f"{local}/web/alice"
    for other in ("https://localhost:4580/web/alice", "http://localhost:4579/web/alice"):
        with pytest.raises(BadRequest):
            target_of(browser(other), local=local)
