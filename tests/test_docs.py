"""The pages agree with the code: links, places, examples, codes, frame types, pinned versions."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml  # type: ignore[import-untyped]  # comes with cfn-lint, without types

from shared import errors
from shared.chat.models import Draft, Receipt
from shared.chat.receipts import DELIVERED, READ
from shared.errors import ParleyError
from shared.wire import frames
from shared.wire.events import disconnect_event, entry_event, receipt_event

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("benchmarks/*.md")]
)
FOLDERS = "infra|functions|shared|local|clients|tests|docs|benchmarks"
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
PLACE = re.compile(rf"`((?:{FOLDERS})(?:/[\w.-]+)+/?)`")
# Not meant: routes, the emulator's paths, what every Unix or Lambda has, and what stands for anybody's path.
ABSOLUTE = re.compile(r"(?<![\w.~:/)}>*…#-])/(?!v1/|_|var/task|path/to/|dev/|tmp/|usr/|etc/|proc/)[a-z][\w.-]*/")


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def prose(text: str) -> str:
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(text: str) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ +(.+)$", prose(text), flags=re.MULTILINE)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    for target in LINK.findall(prose(page(name))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        place = (ROOT / name).parent / path if path else ROOT / name
        assert place.exists(), f"{name}: {target} does not exist"
        if anchor and place.suffix == ".md":
            assert anchor in anchors(place.read_text(encoding="utf-8")), f"{name}: {target} names no heading"


@pytest.mark.parametrize("name", PAGES)
def test_every_file_that_is_named_exists(name: str) -> None:
    for place in PLACE.findall(page(name)):
        assert (ROOT / place).exists(), f"{name}: {place} does not exist"


@pytest.mark.parametrize("name", [*PAGES, "docs/asyncapi.yaml"])
def test_no_page_names_a_place_of_somebodys_machine(name: str) -> None:
    assert not ABSOLUTE.findall(page(name))


def test_every_page_can_be_found_from_the_readme() -> None:
    seen, waiting = set(), ["README.md"]
    while waiting:
        name = waiting.pop()
        seen.add(name)
        for target in LINK.findall(prose(page(name))):
            path = ((ROOT / name).parent / target.partition("#")[0]).resolve()
            if path.suffix == ".md" and path.is_relative_to(ROOT) and path.is_file():
                linked = path.relative_to(ROOT).as_posix()
                waiting += [linked] if linked not in seen else []
    assert seen >= set(PAGES)


def test_the_index_lists_every_decision() -> None:
    listed = set(re.findall(r"\((\d{4}-[\w-]+\.md)\)", page("docs/adr/README.md")))
    assert listed == {path.name for path in (ROOT / "docs/adr").glob("0*.md")}


# -- the protocol -----------------------------------------------------------------------------------------------------


def error_types(root: type[ParleyError] = ParleyError) -> Iterator[type[ParleyError]]:
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from error_types(child)


def documented_errors() -> dict[str, tuple[int, bool]]:
    rows = re.findall(r"^\| `(\w+)` \| (\d{3}) \| (yes|no) \|", page("docs/protocol.md"), flags=re.MULTILINE)
    return {code: (int(status), retryable == "yes") for code, status, retryable in rows}


def test_every_error_code_is_documented_with_its_status_and_whether_it_is_retryable() -> None:
    assert documented_errors() == {error.code: (error.status, error.retryable) for error in error_types()}


def examples() -> list[dict[str, Any]]:
    return [
        json.loads(text)
        for text in re.findall(r"^```json\n(.*?)^```", page("docs/protocol.md"), re.MULTILINE | re.DOTALL)
    ]


def test_every_frame_type_has_a_section_and_an_example_that_the_server_takes() -> None:
    headings = re.findall(r"^### (.+)$", page("docs/protocol.md"), flags=re.MULTILINE)
    assert {name for heading in headings for name in heading.split(", ")} == frames.TYPES
    sent = [example for example in examples() if example.get("type") in frames.TYPES and "user_id" not in example]
    assert {frames.decode(json.dumps(example))[0] for example in sent} == frames.TYPES


ENTRY = Draft("dm:alice:bob", "alice", "hi", "n", client_message_id="c", reply_to=1, mentions=("bob",)).following(
    None, 1
)


def code_events() -> dict[str, Mapping[str, Any]]:
    """Every event that the code can make, by its type."""
    receipts = [receipt_event(Receipt(kind, ENTRY.conversation_id, "bob", 1, 1)) for kind in (READ, DELIVERED)]
    made = [entry_event(ENTRY), *receipts, json.loads(disconnect_event("connection_limit", reconnect=False))]
    return {event["type"]: event for event in made}


def test_every_event_has_an_example_with_the_fields_that_the_server_sends() -> None:
    shown = [example for example in examples() if "type" in example and not {"id", "success"} & example.keys()]
    assert {example["type"]: keys_of(example) for example in shown} == {
        name: keys_of(event) for name, event in code_events().items()
    }


def keys_of(value: Any) -> Any:
    return {key: keys_of(inner) for key, inner in value.items()} if isinstance(value, dict) else None


# -- AsyncAPI ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def asyncapi() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(page("docs/asyncapi.yaml"))
    return document


def resolve(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def payloads(document: dict[str, Any], action: str) -> dict[str, dict[str, Any]]:
    """The payload schemas of the messages that the server receives or sends, by the `type` they carry."""
    operations = [each for each in document["operations"].values() if each["action"] == action]
    messages = [resolve(document, message) for each in operations for message in each["messages"]]
    schemas = [resolve(document, message["payload"]) for message in messages]
    return {schema["properties"]["type"]["const"]: schema for schema in schemas}


def test_asyncapi_has_every_frame_with_the_fields_of_its_struct(asyncapi: dict[str, Any]) -> None:
    received = payloads(asyncapi, "receive")
    assert received.keys() == frames.TYPES
    structs: dict[str, type[msgspec.Struct]] = {
        "message": frames.MessageFrame,
        "read": frames.CursorFrame,
        "delivered": frames.CursorFrame,
        "sync": frames.SyncFrame,
        "ping": frames.PingFrame,
    }
    for name, struct in structs.items():
        fields = msgspec.structs.fields(struct)
        assert received[name]["properties"].keys() == {"type", *(field.name for field in fields)}
        assert set(received[name]["required"]) == {"type", *(field.name for field in fields if field.required)}


def test_asyncapi_has_every_event_with_its_fields(asyncapi: dict[str, Any]) -> None:
    sent = payloads(asyncapi, "send")
    assert {name: schema["properties"].keys() for name, schema in sent.items()} == {
        name: event.keys() for name, event in code_events().items()
    }
    assert asyncapi["components"]["schemas"]["Message"]["properties"].keys() == entry_event(ENTRY)["message"].keys()


def test_asyncapi_has_every_error_code(asyncapi: dict[str, Any]) -> None:
    assert set(asyncapi["components"]["schemas"]["ErrorCode"]["enum"]) == {error.code for error in error_types()}


def test_every_reference_in_asyncapi_leads_somewhere(asyncapi: dict[str, Any]) -> None:
    for reference in re.findall(r'\$ref: "([^"]+)"', page("docs/asyncapi.yaml")):
        assert resolve(asyncapi, {"$ref": reference})


def test_the_examples_in_asyncapi_are_frames_that_the_server_takes(asyncapi: dict[str, Any]) -> None:
    shown = [
        example["payload"]
        for each in asyncapi["components"]["messages"].values()
        for example in each.get("examples", [])
    ]
    assert {frames.decode(json.dumps(payload))[0] for payload in shown} == frames.TYPES


# -- dependencies -----------------------------------------------------------------------------------------------------


def pinned() -> dict[str, str]:
    """Every package that a project of this repository pins, with its version."""
    groups = tomllib.loads(page("pyproject.toml"))["dependency-groups"]
    python = [entry for group in groups.values() for entry in group if isinstance(entry, str) and "==" in entry]
    python += tomllib.loads(page("local/emulator/pyproject.toml"))["project"]["dependencies"]
    found = dict(re.sub(r"\[.*\]", "", entry).split("==") for entry in python)
    found["uv"] = tomllib.loads(page("pyproject.toml"))["tool"]["uv"]["required-version"].removeprefix("==")
    node: dict[str, str] = json.loads(page("package.json"))["devDependencies"]
    return found | node


def test_every_pinned_dependency_is_listed_with_its_version_and_nothing_else_is() -> None:
    rows = re.findall(r"^\| ([\w.-]+)(?: \(npm\))? \| (\d[\w.]*) \|", page("docs/dependencies.md"), flags=re.MULTILINE)
    assert dict(rows) == pinned()


def test_every_dependency_is_listed_with_its_groups() -> None:
    groups = tomllib.loads(page("pyproject.toml"))["dependency-groups"]
    text = page("docs/dependencies.md")
    for name, entries in groups.items():
        for entry in entries:
            if isinstance(entry, str):
                package = re.split(r"[\[=]", entry)[0]
                row = re.search(rf"^\| {re.escape(package)} \| [^|]+ \| ([^|]+) \|", text, flags=re.MULTILINE)
                assert row, f"{package} is not listed"
                assert name in row[1].split(", "), f"{package}: group {name}"
