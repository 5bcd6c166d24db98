"""The directory's records, by hand: each changes with what is shown of it and what it is found by, in one transaction.

A record is a row under its user, `record`; name and avatar are the profile's, which pushes read, too, and so is why
mails to the address have ended, which the user's settings show. A listed name is a row for each of its terms: under the
term's first character, by the term. Who has an address has a row `mail`, which says only that: it is read for who is
away (see `mails.py`), and nothing else of the record is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from shared.adapters.dynamodb import schema
from shared.adapters.dynamodb.client import USER_ID, Item, MembersStore, transact
from shared.adapters.dynamodb.schema import PK, SK, read_as
from shared.domain.contacts import Profile, QuietHours
from shared.domain.entries import Entry
from shared.domain.users import User

_SHOWN: Final = {"name": "display_name", "avatar": "avatar_url", "mail_stopped": "mail_stopped"}
_RECORD: Final = ("role", "data", "deactivated", "version", "listed_as", "email")


def profile_from(item: Item) -> Profile:
    """What a profile's row says, by hand: it is read for every push, with rows that are no models."""
    quiet = {"quiet_hours": QuietHours(**item["quiet_hours"])} if "quiet_hours" in item else {}
    return read_as(Profile, item, **quiet)


class DynamoDbUsers(MembersStore):
    def of(self, user_ids: Sequence[str]) -> Mapping[str, User]:
        keys = [key for one in user_ids for key in (schema.record_key(one), schema.profile_key(one))]
        rows = {schema.key_pair(row): row for row in self._table.find(keys)} if keys else {}
        return {one: self._user(one, rows) for one in user_ids}

    def versions(self, user_ids: Collection[str]) -> Mapping[str, int]:
        keys = {schema.key_pair(schema.record_key(one)): one for one in sorted(set(user_ids))}
        rows = self._table.find([schema.record_key(one) for one in keys.values()], consistent=False)
        return {keys[schema.key_pair(row)]: row["version"] for row in rows}

    def _user(self, user_id: str, rows: Mapping[tuple[str, str], Item]) -> User:
        record = rows.get(schema.key_pair(schema.record_key(user_id)), {})
        profile = rows.get(schema.key_pair(schema.profile_key(user_id)), {})
        shown: dict[str, Any] = {name: profile.get(attribute) for name, attribute in _SHOWN.items()}
        return User(user_id, **shown, **{name: record[name] for name in _RECORD if name in record})

    def change(self, was: User, becomes: User | None, *, notes: Sequence[Entry] = ()) -> bool:
        terms = set(becomes.terms) if becomes else set()
        listed = [self._listed(was.user_id, term) for term in sorted(terms - set(was.terms))]
        unlisted = [
            {"Delete": self._table.deleted(schema.term_key(term, was.user_id))}
            for term in sorted(set(was.terms) - terms)
        ]
        shown = becomes or User(was.user_id)
        is_news = (was.email, was.mail_stopped) != (shown.email, shown.mail_stopped)
        mail = [self._mail(shown)] if is_news else []
        changes = [self._record(was, becomes), self._profile(shown), *mail, *listed, *unlisted]
        return transact(self._calls, [*changes, *schema.noted(notes, self._log)])

    def listed(self, prefix: str, *, after: tuple[str, str] | None, limit: int) -> Sequence[tuple[str, str]]:
        values = {":under": schema.term_key(prefix, "")[PK], ":prefix": prefix}
        condition = f"{PK} = :under AND begins_with({SK}, :prefix)"
        start = None if after is None else schema.term_key(*after)
        rows = self._table.query(condition, values, limit=limit, after=start, consistent=False)
        return [(row[SK].rpartition(schema.SEPARATOR)[0], row[USER_ID]) for row in rows]

    def _record(self, was: User, becomes: User | None) -> dict[str, Any]:
        """On condition that it is what it was."""
        key = schema.record_key(was.user_id)
        condition = "#version = :was" if was.has_record else f"attribute_not_exists({PK})"
        values = {":was": was.version} if was.has_record else {}
        if becomes is None:
            return {"Delete": self._table.deleted(key, condition=condition, values=values)}
        row = {**key, **{name: getattr(becomes, name) for name in _RECORD}, "deactivated": becomes.deactivated or None}
        return {"Put": self._table.written(row, condition=condition, values=values)}

    def _profile(self, user: User) -> dict[str, Any]:
        given = {attribute: getattr(user, name) for name, attribute in _SHOWN.items()}
        put = [f"#{name} = :{name}" for name, value in given.items() if value is not None]
        gone = [f"#{name}" for name, value in given.items() if value is None]
        changes = [f"{verb} {', '.join(names)}" for verb, names in (("SET", put), ("REMOVE", gone)) if names]
        values = {f":{name}": value for name, value in given.items() if value is not None}
        return {"Update": self._table.changed(schema.profile_key(user.user_id), " ".join(changes), values)}

    def _mail(self, user: User) -> dict[str, Any]:
        """Of another address nothing is known yet; when the user was mailed last still counts."""
        change, values = "REMOVE addressed, stopped", {}
        if user.email is not None:
            stopped = "REMOVE stopped" if user.mail_stopped is None else ", stopped = :yes"
            change, values = f"SET addressed = :yes {stopped}", {":yes": True}
        return {"Update": self._table.changed(schema.mail_key(user.user_id), change, values)}

    def _listed(self, user_id: str, term: str) -> dict[str, Any]:
        return {"Put": self._table.written({**schema.term_key(term, user_id), USER_ID: user_id})}
