"""One history from its plan to its end: a scenario is set up, things happen, everything heals, and it is judged."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import count
from random import Random
from typing import Any, Final, cast

from parley_client.events import Entry as SeenEntry
from parley_client.events import Message as SeenMessage
from parley_client.parsing import as_entry

from shared.adapters.dynamodb.schema import entry_from
from shared.domain.devices import FCM, Device, PushTarget
from shared.domain.entries import Entry
from shared.domain.text import user_of_log
from shared.operations.groups import NewGroup, create_group
from shared.operations.messages import SendMessage, store_message
from shared.operations.sync import Catching, sync
from shared.wire.events import entry_event
from shared.wire.websocket.frames import event_size, success, sync_reply
from tests.dynamodb import Store, Written
from tests.dynamodb.tables import KEYS
from tests.fakes import in_turn
from tests.simulation.clients import Client
from tests.simulation.deployment import Deployment
from tests.simulation.faults import Fault, FaultModel
from tests.simulation.functions import BASE_MS, GRACE_S, SECOND_LOOK_S, Environment, Instance, Log
from tests.simulation.history import History, Operation, Sent
from tests.simulation.judge.ends import Ends
from tests.simulation.judge.past import Past
from tests.simulation.operations import ACTIONS
from tests.simulation.operations.keeping_out import unban
from tests.simulation.operations.moderating import MODERATORS
from tests.simulation.places import DM, GROUP, USERS
from tests.simulation.plan import Plan
from tests.simulation.rounds import Round, look_round
from tests.simulation.runtime import FURTHEST_MS
from tests.simulation.scheduler import Hub
from tests.simulation.screens import LISTS
from tests.stores import adapters

# A heartbeat, the wait for its answer, the longest pause before the next try, and a sync: by then all is healed.
_QUIET_MS: Final = 32_000.0


# Most histories have nothing to heal by then, and a heartbeat of everybody's would be a third of their cost: it is left
# out in most of these.
_SHORT_QUIET_MS: Final = 7_000.0
# Who has just come online at the end, its tickets having ended by another's clock before, has not sent everything yet.
_CATCHING_UP_MS: Final = 3_000.0
_SKIPPED: Final = 0.9
# A request and its answer, without faults.
_UNBANNING_MS: Final = 1_000.0
_LAST_LOOKS: Final = 10
_SKEWED: Final = frozenset({Fault.SKEWED, Fault.BACKWARDS})
_REAPED: Final = 0.7
_GRACE_MS: Final = 1_000.0 * max(GRACE_S, SECOND_LOOK_S)
_LATE: Final = frozenset({Fault.DISCONNECT_LATE, Fault.DISCONNECT_TWICE, Fault.HALF_OPEN, Fault.QUEUE_LATE})

# What those hold who have seen everything that is there before a history begins.
_HELD: Final[Mapping[str, Mapping[str, int]]] = {
    "alice": {DM: 2, GROUP: 2},
    "bob": {DM: 2, GROUP: 2},
    "carol": {GROUP: 2},
}
_NOTHING: Final = {"success": True, "data": {"conversations": [], "has_more": False}}


@dataclass(frozen=True, slots=True)
class Template:
    """What every history finds: the tables, and what a sync says to those who have everything."""

    store: Store
    synced: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry as it is stored, as the functions read it, and as clients see it. Reading it takes its time."""

    item: Mapping[str, Any]
    entry: Entry
    shown: SeenEntry


@dataclass
class Observed:
    """What the store did, write by write, for rules about every moment and not only the end."""

    writes: list[tuple[float, Written]] = field(default_factory=list)


@dataclass
class Scenario:
    """One history.

    `groups` are those that were made in it, `files` whose each is, `links` the tokens of links into the group; `log`
    what functions print. `rounds` are the syncs of its end. `read` are entries, by their items' identity; `gone` those
    whose rows DynamoDB has deleted, as they were last.
    """

    plan: Plan
    hub: Hub
    fault_model: FaultModel
    deployment: Deployment
    store: Store
    clients: list[Client]
    operations: list[Operation]
    observed: Observed
    groups: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    numbers: Any = field(default_factory=lambda: count(1))
    log: Log = field(default_factory=Log)
    rounds: list[Round] = field(default_factory=list)
    read: dict[int, Stored] = field(default_factory=dict)
    gone: dict[tuple[str, int], Stored] = field(default_factory=dict)

    def client(self, number: int) -> Client:
        return self.clients[number % len(self.clients)]

    def history(self) -> History:
        for client in self.clients:
            since = client.online[-1][0] if client.core.connection == "online" else self.hub.now
            client.seen.settled = since <= self.hub.now - _CATCHING_UP_MS
            client.seen.pending = len(client.core.unacked)
        return History(
            operations=self.operations,
            seen={client.name: client.seen for client in self.clients},
            logs={name: [stored.shown for stored in log] for name, log in self._entries().items()},
            sent=[Sent(post.line.user_id, post.event, post.at) for post in self.deployment.gateway.posts],
            for_outsiders=self.plan.limits.for_outsiders,
            hidden=self._hidden(),
            moderators=frozenset(MODERATORS),
            rewritten=self.plan.limits.hooked,
            **self._ends(),
            over=self.hub.now,
        )

    def _ends(self) -> dict[str, dict[tuple[str, int], float]]:
        """When each entry ends, by the fastest clock, and when it was stored."""
        if not self.plan.limits.ends_messages:
            return {}
        ends = Ends(Past(beginning(), self.observed.writes), self.plan.limits.kept_days)
        early = FURTHEST_MS if _SKEWED & self.fault_model.struck.keys() else 0
        return {
            "ends": {place: ends.first(place, early) for place in ends.rows},
            "stored": {place: ends.stored(place) for place in ends.rows},
        }

    def reap(self, random: Random) -> None:
        """DynamoDB deletes some of what has expired, in whatever order."""
        for item in self.store.items("log"):
            place, now_s = (item["conversation_id"], item["seq"]), (BASE_MS + self.hub.now) / 1_000
            if item.get("ttl", now_s + 1) <= now_s and random.random() < _REAPED:
                self.gone[place] = _stored(item)
                key = {"conversation_id": {"S": place[0]}, "seq": {"N": str(place[1])}}
                self.store.call("DeleteItem", {"TableName": "log", "Key": key})

    def _hidden(self) -> dict[tuple[str, int], SeenMessage]:
        """Messages of shadow-banned users, as these see them."""
        found = {}
        for stored in (stored for log in self._entries().values() for stored in log):
            if stored.entry.shadow is not None:
                shown = as_entry(entry_event(stored.entry.seen_by(stored.entry.sender_id)))
                assert isinstance(shown, SeenMessage)
                found[shown.conversation_id, shown.seq] = shown
        return found

    def known_to(self, user: str) -> list[SeenEntry]:
        """What somebody has who has seen everything so far."""
        mine = _HELD.get(user, {})
        return [stored.shown for name, log in self._entries().items() if name in mine for stored in log]

    def removed_while_open(self) -> list[tuple[float, str]]:
        """Connections that were taken out of their user's session while the gateway had them open, and kept them."""
        found = []
        for at, written in self.observed.writes:
            if written.table == "sessions" and written.old is not None and written.new is not None:
                before, after = (item.get("connections", {"M": {}})["M"] for item in (written.old, written.new))
                gone = before.keys() - after.keys()
                found += [(at, name) for name in gone if self.deployment.gateway.lines[name].was_open_at(at)]
        return found

    def logs(self) -> dict[str, list[Entry]]:
        return {name: [stored.entry for stored in log] for name, log in self._entries().items()}

    def heads(self) -> Mapping[str, int]:
        """The last place of each log."""
        heads: Counter[str] = Counter()
        for item in self.store.items("log"):
            heads[item["conversation_id"]] = max(heads[item["conversation_id"]], item["seq"])
        return heads

    def own_logs(self) -> dict[str, list[Entry]]:
        """Of each user who has one, in the order of its places."""
        logs: dict[str, list[Entry]] = {}
        for item in self.store.items("log"):
            user = user_of_log(item["conversation_id"])
            if user is not None:
                logs.setdefault(user, []).append(entry_from(item))
        return logs

    def _entries(self) -> dict[str, list[Stored]]:
        logs: dict[str, list[Stored]] = {}
        for item in self.store.items("log"):
            if user_of_log(item["conversation_id"]) is not None:
                continue  # no conversation's
            found = self.read.get(id(item))
            if found is None:
                found = self.read[id(item)] = _stored(item)
            logs.setdefault(item["conversation_id"], []).append(found)
        for (name, _), gone in self.gone.items():
            logs[name].append(gone)
        for name in {name for name, _ in self.gone}:
            logs[name].sort(key=lambda one: one.entry.seq)
        return logs


def _stored(item: dict[str, Any]) -> Stored:
    entry = entry_from(item)
    shown = as_entry(entry_event(entry))
    assert shown is not None
    return Stored(item, entry, shown)


@cache
def _read_at_first() -> Mapping[int, Stored]:
    return {id(item): _stored(item) for item in _template().store.items("log")}


@cache
def _template() -> Template:
    """Made once: it is the same for all histories."""
    hub = Hub(Random(0))
    store = Store()
    nothing: Any = None
    environment = Environment(hub, cast("Any", store), nothing, nothing, nothing, count(1_000_000), nothing, nothing)
    instance = Instance(environment)
    rest = instance.rest
    stores, services, context = rest.stores, rest.services, rest.context

    def say(sender: str, place: str, text: str) -> None:
        store_message(SendMessage(sender, text, conversation_id=place), stores=stores, context=context)

    store_message(SendMessage("alice", "hello", to="bob"), stores=stores, context=context)
    say("bob", DM, "hi")
    new_group = NewGroup("alice", "team", ("bob", "carol"))
    create_group(
        new_group,
        admit=lambda *_: None,
        stores=stores,
        services=replace(services, parallel_map=in_turn),
        context=replace(context, new_secret=lambda: GROUP.removeprefix("group:")),
    )
    say("alice", GROUP, "welcome")
    for user in ("bob", "carol", "dave"):
        device = Device(f"{user}-phone", PushTarget(FCM, f"token-of-{user}"), BASE_MS)
        instance.stores.devices.register(user, device, limit=3)
    return Template(store, {user: _synced(user, instance) for user in _HELD})


@cache
def beginning() -> Mapping[str, Sequence[Any]]:
    """The items that every history finds, as plain values."""
    return {name: _template().store.items(name) for name in KEYS}


def _synced(user: str, instance: Instance) -> Mapping[str, Any]:
    """What a sync says to somebody who has everything so far."""
    stores, services = instance.rest.stores, instance.rest.services
    asked, one_by_one = Catching(user, _HELD[user]), replace(services, parallel_map=in_turn)
    found = sync(asked, size=event_size, stores=stores, services=one_by_one)
    return cast("Mapping[str, Any]", json.loads(success("?", sync_reply(found, user))))


def build(plan: Plan) -> Scenario:
    random = Random(plan.schedule)
    hub = Hub(random)
    fault_model = FaultModel(random, dict(plan.odds))
    observed = Observed()
    written: list[Callable[[Written], None]] = []

    def on_write(change: Written) -> None:
        if written:
            observed.writes.append((hub.now, change))
            if hub.process is not None:
                hub.process.wrote.append((hub.now, change))
            for told in written:
                told(change)

    store = Store(fault_model=fault_model, on_write=on_write, now_ms=lambda: BASE_MS + int(hub.now))
    store.copy_of(_template().store)
    deployment = Deployment(hub, fault_model, store, plan.limits, plan.latency)
    for one in LISTS if plan.limits.moderated else ():
        adapters(store).word_lists.put(one)
    written += [deployment.stream.stored, deployment.stream.noted]
    operations: list[Operation] = []
    clients = [Client(name, user, deployment, operations) for name, user in plan.devices]
    return Scenario(
        plan, hub, fault_model, deployment, store, clients, operations, observed, read=dict(_read_at_first())
    )


def play(scenario: Scenario) -> None:
    """Everything that the plan says, and then time to heal."""
    plan, hub = scenario.plan, scenario.hub
    for number, client in enumerate(scenario.clients):
        client.is_away = number in plan.asleep
        client.is_browser = number in plan.browsers
        client.is_lazy = number % 2 == 1
        if client.is_away or number in plan.fresh:
            hub.after(hub.random.random() * 20.0, client.start)
        else:
            client.start_connected(scenario.known_to(client.user), _template().synced.get(client.user, _NOTHING))
    for action in plan.actions:
        hub.after(
            300.0 + action.at,
            partial(ACTIONS[action.name], scenario, scenario.client(action.client), action.number),
        )
    hub.run(300.0 + plan.ends)
    scenario.fault_model.clear()
    if any(True for one in scenario.operations if one.kind == "ban"):
        _let_everybody_in(scenario)
    for client in scenario.clients:
        client.come_back()
    if scenario.files:  # as every quarter of an hour
        hub.after(_SHORT_QUIET_MS / 2, scenario.deployment.sweeps.sweep)
    hub.run(300.0 + plan.ends + _SHORT_QUIET_MS)
    if not (_is_settled(scenario) and hub.random.random() < _SKIPPED):
        hub.run(300.0 + plan.ends + _QUIET_MS)
        _run_dry(scenario)
    if plan.limits.ends_messages:
        scenario.reap(hub.random)
    look_round(scenario)
    _run_dry(scenario)


def _let_everybody_in(scenario: Scenario) -> None:
    """Bans end, and applications that were told of theirs start anew."""
    for number in range(len(USERS)):
        unban(scenario, scenario.clients[0], number)
    scenario.hub.run(scenario.hub.now + _UNBANNING_MS)
    for client in scenario.clients:
        if client.core.connection == "stopped":
            client.restart()


def _run_dry(scenario: Scenario) -> None:
    """What was put into a queue at the last moment has its time, too."""
    for _ in range(_LAST_LOOKS):
        if scenario.deployment.is_idle:
            return
        scenario.hub.run(scenario.hub.now + _GRACE_MS)


def _is_settled(scenario: Scenario) -> bool:
    """Nothing is left to heal: everybody is online and has everything, and nothing is still on its way."""
    if _LATE & scenario.fault_model.struck.keys() or not scenario.deployment.is_idle:
        return False
    heads = scenario.heads()
    rows = [row for row in scenario.store.items("members") if row["sk"].startswith("conversation#")]
    return all(
        client.has_all(
            {row["conversation_id"]: heads[row["conversation_id"]] for row in rows if row["user_id"] == client.user}
        )
        for client in scenario.clients
    )
