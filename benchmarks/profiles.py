"""Five months of Parley and of others at their list prices: the table and the sentences of docs/comparison.md.

.venv/bin/python -m benchmarks.profiles
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from benchmarks.bill import Usage, bill, rival
from benchmarks.cost_model import LARGE, WITH_PUSHES
from benchmarks.list_prices import OWN_DATED, RIVALS, Rival
from infra import prices

SUPPORT: Final = "support chat"
PRIVATE: Final = "private chats"
GROUPS: Final = "groups of 1,000"
CHANNEL: Final = "channel of 100,000"
ALL_THERE: Final = "the same, all there"
_READ_ONLY: Final = Usage(
    users=100_000, hours=0.5, connects=2, private=0, group=0, requests=2, images=0, channel=100, readers=10_000
)
MONTHS: Final = {
    SUPPORT: Usage(users=500, hours=0.5, connects=2, private=4, group=0, online=0.7, requests=5, images=1),
    PRIVATE: Usage(users=10_000, group=0),
    GROUPS: Usage(users=10_000, private=0, group=1, group_size=1_000, online=0.1, images=0),
    CHANNEL: _READ_ONLY,
    ALL_THERE: replace(_READ_ONLY, readers=100_000),
}
"""The readers of a channel are its users; of the last two, a tenth is there when it is written, or all are."""
MACHINE_HOUR: Final = 0.0816
"""m7g.large (two cores, 8 GB), on demand in us-east-1, of 2026-06-17: factualminds.com, from Amazon's list."""
HOURS_A_MONTH: Final = 730
MEMBERS_THERE: Final = 100
"""Of the group of 1,000 that docs/costs.md reckons with, its writer among them."""


def parley(usage: Usage, *, pushes: int = 1) -> float:
    """Dollars a month. Without pushes it does what a transport does: nobody tells who is away."""
    return sum(bill(replace(usage, pushes=pushes)).values())


def named(name: str) -> Rival:
    [one] = [one for one in RIVALS if one.name == name]
    return one


def dearer(name: str) -> list[str]:
    """The months in which Parley without pushes costs more than this one of the others."""
    asked = {month: rival(named(name), usage) for month, usage in MONTHS.items()}
    ours = {month: parley(usage, pushes=0) for month, usage in MONTHS.items()}
    return [month for month, dollars in asked.items() if dollars is not None and ours[month] > dollars]


def table() -> list[str]:
    """A row for Parley with and without pushes, and one for each of the others, with the day of its prices."""
    rows: list[tuple[str, list[float | None], str]] = [
        ("**Parley**", [parley(usage) for usage in MONTHS.values()], OWN_DATED),
        ("Parley, no pushes", [parley(usage, pushes=0) for usage in MONTHS.values()], OWN_DATED),
        *((one.name, [rival(one, usage) for usage in MONTHS.values()], one.dated) for one in RIVALS),
    ]
    return [
        f"| a month | {' | '.join(MONTHS)} |",
        f"|---|{'---|' * len(MONTHS)}",
        *(f"| {name}, of {dated} | {' | '.join(map(_dollars, found))} |" for name, found, dated in rows),
    ]


def sentences() -> list[str]:
    """What the page says of them in words."""
    appsync, ably, pubnub = map(named, ("AWS AppSync Events", "Ably, by use", "PubNub, by transactions"))
    private = MONTHS[PRIVATE]
    ours = _dollars(parley(private, pushes=0))
    large = [
        _dollars((one.publish + (MEMBERS_THERE - 1) * one.deliver) * prices.MILLION) for one in (appsync, ably, pubnub)
    ]
    posts = _dollars(1_000 * prices.WEBSOCKET_MESSAGE * prices.MILLION)
    than_appsync = f"dearer than AppSync Events and IoT Core for {_listed(dearer(appsync.name))}"
    million = f"A million messages to groups of 1,000 with {MEMBERS_THERE} there are {_dollars(LARGE.a_million)}"
    of_others = f"{large[0]} with AppSync Events or IoT Core, {large[1]} with Ably by use and {large[2]} with PubNub"
    return [
        f"{than_appsync}: for the private chats {ours} against {_dollars(rival(appsync, private))}",
        f"dearer than Ably by use for {_listed(dearer(ably.name))}: {ours} against {_dollars(rival(ably, private))}",
        f"${WITH_PUSHES.dollars:.2f} of its month stand still",
        f"Two machines with two cores and 8 GB each are {_dollars(2 * MACHINE_HOUR * HOURS_A_MONTH)} a month",
        f"{million} with Parley, {of_others} by transactions.",
        f"with 1,000 users connected, {posts} a million messages for the posts alone",
    ]


def _listed(names: list[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _dollars(amount: float | None) -> str:
    return "by quote" if amount is None else f"${amount:,.2f}" if 0 < amount < 1 else f"${amount:,.0f}"


if __name__ == "__main__":
    print(*table(), "", *sentences(), sep="\n")
