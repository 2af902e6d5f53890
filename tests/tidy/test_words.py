"""
One word, one meaning: no two public classes share a name, and words that mean a dozen things are not names.

Method: read every module of the package as a syntax tree.
"""

import ast
from collections import defaultdict
from pathlib import Path

from tests.tidy.test_tidy import ROOT, SRC, sources, words_of

VAGUE = {"place", "places", "desk"}
"""Each of these once meant twelve things here: a project, a position, a directory, a path, a key, to add, to hand out."""

ALLOWED_NAMES: dict[str, str] = {}
"""Names with such a word, and why."""

ALLOWED_TWICE: dict[str, str] = {}
"""Public classes of one name, and why that is one meaning."""

OTHERS = ("executors",)
"""Rooms that are being rewritten from the inside, with names of their own until then."""


def rooms() -> list[Path]:
    return [path for path in sources("src") if path.relative_to(SRC).parts[0] not in OTHERS]


def test_no_two_public_classes_have_one_name() -> None:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in rooms():
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(str(path.relative_to(ROOT)))
    twice = {name: paths for name, paths in found.items() if len(paths) > 1}

    assert twice.keys() == ALLOWED_TWICE.keys(), twice


def test_no_name_is_a_word_of_a_dozen_meanings() -> None:
    found = []
    for path in rooms():
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case (
                    ast.FunctionDef(name=name)
                    | ast.AsyncFunctionDef(name=name)
                    | ast.ClassDef(name=name)
                ):
                    names = [name]
                case ast.Name(id=name) | ast.arg(arg=name) | ast.Attribute(attr=name):
                    names = [name]
                case _:
                    continue
            found += [
                f"{path.relative_to(ROOT)}:{node.lineno}: {name}"
                for name in names
                if words_of(name) & VAGUE and name not in ALLOWED_NAMES
            ]

    assert not found, "\n" + "\n".join(found)
