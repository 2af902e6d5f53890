"""What an attempt shows: its decks, as one self-contained HTML page."""

from collections.abc import Callable, Sequence
from html import escape
from typing import Any, Final, Self

from tidegate.sdk.rendering import image, markdown, plain_text, rendered, table
from tidegate.sdk.sanitize import sanitize
from tidegate.types.marks import marked

MAX_PAGE: Final = 5 * 1024 * 1024
"""Bytes of a page. A deck that does not fit is left out, and the page says so."""

STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:15px/1.5 system-ui,sans-serif;margin:1.5rem;max-width:72rem}"
    "h2{font-size:1.1rem;border-bottom:1px solid #8884;padding-bottom:.25rem}"
    "table{border-collapse:collapse;margin:.5rem 0;font-variant-numeric:tabular-nums}"
    "th,td{padding:.25rem .75rem;border-bottom:1px solid #8883;text-align:left}"
    ".dropped{color:#8a5a00;font-size:.9rem}"
    "td.n{text-align:right}img{max-width:100%}pre{white-space:pre-wrap}"
)

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""What a deck may load: nothing but its own images. It is placed in the page before any of the author's HTML, and so travels with the page."""

PROLOGUE: Final = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    f'<meta name="referrer" content="no-referrer"><title>DeckReport</title><style>{STYLE}</style></head><body>'
).encode()
EPILOGUE: Final = b"</body></html>"


class Section:
    """One deck: a name, and what was appended to it. Each method returns the deck, so that calls can be chained."""

    def __init__(self, name: str, html: Any = "") -> None:
        """Start a deck; a string is the author's own HTML and shown as such, other objects like in `append`."""
        self.name = str(name)
        self._parts: list[str] = []
        if not isinstance(html, str) or html:
            self.append(html)

    @property
    def html(self) -> str:
        """Its contents."""
        return "\n".join(self._parts)

    def append(self, thing: Any) -> Self:
        """
        Add HTML as a string, an image as bytes, a list of dicts or a dict as a table, a pandas DataFrame, a matplotlib or plotly figure.

        Raises TypeError for what cannot be shown.
        """
        self._parts.append(rendered(thing))
        return self

    def markdown(self, text: str) -> Self:
        """Add Markdown; HTML in it is shown as text."""
        self._parts.append(markdown(text))
        return self

    def text(self, text: str) -> Self:
        """Add plain text, with its line breaks."""
        self._parts.append(plain_text(text))
        return self

    def table(self, rows: list[dict[str, Any]]) -> Self:
        """Add a table of rows, each by the names of its columns."""
        self._parts.append(table(rows))
        return self

    def image(self, content: bytes, alt: str = "") -> Self:
        """Add an image (PNG, JPEG, GIF, WebP or SVG); `alt` describes it."""
        self._parts.append(image(content, alt))
        return self


class DeckReport:
    """The decks of one attempt, until it ends. `keep` stores the page; without it nothing is stored."""

    __slots__ = ("_default", "_frozen", "_keep", "decks")

    def __init__(self, keep: Callable[[bytes], None] | None = None) -> None:
        self.decks: list[Section] = []
        self._keep = keep
        self._default: Section | None = None
        self._frozen = False

    @property
    def default_deck(self) -> Section:
        """The deck called `Deck`, made on first use."""
        if self._default is None:
            self._default = Section("Deck")
            self.decks.insert(0, self._default)
        return self._default

    def publish(self) -> None:
        """Store the current decks, if there are any, so that they can be read while the attempt runs. Errors: `OSError`."""
        if self._keep is not None and self.decks and not self._frozen:
            self._keep(page(self.decks))

    def freeze(self) -> bytes:
        """Return the page at the end of the attempt, empty without decks. Nothing is stored after that, whatever threads the task has left."""
        self._frozen = True
        return page(self.decks) if self.decks else b""


def page(decks: Sequence[object]) -> bytes:
    """Return decks as one HTML document in UTF-8, of at most `MAX_PAGE` bytes. It contains its own protection: see `PROLOGUE` and `sanitize`."""
    parts = []
    room = MAX_PAGE - 4096
    # The author can change the list, too; anything in it that is not a deck is ignored.
    for deck in (each for each in decks if isinstance(each, Section)):
        title = f"<h2>{escape(marked(deck.name[:200]))}</h2>"
        html = deck.html
        part = b"" if len(html) > MAX_PAGE else _section(title, html)
        if not part or len(part) > room:
            size = max(len(part), len(html)) / 2**20
            part = f"<section>{title}<p>left out: {size:.1f} MiB, more than a report may have ({MAX_PAGE >> 20} MiB)</p></section>".encode()
        room -= len(part)
        if room < 0:
            break
        parts.append(part)
    return PROLOGUE + b"\n".join(parts) + EPILOGUE


def protected(stored: bytes) -> bytes:
    """Return a stored page in the form in which it may leave the store: one stored by an earlier version gets the protection it lacks."""
    if stored.startswith(PROLOGUE):
        return stored
    return PROLOGUE + _section("", stored[:MAX_PAGE].decode(errors="replace")) + EPILOGUE


def _section(title: str, html: str) -> bytes:
    found = sanitize(html)
    return f"<section>{title}{found.html}{found.note}</section>".encode(errors="replace")
