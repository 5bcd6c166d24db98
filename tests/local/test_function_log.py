import json
from itertools import islice
from pathlib import Path

import pytest

from local import function_log

NAME = "Parley-local-WebSocketMessageFunctionE1D363B0-F6E59F59A3F90"


def entry(line: str, function: str = NAME) -> str:
    return json.dumps({"time": "2026-11-23T17:06:44.792+00:00", "function": function, "line": line}) + "\n"


def test_a_structured_line_shows_level_message_and_what_else_it_says() -> None:
    said = {"level": "INFO", "message": "stored", "service": "parley", "seq": 7, "conversation_id": "dm:a:b"}
    shown = function_log.render(entry(json.dumps(said)))
    assert shown.split(" ", 1)[1] == "Message      INFO    stored  seq=7 conversation_id=dm:a:b"


@pytest.mark.parametrize("line", ["Traceback (most recent call last):", "[1, 2]", "7", "{broken"])
def test_any_other_line_is_shown_as_it_is(line: str) -> None:
    assert function_log.render(entry(line)).endswith(f" {line}")


def test_raw_lines_are_json_with_the_functions_name() -> None:
    assert json.loads(function_log.raw(entry('{"level": "INFO"}'))) == {"function": "Message", "level": "INFO"}
    assert json.loads(function_log.raw(entry("oh"))) == {
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
    assert function_log.short_name(function) == short


def test_a_log_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    assert list(function_log.lines(tmp_path / "logs/functions.log", last=10, follow=False)) == []
    assert function_log.last_words(tmp_path / "logs/functions.log") == "The functions have said nothing"


def test_only_the_last_lines_are_shown(tmp_path: Path) -> None:
    log = tmp_path / "functions.log"
    log.write_text("".join(entry(str(number)) for number in range(5)))
    assert list(function_log.lines(log, last=2, follow=False)) == [entry("3"), entry("4")]


def test_following_yields_whole_lines_as_they_come(tmp_path: Path) -> None:
    log = tmp_path / "functions.log"
    log.write_text(entry("before") + entry("half")[:10])
    # Each pause is when the function writes on, so that the test waits for nothing.
    rest = iter([entry("half")[10:20], entry("half")[20:], entry("after")])

    def write_on(_seconds: float) -> None:
        with log.open("a") as file:
            file.write(next(rest))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.sleep", write_on)
        seen = list(islice(function_log.lines(log, last=100, follow=True), 3))
    assert [json.loads(line)["line"] for line in seen] == ["before", "half", "after"]
