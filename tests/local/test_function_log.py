import json
from itertools import islice
from pathlib import Path

import pytest

from local import function_log

NAME = "Parley-local-WebSocketMessageFunctionE1D363B0-F6E59F59A3F90"


def entry(line: str, function: str = NAME) -> str:
    return json.dumps({"time": "2026-11-23T17:06:44.792+00:00", "function": function, "line": line}) + "\n"


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


def test_following_goes_on_in_the_file_that_a_reset_puts_into_its_place(tmp_path: Path) -> None:
    log = tmp_path / "functions.log"
    log.write_text(entry("before"))

    def nothing() -> None:
        pass

    def reset() -> None:
        log.unlink()

    def up() -> None:
        log.write_text(entry("one") + entry("two"))

    steps = iter([nothing, reset, nothing, up, nothing])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.sleep", lambda _: next(steps)())
        seen = list(islice(function_log.lines(log, last=100, follow=True), 3))
    assert [json.loads(line)["line"] for line in seen] == ["before", "one", "two"]
