"""
Where an attempt works in a long-lived process: in a plain call, in the sandbox, inline.

Rule 1: it gets a new directory, with links to a copy of what would be packed with its workflow, except for the code itself. It is removed at the end.
Rule 2: the copy belongs to one thread; after each attempt it is compared with its former state, before each with its originals, and made again if anything differs.
Rule 3: a process has one working directory. The main thread changes it for the duration of the attempt, which the caller's other threads see.
        Another thread gets a private one from then on, where the system permits it (Linux, unless a container forbids `unshare`).
        Where it does not, the directory is changed if no other attempt has done so; else the attempt works in the caller's directory.
"""

import ctypes
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

from tidegate import disk
from tidegate.core.messages import Failure
from tidegate.errors import CodeError
from tidegate.sdk.failures import failure_of
from tidegate.sdk.scratch import here, scratch

CLONE_FS = 0x200
"""A flag of unshare(2): the working directory, the root and the umask."""

MOST = 1_000
"""Files of a copy. A larger source tree is not copied: a plain call must not take seconds to start."""

_Signs: TypeAlias = tuple[tuple[str, int, int, int], ...]
"""What shows that a file has changed."""

_turn = threading.RLock()


class _Mine(threading.local):
    """What a thread has for itself."""

    def __init__(self) -> None:
        self.depth = 0
        self.alone: bool | None = None
        """Whether its working directory is private; None if that was not tried."""
        self.copies: dict[tuple[int, str], _Copy] = {}
        """By how many attempts are nested in it, and by root: a task may call a workflow, and continues after that."""


class _Copy:
    """A copy of the files that are packed with the modules of a directory. Errors of all methods: `OSError`."""

    def __init__(self, root: Path, names: tuple[str, ...]) -> None:
        self._root = root
        self._names = names
        self.folder = tempfile.mkdtemp(prefix="files-", dir=scratch())
        self._before: _Signs = ()
        self._after: _Signs = ()

    def refresh(self) -> None:
        """Make it again unless it is unchanged."""
        before = _signs(str(self._root), self._names)
        if before != self._before or _walked(self.folder) != self._after:
            disk.remove_tree(self.folder)
            Path(self.folder).mkdir(mode=0o700)
            for name in self._names:
                target = Path(self.folder, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                with suppress(FileNotFoundError):
                    shutil.copy2(self._root / name, target)
            self._before, self._after = before, _walked(self.folder)


_mine = _Mine()


@contextmanager
def workplace(module: str) -> Iterator[str]:
    """Run the block in a new directory, for an attempt of a task in this module; yield its path."""
    folder = tempfile.mkdtemp(prefix="work-", dir=scratch())
    copy = _copy_for(module)
    try:
        if copy is not None:
            for name in os.listdir(copy.folder):  # noqa: PTH208 - only the names
                Path(folder, name).symlink_to(Path(copy.folder, name))
        _mine.depth += 1
        try:
            with _working_in(folder):
                yield folder
        finally:
            _mine.depth -= 1
    finally:
        with suppress(OSError):
            disk.remove_tree(folder)
        if copy is not None:
            with suppress(OSError):
                copy.refresh()


def failure_here(error: BaseException) -> Failure:
    """Return the failure of an attempt that raised, and say if it looked for a file that exists in the caller's directory."""
    # Modules are looked up where the caller's are, and not in the working directory.
    is_file = isinstance(error, FileNotFoundError)
    return failure_of(error, launched_from=here() if is_file else "")


def _copy_for(module: str) -> _Copy | None:
    """Return a copy that matches its originals; None if there is nothing to copy, or too much."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if not file:
        return None  # typed at a prompt
    # Loaded late, to keep `import tidegate` fast.
    from tidegate.bundles.sources import find_root, find_sources  # noqa: PLC0415

    try:
        root, _ = find_root(Path(file))
        key = (_mine.depth, str(root))
        if key not in _mine.copies:
            names = tuple(n for n in find_sources(Path(file)).files if not n.endswith(".py"))
            _mine.copies[key] = _Copy(root, names if len(names) <= MOST else ())
        copy = _mine.copies[key]
        copy.refresh()
    except (CodeError, OSError):
        return None  # registering the workflow reports it
    return copy


@contextmanager
def _working_in(folder: str) -> Iterator[None]:
    alone = _is_alone()
    if not alone and not _turn.acquire(blocking=False):
        yield
        return
    before = os.open(".", getattr(os, "O_PATH", os.O_RDONLY) | os.O_CLOEXEC)
    try:
        where = os.getcwd()  # noqa: PTH109
    except OSError:
        where = ""  # it was removed
    # The entry for the working directory keeps its meaning: the caller's modules.
    there = [index for index, entry in enumerate(sys.path) if not entry and where]
    for index in there:
        sys.path[index] = where
    try:
        os.chdir(folder)
        yield
    finally:
        os.fchdir(before)
        os.close(before)
        for index in there:
            if index < len(sys.path) and sys.path[index] == where:
                sys.path[index] = ""
        if not alone:
            _turn.release()


def _is_alone() -> bool:
    """Whether the working directory of this thread is private, or has just become so."""
    if threading.current_thread() is threading.main_thread() or sys.platform != "linux":
        return False
    if _mine.alone is None:
        _mine.alone = ctypes.CDLL(None, use_errno=True).unshare(CLONE_FS) == 0
    return _mine.alone


def _signs(top: str, names: tuple[str, ...]) -> _Signs:
    found = []
    for name in names:
        with suppress(OSError):
            seen = os.stat(f"{top}/{name}")  # noqa: PTH116
            found.append((name, seen.st_size, seen.st_mtime_ns, seen.st_ino))
    return tuple(found)


def _walked(top: str) -> _Signs:
    """Return the signatures of everything in a directory, links and directories included."""
    found = []
    for below, folders, files in os.walk(top):
        for name in (*folders, *files):
            seen = os.lstat(f"{below}/{name}")
            found.append((f"{below}/{name}", seen.st_size, seen.st_ctime_ns, seen.st_ino))
    return tuple(found)
