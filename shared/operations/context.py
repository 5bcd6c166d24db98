"""What the operations of one instance of a function have in common, beside stores and services."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from shared.domain.files import SizeLimits
from shared.domain.limits import is_on
from shared.domain.permissions import DEFAULT, Matrix
from shared.domain.rules import PROTOCOL, Bounds
from shared.operations.rosters import Rosters

if TYPE_CHECKING:  # few deployments look at messages before they take them
    from shared.domain.devices import Platform
    from shared.domain.mails import MailSettings
    from shared.operations.screening import Screen

# With 64 writers at once on one log a message loses a few times, and as often as that hardly ever.
MAX_ATTEMPTS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Limits:
    """What a deployment has set: docs/configuration.md has each, and its default. A function has what it needs."""

    bounds: Bounds = PROTOCOL
    matrix: Matrix = DEFAULT
    connection_limit: int = 0
    edit_window_s: int = 0
    group_limit: int = 0
    channel_members: int = 0
    inline_limit: int = 0
    receipts_limit: int = 0
    page_limit: int = 0
    reply_limit: int = 0
    device_limit: int = 0
    reminder_limit: int = 0
    audit_days: int = 0
    delivery_check_s: int = 0
    fan_out_rate: int = 0
    channel_rate: int = 0
    sync_rate: int = 0
    digest_limit: int = 0
    digest_s: int = 0
    local_web_push: str = ""
    events: str = ""
    users_visible: str = ""
    mail: MailSettings | None = None
    withdrawals: tuple[Platform, ...] = ()
    receipt_events: str = ""
    sizes: SizeLimits = SizeLimits(0, 0)  # noqa: RUF009  # frozen

    @property
    def tells_team(self) -> bool:
        """Whether the team's backend is told what happens."""
        return is_on(self.events)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Context:
    """Time and randomness, the deployment's limits, and what the instance remembers.

    Times are milliseconds. `pause(attempt)` waits a jittered while between attempts, `wait_ms` as long as it is told; a
    nonce is fresh for each write, a secret can't be guessed; `jitter(ms)` is a random part of that. `screen` is what
    messages go through where the deployment looks at them first.
    """

    now: Callable[[], int]
    pause: Callable[[int], None]
    wait_ms: Callable[[int], None]
    new_nonce: Callable[[], str]
    new_secret: Callable[[], str]
    jitter: Callable[[int], int]
    limits: Limits
    rosters: Rosters = field(default_factory=Rosters)
    screen: Screen | None = None
