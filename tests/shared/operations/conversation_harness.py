"""The chat's operations over simulated tables, with everybody's devices: what the tests of this package share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from shared.domain.changes import ADMIN, OWNER, Role
from shared.domain.connections import Connection
from shared.domain.entries import Entry
from shared.domain.members import Member
from shared.operations.changes import Changed
from shared.operations.context import Context
from shared.operations.descriptions import Update, update
from shared.operations.editing import Delete, Edit, React, delete, edit, react
from shared.operations.groups import (
    AddMembers,
    CreatedGroup,
    NewGroup,
    SetRole,
    add_members,
    create_group,
    remove_member,
    set_role,
)
from shared.operations.messages import SendMessage, send_message
from shared.operations.receipts import MoveCursor, move_cursor
from shared.operations.resends import Appended
from shared.operations.rosters import Rosters
from tests.fakes import DM, FakeClock, FakeGateway
from tests.harness import Harness
from tests.stores import Simulated, simulated
from tests.wiring import make_context

GROUP = "group:0123456789abcdef"


def found_group(stores: Simulated, *users: str, admins: Iterable[str] = (), conversation_id: str = GROUP) -> str:
    """A group with its first entry: the first user is its owner."""
    roles: dict[str, Role] = {users[0]: OWNER, **dict.fromkeys(admins, ADMIN)}
    stores.found(conversation_id, *users, roles=roles, at=FakeClock().ms)
    return conversation_id


@dataclass
class ChatHarness(Harness):
    """`inline_limit`, `limit` (members) and `receipts_limit` are what a deployment configures."""

    rosters: Rosters = field(default_factory=Rosters)
    inline_limit: int = 200
    limit: int = 1_000
    receipts_limit: int = 100
    window_s: int = 0
    admit: Callable[[str, int], object] = lambda *_: None

    @property
    def context(self) -> Context:
        return make_context(
            self.clock,
            self.nonces,
            new_secret=lambda: "0123456789abcdef",
            rosters=self.rosters,
            inline_limit=self.inline_limit,
            group_limit=self.limit,
            receipts_limit=self.receipts_limit,
            edit_window_s=self.window_s,
        )

    def copied(self) -> ChatHarness:
        """The same once more, without what was posted so far."""
        return replace(
            self,
            stores=simulated(self.stores),
            gateway=FakeGateway(),
            clock=replace(self.clock),
            nonces=deepcopy(self.nonces),
            rosters=deepcopy(self.rosters),
        )

    def group(self, *users: str, admins: Iterable[str] = ()) -> str:
        self.connect(*users)
        return found_group(self.stores, *users, admins=admins)

    def connection(self, user_id: str, connection_id: str) -> Connection | None:
        return self.stores.connections(user_id).get(connection_id)

    def send(self, content: str = "hi", *, connection_id: str = "", **command: Any) -> Appended:
        place = {} if {"to", "conversation_id"} & command.keys() else {"to": "bob"}
        wanted = SendMessage(**{"sender_id": "alice", "content": content, **place, **command})
        sent = send_message(wanted, connection=self.connection(wanted.sender_id, connection_id), **self.whole)
        assert isinstance(sent, Appended)
        return sent

    def edit(
        self, seq: int, content: str, user_id: str = "alice", *, place: str = DM, data: str | None = None
    ) -> Changed:
        return edit(Edit(user_id, place, seq, content, data), **self.whole)

    def delete(self, seq: int, user_id: str = "alice", *, place: str = DM) -> Changed:
        return delete(Delete(user_id, place, seq), **self.whole)

    def react(
        self,
        seq: int,
        emoji: str,
        user_id: str = "bob",
        *,
        remove: bool = False,
        place: str = DM,
        owner_id: str | None = None,
    ) -> Changed:
        return react(React(user_id, place, seq, emoji, remove=remove, owner_id=owner_id), **self.whole)

    def create(self, *members: str, creator: str = "alice", name: str = "friends", named: str | None = None) -> str:
        return self.created(*members, creator=creator, name=name, named=named).conversation_id

    def created(
        self, *members: str, creator: str = "alice", name: str = "friends", named: str | None = None
    ) -> CreatedGroup:
        return create_group(NewGroup(creator, name, members, named), admit=self.admit, **self.whole)

    def add(self, *users: str, by: str = "alice", place: str = GROUP) -> tuple[str, ...]:
        added, _ = add_members(AddMembers(place, users, by), admit=self.admit, **self.whole)
        return added

    def remove(self, user_id: str, by: str = "alice", *, place: str = GROUP) -> Changed:
        return remove_member(place, user_id, by=by, **self.whole)

    def rename(self, name: str, by: str = "alice", *, place: str = GROUP) -> Changed:
        return update(Update(place, {"name": name}, by), **self.whole)

    def role(self, user_id: str, role: Role, by: str = "alice", *, place: str = GROUP) -> Changed:
        return set_role(SetRole(place, user_id, role, by), **self.whole)

    def move(self, kind: str, seq: int, user_id: str = "bob", *, place: str = DM, connection_id: str = "") -> int:
        connection = self.connection(user_id, connection_id)
        return move_cursor(MoveCursor(kind, user_id, place, seq), connection=connection, **self.whole)

    def at(self, seq: int, place: str = DM) -> Entry:
        return self.stores.entries(place)[seq - 1]

    def entries(self, place: str = GROUP) -> Sequence[Entry]:
        return self.stores.entries(place)

    def member(self, user_id: str, place: str = GROUP) -> Member | None:
        with self.stores.calls.quietly():
            return self.stores.memberships.get(place, user_id)

    def roles(self, place: str = GROUP) -> dict[str, str]:
        with self.stores.calls.quietly():
            roster = self.stores.memberships.roster(place)
        return {user: seat.role for user, seat in roster.seats.items()} if roster else {}

    def heard(self) -> set[str]:
        """Connections that got anything since the last look."""
        got = {connection_id for connection_id, _ in self.gateway.posts}
        self.gateway.posts.clear()
        return got
