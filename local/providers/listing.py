"""`make pushes`: what the local providers received, a line each; `make mails`: the mails of it, whole."""

from __future__ import annotations

import datetime as dt
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from local.errors import CommandError
from local.providers import process
from local.settings import Settings

POLL_SECONDS = 0.5
TOKEN_SHOWN = 16
# Controls, line breaks, direction marks, and what is no character. New emoji are shown, whatever Python knows of them.
_UNPRINTABLE: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufdd0-\ufdef\ufeff"
    r"\ufff9-\ufffb\ufffe\uffff]"
)


def lines(settings: Settings, *, follow: bool) -> Iterator[str]:
    """A line for each push, oldest first; with `follow`, new ones as they come, until interrupted.

    Raises:
        CommandError: the providers don't run.

    """
    yield from map(line, _received(settings, "pushes", follow=follow))


def letters(settings: Settings, *, follow: bool) -> Iterator[str]:
    """The text of each mail, oldest first, and what goes with it; else as `lines`."""
    yield from map(letter, _received(settings, "mails", follow=follow))


def _received(settings: Settings, what: str, *, follow: bool) -> Iterator[Mapping[str, Any]]:
    known: set[str] = set()
    while True:
        received = _fetch(settings, what)
        yield from (one for one, key in received if key not in known)
        if not follow:
            return
        known = {key for _, key in received}
        time.sleep(POLL_SECONDS)


def line(push: Mapping[str, Any]) -> str:
    """One push or mail in one line. What came is shown without control characters: a terminal obeys some of them."""
    at = dt.datetime.fromtimestamp(push["received_at"] / 1000).astimezone()
    where = "sandbox" if push["environment"] == "sandbox" else push["provider"]
    token = push["token"] if len(push["token"]) <= TOKEN_SHOWN else push["token"][: TOKEN_SHOWN - 1] + "…"
    says = " · ".join(f"{name} {value}" if name else str(value) for name, value in _facts(push) if value is not None)
    text = f"{at:%H:%M:%S}  {where:<8} {token:<{TOKEN_SHOWN}}  {says}"
    return _UNPRINTABLE.sub("�", text)


def letter(mail: Mapping[str, Any]) -> str:
    """A mail as its reader has it: its head and its text, each line shown as `line` does."""
    at = dt.datetime.fromtimestamp(mail["received_at"] / 1000).astimezone()
    head = {
        "From": mail["from"],
        "To": ", ".join(mail["to"]),
        "Date": f"{at:%Y-%m-%d %H:%M:%S}",
        "Subject": mail["subject"],
        "Unsubscribe": mail["unsubscribe"] or "",
    }
    shown = [*(f"{name}: {value}" for name, value in head.items() if value), ""]
    shown += [*(mail["text"] or mail["html"]).splitlines(), ""]
    return "\n".join(_UNPRINTABLE.sub("�", one) for one in shown)


def _facts(push: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return _SAYS[push["provider"]](push)


def _apple(push: Mapping[str, Any]) -> list[tuple[str, Any]]:
    aps = push["payload"]["aps"]
    alert = aps.get("alert")
    if not isinstance(alert, dict):
        alert = {"body": alert}
    return [
        ("", alert.get("title") or _called(alert.get("title-loc-key"), alert.get("title-loc-args"))),
        ("", alert.get("body") or _called(alert.get("loc-key"), alert.get("loc-args"))),
        ("badge", aps.get("badge")),
        ("collapse", push["headers"].get("apns-collapse-id")),
    ]


def _google(push: Mapping[str, Any]) -> list[tuple[str, Any]]:
    message = push["payload"]
    android = message.get("android") or {}
    says = {**(message.get("notification") or {}), **(android.get("notification") or {})}
    return [
        ("", says.get("title") or _called(says.get("title_loc_key"), says.get("title_loc_args"))),
        ("", says.get("body") or _called(says.get("body_loc_key"), says.get("body_loc_args"))),
        ("badge", says.get("notification_count")),
        ("collapse", android.get("collapse_key") or says.get("tag")),
    ]


def _browser(push: Mapping[str, Any]) -> list[tuple[str, Any]]:
    says = push["payload"] if isinstance(push["payload"], dict) else {}
    return [
        ("", says.get("title") or _called(says.get("title_key"), says.get("title_args"))),
        ("", says.get("body") or says.get("body_key")),
        ("badge", says.get("badge")),
        ("collapse", says.get("tag")),
    ]


def _mail(push: Mapping[str, Any]) -> list[tuple[str, Any]]:
    simple = push["payload"]["Content"]["Simple"]
    body = simple["Body"]
    text = (body.get("Text") or body["Html"])["Data"]
    return [("", simple["Subject"]["Data"]), ("", " ".join(text.split()))]


_SAYS: Final[Mapping[str, Callable[[Mapping[str, Any]], list[tuple[str, Any]]]]] = {
    "apns": _apple,
    "fcm": _google,
    "web": _browser,
    "ses": _mail,
}


def _called(key: Any, arguments: Any) -> Any:
    """A text that the app has in its user's language, and what is put into it."""
    return f"{key}({', '.join(map(str, arguments))})" if key and arguments and isinstance(arguments, list) else key


def _fetch(settings: Settings, what: str) -> list[tuple[dict[str, Any], str]]:
    """The pushes (or mails), each with what it is told apart by."""
    running = process.find(settings)
    if running is None:
        raise CommandError("The push servers are not running", "Start them with: make up")
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{running.ports.inspection}/{what}", timeout=10) as reply:
            return [(push, json.dumps(push, sort_keys=True)) for push in json.load(reply)]
    except (urllib.error.URLError, OSError) as error:
        raise CommandError(f"The push servers do not answer: {error}", "Run: make down, make up") from error
