"""Ending one's mails by the link in one of them: who has it proves nothing but that, and can do nothing else."""

from __future__ import annotations

from hmac import compare_digest

from shared.domain.mails import read_token
from shared.errors import NotFound
from shared.operations.contacts import update_profile
from shared.operations.context import Context
from shared.ports.services import Services
from shared.ports.stores import Stores


def unsubscribe(token: str, *, stores: Stores, services: Services, context: Context) -> None:
    """Set the user's `mail` to `off`. Idempotent. Raises NotFound for a token of no mail, and Unavailable."""
    user_id, secret = read_token(token)
    known = stores.mails.state(user_id).secret if user_id else ""
    if not known or not compare_digest(known.encode(), secret.encode()):
        raise NotFound("There is no such link")
    update_profile(user_id, {"mail": "off"}, stores=stores, services=services, context=context)
