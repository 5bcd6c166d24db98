"""What administrators did: who, as whom, what, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One request of a token with the scope `admin`, noted before it was carried out.

    `by` is the token's user, `acting_as` whom the header `Parley-As` named. `route` is the pattern of the path, and
    `arguments` what stood in it; nothing of the body. `nonce` tells rows of one millisecond apart.
    """

    at: int
    nonce: str
    by: str
    method: str
    route: str
    request_id: str
    acting_as: str | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)

    def is_about(self, user_id: str) -> bool:
        """Whether the user did it, it was done as them, or to them."""
        return user_id in {self.by, self.acting_as, self.arguments.get("user_id")}


class AuditPosition(NamedTuple):
    """A place in the list of rows, which goes from the newest to the oldest."""

    at: int
    nonce: str = ""
