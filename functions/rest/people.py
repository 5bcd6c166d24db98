"""The caller's own profile, others' presence, and closing somebody's connections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from functions.rest.answers import Answer, ok
from functions.rest.ports import Ports
from functions.rest.requests import MAX_PRESENCES, UserPath, Users, caller
from shared.chat.identifiers import check_user_id
from shared.connection.ports import Gone
from shared.connection.presence import check_offline, hide_presence, presence_of
from shared.connection.sessions import close_all
from shared.contacts.models import Profile, QuietHours
from shared.contacts.profile import check_profile
from shared.errors import BadRequest, Forbidden
from shared.wire.events import REVOKED
from shared.wire.http import presences_body, profile_body
from shared.wire.http_requests import ProfileChange

_ADMIN = "admin"


def add_profile(app: APIGatewayHttpResolver, ports: Ports) -> None:
    @app.get("/v1/me")
    def get_me() -> Answer:
        """The caller's profile."""
        user_id = caller(app, ports).user_id
        return ok(profile_body(user_id, ports.profiles.get(user_id)))

    @app.put("/v1/me")
    def put_me(body: ProfileChange) -> Answer:
        """Change parts of the caller's profile. What is left out stays as it is, null clears."""
        user_id = caller(app, ports).user_id
        stored = ports.profiles.get(user_id)
        profile = _changed(stored, body.model_dump(exclude_unset=True))
        check_profile(profile, stored=stored)
        ports.profiles.put(user_id, profile)
        if "hide_presence" in body.model_fields_set:  # also where it was so: a repetition completes what died half-way
            _hide(user_id, ports, hidden=profile.hide_presence)
        return ok(profile_body(user_id, profile))


def add_presence(app: APIGatewayHttpResolver, ports: Ports) -> None:
    @app.get("/v1/presence")
    def get_presence(users: Users) -> Answer:
        """Whether these users are online, in the order asked. Whoever the caller may not see looks offline."""
        user_id = caller(app, ports).user_id
        asked = users.split(",") if users else []
        if len(asked) > MAX_PRESENCES:
            raise BadRequest(f"At most {MAX_PRESENCES} users at once")
        for one in asked:
            check_user_id(one)
        return ok(presences_body(presence_of(asked, user_id=user_id, sight=ports.sight, now=ports.now())))

    @app.delete("/v1/users/<user_id>/connections")
    def delete_connections(user_id: UserPath) -> Answer:
        """Close every live connection of a user. Needs the scope `admin`. Tokens stay good until they end."""
        if _ADMIN not in caller(app, ports).scopes:
            raise Forbidden("This needs a token with the scope `admin`")
        closed = close_all(user_id, sessions=ports.sessions, gateway=ports.gateway, farewell=REVOKED, now=ports.now())
        check_offline(
            Gone(user_id, ports.now()),
            telling=ports.telling,
            now=ports.now(),
        )
        return ok({"closed": closed})


def _hide(user_id: str, ports: Ports, *, hidden: bool) -> None:
    hide_presence(
        user_id,
        hidden=hidden,
        telling=ports.telling,
        now=ports.now(),
    )


def _changed(profile: Profile, given: Mapping[str, Any]) -> Profile:
    """The profile with what was given; null is as good as never said."""
    initial = Profile()
    values = {name: given[name] for name in ("display_name", "avatar_url", "hide_presence") if name in given}
    if "push" in given:
        values |= given["push"] if given["push"] is not None else {"previews": None, "quiet_hours": None}
    if values.get("quiet_hours") is not None:
        values["quiet_hours"] = QuietHours(**values["quiet_hours"])
    cleared = {name: getattr(initial, name) for name, value in values.items() if value is None}
    return replace(profile, **{**values, **cleared})
