"""
What an HTML page says, for a terminal: its text, without tags.

It is read in one pass, since a page is its author's and may be of any form: nothing is looked for twice that was not found once.
"""

from collections.abc import Iterator
from html import unescape
from typing import Final

HIDDEN: Final = frozenset({"style", "script", "head"})
"""Elements whose content is not shown."""

LINES: Final = frozenset(
    {f"/{name}" for name in ("p", "div", "tr", "li", "pre", "section", "table")}
    | {f"/h{level}" for level in range(1, 7)}
    | {"br"}
)
"""Tags after which a line ends."""

INSTEAD: Final = {**dict.fromkeys(LINES, "\n"), "/td": "\t", "/th": "\t", "img": " [image] "}
"""What stands for a tag."""

LONGEST: Final = 16
"""Characters of the longest name of a tag that matters, and some."""


def words_of(html: str) -> str:
    """Return what a page says."""
    lines = "".join(_pieces(html)).split("\n")
    kept = [line for line, before in zip(lines, ["", *lines], strict=False) if _says(line, before)]
    return "\n".join(unescape(line) if line.strip(" \t") else "" for line in kept).strip()


def _says(line: str, before: str) -> bool:
    """Whether a line is shown: one without words only after one with some."""
    return bool(line.strip(" \t") or before.strip(" \t"))


def _pieces(html: str) -> Iterator[str]:
    lower, at, endless = html.lower(), 0, set[str]()
    if len(lower) != len(html):  # a few capitals become two letters, and would move what follows
        lower = html
    while (begin := html.find("<", at)) >= 0 and (end := html.find(">", begin)) >= 0:
        yield html[at:begin]
        name = _name(lower[begin + 1 : min(end, begin + LONGEST)])
        at = end + 1
        if name in HIDDEN and name not in endless:
            closing = lower.find(f"</{name}", at)
            if closing < 0:
                endless.add(name)
            else:
                at = closing
        elif name in INSTEAD:
            yield INSTEAD[name]
    yield html[at:]


def _name(begin: str) -> str:
    """Return the name of a tag, with the slash of one that closes."""
    found = begin.split(maxsplit=1)
    slash = "/" if begin.startswith("/") else ""
    return slash + found[0].strip("/") if found else ""
