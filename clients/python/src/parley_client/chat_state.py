"""Where a chat keeps its place between runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class StateFile:
    """Where the client's state is kept between runs; nowhere without a path."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.content: dict[str, Any] | None = None
        if path is not None and path.exists():
            self.content = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(self.content, dict):
                raise ValueError("it holds no state")

    def cursor(self, conversation_id: str) -> int | None:
        """Where the conversation is gone on with; None where the client has yet to find out where to start."""
        if self.content is None or not self.content["synced"]:
            return None
        cursor: int = self.content["conversations"].get(conversation_id, 0)
        return cursor

    def save(self, state: dict[str, Any]) -> None:
        """Whole or not at all, whenever this process is killed."""
        if self._path is not None:
            draft = self._path.with_name(f"{self._path.name}.new")
            draft.write_text(json.dumps(state), encoding="utf-8")
            draft.replace(self._path)
