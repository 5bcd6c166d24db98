"""Writes docs/calculator.html: the sums of benchmarks/bill.py in a browser, with today's figures.

.venv/bin/python -m benchmarks.calculator
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from benchmarks import bill, channel_costs, list_prices
from benchmarks.cost_model import WITH_PUSHES, WITHOUT_PUSHES, idle_mails
from infra import prices

PAGE: Final = Path(__file__).parent.parent / "docs" / "calculator.html"
_FORM: Final = Path(__file__).with_suffix(".html")


def figures() -> dict[str, Any]:
    """All that the page's sums need."""
    inputs = [{"name": name, "value": value, "says": bill.SAYS[name]} for name, value in asdict(bill.Usage()).items()]
    return {
        "days": bill.DAYS,
        "large_group": bill.LARGE_GROUP,
        "quiet_group": bill.QUIET_GROUP,
        "channel_rate": channel_costs.CHANNEL_RATE,
        "in_a_pack": channel_costs.IN_A_PACK,
        "digests_a_day": bill.DIGESTS_A_DAY,
        "roster_units": bill.ROSTER_UNITS,
        "event_bytes": bill.EVENT_BYTES,
        "row_bytes": bill.ROW_BYTES,
        "stored_gb_month": bill.STORED_GB_MONTH,
        "s3_gb_month": prices.S3_GB_MONTH,
        "internet_gb": bill.INTERNET_GB,
        "free_gb": bill.FREE_GB,
        "idle_with_pushes": WITH_PUSHES.dollars,
        "idle_without_pushes": WITHOUT_PUSHES.dollars,
        "idle_mails": idle_mails(),
        "files": bill.FILES,
        "internet": bill.INTERNET,
        "idle": bill.IDLE,
        "inputs": inputs,
        "pieces": bill.pieces(),
        "rivals": [asdict(one) for one in list_prices.RIVALS],
        "by_quote": list_prices.BY_QUOTE,
    }


def page() -> str:
    return _FORM.read_text("utf-8").replace("FIGURES", json.dumps(_rounded(figures()), indent=1))


def _rounded(value: Any) -> Any:
    """Twelve digits say the same on every machine."""
    if isinstance(value, float):
        return float(f"{value:.12g}")
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list) else value


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(f"{PAGE.name} is written")
