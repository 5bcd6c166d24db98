"""The steps about connections that die, come, or are too many, and about what has to reach people later."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import urllib.request
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

from parley_client.errors import DisconnectedError
from parley_client.events import Event, Message, Notification

from ops.doctor.chatting import alice, between, bob
from ops.doctor.operating import posted
from ops.doctor.people import SOON_S, bare, new_person
from ops.doctor.trouble import Doubt, Skip, Trouble

if TYPE_CHECKING:
    from ops.doctor.patient import Patient

_GONE: Final = 410
_DEATH_S: Final = 60.0
_POLL_S: Final = 1.0
_MOST_CONNECTIONS: Final = 20
_REMINDER_AWS_S: Final = 60
_REMINDER_LOCAL_S: Final = 2
_LATE_S: Final = 90.0
_HANDSHAKES: Final = 5


def _connections(patient: Patient, user: str) -> dict[str, str]:
    """A user's connections as they are stored: id → device."""
    key = {"user_id": {"S": user}}
    table = patient.outputs["SessionsTable"]
    item = patient.client("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {})
    found = {}
    for name, value in item.get("connections", {}).get("M", {}).items():
        fields = value.get("M", {})
        found[name] = next((one["S"] for key, one in fields.items() if key.startswith("device") and "S" in one), "")
    return found


async def connecting(patient: Patient) -> str:
    """What is written while somebody's handshake runs reaches them, though the gateway calls them gone."""
    seen: list[int] = []
    writer, reader = alice(patient), patient.person("erin")
    place = "dm:" + ":".join(sorted((writer.user, reader)))
    patient.conversations.add(place)
    for _ in range(_HANDSHAKES):
        looking = asyncio.create_task(
            asyncio.to_thread(_look, patient, reader, set(await _known(patient, reader)), seen)
        )
        writing = [asyncio.create_task(writer.client.send("doctor", to=reader)) for _ in range(3)]
        erin = new_person(patient, "erin", history="all")
        await erin.come()
        acks = [await one for one in writing]
        last = max(ack.seq for ack in acks)
        try:
            await erin.gets(f"message {last}, written during a handshake,", _is_message(last))
        finally:
            await looking
            await erin.leave()
    told = ", ".join(map(str, seen)) or "none got in between"
    return f"{_HANDSHAKES} times nothing was lost; posts during a handshake were answered: {told}"


def _is_message(seq: int) -> Callable[[Event], bool]:
    return lambda one: isinstance(one, Message) and one.seq == seq


async def _known(patient: Patient, user: str) -> dict[str, str]:
    return await asyncio.to_thread(_connections, patient, user)


def _look(patient: Patient, user: str, known: set[str], seen: list[int]) -> None:
    """Post to a new connection the moment that it is stored, and note the answer."""
    deadline = time.monotonic() + SOON_S
    while time.monotonic() < deadline:
        if new := _connections(patient, user).keys() - known:
            seen.append(posted(patient, new.pop(), b'{"type": "doctor"}'))
            return
        time.sleep(0.005)


async def dead_connection(patient: Patient) -> str:
    """A device whose network is gone: how long its connection is thought to live, and that nobody waits for it."""
    user = patient.person("frank")
    async with bare(patient, "frank", device="doctor-dead") as one:
        await one.ask("ping")
        found = await _known(patient, user)
        if not found:
            raise Trouble("the connection is not among its user's sessions", "", "")
        connection = next(iter(found))
        one.socket.transport.abort()
        began = time.monotonic()
        status = 0
        while time.monotonic() - began < _DEATH_S:
            status = await asyncio.to_thread(posted, patient, connection, b'{"type": "doctor"}')
            if status == _GONE:
                break
            await asyncio.sleep(_POLL_S)
        took = time.monotonic() - began
    patient.conversations.add("dm:" + ":".join(sorted((alice(patient).user, user))))
    acked = time.monotonic()
    await alice(patient).client.send("doctor", to=user)
    acked = time.monotonic() - acked
    if status != _GONE:
        raise Doubt(
            f"posts to it were answered {status} for {took:.0f} s",
            "The gateway has not noticed its death yet",
            "Idle connections end after ten minutes",
        )
    return f"410 after {took:.1f} s; a message to its user was acknowledged within {acked:.2f} s"


async def eviction(patient: Patient) -> str:
    """Who opens one connection too many loses the oldest, and is told why."""
    limit = int(patient.setting("Connect", "CONNECTION_LIMIT", "0"))
    if not 1 <= limit <= _MOST_CONNECTIONS:
        raise Skip(f"connection_limit is {limit}: that would be too many connections to open")
    people = [new_person(patient, "grace", device=f"doctor-{number}") for number in range(limit + 1)]
    try:
        for person in people:
            await person.come()
        try:
            error = await people[0].ended()
        except TimeoutError:
            raise Trouble(f"{limit + 1} connections of one user live side by side", "The limit is not kept") from None
    finally:
        await asyncio.gather(*(person.leave() for person in people))
    if not isinstance(error, DisconnectedError):
        raise Trouble(f"the oldest ends with {error.code}, not with connection_limit")
    return f"the {limit + 1}th of {limit}: the oldest is closed, {error.server_code}"


async def delivery_check(patient: Patient) -> str:
    """What is not acknowledged is posted a second time."""
    wait = int(patient.setting("Message", "SECOND_LOOK_S") or patient.setting("OfflinePush", "SECOND_LOOK_S", "5"))
    user = patient.person("heidi")
    patient.conversations.add("dm:" + ":".join(sorted((alice(patient).user, user))))
    async with bare(patient, "heidi") as one:
        await one.ask("ping")
        began = time.monotonic()
        await alice(patient).client.send("doctor", to=user)

        def times() -> int:
            return sum(event.get("type") == "new_message" for event in one.events)

        if not await one.until(lambda: times() >= 1, SOON_S):
            raise Trouble("the message did not come live")
        if not await one.until(lambda: times() > 1, wait + 45.0):
            raise Trouble(
                f"it was not posted again within {wait + 45} s, though it is not acknowledged",
                "The log's stream or the queue of looks is not read: see `sources`, `failure-queues` and `logs`",
                "make replay AWS=1 DRY=1 shows what failed",
            )
        return f"posted again after {time.monotonic() - began:.1f} s"


async def reminder(patient: Patient) -> str:
    """A reminder comes at its time."""
    place = between(patient)
    ack = await alice(patient).client.send("doctor", to=bob(patient).user)
    at = time.time() + (_REMINDER_AWS_S if patient.on_aws else _REMINDER_LOCAL_S)
    await alice(patient).client.remind(place, ack.seq, int(at * 1_000))
    event = await alice(patient).gets(
        "the reminder",
        lambda one: isinstance(one, Notification) and (one.conversation_id, one.seq) == (place, ack.seq),
        within_s=at - time.time() + _LATE_S,
    )
    late = time.time() - at
    await alice(patient).client.acknowledge(cast("Notification", event).id)
    return f"{late:.1f} s after its time"


async def push(patient: Patient) -> str:
    """The providers take our credentials: a push to a device that there is not, so that nobody is woken."""
    platforms = [one for one in ("fcm", "apns") if patient.setting("OfflinePush", f"{one.upper()}_QUEUE_URL")]
    if not platforms:
        raise Skip("no push provider is set up")
    return "; ".join([f"{platform}: {await _push(patient, platform)}" for platform in platforms])


async def _push(patient: Patient, platform: str) -> str:
    user = f"{platform}-user"
    person = new_person(patient, user)
    token = uuid.uuid4().hex * (1 if platform == "fcm" else 2)
    patient.secrets.add(token)
    app_id = patient.options.app_id if platform == "apns" else None
    await person.client.register_device("doctor-phone", platform=platform, token=token, app_id=app_id)
    patient.conversations.add("dm:" + ":".join(sorted((alice(patient).user, person.user))))
    began_at, began = time.time(), time.monotonic()
    await alice(patient).client.send("doctor", to=person.user)
    try:
        while time.monotonic() - began < SOON_S * 2:
            if outcome := await asyncio.to_thread(_outcome, patient, person.user, token, began_at):
                return outcome
            if not await person.client.devices():
                return "the provider says that there is no such device, so it took our credentials"
            await asyncio.sleep(_POLL_S)
        raise Trouble(
            f"{platform}: nothing has become of a push within {SOON_S * 2:.0f} s",
            "The stream, the queue or the provider is not reached: see `sources`, `failure-queues` and `logs`",
            f"make push-doctor USER={person.user} says more, as long as this user is there",
        )
    finally:
        await person.client.forget_device("doctor-phone")
        await person.leave()


def _outcome(patient: Patient, user: str, token: str, since: float) -> str:
    """What the provider is known to have answered; empty where nothing is known yet."""
    if patient.pushes_url is not None:
        with urllib.request.urlopen(f"{patient.pushes_url}/pushes", timeout=SOON_S) as answer:
            if any(push.get("token") == token for push in json.loads(answer.read())):
                return "taken by the local server that stands in for it"
    for line in patient.noted(since):
        if line.get("user_id") == user and line.get("outcome"):
            return _judged(str(line["outcome"]), str(line.get("reason", "")), str(line.get("platform", "")))
    return ""


def _judged(outcome: str, reason: str, platform: str) -> str:
    if outcome in {"Unregistered", "BadTarget"}:
        return f"the provider says {reason} of a device that there is not, so it took our credentials"
    if outcome == "Misconfigured":
        raise Trouble(
            f"{platform} answers {reason}",
            "The provider does not take our credentials, or not for this app",
            "See docs/operations.md, Credentials of push providers (APNs: APP_ID= names your app)",
        )
    if outcome == "Busy":
        raise Doubt(
            f"{platform} answers {reason}", "The provider was not reached, or asks for patience", "Run it again"
        )
    raise Doubt(
        f"{platform} answers {outcome} {reason}", "The provider does not like the push", "See the push function's log"
    )


async def push_device(patient: Patient) -> str:
    """One push to the devices of a user whom you name."""
    if patient.options.device is None:
        raise Skip("name a user and one of their devices: DEVICE=alice/phone")
    user, device = patient.options.device
    patient.token(user)
    teller = new_person(patient, "teller", scope="notifications:send")
    owner = _owner(patient, user)
    try:
        if device not in {one.device_id for one in await owner.devices()}:
            raise Trouble(
                f"{user} has no device {device}",
                "It was never registered, or was forgotten",
                f"make push-doctor USER={user}",
            )
        began = time.time()
        told = await teller.client.notify(
            [user], "Parley", "A test by make doctor", notification_id=f"doctor-{patient.run}"
        )
        await asyncio.sleep(int(patient.setting("OfflinePush", "SECOND_LOOK_S", "5")) + 10)
        for line in await asyncio.to_thread(patient.noted, began):
            if (line.get("user_id"), line.get("device_id")) == (user, device):
                _judged(str(line.get("outcome")), str(line.get("reason", "")), str(line.get("platform", "")))
        await owner.acknowledge(told.notification_id)
    finally:
        await owner.close()
        await teller.leave()
    return "handed to the provider without a complaint: does the device show it?"


def _owner(patient: Patient, user: str) -> Any:
    from parley_client import ParleyClient

    return ParleyClient(patient.ws_url, token=patient.token(user), http_url=patient.http_url, user_id=user)


async def everybody_leaves(patient: Patient) -> None:
    for person in patient.people.values():
        with contextlib.suppress(Exception):  # an end that fails is an end
            await person.leave()
