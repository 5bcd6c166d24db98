"""Either provider's gateway, against its local server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from functions.offline_push.apns.gateway import ApnsGateway
from functions.offline_push.fcm.gateway import FcmGateway
from functions.offline_push.providers import Timeouts
from local.providers.record import Asked
from local.providers.serving import Platform, Providers
from shared.domain.pushes import Push, Sent
from tests.functions.offline_push.pushes import PATIENT, apns_push, fcm_push, now_ms

Gateway = TypeVar("Gateway", ApnsGateway, FcmGateway)
PUSHES: dict[Platform, Callable[..., Push]] = {"apns": apns_push, "fcm": fcm_push}


@dataclass
class GatewayHarness(Generic[Gateway]):
    """The gateways of a test, which close with it."""

    kind: type[Gateway]
    providers: Providers
    made: list[Gateway] = field(default_factory=list)

    @property
    def provider(self) -> Platform:
        return "apns" if self.kind is ApnsGateway else "fcm"

    @property
    def secret(self) -> str:
        return self.providers.apns_secret if self.provider == "apns" else self.providers.fcm_secret

    @property
    def endpoint(self) -> str:
        return self.providers.apns_endpoint if self.provider == "apns" else self.providers.fcm_endpoint

    def gateway(
        self,
        *,
        secret: Callable[[], str] | None = None,
        endpoint: str | None = None,
        ca_file: str | None = None,
        now: Callable[[], int] = now_ms,
        timeouts: Timeouts = PATIENT,
    ) -> Gateway:
        gateway = self.kind(
            secret or (lambda: self.secret),
            endpoint=self.endpoint if endpoint is None else endpoint,
            ca_file=str(self.providers.ca_file) if ca_file is None else ca_file,
            now=now,
            timeouts=timeouts,
        )
        self.made.append(gateway)
        return gateway

    def push(self, **changes: Any) -> Push:
        return PUSHES[self.provider](**changes)

    def behave(self, **told: Any) -> None:
        self.providers.behave(self.provider, **told)

    def ready(self, timeouts: Timeouts) -> Gateway:
        """A gateway that has its connection (and its access token), and whose patience ends soon."""
        gateway = self.gateway(timeouts=timeouts)
        assert gateway.push(self.push()) == Sent()
        self.providers.clear()
        return gateway

    def asked(self, provider: str = "") -> list[Asked]:
        """What came to the provider itself, or to another one: "oauth" is Google's token endpoint."""
        return [request for request in self.providers.requests() if request.provider == (provider or self.provider)]
