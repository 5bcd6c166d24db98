"""What a month costs for so many users: `make cost USERS=10000 PRIVATE=20 …`, by service, beside others' list prices.

    .venv/bin/python -m benchmarks.bill --users 10000 --json

The counts are those of benchmarks/cost_model.py, where many messages come: ten checks at a time, a hundred records. The
page docs/calculator.html has the same sums in a browser; a test holds both together.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass, fields, replace
from math import ceil
from typing import Final

from benchmarks import channel_costs, costs
from benchmarks.channel_costs import Told
from benchmarks.cost_model import (
    AUTHORIZER,
    CHECK,
    CHECKS_TOGETHER,
    CONNECT,
    CPU_MS,
    DIGEST,
    FRAME_LINE,
    FRAMES_MB,
    GOES_UNSEEN,
    HUNDRED_RECORDS,
    MAIL,
    MESSAGE,
    ONE_PING,
    RECEIPT,
    RECORDS,
    REQUESTED,
    SHARD,
    STREAM,
    TEN_PUSHES,
    WITH_PUSHES,
    WITHOUT_PUSHES,
    Cost,
    Run,
    Services,
    busy_check,
    idle_mails,
    posting,
)
from benchmarks.list_prices import BY_QUOTE, RIVALS, Rival
from infra import prices

DAYS: Final = 30
INTERNET: Final = "Data to the internet"
FILES: Final = "Files"
SES: Final = "SES"
IDLE: Final = "What stands still"
ROW_BYTES: Final = 400
"""Of a stored message of usual length."""
STORED_GB_MONTH: Final = 0.45
"""A table and its point-in-time recovery."""
INTERNET_GB: Final = 0.09
FREE_GB: Final = 100
EVENT_BYTES: Final = 300
_MOST: Final = 10**12
LARGE_GROUP: Final = 100
"""Groups of more members are told by shards, and no receipts in them."""
QUIET_GROUP: Final = 500
"""In groups of more members who is away is told by digests (`digest_limit`)."""
DIGESTS_A_DAY: Final = 96
"""At most, of one group (`digest_s`)."""
READ: Final = Cost(reads=1).services
ROSTER_UNITS: Final = 0.045
"""Read units of the list of members, for each of them; one at least."""


SAYS: Final = {
    "users": "Users who are active in the month",
    "hours": "Hours online, each user and day",
    "connects": "Connections opened, each user and day",
    "private": "Private messages written, each user and day",
    "group": "Messages written in groups, each user and day",
    "group_size": "Members of such a group",
    "online": "Share of the others who are online when a message comes (0 to 1)",
    "channel": "Messages written in channels, each day, all together",
    "readers": "Readers of such a channel who are there when it is written",
    "pace": "Messages a second while a channel is written",
    "requests": "Requests over HTTP, each user and day",
    "images": "Images sent, each user and month",
    "image_kb": "KB of an image",
    "downloads": "Downloads of each image",
    "pushes": "Push to who is away (0 or 1)",
    "mails": "Mail digests, each user and month (0: mails are off)",
    "kept_months": "Months that messages and files are stored",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What happens, on the average; SAYS has what each is."""

    users: int = 10_000
    hours: float = 1.0
    connects: float = 4.0
    private: float = 20.0
    group: float = 10.0
    group_size: int = 20
    online: float = 0.3
    channel: float = 0.0
    readers: float = 1_000.0
    pace: float = 0.1
    requests: float = 10.0
    images: float = 4.0
    image_kb: float = 500.0
    downloads: float = 2.0
    pushes: int = 1
    mails: float = 0.0
    kept_months: float = 12.0


def pieces() -> dict[str, Services]:
    """Dollars of one of each operation, by service."""
    connected = Cost(writes=1, runs=(AUTHORIZER, CONNECT))
    return {
        "sent": plus(
            (1, Cost(messages=2, reads=3, writes=1, lines=FRAME_LINE, runs=(MESSAGE,)).services),
            (1 / RECORDS, HUNDRED_RECORDS.services),
        ),
        "delivered": plus((1, Cost(messages=1, reads=0.5).services), (1, busy_check())),
        "receipt": RECEIPT.services,
        "push": plus((1, Cost(reads=28, writes=2, sqs=0.3, lines=1).services), (1 / 10, TEN_PUSHES.services)),
        "mail": plus((1, MAIL.services), (1, {SES: prices.MAIL})),
        "hour": plus((60, {"API Gateway": prices.CONNECTION_MINUTE}), (15, ONE_PING.services)),
        "connect": plus((1, connected.services), (1, GOES_UNSEEN.services)),
        "request": plus((1, REQUESTED.services), (2, READ)),
        "image": {FILES: costs.image() / prices.MILLION},
        "download": plus((1, REQUESTED.services), (3, READ), (1, {FILES: prices.S3_GET})),
        **_group_pieces(),
        **channel_costs.pieces(),
    }


def _group_pieces() -> dict[str, Services]:
    """A group's message: `base`, and for each member, who is online (the writer is) or away, unit of the roster, shard.

    A digest likewise.
    """
    post = {
        "Lambda": Run(cpu=CPU_MS["post more"], memory_mb=FRAMES_MB).dollars - Run(cpu=0, memory_mb=FRAMES_MB).dollars
    }
    of_stream = replace(STREAM, reads=3)
    at_once = replace(MESSAGE, posts=0)
    small = Cost(messages=1, writes=1, sqs=3, lines=FRAME_LINE, runs=(posting(1), of_stream, CHECK))
    of_large = replace(STREAM, reads=2, writes=1)
    large = Cost(messages=2, writes=2, lines=FRAME_LINE, runs=(at_once, of_large, CHECKS_TOGETHER))
    attendee = 0.54  # the row, and whether it was acknowledged
    return {
        "small_base": plus((1, small.services), (-2, post)),
        "small_member": plus((2.5, READ)),
        "large_base": large.services,
        "large_away": READ,
        "small_online": plus((1, Cost(messages=1, reads=-0.5).services), (1, post)),
        "large_online": plus((1, Cost(messages=1, reads=attendee).services), (1, post)),
        "group_roster": READ,
        "group_shard": plus((1, Cost(reads=1, sqs=6, runs=(SHARD,)).services), (-100, post)),
        "digest_base": plus((1, replace(DIGEST, reads=3).services)),
        "digest_online": plus((attendee, READ)),
        "digest_away": READ,
    }


def plus(*parts: tuple[float, Services]) -> dict[str, float]:
    """So many times each, together."""
    total: dict[str, float] = {}
    for times, services in parts:
        for name, dollars in services.items():
            total[name] = total.get(name, 0.0) + dollars * times
    return total


def counts(usage: Usage) -> dict[str, float]:
    """How many of each piece a month has."""
    days = usage.users * DAYS
    private, group = usage.private * days, usage.group * days
    n, here = usage.group_size, 1 + (usage.group_size - 1) * usage.online
    is_large, is_quiet = n > LARGE_GROUP, n > QUIET_GROUP
    digests = group * min(1.0, DIGESTS_A_DAY / max(usage.group * n, 1e-9)) if is_quiet else 0.0
    away = private * (1 - usage.online) + (digests if is_quiet else group) * (n - here)
    receipts = private * usage.online + (0 if is_large else group * (here - 1))
    images = usage.images * usage.users
    size = "large" if is_large else "small"
    return {
        "sent": private,
        "delivered": private * usage.online,
        "receipt": receipts,
        "push": away * usage.pushes,
        "mail": usage.mails * usage.users,
        "hour": usage.hours * days,
        "connect": usage.connects * days,
        "request": usage.requests * days,
        "image": images,
        "download": images * usage.downloads,
        f"{size}_base": group,
        f"{size}_online": group * here,
        "small_member": 0 if is_large else group * n,
        "large_away": group * (n - here) if is_large and not is_quiet else 0,
        "group_roster": (group * 2 + digests) * max(1.0, ROSTER_UNITS * n),
        "group_shard": group * ceil(here / LARGE_GROUP) if is_large else 0,
        "digest_base": digests,
        "digest_online": digests * here,
        "digest_away": digests * (n - here),
        **{name: usage.channel * DAYS * count for name, count in Told(usage.pace, usage.readers).counts().items()},
    }


def delivered(usage: Usage) -> float:
    """Posts of messages to who is there, in a month."""
    days = usage.users * DAYS
    to_groups = usage.group * days * (usage.group_size - 1) * usage.online
    return usage.private * days * usage.online + to_groups + usage.channel * DAYS * usage.readers


def gigabytes(usage: Usage) -> tuple[float, float, float]:
    """Of a month: rows that are stored, files that are stored, bytes that go out to the internet."""
    days = usage.users * DAYS
    written = (usage.private + usage.group) * days + usage.channel * DAYS
    rows = written * ROW_BYTES * usage.kept_months
    images = usage.images * usage.users * usage.image_kb * 1_000
    out = delivered(usage) * EVENT_BYTES + images * usage.downloads
    gb = prices.GIGABYTE
    return rows / gb, images * usage.kept_months / gb, out / gb


def bill(usage: Usage) -> dict[str, float]:
    """Dollars a month by service, the largest first."""
    units = pieces()
    rows, files, out = gigabytes(usage)
    total = plus(
        *((count, units[name]) for name, count in counts(usage).items()),
        (1, {"DynamoDB": rows * STORED_GB_MONTH, FILES: files * prices.S3_GB_MONTH}),
        (max(0.0, out - FREE_GB), {INTERNET: INTERNET_GB}),
        (1, {IDLE: (WITH_PUSHES if usage.pushes else WITHOUT_PUSHES).dollars}),
        (1 if usage.mails else 0, {IDLE: idle_mails()}),
    )
    return dict(sorted(((name, one) for name, one in total.items() if one), key=lambda item: -item[1]))


def rival(one: Rival, usage: Usage) -> float | None:
    """Dollars a month for the same messages and connections. Receipts are messages, too. None: by quote alone."""
    if one.plans:
        beyond = {price: max(0, usage.users - users) for users, price in one.plans}
        fitting = [price + more * one.user for price, more in beyond.items() if one.user or not more]
        return min(fitting, default=None)
    days = usage.users * DAYS
    receipts = counts(usage)["receipt"]
    published = (usage.private + usage.group) * days + usage.channel * DAYS + receipts
    used = published * one.publish + (delivered(usage) + receipts) * one.deliver + usage.hours * days * one.hour
    return max(used, one.month) if one.prepaid else used + one.month


def table(usage: Usage) -> list[str]:
    """What `make cost` prints."""
    parts = bill(usage)
    total = sum(parts.values())
    wide = max(len(name) for name in (*parts, *(one.name for one in RIVALS)))
    lines = [f"{name:{wide}}  {_dollars(dollars):>12}  {dollars / total:4.0%}" for name, dollars in parts.items()]
    lines += [f"{'Parley, a month':{wide}}  {_dollars(total):>12}"]
    lines += [f"{'for each user':{wide}}  {'$' + format(total / usage.users, '.4f'):>12}", ""]
    lines += ["Others' list prices:"]
    for one in RIVALS:
        asked = rival(one, usage)
        lines += [f"{one.name:{wide}}  {'by quote' if asked is None else _dollars(asked):>12}"]
        lines += [f"    {one.says} ({one.source}, {one.dated})"]
    return [*lines, "", BY_QUOTE]


def _dollars(amount: float) -> str:
    return f"${amount:,.2f}"


def _whole(usage: Usage) -> Usage:
    """Raises ValueError with what is wrong."""
    for name, value in asdict(usage).items():
        if not 0 <= value < _MOST:
            raise ValueError(f"{name} must be from 0 to a trillion, not {value:g}")
    if usage.online > 1:
        raise ValueError(f"online is a share from 0 to 1, not {usage.online:g}")
    if usage.pushes > 1:
        raise ValueError(f"pushes is 0 or 1, not {usage.pushes}")
    if usage.group_size < 1:
        raise ValueError("group_size must be 1 at least")
    if usage.users < 1:
        raise ValueError("users must be 1 at least")
    return usage


def _whole_number(text: str) -> int:
    number = float(text)
    if number % 1:
        raise ValueError
    return int(number)


_whole_number.__name__ = "whole number"


def main() -> None:
    parser = argparse.ArgumentParser(prog="make cost", description="What a month costs, by service.")
    defaults = Usage()
    for one in fields(Usage):
        given = getattr(defaults, one.name)
        names = (f"--{one.name.replace('_', '-')}", f"--{one.name.upper()}")
        parser.add_argument(
            *names,
            type=_whole_number if isinstance(given, int) else float,
            default=given,
            metavar="N",
            help=f"{SAYS[one.name]} [{given}]",
        )
    parser.add_argument("--json", action="store_true", help="for a program")
    asked = vars(parser.parse_args())
    as_json = asked.pop("json")
    try:
        usage = _whole(Usage(**asked))
    except ValueError as error:
        parser.error(str(error))
    if as_json:
        others = {one.name: rival(one, usage) for one in RIVALS}
        print(json.dumps({"usage": asdict(usage), "services": bill(usage), "others": others}, indent=2))
    else:
        print(*table(usage), sep="\n")


if __name__ == "__main__":
    main()
