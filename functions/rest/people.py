"""The caller's own profile, contacts and blocks, others' presence, and a user's connections for administrators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from functions.rest.admin import tell_offline
from functions.rest.answers import Answer, done, ok
from functions.rest.requests import MAX_PRESENCES, UserPath, Users
from functions.rest.wiring import Wiring
from shared.domain.contacts import ACCEPTED, QuietHours
from shared.domain.text import check_user_id
from shared.errors import BadRequest
from shared.operations import contacts
from shared.operations.own_log import note_own, own_change
from shared.operations.presence import best_effort, hide_presence, note_transition, presence_of, show_presence
from shared.operations.sessions import close_all, live_connections
from shared.operations.users import update_own
from shared.operations.visibility import tell_blocked, tell_granted, tell_withdrawn
from shared.wire.rest import people as bodies


def add_profile(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/me")
    def get_me() -> Answer:
        """The caller's profile."""
        user_id = wiring.caller(app).user_id
        return ok(bodies.profile_body(user_id, wiring.stores.profiles.get(user_id), hidden=_is_hidden(user_id, wiring)))

    @app.put("/v1/me")
    def put_me(body: bodies.ProfileChange) -> Answer:
        """Change parts of the caller's profile. What is left out stays as it is, null clears."""
        user_id = wiring.writer(app)
        changes = _changes(body.model_dump(exclude_unset=True))
        profile = update_own(user_id, changes, is_told=wiring.tells_of_users, **wiring.parts)
        if "hide_presence" not in body.model_fields_set:
            return ok(bodies.profile_body(user_id, profile, hidden=_is_hidden(user_id, wiring)))
        hidden = bool(body.hide_presence)
        stores, services, context = wiring.stores, wiring.services, wiring.context
        # Also where it was so: a repetition completes what died half-way.
        (hide_presence if hidden else show_presence)(user_id, stores=stores, services=services, now=context.now)
        note_transition(user_id, stores=stores, now=context.now())
        note_own(user_id, lambda: own_change("profile", hide_presence=_is_hidden(user_id, wiring)), **wiring.parts)
        return ok(bodies.profile_body(user_id, profile, hidden=hidden))


def add_presence(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/presence")
    def get_presence(users: Users) -> Answer:
        """Whether these users are online, in the order asked. Whoever the caller may not see looks offline."""
        user_id = wiring.caller(app).user_id
        asked = users.split(",") if users else []
        if len(asked) > MAX_PRESENCES:
            raise BadRequest(f"At most {MAX_PRESENCES} users at once")
        for one in asked:
            check_user_id(one)
        stores, services, now = wiring.stores, wiring.services, wiring.context.now()
        return ok(bodies.presences_body(presence_of(asked, user_id=user_id, stores=stores, services=services, now=now)))

    @app.get("/v1/users/<user_id>/connections")
    def get_connections(user_id: UserPath) -> Answer:
        """The live connections of a user: which device, since when, and when last heard. Needs the scope `admin`."""
        wiring.admin(app)
        now = wiring.context.now()
        return ok(bodies.connections_body(live_connections(user_id, stores=wiring.stores, now=now)))

    @app.delete("/v1/users/<user_id>/connections")
    def delete_connections(user_id: UserPath) -> Answer:
        """Close every live connection of a user. Needs the scope `admin`. Tokens stay good until they end."""
        wiring.admin(app)
        closed = close_all(user_id, stores=wiring.stores, services=wiring.services, now=wiring.context.now())
        tell_offline(user_id, wiring)
        return ok(bodies.closed_body(closed))


def _is_hidden(user_id: str, wiring: Wiring) -> bool:
    session = wiring.stores.sessions.whole([user_id]).get(user_id)
    return session is not None and session.hidden


def _changes(given: Mapping[str, Any]) -> dict[str, Any]:
    """The profile's own fields among those given, by name; null for `push` clears all in it."""
    changes = {name: given[name] for name in ("display_name", "avatar_url", "groups_from", "mail") if name in given}
    if "push" in given:
        changes |= given["push"] if given["push"] is not None else {"previews": None, "quiet_hours": None}
    if changes.get("quiet_hours") is not None:
        changes["quiet_hours"] = QuietHours(**changes["quiet_hours"])
    return changes


def add_contacts(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/contacts")
    def get_contacts() -> Answer:
        """The caller's contacts, and requests in both directions."""
        return ok(bodies.contacts_body(wiring.stores.contacts.of(wiring.caller(app).user_id)))

    @app.post("/v1/contacts")
    def post_contact(body: bodies.ContactRequest) -> Answer:
        """Ask somebody to become a contact; where they have asked the caller, this accepts. 200 where it was there."""
        user_id = wiring.writer(app)
        contact, is_new = contacts.request_contact(user_id, body.user_id, **wiring.parts)
        if contact.status == ACCEPTED:
            _tell(tell_granted, user_id, body.user_id, wiring=wiring)
        return ok(bodies.contact_body(contact), is_new=is_new)

    @app.patch("/v1/contacts/<user_id>")
    def patch_contact(user_id: UserPath, body: bodies.ContactChange) -> Answer:
        """Accept a request, give the contact another name, or both."""
        caller_id, accept = wiring.writer(app), "status" in body.model_fields_set
        rename = "alias" in body.model_fields_set
        command = contacts.UpdateContact(caller_id, user_id, accept=accept, alias=body.alias, rename=rename)
        updated = contacts.update_contact(command, **wiring.parts)
        if accept:
            _tell(tell_granted, caller_id, user_id, wiring=wiring)
        return ok(bodies.contact_body(updated))

    @app.delete("/v1/contacts/<user_id>")
    def delete_contact(user_id: UserPath) -> Answer:
        """Withdraw a request, decline one, or end a contact: on both sides."""
        caller_id = wiring.writer(app)
        if contacts.remove_contact(caller_id, user_id, **wiring.parts).status == ACCEPTED:
            _tell(tell_withdrawn, caller_id, [user_id], wiring=wiring)
        return done()


def add_blocks(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/blocks")
    def get_blocks() -> Answer:
        """Whom the caller blocks, by id."""
        return ok(bodies.blocks_body(wiring.stores.blocks.of(wiring.caller(app).user_id)))

    @app.put("/v1/blocks/<user_id>")
    def put_block(user_id: UserPath) -> Answer:
        """Block a user."""
        caller_id = wiring.writer(app)
        if contacts.block_user(caller_id, user_id, **wiring.parts):
            _tell(tell_blocked, caller_id, user_id, wiring=wiring)
        return done()

    @app.delete("/v1/blocks/<user_id>")
    def delete_block(user_id: UserPath) -> Answer:
        """Stop blocking a user."""
        caller_id = wiring.writer(app)
        contacts.unblock_user(caller_id, user_id, **wiring.parts)
        _tell(tell_granted, caller_id, user_id, wiring=wiring)
        return done()


def _tell(tell: Callable[..., None], *about: object, wiring: Wiring) -> None:
    """Tell of a change of who may see whom (`operations/visibility.py`). The change stands in any case."""
    stores, services, now = wiring.stores, wiring.services, wiring.context.now
    best_effort(services, tell, *about, stores=stores, services=services, now=now)
