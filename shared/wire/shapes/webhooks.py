"""What administrators are answered about webhooks."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field
from typing_extensions import TypedDict

from shared.wire.shapes.service import AT, Count, Time, example

_HEALTH: Final[dict[str, Any]] = {
    "failures": 0,
    "failing_since": None,
    "rests_until": None,
    "last_success_at": AT,
    "last_failure_at": None,
    "last_failure": None,
}
_WEBHOOK: Final[dict[str, Any]] = {
    "id": "crm",
    "url": "https://crm.example.com/parley",
    "events": ["new_message", "message_edited"],
    "conversations": None,
    "enabled": True,
    "disabled": None,
    "created_at": AT,
    "previous_secret_until": None,
    "health": _HEALTH,
}
_SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="  # noqa: S105  # an example of one


@example(**_HEALTH)
class Health(TypedDict):
    """How an endpoint does: failures in a row and since when, until when nothing is posted, and the last of each."""

    failures: Count
    failing_since: Time | None
    rests_until: Time | None
    last_success_at: Time | None
    last_failure_at: Time | None
    last_failure: Annotated[str | None, Field(description="A status like `503`, or a word like `timeout`.")]


@example(**_WEBHOOK)
class Webhook(TypedDict):
    """An endpoint: which events of which kinds of conversation it wants, null for all, and how it does."""

    id: str
    url: str
    events: list[str] | None
    conversations: list[str] | None
    enabled: bool
    disabled: Annotated[Literal["gone", "failing"] | None, Field(description="Why Parley switched it off.")]
    created_at: Time
    previous_secret_until: Annotated[Time | None, Field(description="So long the secret before signs, too.")]
    health: Health


@example(**_WEBHOOK, secret=_SECRET)
class WebhookWithSecret(Webhook):
    """With its secret, which is shown here and never again."""

    secret: str


@example(webhooks=[_WEBHOOK])
class Webhooks(TypedDict):
    """All, by id."""

    webhooks: list[Webhook]


@example(id="crm")
class Replaying(TypedDict):
    """The webhook that is told again, in the background."""

    id: str


@example(id="test/4mJk2Q0xGbs")
class Trying(TypedDict):
    """The id of the event that is posted; how it went is in the webhook's health a moment later."""

    id: str
