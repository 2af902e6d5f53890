"""
Whether a process can be forked once it has imported the author's code, and what a child must reopen so as to share nothing.

A fork copies memory and the calling thread, and no other; sockets, pipes and shared mappings remain shared between all copies.
Native thread pools with fork handlers (OpenBLAS, Arrow) are not Python threads, and are permitted.
"""

import fcntl
import os
import stat
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from tidegate.executors import trees

DESCRIPTORS = "/dev/fd"
MAPS = Path("/proc/self/maps")


SETTLED = 0.02
"""Seconds after which a started thread has certainly begun to run: four times Python's switch interval limit."""


class Holdings(Struct, frozen=True):
    """Open descriptors of a process, its number of shared mappings, and the number of threads that the system knows."""

    descriptors: frozenset[int]
    shared: int
    threads: int


def holdings() -> Holdings:
    """Return what this process holds now."""
    try:
        shared = sum(b" rw-s " in line for line in MAPS.read_bytes().splitlines())
    except OSError:
        shared = 0
    return Holdings(frozenset(_descriptors()), shared, len(trees.threads()))


def has_threads() -> bool:
    """Whether there is another Python thread; those started without `threading` count too."""
    return len(sys._current_frames()) > 1  # noqa: SLF001 - documented, for debuggers


def files_to_reopen(before: Holdings) -> tuple[int, ...] | None:
    """
    Return the files that a child must reopen, because each has a position; None if this process cannot be forked.

    `before` is what it held before the author's code was imported.
    """
    now = holdings()
    if now.threads > before.threads:
        # Native, or a Python thread that has not reached its first line yet.
        time.sleep(SETTLED)
    if has_threads() or now.shared > before.shared:
        return None
    files = []
    for descriptor in now.descriptors - before.descriptors:
        with suppress(OSError):
            mode = os.fstat(descriptor).st_mode
            if stat.S_ISREG(mode):
                files.append(descriptor)
            elif not (stat.S_ISDIR(mode) or stat.S_ISCHR(mode)):
                return None
    return tuple(files)


def reopen(descriptors: Iterable[int]) -> None:
    """Reopen files under the same numbers and at the same positions: positions are then no longer shared."""
    for descriptor in descriptors:
        with suppress(OSError):
            flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
            at = os.lseek(descriptor, 0, os.SEEK_CUR)
            own = os.open(f"{DESCRIPTORS}/{descriptor}", flags | os.O_CLOEXEC)
            os.lseek(own, at, os.SEEK_SET)
            os.dup2(own, descriptor, inheritable=os.get_inheritable(descriptor))
            os.close(own)


def _descriptors() -> list[int]:
    listed = [int(name) for name in os.listdir(DESCRIPTORS)]  # noqa: PTH208 - only the names
    # The descriptor used for listing them is closed by now.
    return [each for each in listed if _is_open(each)]


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
