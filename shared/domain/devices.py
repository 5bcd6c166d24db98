"""Users' devices, and where pushes reach them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Platform = Literal["fcm", "apns"]
FCM: Final[Platform] = "fcm"
APNS: Final[Platform] = "apns"
Environment = Literal["production", "sandbox"]
PRODUCTION: Final[Environment] = "production"
SANDBOX: Final[Environment] = "sandbox"


@dataclass(frozen=True, slots=True)
class PushTarget:
    """Where a provider delivers to: one installation of an app.

    `token` is an FCM registration token, a Firebase installation id (`is_installation`), or an APNs device token.
    `environment` is APNs', which has two of them; `app_id` is APNs' topic, the app's bundle id.
    """

    platform: Platform
    token: str
    environment: Environment = PRODUCTION
    app_id: str | None = None
    is_installation: bool = False


@dataclass(frozen=True, slots=True)
class Device:
    """One of a user's devices, and when (ms) it registered this target."""

    device_id: str
    target: PushTarget
    registered_at: int
