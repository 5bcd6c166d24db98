"""Devices, notifications and reminders over HTTP: what is asked and answered in full, and whose it is."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest

from shared.domain.connections import PostOutcome
from shared.domain.devices import APNS, FCM, Device, PushTarget
from tests.functions.rest.harness import DM, GROUP, Answered, RestHarness, now, online
from tests.stores import MEMBERS

APPLE = {"platform": "apns", "token": "C0FFEE" * 10, "app_id": "org.example.app"}
LATER = now() + 86_400_000  # an hour would be over in a long run
SENDING = "notifications:send"


def register(harness: RestHarness, device_id: str = "phone", *, user: str = "alice", **body: Any) -> Answered:
    return harness.call("PUT", f"/v1/devices/{device_id}", user=user, body=body)


def send(harness: RestHarness, **body: Any) -> Answered:
    asked = {"users": ["alice"], "title": "Hello", **body}
    return harness.call("POST", "/v1/notifications", user="server", scope=f"chat {SENDING}", body=asked)


def notifications(harness: RestHarness, user: str = "alice") -> Any:
    return harness.call("GET", "/v1/notifications", user=user).body["notifications"]


def remind(harness: RestHarness, seq: int = 1, *, at: int = LATER, user: str = "alice", place: str = DM) -> Answered:
    return harness.call("POST", f"/v1/conversations/{place}/messages/{seq}/reminders", user=user, body={"at": at})


def reminders(harness: RestHarness, user: str = "alice") -> Any:
    return harness.call("GET", "/v1/reminders", user=user).body["reminders"]


# --- devices


def test_an_apple_device_is_answered_as_it_is_kept(harness: RestHarness) -> None:
    answered = register(harness, **APPLE)
    assert answered.body == {
        "device_id": "phone",
        "platform": "apns",
        "token": "c0ffee" * 10,
        "environment": "production",
        "app_id": "org.example.app",
        "registered_at": answered.body["registered_at"],
    }
    assert harness.stores.devices.of(["alice"])["alice"][0].target == PushTarget(
        APNS, "c0ffee" * 10, app_id="org.example.app"
    )
    assert harness.call("GET", "/v1/devices").body == {"devices": [answered.body]}


def test_a_firebase_device_is_known_by_its_token_or_by_its_installation(harness: RestHarness) -> None:
    by_token = register(harness, platform="fcm", token="token").body
    assert (by_token["token"], by_token["environment"], by_token["app_id"]) == ("token", None, None)
    by_installation = register(harness, platform="fcm", installation_id="fid", app_id="a.b").body
    assert (by_installation["installation_id"], "token" in by_installation) == ("fid", False)
    assert harness.stores.devices.of(["alice"])["alice"][0].target == PushTarget(
        FCM, "fid", app_id="a.b", is_installation=True
    )


@pytest.mark.parametrize("path", ["Alice%27s%20%F0%9F%93%B1%2F1", "a%2Fb", "a/b", "..", "%2e", "a%20b", "a%3Ab"])
def test_a_device_id_of_the_first_edition_is_listed_and_can_be_removed_and_no_new_one_is_made(
    harness: RestHarness, path: str
) -> None:
    assert register(harness, path, platform="fcm", token="t").code == "bad_request"
    odd = unquote(path)
    harness.stores.devices.register("alice", Device(odd, PushTarget(FCM, "t"), registered_at=1), limit=10)
    assert [one["device_id"] for one in harness.call("GET", "/v1/devices").body["devices"]] == [odd]
    assert harness.call("DELETE", f"/v1/devices/{path}").status == 204
    assert harness.call("GET", "/v1/devices").body == {"devices": []}


def test_a_target_belongs_to_who_registered_it_last_and_a_limit_holds(harness: RestHarness) -> None:
    register(harness, "shared", **APPLE)
    register(harness, "bobs", user="bob", **APPLE)
    assert harness.call("GET", "/v1/devices").body == {"devices": []}
    for name in ("one", "two", "three"):  # two are the limit here
        register(harness, name, platform="fcm", token=name)
    assert len(harness.call("GET", "/v1/devices").body["devices"]) == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"platform": "windows", "token": "t"}, "'fcm', 'apns'"),
        ({"token": "t"}, "platform"),
        ({"platform": "fcm"}, "token"),
        ({"platform": "fcm", "token": None, "installation_id": "i"}, "token"),
        ({"platform": "fcm", "token": "t", "installation_id": "i"}, "installation_id"),
        ({"platform": "fcm", "token": "a b"}, "token"),
        ({"platform": "fcm", "token": 5}, "token"),
        ({"platform": "fcm", "token": "t", "environment": "sandbox"}, "environment"),
        ({**APPLE, "token": "xyz"}, "token"),
        ({**APPLE, "installation_id": "i"}, "installation_id"),
        ({**APPLE, "environment": "test"}, "environment"),
        ({"platform": "apns", "token": "a" * 64}, "app_id"),
        ({**APPLE, "app_id": "a b"}, "app_id"),
    ],
)
def test_what_is_wrong_with_a_device_is_named(harness: RestHarness, body: dict[str, Any], field: str) -> None:
    answered = register(harness, **body)
    assert (answered.status, answered.code) == (400, "bad_request")
    assert field in answered.body["error"]
    assert harness.stores.devices.of(["alice", "bob"]) == {}


# --- notifications


def test_a_notification_is_told_kept_and_acknowledged(harness: RestHarness) -> None:
    online(harness, "alice")
    sent = send(harness, users=["alice", "bob"], body="You", data={"k": "v"})
    notification_id = sent.body["notification_id"]
    assert sent.body == {"notification_id": notification_id, "users": 2}
    (kept,) = notifications(harness)
    text = {"id": notification_id, "kind": "system", "title": "Hello", "body": "You", "data": {"k": "v"}}
    assert kept == {**text, "created_at": kept["created_at"], "conversation_id": None, "seq": None}
    (event,) = harness.events("alice-1")
    assert event == {"type": "notification", "notification": {**text, "created_at": kept["created_at"]}}
    assert [(look.users, delay_s) for look, delay_s in harness.delivery_checks.puts] == [(("bob",), 0), (("alice",), 5)]
    assert harness.call("DELETE", f"/v1/notifications/{notification_id}").status == 204
    assert (notifications(harness), len(notifications(harness, "bob"))) == ([], 1)


def test_a_repetition_with_the_same_id_changes_nothing(harness: RestHarness) -> None:
    for title in ("Hello", "Other"):
        assert send(harness, title=title, notification_id="order-1").body == {"notification_id": "order-1", "users": 1}
    assert [one["title"] for one in notifications(harness)] == ["Hello"]


def test_whoever_turns_out_to_be_gone_is_looked_at_for_presence(harness: RestHarness) -> None:
    harness.stores.connect("alice", "alice-1", at=now() - 60_000)
    harness.gateway.outcomes["alice-1"] = PostOutcome.GONE
    send(harness)
    assert [gone.user_id for gone in harness.checks.scheduled] == ["alice"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"users": ["a:b"]}, 400),
        ({"users": [f"u{number}" for number in range(101)]}, 400),
        ({"title": " "}, 400),
        ({"title": "x" * 101}, 413),
        ({"body": "x" * 1_001}, 413),
        ({"data": {"k": "v" * 2_048}}, 413),
        ({"data": {"k": 5}}, 400),
        ({"notification_id": "a b"}, 400),
    ],
)
def test_a_malformed_notification_reaches_nobody(harness: RestHarness, body: dict[str, Any], status: int) -> None:
    assert send(harness, **body).status == status
    assert (harness.stores.rows(MEMBERS, kind="system"), harness.delivery_checks.puts) == ([], [])


def test_without_the_scope_nobody_is_told(harness: RestHarness) -> None:
    answered = harness.call("POST", "/v1/notifications", body={"users": ["bob"], "title": "Hi"}, scope="notifications")
    assert answered.body["error"] == "This needs a token with the scope `notifications:send`"
    assert harness.stores.rows(MEMBERS, kind="system") == []


# --- reminders


def test_a_reminder_is_stored_scheduled_listed_and_cancelled(harness: RestHarness) -> None:
    made = remind(harness)
    reminder_id = made.body["reminder_id"]
    assert (made.status, made.body) == (201, {"reminder_id": reminder_id, "conversation_id": DM, "seq": 1, "at": LATER})
    assert (remind(harness).status, remind(harness).body) == (200, made.body)
    sooner = remind(harness, 2, at=LATER - 1).body
    assert reminders(harness) == [sooner, made.body]
    assert set(harness.scheduler.scheduled) == {reminder_id, sooner["reminder_id"]}
    assert harness.call("DELETE", f"/v1/reminders/{reminder_id}").status == 204
    assert (reminders(harness), set(harness.scheduler.scheduled)) == ([sooner], {sooner["reminder_id"]})


def test_nobody_sees_or_cancels_anothers_reminders(harness: RestHarness) -> None:
    made = remind(harness).body
    assert reminders(harness, "bob") == []
    assert harness.call("DELETE", f"/v1/reminders/{made['reminder_id']}", user="bob").status == 204
    assert (reminders(harness), set(harness.scheduler.scheduled)) == ([made], {made["reminder_id"]})


def test_of_what_is_no_message_nobody_is_reminded(harness: RestHarness) -> None:
    answers = [remind(harness, 4, place=GROUP), remind(harness, 99), remind(harness, 1, user="mallory")]
    assert [answered.code for answered in answers] == ["not_found", "not_found", "not_a_member"]
    harness.call("DELETE", f"/v1/conversations/{DM}/messages/1")
    assert remind(harness).code == "not_found"
    assert harness.scheduler.scheduled == {}
