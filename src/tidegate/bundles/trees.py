"""
Which modules to register, and with which source: from files, packages and directories.

Rule 1: a file brings what belongs to its source (see `sources`); a package and a directory what belongs to the modules in it.
Rule 2: below a directory, a module counts if it makes a workflow: with `@workflow`, or by calling `Workflow(...)`.
Rule 3: everything in one tree is packed once.
"""

import ast
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct, structs

from tidegate.bundles.sources import Sources, find_root, find_sources, gather, tree_files
from tidegate.errors import CodeError

MAKERS = frozenset({"workflow", "Workflow", "ImperativeWorkflow"})


class Tree(Struct, frozen=True):
    """A source tree, and those of its modules that are to be registered."""

    sources: Sources
    modules: tuple[str, ...]


def find_trees(
    paths: Sequence[Path], only: Sequence[Path] = (), include: Sequence[Path] = ()
) -> list[Tree]:
    """
    Return the source trees of files and directories. `only` restricts what travels with single files, `include` adds to it, as in `find_sources`.

    Errors: `CodeError` if a path cannot be read, or contains no workflow.
    """
    found: dict[Path, Tree] = {}
    for path in paths:
        tree = _of_directory(path, include) if path.is_dir() else _of_file(path, only, include)
        there = found.get(tree.sources.root)
        found[tree.sources.root] = tree if there is None else _joined(there, tree)
    return list(found.values())


def find_module(
    module: str, directory: Path, only: Sequence[Path] = (), include: Sequence[Path] = ()
) -> Sources:
    """
    Return the source tree of a module, by its dotted name, as it stands in a directory or, if that is within its package, around it.

    Errors: `CodeError` if it is not there, or as of `find_sources`.
    """
    parts = module.split(".")
    for skipped in range(len(parts)):
        stem = directory.joinpath(*parts[skipped:])
        for file in (stem.with_name(f"{stem.name}.py"), stem / "__init__.py"):
            if not file.is_file():
                continue
            if find_root(file)[1] == module:
                return find_sources(file, only, include=include)
            if not skipped and not only:
                # A tree that was registered as a directory: its folders need not be packages.
                root = directory.resolve()
                return gather(root, [file.relative_to(directory).as_posix()], module, include)
    raise CodeError(
        f"module {module!r} is not in {directory}: go to the directory of its code, or register it and name the version"
    )


def _of_file(file: Path, only: Sequence[Path], include: Sequence[Path]) -> Tree:
    sources = find_sources(file, only, include=include)
    return Tree(sources, (sources.module,))


def _of_directory(directory: Path, include: Sequence[Path]) -> Tree:
    top = directory.resolve()
    root = top
    while (root / "__init__.py").is_file() and root != root.parent:
        root = root.parent
    modules = {
        name: module
        for name in tree_files(root)
        if (root / name).is_relative_to(top) and (module := _module(root, name))
    }
    if not modules:
        raise CodeError(f"{directory}: no file below it makes a workflow with @workflow")
    named = tuple(modules.values())
    return Tree(gather(root, tuple(modules), named[0], include), named)


def _module(root: Path, name: str) -> str:
    """Return the dotted name of a file that makes a workflow; empty if it makes none, or cannot be imported."""
    if not name.endswith(".py") or not _makes_workflows(root / name):
        return ""
    parts = name.removesuffix(".py").removesuffix("/__init__").split("/")
    return "" if any("." in part for part in parts) else ".".join(parts)


def _makes_workflows(file: Path) -> bool:
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError):
        return False
    if "workflow" not in text.lower():
        return False
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        # Registering it will report what is wrong.
        return "@workflow" in text
    return any(_makes(node) for node in ast.walk(tree))


def _makes(node: ast.AST) -> bool:
    match node:
        case ast.FunctionDef(decorator_list=marks) | ast.AsyncFunctionDef(decorator_list=marks):
            return any(_name(mark) in MAKERS for mark in marks)
        case ast.Call(func=called):
            return _name(called) in MAKERS - {"workflow"}
        case _:
            return False


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=called):
            return _name(called)
        case _:
            return ""


def _joined(one: Tree, other: Tree) -> Tree:
    files = tuple(sorted({*one.sources.files, *other.sources.files}))
    sources = structs.replace(one.sources, files=files, note=one.sources.note or other.sources.note)
    return Tree(sources, tuple(dict.fromkeys((*one.modules, *other.modules))))
