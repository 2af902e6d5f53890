"""
Which files are a workflow's source: the tree in which its file lies, without what git ignores and without what is no source.

Rule 1: the root is the directory from which Python would import the file, so a file inside a package is imported as `package.module`.
Rule 2: the file itself and the local modules that it imports always belong to the source, whatever a `.gitignore` says.
Rule 3: hidden files are left out, and links that lead to some: they hold settings and secrets, not code.
Rule 4: a tree that is too large, or is no project at all (a home directory, a directory for temporary files), is not packed whole: Rule 2 alone holds, and `note` says so.
"""

import ast
import os
import stat
import tempfile
import tokenize
from collections.abc import Iterator, Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Protocol

from msgspec import Struct

from tidegate.errors import CodeError

MAX_FILES = 5_000
MAX_BYTES = 32 * 1024 * 1024
MAX_NAME = 1_000
"""Bytes of the name of a file, with its directories."""
MAX_PART = 255
"""Bytes of each part of it: no usual file system takes more."""
STORE = "tidegate.db"
"""The file of a store. The directory in which it lies is never source, though it may stand beside the source."""

NEVER = frozenset({"__pycache__", "node_modules", "site-packages"})
"""Directories that hold no source of the user's, whatever their size."""


class Sources(Struct, frozen=True):
    """
    The source of a workflow file.

    `files` are relative to `root`, sorted; `module` is the name by which the file is imported from there.
    `note`, if any, is one line for the user: why this is less than the whole tree.
    """

    root: Path
    module: str
    files: tuple[str, ...]
    note: str = ""


class _TooLargeError(Exception):
    """The tree holds more than fits into a bundle."""


def find_sources(
    file: Path,
    extra: Sequence[Path] = (),
    *,
    max_files: int = MAX_FILES,
    max_bytes: int = MAX_BYTES,
) -> Sources:
    """
    Find what must travel with a workflow file.

    `extra` are files and directories under the same root. If there are any, they and the modules which the file imports are taken, and nothing else.
    Errors: `CodeError` if the file cannot be read or is not Python, or if even the least that must travel is too large.
    """
    root, module = find_root(file)
    needed = _imported(root, file.resolve())
    chosen = list(_chosen(root, extra))
    note = ""
    if not extra:
        try:
            chosen = list(_tree(root, max_files, max_bytes))
        except _TooLargeError as why:
            others = len(needed) - 1
            note = (
                f"{why}: packed only {file.name} and the {others} local modules it imports; "
                "add more with --only PATH, or keep files out with a .gitignore"
            )
    files = tuple(sorted({*needed, *chosen}))
    size = sum(_size(root / name) for name in files)
    if len(files) > max_files or size > max_bytes:
        raise CodeError(
            f"{file}: its source is too large to be packed ({len(files)} files, {size / 2**20:.1f} MiB; "
            f"the limits are {max_files} files and {max_bytes / 2**20:.0f} MiB); name less with --only PATH"
        )
    return Sources(root, module, files, note)


def find_root(file: Path) -> tuple[Path, str]:
    """Return the directory from which a file is imported, and the name under which."""
    where = _python_file(file)
    names = [] if where.stem == "__init__" else [where.stem]
    root = where.parent
    while (root / "__init__.py").is_file() and root != root.parent:
        names.insert(0, root.name)
        root = root.parent
    bad = [name for name in names if "." in name or not name]
    if bad or not names:
        raise CodeError(
            f"{file}: a file named {where.name!r} cannot be imported; rename it to letters, digits and _"
        )
    return root, ".".join(names)


def _python_file(file: Path) -> Path:
    try:
        found = file.resolve()
        kind = found.stat().st_mode
    except FileNotFoundError:
        there = [each.name for each in file.parent.glob("*.py")] if file.parent.is_dir() else []
        close = get_close_matches(file.name, there, n=1)
        hint = f"; did you mean {file.with_name(close[0])}?" if close else ""
        raise CodeError(f"{file}: there is no such file{hint}") from None
    except (OSError, RuntimeError, ValueError) as error:
        raise CodeError(f"{file}: cannot be read: {_reason(error)}") from None
    if stat.S_ISDIR(kind):
        raise CodeError(f"{file}: is a directory; name a Python file in it")
    if not stat.S_ISREG(kind) or found.suffix != ".py":
        raise CodeError(f"{file}: is not a Python file (its name must end in .py)")
    return found


def _imported(root: Path, file: Path) -> set[str]:
    """Return a file and all local modules it imports, directly or not, by their names under the root."""
    todo, done = [file], set[str]()
    while todo:
        path = todo.pop()
        name = path.relative_to(root).as_posix()
        if name in done:
            continue
        done.add(name)
        for package in path.relative_to(root).parents:
            marker = root / package / "__init__.py"
            if package.parts and marker.is_file():
                todo.append(marker)
        try:
            tree = _parse(path)
        except CodeError:
            if path == file:
                raise
            continue  # the import of this module will say what is wrong with it, if it comes to that
        for dotted in _imports(tree, path.relative_to(root)):
            todo.extend(_module_files(root, dotted))
    return done


def _parse(path: Path) -> ast.Module:
    try:
        with tokenize.open(path) as text:
            return ast.parse(text.read(), filename=str(path))
    except SyntaxError as error:
        where = f", line {error.lineno}" if error.lineno else ""
        raise CodeError(f"{path.name}{where}: SyntaxError: {error.msg}") from None
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise CodeError(f"{path}: cannot be read: {_reason(error)}") from None


def _imports(tree: ast.Module, where: Path) -> Iterator[tuple[str, ...]]:
    package = where.parent.parts
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (tuple(alias.name.split(".")) for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = package[: len(package) - level + 1] if level else ()
                dotted = (*base, *(module.split(".") if module else ()))
                yield dotted
                yield from ((*dotted, alias.name) for alias in names)
            case _:
                pass


def _module_files(root: Path, dotted: tuple[str, ...]) -> Iterator[Path]:
    for depth in range(1, len(dotted) + 1):
        path = root.joinpath(*dotted[:depth])
        for candidate in (path.with_name(path.name + ".py"), path / "__init__.py"):
            if candidate.is_file():
                yield candidate


def _chosen(root: Path, extra: Sequence[Path]) -> Iterator[str]:
    for path in extra:
        try:
            name = path.absolute().relative_to(root.absolute())
        except ValueError:
            raise CodeError(
                f"--only {path}: lies outside of {root}, from where the workflow is imported"
            ) from None
        if path.is_dir():
            yield from _tree(root, 2 * MAX_FILES, 2 * MAX_BYTES, name)
        elif path.is_file():
            yield name.as_posix()
        else:
            raise CodeError(f"--only {path}: there is no such file or directory")


def _tree(root: Path, max_files: int, max_bytes: int, below: Path = Path()) -> Iterator[str]:
    """Yield the source files under the root, and give up as soon as there are too many."""
    if root in _shared(root) or (root / STORE).exists():
        raise _TooLargeError(f"{root} is not the directory of one project")
    count = size = 0
    ignored = _Ignored(root)
    for folder, folders, names in os.walk(root / below):
        within = Path(folder).relative_to(root)
        ignored.read(Path(folder))
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in NEVER
            and not os.path.exists(f"{folder}/{name}/pyvenv.cfg")  # noqa: PTH110 - False where nobody may look
            and not os.path.exists(f"{folder}/{name}/{STORE}")  # noqa: PTH110 - as above
            and not ignored(f"{(within / name).as_posix()}/")
        )
        for name in names:
            path = within / name
            if name.startswith(".") or name.endswith(".pyc") or ignored(path.as_posix()):
                continue
            if not is_safe(path.as_posix()):
                continue
            if not (root / path).is_file() or not os.access(root / path, os.R_OK):
                continue
            if (root / path).is_symlink() and _is_hidden(root, (root / path).resolve()):
                continue
            count += 1
            size += _size(root / path)
            if count > max_files or size > max_bytes:
                limits = f"{max_files} files or {max_bytes / 2**20:.0f} MiB"
                raise _TooLargeError(f"{root} holds more than {limits}")
            yield path.as_posix()


def _shared(root: Path) -> Iterator[Path]:
    """Yield the directories in which there is more than one project: those that this user has."""
    yield Path(root.anchor)
    with suppress(RuntimeError):
        yield Path.home()
    with suppress(OSError):
        yield Path(tempfile.gettempdir()).resolve()


def _is_hidden(root: Path, path: Path) -> bool:
    within = path.relative_to(root) if path.is_relative_to(root) else path
    return any(part.startswith(".") for part in within.parts)


def tree_files(root: Path) -> tuple[str, ...]:
    """Return all source files below a directory, relative to it and sorted. Errors: `CodeError` if they are too many, or it is no project's."""
    try:
        return tuple(sorted(_tree(root, MAX_FILES, MAX_BYTES)))
    except _TooLargeError as why:
        raise CodeError(
            f"{why}: name the files to register, or keep others out with a .gitignore"
        ) from None


def is_safe(name: str) -> bool:
    """Return whether a name is a plain relative path on every system, leading nowhere but down."""
    try:
        raw = name.encode()
    except UnicodeEncodeError:
        return False
    return not (
        not name
        or len(raw) > MAX_NAME
        or "\0" in name
        or "\\" in name
        or PureWindowsPath(name).drive
        or any(part in {b"", b".", b".."} or len(part) > MAX_PART for part in raw.split(b"/"))
    )


class _Verdict(Protocol):
    """What a `.gitignore` says of a path: out, in, or nothing."""

    @property
    def include(self) -> bool | None: ...


class _Verdicts(Protocol):
    """The patterns of one `.gitignore`."""

    def check_file(self, file: str) -> _Verdict: ...


class _Ignored:
    """The `.gitignore` files seen so far, those above the root included; the deepest one that speaks of a path decides."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._specs: dict[Path, _Verdicts] = {}
        top = next((up for up in (root, *root.parents) if (up / ".git").exists()), None)
        if top is not None:
            for up in (root, *root.parents):
                self.read(up)
                if up == top:
                    break

    def read(self, folder: Path) -> None:
        """Take notice of the `.gitignore` of a directory, if it has one."""
        try:
            lines = (folder / ".gitignore").read_text(errors="replace").splitlines()
            # Loaded only when something is packed: most commands never do.
            from pathspec import GitIgnoreSpec  # noqa: PLC0415

            self._specs[folder] = GitIgnoreSpec.from_lines(lines)
        except (OSError, ValueError):
            return

    def __call__(self, name: str) -> bool:
        """Is this path, relative to the root, ignored? A directory ends in `/`."""
        path = self._root / name
        tail = "/" if name.endswith("/") else ""
        for up in path.parents:
            spec = self._specs.get(up)
            if spec is not None:
                verdict = spec.check_file(
                    PurePosixPath(path.relative_to(up)).as_posix() + tail
                ).include
                if verdict is not None:
                    return verdict
        return False


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
