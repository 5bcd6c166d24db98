"""Users' devices, and where pushes reach them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

Platform = Literal["fcm", "apns", "web"]
FCM: Final[Platform] = "fcm"
APNS: Final[Platform] = "apns"
WEB: Final[Platform] = "web"
Environment = Literal["production", "sandbox"]
PRODUCTION: Final[Environment] = "production"
SANDBOX: Final[Environment] = "sandbox"


@dataclass(frozen=True, slots=True)
class PushTarget:
    """Where a provider delivers to: one installation of an app.

    `token` is an FCM registration token, a Firebase installation id (`is_installation`), or an APNs device token.
    `environment` is APNs', which has two of them; `app_id` is APNs' topic, the app's bundle id. Of a browser `token` is
    the endpoint of its subscription, whose keys are `p256dh` and `auth`, base64url.
    """

    platform: Platform
    token: str
    environment: Environment = PRODUCTION
    app_id: str | None = None
    is_installation: bool = False
    p256dh: str | None = None
    auth: str | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """One of a user's devices, and when (ms) it registered this target."""

    device_id: str
    target: PushTarget
    registered_at: int


# The push services of the browsers that there are: Chrome's and Edge's, Firefox's, Edge's own, Safari's. A name that
# begins with a dot is any host below it. Nothing is ever sent to another: an endpoint is a URL that a client gives.
PUSH_SERVICES: Final = (
    "fcm.googleapis.com",
    "jmt17.google.com",
    "updates.push.services.mozilla.com",
    ".push.services.mozilla.com",
    ".notify.windows.com",
    ".push.apple.com",
)
MAX_ENDPOINT: Final = 2_048
_HOST: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


def is_push_service(endpoint: str, local: str = "") -> bool:
    """Whether a push may be posted there: https, at one of `PUSH_SERVICES`, its usual port, nobody's password.

    `local` is the origin of a laptop's own push service.
    """
    if not 0 < len(endpoint) <= MAX_ENDPOINT or "\\" in endpoint or not all("!" <= one <= "~" for one in endpoint):
        return False
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError:
        return False
    if local and f"{parts.scheme}://{parts.netloc}" == local:
        return True
    host = parts.hostname or ""
    is_known = any(host.endswith(one) if one.startswith(".") else host == one for one in PUSH_SERVICES)
    is_name = _HOST.fullmatch(host) is not None  # not `[::1%25.push.apple.com]`, nor with an empty label
    return parts.scheme == "https" and is_known and is_name and "@" not in parts.netloc and port in {None, 443}
