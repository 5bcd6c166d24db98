"""The dashboard: traffic, speed, refusals, what is behind, pushes, and what it costs. docs/operations.md reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra import prices

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_sqs as sqs

    from infra.config import Config
    from infra.function import Function
    from infra.http_api import RestApi
    from infra.queues import Queues
    from infra.storage import Storage
    from infra.websocket_api import WebSocketApi

_MINUTE: Final = Duration.minutes(1)
_PERIOD: Final = Duration.minutes(5)
_WIDTH: Final = 8
_HEIGHT: Final = 6
_PERCENTILES: Final = ("p50", "p90", "p99")
# What comes of a push (shared/operations/push/sending.py), and the classes of refused calls.
_PUSHES: Final = (
    *("PushSent", "PushWithdrawn", "PushUnregistered", "PushBadTarget", "PushBusy"),
    *("PushMisconfigured", "PushRefused", "PushGivenUp"),
)
_CLASSES: Final = ("denied", "throttled", "refused", "failed", "unreachable")
_REFUSED_FRAMES: Final = (
    "filter message = 'request' and ispresent(code) and code not like /^(ok|allowed|2[0-9][0-9])$/",
    "stats count(*) as refusals by code",
    "sort refusals desc",
)
_REFUSED_REQUESTS: Final = (
    "filter status >= 400",
    "stats count(*) as refusals by status, routeKey",
    "sort refusals desc",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What the dashboard is about."""

    web_socket: WebSocketApi
    rest: RestApi
    functions: Sequence[Function]
    consumers: Sequence[Function]
    """Those of the log's stream."""
    storage: Storage
    queues: Queues
    failures: Mapping[str, sqs.Queue]


class Dashboard(Construct):
    """One for each stack, with a row for each question."""

    def __init__(self, scope: Construct, construct_id: str, *, config: Config, watched: Watched) -> None:
        super().__init__(scope, construct_id)
        self._watched = watched
        self._stage = config.stage
        self.name = f"Parley-{config.stage}"
        rows = [self._traffic(), self._speed(), self._refusals(), self._limits(), self._behind()]
        if watched.queues.pushes:
            rows.append(self._pushes())
        rows.append([self._costs()])
        cloudwatch.Dashboard(self, "Dashboard", dashboard_name=self.name, widgets=rows)

    # -- rows ---------------------------------------------------------------------------------------------------------

    def _traffic(self) -> list[cloudwatch.IWidget]:
        web_socket, log = self._watched.web_socket, self._watched.storage.log
        opened = web_socket.stage.metric("ConnectCount", statistic="Sum", period=_MINUTE, label="opened")
        ended = web_socket.disconnect.resource.metric_invocations(period=_MINUTE, label="ended")
        frames = web_socket.message.resource.metric_invocations(period=_MINUTE)
        gateway = web_socket.stage.metric("MessageCount", statistic="Sum", period=_MINUTE)
        stored = log.metric(
            "SuccessfulRequestLatency",
            statistic="SampleCount",
            period=_MINUTE,
            dimensions_map={"TableName": log.table_name, "Operation": "PutItem"},
        )
        requests = self._watched.rest.stage.metric_count(period=_MINUTE)
        return [
            _graph(
                "Connections", [opened, ended], [_math("RUNNING_SUM(o - e)", "more than before", o=opened, e=ended)]
            ),
            _graph(
                "Frames, messages and posts a second",
                [
                    _math("f / PERIOD(f)", "frames", f=frames),
                    _math("m / PERIOD(m)", "messages and changes stored", m=stored),
                    _math("(g - 2 * f) / PERIOD(g)", "posts", g=gateway, f=frames),
                ],
            ),
            _graph("HTTP requests a second", [_math("r / PERIOD(r)", "requests", r=requests)]),
        ]

    def _speed(self) -> list[cloudwatch.IWidget]:
        web_socket, rest = self._watched.web_socket, self._watched.rest
        return [
            _graph("Ack latency", [_duration(web_socket.message, each) for each in _PERCENTILES]),
            _graph(
                "Gateway latency",
                [
                    *(
                        web_socket.stage.metric(
                            "IntegrationLatency", statistic=each, period=_MINUTE, label=f"WebSocket {each}"
                        )
                        for each in _PERCENTILES
                    ),
                    *(
                        rest.stage.metric_latency(statistic=each, period=_MINUTE, label=f"HTTP {each}")
                        for each in _PERCENTILES
                    ),
                ],
            ),
            _graph("Function duration, p99", [_duration(one, "p99", one.node.id) for one in self._watched.functions]),
        ]

    def _refusals(self) -> list[cloudwatch.IWidget]:
        logs = [function.log_group.log_group_name for function in self._watched.functions]
        errors = (
            *(self._watched.web_socket.stage.metric(name, statistic="Sum", period=_PERIOD) for name in _GATEWAY_ERRORS),
            self._watched.rest.stage.metric_client_error(period=_PERIOD, label="HTTP 4xx"),
            self._watched.rest.stage.metric_server_error(period=_PERIOD, label="HTTP 5xx"),
        )
        counted = (
            *(self._counted("ServiceErrors", kind, **{"class": kind}) for kind in _CLASSES),
            *(self._counted(name, name) for name in ("UnexpectedErrors", "PostsFailed", "FramesRefused")),
        )
        written = self._access_logs()
        return [
            _table("Refusals by code", logs, _REFUSED_FRAMES),
            *([_table("Refusals by the gateways", written, _REFUSED_REQUESTS)] if written else []),
            _graph("Errors of the gateways", errors),
            _graph("Errors by class", counted),
        ]

    def _access_logs(self) -> list[str]:
        return [
            one.access_log.log_group_name for one in (self._watched.web_socket, self._watched.rest) if one.access_log
        ]

    def _limits(self) -> list[cloudwatch.IWidget]:
        functions, tables = self._watched.functions, self._tables
        throttles = [
            *(one.resource.metric_throttles(period=_PERIOD, label=one.node.id) for one in functions),
            *(
                table.metric(f"{of}ThrottleEvents", statistic="Sum", period=_PERIOD, label=f"{name} {of.lower()}s")
                for name, table in tables.items()
                for of in ("Read", "Write")
            ),
        ]
        account = cloudwatch.Metric(
            namespace="AWS/Lambda",
            metric_name="ConcurrentExecutions",
            statistic="Maximum",
            period=_MINUTE,
            label="the whole account",
        )
        each = [
            one.resource.metric("ConcurrentExecutions", statistic="Maximum", period=_MINUTE, label=one.node.id)
            for one in functions
        ]
        return [_graph("Throttles", throttles), _graph("Concurrency", [account, *each])]

    def _behind(self) -> list[cloudwatch.IWidget]:
        streams = [
            one.resource.metric("IteratorAge", statistic="Maximum", period=_MINUTE, label=one.node.id)
            for one in self._watched.consumers
        ]
        ages = [
            work.queue.metric_approximate_age_of_oldest_message(period=_MINUTE, statistic="Maximum", label=name)
            for name, work in self._watched.queues.all.items()
        ]
        failed = [
            queue.metric_approximate_number_of_messages_visible(period=_PERIOD, statistic="Maximum", label=name)
            for name, queue in self._watched.failures.items()
        ]
        return [_graph("Streams: age", streams), _graph("Queues: age", ages), _graph("Failure queues", failed)]

    def _pushes(self) -> list[cloudwatch.IWidget]:
        pushes = self._watched.queues.pushes
        waiting = [
            work.queue.metric_approximate_number_of_messages_visible(period=_PERIOD, statistic="Maximum", label=name)
            for name, work in pushes.items()
        ]
        outcomes = [self._counted(name, name.removeprefix("Push")) for name in _PUSHES]
        return [_graph("Pushes by outcome", outcomes), _graph("Pushes that wait", waiting)]

    # -- what it costs ------------------------------------------------------------------------------------------------

    def _costs(self) -> cloudwatch.IWidget:
        """What there is a metric of, at list prices: connection minutes and data sent out are not among it."""
        watched, tables = self._watched, self._tables.values()
        work = [one.queue for one in watched.queues.all.values()]
        groups = [one.log_group for one in watched.functions]
        messages = watched.web_socket.stage.metric("MessageCount", statistic="Sum", period=_PERIOD)
        requests = watched.rest.stage.metric_count(period=_PERIOD)
        parts = {
            "WebSocket messages": [(messages, prices.WEBSOCKET_MESSAGE)],
            "HTTP requests": [(requests, prices.HTTP_REQUEST)],
            "Lambda": [
                *((one.resource.metric_invocations(period=_PERIOD), prices.INVOCATION) for one in watched.functions),
                *((_milliseconds(one), prices.GB_SECOND * one.memory_mb / 1_024 / 1_000) for one in watched.functions),
            ],
            "DynamoDB writes": [(_units(one, "Write"), prices.WRITE_UNIT) for one in tables],
            "DynamoDB reads": [(_units(one, "Read"), prices.READ_UNIT) for one in tables],
            "SQS": [(_asked(queue, of), prices.SQS_REQUEST) for queue in work for of in _SQS_REQUESTS],
            "logs": [
                (
                    cloudwatch.Metric(
                        namespace="AWS/Logs",
                        metric_name="IncomingBytes",
                        dimensions_map={"LogGroupName": group.log_group_name},
                        statistic="Sum",
                        period=_PERIOD,
                    ),
                    prices.LOGS_GB / prices.GIGABYTE,
                )
                for group in groups
            ],
        }
        an_hour = [_dollars(number, label, priced) for number, (label, priced) in enumerate(parts.items())]
        return cloudwatch.GraphWidget(
            title="Cost drivers, dollars an hour", left=an_hour, width=3 * _WIDTH, height=_HEIGHT, stacked=True
        )

    # -- metrics ------------------------------------------------------------------------------------------------------

    @property
    def _tables(self) -> dict[str, dynamodb.Table]:
        storage = self._watched.storage
        return {
            "log": storage.log,
            "members": storage.members,
            "sessions": storage.sessions,
            "tickets": storage.tickets,
        }

    def _counted(self, name: str, label: str, **dimensions: str) -> cloudwatch.Metric:
        """What the functions count (shared/observability.py)."""
        return cloudwatch.Metric(
            namespace="Parley",
            metric_name=name,
            dimensions_map={"stage": self._stage, **dimensions},
            statistic="Sum",
            period=_PERIOD,
            label=label,
        )


_GATEWAY_ERRORS: Final = ("ClientError", "IntegrationError", "ExecutionError")
# Each message counts for a request, though ten may share one: the most that it can be.
_SQS_REQUESTS: Final = (
    *("NumberOfMessagesSent", "NumberOfMessagesReceived", "NumberOfMessagesDeleted", "NumberOfEmptyReceives"),
)


def _graph(
    title: str, left: Sequence[cloudwatch.IMetric], right: Sequence[cloudwatch.IMetric] = ()
) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=[*left], right=[*right], width=_WIDTH, height=_HEIGHT)


def _table(title: str, log_groups: Sequence[str], lines: Sequence[str]) -> cloudwatch.LogQueryWidget:
    return cloudwatch.LogQueryWidget(
        title=title,
        log_group_names=[*log_groups],
        query_lines=[*lines],
        view=cloudwatch.LogQueryVisualizationType.TABLE,
        width=_WIDTH,
        height=_HEIGHT,
    )


def _math(expression: str, label: str, **metrics: cloudwatch.IMetric) -> cloudwatch.MathExpression:
    return cloudwatch.MathExpression(expression=expression, label=label, using_metrics=metrics, period=_MINUTE)


def _duration(function: Function, statistic: str, label: str = "") -> cloudwatch.Metric:
    return function.resource.metric_duration(statistic=statistic, period=_MINUTE, label=label or statistic)


def _milliseconds(function: Function) -> cloudwatch.Metric:
    return function.resource.metric_duration(statistic="Sum", period=_PERIOD)


def _units(table: dynamodb.Table, of: str) -> cloudwatch.Metric:
    return table.metric(f"Consumed{of}CapacityUnits", statistic="Sum", period=_PERIOD)


def _asked(queue: sqs.Queue, name: str) -> cloudwatch.Metric:
    return queue.metric(name, statistic="Sum", period=_PERIOD)


def decimal(number: float) -> str:
    """A number as an expression of CloudWatch takes it: `5e-10` would be the name of a metric."""
    return f"{number:.18f}".rstrip("0")


def _dollars(number: int, label: str, priced: Sequence[tuple[cloudwatch.Metric, float]]) -> cloudwatch.MathExpression:
    """The sum of metrics, each at its price, scaled to an hour. What has no data in a period costs nothing in it."""
    metrics = {f"m{number}x{index}": metric for index, (metric, _) in enumerate(priced)}
    sum_ = " + ".join(f"FILL({name}, 0) * {decimal(price)}" for name, (_, price) in zip(metrics, priced, strict=True))
    return cloudwatch.MathExpression(
        expression=f"({sum_}) * 3600 / PERIOD({next(iter(metrics))})",
        label=label,
        using_metrics=metrics,
        period=_PERIOD,
    )
