"""Every bad and odd frame."""

from __future__ import annotations

from typing import Final

from tests.bad_input.frames import FrameCase
from tests.bad_input.frames_content import CONTENTS, CUSTOM, FILES, IN_GROUPS, MENTIONS, REACTIONS, SIZES
from tests.bad_input.frames_fields import CLIENT_IDS, CONVERSATIONS, PLACES, RECIPIENTS, SPOOFING
from tests.bad_input.frames_framing import FRAMING, NUMBERS, OBJECTS, ROUTING

FRAMES: Final[tuple[FrameCase, ...]] = (
    *(*FRAMING, *NUMBERS, *OBJECTS, *ROUTING),
    *(*CONVERSATIONS, *RECIPIENTS, *CLIENT_IDS, *SPOOFING, *PLACES),
    *(*CONTENTS, *SIZES, *MENTIONS, *REACTIONS, *FILES, *CUSTOM, *IN_GROUPS),
)
