"""What is in the tables, by kind of row: how many, and how many of one owner that no ttl will ever take away."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from shared.adapters.dynamodb.client import TTL
from shared.adapters.dynamodb.schema import DUE_PREFIX, PK, SK
from shared.adapters.dynamodb.sessions import CONNECTIONS
from tests.dynamodb import Store


@dataclass(frozen=True, slots=True)
class Rows:
    """`rows` of one kind; the `most` without a ttl that one owner has."""

    rows: int
    most: int


def rows(store: Store) -> dict[str, Rows]:
    """By kind: the beginnings of its two keys. A connection in a session's map counts as a row."""
    owners: dict[str, Counter[str]] = defaultdict(Counter)
    totals: Counter[str] = Counter()
    for kind, owner, is_kept in _kinds(store):
        totals[kind] += 1
        owners[kind][owner] += is_kept
    return {kind: Rows(totals[kind], max(owners[kind].values())) for kind in sorted(totals)}


def _kinds(store: Store) -> Iterable[tuple[str, str, bool]]:
    for item in store.items("members"):
        owner = item[SK] if item[PK].startswith(DUE_PREFIX) else item[PK]  # one of sixteen lists has everybody's
        yield f"{_kind(item[PK])}/{_kind(item[SK]) if _is_named(item) else ''}", owner, TTL not in item
    for item in store.items("sessions"):
        yield "session", item["user_id"], True
        yield from (("connection", item["user_id"], True) for _ in item.get(CONNECTIONS, {}))
    for item in store.items("tickets"):
        yield "ticket", item["ticket"], TTL not in item


def _kind(key: str) -> str:
    name, mark, _ = key.partition("#")
    return name + mark


def _is_named(item: dict[str, Any]) -> bool:
    """A sort key that is a connection's id, or begins with a time, names no kind."""
    return not item[PK].startswith(("watch#", "live#", "audit#", DUE_PREFIX))
