"""The one place where what the system says becomes a line for a person, and what to do about it.

Also for the set-up script: standard library only, syntax of Python 3.7.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
import traceback
from pathlib import Path
from typing import NamedTuple

AGAIN = "and run the command again: it goes on where it stopped"
ELSEWHERE = "Set PARLEY_HOME to a folder of your own, for example: PARLEY_HOME=~/parley make up"
OWN_CLONE = "Work in a clone of your own: git clone, and the commands there"
INSTALL_AGAIN = "Run: make setup. If that does not help, delete .tools, .venv and node_modules, and run it again"
SIGN_IN = "Set AWS_PROFILE, or sign in with: aws sso login (any way that the AWS SDKs know will do)"

LAST_WORDS = 10_000
_NO_ROOM = "The disk is full"
LITTLE_ROOM = 256 * 1024  # bytes: less than any step needs
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
IN_THE_WAY = {errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENOTEMPTY}
UNREACHABLE = {errno.ECONNREFUSED, errno.ECONNRESET, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH}
LIMITS = {
    errno.EMFILE: "Raise the limit of open files: ulimit -n 4096",
    errno.ENFILE: "Close some programs: the whole system is at its limit",
    errno.ENOMEM: "Close some programs, and run the command again",
    errno.EAGAIN: "Close some programs, or raise the limit of processes: ulimit -u",
}
# By the names of botocore's exceptions and of AWS's error codes.
AWS = {
    "ProfileNotFound": "Name one that `aws configure list-profiles` shows: AWS_PROFILE=…",
    "ConfigParseError": "Mend that file, or name another one: AWS_CONFIG_FILE=…",
    "ConfigNotFound": "Name one that is there: AWS_CONFIG_FILE=…",
    "NoRegionError": "Set one, for example: AWS_REGION=eu-central-1 make deploy",
    "InvalidRegionError": "Set one that there is, for example: AWS_REGION=eu-central-1 make deploy",
    "EndpointConnectionError": "Is the network up, and is AWS_REGION a region that there is?",
    "ConnectTimeoutError": "Is the network up, and is AWS_REGION a region that there is?",
    "ReadTimeoutError": "Is the network up? Run the command again",
    "ConnectionClosedError": "Is the network up? Run the command again",
    "ProxyConnectionError": "Check HTTPS_PROXY",
    "SSLError": "Check AWS_CA_BUNDLE, and whether a proxy stands in between",
    "AccessDenied": "These credentials lack a permission: ask who administers the account",
    "AccessDeniedException": "These credentials lack a permission: ask who administers the account",
    "InvalidClientTokenId": "Are the credentials right? In a region that the account has not enabled none are: "
    "aws account enable-region --region-name …",
    "RequestExpired": "Is this machine's clock right?",
    "SignatureDoesNotMatch": "Is the secret key right, and this machine's clock?",
}


class Place(NamedTuple):
    """The folders that a remedy depends on: the stack's own, and the project's."""

    home: Path
    root: Path


class Cause(NamedTuple):
    """One line, and what to do about it."""

    message: str
    hint: str


def remedy(hint: str, place: Place) -> str:
    """The hint of a failure, unless its cause is that there is no room: servers say so in all sorts of ways."""
    if hint.startswith(_NO_ROOM):
        return hint
    for folder in place:
        with contextlib.suppress(OSError):
            known = next(one for one in (folder, *folder.parents) if one.is_dir())
            if shutil.disk_usage(known).free < LITTLE_ROOM:
                return f"The disk with {known} is full: free some space, {AGAIN}. {hint}"
    return hint


def remedy_by_words(hint: str, words: str) -> str:
    """The same by the last words of a tool, which may have cleaned up behind itself."""
    end = words[-LAST_WORDS:]
    full = "ENOSPC" in end or "No space left" in end or "os error 28" in end
    return f"{_NO_ROOM}: free some space, {AGAIN}. {hint}" if full else hint


def explain(error: BaseException, place: Place) -> Cause | None:
    """The cause of what lies outside of the code; None for the unexpected."""
    if type(error).__module__.partition(".")[0] in ("botocore", "boto3", "s3transfer"):
        return _of_aws(error)
    if isinstance(error, OSError):
        return _of_system(error, place)
    if isinstance(error, MemoryError):
        return Cause("There is not enough memory", LIMITS[errno.ENOMEM])
    if isinstance(error, ImportError):
        return Cause(f"A package is missing or broken: {_line(error)}", INSTALL_AGAIN)
    return None


def _of_aws(error: BaseException) -> Cause:
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code", "") if isinstance(response, dict) else type(error).__name__
    words = _line(error)
    if "127.0.0.1" in words or "localhost" in words:
        return Cause(f"The stack does not answer: {words}", "Run: make up")
    return Cause(f"AWS: {words}", AWS.get(code, SIGN_IN))


def _of_system(error: OSError, place: Place) -> Cause:
    number, words = error.errno, error.strerror or _line(error)
    if isinstance(error, BlockingIOError):
        number = errno.EAGAIN
    if error.filename is None:
        return _without_file(number, words)
    name = error.filename
    return _of_file(number, words, Path(os.fsdecode(name) if isinstance(name, (str, bytes)) else str(name)), place)


def _of_file(number: int | None, words: str, path: Path, place: Place) -> Cause:
    message, hint = f"{path}: {words}", LIMITS.get(number or 0, f"Mend that, {AGAIN}")
    if number in FULL:
        message, hint = f"The disk is full: {path} can't be written ({words})", f"Free some space, {AGAIN}"
    elif number in FORBIDDEN:
        message, hint = f"{path} can't be used ({words}){_whose(path)}", _elsewhere(path, place)
    elif number in IN_THE_WAY:
        message, hint = f"{_first_file(path)} is in the way ({words})", f"Move it away. Or: {_elsewhere(path, place)}"
    elif number == errno.ENAMETOOLONG:
        message, hint = f"A path is too long: {str(path)[:60]}…", ELSEWHERE
    elif number == errno.ENOEXEC:
        message, hint = f"{path} can't be run ({words})", INSTALL_AGAIN
    elif number == errno.ENOENT and path == place.home:
        message, hint = f"{path} can't be made ({words})", ELSEWHERE
    elif number == errno.ENOENT:
        installed = _is_below(path, place.root) and not _is_below(path, place.home)
        message, hint = f"{path} is not there", INSTALL_AGAIN if installed else "Run: make up, which makes it again"
    return Cause(message, hint)


def _without_file(number: int | None, words: str) -> Cause:
    if number in FULL:
        return Cause(f"The disk is full, or a limit is reached ({words})", f"Free some space, {AGAIN}")
    if number in UNREACHABLE or "refused" in words or "timed out" in words:
        return Cause(f"The stack does not answer: {words}", "Look with: make status, and start it with: make up")
    return Cause(f"The system says: {words}", LIMITS.get(number or 0, f"Mend that, {AGAIN}"))


def _elsewhere(path: Path, place: Place) -> str:
    """What to do about a path that can't be used."""
    if _is_below(path, place.home) or _is_below(place.home, path):
        return ELSEWHERE
    return OWN_CLONE if _is_below(path, place.root) else f"Mend that, {AGAIN}"


def _is_below(path: Path, folder: Path) -> bool:
    return folder == path or folder in path.parents


def _whose(path: Path) -> str:
    """The user that the path belongs to, where that is another one."""
    for known in (path, *path.parents):
        with contextlib.suppress(OSError):
            owner = known.stat().st_uid
            return "" if owner == os.geteuid() else f"; {known} belongs to {_name_of(owner)}"
    return ""


def _name_of(user: int) -> str:
    with contextlib.suppress(KeyError, ImportError):
        import pwd

        return pwd.getpwuid(user).pw_name
    return f"user {user}"


def _first_file(path: Path) -> Path:
    """The file in the place of a folder, on the way to a path."""
    for known in (*reversed(path.parents), path):
        with contextlib.suppress(OSError):
            if known.exists() and not known.is_dir():
                return known
    return path


def _line(error: BaseException) -> str:
    """An error's text in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def write_down(error: BaseException, log: Path) -> Path | None:
    """Append the traceback of an unforeseen error to the log, or to a new file; None where nothing can be written."""
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__)) + "\n"
    with contextlib.suppress(OSError):
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        return log
    with contextlib.suppress(OSError):
        handle, name = tempfile.mkstemp(prefix="parley-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        return Path(name)
    return None


def report(error: Exception, place: Place) -> Cause:
    """The line for any error: its cause where that is known, and else where its traceback was written."""
    known = explain(error, place)
    if known is not None:
        return known
    log = write_down(error, place.home / "logs" / "errors.log")
    where = f"The details are in {log}" if log else "The details could not be written down: the disk may be full"
    return Cause(f"Unforeseen: {type(error).__name__}: {_line(error)[:200]}", f"{where}; please report it")
