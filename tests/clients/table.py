"""What each client can do of what the server has, read off their code; `docs/clients.md` has it as tables.

    .venv/bin/python -m tests.clients.table

Python's methods are called, with a server that only notes what it is asked; of TypeScript the sources are read.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]
from parley_client import Admin, ParleyClient
from parley_client.rest import RestApi

import tests.functions.environment  # noqa: F401  # the handler reads it when it is imported
from tests.functions.rest.document import document

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs/clients.md"
JS: Final = ROOT / "clients/js/src"
WEB: Final = ROOT / "web/src"
CHAT: Final = sorted((ROOT / "clients/python/src/parley_client").glob("chat*.py"))
NONE: Final = "\N{EN DASH}"

# What is asked for inside, by what applications call.
PYTHON_INSIDE: Final = {
    "POST /v1/files": ("client.upload", "client.send_file"),
    "POST /v1/tickets": ("by_ticket=True",),
}
JS_INSIDE: Final = {
    "GET /v1/conversations": ("client.inbox", "client.loadMoreInbox"),
    "GET /v1/conversations/{}": ("client.conversation",),
    "GET /v1/conversations/{}/messages": ("client.timeline", "client.loadOlder"),
    "POST /v1/files": ("client.upload", "client.sendFile"),
    "GET /v1/files/{}": ("client.fileLinks",),
    "GET /v1/notifications": ("client.notifications",),
    "DELETE /v1/notifications/{}": ("client.acknowledge",),
    "POST /v1/tickets": ("byTicket: true",),
}
# Frames that clients send: by which methods. Those that they send by themselves have the reason.
FRAMES: Final = {
    "message": ("send", "send"),
    "edit": ("edit", "edit"),
    "delete": ("delete", "delete"),
    "react": ("react", "react"),
    "read": ("mark_read", "markRead"),
    "delivered": ("mark_delivered", "by itself"),
    "receipts": ("note_read", "noteRead"),
    "typing": ("typing", "setTyping"),
    "presence": ("presence", "watch"),
    "sync": ("sync", "by itself"),
    "ping": ("ping", "reconnect"),
    "auth": ("authenticate", "by itself"),
}
# Events: what the application gets.
EVENTS: Final = {
    "new_message": ("Message", 'on("entry")'),
    "messages": ("its entries", "its entries"),
    "message_edited": ("MessageEdited", 'on("entry")'),
    "message_deleted": ("MessageDeleted", 'on("entry")'),
    "withheld": ("LogEntry", 'on("entry")'),
    "reaction": ("Reaction", 'on("entry")'),
    "member_added": ("MembersAdded", 'on("entry")'),
    "member_removed": ("MembersRemoved", 'on("entry")'),
    "conversation_updated": ("ConversationUpdated", 'on("entry")'),
    "read": ("ReadReceipt", 'on("event")'),
    "delivered": ("Delivered", 'on("event")'),
    "typing": ("Typing", 'on("event")'),
    "presence": ("Presence", 'on("event")'),
    "join_request": ("JoinRequested", 'on("event")'),
    "user_updated": ("UserUpdated", 'on("event")'),
    "notification": ("Notification", "notifications()"),
    "user_changed": ("UserChanged", 'on("user_changed")'),
    "disconnect": ("ConnectionChanged", "connection()"),
}
Routes = dict[str, list[str]]


def routes() -> list[str]:
    """`GET /v1/me`, by path."""
    return [f"{verb.upper()} {path}" for path, verbs in sorted(document()["paths"].items()) for verb in verbs]


def plain(route: str) -> str:
    return re.sub(r"\{\w+\}", "{}", route)


class _Asked(Exception):
    """How far a call goes here."""


class _Noting:
    """Stands for a client's way to the server: notes the request, and goes no further."""

    rest = RestApi("")
    token = "t"

    def __init__(self) -> None:
        self.asked: tuple[str, str] | None = None

    async def call(self, method: str, path: str, *_: object) -> dict[str, Any]:
        self.asked = method, path
        raise _Asked

    async def user(self) -> str:
        return "x"


_VALUES: Final[Mapping[str, object]] = {"int": 1, "bool": True, "str": "x", "float": 1.0}


def _value(parameter: inspect.Parameter) -> object:
    kind = str(parameter.annotation)
    if kind.startswith("Iterable[Mapping"):
        return [{"x": "x"}]
    return _VALUES.get(kind.partition(" ")[0], ["x"])


def _asked_by(owner: type, function: Callable[..., Any], **more: object) -> str | None:
    """The request that this method of it makes first."""
    noting = _Noting()
    made: Any = object.__new__(owner)
    made._dialer = noting
    method: Callable[..., Any] = partial(function, made)
    given = {
        each.name: _value(each)
        for each in inspect.signature(method).parameters.values()
        if each.default is each.empty and each.kind is not each.VAR_KEYWORD
    }

    async def run() -> None:
        called = method(**{**given, **more})
        await (anext(called) if inspect.isasyncgen(called) else called)

    with suppress(_Asked, AttributeError):  # without a core there is no more to it
        asyncio.run(run())
    if noting.asked is None:
        return None
    verb, path = noting.asked
    return f"{verb} {path}"


def python_methods() -> Routes:
    """Route, without the names of its parameters → the methods that ask for it."""
    found: Routes = defaultdict(list)
    wanted = [plain(route) for route in routes()]
    for owner, prefix, modules in _OWNERS:
        bases = [base for base in owner.__mro__ if base.__module__.rpartition(".")[2] in modules]
        for name, method in sorted((name, method) for base in bases for name, method in vars(base).items()):
            if name.startswith("_") or name in _NO_REQUEST or not inspect.isfunction(method):
                continue
            for more in _variants(name):
                asked = _asked_by(owner, method, **more)
                if asked is not None:
                    found[_matching(asked, wanted)].append(f"{prefix}.{name}")
    for route, names in PYTHON_INSIDE.items():
        found[route] += names
    return found


_OWNERS: Final[tuple[tuple[type, str, tuple[str, ...]], ...]] = (
    (ParleyClient, "client", ("operations", "directory", "groups", "files", "notifying")),
    (Admin, "admin", ("admin", "running")),
)

_NO_REQUEST: Final = ("acting_as", "upload", "download")


def _variants(name: str) -> list[dict[str, object]]:
    if name == "steer":
        return [{"how": how} for how in ("pause", "resume", "cancel")]
    return [{"remove": False}, {"remove": True}] if name == "react" else [{}]


def _matching(asked: str, wanted: Iterable[str]) -> str:
    """The route that this is a request of; of several the one with the fewest parameters."""
    for route in sorted(wanted, key=lambda each: each.count("{}")):
        if re.fullmatch(route.replace("{}", "[^/]+"), asked):
            return route
    raise AssertionError(f"no route for {asked}")


# --- TypeScript

_CALL: Final = re.compile(r"""\b(?:api)\s*\.(get|put|post|patch|delete)\(\s*(?:(["`])(.*?)\2|(AT|at)\b)""")
_FUNCTION: Final = re.compile(r"^export (?:async )?function\*? (\w+)", re.MULTILINE)
_METHOD: Final = re.compile(r"^  (?:async )?\*?(?!(?:constructor|for|if|return)\b)(\w+)\(", re.MULTILINE)


def _calls_in(source: str) -> Iterator[tuple[int, str]]:
    """Where each request is, and its route; what is filled in there may be anything."""
    for match in _CALL.finditer(source):
        path = match[3] if match[3] is not None else "${AT}"
        path = re.sub(r"\$\{(?:AT|at)\}", "/v1/conversations/{}", path)
        yield match.start(), f"{match[1].upper()} {plain(path)}"


def _named_calls(path: Path, names: re.Pattern[str], prefix: str) -> Iterator[tuple[str, str]]:
    """Route and who asks for it: the last one that began before."""
    source = re.sub(r"/\*\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    begun = [(match.start(), match[1]) for match in names.finditer(source)]
    for place, route in _calls_in(source):
        name = [each for start, each in begun if start < place]
        yield route, f"{prefix}{name[-1]}"


def javascript_functions() -> Routes:
    """Likewise for `@parley/client`, its `more` and its `admin`."""
    found: Routes = defaultdict(list)
    for path in sorted((JS / "more").glob("*.ts")):
        if path.stem != "directory":
            for route, name in _named_calls(path, _FUNCTION, ""):
                found[route].append(name)
    for route, name in _named_calls(JS / "admin.ts", _METHOD, "admin."):
        for wanted in _those_of(route):
            found[wanted].append(name)
    for route, names in JS_INSIDE.items():
        found[route] += names
    return found


def _those_of(route: str) -> list[str]:
    """A path whose end is filled in is several routes."""
    if "${}" not in route:
        return [route]
    pattern = re.escape(route).replace(re.escape("${}"), "[a-z]+")
    return [each for each in map(plain, routes()) if re.fullmatch(pattern, each)]


_FROM_MORE: Final = re.compile(r"import (?:type )?\{([^}]*)\} from \"@parley/client/more\"")


def page_asks() -> set[str]:
    """Routes that the page uses: by itself, by a function of the client, or by what the client does inside."""
    sources = [path.read_text(encoding="utf-8") for path in sorted(WEB.rglob("*.ts*"))]
    used = {name for source in sources for listed in _FROM_MORE.findall(source) for name in re.findall(r"\w+", listed)}
    asked = {route for source in sources for _, route in _calls_in(source)}
    by_name = {route for route, names in javascript_functions().items() if used & set(names)}
    return asked | by_name | set(JS_INSIDE) | ({"GET /v1/users"} if "Directory" in used else set())


def chat_asks() -> set[str]:
    """Routes that the terminal chat uses."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in CHAT)
    used = {f"client.{name}" for name in re.findall(r"client\.(\w+)\(", text)}
    return {route for route, names in python_methods().items() if used & set(names)}


# --- the page of the docs


def frames() -> tuple[list[str], list[str]]:
    """Types of the frames that clients send, and of the events that they get."""
    messages = yaml.safe_load((ROOT / "docs/asyncapi.yaml").read_text(encoding="utf-8"))["components"]["messages"]
    sent = [key for key, message in messages.items() if str(message["payload"].get("title", "")).endswith("Frame")]
    events = [
        re.sub("(?<!^)(?=[A-Z])", "_", key.removesuffix("Event")).lower() for key in messages if key.endswith("Event")
    ]
    return sent, events


def route_rows() -> list[str]:
    python, javascript, page, chat = python_methods(), javascript_functions(), page_asks(), chat_asks()
    rows = ["| route | Python | JavaScript | page | chat |", "|---|---|---|---|---|"]
    for route in routes():
        key = plain(route)
        cells = (_code(python.get(key, ())), _code(javascript.get(key, ())), _yes(key in page), _yes(key in chat))
        rows.append(f"| `{route}` | {' | '.join(cells)} |")
    return rows


def frame_rows() -> list[str]:
    web, text = (
        "\n".join(path.read_text(encoding="utf-8") for path in paths)
        for paths in ([*WEB.rglob("*.ts*"), *(ROOT / "clients/js/react/src").rglob("*.ts")], CHAT)
    )
    rows = ["| frame | Python | JavaScript | page | chat |", "|---|---|---|---|---|"]
    for name in frames()[0]:
        python, javascript = FRAMES[name]
        by_page = javascript == "by itself" or re.search(rf"client\.{javascript}\(", web) is not None
        by_chat = re.search(rf"client\.{python}\(", text) is not None or name in ("sync", "ping", "delivered")
        cells = (_shown(python, "client."), _shown(javascript, "client."), _yes(by_page), _yes(by_chat))
        rows.append(f"| `{name}` | {' | '.join(cells)} |")
    return rows


def event_rows() -> list[str]:
    rows = [f"| `{name}` | {' | '.join(map(_shown, EVENTS[name]))} |" for name in frames()[1]]
    return ["| event | Python | JavaScript |", "|---|---|---|", *rows]


def _shown(name: str, of: str = "") -> str:
    """A name as code; words as they are."""
    return name if " " in name else f"`{of}{name}`"


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names)) or NONE


def _yes(is_so: bool) -> str:
    return "yes" if is_so else NONE


def written(text: str) -> str:
    """The page with its tables as they have to be."""
    for name, rows in (("routes", route_rows()), ("frames", frame_rows()), ("events", event_rows())):
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        after = rest.partition(end)[2]
        text = f"{before}{begin}{chr(10).join(rows)}\n{end}{after}"
    return text


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
