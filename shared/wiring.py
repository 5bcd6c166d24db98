"""What the functions' wiring has in common: real time and real randomness for the operations."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from shared.clock import SECOND_MS, now_ms
from shared.config import ConfigurationError
from shared.domain.permissions import Matrix, matrix_of
from shared.operations.context import Context, Limits

if TYPE_CHECKING:
    from shared.config import RetentionSettings
    from shared.domain.retention import Trimming


def limits_of(settings: object, **others: Any) -> Limits:
    """The limits that a function's settings name, and `others`."""
    named = {name: getattr(settings, name) for name in Limits.__annotations__ if hasattr(settings, name)}
    return Limits(**named, **others)


def trimming_of(settings: RetentionSettings) -> Trimming | None:
    """How long a deployment keeps what is written; None: for good, and then nothing is loaded for it."""
    days = settings.retention_private_days, settings.retention_group_days, settings.retention_channel_days
    if not any(days):
        return None
    from shared.domain.retention import Retention, Trimming  # noqa: PLC0415  # see above

    return Trimming(Retention(*days), now_ms)


def matrix_in(permissions: str) -> Matrix:
    """The table with the deployment's changes. Raises ConfigurationError, naming the variable and what is wrong."""
    try:
        return matrix_of(permissions)
    except ValueError as exc:
        raise ConfigurationError(f"PERMISSIONS: {exc}") from exc


def sleep_ms(ms: int) -> None:
    """Wait as long as told, whatever the invocation's deadline."""
    time.sleep(ms / SECOND_MS)


def make_context(limits: Limits, *, pause: Callable[[int], None], wait_ms: Callable[[int], None] = sleep_ms) -> Context:
    """One instance's. `pause(attempt)` waits a jittered while, and keeps to the invocation's deadline."""
    return Context(
        now=now_ms,
        pause=pause,
        wait_ms=wait_ms,
        new_nonce=partial(secrets.token_urlsafe, 8),
        new_secret=partial(secrets.token_urlsafe, 32),
        jitter=lambda ms: random.randrange(ms + 1),  # noqa: S311  # spreads retries, no secret
        limits=limits,
    )
