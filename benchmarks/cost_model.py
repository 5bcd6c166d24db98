"""What an operation costs: prices times calls, and Lambda's durations out of measured CPU and assumed waits.

Calls per operation are those that the budget tests count. A duration is the CPU of the invocation at the memory's share
of a core, and the round trips that it waits for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from infra import prices

# Milliseconds of CPU on one x86-64 core (benchmarks/handlers.py, over TLS), rounded up.
CPU_MS: Final = {
    "authorizer": 0.1,
    "$connect": 0.4,
    "$disconnect": 0.3,
    "message": 0.8,
    "ping": 0.2,
    "request": 1.5,
    "stream record": 0.5,
    "delivery check": 0.5,
    "100 stream records": 2.0,
    "33 delivery checks": 1.5,
    "post more": 0.1,
    "push": 3.0,
}
# Assumed: Lambda's own runtime around each, and how much longer a core of arm64 takes.
RUNTIME_MS: Final = 1.0
ARM: Final = 1.25
CORE_MB: Final = 1_769
"""With this much memory a function has one core; with less its share: AWS's documents say so."""
# Assumed, in milliseconds, medians inside a region.
READ_MS, WRITE_MS, POST_MS, SEND_MS, PROVIDER_MS = 4.0, 6.0, 8.0, 6.0, 150.0
LOG_LINE_BYTES: Final = 300
FRAME_LINE: Final = 0.01
"""Lines for each frame: `request_log=sampled` writes one in a hundred. A request has one in the access log."""


Services = Mapping[str, float]
"""Dollars by service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """An invocation. Calls that go side by side count once."""

    cpu: float
    reads: int = 0
    writes: int = 0
    posts: int = 0
    sends: int = 0
    waits: float = 0
    memory_mb: int = 512

    @property
    def cpu_ms(self) -> float:
        return (self.cpu + RUNTIME_MS) * ARM * CORE_MB / min(self.memory_mb, CORE_MB)

    @property
    def ms(self) -> float:
        trips = READ_MS * self.reads + WRITE_MS * self.writes + POST_MS * self.posts + SEND_MS * self.sends
        return self.cpu_ms + trips + self.waits

    @property
    def gb_seconds(self) -> float:
        return self.ms / 1_000 * self.memory_mb / 1_024

    @property
    def dollars(self) -> float:
        return prices.INVOCATION + self.gb_seconds * prices.GB_SECOND

    @property
    def services(self) -> Services:
        return {"Lambda": self.dollars}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one operation takes."""

    messages: float = 0
    requests: float = 0
    reads: float = 0
    writes: float = 0
    sqs: float = 0
    lines: float = 0
    runs: tuple[Run, ...] = ()

    @property
    def services(self) -> Services:
        return {
            "API Gateway": self.messages * prices.WEBSOCKET_MESSAGE + self.requests * prices.HTTP_REQUEST,
            "DynamoDB": self.reads * prices.READ_UNIT + self.writes * prices.WRITE_UNIT,
            "SQS": self.sqs * prices.SQS_REQUEST,
            "Logs": self.lines * LOG_LINE_BYTES / prices.GIGABYTE * prices.LOGS_GB,
            "Lambda": sum(run.dollars for run in self.runs),
        }

    @property
    def dollars(self) -> float:
        return sum(self.services.values())

    @property
    def a_million(self) -> float:
        return self.dollars * prices.MILLION


# -- invocations ------------------------------------------------------------------------------------------------------

FRAMES_MB: Final = 256
"""The memory of `message` (`message_memory_mb`)."""

MESSAGE: Final = Run(cpu=CPU_MS["message"], reads=2, writes=1, posts=1, memory_mb=FRAMES_MB)
STREAM: Final = Run(cpu=CPU_MS["stream record"], reads=1, sends=1)
CHECK: Final = Run(cpu=CPU_MS["delivery check"], reads=1)
CHECKS_TOGETHER: Final = replace(CHECK, cpu=CPU_MS["33 delivery checks"], reads=2)
HUNDRED_RECORDS: Final = replace(STREAM, cpu=CPU_MS["100 stream records"])
PING: Final = Run(cpu=CPU_MS["ping"], writes=1, memory_mb=FRAMES_MB)
CONNECT: Final = Run(cpu=CPU_MS["$connect"], writes=1)
DISCONNECT: Final = Run(cpu=CPU_MS["$disconnect"], writes=1, sends=1, memory_mb=256)
AUTHORIZER: Final = Run(cpu=CPU_MS["authorizer"])
REQUEST: Final = Run(cpu=CPU_MS["request"], reads=2)
PUSH: Final = Run(cpu=CPU_MS["push"], reads=4, writes=2, waits=PROVIDER_MS)
TEN_PUSHES: Final = replace(PUSH, cpu=10 * CPU_MS["push"])
PRESENCE: Final = Run(cpu=CPU_MS["delivery check"], reads=2, writes=1, posts=1, memory_mb=256)
IMAGE: Final = Run(cpu=0, waits=500, memory_mb=1_024)
OTHER_FILE: Final = Run(cpu=0, waits=100, memory_mb=1_024)
REQUESTED: Final = Cost(requests=1, lines=1, runs=(REQUEST,))


def posting(count: int, *, reads: int = 3, writes: int = 1) -> Run:
    """A frame that is posted to so many connections, side by side."""
    cpu = CPU_MS["message"] + (count - 1) * CPU_MS["post more"]
    return Run(cpu=cpu, reads=reads, writes=writes, posts=1, memory_mb=FRAMES_MB)


# -- a million private messages ---------------------------------------------------------------------------------------


A_SIDE: Final = 0.5
"""Messages a second that each side of a busy chat writes, on average: what "under load" means here."""
COVERING_S: Final = 4
"""How long a delivery check covers what comes: its wait less a second (shared/operations/push/checks.py)."""
BURST: Final = 1 + A_SIDE * COVERING_S
"""Messages that a check covers: the first, and those that come meanwhile, at any moment. Evenly spaced it is two."""
RECORDS: Final = 100
"""Of a batch of a busy stream. The checks that it leads to are one message of their queue."""


def private_message() -> Cost:
    """Each alone: an invocation from the stream, and a delivery check, of its own."""
    return Cost(messages=3, reads=4.5, writes=1, sqs=3, lines=FRAME_LINE, runs=(MESSAGE, STREAM, CHECK))


ONE_CHECK: Final = Cost(sqs=3, reads=1, runs=(CHECK,))


def busy_check(burst: float = BURST) -> Services:
    """A message's part of its delivery check, where a batch of the stream has so many messages of each chat."""
    checks = RECORDS / burst
    of_queue = {name: dollars / checks for name, dollars in Cost(sqs=3, runs=(CHECKS_TOGETHER,)).services.items()}
    return {name: (dollars + of_queue[name]) / burst for name, dollars in Cost(reads=1).services.items()}


def busy_message(burst: float = BURST) -> float:
    """A million where many come: a hundred records at a time, and the checks of all that they are about at once."""
    alone = Cost(messages=3, reads=3.5, writes=1, lines=FRAME_LINE, runs=(MESSAGE,)).a_million
    shared = sum(busy_check(burst).values()) + HUNDRED_RECORDS.dollars / RECORDS
    return alone + shared * prices.MILLION


# -- everything else ---------------------------------------------------------------------------------------------------

EDIT: Final = Cost(messages=3, reads=5, writes=4, lines=FRAME_LINE, runs=(replace(MESSAGE, reads=4),))
# As clients tell it, without a reply: the frame, and the other side's event. With one, that is a post of its own.
RECEIPT: Final = Cost(messages=2, reads=4, writes=1, lines=FRAME_LINE, runs=(MESSAGE,))
ANSWERED_RECEIPT: Final = replace(RECEIPT, messages=3, runs=(replace(MESSAGE, posts=2),))
# With a message: the cursor, whether its sender blocks the other side, and the two round trips.
_LONGER: Final = replace(MESSAGE, reads=MESSAGE.reads + 1, writes=MESSAGE.writes + 1)
RIDING_RECEIPT: Final = Cost(reads=1, writes=1)


def riding_receipt() -> float:
    """A million that go with messages, with what the messages' invocations take longer."""
    return RIDING_RECEIPT.a_million + (_LONGER.dollars - MESSAGE.dollars) * prices.MILLION


def receipts_together(count: int) -> Cost:
    """Of so many private conversations, in one frame. One after the other, but for the sum of their events."""
    run = replace(
        MESSAGE,
        cpu=count * MESSAGE.cpu,
        reads=count * MESSAGE.reads,
        writes=count * MESSAGE.writes,
        posts=count * MESSAGE.posts,
    )
    return Cost(messages=1 + count, reads=4 * count, writes=count, lines=FRAME_LINE, runs=(run,))


GROUP: Final = Cost(
    messages=11, reads=47, writes=1, sqs=3, lines=FRAME_LINE, runs=(posting(9), replace(STREAM, reads=3), CHECK)
)
GROUP_EDIT: Final = Cost(messages=11, reads=23, writes=4, lines=FRAME_LINE, runs=(posting(9, reads=4),))
GROUP_RECEIPT: Final = Cost(messages=10, reads=24, writes=1, lines=FRAME_LINE, runs=(posting(9),))
GROUP_TYPING: Final = Cost(messages=11, reads=29, lines=FRAME_LINE, runs=(posting(9, writes=0),))
# A hundred posts, in two portions, of which the second waits for its time.
SHARD: Final = Run(cpu=CPU_MS["stream record"] + 100 * CPU_MS["post more"], reads=1, posts=1, sends=1, waits=100)
# The message, the stream's record, which finds out who is there, one shard of a hundred attendees, and their check.
LARGE: Final = Cost(
    messages=102,
    reads=145,
    writes=2,
    sqs=6,
    lines=FRAME_LINE,
    runs=(replace(MESSAGE, posts=0), replace(STREAM, reads=2, writes=1), SHARD, CHECKS_TOGETHER),
)
# Of the same group, once in a quarter of an hour at most: who is there and has it, and the devices of all others.
DIGEST: Final = Cost(reads=1_002, sqs=3, runs=(Run(cpu=CPU_MS["push"], reads=5, sends=90),))
# Of the same group: a member's session, the rows of one connection, and the mark at the seat.
LISTED: Final = Cost(reads=1, writes=3, sqs=3, runs=(Run(cpu=CPU_MS["stream record"], reads=2, writes=3),))
WATCH: Final = Cost(
    messages=2, reads=51, writes=11, lines=FRAME_LINE, runs=(replace(MESSAGE, reads=3, writes=2, posts=0),)
)
COMES: Final = Cost(messages=10, reads=41)
GOES: Final = Cost(messages=10, reads=42, writes=2, sqs=3, runs=(DISCONNECT, PRESENCE))
GOES_UNSEEN: Final = Cost(reads=3, writes=2, sqs=3, runs=(DISCONNECT, replace(PRESENCE, posts=0)))
AUTH: Final = Cost(messages=2, writes=1, lines=FRAME_LINE, runs=(PING,))


def push(together: int) -> float:
    """To one phone, with what notes that it was pushed."""
    run = {1: PUSH, 10: TEN_PUSHES}[together]
    outcome = Cost(lines=1).a_million  # the line that counts what came of it
    return Cost(reads=28, writes=2, sqs=3 / together).a_million + run.dollars / together * prices.MILLION + outcome


def withdrawal() -> float:
    """What was read, of one phone, in tens: from the table's stream to the provider."""
    look = Run(cpu=CPU_MS["stream record"], reads=2, writes=1, sends=1)
    run = replace(TEN_PUSHES, writes=2).dollars / 10 * prices.MILLION
    return Cost(reads=27, writes=3, sqs=0.3, lines=1).a_million + look.dollars / 10 * prices.MILLION + run


# What schedules the look (the row `mail`, two writes), the look, and the mail, of one conversation; SES is not in it.
MAIL: Final = Cost(reads=10.5, writes=4, lines=1, runs=(Run(cpu=CPU_MS["push"], reads=6, writes=2, waits=PROVIDER_MS),))
# Who is due is asked every five minutes, of four parts, one after the other by the queue.
MAIL_ROUND: Final = Cost(reads=4, sqs=12, runs=4 * (Run(cpu=CPU_MS["stream record"], reads=1, sends=1),))
MAIL_ROUNDS: Final = 30 * 24 * 12
MAIL_ALARMS: Final = 6


def mail() -> float:
    """A million, with SES's part."""
    return MAIL.a_million + prices.MAIL * prices.MILLION


def idle_mails() -> float:
    """What a month costs more where mails are on, and none is sent."""
    return MAIL_ROUNDS * MAIL_ROUND.dollars + MAIL_ALARMS * prices.ALARM_MONTH


# What was measured of an image is the whole of it: the runtime does not show.
IMAGE_DOLLARS: Final = prices.INVOCATION + 0.5 * prices.GB_SECOND
OTHER_FILE_DOLLARS: Final = prices.INVOCATION + 0.1 * prices.GB_SECOND


ONE_PING: Final = Cost(messages=2, reads=1, writes=1, lines=FRAME_LINE, runs=(PING,))


def hour_online() -> float:
    return 60 * prices.CONNECTION_MINUTE + 15 * ONE_PING.dollars


POLLS: Final = 648_000
"""A month of a queue without messages: by AWS's descriptions, Lambda's five pollers wait 20 s each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """What of a stack costs while no client connects; a test counts it in the template.

    An alarm is priced by the metrics that it looks at: `watched` in all, of which two are those of a share.
    """

    alarms: int
    watched: int
    queues: int
    secrets: int
    dashboards: int = 1

    @property
    def alarmed(self) -> float:
        return self.watched * prices.ALARM_MONTH

    @property
    def polled(self) -> float:
        return self.queues * POLLS * prices.SQS_REQUEST

    @property
    def dollars(self) -> float:
        """A month."""
        still = self.secrets * prices.SECRET_MONTH + self.dashboards * prices.DASHBOARD_MONTH
        return self.alarmed + self.polled + still


WITHOUT_PUSHES: Final = Idle(alarms=41, watched=43, queues=3, secrets=1)
WITH_PUSHES: Final = Idle(alarms=50, watched=52, queues=5, secrets=3)


# What may run beside it, in dollars a month.
INSTANCES: Final = 100
SECRET_CALLS: Final = INSTANCES * 12 * 730
"""Each instance that verifies tokens reads the secret again after five minutes."""
BUNDLES_GB: Final = 0.04
