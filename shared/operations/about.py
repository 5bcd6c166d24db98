"""What the team's backend is told about a user: each takes the next place in a log of its own, which no client reads.

So it goes out as every entry does (ADR 0048): numbered without a gap, in order, again until it is taken. It is noted
after what it tells of, before whoever asked for that has an answer: a request that dies in between is repeated, or
comes again from its queue, and notes it then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from shared.domain.changes import Happened, Happening, as_json
from shared.domain.entries import Entry, change_entry
from shared.domain.text import about_log_id, receipts_id
from shared.errors import Unavailable
from shared.operations.context import MAX_ATTEMPTS

if TYPE_CHECKING:
    from shared.domain.entries import Receipt
    from shared.domain.files import File
    from shared.operations.context import Context
    from shared.operations.files import Tell
    from shared.ports.conversations import ConversationLog

# So many of the latest are looked at for whether it was told before: a repetition follows soon.
_LOOKED_AT: Final = 25


def happened(what: Happening, topic: str, /, **value: Any) -> Happened:
    """What is told. Of one `topic` the latest says how things stand."""
    return Happened(what, topic, as_json(value))


def tell_about(user_id: str, look: Callable[[], Happened], *, log: ConversationLog, context: Context) -> None:
    """Note what happened to a user for the team's backend; nothing, and no call, where a deployment has no events.

    `look` says how it stands now, and is asked behind the log's tail, again whenever another note was quicker, and once
    more when its answer is noted: so the last of a topic says what is stored, whichever change was quicker. What was
    the last word on its topic is not repeated. Guarantee: when this returns, what it says is durable in the log. Raises
    whatever `look` raises, and Unavailable: the request is to be repeated.
    """
    if not context.limits.tells_team:
        return
    nonce = context.new_nonce()
    for attempt in range(MAX_ATTEMPTS):
        if attempt:
            context.pause(attempt - 1)
        latest = log.read_back(about_log_id(user_id), limit=_LOOKED_AT)
        told = look()
        if _last_word(told.topic, latest) == told:
            return
        entry = change_entry(
            told,
            base=latest[0] if latest else None,
            conversation_id=about_log_id(user_id),
            sender_id=user_id,
            created_at=context.now(),
            nonce=nonce,
            fan_out=False,
        )
        there = log.put(entry)
        # Who has changed it back meanwhile has found that as the last word, and noted nothing.
        if (there is None or there.nonce == nonce) and look() == told:
            return
    raise Unavailable


def tell_receipt(receipt: Receipt, *, log: ConversationLog, context: Context) -> None:
    """Have the team's backend told of a cursor that moved: one put. What was told already is told no more.

    Its place is where the cursor stands, so it needs no tail: places have gaps, and only ever grow. Raises Unavailable.
    """
    kind: Happening = "read" if receipt.kind == "read" else "delivered"
    place = {"conversation_id": receipt.conversation_id, "user_id": receipt.user_id, "seq": receipt.seq}
    entry = Entry(
        conversation_id=receipts_id(kind, receipt.user_id, receipt.conversation_id),
        seq=receipt.seq,
        sender_id=receipt.user_id,
        created_at=receipt.timestamp,
        number=0,
        change=happened(kind, kind, **place),
        nonce=context.new_nonce(),
    )
    log.put(entry)


def tells_of_files(log: ConversationLog, context: Context) -> Tell:
    """Tells what becomes of files, by ids and codes: a file's name is its owner's words."""

    def tell(what: Happening, file: File, /) -> None:
        said = {"content_type": file.content_type, "size": file.size}
        reason = {"reason": file.reason} if file.reason else {}
        told = happened(what, f"{what}:{file.file_id}", user_id=file.owner_id, file_id=file.file_id, **said, **reason)
        tell_about(file.owner_id, lambda: told, log=log, context=context)

    return tell


def _last_word(topic: str, latest: Sequence[Entry]) -> Happened | None:
    said = (entry.change for entry in latest)
    return next((one for one in said if isinstance(one, Happened) and one.topic == topic), None)
