"""A user's devices: where pushes go while no connection is live."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.domain.devices import APNS, FCM, PRODUCTION, Device, Environment, Platform, PushTarget
from shared.domain.text import MAX_DEVICE_ID, id_pattern
from shared.errors import BadRequest
from shared.operations.context import Context
from shared.operations.own_log import Owning, change_own, own_change
from shared.ports.services import Services
from shared.ports.stores import Stores

DEVICE_ID_PATTERN: Final = id_pattern("A-Za-z0-9_-", MAX_DEVICE_ID)
DEVICE_ID_RULE: Final = f"1 to {MAX_DEVICE_ID} of A-Z a-z 0-9 _ . -, and neither . nor .."
MAX_TOKEN: Final = 4_096
MIN_APNS_TOKEN: Final = 32
MAX_APNS_TOKEN: Final = 200
# Without blanks: no provider's token has one, and an APNs token becomes part of a path.
FCM_PATTERN: Final = f"[!-~]{{1,{MAX_TOKEN}}}"
APNS_PATTERN: Final = f"[0-9A-Fa-f]{{{MIN_APNS_TOKEN},{MAX_APNS_TOKEN}}}"
APP_ID_PATTERN: Final = "[A-Za-z0-9._-]{1,255}"
_DEVICE_ID: Final = re.compile(DEVICE_ID_PATTERN)
_TOKEN: Final = re.compile(FCM_PATTERN)
_APNS_TOKEN: Final = re.compile(APNS_PATTERN)
_APP_ID: Final = re.compile(APP_ID_PATTERN)


@dataclass(frozen=True, slots=True)
class NewTarget:
    """A push target as a client names it. None is what it leaves out."""

    platform: Platform
    token: str | None = None
    installation_id: str | None = None
    app_id: str | None = None
    environment: Environment | None = None


def register_device(
    user_id: str, device_id: str, asked: NewTarget, *, stores: Stores, services: Services, context: Context
) -> Device:
    """Send the user's pushes here, too; at the `device_limit` the oldest goes. Raises BadRequest and Unavailable.

    One that is registered again with the same target is no news to the user's other devices.
    """
    if not _DEVICE_ID.fullmatch(device_id):
        raise BadRequest(f"`device_id` is {DEVICE_ID_RULE}")
    device = Device(device_id, target_of(asked), registered_at=context.now())
    limit = context.limits.device_limit

    def decide() -> tuple[None, Owning | None]:
        known = {one.device_id: one.target for one in stores.devices.of([user_id]).get(user_id, ())}
        if known.get(device_id) == device.target:
            stores.devices.register(user_id, device, limit=limit)
            return None, None
        shown = {"platform": device.target.platform, "registered_at": device.registered_at}
        note = own_change("device", device_id=device_id, device=shown)
        return None, Owning(
            {user_id: note}, lambda notes: stores.devices.register(user_id, device, limit=limit, notes=notes)
        )

    change_own([user_id], decide, stores=stores, services=services, context=context)
    return device


def forget_device(user_id: str, device_id: str, *, stores: Stores, services: Services, context: Context) -> None:
    """No more pushes to this device. Idempotent. Takes any id, since the first version took any."""

    def decide() -> tuple[None, Owning | None]:
        if all(one.device_id != device_id for one in stores.devices.of([user_id]).get(user_id, ())):
            return None, None
        note = own_change("device", device_id=device_id, device=None)
        return None, Owning({user_id: note}, lambda notes: stores.devices.forget(user_id, device_id, notes=notes))

    change_own([user_id], decide, stores=stores, services=services, context=context)


def target_of(asked: NewTarget) -> PushTarget:
    """The target that a client has named. Raises BadRequest, which never says the token."""
    if asked.app_id is not None and not _APP_ID.fullmatch(asked.app_id):
        raise BadRequest("`app_id` is 1 to 255 of A-Z a-z 0-9 . _ -")
    return _fcm_target(asked) if asked.platform == FCM else _apns_target(asked)


def devices_of(user_id: str, *, stores: Stores) -> Sequence[Device]:
    """The user's devices, the latest registered first."""
    mine = stores.devices.of([user_id]).get(user_id, ())
    return sorted(mine, key=lambda one: (-one.registered_at, one.device_id))


def _fcm_target(asked: NewTarget) -> PushTarget:
    if asked.environment is not None:
        raise BadRequest("`environment` is for APNs devices only")
    if (asked.token is None) == (asked.installation_id is None):
        raise BadRequest("An FCM device has either a `token` or an `installation_id`")
    name, token = ("installation_id", asked.installation_id) if asked.token is None else ("token", asked.token)
    if token is None or not _TOKEN.fullmatch(token):
        raise BadRequest(f"`{name}` is 1 to {MAX_TOKEN:,} printable ASCII characters without blanks")
    return PushTarget(FCM, token, app_id=asked.app_id, is_installation=asked.token is None)


def _apns_target(asked: NewTarget) -> PushTarget:
    if asked.installation_id is not None:
        raise BadRequest("`installation_id` is for FCM devices only")
    if asked.token is None or not _APNS_TOKEN.fullmatch(asked.token):
        raise BadRequest(f"`token` of an APNs device is {MIN_APNS_TOKEN} to {MAX_APNS_TOKEN} hexadecimal digits")
    if asked.app_id is None:
        raise BadRequest("`app_id` is needed for an APNs device: the app's bundle id")
    return PushTarget(APNS, asked.token.lower(), asked.environment or PRODUCTION, asked.app_id)
