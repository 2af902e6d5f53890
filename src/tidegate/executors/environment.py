"""
What a bundle's code imports from outside: the interpreter, distributions, and files that belong to no distribution.

It is recorded when a workflow is registered, by the worker that has imported it, and compared by each worker that imports the code later.

Rule 1: a module counts if a module of the bundle leads to it: by a reference in what is loaded, or by an import in a source, also one inside a function.
Rule 2: Tidegate and Python's own library do not count: the one keeps its own promises, the other is the interpreter.
Rule 3: nothing is imported to find out. Modules that are not loaded are looked up, and the requirements of a distribution count too.
"""

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, Final

import msgspec
from msgspec import Struct

from tidegate.bundles.imports import imports_of
from tidegate.errors import CodeError, StoreError, UnknownBlob
from tidegate.executors.installed import Installed
from tidegate.ports.blobs import Blobs

MOST_TOLD: Final = 5
"""Differences that are reported; the first ones show what has happened."""

UNREADABLE: Final = "what was recorded then is missing or damaged"
"""Used instead of differences: there may be some."""

_OWN: Final = frozenset({*sys.stdlib_module_names, "tidegate", "__main__"})


class Environment(Struct, frozen=True):
    """
    What the code of `module` imports; `modules` are those of the bundle that it consists of.

    `distributions` gives version and digest, `files` the digest of each module outside distributions, `absent` what is imported and was not found.
    `needed` are the imported modules that must exist, and `required` the distributions that those require without being imported at once.
    """

    module: str
    modules: tuple[str, ...]
    python: str
    distributions: dict[str, tuple[str, str]]
    files: dict[str, str]
    absent: tuple[str, ...]
    needed: tuple[str, ...] = ()
    required: tuple[str, ...] = ()

    def encoded(self) -> bytes:
        """Return it as bytes; equal records give equal bytes."""
        return msgspec.json.encode(self, order="sorted")


class _Found:
    """Intermediate results of the search."""

    def __init__(self, source: str) -> None:
        self.installed = Installed(sys.path)
        self.distributions: dict[str, tuple[str, str]] = {}
        self.files: dict[str, str] = {}
        self.absent: set[str] = set()
        self._source = f"{source.rstrip('/')}/"

    def add_loaded(self, roots: Iterable[str]) -> None:
        """Add everything that loaded modules lead to."""
        owners: dict[str, str | None] = {}
        for name, module in _reached(roots).items():
            file = _file(module)
            if file is None or file.startswith(self._source):
                continue
            top = _file(sys.modules.get(name.partition(".")[0]))
            # For a package one file represents all; for a namespace, which spans several distributions, one per directory.
            asked = os.path.dirname(file) if top is None else top  # noqa: PTH120 - hundreds of modules in milliseconds
            if asked not in owners:
                owners[asked] = self.installed.owner(top or file)
            self._add(name, file, owners[asked])

    def add_named(self, names: Iterable[str]) -> None:
        """Add what is imported by name, and not loaded."""
        todo, done = list(names), set[str]()
        while todo:
            name = todo.pop()
            top = name.partition(".")[0]
            if name in done or top in _OWN:
                continue
            done.add(name)
            module, file = _find(name)
            if file is None:
                if module == "":
                    self.absent.add(top)
                continue
            if module in sys.modules or module in self.files or file.startswith(self._source):
                continue
            owner = self.installed.owner(file)
            self._add(module, file, owner)
            if owner is None:
                todo.extend(self._add_closure(module, Path(file)))
            else:
                for each in self.installed.required(owner):
                    self._add("", "", each)

    def needed(self, names: Iterable[str]) -> tuple[set[str], set[str]]:
        """Return which modules with a file must exist for these names, and which distributions those require that are not loaded."""
        modules, distributions = set[str](), set[str]()
        for name in names:
            module, file = ("", None) if name.partition(".")[0] in _OWN else _find(name)
            if file is None or file.startswith(self._source):
                continue
            modules.add(module)
            owner = None if module in sys.modules else self.installed.owner(file)
            if owner is not None:
                distributions |= self.installed.required(owner)
        return modules, distributions

    def _add_closure(self, module: str, file: Path) -> Iterator[str]:
        """Add the modules outside distributions that one of them consists of; yield what else they import."""
        depth = module.count(".") + (file.stem == "__init__")
        root = file.parents[depth]
        with suppress(CodeError):  # importing it reports that
            found = imports_of(root, file)
            for name in found.files:
                path = root / name
                self._add(_module_of(name), str(path), self.installed.owner(str(path)))
            yield from found.names

    def _add(self, module: str, file: str, owner: str | None) -> None:
        if owner is None:
            self.files[module] = _digest(file)
        elif owner not in self.distributions:
            self.distributions[owner] = self.installed.version(owner)


class Environments:
    """What one worker imports, recorded as blobs, and compared with such records."""

    def __init__(self, blobs: Blobs, source: str) -> None:
        self.recorded: dict[str, str] = {}
        """The blob of each module that was recorded."""
        self._blobs = blobs
        self._source = source
        self._compared: dict[str, str] = {}
        self._read: dict[str, Environment | None] = {}
        self._lacking: dict[str, str] = {}

    def record(self, module: str) -> None:
        """Record what a loaded module imports; if that cannot be stored, nothing is known of it."""
        with suppress(CodeError, StoreError, OSError):
            found = observe(module, self._source)
            self.recorded[module] = self._blobs.put([found.encoded()])

    def differ(self, recorded: str) -> str:
        """Return what differs here from a record, in words, as on the first call; empty if nothing does, or there is no record."""
        if recorded not in self._compared:
            self._compared[recorded] = self._look(recorded) if recorded else ""
        return self._compared[recorded]

    def lacks(self, recorded: str) -> str:
        """Return what is missing here, in words; empty if nothing is, or there is no record. Each module that is not loaded is looked up each time."""
        known = self._recorded(recorded) if recorded else None
        if known is None:
            return ""
        gone = [name for name in known.needed if name not in sys.modules and not _is_there(name)]
        if gone:
            return f"module {gone[0]}, which the code imports, is missing: restore it"
        if recorded not in self._lacking:
            installed = Installed(sys.path)
            lost = [name for name in known.required if not installed.has(name)]
            self._lacking[recorded] = (
                f"{lost[0]}, required by something that the code imports, is not installed: install it again"
                if lost
                else ""
            )
        return self._lacking[recorded]

    def _recorded(self, recorded: str) -> Environment | None:
        """Return what was recorded; None if it cannot be read."""
        if recorded not in self._read:
            self._read[recorded] = None
            with suppress(StoreError, UnknownBlob, msgspec.MsgspecError, OSError):
                body = b"".join(self._blobs.read(recorded))
                self._read[recorded] = msgspec.json.decode(body, type=Environment)
        return self._read[recorded]

    def _look(self, recorded: str) -> str:
        known = self._recorded(recorded)
        return UNREADABLE if known is None else differences(known, self._source)


def observe(module: str, source: str) -> Environment:
    """Return what a loaded module of a source tree imports. Takes milliseconds."""
    imports = imports_of(Path(source), Path(source, *module.split(".")))
    modules = sorted(map(_module_of, imports.files))
    found = _Found(source)
    found.add_loaded([*modules, *imports.names])
    found.add_named(name for name in imports.names if name not in sys.modules)
    needed, required = found.needed(imports.needed)
    return Environment(
        module=module,
        modules=tuple(modules),
        python=_python(),
        distributions=found.distributions,
        files=found.files,
        absent=tuple(sorted(found.absent)),
        needed=tuple(sorted(needed)),
        required=tuple(sorted(required)),
    )


def another_environment(differs: str, execution: str) -> str:
    """Say why an attempt does not start here, and what to do."""
    return (
        f"the environment is not the one it was launched in: {differs} (here: {sys.prefix}); continue with"
        f" `tidegate resume {execution}` in that environment, or with `tidegate resume {execution} --any-environment` in another"
    )


def differences(recorded: Environment, source: str) -> str:
    """Return what differs here and now from the record, in words; empty if nothing does."""
    told = list(_differences(recorded, source))
    more = [f"and {len(told) - MOST_TOLD} more"] if len(told) > MOST_TOLD else []
    return ", ".join(told[:MOST_TOLD] + more)


def _differences(recorded: Environment, source: str) -> Iterator[str]:
    if recorded.python != (now := _python()):
        yield f"{recorded.python} is now {now}"
    found = _Found(source)
    for name, (version, digest) in recorded.distributions.items():
        if not found.installed.has(name):
            yield f"{name} {version} is not installed"
            continue
        version_now, digest_now = found.installed.version(name)
        if version_now != version:
            yield f"{name} {version} is now {version_now}"
        elif digest_now != digest:
            yield f"{name} {version} has other contents"
    for module, digest in recorded.files.items():
        file = _file(sys.modules.get(module)) or _find(module)[1]
        if file is None:
            yield f"module {module} is missing"
        elif _digest(file) != digest:
            yield f"module {module} ({file}) has changed"
    for module in recorded.absent:
        if _find(module)[1] is not None:
            yield f"module {module} is there now"
    if recorded.module in sys.modules:
        found.add_loaded(recorded.modules)
        for name in found.distributions.keys() - recorded.distributions.keys():
            yield f"{name} {found.distributions[name][0]} is imported now"
        for name in sorted(found.files.keys() - recorded.files.keys() - {*recorded.absent}):
            yield f"module {name} is imported now"


def _reached(roots: Iterable[str]) -> dict[str, ModuleType]:
    """Return the loaded modules that some lead to, by what their names refer to: modules, classes and functions."""
    seen: dict[str, ModuleType] = {}
    todo = list(roots)
    while todo:
        name = todo.pop()
        module = sys.modules.get(name)
        if module is None or name in seen or name.partition(".")[0] in _OWN:
            continue
        seen[name] = module
        todo.extend({each for value in list(vars(module).values()) if (each := _home(value))})
        todo.append(name.rpartition(".")[0])
    return seen


def _home(value: Any) -> str:
    """Return the name of the module that a value is, or is from. Only kinds that answer without running foreign code are asked."""
    kind = type(value)
    if kind is ModuleType:
        name = vars(value).get("__name__")
    elif kind is FunctionType or kind is BuiltinFunctionType:
        name = value.__module__
    elif issubclass(kind, type):
        name = _module_of_class(value)
    else:
        return ""
    return name if type(name) is str else ""


_module_of_class: Final = type.__dict__["__module__"].__get__
"""Without asking the class of the class, which may run foreign code."""


def _file(module: ModuleType | None) -> str | None:
    file = None if module is None else vars(module).get("__file__")
    return file if isinstance(file, str) else None


def _find(name: str) -> tuple[str, str | None]:
    """Return the name and the file of the deepest part of a dotted name that is a module with a file; an empty name if not even its top exists."""
    found, file, place = "", None, None
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        spec = _spec(".".join(parts[:depth]), place)
        if spec is None:
            break
        found = spec.name
        file = spec.origin if spec.has_location else None
        place = spec.submodule_search_locations
        if place is None:
            break
    return found, file


def _is_there(name: str) -> bool:
    module, file = _find(name)
    return module == name and file is not None


def _spec(name: str, place: Any) -> ModuleSpec | None:
    for finder in sys.meta_path:
        with suppress(Exception):  # a third-party finder
            spec = finder.find_spec(name, place, None)
            if spec is not None:
                return spec
    return None


def _module_of(name: str) -> str:
    """Return by which name a file of a tree is imported."""
    return name.partition(".")[0].removesuffix("/__init__").replace("/", ".")


def _digest(file: str) -> str:
    try:
        content = Path(file).read_bytes()
    except OSError:
        return ""
    return hashlib.sha256(content).hexdigest()[:32]


def _python() -> str:
    number = ".".join(map(str, sys.version_info[:3]))
    return f"{sys.implementation.name} {number} {os.uname().machine}"
