"""Web pages of other origins: what a browser would send from them, and what only looks like an allowed one."""

from __future__ import annotations

from typing import Any

import pytest

from functions.connect.authorizer import authorize
from shared.domain.connections import Identity
from shared.operations.tickets import issue_ticket
from tests.functions.events import handshake_event
from tests.security.conftest import Tried
from tests.security.signing import Signing
from tests.shared.auth.minting import NOW_MS
from tests.stores import simulated

ALLOWED = "https://app.example.com,https://k.example.com:8443,http://localhost:*"
FOREIGN = (
    *(
        "https://evil.example",
        "https://evilapp.example.com",
        "https://app.example.com.evil",
        "https://app.example.comx",
    ),
    *("https://sub.app.example.com", "https://example.com", "https://app.example", "https://app-example.com"),
    *("https://app.example.com.", "https://app.example.com/", "https://app.example.com/x", "https://app.example.com?"),
    *(
        "https://app.example.com#",
        "https://app.example.com:443",
        "https://app.example.com:8443",
        "https://app.example.com:",
    ),
    *("http://app.example.com", "wss://app.example.com", "ws://app.example.com", "file://", "app.example.com"),
    *("//app.example.com", "https:app.example.com", "https:///app.example.com", "https://https://app.example.com"),
    *("https://app.example.com@evil.example", "https://evil.example@app.example.com", "https://evil#app.example.com"),
    *("https://user:pass@app.example.com", "https://evil.example\\.app.example.com", "https://evil/app.example.com"),
    *(
        "https://k.example.com",
        "https://k.example.com:8444",
        "https://k.example.com:84430",
        "https://k.example.com:08443",
    ),
    *("https://\u212a.example.com:8443", "https://app.example\u3002com", "https://\u0430pp.example.com", "\u200b"),
    *(
        "https://app.ex\u00adample.com",
        "https://app.example.com\u0000",
        "https://app.example.com\n",
        "https://app.\u017fe",
    ),
    *("http://localhost:", "http://localhost:x", "http://localhost:80x", "http://localhost:-1", "http://localhost:+80"),
    *("http://localhost:80:80", "http://localhost:80/", "http://localhost:\u0663\u0660", "http://localhost:*"),
    *("http://localhost.evil.example:80", "http://localhost.:80", "https://localhost:80", "http://127.0.0.1:80"),
    *("http://localhost:80@evil.example", "http://[::1]:80", "http://localhost%00:80", "http://localhost :80"),
    *("null", "NULL", "undefined", "*", "", " ", ",", "https://app.example.com,https://evil.example", "data:", "blob:"),
    *("https://app.example.com https://evil.example", " https://app.example.com", "https://app.example.com "),
    *("chrome-extension://app.example.com", "javascript://app.example.com", "about:blank", "https://app.example.com\\"),
)
OWN = (
    "https://app.example.com",
    "https://k.example.com:8443",
    "http://localhost",
    "http://localhost:80",
    "HTTPS://APP.Example.COM",
)


def verdict(headers: dict[str, str], values: dict[str, list[str]] | None = None, allowed: str = ALLOWED) -> str:
    """On a handshake with a good ticket: the only kind that a browser can be used for."""
    signing, tickets = Signing("HS256"), simulated().tickets
    ticket = issue_ticket(Identity("alice", NOW_MS + 60_000), tickets=tickets, now=NOW_MS, new_secret=lambda: "t" * 43)
    event = handshake_event(headers=headers, query={"ticket": ticket.ticket})
    event["multiValueHeaders"] |= values or {}
    return effect(authorize(event, verifier=signing.verifier(), tickets=tickets, allowed_origins=allowed, now=NOW_MS))


def by_token(headers: dict[str, str]) -> str:
    signing = Signing("HS256")
    event = handshake_event(headers={"Authorization": f"Bearer {signing.sign()}", **headers})
    return effect(
        authorize(event, verifier=signing.verifier(), tickets=simulated().tickets, allowed_origins="", now=NOW_MS)
    )


def effect(policy: dict[str, Any]) -> str:
    [statement] = policy["policyDocument"]["Statement"]
    return str(statement["Effect"])


@pytest.mark.parametrize("origin", FOREIGN, ids=ascii)
def test_a_page_of_another_origin_is_kept_out_with_a_good_ticket(origin: str, tried: Tried) -> None:
    for name in ("Origin", "origin", "ORIGIN"):
        assert verdict({name: origin}) == "Deny"
        tried()


@pytest.mark.parametrize("origin", OWN)
def test_pages_of_allowed_origins_are_let_in(origin: str, tried: Tried) -> None:
    assert verdict({"Origin": origin}) == "Allow"
    tried()


@pytest.mark.parametrize("origin", [*OWN, "null", "https://evil.example"])
def test_where_no_origin_is_allowed_no_page_is(origin: str, tried: Tried) -> None:
    assert verdict({"Origin": origin}, allowed="") == "Deny"
    tried()


def test_of_several_origins_each_one_counts_wherever_it_stands(tried: Tried) -> None:
    good, evil = "https://app.example.com", "https://evil.example"
    for last, values in ((good, [evil, good]), (good, [good, evil]), (evil, [good, evil]), (evil, [evil, good])):
        assert verdict({"Origin": last}, {"Origin": values}) == "Deny"
        assert verdict({"origin": last}, {"oRiGiN": values}) == "Deny"
        tried(2)
    assert verdict({"Origin": good, "origin": evil}) == "Deny"
    assert verdict({"Origin": good}, {"Origin": [good, good]}) == "Allow"
    tried(2)


def test_what_sends_no_origin_is_no_page_and_needs_its_token_all_the_same(tried: Tried) -> None:
    assert verdict({}) == "Allow"
    assert verdict({"Referer": "https://evil.example/", "X-Forwarded-Host": "evil.example"}) == "Allow"
    tried(2)


@pytest.mark.parametrize(
    "origin",
    ["capacitor://localhost", "ionic://localhost", "tauri://localhost", "file://", "null", "https://x.example"],
)
def test_a_native_app_proves_who_it_is_by_its_token_whatever_origin_it_sends(origin: str, tried: Tried) -> None:
    assert by_token({"Origin": origin}) == "Allow"
    assert by_token({"Origin": origin, "Authorization": "Bearer x"}) == "Deny"
    assert by_token({"Origin": origin, "Authorization": ""}) == "Deny"
    tried(3)


@pytest.mark.parametrize("origin", ["capacitor://localhost", "tauri://localhost", "ionic://localhost", "null"])
def test_a_web_view_whose_origin_is_on_the_list_may_use_a_ticket(origin: str, tried: Tried) -> None:
    assert verdict({"Origin": origin}, allowed=f"https://app.example.com,{origin}") == "Allow"
    assert verdict({"Origin": f"{origin}x"}, allowed=f"https://app.example.com,{origin}") == "Deny"
    tried(2)
