"""`make push-doctor USER=…`: why a user's devices got nothing, device by device and message by message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from local.console import fact
from local.errors import CommandError
from local.tokens import USER_ID
from ops.pushes import Deployed, deployed
from ops.target import event_sources, is_feeding, waiting_in
from shared.clock import SECOND_MS
from shared.domain.connections import live
from shared.domain.entries import Entry
from shared.domain.members import Member, seen_number
from shared.domain.notifications import AboutMessage
from shared.domain.pushes import PushContext, Pushed, Standing
from shared.domain.text import is_channel_id, is_group_id
from shared.operations.push.planning import is_quiet, wants_message

if TYPE_CHECKING:
    from local.settings import Settings

_DAY_MS: Final = 24 * 3_600_000
_LATEST: Final = 10
_ON_ITS_WAY_MS: Final = 60_000
_CONVERSATIONS: Final = 10
_LOOKED_BACK_MS: Final = 3 * _DAY_MS
_OUTCOMES: Final = {
    "Unregistered": "the provider says that the app is gone from this device: it was forgotten",
    "BadTarget": "the provider does not know the token: it was tried in the other environment, or forgotten",
    "Misconfigured": "the provider does not take our credentials, or not for this app: docs/operations.md, Credentials",
    "Refused": "the provider calls the push malformed",
    "Busy": "the provider was busy or out of reach: it is tried again for an hour",
}


@dataclass(frozen=True)
class Reason:
    """Why nothing comes, or (`is_well`) that something should; and what to do."""

    said: str
    remedy: str = ""
    is_well: bool = False


def push_doctor(settings: Settings, user: str, *, on_aws: bool) -> bool:
    """Print what there is to know, and return whether nothing stands in the way of a push."""
    if not USER_ID.fullmatch(user):
        raise CommandError(f"{user!r} is no user id", "Use 1 to 128 of A-Z a-z 0-9 _ . @ -, and neither . nor ..")
    from ops.doctor.patient import Patient

    place = deployed(settings, on_aws=on_aws)
    place.begin()
    patient = Patient(place.target, "", log=None if on_aws else settings.log("functions"))
    found = [*about_setup(place, patient), *about_user(place, user), *about_log(place, patient, user)]
    for reason in found:
        print(f"  {'·' if reason.is_well else '!'} {reason.said}")
        if reason.remedy:
            print(f"    {reason.remedy}")
    wrong = [reason for reason in found if not reason.is_well]
    fact(
        "push-doctor", "nothing stands in the way" if not wrong else f"{len(wrong)} reasons, the first: {wrong[0].said}"
    )
    return not wrong


def about_setup(place: Deployed, patient: Any) -> Iterator[Reason]:
    """What keeps everybody's devices silent: no provider, an event source that is off, a queue that failed."""
    configured = [name for name in ("fcm", "apns") if getattr(place.settings, f"{name}_queue_url")]
    if not configured:
        yield Reason("no push provider is set up", "docs/push.md, Setting it up")
        return
    for name in configured:
        secret = getattr(place.settings, f"{name}_secret_arn")
        if problem := _secret_problem(place, secret):
            yield Reason(f"{name}: {problem}", "docs/operations.md, Credentials of push providers")
    for source in event_sources(place.target.connect("lambda"), place.function):
        if not is_feeding(source):
            name = str(source["EventSourceArn"]).split(":")[5]
            yield Reason(f"the push function is not fed by {name}: {source['State']}", "make doctor: `sources`")
    yield from _queues(place, patient)


def _secret_problem(place: Deployed, arn: str) -> str:
    from botocore.exceptions import ClientError

    try:
        text = place.target.connect("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    except ClientError as error:
        return f"the secret can't be read: {error.response['Error']['Code']}"
    return "" if "private_key" in text else "the secret has no private_key"


def _queues(place: Deployed, patient: Any) -> Iterator[Reason]:
    import json

    sqs = place.target.connect("sqs")
    for name, url in json.loads(patient.outputs["FailureQueues"]).items():
        if name not in {"stream-records", "looks", "fcm-pushes", "apns-pushes", "fan-out"}:
            continue
        if count := waiting_in(sqs, url):
            yield Reason(
                f"{count} failed in {name}", "make replay DRY=1 shows them; of the last days: make missed-pushes"
            )


def about_user(place: Deployed, user: str) -> Iterator[Reason]:
    """What the user's own rows say: devices, presence, quiet hours, and their latest messages."""
    now = place.context.now()
    standing = place.stores.standings.of(user, now=now)
    if not standing.devices:
        yield Reason(
            "no device is registered",
            "The app registers it at each start (docs/notifications.md); where a provider says that it is gone, it is",
        )
        return
    for device in standing.devices:
        target = device.target
        configured = bool(getattr(place.settings, f"{target.platform}_queue_url"))
        said = f"device {device.device_id}: {target.platform}, registered {_at(device.registered_at)}"
        yield Reason(said if configured else f"{said}, and {target.platform} is not set up", is_well=configured)
    connections = live(place.stores.sessions.of([user]).get(user, []), now)
    if connections:
        yield Reason(
            f"online with {len(connections)} connections: a push comes only where a message is not acknowledged "
            f"{place.settings.second_look_s} s after it was posted",
            is_well=True,
        )
    if is_quiet(standing.profile, now):
        yield Reason("it is their quiet hours", "GET /v1/me shows them")
    yield from _about_messages(place, standing, now)


def _about_messages(place: Deployed, standing: Standing, now: int) -> Iterator[Reason]:
    """Of the conversations in which others have written lately: why the latest message did or did not wake anybody."""
    found: list[tuple[Entry, Member, Entry]] = []
    for member in standing.members:
        tail = place.stores.log.read_back(member.conversation_id, limit=_LATEST)
        latest = next((entry for entry in tail if entry.is_message and entry.sender_id != standing.user_id), None)
        if latest is not None and latest.created_at > now - _LOOKED_BACK_MS:
            found.append((latest, member, tail[0]))
    if not found:
        yield Reason("nobody has written to them within three days", is_well=True)
    for latest, member, head in sorted(found, key=lambda one: -one[0].created_at)[:_CONVERSATIONS]:
        yield _about_message(latest, member, head, standing, now, digest_ms=_digest_ms(place, latest, standing))
        yield from _about_withdrawals(place, latest, unwanted(latest, member, head, standing, now), standing)


def _about_withdrawals(place: Deployed, entry: Entry, why: str, standing: Standing) -> Iterator[Reason]:
    """What was taken off the user's devices again, and why the number on their icons has changed without a push."""
    about, user = AboutMessage(entry.conversation_id, 0), standing.user_id
    for one in place.stores.shown.of([Pushed(user, device.device_id, about, 0) for device in standing.devices]):
        if one.tries and isinstance(one.about, AboutMessage):
            what = f"what {one.device_id} showed of {entry.conversation_id}, up to {one.about.seq}, was taken off again"
            because = f" ({why})" if why and one.about.seq == entry.seq else ""
            yield Reason(f"{what}, and the number on its icon corrected{because}", is_well=True)


def _digest_ms(place: Deployed, entry: Entry, standing: Standing) -> int:
    """How long the message may wait for its group's digest; 0 where it waits for none."""
    settings, name = place.settings, entry.conversation_id
    group = place.stores.memberships.groups([name]).get(name) if is_group_id(name) else None
    is_quiet_group = group is not None and 0 < settings.digest_limit < group.size
    return settings.digest_s * SECOND_MS if is_quiet_group and standing.user_id not in entry.mentions else 0


def _about_message(
    entry: Entry, member: Member, head: Entry, standing: Standing, now: int, *, digest_ms: int = 0
) -> Reason:
    what = f"{entry.conversation_id} {entry.seq}, of {_at(entry.created_at)}"
    if reason := unwanted(entry, member, head, standing, now):
        return Reason(f"{what}: {reason}", is_well=reason.startswith(("has been", "was answered")))
    claimed = [
        one.device_id for one in standing.devices if standing.pushed[one.device_id, entry.conversation_id] >= entry.seq
    ]
    waiting = [one.device_id for one in standing.devices if one.device_id not in claimed]
    if not waiting:
        return Reason(
            f"{what}: pushed to {', '.join(claimed)}; whether it shows is the provider's and the phone's", is_well=True
        )
    if now - entry.created_at < _ON_ITS_WAY_MS:
        return Reason(f"{what}: on its way to {', '.join(waiting)}", is_well=True)
    if now - entry.created_at < digest_ms + _ON_ITS_WAY_MS:
        return Reason(f"{what}: waits for the digest of its group, which is a large one (digest_limit)", is_well=True)
    return Reason(
        f"{what}: not pushed to {', '.join(waiting)}, though nothing is against it",
        "The push function failed or was down when it came: make missed-pushes SINCE=3d",
    )


def unwanted(entry: Entry, member: Member, head: Entry, standing: Standing, now: int) -> str:
    """Why this message wakes nobody, in words; empty where it should. As `wants_message` decides."""
    preferences, user = member.preferences, standing.user_id
    rules: Sequence[tuple[bool, str]] = (
        (not entry.is_readable, "it was deleted"),
        (entry.sender_id in standing.blocked, f"{entry.sender_id} is blocked"),
        (member.read_seq >= entry.seq, "has been read already"),
        (seen_number(member, head) >= entry.number, "was answered, or read, already"),
        (member.delivered_seq >= entry.seq, "has been delivered to a device that was online"),
        (member.joined_seq >= entry.seq, "is from before they joined"),
        (preferences.is_muted(now), "the conversation is muted"),
        (preferences.notify == "none", "the conversation wakes nobody (notify: none)"),
        (preferences.notify == "mentions" and user not in entry.mentions, "does not mention them (notify: mentions)"),
        (
            is_channel_id(entry.conversation_id) and user not in entry.mentions,
            "is of a channel, and does not mention them",
        ),
        (is_quiet(standing.profile, now), "it is their quiet hours"),
        (is_quiet(standing.profile, entry.created_at), "came in their quiet hours"),
    )
    push_context = PushContext(member, standing.profile, entry.sender_id in standing.blocked, standing.devices)
    found = next((words for holds, words in rules if holds), "")
    return found or ("" if wants_message(entry, user, push_context, now=now) else "is not wanted")


def about_log(place: Deployed, patient: Any, user: str) -> Iterator[Reason]:
    """What providers have answered about this user's devices within a day, as the push function noted it."""
    for line in patient.noted(place.context.now() / 1_000 - _DAY_MS / 1_000):
        if line.get("user_id") != user or not line.get("outcome"):
            continue
        outcome = str(line["outcome"])
        said = f"{line.get('platform')} said {line.get('reason')} of device {line.get('device_id')}"
        yield Reason(said, _OUTCOMES.get(outcome, ""), is_well=False)


def _at(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M UTC")
