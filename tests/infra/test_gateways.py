"""The two APIs: routes, replies, who gets in, throttles, and logs that tell nothing about people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.infra.templates import Resources

pytestmark = pytest.mark.xdist_group("infra")

FRAMES = (
    *("message", "edit", "delete", "react", "read", "delivered", "typing"),
    *("presence", "sync", "ping", "auth", "$default"),
)
LOCAL = "http://localhost:4577/_aws/execute-api/"


def api(resources: Resources, protocol: str) -> tuple[str, dict[str, Any]]:
    [(name, resource)] = [
        (name, resource)
        for name, resource in resources.of("AWS::ApiGatewayV2::Api").items()
        if resource["Properties"]["ProtocolType"] == protocol
    ]
    return name, resource["Properties"]


def routes(resources: Resources, protocol: str) -> dict[str, dict[str, Any]]:
    """Route key → properties, and the logical id of the route as "id"."""
    name, _ = api(resources, protocol)
    return {
        resource["Properties"]["RouteKey"]: {**resource["Properties"], "id": logical}
        for logical, resource in resources.of("AWS::ApiGatewayV2::Route").items()
        if resource["Properties"]["ApiId"] == {"Ref": name}
    }


def stage(resources: Resources, protocol: str) -> dict[str, Any]:
    name, _ = api(resources, protocol)
    [found] = [
        properties
        for properties in resources.properties("AWS::ApiGatewayV2::Stage")
        if properties["ApiId"] == {"Ref": name}
    ]
    return found


def function_behind(resources: Resources, route: dict[str, Any]) -> str:
    integration = resources.all[route["Target"]["Fn::Join"][1][1]["Ref"]]["Properties"]
    assert integration["IntegrationType"] == "AWS_PROXY"
    return json.dumps(integration["IntegrationUri"])


def join(value: Any) -> str:
    """A value with its references as <name>."""
    if isinstance(value, str):
        return value
    if "Ref" in value:
        return f"<{value['Ref']}>"
    return "".join(join(part) for part in value["Fn::Join"][1])


def test_a_frames_type_names_its_route(each: Resources) -> None:
    _, properties = api(each, "WEBSOCKET")
    assert properties["RouteSelectionExpression"] == "$request.body.type"
    assert set(routes(each, "WEBSOCKET")) == {"$connect", "$disconnect", *FRAMES}


def test_each_route_reaches_its_function(each: Resources) -> None:
    found = routes(each, "WEBSOCKET")
    assert "WebSocketConnectFunction" in function_behind(each, found["$connect"])
    assert "WebSocketDisconnectFunction" in function_behind(each, found["$disconnect"])
    for key in FRAMES:
        assert "WebSocketMessageFunction" in function_behind(each, found[key])
    [rest] = routes(each, "HTTP").values()
    assert rest["RouteKey"] == "$default"
    assert "HttpRestFunction" in function_behind(each, rest)


@pytest.mark.parametrize("name", ["aws", "full"])
def test_every_frame_route_has_a_route_response(name: str, request: pytest.FixtureRequest) -> None:
    resources: Resources = request.getfixturevalue(name)
    found = routes(resources, "WEBSOCKET")
    answered = {
        response["RouteId"]["Ref"]: response["RouteResponseKey"]
        for response in resources.properties("AWS::ApiGatewayV2::RouteResponse")
    }
    assert answered == {found[key]["id"]: "$default" for key in FRAMES}
    for key in FRAMES:
        assert found[key]["RouteResponseSelectionExpression"] == "$default"


def test_the_emulator_gets_no_route_responses_which_it_does_not_know(local: Resources) -> None:
    assert not local.of("AWS::ApiGatewayV2::RouteResponse")


def test_only_connect_is_authorized_and_the_authorizer_names_no_identity_source(each: Resources) -> None:
    [(name, authorizer)] = each.of("AWS::ApiGatewayV2::Authorizer").items()
    properties = authorizer["Properties"]
    assert properties["AuthorizerType"] == "REQUEST"
    assert properties.get("IdentitySource", []) == []
    assert "WebSocketAuthorizerFunction" in json.dumps(properties["AuthorizerUri"])
    for key, route in routes(each, "WEBSOCKET").items():
        assert route["AuthorizationType"] == ("CUSTOM" if key == "$connect" else "NONE")
        assert route.get("AuthorizerId") == ({"Ref": name} if key == "$connect" else None)


def test_both_stages_are_throttled_as_configured(aws: Resources, full: Resources) -> None:
    for resources, rate, burst in ((aws, 2_000, 1_000), (full, 50, 70)):
        for protocol in ("WEBSOCKET", "HTTP"):
            settings = stage(resources, protocol)["DefaultRouteSettings"]
            assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (rate, burst)


@pytest.mark.parametrize(
    ("name", "throttles"),
    [
        ("aws", {"sync": (500, 250), "presence": (200, 100), "auth": (100, 50)}),
        ("local", {"sync": (500, 250), "presence": (200, 100), "auth": (100, 50)}),
        ("full", {"sync": (40, 30), "$connect": (10, 5)}),
    ],
)
def test_routes_have_their_own_throttles(
    name: str, throttles: dict[str, tuple[int, int]], request: pytest.FixtureRequest
) -> None:
    settings = stage(request.getfixturevalue(name), "WEBSOCKET")["RouteSettings"]
    assert {
        route: (setting["ThrottlingRateLimit"], setting["ThrottlingBurstLimit"]) for route, setting in settings.items()
    } == throttles


def test_a_stage_waits_for_the_routes_that_it_has_settings_for(each: Resources) -> None:
    [awaited] = [
        resource["DependsOn"] for name, resource in each.of("AWS::ApiGatewayV2::Stage").items() if "WebSocket" in name
    ]
    for key in stage(each, "WEBSOCKET")["RouteSettings"]:
        assert routes(each, "WEBSOCKET")[key]["id"] in awaited


def test_the_gateway_never_logs_whole_requests(each: Resources) -> None:
    found = stage(each, "WEBSOCKET")
    for settings in (found["DefaultRouteSettings"], *found["RouteSettings"].values()):
        assert (settings["LoggingLevel"], settings["DataTraceEnabled"]) == ("OFF", False)


@pytest.mark.parametrize("protocol", ["WEBSOCKET", "HTTP"])
@pytest.mark.parametrize("name", ["aws", "full"])
def test_access_logs_are_json_without_queries_paths_addresses_or_identities(
    name: str, protocol: str, request: pytest.FixtureRequest
) -> None:
    resources: Resources = request.getfixturevalue(name)
    logged = json.loads(stage(resources, protocol)["AccessLogSettings"]["Format"])
    assert {"requestId", "routeKey", "status"} <= set(logged)
    for told in ("query", "path", "identity", "authorizer", "userAgent", "sourceIp", "header", "protocol"):
        assert told.lower() not in json.dumps(logged).lower()


def test_the_first_websocket_stage_of_an_account_gets_its_logging_role(aws: Resources, full: Resources) -> None:
    [(account, resource)] = aws.of("AWS::ApiGateway::Account").items()
    assert resource["DeletionPolicy"] == "Retain"
    [stage_resource] = [
        resource for name, resource in aws.of("AWS::ApiGatewayV2::Stage").items() if "WebSocket" in name
    ]
    assert account in stage_resource["DependsOn"]
    assert not full.of("AWS::ApiGateway::Account")


def test_pages_are_answered_by_the_function_on_every_target(full: Resources, aws: Resources, local: Resources) -> None:
    """The gateway's own CORS knows web origins alone, each port by itself, and answers preflights in our place."""
    origins = {"https://chat.example.com,https://example.com:8443": full, "": aws}
    for expected, resources in (*origins.items(), ("http://localhost:*,http://127.0.0.1:*", local)):
        assert "CorsConfiguration" not in api(resources, "HTTP")[1]
        assert resources.functions["Rest"]["Environment"]["Variables"]["ALLOWED_ORIGINS"] == expected


def test_functions_post_to_the_stage_whatever_the_domain(aws: Resources, full: Resources) -> None:
    for resources, name in ((aws, "prod"), (full, "staging")):
        socket, _ = api(resources, "WEBSOCKET")
        for function in ("Connect", "Message", "Rest", "OfflinePush", "Presence"):
            endpoint = join(resources.functions[function]["Environment"]["Variables"]["CONNECTIONS_ENDPOINT"])
            assert endpoint == f"https://<{socket}>.execute-api.<AWS::Region>.<AWS::URLSuffix>/{name}"


def test_on_a_laptop_functions_post_to_the_emulator(local: Resources) -> None:
    socket, _ = api(local, "WEBSOCKET")
    for function in ("Connect", "Message", "Rest", "OfflinePush", "Presence"):
        endpoint = join(local.functions[function]["Environment"]["Variables"]["CONNECTIONS_ENDPOINT"])
        assert endpoint == f"{LOCAL}<{socket}>/local"


OUTPUTS = {
    *("WsUrl", "HttpUrl", "LogTable", "MembersTable", "SessionsTable", "TicketsTable"),
    *("Bucket", "FailureQueueUrl", "FailureQueues", "JwtSecretArn", "Region"),
}


def outputs(resources: Resources) -> dict[str, str]:
    return {
        name: output["Value"] if "Fn::GetAtt" in output["Value"] else join(output["Value"])
        for name, output in resources.template["Outputs"].items()
    }


def test_outputs_on_aws(aws: Resources) -> None:
    found = outputs(aws)
    assert set(found) == OUTPUTS
    assert found["WsUrl"] == f"wss://<{api(aws, 'WEBSOCKET')[0]}>.execute-api.<AWS::Region>.<AWS::URLSuffix>/prod"
    assert found["HttpUrl"] == f"https://<{api(aws, 'HTTP')[0]}>.execute-api.<AWS::Region>.<AWS::URLSuffix>"


def test_outputs_on_a_laptop(local: Resources) -> None:
    found = outputs(local)
    assert set(found) == OUTPUTS
    assert found["WsUrl"] == f"{LOCAL}<{api(local, 'WEBSOCKET')[0]}>/local".replace("http", "ws", 1)
    assert found["HttpUrl"] == f"{LOCAL}<{api(local, 'HTTP')[0]}>/$default"


def test_a_custom_domain_serves_the_websocket_api_over_tls_1_2(full: Resources) -> None:
    found = outputs(full)
    assert set(found) == (OUTPUTS - {"JwtSecretArn"}) | {"WsDomainTarget"}
    assert found["WsUrl"] == "wss://ws.example.com"
    [domain] = full.properties("AWS::ApiGatewayV2::DomainName")
    assert domain["DomainName"] == "ws.example.com"
    assert domain["DomainNameConfigurations"][0]["SecurityPolicy"] == "TLS_1_2"
    [mapping] = full.properties("AWS::ApiGatewayV2::ApiMapping")
    assert mapping["ApiId"] == {"Ref": api(full, "WEBSOCKET")[0]}


def test_each_failure_queue_is_told_by_its_name(aws: Resources, full: Resources) -> None:
    always = {
        "stream-records": "PushFailures",
        "file-checks": "FileChecksFailures",
        "presence-checks": "PresenceChecksFailures",
        "fan-out": "FanOutFailures",
        "looks": "LooksFailures",
    }
    pushes = {"fcm-pushes": "FcmPushesFailures", "apns-pushes": "ApnsPushesFailures"}
    for resources, expected in ((aws, always), (full, always | pushes)):
        told = json.loads(outputs(resources)["FailureQueues"])
        assert told == {name: f"<{resources.named('AWS::SQS::Queue', part)[0]}>" for name, part in expected.items()}
        assert len(told) == sum("Failures" in name for name in resources.of("AWS::SQS::Queue"))


def test_only_the_gateway_and_the_rule_of_this_stack_may_invoke(each: Resources) -> None:
    apis = {f"<{name}>" for name in each.of("AWS::ApiGatewayV2::Api")}
    rules = [name for name in each.of("AWS::Events::Rule") if "FileChecks" in name]
    permissions = each.properties("AWS::Lambda::Permission")
    of_rules = [one for one in permissions if one["Principal"] == "events.amazonaws.com"]
    assert sorted(one["SourceArn"]["Fn::GetAtt"][0] for one in of_rules) == sorted(rules)
    for permission in permissions:
        if permission in of_rules:
            assert "FilesFunction" in permission["FunctionName"]["Fn::GetAtt"][0]
        else:
            assert permission["Principal"] == "apigateway.amazonaws.com"
            assert any(name in join(permission["SourceArn"]) for name in apis)
