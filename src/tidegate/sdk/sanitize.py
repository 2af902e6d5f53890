"""
Sanitizes the author's HTML for a deck: it runs nothing and loads nothing, wherever the page is opened.

Only known elements and attributes pass, and they are serialized again, so that a browser parses exactly what was checked here: every `<` belongs to a tag
written by this module. What loads from elsewhere, runs, or navigates is dropped and listed; the contents of such an element are kept
if they are text, and invisible characters in them are marked. The parser is libxml2's, event by event: it builds no tree, so the time is linear, and no nesting is too deep.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from html import escape
from importlib import import_module
from typing import Any, Final

from tidegate.types.marks import marked


def _named(words: str) -> frozenset[str]:
    return frozenset(words.split())


_TEXT: Final = _named(
    "a abbr address article aside b bdi bdo blockquote br caption center cite code col colgroup data dd del details dfn div dl dt em"
    " figcaption figure font footer h1 h2 h3 h4 h5 h6 header hgroup hr i img ins kbd li main mark meter nav ol p pre progress q rp rt"
    " ruby s samp section small span strong sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr style"
)
_DRAWN: Final = _named(
    "svg g path rect circle ellipse line polyline polygon text tspan defs marker lineargradient radialgradient stop clippath symbol use mask pattern"
)
_KNOWN: Final = _TEXT | _DRAWN
_SILENT: Final = _named("html head body")
"""What a deck already has around it."""
_VOID: Final = _named("br col hr img wbr")
_UNSHOWN: Final = _named("script template noscript title textarea xmp noembed noframes")
"""Dropped with their contents."""

_PLAIN: Final = _named(
    "abbr align alt bgcolor border cellpadding cellspacing class color cols colspan datetime dir face headers height high id lang low max min"
    " nowrap open optimum reversed role rows rowspan rules scope size span start style summary tabindex title type valign value width"
)
_OF_DRAWN: Final = _named(
    "clip-path clip-rule clippathunits cx cy d dx dy dominant-baseline fill fill-opacity fill-rule font-family font-size font-style font-weight fx fy"
    " gradienttransform gradientunits letter-spacing marker-end marker-mid marker-start markerheight markerunits markerwidth mask offset opacity"
    " orient patterntransform patternunits points preserveaspectratio r refx refy rx ry shape-rendering spreadmethod stop-color stop-opacity stroke"
    " stroke-dasharray stroke-dashoffset stroke-linecap stroke-linejoin stroke-miterlimit stroke-opacity stroke-width text-anchor text-rendering"
    " transform vector-effect version viewbox visibility word-spacing x x1 x2 xmlns y y1 y2"
)
_SPELLED: Final = {
    each.lower(): each
    for each in _named(
        "clipPath clipPathUnits gradientTransform gradientUnits linearGradient radialGradient markerHeight markerUnits markerWidth"
        " patternTransform patternUnits preserveAspectRatio refX refY spreadMethod viewBox"
    )
}
"""HTML ignores case, SVG does not."""

_PICTURES: Final = tuple(f"data:image/{kind}" for kind in ("png", "jpeg", "gif", "webp", "svg+xml"))
_LEADS: Final = ("http://", "https://", "mailto:", "#")
_UNLISTED: Final = _named("target rel loading decoding srcset sizes")
"""Attributes that nobody misses: a dropped address is listed anyway."""
_LOADING: Final = ("url(", "@import", "image-set(", "src(")
_WITHIN: Final = ("url(#", "url('#", 'url("#', "url(data:", "url('data:", 'url("data:')

LISTED: Final = 20
"""Kinds of dropped things that a page names."""
LONG: Final = 60
"""Characters of each."""


class Sanitized:
    """The sanitized HTML, and how many times each thing was dropped."""

    def __init__(self, html: str, dropped: Mapping[str, int]) -> None:
        self.html = html
        self.dropped = dropped

    @property
    def note(self) -> str:
        """Say what was dropped, as HTML; empty if nothing was."""
        names = [
            f"<code>{escape(marked(name))}</code>{f' ({count:,} times)' if count > 1 else ''}"
            for name, count in list(self.dropped.items())[:LISTED]
        ]
        more = len(self.dropped) - len(names)
        names += [f"and {more:,} more"] if more > 0 else []
        said = "Left out, because a deck runs nothing and loads nothing"
        return f'<p class="dropped">{said}: {", ".join(names)}</p>' if names else ""


def sanitize(html: str) -> Sanitized:
    """Return HTML that runs nothing and loads nothing, and what was dropped."""
    writer = _Writer()
    read(html, writer)
    return Sanitized("".join(writer.parts), writer.dropped)


def read(html: str, target: Any) -> None:
    """Call `target` (`start`, `end`, `text`) for every element and text of a page, in order. Broken HTML is parsed roughly as browsers do."""
    # Loaded here: few tasks make decks, and `import tidegate` must stay light.
    etree = import_module("lxml.etree")
    # What UTF-8 cannot encode, and NUL, do not belong in a page.
    text = html.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    parser = etree.HTMLParser(target=_Closing(target), huge_tree=True)
    # One root, so that text before the first tag is not moved.
    parser.feed("<html><body>")
    parser.feed(text)
    parser.close()


class _Closing:
    """A target in the form that lxml expects."""

    def __init__(self, target: Any) -> None:
        self.start: Callable[[str, Mapping[str, str]], None] = target.start
        self.end: Callable[[str], None] = target.end
        self.data: Callable[[str], None] = target.text

    def close(self) -> None:
        """End; there is nothing to return."""


class _Writer:
    """Writes what may stay."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.dropped: Counter[str] = Counter()
        self._silenced = 0
        """Open elements that are dropped with their contents."""
        self._styles = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Start an element."""
        name = tag.lower()
        if name in _SILENT:
            return
        self._silenced += name in _UNSHOWN
        source = (attributes.get("src") or "").strip()
        if name not in _KNOWN or (name == "img" and not source.lower().startswith(_PICTURES)):
            self._drop(f"<{name}{f' src={source}' if source else ''}>")
        elif not self._silenced:
            self._styles += name == "style"
            self.parts.append(f"<{_SPELLED.get(name, name)}{self._attributes(name, attributes)}>")

    def end(self, tag: str) -> None:
        """End an element."""
        name = tag.lower()
        self._silenced -= name in _UNSHOWN
        if not self._silenced and name in _KNOWN and name not in _VOID:
            self._styles -= name == "style"
            self.parts.append(f"</{_SPELLED.get(name, name)}>")

    def text(self, text: str) -> None:
        """Take text."""
        if not self._silenced:
            self.parts.append(
                self._style(text) if self._styles else escape(marked(text), quote=False)
            )

    def _drop(self, what: str) -> None:
        self.dropped[what if len(what) <= LONG else f"{what[:LONG]}…"] += 1

    def _attributes(self, name: str, attributes: Mapping[str, str]) -> str:
        written = []
        for key, given in attributes.items():
            attribute, value = key.lower(), given or ""
            if _may_stay(name, attribute, value.strip().lower()):
                if attribute == "style" or attribute in _OF_DRAWN:
                    value = self._style(value)
                written.append(f' {_SPELLED.get(attribute, attribute)}="{escape(marked(value))}"')
            elif attribute not in _UNLISTED:
                self._drop(f"{attribute}={value}")
        return "".join(written)

    def _style(self, text: str) -> str:
        """Return CSS that loads nothing, although the policy of the page forbids that too."""
        low = text.lower()
        loads = sum(low.count(each) for each in _LOADING)
        if loads > sum(low.count(each) for each in _WITHIN) or "\\" in low:
            self._drop("CSS that loads something, or is written in escapes")
            return ""
        return text.replace("<", "\\3c ")


def _may_stay(name: str, attribute: str, value: str) -> bool:
    match attribute:
        case "src":
            return name == "img"  # which has been checked
        case "href" | "xlink:href":
            return value.startswith(_LEADS if name == "a" else "#")
        case _ if attribute.startswith(("data-", "aria-")):
            return attribute.isascii() and attribute.replace("-", "").isalnum()
        case _:
            return attribute in _PLAIN or (name in _DRAWN and attribute in _OF_DRAWN)
