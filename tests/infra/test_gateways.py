"""The two APIs: routes, replies, who gets in, throttles, and logs that tell nothing about people."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.infra.templates import Resources

pytestmark = pytest.mark.xdist_group("infra")

FRAMES = (
    *("message", "edit", "delete", "react", "read", "delivered", "receipts", "typing"),
    *("presence", "sync", "ping", "auth", "$default"),
)
# They answer by posts (tests/functions/message/test_receipts.py).
UNANSWERED = {"read", "delivered", "receipts"}
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
def test_every_frame_route_that_is_answered_by_the_gateway_has_a_route_response(
    name: str, request: pytest.FixtureRequest
) -> None:
    """The others answer by posts; the function has to know which those are."""
    resources: Resources = request.getfixturevalue(name)
    found = routes(resources, "WEBSOCKET")
    answered = {
        response["RouteId"]["Ref"]: response["RouteResponseKey"]
        for response in resources.properties("AWS::ApiGatewayV2::RouteResponse")
    }
    assert set(FRAMES) >= UNANSWERED
    assert answered == {found[key]["id"]: "$default" for key in FRAMES if key not in UNANSWERED}
    for key in FRAMES:
        assert found[key].get("RouteResponseSelectionExpression") == (None if key in UNANSWERED else "$default")


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


@pytest.mark.parametrize("protocol", ["WEBSOCKET", "HTTP"])
def test_a_stage_waits_for_every_route_and_what_belongs_to_it(protocol: str, each: Resources) -> None:
    """A stage deploys what is there; and a route that has settings of its own has to be known."""
    awaited = set(depends_on(each, protocol))
    found = routes(each, protocol)
    assert {route["id"] for route in found.values()} <= awaited
    responses = {
        name
        for name, response in each.of("AWS::ApiGatewayV2::RouteResponse").items()
        if response["Properties"]["RouteId"]["Ref"] in awaited
    }
    assert responses <= awaited
    if protocol == "WEBSOCKET":
        assert responses == set(each.of("AWS::ApiGatewayV2::RouteResponse"))
        assert set(stage(each, protocol)["RouteSettings"]) <= set(found)
    integrations = {route["Target"]["Fn::Join"][1][1]["Ref"] for route in found.values()}
    assert integrations <= awaited


def depends_on(resources: Resources, protocol: str) -> list[str]:
    name, _ = api(resources, protocol)
    [awaited] = [
        resource["DependsOn"]
        for resource in resources.of("AWS::ApiGatewayV2::Stage").values()
        if resource["Properties"]["ApiId"] == {"Ref": name}
    ]
    return list(awaited)


def test_the_gateway_never_logs_whole_requests(each: Resources) -> None:
    found = stage(each, "WEBSOCKET")
    for settings in (found["DefaultRouteSettings"], *found["RouteSettings"].values()):
        assert (settings["LoggingLevel"], settings["DataTraceEnabled"]) == ("OFF", False)


def test_a_line_for_each_frame_is_written_where_it_is_wanted(synthesize: Callable[..., Resources]) -> None:
    logged = {
        each: {
            protocol
            for protocol in ("WEBSOCKET", "HTTP")
            if "AccessLogSettings" in stage(synthesize(access_log=each), protocol)
        }
        for each in ("off", "http", "all")
    }
    assert logged == {"off": set(), "http": {"HTTP"}, "all": {"WEBSOCKET", "HTTP"}}


@pytest.mark.parametrize(("name", "protocol"), [("aws", "HTTP"), ("full", "HTTP"), ("full", "WEBSOCKET")])
def test_access_logs_are_json_without_queries_paths_addresses_or_identities(
    name: str, protocol: str, request: pytest.FixtureRequest
) -> None:
    resources: Resources = request.getfixturevalue(name)
    logged = json.loads(stage(resources, protocol)["AccessLogSettings"]["Format"])
    assert {"requestId", "routeKey", "status"} <= set(logged)
    for told in ("query", "path", "identity", "authorizer", "userAgent", "sourceIp", "header", "protocol"):
        assert told.lower() not in json.dumps(logged).lower()


def test_the_first_websocket_stage_of_an_account_gets_its_logging_role_if_it_logs(
    logging: Resources, aws: Resources, full: Resources
) -> None:
    assert not aws.of("AWS::ApiGateway::Account")
    [(account, resource)] = logging.of("AWS::ApiGateway::Account").items()
    assert resource["DeletionPolicy"] == "Retain"
    [stage_resource] = [
        resource for name, resource in logging.of("AWS::ApiGatewayV2::Stage").items() if "WebSocket" in name
    ]
    assert account in stage_resource["DependsOn"]
    assert not full.of("AWS::ApiGateway::Account")


def test_pages_are_answered_by_the_function_on_every_target(full: Resources, aws: Resources, local: Resources) -> None:
    """The gateway's own CORS knows web origins alone, each port by itself, and answers preflights in our place."""
    origins = {"https://chat.example.com,https://example.com:8443": full, "": aws}
    for expected, resources in (*origins.items(), ("http://localhost:*,http://127.0.0.1:*", local)):
        assert "CorsConfiguration" not in api(resources, "HTTP")[1]
        assert resources.functions["Rest"]["Environment"]["Variables"]["ALLOWED_ORIGINS"] == expected


def test_functions_post_through_the_domain_where_there_is_one(aws: Resources, full: Resources) -> None:
    """Behind a domain the stage has no name of its own: it is mapped to the domain's root."""
    socket, _ = api(aws, "WEBSOCKET")
    own = f"https://<{socket}>.execute-api.<AWS::Region>.<AWS::URLSuffix>/prod"
    for resources, expected in ((aws, own), (full, "https://ws.example.com")):
        for function in ("Connect", "Message", "Rest", "OfflinePush", "Presence"):
            variables = resources.functions[function]["Environment"]["Variables"]
            assert join(variables["CONNECTIONS_ENDPOINT"]) == expected


def test_what_they_may_post_to_is_the_apis_stage_whatever_its_address(full: Resources) -> None:
    socket, _ = api(full, "WEBSOCKET")
    for function in ("Connect", "Message", "Rest", "OfflinePush", "Presence"):
        allowed = [one for one in full.statements(function) if one["Action"] == "execute-api:ManageConnections"]
        arns = [join(arn) for one in allowed for arn in listed(one["Resource"])]
        assert any("/POST/" in arn for arn in arns)
        for arn in arns:
            assert re.search(rf"<{socket}>/staging/(POST|DELETE)/@connections/\*$", arn), arn


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_the_addresses_that_the_gateway_made_can_be_closed_where_both_apis_have_a_domain(
    aws: Resources, full: Resources, local: Resources
) -> None:
    for resources, closed in ((aws, False), (full, True), (local, False)):
        for protocol in ("WEBSOCKET", "HTTP"):
            assert api(resources, protocol)[1].get("DisableExecuteApiEndpoint", False) is closed


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
    assert set(found) == OUTPUTS | {"DashboardUrl"}
    assert found["WsUrl"] == f"wss://<{api(aws, 'WEBSOCKET')[0]}>.execute-api.<AWS::Region>.<AWS::URLSuffix>/prod"
    assert found["HttpUrl"] == f"https://<{api(aws, 'HTTP')[0]}>.execute-api.<AWS::Region>.<AWS::URLSuffix>"


def test_outputs_on_a_laptop(local: Resources) -> None:
    found = outputs(local)
    assert set(found) == OUTPUTS
    assert found["WsUrl"] == f"{LOCAL}<{api(local, 'WEBSOCKET')[0]}>/local".replace("http", "ws", 1)
    assert found["HttpUrl"] == f"{LOCAL}<{api(local, 'HTTP')[0]}>/$default"


def domains(resources: Resources) -> dict[str, dict[str, Any]]:
    """Protocol → the properties of its API's domain."""
    return {
        resources.all[mapping["ApiId"]["Ref"]]["Properties"]["ProtocolType"]: resources.all[
            mapping["DomainName"]["Ref"]
        ]["Properties"]
        for mapping in resources.properties("AWS::ApiGatewayV2::ApiMapping")
    }


def test_custom_domains_serve_the_two_apis_over_tls_1_2(full: Resources) -> None:
    found = outputs(full)
    assert set(found) == (OUTPUTS - {"JwtSecretArn"}) | {"WsDomainTarget", "HttpDomainTarget", "DashboardUrl"}
    assert (found["WsUrl"], found["HttpUrl"]) == ("wss://ws.example.com", "https://api.example.com")
    served = domains(full)
    certificates = {"WEBSOCKET": "0a1b2c3d", "HTTP": "4e5f6a7b"}
    assert {protocol: domain["DomainName"] for protocol, domain in served.items()} == {
        "WEBSOCKET": "ws.example.com",
        "HTTP": "api.example.com",
    }
    for protocol, domain in served.items():
        [settings] = domain["DomainNameConfigurations"]
        assert settings["SecurityPolicy"] == "TLS_1_2"
        assert settings["CertificateArn"].endswith(f"certificate/{certificates[protocol]}")


def test_one_of_the_apis_may_have_a_domain_alone(synthesize: Callable[..., Resources]) -> None:
    certificate = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d"
    for key, protocol, url in (("domain_name", "WEBSOCKET", "WsUrl"), ("http_domain_name", "HTTP", "HttpUrl")):
        resources = synthesize(**{key: "chat.example.com"}, certificate_arn=certificate)
        assert domains(resources).keys() == {protocol}
        assert outputs(resources)[url].endswith("://chat.example.com")
        assert sum("chat.example.com" in value for value in outputs(resources).values()) == 1


def test_a_certificate_that_names_both_domains_is_given_once(synthesize: Callable[..., Resources]) -> None:
    certificate = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d"
    resources = synthesize(
        domain_name="ws.example.com", http_domain_name="api.example.com", certificate_arn=certificate
    )
    used = {domain["DomainNameConfigurations"][0]["CertificateArn"] for domain in domains(resources).values()}
    assert used == {certificate}
    assert not api(resources, "HTTP")[1].get("DisableExecuteApiEndpoint", False)


def test_a_laptop_has_no_domains(synthesize: Callable[..., Resources]) -> None:
    certificate = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d"
    resources = synthesize(
        target="local",
        local_endpoint="http://localhost:4577",
        domain_name="ws.example.com",
        http_domain_name="api.example.com",
        certificate_arn=certificate,
        default_endpoints="off",
    )
    assert not resources.of("AWS::ApiGatewayV2::DomainName")
    assert outputs(resources)["WsUrl"].startswith(LOCAL.replace("http", "ws", 1))
    assert not api(resources, "WEBSOCKET")[1].get("DisableExecuteApiEndpoint", False)


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
