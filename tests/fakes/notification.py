"""What waits to be pushed or looked at, and the scheduler of reminders, in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from shared.domain.broadcasts import BroadcastJob
from shared.domain.fan_out import Shard
from shared.domain.mails import Letter, MailRound
from shared.domain.notifications import DeliveryCheck, Digest, Reminder
from shared.domain.packs import DuePack, Portion
from shared.domain.pushes import PushJob, PushResult, Sent, SweepPart
from shared.errors import Unavailable


@dataclass
class FakePushQueue:
    """`puts` are the jobs as they were put, with their delays in seconds."""

    puts: list[tuple[PushJob, int]] = field(default_factory=list)
    before_put: Callable[[Sequence[PushJob]], object] = lambda _: None

    @property
    def jobs(self) -> list[PushJob]:
        return [job for job, _ in self.puts]

    def put(self, jobs: Sequence[PushJob], *, delay_s: int = 0) -> None:
        self.before_put(jobs)
        self.puts += [(job, delay_s) for job in jobs]


@dataclass
class FakeDeliveryCheckQueue:
    """`puts` are the looks as they were put, with their delays in seconds; `digests` and `packs` likewise."""

    puts: list[tuple[DeliveryCheck, int]] = field(default_factory=list)
    digests: list[tuple[Digest, int]] = field(default_factory=list)
    packs: list[tuple[DuePack, int]] = field(default_factory=list)
    before_put: Callable[[Sequence[DeliveryCheck | Digest | DuePack]], object] = lambda _: None

    @property
    def looks(self) -> list[DeliveryCheck]:
        return [look for look, _ in self.puts]

    def put(self, looks: Sequence[DeliveryCheck | Digest | DuePack], *, delay_s: int) -> None:
        self.before_put(looks)
        self.puts += [(look, delay_s) for look in looks if isinstance(look, DeliveryCheck)]
        self.digests += [(look, delay_s) for look in looks if isinstance(look, Digest)]
        self.packs += [(look, delay_s) for look in looks if isinstance(look, DuePack)]


@dataclass
class FakeReminderScheduler:
    """What it will call back for, by reminder id."""

    scheduled: dict[str, Reminder] = field(default_factory=dict)
    before_schedule: Callable[[Reminder], object] = lambda _: None

    def schedule(self, reminder: Reminder) -> None:
        self.before_schedule(reminder)
        self.scheduled.setdefault(reminder.reminder_id, reminder)

    def cancel(self, reminder_id: str) -> None:
        self.scheduled.pop(reminder_id, None)


@dataclass
class FakeShardQueue:
    """`shards` are all that were put, and `portions`. It takes none while it `refuses`."""

    shards: list[Shard] = field(default_factory=list)
    portions: list[Portion] = field(default_factory=list)
    refuses: bool = False

    def put(self, shards: Sequence[Shard | Portion]) -> None:
        if self.refuses:
            raise Unavailable
        self.shards += [one for one in shards if isinstance(one, Shard)]
        self.portions += [one for one in shards if isinstance(one, Portion)]


@dataclass
class FakeBroadcastQueue:
    """`jobs` are all that were put and not taken. It takes none while it `refuses`."""

    jobs: list[BroadcastJob] = field(default_factory=list)
    refuses: bool = False

    def put(self, jobs: Sequence[BroadcastJob]) -> None:
        if self.refuses:
            raise Unavailable
        self.jobs += jobs


@dataclass
class FakeSweepQueue:
    """`parts` and `rounds` are all that were put."""

    parts: list[SweepPart] = field(default_factory=list)
    rounds: list[MailRound] = field(default_factory=list)

    def put(self, part: SweepPart | MailRound) -> None:
        if isinstance(part, MailRound):
            self.rounds.append(part)
        else:
            self.parts.append(part)


@dataclass
class FakeMailer:
    """`letters` are those that it was given; `answers` come first, then all are sent."""

    letters: list[Letter] = field(default_factory=list)
    answers: list[PushResult] = field(default_factory=list)

    def send(self, letter: Letter) -> PushResult:
        self.letters.append(letter)
        return self.answers.pop(0) if self.answers else Sent()
