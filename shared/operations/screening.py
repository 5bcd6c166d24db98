"""What a deployment decides about a message before it is stored: by lists of words, and by asking code of its own.

Only a deployment that wants this loads it. A verdict of the hook is fixed for a message and all its resends: whoever is
first claims to ask, the others wait for what it hears, and what was heard is kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

from shared.clock import SECOND_MS
from shared.domain import rules
from shared.domain.custom import NO_DATA, data_text
from shared.domain.entries import Draft, Entry
from shared.domain.screening import (
    ALLOW,
    BY_REVIEW,
    BY_WORDS,
    KEEP,
    MAX_CODE_CHARACTERS,
    MAX_TEXT_CHARACTERS,
    REJECT,
    REWRITE,
    Held,
    Ruled,
    Ruling,
    Verdict,
    held_message,
    named,
    rewritten,
)
from shared.domain.shadows import SHADOWS_KEPT_MS
from shared.domain.text import is_label
from shared.domain.words import BLOCK, HOLD, Found, Matcher
from shared.errors import Conflict, ParleyError, Rejected, Unavailable
from shared.ports.screening import HeldMessages, Hook, HookFailed, ShadowBans, Verdicts, WordLists
from shared.ports.services import Observer

T = TypeVar("T")

# How long an instance goes by the lists that it has read.
WORDS_KEPT_MS: Final = 10 * SECOND_MS
# A claim to ask is given up this long after the hook must have answered.
_SPARE_MS: Final = 2 * SECOND_MS
_LOOK_EVERY_MS: Final = 50
FAILED: Final = "MessageHookFailed"


class Kept(Generic[T]):
    """What an instance of a function goes by for so long, and then reads again. `now` is milliseconds."""

    __slots__ = ("_kept_ms", "_known", "_now", "_read")

    def __init__(self, read: Callable[[], T], kept_ms: int, now: Callable[[], int]) -> None:
        self._read = read
        self._kept_ms = kept_ms
        self._now = now
        self._known: tuple[T, int] | None = None

    def __call__(self) -> T:
        now = self._now()
        if self._known is None or now - self._known[1] >= self._kept_ms:
            self._known = self._read(), now
        return self._known[0]


def words_of(lists: WordLists, now: Callable[[], int]) -> Kept[Matcher]:
    """The words of the lists, as they were within the last ten seconds."""
    return Kept(lambda: Matcher(lists.all()), WORDS_KEPT_MS, now)


def shadows_of(bans: ShadowBans, now: Callable[[], int]) -> Kept[frozenset[str]]:
    """Who is shadow-banned, or was within the last three seconds."""
    return Kept(lambda: frozenset(one.user_id for one in bans.all()), SHADOWS_KEPT_MS, now)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Asking:
    """The hook, how long it has (ms), and whether what it does not answer is taken (`fails_open`)."""

    hook: Hook
    deadline_ms: int
    fails_open: bool
    verdicts: Verdicts


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Screen:
    """What one function's messages and edits go through. `wait_ms` waits, and keeps to the invocation's deadline."""

    held: HeldMessages
    now: Callable[[], int]
    wait_ms: Callable[[int], None]
    new_nonce: Callable[[], str]
    observer: Observer
    bounds: rules.Bounds
    words: Kept[Matcher] | None = None
    asking: Asking | None = None
    shadows: Kept[frozenset[str]] | None = None

    def is_shadowed(self, user_id: str) -> bool:
        """Whether others see nothing of what the user writes from now on."""
        return self.shadows is not None and user_id in self.shadows()

    def message(self, draft: Draft, base: Entry | None) -> Draft | Held:
        """The draft as it may be stored behind `base`, or the message that waits now, or did before.

        Raises Rejected; Conflict where another message of this id was looked at; Unavailable where a hook that fails
        closed has not answered, or another request of this message is still waiting for it.
        """
        look = self._look(draft.content)
        if look.masked != draft.content:
            draft = replace(draft, content=look.masked, original=draft.digest)
        is_held = look.action == HOLD
        if self.asking is not None and not is_held:
            client_id = draft.client_message_id
            name = None if client_id is None else named(draft.conversation_id, draft.sender_id, client_id)
            verdict = self._ruling(self.asking, name, draft.digest, lambda: _told(draft, self.now()), draft)
            is_held = verdict.ruling == KEEP
            if verdict.ruling == REJECT:
                raise _rejection(verdict)
            if verdict.ruling == REWRITE:
                draft = rewritten(draft, verdict)
        return self._hold(draft, base) if is_held else draft

    def edit(self, message: Entry, content: str, data: str | None) -> tuple[str, str | None]:
        """Content and `data` as an edited message may have them. What would be held is Rejected: nothing waits."""
        look = self._look(content)
        content = look.masked
        verdict = Verdict(KEEP) if look.action == HOLD else self._edit_ruling(message, content, data)
        if verdict.ruling == KEEP:
            raise Rejected("A message can't be edited to this", reason=BY_REVIEW)
        if verdict.ruling == REJECT:
            raise _rejection(verdict)
        if verdict.ruling == REWRITE:
            return verdict.content if verdict.content is not None else content, verdict.data or data
        return content, data

    def _look(self, text: str) -> Found:
        """What the lists of words ask for. Raises Rejected where one of them blocks it."""
        look = Found(None, text) if self.words is None else self.words().look(text)
        if look.action == BLOCK:
            raise Rejected("This message has words that are not taken here", reason=BY_WORDS)
        return look

    def _edit_ruling(self, message: Entry, content: str, data: str | None) -> Verdict:
        if self.asking is None:
            return Verdict(ALLOW)
        draft = _edited(message, content, data)
        name = named(message.conversation_id, message.sender_id, f"{message.seq}\x00{draft.digest}")
        told = {**_told(draft, self.now()), "type": "before_edit", "seq": message.seq}
        return self._ruling(self.asking, name, draft.digest, lambda: told, draft)

    def _hold(self, draft: Draft, base: Entry | None) -> Held:
        draft = replace(draft, shadow=self.is_shadowed(draft.sender_id))  # it stays hidden, also if the ban is lifted
        held = self.held.put(held_message(draft, at=self.now(), base_seq=base.seq if base else 0))
        if held.digest != draft.digest:
            raise Conflict("This client_message_id was used for a different message")
        if held.review is not None and held.review.decision == REJECT:
            raise Rejected(reason=held.review.reason or BY_REVIEW)
        return held

    def _ruling(
        self, asking: Asking, name: str | None, digest: str, told: Callable[[], Mapping[str, Any]], draft: Draft
    ) -> Verdict:
        """The verdict that stands, or the hook's. Without a name nothing is kept: there is no other request."""
        nonce = self.new_nonce()
        if name is None:
            return self._ask(asking, told(), nonce, draft)
        there = self._claimed(asking, name, digest, nonce)
        if there is not None:
            return there
        try:
            verdict = self._ask(asking, told(), name, draft)
        except Unavailable:
            asking.verdicts.release(name, nonce=nonce)
            raise
        return asking.verdicts.settle(name, verdict, nonce=nonce)

    def _claimed(self, asking: Asking, name: str, digest: str, nonce: str) -> Verdict | None:
        """The verdict that another request has got, or gets; None where this one is to ask."""
        until = self.now() + asking.deadline_ms + _SPARE_MS
        while True:
            now = self.now()
            due = now + asking.deadline_ms + _SPARE_MS
            there = asking.verdicts.claim(name, digest=digest, nonce=nonce, until=due, now=now)
            if there is None:
                return None
            if there.digest != digest:
                raise Conflict("This client_message_id was used for a different message")
            if there.verdict is not None:
                return there.verdict
            if now >= until:
                raise Unavailable("This message is being looked at: try again")
            self._wait_for(asking, name, there)

    def _wait_for(self, asking: Asking, name: str, there: Ruled) -> None:
        """Until the other request has its verdict, or its claim is over."""
        while there.verdict is None and self.now() < there.until:
            self.wait_ms(_LOOK_EVERY_MS)
            found = asking.verdicts.get(name)
            if found is None:
                return
            there = found

    def _ask(self, asking: Asking, told: Mapping[str, Any], name: str, draft: Draft) -> Verdict:
        """What the hook says. Raises Unavailable where it fails, and fails closed."""
        try:
            return _checked(_verdict_of(asking.hook.ask(told, name=name)), draft, self.bounds)
        except HookFailed as error:
            self.observer.noted("message hook failed", why=str(error))
            self.observer.count(FAILED)
            if asking.fails_open:
                return Verdict(ALLOW)
            raise Unavailable("This message can't be looked at right now: try again") from error


def _told(draft: Draft, now: int) -> dict[str, Any]:
    """What the hook hears of a draft."""
    said: dict[str, Any] = {
        "conversation_id": draft.conversation_id,
        "sender_id": draft.sender_id,
        "content": draft.content,
        "type": draft.message_type,
        "client_message_id": draft.client_message_id,
        "reply_to": draft.reply_to,
        "mentions": list(draft.mentions),
        "file_id": draft.file_id,
        "data": None if draft.data is None else json.loads(draft.data),
        "attachments": [] if draft.attachments is None else json.loads(draft.attachments),
        "forwarded": draft.forward_of is not None,
    }
    return {"type": "before_message", "timestamp": now, "message": said}


def _edited(message: Entry, content: str, data: str | None) -> Draft:
    """An edited message as a draft."""
    return Draft(
        conversation_id=message.conversation_id,
        sender_id=message.sender_id,
        content=content,
        nonce="",
        message_type=message.message_type,
        client_message_id=message.client_message_id,
        reply_to=message.reply_to,
        mentions=message.mentions,
        file_id=message.file_id,
        data=None if data == NO_DATA else data or message.data,
        attachments=message.attachments,
    )


_RULINGS: Final[Mapping[str, Ruling]] = {"allow": ALLOW, "rewrite": REWRITE, "reject": REJECT, "hold": KEEP}


_REJECTION: Final = (("code", "rejected"), ("message", ""))


def _verdict_of(answer: bytes) -> Verdict:
    """The verdict in an answer. Raises HookFailed for anything that is not exactly one."""
    try:
        said = json.loads(answer)
        json.dumps(said, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as exc:
        raise HookFailed("answered no JSON") from exc
    ruling = _RULINGS.get(said.get("verdict", "")) if isinstance(said, dict) and _is_text(said, "verdict") else None
    if ruling is None:
        raise HookFailed("answered no verdict")
    if ruling == REWRITE:
        return _rewriting(said)
    if ruling != REJECT:
        return Verdict(ruling)
    # Null is what is left out: programs of typed languages write out all that they have a field for.
    code, text = (said.get(name) if said.get(name) is not None else usual for name, usual in _REJECTION)
    is_code = isinstance(code, str) and is_label(code) and len(code) <= MAX_CODE_CHARACTERS
    if not is_code or not isinstance(text, str) or len(text) > MAX_TEXT_CHARACTERS:
        raise HookFailed("answered a rejection without a proper code or text")
    return Verdict(REJECT, code=code, text=text)


def _is_text(said: Mapping[str, Any], name: str) -> bool:
    return isinstance(said.get(name), str)


def _rewriting(said: Mapping[str, Any]) -> Verdict:
    content, data = said.get("content"), said.get("data")
    is_empty = content is None and "data" not in said
    if is_empty or not isinstance(content, str | None) or not isinstance(data, dict | None):
        raise HookFailed("answered a rewriting of nothing")
    try:
        kept = (data_text(data) or NO_DATA) if "data" in said else None
    except ParleyError as exc:
        raise HookFailed("answered a rewriting that is no message") from exc
    return Verdict(REWRITE, content=content, data=kept)


def _checked(verdict: Verdict, draft: Draft, bounds: rules.Bounds) -> Verdict:
    """The verdict, if what it makes of the draft is a message. Raises HookFailed."""
    if verdict.ruling != REWRITE:
        return verdict
    made = rewritten(draft, verdict)
    try:
        rules.check_content(made.content, bounds)
        rules.check_shows(made.content, made.file_id, made.attachments)
        rules.check_weight(made, None)
    except ParleyError as exc:
        raise HookFailed("answered a rewriting that is no message") from exc
    return verdict


def _rejection(verdict: Verdict) -> Rejected:
    return Rejected(verdict.text or None, reason=verdict.code)
