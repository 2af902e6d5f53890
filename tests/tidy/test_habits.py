"""
Plain English: the habits that make a text read as a translation are found, and refused with what to write instead.

Method: read each file as running text (wrapped lines joined, comment marks and quotes dropped, `test_names_like_this` split into words) and
search it for a list of phrases. There is no list of exceptions: a sentence that trips over a phrase is written in another way.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.tidy.test_tidy import ROOT

COVERED = (
    "src/tidegate",
    "ui/src",
    "docs",
    "tests",
    "bench",
    "examples",
    "README.md",
    "CHANGELOG.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
)
"""Files and directories that are held to this."""

FOREIGN = (
    "src/tidegate/_ui",
    "src/tidegate/demo",
    "tests/e2e/flyte_docs",
    "tests/e2e/seed_page.py",
    "src/tidegate/stores/sqlite/migrations",
    "tests/tidy/test_habits.py",
)
"""Built output, programs as other people write them, migrations, which are never edited once they are released, and this file."""

TEXTS = {".css", ".html", ".md", ".py", ".sql", ".ts", ".tsx"}

# Each phrase is spelled with a bracket, so that this file does not find itself.
HABITS = {
    r"[w]hoever": "who, the caller, the client, anyone who",
    r"any [m]ore(?! \w+ than)": "no longer",
    r"for [e]ver": "forever, without limit",
    r"so [m]any(?! \w+ that)": "this many, or the number",
    r"(?<!there )(?:is|are|was|were) [n]o (?!longer|more|less|matter|one\b|\w+er than)[a-z]+": "is not a",
    r"how [o]ften": "how many times",
    r"(?:com(?:e|es|ing)|came|seen) to (?:its|their) [e]nd": "ends, completes",
    r"told [a]like": "get the same reply",
    r"a [l]ook(?! at\b|-)": "a preview, a read",
    r"[m]end(?:s|ed|ing)?": "fix",
    r"nobody is [k]nown": "authentication required",
    r"as of (?:now|`|above|its|the|a) ?[^0-9]": "name what it is like: the same as, see",
    r"(?:[h]e|[h]im|[h]is|[h]imself)": "they, the caller",
    r"(?:[n]ursery|[m]ourn(?:s|ed|er|ing)?|[d]eafen(?:s|ed)?|[p]remises|[u]ndertaker|[c]radle)": "the field's word",
    r"[b]ears?(?! with)": "has, holds",
    r"in [v]ain": "without effect",
    r"[a]new": "again",
    r"in the [m]aking": "being built",
    r"put(?:s|ting)? (?:it |this |that |something )?[r]ight": "fix, correct",
    r"hand(?:s|ed|ing)? (?:it |them )?[o]n": "pass on, return",
    r"look(?:s|ed|ing)? [w]hether": "check whether",
    r"not [w]hole(?!:|\[)": "incomplete",
    r"go(?:es|ing)? on [w]ith": "continue",
    r"of its [o]wn bug|bug of its [o]wn": "an internal error",
}
"""A phrase, as a regular expression between word boundaries -> what to write instead."""

FOUND = re.compile(r"\b(?:" + "|".join(f"(?:{habit})" for habit in HABITS) + r")\b", re.IGNORECASE)
JOINT = re.compile(r"[ \t]*\n[ \t]*(?:#|//|\*|--|>|[fr]?[\"'`](?!\"))?[ \t]*|_")
"""What stands between two words of one sentence: the end of a line with the marks of the next, or an underscore."""


def running(text: str) -> tuple[str, list[int]]:
    """Return a text with its lines joined, and for each character its line in the file."""
    out, lines, at, line = [], [], 0, 1
    for joint in JOINT.finditer(text):
        plain = (
            text[at : joint.start()].rstrip(" \"'")
            if "\n" in joint[0]
            else text[at : joint.start()]
        )
        out.append(plain + " ")
        lines += [line] * (len(plain) + 1)
        line += joint[0].count("\n")
        at = joint.end()
    out.append(text[at:])
    lines += [line] * (len(text) - at + 1)
    return "".join(out), lines


def habits(path: Path) -> Iterator[str]:
    text, lines = running(path.read_text())
    for hit in FOUND.finditer(text):
        instead = next(
            better
            for habit, better in HABITS.items()
            if re.fullmatch(rf"(?:{habit})", hit[0], re.IGNORECASE)
            or re.match(rf"\b(?:{habit})\b", text[hit.start() :], re.IGNORECASE)
        )
        around = text[max(0, hit.start() - 30) : hit.end() + 30]
        yield f"{path.relative_to(ROOT)}:{lines[hit.start()]}: {around!r}: write {instead}"


def covered() -> list[Path]:
    found: set[Path] = set()
    for name in COVERED:
        place = ROOT / name
        found |= {place} if place.is_file() else {p for p in place.rglob("*") if p.suffix in TEXTS}
    foreign = [ROOT / name for name in FOREIGN]
    return sorted(p for p in found if not any(p.is_relative_to(f) for f in foreign))


@pytest.mark.parametrize("room", COVERED)
def test_a_text_reads_as_plain_english(room: str) -> None:
    found = [
        line for path in covered() if path.is_relative_to(ROOT / room) for line in habits(path)
    ]

    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "# Who[e]ver asks is served.",
        "it does not run any [m]ore",
        "a line is [n]o promise",
        '    "the file is "\n    "[n]o store"\n',
        "# this is\n# [n]o test",
        "def test_it_is_[m]ended(): ...",
        "At most so [m]any.",
        "the user and [h]is token",
    ],
)
def test_each_habit_is_found_across_lines_and_in_names(text: str, tmp_path: Path) -> None:
    joined, _ = running(re.sub(r"\[(\w)\]", r"\1", text))

    assert FOUND.search(joined), joined


@pytest.mark.parametrize(
    "text",
    [
        "there is no store",
        "it is no longer used",
        "this is history",
        "it is not a path",
        "it was so many bytes that it failed",
    ],
)
def test_plain_english_passes(text: str) -> None:
    assert not FOUND.search(text)
