"""Mistakes of the Python client's core."""

from __future__ import annotations

from typing import Final

from tests.planted.mutation import Bug

_SRC = "clients/python/src/parley_client/"

BUGS: Final = (
    Bug(
        "a message that was in the outbox at the end is not sent again",
        _SRC + "outbox.py",
        "            item.request, item.examining = None, False\n",
        "            item.examining = False\n",
    ),
    Bug(
        "messages of one conversation go out side by side",
        _SRC + "outbox.py",
        "            lanes.setdefault(item.lane, item)\n",
        "            lanes.setdefault(item.client_message_id, item)\n",
    ),
    Bug(
        "a saved message forgets its `after`",
        _SRC + "outbox.py",
        '"client_message_id": self.client_message_id,\n            "after": self.after,\n        }\n\n\n@dataclass',
        '"client_message_id": self.client_message_id,\n            "after": 0,\n        }\n\n\n@dataclass',
    ),
    Bug(
        "after `sync_required` the next attempt goes to the head",
        _SRC + "outbox.py",
        "limit = min(upto, item.found - 1) if item.found and item.found > item.after else upto",
        "limit = upto",
    ),
    Bug(
        "a cursor that failed is given up",
        _SRC + "cursors.py",
        "cursor.due, cursor.tries = due(cursor.tries), cursor.tries + 1",
        "cursor.wanted, cursor.tries = cursor.confirmed, cursor.tries + 1",
    ),
    Bug(
        "a cursor under way when the connection was lost is forgotten",
        _SRC + "cursors.py",
        "                cursor.in_flight, cursor.told = False, 0\n",
        "                cursor.told = 0\n",
    ),
    Bug(
        "a gap is not asked for",
        _SRC + "stream.py",
        "        elif conversation.behind:\n            self.catchup.lacking(conversation.id, now + self.settings.gap_delay, within)\n",
        "",
    ),
    Bug(
        "after a reconnect nothing is compared",
        _SRC + "catchup.py",
        "        self._asked, self._failures, self._not_before, self.answered = None, 0, 0.0, False\n        self.begin()\n",
        "        self._asked, self._failures, self._not_before, self.answered = None, 0, 0.0, False\n",
    ),
    Bug(
        "a presence event that comes late is believed",
        _SRC + "watch.py",
        "if at >= self._latest.get(presence.user_id, 0):",
        "if at >= 0:",
    ),
)
