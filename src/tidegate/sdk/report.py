"""What an attempt shows: its decks, as one HTML page of its own."""

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
"""What a deck may load: nothing but the images in it. It stands in the page, before any byte of the author's, and so goes where the page goes."""

PROLOGUE: Final = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    f'<meta name="referrer" content="no-referrer"><title>DeckReport</title><style>{STYLE}</style></head><body>'
).encode()
EPILOGUE: Final = b"</body></html>"


class Section:
    """One deck: a name, and what was appended to it. Each method returns the deck, so that calls can be chained."""

    def __init__(self, name: str, html: Any = "") -> None:
        """Begin a deck; a text is the author's own HTML and shown as such, other things as `append` shows them."""
        self.name = str(name)
        self._parts: list[str] = []
        if not isinstance(html, str) or html:
            self.append(html)

    @property
    def html(self) -> str:
        """What it holds."""
        return "\n".join(self._parts)

    def append(self, thing: Any) -> Self:
        """
        Add a thing: HTML as text, an image as bytes, a list of dicts or a dict as a table, a pandas DataFrame, a matplotlib or plotly figure.

        Raises TypeError for what cannot be shown.
        """
        self._parts.append(rendered(thing))
        return self

    def markdown(self, text: str) -> Self:
        """Add Markdown; HTML in it is shown as text."""
        self._parts.append(markdown(text))
        return self

    def text(self, text: str) -> Self:
        """Add a text as it is, with its line breaks."""
        self._parts.append(plain_text(text))
        return self

    def table(self, rows: list[dict[str, Any]]) -> Self:
        """Add a table of rows, each by the names of its columns."""
        self._parts.append(table(rows))
        return self

    def image(self, content: bytes, alt: str = "") -> Self:
        """Add an image (PNG, JPEG, GIF, WebP or SVG); `alt` says what it shows."""
        self._parts.append(image(content, alt))
        return self


class DeckReport:
    """The decks of one attempt, until it ends. `keep` stores the page; without it nobody does."""

    __slots__ = ("_default", "_frozen", "_keep", "decks")

    def __init__(self, keep: Callable[[bytes], None] | None = None) -> None:
        self.decks: list[Section] = []
        self._keep = keep
        self._default: Section | None = None
        self._frozen = False

    @property
    def default_deck(self) -> Section:
        """The deck called `Deck`, made when it is first asked for."""
        if self._default is None:
            self._default = Section("Deck")
            self.decks.insert(0, self._default)
        return self._default

    def publish(self) -> None:
        """Store what is there now, if there is anything, so that it can be read while the attempt runs. Errors: `OSError`."""
        if self._keep is not None and self.decks and not self._frozen:
            self._keep(page(self.decks))

    def freeze(self) -> bytes:
        """Return the page as it is when the attempt ends, empty without decks. Nothing is stored after that, whatever threads the task has left."""
        self._frozen = True
        return page(self.decks) if self.decks else b""


def page(decks: Sequence[object]) -> bytes:
    """Return decks as one HTML document in UTF-8, of at most `MAX_PAGE` bytes. It holds its own protection: see `PROLOGUE` and `sanitize`."""
    parts = []
    room = MAX_PAGE - 4096
    # The list is the author's too, and whatever else is in it is no deck.
    for deck in (each for each in decks if isinstance(each, Section)):
        title = f"<h2>{escape(marked(deck.name[:200]))}</h2>"
        html = deck.html
        part = b"" if len(html) > MAX_PAGE else _section(title, html)
        if not part or len(part) > room:
            size = max(len(part), len(html)) / 2**20
            part = f"<section>{title}<p>left out: {size:.1f} MiB, more than a report may hold ({MAX_PAGE >> 20} MiB)</p></section>".encode()
        room -= len(part)
        if room < 0:
            break
        parts.append(part)
    return PROLOGUE + b"\n".join(parts) + EPILOGUE


def protected(stored: bytes) -> bytes:
    """Return a page that is stored as it may leave the store: one that an earlier version has stored gets what it lacks."""
    if stored.startswith(PROLOGUE):
        return stored
    return PROLOGUE + _section("", stored[:MAX_PAGE].decode(errors="replace")) + EPILOGUE


def _section(title: str, html: str) -> bytes:
    found = sanitize(html)
    return f"<section>{title}{found.html}{found.note}</section>".encode(errors="replace")
