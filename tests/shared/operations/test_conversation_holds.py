"""Legal holds of conversations: no row goes while one stands, whatever would take it, and they go on behind it."""

from __future__ import annotations

from typing import Any

import pytest

from shared.clock import DAY_MS, SECOND_MS
from shared.domain.jobs import DONE, ERASURE, KEEPING, REMOVAL
from shared.errors import NotFound
from shared.operations import keeping
from shared.operations.files import sweep
from shared.operations.rights import (
    begin_erasure,
    begin_removal,
    conversation_hold_of,
    hold_conversation,
    lift_conversation_hold,
)
from tests.fakes import DM
from tests.shared.operations.conversation_harness import GROUP, found_group
from tests.shared.operations.test_keeping import Kept, kept
from tests.stores import LOG, MEMBERS


def held(made: Kept, place: str = DM) -> None:
    hold_conversation(place, "case 4711", by="root", **made.whole)
    made.carry_out_all()


def lifted(made: Kept, place: str = DM) -> None:
    lift_conversation_hold(place, **made.whole)
    made.carry_out_all()


def seqs(made: Kept, place: str = DM) -> list[int]:
    return [row["seq"] for row in made.stores.rows(LOG, conversation_id=place)]


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("first", ["hold", "rule"])
def test_no_row_goes_while_it_stands_and_what_has_ended_is_hidden_all_the_same(own: bool, first: str) -> None:
    made = kept(private_days=0 if own else 3)
    made.written(0, 1, 1, 1, 1)
    if first == "hold":
        held(made)
    if own:
        made.rule(3)
    if first == "rule":
        held(made)
    made.written(1, 1)
    everything = seqs(made)
    made.pass_days(100)
    made.reap()
    assert seqs(made) == everything
    assert not [row for row in made.rows() if "ttl" in row]
    assert made.page().messages == []
    lifted(made)
    ttls = [row["ttl"] * SECOND_MS for row in made.rows() if "ttl" in row]
    assert len(ttls) == len(everything) - 2
    assert min(ttls) >= made.clock.ms + DAY_MS
    made.pass_days(3)
    made.reap()
    assert seqs(made) == [1, everything[-1]]


def test_a_rule_that_is_set_meanwhile_counts_and_keeps_the_rows() -> None:
    made = kept()
    made.written(0, 1, 1, 1, 1)
    held(made)
    made.rule(2)
    assert made.shown()[0] == [4, 5]
    assert seqs(made) == [1, 2, 3, 4, 5, 6]
    assert not [row for row in made.rows() if "ttl" in row]
    made.rule(None)
    lifted(made)
    made.pass_days(3)
    made.reap()
    assert seqs(made) == [1, 4, 5, 6, 7]  # what had ended stays so


def test_files_of_what_is_held_stay_and_go_behind_it() -> None:
    made = kept(private_days=3)
    made.stores.ready_file("f1", "alice")
    made.send("", file_id="f1", message_type="image")
    made.send("next")
    made.settle()
    held(made)
    made.pass_days(10)
    parts: dict[str, Any] = {"files": made.stores.files, "objects": made.objects, "now": made.clock.ms}
    swept = [sweep(one, **parts) for one in made.stores.files.due(made.clock.ms, limit=9)]
    assert not any(swept)
    lifted(made)
    made.pass_days(2)
    parts["now"] = made.clock.ms
    swept = [sweep(one, **parts) for one in made.stores.files.due(made.clock.ms, limit=9)]
    assert any(swept)


def test_a_longer_log_is_held_by_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MAX_KEPT", 2)
    monkeypatch.setattr(keeping, "_AT_ONCE", 2)
    made = kept(private_days=3)
    made.written(0, 0, 0, 0, 0, 0, 0)
    hold_conversation(DM, "", by="root", **made.whole)
    assert [row["seq"] for row in made.rows() if "ttl" in row] == [3, 4, 5, 6]
    made.carry_out_all()
    assert not [row for row in made.rows() if "ttl" in row]
    job = made.stores.jobs.get(KEEPING, DM)
    assert job is not None
    assert job.status == DONE


def test_what_was_there_when_the_first_round_had_passed_it_is_held_by_the_second() -> None:
    made = kept(private_days=3)
    made.written(0, 0, 0)
    hold_conversation(DM, "", by="root", **made.whole)
    made.stores.edit(LOG, {"conversation_id": DM, "seq": 2}, ttl=5)
    made.carry_out_all()
    assert not [row for row in made.rows() if "ttl" in row]


@pytest.mark.parametrize("kind", [ERASURE, REMOVAL])
def test_erasures_and_removals_leave_it_and_say_so(kind: str) -> None:
    made = kept()
    found_group(made.stores, "alice", "bob")
    made.send("of bob", sender_id="bob", to="alice")
    made.send("of bob", sender_id="bob", conversation_id=GROUP)
    made.stores.ready_file("f1", "bob")
    made.stores.ready_file("f2", "bob")
    made.send("", sender_id="bob", conversation_id=GROUP, file_id="f1", message_type="image")
    held(made, GROUP)
    begin = begin_erasure if kind == ERASURE else begin_removal
    begin("bob", by="root", **made.whole)
    made.carry_out_all()
    said = [entry.content for entry in made.entries(GROUP) if entry.sender_id == "bob" and entry.is_message]
    assert said == ["of bob", ""]
    assert [entry.content for entry in made.entries(DM) if entry.is_message] == [None]
    job = made.job_of(kind)  # type: ignore[arg-type]  # one of these two
    assert job.status == DONE
    if kind == REMOVAL:
        assert (job.counts["messages"], job.counts["held"]) == (1, 2)
        return
    assert job.left["held"] == 3  # two messages and a file
    assert "undone" not in job.left
    files = made.stores.files.find(["f1", "f2"])
    assert {name: file.status for name, file in files.items()} == {"f1": "ready", "f2": "deleted"}
    lifted(made, GROUP)
    begin_erasure("bob", by="root", **made.whole)
    made.carry_out_all()
    assert "held" not in made.job_of(ERASURE).left
    assert not [entry for entry in made.entries(GROUP) if entry.sender_id == "bob" and entry.content]


def test_an_erasure_leaves_what_has_ended_and_is_held() -> None:
    made = kept(private_days=3)
    made.written(0, 0, 0)
    held(made)
    made.pass_days(10)
    begin_erasure("alice", by="root", **made.whole)
    made.carry_out_all()
    assert [row["content"] for row in made.rows()] == ["text 0", "text 1", "text 2"]
    assert made.job_of(ERASURE, "alice").left["held"] >= 1


def test_of_what_there_is_none_none_is_held() -> None:
    made = kept()
    for place in (DM, GROUP, "group:zzzzzzzzzzzzzzzz", "user:alice", "nonsense", ""):
        with pytest.raises(NotFound):
            hold_conversation(place, "", by="root", **made.whole)
        with pytest.raises(NotFound):
            conversation_hold_of(place, stores=made.stores)
        lift_conversation_hold(place, **made.whole)
    assert [row for row in made.stores.rows(MEMBERS) if str(row["pk"]).startswith("hold#")] == []


def test_the_last_hold_counts_and_is_a_conversations_alone() -> None:
    made = kept()
    made.send("hi")
    held(made)
    made.clock.ms += 5
    hold_conversation(DM, "another", by="eve", **made.whole)
    hold = conversation_hold_of(DM, stores=made.stores)
    assert (hold.user_id, hold.reason, hold.at, hold.by) == (DM, "another", made.clock.ms, "eve")
    assert made.stores.holds.among([DM, GROUP, "alice"]) == {DM}
    lifted(made)
    assert made.stores.holds.get(DM) is None
