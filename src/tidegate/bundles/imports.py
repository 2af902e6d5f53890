"""
What Python source imports: the files beside it, and the names of other modules.

Sources are read and never run. Every import counts; one whose failure is expected is not required.
"""

import ast
import tokenize
from collections.abc import Iterator, Sequence
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Final, NamedTuple

from tidegate.errors import CodeError

EXPECTED: Final = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
"""Code that catches one of these expects that an import fails."""


class Imports(NamedTuple):
    """Files, by their names under the root; the dotted names of what they import from elsewhere; and which of these are required."""

    files: set[str]
    names: set[str]
    needed: set[str]


def imports_of(root: Path, file: Path) -> Imports:
    """
    Return a file with all local modules it imports, directly or not, and what else these import.

    The file may be given as Python names it: without a suffix, or as the directory of a package. Errors: `CodeError`.
    """
    if not file.suffix:
        plain = file.with_suffix(".py")
        file = plain if plain.is_file() else file / "__init__.py"
    found = Imports(set(), set(), set())
    _follow(root, file, found)
    return found


def imported(root: Path, file: Path) -> set[str]:
    """Return a file and all local modules it imports, directly or not, by their names under the root. Errors: `CodeError`."""
    found = Imports(set(), set(), set())
    _follow(root, file, found)
    return found.files


def _follow(root: Path, file: Path, found: Imports) -> None:
    todo = [file]
    while todo:
        path = todo.pop()
        name = path.relative_to(root).as_posix()
        if name in found.files:
            continue
        found.files.add(name)
        for package in path.relative_to(root).parents:
            marker = root / package / "__init__.py"
            if package.parts and marker.is_file():
                todo.append(marker)
        if path.suffix != ".py":
            continue
        try:
            tree = parse(path)
        except CodeError:
            if path == file:
                raise
            continue  # importing this module will report what is wrong with it, if that happens
        for dotted, needed in _imports(tree, path.relative_to(root)):
            local = list(_module_files(root, dotted))
            todo.extend(local)
            if not local and dotted:
                found.names.add(".".join(dotted))
                if needed:
                    found.needed.add(".".join(dotted))


def parse(path: Path) -> ast.Module:
    """Return the text of a file. Errors: `CodeError`."""
    try:
        with tokenize.open(path) as text:
            return ast.parse(text.read(), filename=str(path))
    except SyntaxError as error:
        where = f", line {error.lineno}" if error.lineno else ""
        raise CodeError(f"{path.name}{where}: SyntaxError: {error.msg}") from None
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise CodeError(f"{path}: cannot be read: {reason(error)}") from None


def reason(error: Exception) -> str:
    """Return why a file cannot be used, in words."""
    return getattr(error, "strerror", None) or str(error)


def _imports(tree: ast.Module, where: Path) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield what is imported, and whether it is required."""
    package = where.parent.parts
    todo: list[tuple[ast.AST, bool]] = [(tree, True)]
    while todo:
        node, needed = todo.pop()
        todo.extend(_below(node, needed=needed))
        match node:
            case ast.Import(names=names):
                yield from ((tuple(alias.name.split(".")), needed) for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = package[: len(package) - level + 1] if level else ()
                dotted = (*base, *(module.split(".") if module else ()))
                yield dotted, needed
                yield from (((*dotted, alias.name), needed) for alias in names)
            case ast.Call(
                func=ast.Name("__import__") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(str(name))],
            ):
                yield tuple(name.split(".")), needed
            case _:
                pass


def _below(node: ast.AST, *, needed: bool) -> Iterator[tuple[ast.AST, bool]]:
    """Yield the direct children of a node, and whether their imports are required."""
    expected: Sequence[ast.AST] = ()
    match node:
        case ast.Try(body=body, handlers=handlers) if any(map(_expects, handlers)):
            expected = [*body, *handlers]
        case ast.With(items=items, body=body) if any(_suppresses(each) for each in items):
            expected = body
        case ast.If(test=test, body=body) if any(_asks(each) for each in ast.walk(test)):
            expected = body
        case _:
            pass
    lenient = set(map(id, expected))
    for each in ast.iter_child_nodes(node):
        yield each, needed and id(each) not in lenient


def _asks(test: ast.AST) -> bool:
    """Whether a condition may exclude importing here: a script's own part, a type checker's, or a check for existence."""
    return isinstance(test, ast.expr) and _last(test) in {"TYPE_CHECKING", "__name__", "find_spec"}


def _expects(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or _names_one(handler.type)


def _suppresses(item: ast.withitem) -> bool:
    call = item.context_expr
    return (
        isinstance(call, ast.Call)
        and _last(call.func) == "suppress"
        and any(map(_names_one, call.args))
    )


def _names_one(caught: ast.expr) -> bool:
    each = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(_last(one) in EXPECTED for one in each)


def _last(name: ast.expr) -> str:
    match name:
        case ast.Name(last) | ast.Attribute(attr=last):
            return last
        case _:
            return ""


def _module_files(root: Path, dotted: tuple[str, ...]) -> Iterator[Path]:
    for depth in range(1, len(dotted) + 1):
        path = root.joinpath(*dotted[:depth])
        ends = (".py", *EXTENSION_SUFFIXES)
        for candidate in (*(path.with_name(path.name + end) for end in ends), path / "__init__.py"):
            if candidate.is_file():
                yield candidate
