"""The text of an HTML page, for a terminal: without tags, parsed like decks are, in linear time."""

from collections.abc import Mapping
from typing import Final

from tidegate.sdk.sanitize import read

HIDDEN: Final = frozenset(("style", "script", "head", "title", "template"))
"""Elements whose content is not shown."""

_BLOCKS: Final = (
    "br blockquote div dt dd figcaption h1 h2 h3 h4 h5 h6 hr li p pre section summary table tr"
)
LINES: Final = frozenset(_BLOCKS.split())
"""Elements after which a line ends."""

CELLS: Final = frozenset(("td", "th"))


def words_of(html: str) -> str:
    """Return the text of a page."""
    words = _Words()
    read(html, words)
    lines: list[str] = []
    for each in "".join(words.parts).split("\n"):
        line = each if each.strip(" \t") else ""
        if line or (lines and lines[-1]):  # one empty line is enough
            lines.append(line)
    return "\n".join(lines).strip()


class _Words:
    """Keeps the text of a page."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._hidden = 0
        """Open elements that are not shown."""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Start an element."""
        self._hidden += tag in HIDDEN
        if tag == "img" and not self._hidden:
            alt = attributes.get("alt") or ""
            self.parts.append(f" [image: {alt}] " if alt else " [image] ")

    def end(self, tag: str) -> None:
        """End an element."""
        self._hidden -= tag in HIDDEN
        if not self._hidden and (tag in LINES or tag in CELLS):
            self.parts.append("\n" if tag in LINES else "\t")

    def text(self, text: str) -> None:
        """Take text."""
        if not self._hidden:
            self.parts.append(text)
