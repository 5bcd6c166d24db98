"""Who and what is in the harness of `harness.py`."""

from __future__ import annotations

from typing import Any

import jwt

from shared.domain.text import private_conversation_id
from tests.functions.events import NOW

SECRET = "s" * 64
DM = private_conversation_id("alice", "bob")
BLOCKED_DM = private_conversation_id("alice", "dave")
FOREIGN_DM = private_conversation_id("bob", "carol")
GROUP = "group:0123456789abcdef"
FOREIGN_GROUP = "group:fedcba9876543210"
# Alice's own, ready, and bob's.
FILE = "f" * 43
FOREIGN_FILE = "e" * 43
CONNECTIONS = (("alice", "a1="), ("alice", "a2="), ("bob", "b1="), ("carol", "c1="), ("mallory", "m1="))


def token(user_id: str = "alice", **claims: Any) -> str:
    seconds = NOW // 1_000
    return jwt.encode({"sub": user_id, "iat": seconds, "exp": seconds + 3_600, **claims}, SECRET, algorithm="HS256")
