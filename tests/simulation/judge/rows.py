"""The rows of members, and messages with what hangs on them, are what their log says."""

from __future__ import annotations

from collections.abc import Iterator

from shared.domain.changes import Edited
from shared.domain.text import private_members
from tests.simulation.judge.case import Case


def members_as_told(case: Case) -> Iterator[str]:
    """The rows of members are what the log says, on both sides."""
    rows = case.scenario.store.items("members")
    for name in case.logs:
        told = case.told(name)
        private = private_members(name)
        expected = set(private or told.roles)
        of_conversation = {
            row["user_id"]: row for row in rows if row["pk"] == f"conversation#{name}" and "user_id" in row
        }
        of_users = {row["user_id"]: row for row in rows if row["sk"] == f"conversation#{name}"}
        if set(of_conversation) != expected or set(of_users) != expected:
            yield f"{name} has {sorted(expected)}, stored are {sorted(of_conversation)} and {sorted(of_users)}"
        elif private is None:
            roles = {user: row["role"] for user, row in of_conversation.items()}
            joined = {user: row["joined_seq"] for user, row in of_users.items()}
            (group,) = (row for row in rows if row["pk"] == f"conversation#{name}" and row["sk"] == "group")
            if roles != told.roles or joined != {user: told.joined[user] for user in told.roles}:
                yield f"{name} has {told.roles} since {told.joined}, stored are {roles} since {joined}"
            if (group["size"], group["name"]) != (len(expected), told.name):
                yield f"{name} is {told.name!r} of {len(expected)}, stored is {group}"
            if expected and "owner" not in roles.values():
                yield f"{name} has no owner"


def messages_as_told(case: Case) -> Iterator[str]:
    """Each message is what the changes behind it have made of it; the running numbers are right."""
    for name, log in case.logs.items():
        told = case.told(name)
        messages = [entry for entry in log if entry.is_message]
        contents = {entry.seq: entry.content for entry in messages}
        if contents != told.contents:
            yield f"{name} says {contents}, its changes say {told.contents}"
        reactions = {entry.seq: set(entry.reactions) for entry in messages}
        if reactions != told.reactions:
            yield f"{name} has the reactions {reactions}, its changes say {told.reactions}"
        number = latest = 0
        for entry in log:
            number, latest = (number + 1, entry.seq) if entry.is_message else (number, latest)
            if (entry.number, entry.message_seq) != (number, latest):
                yield f"{name}/{entry.seq} is counted as {entry.number}, behind message {entry.message_seq}"


def contents_in_one_place(case: Case) -> Iterator[str]:
    """A content stands in the latest edit's entry alone, and nowhere once its message was deleted."""
    for name, log in case.logs.items():
        latest: dict[int, int] = {}
        for entry in log:
            if isinstance(entry.change, Edited):
                latest[entry.change.target] = entry.seq
        for entry in log:
            if not isinstance(entry.change, Edited):
                continue
            message = log[entry.change.target - 1]
            is_latest = latest[entry.change.target] == entry.seq and message.deleted_at is None
            expected = message.data if is_latest else None
            if entry.change.data != expected:
                yield f"{name}/{entry.seq} hangs {entry.change.data!r} on its message, and not {expected!r}"
            if (entry.change.content is not None) != is_latest:
                yield f"{name}/{entry.seq} says {entry.change.content!r}, and is the latest edit: {is_latest}"
        for message in log:
            hung = (message.data, message.attachments)
            gone = (message.content, message.reactions, message.mentions, message.file_id, message.reply_to, *hung)
            if message.is_message and message.deleted_at is not None and any(gone):
                yield f"{name}/{message.seq} was deleted, and still has {gone}"


RULES = (members_as_told, messages_as_told, contents_in_one_place)
