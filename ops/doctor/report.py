"""What the doctor found: a verdict for each step, with its cause and what to do; as text, Markdown and JSON.

A report can be put into an issue: no token, secret or account number gets into it, and no text of a message.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal

Verdict = Literal["ok", "warned", "failed", "skipped"]
OK: Final[Verdict] = "ok"
WARNED: Final[Verdict] = "warned"
FAILED: Final[Verdict] = "failed"
SKIPPED: Final[Verdict] = "skipped"
VERDICTS: Final = (OK, WARNED, FAILED, SKIPPED)

_HIDDEN: Final = "…"
_LEAST_SECRET: Final = 6
# Tokens of any make, keys, account numbers, and the signed part of a link.
_PATTERNS: Final = (
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*){1,2}"),
    re.compile(r"-----BEGIN [A-Z ]+-----.*?(-----END [A-Z ]+-----|\Z)", re.DOTALL),
    re.compile(r"(?<![0-9A-Za-z])[0-9]{12}(?![0-9A-Za-z])"),
    re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{12,}\b"),
    re.compile(r"(?<=[?&])(X-Amz-[A-Za-z-]+|ticket|token)=[^&\s\"']+"),
)


@dataclass(frozen=True)
class Finding:
    """What one step came to. `said`: what was seen; `cause` and `remedy` where something is wrong, or might be."""

    name: str
    title: str
    verdict: Verdict
    said: str = ""
    cause: str = ""
    remedy: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Report:
    """All of them, in their order. `about`: which stack, where, when, and of which version."""

    about: Mapping[str, str]
    findings: Sequence[Finding]
    secrets: Collection[str] = field(default=(), repr=False)

    @property
    def is_well(self) -> bool:
        """Whether nothing failed."""
        return not any(one.verdict == FAILED for one in self.findings)

    def of(self, name: str) -> Finding:
        return next(one for one in self.findings if one.name == name)

    def as_json(self) -> str:
        counted = Counter(one.verdict for one in self.findings)
        found: dict[str, Any] = {
            "about": {name: self.safe(value) for name, value in self.about.items()},
            "verdicts": {verdict: counted[verdict] for verdict in VERDICTS},
            "steps": [asdict(self.safely(one)) for one in self.findings],
        }
        return json.dumps(found, indent=2, ensure_ascii=False) + "\n"

    def as_markdown(self) -> str:
        counted = Counter(one.verdict for one in self.findings)
        lines = ["# Parley: what the doctor found", ""]
        lines += [f"- {name}: {_cell(self.safe(value))}" for name, value in self.about.items()]
        lines += [f"- {', '.join(f'{counted[verdict]} {verdict}' for verdict in VERDICTS if counted[verdict])}", ""]
        lines += ["| step | verdict | s | |", "|---|---|---|---|"]
        for one in map(self.safely, self.findings):
            words = [one.said, one.cause and f"**Cause:** {one.cause}", one.remedy and f"**Remedy:** {one.remedy}"]
            told = " ".join(_cell(word) for word in words if word)
            lines.append(f"| {one.title} (`{one.name}`) | {one.verdict} | {one.seconds:.1f} | {told} |")
        return "\n".join([*lines, ""])

    def safely(self, finding: Finding) -> Finding:
        said, cause, remedy = map(self.safe, (finding.said, finding.cause, finding.remedy))
        return replace(finding, said=said, cause=cause, remedy=remedy, seconds=round(finding.seconds, 2))

    def safe(self, text: str) -> str:
        return safe(text, self.secrets)


def safe(text: str, secrets: Collection[str] = ()) -> str:
    """The text without what nobody else may see."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _LEAST_SECRET:
            text = text.replace(secret, _HIDDEN)
    for pattern in _PATTERNS:
        text = pattern.sub(_HIDDEN, text)
    return text


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
