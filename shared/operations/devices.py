"""A user's devices: where pushes go while no connection is live."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.domain.devices import APNS, FCM, PRODUCTION, WEB, Device, Environment, Platform, PushTarget, is_push_service
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
    endpoint: str | None = None
    p256dh: str | None = None
    auth: str | None = None


def register_device(
    user_id: str, device_id: str, asked: NewTarget, *, stores: Stores, services: Services, context: Context
) -> Device:
    """Send the user's pushes here, too; at the `device_limit` the oldest goes. Raises BadRequest and Unavailable.

    One that is registered again with the same target is no news to the user's other devices.
    """
    if not _DEVICE_ID.fullmatch(device_id):
        raise BadRequest(f"`device_id` is {DEVICE_ID_RULE}")
    device = Device(device_id, target_of(asked, local=context.limits.local_web_push), registered_at=context.now())
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


def target_of(asked: NewTarget, *, local: str = "") -> PushTarget:
    """The target that a client has named. Raises BadRequest, which never says the token.

    `local`: the origin of a laptop's push service for browsers.
    """
    if asked.app_id is not None and not _APP_ID.fullmatch(asked.app_id):
        raise BadRequest("`app_id` is 1 to 255 of A-Z a-z 0-9 . _ -")
    if asked.platform == WEB:
        return _web_target(asked, local)
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


# P-256, as FIPS 186 has it: y² = x³ - 3x + b.
_P: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
_B: Final = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_POINT_BYTES: Final = 65
_AUTH_BYTES: Final = 16
_UNCOMPRESSED: Final = 4


def _web_target(asked: NewTarget, local: str) -> PushTarget:
    if asked.environment is not None or asked.installation_id is not None or asked.token is not None:
        raise BadRequest("A browser has an `endpoint` and `keys`, as its subscription says them")
    if asked.endpoint is None or not is_push_service(asked.endpoint, local):
        raise BadRequest("`endpoint` is the https URL of a browser's push service, as its subscription says it")
    point, secret = _bytes_of(asked.p256dh), _bytes_of(asked.auth)
    if not _is_on_curve(point):
        raise BadRequest("`p256dh` is a public key of P-256: 65 bytes, base64url")
    if len(secret) != _AUTH_BYTES:
        raise BadRequest("`auth` is 16 bytes, base64url")
    return PushTarget(WEB, asked.endpoint, app_id=asked.app_id, p256dh=_text_of(point), auth=_text_of(secret))


def _bytes_of(text: str | None) -> bytes:
    try:
        return base64.b64decode((text or "") + "=" * (-len(text or "") % 4), altchars=b"-_", validate=True)
    except ValueError:
        return b""


def _text_of(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _is_on_curve(point: bytes) -> bool:
    """By hand, so that this takes no library: what is no key here could never be encrypted for."""
    if len(point) != _POINT_BYTES or point[0] != _UNCOMPRESSED:
        return False
    x, y = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    return x < _P and y < _P and (y * y - (x * x * x - 3 * x + _B)) % _P == 0
