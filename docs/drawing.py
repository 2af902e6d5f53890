"""Draws a transition table as an SVG, so that the picture and the code cannot disagree."""

import enum
from collections.abc import Mapping
from html import escape
from typing import TypeVar

Phase = TypeVar("Phase", bound=enum.IntEnum)

WIDTH, HEIGHT, BOX_WIDTH, BOX_HEIGHT = 640, 340, 112, 34
COLUMNS = {"QUEUED": (70, 170), "RUNNING": (290, 40), "WAITING": (290, 300)}
"""Where the phases stand that are not the end, by their middles: apart enough for the lines from the first to the last column."""

STYLE = (
    "text{font:600 13px system-ui,sans-serif;fill:#fff;text-anchor:middle;dominant-baseline:central}"
    "path{fill:none;stroke:#8a90a0;stroke-width:1.5}rect{fill:#2f4fc4}.end rect{fill:#5a6070}marker path{fill:#8a90a0;stroke:none}"
)


def places(transitions: Mapping[Phase, frozenset[Phase]]) -> dict[str, tuple[int, int]]:
    """Return the middle of each box; phases that are the end stand below each other on the right."""
    ends = [each.name for each in sorted(transitions) if not transitions[each]]
    step = (HEIGHT - 80) / max(1, len(ends) - 1)
    last = {name: (WIDTH - 70, round(40 + step * i)) for i, name in enumerate(ends)}
    return {each.name: COLUMNS.get(each.name) or last[each.name] for each in transitions}


def arrow(before: tuple[int, int], after: tuple[int, int], *, both: bool) -> str:
    """Return the line from one box to another; two that go both ways stand beside each other."""
    (x1, y1), (x2, y2) = before, after
    if x1 == x2:
        shift = 0 if not both else (14 if y1 < y2 else -14)
        down = 1 if y1 < y2 else -1
        start, stop = y1 + down * BOX_HEIGHT // 2, y2 - down * (BOX_HEIGHT // 2 + 2)
        return f'<path d="M{x1 + shift} {start}V{stop}" marker-end="url(#a)"/>'
    right = 1 if x1 < x2 else -1
    shift = 0 if not both else (8 if right > 0 else -8)
    start, stop = x1 + right * BOX_WIDTH // 2, x2 - right * (BOX_WIDTH // 2 + 2)
    middle = (start + stop) // 2
    y1, y2 = y1 + shift, y2 + shift
    return f'<path d="M{start} {y1}C{middle} {y1} {middle} {y2} {stop} {y2}" marker-end="url(#a)"/>'


def svg(transitions: Mapping[Phase, frozenset[Phase]], title: str) -> str:
    """Draw a table: a box for each phase, and an arrow for each way from one to another (staying in a phase is not drawn)."""
    at = places(transitions)
    ways = {(a.name, b.name) for a in transitions for b in transitions[a] if a != b}
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        '<marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker>',
        *(arrow(at[a], at[b], both=(b, a) in ways) for a, b in sorted(ways)),
    ]
    for each in sorted(transitions):
        x, y = at[each.name]
        kind = "" if transitions[each] else ' class="end"'
        box = f'<rect x="{x - BOX_WIDTH // 2}" y="{y - BOX_HEIGHT // 2}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8"/>'
        lines.append(f'<g{kind}>{box}<text x="{x}" y="{y}">{escape(each.name)}</text></g>')
    return "\n".join([*lines, "</svg>", ""])
