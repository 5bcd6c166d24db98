"""Devices: what every implementation promises. The last part is about the adapter alone: its races, and its items."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.adapters.aws.calls import JsonService
from shared.adapters.dynamodb.client import Calls
from shared.adapters.dynamodb.devices import DynamoDbDevices, target_hash
from shared.domain.devices import APNS, FCM, SANDBOX, Device, PushTarget
from shared.errors import Unavailable
from tests.contracts.engines import OneAtATime
from tests.stores import Stores

APPLE = PushTarget(APNS, "ab" * 32, app_id="org.example.app")
INSTALLATION = PushTarget(FCM, "fid", is_installation=True)


def token(number: int) -> PushTarget:
    return PushTarget(FCM, f"token-{number}")


def device(device_id: str = "phone", target: PushTarget = APPLE, at: int = 100) -> Device:
    return Device(device_id, target, at)


def register(stores: Stores, user_id: str, one: Device, *, limit: int = 3) -> None:
    stores.devices.register(user_id, one, limit=limit)


def devices(stores: Stores, user_id: str = "alice") -> dict[str, Device]:
    return {one.device_id: one for one in stores.devices.of([user_id]).get(user_id, ())}


def names(stores: Stores, user_id: str = "alice") -> set[str]:
    return set(devices(stores, user_id))


@pytest.mark.parametrize(
    "target",
    [APPLE, replace(APPLE, environment=SANDBOX), INSTALLATION, token(1), replace(token(2), app_id="org.example.app")],
)
def test_a_device_comes_back_whole(stores: Stores, target: PushTarget) -> None:
    register(stores, "alice", device(target=target))
    assert devices(stores) == {"phone": device(target=target)}
    assert devices(stores, "bob") == {}


def test_registering_again_replaces_and_frees_the_target_before(stores: Stores) -> None:
    register(stores, "alice", device(target=token(1)))
    register(stores, "alice", device(target=token(2), at=200))
    assert devices(stores) == {"phone": device(target=token(2), at=200)}
    register(stores, "bob", device("other", token(1)))
    assert (devices(stores), devices(stores, "bob")) == (
        {"phone": device(target=token(2), at=200)},
        {"other": device("other", token(1))},
    )


def test_registering_the_same_again_says_when_and_nothing_else(stores: Stores) -> None:
    for at in (100, 200):
        register(stores, "alice", device(at=at))
    assert devices(stores) == {"phone": device(at=200)}


def test_a_target_moves_to_whoever_registers_it_last(stores: Stores) -> None:
    register(stores, "alice", device())
    register(stores, "alice", device("tablet", token(1)))
    register(stores, "bob", device(at=300))
    assert (names(stores), devices(stores, "bob")) == ({"tablet"}, {"phone": device(at=300)})
    register(stores, "alice", device(at=400))
    assert (names(stores), names(stores, "bob")) == ({"phone", "tablet"}, set())


def test_a_target_moves_between_a_users_own_devices(stores: Stores) -> None:
    register(stores, "alice", device("before"))
    register(stores, "alice", device("after", at=200))
    assert devices(stores) == {"after": device("after", at=200)}


def test_a_token_is_the_same_target_in_either_environment(stores: Stores) -> None:
    register(stores, "alice", device())
    register(stores, "bob", device(target=replace(APPLE, environment=SANDBOX)))
    assert (names(stores), names(stores, "bob")) == (set(), {"phone"})


def test_an_installation_id_and_a_token_that_read_alike_are_two_targets(stores: Stores) -> None:
    register(stores, "alice", device(target=PushTarget(FCM, "x")))
    register(stores, "bob", device(target=PushTarget(FCM, "x", is_installation=True)))
    register(stores, "carol", device(target=PushTarget(APNS, "x")))
    assert [len(devices(stores, user)) for user in ("alice", "bob", "carol")] == [1, 1, 1]


def test_at_the_limit_the_longest_registered_goes_and_frees_its_target(stores: Stores) -> None:
    for number, at in enumerate((300, 100, 200)):
        register(stores, "alice", device(f"d{number}", token(number), at))
    register(stores, "alice", device("d3", token(3), 50))
    assert names(stores) == {"d0", "d2", "d3"}
    register(stores, "bob", device("b", token(1)))
    assert names(stores, "bob") == {"b"}


def test_at_the_limit_a_device_that_is_there_makes_nobody_go(stores: Stores) -> None:
    for number in range(3):
        register(stores, "alice", device(f"d{number}", token(number), number))
    register(stores, "alice", device("d2", token(9), 900))
    register(stores, "alice", device("d3", token(1), 901))  # takes d1's target, so there is room
    assert names(stores) == {"d0", "d2", "d3"}


def test_a_lower_limit_makes_all_go_that_are_too_many(stores: Stores) -> None:
    for number in range(3):
        register(stores, "alice", device(f"d{number}", token(number), number))
    register(stores, "alice", device("d3", token(3), 3), limit=1)
    assert names(stores) == {"d3"}


def test_forgetting_frees_the_target_and_is_idempotent(stores: Stores) -> None:
    register(stores, "alice", device())
    register(stores, "alice", device("tablet", token(1)))
    assert [stores.devices.forget("alice", "phone") for _ in range(2)] == [True, False]
    assert names(stores) == {"tablet"}
    register(stores, "bob", device())
    assert names(stores) == {"tablet"}
    assert not stores.devices.forget("nobody", "phone")


def test_forgetting_the_last_device_leaves_a_user_who_can_register(stores: Stores) -> None:
    register(stores, "alice", device())
    assert stores.devices.forget("alice", "phone")
    assert devices(stores) == {}
    register(stores, "alice", device(at=200))
    assert devices(stores) == {"phone": device(at=200)}


@pytest.mark.parametrize(
    "since",
    [device(at=200), device(target=token(1)), device(target=replace(token(1), is_installation=True))],
    ids=["again", "other target", "other kind"],
)
def test_what_was_registered_anew_since_stays(stores: Stores, since: Device) -> None:
    known = device(target=APPLE)
    register(stores, "alice", since)
    assert not stores.devices.forget_unchanged("alice", known)
    assert not stores.devices.change_environment("alice", known, replace(APPLE, environment=SANDBOX))
    assert devices(stores) == {"phone": since}


def test_what_is_unchanged_is_forgotten_once_and_frees_its_target(stores: Stores) -> None:
    register(stores, "alice", device())
    assert [stores.devices.forget_unchanged("alice", device()) for _ in range(2)] == [True, False]
    assert devices(stores) == {}
    register(stores, "bob", device())
    assert names(stores, "bob") == {"phone"}


def test_another_environment_changes_nothing_else(stores: Stores) -> None:
    register(stores, "alice", device())
    register(stores, "alice", device("tablet", token(1)))
    sandbox = replace(APPLE, environment=SANDBOX)
    assert stores.devices.change_environment("alice", device(), sandbox)
    assert devices(stores) == {"phone": device(target=sandbox), "tablet": device("tablet", token(1))}
    # The token is the same, and so is the target: it still belongs to one device of one user.
    register(stores, "bob", device())
    assert names(stores) == {"tablet"}


def test_what_is_not_there_has_no_environment(stores: Stores) -> None:
    assert not stores.devices.change_environment("alice", device(), replace(APPLE, environment=SANDBOX))
    assert not stores.devices.forget_unchanged("alice", device())
    assert devices(stores) == {}


def test_many_users_are_read_at_once(stores: Stores) -> None:
    users = [f"u{number:03}" for number in range(101)]
    for number in (0, 100):
        register(stores, users[number], device(target=token(number)))
    found = stores.devices.of([*users, users[0]])
    assert {user for user, known in found.items() if known} == {users[0], users[100]}
    assert stores.devices.of([]) == {}


def test_of_many_users_that_register_one_target_at_once_one_has_it(stores: Stores) -> None:
    users = [f"u{number}" for number in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda user: _registered(stores, user), users))
    assert sum(len(devices(stores, user)) for user in users) == 1
    register(stores, "last", device())
    assert [user for user in [*users, "last"] if devices(stores, user)] == ["last"]


def _registered(stores: Stores, user_id: str) -> None:
    """Some may give up: more at once than there are attempts."""
    try:
        register(stores, user_id, device())
    except Unavailable:
        return


# --- the adapter


class Interrupted:
    """Another call acts right before a write: `acts` one after the other, each once."""

    def __init__(self, calls: Calls, acts: list[Callable[[], object]]) -> None:
        self.calls, self.acts = calls, acts
        self.transactions = self.pauses = 0

    def pause(self, attempt: int) -> None:
        self.pauses += 1

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "TransactWriteItems":
            self.transactions += 1
            if self.acts:
                self.acts.pop(0)()
        return self.calls.call(operation, request)


@pytest.fixture
def plain(tables: JsonService) -> DynamoDbDevices:
    return DynamoDbDevices(OneAtATime(tables), members_table="members")


def interrupted(tables: JsonService, *acts: Callable[[], object]) -> tuple[DynamoDbDevices, Interrupted]:
    calls = Interrupted(tables, list(acts))
    return DynamoDbDevices(calls, members_table="members"), calls


def of(plain: DynamoDbDevices, user_id: str) -> dict[str, Device]:
    return {one.device_id: one for one in plain.of([user_id]).get(user_id, ())}


def owner(tables: JsonService, target: PushTarget) -> dict[str, Any] | None:
    key = {"pk": {"S": f"target#{target_hash(target)}"}, "sk": {"S": "target"}}
    item: dict[str, Any] | None = tables.call("GetItem", {"TableName": "members", "Key": key}).get("Item")
    return item


def test_a_target_that_somebody_takes_meanwhile_moves_all_the_same(tables: JsonService, plain: DynamoDbDevices) -> None:
    racing, calls = interrupted(tables, lambda: plain.register("bob", device(at=150), limit=3))
    racing.register("alice", device(at=151), limit=3)
    assert (of(plain, "alice"), of(plain, "bob")) == ({"phone": device(at=151)}, {})
    assert (calls.transactions, calls.pauses) == (2, 1)


def test_a_device_that_registers_meanwhile_is_not_lost(tables: JsonService, plain: DynamoDbDevices) -> None:
    racing, _ = interrupted(tables, lambda: plain.register("alice", device("tablet", token(1)), limit=3))
    racing.register("alice", device(), limit=3)
    assert set(of(plain, "alice")) == {"phone", "tablet"}


def test_a_previous_owners_other_changes_are_not_lost(tables: JsonService, plain: DynamoDbDevices) -> None:
    plain.register("bob", device(), limit=3)
    racing, _ = interrupted(tables, lambda: plain.register("bob", device("tablet", token(1)), limit=3))
    racing.register("alice", device(at=200), limit=3)
    assert (set(of(plain, "alice")), set(of(plain, "bob"))) == ({"phone"}, {"tablet"})


def test_what_registers_again_meanwhile_is_not_forgotten(tables: JsonService, plain: DynamoDbDevices) -> None:
    plain.register("alice", device(), limit=3)
    racing, _ = interrupted(tables, lambda: plain.register("alice", device(at=200), limit=3))
    assert not racing.forget_unchanged("alice", device())
    assert of(plain, "alice") == {"phone": device(at=200)}


def test_a_sign_out_does_not_take_the_target_from_whoever_got_it_meanwhile(
    tables: JsonService, plain: DynamoDbDevices
) -> None:
    plain.register("alice", device(), limit=3)
    racing, _ = interrupted(tables, lambda: plain.register("bob", device(at=200), limit=3))
    assert not racing.forget("alice", "phone")
    assert of(plain, "bob") == {"phone": device(at=200)}
    assert (owner(tables, APPLE) or {})["user_id"] == {"S": "bob"}


def test_who_is_always_interrupted_gives_up_and_has_changed_nothing(
    tables: JsonService, plain: DynamoDbDevices
) -> None:
    acts = [lambda at=at: plain.register("alice", device("tablet", token(1), at), limit=3) for at in range(5)]
    racing, calls = interrupted(tables, *acts)
    with pytest.raises(Unavailable):
        racing.register("alice", device(), limit=3)
    assert of(plain, "alice") == {"tablet": device("tablet", token(1), 4)}
    assert (calls.transactions, calls.pauses, owner(tables, APPLE)) == (5, 4, None)


def test_a_row_stands_for_each_target_and_no_other(tables: JsonService, plain: DynamoDbDevices) -> None:
    for number in range(4):
        plain.register("alice", device(f"d{number}", token(number), number), limit=3)
    plain.register("alice", device("d1", token(9), 9), limit=3)
    plain.forget("alice", "d2")
    there = {number for number in range(10) if owner(tables, token(number))}
    assert (set(of(plain, "alice")), there) == ({"d1", "d3"}, {3, 9})


def test_a_token_stands_in_no_key(tables: JsonService, plain: DynamoDbDevices) -> None:
    plain.register("alice", device(), limit=3)
    items = tables.call("Scan", {"TableName": "members"})["Items"]
    assert not any(APPLE.token in str(item[name]) for item in items for name in ("pk", "sk"))


def test_an_item_that_does_not_agree_with_its_targets_row_hinders_nobody(
    tables: JsonService, plain: DynamoDbDevices
) -> None:
    plain.register("alice", device(), limit=3)
    item = tables.call("Scan", {"TableName": "members"})["Items"]
    stray = next(one for one in item if one["sk"]["S"] == "target")
    tables.call("PutItem", {"TableName": "members", "Item": {**stray, "user_id": {"S": "nobody"}}})
    plain.register("alice", device(target=token(1)), limit=3)
    assert (owner(tables, APPLE) or {})["user_id"] == {"S": "nobody"}
    plain.register("bob", device(), limit=3)
    assert (set(of(plain, "alice")), set(of(plain, "bob"))) == ({"phone"}, {"phone"})


def _identity(target: PushTarget) -> tuple[str, bool, str]:
    """What makes two targets the same one: not the environment."""
    return target.platform, target.is_installation, target.token


@dataclass
class Model:
    """What devices do, in a dict: `devices` are user → device id → device."""

    devices: dict[str, dict[str, Device]] = field(default_factory=dict)

    def register(self, user_id: str, device: Device, *, limit: int) -> None:
        self._take_away(device.target)
        mine = self.devices.setdefault(user_id, {})
        mine.pop(device.device_id, None)
        oldest_first = sorted(mine.values(), key=lambda one: one.registered_at)
        for surplus in oldest_first[: max(len(mine) + 1 - limit, 0)]:
            del mine[surplus.device_id]
        mine[device.device_id] = device

    def forget(self, user_id: str, device_id: str) -> bool:
        return self.devices.get(user_id, {}).pop(device_id, None) is not None

    def forget_unchanged(self, user_id: str, device: Device) -> bool:
        if not self._is_unchanged(user_id, device):
            return False
        del self.devices[user_id][device.device_id]
        return True

    def change_environment(self, user_id: str, device: Device, target: PushTarget) -> bool:
        if not self._is_unchanged(user_id, device):
            return False
        self.devices[user_id][device.device_id] = replace(device, target=target)
        return True

    def _take_away(self, target: PushTarget) -> None:
        for theirs in self.devices.values():
            for one in list(theirs.values()):
                if _identity(one.target) == _identity(target):
                    del theirs[one.device_id]

    def _is_unchanged(self, user_id: str, device: Device) -> bool:
        stored = self.devices.get(user_id, {}).get(device.device_id)
        return (
            stored is not None
            and _identity(stored.target) == _identity(device.target)
            and stored.registered_at == device.registered_at
        )


_USERS, _DEVICES, _TARGETS = st.sampled_from("ab"), st.sampled_from("12"), st.integers(0, 2)
_ACTS = st.lists(
    st.tuples(st.sampled_from(["register", "forget", "expire", "move"]), _USERS, _DEVICES, _TARGETS), max_size=12
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(acts=_ACTS)
def test_whatever_happens_a_model_says_the_same_and_the_rows_name_the_devices(
    tables: JsonService, acts: list[tuple[str, str, str, int]]
) -> None:
    for key in tables.call("Scan", {"TableName": "members", "ProjectionExpression": "pk, sk"})["Items"]:
        tables.call("DeleteItem", {"TableName": "members", "Key": key})
    real, model = DynamoDbDevices(tables, members_table="members"), Model()
    for at, (act, user, device_id, number) in enumerate(acts):
        known = model.devices.get(user, {}).get(device_id) or Device(device_id, token(number), at)
        answers: list[Any] = []
        for one in (real, model):
            match act:
                case "register":
                    one.register(user, Device(device_id, token(number), at), limit=2)
                case "forget":
                    answers.append(one.forget(user, device_id))
                case "expire":
                    answers.append(one.forget_unchanged(user, replace(known, target=token(number))))
                case "move":
                    target = replace(known.target, environment=SANDBOX)
                    answers.append(one.change_environment(user, known, target))
        assert answers[:1] == answers[1:]
    owned = {(user, one) for user in "ab" for one in of(real, user).values()}
    assert owned == {(user, one) for user, mine in model.devices.items() for one in mine.values()}
    rows = [item for item in tables.call("Scan", {"TableName": "members"})["Items"] if item["sk"]["S"] == "target"]
    assert {(row["user_id"]["S"], row["device_id"]["S"], row["pk"]["S"]) for row in rows} == {
        (user, one.device_id, f"target#{target_hash(one.target)}") for user, one in owned
    }
