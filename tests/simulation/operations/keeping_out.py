"""An administrator keeps users out: bans with and without an end, and tokens that are no good any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.simulation.operations.acting import Actions
from tests.simulation.places import USERS

if TYPE_CHECKING:
    from tests.simulation.clients import Client
    from tests.simulation.scenario import Scenario

_MS: Final = 1_000
_LENGTHS_MS: Final = (None, 900, 2_500, None, -1)


def ban(_: Scenario, client: Client, number: int) -> None:
    """Mostly by the team's server; a user can't, and no ban ends before it begins."""
    user, length = USERS[number % len(USERS)], _LENGTHS_MS[number // 4 % len(_LENGTHS_MS)]
    until = None if length is None else client.now_ms + length
    by = "server" if number % 7 else None
    body = {"until": until, "reason": "some words"}
    client.http("ban", "PUT", "users", user, "ban", body=body, by=by, member=user, until=until)


def unban(_: Scenario, client: Client, number: int) -> None:
    user = USERS[number % len(USERS)]
    client.http("unban", "DELETE", "users", user, "ban", by="server", member=user)


def _revoke_tokens(_: Scenario, client: Client, number: int) -> None:
    """Those of before this second, or of before an earlier one: of a later one there are none yet."""
    user = USERS[number % len(USERS)]
    moment = client.now_ms // _MS * _MS - number // 4 % 3 * _MS
    body = {"issued_before": moment}
    client.http("revoke_tokens", "POST", "users", user, "revoke", body=body, by="server", member=user, moment=moment)


ACTIONS: Final[Actions] = {"ban": (ban, 0), "unban": (unban, 0), "revoke_tokens": (_revoke_tokens, 0)}
