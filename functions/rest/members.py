"""The members of a conversation: listing, adding, roles, removing, leaving."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from functions.rest.answers import Answer, done, ok
from functions.rest.requests import ConversationPath, UserPath, caller, writer
from functions.rest.wiring import Wiring
from shared.operations.groups import AddMembers, SetRole, add_members, members_of, remove_member, set_role
from shared.wire.rest.conversations import NewMembers, NewRole, added_body, members_body, role_body


def add_members_routes(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/conversations/<conversation_id>/members")
    def get_members(conversation_id: ConversationPath) -> Answer:
        """Everyone in the conversation, and how far they have read."""
        user_id = caller(app, wiring).user_id
        return ok(members_body(members_of(conversation_id, user_id=user_id, stores=wiring.stores)))

    @app.post("/v1/conversations/<conversation_id>/members")
    def post_members(conversation_id: ConversationPath, body: NewMembers) -> Answer:
        """Add users to a group. For its owners and admins. Who is in it already is left out of `added`."""
        stores, services, context = wiring.parts
        command = AddMembers(conversation_id, body.users, by=writer(app, wiring))
        added, audience = add_members(
            command, admit=wiring.invites.take, stores=stores, services=services, context=context
        )
        return ok(added_body(added, members=len(audience)))

    @app.patch("/v1/conversations/<conversation_id>/members/<user_id>")
    def patch_member(conversation_id: ConversationPath, user_id: UserPath, body: NewRole) -> Answer:
        """Give a member another role. For the group's owners."""
        by = writer(app, wiring)
        stores, services, context = wiring.parts
        command = SetRole(conversation_id, user_id, body.role, by=by)
        set_role(command, stores=stores, services=services, context=context)
        return ok(role_body(user_id, body.role))

    @app.delete("/v1/conversations/<conversation_id>/members/<user_id>")
    def delete_member(conversation_id: ConversationPath, user_id: UserPath) -> Answer:
        """Remove a member from a group, or leave it. Owners remove anyone, admins remove members."""
        by = writer(app, wiring)
        stores, services, context = wiring.parts
        remove_member(conversation_id, user_id, by=by, stores=stores, services=services, context=context)
        return done()
