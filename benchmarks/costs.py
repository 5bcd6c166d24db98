"""The figures of docs/costs.md, as benchmarks/cost_model.py has them.

    .venv/bin/python -m benchmarks.costs

prints each table as the page has it; a test holds the page to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from benchmarks.cost_model import (
    ANSWERED_RECEIPT,
    AUTH,
    BUNDLES_GB,
    CHECK,
    COMES,
    CORE_MB,
    DIGEST,
    EDIT,
    FRAME_LINE,
    GOES,
    GOES_UNSEEN,
    GROUP,
    GROUP_EDIT,
    GROUP_RECEIPT,
    GROUP_TYPING,
    IMAGE_DOLLARS,
    LARGE,
    LISTED,
    MESSAGE,
    ONE_CHECK,
    OTHER_FILE_DOLLARS,
    PING,
    POLLS,
    PROVIDER_MS,
    PUSH,
    RECEIPT,
    REQUESTED,
    SECRET_CALLS,
    STREAM,
    TEN_PUSHES,
    WATCH,
    WITH_PUSHES,
    WITHOUT_PUSHES,
    Cost,
    Run,
    busy_check,
    busy_message,
    hour_online,
    idle_mails,
    mail,
    private_message,
    push,
    receipts_together,
    riding_receipt,
)
from infra import prices
from infra.config import MEMORY_MB


def messages_table() -> Iterator[str]:
    yield "| what | per message | per million |"
    yield "|---|---|---|"
    parts = (
        ("gateway: the frame, the reply, one delivery", "3 messages", Cost(messages=3)),
        ("the entry: PutItem", "1 write unit", Cost(writes=1)),
        (
            "entry `after`, and whether bob blocks alice: BatchGetItem, eventually consistent",
            "1 read unit",
            Cost(reads=1),
        ),
        ("both sessions: BatchGetItem", "2 read units", Cost(reads=2)),
        (
            "from the stream, the recipient's session: BatchGetItem, eventually consistent",
            "0.5 read units",
            Cost(reads=0.5),
        ),
        (f"`message`: one invocation, {_run(MESSAGE)}", _gb(MESSAGE), Cost(runs=(MESSAGE,))),
        (
            f"`offline_push`: one invocation each at worst, {_run(STREAM)}; a busy stream brings up to 100 at once",
            _gb(STREAM),
            Cost(runs=(STREAM,)),
        ),
        ("the delivery check: to send, receive and delete it", "3 SQS requests", Cost(sqs=3)),
        (
            "the delivery check: whether bob has acknowledged, and what follows: BatchGetItem",
            "1 read unit",
            Cost(reads=1),
        ),
        (f"the delivery check: `offline_push`, {_run(CHECK)}", _gb(CHECK), Cost(runs=(CHECK,))),
        ("a line of some 300 bytes for one frame in a hundred", "3 bytes", Cost(lines=FRAME_LINE)),
    )
    for what, per_message, cost in parts:
        yield f"| {what} | {per_message} | ${cost.a_million:.3f} |"
    yield f"| **sum** | | **${private_message().a_million:.2f}** |"


# -- a million of everything else -------------------------------------------------------------------------------------

_GROUP_READS: Final = (
    "`after`, roster, 20 sessions; from the stream roster, 19 sessions (half a unit each), and the devices of 10; 5 "
    "from the delivery check"
)
_LARGE_READS: Final = (
    "`after`, twice the roster (45), 100 attendees (4); the entry, from the queue; 49.5 from the delivery check"
)
_ACKNOWLEDGED: Final = (
    "1 post; the delivery check with its 3 SQS requests, 1 read unit, one invocation; their request, 1 write unit"
)
_NONE: Final = "\N{EN DASH}"


def everything_else_table() -> Iterator[str]:
    edited = replace(EDIT, writes=6)
    yield "| a million … | gateway messages | write units | read units | sum |"
    yield "|---|---|---|---|---|"
    rows = (
        (
            "edits, deletions or reactions, private",
            "3",
            "4: the entry and the message; 6 from the second edit on",
            "5: tail, message, block, two sessions",
            f"${EDIT.a_million:.2f} (${edited.a_million:.2f})",
        ),
        (
            "messages in a group of 20, 10 of them online",
            "2 + 9",
            "1",
            f"47: {_GROUP_READS}",
            f"${GROUP.a_million:.2f}",
        ),
        (
            "edits, deletions or reactions there",
            "2 + 9",
            "4",
            "23: tail, roster, message, 20 sessions",
            _two(GROUP_EDIT),
        ),
        (
            "receipts there",
            "1 + 9",
            "1",
            "24: entry, membership, roster, the user's blocks, 20 sessions",
            _two(GROUP_RECEIPT),
        ),
        (
            "`typing` there, repeated every few seconds",
            "2 + 9",
            _NONE,
            "29: roster, 19 sessions, 9 blocks",
            _two(GROUP_TYPING),
        ),
        (
            "messages in a group of 1,000, 100 of them online",
            "2 + 100",
            "2: the entry, and that its digest is another's",
            f"145: {_LARGE_READS}",
            f"${LARGE.a_million:.0f}",
        ),
        (
            "digests there, one in 15 minutes at most",
            _NONE,
            _NONE,
            "1,002: the tail, the roster, the attendees and whether they have it, the devices of 900",
            f"${DIGEST.a_million:.0f}, and the pushes",
        ),
        (
            "members listed there, once for each who joins",
            _NONE,
            "3: the session, the attendee, the seat",
            "1: the session",
            _two(LISTED),
        ),
        (
            "`presence` frames for 10 users",
            "2",
            "11",
            "51: the last subscription, 40 for who may see whom, 10 sessions",
            _two(WATCH),
        ),
        ("users who come online, 10 watch them", "10", _NONE, "41: the watches, 40 for who may see them", _two(COMES)),
        ("users who go offline, 10 watch them", "10", "2: the connection, and what was told", "42", _two(GOES)),
        ("the same, without watchers", _NONE, "2", "3", _two(GOES_UNSEEN)),
        ("`auth` frames", "2", "1", _NONE, _two(AUTH)),
    )
    for row in rows:
        yield f"| {' | '.join(row)} |"


# -- a million pushes, files, devices ---------------------------------------------------------------------------------


def pushes_table() -> Iterator[str]:
    yield "| what | per push | each alone | in tens |"
    yield "|---|---|---|---|"
    parts = (
        ("from the stream, their devices: BatchGetItem", "1 read unit", Cost(reads=1), 1),
        ("the queue: to send, receive and delete it", "3 SQS requests", Cost(sqs=3), 10),
        (
            "the message, and what decides: membership, profile, block, devices, the sender's profile",
            "6 read units",
            Cost(reads=6),
            1,
        ),
        ("the badge: the conversations, and the tail of each", "1 + 20 read units", Cost(reads=21), 1),
        ("the claim: UpdateItem", "1 write unit", Cost(writes=1), 1),
        ("that it was pushed, at the membership: UpdateItem", "1 write unit", Cost(writes=1), 1),
        ("a line that counts what came of it", "0.3 KB", Cost(lines=1), 1),
    )
    for what, per_push, cost, together in parts:
        yield f"| {what} | {per_push} | ${cost.a_million:.3f} | ${cost.a_million / together:.3f} |"
    in_tens = TEN_PUSHES.dollars / 10 * prices.MILLION
    provider = f"{_run(PUSH)}, of which {PROVIDER_MS:.0f} are the provider's; ten at once side by side"
    yield f"| `offline_push`: {provider} | {_gb(PUSH)} | ${PUSH.dollars * prices.MILLION:.3f} | ${in_tens:.3f} |"
    yield f"| **sum** | | **${push(1):.2f}** | **${push(10):.2f}** |"


def files_rows() -> list[tuple[str, str, float]]:
    million = prices.MILLION
    return [
        (
            "to announce it: its row, when it is due, its bytes as its owner's",
            "a request, 6 write units",
            REQUESTED.a_million + Cost(writes=6).a_million,
        ),
        ("the upload by its form", "1 POST to S3", prices.S3_PUT * million),
        ("the check: the file's row, read and settled", "1 read unit, 1 write unit", Cost(reads=1, writes=1).a_million),
        ("the check: the upload", "1 HEAD, 1 GET", 2 * prices.S3_GET * million),
        ("the check: the copy, the thumbnail", "2 PUTs", 2 * prices.S3_PUT * million),
        ("the check: `files`, 0.5 s at 1,024 MB", "0.5 GB-s", IMAGE_DOLLARS * million),
        (
            "S3's events, of which the first matters: two objects made more, and the upload deleted",
            "4 events",
            4 * prices.EVENT * million,
        ),
        (
            "to ask whether it is ready, twice",
            "2 requests, 2 read units",
            2 * REQUESTED.a_million + Cost(reads=2).a_million,
        ),
        ("the look, a day later, whether it was sent", "1 read unit, 1 write unit", Cost(reads=1, writes=1).a_million),
        (
            "what its message costs more: a transaction of three rows",
            "5 write units, 1 read unit",
            Cost(writes=5, reads=1).a_million,
        ),
    ]


def files_table() -> Iterator[str]:
    yield "| what | calls | per million |"
    yield "|---|---|---|"
    for what, calls, dollars in files_rows():
        yield f"| {what} | {calls} | ${dollars:.3f} |"
    yield f"| **sum** | | **${image():.2f}** |"


def image() -> float:
    return sum(dollars for _, _, dollars in files_rows())


def other_file() -> float:
    """Without a thumbnail (a PUT, an event) and without decoding."""
    less = prices.S3_PUT + prices.EVENT + IMAGE_DOLLARS - OTHER_FILE_DOLLARS
    return image() - less * prices.MILLION


def devices_table() -> Iterator[str]:
    one, plus = REQUESTED.a_million, _plus
    told = (one + ONE_CHECK.a_million) / 100
    due = prices.SCHEDULE * prices.MILLION + Cost(sqs=3, reads=5, writes=2, runs=(CHECK,)).a_million
    online = Cost(messages=1, sqs=3, reads=1, runs=(CHECK,)).a_million + one + Cost(writes=1).a_million
    away = Cost(sqs=3, reads=3, runs=(replace(CHECK, reads=2),)).a_million
    yield "| a million … | | sum |"
    yield "|---|---|---|"
    rows = (
        (
            "devices registered, new or again",
            "a request, 2 read and 4 write units; 4 and 6 where the target has changed",
            f"${one + plus(2, 4):.2f} (${one + plus(4, 6):.2f})",
        ),
        (
            "users told of something, 100 to a request, who are away",
            "4 read units, 1 write unit; the push",
            f"${told + plus(4, 1):.2f}, and a push",
        ),
        (
            "the same, who are online and acknowledge",
            "2 read units, 1 write unit, 1 post; their request, 1 write unit",
            f"${told + plus(2, 1) + Cost(messages=1).a_million + one + plus(0, 1):.2f}",
        ),
        ("reminders", "a request, 3 read units, 1 write unit", f"${one + plus(3, 1):.2f}"),
        (
            "when they are due",
            "the schedule, 3 SQS requests, 5 read and 2 write units, one invocation of `offline_push`",
            f"${due:.2f}",
        ),
        (
            "and then, of who is online and acknowledges",
            _ACKNOWLEDGED,
            f"${online:.2f}",
        ),
        (
            "of who is away",
            "the look with its 3 SQS requests, 3 read units, one invocation; the push",
            f"${away:.2f}, and a push",
        ),
    )
    for row in rows:
        yield f"| {' | '.join(row)} |"


# -- who is online, and what stands still -----------------------------------------------------------------------------


def idle_table() -> Iterator[str]:
    few, all_ = WITHOUT_PUSHES, WITH_PUSHES
    yield "| | a month |"
    yield "|---|---|"
    yield f"| the JWT secret (none with a JWKS URL) | ${prices.SECRET_MONTH:.2f} |"
    yield f"| the secret of each push provider | ${prices.SECRET_MONTH:.2f} |"
    yield (
        f"| {few.alarms} alarms; {all_.alarms} with both providers. Two watch a share, and are priced as two each (an "
        "account's first ten are free) | "
        f"${few.alarmed:.2f}; ${all_.alarmed:.2f} |"
    )
    yield f"| the dashboard (none with `dashboard=off`) | ${prices.DASHBOARD_MONTH:.2f} |"
    yield (
        f"| empty polls of the {few.queues} queues; {all_.queues} with both providers. Lambda asks each with five "
        f"pollers that wait 20 s, {POLLS:,} times a month (by AWS's descriptions; an account's first million requests "
        f"are free) | ${few.polled:.2f}; ${all_.polled:.2f} |"
    )
    yield "| stored data, per GB: table $0.25, point-in-time recovery $0.20, files $0.023 | by size |"
    yield (
        "| the look at missed pushes, with a push provider: 60 invocations, and what there is to look at "
        "([below](#the-look-at-missed-pushes)) | $0.00, and by size |"
    )
    yield f"| **sum** without a push provider; with both | **${few.dollars:.2f}; ${all_.dollars:.2f}** |"


def memory_table() -> Iterator[str]:
    """One message by the memory of its function."""
    yield "| memory | share of a core | `message` takes | of it CPU | a million invocations |"
    yield "|---|---|---|---|---|"
    for size in MEMORY_MB:
        run = replace(MESSAGE, memory_mb=size)
        dollars = run.dollars * prices.MILLION
        yield f"| {size:,} MB | {size / CORE_MB:.0%} | {run.ms:.0f} ms | {run.cpu_ms:.1f} ms | ${dollars:.2f} |"


def _run(run: Run) -> str:
    return f"{run.ms:.0f} ms at {run.memory_mb} MB"


def _gb(run: Run) -> str:
    return f"{run.gb_seconds:.4f} GB-s"


def _two(cost: Cost) -> str:
    return f"${cost.a_million:.2f}"


def _plus(reads: float, writes: float) -> float:
    return Cost(reads=reads, writes=writes).a_million


TABLES: Final = {
    "A million private messages": messages_table,
    "What memory": memory_table,
    "A million of everything else": everything_else_table,
    "A million pushes": pushes_table,
    "A million files": files_table,
    "A million devices, notifications, reminders": devices_table,
    "Idle": idle_table,
}


def sentences() -> Sequence[str]:
    """What the page and the README say of the same figures in words."""
    alone, busy = private_message().a_million, busy_message()
    two, five = (receipts_together(count).a_million for count in (2, 5))
    parts = " + ".join(
        f"${one.a_million:.3f}" for one in (Cost(messages=2), Cost(reads=1), Cost(writes=1), Cost(runs=(PING,)))
    )
    month = 1_000 * 8 * 22 * hour_online()
    return (
        f"**${busy:.2f}**",
        f"${sum(busy_check().values()) * prices.MILLION:.2f} a message instead of ${ONE_CHECK.a_million:.2f}",
        f"${busy_message(burst=2):.2f} where they come evenly",
        f"{300 / alone:.0f} to {300 / busy:.0f} % of it",
        f"one invocation, ${RECEIPT.a_million:.2f} per",
        f"and costs ${ANSWERED_RECEIPT.a_million:.2f}",
        f"two in one frame are ${two / 2:.2f} each, five ${five / 5:.2f}",
        f"${riding_receipt():.2f} per million in place of",
        f"${RECEIPT.a_million + riding_receipt():.2f} for each message that is answered",
        f"15 \N{MULTIPLICATION SIGN} ({parts}) / 1,000,000  =  ${hour_online():.7f}",
        f"**${month:.2f} a month**",
        f"A request over HTTP is ${REQUESTED.a_million:.2f}",
        f"is not decoded: ${other_file():.2f}",
        f"**${mail():.2f} a million**",
        f"${idle_mails():.2f} a month whether anything is mailed or not",
        f"{SECRET_CALLS:,} calls | ${SECRET_CALLS * prices.SECRET_CALL:.2f} |",
        f"old ones are yours to delete | ${100 * BUNDLES_GB * prices.S3_GB_MONTH:.2f} for 100 versions |",
        f"1 read unit: ${Cost(sqs=3, reads=1, runs=(replace(CHECK, memory_mb=256),)).a_million:.2f} per",
    )


if __name__ == "__main__":
    for title, table in TABLES.items():
        print(f"## {title}", *table(), "", sep="\n")
    print(*sentences(), sep="\n")
