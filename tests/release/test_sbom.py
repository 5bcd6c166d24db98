"""The bill of materials: CycloneDX by its rules, and true to the locks."""

from __future__ import annotations

import base64
import json
import re
import tomllib
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # without types

from local.settings import ROOT
from release import sbom
from shared.version import VERSION
from tests.security.test_dependencies import NODE_LOCKS

COMMIT, AT = "0" * 40, 1_795_431_200
# Of https://cyclonedx.org/schema/bom-1.6.schema.json what this document uses, and nothing else allowed.
_HASH = {
    "type": "object",
    "required": ["alg", "content"],
    "additionalProperties": False,
    "properties": {
        "alg": {"enum": ["MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512"]},
        "content": {"pattern": "^([a-fA-F0-9]{32}|[a-fA-F0-9]{40}|[a-fA-F0-9]{64}|[a-fA-F0-9]{96}|[a-fA-F0-9]{128})$"},
    },
}
_TEXT = {"type": "string"}
_LICENCE = {"type": "object", "required": ["id"], "additionalProperties": False, "properties": {"id": _TEXT}}
_COMPONENT: dict[str, Any] = {
    "type": "object",
    "required": ["type", "name"],
    "additionalProperties": False,
    "properties": {
        "type": {"enum": ["application", "framework", "library", "container", "platform", "file", "data"]},
        "bom-ref": {"type": "string", "minLength": 1},
        "group": {"type": "string"},
        "name": {"type": "string", "minLength": 1},
        "version": {"type": "string", "maxLength": 1024},
        "scope": {"enum": ["required", "optional", "excluded"]},
        "hashes": {"type": "array", "items": _HASH},
        "licenses": {
            "oneOf": [
                {
                    "type": "array",
                    "items": {
                        "type": "object", "required": ["license"], "additionalProperties": False,
                        "properties": {"license": _LICENCE},
                    },
                },
                {
                    "type": "array", "minItems": 1, "maxItems": 1,
                    "items": {
                        "type": "object", "required": ["expression"], "additionalProperties": False,
                        "properties": {"expression": {"type": "string"}},
                    },
                },
            ]
        },
        "purl": {"type": "string"},
        "externalReferences": {
            "type": "array",
            "items": {
                "type": "object", "required": ["url", "type"], "additionalProperties": False,
                "properties": {
                    "url": {"type": "string", "pattern": "^https://"},
                    "type": {"enum": ["distribution"]},
                    "hashes": {"type": "array", "items": _HASH},
                },
            },
        },
        "properties": {
            "type": "array",
            "items": {
                "type": "object", "required": ["name"], "additionalProperties": False,
                "properties": {"name": {"type": "string"}, "value": {"type": "string"}},
            },
        },
    },
}  # fmt: skip
SCHEMA = {
    "type": "object",
    "required": ["bomFormat", "specVersion"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"enum": ["http://cyclonedx.org/schema/bom-1.6.schema.json"]},
        "bomFormat": {"enum": ["CycloneDX"]},
        "specVersion": {"enum": ["1.6"]},
        "serialNumber": {"pattern": "^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"},
        "version": {"type": "integer", "minimum": 1},
        "metadata": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "timestamp": {"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
                "tools": {
                    "type": "object", "additionalProperties": False,
                    "properties": {"components": {"type": "array", "uniqueItems": True, "items": _COMPONENT}},
                },
                "component": _COMPONENT,
            },
        },
        "components": {"type": "array", "uniqueItems": True, "items": _COMPONENT},
        "dependencies": {
            "type": "array",
            "uniqueItems": True,
            "items": {
                "type": "object", "required": ["ref"], "additionalProperties": False,
                "properties": {
                    "ref": {"type": "string", "minLength": 1},
                    "dependsOn": {"type": "array", "uniqueItems": True, "items": {"type": "string", "minLength": 1}},
                },
            },
        },
    },
}  # fmt: skip


def text() -> str:
    return sbom.make(ROOT, version=VERSION, commit=COMMIT, at=AT)


@cache
def made() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text())
    return document


def by_purl() -> dict[str, dict[str, Any]]:
    return {one["purl"]: one for one in made()["components"]}


def needs(purl: str) -> set[str]:
    (found,) = [one for one in made()["dependencies"] if one["ref"] == purl]
    return set(found["dependsOn"])


def named(start: str) -> str:
    """The one that runs, where what builds and tests has another version."""
    found = [one for one in by_purl() if one.startswith(f"{start}@")]
    (purl,) = [one for one in found if by_purl()[one]["scope"] == "required"] if len(found) > 1 else found
    return purl


def test_it_keeps_to_the_format() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(made())] == []


def test_the_rules_would_see_what_is_wrong() -> None:
    good = json.loads(text())
    validator = Draft202012Validator(SCHEMA)
    changes: tuple[dict[str, Any], ...] = (
        {"bomFormat": "SPDX"},
        {"serialNumber": "1"},
        {"components": [{"type": "library"}]},
        {"components": [{"type": "library", "name": "x", "hashes": [{"alg": "SHA-512", "content": "zz"}]}]},
        {"components": [{"type": "library", "name": "x", "scope": "dev"}]},
        {"dependencies": [{"dependsOn": []}]},
        {"more": 1},
    )
    for change in changes:
        assert not validator.is_valid(good | change), change


def test_refs_are_unique_and_lead_somewhere() -> None:
    refs = [made()["metadata"]["component"]["bom-ref"], *(one["bom-ref"] for one in made()["components"])]
    assert len(set(refs)) == len(refs)
    assert [one["ref"] for one in made()["dependencies"]] == refs
    for one in made()["dependencies"]:
        assert set(one["dependsOn"]) <= set(refs)
        assert one["dependsOn"] == sorted(set(one["dependsOn"]))


def test_everything_that_is_locked_is_in_it_and_nothing_else() -> None:
    locked = set()
    for lock in ("uv.lock", "local/emulator/uv.lock"):
        for one in tomllib.loads((ROOT / lock).read_text(encoding="utf-8"))["package"]:
            if "virtual" not in one["source"]:
                locked.add(f"pkg:pypi/{one['name']}@{one['version']}")
    for lock in NODE_LOCKS:
        packages = json.loads((ROOT / lock).read_text(encoding="utf-8"))["packages"]
        for place, one in packages.items():
            if place and not one.get("link"):
                name = one.get("name") or place.rpartition("node_modules/")[2]
                locked.add(f"pkg:npm/{name.replace('@', '%40')}@{one['version']}")
    assert set(by_purl()) == locked
    assert len(locked) > 400


def test_what_a_function_has_is_what_its_group_needs() -> None:
    for group, some in {"files": {"pillow", "puremagic", "boto3", "botocore"}, "message": {"msgspec", "pyjwt"}}.items():
        used = {one["name"] for one in made()["components"] if group in uses(one)}
        assert some <= used
        assert "pytest" not in used
    assert uses(by_purl()[named("pkg:pypi/msgspec")]) == {"message"}


def uses(component: dict[str, Any]) -> set[str]:
    return {one["value"] for one in component.get("properties", []) if one["name"] == "parley:used-by"}


def test_scopes_tell_what_runs_from_what_builds_and_tests() -> None:
    scopes = {one["name"]: one["scope"] for one in made()["components"]}
    for name in ("pyjwt", "h2", "websockets", "react", "frimousse"):  # h2 comes with an extra
        assert scopes[name] == "required", name
    for name in ("pytest", "moto", "ruff", "ministack", "aws-cdk-lib", "aws-cdk", "vitest", "vitepress", "typescript"):
        assert scopes[name] == "excluded", name


def test_what_needs_what_is_as_locked() -> None:
    assert named("pkg:pypi/botocore") in needs(named("pkg:pypi/boto3"))
    assert named("pkg:pypi/websockets") in needs(named("pkg:pypi/parley-client"))
    assert named("pkg:pypi/h2") in needs(named("pkg:pypi/httpx2"))
    assert named("pkg:npm/scheduler") in needs(named("pkg:npm/react-dom"))
    assert {named("pkg:npm/%40parley/client"), named("pkg:npm/react")} <= needs(named("pkg:npm/%40parley/react"))
    own = needs(made()["metadata"]["component"]["bom-ref"])
    assert {named("pkg:npm/%40parley/client"), named("pkg:pypi/parley-client"), named("pkg:pypi/pyjwt")} <= own
    reached, ahead = set(), list(own)
    while ahead:
        if (purl := ahead.pop()) not in reached:
            reached.add(purl)
            ahead += needs(purl)
    assert reached == set(by_purl())


def test_digests_are_those_of_the_locks() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    react = packages["node_modules/react"]
    digest = base64.b64decode(react["integrity"].removeprefix("sha512-")).hex()
    assert by_purl()[f"pkg:npm/react@{react['version']}"]["hashes"] == [{"alg": "SHA-512", "content": digest}]
    lock = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("uv.lock", "local/emulator/uv.lock"))
    with_files = [one for one in made()["components"] if "externalReferences" in one]
    assert len(with_files) > 60
    for one in with_files:
        for file in one["externalReferences"]:
            (digest,) = [entry["content"] for entry in file["hashes"]]
            assert f'"{file["url"]}", hash = "sha256:{digest}"' in lock
            assert re.search(r"-any\.whl$|_aarch64\.whl$", file["url"])


def test_every_package_that_a_function_has_names_the_file_that_its_bundle_takes() -> None:
    for one in made()["components"]:
        is_locked_python = one["purl"].startswith("pkg:pypi/") and one["name"] != "parley-client"
        if is_locked_python and one["scope"] == "required":
            assert one["externalReferences"], one["purl"]


def test_the_same_locks_make_the_same_bytes_and_others_another_number() -> None:
    assert text() == text()
    other = json.loads(sbom.make(ROOT, version=VERSION, commit="1" * 40, at=AT))
    assert other["serialNumber"] != made()["serialNumber"]
    assert made()["metadata"]["timestamp"] == "2026-11-23T10:53:20Z"


def test_a_package_of_two_locks_stands_in_it_once_with_the_nearer_scope() -> None:
    purls = [one["purl"] for one in made()["components"]]
    assert len(set(purls)) == len(purls)
    shared = by_purl()[named("pkg:pypi/jmespath")]  # rest has it by boto3, and so has the emulator
    assert shared["scope"] == "required"
    assert {"rest", "local/emulator/uv.lock"} <= uses(shared)
