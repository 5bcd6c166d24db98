"""What others publish as their prices: of each what is counted, where that was read, and when.

There is no live look at anybody's page here: the copies that were read are of the dates that stand beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from infra import prices


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """A list price by use: what is published, what each delivery costs, an hour of a connection, a month.

    `prepaid`: the month's price is what use is charged to. Or one by users: `plans` has how many of them a month's
    price includes, in rising order, and `user` what each beyond them costs, where that is published (else 0).
    `says` has what is counted, `source` where that was read, `dated` of which day or months it is.
    """

    name: str
    says: str
    source: str
    dated: str
    publish: float = 0
    deliver: float = 0
    hour: float = 0
    month: float = 0
    prepaid: bool = False
    plans: tuple[tuple[int, float], ...] = ()
    user: float = 0


RIVALS: Final = (
    Rival(
        name="AWS AppSync Events",
        publish=1.00 / prices.MILLION,
        deliver=1.00 / prices.MILLION,
        hour=60 * 0.08 / prices.MILLION,
        says="transport alone: no storage, order, receipts, groups or pushes. $1.00 per million operations, $0.08 per "
        "million connection minutes",
        source="aws.amazon.com/appsync/pricing",
        dated="2026-11-29",
    ),
    Rival(
        name="AWS IoT Core, QoS 0",
        publish=1.00 / prices.MILLION,
        deliver=1.00 / prices.MILLION,
        hour=60 * 0.08 / prices.MILLION,
        says="transport alone, as above. $1.00 per million messages of up to 5 KB, in and out, $0.08 per million "
        "connection minutes. At QoS 1 each delivery's PUBACK is a message more; each CONNECT and SUBSCRIBE is one too, "
        "and is not reckoned here",
        source="aws.amazon.com/iot-core/pricing and its additional details, as others had copied them",
        dated="2026-09-20",
    ),
    Rival(
        name="Ably, by use",
        publish=2.50 / prices.MILLION,
        deliver=2.50 / prices.MILLION,
        hour=60 * 1.00 / prices.MILLION,
        month=29,
        says="$29, $2.50 per million messages, $1.00 per million connection minutes, before discounts; channel minutes "
        "come on top. New accounts are priced by monthly users",
        source="ably.com/docs/platform/pricing/resource-based",
        dated="2026-11-29",
    ),
    Rival(
        name="Ably, by users",
        plans=((0, 29),),
        user=0.05,
        says="$29 and $0.05 for each monthly user, before discounts, with up to 20,000 messages and 2,000 connection "
        "minutes each; beyond that by use. Ably has changed its packages since, and the new prices were not found",
        source="ably.com/docs/platform/pricing",
        dated="2026-08-03",
    ),
    Rival(
        name="PubNub, by transactions",
        publish=0.000123,
        deliver=0.000033,
        month=49,
        prepaid=True,
        says="$0.000123 for what is published, $0.000033 for what is received, of up to 2 KB; $49 is a prepayment",
        source="pubnub.com/docs/general/resources/pricing",
        dated="2026-11-29",
    ),
    Rival(
        name="PubNub, by users",
        plans=((1_000, 98), (5_000, 370), (10_000, 550), (25_000, 1_130)),
        says="by monthly users: $98 for 1,000, $370 for 5,000, $550 for 10,000, $1,130 for 25,000, and by quote "
        "beyond; messages and connections are not counted. From one catalogue alone, which "
        "had it from pubnub.com/pricing",
        source="github.com/api-evangelist/pubnub",
        dated="2026-05-08",
    ),
    Rival(
        name="Stream, Start",
        plans=((10_000, 399), (25_000, 1_049), (50_000, 1_849)),
        user=0.09,
        says="by monthly users, billed by the year: $399 for 10,000, $1,049 for 25,000, $1,849 for 50,000 ($499, $1,299"
        " and $2,299 by the month), $0.07 to $0.09 for each more, reckoned as 0.09. Connections at once beyond a "
        "twentieth of the users cost more, and so do stored messages ($5 a million), calls and files",
        source="copies of getstream.io/chat/pricing",
        dated="2026-05 to 2026-09",
    ),
    Rival(
        name="Sendbird, Starter",
        plans=((5_000, 349), (10_000, 499), (25_000, 1_199)),
        says="by monthly users, billed by the year: $349 for 5,000 ($399 by the month), $499 for 10,000, $1,199 for "
        "25,000, and by quote beyond; connections at once up to a twentieth of the users. No moderation of images, "
        "search or export, which are in the next plan. That of 10,000 and 25,000 from one copy alone",
        source="copies of sendbird.com/pricing/chat",
        dated="2026-05 to 2026-09",
    ),
)
OWN_DATED: Final = "2026-11-29"
"""Of infra/prices.py, which Parley's own months are reckoned with."""
BY_QUOTE: Final = (
    "Stream's, Sendbird's, IoT Core's and PubNub's by users are of copies of their pages that others have published: "
    "look before you rely on them. Chime SDK messaging is not in the list: no price of its messages that could be "
    "checked was found."
)
