"""MiniStack keeps what it acknowledged, also when its process is killed.

On its own it saves its state at an orderly shutdown only, and forgets its DynamoDB streams even then, while the
consumers' positions in them survive: after a restart a consumer skips as many records as it had read before. Therefore
three kinds of change are journalled before the reply that acknowledges them leaves:

- an item put or removed (the outcome, not the request: redoing it needs no condition and cannot turn out differently),
- a stream record with its position,
- how far a consumer has read.

Everything else (tables, functions, APIs, secrets, what CloudFormation knows) is in the snapshot of the last checkpoint.
"""

# ruff: noqa: SLF001  # MiniStack has no hooks for any of this; its version is pinned

import contextlib
import contextvars
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core import persistence
from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region
from ministack.services import dynamodb, lambda_svc

from local.emulator.generations import Generations
from local.emulator.journal import Change, Journal, read

log = logging.getLogger("parley.durable")

# About 50,000 messages. Redoing so many takes seconds, as does a checkpoint of them, when nothing is served.
CHECKPOINT_AT = 64 * 1024 * 1024
STREAMS = "parley-streams.json"
# Of what every consumer has read, this much stays in a snapshot: what lies in a failure queue only points at records.
KEPT_RECORDS = 5_000
SNAPSHOT_ATTEMPTS = 3

Handler = Callable[..., Awaitable[tuple[int, dict[str, str], bytes]]]

# The changes of the request being handled; None outside of one (the TTL reaper): each change is its own batch.
_batch: contextvars.ContextVar[list[Change] | None] = contextvars.ContextVar("batch", default=None)


class DurableState:
    """Journals changes, takes checkpoints and recovers from both."""

    def __init__(self, root: Path) -> None:
        self._generations = Generations(root)
        self._generations.sweep()
        self._recoverable = self._generations.journals()
        self._journal = Journal(self._generations.journal(self._generations.next_number()))
        self._set_item = dynamodb._set_item
        self._remove_item = dynamodb._remove_item
        self._emit_stream_event = dynamodb._emit_stream_event
        self._handle_request: Handler = dynamodb.handle_request
        self._load_snapshot: Callable[[], None] = app._load_persisted_state

    def install(self) -> None:
        """Take MiniStack's saving and loading over. To be called before it starts serving."""
        dynamodb._set_item = self._journalled_set
        dynamodb._remove_item = self._journalled_remove
        dynamodb._emit_stream_event = self._journalled_event
        dynamodb.handle_request = self._journalled_request
        lambda_svc._dynamodb_stream_positions = _JournalledPositions(self._record)
        app._load_persisted_state = _nothing  # `recover` does it, where a failure ends the process
        app.save_all = lambda _services: self.checkpoint()
        current = self._generations.current
        if current is not None:
            _use_state_dir(self._generations.snapshot(current))

    # -- writing ------------------------------------------------------------------------------------------------------

    def _record(self, change: Change) -> None:
        batch = _batch.get()
        if batch is None:
            self._journal.append([change])
        else:
            batch.append(change)

    async def _journalled_request(self, *request: Any) -> tuple[int, dict[str, str], bytes]:
        """Handle one DynamoDB request; its changes are in the journal, all or none, when this returns."""
        batch: list[Change] = []
        token = _batch.set(batch)
        try:
            return await self._handle_request(*request)
        finally:
            _batch.reset(token)
            if batch:
                self._journal.append(batch)
            if self._journal.size > CHECKPOINT_AT:
                self._compact()

    def _compact(self) -> None:
        try:
            self.checkpoint()
        except (OSError, RuntimeError):
            log.exception("no checkpoint; the journals go on")

    def _journalled_set(self, table: dict[str, Any], pk: str, sk: str, item: dict[str, Any]) -> Any:
        self._record(["put", *_identity(table), pk, sk, item])
        return self._set_item(table, pk, sk, item)

    def _journalled_remove(self, table: dict[str, Any], pk: str, sk: str) -> Any:
        self._record(["remove", *_identity(table), pk, sk])
        return self._remove_item(table, pk, sk)

    def _journalled_event(self, table_name: str, *args: Any, **kwargs: Any) -> None:
        before = dynamodb.stream_end_position(table_name)
        self._emit_stream_event(table_name, *args, **kwargs)
        if dynamodb.stream_end_position(table_name) > before:
            record = dynamodb._stream_records[table_name][-1]
            self._record(["event", get_account_id(), get_region(), table_name, before, record])

    # -- checkpoints --------------------------------------------------------------------------------------------------

    def checkpoint(self) -> None:
        """Make a snapshot of everything the one that counts. Runs on the event loop, between two requests.

        Raises:
            RuntimeError: some service could not be saved; the previous snapshot and its journals still count.

        """
        number = self._generations.next_number()
        self._journal.rotate(self._generations.journal(number))
        aside = self._generations.begin(number)
        _use_state_dir(aside)
        for service, get_state in app._build_persistence_save_dict().items():
            _save(service, get_state, aside)
        (aside / STREAMS).write_text(json.dumps(_unread_streams()), encoding="utf-8")
        self._generations.commit(number)
        _use_state_dir(self._generations.snapshot(number))
        log.info("checkpoint %d", number)

    # -- recovery -----------------------------------------------------------------------------------------------------

    def recover(self) -> None:
        """Load the current snapshot, redo what the journals hold, and begin anew from there.

        Stream consumers rest until `resume`: they would read what is being restored, and call a server that isn't up.
        """
        ensure_poller, lambda_svc._ensure_poller = lambda_svc._ensure_poller, _nothing
        self._load_snapshot()
        current = self._generations.current
        if current is not None:
            _restore_streams(json.loads((self._generations.snapshot(current) / STREAMS).read_text(encoding="utf-8")))
        redone = sum(self._redo(changes) for path in self._recoverable for changes in read(path))
        _align_streams()
        if redone:
            log.warning("redid %d changes that the last snapshot did not hold", redone)
            self.checkpoint()
        lambda_svc._ensure_poller = ensure_poller

    def resume(self) -> None:
        """Let restored event source mappings go on, now that the server listens."""
        if lambda_svc._esms.has_any():
            lambda_svc._ensure_poller()

    def _redo(self, changes: list[Change]) -> int:
        for kind, account, region, name, *rest in changes:
            if kind == "position":
                # Past the journalling assignment: a position read from the journal is in the journal.
                lambda_svc._dynamodb_stream_positions.set_scoped(account, region, name, rest[0])
            elif kind == "event":
                _append_event(account, region, name, *rest)
            else:
                self._redo_item(dynamodb._tables.get_scoped(account, region, name), kind, *rest)
        return len(changes)

    def _redo_item(self, table: dict[str, Any] | None, kind: str, pk: str, sk: str, item: Any = None) -> None:
        if table is None:  # created after the last checkpoint, by a deployment that never ended
            return
        if kind == "put":
            self._set_item(table, pk, sk, item)
        else:
            self._remove_item(table, pk, sk)


class _JournalledPositions(AccountRegionScopedDict):  # type: ignore[misc]  # MiniStack has no types
    """How far each event source mapping has read its stream; a restored mapping goes on where it was."""

    __slots__ = ("_record",)

    def __init__(self, record: Callable[[Change], None]) -> None:
        super().__init__()
        self._record = record

    def __setitem__(self, mapping: str, position: int) -> None:
        if self.get(mapping) != position:
            self._record(["position", get_account_id(), get_region(), mapping, position])
        super().__setitem__(mapping, position)

    def __deepcopy__(self, memo: dict[int, Any]) -> AccountRegionScopedDict:
        return AccountRegionScopedDict.from_dict(self._data)


def _nothing() -> None:
    pass


def _identity(table: dict[str, Any]) -> tuple[str, str, str]:
    """Account, region and name of a table, whatever request is being handled."""
    _, _, _, region, account, resource = table["TableArn"].split(":", 5)
    return account, region, resource.removeprefix("table/")


def _use_state_dir(path: Path) -> None:
    persistence.STATE_DIR = str(path)
    lambda_svc.CODE_BLOB_DIR = os.path.join(path, "lambda-blobs")  # noqa: PTH118  # MiniStack joins it as a string


def _save(service: str, get_state: Callable[[], Any], folder: Path) -> None:
    """Save one service's state; MiniStack itself would log a failure and go on without."""
    for _ in range(SNAPSHOT_ATTEMPTS):
        with contextlib.suppress(RuntimeError):  # a background thread changed a dict under the copy
            state = get_state()
            if state is None:
                return
            persistence.save_state(service, state)
            if (folder / f"{service}.json").exists():
                return
    raise RuntimeError(f"The state of {service} could not be saved to {folder}")


# -- streams ----------------------------------------------------------------------------------------------------------


def _readers() -> list[tuple[str, str, str, int]]:
    """Account, region, table and position of each event source mapping that reads a stream."""
    found = []
    for (account, region, mapping), record in lambda_svc._esms.all_items():
        source = record.get("EventSourceArn", "")
        position = lambda_svc._dynamodb_stream_positions.get_scoped(account, region, mapping)
        if ":dynamodb:" in source and position is not None:
            found.append((account, region, source.split("/")[1], position))
    return found


def _unread_streams() -> list[Any]:
    """What some consumer has yet to read and some of what lies before, per table.

    Each is [account, region, table, position of the first, records].
    """
    first: dict[tuple[str, str, str], int] = {}
    for *table, position in _readers():
        key = (table[0], table[1], table[2])
        first[key] = min(position, first.get(key, position))
    streams = []
    for (account, region, table_name), wanted in first.items():
        scope = {"account_id": account, "region": region}
        kept = min(wanted, dynamodb.stream_end_position(table_name, **scope) - KEPT_RECORDS)
        start = max(kept, dynamodb.stream_start_position(table_name, **scope))
        records = dynamodb.stream_records_since(table_name, start, sys.maxsize, **scope)
        streams.append([account, region, table_name, start, records])
    return streams


def _restore_streams(streams: list[Any]) -> None:
    for account, region, table_name, start, records in streams:
        dynamodb._stream_records.set_scoped(account, region, table_name, records)
        dynamodb._stream_trimmed.set_scoped(account, region, table_name, start)


def _append_event(account: str, region: str, table_name: str, position: int, record: dict[str, Any]) -> None:
    end = dynamodb.stream_end_position(table_name, account_id=account, region=region)
    if position < end:  # the snapshot holds it
        return
    records = dynamodb._stream_records.get_scoped(account, region, table_name)
    if records is None or position > end:  # the first ever, or what lay between was read or too old
        records = []
        _restore_streams([[account, region, table_name, position, records]])
    records.append(record)


def _align_streams() -> None:
    """A stream never ends before the place up to which it was read: its next record would be skipped."""
    for account, region, table_name, position in _readers():
        if dynamodb.stream_end_position(table_name, account_id=account, region=region) < position:
            _restore_streams([[account, region, table_name, position, []]])
