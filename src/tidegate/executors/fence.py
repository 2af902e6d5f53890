"""
The fence between two lives of a store's owner: processes that an executor starts carry a mark, by which the next owner can find and end them.

The mark is a variable in the environment of the fork server, which its workers and their descendants inherit: which store, and which life
of its owner. It is read from /proc, which has the environment as it was when the program started. A program with another
environment is found as long as it is below one that has the mark, or in its process group.
"""

import hashlib
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import suppress
from itertools import islice
from pathlib import Path

from msgspec import Struct

MARK = "TIDEGATE_MARK"

PATIENCE = 10.0
"""Seconds: killed processes are gone in milliseconds, unless they hang in the kernel (a dead network disk), where nothing can end them."""

PROC = Path("/proc")

log = logging.getLogger(__name__)


class Mark(Struct, frozen=True):
    """
    The owner of a process: a store, identified by a digest of its location, and one life of its owner.

    A life is a random number, after the kind of its owner and a dash if it is not the store's own.
    """

    store: str
    life: str

    @property
    def kind(self) -> str:
        """Return the kind of owner: lives of one kind follow each other, those of different kinds may exist at once."""
        return self.life.rpartition("-")[0]

    def __str__(self) -> str:
        return f"{self.store}:{self.life}"


def new_mark(home: Path, kind: str = "") -> Mark:
    """Return the mark of a new life of the store in `home`."""
    where = os.fsencode(home.resolve())
    life = os.urandom(8).hex()
    return Mark(hashlib.sha256(where).hexdigest()[:32], f"{kind}-{life}" if kind else life)


def is_of(own: Mark, process: int) -> bool:
    """
    Return whether a process is, or descends from, one that an owner of this store has started: a worker, a task, or their children.

    One that has ended counts as such, because nobody can tell; one outside this process namespace (0) cannot be.
    """
    if not process or not PROC.is_dir():
        return False
    if _stat(process) is None:
        return True
    marks = (_mark(each) for each in _line_up(process))
    return any(mark is not None and mark.store == own.store for mark in marks)


def is_below(tops: AbstractSet[int], process: int) -> bool:
    """Return whether a process descends from one of some others."""
    line_up = _line_up(process) if PROC.is_dir() else iter(())
    return any(each in tops for each in islice(line_up, 1, None))


def end_earlier(own: Mark) -> int:
    """End what earlier lives of a store, of the same kind, have left running, and return how many processes that were, once they are gone."""

    def is_meant(process: int) -> bool:
        mark = _mark(process)
        is_other = mark is not None and mark.store == own.store and mark.life != own.life
        return is_other and mark is not None and mark.kind == own.kind

    return _end(is_meant)


def end_life(own: Mark) -> int:
    """End what this life has started, like `end_earlier`; never this process itself."""
    return _end(lambda process: _mark(process) == own)


def end_below(top: int) -> int:
    """End a process and its descendants, like `end_earlier`."""
    return _end(lambda process: process == top)


def _end(is_meant: Callable[[int], bool]) -> int:
    if not PROC.is_dir():
        log.debug("there is no %s: processes of an earlier owner are not looked for", PROC)
        return 0
    ended: set[int] = set()
    give_up = time.monotonic() + PATIENCE
    # Repeatedly, because a process may have started another just before it was killed.
    while found := _found(is_meant):
        ended |= found.keys()
        tops = {process for process, parent in found.items() if parent not in found}
        for top in tops:
            # It goes last: if it is a worker, it adopts orphans, which are then found below it. Until then it is stopped.
            _signal(top, signal.SIGSTOP)
        for process in found.keys() - tops or tops:
            _signal(process, signal.SIGKILL)
        if time.monotonic() > give_up:
            log.warning("processes %s of an earlier owner cannot be ended", sorted(found))
            break
        time.sleep(0.005)
    return len(ended)


def _signal(process: int, which: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(process, which)


def _found(is_meant: Callable[[int], bool]) -> dict[int, int]:
    """
    Return the matching live processes, with their parents; not this process and its ancestors.

    Processes in the process group of a matching one also match, and all descendants of these.
    """
    spared = set(_line_up(os.getpid()))
    parents, groups, marked = {}, {}, set()
    for process in _processes():
        stat = _stat(process)
        if stat is None or stat[0] in "ZX" or process in spared:
            continue
        parents[process], groups[process] = int(stat[1]), int(stat[2])
        if is_meant(process):
            marked.add(process)
    below = marked | {process for process, group in groups.items() if group in marked}
    meant: set[int] = set()
    while below:
        meant |= below
        below = {process for process, parent in parents.items() if parent in below} - meant
    return {process: parents[process] for process in meant}


def _processes() -> Iterator[int]:
    return (int(name) for name in os.listdir(PROC) if name.isdecimal())  # noqa: PTH208 - only the names


def _mark(process: int) -> Mark | None:
    try:
        environment = (PROC / str(process) / "environ").read_bytes()
    except OSError:
        return None  # it is gone, or another user's
    for line in environment.split(b"\0"):
        name, _, value = line.partition(b"=")
        if name == MARK.encode():
            store, _, life = value.decode(errors="replace").partition(":")
            return Mark(store, life)
    return None


def _line_up(process: int) -> Iterator[int]:
    """Yield a process, its parent, and so on."""
    while process > 0:
        yield process
        stat = _stat(process)
        process = 0 if stat is None else int(stat[1])


def _stat(process: int) -> list[str] | None:
    """Return state, parent, group and all that follows."""
    try:
        text = (PROC / str(process) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The name before them is in parentheses, and may contain any character.
    return text.rpartition(")")[2].split()
