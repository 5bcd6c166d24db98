"""Bugs that are planted all over the product, one at a time, and what finds each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.planted import chat, client, doors, moderation, people, push
from tests.planted.mutation import Bug

BUGS: Final[Mapping[str, Bug]] = {
    bug.name: bug
    for area in (chat.BUGS, people.BUGS, push.BUGS, doors.BUGS, moderation.BUGS, client.BUGS)
    for bug in area
}
