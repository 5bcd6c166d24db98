"""Where one frame of a WebSocket ends, and the next begins."""

from __future__ import annotations

import pytest
from websockets.frames import Frame as Made
from websockets.frames import Opcode

from tests.chaos.frames import Frames

PAYLOADS = [b"", b"hi", b"x" * 125, b"y" * 126, b"z" * 65_535, b"w" * 65_536]


def made(payload: bytes, *, mask: bool = False) -> bytes:
    return Made(Opcode.TEXT, payload).serialize(mask=mask)


def test_frames_of_every_length_are_cut_where_they_end() -> None:
    frames = Frames().feed(b"".join(map(made, PAYLOADS)))
    assert [frame.payload for frame in frames] == PAYLOADS
    assert [frame.raw for frame in frames] == list(map(made, PAYLOADS))


@pytest.mark.parametrize("payload", PAYLOADS[:4])
def test_a_frame_that_comes_byte_by_byte_is_there_with_its_last_one(payload: bytes) -> None:
    raw, frames = made(payload, mask=True), Frames()
    found = [frames.feed(raw[place : place + 1]) for place in range(len(raw))]
    assert [len(each) for each in found] == [0] * (len(raw) - 1) + [1]
    assert found[-1][0].raw == raw


def test_a_close_is_control_and_a_fragment_is_no_whole_text() -> None:
    close = Made(Opcode.CLOSE, b"\x03\xe8").serialize(mask=False)
    fragment = Made(Opcode.TEXT, b"half", fin=False).serialize(mask=False)
    first, second, third = Frames().feed(close + fragment + made(b"whole"))
    assert (first.is_control, second.is_control) == (True, False)
    assert (second.is_whole_text, third.is_whole_text) == (False, True)
