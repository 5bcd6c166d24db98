"""What all shapes share, and those of the service itself: health, tickets, the document, errors.

A shape is declared here once. The function that builds an answer returns it, so mypy refuses a field that is missing or
unknown; the OpenAPI document is generated from it. Only that document loads these modules: functions import them for
their types alone, since some sixty described types would cost every cold start.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, NotRequired, TypeVar

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from shared.errors import ErrorCode
from shared.version import VERSION

T = TypeVar("T", bound=type)

Count = Annotated[int, Field(ge=0)]
Place = Annotated[int, Field(ge=0, description="A place of the log: a `seq`, or 0 for before the first.")]
Time = Annotated[int, Field(ge=0, description="Milliseconds since the epoch.")]

# When the examples happened.
AT: Final = 1_795_431_200_123


def example(**fields: Any) -> Callable[[T], T]:
    """A shape with an example of it."""
    return with_config(ConfigDict(json_schema_extra={"examples": [fields]}))


@example(status="ok", time=AT, version=VERSION)
class Health(TypedDict):
    status: Literal["ok"]
    time: Time
    version: Annotated[str, Field(description="Of the stack, and of the protocol that it speaks: three numbers.")]


@example(ticket="q2Xv0J5b3kRk1m7c9Tz4wYtNf8LhPdSaEuGiBoVxCnM", expires_in=30)
class Ticket(TypedDict):
    """Good for one handshake, within `expires_in` seconds."""

    ticket: str
    expires_in: Count


@example(closed=2)
class Closed(TypedDict):
    """How many connections were live."""

    closed: Count


@example(openapi="3.1.0", info={"title": "Parley", "version": VERSION}, paths={})
class Document(TypedDict):
    """An OpenAPI document."""

    openapi: str
    info: dict[str, Any]
    servers: NotRequired[list[dict[str, Any]]]
    tags: NotRequired[list[dict[str, Any]]]
    security: NotRequired[list[dict[str, list[str]]]]
    paths: dict[str, Any]
    components: NotRequired[dict[str, Any]]


class Refusal(TypedDict):
    """What a reply to a frame and an HTTP body say of an error."""

    error: str
    code: ErrorCode
    retryable: bool
    retry_after_ms: NotRequired[Count]
    until: Annotated[NotRequired[Time | None], Field(description="Of a ban that ends.")]
    reason: Annotated[NotRequired[str], Field(description="Why a message was rejected.")]


class Error(Refusal):
    """`code` is for programs, and stable; `error` is for people. `retry_after_ms` says how long to wait, if at all."""

    request_id: str
