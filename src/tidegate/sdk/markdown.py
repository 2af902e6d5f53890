"""
Markdown on a terminal: formatted headings, lists, tables and code, without losing any of the text.

HTML is shown as text, as on the page, and a link shows its target. Invisible characters are shown as marks, also those written
as entities, so that the only escapes in the output are those of styles.
"""

import io
import os
import re

from tidegate.types.marks import marked

WIDEST = 100
"""Most columns for prose: longer lines are hard to read."""

NARROWEST = 20
"""With fewer columns a text is shown as it was written."""

DEEPEST = 30
"""Deepest nesting of quotes and lists: a parser drops deeper parts, so such a text is shown as it was written."""

STYLE = re.compile(r"(\x1b\[[0-9;]*m)")
"""A style as ECMA-48 writes it (SGR)."""


def rendered(text: str, columns: int) -> list[str]:
    """Return Markdown as lines of at most this many columns."""
    safe = marked(text)
    if columns < NARROWEST:
        return safe.splitlines()
    # Loaded late: it takes 90 ms, and most commands show no prompt.
    from markdown_it import MarkdownIt  # noqa: PLC0415 - as above
    from rich.console import Console  # noqa: PLC0415 - as above
    from rich.markdown import Markdown  # noqa: PLC0415 - as above

    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": DEEPEST})
    parsed = parser.enable(["table", "strikethrough"]).parse(safe)
    if any(token.level >= DEEPEST - 1 for token in parsed):
        return safe.splitlines()
    page = Markdown("", hyperlinks=False, code_theme="ansi_dark")
    page.parsed = parsed
    sheet = io.StringIO()
    console = Console(
        file=sheet,
        width=min(columns, WIDEST),
        force_terminal=True,
        color_system="standard" if _has_colour() else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    console.print(page)
    lines = [_safe(line).rstrip() for line in sheet.getvalue().split("\n")]
    blank = [not STYLE.sub("", line).strip() for line in lines]
    # One blank line is enough, and none at the ends.
    kept = [line for n, line in enumerate(lines) if not blank[n] or (n and not blank[n - 1])]
    return kept[: len(kept) - blank[-1]]


def _safe(line: str) -> str:
    return "".join(part if n % 2 else marked(part) for n, part in enumerate(STYLE.split(line)))


def _has_colour() -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
