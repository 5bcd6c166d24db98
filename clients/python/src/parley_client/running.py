"""What a team's server asks for to run Parley: webhooks, word lists, holds, removals, imports. See `admin.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from parley_client.answers import listed, understood
from parley_client.calls import Calls, path_of, present
from parley_client.events import Frame


class RunningOperations(Calls):
    """See `Calls` for what they raise, and when. What they return is the answer, as the protocol has it."""

    # --- events out

    async def webhooks(self) -> tuple[Frame, ...]:
        """All there are, each with its `health`."""
        return listed("webhooks", dict, await self._call("GET", "/v1/webhooks"))

    async def webhook(self, webhook_id: str) -> Frame | None:
        """None where there is none."""
        return await self._find(path_of("webhooks", webhook_id))

    async def put_webhook(
        self,
        webhook_id: str,
        url: str,
        *,
        events: Iterable[str] | None = None,
        conversations: Iterable[str] | None = None,
        enabled: bool = True,
    ) -> Frame:
        """Make or change it. The first time there is a `secret` in the answer, this once. None: of all of them."""
        only = present(
            events=None if events is None else list(events),
            conversations=None if conversations is None else list(conversations),
        )
        return await self._call("PUT", path_of("webhooks", webhook_id), body={"url": url, "enabled": enabled, **only})

    async def delete_webhook(self, webhook_id: str) -> None:
        """Nothing goes there any more. Safe to repeat."""
        await self._call("DELETE", path_of("webhooks", webhook_id))

    async def rotate_secret(self, webhook_id: str) -> Frame:
        """Another `secret`; the one before is good until `previous_secret_until` (ms)."""
        return await self._call("POST", path_of("webhooks", webhook_id, "rotate"))

    async def replay(
        self,
        webhook_id: str,
        *,
        since: int | None = None,
        conversation_id: str | None = None,
        seq: int | None = None,
    ) -> str:
        """Send again what happened since a moment (ms), or in one conversation from entry `seq` on. Returns its id."""
        body = present(since=since, conversation_id=conversation_id, seq=seq)
        return _id(await self._call("POST", path_of("webhooks", webhook_id, "replay"), body=body))

    async def try_webhook(self, webhook_id: str) -> str:
        """Send it an event that says that it is a try; returns its id."""
        return _id(await self._call("POST", path_of("webhooks", webhook_id, "test")))

    # --- words

    async def word_lists(self) -> tuple[Frame, ...]:
        """All lists: `name`, `action`, `words`."""
        return listed("lists", dict, await self._call("GET", "/v1/word-lists"))

    async def put_word_list(self, name: str, action: str, words: Iterable[str]) -> Frame:
        """What becomes of messages with these words. `action`: block, mask or hold."""
        return await self._call("PUT", path_of("word-lists", name), body={"action": action, "words": list(words)})

    async def delete_word_list(self, name: str) -> None:
        """Safe to repeat."""
        await self._call("DELETE", path_of("word-lists", name))

    # --- a user's data

    async def hold(self, user_id: str, reason: str = "") -> Frame:
        """A legal hold: nothing of the user is erased while it stands."""
        return await self._call("PUT", path_of("users", user_id, "hold"), body=present(reason=reason or None))

    async def hold_of(self, user_id: str) -> Frame | None:
        """None where there is none."""
        return await self._find(path_of("users", user_id, "hold"))

    async def end_hold(self, user_id: str) -> None:
        """Safe to repeat."""
        await self._call("DELETE", path_of("users", user_id, "hold"))

    async def hold_conversation(self, conversation_id: str, reason: str = "") -> Frame:
        """A legal hold: nothing of the conversation goes by its retention, an erasure or a removal while it stands."""
        path = path_of("conversations", conversation_id, "hold")
        return await self._call("PUT", path, body=present(reason=reason or None))

    async def conversation_hold_of(self, conversation_id: str) -> Frame | None:
        """None where there is none."""
        return await self._find(path_of("conversations", conversation_id, "hold"))

    async def end_conversation_hold(self, conversation_id: str) -> None:
        """Safe to repeat."""
        await self._call("DELETE", path_of("conversations", conversation_id, "hold"))

    async def erasure_of(self, user_id: str) -> Frame | None:
        """Where it is, and once it is done what a scan has found to be `left`; None where there is none."""
        return await self._find(path_of("users", user_id, "erasure"))

    async def remove_messages(self, user_id: str) -> Frame:
        """Begin to remove all messages of a user, or go on with it."""
        return await self._call("POST", path_of("users", user_id, "removal"))

    async def removal_of(self, user_id: str) -> Frame | None:
        """Where that is; None where there is none."""
        return await self._find(path_of("users", user_id, "removal"))

    async def shadow_ban_of(self, user_id: str) -> Frame | None:
        """None for who is seen by all."""
        return await self._find(path_of("users", user_id, "shadow-ban"))

    async def import_lines(self, lines: Iterable[Mapping[str, Any]]) -> Frame:
        """History from elsewhere, a line each; the same lines again are `duplicates`."""
        return await self._call("POST", "/v1/imports", body={"lines": [dict(each) for each in lines]})


@understood
def _id(body: Frame) -> str:
    return str(body["id"])
