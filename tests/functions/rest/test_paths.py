"""Every place of a path where an id stands, with every character: none makes another path of it."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import quote, unquote

import pytest

from functions.rest.api import make_api
from shared.domain.limits import Limit
from shared.domain.text import id_pattern, is_emoji, is_user_id
from shared.limits.limiters import RateLimiter
from shared.operations.devices import DEVICE_ID_PATTERN
from tests.functions.rest.document import operations
from tests.functions.rest.harness import DM, RestHarness, now, settled
from tests.stores import simulated

# What fills the other places, and what a request needs beside its path.
OTHERS = {"conversation_id": DM, "seq": "2", "user_id": "bob", "emoji": "x", "invite_id": "x", "invite_token": "x"}
BODIES: dict[str, Any] = {
    "put_device": {"platform": "fcm", "token": "t"},
    "patch_member": {"role": "admin"},
    "patch_contact": {"alias": "x"},
    "patch_conversation": {"name": "x"},
    "patch_request": {"status": "accepted"},
    "post_invite": {},
    "patch_settings": {"pinned": True},
    "post_members": {"users": ["carol"]},
    "post_message": {"content": "x"},
    "patch_message": {"content": "x"},
    "post_read": {"seq": 1},
    "post_reminder": {"at": 1},
}
PLACES = [(name, place) for name, (_, path, _) in operations().items() for place in re.findall(r"\{(\w+)\}", path)]
ASCII = [chr(code) for code in range(0x20, 0x7F)]
BEYOND = [
    "\0",
    "\n",
    "\x7f",
    "\u0085",
    "\u00e9",
    "\u0430",
    "\u200b",
    "\u2028",
    "\u212a",
    "\uff0e",
    "\ufffd",
    "\U0001f44d",
]
IDS = [*ASCII, *BEYOND, "..", "...", ".a", "%2e", "%2F", "a/b", "a/../b", "../a", "a//b", "x" * 65, "x" * 129]


@cache
def harness() -> RestHarness:
    """One for all: what these requests change does not matter here."""
    made = settled()
    limiter = RateLimiter(Limit(1_000, 1_000_000), simulated().buckets, now)
    made.api = make_api(replace(made.wired, limiter=limiter), unexpected=made.unexpected.append)
    return made


def ask(name: str, place: str, text: str) -> Any:
    method, path, _ = operations()[name]
    filled = {**OTHERS, place: quote(text, safe="")}
    target = re.sub(r"\{(\w+)\}", lambda found: filled[found[1]], path)
    as_it_came = {"target": target}
    if "%25" not in target:  # which is the one escape that a gateway leaves
        as_it_came["decoded"] = unquote(target)
    answers = {}
    for how, one in as_it_came.items():
        answers[how] = harness().call(method, one, scope="admin notifications:send", body=BODIES.get(name))
    return answers


@pytest.mark.parametrize(("name", "place"), PLACES, ids=lambda value: value)
def test_every_character_gets_the_answer_of_its_id(name: str, place: str) -> None:
    for text in IDS:
        answers = ask(name, place, text)
        codes = {(answered.status, answered.code) for answered in answers.values()}
        assert not {status for status, _ in codes} - {200, 201, 202, 204, 400, 403, 404, 409}, (text, codes)
        if "/" in text and place in {"conversation_id", "seq"}:
            continue  # of two parts: another path where it was decoded, and not found either way
        assert len({status for status, _ in codes}) == 1, (text, codes)
        assert all((answered.body or {}).get("error") != "There is no such path" for answered in answers.values()), text


def chosen(name: str, place: str, text: str) -> set[str | None]:
    return {answered.code for answered in ask(name, place, text).values()}


@pytest.mark.parametrize("text", IDS, ids=ascii)
def test_what_clients_choose_is_a_bad_request_where_it_can_t_stand_in_a_path(text: str) -> None:
    """One set for all ids, and for emoji what shows and breaks no path."""
    users = id_pattern("A-Za-z0-9_@-", 128)
    assert is_user_id(text) == (re.fullmatch(users, text) is not None)
    assert (chosen("put_block", "user_id", text) == {"bad_request"}) == (not is_user_id(text))
    is_device = re.fullmatch(DEVICE_ID_PATTERN, text) is not None
    assert (chosen("put_device", "device_id", text) == {"bad_request"}) == (not is_device)
    assert (chosen("delete_notification", "notification_id", text) == {"bad_request"}) == (not is_device)
    fits = len(text.encode()) <= 64 and is_emoji(text)
    assert (chosen("put_reaction", "emoji", text) == {"bad_request"}) == (not fits)


@pytest.mark.parametrize("name", ["put_reaction", "delete_reaction"])
def test_bytes_that_are_no_utf_8_are_no_emoji_whoever_has_decoded_them(name: str) -> None:
    method, path, _ = operations()[name]
    target = re.sub(r"\{(\w+)\}", lambda found: {**OTHERS, "emoji": "%ff"}[found[1]], path)
    for one in (target, unquote(target)):
        assert harness().call(method, one).code == "bad_request", ascii(one)


@pytest.mark.parametrize("characters", ["a-z", "A-Za-z0-9_@-"])
def test_the_pattern_takes_everything_but_the_two_steps(characters: str) -> None:
    pattern = re.compile(id_pattern(characters, 5))
    for text in ["a", ".a", "a.", "...", "..a", "a..", ".a.", "....", ".....", "a...."]:
        assert pattern.fullmatch(text), text
    for text in ["", ".", "..", "......", "aaaaaa", "a/b", "..aaaa", ".aaaaa"]:
        assert not pattern.fullmatch(text), text
