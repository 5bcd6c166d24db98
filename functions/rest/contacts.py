"""Contacts and blocks."""

from __future__ import annotations

from collections.abc import Callable

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from functions.rest.answers import Answer, done, ok
from functions.rest.requests import UserPath, caller, writer
from functions.rest.wiring import Wiring
from shared.domain.contacts import ACCEPTED
from shared.operations.contacts import UpdateContact, block_user, remove_contact, request_contact, update_contact
from shared.operations.presence import best_effort
from shared.operations.visibility import tell_blocked, tell_granted, tell_withdrawn
from shared.wire.rest.people import ContactChange, ContactRequest, blocks_body, contact_body, contacts_body


def add_contacts(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/contacts")
    def get_contacts() -> Answer:
        """The caller's contacts, and requests in both directions."""
        return ok(contacts_body(wiring.stores.contacts.of(caller(app, wiring).user_id)))

    @app.post("/v1/contacts")
    def post_contact(body: ContactRequest) -> Answer:
        """Ask somebody to become a contact; where they have asked the caller, this accepts. 200 where it was there."""
        user_id = writer(app, wiring)
        asked = request_contact(user_id, body.user_id, stores=wiring.stores, now=wiring.context.now())
        if asked.contact.status == ACCEPTED:
            _tell(tell_granted, user_id, body.user_id, wiring=wiring)
        return ok(contact_body(asked.contact), is_new=asked.is_new)

    @app.patch("/v1/contacts/<user_id>")
    def patch_contact(user_id: UserPath, body: ContactChange) -> Answer:
        """Accept a request, give the contact another name, or both."""
        caller_id, accept = writer(app, wiring), "status" in body.model_fields_set
        command = UpdateContact(
            caller_id, user_id, accept=accept, alias=body.alias, rename="alias" in body.model_fields_set
        )
        updated = update_contact(command, stores=wiring.stores, now=wiring.context.now())
        if accept:
            _tell(tell_granted, caller_id, user_id, wiring=wiring)
        return ok(contact_body(updated))

    @app.delete("/v1/contacts/<user_id>")
    def delete_contact(user_id: UserPath) -> Answer:
        """Withdraw a request, decline one, or end a contact: on both sides."""
        caller_id = caller(app, wiring).user_id
        if remove_contact(caller_id, user_id, stores=wiring.stores).status == ACCEPTED:
            _tell(tell_withdrawn, caller_id, [user_id], wiring=wiring)
        return done()


def add_blocks(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/blocks")
    def get_blocks() -> Answer:
        """Whom the caller blocks, by id."""
        return ok(blocks_body(wiring.stores.blocks.of(caller(app, wiring).user_id)))

    @app.put("/v1/blocks/<user_id>")
    def put_block(user_id: UserPath) -> Answer:
        """Block a user."""
        caller_id = caller(app, wiring).user_id
        if block_user(caller_id, user_id, stores=wiring.stores, now=wiring.context.now()):
            _tell(tell_blocked, caller_id, user_id, wiring=wiring)
        return done()

    @app.delete("/v1/blocks/<user_id>")
    def delete_block(user_id: UserPath) -> Answer:
        """Stop blocking a user."""
        caller_id = caller(app, wiring).user_id
        wiring.stores.blocks.remove(caller_id, user_id)
        _tell(tell_granted, caller_id, user_id, wiring=wiring)
        return done()


def _tell(tell: Callable[..., int], *about: object, wiring: Wiring) -> None:
    """Tell of a change of who may see whom (`operations/visibility.py`). The change stands in any case."""
    stores, services, context = wiring.parts
    best_effort(lambda: tell(*about, stores=stores, services=services, now=context.now), services=services)
