"""
Objects as HTML, for decks: text, Markdown, tables, images and figures.

Text from values is escaped. A deck is shown without scripts and without network access, so a figure is rendered to an image immediately.
Third-party objects are recognized by their methods, so nothing is imported for them.
"""

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from html import escape
from importlib import import_module
from typing import Any, Final

MAX_ROWS: Final = 1_000
"""Rows of a table that are shown."""

POINTS: Final = 100
"""Points per trace that are shown of a figure that cannot be drawn here."""

MEDIA: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
    (b"<svg", "image/svg+xml"),
    (b"<?xml", "image/svg+xml"),
)


def rendered(thing: Any) -> str:
    """
    Return an object as HTML: a string unchanged, because it is the author's own HTML; bytes of an image; a list of dicts or a dict as a table;
    a pandas DataFrame; a matplotlib or plotly figure; any object with a notebook representation.

    Raises TypeError for anything else.
    """
    match thing:
        case str():
            return thing
        case bytes() | bytearray():
            return image(bytes(thing))
        case Mapping():
            return table([{"": key, "value": value} for key, value in thing.items()])
        case [*rows] if rows and all(isinstance(row, Mapping) for row in rows):
            return table(rows)
        case _:
            return _drawn(thing)


def plain_text(text: str) -> str:
    """Return a text with its line breaks and spaces, fully escaped."""
    return f"<pre>{escape(text)}</pre>"


def markdown(text: str) -> str:
    """Return Markdown (CommonMark with tables) as HTML; HTML in it is shown as text."""
    # Loaded here: few tasks use it, and `import tidegate` must stay light.
    parser = import_module("markdown_it").MarkdownIt("commonmark", {"html": False})
    return str(parser.enable("table").render(text))


def table(rows: Sequence[Mapping[Any, Any]]) -> str:
    """Return a table of rows, each by the names of its columns; at most `MAX_ROWS` of them."""
    columns = list(dict.fromkeys(name for row in rows[:MAX_ROWS] for name in row))
    head = "".join(f"<th>{escape(str(name))}</th>" for name in columns)
    body = "".join(
        f"<tr>{''.join(_cell(row.get(name, '')) for name in columns)}</tr>"
        for row in rows[:MAX_ROWS]
    )
    more = f"<p>… and {len(rows) - MAX_ROWS:,} more rows</p>" if len(rows) > MAX_ROWS else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def image(content: bytes, alt: str = "") -> str:
    """Return an image (PNG, JPEG, GIF, WebP or SVG). Raises TypeError for other bytes."""
    media = next((media for mark, media in MEDIA if content.lstrip().startswith(mark)), None)
    if media is None:
        raise TypeError(
            "these bytes are not an image that a deck can show: PNG, JPEG, GIF, WebP or SVG"
        )
    encoded = base64.b64encode(content).decode()
    return f'<img src="data:{media};base64,{encoded}" alt="{escape(alt)}">'


def _cell(value: Any) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    text = f"{value:,.6g}" if isinstance(value, float) else str(value)
    return f"<td{' class=n' if is_number else ''}>{escape(text)}</td>"


def _drawn(thing: Any) -> str:
    if hasattr(thing, "to_html") and hasattr(thing, "columns"):
        return str(thing.to_html(max_rows=MAX_ROWS, border=0))
    if hasattr(thing, "savefig"):
        file = io.BytesIO()
        thing.savefig(file, format="png", bbox_inches="tight")
        return image(file.getvalue())
    if hasattr(thing, "to_plotly_json") and hasattr(thing, "to_image"):
        return _plotly(thing)
    for name, show in _SHOWN:
        found = getattr(thing, name, None)
        shown = found() if callable(found) else None
        if shown:
            return show(shown)
    raise TypeError(
        f"a deck cannot show a {type(thing).__name__}: give HTML as a string, Markdown with .markdown(), rows as a list of dicts,"
        " an image as bytes, a DataFrame or a figure"
    )


def _svg(text: str) -> str:
    return image(text.encode())


_SHOWN: Final[tuple[tuple[str, Callable[[Any], str]], ...]] = (
    ("_repr_png_", image),
    ("_repr_svg_", _svg),
    ("_repr_html_", str),
)
"""How an object represents itself in a notebook."""


def _plotly(figure: Any) -> str:
    try:
        return image(figure.to_image(format="svg"))
    except (ValueError, RuntimeError, ImportError) as error:
        # Plotly draws with a separate package, kaleido, which is often missing: then the numbers are better than nothing.
        reason = escape(str(error).strip().partition("\n")[0])
        traces = figure.to_plotly_json().get("data", [])
        return f"<p>This figure could not be drawn here ({reason}); its points:</p>" + "".join(
            _points(trace) for trace in traces
        )


def _points(trace: Mapping[str, Any]) -> str:
    axes = {name: list(trace[name])[:POINTS] for name in ("x", "y", "z") if name in trace}
    count = max((len(values) for values in axes.values()), default=0)
    rows = [
        {name: values[n] for name, values in axes.items() if n < len(values)} for n in range(count)
    ]
    title = escape(str(trace.get("name") or trace.get("type") or "trace"))
    return f"<h3>{title}</h3>{table(rows)}"
