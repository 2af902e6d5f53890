"""
The definition behind a Python name of a source tree, with everything that it refers to in the tree, as digests that tell whether it has changed.

Sources are parsed and never run. Comments, layout and docstrings do not count, and neither does the module that contains a function.

Rule 1: the signature of a task is what it takes and returns, with the fields of the classes involved: it decides whether a result is still valid.
Rule 2: the source of a task is everything that its body may reach by name: functions, classes and constants of the tree.
Rule 3: the source of a dynamic task is what determines its graph: of the tasks that it calls, only their signatures and options.
"""

import ast
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Final, NamedTuple

from tidegate.bundles.imports import parse
from tidegate.errors import CodeError

MAX_BYTES: Final = 2 * 1024 * 1024
"""Bytes of all modules that are read: some 50,000 lines, which take 2 s (measured: 1 MB/s). Beyond that, nothing is known."""

MAX_NAMES: Final = 20_000
"""Names that one definition may lead to."""

TASK, DYNAMIC, WORKFLOW = "task", "dynamic", "workflow"
MAKERS: Final = frozenset({TASK, DYNAMIC, WORKFLOW})
SIZE: Final = 16

WHOLE, CALL, SIGNATURE = "whole", "call", "signature"
"""How much of a definition counts: all of it; its signature and decorators; only its signature, or the fields of a class."""


class Definitions:
    """The definitions of one source tree. For one thread."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read = 0
        self._modules: dict[str, _Module | None] = {}

    def signature(self, target: str) -> bytes | None:
        """Return the digest of the signature of `module:name`; None if it is not known."""
        return self._digest(target, SIGNATURE)

    def source(self, target: str) -> bytes | None:
        """Return the digest of everything that `module:name` may reach; None if it is not known."""
        return self._digest(target, WHOLE)

    def _digest(self, target: str, much: str) -> bytes | None:
        module, _, name = target.partition(":")
        first, _, rest = name.partition(".")
        try:
            found = self._module(module)
            if found is None or first not in found.names:
                return None
            draws = DYNAMIC in found.makers(first)
            seen = set[_Wanted]()
            todo = [_Wanted(module, first, rest, much)]
            texts = set[str]()
            while todo:
                wanted = todo.pop()
                if wanted in seen or len(seen) > MAX_NAMES:
                    continue
                seen.add(wanted)
                for text, more in self._said(wanted, draws=draws):
                    texts.add(text)
                    todo += more
        except (CodeError, RecursionError, MemoryError):
            return None
        return blake2b("\0".join(sorted(texts - {""})).encode(), digest_size=SIZE).digest()

    def _said(self, wanted: "_Wanted", *, draws: bool) -> Iterator[tuple[str, Sequence["_Wanted"]]]:
        """Yield what defines a name, and the names that it refers to."""
        module = self._module(wanted.module)
        if module is None:
            return
        for statement in module.names.get(wanted.name, ()):
            match statement:
                case ast.Import() | ast.ImportFrom():
                    yield from self._imported(module, statement, wanted)
                    continue
                case _:
                    pass
            # The graph that a dynamic task builds contains nothing of a task's body.
            is_task = bool(module.makers(wanted.name) & {TASK, DYNAMIC})
            much = CALL if draws and is_task and wanted.referred else wanted.much
            nodes = [statement] if much == WHOLE else _signature_of(statement, much)
            refers = [
                _Wanted(
                    module.name, name, rest, WHOLE if much == WHOLE else SIGNATURE, referred=True
                )
                for node in nodes
                for name, rest in _names_in(node)
                if name in module.names or module.stars
            ]
            yield f"{wanted.name} {' '.join(map(ast.dump, nodes))}", refers
        if wanted.name not in module.names:
            for star in module.stars:
                yield (
                    "",
                    [_Wanted(star, wanted.name, wanted.rest, wanted.much, referred=True)],
                )

    def _imported(
        self, module: "_Module", statement: ast.Import | ast.ImportFrom, wanted: "_Wanted"
    ) -> Iterator[tuple[str, Sequence["_Wanted"]]]:
        """Yield where an imported name leads: into the tree, or out of it."""
        leads = list(_leads_to(module, statement, wanted))
        for dotted, name in leads:
            if self._module(dotted) is not None:
                first, _, rest = name.partition(".")
                yield "", [_Wanted(dotted, first, rest, wanted.much, referred=True)]
                return
        yield f"{wanted.name} {leads[-1:]}", []

    def _module(self, name: str) -> "_Module | None":
        if name not in self._modules:
            self._modules[name] = self._load(name)
        return self._modules[name]

    def _load(self, name: str) -> "_Module | None":
        parts = name.split(".")
        if not all(part.isidentifier() for part in parts):
            return None
        stem = self._root.joinpath(*parts)
        for path in (stem.with_name(f"{stem.name}.py"), stem / "__init__.py"):
            if path.is_file():
                self._read += path.stat().st_size
                if self._read > MAX_BYTES:
                    raise CodeError(f"{path}: too much source to compare")
                is_package = path.name == "__init__.py"
                return _Module(name, parse(path), is_package=is_package)
        return None


class _Wanted(NamedTuple):
    """A name of a module, how much of it is wanted, and whether another definition refers to it."""

    module: str
    name: str
    rest: str = ""
    much: str = WHOLE
    referred: bool = False


class _Module:
    """A module: the statements that bind each of its names, and the modules from which it imports everything."""

    def __init__(self, name: str, tree: ast.Module, *, is_package: bool) -> None:
        self.name = name
        self.package = name.split(".") if is_package else name.split(".")[:-1]
        _strip(tree)
        self._tree = tree

    @cached_property
    def names(self) -> dict[str, list[ast.stmt]]:
        found: dict[str, list[ast.stmt]] = {}
        for statement in _top(self._tree.body):
            for name in _bound(statement):
                found.setdefault(name, []).append(statement)
        return found

    @cached_property
    def stars(self) -> list[str]:
        return [
            ".".join(self.start_of(each))
            for each in _top(self._tree.body)
            if isinstance(each, ast.ImportFrom) and any(a.name == "*" for a in each.names)
        ]

    def start_of(self, statement: ast.ImportFrom) -> list[str]:
        """Return the module that an import refers to, from the root of the tree."""
        own = statement.module.split(".") if statement.module else []
        if not statement.level:
            return own
        return [*self.package[: len(self.package) - statement.level + 1], *own]

    def makers(self, name: str) -> set[str]:
        """Return which of `task`, `dynamic` and `workflow` decorate a function."""
        return {
            self._maker(decorator)
            for each in self.names.get(name, ())
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
            for decorator in each.decorator_list
        } & MAKERS

    def _maker(self, decorator: ast.expr) -> str:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(called, ast.Attribute):
            return called.attr
        if not isinstance(called, ast.Name):
            return ""
        for statement in self.names.get(called.id, ()):
            if isinstance(statement, ast.ImportFrom):
                return next(a.name for a in statement.names if (a.asname or a.name) == called.id)
        return called.id


def _leads_to(
    module: _Module, statement: ast.Import | ast.ImportFrom, wanted: _Wanted
) -> Iterator[tuple[str, str]]:
    """Yield the modules that an imported name may be or belong to, each with the name in it."""
    for alias in statement.names:
        if isinstance(statement, ast.Import):
            if (alias.asname or alias.name.partition(".")[0]) != wanted.name:
                continue
            # `import a.b` binds `a`, and `a.b.c` is a name of either.
            start = alias.name if alias.asname else wanted.name
            whole = [*start.split("."), *filter(None, wanted.rest.split("."))]
            for cut in range(len(whole) - 1, 0, -1):
                yield ".".join(whole[:cut]), ".".join(whole[cut:])
        elif (alias.asname or alias.name) == wanted.name:
            base = module.start_of(statement)
            if wanted.rest:
                yield ".".join([*base, alias.name]), wanted.rest
            yield ".".join(base), ".".join(filter(None, (alias.name, wanted.rest)))


def _top(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module, including those inside conditions, loops and `try`."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If | ast.For | ast.While | ast.With | ast.Try):
            for block in ("body", "orelse", "finalbody"):
                yield from _top(getattr(statement, block, ()))
            for handler in getattr(statement, "handlers", ()):
                yield from _top(handler.body)


def _bound(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement binds."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            for alias in names:
                yield alias.asname or alias.name.partition(".")[0]
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.Expr() | ast.Delete():
            for node in ast.walk(statement):
                match node:
                    case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                        yield name
                    case ast.Attribute(value=ast.Name(name), ctx=ast.Store()):
                        yield name
                    case ast.Subscript(value=ast.Name(name), ctx=ast.Store()):
                        yield name
                    case _:
                        pass
        case _:
            if type(statement).__name__ == "TypeAlias":
                yield statement.name.id  # type: ignore[attr-defined]  # from Python 3.12 on


def _signature_of(statement: ast.stmt, much: str) -> list[ast.AST]:
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            gives = [statement.returns] if statement.returns is not None else []
            options = statement.decorator_list if much == CALL else []
            return [*options, statement.args, *gives]
        case ast.ClassDef(bases=bases, keywords=keywords, decorator_list=decorators, body=body):
            methods = (ast.FunctionDef, ast.AsyncFunctionDef)
            fields = [each for each in body if not isinstance(each, methods)]
            return [*decorators, *bases, *keywords, *fields]
        case _:
            return [statement]


def _names_in(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield the names that a piece of source refers to, each with the attributes accessed on it."""
    todo = [node]
    while todo:
        each = todo.pop()
        path: list[str] = []
        chain = each
        while isinstance(chain, ast.Attribute):
            path.insert(0, chain.attr)
            chain = chain.value
        if isinstance(chain, ast.Name):
            yield chain.id, ".".join(path)
        for annotation in _annotations(each):
            yield from _quoted(annotation)
        todo += [chain] if path else ast.iter_child_nodes(each)


def _annotations(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.arg(annotation=found) | ast.FunctionDef(returns=found):
            pass
        case ast.AsyncFunctionDef(returns=found) | ast.AnnAssign(annotation=found):
            pass
        case _:
            return
    if found is not None:
        yield found


def _quoted(annotation: ast.expr) -> Iterator[tuple[str, str]]:
    """Yield the names in the quoted parts of an annotation."""
    for node in ast.walk(annotation):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            with suppress(SyntaxError, ValueError):
                yield from _names_in(ast.parse(node.value, mode="eval"))


def _strip(tree: ast.Module) -> None:
    """Remove the docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            match node.body:
                case [ast.Expr(value=ast.Constant(value=str())), *rest] if rest:
                    node.body = rest
                case _:
                    pass
