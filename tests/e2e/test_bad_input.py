"""Every case of tests/bad_input over real sockets: coded answers, open connections, and nothing changed."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable

import pytest

from local.stack import Stack
from tests.bad_input.all_frames import FRAMES
from tests.bad_input.frames import Fine
from tests.bad_input.names import DM
from tests.bad_input.requests_bodies import REQUEST_BODIES
from tests.bad_input.requests_lines import LINES
from tests.bad_input.sockets import Place, ask_all, say_all, settle

# As many as one user may send at once.
_MOST = 150
_REFUSED_FRAMES = [case for case in FRAMES if not (case.only_here or isinstance(case.expected, Fine))]
_TAKEN_FRAMES = [case for case in FRAMES if isinstance(case.expected, Fine) and not case.only_here]
_REQUESTS = [case for case in (*LINES, *REQUEST_BODIES) if not case.only_here]
Settle = Callable[[], Place]


@pytest.fixture
def new_place(stack: Stack) -> Settle:
    return lambda: settle(stack, uuid.uuid4().hex[:8])


@pytest.mark.parametrize("start", range(0, len(_REFUSED_FRAMES), _MOST))
def test_bad_frames_are_refused_on_one_connection_and_nothing_changes(new_place: Settle, start: int) -> None:
    place = new_place()
    before = place.everything
    assert asyncio.run(say_all(place, _REFUSED_FRAMES[start : start + _MOST])) == ""
    assert place.everything == before


@pytest.mark.parametrize("start", range(0, len(_TAKEN_FRAMES), _MOST))
def test_odd_frames_that_are_valid_are_stored_as_they_stand(new_place: Settle, start: int) -> None:
    place, cases = new_place(), _TAKEN_FRAMES[start : start + _MOST]
    before = place.everything
    assert asyncio.run(say_all(place, cases)) == ""
    after = place.everything
    said = [
        one.expected.stored for one in cases if isinstance(one.expected, Fine) and one.expected.conversation_id == DM
    ]
    contents = [place.real(one["content"]) for one in said if one is not None and "content" in one]
    assert [content for _, content in after[0]] == [*(content for _, content in before[0]), *contents]
    assert after[1:] == before[1:]


def test_bad_requests_are_refused_and_nothing_changes(new_place: Settle) -> None:
    place = new_place()
    before = place.everything
    assert ask_all(place, [case for case in _REQUESTS if case.is_refused]) == ""
    assert place.everything == before


def test_odd_requests_that_are_valid_are_taken(new_place: Settle) -> None:
    assert ask_all(new_place(), [case for case in _REQUESTS if not case.is_refused]) == ""
