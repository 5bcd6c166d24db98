"""More bugs that are planted into the product: of broadcasts, withdrawn pushes, groups, and rules and holds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import functions.offline_push.handler as push_module
import functions.rest.messages as rest_module
import shared.adapters.dynamodb.broadcasts as broadcasts_module
import shared.adapters.dynamodb.effects as effects_module
import shared.operations.broadcast_pages as pages_module
import shared.operations.history as history_module
import shared.operations.keeping as keeping_module
import shared.operations.push.withdrawing as withdrawing_module
from functions.rest.wiring import Wiring as RestWiring
from shared.adapters.dynamodb.broadcasts import DynamoDbBroadcasts
from shared.adapters.dynamodb.jobs import DynamoDbJobs
from shared.adapters.dynamodb.schema import broadcast_key
from shared.domain import broadcasts
from shared.domain.broadcasts import CONNECTED, Among, Broadcast, BroadcastJob, BroadcastPosition, Found, Page, Segment
from shared.domain.connections import Connection, live
from shared.domain.joining import Invite
from shared.domain.notifications import AboutNotification
from shared.domain.pushes import Settled
from shared.errors import Unavailable
from shared.operations.keeping import _Keeper
from shared.operations.notifications import KEPT_MS
from shared.operations.pins import pins_of
from shared.operations.push.enqueueing import enqueue_pushes

Patch = tuple[Any, str, Any]
"""Where, what, and what it becomes."""


def _one_connection_each() -> Iterator[Patch]:
    """Of several connections of a user one is told."""

    def few(connections: Sequence[Connection], now: int) -> Sequence[Connection]:
        return live(connections, now)[:1]

    yield pages_module, "live", few


def _last_passed_over() -> Iterator[Patch]:
    """A page goes on behind somebody who was not told any more."""
    next_users = pages_module._next_users

    def hasty(*args: Any, **more: Any) -> Any:
        users, after = next_users(*args, **more)
        return (users if after is None else users[:-1]), after

    yield pages_module, "_next_users", hasty


def _as_many_as_there_are() -> Iterator[Patch]:
    """A job posts to whoever is in its segment, however many."""

    def greedy(number: int, segment: Segment, _: Any, *, stores: Any, **__: Any) -> tuple[list[Found], Any]:
        read = stores.broadcasts.connected if number < broadcasts.SEGMENTS else stores.broadcasts.known
        page = read(number % broadcasts.SEGMENTS, after=segment.after, limit=1_000)
        return list(page.users), page.after

    yield pages_module, "_next_users", greedy


def _uncounted() -> Iterator[Patch]:
    """What was posted is not counted."""
    page_done = pages_module._page_done
    yield pages_module, "_page_done", lambda *args, **more: replace(page_done(*args, **more), posted=0)


def _failed_for_good() -> Iterator[Patch]:
    """A job that has failed counts as done."""
    carry_on = pages_module.carry_on

    def careless(job: BroadcastJob, **parts: Any) -> None:
        with suppress(Unavailable):
            carry_on(job, **parts)

    yield push_module, "carry_on", careless


def _not_gone_on_with() -> Iterator[Patch]:
    """A job that comes again, having noted its page, does nothing: also where it had died before it queued the next."""
    carry_on = pages_module.carry_on

    def brief(job: BroadcastJob, *, stores: Any, **parts: Any) -> None:
        found = stores.broadcasts.get(job.broadcast_id)
        if found is not None and found.segments[job.segment].step == job.step:
            carry_on(job, stores=stores, **parts)

    yield push_module, "carry_on", brief


def _never_halted() -> Iterator[Patch]:
    """A job does not look whether its broadcast is paused or cancelled."""
    carry_on = pages_module.carry_on

    class Unhalted:
        def __init__(self, broadcasts: DynamoDbBroadcasts) -> None:
            self._broadcasts = broadcasts

        def __getattr__(self, name: str) -> Any:
            return getattr(self._broadcasts, name)

        def get(self, broadcast_id: str) -> Broadcast | None:
            found = self._broadcasts.get(broadcast_id)
            return None if found is None else replace(found, halted="")

    def blind(job: BroadcastJob, *, stores: Any, **parts: Any) -> None:
        carry_on(job, stores=replace(stores, broadcasts=Unhalted(stores.broadcasts)), **parts)

    yield push_module, "carry_on", blind


def _two_chains() -> Iterator[Patch]:
    """A job whose page another one has noted goes on all the same."""
    advance = DynamoDbBroadcasts.advance

    def always(self: DynamoDbBroadcasts, broadcast_id: str, number: int, becomes: Segment, *, now: int) -> Any:
        return advance(self, broadcast_id, number, becomes, now=now) or self.get(broadcast_id)

    yield DynamoDbBroadcasts, "advance", always


def _begun_anew() -> Iterator[Patch]:
    """The same request again begins anew."""
    start = DynamoDbBroadcasts.start

    def anew(self: DynamoDbBroadcasts, broadcast: Broadcast, *, limit: int) -> Broadcast | None:
        found = start(self, broadcast, limit=limit)
        if found is not None and found.says_as(broadcast):
            self._calls.call("PutItem", self._table.written(broadcasts_module._item(broadcast)))
            return broadcast
        return found

    yield DynamoDbBroadcasts, "start", anew


def _any_number_at_once() -> Iterator[Patch]:
    start = DynamoDbBroadcasts.start
    yield DynamoDbBroadcasts, "start", lambda self, broadcast, *, limit: start(self, broadcast, limit=limit + 10)


def _halted_whatever() -> Iterator[Patch]:
    """One that is cancelled goes on when it is resumed."""

    def halt(self: DynamoDbBroadcasts, broadcast_id: str, why: str, *, now: int) -> Broadcast | None:
        if (found := self.get(broadcast_id)) is None:
            return None
        self._table.update(
            broadcast_key(broadcast_id), "SET halted = :why, updated_at = :now", {":why": why, ":now": now}
        )
        return replace(found, halted=why)

    yield DynamoDbBroadcasts, "halt", halt


def _put(self: DynamoDbBroadcasts, broadcast: Broadcast, user_id: str, among: Among) -> None:
    """Whatever is there."""
    told = broadcast.told(kept_ms=KEPT_MS)
    said = {"kind": told.kind, "title": told.title, "body": told.body, broadcasts_module.BROADCAST: among}
    times = {"created_at": told.created_at, "expires_at": told.expires_at}
    key = {"pk": f"user#{user_id}", "sk": f"notice#{broadcast.broadcast_id}"}
    self._calls.call("PutItem", self._table.written({**key, **said, **times}))


def _comes_back() -> Iterator[Patch]:
    """It is stored for whoever is met, be it there already, and be it acknowledged."""

    def store(self: DynamoDbBroadcasts, broadcast: Broadcast, users: Collection[str], *, among: Among, **_: Any) -> int:
        for user_id in users:
            _put(self, broadcast, user_id, among)
        return len(users)

    yield DynamoDbBroadcasts, "store", store


def _counted_twice() -> Iterator[Patch]:
    """Who is met by both scans counts twice."""
    store = DynamoDbBroadcasts.store

    def all_of_them(self: DynamoDbBroadcasts, broadcast: Broadcast, users: Collection[str], **more: Any) -> int:
        store(self, broadcast, users, **more)
        return len(users)

    yield DynamoDbBroadcasts, "store", all_of_them


def _told_before_it_is_stored() -> Iterator[Patch]:
    """Who is connected finds it in their list when the second scan has come to them."""
    store = DynamoDbBroadcasts.store

    def late(self: DynamoDbBroadcasts, broadcast: Broadcast, users: Collection[str], **more: Any) -> int:
        return 0 if more["among"] == CONNECTED else store(self, broadcast, users, **more)

    yield DynamoDbBroadcasts, "store", late


def _connected_alone() -> Iterator[Patch]:
    """It is stored for who was ever connected, and for nobody else."""
    yield DynamoDbBroadcasts, "known", lambda *_, **__: Page([], None)


def _wakes() -> Iterator[Patch]:
    """A page's users are pushed to."""
    page_done = pages_module._page_done

    def loud(broadcast: Broadcast, job: BroadcastJob, *, stores: Any, **parts: Any) -> Segment:
        becomes = page_done(broadcast, job, stores=stores, **parts)
        enqueue_pushes({AboutNotification(broadcast.broadcast_id): ["bob", "carol"]}, stores=stores, **parts)
        return becomes

    yield pages_module, "_page_done", loud


def _newest_left_out() -> Iterator[Patch]:
    of = DynamoDbBroadcasts.of

    def older(self: DynamoDbBroadcasts, *, before: BroadcastPosition | None, limit: int) -> Sequence[Broadcast]:
        return of(self, before=before, limit=limit)[1:]

    yield DynamoDbBroadcasts, "of", older


def _by_anybody() -> Iterator[Patch]:
    yield RestWiring, "permitted", lambda self, app, _: self.caller(app)


def _pins_one_off() -> Iterator[Patch]:
    """A pin is listed by the place behind its message's."""

    def off(*args: Any, **more: Any) -> Any:
        return [replace(one, pin=replace(one.pin, seq=one.pin.seq + 1)) for one in pins_of(*args, **more)]

    yield rest_module, "pins_of", off


def _taken_off_as_news() -> Iterator[Patch]:
    """Whatever changes at the row of somebody who was pushed something takes it off."""
    yield Settled, "covers", lambda *_: True
    yield withdrawing_module, "_is_over", lambda *_: True


def _past_in_history() -> Iterator[Patch]:
    """Who came late reads what was before by pages of the history."""
    entries = history_module._entries
    yield history_module, "_entries", lambda span, reader, log: entries(span, replace(reader, visible_from=0), log)


def _link_for_anybody() -> Iterator[Patch]:
    """How many have come by a link is not looked at."""
    on_way_in = effects_module._on_way_in

    def unlimited(*args: Any) -> Any:
        parts = on_way_in(*args)
        for update in (part["Update"] for part in parts if "Update" in part):
            update["ConditionExpression"] = "attribute_exists(pk)"
            del update["ExpressionAttributeValues"][":now"]
        return parts

    yield Invite, "is_good", lambda *_: True
    yield effects_module, "_on_way_in", unlimited


def _newest_first() -> Iterator[Patch]:
    """Whatever the rule was before, it comes to the newest entries first."""
    yield _Keeper, "_is_longer", lambda _: True


def _hold_not_seen() -> Iterator[Patch]:
    """The job does not look whether the conversation is on hold."""
    kept_by = keeping_module.kept_by
    yield keeping_module, "kept_by", lambda row, rule, *, is_held, now: kept_by(row, rule, is_held=False, now=now)


def _comes_again_in_its_second() -> Iterator[Patch]:
    """What has ended gets its end in whole seconds, rounded up."""
    new_end = keeping_module._new_end

    def later(row: Any, rule: Any, now: int) -> int | None:
        end = new_end(row, rule, now)
        return end + 1 if end is not None and end * 1_000 <= now else end

    yield keeping_module, "_new_end", later


def _given_up_when_the_answer_is_lost() -> Iterator[Patch]:
    """A step that was stored by a call whose answer was lost queues nothing."""
    save = DynamoDbJobs.save
    refused: set[str] = set()

    def noting(self: DynamoDbJobs, job: Any) -> bool:
        is_saved = save(self, job)
        refused.update(() if is_saved else {job.job_id})
        return is_saved

    def get(self: DynamoDbJobs, kind: Any, user_id: str) -> Any:
        found = there(self, kind, user_id)
        return None if found is not None and found.job_id in refused else found

    there = DynamoDbJobs.get
    yield DynamoDbJobs, "save", noting
    yield DynamoDbJobs, "get", get


RULES: Final[Mapping[str, Callable[[], Iterator[Patch]]]] = {
    "a shorter rule comes to the newest first": _newest_first,
    "a hold that the job does not look at": _hold_not_seen,
    "what has ended comes again within its second": _comes_again_in_its_second,
    "a job whose answer was lost goes on no more": _given_up_when_the_answer_is_lost,
}
OTHERS: Final[Mapping[str, Callable[[], Iterator[Patch]]]] = {
    "a pin is listed one place off": _pins_one_off,
    "a link lets in as many as come": _link_for_anybody,
    "a newcomer reads what was before": _past_in_history,
}
WITHDRAWN: Final[Mapping[str, Callable[[], Iterator[Patch]]]] = {"news is taken off phones": _taken_off_as_news}
BROADCASTS: Final[Mapping[str, Callable[[], Iterator[Patch]]]] = {
    "a broadcast on one of a user's connections": _one_connection_each,
    "a broadcast's page behind somebody who was not told": _last_passed_over,
    "a broadcast's job posts as many as there are": _as_many_as_there_are,
    "a broadcast's posts are not counted": _uncounted,
    "a broadcast's job that fails is done": _failed_for_good,
    "a broadcast's job that comes again queues nothing": _not_gone_on_with,
    "a broadcast that is held up goes on": _never_halted,
    "a broadcast's second job for a page goes on": _two_chains,
    "a broadcast that begins anew when it is asked for again": _begun_anew,
    "any number of broadcasts at once": _any_number_at_once,
    "a cancelled broadcast is resumed": _halted_whatever,
    "an acknowledged broadcast comes back": _comes_back,
    "who is known and connected counts twice": _counted_twice,
    "a broadcast is told before it is stored": _told_before_it_is_stored,
    "a broadcast that is stored for who was connected alone": _connected_alone,
    "a broadcast wakes phones": _wakes,
    "the newest broadcast is left out of the list": _newest_left_out,
    "anybody may broadcast": _by_anybody,
}
