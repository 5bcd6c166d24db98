"""Browsers: what is encrypted for them, who we say we are, and what their push services answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey, derive_private_key

from functions.offline_push.web.encryption import BODY_LIMIT, PLAINTEXT_LIMIT, decoded, encoded, encrypted
from functions.offline_push.web.gateway import WebPushGateway, body_of, headers_of, result_of
from functions.offline_push.web.vapid import LIFETIME_S, RENEWAL_S, Vouchers, key_from
from local.providers.serving import Providers
from local.providers.web import Browser
from ops import web_push
from shared.domain.devices import WEB, PushTarget
from shared.domain.pushes import Busy, Misconfigured, Push, PushResult, Refused, Sent, Unregistered, Wording

# RFC 8291, section 5 and appendix A.
PLAINTEXT = b"When I grow up, I want to be a watermelon"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
RECEIVER = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
SENDER = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
    "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)
SECRET = json.dumps({"private_key": SENDER, "subject": "mailto:ops@example.com"})
NOW = 1_795_431_200_000


def test_the_example_of_the_rfc() -> None:
    sender = derive_private_key(int.from_bytes(decoded(SENDER), "big"), SECP256R1())
    assert encoded(encrypted(PLAINTEXT, RECEIVER, AUTH, salt=decoded(SALT), sender=sender)) == BODY


def test_each_body_is_another_and_the_longest_is_as_long_as_can_be() -> None:
    browser = Browser(b"\x02" * 32, b"a" * 16)
    keys = browser.keys
    bodies = [encrypted(b"x" * PLAINTEXT_LIMIT, keys["p256dh"], keys["auth"]) for _ in range(2)]
    assert bodies[0] != bodies[1]
    assert {len(body) for body in bodies} == {BODY_LIMIT}
    assert browser.read(bodies[0]) == b"x" * PLAINTEXT_LIMIT
    with pytest.raises(ValueError, match="too long"):
        encrypted(b"x" * (PLAINTEXT_LIMIT + 1), keys["p256dh"], keys["auth"])
    with pytest.raises(ValueError, match="not for this browser"):
        Browser(b"\x02" * 32, b"b" * 16).read(bodies[0])


def test_who_we_are_is_said_to_each_push_service_and_kept_for_hours() -> None:
    clock = [NOW]
    vouchers = Vouchers(key_from(SECRET), now=lambda: clock[0])
    header = vouchers.header("https://push.example")
    scheme, _, rest = header.partition(" ")
    fields = dict(part.strip().split("=", 1) for part in rest.split(","))
    key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), decoded(fields["k"]))
    options = {"verify_exp": False, "verify_aud": False}
    claims = jwt.decode(fields["t"], key, algorithms=["ES256"], options=options)  # type: ignore[arg-type]
    assert (scheme, claims) == (
        "vapid",
        {"aud": "https://push.example", "exp": NOW // 1_000 + LIFETIME_S, "sub": "mailto:ops@example.com"},
    )
    assert vouchers.header("https://another.example") != header
    clock[0] += RENEWAL_S * 1_000 - 1
    assert vouchers.header("https://push.example") == header
    clock[0] += 1
    assert vouchers.header("https://push.example") != header


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "[]",
        "{}",
        json.dumps({"private_key": SENDER}),
        json.dumps({"private_key": SENDER, "subject": "ops@example.com"}),
        json.dumps({"private_key": "AAAA", "subject": "mailto:a@b"}),
        json.dumps({"private_key": encoded(bytes(32)), "subject": "mailto:a@b"}),
        json.dumps({"private_key": 7, "subject": "mailto:a@b"}),
    ],
)
def test_this_is_no_key(secret: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # whatever it says
        key_from(secret)


def test_a_key_pair_is_made_and_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert web_push.main(["mailto:ops@example.com"]) == 0
    public, secret = capsys.readouterr().out.splitlines()
    made = secret.removeprefix("secret: ")
    assert public == f"web_push_key={key_from(made).public_key}"
    assert web_push.main(["ops@example.com"]) == 2


def push(target: PushTarget, *, body: str | None = "hi", expires_at: int = NOW + 60_000) -> Push:
    wording = Wording("PARLEY_MESSAGE", ("Alice",), body=body)
    data = {"type": "message", "conversation_id": "dm:alice:bob", "seq": "7"}
    return Push(target, "id", "dm:alice:bob", "dm:alice:bob", 3, 2, wording, data, expires_at)


@pytest.fixture
def providers(tmp_path: Path) -> Iterator[Providers]:
    with Providers(tmp_path) as running:
        yield running


def gateway(providers: Providers) -> WebPushGateway:
    return WebPushGateway(
        lambda: providers.web_push_secret, local=providers.fcm_endpoint, ca_file=str(providers.ca_file)
    )


def target(providers: Providers, name: str = "alice") -> PushTarget:
    subscription = providers.subscription(name)
    return PushTarget(WEB, subscription["endpoint"], **subscription["keys"])


def test_a_browser_gets_what_is_said_and_nobody_on_the_way_reads_it(providers: Providers) -> None:
    ours = gateway(providers)
    assert ours.push(push(target(providers), expires_at=2**50)) == Sent()
    (received,) = providers.pushes()
    assert (received.provider, received.token) == ("web", providers.subscription("alice")["endpoint"])
    assert received.payload == {
        "title_key": "PARLEY_MESSAGE",
        "title_args": ["Alice"],
        "body": "hi",
        "tag": "dm:alice:bob",
        "thread": "dm:alice:bob",
        "badge": 3,
        "unread": 2,
        "data": {"type": "message", "conversation_id": "dm:alice:bob", "seq": "7"},
    }
    assert (received.headers["urgency"], received.headers["ttl"]) == ("high", "2419200")
    ours.close()


def test_what_is_taken_off_says_so_and_nothing_else(providers: Providers) -> None:
    ours = gateway(providers)
    assert ours.push(replace(push(target(providers)), withdraws=True, wording=Wording(None))) == Sent()
    (received,) = providers.pushes()
    assert received.payload == {
        "withdrawn": True,
        "tag": "dm:alice:bob",
        "thread": "dm:alice:bob",
        "badge": 3,
        "unread": 2,
        "data": {"type": "message", "conversation_id": "dm:alice:bob", "seq": "7"},
    }
    assert received.headers["urgency"] == "normal"
    ours.close()


def test_a_long_text_is_cut_to_what_fits(providers: Providers) -> None:
    ours = gateway(providers)
    assert ours.push(push(target(providers), body="é" * 10_000)) == Sent()
    (received,) = providers.pushes()
    assert received.payload["body"].endswith("é…")
    assert len(body_of(push(target(providers), body="é" * 10_000))) <= BODY_LIMIT
    ours.close()


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (201, Sent),
        (404, Unregistered),
        (410, Unregistered),
        (429, Busy),
        (503, Busy),
        (413, Refused),
        (403, Misconfigured),
    ],
)
def test_what_an_answer_means(status: int, meaning: type[PushResult]) -> None:
    result = result_of(status, "7", now=NOW)
    assert isinstance(result, meaning)
    if isinstance(result, Busy):
        assert (result.retry_after_ms, result.whole_provider) == (7_000, False)


def test_a_subscription_that_is_gone_and_a_service_that_asks_for_patience(providers: Providers) -> None:
    ours = gateway(providers)
    providers.behave("web", status=410, times=1)
    assert ours.push(push(target(providers))) == Unregistered("status_410")
    providers.behave("web", status=429, headers={"retry-after": "30"}, times=1)
    assert ours.push(push(target(providers))) == Busy("status_429", 30_000, whole_provider=False)
    providers.behave("web", do="drop", times=1)
    assert ours.push(push(target(providers))) == Sent()
    ours.close()


def test_nothing_is_posted_to_where_no_push_service_is() -> None:
    ours = WebPushGateway(lambda: SECRET, local="", ca_file="")
    elsewhere = PushTarget(WEB, "https://169.254.169.254/latest/meta-data", p256dh=RECEIVER, auth=AUTH)
    assert ours.push(push(elsewhere)) == Unregistered("UnknownPushService")


def test_what_replaces_what_is_named_in_32_characters() -> None:
    headers = headers_of(push(PushTarget(WEB, "https://x"), expires_at=NOW + 60_000), now=NOW)
    assert (headers["TTL"], len(headers["Topic"])) == ("60", 32)
    assert headers_of(push(PushTarget(WEB, "https://x"), expires_at=0), now=NOW)["TTL"] == "0"
