"""After a deployment: what API Gateway says of it, and whether both APIs answer as a client would have them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Response
from websockets.sync.server import ServerConnection, serve

from local import ports
from local.errors import CommandError
from ops import deployed
from ops.account import Place
from ops.target import Stacks
from tests.ops.account import ACCOUNT, REGION, Account, Answer, ready, resources, stack

RESOURCES = {
    "AWS::ApiGatewayV2::Api": {"WebSocketApi273F6915": "ws1", "HttpApi4E1D4184": "http1"},
    "AWS::ApiGatewayV2::Stage": {"WebSocketStageE8999091": "prod", "HttpStageD1D6DBD6": "$default"},
    "AWS::Logs::LogGroup": {
        "HttpStageAccessLog00986DB1": "access",
        "HttpRestLog2349C4D6": "Parley-rest-log",
        "WebSocketAuthorizerLog82DF64A4": "Parley-authorizer-log",
    },
}
DONE = {"StageName": "prod", "DeploymentId": "d1", "LastDeploymentStatusMessage": "Successfully deployed stage with …"}


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would be waited for for minutes is asked for once more."""
    monkeypatch.setattr(deployed, "HEALTH_SECONDS", 0.0)
    monkeypatch.setattr(deployed, "DEPLOYMENT_SECONDS", 0.0)
    monkeypatch.setattr(deployed, "_POLL_SECONDS", 0.01)


def account(**more: Answer) -> Account:
    told = ready(
        **{
            "cloudformation.DescribeStacks": stack(),
            "cloudformation.ListStackResources": resources(RESOURCES),
            "apigatewayv2.GetStage": DONE,
            "apigatewayv2.GetDeployment": {"DeploymentStatus": "DEPLOYED"},
        }
    )
    told.answers |= more
    return told


def check_gateways(told: Account) -> None:
    deployed.check_gateways(Stacks("Parley-prod", REGION, told), Place(ACCOUNT, REGION, told))


def check_health(told: Account, outputs: Mapping[str, str]) -> None:
    deployed.check_health(outputs, Stacks("Parley-prod", REGION, told), Place(ACCOUNT, REGION, told))


# -- API Gateway's word -----------------------------------------------------------------------------------------------


def test_both_stages_are_asked_for_and_reported(capsys: pytest.CaptureFixture[str]) -> None:
    told = account()
    check_gateways(told)
    assert "the WebSocket API is deployed; the HTTP API is deployed" in capsys.readouterr().out
    assert told.of("apigatewayv2.GetStage") == [
        {"ApiId": "ws1", "StageName": "prod"},
        {"ApiId": "http1", "StageName": "$default"},
    ]
    assert {"ApiId": "ws1", "DeploymentId": "d1"} in told.of("apigatewayv2.GetDeployment")


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        (
            {
                "apigatewayv2.GetDeployment": {
                    "DeploymentStatus": "FAILED",
                    "DeploymentStatusMessage": "Unable to deploy API because no routes exist in this API",
                }
            },
            "Unable to deploy API because no routes exist in this API",
        ),
        ({"apigatewayv2.GetDeployment": {"DeploymentStatus": "PENDING"}}, "the deployment is pending"),
        (
            {"apigatewayv2.GetStage": {**DONE, "LastDeploymentStatusMessage": "Deployment attempt failed: Too Many"}},
            "Deployment attempt failed: Too Many",
        ),
        ({"apigatewayv2.GetStage": {"StageName": "prod"}}, "the deployment is missing"),
    ],
    ids=["failed", "never done", "the latest one failed", "none"],
)
def test_a_deployment_that_is_not_in_effect_is_told_with_the_gateways_reason(
    answers: dict[str, Answer], why: str
) -> None:
    with pytest.raises(CommandError) as caught:
        check_gateways(account(**answers))
    assert caught.value.message.endswith(f"has not deployed the WebSocket API, stage prod: {why}")
    assert f"create-deployment --api-id ws1 --stage-name prod --region {REGION}" in caught.value.hint


def test_one_that_is_on_its_way_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployed, "DEPLOYMENT_SECONDS", 60.0)
    answers = iter(["PENDING", "PENDING", "DEPLOYED", "DEPLOYED"])
    check_gateways(account(**{"apigatewayv2.GetDeployment": lambda _: {"DeploymentStatus": next(answers)}}))
    assert next(answers, None) is None


# -- a client's view --------------------------------------------------------------------------------------------------


@contextmanager
def http_server(*statuses: int) -> Iterator[str]:
    """Answers with these one after the other, and then with the last one."""
    left = list(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/v1/health"
            self.send_response(left.pop(0) if len(left) > 1 else left[0])
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@contextmanager
def websocket_server(status: int) -> Iterator[str]:
    """Answers each handshake with this status; 101 lets in."""

    def answer(_: ServerConnection, __: Any) -> Response | None:
        return None if status == HTTPStatus.SWITCHING_PROTOCOLS else Response(status, "", Headers())

    with serve(lambda _: None, "127.0.0.1", 0, process_request=answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()


@pytest.mark.parametrize("refusal", [401, 403])
def test_an_api_that_answers_and_one_that_refuses_who_has_no_token_are_healthy(
    refusal: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with http_server(200) as http, websocket_server(refusal) as socket:
        check_health(account(), {"HttpUrl": http, "WsUrl": socket})
    assert "HTTP API and WebSocket API answer" in capsys.readouterr().out


def test_what_is_not_ready_yet_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployed, "HEALTH_SECONDS", 60.0)
    with http_server(503, 404, 200) as http, websocket_server(403) as socket:
        check_health(account(), {"HttpUrl": http, "WsUrl": socket})


@pytest.mark.parametrize(("status", "said"), [(500, "with 500 instead of 200"), (403, "with 403 instead of 200")])
def test_an_http_api_that_fails_is_told_with_the_log_that_says_why(status: int, said: str) -> None:
    with http_server(status) as http, websocket_server(403) as socket, pytest.raises(CommandError) as caught:
        check_health(account(), {"HttpUrl": http, "WsUrl": socket})
    assert caught.value.message == f"{http} answers GET /v1/health {said}"
    assert caught.value.hint.endswith(f"aws logs tail Parley-rest-log --since 10m --region {REGION}")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (500, "answers a handshake without a token with 500 instead of 401 or 403"),
        (101, "lets in who has no token"),
    ],
)
def test_a_websocket_api_that_fails_or_lets_in_is_told_with_the_log_that_says_why(status: int, said: str) -> None:
    with http_server(200) as http, websocket_server(status) as socket, pytest.raises(CommandError) as caught:
        check_health(account(), {"HttpUrl": http, "WsUrl": socket})
    assert caught.value.message == f"{socket} {said}"
    assert "aws logs tail Parley-authorizer-log" in caught.value.hint


def test_an_api_that_does_not_answer_at_all_is_told() -> None:
    nobody = f"http://127.0.0.1:{ports.free_port()}"
    with websocket_server(403) as socket, pytest.raises(CommandError, match=r"does not answer: .*refused"):
        check_health(account(), {"HttpUrl": nobody, "WsUrl": socket})


def test_a_domain_that_leads_nowhere_yet_is_told_with_what_to_point_it_at(capsys: pytest.CaptureFixture[str]) -> None:
    """The first deployment is the one that says what that is, so it is no failure."""
    outputs = {
        "HttpUrl": "https://api.parley.invalid",
        "WsUrl": "wss://ws.parley.invalid",
        "HttpDomainTarget": "d-1.execute-api.eu-central-1.amazonaws.com",
        "WsDomainTarget": "d-2.execute-api.eu-central-1.amazonaws.com",
    }
    check_health(account(), outputs)
    shown = capsys.readouterr().out
    assert "api.parley.invalid leads nowhere yet: point its DNS record (CNAME or alias) at d-1.execute-api" in shown
    assert "ws.parley.invalid leads nowhere yet: point its DNS record (CNAME or alias) at d-2.execute-api" in shown
