"""The caller's own profile, others' presence, and closing somebody's connections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from functions.rest.answers import Answer, ok
from functions.rest.requests import MAX_PRESENCES, UserPath, Users, caller
from functions.rest.wiring import Wiring
from shared.domain.connections import Gone
from shared.domain.contacts import QuietHours
from shared.domain.identifiers import check_user_id
from shared.errors import BadRequest, Forbidden
from shared.operations.contacts import update_profile
from shared.operations.presence import best_effort, check_offline, hide_presence, presence_of, watchers_of
from shared.operations.sessions import close_all
from shared.operations.visibility import tell_latecomers
from shared.wire.rest.people import ProfileChange, closed_body, presences_body, profile_body

_ADMIN = "admin"


def add_profile(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/me")
    def get_me() -> Answer:
        """The caller's profile."""
        user_id = caller(app, wiring).user_id
        return ok(profile_body(user_id, wiring.stores.profiles.get(user_id), hidden=_is_hidden(user_id, wiring)))

    @app.put("/v1/me")
    def put_me(body: ProfileChange) -> Answer:
        """Change parts of the caller's profile. What is left out stays as it is, null clears."""
        user_id = caller(app, wiring).user_id
        profile = update_profile(user_id, _changes(body.model_dump(exclude_unset=True)), stores=wiring.stores)
        if "hide_presence" not in body.model_fields_set:
            return ok(profile_body(user_id, profile, hidden=_is_hidden(user_id, wiring)))
        hidden = bool(body.hide_presence)
        _hide(user_id, wiring, hidden=hidden)  # also where it was so: a repetition completes what died half-way
        return ok(profile_body(user_id, profile, hidden=hidden))


def add_presence(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/presence")
    def get_presence(users: Users) -> Answer:
        """Whether these users are online, in the order asked. Whoever the caller may not see looks offline."""
        user_id = caller(app, wiring).user_id
        asked = users.split(",") if users else []
        if len(asked) > MAX_PRESENCES:
            raise BadRequest(f"At most {MAX_PRESENCES} users at once")
        for one in asked:
            check_user_id(one)
        stores, services, now = wiring.stores, wiring.services, wiring.context.now()
        return ok(presences_body(presence_of(asked, user_id=user_id, stores=stores, services=services, now=now)))

    @app.delete("/v1/users/<user_id>/connections")
    def delete_connections(user_id: UserPath) -> Answer:
        """Close every live connection of a user. Needs the scope `admin`. Tokens stay good until they end."""
        if _ADMIN not in caller(app, wiring).scopes:
            raise Forbidden("This needs a token with the scope `admin`")
        stores, services, context = wiring.parts
        closed = close_all(user_id, stores=stores, services=services, now=context.now())
        check_offline(Gone(user_id, context.now()), stores=stores, services=services, now=context.now())
        return ok(closed_body(closed))


def _hide(user_id: str, wiring: Wiring, *, hidden: bool) -> None:
    stores, services, context = wiring.parts
    before = watchers_of(user_id, stores=stores, services=services, now=context.now())
    hide_presence(user_id, hidden=hidden, stores=stores, services=services, now=context.now())
    best_effort(
        lambda: tell_latecomers(user_id, before, hidden=hidden, stores=stores, services=services, now=context.now),
        services=services,
    )


def _is_hidden(user_id: str, wiring: Wiring) -> bool:
    session = wiring.stores.sessions.whole([user_id]).get(user_id)
    return session is not None and session.hidden


def _changes(given: Mapping[str, Any]) -> dict[str, Any]:
    """The profile's own fields among those given, by name; null for `push` clears all in it."""
    changes = {name: given[name] for name in ("display_name", "avatar_url", "groups_from") if name in given}
    if "push" in given:
        changes |= given["push"] if given["push"] is not None else {"previews": None, "quiet_hours": None}
    if changes.get("quiet_hours") is not None:
        changes["quiet_hours"] = QuietHours(**changes["quiet_hours"])
    return changes
