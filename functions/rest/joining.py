"""Ways into groups: requests, which those decide on who may, and links."""

from __future__ import annotations

from typing import Annotated, Final

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import BeforeValidator, Field

from functions.rest.answers import Answer, accepted, done, ok
from functions.rest.requests import ConversationPath, UserPath, decoded
from functions.rest.wiring import Wiring
from shared.domain.joining import DECLINED, WITHDRAWN, RequestStatus
from shared.domain.text import is_group_id
from shared.operations import channels, joining
from shared.wire.rest import joining as bodies
from shared.wire.rest.conversations import channel_body

_MARK: Final = "^[A-Za-z0-9_-]{1,128}$"
_Token = Annotated[str, Field(pattern=_MARK), BeforeValidator(decoded)]
TokenPath = Annotated[_Token, Path(description="The link's token.", examples=["q2Xv0J5b3kRk1m7c9Tz4wYtN"])]
InvitePath = Annotated[_Token, Path(description="The link's id.", examples=["5f0c1b7a9d3e4f62a8b1c0d9e7f61234"])]


def add_joining(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.put("/v1/conversations/<conversation_id>/members/<user_id>")
    def put_member(conversation_id: ConversationPath, user_id: UserPath) -> Answer:
        """Join a channel or group that is open, or ask to come into a group. Only oneself. 200 for who is in it."""
        by = wiring.writer(app)
        if by == user_id and is_group_id(conversation_id):
            came = joining.join_group(conversation_id, user_id, **wiring.parts)
            if isinstance(came, joining.Requested):
                return accepted(bodies.requested_body(came))
            return ok(channel_body(came), is_new=came.is_new)
        joined = channels.join(conversation_id, user_id, by=by, stores=wiring.stores, context=wiring.context)
        return ok(channel_body(joined), is_new=joined.is_new)


def add_requests(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/conversations/<conversation_id>/requests")
    def get_requests(conversation_id: ConversationPath) -> Answer:
        """Who wants to come into the group, the longest waiting first. For who decides."""
        user_id = wiring.caller(app).user_id
        stores, context = wiring.stores, wiring.context
        found = joining.requests_of_group(conversation_id, user_id=user_id, stores=stores, context=context)
        return ok(bodies.requests_body(found))

    @app.patch("/v1/conversations/<conversation_id>/requests/<user_id>")
    def patch_request(conversation_id: ConversationPath, user_id: UserPath, body: bodies.Decision) -> Answer:
        """Let in who asked for it, or decline. For who decides about requests."""
        command = joining.Decide(conversation_id, user_id, wiring.writer(app), body.status)
        return ok(bodies.requested_body(joining.decide_request(command, **wiring.parts)))

    @app.delete("/v1/conversations/<conversation_id>/requests/<user_id>")
    def delete_request(conversation_id: ConversationPath, user_id: UserPath) -> Answer:
        """Take one's own request back; or decline another's, as one who decides."""
        by = wiring.writer(app)
        status: RequestStatus = WITHDRAWN if by == user_id else DECLINED
        joining.decide_request(joining.Decide(conversation_id, user_id, by, status), **wiring.parts)
        return done()

    @app.get("/v1/requests")
    def get_own_requests() -> Answer:
        """The groups that the caller has asked to come into, and waits for, the longest waiting first."""
        user_id = wiring.caller(app).user_id
        return ok(bodies.requests_body(joining.own_requests(user_id, stores=wiring.stores)))


def add_invites(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.post("/v1/conversations/<conversation_id>/invites")
    def post_invite(conversation_id: ConversationPath, body: bodies.InviteTerms) -> Answer:
        """Make a link into the group, for who may. The token is shown here alone."""
        command = body.command(conversation_id, wiring.writer(app), wiring.context.now())
        invite, token = joining.make_invite(command, stores=wiring.stores, context=wiring.context)
        return ok(bodies.new_invite_body(invite, token), is_new=True)

    @app.get("/v1/conversations/<conversation_id>/invites")
    def get_invites(conversation_id: ConversationPath) -> Answer:
        """The links into the group that are good, the latest first. For who manages them."""
        user_id, stores, context = wiring.caller(app).user_id, wiring.stores, wiring.context
        found = joining.invites_of(conversation_id, user_id=user_id, stores=stores, context=context)
        return ok(bodies.invites_body(found))

    @app.delete("/v1/conversations/<conversation_id>/invites/<invite_id>")
    def delete_invite(conversation_id: ConversationPath, invite_id: InvitePath) -> Answer:
        """Revoke a link: nobody comes by it any more. For who manages the group's links."""
        user_id, stores, context = wiring.writer(app), wiring.stores, wiring.context
        joining.revoke_invite(conversation_id, invite_id, user_id=user_id, stores=stores, context=context)
        return done()

    @app.get("/v1/invites/<invite_token>")
    def get_invite(invite_token: TokenPath) -> Answer:
        """What a link leads into."""
        wiring.caller(app)
        found = joining.look_at_invite(invite_token, stores=wiring.stores, now=wiring.context.now())
        return ok(bodies.invitation_body(found))

    @app.post("/v1/invites/<invite_token>")
    def post_invite_use(invite_token: TokenPath) -> Answer:
        """Come into the group by a link. 200 for who is in it already."""
        joined = joining.join_by_invite(invite_token, user_id=wiring.writer(app), **wiring.parts)
        return ok(channel_body(joined), is_new=joined.is_new)
