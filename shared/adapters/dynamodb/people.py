"""Contacts and profiles in DynamoDB: rows under their user, in the members table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shared.adapters.dynamodb.client import Calls, batch_get_raw, transact
from shared.adapters.dynamodb.schema import PK, PROFILE, SK, block_key, contact_key
from shared.domain.contacts import Contact, Pair, Profile, QuietHours

if TYPE_CHECKING:
    from shared.adapters.dynamodb.models import ContactRow, ProfileRow


class DynamoDbContacts:
    """Contacts on the members table."""

    def __init__(self, calls: Calls, *, members_table: str) -> None:
        self._calls = calls
        self._table = members_table

    @cached_property
    def _rows(self) -> type[ContactRow]:
        from shared.adapters.dynamodb.models import ContactRow  # noqa: PLC0415  # the first request imports botocore

        return ContactRow.on(self._calls, self._table)

    def of(self, user_id: str) -> Sequence[Contact]:
        return [row.value(Contact) for row in self._rows.all_of(user_id)]

    def pair(self, user_id: str, other: str) -> Pair:
        keys = [contact_key(user_id, other), contact_key(other, user_id), block_key(other, user_id)]
        items = batch_get_raw(self._calls, {self._table: keys}, consistent=True)
        found = {(item[PK]["S"], item[SK]["S"]): item for _, item in items}
        mine, theirs, block = (found.get((key[PK], key[SK])) for key in keys)
        return Pair(self._side(mine), self._side(theirs), blocks_me=block is not None)

    def _side(self, item: dict[str, Any] | None) -> Contact | None:
        return None if item is None else self._rows.from_raw_data(item).value(Contact)

    def change(self, user_id: str, other: str, *, was: Pair, mine: Contact | None, theirs: Contact | None) -> bool:
        parts = [self._changed(user_id, other, was.mine, mine), self._changed(other, user_id, was.theirs, theirs)]
        return transact(self._calls, parts)

    def _changed(self, owner: str, other: str, was: Contact | None, becomes: Contact | None) -> dict[str, Any]:
        """One side as a part of the transaction, on condition that it is still what it was.

        The alias, too: both sides are written, and the other one may just have been given another name.
        """
        rows = self._rows
        if was is None:
            condition = rows.owner.does_not_exist()
        else:
            alias = rows.alias.does_not_exist() if was.alias is None else rows.alias == was.alias
            condition = (rows.status == was.status) & (rows.since == was.since) & alias
        if becomes is None:
            return {"Delete": rows(owner, other).get_delete_kwargs_from_instance(condition)}
        return {"Put": rows.storing(becomes, owner=owner, contact=other).get_save_kwargs_from_instance(condition)}


class DynamoDbProfiles:
    """Profiles on the members table."""

    def __init__(self, calls: Calls, *, members_table: str) -> None:
        self._calls = calls
        self._table = members_table

    @cached_property
    def _rows(self) -> type[ProfileRow]:
        from shared.adapters.dynamodb.models import ProfileRow  # noqa: PLC0415  # the first request imports botocore

        return ProfileRow.on(self._calls, self._table)

    def get(self, user_id: str) -> Profile:
        rows = self._rows
        try:
            return rows.get(user_id, PROFILE, consistent_read=True).value(Profile)
        except rows.DoesNotExist:
            return Profile()

    def update(self, user_id: str, changes: Mapping[str, object]) -> Profile:
        if not changes:
            return self.get(user_id)
        rows = self._rows
        row = rows(user_id)
        row.update([_changed(getattr(rows, name), value) for name, value in changes.items()])
        return row.value(Profile)


def _changed(attribute: Any, value: object) -> Any:
    if value is None:
        return attribute.remove()
    return attribute.set(asdict(value) if isinstance(value, QuietHours) else value)
