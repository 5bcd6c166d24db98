"""Devices in DynamoDB: one item per user, and one row per push target that says whose it is.

A device is in its user's item exactly where its target's row names it: both are written in one transaction, on
condition that neither has changed since it was read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Final

from shared.adapters.dynamodb import schema
from shared.adapters.dynamodb.client import USER_ID, Item, MembersStore, transact
from shared.adapters.dynamodb.schema import PK, SK, USER_PREFIX, devices_key, read_as, said_by, target_key
from shared.domain.devices import Device, PushTarget
from shared.domain.entries import Entry
from shared.errors import Unavailable

_ATTEMPTS: Final = 5
_DEVICES: Final = "devices"
_DEVICE_ID: Final = "device_id"
_VERSION: Final = "version"

_Owner = tuple[str, str]
"""A user, and the id of one of their devices."""


@dataclass(frozen=True, slots=True)
class _Owned:
    """A user's item. Every change counts `version` up."""

    user_id: str
    devices: Mapping[str, Device] = field(default_factory=dict)
    version: int = 0


class DynamoDbDevices(MembersStore):
    def of(self, user_ids: Collection[str]) -> Mapping[str, Sequence[Device]]:
        items = self._table.find(map(devices_key, sorted(set(user_ids))))
        return {item[PK].removeprefix(USER_PREFIX): devices_from(item) for item in items}

    def register(self, user_id: str, device: Device, *, limit: int, notes: Sequence[Entry] = ()) -> bool:
        """Raises Unavailable where others go on changing the same."""

        def attempt() -> bool | None:
            mine, owners = self._read(user_id, [device.target])
            owner = owners.get(target_hash(device.target))
            others = {key: one for key, one in mine.devices.items() if key != device.device_id}
            if owner is not None and owner[0] == user_id:
                others.pop(owner[1], None)
            oldest_first = sorted(others.values(), key=lambda one: one.registered_at)
            for surplus in oldest_first[: max(len(others) + 1 - limit, 0)]:
                del others[surplus.device_id]
            becomes = {**others, device.device_id: device}
            named = {**target_key(target_hash(device.target)), USER_ID: user_id, _DEVICE_ID: device.device_id}
            parts = [self._put_owned(mine, becomes), {"Put": self._table.written(named, **_owner_is(owner))}]
            if owner is not None and owner[0] != user_id:
                parts += self._taken_from(owner, device.target)
            return self._written([*parts, *self._rows_left(mine, becomes)], notes)

        return self._until_unchanged(attempt)

    def forget(self, user_id: str, device_id: str, *, notes: Sequence[Entry] = ()) -> bool:
        return self._change(user_id, device_id, lambda _: None, notes=notes)

    def forget_unchanged(self, user_id: str, device: Device) -> bool:
        return self._change(user_id, device.device_id, lambda _: None, known=device)

    def change_environment(self, user_id: str, device: Device, target: PushTarget) -> bool:
        return self._change(user_id, device.device_id, lambda one: replace(one, target=target), known=device)

    def _change(
        self,
        user_id: str,
        device_id: str,
        change: Callable[[Device], Device | None],
        *,
        known: Device | None = None,
        notes: Sequence[Entry] = (),
    ) -> bool:
        """Change or (None) remove one device. False where it isn't there, or isn't what was `known` of it."""

        def attempt() -> bool | None:
            mine, _ = self._read(user_id, [])
            device = mine.devices.get(device_id)
            if device is None or (known is not None and _version(device) != _version(known)):
                return None
            becomes = {key: one for key, one in mine.devices.items() if key != device_id}
            changed = change(device)
            if changed is not None:
                becomes[device_id] = changed
            return self._written([self._put_owned(mine, becomes), *self._rows_left(mine, becomes)], notes)

        return self._until_unchanged(attempt)

    def _written(self, parts: Sequence[dict[str, Any]], notes: Sequence[Entry]) -> bool | None:
        """False where another write came between; None where a note's place is taken: its maker sees to that."""
        if transact(self._calls, [*parts, *schema.noted(notes, self._log)]):
            return True
        taken = self._log.find(schema.entry_key(note.conversation_id, note.seq) for note in notes)
        return None if taken else False

    def _until_unchanged(self, attempt: Callable[[], bool | None]) -> bool:
        """Read and write until no other write came between. False where `attempt` found nothing to do (None)."""
        for number in range(_ATTEMPTS):
            if number:
                self._calls.pause(number - 1)
            written = attempt()
            if written is not False:
                return written is not None
        raise Unavailable

    def _read(self, user_id: str, targets: Collection[PushTarget]) -> tuple[_Owned, dict[str, _Owner]]:
        """A user's item, and by their hashes the owners of targets."""
        hashes = sorted({target_hash(target) for target in targets})
        wanted = [devices_key(user_id), *map(target_key, hashes)]
        found = {(item[PK], item[SK]): item for item in self._table.find(wanted)}
        owners = {one: found.get((key[PK], key[SK])) for one, key in zip(hashes, wanted[1:], strict=True)}
        item = found.get((wanted[0][PK], wanted[0][SK]), {})
        mine = _Owned(user_id, {one.device_id: one for one in devices_from(item)}, item.get(_VERSION, 0))
        return mine, {one: (row[USER_ID], row[_DEVICE_ID]) for one, row in owners.items() if row is not None}

    def _taken_from(self, owner: _Owner, target: PushTarget) -> list[dict[str, Any]]:
        """The previous owner's item without the device; nothing where it has another target, or is not there."""
        theirs, _ = self._read(owner[0], [])
        theirs_there = theirs.devices.get(owner[1])
        if theirs_there is None or target_hash(theirs_there.target) != target_hash(target):
            return []
        return [self._put_owned(theirs, {key: one for key, one in theirs.devices.items() if key != owner[1]})]

    def _rows_left(self, mine: _Owned, becomes: Mapping[str, Device]) -> list[dict[str, Any]]:
        """Deletes the rows of targets that no device of this user, or of another, has any more."""
        kept = {target_hash(one.target) for one in becomes.values()}
        left = {target_hash(one.target): one for one in mine.devices.values()}
        gone = {one: device for one, device in left.items() if one not in kept}
        if not gone:
            return []
        _, owners = self._read(mine.user_id, [device.target for device in gone.values()])
        return [
            {"Delete": self._table.deleted(target_key(one), **_owner_is(owners[one]))}
            for one, device in gone.items()
            if owners.get(one) == (mine.user_id, device.device_id)
        ]

    def _put_owned(self, was: _Owned, becomes: Mapping[str, Device]) -> dict[str, Any]:
        item = {
            **devices_key(was.user_id),
            _DEVICES: {key: _device_value(device) for key, device in becomes.items()},
            _VERSION: was.version + 1,
        }
        unchanged, values = f"#{_VERSION} = :version", {":version": was.version}
        if not was.version:
            unchanged, values = f"attribute_not_exists({PK})", {}
        return {"Put": self._table.written(item, condition=unchanged, values=values)}


def target_hash(target: PushTarget) -> str:
    """Names a target. The environment is no part of it: a token is in one of them, and we may have the wrong one."""
    text = f"{target.platform}/{'installation' if target.is_installation else 'token'}/{target.token}"
    return sha256(text.encode()).hexdigest()


def devices_from(item: Item) -> list[Device]:
    """All devices of a user's item; none for an empty one."""
    return [
        Device(device_id, read_as(PushTarget, value), value["registered_at"])
        for device_id, value in item.get(_DEVICES, {}).items()
    ]


def _device_value(device: Device) -> dict[str, Any]:
    return {**said_by(device.target), "registered_at": device.registered_at}


def _version(device: Device) -> tuple[str, int]:
    return target_hash(device.target), device.registered_at


def _owner_is(owner: _Owner | None) -> dict[str, Any]:
    """The condition that a target's row names this device, or (None) that there is no row."""
    if owner is None:
        return {"condition": f"attribute_not_exists({PK})", "values": {}}
    return {
        "condition": f"{USER_ID} = :user AND {_DEVICE_ID} = :device",
        "values": {":user": owner[0], ":device": owner[1]},
    }
