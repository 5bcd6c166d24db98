"""Whatever is done to a group, in whatever order: its log, told from the start, gives what is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.changes import ROLES
from shared.domain.members import unread
from shared.errors import ParleyError
from tests.shared.operations.conversation_harness import GROUP, ChatHarness
from tests.shared.operations.replay import Told, check_log

USERS = ("alice", "bob", "carol", "dave", "erin")
_user = st.sampled_from(USERS)
_seq = st.integers(1, 30)
_text = st.sampled_from(["hi", "you", "there"])
_OPERATIONS = st.one_of(
    st.tuples(st.just("send"), _user, _text, st.none() | _seq),
    st.tuples(st.just("show"), _user, _text | st.just(""), st.none() | _seq),
    st.tuples(st.just("forward"), _user, _seq, st.none() | _seq),
    st.tuples(st.just("resend"), _user, st.integers(0, 9)),
    st.tuples(st.just("retire"), _user),
    st.tuples(st.just("edit"), _user, _seq, _text),
    st.tuples(st.just("delete"), _user, _seq),
    st.tuples(st.just("react"), _user, _seq, st.sampled_from("xy"), st.booleans()),
    st.tuples(st.just("read"), _user, _seq),
    st.tuples(st.just("add"), _user, st.lists(_user, min_size=1, max_size=3)),
    st.tuples(st.just("remove"), _user, _user),
    st.tuples(st.just("role"), _user, _user, st.sampled_from(ROLES)),
    st.tuples(st.just("rename"), _user, _text),
)


@dataclass
class Run:
    """`said` is what each message's sender wrote, `read` where everyone has read to, `sent` what can be resent."""

    harness: ChatHarness = field(default_factory=lambda: ChatHarness(limit=4))
    said: dict[int, str | None] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)
    sent: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    ids: count[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.harness.group("alice", "bob")
        self.harness.connect(*USERS[2:])
        for user in USERS:
            self.harness.stores.ready_file(f"{user}'s", user)
        self.harness.gateway.posts.clear()

    def do(self, operation: tuple[Any, ...]) -> None:
        kind, user, *rest = operation
        try:
            getattr(self, f"_{kind}")(user, *rest)
        except ParleyError:
            assert kind != "resend" or not self._is_in(user)

    def _is_in(self, user: str) -> bool:
        return user in self.harness.roles()

    def _send(self, user: str, text: str, after: int | None, **more: Any) -> None:
        command: dict[str, Any] = {"sender_id": user, "after": after, "client_message_id": f"c{next(self.ids)}", **more}
        sent = self.harness.send(text, conversation_id=GROUP, **command)
        assert not sent.duplicate
        self.said[sent.entry.seq] = sent.entry.content
        if after is not None:
            self.sent.append((sent.entry.seq, {"content": text, **command}))

    def _show(self, user: str, text: str, after: int | None) -> None:
        self._send(user, text, after, message_type="image", file_id=f"{user}'s")

    def _forward(self, user: str, seq: int, after: int | None) -> None:
        self._send(user, "", after, forward_of=(GROUP, seq))

    def _retire(self, user: str) -> None:
        """What the stream does once a message is deleted."""
        self.harness.stores.files.retire(f"{user}'s")

    def _resend(self, user: str, which: int) -> None:
        """However late, whatever became of it: the first reply again, unless the sender is out."""
        mine = [(seq, command) for seq, command in self.sent if command["sender_id"] == user]
        if mine:
            seq, command = mine[which % len(mine)]
            again = self.harness.send(conversation_id=GROUP, **command)
            assert (again.entry.seq, again.duplicate) == (seq, True)

    def _edit(self, user: str, seq: int, text: str) -> None:
        self.harness.edit(seq, text, user, place=GROUP)

    def _delete(self, user: str, seq: int) -> None:
        self.harness.delete(seq, user, place=GROUP)

    def _react(self, user: str, seq: int, emoji: str, remove: bool) -> None:  # as it was drawn
        self.harness.react(seq, emoji, user, remove=remove, place=GROUP)

    def _read(self, user: str, seq: int) -> None:
        self.read[user] = self.harness.move("read", seq, user, place=GROUP)

    def _add(self, user: str, users: list[str]) -> None:
        for one in self.harness.add(*users, by=user):
            self.read[one] = len(self.harness.entries())

    def _remove(self, user: str, whom: str) -> None:
        self.harness.remove(whom, by=user)

    def _role(self, user: str, whom: str, role: Any) -> None:
        self.harness.role(whom, role, by=user)

    def _rename(self, user: str, name: str) -> None:
        self.harness.rename(name, by=user)


def _check_unread(run: Run, told: Told) -> None:
    """Messages behind the read cursor and behind one's own last message."""
    entries = run.harness.entries()
    for user in told.roles:
        member = run.harness.member(user)
        assert member is not None
        own = max((entry.seq for entry in entries if entry.is_message and entry.sender_id == user), default=0)
        seen = max(run.read.get(user, 1), own)
        assert unread(member, entries[-1]) == sum(entry.is_message for entry in entries[seen:])


@settings(max_examples=150)
@given(st.lists(_OPERATIONS, max_size=30))
def test_what_is_stored_is_what_the_log_tells(operations: list[tuple[Any, ...]]) -> None:
    run = Run()
    for operation in operations:
        run.do(operation)
    _check_unread(run, check_log(run.harness, run.said))


@settings(max_examples=100)
@given(st.lists(_OPERATIONS, max_size=15), st.lists(_OPERATIONS, max_size=15))
def test_it_still_is_where_somebody_is_always_quicker(
    operations: list[tuple[Any, ...]], others: list[tuple[Any, ...]]
) -> None:
    run = Run()
    waiting = list(others)

    def quicker(_: object) -> None:
        run.harness.stores.before_put(None)
        if waiting:
            run.do(waiting.pop())
        run.harness.stores.before_put(quicker)

    run.harness.stores.before_put(quicker)
    for operation in operations:
        run.do(operation)
    check_log(run.harness, {})


def test_the_operations_that_are_drawn_reach_every_kind_of_entry() -> None:
    run = Run()
    operations: list[tuple[Any, ...]] = [
        ("add", "alice", ["carol"]),
        ("send", "bob", "hi", 1),
        ("edit", "bob", 3, "you"),
        ("react", "carol", 3, "x", False),
        ("role", "alice", "bob", "owner"),
        ("rename", "bob", "there"),
        ("remove", "bob", "alice"),
        ("delete", "bob", 3),
        ("resend", "bob", 0),
    ]
    for operation in operations:
        run.do(operation)
    kinds = {entry.kind for entry in run.harness.entries()}
    assert len(kinds) == 7
    done = partial(check_log, run.harness, run.said)
    assert set(done().roles) == {"bob", "carol"}
