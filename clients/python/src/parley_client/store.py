"""Where a client's state is kept, so that another process goes on where this one ended, however it ended."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

_OF: Final = "of"


class Store(Protocol):
    """Kept by one client at a time."""

    def load(self) -> Mapping[str, Any] | None:
        """What was saved last; None where nothing was. Raises ValueError for what is no state, OSError."""
        ...

    def save(self, state: Mapping[str, Any]) -> None:
        """Whole or not at all, and for good when this returns: what is told next rests on it. Raises OSError."""
        ...


class StateFile:
    """A file with the state, readable by its owner alone: it holds what was written and not sent yet.

    A save writes a file beside it, waits for the disk, and puts it in its place: about a millisecond with a few
    conversations, a few with thousands. `of` names the server's data that the state is about: what was saved with
    another name counts as nothing.
    """

    def __init__(self, path: Path, *, of: str | None = None) -> None:
        self._path, self._of = path, of

    def load(self) -> dict[str, Any] | None:
        """See `Store.load`."""
        try:
            state = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        if not isinstance(state, dict):
            raise ValueError(f"{self._path} holds no state")  # noqa: TRY004  # what is in a file is a value
        saved_of = state.pop(_OF, None)
        return None if self._of is not None and saved_of not in (None, self._of) else state

    def save(self, state: Mapping[str, Any]) -> None:
        """See `Store.save`."""
        named = {**state} if self._of is None else {**state, _OF: self._of}
        draft = self._path.with_name(f"{self._path.name}.new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(json.dumps(named))  # in one go: json.dump would take ten times as long
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
