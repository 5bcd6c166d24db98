"""The conversations of the simulation."""

from __future__ import annotations

from typing import Final

DM: Final = "dm:alice:bob"
GROUP: Final = "group:0123456789abcdef"
FIRST: Final = "dm:bob:carol"  # in which nothing was said yet

USERS: Final = ("alice", "bob", "carol", "dave")
CROWD: Final = ("erin", "frank", "grace", "heidi")  # who have no devices of their own here
