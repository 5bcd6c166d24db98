"""Everything outside of Parley that is not stored: the gateway, queues, objects, push providers, the scheduler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:  # a port costs nothing where it is not used
    from collections.abc import Callable, Iterable, Sequence

    from shared.domain.broadcasts import BroadcastJob
    from shared.domain.connections import Closing, Gone, News, Posted, PresenceChange
    from shared.domain.devices import Platform
    from shared.domain.entries import Entry, Pack, ReadAlong, Receipt, Typing
    from shared.domain.fan_out import Shard
    from shared.domain.files import Checked, File, Stored, Upload
    from shared.domain.mails import MailRound
    from shared.domain.notifications import DeliveryCheck, Digest, Notification, Reminder
    from shared.domain.packs import DuePack, Portion
    from shared.domain.pushes import Push, PushJob, PushResult, SweepPart
    from shared.ports.jobs import Archive, JobQueue
    from shared.ports.mails import Mailer

Event: TypeAlias = "Entry | ReadAlong | Pack | Receipt | Typing | PresenceChange | Notification | Closing | News"
"""What is posted to connections."""
Encoder: TypeAlias = "Callable[[Event], bytes]"
"""Makes an event's bytes, as docs/protocol.md has them."""
Inspector: TypeAlias = "Callable[[File, bytes], Checked]"
"""Says whether bytes are what they are declared to be: all of an image, or the beginning of any other file."""
T = TypeVar("T")
R = TypeVar("R")


class PresenceChecks(Protocol):
    """The check of a user some time after their last connection has ended."""

    def schedule(self, gone: Gone) -> None:
        """Have `check_offline` called after the grace period from `gone.at` (15 minutes at most), at least once."""


class Gateway(Protocol):
    """The gateway's side of a connection."""

    def post(self, connection_ids: Sequence[str], data: bytes) -> Sequence[Posted]:
        """Send `data` to each connection, in parallel. Never raises: dead and failing ones come back as values."""

    def close(self, connection_id: str) -> None:
        """Close the connection. Idempotent; one that is gone is as good as closed."""


class ParallelMap(Protocol):
    """Runs one function over many items, perhaps in parallel. The wiring decides how, and how wide.

    A function may run several times for an item, up to the call that it waits for: it does nothing but call stores.
    (The functions that push have threads, and theirs may do anything.)
    """

    def __call__(self, function: Callable[[T], R], items: Iterable[T], /) -> Iterable[R]:
        """The results, in the order of the items. The first exception is raised."""


class Objects(Protocol):
    """The bytes. An upload waits at a place of its own, where only the check looks, until it is kept or dropped."""

    def upload(self, file: File) -> Upload:
        """A form that takes exactly this type and size, to exactly this file's place. No call is made."""

    def look_at_upload(self, file_id: str) -> Stored | None:
        """What was uploaded, if anything."""

    def read_upload(self, file_id: str, stored: Stored, *, limit: int) -> bytes | None:
        """The first `limit` bytes of these very bytes; None where they were replaced or dropped since."""

    def keep(self, file: File, stored: Stored) -> bool:
        """Copy these very bytes to where downloads come from; what waits stays. False where replaced or dropped."""

    def put_thumbnail(self, file_id: str, thumbnail: bytes) -> None:
        """Store the small picture of an image, a JPEG."""

    def drop_upload(self, file_id: str) -> None:
        """Delete what waits. Idempotent."""

    def delete(self, file_id: str) -> None:
        """Delete a kept file and its thumbnail. Idempotent."""

    def download_url(self, file: File, *, expires_in_s: int, thumbnail: bool = False) -> str:
        """A URL for that long, without a call. What comes has the file's name and type; only an image is shown."""


class PushGateway(Protocol):
    """Hands a push to the provider of the user's device."""

    def push(self, push: Push) -> PushResult:
        """Hand over one push. Never raises, answers within seconds, and can be called from several threads.

        A connection that is lost on the way is opened anew once, and the same push sent again.
        """


class PushQueue(Protocol):
    """Where pushes wait, each platform's apart from the other's."""

    def put(self, jobs: Sequence[PushJob], *, delay_s: int = 0) -> None:
        """Have each carried out at least once, but for platforms that are not set up. Raises Unavailable: try again."""


class SweepQueue(Protocol):
    """Where the next part of a look at who missed a push waits, or of one at who is to be mailed."""

    def put(self, part: SweepPart | MailRound) -> None:
        """Have it carried out at least once. Raises Unavailable where it should be tried again."""


class DeliveryCheckQueue(Protocol):
    """Where delivery checks wait for some seconds, digests for some minutes, and packs until they are due."""

    def put(self, looks: Sequence[DeliveryCheck | Digest | DuePack], *, delay_s: int) -> None:
        """Have each taken at least once. Raises Unavailable where it should be tried again."""


class ShardQueue(Protocol):
    """Where the shards of a large group, and a channel's portions, wait to be delivered, apart from everything else."""

    def put(self, shards: Sequence[Shard | Portion]) -> None:
        """Have each delivered at least once. Raises Unavailable where it should be tried again."""


class BroadcastQueue(Protocol):
    """Where the jobs of broadcasts wait, among the shards of large groups but behind them."""

    def put(self, jobs: Sequence[BroadcastJob]) -> None:
        """Have each carried out at least once. Raises Unavailable where it should be tried again."""


class ReminderScheduler(Protocol):
    """Calls back at a time."""

    def schedule(self, reminder: Reminder) -> None:
        """Have the reminder carried out at its time, at least once. Idempotent."""

    def cancel(self, reminder_id: str) -> None:
        """Idempotent; one that is being carried out right now may still be."""


class Observer(Protocol):
    """Where an operator sees what went otherwise than it should, though no request was refused."""

    def count(self, name: str, value: int = 1) -> None:
        """Count something worth an alarm or a graph."""

    def noted(self, what: str, **fields: object) -> None:
        """Note what an operator can do something about: by ids and codes, never by text or tokens."""

    def failed(self, what: str, error: Exception) -> None:
        """Note an error that what was asked for survives: its type and place, never its text."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PresenceServices:
    """What telling connections takes."""

    gateway: Gateway
    parallel_map: ParallelMap
    encode: Encoder
    observer: Observer


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Services(PresenceServices):
    """What the frames of a connection take."""

    presence_checks: PresenceChecks


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class NotifyingServices(Services):
    """What telling users takes who may not be there."""

    delivery_checks: DeliveryCheckQueue


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BroadcastServices(NotifyingServices):
    """What telling everybody takes."""

    broadcast_queue: BroadcastQueue


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RestServices(BroadcastServices):
    """What the HTTP API takes."""

    objects: Objects
    scheduler: ReminderScheduler
    job_queue: JobQueue
    archive: Archive


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PushServices(BroadcastServices):
    """What waking devices takes."""

    push_queue: PushQueue
    shard_queue: ShardQueue
    providers: Callable[[Platform], PushGateway]
    sweep_queue: SweepQueue
    objects: Objects
    job_queue: JobQueue
    archive: Archive
    mailer: Mailer | None = None
    """None where nothing is mailed."""
