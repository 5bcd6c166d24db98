"""Webhooks: each event at least once, in order in its conversation, however the dispatcher and the receiver fail."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from shared.adapters.aws.event_queues import errand_from
from shared.domain.entries import NOTHING_SAID, Entry
from shared.domain.webhooks import (
    GIVEN_UP_AFTER_MS,
    MAX_TRIES,
    Accepted,
    Declined,
    News,
    PostResult,
    Single,
    Sweep,
    Trial,
    Webhook,
    signature,
)
from shared.errors import NotFound, Unavailable
from shared.operations.dispatching import PAGE, run_errand
from shared.operations.events_out import announce
from shared.operations.webhooks import (
    Wanted,
    delete_webhook,
    put_webhook,
    replay_conversation,
    replay_since,
    rotate_secret,
    try_webhook,
)
from shared.ports.webhooks import EventServices, EventStores, Outlet
from shared.wire.outgoing import outgoing, trial_event
from tests.fakes import DM, FakeClock, FakeNonces, FakeObserver
from tests.fakes.webhooks import FakeErrands, FakeGivenUp, FakeReceiver, KilledError, Killer, down
from tests.stepping import Stepper, explore
from tests.stores import Simulated, simulated
from tests.wiring import make_context

HOUR = 3_600_000
VISIBLE_MS = 360_000
OTHER = "dm:bob:carol"
EVERYTHING = Wanted("https://crm.example.com/in", (), (), enabled=True)


class World:
    """A deployment with one endpoint: what is written is announced, and errands are run when they are due."""

    def __init__(self) -> None:
        self.simulated: Simulated = simulated()
        self.clock = FakeClock()
        self.receiver = FakeReceiver()
        self.errands = FakeErrands(self.clock)
        self.given_up = FakeGivenUp()
        self.observer = FakeObserver()
        self.nonces = FakeNonces()
        self.stores = EventStores(self.simulated.log, self.simulated.webhooks, self.simulated.cursors)
        self.services = EventServices(self.errands, self.given_up, self.receiver, outgoing, trial_event, self.observer)
        self.context = make_context(self.clock, self.nonces, jitter=lambda _: 0)
        self.outlet = Outlet(self.stores.log, self.stores.webhooks, self.stores.cursors, self.errands, is_local=False)

    def put(self, wanted: Wanted = EVERYTHING, name: str = "crm") -> Webhook:
        return put_webhook(name, wanted, outlet=self.outlet, now=self.clock())[0]

    def webhook(self, name: str = "crm") -> Webhook:
        found = self.stores.webhooks.get(name)
        assert found is not None
        return found

    def write(self, *texts: str, conversation_id: str = DM) -> list[Entry]:
        self.clock.advance(1)
        written = self.simulated.write("bob", *texts, conversation_id=conversation_id, at=self.clock())
        announce({conversation_id: written[-1].seq}, stores=self.stores, errands=self.errands)
        return written

    def run_one(self, stores: EventStores | None = None, services: EventServices | None = None) -> bool:
        """One message that is due, as the queue has it: what fails comes again when it is visible again."""
        body = self.errands.due()
        if body is None:
            return False
        try:
            run_errand(
                errand_from(json.loads(body)),
                stores=stores or self.stores,
                services=services or self.services,
                context=self.context,
            )
        except Unavailable:
            self.errands.again(body, VISIBLE_MS)
        return True

    def run(self) -> None:
        """All that is due now."""
        while self.run_one():
            pass

    def let_pass(self, ms: int) -> None:
        """Time, with all that falls due in it."""
        end = self.clock() + ms
        self.run()
        while (at := self.errands.next_at) is not None and at <= end:
            self.clock.ms = max(at, self.clock())
            self.run()
        self.clock.ms = end


@pytest.fixture
def world() -> World:
    return World()


def ids(entries: Sequence[Entry]) -> list[str]:
    return [entry.message_id for entry in entries]


def test_what_is_stored_is_posted_in_order_and_signed(world: World) -> None:
    webhook = world.put()
    written = world.write("one", "two", "three")
    world.run()
    assert world.receiver.ids == ids(written)
    [first, *_] = world.receiver.got
    assert first["type"] == "new_message"
    assert first["data"]["message"]["content"] == "one"
    headers, body = world.receiver.headers[0], world.receiver.bodies[0]
    assert headers["webhook-id"] == f"{DM}/1"
    at_s = int(headers["webhook-timestamp"])
    assert headers["webhook-signature"] == signature(webhook.secrets[0], f"{DM}/1", at_s=at_s, body=body)
    assert at_s == world.clock() // 1_000


def test_the_signature_is_that_of_the_standard() -> None:
    """The example of the Standard Webhooks specification's own libraries."""
    signed = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        at_s=1_614_265_330,
        body=b'{"test": 2432232314}',
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_was_stored_before_an_endpoint_was_made_is_not_its(world: World) -> None:
    world.simulated.write("bob", *map(str, range(40)), at=world.clock())
    world.clock.advance(1)
    world.put()
    written = world.write("new", "newer")
    world.run()
    assert world.receiver.ids == ids(written)


def test_news_that_come_in_any_order_begin_at_the_same_place(world: World) -> None:
    world.simulated.write("bob", *map(str, range(7)), at=world.clock())
    world.clock.advance(1)
    world.put()
    written = world.write("a") + world.write("b") + world.write("c")
    world.errands.waiting = [(at, -number, body) for at, number, body in world.errands.waiting]
    world.errands.waiting.sort()
    world.run()
    assert world.receiver.ids == ids(written)


def test_a_filter_leaves_out_types_and_kinds(world: World) -> None:
    world.put(replace(EVERYTHING, events=("reaction",)))
    world.put(replace(EVERYTHING, conversations=("group",)), "groups")
    world.write("one")
    world.run()
    assert world.receiver.tried == 0


def test_more_than_a_page_goes_on(world: World) -> None:
    world.put()
    written = world.write(*map(str, range(2 * PAGE + 3)))
    world.run()
    assert world.receiver.ids == ids(written)


def test_a_receiver_that_is_down_for_an_hour_catches_up(world: World) -> None:
    world.put()
    world.receiver.answer = down()
    written, other = world.write("1"), world.write("1", conversation_id=OTHER)
    for number in range(60):
        world.let_pass(60_000)
        written += world.write(str(number))
        other += world.write(str(number), conversation_id=OTHER)
    assert world.receiver.got == []
    tried_while_down = world.receiver.tried
    world.receiver.answer = lambda _url, _event: Accepted()
    world.let_pass(15 * 60_000)
    for conversation_id, entries in ((DM, written), (OTHER, other)):
        assert [one for one in world.receiver.ids if one.startswith(conversation_id)] == ids(entries)
    assert tried_while_down < 2 * 30, "backed off, and one attempt for each conversation, not one for each message"
    assert world.webhook().health.failures == 0
    assert world.errands.waiting == []


def test_a_receiver_that_is_down_for_days_is_switched_off_and_catches_up_when_it_is_switched_on(world: World) -> None:
    world.put()
    world.receiver.answer = down("timeout")
    written = world.write("1")
    world.let_pass(GIVEN_UP_AFTER_MS + HOUR)
    assert (world.webhook().enabled, world.webhook().disabled) == (False, "failing")
    written += world.write("2")
    new = world.write("1", conversation_id=OTHER)
    world.let_pass(HOUR)
    assert world.errands.waiting == []
    world.receiver.answer = lambda _url, _event: Accepted()
    world.put()
    world.let_pass(HOUR)
    assert sorted(world.receiver.ids) == sorted(ids(written + new))
    assert [one for one in world.receiver.ids if one.startswith(DM)] == ids(written)
    assert world.webhook().disabled == ""


def test_one_that_says_that_it_is_gone_is_switched_off_at_once(world: World) -> None:
    world.put()
    world.receiver.answer = down("410", is_gone=True)
    world.write("1")
    world.let_pass(HOUR)
    assert (world.receiver.tried, world.webhook().disabled) == (1, "gone")
    assert world.observer.counted["WebhookDisabled"] == 1


def test_what_the_old_url_answers_says_nothing_of_the_new_one(world: World) -> None:
    world.put()

    def answer(url: str, _event: object) -> PostResult:
        if url == EVERYTHING.url:
            world.put(replace(EVERYTHING, url="https://crm.example.com/new"))
            world.run()  # who is to tell the new one finds the old one at work
            return Declined("410", is_gone=True)
        return Accepted()

    world.receiver.answer = answer
    written = world.write("1")
    world.let_pass(HOUR)
    found = world.webhook()
    assert (found.enabled, found.disabled, found.health.failures) == (True, "", 0)
    assert world.receiver.ids == ids(written)
    assert world.observer.counted["WebhookDisabled"] == 0


def test_an_old_url_that_wants_to_be_asked_later_holds_up_nothing_of_the_new_one(world: World) -> None:
    """Changed where nothing finds the cursor any more that the post is about."""
    was = world.put()

    def answer(url: str, _event: object) -> PostResult:
        if url != EVERYTHING.url:
            return Accepted()
        assert world.stores.webhooks.revive(replace(was, url="https://crm.example.com/new"))
        return Declined("503", retry_after_ms=20 * HOUR)

    world.receiver.answer = answer
    written = world.write("1")
    world.let_pass(60_000)
    assert world.receiver.ids == ids(written)


def test_one_that_is_switched_on_before_its_cursor_is_let_go_goes_on_at_once(world: World) -> None:
    was = world.put()
    world.receiver.answer = down("410", is_gone=True)
    disable = world.stores.webhooks.disable

    class Hasty:
        """Somebody switches the endpoint on right after it was switched off, and what sees to that is lost."""

        def __getattr__(self, name: str) -> Any:
            return getattr(world.simulated.webhooks, name)

        def disable(self, webhook: Webhook, reason: Any) -> bool:
            done = disable(webhook, reason)
            world.receiver.answer = lambda _url, _event: Accepted()
            assert world.simulated.webhooks.revive(was)
            return done

    world.stores = replace(world.stores, webhooks=Hasty())
    written = world.write("1")
    world.let_pass(60_000)
    assert world.receiver.ids == ids(written)


@pytest.mark.parametrize("enabled", [True, False])
def test_what_is_set_while_it_is_switched_off_switches_it_on_as_a_whole(world: World, enabled: bool) -> None:
    """Read before it was switched off, and written after: not even then it is on without going on."""
    world.put()
    world.receiver.answer = down("410", is_gone=True)
    written = world.write("1")
    get = world.simulated.webhooks.get

    class Late:
        """Between the first read and the write everything due is done."""

        is_read = False

        def __getattr__(self, name: str) -> Any:
            return getattr(world.simulated.webhooks, name)

        def get(self, webhook_id: str) -> Webhook | None:
            found = get(webhook_id)
            if not self.is_read:
                self.is_read = True
                world.run()
            return found

    outlet = replace(world.outlet, webhooks=Late())
    put_webhook("crm", replace(EVERYTHING, events=("new_message",), enabled=enabled), outlet=outlet, now=world.clock())
    world.receiver.answer = lambda _url, _event: Accepted()
    world.let_pass(60_000)
    assert world.webhook().enabled == enabled
    assert world.receiver.ids == (ids(written) if enabled else [])


def test_who_is_shadow_banned_writes_no_new_message_for_a_filter(world: World) -> None:
    [shown] = world.write("one")
    hidden = replace(shown, content=None, shadow=NOTHING_SAID)
    for wanted in ("new_message", "withheld"):
        webhook = world.put(replace(EVERYTHING, events=(wanted,)))
        assert [webhook.wants(shown), webhook.wants(hidden)] == [wanted == "new_message", wanted == "withheld"]
    assert outgoing(hidden).event_type == "withheld"


def test_when_a_receiver_wants_to_be_asked_again_is_kept_to(world: World) -> None:
    world.put()
    world.receiver.answer = down("429", retry_after_ms=2 * HOUR)
    world.write("1")
    world.run()
    world.write("1", conversation_id=OTHER)
    world.let_pass(2 * HOUR - 1_000)
    assert world.receiver.tried == 1
    world.receiver.answer = lambda _url, _event: Accepted()
    world.let_pass(HOUR)
    assert sorted(world.receiver.ids) == sorted([f"{DM}/1", f"{OTHER}/1"])


def test_an_event_that_alone_is_refused_waits_for_a_person_and_the_next_go_on(world: World) -> None:
    world.put()

    def answer(_url: str, event: Mapping[str, Any]) -> PostResult:
        return Declined("400") if event["id"] == f"{DM}/2" else Accepted()

    world.receiver.answer = answer
    written = world.write("1", "2", "3")
    for _ in range(MAX_TRIES):
        world.let_pass(10 * 60_000)
        world.write("x", conversation_id=OTHER)
    world.let_pass(HOUR)
    assert world.given_up.singles == [Single("crm", DM, 2)]
    assert [one for one in world.receiver.ids if one.startswith(DM)] == [f"{DM}/1", f"{DM}/3"]
    world.errands.put(world.given_up.singles)
    world.run()
    assert world.errands.waiting, "it is refused again, and comes again"
    world.receiver.answer = lambda _url, _event: Accepted()
    world.let_pass(HOUR)
    assert [one for one in world.receiver.ids if one.startswith(DM)] == [f"{DM}/1", f"{DM}/3", f"{DM}/2"]
    assert len(written) == 3


def _everything(written: Mapping[str, Sequence[Entry]], world: World) -> None:
    for conversation_id, entries in written.items():
        got = [one for one in world.receiver.first_ids() if one.startswith(conversation_id)]
        assert got == ids(entries)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_any_call_each_event_comes_at_least_once_and_in_order(after: bool) -> None:
    """Also while the receiver refuses every third post, so that the calls of a failure are among them."""
    calls_of_all = _run_with(Killer(at=0))
    assert calls_of_all > 30
    for at in range(1, calls_of_all + 1):
        assert _run_with(Killer(at=at, after=after)) >= at


def _run_with(killer: Killer) -> int:
    world = World()
    world.put()
    posted = 0

    def answer(_url: str, _event: Mapping[str, Any]) -> PostResult:
        nonlocal posted
        posted += 1
        return Declined("500") if posted % 3 == 0 else Accepted()

    world.receiver.answer = answer
    stores = EventStores(
        *(killer.around(one) for one in (world.stores.log, world.stores.webhooks, world.stores.cursors))
    )
    services = replace(
        world.services,
        errands=killer.around(world.errands, "put"),
        given_up=killer.around(world.given_up),
        poster=killer.around(world.receiver, "post"),
    )
    written: dict[str, list[Entry]] = {DM: [], OTHER: []}
    for number in range(3):
        for conversation_id in written:
            world.clock.advance(1_000)
            stored = world.simulated.write("bob", f"{number}", "x", conversation_id=conversation_id, at=world.clock())
            written[conversation_id] += stored
            _announce_until_done({conversation_id: stored[-1].seq}, stores, services)
        while world.run_one(stores, services):
            pass
    end = world.clock() + 6 * HOUR
    while (due_at := world.errands.next_at) is not None and due_at <= end:
        world.clock.ms = max(due_at, world.clock())
        world.run_one(stores, services)
    assert world.errands.waiting == []
    _everything(written, world)
    return killer.made


def _announce_until_done(latest: Mapping[str, int], stores: EventStores, services: EventServices) -> None:
    """As the stream does: a batch that fails comes again."""
    while True:
        try:
            announce(latest, stores=stores, errands=services.errands)
        except KilledError:
            continue
        return


class Race:
    """Two dispatchers at once on one conversation, each with news of its own."""

    def __init__(self, stepper: Stepper) -> None:
        self.world = World()
        self.world.put()
        self.written = self.world.write("1", "2") + self.world.write("3")
        world = self.world
        cursors = stepper.wrap(world.stores.cursors, only=("claim", "commit"))
        stores = replace(world.stores, cursors=cursors)
        services = replace(world.services, poster=stepper.wrap(world.receiver, only=("post",)))
        news = world.errands.errands
        world.errands.waiting.clear()

        def runs(errand: Any) -> Callable[[], object]:
            return lambda: run_errand(errand, stores=stores, services=services, context=world.context)

        for one in news:
            stepper.add(runs(one))


def test_two_dispatchers_at_once_post_each_event_once_and_in_order() -> None:
    orders = 0
    for race in explore(Race):
        race.world.run()
        assert race.world.receiver.ids == ids(race.written)
        orders += 1
    assert orders > 10


def test_one_that_was_slower_than_its_claim_keeps_nothing(world: World) -> None:
    world.put()
    world.write("1", "2")
    slow = world.stores.cursors.claim(
        News("crm", DM, 2), since=world.webhook().since, claim="slow", now=world.clock(), until=world.clock() + 10
    )
    assert slow is not None
    world.clock.advance(20)
    world.run()
    assert world.receiver.ids == [f"{DM}/1", f"{DM}/2"]
    assert world.stores.cursors.commit(replace(slow, delivered=1)) is None
    kept = world.stores.cursors.get("crm", DM)
    assert kept is not None
    assert kept.delivered == 2


def test_while_both_secrets_are_valid_both_sign(world: World) -> None:
    first = world.put().secrets[0]
    second = rotate_secret("crm", outlet=world.outlet, now=world.clock()).secrets[0]
    assert first != second
    world.write("1")
    world.run()
    at_s, body = int(world.receiver.headers[0]["webhook-timestamp"]), world.receiver.bodies[0]
    signed = [signature(secret, f"{DM}/1", at_s=at_s, body=body) for secret in (second, first)]
    assert world.receiver.headers[0]["webhook-signature"].split(" ") == signed
    world.clock.advance(25 * HOUR)
    world.write("2")
    world.run()
    assert " " not in world.receiver.headers[1]["webhook-signature"]


def test_a_conversation_is_told_again_from_a_place_on(world: World) -> None:
    world.put()
    written = world.write("1", "2", "3")
    world.run()
    replay_conversation("crm", DM, 2, outlet=world.outlet)
    world.run()
    assert world.receiver.ids == ids([*written, *written[1:]])
    with pytest.raises(NotFound):
        replay_conversation("crm", DM, 4, outlet=world.outlet)


def test_a_replay_skips_nothing_that_was_not_delivered_yet(world: World) -> None:
    world.put()
    world.receiver.answer = down()
    written = world.write("1", "2", "3")
    world.run()
    world.receiver.answer = lambda _url, _event: Accepted()
    replay_conversation("crm", DM, 3, outlet=world.outlet)
    world.let_pass(HOUR)
    assert world.receiver.first_ids() == ids(written)


def test_all_is_told_again_from_a_moment_on(world: World) -> None:
    world.put()
    world.write("1")
    world.write("1", conversation_id=OTHER)
    world.run()
    moment = world.clock.advance(HOUR)
    later = world.write("2", "3")
    world.run()
    before = len(world.receiver.got)
    replay_since("crm", moment, outlet=world.outlet)
    world.run()
    assert world.receiver.ids[before:] == ids(later)


def test_an_endpoint_that_was_deleted_hears_nothing_and_one_of_its_name_begins_anew(world: World) -> None:
    world.put()
    world.write("1")
    world.run()
    delete_webhook("crm", outlet=world.outlet)
    world.write("2")
    world.run()
    assert world.stores.cursors.get("crm", DM) is None, "what it left behind is gone"
    world.clock.advance(1)
    world.put()
    written = world.write("3")
    world.run()
    assert world.receiver.ids == [f"{DM}/1", *ids(written)]


def test_a_name_used_again_before_it_was_forgotten_begins_anew_as_well(world: World) -> None:
    world.put()
    world.write("1")
    world.run()
    delete_webhook("crm", outlet=world.outlet)
    world.write("2")
    sweeps = [one for one in world.errands.errands if isinstance(one, Sweep)]
    world.errands.waiting.clear()
    world.clock.advance(1)
    world.put()
    written = world.write("3")
    world.run()
    world.errands.put(sweeps)
    world.run()
    written += world.write("4")
    world.run()
    assert world.receiver.ids == [f"{DM}/1", *ids(written)]


def test_a_trial_says_in_the_health_how_it_went(world: World) -> None:
    world.put()
    event_id = try_webhook("crm", outlet=world.outlet, new_nonce=lambda: "n")
    world.run()
    assert world.receiver.ids == [event_id]
    assert world.webhook().health.last_success_at == world.clock()
    world.receiver.answer = down("tls")
    world.errands.put([Trial("crm", "m")])
    world.run()
    assert world.webhook().health.last_failure == "tls"
    assert world.errands.waiting == []


def test_one_that_is_switched_off_hears_nothing_until_it_is_switched_on(world: World) -> None:
    world.put(replace(EVERYTHING, enabled=False))
    written = world.write("1")
    world.let_pass(HOUR)
    assert world.receiver.tried == 0
    world.put()
    world.run()
    assert world.receiver.ids == ids(written)
