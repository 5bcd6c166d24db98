"""Bars: how many times as much as Parley each rival takes. SVG by hand, as it is a dozen rectangles."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby
from math import log10
from typing import Final

from benchmarks.rows import OURS, Row

_WIDTH: Final = 760
_BARS_AT: Final = 250
_BARS_WIDTH: Final = 420
_LINE: Final = 18
_TITLE: Final = 30
_LOG_FROM: Final = 30.0
"""Where one takes more than this many times as much, the bars grow with the logarithm, and the picture says so."""

_OURS_COLOUR: Final = "#2f6f4f"
_COLOURS: Final = ("#9aa5b1", "#c98b5b", "#6b7fa8", "#b0706f")
_STYLE: Final = "text{font:12px system-ui,sans-serif;fill:#1f2933}.w{font-weight:600}"
_DARK: Final = "@media(prefers-color-scheme:dark){text{fill:#e4e7eb}}"


def plot(suite: str, rows: Sequence[Row]) -> str:
    """A picture of those of its rows that have a rival; empty where there is none."""
    groups = [(what, some) for what, some in _groups(rows) if len(some) > 1]
    if not groups:
        return ""
    most = max(row.ratio for _, some in groups for row in some)
    scale = "multiples of Parley's" + (", bars by their logarithm" if most > _LOG_FROM else "")
    drawn = [f'<text class="w" x="8" y="20">{escape(suite)}</text>', f'<text x="{_BARS_AT}" y="20">{scale}</text>']
    y = _TITLE
    for what, some in groups:
        y += _LINE
        drawn.append(f'<text class="w" x="8" y="{y}">{escape(what)}</text>')
        for number, row in enumerate(some):
            y += _LINE
            drawn += _bar(row, y, number, most)
    height = y + 12
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">'
    return "\n".join([opening, f"<style>{_STYLE}{_DARK}</style>", *drawn, "</svg>", ""])


def _groups(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    return [(what, list(some)) for what, some in groupby(rows, lambda row: f"{row.what}, {row.unit}")]


def _bar(row: Row, y: int, number: int, most: float) -> list[str]:
    colour = _OURS_COLOUR if row.subject == OURS else _COLOURS[(number - 1) % len(_COLOURS)]
    width = max(2.0, _BARS_WIDTH * _share(row.ratio, most))
    return [
        f'<text x="20" y="{y}">{escape(row.subject)}</text>',
        f'<rect x="{_BARS_AT}" y="{y - 11}" width="{width:.1f}" height="13" rx="2" fill="{colour}"/>',
        f'<text x="{_BARS_AT + width + 6:.1f}" y="{y}">{row.ratio:,.2f}</text>',
    ]


def _share(ratio: float, most: float) -> float:
    """Of the longest bar."""
    if most <= _LOG_FROM:
        return ratio / most
    return max(0.0, log10(max(ratio, 0.1)) + 1) / (log10(most) + 1)  # a tenth of Parley's is no bar
