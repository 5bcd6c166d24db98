"""The directory of users: the team's server fills it, and who may reads it."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from functions.rest.answers import Answer, done, ok
from functions.rest.requests import Cursor, Limit, NamePrefix, UserIds, UserPath
from functions.rest.wiring import Wiring
from shared.domain.users import EVERYONE, Reader
from shared.errors import BadRequest
from shared.operations import users
from shared.wire.rest import users as bodies


def add_users(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/users")
    def get_users(prefix: NamePrefix = None, ids: UserIds = None, limit: Limit = 30, cursor: Cursor = None) -> Answer:
        """Users a word of whose name begins with `prefix`, or those with these `ids`, whom the caller may see."""
        reader = _reader(app, wiring)
        if (prefix is None) == (ids is None):
            raise BadRequest("Either `prefix` or `ids` says which users")
        stores, services = wiring.stores, wiring.services
        if ids is not None:
            asked = ids.split(",") if ids else []
            found = users.users_for(reader, asked, stores=stores, services=services)
            return ok({**bodies.users_body(found.values(), reader), "next_cursor": None})
        searched = prefix or ""
        after = None if cursor is None else bodies.decode_users_cursor(reader.user_id, cursor, searched)
        page = min(limit, wiring.context.limits.page_limit)
        listed = users.search_users(reader, searched, after=after, limit=page, stores=stores, services=services)
        return ok(bodies.found_body(listed, reader, searched))

    @app.post("/v1/users")
    def post_users(body: bodies.UserRecords) -> Answer:
        """Make or change the records of up to 100 users. Needs the scope `admin`. Can be repeated."""
        admin = _administrator(wiring.admin(app).user_id)
        written = users.put_users(bodies.records_of(body), is_told=wiring.tells_of_users, **wiring.parts)
        return ok(bodies.users_body(written, admin))


def add_user(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/users/<user_id>")
    def get_user(user_id: UserPath) -> Answer:
        """What is known of a user whom the caller may see."""
        reader = _reader(app, wiring)
        user = users.user_for(reader, user_id, stores=wiring.stores, services=wiring.services)
        return ok(bodies.user_body(user, reader))

    @app.put("/v1/users/<user_id>")
    def put_user(user_id: UserPath, body: bodies.UserRecord) -> Answer:
        """Make a user's record, or change parts of it. What is left out stays, null clears. Needs the scope `admin`."""
        admin = _administrator(wiring.admin(app).user_id)
        user, is_new = users.put_user(user_id, body.changes(), is_told=wiring.tells_of_users, **wiring.parts)
        return ok(bodies.user_body(user, admin), is_new=is_new)

    @app.delete("/v1/users/<user_id>")
    def delete_user(user_id: UserPath) -> Answer:
        """Take a user's record away, with name and avatar. What they wrote stays. Needs the scope `admin`."""
        wiring.admin(app)
        users.delete_user(user_id, is_told=wiring.tells_of_users, **wiring.parts)
        return done()


def _administrator(user_id: str) -> Reader:
    return Reader(user_id, is_admin=True, visibility=EVERYONE)


def _reader(app: APIGatewayHttpResolver, wiring: Wiring) -> Reader:
    return wiring.reader(app, wiring.caller(app))
