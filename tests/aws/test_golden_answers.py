"""Every answer that @connections gives, with AWS's headers and bodies: what becomes of the message, and of who is told.

Only 410 proves that a connection is dead. Whatever else is said about a post, the sender's message is stored, and the
recipient stays registered.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.adapters.aws.transport import Response
from tests.aws.day import Day
from tests.aws.test_golden_events import registered

pytestmark = pytest.mark.xdist_group("infra")

DENIED = (
    "User: arn:aws:sts::123456789012:assumed-role/Message/Message is not authorized to perform: "
    "execute-api:ManageConnections on resource: arn:aws:execute-api:us-east-1:123456789012:a/prod/POST/@connections/b"
)
# Status, kind of error, body as the gateway sends it, and how often a message's post is made.
ANSWERS: dict[str, tuple[int, str | None, Any, int]] = {
    "taken": (200, None, None, 1),
    "malformed": (400, "BadRequestException", {"message": "Invalid connectionId: L0SM9cOFvHcCIhw="}, 1),
    "access denied": (403, "AccessDeniedException", {"Message": DENIED}, 1),
    "forbidden": (403, "ForbiddenException", {"message": "Forbidden"}, 1),
    "gone": (410, "GoneException", None, 1),
    "gone with a word": (410, "GoneException", {"message": None}, 1),
    "too large": (413, "PayloadTooLargeException", {"message": "Message too long"}, 1),
    "too many": (429, "LimitExceededException", {"message": "Too Many Requests"}, 3),
    "throttled": (429, "ThrottlingException", {"message": "Rate exceeded"}, 3),
    "a fault": (500, "InternalServerErrorException", {"message": "Internal server error"}, 3),
    "a bad gateway": (502, None, "<html>", 3),
    "not there": (503, "ServiceUnavailableException", {"message": "Service Unavailable"}, 3),
    "too late": (504, None, {"message": "Endpoint request timed out"}, 3),
}


def said(status: int, error: str | None, body: Any) -> Response:
    headers = {"x-amzn-requestid": "3c8e2e70-4f6b-4c28-a0f0-1f7b6f2f7a11", "x-amz-apigw-id": "JKJaXHTuvHcFbhg="}
    if error is not None:
        headers |= {"x-amzn-errortype": error, "content-type": "application/json"}
    text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
    return Response(status, headers, text.encode())


@pytest.mark.parametrize("name", ANSWERS)
def test_a_post(name: str, day: Day) -> None:
    status, error, body, posts = ANSWERS[name]
    day.online("alice")
    bobs = day.online("bob")
    day.cloud.answers[bobs] = said(status, error, body)
    day.cloud.recorded.clear()
    assert day.ask("alice", type="message", to="bob", content="hello")["seq"] == 1
    asked = [one for one in day.cloud.recorded if one.service == "execute-api" and one.status == status]
    assert len(asked) == posts
    assert registered(day, "bob") == (set() if status == 410 else {bobs})


@pytest.mark.parametrize("status", sorted({status for status, *_ in ANSWERS.values()}))
def test_a_close_that_is_answered_in_whatever_way_ends_the_registration(status: int, day: Day) -> None:
    connection = day.online("bob")
    day.cloud.answers[connection] = said(status, None, None)
    day.functions.http("alice", "DELETE", "/v1/users/bob/connections")
    assert registered(day, "bob") == set()
