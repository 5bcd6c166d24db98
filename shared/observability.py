"""The only logger and metrics. Message text and tokens never come here: callers name ids, counts and codes.

A metric's dimensions are the stage and, of `ServiceErrors`, the class of what was refused: each combination that occurs
costs $0.30 a month, so the function is a field of the line and no dimension.

Most invocations write neither line nor count, so the library for them, which takes a sixth of a cold start, is loaded
by the first that does.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from itertools import chain, cycle, repeat
from typing import TYPE_CHECKING, Any, Final, cast

from shared.errors import ParleyError

if TYPE_CHECKING:
    import traceback
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools import Logger

    from shared.request_log import RequestLog

NAMESPACE: Final = "Parley"
UNEXPECTED: Final = "UnexpectedErrors"
SERVICE_ERRORS: Final = "ServiceErrors"
REFUSED: Final = "call refused"
# Whose places say nothing about a refused call.
_TELLING: Final = ("/refusals.py", "/observability.py")
# Where no function was made: tools and tests.
_NOWHERE: Final = "none"
# Of so many frames or requests one has its line, where they are sampled.
SAMPLE: Final = 100


class _Told:
    """Whose lines are written: those of the one function that a process is, since it made its logger."""

    function = _NOWHERE
    stage = _NOWHERE
    logger: Logger | None = None


class _WaitingLogger:
    """A logger that is made by the first line."""

    def __init__(self, **options: Any) -> None:
        self._options = options

    def __getattr__(self, name: str) -> Any:
        from aws_lambda_powertools import Logger  # noqa: PLC0415  # see above

        made = Logger(**self._options)
        vars(self).update(info=made.info, warning=made.warning, error=made.error)  # the next ones don't come here
        return getattr(made, name)


def make_logger(function: str, level: str, stage: str = _NOWHERE) -> Logger:
    """A JSON logger for one Lambda. Events are never logged whole: they carry tokens, tickets and text."""
    options = {"service": f"parley-{function}", "level": level or "INFO", "log_uncaught_exceptions": False}
    logger = cast("Logger", _WaitingLogger(**options, stream=sys.stdout))
    _Told.function, _Told.stage, _Told.logger = function, stage or _NOWHERE, logger
    return logger


def unlogged(setting: str) -> Callable[[], bool]:
    """Asked once for each frame or request: whether it gets no line. `setting` is `request_log` of the configuration.

    What is sampled is one in SAMPLE, beginning anywhere, so that instances that live shortly are in it, too.
    """
    if setting != "sampled":
        return repeat(setting != "on").__next__
    skipped = os.urandom(1)[0] % SAMPLE
    return chain(repeat(True, skipped), cycle((False, *repeat(True, SAMPLE - 1)))).__next__


@cache
def request_log(function: str) -> RequestLog:
    """What writes the line of a frame or request. Loaded by the first that gets one."""
    from shared.request_log import RequestLog  # noqa: PLC0415  # see above

    return RequestLog(function)


def count(name: str, *, function: str = "", value: int = 1, **dimensions: str) -> None:
    """Count something worth an alarm or a graph, as one metric line. Not for the usual case: a line is a log write."""
    from aws_lambda_powertools.metrics import MetricUnit, single_metric  # noqa: PLC0415  # see above

    with single_metric(name=name, unit=MetricUnit.Count, value=value, namespace=NAMESPACE) as metric:
        metric.add_dimension(name="stage", value=_Told.stage)
        for dimension, of_metric in dimensions.items():
            metric.add_dimension(name=dimension, value=of_metric)
        metric.add_metadata(key="function", value=function or _Told.function)


def refused(call: str, *, code: str, kind: str, times: int = 1, counts: bool = True, **fields: object) -> None:
    """Tell of a call that AWS, a provider or the way to them refused for good: one line and one count.

    `code` is the service's own word, or what the transport met; `kind` its class (shared/adapters/aws/refusals.py).
    """
    logger = _Told.logger or make_logger(_NOWHERE, "")
    said = {name: value for name, value in {**fields, "times": times if times > 1 else 0}.items() if value}
    logger.error(REFUSED, extra={"call": call, "code": code, "class": kind, **said, "trace": _way_here()})
    if counts:
        count(SERVICE_ERRORS, value=times, **{"class": kind})


def warn(what: str, **fields: object) -> None:
    """Write a line about something that works, and should not have been."""
    (_Told.logger or make_logger(_NOWHERE, "")).warning(what, extra=fields)


def unexpected(what: str, error: BaseException, *, logger: Logger, **fields: object) -> None:
    """Tell of an error that was not planned for: one line and one count. A refused call has had its line already.

    What is one of ours (a log too contended to get a turn in) has its line, and is no error to count.
    """
    _tell(logger.error, what, error, fields)


def _tell(write: Callable[..., None], what: str, error: BaseException, fields: Mapping[str, object]) -> None:
    if was_told(error):
        return
    write(what, extra={**describe(error), **fields})
    if not isinstance(error, ParleyError):
        count(UNEXPECTED)


def was_told(error: BaseException | None) -> bool:
    """Whether the error, or what it came from, is a refused call that has its line."""
    while error is not None:
        if getattr(error, "is_told", False):
            return True
        error = error.__cause__
    return False


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
        _tell(self._logger.warning, what, error, {})


def describe(error: BaseException) -> dict[str, object]:
    """An error for the log: type, place, and AWS's `call` and `code`. Not its text, which may quote a message."""
    import traceback  # noqa: PLC0415  # see above

    described: dict[str, object] = {
        "error": type(error).__name__,
        "trace": _places(traceback.extract_tb(error.__traceback__)),
    }
    cause: BaseException | None = error
    while cause is not None:
        if call := getattr(cause, "call", ""):  # an adapter's ServiceError
            return {**described, "call": call, "code": getattr(cause, "code", "")}
        cause = cause.__cause__
    return described


def _way_here() -> list[str]:
    """The project's own places on the way to a refused call, but for those that tell of it."""
    import traceback  # noqa: PLC0415  # see above

    frames = traceback.StackSummary.extract(traceback.walk_stack(sys._getframe(1)), lookup_lines=False)  # noqa: SLF001
    places = reversed(_places(frames))
    return [
        one
        for one in places
        if ("/functions/" in one or "/shared/" in one) and not one.partition(":")[0].endswith(_TELLING)
    ]


def _places(frames: traceback.StackSummary | list[traceback.FrameSummary]) -> list[str]:
    return [f"{frame.filename}:{frame.lineno}" for frame in frames]
