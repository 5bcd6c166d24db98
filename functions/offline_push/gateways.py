"""The providers' gateways, each made with the first push for its platform: the stream's work never pays for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from shared.adapters.aws.secrets_manager import CachedSecret, secrets_manager
from shared.clock import now_ms
from shared.config import AwsEnvironment, OfflinePushSettings
from shared.domain.devices import FCM, Platform
from shared.ports.services import PushGateway


@dataclass
class Gateways:
    """Called with a platform, gives its gateway; kept for the invocations that follow. Safe to call from threads."""

    settings: OfflinePushSettings
    environment: AwsEnvironment
    made: dict[Platform, PushGateway] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock, repr=False)

    def __call__(self, platform: Platform) -> PushGateway:
        with self.lock:  # a batch's pushes come side by side, and are to share one connection
            if platform not in self.made:
                self.made[platform] = self._fcm() if platform == FCM else self._apns()
            return self.made[platform]

    def _fcm(self) -> PushGateway:
        from functions.offline_push.fcm.gateway import FcmGateway  # noqa: PLC0415  # a quarter of a second

        secret = self._secret(self.settings.fcm_secret_arn)
        return FcmGateway(secret, endpoint=self.settings.fcm_endpoint, ca_file=self.settings.push_ca_file)

    def _apns(self) -> PushGateway:
        from functions.offline_push.apns.gateway import ApnsGateway  # noqa: PLC0415  # a sixth of a second

        secret = self._secret(self.settings.apns_secret_arn)
        return ApnsGateway(secret, endpoint=self.settings.apns_endpoint, ca_file=self.settings.push_ca_file, now=now_ms)

    def _secret(self, arn: str) -> Callable[[], str]:
        return CachedSecret(secrets_manager(self.environment), arn, now=now_ms)
