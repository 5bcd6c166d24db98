"""The dashboard shows what the stack has and the code counts, and nothing that there is not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from infra import prices
from infra.dashboard import decimal
from tests.infra.templates import APNS_SECRET, FCM_SECRET, FUNCTIONS, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.infra.templates import Resources

pytestmark = pytest.mark.xdist_group("infra")

PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")


def body_of(resources: Resources) -> dict[str, Any]:
    """The dashboard as CloudWatch gets it, with references as <name>."""
    [dashboard] = resources.properties("AWS::CloudWatch::Dashboard")
    body = dashboard["DashboardBody"]
    parts = body["Fn::Join"][1] if isinstance(body, dict) else [body]
    texts = (
        part if isinstance(part, str) else f"<{part['Ref']}>" if "Ref" in part else f"<{part['Fn::GetAtt'][0]}>"
        for part in parts
    )
    found: dict[str, Any] = json.loads("".join(texts))
    return found


def widgets(resources: Resources) -> dict[str, dict[str, Any]]:
    """Title → what a widget shows."""
    shown = [one["properties"] for one in body_of(resources)["widgets"]]
    assert len({one["title"] for one in shown}) == len(shown)
    return {one["title"]: one for one in shown}


def metrics(widget: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Namespace, name and dimensions of each metric of a widget, also of those that an expression is made of."""
    for entry in widget.get("metrics", []):
        if isinstance(entry[0], dict):
            continue  # an expression; what it refers to stands beside it
        plain = [one for one in entry if not isinstance(one, dict)]
        yield plain[0], plain[1], dict(zip(plain[2::2], plain[3::2], strict=True))


@pytest.fixture
def pushing(synthesize: Callable[..., Resources]) -> Resources:
    """A stack with everything that a dashboard can show."""
    return synthesize(fcm_secret_arn=FCM_SECRET, apns_secret_arn=APNS_SECRET)


def test_the_runbook_explains_every_widget_and_no_other(pushing: Resources) -> None:
    section = PAGE.split("\n## Dashboard\n")[1].split("\n## ")[0]
    explained = re.findall(r"^\| ([^`|]+?) \| [^|]+ \| [^|]+ \|$", section, re.MULTILINE)
    assert [title for title in explained if title not in ("widget", "---")] == list(widgets(pushing))


def test_what_the_issue_of_a_chat_is_has_its_widget(aws: Resources) -> None:
    shown = widgets(aws)
    assert {name for _, name, _ in metrics(shown["Connections"])} == {"ConnectCount", "Invocations"}
    posts = shown["Frames, messages and posts a second"]
    assert {name for _, name, _ in metrics(posts)} == {"Invocations", "MessageCount", "SuccessfulRequestLatency"}
    assert [one[0]["label"] for one in posts["metrics"] if isinstance(one[0], dict)] == [
        "frames",
        "messages and changes stored",
        "posts",
    ]
    acks = shown["Ack latency"]["metrics"]
    assert [options["stat"] for *_, options in acks] == ["p50", "p90", "p99"]
    assert {dimensions["FunctionName"] for _, _, dimensions in metrics(shown["Ack latency"])} == {
        f"<{function(aws, 'Message')}>"
    }


def function(resources: Resources, name: str) -> str:
    return resources.named("AWS::Lambda::Function", f"{name}Function")[0]


@pytest.mark.parametrize("title", ["Function duration, p99", "Throttles", "Concurrency"])
def test_every_function_is_watched(title: str, aws: Resources) -> None:
    watched = {dimensions.get("FunctionName") for _, _, dimensions in metrics(widgets(aws)[title])}
    assert watched >= {f"<{function(aws, name)}>" for name in FUNCTIONS}


def test_every_table_queue_and_stream_consumer_is_watched(pushing: Resources) -> None:
    shown = widgets(pushing)
    tables = {f"<{name}>" for name in pushing.of("AWS::DynamoDB::Table")}
    throttled = [one for one in metrics(shown["Throttles"]) if one[0] == "AWS/DynamoDB"]
    assert {dimensions["TableName"] for _, _, dimensions in throttled} == tables
    queues = {f"<{name}>" for name in pushing.of("AWS::SQS::Queue")}
    aged = {dimensions["QueueName"] for _, _, dimensions in metrics(shown["Queues: age"])}
    failed = {dimensions["QueueName"] for _, _, dimensions in metrics(shown["Failure queues"])}
    assert aged | failed == queues
    assert not aged & failed
    assert {dimensions["FunctionName"] for _, _, dimensions in metrics(shown["Streams: age"])} == {
        f"<{function(pushing, name)}>" for name in ("OfflinePush", "Files")
    }


def test_every_dimension_is_a_resource_of_this_stack(pushing: Resources) -> None:
    for title, widget in widgets(pushing).items():
        for namespace, name, dimensions in metrics(widget):
            for key, value in dimensions.items():
                if referred := re.fullmatch(r"<(\w+)>", value):
                    assert referred[1] in pushing.all, (title, name)
                else:
                    assert (key, value) in {("Stage", "prod"), ("stage", "prod"), ("Stage", "$default")} or key in (
                        *("Operation", "class"),
                    ), (title, namespace, name, key, value)


def test_logs_are_asked_for_refusals_only_in_groups_of_this_stack(aws: Resources) -> None:
    shown = widgets(aws)
    groups = set(aws.of("AWS::Logs::LogGroup"))
    asked = {
        title: set(re.findall(r"SOURCE '<(\w+)>'", widget["query"]))
        for title, widget in shown.items()
        if "query" in widget
    }
    assert asked.keys() == {"Refusals by code", "Refusals by the gateways"}
    access = {name for name in groups if "AccessLog" in name}
    assert asked == {"Refusals by code": groups - access, "Refusals by the gateways": access}


def test_what_comes_of_pushes_is_shown_where_there_is_a_provider(aws: Resources, pushing: Resources) -> None:
    assert not [title for title in widgets(aws) if "Push" in title]
    outcomes = {name for _, name, _ in metrics(widgets(pushing)["Pushes by outcome"])}
    assert {"PushSent", "PushGivenUp", "PushMisconfigured"} <= outcomes


def test_costs_are_reckoned_at_the_list_prices(pushing: Resources) -> None:
    widget = widgets(pushing)["Cost drivers, dollars an hour"]
    parts = {one[0]["label"]: one[0]["expression"] for one in widget["metrics"] if isinstance(one[0], dict)}
    assert list(parts) == [
        *("WebSocket messages", "HTTP requests", "Lambda", "DynamoDB writes", "DynamoDB reads", "SQS", "logs"),
    ]
    assert f"* {decimal(prices.WEBSOCKET_MESSAGE)})" in parts["WebSocket messages"]
    memory = {function["MemorySize"] for function in pushing.functions.values()}
    for size in memory:
        assert f"* {decimal(prices.GB_SECOND * size / 1_024 / 1_000)}" in parts["Lambda"]
    assert parts["DynamoDB writes"].count("FILL(") == parts["DynamoDB reads"].count("FILL(") == 4
    assert all(expression.endswith("x0)") and "* 3600 / PERIOD(" in expression for expression in parts.values())


@pytest.mark.parametrize("number", [1e-6, 5e-10, 0.0000133334 * 512 / 1_024 / 1_000, 0.5])
def test_a_price_has_no_exponent_which_an_expression_would_take_for_a_metric(number: float) -> None:
    assert re.fullmatch(r"0\.[0-9]+", decimal(number))
    assert float(decimal(number)) == pytest.approx(number, rel=1e-6)


def test_there_is_one_dashboard_or_none(aws: Resources, local: Resources, synthesize: Callable[..., Resources]) -> None:
    [dashboard] = aws.properties("AWS::CloudWatch::Dashboard")
    assert dashboard["DashboardName"] == "Parley-prod"
    url = json.dumps(aws.template["Outputs"]["DashboardUrl"]["Value"])
    assert "#dashboards/dashboard/Parley-prod" in url
    without = synthesize(dashboard="off")
    for resources in (local, without):
        assert not resources.of("AWS::CloudWatch::Dashboard")
        assert "DashboardUrl" not in resources.template["Outputs"]
