"""Where the local providers listen."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Final, Self

from local import ports

GRANT_PATH: Final = "/token"
HIGHEST: Final = 65_535


@dataclass(frozen=True, slots=True)
class Ports:
    """The four ports, all on the loopback interface. Names are in the certificate, and `localhost` is one."""

    fcm: int
    apns: int
    sandbox: int
    inspection: int

    @property
    def fcm_endpoint(self) -> str:
        return f"https://localhost:{self.fcm}"

    @property
    def token_uri(self) -> str:
        """Where a service account gets its access tokens."""
        return f"{self.fcm_endpoint}{GRANT_PATH}"

    @property
    def apns_endpoint(self) -> str:
        """Production and sandbox, in this order, with a comma between."""
        return f"https://localhost:{self.apns},https://localhost:{self.sandbox}"

    @property
    def inspect_url(self) -> str:
        """What people open."""
        return f"http://localhost:{self.inspection}"

    @property
    def are_free(self) -> bool:
        return all(port <= HIGHEST and ports.is_free(port) for port in astuple(self))

    @classmethod
    def beside(cls, port: int) -> Self:
        """The four that follow a stack's own port."""
        return cls(inspection=port + 1, fcm=port + 2, apns=port + 3, sandbox=port + 4)

    @classmethod
    def anywhere(cls) -> Self:
        """Four that are free now."""
        found: set[int] = set()
        while len(found) < 4:  # noqa: PLR2004  # one for each listener
            found.add(ports.free_port())
        return cls(*found)
