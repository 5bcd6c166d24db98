"""What administrators send about webhooks, and are answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel, Field

from shared.domain.webhooks import CONVERSATION_KINDS, EVENT_TYPES, MAX_NAME, MAX_NAMES, MAX_URL, Webhook
from shared.errors import BadRequest
from shared.wire.rest.common import ConversationId, EntrySeq, Milliseconds, config

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.wire.shapes import webhooks as shapes

_Names = Annotated[list[Annotated[str, Field(max_length=MAX_NAME)]], Field(max_length=MAX_NAMES)]
_EVENTS: Final = f"Of {', '.join(EVENT_TYPES)}; null or none: all."
_KINDS: Final = f"Of {', '.join(CONVERSATION_KINDS)}; null or none: all."


class NewWebhook(BaseModel):
    """Where events go, and which of them."""

    model_config = config(
        {"url": "https://crm.example.com/parley"},
        {"url": "https://crm.example.com/parley", "events": ["new_message"], "conversations": ["group"]},
    )

    url: Annotated[str, Field(max_length=MAX_URL, description="https, of a public address.")]
    events: Annotated[_Names | None, Field(description=_EVENTS)] = None
    conversations: Annotated[_Names | None, Field(description=_KINDS)] = None
    enabled: bool = True


class Replay(BaseModel):
    """From a moment on (ms), or of one conversation from a place on."""

    model_config = config({"since": 1795431200123}, {"conversation_id": "dm:alice:bob", "seq": 42})

    since: Milliseconds | None = None
    conversation_id: ConversationId | None = None
    seq: EntrySeq | None = None

    def place(self) -> tuple[str, int] | None:
        """Of one conversation; None where it is from a moment on. Raises BadRequest for both, and for neither."""
        of_one = self.conversation_id is not None and self.seq is not None
        if (self.since is not None) == of_one or (self.conversation_id is None) != (self.seq is None):
            raise BadRequest("Either `since`, or `conversation_id` and `seq`")
        return (self.conversation_id or "", self.seq or 0) if of_one else None


def webhook_body(webhook: Webhook, *, now: int) -> shapes.Webhook:
    health = webhook.health
    return {
        "id": webhook.webhook_id,
        "url": webhook.url,
        "events": list(webhook.events) or None,
        "conversations": list(webhook.conversations) or None,
        "enabled": webhook.enabled,
        "disabled": webhook.disabled or None,
        "created_at": webhook.since,
        "previous_secret_until": webhook.previous_until if webhook.previous_until > now else None,
        "health": {
            "failures": health.failures,
            "failing_since": health.failing_since or None,
            "rests_until": health.rests_until if health.rests_until > now else None,
            "last_success_at": health.last_success_at or None,
            "last_failure_at": health.last_failure_at or None,
            "last_failure": health.last_failure or None,
        },
    }


def webhook_with_secret(webhook: Webhook, *, now: int) -> shapes.WebhookWithSecret:
    return {**webhook_body(webhook, now=now), "secret": webhook.secrets[0]}


def webhooks_body(webhooks: Sequence[Webhook], *, now: int) -> shapes.Webhooks:
    return {"webhooks": [webhook_body(webhook, now=now) for webhook in webhooks]}
