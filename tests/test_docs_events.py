"""docs/events.md names every type of event, and none that there is not."""

from __future__ import annotations

import re

from shared.domain.webhooks import CONVERSATION_KINDS, EVENT_TYPES
from tests.test_docs import page


def test_the_tables_have_every_type_of_event() -> None:
    types = page("docs/events.md").split("## Types")[1].split("## Webhooks")[0]
    first = [line.split("|")[1] for line in types.splitlines() if line.startswith("| `")]
    named = [name for cell in first for name in re.findall(r"`(\w+)`", cell) if name != "type"]
    assert sorted(named) == sorted(EVENT_TYPES)


def test_the_filter_of_kinds_is_described_whole() -> None:
    [said] = re.findall(r"kinds of\s+conversations \(([^)]*)\)", page("docs/events.md"))
    assert sorted(re.findall(r"`(\w+)`", said)) == sorted(CONVERSATION_KINDS)
