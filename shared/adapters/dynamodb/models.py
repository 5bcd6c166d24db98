"""Rows that only the cold side writes, as PynamoDB's models: what each of them has, declared once.

Importing this module imports botocore. So the stores on it do that with the first request that needs a model, and what
the hot path reads of these rows is read by hand (docs/adr/0020-hot-and-cold.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, cast

from pynamodb.attributes import Attribute, BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.connection.base import Connection, MetaTable
from pynamodb.connection.table import TableConnection
from pynamodb.models import Model

from shared.adapters.dynamodb.client import Calls, batch_get_raw, from_item, to_item
from shared.adapters.dynamodb.schema import CONTACT_PREFIX, NOTICE_PREFIX, PK, PROFILE, REMINDER_PREFIX, SK, USER_PREFIX
from shared.domain.contacts import EVERYONE, QuietHours

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


class _Connection(Connection):
    """Makes no client: all that PynamoDB asks goes where all calls go, and their errors come back as they are."""

    def __init__(self, calls: Calls) -> None:
        super().__init__()
        self._calls = calls

    def dispatch(self, operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        return self._calls.call(operation_name, operation_kwargs)


class _MembersTable(TableConnection):
    def __init__(self, calls: Calls, name: str) -> None:
        self.table_name = name
        self.connection = _Connection(calls)
        keys = {PK: "HASH", SK: "RANGE"}
        self.connection.add_meta_table(
            MetaTable(
                {
                    "TableName": name,
                    "KeySchema": [{"AttributeName": key, "KeyType": role} for key, role in keys.items()],
                    "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in keys],
                }
            )
        )


class Prefixed(UnicodeAttribute):
    """A key's text without the prefix that says what it is of."""

    def __init__(self, prefix: str, **options: Any) -> None:
        super().__init__(**options)
        self._prefix = prefix

    def serialize(self, value: str) -> str:
        return self._prefix + value

    def deserialize(self, value: str) -> str:
        return value.removeprefix(self._prefix)


def user_key() -> Prefixed:
    return Prefixed(USER_PREFIX, hash_key=True, attr_name=PK)


def sort_key(prefix: str) -> Prefixed:
    return Prefixed(prefix, range_key=True, attr_name=SK)


class JsonText(JSONAttribute):
    """A mapping as one text: its names are others' affair, and an attribute's must not be empty. Absent where empty."""

    def serialize(self, value: Mapping[str, Any]) -> str | None:
        return json.dumps(dict(value), ensure_ascii=False, separators=(",", ":")) if value else None


class QuietHoursMap(Attribute[QuietHours]):
    """Given as a mapping, as PynamoDB wants all that is stored as one; read as what it means."""

    attr_type = "M"

    def serialize(self, value: Mapping[str, Any]) -> dict[str, Any]:
        return to_item(value)

    def deserialize(self, value: dict[str, Any]) -> QuietHours:
        found = from_item(value)
        return QuietHours(found["start"], found["end"], found["time_zone"])


class Row(Model):
    """A row under its user in the members table. Its attributes have the names that the fields of its value have."""

    calls: ClassVar[Calls]

    @classmethod
    def on(cls, calls: Calls, table: str) -> type[Self]:
        """Bind the rows of this kind to a table and a way to call it. Nothing is shared with another binding."""
        meta = type("Meta", (), {"table_name": table})
        bound = {"Meta": meta, "_connection": _MembersTable(calls, table), "calls": calls}
        return cast("type[Self]", type(cls.__name__, (cls,), bound))

    @classmethod
    def storing(cls, value: DataclassInstance, **others: Any) -> Self:
        """Make the row for a value. `others` are attributes that the value does not have."""
        return cls(**{field.name: getattr(value, field.name) for field in fields(value)}, **others)

    @classmethod
    def all_of(cls, user_id: str) -> Iterator[Self]:
        """Read all of a user's rows of this kind, strongly consistent."""
        key: Prefixed = cls._range_key_attribute()  # type: ignore[no-untyped-call]  # PynamoDB leaves it so
        return cls.query(user_id, key.startswith(""), consistent_read=True)

    @classmethod
    def some(cls, keys: Iterable[tuple[str, str]]) -> Iterator[Self]:
        """Read rows by key, 100 to a consistent round trip. PynamoDB's `batch_get` asks again at once, for ever."""
        wanted = [dict(zip((PK, SK), cls._serialize_keys(*key), strict=True)) for key in keys]
        for _, item in batch_get_raw(cls.calls, {cls.Meta.table_name: wanted}, consistent=True):
            yield cls.from_raw_data(item)

    def value(self, kind: type[T]) -> T:
        return kind(**{field.name: getattr(self, field.name) for field in fields(kind)})


class ReminderRow(Row):
    user_id = user_key()
    reminder_id = sort_key(REMINDER_PREFIX)
    conversation_id = UnicodeAttribute()
    seq = NumberAttribute()
    at = NumberAttribute()
    created_at = NumberAttribute()
    ttl = NumberAttribute()


class NotificationRow(Row):
    user_id = user_key()
    notification_id = sort_key(NOTICE_PREFIX)
    kind = UnicodeAttribute()
    created_at = NumberAttribute()
    expires_at = NumberAttribute()
    title = UnicodeAttribute()
    body = UnicodeAttribute()
    data = JsonText(default=dict, null=True)
    conversation_id = UnicodeAttribute(null=True)
    seq = NumberAttribute(null=True)
    ttl = NumberAttribute()
    acknowledged = BooleanAttribute(null=True)


class ContactRow(Row):
    """One side of a contact: what `owner` knows of the user with `user_id`."""

    owner = user_key()
    contact = sort_key(CONTACT_PREFIX)
    user_id = UnicodeAttribute(attr_name="other")
    status = UnicodeAttribute()
    since = NumberAttribute()
    alias = UnicodeAttribute(null=True)


class ProfileRow(Row):
    """What a user says about themselves. Rows of the first edition have `hide_presence`, too: the session says that."""

    user_id = user_key()
    key = UnicodeAttribute(range_key=True, attr_name=SK, default=PROFILE)
    display_name = UnicodeAttribute(null=True)
    avatar_url = UnicodeAttribute(null=True)
    previews = BooleanAttribute(default=True)
    quiet_hours = QuietHoursMap(null=True)
    groups_from = UnicodeAttribute(default=EVERYONE)
    mail = UnicodeAttribute(default="all")
    mail_stopped = UnicodeAttribute(null=True)
