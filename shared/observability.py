"""The only logger and metrics. Message text and tokens never come here: callers name ids, counts and codes."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

if TYPE_CHECKING:
    from shared.request_log import RequestLog

NAMESPACE = "Parley"


def make_logger(function: str, level: str) -> Logger:
    """A JSON logger for one Lambda. Events are never logged whole: they carry tokens, tickets and text."""
    return Logger(service=f"parley-{function}", level=level or "INFO", log_uncaught_exceptions=False)


def make_request_log(function: str, setting: str) -> RequestLog | None:
    """What writes a line for each frame and request, where the setting is "on". Off, it costs not even its import."""
    if setting != "on":
        return None
    from shared.request_log import RequestLog  # noqa: PLC0415  # see above

    return RequestLog(function)


def count(name: str, *, function: str, value: int = 1) -> None:
    """Count something worth an alarm or a graph, as one metric line. Not for the usual case: a line is a log write."""
    with single_metric(name=name, unit=MetricUnit.Count, value=value, namespace=NAMESPACE) as metric:
        metric.add_dimension(name="function", value=function)


class FunctionObserver:
    """What the operations of one function tell its operator, as log lines and metrics."""

    def __init__(self, function: str, logger: Logger) -> None:
        self._function = function
        self._logger = logger

    def count(self, name: str, value: int = 1) -> None:
        count(name, function=self._function, value=value)

    def noted(self, what: str, **fields: object) -> None:
        self._logger.warning(what, extra=fields)

    def failed(self, what: str, error: Exception) -> None:
        self._logger.warning(what, extra=describe(error))


def describe(error: BaseException) -> dict[str, object]:
    """An error for the log: type, place, and AWS's `call` and `code`. Not its text, which may quote a message."""
    frames = traceback.extract_tb(error.__traceback__)
    described: dict[str, object] = {
        "error": type(error).__name__,
        "trace": [f"{frame.filename}:{frame.lineno}" for frame in frames],
    }
    cause: BaseException | None = error
    while cause is not None:
        if call := getattr(cause, "call", ""):  # an adapter's ServiceError
            return {**described, "call": call, "code": getattr(cause, "code", "")}
        cause = cause.__cause__
    return described
