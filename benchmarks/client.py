"""What a message takes in the Python client's core, among 20, 200 and 1,000 conversations.

    .venv/bin/python -m benchmarks.client --rounds 7

CPU of one that comes, is handed to the application, and is said to be delivered, with the server's answer to that: by
turns into each of the conversations. The sizes take turns in every round; medians, and multiples of the smallest one.
"""

from __future__ import annotations

import argparse
import itertools
import time
from functools import partial
from typing import Any, Final

from parley_client.core import Core
from parley_client.effects import Transmit
from parley_client.settings import Settings

from benchmarks.rows import Row, rows_of, table, taken_in_turns

SUITE: Final = "The Python client"
_SIZES: Final = (20, 200, 1_000)
_MESSAGES: Final = 3_000


class _Client:
    """A core, its application and its server."""

    def __init__(self, conversations: int) -> None:
        ids = (f"id-{number}" for number in itertools.count())
        settings = Settings(auto_delivered=True, delivered_delay=0.0)
        self.core = Core(new_id=lambda: next(ids), random=lambda: 0.5, settings=settings, user_id="alice")
        self.where = [f"dm:alice:{number}" for number in range(conversations)]
        self.seqs = dict.fromkeys(self.where, 0)
        self.now = 100.0
        self.core.start()
        self.core.connected(self.now)
        blocks = [{"id": each, "head": 0, "entries": [], "has_more": False} for each in self.where]
        self._answer({"conversations": blocks, "has_more": False})
        for each in self.where:
            self.message(each)

    def message(self, where: str) -> None:
        self.seqs[where] += 1
        seq, core = self.seqs[where], self.core
        message = {"id": f"{where}/{seq}", "conversation_id": where, "seq": seq, "sender_id": "bob"}
        message |= {"content": "Shall we meet at eight?", "type": "text", "created_at": 1_000 + seq}
        core.receive({"type": "new_message", "conversation_id": where, "seq": seq, "message": message}, self.now)
        core.effects()
        while core.next_event(self.now) is not None:
            pass
        core.tick(self.now)
        core.deadline()
        self._answer({})
        core.deadline()

    def _answer(self, data: dict[str, Any]) -> None:
        for effect in self.core.effects():
            if isinstance(effect, Transmit):
                self.core.receive({"success": True, "id": effect.frame["id"], "data": data}, self.now)


def _once(client: _Client) -> float:
    """Microseconds a message."""
    started = time.process_time()
    for where in itertools.islice(itertools.cycle(client.where), _MESSAGES):
        client.message(where)
    return (time.process_time() - started) / _MESSAGES * 1e6


def rows(rounds: int) -> list[Row]:
    """The smallest is what the others are compared with."""
    clients = {size: _Client(size) for size in _SIZES}
    measures = {f"{size:,} conversations": partial(_once, client) for size, client in clients.items()}
    return rows_of(SUITE, "a message that comes", "µs CPU", taken_in_turns(measures, rounds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, choices=range(1, 101), metavar="1..100")
    print("\n".join(table(rows(parser.parse_args().rounds))))


if __name__ == "__main__":
    main()
