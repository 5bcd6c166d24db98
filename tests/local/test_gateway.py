"""What passes the WebSocket gateway, as a client and a function see it: on a small API of its own."""

from __future__ import annotations

import base64
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from local import ports, processes, server
from local.settings import ACCOUNT, REGION, ROOT, Settings
from tests.local.emulated import client, create_function, printed

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("emulator")]

WAIT = 20.0
CODE = """
import json, os, time
def handler(event, context):
    about = event["requestContext"]
    if about["eventType"] == "DISCONNECT":
        print(json.dumps({"gone": about["connectionId"], "code": about["disconnectStatusCode"]}))
        return {"statusCode": 200}
    asked = (event.get("queryStringParameters") or {}).get("ask") or event.get("body")
    if asked == "die":
        os._exit(1)
    if asked == "raise":
        raise ValueError("no words of ours")
    if asked == "event":
        return {"statusCode": 200, "body": json.dumps(event)}
    if asked and asked.startswith("wait "):
        while not os.path.exists(asked[5:]):
            time.sleep(0.02)
        return {"statusCode": 200, "body": json.dumps({"asked": asked})}
    if asked and asked.startswith("reply "):
        return {"statusCode": 200, "body": "x" * int(asked[6:])}
    if asked and asked.startswith("length"):
        return {"statusCode": 200, "body": str(len(asked))}
    return {"statusCode": int(asked or 200), "body": json.dumps({"asked": asked})}
"""


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory, watchdog: None) -> Iterator[Settings]:
    settings = Settings(home=tmp_path_factory.mktemp("gateway"), port=ports.free_port(), root=ROOT)
    server.start(settings)
    yield settings
    server.stop(settings)


@pytest.fixture(scope="module")
def url(emulator: Settings) -> str:
    """A WebSocket API whose one function does what it is asked to."""
    create_function(emulator, "asked", CODE, handler="asked.handler", Timeout=20)
    gateway = client(emulator, "apigatewayv2")
    api = gateway.create_api(Name="asked", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.type")
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:asked"
    integration = gateway.create_integration(
        ApiId=api["ApiId"],
        IntegrationType="AWS_PROXY",
        IntegrationUri=f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations",
    )
    for route in ("$connect", "$default", "$disconnect"):
        gateway.create_route(ApiId=api["ApiId"], RouteKey=route, Target=f"integrations/{integration['IntegrationId']}")
    gateway.create_stage(ApiId=api["ApiId"], StageName="local")
    return f"ws://127.0.0.1:{emulator.port}/_aws/execute-api/{api['ApiId']}/local"


@pytest.fixture
def ages(emulator: Settings) -> Iterator[Any]:
    """Sets how long connections last, for one test."""

    def setting(**ages: object) -> int:
        return asked_of(f"{emulator.address}/_parley/ages", "PUT", json.dumps(ages).encode())[0]

    yield setting
    assert asked_of(f"{emulator.address}/_parley/ages", "DELETE")[0] == 204


def asked_of(url: str, method: str, data: bytes | None = None) -> tuple[int, str | None, Any]:
    """Status, kind of error and body."""
    request = urllib.request.Request(url, data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=WAIT) as answer:
            body = answer.read()
            return answer.status, None, json.loads(body) if body else None
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers.get("x-amzn-ErrorType"), json.loads(error.read() or b"null")


def at(url: str, connection_id: str) -> str:
    return f"{url.replace('ws://', 'http://')}/@connections/{quote(connection_id, safe='')}"


def ask(socket: ClientConnection, what: str) -> Any:
    socket.send(what)
    return json.loads(socket.recv(WAIT))


def own_id(socket: ClientConnection) -> str:
    return str(ask(socket, "event")["requestContext"]["connectionId"])


def end_of(socket: ClientConnection) -> int:
    """The code it is closed with."""
    with suppress(ConnectionClosed):
        raise AssertionError(socket.recv(WAIT))
    assert socket.close_code is not None
    return socket.close_code


def test_a_refused_handshake_has_the_status_of_the_function_or_502_where_that_died(url: str) -> None:
    found = {}
    for asked in ("403", "503", "die", "raise"):
        with pytest.raises(InvalidStatus) as caught, connect(f"{url}?ask={asked}", proxy=None):
            pass
        found[asked] = caught.value.response.status_code
    assert found == {"403": 403, "503": 503, "die": 502, "raise": 502}


def test_a_frame_whose_function_fails_is_answered_in_the_words_of_the_gateway(url: str) -> None:
    with connect(url, proxy=None) as socket:
        connection_id = own_id(socket)
        for asked in ("die", "raise"):
            answer = ask(socket, asked)
            assert answer.keys() == {"message", "connectionId", "requestId"}
            assert (answer["message"], answer["connectionId"]) == ("Internal server error", connection_id)
        assert ask(socket, "500") == {"asked": "500"}
        assert ask(socket, "200") == {"asked": "200"}


def test_a_frame_that_no_route_takes_is_forbidden_in_the_words_of_the_gateway(url: str, emulator: Settings) -> None:
    gateway, api_id = client(emulator, "apigatewayv2"), url.rsplit("/", 2)[1]
    [route] = [one for one in gateway.get_routes(ApiId=api_id)["Items"] if one["RouteKey"] == "$default"]
    with connect(url, proxy=None) as socket:
        connection_id = own_id(socket)
        gateway.update_route(ApiId=api_id, RouteId=route["RouteId"], RouteKey="known")
        try:
            answer = ask(socket, '{"type": "unknown"}')
        finally:
            gateway.update_route(ApiId=api_id, RouteId=route["RouteId"], RouteKey="$default")
        assert answer.keys() == {"message", "connectionId", "requestId"}
        assert (answer["message"], answer["connectionId"]) == ("Forbidden", connection_id)


def test_an_id_is_eleven_bytes_in_base64_and_is_posted_to_escaped(url: str) -> None:
    with connect(url, proxy=None) as socket:
        connection_id = own_id(socket)
        assert re.fullmatch(r"[\w-]{15}=", connection_id)
        assert len(base64.urlsafe_b64decode(connection_id)) == 11
        assert at(url, connection_id).endswith("%3D")
        assert asked_of(at(url, connection_id), "POST", b"{}") == (200, None, None)
        assert socket.recv(WAIT) == "{}"
        assert asked_of(at(url, connection_id), "GET")[2].keys() == {"connectedAt", "lastActiveAt", "identity"}


def test_what_connections_are_asked_is_refused_as_aws_refuses_it(url: str) -> None:
    with connect(url, proxy=None) as socket:
        connection_id = own_id(socket)
        assert asked_of(at(url, connection_id), "POST", b"x" * 131_072)[0] == 200
        assert len(socket.recv(WAIT)) == 131_072
        status, error, body = asked_of(at(url, connection_id), "POST", b"x" * 131_073)
        assert (status, error, body["message"]) == (413, "PayloadTooLargeException", "Message too long")
    for method in ("POST", "DELETE", "GET"):
        assert asked_of(at(url, "L0SM9cOFvHcCIhw="), method, b"{}")[:2] == (410, "GoneException")
        for malformed in ("a1", "L0SM9cOFvHcCIhw", "L0SM9cOFvHcCIhw==", "L0SM9cOFvHcCIh/="):
            assert asked_of(at(url, malformed), method, b"{}")[0] in {400, 403, 404, 405}
        status, error, body = asked_of(at(url, "a1"), method, b"{}")
        assert (status, error, body) == (400, "BadRequestException", {"message": "Invalid connectionId: a1"})


def test_a_deleted_connection_gets_what_was_posted_before_and_is_gone_at_once(url: str) -> None:
    with connect(url, proxy=None) as socket:
        connection_id = own_id(socket)
        assert asked_of(at(url, connection_id), "POST", b"goodbye")[0] == 200
        assert asked_of(at(url, connection_id), "DELETE")[0] == 204
        assert asked_of(at(url, connection_id), "POST", b"too late")[0] == 410
        assert socket.recv(WAIT) == "goodbye"
        assert end_of(socket) == 1000


def test_frames_of_one_connection_overlap_and_replies_overtake_each_other(url: str, emulator: Settings) -> None:
    flag = emulator.home / "go"
    with connect(url, proxy=None) as socket:
        socket.send(f"wait {flag}")
        assert ask(socket, "200") == {"asked": "200"}
        assert ask(socket, "201") == {"asked": "201"}
        flag.touch()
        assert json.loads(socket.recv(WAIT)) == {"asked": f"wait {flag}"}


def test_a_connection_ends_while_its_frame_is_worked_on(url: str, emulator: Settings) -> None:
    flag = emulator.home / "end"
    with connect(url, proxy=None) as socket:
        connection_id = own_id(socket)
        socket.send(f"wait {flag}")
    assert processes.wait_until(lambda: any(connection_id in line for line in printed(emulator)), WAIT)
    flag.touch()


def test_of_a_reply_of_more_than_32_kb_nothing_comes_but_the_end(url: str) -> None:
    with connect(url, proxy=None) as socket:
        socket.send("reply 32768")
        assert len(socket.recv(WAIT)) == 32_768
        socket.send("reply 32769")
        assert end_of(socket) == 1009


def test_a_frame_has_at_most_32_kb_and_a_message_in_several_128(url: str) -> None:
    with connect(url, proxy=None) as socket:
        largest = "length" + "x" * (32_768 - 6)
        assert ask(socket, largest) == 32_768
        socket.send(iter([largest, *["x" * 32_768] * 3]))
        assert json.loads(socket.recv(WAIT)) == 131_072
    too_large: list[Any] = [
        largest + "x",
        "length" + "\u00e9" * 16_382,
        iter([largest, *["x" * 32_768] * 3, "x"]),
        b"length" + b"x" * 32_763,
    ]
    for message in too_large:
        with connect(url, proxy=None) as socket:
            socket.send(message)
            assert end_of(socket) == 1009


def test_events_have_what_those_of_aws_have(url: str) -> None:
    with connect(f"{url}?a=1", proxy=None) as socket:
        event = ask(socket, "event")
        again = ask(socket, "event")
    about = event["requestContext"]
    assert event.keys() == {"requestContext", "body", "isBase64Encoded"}
    assert about["eventType"] == "MESSAGE"
    assert about["messageDirection"] == "IN"
    assert about["requestId"] != about["messageId"]
    assert about["connectedAt"] == again["requestContext"]["connectedAt"] <= about["requestTimeEpoch"]


@pytest.mark.parametrize("which", ["idle_s", "age_s"])
def test_what_is_silent_for_too_long_or_too_old_is_closed_and_said_to_be_gone(
    which: str, url: str, emulator: Settings, ages: Any
) -> None:
    with connect(url, proxy=None) as socket:
        connection_id = own_id(socket)
        assert ages(**{which: 0.3}) == 204
        assert end_of(socket) == 1001
    told = {"gone": connection_id, "code": 1001}
    assert processes.wait_until(lambda: json.dumps(told) in printed(emulator), WAIT)


@pytest.mark.parametrize("wanted", [{"idle": 3}, {"idle_s": 0}, {"idle_s": "3"}, {"idle_s": True}])
def test_ages_that_are_none_are_refused(wanted: dict[str, Any], ages: Any) -> None:
    assert ages(**wanted) == 400
