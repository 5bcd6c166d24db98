import json

import pytest

from local import log_lines

NAME = "Parley-local-WebSocketMessageFunctionE1D363B0-F6E59F59A3F90"


def entry(line: str, function: str = NAME) -> str:
    return json.dumps({"time": "2026-11-23T17:06:44.792+00:00", "function": function, "line": line}) + "\n"


def test_a_structured_line_shows_level_message_and_what_else_it_says() -> None:
    said = {"level": "INFO", "message": "stored", "service": "parley", "seq": 7, "conversation_id": "dm:a:b"}
    shown = log_lines.render(entry(json.dumps(said)))
    assert shown.split(" ", 1)[1] == "Message      INFO    stored  seq=7 conversation_id=dm:a:b"


@pytest.mark.parametrize("line", ["Traceback (most recent call last):", "[1, 2]", "7", "{broken"])
def test_any_other_line_is_shown_as_it_is(line: str) -> None:
    assert log_lines.render(entry(line)).endswith(f" {line}")


def test_raw_lines_are_json_with_the_functions_name() -> None:
    assert json.loads(log_lines.raw(entry('{"level": "INFO"}'))) == {"function": "Message", "level": "INFO"}
    assert json.loads(log_lines.raw(entry("oh"))) == {
        "function": "Message",
        "timestamp": "2026-11-23T17:06:44.792+00:00",
        "message": "oh",
    }


@pytest.mark.parametrize(
    ("function", "short"),
    [
        ("Parley-local-PushOfflinePushFunctionE1D363B0-F6E5", "OfflinePush"),
        ("Parley-local-HttpRestFunction0A1B2C3D-F6E5", "Rest"),
        ("Parley-local-WebSocketConnectFunction0A1B2C3D-F6E5", "Connect"),
        ("Parley-local-FileChecksFilesFunction0A1B2C3D-F6E5", "Files"),
        ("Parley-local-PresenceFunction0A1B2C3D-F6E5", "Presence"),
        ("something-else", "something-else"),
    ],
)
def test_a_function_goes_by_its_constructs_name(function: str, short: str) -> None:
    assert log_lines.short_name(function) == short


def request(**facts: object) -> str:
    said = {"level": "INFO", "message": "request", "timestamp": "x", "service": "parley-message", "ms": 12.3, **facts}
    return log_lines.render(entry(json.dumps(said))).split(" ", 1)[1]


def test_a_frame_is_one_line_with_route_code_time_and_ids() -> None:
    place = {"user_id": "alice", "conversation_id": "dm:alice:bob", "seq": 42}
    assert request(route="message", request_id="R=", connection_id="C=", code="ok", frame_id="f-1", **place) == (
        "Message      message      ok  12.3 ms  alice  dm:alice:bob 42  request=R= connection=C= frame=f-1"
    )


def test_an_http_request_shows_its_status_and_the_code_of_a_refusal() -> None:
    assert request(route="GET /v1/me", status=401, code="unauthenticated", request_id="R=") == (
        "Message      GET /v1/me   401 unauthenticated  12.3 ms  request=R="
    )


def test_a_metric_shows_its_name_and_value() -> None:
    directive = {"Namespace": "Parley", "Dimensions": [["function"]], "Metrics": [{"Name": "PostsFailed"}]}
    said = {"_aws": {"Timestamp": 1, "CloudWatchMetrics": [directive]}, "function": "message", "PostsFailed": [3.0]}
    shown = log_lines.render(entry(json.dumps(said))).split(" ", 1)[1]
    assert shown == "Message      metric  PostsFailed 3  function=message"


@pytest.mark.parametrize("aws", [None, [], {}, {"CloudWatchMetrics": []}])
def test_a_metric_that_is_none_is_shown_all_the_same(aws: object) -> None:
    assert "metric" in log_lines.render(entry(json.dumps({"_aws": aws, "x": 1})))


@pytest.mark.parametrize("torn", ['{"time": "2026', "", "{}", "[]", '{"time": 7, "function": null, "line": "x"}'])
def test_a_line_that_a_kill_has_torn_is_shown_as_it_is(torn: str) -> None:
    log_lines.render(torn)
    json.loads(log_lines.raw(torn))


def test_a_terminal_obeys_nothing_that_a_function_prints() -> None:
    assert "\x1b" not in log_lines.render(entry("\x1b[2J gone"))
