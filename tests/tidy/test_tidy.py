"""
Hold the code to the sizes and habits that CONTRIBUTING.md promises.

Method: read every file once, as text and as a syntax tree; collect all findings; fail with the list.
A limit that gets in the way is raised here, in a commit which says why.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "tidegate"
DEMO = SRC / "demo"
"""Programs as users write them, which `tidegate demo` registers: they are cargo of the package, and no part of its code."""
PLACES = ("src", "tests", "bench", "docs", "examples")
TEXTS = (".py", ".md", ".sql", ".toml", ".cfg", ".sh", "")

FILE_MAX, FUNCTION_MAX, PARAMETERS_MAX = 500, 60, 6
LONGER = {
    "tests/contract/test_loops.py": 540,  # one subject: each promise of a loop stands beside the loops it is told of
    "tests/simulation/promises.py": 620,  # one function a promise
    "tests/simulation/saboteurs.py": 720,  # one small function a planted bug
}
"""Files of tests that are lists, and stay one."""
BANNED = {
    "base",
    "common",
    "context",
    "data",
    "do",
    "helper",
    "helpers",
    "info",
    "manager",
    "misc",
    "util",
    "utils",
}
ALLOWED_NAMES = {
    "NodeBase": "the fields that every node has; never a type of its own",
    "_in_common": "an adverb",
    "current_context": "Flyte's name, for code that comes from there",
    "data_received": "asyncio's name for it",
}

SILENT = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}

# Spelled with brackets, so that this file does not find itself.
WORDS = {
    r"\b(TO[D]O|FIX[M]E|X{3}|HA[C]K)\b": "do it, or leave it",
    r"\b(issue|session|ticket)s? #?\d+": "the history is in git",
    r"(?<![\w.~\"'/])/(home|root|Users|work)/\w": "a path of somebody's machine",
    r"^\s*#\s?[-=#*]{8,}": "a banner",
}


def words_of(name: str) -> set[str]:
    """`parse_userInfo` -> {parse, user, info}."""
    return {w.lower() for w in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)}


def sources(*places: str) -> list[Path]:
    found = (p for place in places for p in (ROOT / place).rglob("*.py"))
    return sorted(p for p in found if not p.is_relative_to(DEMO))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def sizes(path: Path) -> Iterator[str]:
    text = path.read_text()
    tree = ast.parse(text)
    most = (
        LONGER.get(str(path.relative_to(ROOT)), FILE_MAX) if path.is_relative_to(ROOT) else FILE_MAX
    )
    if (lines := text.count("\n")) > most:
        yield f"{lines} lines; the limit is {most}: find the second idea in it"
    for node in functions(tree):
        size = (node.end_lineno or node.lineno) - node.lineno + 1
        if size > FUNCTION_MAX:
            yield f"{node.lineno}: {node.name} has {size} lines; the limit is {FUNCTION_MAX}"


def habits(path: Path) -> Iterator[str]:
    text = path.read_text()
    lines = text.splitlines()
    tree = ast.parse(text)
    if text.strip() and not ast.get_docstring(tree):
        yield "1: a module begins by saying what it is"
    for node in ast.walk(tree):
        match node:
            case ast.Global(names=names):
                yield f"{node.lineno}: global {', '.join(names)}"
            case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
                yield f"{node.lineno}: TYPE_CHECKING hides a cycle; move the type down a floor"
            case ast.ImportFrom(level=level) if level:
                yield f"{node.lineno}: a relative import"
            case ast.ImportFrom(module="tidegate"):
                for name in node.names:
                    if not (SRC / f"{name.name}.py").exists() and not (SRC / name.name).is_dir():
                        yield f"{node.lineno}: the inside does not import the façade"
            case _:
                pass
    for function in functions(tree):
        arguments = function.args
        count = len(arguments.posonlyargs + arguments.args + arguments.kwonlyargs)
        count -= bool(arguments.args and arguments.args[0].arg in ("self", "cls"))
        if count > PARAMETERS_MAX:
            yield f"{function.lineno}: {function.name} has {count} parameters"
        for inner in ast.walk(function):
            if isinstance(inner, ast.Import | ast.ImportFrom):
                around = "".join(lines[max(0, inner.lineno - 2) : inner.end_lineno])
                if "#" not in around:
                    yield f"{inner.lineno}: an import inside a function says why in a comment"


def names(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    found = [(1, path.stem)] + [
        (node.lineno, node.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    for line, name in found:
        bad = words_of(name) & BANNED
        if bad and name not in ALLOWED_NAMES:
            yield f"{line}: {name}: {', '.join(sorted(bad))} says nothing; say what it holds or does"


def wording(path: Path) -> Iterator[str]:
    for number, line in enumerate(path.read_text().splitlines(), 1):
        for pattern, why in WORDS.items():
            if re.search(pattern, line):
                yield f"{number}: {why}: {line.strip()[:80]}"


def report(check: object, paths: list[Path]) -> None:
    assert callable(check)
    assert paths, "no file was looked at"
    problems = [f"{path.relative_to(ROOT)}:{finding}" for path in paths for finding in check(path)]
    assert not problems, "\n" + "\n".join(problems)


def test_files_and_functions_are_short() -> None:
    report(sizes, sources(*PLACES))


def test_modules_say_what_they_are_and_hide_no_import() -> None:
    report(habits, sources("src"))


def test_names_say_what_a_thing_is() -> None:
    report(names, sources("src"))


def test_texts_hold_no_leftovers() -> None:
    listed = [p for place in PLACES for p in (ROOT / place).rglob("*") if p.is_file()]
    listed += [p for p in ROOT.iterdir() if p.is_file() and p.name not in ("LICENSE", ".git")]
    report(wording, sorted(p for p in listed if p.suffix in TEXTS and "results" not in p.parts))


def code_lines(text: str) -> int:
    """Count the lines that hold code: no blank lines, no comments, no docstrings."""
    held: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in SILENT:
            held.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                held.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
            case _:
                pass
    return len(held)


def test_only_code_counts() -> None:
    text = '"""M."""\n\n# why\nx = 1  # and this\n\n\ndef f():\n    """F."""\n    return (\n        1\n    )\n'

    assert code_lines(text) == 5


@pytest.mark.parametrize(
    ("check", "text", "finding"),
    [
        (sizes, '"""M."""\n' + "x = 1\n" * 500, "501 lines"),
        (sizes, '"""M."""\ndef f():\n' + "    x = 1\n" * 60, "f has 61 lines"),
        (habits, "x = 1\n", "saying what it is"),
        (habits, '"""M."""\ndef f():\n    global x\n', "global x"),
        (habits, '"""M."""\ndef f():\n    import json\n', "an import inside"),
        (habits, '"""M."""\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING: pass\n', "cycle"),
        (habits, '"""M."""\nfrom . import x\n', "relative"),
        (habits, '"""M."""\nfrom tidegate import task\n', "façade"),
        (habits, '"""M."""\ndef f(a, b, c, d, *, e, f, g): pass\n', "7 parameters"),
        (names, '"""M."""\nclass NodeManager: pass\n', "manager"),
        (names, '"""M."""\ndef string_utils(): pass\n', "utils"),
        (wording, "# TO" + "DO: later\n", "do it"),
        (wording, "see iss" + "ue 12\n", "git"),
        (wording, "# see /ho" + "me/me/x\n", "machine"),
    ],
)
def test_each_rule_finds_what_breaks_it(tmp_path: Path, check, text: str, finding: str) -> None:
    path = tmp_path / "thing.py"
    path.write_text(text)

    assert any(finding in found for found in check(path))
