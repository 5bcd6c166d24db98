"""The bill of materials: what the locks name, and what of it needs what, as CycloneDX 1.6.

One document for all there is: the stack's functions, both clients, the hooks, the page, and what builds and tests them.
`scope` says which is which: "required" runs in a function, a client or the page; "optional" on some systems alone;
"excluded" never: it builds, deploys, tests or emulates. Made from the locks alone, so the same commit has the same.
https://cyclonedx.org/docs/1.6/json/
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from release import npm_lock, uv_lock
from release.package import Package

SPEC: Final = "1.6"
_SPACE: Final = uuid.UUID("a9f1cbb1-9b8e-5bb5-9d5b-6a1f3a0f7c11")  # any: what is made within it is always the same


def make(root: Path, *, version: str, commit: str, at: int) -> str:
    """The document, for the locks below `root`. `at`: seconds since the epoch."""
    packages = _merged([*uv_lock.packages(root), *npm_lock.packages(root)])
    own = f"pkg:generic/parley@{version}"
    subject = {
        "type": "application",
        "bom-ref": own,
        "name": "parley",
        "version": version,
        "purl": own,
        "licenses": [{"license": {"id": "MIT"}}],
        "properties": [{"name": "parley:commit", "value": commit}],
    }
    body: dict[str, Any] = {
        "metadata": {
            "timestamp": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tools": {"components": [{"type": "application", "name": "make release", "version": version}]},
            "component": subject,
        },
        "components": [_component(one) for one in packages],
        "dependencies": [
            {"ref": own, "dependsOn": sorted(_roots(packages))},
            *({"ref": one.purl, "dependsOn": sorted(one.needs)} for one in packages),
        ],
    }
    number = uuid.uuid5(_SPACE, json.dumps(body, sort_keys=True))
    head = {"$schema": f"http://cyclonedx.org/schema/bom-{SPEC}.schema.json", "bomFormat": "CycloneDX"}
    document = {**head, "specVersion": SPEC, "serialNumber": f"urn:uuid:{number}", "version": 1, **body}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _merged(packages: Iterable[Package]) -> list[Package]:
    found: dict[str, Package] = {}
    for one in packages:
        found[one.purl] = found[one.purl].merged(one) if one.purl in found else one
    return [found[purl] for purl in sorted(found)]


def _roots(packages: Iterable[Package]) -> set[str]:
    """What is asked for by name: all that nothing else needs, and what we use by ourselves."""
    needed = {purl for one in packages for purl in one.needs if purl != one.purl}
    return {one.purl for one in packages if one.purl not in needed or one.used_by}


def _component(package: Package) -> dict[str, Any]:
    component: dict[str, Any] = {"type": "library", "bom-ref": package.purl}
    if package.group:
        component["group"] = package.group
    component |= {"name": package.name, "version": package.version, "scope": package.scope}
    if package.sha512:
        component["hashes"] = [{"alg": "SHA-512", "content": package.sha512}]
    if package.licence:
        is_choice = " " in package.licence
        named = {"expression": package.licence} if is_choice else {"license": {"id": package.licence}}
        component["licenses"] = [named]
    component["purl"] = package.purl
    if package.files:
        component["externalReferences"] = [
            {"type": "distribution", "url": url, "hashes": [{"alg": "SHA-256", "content": digest}]}
            for url, digest in package.files
        ]
    if package.used_by:
        component["properties"] = [{"name": "parley:used-by", "value": name} for name in sorted(package.used_by)]
    return component
