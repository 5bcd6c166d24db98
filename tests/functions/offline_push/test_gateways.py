"""The providers' gateways: each made once, with the first push that needs it, however many come at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import tests.functions.environment  # noqa: F401  # read below
from functions.offline_push.apns.gateway import ApnsGateway
from functions.offline_push.fcm.gateway import FcmGateway
from functions.offline_push.wiring import Gateways
from shared.config import AwsEnvironment, OfflinePushSettings
from shared.domain.devices import APNS, FCM
from shared.ports.services import PushGateway


def made() -> Gateways:
    environment = AwsEnvironment.load({"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"})
    return Gateways(OfflinePushSettings.load(), environment)


def test_each_platform_has_its_own_and_keeps_it() -> None:
    gateways = made()
    assert gateways.made == {}
    assert isinstance(gateways(FCM), FcmGateway)
    assert isinstance(gateways(APNS), ApnsGateway)
    assert gateways(FCM) is gateways(FCM)


def test_pushes_that_come_at_once_share_one() -> None:
    gateways, start = made(), Barrier(8)

    def first_push(_: int) -> PushGateway:
        start.wait()
        return gateways(APNS)

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(first_push, range(8)))
    assert len({id(one) for one in found}) == 1
