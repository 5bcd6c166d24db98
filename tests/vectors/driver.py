"""Runs a scenario of clients/vectors against `parley_client`'s core, in virtual time (clients/vectors/README.md)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any, Final

from parley_client import events
from parley_client.core import Core
from parley_client.effects import AskNotifications, Connect, Disconnect, Done, Failed, Renew, Save, Transmit
from parley_client.errors import DisconnectedError, ParleyError

FOLDER: Final = Path(__file__).resolve().parents[2] / "clients/vectors/scenarios"
_STATES: Final = {
    "idle": "offline",
    "waiting": "offline",
    "connecting": "connecting",
    "online": "online",
    "stopped": "ended",
}
_NAMES: Final = {
    events.Message: "new_message",
    events.MessageEdited: "message_edited",
    events.MessageDeleted: "message_deleted",
    events.Reaction: "reaction",
    events.MembersAdded: "member_added",
    events.MembersRemoved: "member_removed",
    events.ConversationUpdated: "conversation_updated",
    events.ReadReceipt: "read",
    events.Delivered: "delivered",
    events.Typing: "typing",
    events.Presence: "presence",
    events.Notification: "notification",
    events.MembershipLost: "membership_lost",
    events.UserChanged: "user_changed",
    events.UserReset: "user_reset",
}
Json = dict[str, Any]


class Deviation(AssertionError):
    """The client does something else than the scenario has."""


def scenarios() -> list[Json]:
    return [each for path in sorted(FOLDER.glob("*.json")) for each in json.loads(path.read_text(encoding="utf-8"))]


def run(scenario: Json) -> None:
    """Raises Deviation."""
    driver = Driver()
    for number, step in enumerate(scenario["steps"], 1):
        try:
            driver.step(step)
        except Deviation as deviation:
            raise Deviation(f"{scenario['name']}, step {number} {json.dumps(step)}: {deviation}") from deviation
    driver.finish(scenario.get("may_send", []))


class Driver:
    def __init__(self) -> None:
        self._ids = count(1)
        self._now = 0.0
        self._state: Json | None = None
        self._wire: list[Json] = []
        self._seen: list[Any] = []
        self._named: dict[str, Json] = {}
        self._calls: dict[str, int] = {}
        self._results: dict[int, Any] = {}
        self._listed: list[Any] = []
        self._presences: dict[str, str] = {}
        self._ticks = 0
        self._wants_connection = self._wants_token = False
        self._begin()

    def step(self, step: Json) -> None:
        verb = next(iter(step))
        getattr(self, f"_do_{verb}")(step)

    def finish(self, may: list[str]) -> None:
        left = [frame for frame in self._wire if frame["type"] not in ("ping", *may)]
        check(not left, f"sent, and not asked for: {left}")
        check(not self._seen, f"told, and not asked for: {self._seen}")

    # --- the connection, time, this process

    def _do_connect(self, step: Json) -> None:
        self._until(lambda: self._wants_connection, step.get("within_s", 60), "a connection")
        self._wants_connection = False
        if step["connect"].get("fails"):
            self._core.lost(self._now, "It failed")
        else:
            how = step["connect"]
            self._core.connected(self._now, token_left=how.get("token_left_s"), renews=how.get("renews"))
        self._perform()

    def _do_no_connect(self, step: Json) -> None:
        self._advance(step.get("for_s", 0))
        check(not self._wants_connection, "it asks for a connection")

    def _do_loses(self, _: Json) -> None:
        self._wire.clear()
        self._core.lost(self._now, "The network failed")
        self._perform()

    def _do_reload(self, _: Json) -> None:
        self._wire.clear()
        self._calls.clear()
        self._results.clear()
        self._wants_connection = self._wants_token = False
        self._begin()

    def _do_passes_s(self, step: Json) -> None:
        self._advance(step["passes_s"])

    def _do_renews(self, step: Json) -> None:
        self._until(lambda: self._wants_token, step.get("within_s", 1), "a request for a token")
        self._wants_token = False
        if step["renews"] is None:
            self._core.not_renewed(self._now)
        else:
            self._core.renew(step["renews"]["token"], step["renews"]["left_s"], self._now)
        self._perform()

    # --- what the server says, and what it hears

    def _do_sends(self, step: Json) -> None:
        pattern = step["sends"]

        def find() -> int | None:
            return next((place for place, frame in enumerate(self._wire) if frame["type"] == pattern["type"]), None)

        self._until(lambda: find() is not None, step.get("within_s", 1), f"a frame {pattern['type']}")
        frame = self._wire.pop(find() or 0)
        match(frame, pattern, "frame")
        for absent in step.get("without", ()):
            check(absent not in frame, f"has {absent}")
        if "same_as" in step:
            before = self._named[step["same_as"]]
            check({**frame, "id": ""} == {**before, "id": ""}, f"{frame} is not {before}")
        self._named[step.get("as", "")] = frame

    def _do_syncs(self, step: Json) -> None:
        self._do_sends({"sends": {"type": "sync"}, "as": "sync", "within_s": step.get("within_s", 1)})
        frame = self._named["sync"]
        check(frame["conversations"] == step["syncs"], f"it names {frame['conversations']}")
        check(frame.get("cursor") == step.get("cursor"), f"its cursor is {frame.get('cursor')}")
        if "user" in step:
            check(frame.get("user") == step["user"], f"its place in the own log is {frame.get('user')}")
        if "with" in step:
            data = {"type": "sync", "conversations": [], "has_more": False, **step["with"]}
            self._do_reply({"reply": "sync", "data": data})

    def _do_reply(self, step: Json) -> None:
        self._receive({"success": True, "id": self._named[step["reply"]]["id"], "data": step["data"]})

    def _do_refuse(self, step: Json) -> None:
        after = {"retry_after_ms": step["retry_after_ms"]} if "retry_after_ms" in step else {}
        body = {"code": step["code"], "error": "No", "retryable": step.get("retryable", False), **after}
        self._receive({"success": False, "id": self._named[step["refuse"]]["id"], **body})

    def _do_event(self, step: Json) -> None:
        self._receive(step["event"])

    def _do_silent(self, step: Json) -> None:
        self._advance(step.get("for_s", 0))
        said = [frame for frame in self._wire if frame["type"] in step["silent"]]
        check(not said, f"it sends {said}")

    def _do_listed(self, step: Json) -> None:
        self._listed = step["listed"]

    # --- the application

    def _do_ask(self, step: Json) -> None:
        asked = {key: value for key, value in step.items() if key not in ("ask", "as")}
        try:
            call = getattr(self, f"_ask_{step['ask']}")(asked)
        except ParleyError as error:  # refused at once, it has ended with that
            call = -len(self._results) - 1
            self._results[call] = Failed(call, error)
        self._perform()
        if "as" in step:
            self._calls[step["as"]] = call

    def _ask_open(self, asked: Json) -> int:
        self._core.open_conversation = asked["conversation_id"]
        return 0

    def _ask_send(self, asked: Json) -> int:
        if "forward_of" in asked:
            asked["forward_of"] = (asked["forward_of"]["conversation_id"], asked["forward_of"]["seq"])
        return self._core.send(asked.pop("content", None), self._now, **asked)

    def _ask_read(self, asked: Json) -> int:
        return self._core.mark("read", asked["conversation_id"], asked["seq"], self._now)

    def _ask_note(self, asked: Json) -> int:
        self._core.note_read(asked["conversation_id"], asked["seq"], self._now)
        return 0

    def _ask_typing(self, asked: Json) -> int:
        return self._core.request("typing", asked, self._now)

    def _ask_watch(self, asked: Json) -> int:
        return self._core.watch(asked["users"], self._now)

    def _ask_edit(self, asked: Json) -> int:
        fields: Json = {name: asked[name] for name in ("content", "data") if name in asked}
        return self._core.change("edit", asked["conversation_id"], asked["seq"], fields, self._now)

    def _ask_delete(self, asked: Json) -> int:
        return self._core.change("delete", asked["conversation_id"], asked["seq"], {}, self._now)

    def _ask_react(self, asked: Json) -> int:
        fields = {"emoji": asked["emoji"], "remove": asked.get("remove", False)}
        return self._core.change("react", asked["conversation_id"], asked["seq"], fields, self._now)

    def _do_sees(self, step: Json) -> None:
        seen, self._seen = self._seen, []
        check(len(seen) == len(step["sees"]), f"it sees {seen}")
        for number, (event, pattern) in enumerate(zip(seen, step["sees"], strict=True), 1):
            match(flat(event), pattern, f"event {number}")

    def _do_result(self, step: Json) -> None:
        found = self._results.get(self._calls[step["result"]])
        if step.get("waits"):
            check(found is None, f"it has ended: {found}")
            return
        if found is None:
            raise Deviation("there is no result yet")
        if "error" in step:
            check(isinstance(found, Failed) and found.error.code == step["error"], f"it ended as {found}")
        else:
            check(isinstance(found, Done), f"it failed: {found}")
            for name, value in step.get("ok", {}).items():
                check(getattr(found.value, name) == value, f"result.{name} is {getattr(found.value, name)}")

    def _do_state(self, step: Json) -> None:
        state = _STATES[self._core.connection]
        check(state == step["state"], f"it is {state}")
        if "code" in step:
            error = self._core.error
            code = error.server_code if isinstance(error, DisconnectedError) else error.code if error else None
            check(code == step["code"], f"its code is {code}")

    def _do_shows(self, step: Json) -> None:
        check(self._presences == step["shows"], f"it shows {self._presences}")

    def _do_holds(self, step: Json) -> None:
        for conversation_id, seq in step["holds"].items():
            check(self._core.held(conversation_id) == seq, f"{self._core.held(conversation_id)}")

    def _do_pins(self, step: Json) -> None:
        for conversation_id, seqs in step["pins"].items():
            self._core.note_pins(conversation_id, seqs, self._core.pin_changes(conversation_id))
        self._perform()

    def _do_pinned(self, step: Json) -> None:
        for conversation_id, seqs in step["pinned"].items():
            found = self._core.pinned(conversation_id)
            check(found == (None if seqs is None else tuple(seqs)), f"pinned is {found}")

    def _do_unsent(self, step: Json) -> None:
        check(len(self._core.unacked) == step["unsent"], f"{len(self._core.unacked)} wait")

    # --- inside

    def _begin(self) -> None:
        self._core = Core(
            new_id=lambda: f"own-{next(self._ids)}",
            random=lambda: 0.5,
            user_id="alice",
            state=self._state,
            over_http=True,
        )
        self._core.start()
        self._perform()

    def _receive(self, frame: Json) -> None:
        self._core.receive(frame, self._now)
        self._perform()

    def _perform(self) -> None:
        while True:
            effects = self._core.effects()
            for effect in effects:
                self._carry_out(effect)
            event = self._core.next_event(self._now)
            self._note(event)
            if isinstance(event, events.Presence) and event.timestamp is None:
                continue  # said by an answer, not by an event
            if type(event) in _NAMES or isinstance(event, events.LogEntry | events.UnknownEvent):
                self._seen.append(event)
            if not effects and event is None:
                return

    def _carry_out(self, effect: object) -> None:
        match_effect: Mapping[type, Callable[[Any], None]] = {
            Save: lambda _: self._save(),
            Connect: lambda _: setattr(self, "_wants_connection", True),
            Disconnect: lambda _: self._wire.clear(),
            Renew: lambda _: setattr(self, "_wants_token", True),
            Transmit: lambda transmit: self._wire.append(json.loads(json.dumps(transmit.frame))),
            AskNotifications: lambda ask: self._core.notified(ask.number, {"notifications": self._listed}, self._now),
            Done: self._done,
            Failed: lambda failed: self._results.__setitem__(failed.call, failed),
        }
        match_effect[type(effect)](effect)

    def _done(self, done: Done) -> None:
        self._results[done.call] = done
        for each in done.value if isinstance(done.value, tuple) else ():
            self._note(each)

    def _note(self, event: object) -> None:
        if isinstance(event, events.Presence):
            self._presences[event.user_id] = event.status

    def _save(self) -> None:
        self._state = json.loads(json.dumps(self._core.state()))

    def _advance(self, seconds: float) -> None:
        end = self._now + seconds
        while self._tick(end):
            pass
        self._now = end

    def _until(self, look: Callable[[], bool], seconds: float, what: str) -> None:
        end = self._now + seconds
        while not look():
            check(self._tick(end), f"{what} does not come")

    def _tick(self, end: float) -> bool:
        """What is due first, until `end`."""
        deadline = self._core.deadline()
        if deadline is None or deadline > end:
            return False
        self._ticks = 0 if deadline > self._now else self._ticks + 1
        check(self._ticks < 100, "time stands still")  # far more than anything takes
        self._now = max(self._now, deadline)
        self._core.tick(self._now)
        self._perform()
        return True


def flat(event: Any) -> Json:
    """What an application is told, as the scenarios name it."""
    fields = {name: getattr(event, name) for name in type(event).__slots__ if name != "raw"}
    kind = getattr(event, "type", None) if isinstance(event, events.Message) else None
    shown = {**fields, "type": _NAMES.get(type(event), fields.get("type"))}
    return {**shown, "message_type": kind} if kind else shown


def check(so: bool, otherwise: str) -> None:
    if not so:
        raise Deviation(otherwise)


def match(value: Any, pattern: Any, place: str) -> None:
    """Everything that the pattern has, the value has; lists are compared whole."""
    if isinstance(pattern, dict):
        check(isinstance(value, Mapping), f"{place} is {value}")
        for key, of in pattern.items():
            match(value.get(key), of, f"{place}.{key}")
    else:
        value = list(value) if isinstance(value, tuple) else value
        check(value == pattern, f"{place} is {value!r}, and not {pattern!r}")


def main() -> None:
    """Print the names of the scenarios, or of those named, that the client which is imported here does not keep to."""
    named = set(sys.argv[1:])
    for scenario in scenarios():
        if named and scenario["name"] not in named:
            continue
        try:
            run(scenario)
        except (Deviation, ParleyError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError):
            print(scenario["name"])  # noqa: T201  # a command line


if __name__ == "__main__":
    main()
