from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from typing import Any, cast

import pytest

from shared.adapters.aws.sqs import SqsQueue
from shared.errors import Unavailable
from shared.observability import NAMESPACE, count, describe, make_logger, refused, unexpected, was_told


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    """What was written since, as the log would hold it."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


Lines = Callable[[], list[dict[str, Any]]]


def test_a_log_line_is_json_that_names_the_function(lines: Lines) -> None:
    make_logger("test-lines", "INFO").info("handshake refused", extra={"code": "token_expired"})
    (line,) = lines()
    assert (line["service"], line["level"]) == ("parley-test-lines", "INFO")
    assert (line["message"], line["code"]) == ("handshake refused", "token_expired")


@pytest.mark.parametrize(("level", "written"), [("", 1), ("INFO", 1), ("DEBUG", 2), ("ERROR", 0)])
def test_the_level_decides_and_none_means_info(lines: Lines, level: str, written: int) -> None:
    logger = make_logger(f"test-level-{level}", level)
    logger.debug("one")
    logger.info("two")
    assert len(lines()) == written


def test_uncaught_exceptions_are_not_logged_with_their_text() -> None:
    hook = sys.excepthook
    make_logger("test-hook", "INFO")
    assert sys.excepthook is hook


@pytest.mark.parametrize("value", [1, 5])
def test_counting_writes_one_metric_line(lines: Lines, value: int) -> None:
    count("PostsFailed", function="message", value=value)
    (line,) = lines()
    assert line["PostsFailed"] == [value]
    assert line["function"] == "message"
    (metric,) = line["_aws"]["CloudWatchMetrics"]
    assert metric["Namespace"] == NAMESPACE == "Parley"
    assert metric["Metrics"] == [{"Name": "PostsFailed", "Unit": "Count"}]
    assert metric["Dimensions"] == [["stage"]]


def test_a_count_is_one_unless_said_otherwise(lines: Lines) -> None:
    count("ConnectionsEvicted", function="connect")
    assert lines()[0]["ConnectionsEvicted"] == [1]


def _fail() -> None:
    raise ValueError("the message text was: attack at dawn")


def test_an_unexpected_error_is_described_by_type_and_place_and_never_by_its_text() -> None:
    try:
        _fail()
    except ValueError as error:
        described = describe(error)
    assert described["error"] == "ValueError"
    trace = described["trace"]
    assert isinstance(trace, list)
    assert len(trace) == 2
    assert all(__file__ in place for place in trace)
    assert trace[-1].rpartition(":")[2] == str(_fail.__code__.co_firstlineno + 1)
    assert "dawn" not in json.dumps(described)


def test_an_error_that_was_never_raised_can_be_described_too() -> None:
    assert describe(KeyError("secret")) == {"error": "KeyError", "trace": []}


def test_a_line_is_written_once_though_the_runtime_has_a_handler_of_its_own(lines: Lines) -> None:
    own = logging.StreamHandler(sys.stdout)
    logging.getLogger().addHandler(own)
    try:
        make_logger("test-once", "INFO").info("once")
    finally:
        logging.getLogger().removeHandler(own)
    assert [line["message"] for line in lines()] == ["once"]


class Refusal(Exception):
    is_told = True


def test_a_refused_call_is_one_line_that_names_it_and_where_it_was_made_and_one_count(lines: Lines) -> None:
    make_logger("test-refused", "INFO", "prod")
    refused("sqs:SendMessage", code="AccessDenied", kind="denied", times=3, status=403, detail="")
    line, metric = lines()
    assert (line["message"], line["level"], line["service"]) == ("call refused", "ERROR", "parley-test-refused")
    assert (line["call"], line["code"], line["class"]) == ("sqs:SendMessage", "AccessDenied", "denied")
    assert (line["status"], line["times"], "detail" in line) == (403, 3, False)
    assert (metric["ServiceErrors"], metric["stage"], metric["class"]) == ([3], "prod", "denied")
    assert metric["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["stage", "class"]]


def test_the_way_to_a_refused_call_is_the_projects_own(lines: Lines) -> None:
    make_logger("test-way", "INFO")
    shown = SqsQueue(cast("Any", _Denied()), "http://x/q")
    with pytest.raises(Refusal):
        shown.send({})
    trace = [place for place in lines()[0]["trace"] if "/tests/" not in place]
    assert [place.rpartition("/")[2].partition(":")[0] for place in trace] == ["sqs.py"]


class _Denied:
    def call(self, *_: object) -> dict[str, Any]:
        refused("sqs:SendMessage", code="AccessDenied", kind="denied")
        raise Refusal


@pytest.mark.parametrize(
    ("error", "written"),
    [
        (ValueError("dawn"), ["went wrong", "UnexpectedErrors"]),
        (Unavailable(), ["went wrong"]),  # one of ours, of which no refused call has told
        (Refusal(), []),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_was_told_already_is_not_told_again_and_what_is_ours_is_no_error_to_count(
    lines: Lines, error: Exception, written: list[str]
) -> None:
    unexpected("went wrong", error, logger=make_logger(f"test-{type(error).__name__}", "INFO"), file_id="f1")
    said = lines()
    assert [line.get("message", "UnexpectedErrors") for line in said] == written
    assert all(line["file_id"] == "f1" for line in said if "message" in line)
    assert "dawn" not in str(said)


def test_what_comes_from_a_told_error_was_told() -> None:
    late = Unavailable()
    late.__cause__ = Refusal()
    assert was_told(late)
    assert not was_told(Unavailable())
