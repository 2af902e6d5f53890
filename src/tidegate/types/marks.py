"""
Characters that are invisible, or that change how others are displayed, shown as marks: `U+202E` in special quotes, for
RIGHT-TO-LEFT OVERRIDE.

A person who decides by what a terminal or a page shows must see everything that is there, in its real order. Letters of scripts
written from right to left are text like any other, and so are line ends and tabs, emoji made of several characters, and the joiners
used to spell Arabic, Persian and the scripts of India. The page has the same rules (`ui/src/show/seen.ts`), and a test compares them.
"""

import re
from typing import Final

MARKED: Final = (
    # C0 and C1 without tab and newline; a carriage return before a newline is left to `marked`.
    "\x00-\x08\x0b-\x1f\x7f-\x9f"
    # Soft hyphen, combining grapheme joiner, Arabic letter mark, fillers of Hangul, inherent vowels of Khmer, Mongolian separators.
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u3164\uffa0"
    # Zero width space, direction marks, separators of lines and paragraphs, embeddings and overrides.
    "\u200b\u200e\u200f\u2028-\u202e"
    # Word joiner, invisible operators, isolates, what is deprecated; byte order mark; annotations.
    "\u2060-\u206f\ufeff\ufff0-\ufffb"
    # Half of a pair of UTF-16, invisible notes of music.
    "\ud800-\udfff\U0001d173-\U0001d17a"
    # Tags, and everything else in their plane that is invisible and not a variation selector.
    "\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
"""What is always a mark, as the inside of a regular expression's character class."""

_JOINERS: Final = "\u200c\u200d"
_SELECTORS: Final = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_JOINING: Final = (
    "\u0620-\u08ff\u0900-\u0dff\u0f00-\u0fff\u1000-\u109f\u1780-\u17b3\u17b6-\u17ff\u1800-\u180d\u180f-\u18af\u1900-\u1cff"
    "\ua800-\uabff\ufb50-\ufdff\ufe70-\ufefc\U00010a00-\U00010eff\U00011000-\U00011fff\U0001e900-\U0001e95f"
)
"""Arabic and Syriac, the scripts of India and their relatives, Mongolian, N'Ko, Adlam: letters affected by joiners."""
_HALVING: Final = "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca"
"""Viramas: a joiner after one requests a half form, whatever follows."""
_PICTURES: Final = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001faff"
)
_TRAILING: Final = "\ufe0f\U0001f3fb-\U0001f3ff"
"""What may come between a pictograph and the joiner after it."""
_IDEOGRAPHS: Final = (
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff\u1820-\u18af\u2010-\u29ff"
)

# A joiner is valid if both sides can be joined; a variation selector if it is single and follows a character with variants.
_JOINS: Final = (
    f"(?<=[{_HALVING}])[{_JOINERS}]"
    f"|(?<=[{_JOINING}])[{_JOINERS}](?=[{_JOINING}])"
    f"|(?<=[{_PICTURES}{_TRAILING}])\u200d(?=[{_PICTURES}])"
)
_SELECTS: Final = (
    f"(?<=[{_PICTURES}{_IDEOGRAPHS}])[\ufe00-\ufe0f]"
    "|(?<=[0-9#*])\ufe0f(?=\u20e3)"
    f"|(?<=[{_IDEOGRAPHS}])[\U000e0100-\U000e01ef]"
)
_SEEN: Final = f"(?P<seen>{_JOINS}|{_SELECTS})"
_PATTERN: Final = f"{_SEEN}|[{MARKED}{_JOINERS}{_SELECTORS}]"


def marked(text: str) -> str:
    """Return a text in which everything is visible. It takes one pass, in linear time."""
    if text.isascii() and text.isprintable():
        return text
    return re.sub(_PATTERN, _mark, text.replace("\r\n", "\n"))


def escaped(text: str) -> str:
    """Return JSON text in which everything is visible, as escapes for the same characters."""
    return re.sub(_PATTERN, _escape, text)


def mark_of(letter: str) -> str:
    """Return the mark of a character."""
    # These quotes have no meaning in Markdown, HTML or a shell.
    return f"‹U+{ord(letter):04X}›"  # noqa: RUF001


def _mark(found: re.Match[str]) -> str:
    return found[0] if found["seen"] else mark_of(found[0])


def _escape(found: re.Match[str]) -> str:
    if found["seen"]:
        return found[0]
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
