"""
Which files are a workflow's source: its local imports, the files that git tracks around it, and those that are named.

Rule 1: the root is the directory from which Python would import the file, so a file inside a package is imported as `package.module`.
Rule 2: the file itself and the local modules that it imports, directly or not, always belong to the source, whatever a `.gitignore` says.
Rule 3: in a git repository, everything that git tracks below the root belongs to it as well; elsewhere nothing else does: other files beside a
        workflow may be results, logs and tokens, and each would change the version.
Rule 4: so do the files and directories that `--include` names, and `include` under `[tool.tidegate]` in the next `pyproject.toml`, here or above.
Rule 5: hidden files, and links to them, are left out unless they are named: they contain settings and secrets, not code.
Rule 6: a tree that is too large, or is not a project (a home directory, a temporary directory), is not packed as a whole: Rule 3 does not apply, and `note` says so.
"""

import ast
import os
import shlex
import stat
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NamedTuple, Protocol

from msgspec import Struct

from tidegate.bundles.imports import imported, parse, reason
from tidegate.bundles.tracked import tracked
from tidegate.errors import CodeError

MAX_FILES = 5_000
MAX_BYTES = 32 * 1024 * 1024
MAX_NAME = 1_000
"""Bytes of the name of a file, with its directories."""
MAX_PART = 255
"""Bytes of each part of it: no usual file system takes more."""
STORE = "tidegate.db"
"""The file of a store. Its directory is never source, even if it is beside the source."""

PROJECT = "pyproject.toml"
"""The project file that may name, under `[tool.tidegate]`, further files to pack."""

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
    """The tree contains more than fits into a bundle."""


def find_sources(
    file: Path,
    extra: Sequence[Path] = (),
    *,
    include: Sequence[Path] = (),
    max_files: int = MAX_FILES,
    max_bytes: int = MAX_BYTES,
) -> Sources:
    """
    Find what must travel with a workflow file.

    `include` are further files and directories under the same root; `extra` are used instead of what git tracks.
    Errors: `CodeError` if the file cannot be read or is not Python, or if even the minimum that must travel is too large.
    """
    root, module = find_root(file)
    needed = imported(root, file.resolve())
    return _gather(root, module, needed, extra, include, Limits(max_files, max_bytes))


def gather(root: Path, names: Sequence[str], module: str, include: Sequence[Path] = ()) -> Sources:
    """Return what must travel with some modules of a tree, by the names of their files. A file that is not Python travels unchanged. Errors: `CodeError`."""
    needed = set(names)
    for name in names:
        with suppress(CodeError):
            needed |= imported(root, root / name)
    return _gather(root, module, needed, (), include, Limits(MAX_FILES, MAX_BYTES))


class Limits(NamedTuple):
    """How many files a bundle may have, and how many bytes."""

    files: int
    size: int


def _gather(
    root: Path,
    module: str,
    needed: set[str],
    only: Sequence[Path],
    include: Sequence[Path],
    limits: Limits,
) -> Sources:
    chosen = {*_chosen(root, only, "--only"), *_chosen(root, include, "--include")}
    chosen.update(_configured(root))
    note = ""
    if not only:
        try:
            chosen.update(_tracked(root, limits))
        except _TooLargeError as why:
            note = (
                f"{why}: packed only {module} and the {len(needed) - 1} local modules it imports;"
                " add more with --include PATH"
            )
    files = tuple(sorted({*needed, *chosen}))
    size = sum(_size(root / name) for name in files)
    if len(files) > limits.files or size > limits.size:
        raise CodeError(
            f"{root}: the source of {module} is too large to be packed ({len(files)} files, {size / 2**20:.1f} MiB; "
            f"the limits are {limits.files} files and {limits.size / 2**20:.0f} MiB); name less with --include or --only"
        )
    return Sources(root, module, files, note or _hint(root, files))


def _tracked(root: Path, limits: Limits) -> Iterator[str]:
    """Yield what git tracks below the root, and give up as soon as it is too much."""
    names = [each for each in tracked(root) or () if _is_source(root, PurePosixPath(each))]
    if names and root in _shared(root):
        raise _TooLargeError(f"{root} is not the directory of one project")
    if len(names) > limits.files or sum(_size(root / each) for each in names) > limits.size:
        raise _TooLargeError(
            f"git tracks more than {limits.files} files or {limits.size / 2**20:.0f} MiB in {root}"
        )
    yield from names


def _is_source(root: Path, name: PurePosixPath) -> bool:
    """Whether a file may be packed without being named."""
    path = root / name
    return not (
        any(part.startswith(".") or part in NEVER for part in name.parts)
        or name.suffix == ".pyc"
        or not is_safe(name.as_posix())
        or not path.is_file()
        or not os.access(path, os.R_OK)
        or (path.is_symlink() and _is_hidden(root, path.resolve()))
    )


def _configured(root: Path) -> Iterator[str]:
    """Yield the files that the project file names."""
    around = (up / PROJECT for up in (root, *root.parents))
    file = next((each for each in around if os.path.isfile(each)), None)  # noqa: PTH113 - False where nobody may look
    if file is None:
        return
    try:
        found = tomllib.loads(file.read_text())
    except (OSError, ValueError):
        return  # it is not ours, and other tools report what is wrong
    patterns = found.get("tool", {}).get("tidegate", {}).get("include", [])
    for pattern in patterns:
        paths = sorted(file.parent.glob(str(pattern)))
        if not paths:
            raise CodeError(f"{file}: include: {pattern!r} names no file or directory")
        yield from _chosen(root, paths, f"{file}: include")


def _hint(root: Path, files: Sequence[str]) -> str:
    """Name the files beside the source that it mentions and that are not packed."""
    packed, found = set(files), set[str]()
    for name in files:
        if not name.endswith(".py"):
            continue
        with suppress(CodeError):
            for node in ast.walk(parse(root / name)):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.update(_beside(root, PurePosixPath(name).parent, node.value))
    missing = sorted(found - packed)
    if not missing:
        return ""
    first = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
    flags = " ".join(f"--include {shlex.quote(each)}" for each in missing[:3])
    return f"not packed, although the source names it: {first}; if it is read at run time: {flags}"


def _beside(root: Path, folder: PurePosixPath, text: str) -> Iterator[str]:
    """Yield the file beside a module that a string in it names, if it does."""
    if "." not in text or len(text) > MAX_PART or not is_safe(text):
        return
    for each in dict.fromkeys((folder / text, PurePosixPath(text))):
        with suppress(OSError):
            if (root / each).is_file():
                yield each.as_posix()


def find_root(file: Path) -> tuple[Path, str]:
    """Return the directory from which a file is imported, and its module name."""
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
        raise CodeError(f"{file}: no such file{hint}") from None
    except (OSError, RuntimeError, ValueError) as error:
        raise CodeError(f"{file}: cannot be read: {reason(error)}") from None
    if stat.S_ISDIR(kind):
        raise CodeError(f"{file}: is a directory; name a Python file in it")
    if not stat.S_ISREG(kind) or found.suffix != ".py":
        raise CodeError(f"{file}: is not a Python file (its name must end in .py)")
    return found


def _chosen(root: Path, extra: Sequence[Path], by: str) -> Iterator[str]:
    for path in extra:
        try:
            name = path.absolute().relative_to(root.absolute())
        except ValueError:
            raise CodeError(
                f"{by} {path}: is outside {root}, from where the workflow is imported"
            ) from None
        if path.is_dir():
            try:
                found = list(_tree(root, 2 * MAX_FILES, 2 * MAX_BYTES, name))
            except _TooLargeError as why:
                raise CodeError(f"{by} {path}: {why}") from None
            # A pattern of a project file may match nothing.
            is_typed = by.startswith("--")
            if is_typed and not found and any(a or b for _, a, b in os.walk(path)):
                raise CodeError(
                    f"{by} {path}: nothing in it is packed; hidden files and files ignored by git are left out of a directory: name the files"
                )
            yield from found
        elif path.is_file():
            yield name.as_posix()
        else:
            raise CodeError(f"{by} {path}: no such file or directory")


def _tree(root: Path, max_files: int, max_bytes: int, below: Path = Path()) -> Iterator[str]:
    """Yield the source files under the root, and give up as soon as there are too many."""
    if (root in _shared(root) or (root / STORE).exists()) and below == Path():
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
            if ignored(path.as_posix()) or not _is_source(root, PurePosixPath(path.as_posix())):
                continue
            count += 1
            size += _size(root / path)
            if count > max_files or size > max_bytes:
                limits = f"{max_files} files or {max_bytes / 2**20:.0f} MiB"
                raise _TooLargeError(f"{root} contains more than {limits}")
            yield path.as_posix()


def _shared(root: Path) -> Iterator[Path]:
    """Yield this user's directories that contain more than one project."""
    yield Path(root.anchor)
    with suppress(RuntimeError):
        yield Path.home()
    with suppress(OSError):
        yield Path(tempfile.gettempdir()).resolve()


def _is_hidden(root: Path, path: Path) -> bool:
    within = path.relative_to(root) if path.is_relative_to(root) else path
    return any(part.startswith(".") for part in within.parts)


def tree_files(root: Path) -> tuple[str, ...]:
    """Return all source files below a directory, relative to it and sorted. Errors: `CodeError` if they are too many, or it is not a project."""
    try:
        return tuple(sorted(_tree(root, MAX_FILES, MAX_BYTES)))
    except _TooLargeError as why:
        raise CodeError(
            f"{why}: name the files to register, or exclude others with a .gitignore"
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
    """What a `.gitignore` says of a path: excluded, included, or nothing."""

    @property
    def include(self) -> bool | None: ...


class _Verdicts(Protocol):
    """The patterns of one `.gitignore`."""

    def check_file(self, file: str) -> _Verdict: ...


class _Ignored:
    """The `.gitignore` files seen so far, including those above the root; the deepest one that mentions a path decides."""

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
        """Read the `.gitignore` of a directory, if it has one."""
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
