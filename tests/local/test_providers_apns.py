"""The local APNs, asked by clients."""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from local.providers.serving import Providers
from tests.local.provider_clients import DEVICE, Apple, sign, trusting
from tests.local.provider_clients import apple as apple_client


@pytest.fixture
def apns(server: Providers) -> Iterator[Apple]:
    with apple_client(server) as client:
        yield client


def outcome(answer: httpx2.Response) -> tuple[int, str | None]:
    return answer.status_code, answer.json()["reason"] if answer.content else None


def test_a_push_is_accepted_over_http_2_and_recorded(apns: Apple) -> None:
    push_id = str(uuid.uuid4())
    answer = apns.push(DEVICE.upper(), apns_id=push_id, apns_collapse_id="talk", apns_expiration="1800000000")
    assert (answer.http_version, answer.status_code, answer.content) == ("HTTP/2", 200, b"")
    assert answer.headers["apns-id"] == push_id
    [push] = apns.providers.pushes()
    assert (push.provider, push.environment, push.token, push.payload) == (
        "apns",
        "production",
        DEVICE,
        {"aps": {"badge": 1}},
    )
    assert push.headers == {
        "apns-id": push_id,
        "apns-collapse-id": "talk",
        "apns-topic": "com.example.app",
        "apns-priority": "10",
        "apns-expiration": "1800000000",
        "apns-push-type": "alert",
    }


def test_a_push_without_an_id_gets_one(apns: Apple) -> None:
    assert uuid.UUID(apns.push().headers["apns-id"])


def test_the_two_environments_are_two_servers(apns: Apple) -> None:
    apns.push(sandbox=True)
    apns.push()
    assert [push.environment for push in apns.providers.pushes()] == ["sandbox", "production"]


def test_a_token_of_one_environment_is_unknown_in_the_other(apns: Apple) -> None:
    token = "cd" * 32
    apns.providers.put_token(token, environment="sandbox")
    assert outcome(apns.push(token)) == (400, "BadDeviceToken")
    assert outcome(apns.push(token, sandbox=True)) == (200, None)


def test_a_token_of_one_app_takes_no_pushes_of_another(apns: Apple) -> None:
    token = "ef" * 32
    apns.providers.put_token(token, topic="com.example.other")
    assert outcome(apns.push(token)) == (400, "DeviceTokenNotForTopic")
    assert outcome(apns.push(token, apns_topic="com.example.other")) == (200, None)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"authorization": None}, (403, "MissingProviderToken")),
        ({"authorization": "bearer "}, (403, "MissingProviderToken")),
        ({"authorization": "bearer nonsense"}, (403, "InvalidProviderToken")),
        ({"apns_topic": None}, (400, "MissingTopic")),
        ({"apns_topic": "no topic"}, (400, "BadTopic")),
        ({"apns_push_type": None}, (400, "InvalidPushType")),
        ({"apns_push_type": "loud"}, (400, "InvalidPushType")),
        ({"apns_priority": "7"}, (400, "BadPriority")),
        ({"apns_push_type": "background"}, (400, "BadPriority")),
        ({"apns_expiration": "tomorrow"}, (400, "BadExpirationDate")),
        ({"apns_id": "1"}, (400, "BadMessageId")),
        ({"apns_collapse_id": "x" * 65}, (400, "BadCollapseId")),
        ({"apns_collapse_id": "x" * 64}, (200, None)),
        ({"apns_expiration": "0"}, (200, None)),
        ({"apns_push_type": "background", "apns_priority": "5"}, (200, None)),
        ({"apns_priority": None}, (200, None)),
    ],
)
def test_headers_are_checked(apns: Apple, headers: dict[str, str | None], expected: tuple[int, str | None]) -> None:
    assert outcome(apns.push_with(headers)) == expected
    assert len(apns.providers.pushes()) == (expected[0] == 200)


def test_a_repeated_header_is_refused(apns: Apple) -> None:
    headers = [*apns.headers().items(), ("apns-topic", "com.example.other")]
    assert outcome(apns.send(headers, {"aps": {}})) == (400, "DuplicateHeaders")


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (0, (200, None)),
        (3500, (200, None)),
        (3700, (403, "ExpiredProviderToken")),
        (-600, (403, "InvalidProviderToken")),
    ],
)
def test_a_provider_token_is_good_for_an_hour(apns: Apple, age: int, expected: tuple[int, str | None]) -> None:
    token = apns.provider_token(iat=int(time.time()) - age)
    assert outcome(apns.push(authorization=f"bearer {token}")) == expected


def test_a_provider_token_of_another_team_key_or_algorithm_is_invalid(apns: Apple, tmp_path: Path) -> None:
    with Providers(tmp_path) as stranger, apple_client(stranger) as other:
        foreign = other.provider_token()
    claims = {"iss": "LOCALTEAM1", "iat": int(time.time())}
    tokens = [
        apns.provider_token(iss="OTHERTEAM1"),
        apns.provider_token(key_id="OTHERKEY01"),
        apns.provider_token(iat="now"),
        sign(apns.providers.fcm_secret, "RS256", claims, kid="LOCALKEY01"),
        foreign,
    ]
    answers = [outcome(apns.push(authorization=f"bearer {token}")) for token in tokens]
    assert answers == [(403, "InvalidProviderToken")] * 5


@pytest.mark.parametrize("token", ["xyz", "ab" * 15, "ab" * 101, "gh" * 32])
def test_a_device_token_is_hexadecimal(apns: Apple, token: str) -> None:
    assert outcome(apns.push(token)) == (400, "BadDeviceToken")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", (404, "BadPath")),
        ("/2/device/" + DEVICE, (404, "BadPath")),
        (f"/3/device/{DEVICE}/more", (404, "BadPath")),
        (f"/3/device/{DEVICE}?a=b", (404, "BadPath")),
        ("/3/device/", (400, "MissingDeviceToken")),
    ],
)
def test_another_path_is_refused(apns: Apple, path: str, expected: tuple[int, str]) -> None:
    assert outcome(apns.send(apns.headers(), {"aps": {}}, path)) == expected


def test_another_method_is_refused(apns: Apple) -> None:
    assert outcome(apns.http.get(apns.url(), headers=apns.headers())) == (405, "MethodNotAllowed")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"aps": 1}', b"[" * 5000])
def test_a_payload_is_an_object_with_aps(apns: Apple, body: bytes) -> None:
    assert outcome(apns.send(apns.headers(), body))[0] in (400, 413)
    assert apns.providers.pushes() == []


def test_4096_bytes_of_payload_are_taken_and_one_more_is_not(apns: Apple) -> None:
    room = 4096 - len(b'{"aps":{},"x":""}')
    body = b'{"aps":{},"x":"%s"}'
    assert outcome(apns.send(apns.headers(), body % (b"x" * room))) == (200, None)
    assert outcome(apns.send(apns.headers(), body % (b"x" * (room + 1)))) == (413, "PayloadTooLarge")
    assert outcome(apns.send(apns.headers(), body % (b"x" * 1_000_000))) == (413, "PayloadTooLarge")


@pytest.mark.parametrize(
    ("reason", "status"),
    [("Unregistered", 410), ("TooManyRequests", 429), ("InternalServerError", 500), ("BadDeviceToken", 400)],
)
def test_a_reason_comes_with_its_status(apns: Apple, reason: str, status: int) -> None:
    apns.providers.behave("apns", reason=reason)
    assert outcome(apns.push()) == (status, reason)


def test_a_status_comes_with_a_reason(apns: Apple) -> None:
    apns.providers.behave("apns", status=503, headers={"retry-after": "30"})
    answer = apns.push()
    assert (outcome(answer), answer.headers["retry-after"]) == ((503, "ServiceUnavailable"), "30")


def test_a_token_that_is_gone_says_since_when(apns: Apple) -> None:
    apns.providers.behave("apns", reason="Unregistered", timestamp=1_800_000_000_000)
    answer = apns.push()
    assert (answer.status_code, answer.json()["timestamp"]) == (410, 1_800_000_000_000)


def test_a_failure_for_a_token_is_for_both_its_spellings(apns: Apple) -> None:
    apns.providers.behave("apns", reason="Unregistered", token=DEVICE.upper())
    assert [apns.push(token).status_code for token in (DEVICE, DEVICE.upper(), "cd" * 32)] == [410, 410, 200]


def test_one_connection_serves_many_pushes(apns: Apple) -> None:
    before = apns.providers.connections("apns")
    for _ in range(20):
        apns.push()
    assert apns.providers.connections("apns") == before + 1


def test_a_client_that_does_not_speak_http_2_is_turned_away(server: Providers) -> None:
    url = f"{server.apns_endpoint.split(',')[0]}/3/device/{DEVICE}"
    with httpx2.Client(verify=trusting(server), timeout=10) as client, pytest.raises(httpx2.TransportError):
        client.post(url, content=b"{}")


def test_a_connection_that_is_hung_up_is_opened_anew(apns: Apple) -> None:
    apns.push()
    before = apns.providers.connections("apns")
    apns.providers.hang_up("apns")
    try:
        answer = apns.push()
    except httpx2.TransportError:  # it notices before it writes, or in the middle of it
        answer = apns.push()
    assert outcome(answer) == (200, None)
    assert apns.providers.connections("apns") == before + 1
