"""Whether what was deployed is in effect and answers: asked of API Gateway first, then as a client would."""

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import urlsplit

from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import connect

from local.console import fact, step
from local.errors import CommandError
from ops.account import Place
from ops.gateways import last_deployment
from ops.target import Stacks

# A new API's address is known everywhere within a minute or so.
HEALTH_SECONDS = 120.0
DEPLOYMENT_SECONDS = 60.0
_POLL_SECONDS = 2.0
_TIMEOUT = 10.0
_OK = 200
_REFUSED = (401, 403)
# What the logical ids of an API's resources begin with, what it is called, and whose log tells why it does not answer.
_APIS = {"WebSocket": ("WebSocket API", "WebSocketAuthorizerLog"), "Http": ("HTTP API", "HttpRestLog")}


def check_gateways(stacks: Stacks, place: Place) -> None:
    """Report what came of the last deployment of both stages, which wait for no stack.

    Raises:
        CommandError: one has failed. Clients then still meet what was deployed before.

    """
    with step("gateways") as line:
        told = [_stage_told(prefix, stacks, place) for prefix in _APIS]
        line.result = "; ".join(told)


def _stage_told(prefix: str, stacks: Stacks, place: Place) -> str:
    called, _ = _APIS[prefix]
    client = place.clients("apigatewayv2")
    api, stage = (_first(stacks, f"AWS::ApiGatewayV2::{kind}", f"{prefix}{kind}") for kind in ("Api", "Stage"))
    deadline = time.monotonic() + DEPLOYMENT_SECONDS
    while True:
        deployment = last_deployment(client, api, client.get_stage(ApiId=api, StageName=stage))
        if not deployment.is_on_its_way or time.monotonic() > deadline:
            break
        time.sleep(_POLL_SECONDS)
    if not deployment.trouble:
        return f"the {called} is deployed"
    raise CommandError(
        f"API Gateway has not deployed the {called}, stage {stage}: {deployment.trouble}",
        "Clients meet what was deployed before. Mend that and run make deploy again; or try it once more as it is: "
        f"aws apigatewayv2 create-deployment --api-id {api} --stage-name {stage} --region {place.region}",
    )


def _first(stacks: Stacks, kind: str, logical_id: str) -> str:
    return next(one.physical_id for one in stacks.resources(kind) if one.logical_id.startswith(logical_id))


def check_health(outputs: Mapping[str, str], stacks: Stacks, place: Place) -> None:
    """Wait until both APIs answer as they should: health with 200, and a handshake without a token with a refusal.

    Raises:
        CommandError: one does not.

    """
    checks = {"Http": (_http_answer, outputs["HttpUrl"]), "WebSocket": (_websocket_answer, outputs["WsUrl"])}
    reachable = {prefix: url for prefix, (_, url) in checks.items() if _leads_somewhere(url)}
    for prefix in checks.keys() - reachable.keys():
        _say_where_to_point(prefix, checks[prefix][1], outputs)
    with step("health") as line:
        for prefix, url in reachable.items():
            answer = _wait(partial(checks[prefix][0], url))
            if answer:
                raise CommandError(f"{url} {answer}", _look_into(prefix, stacks, place))
        line.result = " and ".join(_APIS[prefix][0] for prefix in reachable) + " answer" if reachable else "not asked"


def _leads_somewhere(url: str) -> bool:
    """Whether the host has an address. Those that the gateway makes have one soon, a domain when its owner says so."""
    host = urlsplit(url).hostname or ""
    if ".execute-api." in host:
        return True
    try:
        return bool(socket.getaddrinfo(host, None))
    except OSError:
        return False


def _say_where_to_point(prefix: str, url: str, outputs: Mapping[str, str]) -> None:
    host = urlsplit(url).hostname
    target = outputs.get("WsDomainTarget" if prefix == "WebSocket" else "HttpDomainTarget", "")
    fact("domain", f"{host} leads nowhere yet: point its DNS record (CNAME or alias) at {target}")


def _wait(ask: Callable[[], str]) -> str:
    """Empty once the answer is right; what was wrong with the last one where it never is."""
    deadline = time.monotonic() + HEALTH_SECONDS
    while (answer := ask()) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return answer


def _http_answer(url: str) -> str:
    """What is wrong with the health of the HTTP API; empty where nothing is."""
    try:
        with urllib.request.urlopen(f"{url}/v1/health", timeout=_TIMEOUT) as reply:
            status = reply.status
    except urllib.error.HTTPError as error:
        status = error.code
    except OSError as error:
        return f"does not answer: {getattr(error, 'reason', None) or error}"
    return "" if status == _OK else f"answers GET /v1/health with {status} instead of 200"


def _websocket_answer(url: str) -> str:
    """What is wrong with the answer to a handshake without a token, which is to be refused; empty where nothing is."""
    try:
        with connect(url, open_timeout=_TIMEOUT):
            return "lets in who has no token"
    except InvalidStatus as error:
        status = error.response.status_code
        return "" if status in _REFUSED else f"answers a handshake without a token with {status} instead of 401 or 403"
    except (OSError, WebSocketException) as error:
        return f"does not answer: {error or type(error).__name__}"


def _look_into(prefix: str, stacks: Stacks, place: Place) -> str:
    _, log = _APIS[prefix]
    group = next(
        (one.physical_id for one in stacks.resources("AWS::Logs::LogGroup") if one.logical_id.startswith(log)), ""
    )
    return f"Its function's log says why: aws logs tail {group} --since 10m --region {place.region}"
