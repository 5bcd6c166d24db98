"""What passes the gateways: what a WebSocket client sees of a function that fails, on a small API of its own."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from local.settings import ACCOUNT, REGION, Settings
from tests.local.emulated import client

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("emulator")]

WAIT = 20.0
CODE = """
import json, os
def handler(event, context):
    asked = (event.get("queryStringParameters") or {}).get("ask") or event.get("body")
    if asked == "die":
        os._exit(1)
    if asked == "raise":
        raise ValueError("no words of ours")
    return {"statusCode": int(asked or 200), "body": json.dumps({"asked": asked})}
"""


@pytest.fixture
def url(emulator: Settings) -> str:
    """A WebSocket API whose one function does what it is asked to."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("asked.py", CODE)
    client(emulator, "lambda").create_function(
        FunctionName="asked",
        Runtime="python3.13",
        Role=f"arn:aws:iam::{ACCOUNT}:role/any",
        Handler="asked.handler",
        Code={"ZipFile": archive.getvalue()},
    )
    gateway = client(emulator, "apigatewayv2")
    api = gateway.create_api(Name="asked", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.type")
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:asked"
    integration = gateway.create_integration(
        ApiId=api["ApiId"],
        IntegrationType="AWS_PROXY",
        IntegrationUri=f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations",
    )
    for route in ("$connect", "$default"):
        gateway.create_route(ApiId=api["ApiId"], RouteKey=route, Target=f"integrations/{integration['IntegrationId']}")
    gateway.create_stage(ApiId=api["ApiId"], StageName="local")
    return f"ws://127.0.0.1:{emulator.port}/_aws/execute-api/{api['ApiId']}/local"


def ask(socket: ClientConnection, what: str) -> dict[str, str]:
    socket.send(what)
    answer: dict[str, str] = json.loads(socket.recv(WAIT))
    return answer


def test_a_refused_handshake_has_the_status_of_the_function_or_502_where_that_died(url: str) -> None:
    found = {}
    for asked in ("403", "503", "die", "raise"):
        with pytest.raises(InvalidStatus) as caught, connect(f"{url}?ask={asked}", proxy=None):
            pass
        found[asked] = caught.value.response.status_code
    assert found == {"403": 403, "503": 503, "die": 502, "raise": 502}


def test_a_frame_whose_function_fails_is_answered_in_the_words_of_the_gateway(url: str) -> None:
    with connect(url, proxy=None) as socket:
        for asked in ("die", "raise"):
            answer = ask(socket, asked)
            assert answer.keys() == {"message", "connectionId", "requestId"}
            assert answer["message"] == "Internal server error"
        assert ask(socket, "500") == {"asked": "500"}
        assert ask(socket, "200") == {"asked": "200"}
