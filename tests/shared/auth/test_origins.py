from __future__ import annotations

import pytest

from shared.auth.origins import check_origin
from shared.errors import Forbidden

_LOCAL = "http://localhost:*,http://127.0.0.1:*"


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://chat.example.org", "https://chat.example.org"),
        ("https://chat.example.org", " https://other.example , https://chat.example.org "),
        ("https://chat.example.org", ",,https://chat.example.org,"),
        ("HTTPS://Chat.Example.ORG", "https://chat.example.org"),
        ("https://chat.example.org", "HTTPS://CHAT.EXAMPLE.ORG"),
        ("https://chat.example.org:8443", "https://chat.example.org:8443"),
        ("http://localhost:3000", _LOCAL),
        ("http://127.0.0.1:5173", _LOCAL),
        ("http://localhost", _LOCAL),
        ("http://[::1]:3000", "http://[::1]:*"),
        ("null", "null"),
    ],
)
def test_an_origin_on_the_list_may_connect(origin: str, allowed: str) -> None:
    check_origin({"Origin": origin}, allowed)
    check_origin({"origin": origin, "Host": "x"}, allowed)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://evil.example", "https://chat.example.org"),
        ("https://chat.example.org.evil.example", "https://chat.example.org"),
        ("https://evil-chat.example.org", "https://chat.example.org"),
        ("https://sub.chat.example.org", "https://chat.example.org"),
        ("http://chat.example.org", "https://chat.example.org"),
        ("https://chat.example.org:8443", "https://chat.example.org"),
        ("https://chat.example.org", "https://chat.example.org:8443"),
        ("https://chat.example.org/", "https://chat.example.org"),
        ("https://localhost:3000", _LOCAL),
        ("http://localhost.evil.example:3000", _LOCAL),
        ("http://localhost:3000.evil.example", _LOCAL),
        ("http://localhost:", _LOCAL),
        ("http://localhost:x", _LOCAL),
        ("http://localhost:80@evil.example", _LOCAL),
        ("http://localhost:*", "http://127.0.0.1:*"),
        ("http:", "http:*"),
        ("https://chat.example.org", "*"),
        ("null", _LOCAL),
        ("", _LOCAL),
        ("", ""),
        ("https://chat.example.org", ""),
        ("https://chat.example.org", " , "),
    ],
)
def test_any_other_origin_may_not(origin: str, allowed: str) -> None:
    with pytest.raises(Forbidden):
        check_origin({"origin": origin}, allowed)


@pytest.mark.parametrize("allowed", ["", "https://chat.example.org", _LOCAL])
def test_what_is_no_web_page_sends_no_origin_and_passes(allowed: str) -> None:
    check_origin({}, allowed)
    check_origin({"Host": "x", "X-Origin": "https://evil.example", "Referer": "https://evil.example"}, allowed)


def test_of_two_origin_headers_both_must_be_on_the_list() -> None:
    with pytest.raises(Forbidden):
        check_origin({"Origin": "https://a.example", "origin": "https://evil.example"}, "https://a.example")
