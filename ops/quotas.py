"""How many invocations an account runs at a time, and what too few of them mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

# What an account usually has; a new one may have 10.
USUAL: Final = 1_000
# Lambda runs so many a second for each that it runs at a time, all functions together.
_A_SECOND: Final = 10
# One from the frame, one from the stream and one for the delivery check, where each message comes alone.
_A_MESSAGE: Final = 3


@dataclass(frozen=True)
class Concurrency:
    """All functions of the account together run `quota` at a time; `free` of them are reserved for none."""

    quota: int
    free: int

    @property
    def is_usual(self) -> bool:
        return self.quota >= USUAL

    @property
    def meaning(self) -> str:
        a_second = _A_SECOND * self.quota
        return (
            f"all functions together run {self.quota:,} at a time and {a_second:,} times a second, which is about "
            f"{a_second // _A_MESSAGE:,} messages a second; beyond it frames and handshakes are refused"
        )


def concurrency(functions: Any) -> Concurrency:
    """The account's, by Lambda's client."""
    limits = functions.get_account_settings()["AccountLimit"]
    return Concurrency(limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"])


def how_to_raise(region: str) -> str:
    """The command, which costs nothing."""
    return (
        "aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384"
        f" --desired-value {USUAL} --region {region}"
    )
