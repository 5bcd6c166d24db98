"""What the system says, as a line and a remedy."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from botocore.exceptions import (
    ClientError,
    ConfigParseError,
    EndpointConnectionError,
    InvalidRegionError,
    NoCredentialsError,
    ProfileNotFound,
    SSOTokenLoadError,
)

from local import causes
from local.causes import Place

PLACE = Place(Path("/stack/home"), Path("/clone"))
HOME, CLONE, OTHER = "/stack/home/stack.json", "/clone/.tools/lock", "/var/other"
EVERY = sorted(errno.errorcode)


def os_error(number: int, path: str | None = None) -> OSError:
    return OSError(number, os.strerror(number)) if path is None else OSError(number, os.strerror(number), path)


@pytest.mark.parametrize("number", EVERY, ids=[errno.errorcode[number] for number in EVERY])
@pytest.mark.parametrize("path", [HOME, CLONE, OTHER, None])
def test_whatever_the_system_refuses_has_a_line_and_a_remedy(number: int, path: str | None) -> None:
    cause = causes.explain(os_error(number, path), PLACE)
    assert cause is not None
    assert cause.message
    assert cause.hint
    assert "\n" not in cause.message + cause.hint
    if path is not None and number != errno.ENAMETOOLONG:
        assert path in cause.message


@pytest.mark.parametrize(
    ("error", "message", "hint"),
    [
        (os_error(errno.ENOSPC, HOME), "The disk is full: /stack/home/stack.json", "Free some space"),
        (os_error(errno.EDQUOT, CLONE), "The disk is full", "Free some space"),
        (os_error(errno.ENOSPC), "The disk is full", "Free some space"),
        (os_error(errno.EACCES, HOME), "can't be used (Permission denied)", "PARLEY_HOME="),
        (os_error(errno.EROFS, "/stack"), "Read-only file system", "PARLEY_HOME="),
        (os_error(errno.EACCES, CLONE), "/clone/.tools/lock can't be used", "clone of your own"),
        (os_error(errno.EACCES, OTHER), "/var/other can't be used", "Mend that"),
        (os_error(errno.ENOTDIR, HOME), "is in the way", "PARLEY_HOME="),
        (os_error(errno.ENAMETOOLONG, "/x" * 900), "A path is too long", "PARLEY_HOME="),
        (os_error(errno.ENOENT, "/clone/node_modules/.bin/cdk"), "is not there", "make setup"),
        (os_error(errno.ENOENT, HOME), "is not there", "make up"),
        (os_error(errno.ENOENT, "/stack/home"), "/stack/home can't be made", "PARLEY_HOME="),
        (os_error(errno.EMFILE, HOME), "Too many open files", "ulimit -n"),
        (os_error(errno.EAGAIN), "temporarily unavailable", "ulimit -u"),
        (os_error(errno.ECONNREFUSED), "The stack does not answer", "make up"),
        (MemoryError(), "not enough memory", "Close some programs"),
        (ModuleNotFoundError("No module named 'jwt'"), "No module named 'jwt'", "make setup"),
        (ProfileNotFound(profile="work"), "The config profile (work) could not be found", "list-profiles"),
        (ConfigParseError(path="/c"), "/c", "AWS_CONFIG_FILE"),
        (NoCredentialsError(), "Unable to locate credentials", "AWS_PROFILE"),
        (SSOTokenLoadError(error_msg="expired"), "expired", "aws sso login"),
        (InvalidRegionError(region_name="a b"), "a b", "AWS_REGION="),
        (EndpointConnectionError(endpoint_url="https://sts.x"), "https://sts.x", "AWS_REGION"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:4577"), "The stack does not answer", "make up"),
        (ClientError({"Error": {"Code": "ExpiredToken", "Message": "old"}}, "Get"), "old", "aws sso login"),
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "Get"), "no", "permission"),
    ],
)
def test_the_usual_ones_are_told_in_words_of_their_own(error: BaseException, message: str, hint: str) -> None:
    cause = causes.explain(error, PLACE)
    assert cause is not None
    assert message in cause.message
    assert hint in cause.hint


def test_the_file_in_the_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cause = causes.explain(os_error(errno.ENOTDIR, str(tmp_path / "file/state/CURRENT")), Place(tmp_path, tmp_path))
    assert cause is not None
    assert cause.message.startswith(f"{tmp_path / 'file'} is in the way")


def test_what_nobody_has_foreseen_is_a_line_and_its_traceback_is_in_a_log(tmp_path: Path) -> None:
    def fail() -> None:
        raise ZeroDivisionError("odd\nerror")

    with pytest.raises(ZeroDivisionError) as caught:
        fail()
    cause = causes.report(caught.value, Place(tmp_path, tmp_path))
    log = tmp_path / "logs/errors.log"
    assert cause.message == "Unforeseen: ZeroDivisionError: odd error"
    assert cause.hint == f"The details are in {log}; please report it"
    assert "test_causes.py" in log.read_text()


def test_where_the_home_cannot_be_written_the_traceback_goes_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    place = Place(tmp_path / "file", tmp_path)
    cause = causes.report(ZeroDivisionError("odd"), place)
    (log,) = tmp_path.glob("parley-*.log")
    assert str(log) in cause.hint
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    assert "could not be written down" in causes.report(ZeroDivisionError("odd"), place).hint


def test_where_there_is_no_room_that_is_the_remedy_whatever_a_tool_has_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path / "not/there/yet", tmp_path)
    assert causes.remedy("See the log", place) == "See the log"
    monkeypatch.setattr(causes, "LITTLE_ROOM", 1 << 62)
    hint = causes.remedy("See the log", place)
    assert hint.startswith(f"The disk with {tmp_path} is full: free some space")
    assert hint.endswith("See the log")


@pytest.mark.parametrize("words", ["npm ERR! ENOSPC: no", "OSError: [Errno 28] No space left on device", "os error 28"])
def test_a_tool_that_had_no_room_is_believed(words: str) -> None:
    assert causes.remedy_by_words("See the log", f"{words}\n at x").startswith("The disk is full")
    assert causes.remedy_by_words("See the log", words + "x" * 20_000) == "See the log"


def test_of_what_belongs_to_somebody_else_the_owner_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = os_error(errno.EACCES, str(tmp_path / "not/there"))
    own = causes.explain(refused, Place(tmp_path, tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 54_321)
    others = causes.explain(refused, Place(tmp_path, tmp_path))
    assert own is not None
    assert others is not None
    assert "belongs to" not in own.message
    assert f"{tmp_path} belongs to " in others.message
