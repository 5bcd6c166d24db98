"""Mails that come back for good, or that their reader calls spam: nothing more goes to that address."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.mails import MailStop
from shared.operations.context import Context
from shared.operations.own_log import Owning, store_own
from shared.ports.services import PushServices
from shared.ports.stores import PushStores


def stop_mails(stop: MailStop, *, stores: PushStores, services: PushServices, context: Context) -> None:
    """Mail nothing more to the user, as long as they have this address, and have their settings say why.

    What is told of an address that they no longer have changes nothing. Idempotent: what was told first stays. Costs a
    read of two items, and a transaction of three writes. Raises Unavailable (contention; nothing was changed).
    """
    if not stop.user_id:
        return

    def decide() -> tuple[bool, Owning | None]:
        was = stores.users.of([stop.user_id])[stop.user_id]
        if was.mail_stopped is not None or (was.email or "").lower() != stop.email.lower():
            return False, None
        becomes = replace(was, mail_stopped=stop.reason, version=max(context.now(), was.version + 1))
        return True, Owning({}, lambda notes: stores.users.change(was, becomes, notes=notes))

    is_news, _ = store_own((), decide, stores=stores, services=services, context=context)
    if is_news:
        services.observer.count("MailBounced" if stop.reason == "bounce" else "MailComplained")
        services.observer.noted("mails to an address stopped", user_id=stop.user_id, reason=stop.reason)
