"""Everything that the HTTP API reaches the world through, and who calls it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypedDict
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from shared.auth.tokens import TokenVerifier, bearer_token
from shared.domain.audit import AuditRow
from shared.domain.connections import ADMIN, Identity
from shared.domain.text import check_user_id
from shared.domain.users import ACQUAINTED, EVERYONE, NOBODY, Reader
from shared.errors import Forbidden, Unauthenticated
from shared.limits.invites import InviteLimiter
from shared.limits.limiters import RateLimiter
from shared.operations.bans import check_bars
from shared.operations.context import Context
from shared.ports.services import RestServices
from shared.ports.stores import Stores
from shared.ports.webhooks import Outlet

MODERATION: Final = "moderation"
ACTING_AS: Final = "parley-as"
_IN_PATH: Final = re.compile(r"\{(\w+)\}")
_SECRET: Final = "invite_token"  # noqa: S105  # the name of what is one: whoever has it comes in
_READS: Final = frozenset({"GET", "HEAD"})
# Operations by their id: docs/protocol.md#guests.
_FOR_GUESTS: Final = frozenset(
    {
        *("post_ticket", "get_me", "put_me", "get_user", "post_report", "get_file"),
        *("get_conversations", "get_conversation", "delete_conversation", "patch_settings", "get_members"),
        *("get_messages", "get_message", "post_message", "patch_message", "delete_message", "post_read"),
        *("put_reaction", "delete_reaction", "get_pins", "get_notifications", "delete_notification"),
        *("get_blocks", "put_block", "delete_block", "get_devices", "delete_device"),
    }
)


class Parts(TypedDict):
    """What operations take."""

    stores: Stores
    services: RestServices
    context: Context


@dataclass(frozen=True, slots=True)
class Wiring:
    """`begin` starts the time that a request may take."""

    stores: Stores
    services: RestServices
    context: Context
    verifier: TokenVerifier
    limiter: RateLimiter
    invites: InviteLimiter
    reports: InviteLimiter
    begin: Callable[[], None]
    users_visible: str = EVERYONE
    has_word_lists: bool = False
    has_shadow_bans: bool = False
    web_push_key: str = ""
    endpoint_url: str = ""
    """The emulator's address on a laptop, empty on AWS."""
    exports: InviteLimiter | None = None
    """How many exports users may begin of their own data; None where they may not."""
    outlet: Outlet | None = None
    """None where the deployment has no webhooks."""

    @property
    def parts(self) -> Parts:
        return {"stores": self.stores, "services": self.services, "context": self.context}

    def caller(self, app: APIGatewayHttpResolver) -> Identity:
        """Whose token this is, or as whom an administrator acts with it, which leaves a row in the audit.

        Raises Unauthenticated, TokenExpired, Revoked, Banned, and Unavailable where that can't be told now; for the
        header `Parley-As` Forbidden where the token lacks the scope `admin`, and BadRequest where it names nobody. Also
        Forbidden where the token is a guest's, and this is not for guests.
        """
        token = bearer_token(app.current_event.headers)
        if token is None:
            raise Unauthenticated
        identity = self.verifier.verify(token)
        app.context["user_id"] = identity.user_id  # for the request log
        check_bars(identity, stores=self.stores, now=self.context.now())
        acting_as = _header(app, ACTING_AS)
        if acting_as is not None:
            _check_admin(is_admin=ADMIN in identity.scopes)  # a guest's, too: it acts as a guest
            check_user_id(acting_as)
            self._record(app, identity.user_id, acting_as)
            identity = replace(identity, user_id=acting_as)
        if identity.is_guest:
            _check_guest(identity.user_id, app)
        return identity

    def admin(self, app: APIGatewayHttpResolver) -> Identity:
        """The caller of what is for administrators. What changes something leaves a row. Raises Forbidden, too."""
        identity = self.caller(app)
        _check_admin(is_admin=identity.is_admin)
        self._record_change(app, identity)
        return identity

    def moderator(self, app: APIGatewayHttpResolver) -> str:
        """The same for who moderates: the scope `moderation` will do. Returns whose token it is, whoever it acts as."""
        identity = self.caller(app)
        if not identity.scopes & {ADMIN, MODERATION}:
            raise Forbidden(f"This needs a token with the scope `{ADMIN}` or `{MODERATION}`")
        by: str = app.context["user_id"]
        self._record_change(app, identity)
        return by

    def permitted(self, app: APIGatewayHttpResolver, scope: str) -> Identity:
        """The caller of what is for a scope of its own, and for administrators, who leave a row as with `admin`."""
        identity = self.caller(app)
        if ADMIN not in identity.scopes and scope not in identity.scopes:
            raise Forbidden(f"This needs a token with the scope `{scope}`")
        if ADMIN in identity.scopes:
            self._record_change(app, identity)
        return identity

    def _record_change(self, app: APIGatewayHttpResolver, identity: Identity) -> None:
        """An administrator's, unless it is on record for the header `Parley-As`."""
        if _header(app, ACTING_AS) is None and app.current_event.http_method not in _READS:
            self._record(app, identity.user_id, None)

    def _record(self, app: APIGatewayHttpResolver, by: str, acting_as: str | None) -> None:
        """Before anything is done: what is not on record does not happen. Of the body nothing is noted."""
        event, context = app.current_event, self.context
        route, given = app.context["_route"].openapi_path, app.context["_route_args"]
        row = AuditRow(
            at=context.now(),
            nonce=context.new_nonce(),
            by=by,
            method=event.http_method,
            route=route,
            request_id=event.request_context.request_id or "",
            acting_as=acting_as,
            arguments={name: str(given[name]) for name in _IN_PATH.findall(route) if name != _SECRET},
        )
        self.stores.audit.put(row, days=context.limits.audit_days)

    @property
    def tells_of_users(self) -> bool:
        """Whether those who look at a user are told how the record is: not where nobody may read it."""
        return self.users_visible != NOBODY

    def reader(self, app: APIGatewayHttpResolver, caller: Identity) -> Reader:
        """The caller, as who may read which users' records."""
        visible = ACQUAINTED if caller.is_guest and self.users_visible == EVERYONE else self.users_visible
        return Reader(caller.user_id, self.sees_all(app, caller), visible)

    def sees_all(self, app: APIGatewayHttpResolver, caller: Identity) -> bool:
        """Whether an administrator asks, as nobody else."""
        return caller.is_admin and _header(app, ACTING_AS) is None

    def writer(self, app: APIGatewayHttpResolver, *, is_server: bool = False) -> str:
        """The user who writes, as `writing` has them."""
        return self.writing(app, is_server=is_server).user_id

    def writing(self, app: APIGatewayHttpResolver, *, is_server: bool = False) -> Identity:
        """The caller of what counts as a message: it writes what others get to see. Raises RateLimited, too.

        `is_server`: it is for administrators alone.
        """
        identity = self.admin(app) if is_server else self.caller(app)
        self.limiter.take(identity.user_id)
        return identity


def _check_guest(user_id: str, app: APIGatewayHttpResolver) -> None:
    """Raises Forbidden where a guest asks for what is not theirs: all that is not named here, whatever comes later."""
    operation, given = app.context["_route"].func.__name__, app.context["_route_args"]
    query = app.current_event.query_string_parameters or {}
    is_theirs = operation in _FOR_GUESTS
    if operation == "delete_member":
        is_theirs = unquote(str(given["user_id"])) == user_id
    if operation == "get_users":
        is_theirs = "prefix" not in query
    if not is_theirs:
        raise Forbidden("Guests may not do this")


def _header(app: APIGatewayHttpResolver, name: str) -> str | None:
    """A header's text, whatever the case of its name."""
    return next((value for key, value in app.current_event.headers.items() if key.lower() == name), None)


def _check_admin(*, is_admin: bool) -> None:
    if not is_admin:
        raise Forbidden(f"This needs a token with the scope `{ADMIN}`")
