"""The protocol's limits, as far as the client keeps to them by itself: the server refuses what is beyond them."""

from __future__ import annotations

import re
from typing import Final

MAX_FRAME_BYTES: Final = 32 * 1_024
# Characters of a frame's `id`.
MAX_FRAME_ID: Final = 64
# Conversations that one `sync` names.
MAX_NAMED: Final = 500
# Users that one connection watches, and that one request asks the presence of.
MAX_WATCHED: Final = 100
# Files of one message.
MOST_FILES: Final = 10
# Messages or conversations on one page, and notifications in one list, which then may not be all.
MAX_PAGE: Final = 100
USER_ID: Final = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9_.@-]{1,128}")
USER_ID_RULE: Final = "1 to 128 of A-Z a-z 0-9 _ . @ -, and neither . nor .."
