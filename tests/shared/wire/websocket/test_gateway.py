from __future__ import annotations

from typing import Any

import pytest

from shared.domain.connections import Identity
from shared.errors import Unauthenticated
from shared.wire.websocket.gateway import Caller, answer, authorizer_context, caller_of

_IDENTITY = Identity("alice", 1_795_434_800_000, issued_at=1_795_431_100_000)
_CONTEXT = {
    "user_id": "alice",
    "expires_at": "1795434800000",
    "issued_at": "1795431100000",
    "device_id": "phone",
    "connected_at": "1795431200000",
}


def _event(authorizer: Any = None, **changes: Any) -> dict[str, Any]:
    context = {"connectionId": "abc=", "routeKey": "message", "authorizer": authorizer, **changes}
    return {"requestContext": context, "body": '{"sender_id":"mallory","user_id":"mallory"}'}


def test_the_context_is_strings_because_the_gateway_carries_nothing_else() -> None:
    assert authorizer_context(_IDENTITY, device_id="phone", connected_at=1_795_431_200_000) == _CONTEXT


def test_the_caller_is_who_the_authorizer_let_in() -> None:
    caller = caller_of(_event(_CONTEXT))
    assert caller.identity == _IDENTITY
    assert (caller.user_id, caller.connection_id) == ("alice", "abc=")
    assert caller.connection.device_id == "phone"
    assert caller.connection.user_id == "alice"
    assert caller.connection.connected_at == 1_795_431_200_000


def test_a_context_that_was_made_is_understood() -> None:
    made = authorizer_context(_IDENTITY, device_id="", connected_at=5)
    assert caller_of(_event(made)) == Caller(_IDENTITY, caller_of(_event(made)).connection)
    assert caller_of(_event(made)).connection.device_id == ""


def test_a_connection_of_before_an_upgrade_has_a_token_of_no_known_age() -> None:
    context = {name: value for name, value in _CONTEXT.items() if name != "issued_at"}
    caller = caller_of(_event(context))
    assert (caller.identity.issued_at, caller.connection.issued_at) == (0, 0)
    assert caller_of(_event(_CONTEXT)).connection.issued_at == 1_795_431_100_000


def test_what_the_gateway_adds_to_the_context_is_not_minded() -> None:
    extra = {"principalId": "alice", "integrationLatency": 25}
    assert caller_of(_event({**_CONTEXT, **extra})).user_id == "alice"


def test_a_connection_is_expected_to_live_for_the_gateways_two_hours_and_no_longer() -> None:
    long_lived = {**_CONTEXT, "expires_at": str(int(_CONTEXT["connected_at"]) + 86_400_000)}
    connection = caller_of(_event(long_lived)).connection
    assert connection.expires_at - connection.connected_at == 2 * 60 * 60 * 1_000


def test_a_connection_lives_no_longer_than_its_token() -> None:
    connection = caller_of(_event(_CONTEXT)).connection
    assert connection.expires_at == int(_CONTEXT["expires_at"])


@pytest.mark.parametrize(
    "authorizer",
    [
        None,
        {},
        *(
            {name: value for name, value in _CONTEXT.items() if name != missing}
            for missing in _CONTEXT.keys() - {"issued_at"}
        ),
        {**_CONTEXT, "expires_at": ""},
        {**_CONTEXT, "expires_at": "soon"},
        {**_CONTEXT, "expires_at": "1.5"},
        {**_CONTEXT, "expires_at": None},
        {**_CONTEXT, "connected_at": "x"},
        {**_CONTEXT, "connected_at": None},
        "alice",
        ["alice"],
    ],
    ids=str,
)
def test_without_the_authorizers_whole_context_nobody_is_calling(authorizer: Any) -> None:
    with pytest.raises(Unauthenticated):
        caller_of(_event(authorizer))


def test_an_event_without_an_authorizer_is_from_nobody() -> None:
    with pytest.raises(Unauthenticated):
        caller_of({"requestContext": {"connectionId": "abc="}})


def test_an_answer_is_a_status_and_a_body() -> None:
    assert answer() == {"statusCode": 200, "body": ""}
    assert answer("{}", 400) == {"statusCode": 400, "body": "{}"}
    assert answer(status=500) == {"statusCode": 500, "body": ""}
